// SPDX-License-Identifier: Apache-2.0
//
// Text to integers, doubles and booleans, and back, as PostgreSQL reads and writes them.
//
// Integers and booleans are read straight off the bytes. A double of at most 19 digits whose power of ten is
// small is exact by one division or multiplication (Clinger's fast path); all others go through the standard
// library. Output is the shortest text that reads back as the same value.
//
// Source: William D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990.

/// Text forms of integers, floating-point numbers and booleans.
enum NumberText {
    /// Reads a SMALLINT, INTEGER or BIGINT: blanks, a sign, digits, blanks.
    ///
    /// Errors 22P02 for other text and 22003 beyond the type; `typeName` is `smallint`, `integer` or `bigint`.
    static func parseInteger<Value: FixedWidthInteger & SignedInteger>(
        _ text: UnsafeBufferPointer<UInt8>, as type: Value.Type = Value.self
    ) throws(ValueError) -> Value {
        let count = text.count
        var position = 0
        while position < count, ASCII.isSpace(text[position]) { position &+= 1 }
        var isNegative = false
        if position < count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
            isNegative = text[position] == UInt8(ascii: "-")
            position &+= 1
        }
        let start = position
        var magnitude: UInt64 = 0
        var overflow = false
        while position < count {
            let digit = text[position] &- 48
            guard digit < 10 else { break }
            // 18 digits never overflow; leading zeros may make the text longer.
            if position &- start < 18 {
                magnitude = magnitude &* 10 &+ UInt64(digit)
            } else {
                let tens = magnitude.multipliedReportingOverflow(by: 10)
                let sum = tens.partialValue.addingReportingOverflow(UInt64(digit))
                overflow = overflow || tens.overflow || sum.overflow
                magnitude = sum.partialValue
            }
            position &+= 1
        }
        let hasDigits = position > start
        while position < count, ASCII.isSpace(text[position]) { position &+= 1 }
        guard hasDigits, position == count else { throw .invalidSyntax(typeName(type), text) }
        let limit = UInt64(Value.max)
        guard !overflow, magnitude <= limit &+ (isNegative ? 1 : 0) else {
            throw ValueError(
                code: "22003",
                message: "value \"\(String(bytes: text))\" is out of range for type \(typeName(type))")
        }
        let bits = isNegative ? 0 &- magnitude : magnitude
        return Value(truncatingIfNeeded: Int64(bitPattern: bits))
    }

    /// Reads an integer from a string; see `parseInteger(_:as:)` over bytes.
    static func parseInteger<Value: FixedWidthInteger & SignedInteger>(
        _ text: String, as type: Value.Type = Value.self
    ) throws(ValueError) -> Value {
        try text.withBytes { bytes throws(ValueError) in try parseInteger(bytes, as: type) }
    }

    private static func typeName<Value: FixedWidthInteger>(_ type: Value.Type) -> String {
        switch Value.bitWidth {
        case 16: "smallint"
        case 32: "integer"
        default: "bigint"
        }
    }

    /// Appends the digits of an integer.
    static func append(_ value: Int64, to output: inout [UInt8]) {
        output.appendText(capacity: 24) { cursor in
            if value < 0 { cursor.put(UInt8(ascii: "-")) }
            cursor.putNumber(value.magnitude)
        }
    }

    /// Reads a BOOLEAN: unique prefixes of true, false, yes, no, and on, off, 1, 0, in any case. Error 22P02.
    static func parseBoolean(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> Bool {
        let word = ASCII.trimmed(text)
        func isPrefix(of full: StaticString, atLeast minimum: Int = 1) -> Bool {
            guard word.count >= minimum, word.count <= full.utf8CodeUnitCount else { return false }
            // In bounds: the word is not longer than the full text.
            return word.indices.allSatisfy { ASCII.lowercased(word[$0]) == full.utf8Start[$0] }
        }
        if isPrefix(of: "true") || isPrefix(of: "yes") || isPrefix(of: "on", atLeast: 2) || isPrefix(of: "1") {
            return true
        }
        if isPrefix(of: "false") || isPrefix(of: "no") || isPrefix(of: "off", atLeast: 2) || isPrefix(of: "0") {
            return false
        }
        throw .invalidSyntax("boolean", text)
    }

    /// Reads a BOOLEAN from a string; see `parseBoolean(_:)` over bytes.
    static func parseBoolean(_ text: String) throws(ValueError) -> Bool {
        try text.withBytes { bytes throws(ValueError) in try parseBoolean(bytes) }
    }

    /// Appends a BOOLEAN as PostgreSQL prints it: `t` or `f`.
    static func append(_ value: Bool, to output: inout [UInt8]) {
        output.append(value ? UInt8(ascii: "t") : UInt8(ascii: "f"))
    }
}
