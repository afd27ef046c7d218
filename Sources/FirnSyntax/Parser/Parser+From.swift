// SPDX-License-Identifier: Apache-2.0
//
// FROM: tables, subqueries, functions and joins.

/// What a pair of parentheses in FROM holds.
private enum FromParenthesis {
    case query(Query)
    case item(FromItem)
}

extension Parser {
    /// The comma list behind FROM.
    mutating func parseFrom() throws(SyntaxError) -> [FromItem] {
        var items = [try parseFromItem()]
        while acceptSymbol(",") { items.append(try parseFromItem()) }
        return items
    }

    /// A table or whatever stands for one, with all the joins behind it.
    private mutating func parseFromItem() throws(SyntaxError) -> FromItem {
        try enter()
        let outerHeight = height
        height = 0
        let start = start
        let item = try parseJoins(try parseFromPrimary(), start)
        try grow()
        height = max(outerHeight, height)
        leave()
        return item
    }

    // MARK: - Joins

    private mutating func parseJoins(_ first: FromItem, _ start: Int) throws(SyntaxError) -> FromItem {
        var left = first
        while let joined = try parseJoin(left, start) {
            left = joined
            try grow()
        }
        return left
    }

    /// Whether a join of two items begins here.
    private mutating func atJoin() -> Bool {
        if at(anyOf: ["join", "inner", "left", "right", "full", "cross", "natural"]) { return true }
        return at("asof") && ["join", "left", "inner", "right", "full"].contains(peek(1).text)
    }

    private mutating func parseJoin(_ left: FromItem, _ start: Int) throws(SyntaxError) -> FromItem? {
        guard atJoin() else { return nil }
        let isNatural = accept("natural")
        var isAsOf = accept("asof")
        var kind = JoinKind.inner
        if accept("left") {
            kind = .left
        } else if accept("right") {
            kind = .right
        } else if accept("full") {
            kind = .full
        } else if !isNatural, !isAsOf, accept("cross") {
            kind = .cross
        } else {
            _ = accept("inner")
        }
        if kind == .left || kind == .right || kind == .full { _ = accept("outer") }
        if !isAsOf, kind != .cross { isAsOf = accept("asof") }
        try expect("join")
        let rightStart = self.start
        var right = try parseFromPrimary()
        var join = Join(kind: kind, isAsOf: isAsOf, left: left, right: right, condition: nil, tolerance: nil)
        if isNatural {
            join.condition = .natural
        } else if kind != .cross {
            // a JOIN b JOIN c ON ... ON ...: the inner join comes first.
            while atJoin() {
                try enter()
                guard let nested = try parseJoin(right, rightStart) else { break }
                leave()
                right = nested
            }
            join.right = right
            join.condition = try parseJoinCondition()
            if join.condition == nil, !isAsOf { throw unexpected() }
        }
        if isAsOf, accept("tolerance") { join.tolerance = try parseExpression() }
        return FromItem(kind: .join(join), alias: nil, range: range(from: start))
    }

    private mutating func parseJoinCondition() throws(SyntaxError) -> JoinCondition? {
        if accept("on") { return .on(try parseExpression()) }
        if accept("using") { return .using(try parseParenthesizedNames()) }
        return nil
    }

    // MARK: - Items

    private mutating func parseFromPrimary() throws(SyntaxError) -> FromItem {
        let start = start
        if atSymbol("(") {
            switch try parseFromParenthesis() {
            case .query(let query): return try derivedTable(query, isLateral: false, start)
            case .item(var item):
                if let alias = try parseTableAlias() {
                    throw notSupported("an alias of a join in parentheses", alias.name.range)
                }
                item.range = range(from: start)
                return item
            }
        }
        if accept("lateral") {
            if atSymbol("(") {
                guard case .query(let query) = try parseFromParenthesis() else { throw unexpected() }
                return try derivedTable(query, isLateral: true, start)
            }
            let name = try parseFunctionName()
            return try parseTableFunction(name, isLateral: true, start)
        }
        if atName(.function), !atName(.column), isSymbol(peek(1), "(") {
            return try parseTableFunction(try parseFunctionName(), isLateral: false, start)
        }
        _ = accept("only")
        let name = try parseQualifiedName()
        if atSymbol("(") { return try parseTableFunction(name, isLateral: false, start) }
        _ = acceptOperator("*")
        if at("tablesample") { throw notSupported("TABLESAMPLE", current.range) }
        let alias = try parseTableAlias()
        return FromItem(kind: .table(name), alias: alias, range: range(from: start))
    }

    private mutating func parseFunctionName() throws(SyntaxError) -> QualifiedName {
        guard atName(.column) || atName(.function) else { throw unexpected() }
        var parts = [try takeIdentifier()]
        while acceptSymbol(".") { parts.append(try parseName(.label)) }
        return QualifiedName(parts)
    }

    private mutating func derivedTable(
        _ query: Query, isLateral: Bool, _ start: Int
    ) throws(SyntaxError) -> FromItem {
        let alias = try parseTableAlias()
        return FromItem(kind: .query(query, isLateral: isLateral), alias: alias, range: range(from: start))
    }

    /// `(SELECT ...)`, `(a JOIN b ON ...)`, and any nesting of the two; decided behind the inner pair.
    private mutating func parseFromParenthesis() throws(SyntaxError) -> FromParenthesis {
        try enter()
        let outerHeight = height
        height = 0
        let content = try parseFromParenthesisContent()
        height = max(outerHeight, height + 1)
        leave()
        return content
    }

    private mutating func parseFromParenthesisContent() throws(SyntaxError) -> FromParenthesis {
        try expectSymbol("(")
        let start = start
        if atQueryStart {
            let query = try parseQuery()
            try expectSymbol(")")
            return .query(query)
        }
        var item: FromItem
        if atSymbol("(") {
            switch try parseFromParenthesis() {
            case .query(let query):
                if acceptSymbol(")") { return .query(query) }
                if atQueryContinuation {
                    let whole = try parseQuery(startingWith: query, start)
                    try expectSymbol(")")
                    return .query(whole)
                }
                item = try derivedTable(query, isLateral: false, start)
            case .item(let inner): item = inner
            }
        } else {
            item = try parseFromPrimary()
        }
        item = try parseJoins(item, start)
        try expectSymbol(")")
        return .item(item)
    }

    // MARK: - Functions and aliases

    private mutating func parseTableFunction(
        _ name: QualifiedName, isLateral: Bool, _ start: Int
    ) throws(SyntaxError) -> FromItem {
        let call = try parseArguments(FunctionCall(name: name, arguments: []))
        var function = TableFunction(call: call, isLateral: isLateral, withOrdinality: false, columnDefinitions: [])
        if at("with", "ordinality") {
            advance()
            advance()
            function.withOrdinality = true
        }
        var alias: TableAlias?
        if at("as"), isSymbol(peek(1), "(") {
            advance()
            function.columnDefinitions = try parseColumnDefinitions()
        } else if let aliasName = try parseAliasName() {
            alias = TableAlias(name: aliasName)
            if atSymbol("(") {
                if isSymbol(peek(2), ",") || isSymbol(peek(2), ")") {
                    alias?.columns = try parseParenthesizedNames()
                } else {
                    function.columnDefinitions = try parseColumnDefinitions()
                }
            }
        }
        return FromItem(kind: .function(function), alias: alias, range: range(from: start))
    }

    /// `(a integer, b text)`.
    private mutating func parseColumnDefinitions() throws(SyntaxError) -> [FunctionParameter] {
        try expectSymbol("(")
        var columns: [FunctionParameter] = []
        repeat {
            let name = try parseName()
            columns.append(
                FunctionParameter(mode: .input, name: name, type: try parseTypeName(), defaultValue: nil))
        } while acceptSymbol(",")
        try expectSymbol(")")
        return columns
    }

    /// `[AS] name [(columns)]`.
    mutating func parseTableAlias() throws(SyntaxError) -> TableAlias? {
        guard let name = try parseAliasName() else { return nil }
        return TableAlias(name: name, columns: atSymbol("(") ? try parseParenthesizedNames() : [])
    }

    private mutating func parseAliasName() throws(SyntaxError) -> Identifier? {
        if accept("as") { return try parseName() }
        guard atName(), !isWord(current, "qualify"), !atJoin() else { return nil }
        return try takeIdentifier()
    }
}
