// SPDX-License-Identifier: Apache-2.0
//
// Rows one at a time: values go into a buffer for each column, and the buffers into the table as one commit at a flush.

extension Database {
    /// An appender of rows to a table, for programs that meet their rows one at a time.
    ///
    ///     let appender = try database.appender(for: "readings")
    ///     for reading in source {
    ///         try appender.append(reading.time, reading.sensor, reading.value)
    ///         if appender.rowCount == 10_000 { try await appender.flush() }
    ///     }
    ///     try await appender.flush()
    ///
    /// - Parameters:
    ///   - table: the table's name.
    ///   - columns: the columns that rows give values for, in their order; others take their DEFAULT. Nil: all columns of the
    ///     table in order.
    /// - Throws: 42P01, 42703, 42701 for names that do not fit, 25006 where the database was opened read-only.
    public func appender(for table: String, columns: [String]? = nil) throws(FirnError) -> Appender {
        if options.storage.access == .readOnly {
            throw FirnError(.readOnlyTransaction, "cannot append to a database that was opened read-only")
        }
        guard let schema = try self.table(named: table) else {
            throw FirnError(
                .undefinedTable, "relation \"\(table)\" does not exist",
                hint: Suggestion.hint(for: table, among: try tables().map(\.name)))
        }
        var definitions: [ColumnDefinition] = []
        for name in columns ?? schema.columns.map(\.name) {
            guard let index = schema.index(named: name) else {
                throw FirnError(
                    .undefinedColumn, "column \"\(name)\" of relation \"\(table)\" does not exist",
                    hint: Suggestion.hint(for: name, among: schema.columns.map(\.name)))
            }
            guard !definitions.contains(where: { $0.name == name }) else {
                throw FirnError(.duplicateColumn, "column \"\(name)\" specified more than once")
            }
            definitions.append(schema.columns[index])
        }
        return Appender(self, schema.name, definitions)
    }
}

/// Collects rows and appends them to a table as one commit at each flush; see ``Database/appender(for:columns:)``.
///
/// A row costs some hundred nanoseconds a value; a flush costs what an append of its rows as one batch does, and hands the
/// buffers over without copying them. Rows are in memory, and in no query, until they are flushed: flush every few thousand
/// rows, and at the end. Rows that were not flushed when the appender is let go are lost.
///
/// Not thread-safe: one task at a time. Tasks that append at once have an appender each; their flushes share syncs.
public final class Appender {
    private let database: Database
    /// The table's name.
    public let table: String
    /// The columns that each row gives a value for, in order.
    public let columns: [ColumnDefinition]
    private var builders: [ColumnBuilder]
    /// One row's values, checked before any of them is taken.
    private var row: [Value] = []
    private var isFlushing = false

    /// Rows that wait for a flush.
    public private(set) var rowCount = 0

    init(_ database: Database, _ table: String, _ columns: [ColumnDefinition]) {
        self.database = database
        self.table = table
        self.columns = columns
        builders = columns.map { ColumnBuilder(type: $0.type) }
        row.reserveCapacity(columns.count)
    }

    /// Appends a row: a value for each column, of its type or of one that it takes without loss of meaning.
    ///
    /// Integers go into every number column, and into time columns as counts of their unit since 1970; REAL, DOUBLE PRECISION
    /// and NUMERIC into REAL and DOUBLE PRECISION; a ``Timestamp`` into TIMESTAMPTZ and TIMESTAMP of either unit.
    ///
    /// - Throws: 42804, 22003, 22008 or 23502 with the number of the row, from 1 after each flush, and the column; the row
    ///   is left out then as a whole. What concerns several rows, such as the key, is checked at the flush.
    public func append<each T: ValueConvertible>(_ values: repeat each T) throws(FirnError) {
        try begin()
        for value in repeat each values { try take(value.sqlValue, of: Swift.type(of: value).sqlType) }
        try end()
    }

    /// Appends a row: a value for each column, like the other `append`.
    public func append(_ values: [Value]) throws(FirnError) {
        try begin()
        for value in values { try take(value, of: nil) }
        try end()
    }

    /// Appends a row: the properties of a value, by the names of the columns. Properties that are no columns of the appender
    /// are an error, as are columns that the value has no property for.
    ///
    /// Costs several times what the other `append` does, as Codable hands over each property by name.
    public func append(encoding value: some Encodable) throws(FirnError) {
        try begin()
        for (index, field) in try RowEncoder.fields(of: value, columns: columns, row: rowCount + 1).enumerated() {
            guard let field else {
                throw error(.undefinedColumn, "the value has no such property", at: index)
            }
            try take(field.value, of: field.type)
        }
        try end()
    }

    private func begin() throws(FirnError) {
        guard !isFlushing else {
            throw FirnError(.objectInUse, "the appender is being flushed", hint: "Wait for the flush, or use another.")
        }
        row.removeAll(keepingCapacity: true)
    }

    private func take(_ value: Value, of type: DataType?) throws(FirnError) {
        let index = row.count
        guard index < columns.count else {
            // Counted on, so that the error can say how many there are.
            row.append(.null)
            return
        }
        if value.isNull {
            guard columns[index].isNullable else {
                throw error(.notNullViolation, "NULL in a NOT NULL column", at: index)
            }
            row.append(.null)
            return
        }
        row.append(try converted(value, of: type, at: index))
    }

    private func end() throws(FirnError) {
        guard row.count == columns.count else {
            throw FirnError(
                .datatypeMismatch, "row \(rowCount + 1) has \(row.count) values, the appender \(columns.count) columns",
                detail: "The columns are: \(columns.map(\.name).joined(separator: ", ")).")
        }
        for index in row.indices { builders[index].append(row[index]) }
        rowCount += 1
    }

    /// A value that is not NULL as its column holds it.
    private func converted(_ value: Value, of given: DataType?, at index: Int) throws(FirnError) -> Value {
        let type = columns[index].type
        if let given, given != type, case .integer(let count) = value, given.isTimestamp || given == .date {
            return .integer(try time(count, given, at: index))
        }
        switch (value, type) {
        case (.integer(let value), .smallint), (.integer(let value), .integer):
            guard type.integerRange!.contains(value) else {
                throw error(.numericValueOutOfRange, "value \(value) is out of range for type \(type)", at: index)
            }
        case (.integer(let value), .double): return .double(Double(value))
        case (.integer(let value), .real): return .float(Float(value))
        case (.integer(let value), .numeric): return .decimal(Decimal(value))
        case (.decimal(let value), .smallint), (.decimal(let value), .integer), (.decimal(let value), .bigint):
            // An unsigned number too large for any of them; those that have a fraction are of another type.
            guard value.scale > 0 || Int64(exactly: value.coefficient) != nil else {
                throw error(.numericValueOutOfRange, "value \(value) is out of range for type \(type)", at: index)
            }
        case (.float(let value), .double): return .double(Double(value))
        case (.double(let value), .real):
            let narrow = Float(value)
            guard narrow.isFinite || !value.isFinite else {
                throw error(.numericValueOutOfRange, "value \(value) is out of range for type real", at: index)
            }
            return .float(narrow)
        case (.decimal(let value), .double): return .double(value.double)
        case (.text(let text), .jsonb):
            do throws(ValueError) {
                return .text(try JSONText.canonical(text))
            } catch {
                var located = self.error(SQLState(error.code), error.message, at: index)
                located.detail = error.detail
                throw located
            }
        case (.decimal(let value), .real): return .float(Float(value.double))
        default: break
        }
        guard type.holds(value) else {
            throw error(.datatypeMismatch, "a column of type \(type) cannot hold \(value.kindText)", at: index)
        }
        return value
    }

    /// A time of one type as a column of another counts it.
    private func time(_ count: Int64, _ given: DataType, at index: Int) throws(FirnError) -> Int64 {
        let type = columns[index].type
        guard type.isTimestamp, given.isTimestamp else {
            throw error(.datatypeMismatch, "a column of type \(type) cannot hold a \(given)", at: index)
        }
        if given.isNanoseconds == type.isNanoseconds || count == .min || count == .max { return count }
        if given.isNanoseconds { return given.microseconds(of: count) }
        let (nanoseconds, isTooFar) = count.multipliedReportingOverflow(by: 1_000)
        guard !isTooFar else {
            throw error(.datetimeFieldOverflow, "timestamp out of range for type \(type)", at: index)
        }
        return nanoseconds
    }

    private func error(_ code: SQLState, _ message: String, at index: Int) -> FirnError {
        FirnError(code, "row \(rowCount + 1), column \"\(columns[index].name)\": \(message)")
    }

    // MARK: Flushing

    /// Appends all rows that wait as one commit, and returns once they are as durable as asked; nil where there are none.
    ///
    /// - Parameters:
    ///   - durability: nil means the database's own.
    ///   - actor: the caller's, on which it goes on.
    /// - Throws: what ``Database/append(_:to:durability:)`` throws, "row n of the batch" being the n-th that waits. The rows
    ///   stay then, to be flushed again or discarded.
    @discardableResult
    public func flush(
        durability: Durability? = nil, isolation actor: isolated (any Actor)? = #isolation
    ) async throws -> AppendResult? {
        guard let batch = try batchToFlush() else { return nil }
        isFlushing = true
        defer { isFlushing = false }
        let result = try await database.append(batch, to: table, durability: durability)
        discard()
        return result
    }

    /// Like ``flush(durability:isolation:)``, on the calling thread, which blocks.
    @discardableResult
    public func flushBlocking(durability: Durability? = nil) throws(FirnError) -> AppendResult? {
        guard let batch = try batchToFlush() else { return nil }
        let result = try database.appendBlocking(batch, to: table, durability: durability)
        discard()
        return result
    }

    /// Drops all rows that wait.
    public func discard() {
        // The engine holds the old buffers now: as much room is made anew.
        builders = columns.map { ColumnBuilder(type: $0.type, capacity: rowCount) }
        rowCount = 0
    }

    private func batchToFlush() throws(FirnError) -> ColumnBatch? {
        try begin()
        guard rowCount > 0 else { return nil }
        return ColumnBatch(names: columns.map(\.name), columns: builders.map { $0.finish() }, rowCount: rowCount)
    }
}
