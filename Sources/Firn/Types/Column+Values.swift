// SPDX-License-Identifier: Apache-2.0
//
// Making columns from Swift arrays and reading single rows: the comfortable, not the fast way.

/// One value of any SQL type, as parameters, defaults and single rows carry it.
public enum Value: Sendable, Hashable {
    case null
    case boolean(Bool)
    /// SMALLINT, INTEGER, BIGINT; TIMESTAMPTZ and TIMESTAMP in the unit of the type; DATE in days since 1970-01-01.
    case integer(Int64)
    case float(Float)
    case double(Double)
    case decimal(Decimal)
    /// TEXT and JSONB.
    case text(String)
    /// BYTEA.
    case bytes([UInt8])
    case uuid(UInt128)
    case interval(Interval)
    case vector([Float])

    /// True for NULL.
    // Not `self == .null`: Swift 6.3 debug builds compare through a copy that is aligned to 8 bytes as if it were to 16.
    public var isNull: Bool { if case .null = self { true } else { false } }
}

// Text is what its bytes are. Swift's strings are equal where Unicode holds them canonically equivalent, SQL's are not.
extension Value {
    /// Whether both are the same value of the same case. Text by its bytes, numbers as Swift compares them: NaN is
    /// unequal to itself, -0.0 equals 0.0, and 1.0 equals 1.00. O(length).
    public static func == (left: Value, right: Value) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.boolean(let left), .boolean(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.float(let left), .float(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.decimal(let left), .decimal(let right)): left == right
        case (.text(let left), .text(let right)):
            left.utf8.count == right.utf8.count && left.utf8.elementsEqual(right.utf8)
        case (.bytes(let left), .bytes(let right)): left == right
        case (.uuid(let left), .uuid(let right)): left == right
        case (.interval(let left), .interval(let right)): left == right
        case (.vector(let left), .vector(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .boolean(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(value)
        case .float(let value): hasher.combine(value)
        case .double(let value): hasher.combine(value)
        case .decimal(let value): hasher.combine(value)
        case .text(let value): for byte in value.utf8 { hasher.combine(byte) }
        case .bytes(let value): hasher.combine(value)
        case .uuid(let value): hasher.combine(value)
        case .interval(let value): hasher.combine(value)
        case .vector(let value): hasher.combine(value)
        }
    }

    /// Whether nothing tells the two apart, where `==` takes 1.5 for 1.50, 1 month for 30 days and -0.0 for 0.0.
    public func isIdentical(to other: Value) -> Bool {
        switch (self, other) {
        case (.float(let left), .float(let right)): left.bitPattern == right.bitPattern
        case (.double(let left), .double(let right)): left.bitPattern == right.bitPattern
        case (.decimal(let left), .decimal(let right)): left.isIdentical(to: right)
        case (.interval(let left), .interval(let right)): left.isIdentical(to: right)
        case (.vector(let left), .vector(let right)): left.map(\.bitPattern) == right.map(\.bitPattern)
        default: self == other
        }
    }
}

extension Column {
    /// The value of one row. Meant for single rows, not for loops over many.
    public subscript(row: Int) -> Value {
        if isNull(row) { return .null }
        switch values {
        case .boolean(let values): return .boolean(values[row])
        case .integer(let values): return .integer(values[row])
        case .float(let values): return .float(values[row])
        case .double(let values): return .double(values[row])
        case .decimal(let values): return .decimal(values[row])
        case .bytes(let values): return Column.value(of: values[row], as: type)
        case .dictionary(let codes, let dictionary):
            return Column.value(of: dictionary.values[Int(codes[row])], as: type)
        case .uuid(let values): return .uuid(values[row])
        case .interval(let values): return .interval(values[row])
        case .vector(let values, let dimensions):
            return .vector(Array(values[row * dimensions..<(row + 1) * dimensions]))
        }
    }

    private static func value(of bytes: ArraySlice<UInt8>, as type: DataType) -> Value {
        type == .bytea ? .bytes(Array(bytes)) : .text(String(decoding: bytes, as: UTF8.self))
    }

    /// A column of one value over and over.
    ///
    /// A long text is there once, however many rows it has.
    init(repeating value: Value, type: DataType, count: Int) {
        let byteCount =
            switch value {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            default: 0
            }
        if count > 1, byteCount > Self.repeatedBytesMax, type.physical == .bytes {
            let one = Column(repeating: value, type: type, count: 1)
            let codes = [UInt32](repeating: 0, count: count)
            self = Column(type: type, values: .dictionary(codes, BytesDictionary(one.bytesValues!)))
            return
        }
        var builder = ColumnBuilder(type: type, capacity: count)
        for _ in 0..<count { builder.append(value) }
        self = builder.finish()
    }

    /// Longer texts are not written out for each row.
    private static let repeatedBytesMax = 256

    /// Values of any type; each must be NULL or have the physical form of `type`.
    public init(_ values: [Value], type: DataType) {
        var builder = ColumnBuilder(type: type, capacity: values.count)
        for value in values { builder.append(value) }
        self = builder.finish()
    }

    /// BOOLEAN values.
    public static func booleans(_ values: [Bool], validity: Bitmap? = nil) -> Column {
        Column(type: .boolean, values: .boolean(values), validity: validity)
    }

    /// Integers of SMALLINT, INTEGER or BIGINT. Their range is checked when they are appended to a table.
    public static func integers(_ values: [Int64], type: DataType = .bigint, validity: Bitmap? = nil) -> Column {
        precondition(type.isInteger, "integers are SMALLINT, INTEGER or BIGINT")
        return Column(type: type, values: .integer(values), validity: validity)
    }

    /// REAL values.
    public static func floats(_ values: [Float], validity: Bitmap? = nil) -> Column {
        Column(type: .real, values: .float(values), validity: validity)
    }

    /// DOUBLE PRECISION values.
    public static func doubles(_ values: [Double], validity: Bitmap? = nil) -> Column {
        Column(type: .double, values: .double(values), validity: validity)
    }

    /// NUMERIC values.
    public static func decimals(_ values: [Decimal], validity: Bitmap? = nil) -> Column {
        Column(type: .numeric(precision: nil, scale: nil), values: .decimal(DecimalValues(values)), validity: validity)
    }

    /// TIMESTAMPTZ values in microseconds since 1970-01-01T00:00:00Z (`Int64.min` and `.max` are -infinity and infinity).
    public static func timestamps(microseconds values: [Int64], validity: Bitmap? = nil) -> Column {
        Column(type: .timestamptz(.microseconds), values: .integer(values), validity: validity)
    }

    /// Values counted in the unit of a time type: TIMESTAMPTZ, TIMESTAMP or DATE.
    public static func times(_ values: [Int64], type: DataType, validity: Bitmap? = nil) -> Column {
        precondition(type.isTimestamp || type == .date, "times are TIMESTAMPTZ, TIMESTAMP or DATE")
        return Column(type: type, values: .integer(values), validity: validity)
    }

    /// TEXT values.
    public static func text(_ values: [String], validity: Bitmap? = nil) -> Column {
        Column(type: .text, values: .bytes(BytesValues(values)), validity: validity)
    }

    /// TEXT values that are already laid end to end; they must be UTF-8.
    public static func text(_ values: BytesValues, validity: Bitmap? = nil) -> Column {
        Column(type: .text, values: .bytes(values), validity: validity)
    }

    /// TEXT values by code: the fast way for tags. Every code must be below `dictionary.count`.
    public static func text(codes: [UInt32], dictionary: BytesDictionary, validity: Bitmap? = nil) -> Column {
        precondition(codes.allSatisfy { $0 < dictionary.count }, "codes are within the dictionary")
        return Column(type: .text, values: .dictionary(codes, dictionary), validity: validity)
    }

    /// UUIDs as 128-bit numbers, most significant byte first.
    public static func uuids(_ values: [UInt128], validity: Bitmap? = nil) -> Column {
        Column(type: .uuid, values: .uuid(values), validity: validity)
    }

    /// INTERVAL values.
    public static func intervals(_ values: [Interval], validity: Bitmap? = nil) -> Column {
        Column(type: .interval, values: .interval(values), validity: validity)
    }

    /// VECTOR(dimensions) values, row after row.
    public static func vectors(_ values: [Float], dimensions: Int, validity: Bitmap? = nil) -> Column {
        precondition(dimensions > 0 && values.count % dimensions == 0, "whole vectors of \(dimensions) values")
        return Column(type: .vector(dimensions), values: .vector(values, dimensions: dimensions), validity: validity)
    }
}

extension Column {
    /// The integers of an integer or time column, NULL rows included as they lie; nil for other types.
    public var integerValues: [Int64]? { if case .integer(let values) = values { values } else { nil } }
    /// The values of a DOUBLE PRECISION column; nil for other types.
    public var doubleValues: [Double]? { if case .double(let values) = values { values } else { nil } }
    /// The values of a REAL column; nil for other types.
    public var floatValues: [Float]? { if case .float(let values) = values { values } else { nil } }
    /// The values of a BOOLEAN column; nil for other types.
    public var booleanValues: [Bool]? { if case .boolean(let values) = values { values } else { nil } }
    /// The values of a UUID column; nil for other types.
    public var uuidValues: [UInt128]? { if case .uuid(let values) = values { values } else { nil } }
    /// The values of an INTERVAL column; nil for other types.
    public var intervalValues: [Interval]? { if case .interval(let values) = values { values } else { nil } }
    /// The codes and dictionary of a dictionary-coded text column; nil for others.
    public var dictionaryValues: (codes: [UInt32], dictionary: BytesDictionary)? {
        if case .dictionary(let codes, let dictionary) = values { (codes, dictionary) } else { nil }
    }
    /// The bytes of a TEXT, JSONB or BYTEA column, decoded from its dictionary where it has one; nil for other types.
    public var bytesValues: BytesValues? {
        switch values {
        case .bytes(let values): values
        case .dictionary(let codes, let dictionary): dictionary.values.gather(codes.map { Int32(bitPattern: $0) })
        default: nil
        }
    }
    /// The values of a NUMERIC column; nil for other types. O(rows).
    public var decimalValues: [Decimal]? {
        if case .decimal(let values) = values { (0..<values.count).map { values[$0] } } else { nil }
    }
}
