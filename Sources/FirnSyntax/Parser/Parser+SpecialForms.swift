// SPDX-License-Identifier: Apache-2.0
//
// Operands whose arguments have words between them: EXTRACT, SUBSTRING, POSITION, OVERLAY, TRIM, INTERVAL,
// EXISTS, ROW. All but EXTRACT, INTERVAL, EXISTS and ROW become plain calls, as in PostgreSQL.

extension Parser {
    /// The form that the cursor's word begins, nil when the word is a plain name here.
    @inline(never)
    mutating func parseSpecialForm() throws(SyntaxError) -> Expression? {
        let token = current
        if token.text == "interval" { return try parseInterval() }
        guard isSymbol(peek(1), "(") else { return nil }
        switch token.text {
        case "exists":
            guard isQueryStart(at: 2) || isSymbol(peek(2), "(") else { return nil }
            advance()
            guard case .query(let query) = try parseParenthesis() else { throw unexpected() }
            return Expression(.exists(query), range: range(from: token.start))
        case "row":
            advance()
            try expectSymbol("(")
            let elements: [Expression] = atSymbol(")") ? [] : try parseExpressions()
            try expectSymbol(")")
            return Expression(.row(elements), range: range(from: token.start))
        case "extract": return try parseExtract()
        case "substring": return try parseSubstring()
        case "position": return try parsePosition()
        case "overlay": return try parseOverlay()
        case "trim": return try parseTrim()
        default: return nil
        }
    }

    // MARK: - INTERVAL

    /// `INTERVAL '5' MINUTE`, `INTERVAL(3) '...'`, DuckDB's `INTERVAL 5 MINUTE`; nil for a column named interval.
    @inline(never)
    private mutating func parseInterval() throws(SyntaxError) -> Expression? {
        let start = start
        let nameRange = current.range
        var modifiers: [Int] = []
        if isSymbol(peek(1), "("), peek(2).kind == .integer, isSymbol(peek(3), ")"), peek(4).isString {
            advance()
            modifiers = try parseModifiers()
        } else if peek(1).isString {
            advance()
        } else if peek(1).kind == .integer, Self.intervalUnits[peek(2).text] != nil, peek(2).kind == .word {
            advance()
            let digits = try integerDigits(current)
            advance()
            let unit = Self.intervalUnits[current.text] ?? .day
            advance()
            return Expression(
                .typedLiteral(Self.intervalType(nameRange, [], unit), digits), range: range(from: start))
        } else {
            return nil
        }
        let text = try parseString()
        let fields: IntervalFields? = modifiers.isEmpty ? try parseIntervalFields(&modifiers) : nil
        return Expression(
            .typedLiteral(Self.intervalType(nameRange, modifiers, fields), text), range: range(from: start))
    }

    private static func intervalType(_ range: SourceRange, _ modifiers: [Int], _ fields: IntervalFields?) -> TypeName {
        TypeName(
            QualifiedName([Identifier("interval", range: range)]), modifiers: modifiers, intervalFields: fields,
            range: range)
    }

    private static let intervalUnits: [String: IntervalFields] = [
        "year": .year, "years": .year, "month": .month, "months": .month, "day": .day, "days": .day, "hour": .hour,
        "hours": .hour, "minute": .minute, "minutes": .minute, "second": .second, "seconds": .second,
    ]

    /// `DAY TO SECOND(3)`; a precision goes to `modifiers`.
    @inline(never)
    mutating func parseIntervalFields(_ modifiers: inout [Int]) throws(SyntaxError) -> IntervalFields? {
        guard current.kind == .word, let first = IntervalFields(rawValue: current.text) else { return nil }
        advance()
        var fields = first
        if at("to") {
            let candidate = "\(first.rawValue) to \(peek(1).text)"
            guard peek(1).kind == .word, let both = IntervalFields(rawValue: candidate) else {
                advance()
                throw unexpected()
            }
            advance()
            advance()
            fields = both
        }
        if isWord(tokens[index - 1], "second"), atSymbol("("), modifiers.isEmpty { modifiers = try parseModifiers() }
        return fields
    }

    // MARK: - Calls with words inside

    @inline(never)
    private mutating func parseExtract() throws(SyntaxError) -> Expression? {
        let start = start
        guard isWord(peek(3), "from"), peek(2).kind == .word || peek(2).kind == .quotedIdentifier || peek(2).isString
        else { return nil }
        advance()
        advance()
        let fieldRange = current.range
        let field =
            current.isString
            ? Identifier(try parseString().lowercased(), range: fieldRange) : try takeIdentifier()
        try expect("from")
        let operand = try parseExpression()
        try expectSymbol(")")
        return Expression(.extract(field: field, operand), range: range(from: start))
    }

    /// `SUBSTRING(s FROM a FOR b)`, `(s FOR b)`, `(s SIMILAR p ESCAPE e)`, `(s, a, b)`.
    @inline(never)
    private mutating func parseSubstring() throws(SyntaxError) -> Expression {
        let (name, start) = try openForm("substring")
        var arguments = [try parseExpression()]
        if accept("from") {
            arguments.append(try parseExpression())
            if accept("for") { arguments.append(try parseExpression()) }
        } else if accept("for") {
            let count = try parseExpression()
            if accept("from") {
                arguments.append(try parseExpression())
            } else {
                arguments.append(Expression(.integer("1"), range: count.range))
            }
            arguments.append(count)
        } else if accept("similar") {
            arguments.append(try parseExpression(.other))
            try expect("escape")
            arguments.append(try parseExpression())
        } else {
            while acceptSymbol(",") { arguments.append(try parseExpression()) }
        }
        return try closeForm(name, arguments, start)
    }

    /// `POSITION(part IN whole)` becomes `position(whole, part)`.
    @inline(never)
    private mutating func parsePosition() throws(SyntaxError) -> Expression {
        let (name, start) = try openForm("position")
        let first = try parseExpression(.other)
        if accept("in") {
            let whole = try parseExpression(.other)
            return try closeForm(name, [whole, first], start)
        }
        try expectSymbol(",")
        return try closeForm(name, [first, try parseExpression()], start)
    }

    /// `OVERLAY(s PLACING r FROM a FOR b)`.
    @inline(never)
    private mutating func parseOverlay() throws(SyntaxError) -> Expression {
        let (name, start) = try openForm("overlay")
        var arguments = [try parseExpression()]
        if accept("placing") {
            arguments.append(try parseExpression())
            try expect("from")
            arguments.append(try parseExpression())
            if accept("for") { arguments.append(try parseExpression()) }
        } else {
            while acceptSymbol(",") { arguments.append(try parseExpression()) }
        }
        return try closeForm(name, arguments, start)
    }

    /// `TRIM([BOTH | LEADING | TRAILING] [characters] FROM s)` becomes btrim, ltrim or rtrim.
    @inline(never)
    private mutating func parseTrim() throws(SyntaxError) -> Expression {
        var (name, start) = try openForm("btrim")
        if accept("leading") {
            name.name = "ltrim"
        } else if accept("trailing") {
            name.name = "rtrim"
        } else {
            _ = accept("both")
        }
        if accept("from") { return try closeForm(name, try parseExpressions(), start) }
        var arguments = try parseExpressions()
        if accept("from") {
            let characters = arguments
            arguments = try parseExpressions()
            arguments += characters
        }
        return try closeForm(name, arguments, start)
    }

    @inline(never)
    private mutating func openForm(_ function: String) throws(SyntaxError) -> (Identifier, Int) {
        let token = current
        advance()
        try expectSymbol("(")
        return (Identifier(function, range: token.range), token.start)
    }

    @inline(never)
    private mutating func closeForm(
        _ name: Identifier, _ arguments: [Expression], _ start: Int
    ) throws(SyntaxError) -> Expression {
        try expectSymbol(")")
        let call = FunctionCall(
            name: QualifiedName([name]), arguments: arguments.map { FunctionArgument(value: $0) })
        return Expression(.functionCall(call), range: range(from: start))
    }
}
