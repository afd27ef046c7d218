// SPDX-License-Identifier: Apache-2.0
//
// The query tree: SELECT, VALUES, set operations, and what may stand in FROM.

/// A whole query: WITH, a body, ORDER BY, LIMIT, OFFSET.
public struct Query: Hashable, Sendable {
    /// The WITH clause before it.
    public var with: WithClause?
    /// What yields the rows.
    public var body: QueryBody
    /// ORDER BY; empty without it.
    public var orderBy: [OrderItem]
    /// `LIMIT e` or `FETCH FIRST e ROWS`; nil without a limit and for `LIMIT ALL`.
    public var limit: Expression?
    /// `FETCH FIRST e ROWS WITH TIES`.
    public var limitWithTies: Bool
    /// `OFFSET e`, nil without it.
    public var offset: Expression?
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// `WITH a AS (...), b AS (...)`.
public struct WithClause: Hashable, Sendable {
    /// `RECURSIVE`.
    public var isRecursive: Bool
    /// The expressions in the order written.
    public var expressions: [CommonTableExpression]
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// `name (columns) AS [NOT MATERIALIZED] (query)`.
public struct CommonTableExpression: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// The column names that were listed; empty without a list.
    public var columns: [Identifier]
    /// true for MATERIALIZED, false for NOT MATERIALIZED, nil when neither was written.
    public var isMaterialized: Bool?
    /// The query.
    public var query: Query
}

/// What yields a query's rows before it orders and limits them.
public indirect enum QueryBody: Hashable, Sendable {
    case select(Select)
    /// `VALUES (1, 2), (3, 4)`.
    case values([ValuesRow])
    case setOperation(SetOperator, isAll: Bool, left: QueryBody, right: QueryBody)
    /// A query in parentheses, with its own WITH, ORDER BY or LIMIT.
    case query(Query)
    /// `TABLE name`.
    case table(QualifiedName)
}

/// One row of VALUES.
public struct ValuesRow: Hashable, Sendable {
    /// The values, one a column.
    public var values: [Expression]
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// How two queries combine.
public enum SetOperator: String, Hashable, Sendable {
    case union = "UNION"
    case intersect = "INTERSECT"
    case except = "EXCEPT"
}

/// One SELECT block.
public struct Select: Hashable, Sendable {
    /// DISTINCT, nil without it.
    public var distinct: DistinctClause?
    /// The select list; empty in `SELECT FROM t`.
    public var items: [SelectItem]
    /// The comma list of FROM; empty without FROM.
    public var from: [FromItem]
    /// The condition of WHERE, nil without one.
    public var filter: Expression?
    /// GROUP BY, nil without it.
    public var groupBy: GroupByClause?
    /// The condition of HAVING.
    public var having: Expression?
    /// The WINDOW clause; empty without it.
    public var windows: [NamedWindow]
    /// DuckDB's `QUALIFY condition`, a filter over window functions.
    public var qualify: Expression?
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// `DISTINCT` or `DISTINCT ON (...)`.
public enum DistinctClause: Hashable, Sendable {
    case all
    case on([Expression])
}

/// One item of the select list or of RETURNING; a star is an expression of kind `.star`.
public struct SelectItem: Hashable, Sendable {
    /// The expression.
    public var expression: Expression
    /// The name that stands in for it; nil without one.
    public var alias: Identifier?

    /// The name of the output column, by PostgreSQL's rule. A star has none of its own.
    public var outputName: String { alias?.name ?? expression.impliedName }
}

/// `GROUP BY ...`.
public struct GroupByClause: Hashable, Sendable {
    /// `GROUP BY ALL`: every item of the select list without an aggregate. `elements` is then empty.
    public var isAll: Bool
    /// `GROUP BY DISTINCT`.
    public var isDistinct: Bool
    /// The elements in the order written.
    public var elements: [GroupingElement]
    /// Where it stands.
    @NotCompared public var range: SourceRange
}

/// One element of GROUP BY. Ordinals are integer constants, aliases are column references, and a list in
/// parentheses such as `(a, b)` is an expression of kind `.row`.
public indirect enum GroupingElement: Hashable, Sendable {
    case expression(Expression)
    /// `()`.
    case empty
    case rollup([Expression])
    case cube([Expression])
    case sets([GroupingElement])
}

/// `e ASC NULLS LAST`.
public struct OrderItem: Hashable, Sendable {
    /// The expression.
    public var expression: Expression
    /// `ASC` (the default) or `DESC`.
    public var direction: SortDirection
    /// nil stands for the default: nulls last when ascending, first when descending.
    public var nulls: NullsOrder?

    /// Makes one from its parts.
    public init(expression: Expression, direction: SortDirection = .ascending, nulls: NullsOrder? = nil) {
        self.expression = expression
        self.direction = direction
        self.nulls = nulls
    }

    /// Whether nulls come first, the default applied.
    public var putsNullsFirst: Bool { nulls.map { $0 == .first } ?? (direction == .descending) }
}

/// Ascending or descending.
public enum SortDirection: String, Hashable, Sendable {
    case ascending = "ASC"
    case descending = "DESC"
}

/// Where nulls go in an order.
public enum NullsOrder: String, Hashable, Sendable {
    case first = "NULLS FIRST"
    case last = "NULLS LAST"
}

/// One item of FROM.
public struct FromItem: Hashable, Sendable {
    /// What it is.
    public var kind: Kind
    /// The name that stands in for it; nil without one.
    public var alias: TableAlias?
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// The kinds.
    public indirect enum Kind: Hashable, Sendable {
        case table(QualifiedName)
        case query(Query, isLateral: Bool)
        case function(TableFunction)
        case join(Join)
    }
}

/// `AS name (columns)`.
public struct TableAlias: Hashable, Sendable {
    /// The name, as written.
    public var name: Identifier
    /// The column names that were listed; empty without a list.
    public var columns: [Identifier]

    /// Makes one from its parts.
    public init(name: Identifier, columns: [Identifier] = []) {
        self.name = name
        self.columns = columns
    }
}

/// A function that stands for a table.
public struct TableFunction: Hashable, Sendable {
    /// The call.
    public var call: FunctionCall
    /// `LATERAL`.
    public var isLateral: Bool
    /// `WITH ORDINALITY`.
    public var withOrdinality: Bool
    /// `AS (name type, ...)`.
    public var columnDefinitions: [FunctionParameter]
}

/// Two items of FROM, joined.
public struct Join: Hashable, Sendable {
    /// What it is.
    public var kind: JoinKind
    /// `ASOF`: each left row meets the last right row that satisfies the inequality.
    public var isAsOf: Bool
    /// The item before JOIN.
    public var left: FromItem
    /// The item behind JOIN.
    public var right: FromItem
    /// nil for CROSS JOIN.
    public var condition: JoinCondition?
    /// ASOF's `TOLERANCE e`.
    public var tolerance: Expression?
}

/// Which rows without a match a join keeps.
public enum JoinKind: String, Hashable, Sendable {
    case inner = "INNER"
    case left = "LEFT"
    case right = "RIGHT"
    case full = "FULL"
    case cross = "CROSS"
}

/// How the rows of a join match.
public enum JoinCondition: Hashable, Sendable {
    case on(Expression)
    case using([Identifier])
    case natural
}
