// SPDX-License-Identifier: Apache-2.0
//
// A growing buffer that bytes of a file format are written into.
//
// Fixed-width integers are little-endian; varints are LEB128 (7 bits a byte, low bits first);
// signed varints are zig-zag mapped first. The buffer is owned and noncopyable, so a write is a
// store and a compare, and a payload can be produced in place (`appendUninitialized`).

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct ByteWriter: ~Copyable {
    /// Start of the buffer; valid for `capacity` bytes, of which the first `count` are written.
    private var storage: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes written so far; also the offset of the next byte.
    private(set) var count: Int = 0

    init(reservingBytes byteCount: Int = 256) {
        capacity = max(byteCount, 64)
        storage = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    }

    deinit { storage.deallocate() }

    var isEmpty: Bool { count == 0 }

    /// Makes room for `byteCount` more bytes without a further allocation.
    mutating func reserve(_ byteCount: Int) {
        precondition(byteCount >= 0, "a byte count is never negative")
        if count + byteCount > capacity { grow(toHold: count + byteCount) }
    }

    private mutating func grow(toHold byteCount: Int) {
        let grownCapacity = max(byteCount, capacity * 2)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: grownCapacity, alignment: 64)
        grown.copyMemory(from: storage, byteCount: count)
        storage.deallocate()
        storage = grown
        capacity = grownCapacity
    }

    /// Forgets everything written and keeps the buffer.
    mutating func removeAll() { count = 0 }

    /// Forgets all bytes from `byteCount` on.
    mutating func truncate(to byteCount: Int) {
        precondition(byteCount >= 0 && byteCount <= count, "truncation must stay inside what was written")
        count = byteCount
    }

    // MARK: Appending

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        if count == capacity { grow(toHold: count + 1) }
        storage.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    /// Appends the little-endian bytes of `value`.
    @inline(__always)
    mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
        let byteCount = MemoryLayout<T>.size
        if count + byteCount > capacity { grow(toHold: count + byteCount) }
        storage.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
        count += byteCount
    }

    /// Appends the bit pattern of `value`, little-endian.
    @inline(__always)
    mutating func appendLittleEndian(_ value: Double) { appendLittleEndian(value.bitPattern) }

    /// Appends the bit pattern of `value`, little-endian.
    @inline(__always)
    mutating func appendLittleEndian(_ value: Float) { appendLittleEndian(value.bitPattern) }

    /// Appends `value` as LEB128: 1 to 10 bytes.
    @inline(__always)
    mutating func appendVarint(_ value: UInt64) {
        if count + 10 > capacity { grow(toHold: count + 10) }
        var rest = value
        var offset = count
        while rest >= 0x80 {
            storage.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: offset, as: UInt8.self)
            offset += 1
            rest >>= 7
        }
        storage.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
        count = offset + 1
    }

    /// Appends a count or an offset, which is never negative.
    @inline(__always)
    mutating func appendVarint(_ value: Int) {
        precondition(value >= 0, "a count or an offset is never negative")
        appendVarint(UInt64(value))
    }

    /// Appends `value` zig-zag mapped (0, -1, 1, -2 ... become 0, 1, 2, 3 ...) as LEB128.
    @inline(__always)
    mutating func appendSignedVarint(_ value: Int64) { appendVarint(ZigZag.encode(value)) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        storage.advanced(by: count).copyMemory(from: base, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ view: ByteView) { append(view.bytes) }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(_ bytes: StaticString) {
        append(UnsafeRawBufferPointer(start: bytes.utf8Start, count: bytes.utf8CodeUnitCount))
    }

    /// Appends everything that another writer holds.
    mutating func append(contentsOf other: borrowing ByteWriter) {
        append(UnsafeRawBufferPointer(start: other.storage, count: other.count))
    }

    /// Appends a varint byte count, then the bytes.
    mutating func appendLengthPrefixed(_ bytes: UnsafeRawBufferPointer) {
        appendVarint(bytes.count)
        append(bytes)
    }

    /// Appends a varint byte count, then the UTF-8 bytes of `text`.
    mutating func appendLengthPrefixed(_ text: String) {
        var copy = text
        copy.withUTF8 { appendLengthPrefixed(UnsafeRawBufferPointer($0)) }
    }

    mutating func appendZeros(_ byteCount: Int) {
        reserve(byteCount)
        memset(storage + count, 0, byteCount)
        count += byteCount
    }

    /// Appends zero bytes until `count` is a multiple of `alignment`.
    mutating func align(to alignment: Int) {
        precondition(alignment > 0, "an alignment is positive")
        let remainder = count % alignment
        if remainder != 0 { appendZeros(alignment - remainder) }
    }

    /// Appends `byteCount` bytes that `body` must initialise completely, in place.
    @inline(__always)
    mutating func appendUninitialized<Failure: Error>(
        _ byteCount: Int, _ body: (UnsafeMutableRawPointer) throws(Failure) -> Void
    ) throws(Failure) {
        reserve(byteCount)
        try body(storage + count)
        count += byteCount
    }

    /// Offers room for up to `byteCountMax` bytes; `body` returns how many of them it wrote.
    @inline(__always)
    mutating func append<Failure: Error>(
        upTo byteCountMax: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        reserve(byteCountMax)
        let written = try body(UnsafeMutableRawBufferPointer(start: storage + count, count: byteCountMax))
        precondition(written >= 0 && written <= byteCountMax, "the body wrote past the room it was given")
        count += written
    }

    // MARK: Filling in what was left open

    /// Overwrites bytes that were already written, as when a length becomes known later.
    mutating func overwriteLittleEndian<T: FixedWidthInteger>(_ value: T, at byteOffset: Int) {
        precondition(
            byteOffset >= 0 && byteOffset + MemoryLayout<T>.size <= count, "only written bytes can be overwritten")
        storage.storeBytes(of: value.littleEndian, toByteOffset: byteOffset, as: T.self)
    }

    // MARK: Reading back

    /// Lends the written bytes; the pointer is good for the duration of `body`.
    @inline(__always)
    borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: storage, count: count))
    }

    /// A copy of the written bytes.
    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(start: storage, count: count)) }
}

/// Signed to unsigned so that small magnitudes stay small.
enum ZigZag {
    @inline(__always)
    static func encode(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    @inline(__always)
    static func decode(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }
}
