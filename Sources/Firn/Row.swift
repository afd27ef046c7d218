// SPDX-License-Identifier: Apache-2.0
//
// Rows of a result as Swift values: what a program reads when it asks for a few rows, not for millions.

/// A type that a field of a result can be read as.
public protocol RowValue: Sendable {
    /// Reads a value of the given SQL type; nil where the type has no such reading. Never called for NULL.
    static func read(_ value: Value, type: DataType) -> Self?
}

/// One row of a result.
public struct Row: Sendable {
    let columns: [ResultColumn]
    let batch: ColumnBatch
    let index: Int

    /// The value of a column, by position.
    public subscript(position: Int) -> Value { batch.columns[position][index] }

    /// The value of a column, by name; NULL where there is no such column.
    public subscript(name: String) -> Value {
        columns.firstIndex { $0.name == name }.map { self[$0] } ?? .null
    }

    /// The value of a column as a Swift type; nil where it is NULL.
    ///
    /// Throws 42703 where there is no such column, 42804 where its type cannot be read so.
    public func get<T: RowValue>(_ name: String, as type: T.Type = T.self) throws(FirnError) -> T? {
        guard let position = columns.firstIndex(where: { $0.name == name }) else {
            throw FirnError(.undefinedColumn, "the result has no column \"\(name)\"")
        }
        return try get(position, as: type)
    }

    /// The value of a column as a Swift type; nil where it is NULL.
    public func get<T: RowValue>(_ position: Int, as type: T.Type = T.self) throws(FirnError) -> T? {
        let value = self[position]
        if value.isNull { return nil }
        guard let result = T.read(value, type: columns[position].type) else {
            throw FirnError(
                .datatypeMismatch,
                "column \"\(columns[position].name)\" of type \(columns[position].type) cannot be read as \(T.self)")
        }
        return result
    }

    func decode<T: RowValue>(_ position: Int, as type: T.Type) throws(FirnError) -> T {
        if let optional = type as? any OptionalRowValue.Type, self[position].isNull {
            return optional.null as! T
        }
        guard let value = try get(position, as: type) else {
            throw FirnError(
                .notNullViolation, "column \"\(columns[position].name)\" is NULL",
                hint: "Read it as \(T.self)?.")
        }
        return value
    }
}

/// Optionals take NULL as nil.
private protocol OptionalRowValue { static var null: Any { get } }

extension Optional: OptionalRowValue {
    fileprivate static var null: Any { Self.none as Any }
}

extension Optional: RowValue where Wrapped: RowValue {
    public static func read(_ value: Value, type: DataType) -> Wrapped?? { Wrapped.read(value, type: type).map { $0 } }
}

extension Bool: RowValue {
    public static func read(_ value: Value, type: DataType) -> Bool? {
        if case .boolean(let value) = value { value } else { nil }
    }
}

extension Int64: RowValue {
    public static func read(_ value: Value, type: DataType) -> Int64? {
        if case .integer(let value) = value { value } else { nil }
    }
}

extension Int: RowValue {
    public static func read(_ value: Value, type: DataType) -> Int? { Int64.read(value, type: type).map(Int.init) }
}

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
}

extension Float: RowValue {
    public static func read(_ value: Value, type: DataType) -> Float? {
        if case .float(let value) = value { value } else { nil }
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
}

extension String: RowValue {
    /// TEXT and JSONB.
    public static func read(_ value: Value, type: DataType) -> String? {
        if case .text(let value) = value { value } else { nil }
    }
}

extension UInt128: RowValue {
    /// UUID.
    public static func read(_ value: Value, type: DataType) -> UInt128? {
        if case .uuid(let value) = value { value } else { nil }
    }
}

extension Interval: RowValue {
    public static func read(_ value: Value, type: DataType) -> Interval? {
        if case .interval(let value) = value { value } else { nil }
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
}
