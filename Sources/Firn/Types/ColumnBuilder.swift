// SPDX-License-Identifier: Apache-2.0
//
// Builds a column value by value, for rows that come one at a time: INSERT … VALUES, text files, group keys.
//
// One array for each physical form stands ready and only the one of the type is filled: appending is a plain
// array append, with no enum to take apart and put together again.

/// Collects values of one type and makes a column of them.
struct ColumnBuilder: Sendable {
    let type: DataType
    private(set) var count = 0
    private let physical: DataType.Physical
    /// Absent until the first NULL comes.
    private var validity: Bitmap?
    private var booleans: [Bool] = []
    private var integers: [Int64] = []
    private var floats: [Float] = []
    private var doubles: [Double] = []
    private var decimals = DecimalValues(coefficients: [], scales: .uniform(0))
    private var bytes = BytesValues()
    private var uuids: [UInt128] = []
    private var intervals: [Interval] = []

    init(type: DataType, capacity: Int = 0) {
        self.type = type
        physical = type.physical
        switch physical {
        case .boolean: booleans.reserveCapacity(capacity)
        case .integer: integers.reserveCapacity(capacity)
        case .float: floats.reserveCapacity(capacity)
        case .double: doubles.reserveCapacity(capacity)
        case .decimal: decimals.coefficients.reserveCapacity(capacity)
        case .bytes: bytes.reserveCapacity(capacity, byteCount: 0)
        case .uuid: uuids.reserveCapacity(capacity)
        case .interval: intervals.reserveCapacity(capacity)
        case .vector: floats.reserveCapacity(capacity * dimensions)
        }
    }

    /// Floats a row of a VECTOR; 0 for other types.
    private var dimensions: Int { if case .vector(let dimensions) = type { dimensions } else { 0 } }

    /// Adds a value; it must be NULL or have the physical form of the type.
    mutating func append(_ value: Value) {
        switch value {
        case .null: appendNull()
        case .boolean(let value): append(value)
        case .integer(let value): append(value)
        case .float(let value): append(value)
        case .double(let value): append(value)
        case .decimal(let value): append(value)
        case .text(let value): append(bytes: value.utf8)
        case .bytes(let value): append(bytes: value)
        case .uuid(let value): append(value)
        case .interval(let value): append(value)
        case .vector(let value): append(value)
        }
    }

    mutating func appendNull() {
        if validity == nil { validity = Bitmap(repeating: true, count: count) }
        switch physical {
        case .boolean: booleans.append(false)
        case .integer: integers.append(0)
        case .float: floats.append(0)
        case .double: doubles.append(0)
        case .decimal:
            // The scale of the row before keeps a uniform scale uniform.
            let scale = decimals.count > 0 ? decimals.scale(at: decimals.count - 1) : 0
            decimals.append(Decimal(unchecked: 0, scale: Int(scale)))
        case .bytes: bytes.append(contentsOf: EmptyCollection())
        case .uuid: uuids.append(0)
        case .interval: intervals.append(Interval(months: 0, days: 0, microseconds: 0))
        case .vector: floats.append(contentsOf: repeatElement(0, count: dimensions))
        }
        validity!.append(false)
        count += 1
    }

    mutating func append(_ value: Bool) {
        booleans.append(value)
        appended(.boolean)
    }

    mutating func append(_ value: Int64) {
        integers.append(value)
        appended(.integer)
    }

    mutating func append(_ value: Float) {
        floats.append(value)
        appended(.float)
    }

    mutating func append(_ value: Double) {
        doubles.append(value)
        appended(.double)
    }

    mutating func append(_ value: Decimal) {
        decimals.append(value)
        appended(.decimal)
    }

    mutating func append(bytes value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
        appended(.bytes)
    }

    mutating func append(_ value: UInt128) {
        uuids.append(value)
        appended(.uuid)
    }

    mutating func append(_ value: Interval) {
        intervals.append(value)
        appended(.interval)
    }

    mutating func append(_ value: [Float]) {
        precondition(value.count == dimensions, "a vector of \(dimensions) values")
        floats.append(contentsOf: value)
        appended(.vector)
    }

    private mutating func appended(_ form: DataType.Physical) {
        precondition(form == physical, "a value of the physical form of \(type)")
        count += 1
        validity?.append(true)
    }

    /// The column of all that was added.
    consuming func finish() -> Column {
        let values: Column.Values =
            switch physical {
            case .boolean: .boolean(booleans)
            case .integer: .integer(integers)
            case .float: .float(floats)
            case .double: .double(doubles)
            case .decimal: .decimal(decimals)
            case .bytes: .bytes(bytes)
            case .uuid: .uuid(uuids)
            case .interval: .interval(intervals)
            case .vector: .vector(floats, dimensions: dimensions)
            }
        return Column(type: type, values: values, validity: validity)
    }
}
