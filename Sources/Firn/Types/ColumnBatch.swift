// SPDX-License-Identifier: Apache-2.0
//
// A batch: columns of one length, the unit in which rows enter, move through and leave the engine.

/// Columns of one length.
///
/// A batch without names is positional: its columns stand for those of a table or result in their order.
public struct ColumnBatch: Sendable {
    /// A name for each column, or none at all.
    public let names: [String]
    /// The columns, all of `rowCount` rows.
    public let columns: [Column]
    /// Number of rows.
    public let rowCount: Int

    /// A positional batch.
    ///
    /// `rowCount` is needed only where there are no columns.
    public init(_ columns: [Column], rowCount: Int? = nil) {
        self.init(names: [], columns: columns, rowCount: rowCount)
    }

    /// A batch whose columns are found by name, in any order.
    ///
    ///     ColumnBatch(["time": .timestamps(microseconds: times), "value": .doubles(values)])
    public init(_ columns: KeyValuePairs<String, Column>) {
        self.init(names: columns.map(\.key), columns: columns.map(\.value))
    }

    public init(names: [String], columns: [Column], rowCount: Int? = nil) {
        let rowCount = rowCount ?? columns.first?.count ?? 0
        precondition(columns.allSatisfy { $0.count == rowCount }, "the columns of a batch have one length")
        precondition(names.isEmpty || names.count == columns.count, "a name for each column, or none")
        self.names = names
        self.columns = columns
        self.rowCount = rowCount
    }

    /// The column with this name; nil where there is none.
    public subscript(name: String) -> Column? { names.firstIndex(of: name).map { columns[$0] } }

    /// The rows of a range, copied.
    public func slice(_ range: Range<Int>) -> ColumnBatch {
        if range == 0..<rowCount { return self }
        return ColumnBatch(names: names, columns: columns.map { $0.slice(range) }, rowCount: range.count)
    }

    /// The given rows, in their order.
    func gather(_ rows: [Int32]) -> ColumnBatch {
        ColumnBatch(names: names, columns: columns.map { $0.gather(rows) }, rowCount: rows.count)
    }

    /// The rows whose bits are 1: the batch itself where that is all, nil where it is none.
    func selecting(_ rows: Bitmap) -> ColumnBatch? {
        let selectedCount = rows.setCount
        if selectedCount == 0 { return nil }
        if selectedCount == rowCount { return self }
        return columns.isEmpty ? ColumnBatch([], rowCount: selectedCount) : gather(rows.setIndices)
    }

    /// Bytes of memory that the values take, shared dictionaries left out.
    var byteCount: Int { columns.reduce(0) { $0 + $1.byteCount } }
}
