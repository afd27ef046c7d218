// SPDX-License-Identifier: Apache-2.0
//
// CREATE TABLE, CREATE TABLE AS, CREATE INDEX, and the column definitions that ALTER TABLE shares.

extension Parser {
    /// Behind `CREATE [modifiers] TABLE`.
    mutating func parseCreateTable(
        isTemporary: Bool, isUnlogged: Bool, replaceRange: SourceRange?
    ) throws(SyntaxError) -> Statement.Kind {
        let ifNotExists = try parseIfNotExists()
        let name = try parseQualifiedName()
        if !atSymbol("(") || isColumnNameList {
            let columns: [Identifier] = atSymbol("(") ? try parseParenthesizedNames() : []
            let options = try parseStorageOptions()
            try expect("as")
            let query = try parseQuery()
            return .createTableAs(
                CreateTableAs(
                    name: name, columns: columns, ifNotExists: ifNotExists, orReplace: replaceRange != nil,
                    isTemporary: isTemporary, options: options, query: query,
                    withData: try parseWithData() ?? true))
        }
        if let replaceRange { throw notSupported("OR REPLACE without AS", replaceRange) }
        var table = CreateTable(
            name: name, ifNotExists: ifNotExists, isTemporary: isTemporary, isUnlogged: isUnlogged, columns: [],
            constraints: [], likes: [], options: [])
        try expectSymbol("(")
        if !atSymbol(")") {
            repeat { try parseTableElement(into: &table) } while acceptSymbol(",")
        }
        try expectSymbol(")")
        if at("inherits") { throw notSupported("INHERITS", current.range) }
        if at("partition") {
            throw notSupported(
                "PARTITION BY", current.range, hint: "Tables are chunked by time: see create_hypertable.")
        }
        table.options = try parseStorageOptions()
        return .createTable(table)
    }

    /// `(a, b)` without types, which only CREATE TABLE AS has.
    private var isColumnNameList: Bool {
        isName(peek(1), .column) && (isSymbol(peek(2), ",") || isSymbol(peek(2), ")"))
    }

    /// `WITH (...)`, `WITHOUT OIDS`.
    private mutating func parseStorageOptions() throws(SyntaxError) -> [Option] {
        if at("with"), isSymbol(peek(1), "(") {
            advance()
            return try parseOptions()
        }
        if at("without", "oids") {
            advance()
            advance()
        }
        return []
    }

    // MARK: - Elements

    private mutating func parseTableElement(into table: inout CreateTable) throws(SyntaxError) {
        if accept("like") {
            table.likes.append(try parseQualifiedName())
            while accept("including") || accept("excluding") { _ = try parseName(.label) }
        } else if let constraint = try parseTableConstraint() {
            table.constraints.append(constraint)
        } else {
            table.columns.append(try parseColumnDefinition())
        }
    }

    mutating func parseColumnDefinition() throws(SyntaxError) -> ColumnDefinition {
        let start = start
        let name = try parseName()
        let type = try parseTypeName()
        var constraints: [ColumnConstraint] = []
        while let constraint = try parseColumnConstraint() { constraints.append(constraint) }
        return ColumnDefinition(name: name, type: type, constraints: constraints, range: range(from: start))
    }

    private mutating func parseColumnConstraint() throws(SyntaxError) -> ColumnConstraint? {
        let start = start
        let name: Identifier? = accept("constraint") ? try parseName() : nil
        guard let kind = try parseColumnConstraintKind() else {
            if name != nil { throw unexpected() }
            return nil
        }
        try skipConstraintAttributes()
        return ColumnConstraint(name: name, kind: kind, range: range(from: start))
    }

    private mutating func parseColumnConstraintKind() throws(SyntaxError) -> ColumnConstraint.Kind? {
        if at("not"), isWord(peek(1), "null") {
            advance()
            advance()
            return .notNull
        }
        if accept("null") { return .null }
        // A default stops before IS, NOT and AND, so that NOT NULL may follow it.
        if accept("default") { return .default(try parseExpression(.comparison)) }
        if accept("primary") {
            try expect("key")
            _ = try parseIndexParameters()
            return .primaryKey
        }
        if accept("unique") {
            _ = try parseIndexParameters()
            return .unique
        }
        if accept("check") { return .check(try parseParenthesizedExpression()) }
        if accept("references") { return .references(try parseForeignKeyTarget()) }
        if accept("collate") { return .collate(try parseQualifiedName()) }
        if accept("generated") { return try parseGenerated() }
        return nil
    }

    private mutating func parseGenerated() throws(SyntaxError) -> ColumnConstraint.Kind {
        let isAlways = accept("always")
        if !isAlways {
            try expect("by")
            try expect("default")
        }
        try expect("as")
        if accept("identity") {
            if atSymbol("(") { try skipParentheses() }
            return .identity(isAlways: isAlways)
        }
        let expression = try parseParenthesizedExpression()
        let isStored = accept("stored")
        return .generated(expression, isStored: isStored)
    }

    /// Skips a balanced pair of parentheses, such as sequence options.
    private mutating func skipParentheses() throws(SyntaxError) {
        var depth = 0
        repeat {
            if atSymbol("(") { depth += 1 }
            if atSymbol(")") { depth -= 1 }
            if current.kind == .end || current.kind == .failure { throw unexpected() }
            advance()
        } while depth > 0
    }

    private mutating func parseForeignKeyTarget() throws(SyntaxError) -> ForeignKeyTarget {
        let table = try parseQualifiedName()
        var target = ForeignKeyTarget(
            table: table, columns: atSymbol("(") ? try parseParenthesizedNames() : [], actions: [])
        while at("on") || at("match") {
            var words = [current.text]
            advance()
            while at(anyOf: [
                "delete", "update", "no", "action", "restrict", "cascade", "set", "null", "default",
                "full", "partial", "simple",
            ]) {
                words.append(current.text)
                advance()
            }
            target.actions.append(words.joined(separator: " ").uppercased())
        }
        return target
    }

    /// `DEFERRABLE`, `NOT DEFERRABLE`, `INITIALLY IMMEDIATE`: accepted, since keys are checked at once anyway.
    private mutating func skipConstraintAttributes() throws(SyntaxError) {
        while true {
            if at("not"), isWord(peek(1), "deferrable") {
                advance()
                advance()
            } else if at("initially") {
                advance()
                if at("deferred") { throw notSupported("INITIALLY DEFERRED", current.range) }
                try expect("immediate")
            } else if !accept("deferrable") {
                return
            }
        }
    }

    /// `INCLUDE (...)`, `WITH (...)`, `USING INDEX TABLESPACE` behind a key.
    private mutating func parseIndexParameters() throws(SyntaxError) -> [Option] {
        if at("include"), isSymbol(peek(1), "(") {
            advance()
            _ = try parseParenthesizedNames()
        }
        guard at("with"), isSymbol(peek(1), "(") else { return [] }
        advance()
        return try parseOptions()
    }

    /// `[CONSTRAINT name] PRIMARY KEY (a, b)`; nil when a column begins here.
    mutating func parseTableConstraint() throws(SyntaxError) -> TableConstraint? {
        let start = start
        let name: Identifier? = accept("constraint") ? try parseName() : nil
        let kind: TableConstraint.Kind
        if accept("primary") {
            try expect("key")
            kind = .primaryKey(try parseParenthesizedNames())
            _ = try parseIndexParameters()
        } else if accept("unique") {
            kind = .unique(try parseParenthesizedNames())
            _ = try parseIndexParameters()
        } else if accept("check") {
            kind = .check(try parseParenthesizedExpression())
        } else if accept("foreign") {
            try expect("key")
            let columns = try parseParenthesizedNames()
            try expect("references")
            kind = .foreignKey(columns, try parseForeignKeyTarget())
        } else {
            if name != nil { throw unexpected() }
            return nil
        }
        try skipConstraintAttributes()
        return TableConstraint(name: name, kind: kind, range: range(from: start))
    }

    // MARK: - CREATE INDEX

    mutating func parseCreateIndex() throws(SyntaxError) -> CreateIndex {
        let isUnique = accept("unique")
        try expect("index")
        let isConcurrent = accept("concurrently")
        let ifNotExists = try parseIfNotExists()
        let name: QualifiedName? = !ifNotExists && at("on") ? nil : try parseQualifiedName()
        try expect("on")
        _ = accept("only")
        let table = try parseQualifiedName()
        let method: Identifier? = accept("using") ? try parseName() : nil
        var create = CreateIndex(
            name: name, table: table, isUnique: isUnique, isConcurrent: isConcurrent, ifNotExists: ifNotExists,
            method: method, elements: try parseIndexElements(), including: [], options: [], filter: nil)
        if accept("include") { create.including = try parseParenthesizedNames() }
        if at("with"), isSymbol(peek(1), "(") {
            advance()
            create.options = try parseOptions()
        }
        if accept("where") { create.filter = try parseExpression() }
        return create
    }

    /// `(a DESC NULLS LAST, lower(b) text_ops)`.
    mutating func parseIndexElements() throws(SyntaxError) -> [IndexElement] {
        try expectSymbol("(")
        var elements: [IndexElement] = []
        repeat {
            let expression = try parseExpression(.collate)
            var element = IndexElement(expression: expression, operatorClass: nil, direction: nil, nulls: nil)
            if atName(), !at("nulls") { element.operatorClass = try parseQualifiedName() }
            element.direction = parseDirection()
            element.nulls = try parseNullsOrder()
            elements.append(element)
        } while acceptSymbol(",")
        try expectSymbol(")")
        return elements
    }
}
