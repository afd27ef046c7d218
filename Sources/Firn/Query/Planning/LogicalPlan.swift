// SPDX-License-Identifier: Apache-2.0
//
// What a query computes, as a tree of relational operators over bound expressions. The binder makes it, the
// optimiser rewrites it, the executor runs it, EXPLAIN prints it.

/// A column that an operator produces.
struct OutputColumn: Sendable, Hashable {
    var name: String
    var type: DataType
    /// What a column that takes values limits them to; nil for what a query gives.
    var modifier: TypeModifier?
}

/// A relational operator and its inputs. Expressions refer to the columns of the input by position.
indirect enum LogicalPlan: Sendable {
    case scan(TableScan)
    /// Constant rows; also SELECT without FROM (one row without columns).
    case values(rows: [[BoundExpression]], columns: [OutputColumn])
    case series(SeriesScan)
    /// What the catalogue knows: firn_segments, firn_columns, show_chunks.
    case catalogue(CatalogueScan)
    case filter(LogicalPlan, BoundExpression)
    case project(LogicalPlan, [BoundExpression], columns: [OutputColumn])
    /// Output: the keys, then the aggregates. Without keys there is always exactly one row.
    case aggregate(LogicalPlan, keys: [BoundExpression], aggregates: [BoundAggregate], columns: [OutputColumn])
    case sort(LogicalPlan, [SortKey])
    /// Sort and limit in one: keeps `limit + offset` rows.
    case topRows(LogicalPlan, [SortKey], limit: Int, offset: Int)
    case limit(LogicalPlan, limit: Int?, offset: Int)
    case distinct(LogicalPlan)
    /// UNION ALL.
    case append([LogicalPlan], columns: [OutputColumn])
    /// A WITH query.
    case common(CommonRows)

    struct TableScan: Sendable {
        var table: TableSchema
        /// The columns that come out, in their order.
        var columns: [ColumnID]
        /// Those that the filter alone reads.
        var filterColumns: [ColumnID] = []
        /// Ranges that the predicates above imply, for pruning.
        var ranges: [ColumnRange]
        /// Conditions that are applied in the scan, over `columnsRead`.
        var filter: BoundExpression?
        /// Name by which the query calls it.
        var alias: String

        /// What is read: the columns that come out, behind them those of the filter alone.
        var columnsRead: [ColumnID] { columns + filterColumns }

        func outputColumns(_ ids: [ColumnID]) -> [OutputColumn] {
            ids.map { id in
                let column = table.columns[table.index(of: id)!]
                return OutputColumn(name: column.name, type: column.type)
            }
        }
    }

    /// generate_series(start, stop, step): both ends included.
    struct SeriesScan: Sendable {
        var start: BoundExpression
        var stop: BoundExpression
        var step: BoundExpression
        var column: OutputColumn
    }

    struct SortKey: Sendable {
        var expression: BoundExpression
        var isDescending: Bool
        var nullsFirst: Bool
    }

    var columns: [OutputColumn] {
        switch self {
        case .scan(let scan): scan.outputColumns(scan.columns)
        case .values(_, let columns), .project(_, _, let columns), .aggregate(_, _, _, let columns),
            .append(_, let columns):
            columns
        case .series(let series): [series.column]
        case .common(let rows): rows.plan.columns
        case .catalogue(let scan): scan.columns
        case .filter(let input, _), .sort(let input, _), .topRows(let input, _, _, _), .limit(let input, _, _),
            .distinct(let input):
            input.columns
        }
    }
}
