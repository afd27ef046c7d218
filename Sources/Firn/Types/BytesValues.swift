// SPDX-License-Identifier: Apache-2.0
//
// Values of varying length (text, JSON, BYTEA) as one run of bytes and the offsets that cut it, as Arrow
// lays them out; and the immutable dictionary that dictionary-coded text refers to.

/// Byte strings laid end to end: value i is `bytes[offsets[i] ..< offsets[i + 1]]`.
public struct BytesValues: Sendable, Hashable {
    /// All values, end to end.
    public private(set) var bytes: [UInt8]
    /// One more than there are values; the first is 0.
    public private(set) var offsets: [Int]

    /// No values.
    public init() {
        bytes = []
        offsets = [0]
    }

    /// Takes bytes and offsets as they are.
    ///
    /// - Throws: 22023 where the offsets do not ascend from 0 to the number of bytes.
    public init(bytes: some Collection<UInt8>, offsets: some Collection<Int>) throws(FirnError) {
        let bytes = Array(bytes)
        let offsets = Array(offsets)
        guard offsets.first == 0, offsets[offsets.count - 1] == bytes.count,
            zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw FirnError(
                .invalidParameterValue, "offsets must ascend from 0 to the number of bytes, \(bytes.count)")
        }
        self.bytes = bytes
        self.offsets = offsets
    }

    /// Like the public one, for callers in the engine, whose offsets ascend.
    init(bytes: [UInt8], offsets: [Int]) {
        precondition(offsets.first == 0 && offsets[offsets.count - 1] == bytes.count, "offsets span the bytes")
        self.bytes = bytes
        self.offsets = offsets
    }

    /// The UTF-8 of strings.
    public init(_ strings: some Sequence<String>) {
        self.init()
        for string in strings { append(string) }
    }

    /// Number of values.
    public var count: Int { offsets.count - 1 }

    /// Most bytes of one text, JSON document or BYTEA value that a table takes and a text function makes: 256 MiB.
    public static let valueBytesMax = 256 << 20

    /// Makes room for as many values and bytes more.
    public mutating func reserveCapacity(_ valueCount: Int, byteCount: Int) {
        offsets.reserveCapacity(valueCount + 1)
        bytes.reserveCapacity(byteCount)
    }

    /// Adds a value.
    public mutating func append(_ string: String) {
        bytes.append(contentsOf: string.utf8)
        closeValue()
    }

    /// Adds a value.
    public mutating func append(contentsOf value: some Collection<UInt8>) {
        bytes.append(contentsOf: value)
        closeValue()
    }

    /// Adds a value by writing its bytes.
    mutating func append(writing write: (inout [UInt8]) throws -> Void) rethrows {
        let start = bytes.count
        do {
            try write(&bytes)
        } catch {
            bytes.removeLast(bytes.count - start)
            throw error
        }
        closeValue()
    }

    /// Adds all values of another.
    public mutating func append(_ other: BytesValues) {
        let base = bytes.count
        bytes.append(contentsOf: other.bytes)
        offsets.reserveCapacity(offsets.count + other.count)
        for offset in other.offsets.dropFirst() { offsets.append(base + offset) }
    }

    private mutating func closeValue() {
        offsets.append(bytes.count)
    }

    /// The bytes of one value; the index must be below `count`, as with an array.
    public subscript(index: Int) -> ArraySlice<UInt8> { bytes[offsets[index]..<offsets[index + 1]] }

    /// One value as text; the index must be below `count`, as with an array. Bytes that are not UTF-8 become U+FFFD.
    public func string(at index: Int) -> String { String(decoding: self[index], as: UTF8.self) }

    /// Calls `body` with pointers to the bytes and offsets, for loops over values.
    func withUnsafeValues<Result, Failure: Error>(
        _ body: (_ bytes: UnsafePointer<UInt8>, _ offsets: UnsafePointer<Int>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { bytes throws(Failure) in
            try offsets.withUnsafeBufferPointer { offsets throws(Failure) in
                // An empty array may have no base address; nothing is read through it then.
                let base =
                    bytes.baseAddress ?? UnsafeRawPointer(offsets.baseAddress!).assumingMemoryBound(to: UInt8.self)
                return try body(base, offsets.baseAddress!)
            }
        }
    }

    /// The values of a range, copied.
    func slice(_ range: Range<Int>) -> BytesValues {
        let start = offsets[range.lowerBound]
        let bytes = Array(bytes[start..<offsets[range.upperBound]])
        return BytesValues(bytes: bytes, offsets: offsets[range.lowerBound...range.upperBound].map { $0 - start })
    }

    /// The values at the given rows, in their order.
    func gather(_ rows: [Int32]) -> BytesValues {
        var result = BytesValues()
        var total = 0
        for row in rows { total += offsets[Int(row) + 1] - offsets[Int(row)] }
        result.reserveCapacity(rows.count, byteCount: total)
        for row in rows { result.append(contentsOf: self[Int(row)]) }
        return result
    }
}

/// The distinct values that codes of dictionary-coded columns refer to. Immutable; shared by reference.
///
/// Identity matters: two columns with the same dictionary object can be compared and grouped by code.
public final class BytesDictionary: Sendable {
    /// The distinct values; code i means value i.
    public let values: BytesValues
    /// True when the values ascend by their bytes, so that codes compare as the values do.
    public let isSorted: Bool
    private let memory: HeldMemory?

    /// Values whose codes are their places. Whether they are sorted is found out.
    ///
    /// - Throws: 22023 where two values are the same.
    public convenience init(_ values: BytesValues) throws(FirnError) {
        var seen: Set<ArraySlice<UInt8>> = []
        seen.reserveCapacity(values.count)
        for index in 0..<values.count where !seen.insert(values[index]).inserted {
            throw FirnError(
                .invalidParameterValue, "a dictionary holds \"\(values.string(at: index))\" twice",
                hint: "Codes stand for distinct values.")
        }
        let isSorted = (1..<max(values.count, 1)).allSatisfy { !values[$0].lexicographicallyPrecedes(values[$0 - 1]) }
        self.init(distinct: values, isSorted: isSorted)
    }

    /// Distinct values, sorted where the caller says so.
    ///
    /// - Parameter memory: kept as long as the dictionary is there, for what it counts.
    init(distinct values: BytesValues, isSorted: Bool = false, keeping memory: HeldMemory? = nil) {
        self.values = values
        self.isSorted = isSorted
        self.memory = memory
    }

    /// Number of distinct values.
    public var count: Int { values.count }
}
