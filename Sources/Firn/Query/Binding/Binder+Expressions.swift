// SPDX-License-Identifier: Apache-2.0
//
// One node of the expression tree at a time: names, literals, operators and conditions.

import FirnSyntax

extension Binder {
    /// The typed expression. Its type may still be `.unknown`, for a bare NULL or string literal.
    func bind(_ expression: Expression, in scope: ExpressionScope) throws(FirnError) -> BoundExpression {
        let position = expression.range.start.byteOffset
        try checkStack(position: position)
        switch expression.kind {
        case .null: return BoundExpression(.constant(.null), .unknown, position: position)
        case .boolean(let value): return BoundExpression(.constant(.boolean(value)), .boolean, position: position)
        case .integer(let digits): return try integerLiteral(digits, position: position)
        case .decimal(let digits): return try numericLiteral(digits, position: position)
        case .string(let text): return BoundExpression(.constant(.text(text)), .unknown, position: position)
        case .typedLiteral(let type, let text):
            return try typedLiteral(type, text, position: position)
        case .parameter(let number): return try parameter(number, position: position)
        case .column(let name):
            let index = try scope.scope.resolve(name)
            return BoundExpression(.column(index), scope.scope.columns[index].type, position: position)
        case .unary(let symbol, let operand): return try bindUnary(symbol, operand, position: position, in: scope)
        case .binary(let symbol, let left, let right):
            let left = try bind(left, in: scope)
            let right = try bind(right, in: scope)
            return try bindOperator(symbol.rawValue, left, right, position: position)
        case .not(let operand):
            return fold(
                BoundExpression(.not(try condition(operand, of: "NOT", in: scope)), .boolean, position: position))
        case .and(let terms):
            return try junction(try conditions(terms, of: "AND", in: scope), isAnd: true, position: position)
        case .or(let terms):
            return try junction(try conditions(terms, of: "OR", in: scope), isAnd: false, position: position)
        case .isNull(let operand, let isNegated):
            let operand = try bind(operand, in: scope)
            return fold(BoundExpression(.isNull(operand, negated: isNegated), .boolean, position: position))
        case .isBoolean(let operand, let test, let isNegated):
            let operand = try condition(operand, of: "IS \(test.rawValue.uppercased())", in: scope)
            let kind: BoundExpression.Kind =
                switch test {
                case .isTrue: .isBoolean(operand, true, negated: isNegated)
                case .isFalse: .isBoolean(operand, false, negated: isNegated)
                case .isUnknown: .isNull(operand, negated: isNegated)
                }
            return fold(BoundExpression(kind, .boolean, position: position))
        case .isDistinctFrom(let left, let right, let isNegated):
            let (first, second) = (try bind(left, in: scope), try bind(right, in: scope))
            let (left, right) = try comparable(first, second, symbol: "=", position: position)
            if TimeOrder.applies(to: first.type, second.type), right.constantValue == .integer(0),
                right.type == .integer
            {
                return try timesAreDistinct(first, second, order: left, isNegated: isNegated, position: position)
            }
            return fold(BoundExpression(.isDistinct(left, right, negated: isNegated), .boolean, position: position))
        case .between(let operand, let low, let high, let isNegated, let isSymmetric):
            return try bindBetween(
                operand, low, high, isNegated: isNegated, isSymmetric: isSymmetric, position: position, in: scope)
        case .inList(let operand, let list, let isNegated):
            var bound: [BoundExpression] = []
            for element in list { bound.append(try bind(element, in: scope)) }
            return try bindIn(try bind(operand, in: scope), bound, isNegated: isNegated, position: position)
        case .like(let operand, let pattern, let escape, let kind, let isNegated):
            return try bindLike(
                operand, pattern, escape, kind, isNegated: isNegated, position: position, in: scope)
        case .quantifiedArray(let operand, let symbol, let quantifier, let array):
            return try bindQuantified(operand, symbol, quantifier, array, position: position, in: scope)
        case .caseWhen(let operand, let branches, let otherwise):
            return try bindCase(operand, branches, otherwise, position: position, in: scope)
        case .cast(let operand, let type):
            return try bindCast(operand, type, position: position, in: scope)
        case .functionCall(let call): return try bindCall(call, position: position, in: scope)
        case .extract(let field, let operand):
            let name = BoundExpression(.constant(.text(field.name)), .unknown, position: position)
            let value = try bind(operand, in: scope)
            let part = try call("extract", [name, value], position: position)
            return infinitePart(field.name, of: value, part, position: position) ?? part
        case .currentValue(let value, let precision):
            return try currentValue(value, precision: precision, position: position)
        case .atTimeZone(let operand, let zone):
            let zone = try bind(zone, in: scope)
            return try call("timezone", [zone, try bind(operand, in: scope)], position: position)
        case .collate(let operand, let collation):
            guard ["C", "POSIX", "default", "ucs_basic"].contains(collation.name) else {
                throw Binder.unsupported(
                    "collation \"\(collation.name)\"", position: position, hint: "text goes by its bytes")
            }
            return try bind(operand, in: scope)
        case .star: throw FirnError(.syntaxError, "\"*\" stands only in a select list", position: position)
        case .default: throw FirnError(.syntaxError, "DEFAULT is not allowed in this context", position: position)
        case .exists, .scalarQuery, .inQuery, .quantifiedQuery:
            throw Binder.unsupported("a subquery in an expression", position: position)
        case .array, .arrayQuery, .element: throw Binder.unsupported("an array", position: position)
        case .row, .field: throw Binder.unsupported("a row value", position: position)
        case .bitString: throw Binder.unsupported("a bit string", position: position)
        }
    }

    /// Error 0A000: known, but not built.
    static func unsupported(_ what: String, position: Int, hint: String? = nil) -> FirnError {
        FirnError(.featureNotSupported, "\(what) is not supported yet", hint: hint, position: position)
    }

    // MARK: Operators

    private func bindUnary(
        _ symbol: UnaryOperator, _ operand: Expression, position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        // The sign belongs to the literal: -9223372036854775808 is a BIGINT.
        if symbol == .minus {
            if case .integer(let digits) = operand.kind { return try integerLiteral("-\(digits)", position: position) }
            if case .decimal(let digits) = operand.kind { return try numericLiteral("-\(digits)", position: position) }
        }
        return try bindPrefix(symbol.rawValue, try bind(operand, in: scope), position: position)
    }

    private func bindPrefix(
        _ symbol: String, _ operand: BoundExpression, position: Int
    ) throws(FirnError) -> BoundExpression {
        let overloads = (functions.operators[symbol] ?? []).filter { $0.parameters.count == 1 }
        if overloads.isEmpty, let missing = KnownNames.missingOperator(symbol, position: position) { throw missing }
        switch OverloadResolution.resolve(overloads, [operand.type], isOperator: true) {
        case .found(let overload): return try apply(overload, named: symbol, [operand], position: position)
        case .none, .ambiguous:
            throw operatorError(symbol, [operand.type], position: position)
        }
    }

    /// `left symbol right`.
    func bindOperator(
        _ symbol: String, _ left: BoundExpression, _ right: BoundExpression, position: Int
    ) throws(FirnError) -> BoundExpression {
        if let comparison = Comparison(rawValue: symbol) {
            return try bindComparison(comparison, left, right, position: position)
        }
        let overloads = (functions.operators[symbol] ?? []).filter { $0.parameters.count == 2 }
        if overloads.isEmpty, let missing = KnownNames.missingOperator(symbol, position: position) { throw missing }
        if let missing = KnownNames.missingOperator(symbol, left.type, right.type, position: position) { throw missing }
        switch OverloadResolution.resolve(overloads, [left.type, right.type], isOperator: true) {
        case .found(let overload): return try apply(overload, named: symbol, [left, right], position: position)
        case .none: throw operatorError(symbol, [left.type, right.type], position: position)
        case .ambiguous:
            throw FirnError(
                SQLState("42725"), "operator is not unique: \(operatorText(symbol, [left.type, right.type]))",
                hint: "Could not choose a best candidate operator. You might need to add explicit type casts.",
                position: position)
        }
    }

    private func operatorText(_ symbol: String, _ types: [DataType]) -> String {
        types.count == 1
            ? "\(symbol) \(types[0].familyName)" : "\(types[0].familyName) \(symbol) \(types[1].familyName)"
    }

    private func operatorError(_ symbol: String, _ types: [DataType], position: Int) -> FirnError {
        FirnError(
            .undefinedFunction, "operator does not exist: \(operatorText(symbol, types))",
            hint: "No operator matches the given name and argument types. You might need to add explicit type casts.",
            position: position)
    }

    func bindComparison(
        _ comparison: Comparison, _ left: BoundExpression, _ right: BoundExpression, position: Int
    ) throws(FirnError) -> BoundExpression {
        let (left, right) = try comparable(left, right, symbol: comparison.rawValue, position: position)
        return fold(BoundExpression(.compare(comparison, left, right), .boolean, position: position))
    }

    /// Both operands under the type in which they are compared. Error 42883 where there is no such operator.
    func comparable(
        _ left: BoundExpression, _ right: BoundExpression, symbol: String, position: Int
    ) throws(FirnError) -> (BoundExpression, BoundExpression) {
        guard let type = CoercionRules.comparisonType(left.type, right.type), hasOperator(symbol, type) else {
            throw operatorError(symbol, [left.type, right.type], position: position)
        }
        if left.type == .character || right.type == .character {
            let texts = try withoutPadding([left, right])
            return (try convert(texts[0], to: .text), try convert(texts[1], to: .text))
        }
        if TimeOrder.applies(to: left.type, right.type) {
            let converted = (try convert(left, to: type), try convert(right, to: type))
            // A constant in the type of the other side leaves that side bare, for pruning.
            if !converted.0.isCast, !converted.1.isCast { return converted }
            let order = BoundExpression(
                .call(TimeOrder.function(left.type, right.type), [left, right]), .integer, position: position)
            return (fold(order), BoundExpression(.constant(.integer(0)), .integer, position: position))
        }
        // All integers are held alike: a constant takes the column's type, and the column stays bare for pruning.
        if left.type.isInteger, right.type.isInteger, left.type != right.type {
            if right.isConstant { return (left, right.under(left.type)) }
            if left.isConstant { return (left.under(right.type), right) }
        }
        return (try convertCompared(left, to: type), try convertCompared(right, to: type))
    }

    /// The expression under a type for a comparison, which does not look at precision and scale: a column stays bare.
    private func convertCompared(
        _ expression: BoundExpression, to type: DataType
    ) throws(FirnError) -> BoundExpression {
        expression.type.withoutModifiers == type ? expression : try convert(expression, to: type)
    }

    /// extract of a constant infinity is infinite where the field grows for ever; NUMERIC has no infinity, so that it is a
    /// DOUBLE PRECISION. Nil for everything else.
    private func infinitePart(
        _ name: String, of value: BoundExpression, _ part: BoundExpression, position: Int
    ) -> BoundExpression? {
        guard let field = DateTimeField(name: name), field.isMonotonic, value.type.family.category == .dateTime,
            case .integer(let time)? = value.constantValue
        else { return nil }
        let (first, last) = value.type == .date ? (Int64(Int32.min), Int64(Int32.max)) : (Int64.min, Int64.max)
        guard time == first || time == last else { return nil }
        let infinity: Double = time == last ? .infinity : -.infinity
        return BoundExpression(.constant(.double(infinity)), .double, position: position)
    }

    /// IS DISTINCT FROM of times in different types, whose order is NULL where one of them is.
    private func timesAreDistinct(
        _ left: BoundExpression, _ right: BoundExpression, order: BoundExpression, isNegated: Bool, position: Int
    ) throws(FirnError) -> BoundExpression {
        func boolean(_ kind: BoundExpression.Kind) -> BoundExpression {
            fold(BoundExpression(kind, .boolean, position: position))
        }
        let zero = BoundExpression(.constant(.integer(0)), .integer, position: position)
        let nulls = (boolean(.isNull(left, negated: false)), boolean(.isNull(right, negated: false)))
        // Where neither is NULL the order decides, else whether both are.
        let distinct = boolean(
            .coalesce([
                boolean(.compare(.notEqual, order, zero)), boolean(.compare(.notEqual, nulls.0, nulls.1)),
            ]))
        return isNegated ? boolean(.not(distinct)) : distinct
    }

    private func hasOperator(_ symbol: String, _ type: DataType) -> Bool {
        switch type {
        case .vector: symbol == "=" || symbol == "<>"
        default: true
        }
    }

    private func bindBetween(
        _ operand: Expression, _ low: Expression, _ high: Expression, isNegated: Bool, isSymmetric: Bool,
        position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let operand = try bind(operand, in: scope)
        let low = try bind(low, in: scope)
        let high = try bind(high, in: scope)
        func within(_ low: BoundExpression, _ high: BoundExpression) throws(FirnError) -> BoundExpression {
            try junction(
                [
                    try bindComparison(.greaterOrEqual, operand, low, position: position),
                    try bindComparison(.lessOrEqual, operand, high, position: position),
                ], isAnd: true, position: position)
        }
        var result = try within(low, high)
        if isSymmetric {
            result = try junction([result, try within(high, low)], isAnd: false, position: position)
        }
        return isNegated ? fold(BoundExpression(.not(result), .boolean, position: position)) : result
    }

    /// `operand IN (list)`. As in PostgreSQL, elements without columns are brought to the common type of the operand
    /// and all of them, and then compared with the operand; a single one, and each with columns, is compared by itself.
    func bindIn(
        _ operand: BoundExpression, _ list: [BoundExpression], isNegated: Bool, position: Int
    ) throws(FirnError) -> BoundExpression {
        let texts = try withoutPadding([operand] + list)
        if operand.type == .character || list.contains(where: { $0.type == .character }) {
            return try bindIn(texts[0], Array(texts.dropFirst()), isNegated: isNegated, position: position)
        }
        let symbol = isNegated ? "<>" : "="
        if list.contains(where: { TimeOrder.applies(to: operand.type, $0.type) }) {
            // Each element by itself: no type need hold them all.
            return try anyEqual(operand, each: list, symbol: symbol, isNegated: isNegated, position: position)
        }
        let free = list.filter { !$0.hasColumns }
        guard free.count > 1, let common = CoercionRules.commonType(of: [operand.type] + free.map(\.type)) else {
            return try anyEqual(operand, each: list, symbol: symbol, isNegated: isNegated, position: position)
        }
        var elements: [BoundExpression] = []
        for element in free { elements.append(try convertCompared(element, to: common.withoutModifiers)) }
        return try anyEqual(
            operand, elements, of: common, each: list.filter(\.hasColumns), symbol: symbol, isNegated: isNegated,
            position: position)
    }

    /// Whether the operand equals any of the elements, which have one type, or any of the others, each of which is
    /// compared by itself. Constants make one set.
    private func anyEqual(
        _ operand: BoundExpression, _ elements: [BoundExpression] = [], of type: DataType = .unknown,
        each others: [BoundExpression], symbol: String, isNegated: Bool, position: Int
    ) throws(FirnError) -> BoundExpression {
        var terms: [BoundExpression] = []
        if !elements.isEmpty {
            guard let compared = CoercionRules.comparisonType(operand.type, type), hasOperator("=", compared) else {
                throw operatorError(symbol, [operand.type, type], position: position)
            }
            // All integers are held alike: the column stays bare for pruning.
            let target = operand.type.isInteger && compared.isInteger ? operand.type : compared
            let converted = try convertCompared(operand, to: target)
            var values: [Value] = []
            var hasNull = false
            for element in elements {
                let element =
                    element.type.isInteger && target.isInteger
                    ? element.under(target) : try convertCompared(element, to: target)
                switch element.kind {
                case .constant(.null): hasNull = true
                case .constant(let value): values.append(value)
                default: terms.append(try equality(converted, element, symbol: symbol, position: position))
                }
            }
            if !values.isEmpty || hasNull {
                let kind = BoundExpression.Kind.inConstants(
                    converted, values.distinct, hasNull: hasNull, negated: false)
                terms.insert(fold(BoundExpression(kind, .boolean, position: position)), at: 0)
            }
        }
        for other in others {
            terms.append(try equality(operand, other, symbol: symbol, position: position))
        }
        let found = try junction(terms, isAnd: false, position: position)
        guard isNegated else { return found }
        if case .inConstants(let operand, let values, let hasNull, _) = found.kind {
            let kind = BoundExpression.Kind.inConstants(operand, values, hasNull: hasNull, negated: true)
            return BoundExpression(kind, .boolean, position: position)
        }
        return fold(BoundExpression(.not(found), .boolean, position: position))
    }

    /// left = right; an error names the operator as it was written.
    private func equality(
        _ left: BoundExpression, _ right: BoundExpression, symbol: String, position: Int
    ) throws(FirnError) -> BoundExpression {
        let (left, right) = try comparable(left, right, symbol: symbol, position: position)
        return fold(BoundExpression(.compare(.equal, left, right), .boolean, position: position))
    }

    private func bindLike(
        _ operand: Expression, _ pattern: Expression, _ escape: Expression?, _ kind: LikeKind, isNegated: Bool,
        position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let symbol: String
        switch kind {
        case .like: symbol = "~~"
        case .likeIgnoringCase: symbol = "~~*"
        case .similarTo: throw Binder.unsupported("SIMILAR TO", position: position, hint: "use LIKE")
        }
        // CHAR(n) keeps its blanks here, as PostgreSQL's bpcharlike does.
        var arguments = [keepingPadding(try bind(operand, in: scope)), try bind(pattern, in: scope)]
        if let escape { arguments.append(try bind(escape, in: scope)) }
        if let missing = KnownNames.missingOperator(symbol, arguments[0].type, arguments[1].type, position: position) {
            throw missing
        }
        let overloads = (functions.operators[symbol] ?? []).filter { $0.parameters.count == arguments.count }
        guard case .found(let overload) = OverloadResolution.resolve(overloads, arguments.map(\.type), isOperator: true)
        else {
            throw operatorError((isNegated ? "!" : "") + symbol, arguments.prefix(2).map(\.type), position: position)
        }
        let match = try apply(overload, named: symbol, arguments, position: position)
        return isNegated ? fold(BoundExpression(.not(match), .boolean, position: position)) : match
    }

    /// `e = ANY (ARRAY[…])`: the array is written out, so it is a list of comparisons.
    private func bindQuantified(
        _ operand: Expression, _ symbol: BinaryOperator, _ quantifier: Quantifier, _ array: Expression,
        position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        guard case .array(let elements) = array.kind, !elements.isEmpty else {
            throw Binder.unsupported(
                "\(quantifier.rawValue) over anything but ARRAY[…]", position: array.range.start.byteOffset)
        }
        let operand = try bind(operand, in: scope)
        var bound: [BoundExpression] = []
        for element in elements { bound.append(try bind(element, in: scope)) }
        // An array has a type of its own, whatever it is compared with.
        bound = try unified(bound, in: "ARRAY")
        switch (symbol, quantifier) {
        case (.equal, .any), (.notEqual, .all):
            return try anyEqual(
                operand, bound, of: bound[0].type, each: [], symbol: symbol.rawValue,
                isNegated: symbol == .notEqual, position: position)
        default:
            var terms: [BoundExpression] = []
            for element in bound {
                terms.append(try bindOperator(symbol.rawValue, operand, element, position: position))
            }
            return try junction(terms, isAnd: quantifier == .all, position: position)
        }
    }

    // MARK: Conditions

    /// A boolean expression. Error 42804 for others.
    func condition(
        _ expression: Expression, of place: String, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let bound = try bind(expression, in: scope)
        guard bound.type == .boolean || bound.type == .unknown else {
            throw FirnError(
                .datatypeMismatch, "argument of \(place) must be type boolean, not type \(bound.type.familyName)",
                position: bound.position)
        }
        return try convert(bound, to: .boolean)
    }

    private func conditions(
        _ expressions: [Expression], of place: String, in scope: ExpressionScope
    ) throws(FirnError) -> [BoundExpression] {
        var bound: [BoundExpression] = []
        for expression in expressions { bound.append(try condition(expression, of: place, in: scope)) }
        return bound
    }

    /// AND or OR of the terms, with what is constant taken out; what reads a column stays, for the optimiser: where
    /// there are groups it must be one of their keys.
    func junction(
        _ terms: [BoundExpression], isAnd: Bool, position: Int
    ) throws(FirnError) -> BoundExpression {
        let mayDrop = !terms.contains { !$0.columnsRead.isEmpty }
        let joined = Binder.junction(terms, isAnd: isAnd, mayDrop: mayDrop, position: position)
        return fold(joined)
    }

    /// AND or OR of the terms without those that change nothing.
    ///
    /// - Parameter mayDrop: whether terms go that are never reached.
    static func junction(
        _ terms: [BoundExpression], isAnd: Bool, mayDrop: Bool, position: Int
    ) -> BoundExpression {
        var kept: [BoundExpression] = []
        for term in terms {
            if mayDrop, term.constantValue == .boolean(!isAnd) {
                // Nothing after it is reached; what stands before it may still fail.
                if !kept.contains(where: \.mayFail) {
                    return BoundExpression(.constant(.boolean(!isAnd)), .boolean, position: position)
                }
                kept.append(term)
                break
            }
            if term.constantValue == .boolean(isAnd) { continue }
            switch (term.kind, isAnd) {
            case (.and(let inner), true), (.or(let inner), false): kept.append(contentsOf: inner)
            default: kept.append(term)
            }
        }
        if !isAnd { kept = Self.joiningEqualities(kept) }
        if kept.isEmpty { return BoundExpression(.constant(.boolean(isAnd)), .boolean, position: position) }
        if kept.count == 1 { return kept[0] }
        return BoundExpression(isAnd ? .and(kept) : .or(kept), .boolean, position: position)
    }

    /// Terms of OR, in which what one operand may equal is one list in the place of the first: a list is looked up in
    /// a set, and asks the operand once a row.
    private static func joiningEqualities(_ terms: [BoundExpression]) -> [BoundExpression] {
        struct List {
            let place: Int
            let operand: BoundExpression
            var values: [Value]
            var termCount = 1
        }
        var joined: [BoundExpression] = []
        var lists: [List] = []
        for term in terms {
            // A volatile operand has another value for each of its terms.
            guard let (operand, values) = term.equality, !operand.isVolatile else {
                joined.append(term)
                continue
            }
            if let list = lists.firstIndex(where: { $0.operand.isSame(as: operand) }) {
                lists[list].values += values
                lists[list].termCount += 1
            } else {
                lists.append(List(place: joined.count, operand: operand, values: values))
                joined.append(term)
            }
        }
        for list in lists where list.termCount > 1 {
            joined[list.place].kind = .inConstants(
                list.operand, list.values.distinct, hasNull: false, negated: false)
        }
        return joined
    }

    // MARK: CASE and casts

    private func bindCase(
        _ operand: Expression?, _ branches: [CaseBranch], _ otherwise: Expression?, position: Int,
        in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        // A literal of unknown type is text here, whatever it is compared with.
        let operand: BoundExpression? =
            if let operand { try resolvingUnknown(try bind(operand, in: scope)) } else { nil }
        var conditions: [BoundExpression] = []
        var results: [BoundExpression] = []
        for branch in branches {
            if let operand {
                let value = try bind(branch.condition, in: scope)
                conditions.append(
                    try bindComparison(.equal, operand, value, position: branch.condition.range.start.byteOffset))
            } else {
                conditions.append(try condition(branch.condition, of: "CASE/WHEN", in: scope))
            }
            results.append(try bind(branch.result, in: scope))
        }
        // ELSE comes first where types are weighed, as in PostgreSQL.
        if let otherwise {
            results = try unified([try bind(otherwise, in: scope)] + results, in: "CASE")
            results.append(results.removeFirst())
        } else {
            results = try unified(results, in: "CASE")
        }
        let rest = otherwise == nil ? nil : results[results.count - 1]
        let branches = conditions.indices.map { (condition: conditions[$0], result: results[$0]) }
        let whole = BoundExpression(.case(branches: branches, otherwise: rest), results[0].type, position: position)
        return (conditions + results).allSatisfy(\.columnsRead.isEmpty) ? whole.withoutDeadBranches : whole
    }

    /// All under their common type. Error 42804.
    func unified(_ expressions: [BoundExpression], in construct: String) throws(FirnError) -> [BoundExpression] {
        guard let type = CoercionRules.commonType(of: expressions.map(\.type)) else {
            let first = expressions.first { $0.type != .unknown }!
            let other = expressions.first { CoercionRules.commonType(of: [first.type, $0.type]) == nil } ?? first
            throw FirnError(
                .datatypeMismatch,
                "\(construct) types \(first.type.familyName) and \(other.type.familyName) cannot be matched",
                position: other.position)
        }
        var converted: [BoundExpression] = []
        for expression in expressions { converted.append(try convert(expression, to: type)) }
        return converted
    }

    private func bindCast(
        _ operand: Expression, _ type: TypeName, position: Int, in scope: ExpressionScope
    ) throws(FirnError) -> BoundExpression {
        let declared = try DeclaredType(type)
        let target = declared.type
        var bound = try bind(operand, in: scope)
        if target == .real || target == .double, case .decimal(let digits) = operand.kind {
            // Read as what it is to become, so that 1e-300 is not cut to NUMERIC's digits first.
            bound = BoundExpression(.constant(.text(digits)), .unknown, position: bound.position)
        }
        let interval = try intervalLiteral(bound, declared.modifier)
        let value = if let interval { interval } else { try cast(bound, to: target, position: position) }
        return limit(value, by: declared.modifier, position: position)
    }
}

extension BoundExpression {
    /// The same integer under another integer type; a constant takes the name alone.
    func under(_ type: DataType) -> BoundExpression {
        precondition(self.type.isInteger && type.isInteger, "integers are held alike")
        var copy = self
        if isConstant {
            copy.type = type
        } else if self.type != type {
            copy = BoundExpression(.cast(self), type, position: position)
        }
        return copy
    }
}

extension [Value] {
    /// Each value once, where it came first.
    fileprivate var distinct: [Value] {
        var seen: Set<Value> = []
        return filter { seen.insert($0).inserted }
    }
}

extension BoundExpression {
    /// The operand and the constants of which it has to equal one; nil for other conditions.
    fileprivate var equality: (operand: BoundExpression, values: [Value])? {
        switch kind {
        case .compare(.equal, let left, let right):
            if let value = right.constantValue, !value.isNull { return (left, [value]) }
            if let value = left.constantValue, !value.isNull { return (right, [value]) }
            return nil
        case .inConstants(let operand, let values, hasNull: false, negated: false): return (operand, values)
        default: return nil
        }
    }
}
