// SPDX-License-Identifier: Apache-2.0
//
// Reads a table: its morsels in commit order, tasks of about one row group each, and only the columns asked for.
//
// How morsels are joined into tasks depends on their row counts alone: a memtable of thousands of small batches
// becomes a few tasks, and every run over one layout has the same tasks.

/// The rows of a table at a snapshot.
struct ScanSource: BatchSource {
    /// Small neighbouring morsels are joined until a task has so many rows: those of a full row group.
    static let taskRowsMinDefault = 65_536

    /// What is read; the first `columnCount` come out.
    private let columns: [ColumnID]
    private let columnCount: Int
    private let ranges: [ColumnRange]
    private let filter: BoundExpression?
    private let evaluator: BlockEvaluator
    private let morsels: [any Morsel]
    private let tasks: [Range<Int>]
    private let counters: OperatorCounters?
    private let damage: TableDamage?

    /// - Parameter damage: where what cannot be read is noted and left out; nil makes it an error.
    init(
        _ scan: LogicalPlan.TableScan, rows: any TableSnapshot, taskRowsMin: Int, evaluator: BlockEvaluator,
        counters: OperatorCounters?, damage: DamageReport? = nil
    ) throws(FirnError) {
        let damage = damage.map { TableDamage(report: $0, table: scan.table.name) }
        self.damage = damage
        columns = scan.columnsRead
        columnCount = scan.columns.count
        ranges = scan.ranges
        filter = scan.filter
        self.evaluator = evaluator
        self.counters = counters
        if scan.columnsRead.isEmpty, scan.ranges.isEmpty {
            // Rows are only counted: the manifest and the memtables know how many there are.
            morsels = rows.rowCount > 0 ? [CountedRows(rowCount: rows.rowCount)] : []
        } else if let damage {
            morsels = try rows.morsels(pruning: scan.ranges) { error throws(FirnError) in try damage.skip(error) }
        } else {
            morsels = try rows.morsels(pruning: scan.ranges)
        }
        tasks = Self.tasks(of: morsels, rowsMin: taskRowsMin)
        if let counters, !scan.ranges.isEmpty {
            let all = try rows.morsels(pruning: []) { error throws(FirnError) in
                guard let damage else { throw error }
                try damage.skip(error)
            }
            counters.addSkippedMorsels(all.count - morsels.count)
        }
    }

    var partCount: Int { tasks.count }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        ScanReader(
            morsels: morsels[tasks[part]], columns: columns, columnCount: columnCount, ranges: ranges, filter: filter,
            evaluator: evaluator, counters: counters, damage: damage)
    }

    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? {
        var bounds: IntegerBounds?
        for morsel in morsels[tasks[part]] {
            guard let statistics = morsel.statistics(of: columns[column]),
                case .integer(let minimum) = statistics.minimum, case .integer(let maximum) = statistics.maximum
            else { return nil }
            let own = IntegerBounds(
                minimum: minimum, maximum: maximum, mayHoldNull: statistics.nullCount > 0)
            bounds = bounds?.union(own) ?? own
        }
        return bounds
    }

    private static func tasks(of morsels: [any Morsel], rowsMin: Int) -> [Range<Int>] {
        var tasks: [Range<Int>] = []
        var start = 0
        var rowCount = 0
        for (index, morsel) in morsels.enumerated() {
            rowCount += morsel.rowCount
            if rowCount >= rowsMin {
                tasks.append(start..<index + 1)
                start = index + 1
                rowCount = 0
            }
        }
        if start < morsels.count { tasks.append(start..<morsels.count) }
        return tasks
    }
}

/// Where the damage of one table is noted.
private struct TableDamage {
    let report: DamageReport
    let table: String

    func skip(_ error: FirnError) throws(FirnError) { try report.skip(error, of: table) }
}

private final class ScanReader: BatchReader {
    private var morsels: ArraySlice<any Morsel>
    private let columns: [ColumnID]
    private let columnCount: Int
    private let ranges: [ColumnRange]
    private let filter: BoundExpression?
    private let evaluator: BlockEvaluator
    private let counters: OperatorCounters?
    private let damage: TableDamage?
    private var current: (any MorselReader)?
    private(set) var order: [Int] = []

    init(
        morsels: ArraySlice<any Morsel>, columns: [ColumnID], columnCount: Int, ranges: [ColumnRange],
        filter: BoundExpression?, evaluator: BlockEvaluator, counters: OperatorCounters?, damage: TableDamage?
    ) {
        self.damage = damage
        self.morsels = morsels
        self.columns = columns
        self.columnCount = columnCount
        self.ranges = ranges
        self.filter = filter
        self.evaluator = evaluator
        self.counters = counters
    }

    func next() throws(FirnError) -> ColumnBatch? {
        while true {
            try evaluator.checkCancellation()
            if let reader = current {
                let read: ColumnBatch?
                do throws(FirnError) {
                    read = try reader.next()
                } catch {
                    guard let damage else { throw error }
                    try damage.skip(error)
                    continue
                }
                guard let batch = read else {
                    current = nil
                    continue
                }
                if batch.rowCount == 0 { continue }
                guard let filter else { return batch }
                let selection = try evaluator.selection(filter, over: batch)
                let wanted = ColumnBatch(Array(batch.columns[..<columnCount]), rowCount: batch.rowCount)
                let passing = wanted.selecting(selection)
                counters?.addFilteredRows(batch.rowCount - (passing?.rowCount ?? 0))
                if let passing { return passing }
            } else {
                guard let morsel = morsels.popFirst() else { return nil }
                counters?.addReadMorsels(1)
                // A prefix of the morsel's order holds for the rows as they come out.
                order = []
                for id in morsel.order {
                    guard let index = columns[..<columnCount].firstIndex(of: id) else { break }
                    order.append(index)
                }
                do throws(FirnError) {
                    current =
                        columns.isEmpty
                        ? RowCountReader(rowCount: morsel.rowCount)
                        : try morsel.reader(of: columns, pruning: ranges)
                } catch {
                    guard let damage else { throw error }
                    try damage.skip(error)
                }
            }
        }
    }
}

/// All rows of a table where no column of them is asked for.
private struct CountedRows: Morsel {
    let rowCount: Int
    var order: [ColumnID] { [] }

    func statistics(of column: ColumnID) -> ColumnStatistics? { nil }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        RowCountReader(rowCount: rowCount)
    }
}

/// Batches without columns: `SELECT count(*)` reads nothing.
private final class RowCountReader: MorselReader {
    /// No column limits the size of a batch, but what is computed beside it has a value a row.
    private static let rowsMax = 65_536
    private var rest: Int

    init(rowCount: Int) { rest = rowCount }

    func next() throws(FirnError) -> ColumnBatch? {
        guard rest > 0 else { return nil }
        let rowCount = min(rest, Self.rowsMax)
        rest -= rowCount
        return ColumnBatch([], rowCount: rowCount)
    }
}
