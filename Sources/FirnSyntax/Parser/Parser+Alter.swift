// SPDX-License-Identifier: Apache-2.0
//
// ALTER TABLE, and what ALTER VIEW and ALTER MATERIALIZED VIEW share with it.

extension Parser {
    mutating func parseAlter() throws(SyntaxError) -> AlterTable {
        try expect("alter")
        let object: ObjectKind
        if accept("table") {
            object = .table
        } else if accept("view") {
            object = .view
        } else if accept("index") {
            object = .index
        } else if at("materialized", "view") {
            advance()
            advance()
            object = .materializedView
        } else {
            let refused = [
                "function", "procedure", "schema", "sequence", "type", "database", "role", "user", "system",
                "extension", "trigger", "policy", "default", "domain", "group",
            ]
            if refused.contains(current.text), current.kind == .word {
                throw notSupported("ALTER \(current.text.uppercased())", current.range)
            }
            throw unexpected()
        }
        let ifExists = try parseIfExists()
        _ = accept("only")
        let name = try parseQualifiedName()
        var actions = [try parseAlterAction()]
        while acceptSymbol(",") { actions.append(try parseAlterAction()) }
        return AlterTable(object: object, name: name, ifExists: ifExists, actions: actions)
    }

    private mutating func parseAlterAction() throws(SyntaxError) -> AlterTableAction {
        if accept("add") { return try parseAdd() }
        if accept("drop") { return try parseDropAction() }
        if accept("alter") { return try parseAlterColumn() }
        if accept("rename") { return try parseRename() }
        if accept("reset") { return .resetOptions(try parseOptions()) }
        try expect("set")
        if accept("schema") { return .setSchema(try parseName()) }
        return .setOptions(try parseOptions())
    }

    private mutating func parseAdd() throws(SyntaxError) -> AlterTableAction {
        if let constraint = try parseTableConstraint() { return .addConstraint(constraint) }
        _ = accept("column")
        let ifNotExists = at("if") && isWord(peek(1), "not") ? try parseIfNotExists() : false
        return .addColumn(try parseColumnDefinition(), ifNotExists: ifNotExists)
    }

    private mutating func parseDropAction() throws(SyntaxError) -> AlterTableAction {
        if accept("constraint") {
            let ifExists = try parseIfExists()
            let name = try parseName()
            return .dropConstraint(name, ifExists: ifExists, parseDropBehaviour())
        }
        _ = accept("column")
        let ifExists = try parseIfExists()
        let name = try parseName()
        return .dropColumn(name, ifExists: ifExists, parseDropBehaviour())
    }

    private mutating func parseAlterColumn() throws(SyntaxError) -> AlterTableAction {
        _ = accept("column")
        let column = try parseName()
        if accept("type") { return try parseAlterType(column) }
        if accept("set") {
            if accept("data") {
                try expect("type")
                return try parseAlterType(column)
            }
            if accept("default") { return .setDefault(column, try parseExpression()) }
            try expect("not")
            try expect("null")
            return .setNotNull(column)
        }
        try expect("drop")
        if accept("default") { return .dropDefault(column) }
        try expect("not")
        try expect("null")
        return .dropNotNull(column)
    }

    private mutating func parseAlterType(_ column: Identifier) throws(SyntaxError) -> AlterTableAction {
        let type = try parseTypeName()
        let using: Expression? = accept("using") ? try parseExpression() : nil
        return .alterType(column, type, using: using)
    }

    private mutating func parseRename() throws(SyntaxError) -> AlterTableAction {
        if accept("to") { return .renameTo(try parseName()) }
        if at("constraint") { throw notSupported("RENAME CONSTRAINT", current.range) }
        _ = accept("column")
        let column = try parseName()
        try expect("to")
        return .renameColumn(column, to: try parseName())
    }
}
