// SPDX-License-Identifier: Apache-2.0
//
// Where strings, quoted names, dollar quotes and comments end: for what changes a statement's text and must leave these alone.

/// The parts of a statement's text that are no plain SQL.
public enum QuotedText {
    /// The end of the string, quoted name, dollar quote or comment that begins at `start`; `start` where none does. One that
    /// does not end goes on to the end of the text.
    public static func end(in bytes: [UInt8], from start: Int) -> Int {
        switch bytes[start] {
        case UInt8(ascii: "'"):
            guard isEscapeString(bytes, start) else { return end(of: "'".utf8, in: bytes, from: start + 1) }
            var place = start + 1
            while place < bytes.count, bytes[place] != UInt8(ascii: "'") {
                place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
            }
            return min(place + 1, bytes.count)
        case UInt8(ascii: "\""): return end(of: "\"".utf8, in: bytes, from: start + 1)
        case UInt8(ascii: "-") where bytes[start...].starts(with: "--".utf8):
            return bytes[start...].firstIndex(where: Lexer.isLineEnd) ?? bytes.count
        case UInt8(ascii: "/") where bytes[start...].starts(with: "/*".utf8): return endOfComment(bytes, start)
        case UInt8(ascii: "$") where start == 0 || !Lexer.isIdentifierPart(bytes[start - 1]):
            guard let tagEnd = Lexer.dollarTagEnd(bytes, from: start) else { return start }
            return end(of: bytes[start..<tagEnd], in: bytes, from: tagEnd)
        default: return start
        }
    }

    /// Whether an E stands before the quote, and is no part of a longer word.
    private static func isEscapeString(_ bytes: [UInt8], _ quote: Int) -> Bool {
        guard quote > 0, bytes[quote - 1] | 0x20 == UInt8(ascii: "e") else { return false }
        return quote < 2 || !Lexer.isIdentifierPart(bytes[quote - 2])
    }

    private static func end(of closing: some Collection<UInt8>, in bytes: [UInt8], from start: Int) -> Int {
        guard let first = closing.first else { return start }
        var place = start
        while let found = bytes[place...].firstIndex(of: first) {
            if bytes[found...].starts(with: closing) { return found + closing.count }
            place = found + 1
        }
        return bytes.count
    }

    private static func endOfComment(_ bytes: [UInt8], _ start: Int) -> Int {
        var depth = 1
        var place = start + 2
        while place < bytes.count, depth > 0 {
            if bytes[place...].starts(with: "/*".utf8) {
                depth += 1
                place += 2
            } else if bytes[place...].starts(with: "*/".utf8) {
                depth -= 1
                place += 2
            } else {
                place += 1
            }
        }
        return min(place, bytes.count)
    }
}
