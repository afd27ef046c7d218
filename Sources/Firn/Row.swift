// SPDX-License-Identifier: Apache-2.0
//
// One row of a result: what a program reads when it asks for a few rows, not for millions.

/// One row of a result.
///
/// Cheap to make, and keeps its batch in memory: take the values out of rows that are kept for long.
public struct Row: Sendable {
    let columns: [ResultColumn]
    let batch: ColumnBatch
    let index: Int

    /// The value of a column, by position from 0.
    ///
    /// Throws 42703 where there is no such column.
    public subscript(position: Int) -> Value {
        get throws(FirnError) { batch.columns[try columns.checked(position)][index] }
    }

    /// The value of a column, by name.
    ///
    /// Throws 42703 where there is no such column, 42702 where there are several. O(columns).
    public subscript(name: String) -> Value {
        get throws(FirnError) { batch.columns[try columns.position(named: name)][index] }
    }

    /// The value of a column as a Swift type; nil where it is NULL.
    ///
    /// Throws 42703 where there is no such column, 42702 where there are several, 42804 where its type cannot be read so.
    public func get<T: RowValue>(_ name: String, as type: T.Type = T.self) throws(FirnError) -> T? {
        try get(checked: columns.position(named: name))
    }

    /// The value of a column as a Swift type; nil where it is NULL.
    ///
    /// Throws 42703 where there is no such column, 42804 where its type cannot be read so.
    public func get<T: RowValue>(_ position: Int, as type: T.Type = T.self) throws(FirnError) -> T? {
        try get(checked: columns.checked(position))
    }

    private func get<T: RowValue>(checked position: Int) throws(FirnError) -> T? {
        let value = batch.columns[position][index]
        if value.isNull { return nil }
        guard let result = T.read(value, type: columns[position].type) else {
            throw columns[position].mismatch(T.self)
        }
        return result
    }
}

extension [ResultColumn] {
    /// The position itself, where there is such a column.
    func checked(_ position: Int) throws(FirnError) -> Int {
        guard indices.contains(position) else {
            throw FirnError(
                .undefinedColumn, "the result has no column \(position)",
                detail: "It has \(count) columns; positions begin at 0.")
        }
        return position
    }

    /// The position of the one column with this name.
    func position(named name: String) throws(FirnError) -> Int {
        guard let position = firstIndex(where: { $0.name == name }) else {
            throw FirnError(
                .undefinedColumn, "the result has no column \"\(name)\"",
                detail: "Its columns are: \(map(\.name).joined(separator: ", ")).",
                hint: Suggestion.hint(for: name, among: map(\.name)))
        }
        guard !self[(position + 1)...].contains(where: { $0.name == name }) else {
            throw FirnError(
                .ambiguousColumn, "the result has several columns \"\(name)\"",
                hint: "Name them with AS, or read them by position.")
        }
        return position
    }
}

extension ResultColumn {
    /// The column's type has no reading as a Swift type.
    func mismatch(_ type: (some Any).Type) -> FirnError {
        FirnError(.datatypeMismatch, "column \"\(name)\" of type \(self.type) cannot be read as \(type)")
    }

    /// NULL where a Swift type has none.
    func isNull(_ type: (some Any).Type) -> FirnError {
        FirnError(.notNullViolation, "column \"\(name)\" is NULL", hint: "Read it as \(type)?.")
    }
}
