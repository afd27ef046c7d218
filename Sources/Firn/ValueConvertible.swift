// SPDX-License-Identifier: Apache-2.0
//
// Swift values as SQL values: what a program gives as a parameter, or appends to a row.

/// A Swift type whose values can be given as parameters and appended to rows.
///
/// The standard library's numbers, `Bool` and `String` conform, the time types, ``Decimal`` and ``UUIDValue`` of this
/// module, arrays of bytes (BYTEA) and of `Float` (VECTOR), and optionals of all these, whose nil is NULL. The product
/// FirnFoundation adds Foundation's `Date`, `UUID`, `Decimal` and `Data`.
public protocol ValueConvertible: Sendable {
    /// The value as SQL has it.
    var sqlValue: Value { get }
    /// The SQL type that a parameter of this type has; nil where the value and the place of its use decide.
    static var sqlType: DataType? { get }
}

extension ValueConvertible {
    /// The value and its use decide.
    public static var sqlType: DataType? { nil }
}

extension Value: ValueConvertible {
    /// The value itself.
    public var sqlValue: Value { self }
}

extension Optional: ValueConvertible where Wrapped: ValueConvertible {
    /// The wrapped value; NULL for nil.
    public var sqlValue: Value { self?.sqlValue ?? .null }
    /// The type of the wrapped values.
    public static var sqlType: DataType? { Wrapped.sqlType }
}

extension Bool: ValueConvertible {
    /// BOOLEAN.
    public var sqlValue: Value { .boolean(self) }
}

extension Int: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
}

extension Int64: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(self) }
}

extension Int32: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
    /// INTEGER.
    public static var sqlType: DataType? { .integer }
}

extension Int16: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
    /// SMALLINT.
    public static var sqlType: DataType? { .smallint }
}

extension Int8: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
}

extension UInt8: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
}

extension UInt32: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
}

extension UInt64: ValueConvertible {
    /// An integer; beyond those of BIGINT a NUMERIC.
    public var sqlValue: Value { Int64(exactly: self).map { .integer($0) } ?? .decimal(Decimal(whole: Int128(self))) }
}

extension UInt: ValueConvertible {
    /// An integer; beyond those of BIGINT a NUMERIC.
    public var sqlValue: Value { UInt64(self).sqlValue }
}

extension UInt16: ValueConvertible {
    /// An integer.
    public var sqlValue: Value { .integer(Int64(self)) }
}

extension Double: ValueConvertible {
    /// DOUBLE PRECISION.
    public var sqlValue: Value { .double(self) }
}

extension Float: ValueConvertible {
    /// REAL.
    public var sqlValue: Value { .float(self) }
}

extension String: ValueConvertible {
    /// TEXT; as a parameter a literal in quotes, which takes the type that its place asks for.
    public var sqlValue: Value { .text(self) }
}

extension Substring: ValueConvertible {
    /// As a `String`.
    public var sqlValue: Value { .text(String(self)) }
}

extension Decimal: ValueConvertible {
    /// NUMERIC.
    public var sqlValue: Value { .decimal(self) }
}

extension UInt128: ValueConvertible {
    /// The number of a UUID.
    public var sqlValue: Value { .uuid(self) }
}

extension UUIDValue: ValueConvertible {
    /// UUID.
    public var sqlValue: Value { .uuid(value) }
}

extension Interval: ValueConvertible {
    /// INTERVAL.
    public var sqlValue: Value { .interval(self) }
}

extension Timestamp: ValueConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var sqlValue: Value { .integer(microseconds) }
    /// TIMESTAMPTZ.
    public static var sqlType: DataType? { .timestamptz(.microseconds) }
}

extension NanosecondTimestamp: ValueConvertible {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var sqlValue: Value { .integer(nanoseconds) }
    /// TIMESTAMPTZ(9).
    public static var sqlType: DataType? { .timestamptz(.nanoseconds) }
}

extension DayNumber: ValueConvertible {
    /// Days since 1970-01-01.
    public var sqlValue: Value { .integer(Int64(days)) }
    /// DATE.
    public static var sqlType: DataType? { .date }
}

/// What arrays may hold that are values of one column: bytes (BYTEA) and floats (VECTOR).
public protocol ArrayValueElement: Sendable {
    /// The array as SQL has it.
    static func sqlValue(of array: [Self]) -> Value
    /// The array that a value holds; nil for values of other types.
    static func array(of value: Value) -> [Self]?
}

extension UInt8: ArrayValueElement {
    /// BYTEA.
    public static func sqlValue(of array: [UInt8]) -> Value { .bytes(array) }
    /// The bytes of a BYTEA.
    public static func array(of value: Value) -> [UInt8]? { if case .bytes(let bytes) = value { bytes } else { nil } }
}

extension Float: ArrayValueElement {
    /// VECTOR.
    public static func sqlValue(of array: [Float]) -> Value { .vector(array) }
    /// The floats of a VECTOR.
    public static func array(of value: Value) -> [Float]? {
        if case .vector(let floats) = value { floats } else { nil }
    }
}

extension Array: ValueConvertible where Element: ArrayValueElement {
    /// BYTEA or VECTOR.
    public var sqlValue: Value { Element.sqlValue(of: self) }
}

// MARK: Literals

// Not by nil: in `let value: Value? = isKnown ? .integer(1) : nil` it would be NULL, which is a value, and not nothing.
extension Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral
{
    /// An integer.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// DOUBLE PRECISION.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// TEXT.
    public init(stringLiteral value: String) { self = .text(value) }
    /// BOOLEAN.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }

    /// The SQL value of a Swift value.
    public init(_ value: some ValueConvertible) { self = value.sqlValue }
}
