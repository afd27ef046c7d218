// SPDX-License-Identifier: Apache-2.0
//
// UUID: 16 bytes, compared as an unsigned number, which is the order of its text.
//
// Source: RFC 9562; the input forms are PostgreSQL's.

/// A universally unique identifier.
public struct UUIDValue: Sendable, Hashable, Comparable {
    /// The 16 bytes as a big-endian number.
    public var value: UInt128

    /// Wraps the number of a UUID.
    @inline(__always)
    public init(_ value: UInt128) { self.value = value }

    /// A random UUID (version 4) from 16 random bytes: six of the 128 bits say version and variant.
    init(random bytes: UInt128) {
        let version = UInt128(0xF000) << 64
        let variant = UInt128(0xC000_0000_0000_0000)
        value = bytes & ~version & ~variant | UInt128(0x4000) << 64 | 0x8000_0000_0000_0000
    }

    /// The order of the texts.
    @inline(__always)
    public static func < (left: UUIDValue, right: UUIDValue) -> Bool { left.value < right.value }

    /// Reads 32 hexadecimal digits with a hyphen after any group of four, or none, and braces around, or none.
    ///
    /// Error 22P02 for other text.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> UUIDValue {
        if text.count == 36, let usual = parseUsual(text) { return usual }
        var position = 0
        let count = text.count
        let hasBrace = count > 0 && text[0] == UInt8(ascii: "{")
        if hasBrace { position = 1 }
        var halves: (UInt64, UInt64) = (0, 0)
        for index in 0..<16 {
            guard position + 1 < count, let upper = ASCII.hexadecimalValue(text[position]),
                let lower = ASCII.hexadecimalValue(text[position + 1])
            else { throw .invalidSyntax("uuid", text) }
            let byte = UInt64(upper << 4 | lower)
            if index < 8 { halves.0 = halves.0 << 8 | byte } else { halves.1 = halves.1 << 8 | byte }
            position += 2
            if index % 2 == 1, index < 15, position < count, text[position] == UInt8(ascii: "-") { position += 1 }
        }
        if hasBrace {
            guard position < count, text[position] == UInt8(ascii: "}") else { throw .invalidSyntax("uuid", text) }
            position += 1
        }
        guard position == count else { throw .invalidSyntax("uuid", text) }
        return UUIDValue(UInt128(halves.0) << 64 | UInt128(halves.1))
    }

    /// The usual form of 36 characters, eight digits at a time; nil for every other text.
    private static func parseUsual(_ text: UnsafeBufferPointer<UInt8>) -> UUIDValue? {
        guard text[8] == UInt8(ascii: "-"), text[13] == UInt8(ascii: "-"), text[18] == UInt8(ascii: "-"),
            text[23] == UInt8(ascii: "-")
        else { return nil }
        // In bounds: the caller has counted 36 bytes, and the last of these loads ends there.
        let bytes = UnsafeRawPointer(text.baseAddress!)
        func four(_ offset: Int) -> UInt64 { UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
        func eight(_ offset: Int) -> UInt64 { bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        guard let first = hexadecimal(UInt64(littleEndian: eight(0))),
            let second = hexadecimal(UInt64(littleEndian: four(9) | four(14) << 32)),
            let third = hexadecimal(UInt64(littleEndian: four(19) | four(24) << 32)),
            let fourth = hexadecimal(UInt64(littleEndian: eight(28)))
        else { return nil }
        return UUIDValue(UInt128(first << 32 | second) << 64 | UInt128(third << 32 | fourth))
    }

    /// Eight hexadecimal digits, the first in the lowest byte, as a 32-bit number; nil for other bytes.
    @inline(__always)
    private static func hexadecimal(_ text: UInt64) -> UInt64? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // Letters have bit 6, and their low nibble is 9 less than their value.
        let values = (text & (ones * 15)) &+ ((text >> 6) & ones) &* 9
        // Written back as lower-case digits, they are the text or it was none.
        let letters = ((values &+ ones &* 6) >> 4) & ones
        guard values & ~(ones * 15) == 0, values &+ ones &* 48 &+ letters &* 39 == text | letters &* 32 else {
            return nil
        }
        var packed = values.byteSwapped
        packed = (packed | packed >> 4) & 0x00FF_00FF_00FF_00FF
        packed = (packed | packed >> 8) & 0x0000_FFFF_0000_FFFF
        return (packed | packed >> 16) & 0xFFFF_FFFF
    }

    /// Reads a UUID from a string; see `parse(_:)` over bytes.
    static func parse(_ text: String) throws(ValueError) -> UUIDValue {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes) }
    }

    /// Appends the 36 characters of the usual form, in lower case.
    func append(to output: inout [UInt8]) {
        let upper = UInt64(truncatingIfNeeded: value >> 64)
        let lower = UInt64(truncatingIfNeeded: value)
        output.appendText(capacity: 36) { cursor in
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 { cursor.put(UInt8(ascii: "-")) }
                let half = index < 8 ? upper : lower
                cursor.putHexadecimal(UInt8(truncatingIfNeeded: half >> UInt64((7 - index % 8) * 8)))
            }
        }
    }

    /// The usual form, such as `0c7a1a3e-3f6b-4d0e-9a55-1c5d7f0b2e11`.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension UUIDValue: CustomStringConvertible {
    /// The usual form.
    public var description: String { text }
}
