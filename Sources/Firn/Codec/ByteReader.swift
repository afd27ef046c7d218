// SPDX-License-Identifier: Apache-2.0
//
// A bounds-checked cursor over bytes that nobody has vouched for.
//
// Every read either returns a value that lies wholly inside the view or throws a FormatError that
// names the offset. A count read from the bytes is checked against what remains before anything
// is allocated for it, so a damaged length cannot exhaust memory.

/// Bytes that do not follow the format: what was wrong, and where.
struct FormatError: Error, Sendable, Equatable, CustomStringConvertible {
    let message: String
    /// Offset of the offending byte from the start of what was being read.
    let byteOffset: Int
    /// True where the file is of a format version that this build does not read: it may be whole.
    let isUnknownVersion: Bool

    init(_ message: String, at byteOffset: Int = 0, isUnknownVersion: Bool = false) {
        self.message = message
        self.byteOffset = byteOffset
        self.isUnknownVersion = isUnknownVersion
    }

    var description: String { "\(message) (at byte \(byteOffset))" }

    /// The same error, seen from an enclosing structure that begins `byteCount` bytes earlier.
    func shifted(by byteCount: Int) -> FormatError {
        FormatError(message, at: byteOffset + byteCount, isUnknownVersion: isUnknownVersion)
    }
}

struct ByteReader {
    let view: ByteView
    /// Offset of the next byte to read.
    private(set) var offset: Int

    init(_ view: ByteView, at offset: Int = 0) {
        precondition(offset >= 0 && offset <= view.count, "a reader starts inside its bytes")
        self.view = view
        self.offset = offset
    }

    init(_ bytes: UnsafeRawBufferPointer) { self.init(ByteView(bytes)) }

    var remaining: Int { view.count - offset }
    var isAtEnd: Bool { offset == view.count }

    @inline(__always)
    private func require(_ byteCount: Int, _ what: StaticString) throws(FormatError) {
        if byteCount < 0 || byteCount > remaining { throw truncated(byteCount, what) }
    }

    @inline(never)
    private func truncated(_ byteCount: Int, _ what: StaticString) -> FormatError {
        FormatError("\(what) needs \(byteCount) bytes, \(remaining) remain", at: offset)
    }

    @inline(__always)
    mutating func readByte() throws(FormatError) -> UInt8 {
        try require(1, "a byte")
        let byte = view.loadUnchecked(UInt8.self, at: offset)
        offset += 1
        return byte
    }

    @inline(__always)
    mutating func readLittleEndian<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(FormatError) -> T {
        try require(MemoryLayout<T>.size, "a fixed-width integer")
        let value = view.loadUnchecked(T.self, at: offset)
        offset += MemoryLayout<T>.size
        return value
    }

    mutating func readDouble() throws(FormatError) -> Double {
        Double(bitPattern: try readLittleEndian(UInt64.self))
    }

    mutating func readFloat() throws(FormatError) -> Float {
        Float(bitPattern: try readLittleEndian(UInt32.self))
    }

    /// A LEB128 integer of at most 64 bits.
    @inline(__always)
    mutating func readVarint() throws(FormatError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = try readByte()
            if shift == 63 && byte > 1 { throw FormatError("a varint exceeds 64 bits", at: start) }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }

    /// A LEB128 count, at most `countMax`.
    mutating func readCount(atMost countMax: Int = Int.max) throws(FormatError) -> Int {
        let start = offset
        let value = try readVarint()
        guard value <= UInt64(countMax) else {
            throw FormatError("a count of \(value) exceeds its limit of \(countMax)", at: start)
        }
        return Int(value)
    }

    @inline(__always)
    mutating func readSignedVarint() throws(FormatError) -> Int64 { ZigZag.decode(try readVarint()) }

    /// The next `byteCount` bytes, as a view into the same memory.
    mutating func readBytes(_ byteCount: Int) throws(FormatError) -> ByteView {
        try require(byteCount, "a byte run")
        let bytes = view[offset..<offset + byteCount]
        offset += byteCount
        return bytes
    }

    /// A varint byte count, then that many bytes.
    mutating func readLengthPrefixed() throws(FormatError) -> ByteView {
        let byteCount = try readCount(atMost: view.count)
        return try readBytes(byteCount)
    }

    /// A varint byte count, then that much UTF-8 text.
    mutating func readText() throws(FormatError) -> String {
        let start = offset
        let bytes = try readLengthPrefixed()
        guard let text = String(validating: bytes.bytes, as: UTF8.self) else {
            throw FormatError("text is not valid UTF-8", at: start)
        }
        return text
    }

    mutating func skip(_ byteCount: Int) throws(FormatError) {
        try require(byteCount, "skipped bytes")
        offset += byteCount
    }

    /// Skips to the next multiple of `alignment`; the bytes skipped must be zero.
    mutating func align(to alignment: Int) throws(FormatError) {
        while offset % alignment != 0 {
            if try readByte() != 0 { throw FormatError("padding is not zero", at: offset - 1) }
        }
    }

    /// Succeeds only when every byte has been read.
    func expectEnd() throws(FormatError) {
        if !isAtEnd { throw FormatError("\(remaining) bytes too many", at: offset) }
    }
}
