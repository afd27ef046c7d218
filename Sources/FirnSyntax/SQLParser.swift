// SPDX-License-Identifier: Apache-2.0
//
// The front door: text in, statements or an expression out.

/// Parses SQL text.
public enum SQLParser {
    /// How deep parentheses, subqueries, CASE, function calls and prefix operators may nest;
    /// a thread with a small stack may allow less.
    public static let nestingMax = 200
    /// How tall a tree may grow by chains such as `a || b || c`. AND and OR do not count: they are flat.
    public static let treeHeightMax = 300

    /// Parses a text of any number of statements, which semicolons separate.
    ///
    /// Nothing is returned unless the whole text is well-formed. Costs O(bytes).
    public static func parse(_ text: String) throws(SyntaxError) -> [Statement] {
        var parser = Parser(bytes: Array(text.utf8))
        do {
            return try parser.parseStatements()
        } catch {
            throw hinted(error, text) { (parser: inout Parser) throws(SyntaxError) in _ = try parser.parseStatements() }
        }
    }

    /// Parses one expression, such as a stored DEFAULT.
    public static func parseExpression(_ text: String) throws(SyntaxError) -> Expression {
        var parser = Parser(bytes: Array(text.utf8))
        do {
            return try parser.parseWholeExpression()
        } catch {
            throw hinted(error, text) { (parser: inout Parser) throws(SyntaxError) in
                _ = try parser.parseWholeExpression()
            }
        }
    }

    /// Parses one query, such as a stored view's.
    public static func parseQuery(_ text: String) throws(SyntaxError) -> Query {
        var parser = Parser(bytes: Array(text.utf8))
        let query = try parser.parseQuery()
        _ = parser.acceptSymbol(";")
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return query
    }

    /// Parses one type name, such as the argument of a cast in the catalog.
    public static func parseTypeName(_ text: String) throws(SyntaxError) -> TypeName {
        var parser = Parser(bytes: Array(text.utf8))
        let type = try parser.parseTypeName()
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return type
    }

    /// Runs the parse that failed once more with a record of the keywords asked for, to find a hint.
    private static func hinted(
        _ error: SyntaxError, _ text: String, _ parse: (inout Parser) throws(SyntaxError) -> Void
    ) -> SyntaxError {
        guard error.hint == nil, error.code == "42601" else { return error }
        var parser = Parser(bytes: Array(text.utf8))
        parser.wanted = [:]
        do {
            try parse(&parser)
            return error
        } catch {
            return error
        }
    }
}
