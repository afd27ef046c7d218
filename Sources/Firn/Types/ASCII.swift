// SPDX-License-Identifier: Apache-2.0
//
// Questions about single ASCII bytes, and the writing of digits: what every text form of a value needs.

enum ASCII {
    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
    @inline(__always) static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }
    @inline(__always) static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
    /// Blank, tab, line feed, vertical tab, form feed, carriage return: C's isspace.
    @inline(__always) static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 < 5 }
    @inline(__always) static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }
    @inline(__always) static func uppercased(_ byte: UInt8) -> UInt8 { byte &- 97 < 26 ? byte & 0xDF : byte }
    @inline(__always) static func isPunctuation(_ byte: UInt8) -> Bool {
        byte > 32 && byte < 127 && !isAlphanumeric(byte)
    }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 48 }
        let letter = (byte | 0x20) &- 97
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The lower-case hexadecimal digit of a value below 16.
    @inline(__always)
    static func hexadecimalDigit(_ value: UInt8) -> UInt8 { value < 10 ? value &+ 48 : value &+ 87 }

    /// The bytes without leading and trailing blanks.
    @inline(__always)
    static func trimmed(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        var start = 0
        var end = bytes.count
        while start < end, isSpace(bytes[start]) { start += 1 }
        while end > start, isSpace(bytes[end - 1]) { end -= 1 }
        return UnsafeBufferPointer(rebasing: bytes[start..<end])
    }

    /// Whether the bytes are this ASCII word in any case; `word` is given in lower case.
    static func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        // In bounds: both have the same count.
        for index in 0..<bytes.count where lowercased(bytes[index]) != word.utf8Start[index] { return false }
        return true
    }
}

/// A cursor that writes ASCII into memory that the caller has sized.
struct TextCursor {
    private let start: UnsafeMutablePointer<UInt8>
    private var next: UnsafeMutablePointer<UInt8>

    /// The caller promises room for all that it will put.
    @inline(__always)
    init(_ start: UnsafeMutablePointer<UInt8>) {
        self.start = start
        next = start
    }

    @inline(__always) var count: Int { next - start }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        next.pointee = byte
        next += 1
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        next.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        next += text.utf8CodeUnitCount
    }

    /// Two digits; `value` is below 100.
    @inline(__always)
    mutating func putTwo(_ value: UInt32) {
        let tens = (value &* 205) &>> 11
        next[0] = UInt8(truncatingIfNeeded: tens &+ 48)
        next[1] = UInt8(truncatingIfNeeded: value &- tens &* 10 &+ 48)
        next += 2
    }

    /// Exactly `width` digits; what does not fit is lost.
    @inline(__always)
    mutating func putPadded(_ value: UInt64, width: Int) {
        var rest = value
        var index = width
        while index > 0 {
            index &-= 1
            let quotient = rest / 10
            next[index] = UInt8(truncatingIfNeeded: rest &- quotient &* 10 &+ 48)
            rest = quotient
        }
        next += width
    }

    /// The digits of a number without padding.
    @inline(__always)
    mutating func putNumber(_ value: UInt64) {
        putPadded(value, width: value.decimalDigitCount)
    }

    /// At least `width` digits, padded with zeros.
    @inline(__always)
    mutating func putNumber(_ value: UInt64, widthMin width: Int) {
        putPadded(value, width: max(width, value.decimalDigitCount))
    }

    /// Two lower-case hexadecimal digits.
    @inline(__always)
    mutating func putHexadecimal(_ byte: UInt8) {
        put(ASCII.hexadecimalDigit(byte >> 4))
        put(ASCII.hexadecimalDigit(byte & 15))
    }

    /// A fraction of a second of 6 or 9 digits behind a point, without trailing zeros; nothing when it is zero.
    @inline(__always)
    mutating func putFraction(_ value: UInt64, digits: Int) {
        guard value != 0 else { return }
        put(UInt8(ascii: "."))
        if digits == 6 {
            let micros = UInt32(truncatingIfNeeded: value)
            putTwo(micros / 10_000)
            putTwo(micros / 100 % 100)
            putTwo(micros % 100)
        } else {
            putPadded(value, width: digits)
        }
        while next[-1] == 48 { next -= 1 }
    }
}

extension UInt64 {
    /// The number of decimal digits, 1 to 20.
    @inline(__always)
    var decimalDigitCount: Int {
        if self < 10 { return 1 }
        // 1233 / 4096 approximates log10(2); the table corrects the estimate by at most one.
        let estimate = ((64 &- leadingZeroBitCount) &* 1233) &>> 12
        return self < UInt64.powersOfTen[estimate] ? estimate : estimate &+ 1
    }

    /// 10 to the power of the index, 0 to 19.
    static let powersOfTen: [UInt64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
        10_000_000_000, 100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000,
        1_000_000_000_000_000, 10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000,
        10_000_000_000_000_000_000,
    ]
}

extension [UInt8] {
    /// Appends what `body` writes through a cursor with room for `capacity` bytes.
    @inline(__always)
    mutating func appendText(capacity: Int, _ body: (inout TextCursor) -> Void) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { buffer in
            // In bounds: the caller of `appendText` names a capacity that holds its longest text.
            var cursor = TextCursor(buffer.baseAddress!)
            body(&cursor)
            append(contentsOf: UnsafeBufferPointer(start: buffer.baseAddress!, count: cursor.count))
        }
    }
}
