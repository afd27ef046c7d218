// SPDX-License-Identifier: Apache-2.0
//
// Expressions back to SQL text.

extension Expression.Kind {
    /// How tightly the outermost operator binds.
    var precedence: Precedence {
        switch self {
        case .or: .or
        case .and: .and
        case .not: .not
        case .isNull, .isBoolean, .isDistinctFrom: .is
        case .between, .inList, .inQuery, .like: .like
        case .binary(let operation, _, _): operation.precedence
        case .quantifiedArray(_, let operation, _, _), .quantifiedQuery(_, let operation, _, _): operation.precedence
        case .unary(let operation, _): operation == .plus || operation == .minus ? .sign : .other
        case .atTimeZone: .atTimeZone
        case .collate: .collate
        case .element: .element
        case .cast: .cast
        default: .primary
        }
    }
}

extension SQLRenderer {
    /// An expression, in parentheses if it binds less tightly than `minimum`.
    mutating func render(_ expression: Expression, _ minimum: Precedence = .or) {
        if expression.kind.precedence < minimum {
            parenthesized { $0.renderKind(expression.kind) }
        } else {
            renderKind(expression.kind)
        }
    }

    mutating func render(_ expressions: [Expression]) {
        list(expressions) { $0.render($1) }
    }

    private mutating func renderKind(_ kind: Expression.Kind) {
        switch kind {
        case .null: write("NULL")
        case .boolean(let value): write(value ? "TRUE" : "FALSE")
        case .integer(let digits), .decimal(let digits): write(digits)
        case .string(let string): render(string: string)
        case .bitString(let radix, let digits): write("\(radix.rawValue)'\(digits)'")
        case .typedLiteral(let type, let string): renderTyped(type, string)
        case .parameter(let number): write("$\(number)")
        case .column(let name): render(name)
        case .star(let qualifier):
            if let qualifier {
                render(qualifier)
                write(".")
            }
            write("*")
        case .default: write("DEFAULT")
        case .functionCall(let call): render(call)
        case .currentValue(let value, let precision):
            write(value.rawValue.uppercased())
            if let precision { write("(\(precision))") }
        case .extract(let field, let operand):
            write("extract(")
            render(field)
            write(" FROM ")
            render(operand)
            write(")")
        case .caseWhen(let operand, let branches, let otherwise): renderCase(operand, branches, otherwise)
        case .array(let elements):
            write("ARRAY[")
            render(elements)
            write("]")
        case .row(let elements):
            write("ROW")
            parenthesized { $0.render(elements) }
        case .exists(let query): renderQuery("EXISTS ", query)
        case .arrayQuery(let query): renderQuery("ARRAY", query)
        case .scalarQuery(let query): renderQuery("", query)
        case .field(let operand, let field):
            parenthesized { $0.render(operand) }
            write(".")
            render(field)
        default: renderOperator(kind)
        }
    }

    private mutating func renderOperator(_ kind: Expression.Kind) {
        switch kind {
        case .unary(let operation, let operand): renderUnary(operation, operand)
        case .binary(let operation, let left, let right):
            let level = operation.precedence
            render(left, level == .comparison ? level.tighter : level)
            write(" \(operation.rawValue) ")
            render(right, level.tighter)
        case .not(let operand):
            write("NOT ")
            render(operand, .not)
        case .and(let terms): renderTerms(terms, " AND ", .not)
        case .or(let terms): renderTerms(terms, " OR ", .and)
        case .isNull(let operand, let isNegated):
            render(operand, .is)
            write(isNegated ? " IS NOT NULL" : " IS NULL")
        case .isBoolean(let operand, let test, let isNegated):
            render(operand, .is)
            write(isNegated ? " IS NOT " : " IS ")
            write(test.rawValue.uppercased())
        case .isDistinctFrom(let left, let right, let isNegated):
            render(left, .is)
            write(isNegated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM ")
            render(right, .comparison)
        case .quantifiedArray(let left, let operation, let quantifier, let array):
            renderQuantified(left, operation, quantifier)
            parenthesized { $0.render(array) }
        case .quantifiedQuery(let left, let operation, let quantifier, let query):
            renderQuantified(left, operation, quantifier)
            parenthesized { $0.render(query) }
        case .cast(let operand, let type):
            render(operand, .cast)
            write("::")
            render(type)
        case .element(let operand, let place): renderElement(operand, place)
        case .atTimeZone(let operand, let zone):
            render(operand, .atTimeZone)
            write(" AT TIME ZONE ")
            render(zone, .collate)
        case .collate(let operand, let collation):
            render(operand, .collate)
            write(" COLLATE ")
            render(collation)
        default: renderLikeLevel(kind)
        }
    }

    private mutating func renderLikeLevel(_ kind: Expression.Kind) {
        switch kind {
        case .between(let operand, let low, let high, let isNegated, let isSymmetric):
            render(operand, .other)
            write(isNegated ? " NOT BETWEEN " : " BETWEEN ")
            if isSymmetric { write("SYMMETRIC ") }
            render(low, .other)
            write(" AND ")
            render(high, .other)
        case .inList(let operand, let elements, let isNegated):
            render(operand, .other)
            write(isNegated ? " NOT IN " : " IN ")
            parenthesized { $0.render(elements) }
        case .inQuery(let operand, let query, let isNegated):
            render(operand, .other)
            renderQuery(isNegated ? " NOT IN " : " IN ", query)
        case .like(let operand, let pattern, let escape, let kind, let isNegated):
            render(operand, .other)
            write(isNegated ? " NOT \(kind.rawValue) " : " \(kind.rawValue) ")
            render(pattern, .other)
            if let escape {
                write(" ESCAPE ")
                render(escape, .other)
            }
        default: preconditionFailure("every kind of expression is rendered above")
        }
    }

    // MARK: - Parts

    /// A constant with its type; an interval's fields stand behind the string.
    private mutating func renderTyped(_ type: TypeName, _ string: String) {
        renderTypeName(type.name)
        if type.intervalFields == nil { renderModifiers(type) }
        write(" ")
        render(string: string)
        if let fields = type.intervalFields {
            write(" \(fields.rawValue)")
            renderModifiers(type)
        }
    }

    private mutating func renderUnary(_ operation: UnaryOperator, _ operand: Expression) {
        write(operation.rawValue)
        guard operation == .plus || operation == .minus else {
            write(" ")
            return render(operand, .additive)
        }
        // Two signs in a row would begin a comment.
        render(operand, .element)
    }

    private mutating func renderTerms(_ terms: [Expression], _ word: String, _ minimum: Precedence) {
        for (place, term) in terms.enumerated() {
            if place > 0 { write(word) }
            render(term, minimum)
        }
    }

    private mutating func renderQuantified(
        _ left: Expression, _ operation: BinaryOperator, _ quantifier: Quantifier
    ) {
        let level = operation.precedence
        render(left, level == .comparison ? level.tighter : level)
        write(" \(operation.rawValue) \(quantifier.rawValue) ")
    }

    private mutating func renderElement(_ operand: Expression, _ place: ArraySubscript) {
        // x::integer[1] would be a cast to an array.
        if case .cast = operand.kind {
            parenthesized { $0.render(operand) }
        } else {
            render(operand, .element)
        }
        write("[")
        switch place {
        case .index(let index): render(index)
        case .slice(let lower, let upper):
            if let lower { render(lower) }
            write(":")
            if let upper { render(upper) }
        }
        write("]")
    }

    private mutating func renderCase(_ operand: Expression?, _ branches: [CaseBranch], _ otherwise: Expression?) {
        write("CASE")
        if let operand {
            write(" ")
            render(operand)
        }
        for branch in branches {
            write(" WHEN ")
            render(branch.condition)
            write(" THEN ")
            render(branch.result)
        }
        if let otherwise {
            write(" ELSE ")
            render(otherwise)
        }
        write(" END")
    }

    private mutating func renderQuery(_ word: String, _ query: Query) {
        write(word)
        parenthesized { $0.render(query) }
    }

    // MARK: - Calls

    mutating func render(_ call: FunctionCall) {
        renderFunction(call.name)
        write("(")
        if call.hasStar { write("*") }
        if call.isDistinct { write("DISTINCT ") }
        for (place, argument) in call.arguments.enumerated() {
            if place > 0 { write(", ") }
            if call.isVariadic, place == call.arguments.count - 1 { write("VARIADIC ") }
            if let name = argument.name {
                render(name)
                write(" => ")
            }
            render(argument.value)
        }
        if !call.orderBy.isEmpty {
            write(" ")
            render(orderBy: call.orderBy)
        }
        write(")")
        if !call.withinGroup.isEmpty {
            write(" WITHIN GROUP ")
            parenthesized { $0.render(orderBy: call.withinGroup) }
        }
        if let filter = call.filter {
            write(" FILTER (WHERE ")
            render(filter)
            write(")")
        }
        if let treatment = call.nullTreatment { write(" \(treatment.rawValue)") }
        switch call.over {
        case nil: break
        case .name(let name)?:
            write(" OVER ")
            render(name)
        case .specification(let window)?:
            write(" OVER ")
            render(window)
        }
    }

    mutating func render(orderBy items: [OrderItem]) {
        write("ORDER BY ")
        list(items) { renderer, item in
            renderer.render(item.expression)
            if item.direction == .descending { renderer.write(" DESC") }
            if let nulls = item.nulls { renderer.write(" \(nulls.rawValue)") }
        }
    }

    mutating func render(_ window: WindowSpecification) {
        var pieces: [(inout SQLRenderer) -> Void] = []
        if let base = window.base { pieces.append { $0.render(base) } }
        if !window.partitionBy.isEmpty {
            pieces.append { renderer in
                renderer.write("PARTITION BY ")
                renderer.render(window.partitionBy)
            }
        }
        if !window.orderBy.isEmpty { pieces.append { $0.render(orderBy: window.orderBy) } }
        if let frame = window.frame { pieces.append { $0.render(frame) } }
        parenthesized { renderer in
            for (place, piece) in pieces.enumerated() {
                if place > 0 { renderer.write(" ") }
                piece(&renderer)
            }
        }
    }

    private mutating func render(_ frame: WindowFrame) {
        write("\(frame.unit.rawValue) ")
        if let end = frame.end {
            write("BETWEEN ")
            render(frame.start)
            write(" AND ")
            render(end)
        } else {
            render(frame.start)
        }
        if let exclusion = frame.exclusion { write(" EXCLUDE \(exclusion.rawValue)") }
    }

    private mutating func render(_ bound: FrameBound) {
        switch bound {
        case .unboundedPreceding: write("UNBOUNDED PRECEDING")
        case .currentRow: write("CURRENT ROW")
        case .unboundedFollowing: write("UNBOUNDED FOLLOWING")
        case .preceding(let offset):
            render(offset, .not)
            write(" PRECEDING")
        case .following(let offset):
            render(offset, .not)
            write(" FOLLOWING")
        }
    }
}
