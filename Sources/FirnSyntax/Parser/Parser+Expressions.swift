// SPDX-License-Identifier: Apache-2.0
//
// Expressions: operators by precedence climbing. Operands are in Parser+Operands.swift.

extension Parser {
    /// An expression and nothing behind it.
    mutating func parseWholeExpression() throws(SyntaxError) -> Expression {
        let expression = try parseExpression()
        guard current.kind == .end else { throw unexpected() }
        return expression
    }

    /// An expression whose operators all bind at least as tightly as `minimum`.
    mutating func parseExpression(_ minimum: Precedence = .or) throws(SyntaxError) -> Expression {
        try enter()
        let outerHeight = height
        height = 0
        let start = start
        let operand = try parseOperand()
        let expression = try parseOperators(operand, start, minimum)
        try grow()
        height = max(outerHeight, height)
        leave()
        return expression
    }

    /// `a, b, c`.
    @inline(never)
    mutating func parseExpressions() throws(SyntaxError) -> [Expression] {
        var expressions = [try parseExpression()]
        while acceptSymbol(",") { expressions.append(try parseExpression()) }
        return expressions
    }

    /// `(e)`, in places where the parentheses belong to the clause.
    @inline(never)
    mutating func parseParenthesizedExpression() throws(SyntaxError) -> Expression {
        try expectSymbol("(")
        let expression = try parseExpression()
        try expectSymbol(")")
        return expression
    }

    // MARK: - Operators behind an operand

    @inline(never)
    mutating func parseOperators(
        _ operand: Expression, _ start: Int, _ minimum: Precedence
    ) throws(SyntaxError) -> Expression {
        var left = operand
        while true {
            let kind: Expression.Kind?
            switch current.kind {
            case .operator: kind = try parseSymbolicOperator(left, minimum)
            case .symbol: kind = try parsePostfix(left, minimum)
            case .word: kind = try parseWordOperator(left, minimum)
            default: kind = nil
            }
            guard let kind else { return left }
            left = Expression(kind, range: range(from: start))
            try grow()
        }
    }

    @inline(never)
    private mutating func parseSymbolicOperator(
        _ left: Expression, _ minimum: Precedence
    ) throws(SyntaxError) -> Expression.Kind? {
        let token = current
        guard let found = BinaryOperator.bySpelling[token.text] else {
            throw SyntaxError(
                message: "operator does not exist: \(token.text)", code: "42883", range: token.range,
                hint: Self.operatorHints[token.text])
        }
        guard found.precedence >= minimum else { return nil }
        advance()
        if let quantified = try parseQuantified(left, found) { return quantified }
        let right = try parseExpression(found.precedence.tighter)
        if found.precedence == .comparison, current.kind == .operator,
            BinaryOperator.bySpelling[current.text]?.precedence == .comparison
        {
            throw unexpected()
        }
        return .binary(found, left, right)
    }

    private static let operatorHints = [
        "==": "Equality is written =.", "&&=": "Use AND.", "!": "Use NOT, or <> for inequality.",
        "**": "Powers are written ^.", "<==>": "Use IS NOT DISTINCT FROM.",
    ]

    /// `ANY (...)`, `SOME (...)` or `ALL (...)` behind an operator.
    @inline(never)
    private mutating func parseQuantified(
        _ left: Expression, _ comparison: BinaryOperator
    ) throws(SyntaxError) -> Expression.Kind? {
        guard isSymbol(peek(1), "("), at(anyOf: ["any", "some", "all"]) else { return nil }
        let quantifier: Quantifier = current.text == "all" ? .all : .any
        advance()
        switch try parseParenthesis() {
        case .query(let query): return .quantifiedQuery(left, comparison, quantifier, query)
        case .expressions(let expressions, _):
            guard expressions.count == 1 else { throw unexpected() }
            return .quantifiedArray(left, comparison, quantifier, array: expressions[0])
        }
    }

    /// `::type`, `[index]`, `.field`.
    @inline(never)
    private mutating func parsePostfix(
        _ left: Expression, _ minimum: Precedence
    ) throws(SyntaxError) -> Expression.Kind? {
        if atSymbol("::") {
            advance()
            return .cast(left, try parseTypeName())
        }
        if atSymbol("["), minimum <= .element {
            return .element(left, try parseSubscript())
        }
        if atSymbol("."), index > 0, isSymbol(tokens[index - 1], ")") || tokens[index - 1].kind == .parameter {
            advance()
            return .field(left, try parseName(.label))
        }
        return nil
    }

    @inline(never)
    private mutating func parseSubscript() throws(SyntaxError) -> ArraySubscript {
        try expectSymbol("[")
        let lower: Expression? = atSymbol(":") ? nil : try parseExpression()
        if acceptSymbol(":") {
            let upper: Expression? = atSymbol("]") ? nil : try parseExpression()
            try expectSymbol("]")
            return .slice(lower: lower, upper: upper)
        }
        try expectSymbol("]")
        guard let lower else { throw unexpected() }
        return .index(lower)
    }

    // MARK: - Operators that are words

    @inline(never)
    private mutating func parseWordOperator(
        _ left: Expression, _ minimum: Precedence
    ) throws(SyntaxError) -> Expression.Kind? {
        switch current.text {
        case "and":
            guard minimum <= .and else { return nil }
            return .and(try parseTerms(left, "and", .not))
        case "or":
            guard minimum <= .or else { return nil }
            return .or(try parseTerms(left, "or", .and))
        case "is":
            guard minimum <= .is else { return nil }
            advance()
            return try parseIs(left)
        case "isnull", "notnull":
            guard minimum <= .is else { return nil }
            let isNegated = current.text == "notnull"
            advance()
            return .isNull(left, isNegated: isNegated)
        case "between", "in", "like", "ilike", "similar":
            guard minimum <= .like else { return nil }
            return try parseLikeLevel(left, isNegated: false)
        case "not":
            guard minimum <= .like, ["between", "in", "like", "ilike", "similar"].contains(peek(1).text),
                peek(1).kind == .word
            else { return nil }
            advance()
            return try parseLikeLevel(left, isNegated: true)
        case "at":
            guard minimum <= .atTimeZone, isWord(peek(1), "time"), isWord(peek(2), "zone") else { return nil }
            advance()
            advance()
            advance()
            return .atTimeZone(left, zone: try parseExpression(.collate))
        case "collate":
            guard minimum <= .collate else { return nil }
            advance()
            return .collate(left, try parseQualifiedName())
        default:
            // Nothing is taken here; the record serves hints.
            if wanted != nil {
                for word in ["and", "or", "is", "between", "in", "like", "ilike", "collate"] { _ = at(word) }
            }
            return nil
        }
    }

    /// The terms of an AND or OR; terms that are such lists themselves are spliced in.
    @inline(never)
    private mutating func parseTerms(
        _ left: Expression, _ word: String, _ minimum: Precedence
    ) throws(SyntaxError) -> [Expression] {
        var terms: [Expression] = []
        append(left, to: &terms, word)
        while accept(word) { append(try parseExpression(minimum), to: &terms, word) }
        return terms
    }

    private func append(_ term: Expression, to terms: inout [Expression], _ word: String) {
        switch term.kind {
        case .and(let inner) where word == "and": terms += inner
        case .or(let inner) where word == "or": terms += inner
        default: terms.append(term)
        }
    }

    @inline(never)
    private mutating func parseIs(_ left: Expression) throws(SyntaxError) -> Expression.Kind {
        let isNegated = accept("not")
        if accept("null") { return .isNull(left, isNegated: isNegated) }
        if accept("true") { return .isBoolean(left, .isTrue, isNegated: isNegated) }
        if accept("false") { return .isBoolean(left, .isFalse, isNegated: isNegated) }
        if accept("unknown") { return .isBoolean(left, .isUnknown, isNegated: isNegated) }
        if accept("distinct") {
            try expect("from")
            return .isDistinctFrom(left, try parseExpression(.comparison), isNegated: isNegated)
        }
        throw unexpected()
    }

    /// BETWEEN, IN, LIKE, ILIKE, SIMILAR TO.
    @inline(never)
    private mutating func parseLikeLevel(
        _ left: Expression, isNegated: Bool
    ) throws(SyntaxError) -> Expression.Kind {
        let word = current.text
        advance()
        switch word {
        case "between":
            let isSymmetric = accept("symmetric")
            if !isSymmetric { _ = accept("asymmetric") }
            let low = try parseExpression(.other)
            try expect("and")
            let high = try parseExpression(.other)
            return .between(left, low: low, high: high, isNegated: isNegated, isSymmetric: isSymmetric)
        case "in":
            switch try parseParenthesis() {
            case .query(let query): return .inQuery(left, query, isNegated: isNegated)
            case .expressions(let expressions, _):
                guard !expressions.isEmpty else { throw unexpected(tokens[index - 1]) }
                return .inList(left, expressions, isNegated: isNegated)
            }
        default:
            if word == "similar" { try expect("to") }
            let kind: LikeKind =
                word == "like" ? .like : word == "ilike" ? .likeIgnoringCase : .similarTo
            if kind != .similarTo {
                let spelling: BinaryOperator =
                    kind == .like
                    ? (isNegated ? .notLike : .like) : (isNegated ? .notLikeIgnoringCase : .likeIgnoringCase)
                if let quantified = try parseQuantified(left, spelling) { return quantified }
            }
            let pattern = try parseExpression(.other)
            let escape: Expression? = accept("escape") ? try parseExpression(.other) : nil
            return .like(left, pattern: pattern, escape: escape, kind, isNegated: isNegated)
        }
    }
}
