// SPDX-License-Identifier: Apache-2.0
//
// Lists of options: WITH (a = 1, b.c), COPY's (FORMAT csv, HEADER), EXPLAIN's and VACUUM's.

/// How a list writes its values.
enum OptionStyle {
    /// `name = value` in WITH and SET; the value may be an expression.
    case assigned
    /// `name value` in COPY, EXPLAIN and VACUUM; the value is one token or a list.
    case spaced
}

extension Parser {
    /// `(name = value, ...)` or `(name value, ...)`.
    mutating func parseOptions(_ style: OptionStyle = .assigned) throws(SyntaxError) -> [Option] {
        try expectSymbol("(")
        var options: [Option] = []
        if acceptSymbol(")") { return options }
        repeat { options.append(try parseOption(style)) } while acceptSymbol(",")
        try expectSymbol(")")
        return options
    }

    private mutating func parseOption(_ style: OptionStyle) throws(SyntaxError) -> Option {
        let start = start
        let name = try parseQualifiedName(.label)
        let text = name.parts.map(\.name).joined(separator: ".")
        let hasSign = acceptOperator("=")
        if !hasSign, style == .assigned || atSymbol(",") || atSymbol(")") {
            return Option(name: text, value: nil, range: name.range, valueRange: name.range)
        }
        let valueStart = self.start
        let hasExpression = style == .assigned && (peek(1).isString || isSymbol(peek(1), "("))
        let value = hasExpression && current.kind == .word ? .expression(try parseExpression()) : try parseOptionValue()
        return Option(
            name: text, value: value, range: range(from: start), valueRange: range(from: valueStart))
    }

    /// A word, string, number, star, list of those, or INTERVAL constant.
    mutating func parseOptionValue() throws(SyntaxError) -> OptionValue {
        let token = current
        switch token.kind {
        case .string, .escapeString, .unicodeString, .dollarString:
            return .string(try parseString())
        case .integer, .decimal: return .number(try parseNumber())
        case .operator:
            if acceptOperator("*") { return .star }
            let sign = token.text
            guard sign == "-" || sign == "+" else { throw unexpected() }
            advance()
            let number = try parseNumber()
            return .number(sign == "-" ? "-\(number)" : number)
        case .symbol where token.text == "(":
            try enter()
            advance()
            var values = [try parseOptionValue()]
            while acceptSymbol(",") { values.append(try parseOptionValue()) }
            try expectSymbol(")")
            leave()
            return .list(values)
        case .word, .quotedIdentifier:
            if token.text == "interval", peek(1).isString { return .expression(try parseExpression()) }
            return .word(try takeIdentifier().name)
        default: throw unexpected()
        }
    }

    private mutating func parseNumber() throws(SyntaxError) -> String {
        let token = current
        let text: String
        switch token.kind {
        case .integer: text = try integerDigits(token)
        case .decimal: text = constants.decimal(token)
        default: throw unexpected()
        }
        advance()
        return text
    }
}
