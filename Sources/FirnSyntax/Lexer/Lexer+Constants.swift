// SPDX-License-Identifier: Apache-2.0
//
// The values of constants: quotes removed, escapes resolved, digits normalised.

/// Reads the value of tokens that hold one.
struct ConstantDecoder {
    let bytes: [UInt8]

    /// The value of a string constant of any quoting.
    func string(_ token: Token) throws(SyntaxError) -> String {
        switch token.kind {
        case .dollarString:
            let range = dollarContent(token)
            return String(decoding: bytes[range], as: UTF8.self)
        case .escapeString:
            return try unescape(content(token, prefixCount: 2), token)
        case .unicodeString:
            return try unescapeUnicode(unquoted(content(token, prefixCount: 3), UInt8(ascii: "'")), token)
        case .binaryString, .hexadecimalString:
            return String(decoding: unquoted(content(token, prefixCount: 2), UInt8(ascii: "'")), as: UTF8.self)
        default:
            let prefixCount = bytes[token.start] == UInt8(ascii: "'") ? 1 : 2
            return String(
                decoding: unquoted(content(token, prefixCount: prefixCount), UInt8(ascii: "'")), as: UTF8.self)
        }
    }

    /// The bytes between a dollar-quoted string's tags.
    func dollarContent(_ token: Token) -> Range<Int> {
        let content = Lexer.dollarTagEnd(bytes, from: token.start) ?? token.end
        return content..<max(content, token.end - (content - token.start))
    }

    /// The name that a quoted identifier holds.
    func quotedIdentifier(_ token: Token) throws(SyntaxError) -> String {
        if token.kind == .unicodeIdentifier {
            return try unescapeUnicode(unquoted(content(token, prefixCount: 3), UInt8(ascii: "\"")), token)
        }
        return String(decoding: unquoted(content(token, prefixCount: 1), UInt8(ascii: "\"")), as: UTF8.self)
    }

    /// The digits of an integer token in decimal, without underscores and leading zeros.
    func integer(_ token: Token) -> String {
        var digits = bytes[token.start..<token.end].filter { $0 != UInt8(ascii: "_") }
        if digits.count > 2, digits[0] == UInt8(ascii: "0"), let radix = Lexer.radix(of: digits[1]) {
            return Self.decimalDigits(of: digits[2...], radix: radix)
        }
        if let first = digits.firstIndex(where: { $0 != UInt8(ascii: "0") }) {
            digits.removeFirst(first)
        } else {
            digits = [UInt8(ascii: "0")]
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// A decimal token as written, without underscores.
    func decimal(_ token: Token) -> String {
        String(decoding: bytes[token.start..<token.end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// The number of `$n`, nil when it is 0 or beyond any machine integer.
    func parameter(_ token: Token) -> Int? {
        guard let number = Int(String(decoding: bytes[(token.start + 1)..<token.end], as: UTF8.self)), number > 0,
            number <= Int(Int32.max)
        else { return nil }
        return number
    }

    // MARK: - Inside

    private func content(_ token: Token, prefixCount: Int) -> ArraySlice<UInt8> {
        bytes[(token.start + prefixCount)..<(token.end - 1)]
    }

    /// Removes the doubling of quotes and joins the parts of a continued string.
    private func unquoted(_ content: ArraySlice<UInt8>, _ quote: UInt8) -> [UInt8] {
        guard content.contains(quote) else { return Array(content) }
        var output: [UInt8] = []
        var index = content.startIndex
        while index < content.endIndex {
            let byte = content[index]
            index += 1
            guard byte == quote else {
                output.append(byte)
                continue
            }
            if index < content.endIndex, content[index] == quote {
                output.append(quote)
                index += 1
            } else if let continued = Lexer.continuation(bytes, from: index) {
                index = continued
            }
        }
        return output
    }

    private func unescape(_ content: ArraySlice<UInt8>, _ token: Token) throws(SyntaxError) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(content.count)
        var index = content.startIndex
        var highSurrogate: UInt32?
        while index < content.endIndex {
            let byte = content[index]
            if highSurrogate != nil, !isUnicodeEscape(content, index) { throw unpaired(token) }
            index += 1
            if byte == UInt8(ascii: "'") {
                if index < content.endIndex, content[index] == UInt8(ascii: "'") {
                    output.append(byte)
                    index += 1
                } else if let continued = Lexer.continuation(bytes, from: index) {
                    index = continued
                }
                continue
            }
            guard byte == UInt8(ascii: "\\"), index < content.endIndex else {
                output.append(byte)
                continue
            }
            let escapeStart = index - 1
            let escape = content[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                let value = digits(content, &index, radix: 8, countMax: 2, first: UInt32(escape - 0x30)).value
                output.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "x"):
                let found = digits(content, &index, radix: 16, countMax: 2, first: 0)
                output.append(found.count > 0 ? UInt8(truncatingIfNeeded: found.value) : escape)
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let count = escape == UInt8(ascii: "u") ? 4 : 8
                let found = digits(content, &index, radix: 16, countMax: count, first: 0)
                guard found.count == count else {
                    throw SyntaxError(
                        message: "invalid Unicode escape", code: "22025", range: SourceRange(escapeStart, index),
                        hint: "Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
                }
                let range = SourceRange(escapeStart, index)
                try appendScalar(found.value, &highSurrogate, to: &output, range)
                continue
            default: output.append(escape)
            }
        }
        if highSurrogate != nil { throw unpaired(token) }
        return try validated(output, token)
    }

    private func unescapeUnicode(_ content: [UInt8], _ token: Token) throws(SyntaxError) -> String {
        var output: [UInt8] = []
        var index = content.startIndex
        var highSurrogate: UInt32?
        while index < content.endIndex {
            let byte = content[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                if highSurrogate != nil { throw unpaired(token) }
                output.append(byte)
                continue
            }
            if index < content.endIndex, content[index] == UInt8(ascii: "\\"), highSurrogate == nil {
                output.append(byte)
                index += 1
                continue
            }
            var count = 4
            if index < content.endIndex, content[index] == UInt8(ascii: "+") {
                count = 6
                index += 1
            }
            let found = digits(content[...], &index, radix: 16, countMax: count, first: 0)
            guard found.count == count else {
                throw SyntaxError(
                    message: "invalid Unicode escape", code: "22025", range: token.range,
                    hint: "Unicode escapes must be \\XXXX or \\+XXXXXX.")
            }
            try appendScalar(found.value, &highSurrogate, to: &output, token.range)
        }
        if highSurrogate != nil { throw unpaired(token) }
        return try validated(output, token)
    }

    private func isUnicodeEscape(_ content: ArraySlice<UInt8>, _ index: Int) -> Bool {
        index + 1 < content.endIndex && content[index] == UInt8(ascii: "\\")
            && content[index + 1] | 0x20 == UInt8(ascii: "u")
    }

    private func unpaired(_ token: Token) -> SyntaxError {
        SyntaxError(message: "invalid Unicode surrogate pair", range: token.range)
    }

    private func digits(
        _ content: ArraySlice<UInt8>, _ index: inout Int, radix: Int, countMax: Int, first: UInt32
    ) -> (value: UInt32, count: Int) {
        var value = first
        var count = 0
        while count < countMax, index < content.endIndex, Lexer.digitValue(content[index]) < radix {
            value = value &* UInt32(radix) &+ UInt32(Lexer.digitValue(content[index]))
            index += 1
            count += 1
        }
        return (value, count)
    }

    /// Appends a scalar as UTF-8; a high surrogate waits for its low one.
    private func appendScalar(
        _ value: UInt32, _ highSurrogate: inout UInt32?, to output: inout [UInt8], _ range: SourceRange
    ) throws(SyntaxError) {
        if let high = highSurrogate {
            guard (0xDC00...0xDFFF).contains(value) else {
                throw SyntaxError(message: "invalid Unicode surrogate pair", range: range)
            }
            highSurrogate = nil
            try appendScalar(0x10000 + ((high - 0xD800) << 10) + (value - 0xDC00), &highSurrogate, to: &output, range)
        } else if (0xD800...0xDBFF).contains(value) {
            highSurrogate = value
        } else if let scalar = Unicode.Scalar(value), value != 0 {
            output.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        } else {
            throw SyntaxError(message: "invalid Unicode escape value", range: range)
        }
    }

    /// Escapes may have made bytes that are no text.
    private func validated(_ output: [UInt8], _ token: Token) throws(SyntaxError) -> String {
        guard !output.contains(0), let text = String(validating: output, as: UTF8.self) else {
            throw SyntaxError(
                message: "invalid byte sequence for encoding \"UTF8\"", code: "22021", range: token.range)
        }
        return text
    }

    private static func decimalDigits(of digits: ArraySlice<UInt8>, radix: Int) -> String {
        // Schoolbook: decimal digits, least significant first.
        var decimal: [UInt8] = [0]
        for digit in digits {
            var carry = Lexer.digitValue(digit)
            for place in decimal.indices {
                let value = Int(decimal[place]) * radix + carry
                decimal[place] = UInt8(value % 10)
                carry = value / 10
            }
            while carry > 0 {
                decimal.append(UInt8(carry % 10))
                carry /= 10
            }
        }
        return String(decoding: decimal.reversed().map { $0 + 0x30 }, as: UTF8.self)
    }
}
