// SPDX-License-Identifier: Apache-2.0
//
// The SQL types of columns and expressions, and the physical form in which a column holds each.

/// The unit in which a time column counts from 1970-01-01T00:00:00Z.
public enum TimeUnit: UInt8, Hashable, Sendable {
    /// TIMESTAMPTZ and TIMESTAMP: 4713 BC to 294246-12-31.
    case microseconds
    /// TIMESTAMPTZ(9) and TIMESTAMP(9): 1677-09-21 to 2262-04-11.
    case nanoseconds
}

/// A SQL type.
public enum DataType: Hashable, Sendable {
    /// True or false.
    case boolean
    /// 16-bit range, held as Int64.
    case smallint
    /// 32-bit range, held as Int64.
    case integer
    /// 64-bit range.
    case bigint
    /// IEEE-754 binary32.
    case real
    /// IEEE-754 binary64.
    case double
    /// Exact decimal of at most 38 digits. Without a precision every value keeps the scale it came with.
    case numeric(precision: Int?, scale: Int?)
    /// UTF-8, ordered by its bytes (the C collation).
    case text
    /// CHAR(n), PostgreSQL's `bpchar`: text padded with blanks, which count for nothing in comparisons.
    case character
    /// 16 bytes.
    case uuid
    /// An instant.
    case timestamptz(TimeUnit)
    /// A date and time of day without a zone.
    case timestamp(TimeUnit)
    /// Days since 1970-01-01, held as Int64.
    case date
    /// Months, days and microseconds.
    case interval
    /// Validated JSON, held as PostgreSQL's canonical text.
    case jsonb
    /// Any bytes.
    case bytea
    /// A vector of this many Float32.
    case vector(Int)
    /// The type of a bare NULL or of a string literal whose use has not decided its type yet. Never a column's.
    case unknown

    /// How a column holds its values in memory.
    enum Physical: UInt8, Hashable, Sendable {
        case boolean, integer, float, double, decimal, bytes, uuid, interval, vector
    }

    var physical: Physical {
        switch self {
        case .boolean: .boolean
        case .smallint, .integer, .bigint, .timestamptz, .timestamp, .date: .integer
        case .real: .float
        case .double: .double
        case .numeric: .decimal
        case .text, .character, .jsonb, .bytea, .unknown: .bytes
        case .uuid: .uuid
        case .interval: .interval
        case .vector: .vector
        }
    }

    /// The name as SQL writes it, for example `numeric(10,2)` or `timestamp with time zone`.
    public var name: String {
        switch self {
        case .boolean: "boolean"
        case .smallint: "smallint"
        case .integer: "integer"
        case .bigint: "bigint"
        case .real: "real"
        case .double: "double precision"
        case .numeric(let precision?, let scale): "numeric(\(precision),\(scale ?? 0))"
        case .numeric: "numeric"
        case .text: "text"
        case .character: "character"
        case .uuid: "uuid"
        case .timestamptz(.microseconds): "timestamp with time zone"
        case .timestamptz(.nanoseconds): "timestamp(9) with time zone"
        case .timestamp(.microseconds): "timestamp without time zone"
        case .timestamp(.nanoseconds): "timestamp(9) without time zone"
        case .date: "date"
        case .interval: "interval"
        case .jsonb: "jsonb"
        case .bytea: "bytea"
        case .vector(let dimensions): "vector(\(dimensions))"
        case .unknown: "unknown"
        }
    }

    /// True for SMALLINT, INTEGER and BIGINT.
    public var isInteger: Bool { integerRange != nil }

    /// True for REAL and DOUBLE PRECISION.
    var isFloatingPoint: Bool { self == .real || self == .double }

    /// True for every number type.
    public var isNumber: Bool {
        switch self {
        case .smallint, .integer, .bigint, .real, .double, .numeric: true
        default: false
        }
    }

    /// True for TIMESTAMPTZ and TIMESTAMP in either unit: the types by which a hypertable may be chunked.
    public var isTimestamp: Bool {
        switch self {
        case .timestamptz, .timestamp: true
        default: false
        }
    }

    /// True for TIMESTAMPTZ and TIMESTAMP in nanoseconds.
    var isNanoseconds: Bool {
        switch self {
        case .timestamptz(.nanoseconds), .timestamp(.nanoseconds): true
        default: false
        }
    }

    /// A time of a column of this type in microseconds, rounded down; the infinities stay.
    func microseconds(of value: Int64) -> Int64 {
        guard isNanoseconds, value != .min, value != .max else { return value }
        return value.flooredQuotient(1_000)
    }

    /// The values that an integer type takes; nil for other types.
    public var integerRange: ClosedRange<Int64>? {
        switch self {
        case .smallint: Int64(Int16.min)...Int64(Int16.max)
        case .integer: Int64(Int32.min)...Int64(Int32.max)
        case .bigint: Int64.min...Int64.max
        default: nil
        }
    }
}

extension DataType: CustomStringConvertible {
    /// The name as SQL writes it.
    public var description: String { name }
}
