// SPDX-License-Identifier: Apache-2.0
//
// A text of statements, and which statement a first word begins.

extension Parser {
    /// All statements to the end of the text; empty ones are skipped.
    mutating func parseStatements() throws(SyntaxError) -> [Statement] {
        var statements: [Statement] = []
        while true {
            while acceptSymbol(";") {}
            if current.kind == .end { return statements }
            height = 0
            statements.append(try parseStatement())
            guard current.kind == .end || atSymbol(";") else { throw unexpected() }
        }
    }

    mutating func parseStatement() throws(SyntaxError) -> Statement {
        try enter()
        let start = start
        let kind = try parseStatementKind()
        leave()
        return Statement(kind: kind, range: range(from: start))
    }

    private mutating func parseStatementKind() throws(SyntaxError) -> Statement.Kind {
        if atSymbol("(") { return .query(try parseQuery()) }
        guard current.kind == .word else { throw unexpected() }
        if at(anyOf: ["select", "values", "table"]) { return .query(try parseQuery()) }
        if at("with") { return try parseWithStatement() }
        if at("insert") { return .insert(try parseInsert(nil)) }
        if at("update") { return .update(try parseUpdate(nil)) }
        if at("delete") { return .delete(try parseDelete(nil)) }
        if at("copy") { return .copy(try parseCopy()) }
        if at("create") { return try parseCreate() }
        if at("drop") { return .drop(try parseDrop()) }
        if at("alter") { return .alterTable(try parseAlter()) }
        if at("truncate") { return .truncate(try parseTruncate()) }
        if at("refresh") { return .refreshMaterializedView(try parseRefresh()) }
        if at("comment") { return .comment(try parseComment()) }
        if at("explain") { return .explain(try parseExplain()) }
        if let session = try parseSessionStatement() { return session }
        if Self.unsupported.contains(current.text) {
            throw notSupported(current.text.uppercased(), current.range)
        }
        throw unexpected()
    }

    /// Statements that PostgreSQL has and this engine refuses by name.
    private static let unsupported: Set<String> = [
        "grant", "revoke", "merge", "lock", "listen", "notify", "unlisten", "do", "declare", "fetch", "close", "move",
        "cluster", "reindex", "load", "reassign", "security", "import",
    ]

    private mutating func parseWithStatement() throws(SyntaxError) -> Statement.Kind {
        let start = start
        let with = try parseWith()
        if at("insert") { return .insert(try parseInsert(with)) }
        if at("update") { return .update(try parseUpdate(with)) }
        if at("delete") { return .delete(try parseDelete(with)) }
        return .query(try parseQuery(behind: with, start))
    }

    // MARK: - CREATE

    private mutating func parseCreate() throws(SyntaxError) -> Statement.Kind {
        try expect("create")
        let replaceRange = current.range
        let orReplace = accept("or", "replace")
        var isTemporary = false
        var isUnlogged = false
        if accept("global") || accept("local") {
            guard at(anyOf: ["temporary", "temp"]) else { throw unexpected() }
        }
        if accept("temporary") || accept("temp") { isTemporary = true } else { isUnlogged = accept("unlogged") }

        if accept("table") {
            return try parseCreateTable(
                isTemporary: isTemporary, isUnlogged: isUnlogged, replaceRange: orReplace ? replaceRange : nil)
        }
        if isUnlogged { throw unexpected() }
        if at("view") || at("recursive") || at("materialized", "view") {
            if at("recursive") { throw notSupported("CREATE RECURSIVE VIEW", current.range) }
            return .createView(try parseCreateView(orReplace: orReplace, isTemporary: isTemporary))
        }
        if isTemporary, !at("sequence") { throw unexpected() }
        if at("function") || at("procedure") { return .createFunction(try parseCreateFunction(orReplace: orReplace)) }
        if at("index") || at("unique") { return .createIndex(try parseCreateIndex()) }
        if accept("schema") {
            let ifNotExists = try parseIfNotExists()
            return .createSchema(CreateSchema(name: try parseName(), ifNotExists: ifNotExists))
        }
        return .createUnsupported(try parseCreateUnsupported())
    }

    private static let unsupportedObjects = [
        "extension", "trigger", "sequence", "type", "domain", "role", "user", "group", "database", "policy", "rule",
        "aggregate", "operator", "cast", "collation", "server", "publication", "subscription", "event", "statistics",
        "language", "tablespace", "foreign", "constraint", "conversion", "access", "text", "transform", "trusted",
    ]

    private mutating func parseCreateUnsupported() throws(SyntaxError) -> CreateUnsupported {
        guard at(anyOf: Self.unsupportedObjects) else { throw unexpected() }
        var words = [current.text]
        advance()
        let second = ["trigger", "table", "data", "method", "search", "class", "family", "language", "procedural"]
        while at(anyOf: second) {
            words.append(current.text)
            advance()
        }
        let ifNotExists = try parseIfNotExists()
        let name: QualifiedName? = atName(.label) ? try parseQualifiedName(.label) : nil
        // The rest belongs to a grammar that nobody here reads; it ends where the statement ends.
        while !atSymbol(";"), current.kind != .end {
            if current.kind == .failure { throw unexpected() }
            advance()
        }
        return CreateUnsupported(
            object: words.joined(separator: " ").uppercased(), name: name, ifNotExists: ifNotExists)
    }

    // MARK: - Shared clauses

    mutating func parseIfNotExists() throws(SyntaxError) -> Bool {
        guard accept("if") else { return false }
        try expect("not")
        try expect("exists")
        return true
    }

    mutating func parseIfExists() throws(SyntaxError) -> Bool {
        guard at("if"), isWord(peek(1), "exists") else { return false }
        advance()
        advance()
        return true
    }

    mutating func parseDropBehaviour() -> DropBehaviour? {
        if accept("cascade") { return .cascade }
        return accept("restrict") ? .restrict : nil
    }

    /// `WITH DATA` and `WITH NO DATA`.
    mutating func parseWithData() throws(SyntaxError) -> Bool? {
        guard accept("with") else { return nil }
        let withData = !accept("no")
        try expect("data")
        return withData
    }

    // MARK: - DROP, COMMENT, TRUNCATE

    private mutating func parseObjectKind() throws(SyntaxError) -> ObjectKind {
        if accept("materialized") {
            try expect("view")
            return .materializedView
        }
        for kind in ObjectKind.allCases where kind != .materializedView {
            if accept(kind.rawValue.lowercased()) { return kind }
        }
        throw unexpected()
    }

    private mutating func parseDrop() throws(SyntaxError) -> Drop {
        try expect("drop")
        let object = try parseObjectKind()
        if object == .column || object == .database { throw unexpected(tokens[index - 1]) }
        if object == .index, at("concurrently") { advance() }
        var drop = Drop(
            object: object, names: [], argumentTypes: [], table: nil, ifExists: try parseIfExists(), behaviour: nil)
        if object == .trigger {
            drop.names = [try parseQualifiedName()]
            try expect("on")
            drop.table = try parseQualifiedName()
        } else {
            repeat {
                drop.names.append(try parseQualifiedName())
                if object == .function || object == .procedure {
                    drop.argumentTypes.append(atSymbol("(") ? try parseArgumentTypes() : [])
                }
            } while acceptSymbol(",")
        }
        drop.behaviour = parseDropBehaviour()
        return drop
    }

    /// `(integer, name text)` in DROP FUNCTION.
    private mutating func parseArgumentTypes() throws(SyntaxError) -> [TypeName] {
        try expectSymbol("(")
        var types: [TypeName] = []
        if !atSymbol(")") {
            repeat { types.append(try parseParameter().type) } while acceptSymbol(",")
        }
        try expectSymbol(")")
        return types
    }

    private mutating func parseComment() throws(SyntaxError) -> Comment {
        try expect("comment")
        try expect("on")
        let object = try parseObjectKind()
        let name = try parseQualifiedName()
        if object == .function || object == .procedure, atSymbol("(") { _ = try parseArgumentTypes() }
        try expect("is")
        let text: String? = accept("null") ? nil : try parseString()
        return Comment(object: object, name: name, text: text)
    }

    private mutating func parseTruncate() throws(SyntaxError) -> Truncate {
        try expect("truncate")
        _ = accept("table")
        _ = accept("only")
        let tables = try parseQualifiedNames()
        var restartsIdentity = false
        if accept("restart") {
            try expect("identity")
            restartsIdentity = true
        } else if accept("continue") {
            try expect("identity")
        }
        return Truncate(tables: tables, restartsIdentity: restartsIdentity, behaviour: parseDropBehaviour())
    }
}
