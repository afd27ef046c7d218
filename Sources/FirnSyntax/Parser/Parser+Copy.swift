// SPDX-License-Identifier: Apache-2.0
//
// COPY, with its options in today's form, WITH (FORMAT csv, HEADER), and in the old one, CSV HEADER,
// which is turned into today's.

extension Parser {
    mutating func parseCopy() throws(SyntaxError) -> Copy {
        try expect("copy")
        let subject: CopySubject
        if atSymbol("(") {
            guard isQueryStart(at: 1) || isSymbol(peek(1), "(") else {
                advance()
                throw unexpected()
            }
            advance()
            subject = .query(try parseQuery())
            try expectSymbol(")")
        } else {
            let table = try parseQualifiedName()
            subject = .table(table, columns: atSymbol("(") ? try parseParenthesizedNames() : [])
        }
        let directionRange = current.range
        let direction: CopyDirection
        if accept("from") {
            direction = .from
        } else {
            try expect("to")
            direction = .to
        }
        if case .query = subject, direction == .from {
            throw unexpected(tokens[index - 1])
        }
        var copy = Copy(
            subject: subject, direction: direction, endpoint: try parseEndpoint(direction, directionRange), options: [],
            filter: nil)
        copy.options = try parseCopyOptions()
        if at("where") {
            if direction == .to {
                throw SyntaxError(
                    message: "WHERE clause not allowed with COPY TO", code: "0A000", range: current.range)
            }
            advance()
            copy.filter = try parseExpression()
        }
        return copy
    }

    private mutating func parseEndpoint(
        _ direction: CopyDirection, _ range: SourceRange
    ) throws(SyntaxError) -> CopyEndpoint {
        if accept("program") { return .program(try parseString()) }
        if at("stdin") || at("stdout") {
            // PostgreSQL takes either word for the direction's own stream.
            advance()
            return direction == .from ? .standardInput : .standardOutput
        }
        return .file(try parseString())
    }

    private mutating func parseCopyOptions() throws(SyntaxError) -> [Option] {
        _ = accept("with")
        if atSymbol("(") { return try parseOptions(.spaced) }
        var options: [Option] = []
        while let option = try parseOldOption() { options.append(option) }
        return options
    }

    /// `CSV`, `HEADER`, `DELIMITER AS ','`, `FORCE QUOTE a, b`.
    private mutating func parseOldOption() throws(SyntaxError) -> Option? {
        let start = start
        if accept("csv") { return option("format", .word("csv"), start, start) }
        if accept("binary") { return option("format", .word("binary"), start, start) }
        if accept("header") { return option("header", .word("true"), start, start) }
        if accept("freeze") { return option("freeze", .word("true"), start, start) }
        for name in ["delimiter", "delimiters", "null", "quote", "escape", "encoding"] where accept(name) {
            _ = accept("as")
            let valueStart = self.start
            let value = OptionValue.string(try parseString())
            return option(name == "delimiters" ? "delimiter" : name, value, start, valueStart)
        }
        guard accept("force") else { return nil }
        let name: String
        if accept("quote") {
            name = "force_quote"
        } else if accept("not") {
            try expect("null")
            name = "force_not_null"
        } else {
            try expect("null")
            name = "force_null"
        }
        let valueStart = self.start
        if acceptOperator("*") { return option(name, .star, start, valueStart) }
        let columns = try parseNames()
        return option(name, .list(columns.map { .word($0.name) }), start, valueStart)
    }

    private func option(_ name: String, _ value: OptionValue, _ start: Int, _ valueStart: Int) -> Option {
        Option(name: name, value: value, range: range(from: start), valueRange: range(from: valueStart))
    }
}
