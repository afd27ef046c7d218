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
    ///
    /// - Throws: 22023 where the columns are not of one length.
    public init(_ columns: some Collection<Column>, rowCount: Int? = nil) throws(FirnError) {
        try self.init(checkedNames: [], Array(columns), rowCount: rowCount)
    }

    /// A batch whose columns are found by name, in any order.
    ///
    ///     try ColumnBatch(["time": .timestamps(microseconds: times), "value": .doubles(values)])
    ///
    /// - Throws: 22023 where the columns are not of one length, 42701 where two have one name.
    public init(_ columns: KeyValuePairs<String, Column>) throws(FirnError) {
        try self.init(checkedNames: columns.map(\.key), columns.map(\.value), rowCount: nil)
    }

    /// A batch with a name for each column, or with none.
    ///
    /// - Throws: 22023 where the columns are not of one length, or are more or fewer than the names; 42701 where two have
    ///   one name.
    public init(names: [String], columns: some Collection<Column>, rowCount: Int? = nil) throws(FirnError) {
        try self.init(checkedNames: names, Array(columns), rowCount: rowCount)
    }

    private init(checkedNames names: [String], _ columns: [Column], rowCount: Int?) throws(FirnError) {
        let rowCount = rowCount ?? columns.first?.count ?? 0
        func label(_ index: Int) -> String { names.isEmpty ? "column \(index)" : "column \"\(names[index])\"" }
        guard names.isEmpty || names.count == columns.count else {
            throw FirnError(
                .invalidParameterValue, "a batch of \(columns.count) columns cannot have \(names.count) names",
                hint: "Give a name for each column, or none at all.")
        }
        if let odd = columns.firstIndex(where: { $0.count != rowCount }) {
            throw FirnError(
                .invalidParameterValue,
                "\(label(odd)) of the batch has \(columns[odd].count) rows where \(rowCount) are expected",
                hint: "All columns of a batch have one length.")
        }
        guard rowCount >= 0 else {
            throw FirnError(.invalidParameterValue, "a batch cannot have \(rowCount) rows")
        }
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw FirnError(.duplicateColumn, "column \"\(name)\" specified more than once")
        }
        self.init(names: names, columns: columns, rowCount: rowCount)
    }

    /// Like the public one, for callers in the engine, whose columns are of one length.
    init(_ columns: [Column], rowCount: Int? = nil) {
        self.init(names: [], columns: columns, rowCount: rowCount)
    }

    /// Like the public one, for callers in the engine, whose columns are of one length.
    init(names: [String], columns: [Column], rowCount: Int? = nil) {
        let rowCount = rowCount ?? columns.first?.count ?? 0
        precondition(columns.allSatisfy { $0.count == rowCount }, "the columns of a batch have one length")
        precondition(names.isEmpty || names.count == columns.count, "a name for each column, or none")
        self.names = names
        self.columns = columns
        self.rowCount = rowCount
    }

    /// The column with this name; nil where there is none.
    public subscript(name: String) -> Column? { names.firstIndex(of: name).map { columns[$0] } }

    /// The rows of a range, copied. The range must lie within the rows, as with an array.
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
