// SPDX-License-Identifier: Apache-2.0
//
// Checks a batch against a table before it is logged, so that nothing that lies in a log or segment can break
// a promise of the schema: types, NOT NULL, integer and time ranges, NUMERIC precision, UTF-8, and the lengths, digits
// and fields that types were declared with.
//
// One pass a column over contiguous values; a column without NULLs and limits costs nothing.

/// The rules of one table, applied to whole batches.
struct RowValidation {
    let schema: TableSchema

    init(_ schema: TableSchema) { self.schema = schema }

    /// The batch with every column of the table in order, each in its column's own type.
    ///
    /// - Parameter batch: positional, with all columns. A column may have another integer or numeric type of
    ///   the same physical form; its values are checked against the table's.
    func validated(_ batch: ColumnBatch) throws(FirnError) -> ColumnBatch {
        guard batch.columns.count == schema.columns.count else {
            throw FirnError(
                .datatypeMismatch,
                "the batch has \(batch.columns.count) columns, table \"\(schema.name)\" has \(schema.columns.count)",
                hint: "Give the batch column names to append some columns only.")
        }
        var columns: [Column] = []
        columns.reserveCapacity(batch.columns.count)
        for (definition, column) in zip(schema.columns, batch.columns) {
            columns.append(try validated(column, for: definition))
        }
        return ColumnBatch(columns, rowCount: batch.rowCount)
    }

    private func validated(_ column: Column, for definition: ColumnDefinition) throws(FirnError) -> Column {
        if !definition.isNullable, let validity = column.validity, !validity.isAllSet {
            let row = validity.firstClearIndex ?? 0
            throw FirnError(
                .notNullViolation,
                "null value in column \"\(definition.name)\" of relation \"\(schema.name)\" violates not-null constraint",
                detail: "Row \(row + 1) of the batch has no value for it.")
        }
        guard RowValidation.accepts(definition.type, column.type) else {
            throw FirnError(
                .datatypeMismatch,
                "column \"\(definition.name)\" is of type \(definition.type) but the batch holds \(column.type)",
                hint: "Append a column of type \(definition.type).")
        }
        try checkLengths(column, definition)
        switch (definition.type, column.values) {
        case (.smallint, .integer(let values)), (.integer, .integer(let values)):
            try checkRange(values, column.validity, definition.type.integerRange!, definition)
        case (.timestamptz(.microseconds), .integer(let values)), (.timestamp(.microseconds), .integer(let values)):
            let last = Timestamp.limit.microseconds - 1
            try checkTimes(values, column.validity, Timestamp.earliest.microseconds...last, definition)
        case (.date, .integer(let values)):
            try checkDates(values, column.validity, definition)
        case (.vector(let dimensions), .vector(let values, _)):
            try checkVectors(values, dimensions, column.validity, definition)
        case (.numeric(let precision?, let scale), .decimal(let values)):
            return try rescaled(values, column.validity, precision, scale ?? 0, definition)
        case (.text, .bytes(let values)), (.character, .bytes(let values)):
            try checkText(values, definition)
        case (.text, .dictionary(_, let dictionary)), (.character, .dictionary(_, let dictionary)):
            try checkText(dictionary.values, definition)
        case (.jsonb, .bytes(let values)) where column.type == .text:
            try checkText(values, definition)
            return try canonicalJSON(values, column.validity, definition)
        case (.jsonb, .dictionary) where column.type == .text:
            let values = column.bytesValues!
            try checkText(values, definition)
            return try canonicalJSON(values, column.validity, definition)
        default: break
        }
        let typed = column.type == definition.type ? column : column.retyped(definition.type)
        guard let modifier = definition.modifier else { return typed }
        do throws(ModifierFailure) {
            return try modifier.applied(to: typed, .assignment)
        } catch {
            throw located(FirnError(error.error), error.row, definition)
        }
    }

    /// Whether values of the one type may be appended to a column of the other.
    static func accepts(_ type: DataType, _ given: DataType) -> Bool {
        switch (type, given) {
        case (.numeric, .numeric): true
        case (.jsonb, .text), (.character, .text), (.text, .character): true
        default: type == given || (type.isInteger && given.isInteger)
        }
    }

    private func checkRange(
        _ values: [Int64], _ validity: Bitmap?, _ range: ClosedRange<Int64>, _ definition: ColumnDefinition
    ) throws(FirnError) {
        guard let row = values.firstIndex(outside: range, where: validity) else { return }
        throw FirnError(
            .numericValueOutOfRange, "value \(values[row]) is out of range for type \(definition.type)",
            detail: "Row \(row + 1) of the batch, column \"\(definition.name)\".")
    }

    private func checkTimes(
        _ values: [Int64], _ validity: Bitmap?, _ range: ClosedRange<Int64>, _ definition: ColumnDefinition
    ) throws(FirnError) {
        var start = 0
        while let row = values[start...].firstIndex(outside: range, where: validity) {
            guard values[row] == .min || values[row] == .max else {
                throw FirnError(
                    .datetimeFieldOverflow, "timestamp out of range: \(values[row]) microseconds since 1970",
                    detail: "Row \(row + 1) of the batch, column \"\(definition.name)\".",
                    hint: "Times lie between 4713 BC and 294246-12-31.")
            }
            start = row + 1
        }
    }

    private func checkDates(
        _ values: [Int64], _ validity: Bitmap?, _ definition: ColumnDefinition
    ) throws(FirnError) {
        let range = Int64(DayNumber.earliest.days)...Int64(DayNumber.limit.days) - 1
        let infinities = [Int64(DayNumber.negativeInfinity.days), Int64(DayNumber.infinity.days)]
        var start = 0
        while let row = values[start...].firstIndex(outside: range, where: validity) {
            guard infinities.contains(values[row]) else {
                throw FirnError(
                    .datetimeFieldOverflow, "date out of range: \(values[row]) days since 1970",
                    detail: "Row \(row + 1) of the batch, column \"\(definition.name)\".",
                    hint: "Dates lie between 4714 BC and 5874897-12-31; Int32.min and Int32.max are the infinities.")
            }
            start = row + 1
        }
    }

    private func checkVectors(
        _ values: [Float], _ dimensions: Int, _ validity: Bitmap?, _ definition: ColumnDefinition
    ) throws(FirnError) {
        var start = 0
        while let place = values[start...].firstIndex(where: { !$0.isFinite }) {
            let row = place / dimensions
            guard let validity, !validity[row] else {
                throw located(
                    FirnError(.numericValueOutOfRange, "NaN and infinity are not allowed in vector"), row, definition)
            }
            start = (row + 1) * dimensions
        }
    }

    private func rescaled(
        _ values: DecimalValues, _ validity: Bitmap?, _ precision: Int, _ scale: Int, _ definition: ColumnDefinition
    ) throws(FirnError) -> Column {
        var result = DecimalValues(coefficients: [], scales: .uniform(UInt8(scale)))
        result.coefficients.reserveCapacity(values.count)
        for row in 0..<values.count {
            if validity.map({ !$0[row] }) ?? false {
                result.append(Decimal(unchecked: 0, scale: scale))
                continue
            }
            do {
                result.append(try values[row].rescaled(precision: precision, scale: scale))
            } catch {
                throw located(FirnError(error), row, definition)
            }
        }
        return Column(type: definition.type, values: .decimal(result), validity: validity)
    }

    private func located(_ error: FirnError, _ row: Int, _ definition: ColumnDefinition) -> FirnError {
        var located = error
        let place = "Row \(row + 1) of the batch, column \"\(definition.name)\"."
        located.detail = error.detail.map { $0 + " " + place } ?? place
        return located
    }

    private func checkLengths(_ column: Column, _ definition: ColumnDefinition) throws(FirnError) {
        let limit = BytesValues.valueBytesMax
        guard let values = column.distinctBytes, values.bytes.count > limit,
            let index = (0..<values.count).first(where: { values[$0].count > limit })
        else { return }
        let row: Int? =
            if case .dictionary(let codes, _) = column.values { codes.firstIndex(of: UInt32(index)) } else { index }
        throw FirnError(
            .programLimitExceeded, "a value of \(values[index].count) bytes exceeds the limit of \(limit)",
            detail: "\(row.map { "Row \($0 + 1) of the batch, column" } ?? "Column") \"\(definition.name)\".",
            hint: "Store it in parts, or in a file that the row names.")
    }

    private func checkText(_ values: BytesValues, _ definition: ColumnDefinition) throws(FirnError) {
        // Well-formed as a whole and cut between characters is well-formed value by value.
        if values.bytes.allSatisfy({ $0 != 0 && $0 < 0x80 }) { return }
        for row in 0..<values.count {
            let bytes = values[row]
            if bytes.contains(0) || String(validating: bytes, as: UTF8.self) == nil {
                throw FirnError(
                    .characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"",
                    detail: "Row \(row + 1) of the batch, column \"\(definition.name)\".")
            }
        }
    }

    private func canonicalJSON(
        _ values: BytesValues, _ validity: Bitmap?, _ definition: ColumnDefinition
    ) throws(FirnError) -> Column {
        var result = BytesValues()
        for row in 0..<values.count {
            if validity.map({ !$0[row] }) ?? false {
                result.append("")
                continue
            }
            do throws(ValueError) {
                result.append(try JSONText.canonical(values.string(at: row)))
            } catch {
                throw located(FirnError(error), row, definition)
            }
        }
        return Column(type: .jsonb, values: .bytes(result), validity: validity)
    }
}

extension Column {
    /// The values of a text column, or those that its codes refer to; nil for other types.
    fileprivate var distinctBytes: BytesValues? {
        switch values {
        case .bytes(let values): values
        case .dictionary(_, let dictionary): dictionary.values
        default: nil
        }
    }
}

extension Bitmap {
    /// The first bit that is 0.
    var firstClearIndex: Int? {
        for (index, word) in words.enumerated() where ~word != 0 {
            let bit = index * 64 + (~word).trailingZeroBitCount
            return bit < count ? bit : nil
        }
        return nil
    }
}

extension RandomAccessCollection<Int64> where Index == Int {
    /// The first valid value outside a range; the common case, none, is one pass without branches.
    fileprivate func firstIndex(outside range: ClosedRange<Int64>, where validity: Bitmap?) -> Int? {
        var isOutside = false
        for value in self { isOutside = isOutside || value < range.lowerBound || value > range.upperBound }
        guard isOutside else { return nil }
        return indices.first { index in !range.contains(self[index]) && (validity.map { $0[index] } ?? true) }
    }
}
