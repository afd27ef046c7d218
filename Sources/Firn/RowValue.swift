// SPDX-License-Identifier: Apache-2.0
//
// Swift types as which the columns of a result can be read, one by one or in loops over many rows.
//
// A loop asks each type once a batch for a reader of its column: a closure over the column's own array, so that
// nothing is looked up, boxed or cast for a value.

/// A type that a field of a result can be read as.
///
/// The standard library's numbers, `Bool` and `String` conform, the time types, ``Decimal`` and ``UUIDValue`` of this
/// module, `[UInt8]` (BYTEA), `[Float]` (VECTOR), and optionals of all these. A type of your own conforms by `read` alone.
public protocol RowValue: Sendable {
    /// Reads a value of the given SQL type; nil where the type has no such reading. Never called for NULL.
    static func read(_ value: Value, type: DataType) -> Self?

    /// Reads the rows of a column, of which it is never called for a NULL one; nil where the type of the column has no
    /// such reading. The default calls `read(_:type:)` for each row; another is a matter of speed alone.
    static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Self?)?

    /// What stands for NULL; nil, the default, where nothing does.
    static var valueForNull: Self? { get }
}

extension RowValue {
    /// Calls `read(_:type:)` for each row.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Self?)? {
        { row in read(column[row], type: column.type) }
    }

    /// Nothing stands for NULL.
    public static var valueForNull: Self? { nil }
}

/// Reads one column of a batch as a Swift type.
@usableFromInline
struct ColumnReader<Element: RowValue>: Sendable {
    /// The value of a row.
    @usableFromInline
    let read: @Sendable (_ row: Int) throws(FirnError) -> Element

    init(_ column: Column, _ description: ResultColumn) {
        guard let value = Element.reader(of: column) else {
            // Where every row is NULL, the type does not matter.
            read = { row throws(FirnError) in
                guard column.isNull(row) else { throw description.mismatch(Element.self) }
                guard let null = Element.valueForNull else { throw description.isNull(Element.self) }
                return null
            }
            return
        }
        guard let validity = column.validity else {
            read = { row throws(FirnError) in
                guard let value = value(row) else { throw description.mismatch(Element.self) }
                return value
            }
            return
        }
        let null = Element.valueForNull
        read = { row throws(FirnError) in
            guard validity[row] else {
                guard let null else { throw description.isNull(Element.self) }
                return null
            }
            guard let value = value(row) else { throw description.mismatch(Element.self) }
            return value
        }
    }
}

extension Optional: RowValue where Wrapped: RowValue {
    /// The wrapped type's reading.
    public static func read(_ value: Value, type: DataType) -> Wrapped?? { Wrapped.read(value, type: type).map { $0 } }

    /// The wrapped type's reader.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Wrapped??)? {
        guard let wrapped = Wrapped.reader(of: column) else { return nil }
        return { row in wrapped(row).map { $0 } }
    }

    /// Nil.
    public static var valueForNull: Wrapped?? { .some(nil) }
}

extension Value: RowValue {
    /// The value itself.
    public static func read(_ value: Value, type: DataType) -> Value? { value }
    /// NULL itself.
    public static var valueForNull: Value? { .some(.null) }
}

extension Bool: RowValue {
    /// BOOLEAN.
    public static func read(_ value: Value, type: DataType) -> Bool? {
        if case .boolean(let value) = value { value } else { nil }
    }

    /// BOOLEAN.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Bool?)? {
        guard let values = column.booleanValues else { return nil }
        return { values[$0] }
    }
}

extension Int64: RowValue {
    /// SMALLINT, INTEGER, BIGINT; times as counts of their unit, DATE as days.
    public static func read(_ value: Value, type: DataType) -> Int64? {
        if case .integer(let value) = value { value } else { nil }
    }

    /// SMALLINT, INTEGER, BIGINT; times as counts of their unit, DATE as days.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Int64?)? {
        guard let values = column.integerValues else { return nil }
        return { values[$0] }
    }
}

/// Integers of other widths read what an Int64 does, where it fits.
extension RowValue where Self: FixedWidthInteger {
    /// SMALLINT, INTEGER, BIGINT; times as counts of their unit, DATE as days. Nil for a number that does not fit.
    public static func read(_ value: Value, type: DataType) -> Self? {
        Int64.read(value, type: type).flatMap { Self(exactly: $0) }
    }

    /// SMALLINT, INTEGER, BIGINT; times as counts of their unit, DATE as days. Nil for a number that does not fit.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Self?)? {
        guard let values = column.integerValues else { return nil }
        return { Self(exactly: values[$0]) }
    }
}

extension Int: RowValue {}
extension Int8: RowValue {}
extension UInt8: RowValue {}
extension UInt: RowValue {}
extension UInt64: RowValue {}
extension Int32: RowValue {}
extension Int16: RowValue {}
extension UInt32: RowValue {}
extension UInt16: RowValue {}

extension Double: RowValue {
    /// Numbers of every type; integers and decimals are rounded to the nearest Double.
    public static func read(_ value: Value, type: DataType) -> Double? {
        switch value {
        case .double(let value): value
        case .float(let value): Double(value)
        case .integer(let value) where type.isInteger: Double(value)
        case .decimal(let value): value.double
        default: nil
        }
    }

    /// Numbers of every type; integers and decimals are rounded to the nearest Double.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Double?)? {
        switch column.values {
        case .double(let values): { values[$0] }
        case .float(let values): { Double(values[$0]) }
        case .integer(let values) where column.type.isInteger: { Double(values[$0]) }
        case .decimal(let values): { values[$0].double }
        default: nil
        }
    }
}

extension Float: RowValue {
    /// REAL.
    public static func read(_ value: Value, type: DataType) -> Float? {
        if case .float(let value) = value { value } else { nil }
    }

    /// REAL.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Float?)? {
        guard let values = column.floatValues else { return nil }
        return { values[$0] }
    }
}

extension Decimal: RowValue {
    /// NUMERIC and the integer types, exact.
    public static func read(_ value: Value, type: DataType) -> Decimal? {
        switch value {
        case .decimal(let value): value
        case .integer(let value) where type.isInteger: Decimal(value)
        default: nil
        }
    }

    /// NUMERIC and the integer types, exact.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Decimal?)? {
        switch column.values {
        case .decimal(let values): { values[$0] }
        case .integer(let values) where column.type.isInteger: { Decimal(values[$0]) }
        default: nil
        }
    }
}

extension String: RowValue {
    /// TEXT and JSONB.
    public static func read(_ value: Value, type: DataType) -> String? {
        if case .text(let value) = value { value } else { nil }
    }

    /// TEXT and JSONB. The values of a dictionary that is used often are made into strings once.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> String?)? {
        switch column.values {
        case .bytes(let values) where column.type != .bytea:
            return { values.string(at: $0) }
        case .dictionary(let codes, let dictionary) where column.type != .bytea:
            guard dictionary.count <= codes.count / 2 else {
                return { dictionary.values.string(at: Int(codes[$0])) }
            }
            let strings = (0..<dictionary.count).map { dictionary.values.string(at: $0) }
            return { strings[Int(codes[$0])] }
        default: return nil
        }
    }
}

extension UInt128: RowValue {
    /// The number of a UUID.
    public static func read(_ value: Value, type: DataType) -> UInt128? {
        if case .uuid(let value) = value { value } else { nil }
    }

    /// The number of a UUID.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> UInt128?)? {
        guard let values = column.uuidValues else { return nil }
        return { values[$0] }
    }
}

extension UUIDValue: RowValue {
    /// UUID.
    public static func read(_ value: Value, type: DataType) -> UUIDValue? {
        if case .uuid(let value) = value { UUIDValue(value) } else { nil }
    }

    /// UUID.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> UUIDValue?)? {
        guard let values = column.uuidValues else { return nil }
        return { UUIDValue(values[$0]) }
    }
}

extension Interval: RowValue {
    /// INTERVAL.
    public static func read(_ value: Value, type: DataType) -> Interval? {
        if case .interval(let value) = value { value } else { nil }
    }

    /// INTERVAL.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Interval?)? {
        guard let values = column.intervalValues else { return nil }
        return { values[$0] }
    }
}

extension Timestamp: RowValue {
    /// TIMESTAMPTZ and TIMESTAMP in microseconds; nanoseconds are rounded to the microsecond below.
    public static func read(_ value: Value, type: DataType) -> Timestamp? {
        guard case .integer(let count) = value else { return nil }
        switch type {
        case .timestamptz(.microseconds), .timestamp(.microseconds): return Timestamp(microseconds: count)
        case .timestamptz(.nanoseconds), .timestamp(.nanoseconds):
            return NanosecondTimestamp(nanoseconds: count).split.timestamp
        default: return nil
        }
    }

    /// TIMESTAMPTZ and TIMESTAMP in microseconds; nanoseconds are rounded to the microsecond below.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Timestamp?)? {
        guard column.type.isTimestamp, let values = column.integerValues else { return nil }
        if column.type.isNanoseconds { return { NanosecondTimestamp(nanoseconds: values[$0]).split.timestamp } }
        return { Timestamp(microseconds: values[$0]) }
    }
}

extension NanosecondTimestamp: RowValue {
    /// TIMESTAMPTZ(9) and TIMESTAMP(9); those in microseconds where they lie between 1677 and 2262.
    public static func read(_ value: Value, type: DataType) -> NanosecondTimestamp? {
        guard case .integer(let count) = value, type.isTimestamp else { return nil }
        if type.isNanoseconds { return NanosecondTimestamp(nanoseconds: count) }
        return try? NanosecondTimestamp(Timestamp(microseconds: count))
    }
}

extension DayNumber: RowValue {
    /// DATE.
    public static func read(_ value: Value, type: DataType) -> DayNumber? {
        guard case .integer(let count) = value, type == .date else { return nil }
        return Int32(exactly: count).map { DayNumber(days: $0) }
    }
}

extension Array: RowValue where Element: ArrayValueElement {
    /// BYTEA as bytes, VECTOR as floats.
    public static func read(_ value: Value, type: DataType) -> [Element]? { Element.array(of: value) }
}
