// SPDX-License-Identifier: Apache-2.0
//
// Views of memory that somebody else owns, and the one buffer that owns its own.
//
// A view is borrowed for a call and never stored beyond the life of its owner; it is a pointer
// with a count. `VectorBuffer` owns room for one vector (1,024 values) and enough padding that
// a SIMD kernel may write a whole row past the last value.

/// The layout that every encoding shares.
enum VectorLayout {
    /// Values in a full vector; the last vector of a column chunk may hold fewer.
    static let valueCount = 1_024
    /// Values that a kernel may write past the last one of a vector.
    static let paddingValueCount = 64
    /// Values in a column chunk, at most.
    static let columnChunkValueCountMax = 65_536
    /// Vectors in a column chunk, at most.
    static let columnChunkVectorCountMax = columnChunkValueCountMax / valueCount
    /// Bytes of a page's byte strings, laid out one by one, at most.
    static let pageStringByteCountMax = 1 << 30

    /// Number of vectors that hold `valueCount` values.
    @inline(__always)
    static func vectorCount(forValues valueCount: Int) -> Int {
        (valueCount + Self.valueCount - 1) / Self.valueCount
    }
}

/// Bytes that somebody else owns.
struct ByteView: @unchecked Sendable {
    // Sendable: a view never writes, and its owner outlives the call that it is lent to.

    let bytes: UnsafeRawBufferPointer

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inline(__always)
    init(start: UnsafeRawPointer, count: Int) {
        bytes = UnsafeRawBufferPointer(start: start, count: count)
    }

    static var empty: ByteView { ByteView(UnsafeRawBufferPointer(start: nil, count: 0)) }

    @inline(__always) var count: Int { bytes.count }
    @inline(__always) var isEmpty: Bool { bytes.isEmpty }

    @inline(__always)
    subscript(byteOffset: Int) -> UInt8 { bytes[byteOffset] }

    /// A part of this view; the range must lie inside it.
    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a part of a view lies inside it")
        return ByteView(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }

    subscript(range: PartialRangeFrom<Int>) -> ByteView { self[range.lowerBound..<count] }

    /// The little-endian integer at `byteOffset`, which the caller knows to lie inside.
    @inline(__always)
    func loadUnchecked<T: FixedWidthInteger>(_ type: T.Type, at byteOffset: Int) -> T {
        assert(byteOffset >= 0 && byteOffset + MemoryLayout<T>.size <= count)
        // Precondition: byteOffset + size <= count, proved by verify or by the caller's check.
        return T(
            littleEndian: bytes.baseAddress.unsafelyUnwrapped.loadUnaligned(fromByteOffset: byteOffset, as: T.self))
    }

    /// Address of `byteOffset`, for a kernel.
    @inline(__always)
    func pointer(at byteOffset: Int = 0) -> UnsafeRawPointer {
        assert(byteOffset >= 0 && byteOffset <= count)
        return bytes.baseAddress.unsafelyUnwrapped + byteOffset
    }
}

/// Values that somebody else owns, contiguous.
struct VectorView<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable: a view never writes, and its owner outlives the call that it is lent to.

    let values: UnsafeBufferPointer<Element>

    @inline(__always)
    init(_ values: UnsafeBufferPointer<Element>) { self.values = values }

    @inline(__always)
    init(start: UnsafePointer<Element>, count: Int) {
        values = UnsafeBufferPointer(start: start, count: count)
    }

    @inline(__always) var count: Int { values.count }
    @inline(__always) var isEmpty: Bool { values.isEmpty }

    @inline(__always)
    subscript(index: Int) -> Element { values[index] }

    /// Address of the first value; the view must not be empty.
    @inline(__always)
    var pointer: UnsafePointer<Element> { values.baseAddress.unsafelyUnwrapped }

    subscript(range: Range<Int>) -> VectorView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a part of a view lies inside it")
        return VectorView(UnsafeBufferPointer(rebasing: values[range]))
    }
}

/// An owned, 64-byte aligned buffer of one vector and its padding (or of `valueCount` values and padding).
final class VectorBuffer<Element: BitwiseCopyable> {
    /// Valid for `capacity` values and `VectorLayout.paddingValueCount` beyond them.
    let pointer: UnsafeMutablePointer<Element>
    /// Values that may be asked for.
    let capacity: Int

    convenience init(valueCount: Int = VectorLayout.valueCount) {
        self.init(uninitializedValueCount: valueCount)
        UnsafeMutableRawPointer(pointer).initializeMemory(
            as: UInt8.self, repeating: 0,
            count: (valueCount + VectorLayout.paddingValueCount) * MemoryLayout<Element>.stride)
    }

    /// For a whole page that is about to be written: what it holds until then means nothing.
    init(uninitializedValueCount valueCount: Int) {
        precondition(valueCount >= 0, "a value count is never negative")
        capacity = valueCount
        let byteCount = (valueCount + VectorLayout.paddingValueCount) * MemoryLayout<Element>.stride
        let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        pointer = raw.bindMemory(to: Element.self, capacity: valueCount + VectorLayout.paddingValueCount)
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < capacity, "a vector is indexed inside its capacity")
            return pointer[index]
        }
        set {
            precondition(index >= 0 && index < capacity, "a vector is indexed inside its capacity")
            pointer[index] = newValue
        }
    }

    /// The first `count` values; the view must not outlive the buffer.
    func view(count: Int) -> VectorView<Element> {
        precondition(count >= 0 && count <= capacity, "a view lies inside its buffer")
        return VectorView(start: pointer, count: count)
    }
}
