// SPDX-License-Identifier: Apache-2.0
//
// Operands of expressions: constants, names, parentheses, prefix operators, and forms with syntax of their own.

/// What a pair of parentheses holds.
enum Parenthesis {
    case query(Query)
    /// A list, and whether a comma made it a row.
    case expressions([Expression], isRow: Bool)
}

extension Parser {
    /// What stands before the first operator, prefix operators included.
    mutating func parseOperand() throws(SyntaxError) -> Expression {
        let token = current
        switch token.kind {
        case .word: return try parseWordOperand()
        case .quotedIdentifier, .unicodeIdentifier: return try parseNamedOperand()
        case .integer:
            let digits = try integerDigits(token)
            advance()
            return Expression(.integer(digits), range: token.range)
        case .decimal:
            advance()
            return Expression(.decimal(constants.decimal(token)), range: token.range)
        case .string, .escapeString, .unicodeString, .dollarString:
            return Expression(.string(try parseString()), range: token.range)
        case .binaryString, .hexadecimalString: return try parseBitString()
        case .parameter:
            guard let number = constants.parameter(token) else {
                let spelling = String(decoding: bytes[token.start..<token.end], as: UTF8.self)
                throw SyntaxError(
                    message: "there is no parameter \(spelling)", code: "42P02", range: token.range,
                    hint: "Parameters are numbered from $1.")
            }
            advance()
            parameters.numbers.insert(number)
            return try parameter(number, token)
        case .namedParameter:
            advance()
            let number = parameters.number(ofName: token.text, at: token.start)
            return try parameter(number, token)
        case .operator: return try parsePrefixOperator()
        case .symbol where token.text == "(": return try parseParenthesizedOperand()
        case .symbol where token.text == "[":
            advance()
            return try parseArrayElements(from: token.start)
        default: throw unexpected()
        }
    }

    private func parameter(_ number: Int, _ token: Token) throws(SyntaxError) -> Expression {
        if !parameters.numbers.isEmpty, !parameters.names.isEmpty {
            throw SyntaxError(
                message: "parameters are either all numbered or all named", range: token.range,
                hint: "Write $1, $2, … or names such as $sensor, not both.")
        }
        return Expression(.parameter(number), range: token.range)
    }

    @inline(never)
    private mutating func parsePrefixOperator() throws(SyntaxError) -> Expression {
        let start = start
        guard let found = UnaryOperator(rawValue: current.text) else { throw unexpected() }
        advance()
        let isSign = found == .plus || found == .minus
        let operand = try parseExpression(isSign ? .sign : .additive)
        return Expression(.unary(found, operand), range: range(from: start))
    }

    @inline(never)
    private mutating func parseBitString() throws(SyntaxError) -> Expression {
        let token = current
        let radix: BitStringRadix = token.kind == .binaryString ? .binary : .hexadecimal
        let digits = try constants.string(token)
        let base = radix == .binary ? 2 : 16
        if let wrong = digits.unicodeScalars.first(where: { !$0.isASCII || Lexer.digitValue(UInt8($0.value)) >= base })
        {
            let what = radix == .binary ? "binary" : "hexadecimal"
            throw SyntaxError(
                message: "\"\(wrong)\" is not a valid \(what) digit", code: "22P02", range: token.range)
        }
        advance()
        return Expression(.bitString(radix: radix, digits: digits), range: token.range)
    }

    // MARK: - Parentheses

    /// `(e)`, `(a, b)`, `(SELECT ...)`.
    @inline(never)
    private mutating func parseParenthesizedOperand() throws(SyntaxError) -> Expression {
        let start = start
        let content = try parseParenthesis()
        return operand(of: content, start)
    }

    private func operand(of content: Parenthesis, _ start: Int) -> Expression {
        switch content {
        case .query(let query): return Expression(.scalarQuery(query), range: range(from: start))
        case .expressions(let expressions, let isRow):
            if isRow { return Expression(.row(expressions), range: range(from: start)) }
            return expressions[0]
        }
    }

    /// Parentheses around a query or a list of expressions. `((SELECT 1) + 1)` and `((SELECT 1) UNION
    /// (SELECT 2))` differ only behind the inner pair, so the decision is made there, without backtracking.
    @inline(never)
    mutating func parseParenthesis() throws(SyntaxError) -> Parenthesis {
        try enter()
        let outerHeight = height
        height = 0
        let content = try parseParenthesisContent()
        height = max(outerHeight, height)
        leave()
        return content
    }

    @inline(never)
    private mutating func parseParenthesisContent() throws(SyntaxError) -> Parenthesis {
        try expectSymbol("(")
        if atQueryStart {
            let query = try parseQuery()
            try expectSymbol(")")
            return .query(query)
        }
        var expressions: [Expression] = []
        if atSymbol("(") {
            let start = start
            let inner = try parseParenthesis()
            if case .query(let query) = inner {
                if acceptSymbol(")") { return .query(query) }
                if atQueryContinuation {
                    let whole = try parseQuery(startingWith: query, start)
                    try expectSymbol(")")
                    return .query(whole)
                }
            }
            expressions.append(try parseOperators(operand(of: inner, start), start, .or))
        } else {
            expressions.append(try parseExpression())
        }
        let isRow = atSymbol(",")
        while acceptSymbol(",") { expressions.append(try parseExpression()) }
        try expectSymbol(")")
        return .expressions(expressions, isRow: isRow)
    }

    @inline(never)
    private mutating func parseArrayElements(from start: Int) throws(SyntaxError) -> Expression {
        var elements: [Expression] = []
        if !atSymbol("]") { elements = try parseExpressions() }
        try expectSymbol("]")
        return Expression(.array(elements), range: range(from: start))
    }

    // MARK: - Words

    @inline(never)
    private mutating func parseWordOperand() throws(SyntaxError) -> Expression {
        let token = current
        switch KeywordList.keywordClass(of: token.text) {
        case nil, .unreserved: return try parseNamedOperand()
        case .reserved: return try parseReservedOperand()
        case .columnName:
            if let special = try parseSpecialForm() { return special }
            return try parseNamedOperand()
        case .functionOrTypeName:
            if token.text == "current_schema", !isSymbol(peek(1), "(") { return try parseCurrentValue(.currentSchema) }
            return try parseNamedOperand()
        }
    }

    @inline(never)
    private mutating func parseReservedOperand() throws(SyntaxError) -> Expression {
        let token = current
        switch token.text {
        case "null": return word(.null)
        case "true": return word(.boolean(true))
        case "false": return word(.boolean(false))
        case "not":
            advance()
            let operand = try parseExpression(.not)
            return Expression(.not(operand), range: range(from: token.start))
        case "case": return try parseCase()
        case "cast": return try parseCast()
        case "array": return try parseArray()
        default:
            guard let value = CurrentValue(rawValue: token.text) else { throw unexpected() }
            return try parseCurrentValue(value)
        }
    }

    private mutating func word(_ kind: Expression.Kind) -> Expression {
        let range = current.range
        advance()
        return Expression(kind, range: range)
    }

    @inline(never)
    private mutating func parseCurrentValue(_ value: CurrentValue) throws(SyntaxError) -> Expression {
        let start = start
        advance()
        var precision: Int?
        switch value {
        case .currentTime, .currentTimestamp, .localTime, .localTimestamp:
            if acceptSymbol("(") {
                precision = try parseSmallInteger()
                try expectSymbol(")")
            }
        default: break
        }
        return Expression(.currentValue(value, precision: precision), range: range(from: start))
    }

    @inline(never)
    private mutating func parseCase() throws(SyntaxError) -> Expression {
        let start = start
        try expect("case")
        let operand: Expression? = at("when") ? nil : try parseExpression()
        var branches: [CaseBranch] = []
        while accept("when") {
            let condition = try parseExpression()
            try expect("then")
            branches.append(CaseBranch(condition: condition, result: try parseExpression()))
        }
        if branches.isEmpty { throw unexpected() }
        let otherwise: Expression? = accept("else") ? try parseExpression() : nil
        try expect("end")
        return Expression(
            .caseWhen(operand: operand, branches: branches, otherwise: otherwise), range: range(from: start))
    }

    @inline(never)
    private mutating func parseCast() throws(SyntaxError) -> Expression {
        let start = start
        try expect("cast")
        try expectSymbol("(")
        let operand = try parseExpression()
        try expect("as")
        let type = try parseTypeName()
        try expectSymbol(")")
        return Expression(.cast(operand, type), range: range(from: start))
    }

    @inline(never)
    private mutating func parseArray() throws(SyntaxError) -> Expression {
        let start = start
        try expect("array")
        if acceptSymbol("[") { return try parseArrayElements(from: start) }
        guard atSymbol("("), case .query(let query) = try parseParenthesis() else { throw unexpected() }
        return Expression(.arrayQuery(query), range: range(from: start))
    }

    // MARK: - Names

    /// A column, a call, or a constant with its type's name before it.
    @inline(never)
    private mutating func parseNamedOperand() throws(SyntaxError) -> Expression {
        let start = start
        if atTypedConstant() {
            let type = try parseTypeName()
            return Expression(.typedLiteral(type, try parseString()), range: range(from: start))
        }
        let opensCall = isSymbol(peek(1), "(")
        guard atName(.column) || atName(.function) && (opensCall || isSymbol(peek(1), ".")) else {
            throw unexpected()
        }
        var parts = [try takeIdentifier()]
        while acceptSymbol(".") {
            if acceptOperator("*") {
                return Expression(.star(qualifier: QualifiedName(parts)), range: range(from: start))
            }
            parts.append(try parseName(.label))
        }
        let name = QualifiedName(parts)
        if atSymbol("(") { return try parseCall(name, start) }
        if current.isString {
            let type = TypeName.folding(name, modifiers: [], range: range(from: start))
            return Expression(.typedLiteral(type, try parseString()), range: range(from: start))
        }
        return Expression(.column(name), range: range(from: start))
    }

    /// Whether a type name of one or more words and a string come next.
    private func atTypedConstant() -> Bool {
        guard current.kind == .word else { return false }
        var next = 1
        switch current.text {
        case "double": if isWord(peek(1), "precision") { next = 2 }
        case "national":
            if isWord(peek(1), "character") || isWord(peek(1), "char") { next = 2 }
            if isWord(peek(next), "varying") { next += 1 }
        case "character", "char", "nchar", "bit": if isWord(peek(1), "varying") { next = 2 }
        case "timestamp", "time":
            if isSymbol(peek(1), "("), isSymbol(peek(3), ")") { next = 4 }
            if isWord(peek(next), "with") || isWord(peek(next), "without"), isWord(peek(next + 1), "time"),
                isWord(peek(next + 2), "zone")
            {
                next += 3
            }
        default: break
        }
        return peek(next).isString
    }
}
