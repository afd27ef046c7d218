// SPDX-License-Identifier: Apache-2.0
//
// What the declaration of a column's type says beyond the type: VARCHAR(10), CHAR(3), TIMESTAMP(0), INTERVAL DAY TO
// SECOND(3).
//
// The modifier does not change how values are held; it limits which ones the column takes. (Precision and scale of
// NUMERIC, the unit of TIMESTAMP(9) and the dimensions of a vector are parts of the type itself: values are held by
// them.)

/// A limit on the values of a column beyond its type.
public enum TypeModifier: Sendable, Hashable {
    /// VARCHAR(n) and CHAR(n): most characters, 1 to 10,485,760.
    case length(Int)
    /// TIMESTAMP(p) and TIMESTAMPTZ(p): digits of a second behind the point, 0 to 6 (7 and 8 of those in nanoseconds).
    case fractionalDigits(Int)
    /// INTERVAL with fields, or digits of its seconds, 0 to 6.
    case interval(IntervalFields, fractionalDigits: Int?)

    /// Most characters that VARCHAR and CHAR may be declared with, as in PostgreSQL.
    public static let lengthMax = 10_485_760

    /// Whether a column of the type may have the modifier.
    func fits(_ type: DataType) -> Bool {
        switch (self, type) {
        case (.length(let length), .text), (.length(let length), .character): (1...Self.lengthMax).contains(length)
        case (.fractionalDigits(let digits), .timestamp(let unit)),
            (.fractionalDigits(let digits), .timestamptz(let unit)):
            unit == .microseconds ? (0...6).contains(digits) : (7...8).contains(digits)
        case (.interval(let fields, let digits), .interval):
            digits.map { (0...6).contains($0) } ?? (fields != .all)
        default: false
        }
    }
}

extension DataType {
    /// The name as SQL writes it for a column with the modifier, for example `character varying(10)`,
    /// `timestamp(3) with time zone` or `interval day to second(2)`.
    public func name(with modifier: TypeModifier?) -> String {
        switch (self, modifier) {
        case (.text, .length(let length)?): "character varying(\(length))"
        case (.character, .length(let length)?): "character(\(length))"
        case (.timestamptz, .fractionalDigits(let digits)?): "timestamp(\(digits)) with time zone"
        case (.timestamp, .fractionalDigits(let digits)?): "timestamp(\(digits)) without time zone"
        case (.interval, .interval(let fields, let digits)?):
            "interval" + (fields == .all ? "" : " \(fields.name)") + (digits.map { "(\($0))" } ?? "")
        default: name
        }
    }
}

extension ColumnDefinition {
    /// The type with its modifier, as SQL writes it.
    public var typeName: String { type.name(with: modifier) }
}

extension IntervalFields {
    /// The fields as SQL writes them.
    var name: String {
        switch self {
        case .all: ""
        case .year: "year"
        case .month: "month"
        case .day: "day"
        case .hour: "hour"
        case .minute: "minute"
        case .second: "second"
        case .yearToMonth: "year to month"
        case .dayToHour: "day to hour"
        case .dayToMinute: "day to minute"
        case .dayToSecond: "day to second"
        case .hourToMinute: "hour to minute"
        case .hourToSecond: "hour to second"
        case .minuteToSecond: "minute to second"
        }
    }
}
