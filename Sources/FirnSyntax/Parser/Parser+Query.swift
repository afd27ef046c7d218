// SPDX-License-Identifier: Apache-2.0
//
// Queries: WITH, SELECT, VALUES, TABLE, set operations, ORDER BY and LIMIT.

extension Parser {
    /// Whether a query without leading parentheses begins here.
    var atQueryStart: Bool { isQueryStart(at: 0) }

    func isQueryStart(at count: Int) -> Bool {
        let token = peek(count)
        guard token.kind == .word else { return false }
        switch token.text {
        case "select", "with": return true
        case "values": return isSymbol(peek(count + 1), "(")
        case "table": return isName(peek(count + 1), .column)
        default: return false
        }
    }

    /// Whether what stands here goes on with a query in parentheses before it.
    var atQueryContinuation: Bool {
        guard current.kind == .word else { return false }
        switch current.text {
        case "union", "intersect", "except", "order", "limit", "offset", "fetch": return true
        default: return false
        }
    }

    mutating func parseQuery() throws(SyntaxError) -> Query {
        try enter()
        let outerHeight = height
        height = 0
        let start = start
        let with: WithClause? = at("with") ? try parseWith() : nil
        let withHeight = height
        height = 0
        let first = try parseQueryPrimary()
        let query = try parseQueryTail(with, first, start)
        height += withHeight + 1
        try checkHeight()
        height = max(outerHeight, height)
        leave()
        return query
    }

    /// A query behind its WITH, which began at `start`.
    mutating func parseQuery(behind with: WithClause, _ start: Int) throws(SyntaxError) -> Query {
        let withHeight = height
        height = 0
        let first = try parseQueryPrimary()
        let query = try parseQueryTail(with, first, start)
        height += withHeight
        try checkHeight()
        return query
    }

    /// A query whose first SELECT block is already behind the cursor.
    mutating func parseQuery(startingWith first: Select, _ start: Int) throws(SyntaxError) -> Query {
        try parseQueryTail(nil, .select(first), start)
    }

    /// A query whose first part, in parentheses, is already behind the cursor.
    mutating func parseQuery(startingWith first: Query, _ start: Int) throws(SyntaxError) -> Query {
        try parseQueryTail(nil, Self.body(of: first), start)
    }

    private mutating func parseQueryTail(
        _ with: WithClause?, _ first: QueryBody, _ start: Int
    ) throws(SyntaxError) -> Query {
        let body = try parseSetOperations(first, .union)
        var query = Query(
            with: with, body: body, orderBy: [], limit: nil, limitWithTies: false, offset: nil, range: .unknown)
        if at("order", "by") { query.orderBy = try parseOrderBy() }
        try parseLimits(&query)
        if at("for"), ["update", "no", "share", "key"].contains(peek(1).text) {
            throw notSupported(
                "FOR \(peek(1).text.uppercased())", current.range, hint: "Readers never wait for writers.")
        }
        query.range = range(from: start)
        // (SELECT 1) is SELECT 1.
        if query.with == nil, query.orderBy.isEmpty, query.limit == nil, query.offset == nil,
            case .query(let inner) = query.body
        {
            return inner
        }
        return query
    }

    // MARK: - WITH

    mutating func parseWith() throws(SyntaxError) -> WithClause {
        let start = start
        try expect("with")
        let isRecursive = accept("recursive")
        var expressions: [CommonTableExpression] = []
        var heightBefore = 0
        height = 0
        repeat {
            let name = try parseName()
            let columns = atSymbol("(") ? try parseParenthesizedNames() : []
            try expect("as")
            var isMaterialized: Bool?
            if accept("materialized") {
                isMaterialized = true
            } else if accept("not") {
                try expect("materialized")
                isMaterialized = false
            }
            try expectSymbol("(")
            height = 0
            if at(anyOf: ["insert", "update", "delete"]) {
                throw notSupported("\(current.text.uppercased()) in WITH", current.range)
            }
            let query = try parseQuery()
            try expectSymbol(")")
            expressions.append(
                CommonTableExpression(name: name, columns: columns, isMaterialized: isMaterialized, query: query))
            // Each may select from the one before it.
            height += heightBefore
            try checkHeight()
            heightBefore = height
        } while acceptSymbol(",")
        return WithClause(isRecursive: isRecursive, expressions: expressions, range: range(from: start))
    }

    // MARK: - Set operations

    /// UNION and EXCEPT from left to right; INTERSECT binds tighter.
    private mutating func parseSetOperations(
        _ first: QueryBody, _ weakest: SetOperator
    ) throws(SyntaxError) -> QueryBody {
        var left = first
        while let found = setOperator, weakest != .intersect || found == .intersect {
            advance()
            let isAll = accept("all")
            if !isAll { _ = accept("distinct") }
            var right = try parseQueryPrimary()
            if found != .intersect { right = try parseSetOperations(right, .intersect) }
            left = .setOperation(found, isAll: isAll, left: left, right: right)
            try grow()
        }
        return left
    }

    private var setOperator: SetOperator? {
        guard current.kind == .word else { return nil }
        switch current.text {
        case "union": return .union
        case "intersect": return .intersect
        case "except": return .except
        default: return nil
        }
    }

    private mutating func parseQueryPrimary() throws(SyntaxError) -> QueryBody {
        if at("select") { return .select(try parseSelect()) }
        if accept("values") { return .values(try parseValuesRows()) }
        if accept("table") { return .table(try parseQualifiedName()) }
        guard acceptSymbol("(") else { throw unexpected() }
        let query = try parseQuery()
        try expectSymbol(")")
        return Self.body(of: query)
    }

    /// A query in parentheses as a body: the parentheses vanish around a plain SELECT, VALUES or TABLE.
    private static func body(of query: Query) -> QueryBody {
        guard query.with == nil, query.orderBy.isEmpty, query.limit == nil, query.offset == nil else {
            return .query(query)
        }
        if case .setOperation = query.body { return .query(query) }
        return query.body
    }

    private mutating func parseValuesRows() throws(SyntaxError) -> [ValuesRow] {
        var rows: [ValuesRow] = []
        repeat {
            let start = start
            try expectSymbol("(")
            var values = [try parseValueOrDefault()]
            while acceptSymbol(",") { values.append(try parseValueOrDefault()) }
            try expectSymbol(")")
            rows.append(ValuesRow(values: values, range: range(from: start)))
        } while acceptSymbol(",")
        return rows
    }

    /// An expression, or DEFAULT, which the binder refuses outside INSERT and UPDATE.
    mutating func parseValueOrDefault() throws(SyntaxError) -> Expression {
        let range = current.range
        if accept("default") { return Expression(.default, range: range) }
        return try parseExpression()
    }

    // MARK: - SELECT

    private mutating func parseSelect() throws(SyntaxError) -> Select {
        try expect("select")
        return try parseSelectBehindKeyword(from: tokens[index - 1].start)
    }

    /// A SELECT block whose keyword, SELECT or PERFORM, began at `start`.
    mutating func parseSelectBehindKeyword(from start: Int) throws(SyntaxError) -> Select {
        var select = Select(
            distinct: nil, items: [], from: [], filter: nil, groupBy: nil, having: nil, windows: [], qualify: nil,
            range: .unknown)
        let outerHeight = height
        height = 0
        if accept("distinct") {
            select.distinct = .all
            if accept("on") {
                try expectSymbol("(")
                select.distinct = .on(try parseExpressions())
                try expectSymbol(")")
            }
        } else {
            _ = accept("all")
        }
        // Only a plain SELECT may have an empty list.
        if select.distinct != nil || !at("from") { select.items = try parseSelectItems() }
        if at("into") {
            throw notSupported("SELECT INTO", current.range, hint: "Use CREATE TABLE name AS SELECT ...")
        }
        let itemsHeight = height
        height = 0
        if accept("from") { select.from = try parseFrom() }
        let fromHeight = height
        height = itemsHeight
        if accept("where") { select.filter = try parseExpression() }
        if at("group", "by") { select.groupBy = try parseGroupBy() }
        if accept("having") { select.having = try parseExpression() }
        if accept("window") { select.windows = try parseNamedWindows() }
        if accept("qualify") { select.qualify = try parseExpression() }
        if select.windows.isEmpty, accept("window") { select.windows = try parseNamedWindows() }
        height += fromHeight
        try checkHeight()
        height = max(outerHeight, height)
        select.range = range(from: start)
        return select
    }

    mutating func parseSelectItems() throws(SyntaxError) -> [SelectItem] {
        var items = [try parseSelectItem()]
        while acceptSymbol(",") { items.append(try parseSelectItem()) }
        return items
    }

    private mutating func parseSelectItem() throws(SyntaxError) -> SelectItem {
        let range = current.range
        if acceptOperator("*") {
            return SelectItem(expression: Expression(.star(qualifier: nil), range: range), alias: nil)
        }
        let expression = try parseExpression()
        if case .star = expression.kind { return SelectItem(expression: expression, alias: nil) }
        if accept("as") { return SelectItem(expression: expression, alias: try parseName(.label)) }
        let alias: Identifier? = atBareLabel ? try takeIdentifier() : nil
        return SelectItem(expression: expression, alias: alias)
    }

    /// Whether a column label may stand here without AS: any name, and every keyword but those that gram.y marks
    /// AS_LABEL, since they begin a clause or continue an expression, and our own QUALIFY.
    private var atBareLabel: Bool {
        switch current.kind {
        case .quotedIdentifier, .unicodeIdentifier: return true
        case .word:
            return KeywordList.keywordClass(of: current.text) == nil || !Self.asLabels.contains(current.text)
        default: return false
        }
    }

    /// PostgreSQL 15: SELECT word FROM pg_get_keywords() WHERE NOT barelabel; without the fields of intervals, which
    /// stand in no place of ours where they could be meant.
    private static let asLabels: Set<String> = [
        "array", "as", "char", "character", "create", "except", "fetch", "filter", "for", "from", "grant", "group",
        "having", "intersect", "into", "isnull", "limit", "notnull", "offset", "on", "order", "over", "overlaps",
        "precision", "qualify", "returning", "to", "union", "varying", "where", "window", "with", "within", "without",
    ]

    private mutating func parseNamedWindows() throws(SyntaxError) -> [NamedWindow] {
        var windows: [NamedWindow] = []
        repeat {
            let name = try parseName()
            try expect("as")
            windows.append(NamedWindow(name: name, specification: try parseWindow()))
        } while acceptSymbol(",")
        return windows
    }

    // MARK: - GROUP BY

    private mutating func parseGroupBy() throws(SyntaxError) -> GroupByClause {
        let start = start
        try expect("group")
        try expect("by")
        var clause = GroupByClause(isAll: false, isDistinct: false, elements: [], range: .unknown)
        if at("all"), !isGroupingContinued(behind: 1) {
            advance()
            clause.isAll = true
        } else {
            clause.isDistinct = accept("distinct")
            if !clause.isDistinct { _ = accept("all") }
            clause.elements = try parseGroupingElements()
        }
        clause.range = range(from: start)
        return clause
    }

    /// Whether elements follow `ALL`, which then is only the opposite of DISTINCT.
    private func isGroupingContinued(behind count: Int) -> Bool {
        let token = peek(count)
        switch token.kind {
        case .end: return false
        case .symbol: return token.text == "("
        case .word: return KeywordList.keywordClass(of: token.text) != .reserved && token.text != "qualify"
        default: return true
        }
    }

    private mutating func parseGroupingElements() throws(SyntaxError) -> [GroupingElement] {
        var elements = [try parseGroupingElement()]
        while acceptSymbol(",") { elements.append(try parseGroupingElement()) }
        return elements
    }

    private mutating func parseGroupingElement() throws(SyntaxError) -> GroupingElement {
        if atSymbol("("), isSymbol(peek(1), ")") {
            advance()
            advance()
            return .empty
        }
        if isSymbol(peek(1), "("), at("rollup") || at("cube") {
            let isRollup = current.text == "rollup"
            advance()
            try expectSymbol("(")
            let expressions = try parseExpressions()
            try expectSymbol(")")
            return isRollup ? .rollup(expressions) : .cube(expressions)
        }
        if accept("grouping", "sets") {
            try enter()
            try expectSymbol("(")
            let elements = try parseGroupingElements()
            try expectSymbol(")")
            leave()
            return .sets(elements)
        }
        return .expression(try parseExpression())
    }

    // MARK: - LIMIT

    private mutating func parseLimits(_ query: inout Query) throws(SyntaxError) {
        var hasLimit = false
        var hasOffset = false
        while true {
            if !hasLimit, accept("limit") {
                hasLimit = true
                if !accept("all") { query.limit = try parseExpression() }
                if atSymbol(",") {
                    throw SyntaxError(
                        message: "LIMIT #,# syntax is not supported", range: current.range,
                        hint: "Use separate LIMIT and OFFSET clauses.")
                }
            } else if !hasLimit, accept("fetch") {
                hasLimit = true
                if !accept("first") { try expect("next") }
                if at("row") || at("rows") {
                    query.limit = Expression(.integer("1"), range: current.range)
                } else {
                    query.limit = try parseExpression()
                }
                if !accept("row") { try expect("rows") }
                if accept("with") {
                    try expect("ties")
                    query.limitWithTies = true
                } else {
                    try expect("only")
                }
            } else if !hasOffset, accept("offset") {
                hasOffset = true
                query.offset = try parseExpression()
                if !accept("row") { _ = accept("rows") }
            } else {
                return
            }
        }
    }
}
