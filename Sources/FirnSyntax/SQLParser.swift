// SPDX-License-Identifier: Apache-2.0
//
// The front door: text in, statements or an expression out.

/// How deep a text may nest and how tall its trees may grow. Beyond is error 54001.
public struct DepthLimits: Sendable, Hashable {
    /// Levels of parentheses, subqueries, CASE, function calls and prefix operators.
    public var nestingMax: Int
    /// Levels of a tree, and of what may be made of it: chains such as `a || b || c` count by their links, WITH
    /// queries one on top of the other. AND and OR do not count: they are flat.
    public var treeHeightMax: Int

    /// What the largest stack serves; a thread with a smaller one allows less.
    public static let standard = DepthLimits(nestingMax: 12_000, treeHeightMax: 12_000)
    /// What every thread can walk, evaluate and let go.
    public static let shallow = DepthLimits(nestingMax: 100, treeHeightMax: 100)
}

/// Parses SQL text.
public enum SQLParser {
    /// Parses a text of any number of statements, which semicolons separate.
    ///
    /// Nothing is returned unless the whole text is well-formed. Costs O(bytes). Trees are never taller than what the
    /// calling thread's stack lets it walk.
    public static func parse(
        _ text: String, limits: DepthLimits = .standard
    ) throws(SyntaxError) -> [Statement] {
        try parseScript(text, limits: limits).statements
    }

    /// Like `parse`, with the parameters that the statements use.
    public static func parseScript(
        _ text: String, limits: DepthLimits = .standard
    ) throws(SyntaxError) -> (statements: [Statement], parameters: StatementParameters) {
        var parser = Parser(bytes: Array(text.utf8), limits: limits)
        do {
            let statements = try parser.parseStatements()
            return (statements, parser.parameters)
        } catch {
            throw hinted(error, text) { (parser: inout Parser) throws(SyntaxError) in _ = try parser.parseStatements() }
        }
    }

    /// Parses one expression, such as a stored DEFAULT.
    public static func parseExpression(
        _ text: String, limits: DepthLimits = .standard
    ) throws(SyntaxError) -> Expression {
        var parser = Parser(bytes: Array(text.utf8), limits: limits)
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
