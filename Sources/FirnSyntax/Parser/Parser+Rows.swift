// SPDX-License-Identifier: Apache-2.0
//
// INSERT, UPDATE, DELETE.

extension Parser {
    mutating func parseInsert(_ with: WithClause?) throws(SyntaxError) -> Insert {
        try expect("insert")
        try expect("into")
        let table = try parseQualifiedName()
        let alias: Identifier? = accept("as") ? try parseName() : nil
        var insert = Insert(
            with: with, table: table, alias: alias, columns: [], source: .defaultValues, onConflict: nil,
            returning: [])
        if atSymbol("("), !isQueryStart(at: 1), !isSymbol(peek(1), "(") {
            insert.columns = try parseParenthesizedNames()
        }
        if accept("overriding") {
            throw notSupported("OVERRIDING", tokens[index - 1].range)
        }
        if at("default", "values") {
            advance()
            advance()
        } else {
            guard atQueryStart || atSymbol("(") || at(anyOf: ["select", "values", "with"]) else { throw unexpected() }
            insert.source = .query(try parseQuery())
        }
        if at("on", "conflict") { insert.onConflict = try parseConflict() }
        insert.returning = try parseReturning()
        return insert
    }

    private mutating func parseReturning() throws(SyntaxError) -> [SelectItem] {
        accept("returning") ? try parseSelectItems() : []
    }

    private mutating func parseConflict() throws(SyntaxError) -> ConflictClause {
        let start = start
        try expect("on")
        try expect("conflict")
        var target: ConflictTarget?
        if atSymbol("(") {
            let elements = try parseIndexElements()
            target = .columns(elements, filter: accept("where") ? try parseExpression() : nil)
        } else if accept("on") {
            try expect("constraint")
            target = .constraint(try parseName())
        }
        try expect("do")
        if accept("nothing") {
            return ConflictClause(target: target, action: .doNothing, range: range(from: start))
        }
        try expect("update")
        try expect("set")
        let assignments = try parseAssignments()
        let filter: Expression? = accept("where") ? try parseExpression() : nil
        if target == nil {
            throw SyntaxError(
                message: "ON CONFLICT DO UPDATE requires inference specification or constraint name",
                range: range(from: start), hint: "For example, ON CONFLICT (column_name).")
        }
        return ConflictClause(
            target: target, action: .doUpdate(assignments, filter: filter), range: range(from: start))
    }

    private mutating func parseAssignments() throws(SyntaxError) -> [Assignment] {
        var assignments: [Assignment] = []
        repeat {
            let targets: [Identifier] = atSymbol("(") ? try parseParenthesizedNames() : [try parseName()]
            guard acceptOperator("=") else { throw unexpected() }
            assignments.append(Assignment(targets: targets, value: try parseValueOrDefault()))
        } while acceptSymbol(",")
        return assignments
    }

    mutating func parseUpdate(_ with: WithClause?) throws(SyntaxError) -> Update {
        try expect("update")
        _ = accept("only")
        let table = try parseQualifiedName()
        let alias = try parseTargetAlias(before: "set")
        try expect("set")
        let assignments = try parseAssignments()
        let from: [FromItem] = accept("from") ? try parseFrom() : []
        let filter: Expression? = accept("where") ? try parseExpression() : nil
        return Update(
            with: with, table: table, alias: alias, assignments: assignments, from: from, filter: filter,
            returning: try parseReturning())
    }

    mutating func parseDelete(_ with: WithClause?) throws(SyntaxError) -> Delete {
        try expect("delete")
        try expect("from")
        _ = accept("only")
        let table = try parseQualifiedName()
        let alias = try parseTargetAlias(before: "using")
        let using: [FromItem] = accept("using") ? try parseFrom() : []
        let filter: Expression? = accept("where") ? try parseExpression() : nil
        return Delete(
            with: with, table: table, alias: alias, using: using, filter: filter, returning: try parseReturning())
    }

    private mutating func parseTargetAlias(before word: String) throws(SyntaxError) -> Identifier? {
        if accept("as") { return try parseName() }
        guard !at(word), !isWord(current, "set"), atName() else { return nil }
        return try takeIdentifier()
    }
}
