// SPDX-License-Identifier: Apache-2.0
//
// PL/pgSQL bodies that only run statements or RETURN QUERY. Whatever is procedural is refused by its
// own name, with what to use instead.

extension SQLParser {
    /// Parses the body of a function in PL/pgSQL; ranges and errors count from the start of `text`.
    public static func parseProcedureBody(_ text: String) throws(SyntaxError) -> ProcedureBody {
        var parser = Parser(bytes: Array(text.utf8))
        return try parser.parseProcedureBody()
    }
}

extension Parser {
    mutating func parseProcedureBody() throws(SyntaxError) -> ProcedureBody {
        if at("declare") { throw procedural("DECLARE", current.range) }
        try expect("begin")
        var statements: [ProcedureStatement] = []
        while !at("end") {
            if acceptSymbol(";") { continue }
            height = 0
            statements.append(try parseProcedureStatement())
            try expectSymbol(";")
        }
        try expect("end")
        if atName() { advance() }
        _ = acceptSymbol(";")
        guard current.kind == .end else { throw unexpected() }
        return ProcedureBody(statements: statements)
    }

    private mutating func parseProcedureStatement() throws(SyntaxError) -> ProcedureStatement {
        if let construct = Self.procedural[current.text], current.kind == .word {
            throw procedural(construct, current.range)
        }
        let following = peek(1)
        if atName(.label), isSymbol(following, ":=") || isOperator(following, "=") || isSymbol(following, ".") {
            throw procedural("an assignment", current.range)
        }
        if at("null"), isSymbol(following, ";") {
            advance()
            return .nothing
        }
        if accept("perform") { return .perform(try parsePerform()) }
        if accept("return") { return try parseReturn() }
        return .sql(try parseStatement())
    }

    /// `PERFORM f(x) FROM t` is `SELECT f(x) FROM t`.
    private mutating func parsePerform() throws(SyntaxError) -> Query {
        try enter()
        let start = tokens[index - 1].start
        let query = try parseQuery(startingWith: try parseSelectBehindKeyword(from: start), start)
        leave()
        return query
    }

    private mutating func parseReturn() throws(SyntaxError) -> ProcedureStatement {
        if atSymbol(";") { return .returnNothing }
        let range = current.range
        if accept("query") {
            if at("execute") { throw procedural("RETURN QUERY EXECUTE", current.range) }
            return .returnQuery(try parseQuery())
        }
        if at("next") {
            throw procedural("RETURN NEXT", range)
        }
        return .returnValue(try parseExpression())
    }

    private func procedural(_ construct: String, _ range: SourceRange) -> SyntaxError {
        let isSentence = construct.hasPrefix("an ")
        return notSupported(
            isSentence ? "\(construct) in PL/pgSQL" : "PL/pgSQL's \(construct)", range,
            hint: "A function may run statements, PERFORM and RETURN QUERY; write the rest as one query "
                + "(CASE, joins, INSERT ... SELECT) or in the program that calls it.")
    }

    /// The words that begin what only a procedural language has.
    private static let procedural: [String: String] = [
        "if": "IF", "case": "CASE statement", "loop": "LOOP", "while": "WHILE", "for": "FOR", "foreach": "FOREACH",
        "exit": "EXIT", "continue": "CONTINUE", "raise": "RAISE", "assert": "ASSERT", "execute": "EXECUTE",
        "open": "OPEN", "fetch": "FETCH", "move": "MOVE", "close": "CLOSE", "get": "GET DIAGNOSTICS",
        "exception": "EXCEPTION", "commit": "COMMIT", "rollback": "ROLLBACK", "begin": "nested BEGIN",
        "declare": "DECLARE",
    ]
}
