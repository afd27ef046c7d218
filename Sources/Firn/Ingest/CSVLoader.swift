// SPDX-License-Identifier: Apache-2.0
//
// Text records into column batches: every field is read as its column's type, and what does not fit is an
// error that names file, line and column.

/// Reads a CSV or text stream batch by batch. Not thread-safe.
final class CSVLoader {
    private let reader: CSVReader
    private let columns: [ColumnDefinition]
    private let parsers: [ValueParser]
    private let tableName: String
    private var hasReadHeader: Bool
    private let header: CSVFormat.Header

    /// - Parameters:
    ///   - columns: the table's columns that the fields go to, in their order.
    ///   - name: the stream's name in error messages.
    init(
        _ source: any ByteSource, format: CSVFormat, name: String, columns: [ColumnDefinition], tableName: String,
        context: DateTimeContext
    ) throws(FirnError) {
        reader = try CSVReader(source, format: format, name: name)
        self.columns = columns
        self.tableName = tableName
        parsers = columns.map { ValueParser(type: $0.type, modifier: $0.modifier, context: context) }
        header = format.header
        hasReadHeader = format.header == .none
    }

    /// The next records, at most `batchRowsMax`, fewer where they are long; nil at the end.
    func next() throws(FirnError) -> ColumnBatch? {
        if !hasReadHeader {
            hasReadHeader = true
            guard try reader.next() else { return nil }
            if header == .matched { try checkHeader() }
        }
        var builders = columns.map { ColumnBuilder(type: $0.type, capacity: batchRowsMax) }
        var rowCount = 0
        var byteCount = 0
        while rowCount < batchRowsMax, byteCount < BatchRows.bytesMax, try reader.next() {
            try checkFieldCount()
            byteCount += reader.fields.last?.end ?? 0
            for index in columns.indices {
                let field = reader.fields[index]
                if reader.isNull(field) {
                    if !columns[index].isNullable { throw nullViolation(columns[index].name) }
                    builders[index].appendNull()
                    continue
                }
                do throws(FirnError) {
                    try parsers[index].parse(reader.bytes(of: field), into: &builders[index])
                } catch {
                    throw reader.located(error, column: columns[index].name)
                }
            }
            rowCount += 1
        }
        return rowCount == 0 ? nil : ColumnBatch(builders.map { $0.finish() }, rowCount: rowCount)
    }

    private func checkFieldCount() throws(FirnError) {
        let count = reader.fields.count
        if count == columns.count { return }
        if count < columns.count {
            // A blank line is a record of one empty field, which only a table of one column can take.
            throw reader.located(
                .badCopyFileFormat, "missing data for column \"\(columns[count].name)\"",
                hint: count == 1 && reader.fields[0].end == 0 ? "The line is empty." : nil)
        }
        throw reader.located(
            .badCopyFileFormat, "extra data after last expected column",
            hint: "The line has \(count) fields, the table takes \(columns.count). Look at DELIMITER and quotes.")
    }

    private func checkHeader() throws(FirnError) {
        let names = reader.fields.map { String(decoding: reader.bytes(of: $0), as: UTF8.self) }
        if names == columns.map(\.name) { return }
        let index = zip(names, columns).enumerated().first { $0.element.0 != $0.element.1.name }?.offset
        let place = index ?? min(names.count, columns.count)
        let found = place < names.count ? "\"\(names[place])\"" : "nothing"
        let expected = place < columns.count ? "\"\(columns[place].name)\"" : "nothing"
        throw reader.located(
            .badCopyFileFormat,
            "column name mismatch in header line field \(place + 1): got \(found), expected \(expected)")
    }

    private func nullViolation(_ column: String) -> FirnError {
        reader.located(
            .notNullViolation,
            "null value in column \"\(column)\" of relation \"\(tableName)\" violates not-null constraint",
            column: column)
    }
}
