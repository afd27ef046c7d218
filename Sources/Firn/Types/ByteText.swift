// SPDX-License-Identifier: Apache-2.0
//
// BYTEA: bytes to text and back.
//
// Output is PostgreSQL's hex form, `\x0aff`. Input is that form or the old escape form, where `\\` is a backslash
// and `\ooo` an octal byte.

/// Text forms of BYTEA.
enum ByteText {
    /// Reads a BYTEA. Errors 22P02 for a bad escape, 22023 for a bad hexadecimal digit, as in PostgreSQL.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> [UInt8] {
        if text.count >= 2, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x") {
            return try parseHexadecimal(UnsafeBufferPointer(rebasing: text[2...]))
        }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            let byte = text[position]
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                position += 1
                continue
            }
            if position + 1 < text.count, text[position + 1] == UInt8(ascii: "\\") {
                result.append(byte)
                position += 2
            } else if position + 3 < text.count, text[position + 1] &- 48 < 4, text[position + 2] &- 48 < 8,
                text[position + 3] &- 48 < 8
            {
                let octal =
                    (text[position + 1] &- 48) << 6 | (text[position + 2] &- 48) << 3 | (text[position + 3] &- 48)
                result.append(octal)
                position += 4
            } else {
                throw ValueError(code: "22P02", message: "invalid input syntax for type bytea")
            }
        }
        return result
    }

    /// Reads a BYTEA from a string; see `parse(_:)` over bytes.
    static func parse(_ text: String) throws(ValueError) -> [UInt8] {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes) }
    }

    private static func parseHexadecimal(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 2)
        var position = 0
        func digit() throws(ValueError) -> UInt8 {
            guard let value = ASCII.hexadecimalValue(text[position]) else {
                // A character outside ASCII takes up to four bytes.
                let end = min(text.count, position + 4)
                let tail = String(bytes: UnsafeBufferPointer(rebasing: text[position..<end]))
                throw .invalidParameter("invalid hexadecimal digit: \"\(tail.prefix(1))\"")
            }
            position += 1
            return value
        }
        while position < text.count {
            if ASCII.isSpace(text[position]) {
                position += 1
                continue
            }
            let upper = try digit()
            guard position < text.count else {
                throw .invalidParameter("invalid hexadecimal data: odd number of digits")
            }
            result.append(upper << 4 | (try digit()))
        }
        return result
    }

    /// Appends `\x` and two digits a byte.
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        output.append(UInt8(ascii: "x"))
        for byte in bytes {
            output.append(ASCII.hexadecimalDigit(byte >> 4))
            output.append(ASCII.hexadecimalDigit(byte & 15))
        }
    }

    /// The text of bytes: `\x0aff`.
    static func text(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        bytes.withUnsafeBufferPointer { append($0, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }
}
