// SPDX-License-Identifier: Apache-2.0
//
// Making columns from Swift arrays and reading single rows: the comfortable, not the fast way.

/// One value of any SQL type, as parameters, defaults and single rows carry it.
public enum Value: Sendable, Hashable {
    /// NULL of any type.
    case null
    /// BOOLEAN.
    case boolean(Bool)
    /// SMALLINT, INTEGER, BIGINT; TIMESTAMPTZ and TIMESTAMP in the unit of the type; DATE in days since 1970-01-01.
    case integer(Int64)
    /// REAL.
    case float(Float)
    /// DOUBLE PRECISION.
    case double(Double)
    /// NUMERIC.
    case decimal(Decimal)
    /// TEXT and JSONB.
    case text(String)
    /// BYTEA.
    case bytes([UInt8])
    /// UUID, most significant byte first.
    case uuid(UInt128)
    /// INTERVAL.
    case interval(Interval)
    /// VECTOR.
    case vector([Float])

    /// True for NULL.
    // Not `self == .null`: Swift 6.3 debug builds compare through a copy that is aligned to 8 bytes as if it were to 16.
    public var isNull: Bool { if case .null = self { true } else { false } }
}

extension Value {
    /// Bytes on the heap, about: those of a value that does not fit its own place.
    var heldBytes: Int {
        switch self {
        case .text(let text): text.utf8.count > 15 ? text.utf8.count + 32 : 0
        case .bytes(let bytes): bytes.isEmpty ? 0 : bytes.count + 32
        case .vector(let values): values.isEmpty ? 0 : values.count * 4 + 32
        default: 0
        }
    }
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

    /// Hashes as `==` compares.
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
    /// The value of one row, which must be below `count`, as with an array. Meant for single rows, not for loops.
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
            self = Column(type: type, values: .dictionary(codes, BytesDictionary(distinct: one.bytesValues!)))
            return
        }
        var builder = ColumnBuilder(type: type, capacity: count)
        for _ in 0..<count { builder.append(value) }
        self = builder.finish()
    }

    /// Longer texts are not written out for each row.
    private static let repeatedBytesMax = 256

    /// Values of which each is NULL or has the physical form of `type`: the caller has made sure.
    init(_ values: [Value], type: DataType) {
        var builder = ColumnBuilder(type: type, capacity: values.count)
        for value in values { builder.append(value) }
        self = builder.finish()
    }

    /// Values of any type, some of them NULL. O(values), and slower than the makers by type.
    ///
    /// - Throws: 42804 for a value that `type` does not hold as it is: 1 is no DOUBLE PRECISION, 1.0 is. 22P02 for text that is no
    ///   JSON where `type` is JSONB.
    public init(_ values: some Collection<Value>, type: DataType) throws(FirnError) {
        try Column.check(type)
        var builder = ColumnBuilder(type: type, capacity: values.count)
        for (row, value) in values.enumerated() {
            guard type.holds(value) else {
                throw FirnError(
                    .datatypeMismatch, "row \(row + 1): a column of type \(type) cannot hold \(value.kindText)")
            }
            guard type == .jsonb, case .text(let text) = value else {
                builder.append(value)
                continue
            }
            do throws(ValueError) {
                builder.append(.text(try JSONText.canonical(text)))
            } catch {
                var located = FirnError(error)
                located.message = "row \(row + 1): \(error.message)"
                throw located
            }
        }
        self = builder.finish()
    }
}

extension DataType {
    /// Whether a column of this type holds the value as it is.
    func holds(_ value: Value) -> Bool {
        switch (value, physical) {
        case (.null, _), (.boolean, .boolean), (.integer, .integer), (.float, .float), (.double, .double),
            (.decimal, .decimal), (.uuid, .uuid), (.interval, .interval):
            true
        case (.text, .bytes): self != .bytea
        case (.bytes, .bytes): self == .bytea
        case (.vector(let values), .vector): self == .vector(values.count)
        default: false
        }
    }
}

extension Value {
    /// What a value is, in an error's words.
    var kindText: String {
        switch self {
        case .null: "NULL"
        case .boolean: "a boolean"
        case .integer: "an integer"
        case .float: "a real"
        case .double: "a double precision number"
        case .decimal: "a numeric"
        case .text: "text"
        case .bytes: "bytes"
        case .uuid: "a uuid"
        case .interval: "an interval"
        case .vector(let values): "a vector of \(values.count) values"
        }
    }
}

// The makers by type. One without a validity cannot fail; one with it throws 22023 where the validity has not a bit for
// each value.
extension Column {
    /// The type can be a column's.
    private static func check(_ type: DataType) throws(FirnError) {
        switch type {
        case .unknown: throw FirnError(.indeterminateDatatype, "a column needs a type other than unknown")
        case .vector(let dimensions) where !(1...DataType.vectorDimensionsMax).contains(dimensions):
            throw FirnError(
                .invalidParameterValue,
                "dimensions for type vector must be between 1 and \(DataType.vectorDimensionsMax)")
        default: break
        }
    }

    private init(checked type: DataType, _ values: Values, _ validity: Bitmap?) throws(FirnError) {
        if let validity, validity.count != values.count {
            throw FirnError(
                .invalidParameterValue, "a validity of \(validity.count) bits does not fit \(values.count) values",
                hint: "The validity has a bit for each row: 1 where it is not NULL.")
        }
        self.init(type: type, values: values, validity: validity)
    }

    /// BOOLEAN values.
    public static func booleans(_ values: [Bool]) -> Column { Column(type: .boolean, values: .boolean(values)) }
    /// BOOLEAN values, NULL where the validity is 0.
    public static func booleans(_ values: [Bool], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .boolean, .boolean(values), validity)
    }

    /// BIGINT values.
    public static func integers(_ values: [Int64]) -> Column { Column(type: .bigint, values: .integer(values)) }
    /// SMALLINT, INTEGER or BIGINT values. Their range is checked when they are appended to a table.
    ///
    /// - Throws: 42804 for another type.
    public static func integers(
        _ values: [Int64], type: DataType = .bigint, validity: Bitmap? = nil
    ) throws(FirnError) -> Column {
        guard type.isInteger else {
            throw FirnError(
                .datatypeMismatch, "integers are smallint, integer or bigint, not \(type)",
                hint: "Call times(_:type:) for the time types.")
        }
        return try Column(checked: type, .integer(values), validity)
    }

    /// REAL values.
    public static func floats(_ values: [Float]) -> Column { Column(type: .real, values: .float(values)) }
    /// REAL values, NULL where the validity is 0.
    public static func floats(_ values: [Float], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .real, .float(values), validity)
    }

    /// DOUBLE PRECISION values.
    public static func doubles(_ values: [Double]) -> Column { Column(type: .double, values: .double(values)) }
    /// DOUBLE PRECISION values, NULL where the validity is 0.
    public static func doubles(_ values: [Double], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .double, .double(values), validity)
    }

    /// NUMERIC values.
    public static func decimals(_ values: [Decimal]) -> Column {
        Column(type: .numeric(precision: nil, scale: nil), values: .decimal(DecimalValues(values)))
    }
    /// NUMERIC values, NULL where the validity is 0.
    public static func decimals(_ values: [Decimal], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .numeric(precision: nil, scale: nil), .decimal(DecimalValues(values)), validity)
    }

    /// TIMESTAMPTZ values in microseconds since 1970-01-01T00:00:00Z (`Int64.min` and `.max` are -infinity and infinity).
    public static func timestamps(microseconds values: [Int64]) -> Column {
        Column(type: .timestamptz(.microseconds), values: .integer(values))
    }
    /// TIMESTAMPTZ values in microseconds, NULL where the validity is 0.
    public static func timestamps(microseconds values: [Int64], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .timestamptz(.microseconds), .integer(values), validity)
    }
    /// TIMESTAMPTZ values.
    public static func timestamps(_ values: [Timestamp]) -> Column {
        timestamps(microseconds: values.map(\.microseconds))
    }

    /// Values counted in the unit of a time type: TIMESTAMPTZ, TIMESTAMP or DATE.
    ///
    /// - Throws: 42804 for another type.
    public static func times(
        _ values: [Int64], type: DataType, validity: Bitmap? = nil
    ) throws(FirnError) -> Column {
        guard type.isTimestamp || type == .date else {
            throw FirnError(
                .datatypeMismatch, "times are of a timestamp type or date, not \(type)",
                hint: "Call integers(_:type:) for the integer types.")
        }
        return try Column(checked: type, .integer(values), validity)
    }

    /// TEXT values.
    public static func text(_ values: [String]) -> Column { Column(type: .text, values: .bytes(BytesValues(values))) }
    /// TEXT values, NULL where the validity is 0.
    public static func text(_ values: [String], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .text, .bytes(BytesValues(values)), validity)
    }

    /// TEXT values that are already laid end to end. That they are UTF-8 is checked when they are appended to a table.
    public static func text(_ values: BytesValues) -> Column { Column(type: .text, values: .bytes(values)) }
    /// TEXT values that are already laid end to end, NULL where the validity is 0.
    public static func text(_ values: BytesValues, validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .text, .bytes(values), validity)
    }

    /// TEXT values by code: the fast way for tags.
    ///
    /// - Throws: 22023 for a code that is not below `dictionary.count`, that of a NULL row included.
    public static func text(
        codes: [UInt32], dictionary: BytesDictionary, validity: Bitmap? = nil
    ) throws(FirnError) -> Column {
        if let odd = codes.firstIndex(where: { $0 >= dictionary.count }) {
            throw FirnError(
                .invalidParameterValue,
                "row \(odd + 1): code \(codes[odd]) is not below the \(dictionary.count) values of the dictionary")
        }
        return try Column(checked: .text, .dictionary(codes, dictionary), validity)
    }

    /// UUIDs as 128-bit numbers, most significant byte first.
    public static func uuids(_ values: [UInt128]) -> Column { Column(type: .uuid, values: .uuid(values)) }
    /// UUIDs as 128-bit numbers, NULL where the validity is 0.
    public static func uuids(_ values: [UInt128], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .uuid, .uuid(values), validity)
    }

    /// INTERVAL values.
    public static func intervals(_ values: [Interval]) -> Column { Column(type: .interval, values: .interval(values)) }
    /// INTERVAL values, NULL where the validity is 0.
    public static func intervals(_ values: [Interval], validity: Bitmap?) throws(FirnError) -> Column {
        try Column(checked: .interval, .interval(values), validity)
    }

    /// VECTOR(dimensions) values, row after row.
    ///
    /// - Throws: 22023 where `values` are not whole vectors of at least one dimension.
    public static func vectors(
        _ values: [Float], dimensions: Int, validity: Bitmap? = nil
    ) throws(FirnError) -> Column {
        try check(.vector(dimensions))
        guard values.count % dimensions == 0 else {
            throw FirnError(
                .invalidParameterValue, "\(values.count) values are no whole vectors of \(dimensions) dimensions")
        }
        return try Column(checked: .vector(dimensions), .vector(values, dimensions: dimensions), validity)
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
