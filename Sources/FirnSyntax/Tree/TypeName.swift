// SPDX-License-Identifier: Apache-2.0
//
// A type as SQL text names it.
//
// The many spellings of one built-in type are folded into one canonical name, so that the binder has
// a short table: bool -> boolean, int2 -> smallint, int and int4 -> integer, int8 -> bigint, float4 and
// float(1...24) -> real, float, float8, double and float(25...53) -> double precision, decimal and dec ->
// numeric, string -> text, character varying -> varchar, char -> character, timestamp with time zone -> timestamptz,
// timestamp without time zone -> timestamp, time with time zone -> timetz.

/// A type name with its modifiers.
public struct TypeName: Hashable, Sendable {
    /// The name; a single part holds the canonical name of a built-in type. Schema `pg_catalog` is dropped.
    public var name: QualifiedName
    /// Numbers in parentheses: precision and scale, length, dimensions. Empty when none were written.
    public var modifiers: [Int]
    /// `INTERVAL`'s field restriction, as in `INTERVAL DAY TO SECOND`.
    public var intervalFields: IntervalFields?
    /// Number of array dimensions: 0 for a plain type, 1 for `integer[]`.
    public var arrayDimensionCount: Int
    /// Where it stands.
    @NotCompared public var range: SourceRange

    /// Makes one from its parts.
    public init(
        _ name: QualifiedName, modifiers: [Int] = [], intervalFields: IntervalFields? = nil,
        arrayDimensionCount: Int = 0, range: SourceRange = .unknown
    ) {
        self.name = name
        self.modifiers = modifiers
        self.intervalFields = intervalFields
        self.arrayDimensionCount = arrayDimensionCount
        self.range = range
    }

    /// The canonical name, such as `timestamptz`, `double precision`, `bigint` or `vector`, without schema.
    public var canonicalName: String { name.name }
    /// Whether it is an array type.
    public var isArray: Bool { arrayDimensionCount > 0 }
}

/// The fields that an `INTERVAL` type or literal is restricted to.
public enum IntervalFields: String, Hashable, Sendable, CaseIterable {
    case year
    case month
    case day
    case hour
    case minute
    case second
    case yearToMonth = "year to month"
    case dayToHour = "day to hour"
    case dayToMinute = "day to minute"
    case dayToSecond = "day to second"
    case hourToMinute = "hour to minute"
    case hourToSecond = "hour to second"
    case minuteToSecond = "minute to second"
}
