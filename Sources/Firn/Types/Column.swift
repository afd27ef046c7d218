// SPDX-License-Identifier: Apache-2.0
//
// A column of values of one SQL type, with validity: what batches are made of, in and out.
//
// The values lie in one contiguous array of their physical form. A NULL has a bit 0 in the validity bitmap
// and any value in the array. Columns are immutable values; copies share storage.

/// Values of one SQL type in contiguous memory, some of which may be NULL.
///
/// Thread-safe: a column never changes after it was made.
public struct Column: Sendable {
    /// The SQL type.
    public let type: DataType
    /// Number of rows.
    public let count: Int
    private let storage: Storage
    /// Bit i is 1 where row i is not NULL; nil when no row is NULL.
    public let validity: Bitmap?

    private enum Storage: Sendable {
        case written(Values)
        case stepped(SteppedValues)
    }

    /// The values in their physical form; those of NULL rows mean nothing. Progressions are written out at the first
    /// call.
    var values: Values {
        switch storage {
        case .written(let values): values
        case .stepped(let stepped): stepped.values()
        }
    }

    /// The values as progressions; nil where they are only known one by one.
    var stepped: SteppedValues? {
        if case .stepped(let stepped) = storage { stepped } else { nil }
    }

    /// The physical forms, one for each `DataType.Physical`, and dictionary codes for `bytes`.
    enum Values: Sendable {
        case boolean([Bool])
        case integer([Int64])
        case float([Float])
        case double([Double])
        case decimal(DecimalValues)
        case bytes(BytesValues)
        /// Text by code. Every code is below the dictionary's count, those of NULL rows too.
        case dictionary([UInt32], BytesDictionary)
        case uuid([UInt128])
        case interval([Interval])
        /// `dimensions` floats a row.
        case vector([Float], dimensions: Int)

        var count: Int {
            switch self {
            case .boolean(let values): values.count
            case .integer(let values): values.count
            case .float(let values): values.count
            case .double(let values): values.count
            case .decimal(let values): values.count
            case .bytes(let values): values.count
            case .dictionary(let codes, _): codes.count
            case .uuid(let values): values.count
            case .interval(let values): values.count
            case .vector(let values, let dimensions): values.count / max(dimensions, 1)
            }
        }
    }

    init(type: DataType, values: Values, validity: Bitmap? = nil) {
        count = values.count
        precondition(validity == nil || validity!.count == count, "validity has a bit a row")
        self.type = type
        if case .dictionary(let codes, let dictionary) = values, dictionary.count == 0 {
            // All rows are NULL. Codes are always below the dictionary's count, so an empty one has no codes.
            storage = .written(
                .bytes(BytesValues(bytes: [], offsets: [Int](repeating: 0, count: codes.count + 1))))
        } else {
            storage = .written(values)
        }
        self.validity = validity.flatMap { $0.isAllSet ? nil : $0 }
    }

    /// A column without NULLs as progressions.
    init(type: DataType, stepped: SteppedValues) {
        self.type = type
        count = stepped.count
        storage = .stepped(stepped)
        validity = nil
    }

    /// The same values, written out: what every access by row wants, which would take a lock otherwise.
    var written: Column { stepped == nil ? self : Column(type: type, values: values) }

    /// The same values under another SQL type of the same physical form.
    func retyped(_ type: DataType) -> Column {
        precondition(type.physical == self.type.physical, "\(self.type) and \(type) have one physical form")
        if let stepped { return Column(type: type, stepped: stepped) }
        return Column(type: type, values: values, validity: validity)
    }

    /// The same values with another validity.
    func with(validity: Bitmap?) -> Column {
        if stepped != nil, validity == nil { return self }
        return Column(type: type, values: values, validity: validity)
    }

    /// True where the row is NULL.
    public func isNull(_ row: Int) -> Bool { validity.map { !$0[row] } ?? false }

    /// Number of NULL rows. O(rows / 64).
    public var nullCount: Int { validity.map { count - $0.setCount } ?? 0 }
}

/// Exact decimals of a column: coefficients and scales side by side.
struct DecimalValues: Sendable {
    /// The scale of every value, or one a value.
    enum Scales: Sendable {
        case uniform(UInt8)
        case each([UInt8])
    }
    var coefficients: [Int128]
    var scales: Scales

    init(coefficients: [Int128], scales: Scales) {
        self.coefficients = coefficients
        self.scales = scales
    }

    init(_ decimals: [Decimal]) {
        coefficients = decimals.map(\.coefficient)
        let first = decimals.first?.scale ?? 0
        scales = decimals.allSatisfy { $0.scale == first } ? .uniform(first) : .each(decimals.map(\.scale))
    }

    var count: Int { coefficients.count }

    subscript(index: Int) -> Decimal { Decimal(unchecked: coefficients[index], scale: Int(scale(at: index))) }

    func scale(at index: Int) -> UInt8 {
        switch scales {
        case .uniform(let scale): scale
        case .each(let scales): scales[index]
        }
    }

    mutating func append(_ value: Decimal) {
        switch scales {
        case .uniform(let scale) where coefficients.isEmpty || scale == value.scale:
            scales = .uniform(value.scale)
        case .uniform(let scale):
            scales = .each([UInt8](repeating: scale, count: coefficients.count) + [value.scale])
        case .each(var each):
            scales = .uniform(0)
            each.append(value.scale)
            scales = .each(each)
        }
        coefficients.append(value.coefficient)
    }

    mutating func append(_ other: DecimalValues) {
        for index in 0..<other.count { append(other[index]) }
    }

    func slice(_ range: Range<Int>) -> DecimalValues {
        let cut: Scales =
            switch scales {
            case .uniform: scales
            case .each(let each): .each(Array(each[range]))
            }
        return DecimalValues(coefficients: Array(coefficients[range]), scales: cut)
    }

    func gather(_ rows: [Int32]) -> DecimalValues {
        let picked: Scales =
            switch scales {
            case .uniform: scales
            case .each(let each): .each(rows.map { each[Int($0)] })
            }
        return DecimalValues(coefficients: rows.map { coefficients[Int($0)] }, scales: picked)
    }
}
