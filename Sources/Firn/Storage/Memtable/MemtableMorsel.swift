// SPDX-License-Identifier: Apache-2.0
//
// Batches of memtables as the query engine reads them: a run of batches is a morsel, tiny ones come joined.

/// Consecutive batches of one table, in commit order.
struct MemtableMorsel: Morsel {
    /// Rows at which a run of batches is cut.
    static let rowCountAim = 65_536
    /// Batches below this many rows are joined with their neighbours.
    static let smallBatchRowsMax = 1_024

    let schema: TableSchema
    let batches: [ColumnBatch]
    let rowCount: Int

    var order: [ColumnID] { [] }
    func statistics(of column: ColumnID) -> ColumnStatistics? { nil }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        var indices: [Int] = []
        for column in columns {
            guard let index = schema.index(of: column) else {
                throw FirnError(.undefinedColumn, "table \"\(schema.name)\" has no column with id \(column)")
            }
            indices.append(index)
        }
        return Reader(batches: batches, columns: indices, types: indices.map { schema.columns[$0].type })
    }

    /// Cuts the visible batches of memtables into morsels.
    static func morsels(of memtables: some Sequence<Memtable>, through lsn: LSN, schema: TableSchema) -> [any Morsel] {
        var morsels: [any Morsel] = []
        var batches: [ColumnBatch] = []
        var rowCount = 0
        func cut() {
            if rowCount > 0 { morsels.append(MemtableMorsel(schema: schema, batches: batches, rowCount: rowCount)) }
            batches = []
            rowCount = 0
        }
        for memtable in memtables {
            for entry in memtable.entries(through: lsn) where entry.batch.rowCount > 0 {
                batches.append(entry.batch)
                rowCount += entry.batch.rowCount
                if rowCount >= rowCountAim { cut() }
            }
        }
        cut()
        return morsels
    }

    private final class Reader: MorselReader {
        private let batches: [ColumnBatch]
        private let columns: [Int]
        private let types: [DataType]
        private var batch = 0
        private var row = 0

        init(batches: [ColumnBatch], columns: [Int], types: [DataType]) {
            self.batches = batches
            self.columns = columns
            self.types = types
        }

        func next() throws(FirnError) -> ColumnBatch? {
            guard batch < batches.count else { return nil }
            let first = batches[batch]
            if row > 0 || first.rowCount > batchRowsMax {
                let end = min(row + batchRowsMax, first.rowCount)
                let part = ColumnBatch(columns.map { first.columns[$0].slice(row..<end) }, rowCount: end - row)
                row = end
                if row == first.rowCount {
                    batch += 1
                    row = 0
                }
                return part
            }
            var end = batch + 1
            var rowCount = first.rowCount
            if rowCount < MemtableMorsel.smallBatchRowsMax {
                while end < batches.count, batches[end].rowCount < MemtableMorsel.smallBatchRowsMax,
                    rowCount + batches[end].rowCount <= batchRowsMax
                {
                    rowCount += batches[end].rowCount
                    end += 1
                }
            }
            let run = batches[batch..<end]
            batch = end
            if run.count == 1 { return ColumnBatch(columns.map { first.columns[$0] }, rowCount: rowCount) }
            let joined = zip(columns, types).map { column, type in
                Column.concatenate(run.map { $0.columns[column] }, type: type)
            }
            return ColumnBatch(joined, rowCount: rowCount)
        }
    }
}
