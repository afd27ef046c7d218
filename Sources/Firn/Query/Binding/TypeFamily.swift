// SPDX-License-Identifier: Apache-2.0
//
// Types without their modifiers: what overloads are declared over and what the coercion rules speak of.

/// A SQL type without precision, unit or dimensions.
enum TypeFamily: UInt8, Hashable, Sendable {
    case boolean, smallint, integer, bigint, real, double, numeric, text, character, uuid
    case timestamptz, timestamp, date, interval, jsonb, bytea, vector
    /// A bare NULL or string literal.
    case unknown

    /// PostgreSQL's type categories.
    enum Category: Hashable, Sendable {
        case boolean, number, string, dateTime, timeSpan, other, unknown
    }

    var category: Category {
        switch self {
        case .boolean: .boolean
        case .smallint, .integer, .bigint, .real, .double, .numeric: .number
        case .text, .character: .string
        case .timestamptz, .timestamp, .date: .dateTime
        case .interval: .timeSpan
        case .uuid, .jsonb, .bytea, .vector: .other
        case .unknown: .unknown
        }
    }

    /// The type of its category that is taken when several would do.
    var isPreferred: Bool {
        switch self {
        case .boolean, .double, .text, .timestamptz, .interval: true
        default: false
        }
    }

    /// The type of this family without modifiers and in microseconds.
    var type: DataType {
        switch self {
        case .boolean: .boolean
        case .smallint: .smallint
        case .integer: .integer
        case .bigint: .bigint
        case .real: .real
        case .double: .double
        case .numeric: .numeric(precision: nil, scale: nil)
        case .text: .text
        case .character: .character
        case .uuid: .uuid
        case .timestamptz: .timestamptz(.microseconds)
        case .timestamp: .timestamp(.microseconds)
        case .date: .date
        case .interval: .interval
        case .jsonb: .jsonb
        case .bytea: .bytea
        case .vector: .vector(0)
        case .unknown: .unknown
        }
    }
}

extension DataType {
    var family: TypeFamily {
        switch self {
        case .boolean: .boolean
        case .smallint: .smallint
        case .integer: .integer
        case .bigint: .bigint
        case .real: .real
        case .double: .double
        case .numeric: .numeric
        case .text: .text
        case .character: .character
        case .uuid: .uuid
        case .timestamptz: .timestamptz
        case .timestamp: .timestamp
        case .date: .date
        case .interval: .interval
        case .jsonb: .jsonb
        case .bytea: .bytea
        case .vector: .vector
        case .unknown: .unknown
        }
    }

    /// The name without modifiers, as PostgreSQL's messages give it: `numeric`, not `numeric(10,2)`.
    var familyName: String {
        switch self {
        case .vector: "vector"
        default: family.type.name
        }
    }

    /// The type without what a declaration may add to it: `numeric` for `numeric(10,2)`. Units and dimensions stay.
    var withoutModifiers: DataType {
        switch self {
        case .numeric: .numeric
        default: self
        }
    }

    /// NUMERIC without a precision.
    static let numeric = DataType.numeric(precision: nil, scale: nil)
    /// TIMESTAMPTZ in microseconds.
    static let timestamptz = DataType.timestamptz(.microseconds)
    /// TIMESTAMP in microseconds.
    static let timestamp = DataType.timestamp(.microseconds)
}
