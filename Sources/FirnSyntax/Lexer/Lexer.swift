// SPDX-License-Identifier: Apache-2.0
//
// Bytes of UTF-8 -> tokens, by PostgreSQL's lexical rules (src/backend/parser/scan.l).
//
// The lexer only finds where tokens end; constants are decoded when the parser needs them
// (Lexer+Constants.swift). It never throws: what is no token ends the list as a `.failure`, so that
// an error earlier in the text is reported first. The same scanning functions serve the splitter.

struct Lexer {
    let bytes: [UInt8]
    private(set) var position = 0
    /// What made the last token a `.failure`.
    private(set) var failure: SyntaxError?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// All tokens of the text; the last one is `.end` or `.failure`.
    static func tokenize(_ bytes: [UInt8]) -> (tokens: [Token], failure: SyntaxError?) {
        var lexer = Lexer(bytes)
        var tokens: [Token] = []
        tokens.reserveCapacity(bytes.count / 4 + 1)
        while true {
            let token = lexer.next()
            tokens.append(token)
            if token.kind == .end || token.kind == .failure { return (tokens, lexer.failure) }
        }
    }

    /// The next token.
    mutating func next() -> Token {
        if let commentStart = skipBlanks() {
            return fail(at: commentStart, "unterminated /* comment")
        }
        let start = position
        guard start < bytes.count else {
            return Token(kind: .end, start: start, end: start, text: "")
        }
        let byte = bytes[start]
        switch byte {
        case UInt8(ascii: "'"): return quoted(.string, start, from: start + 1)
        case UInt8(ascii: "\""): return quotedIdentifier(.quotedIdentifier, start, from: start + 1)
        case UInt8(ascii: "$"): return dollar(start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return number(start)
        case UInt8(ascii: "."):
            if start + 1 < bytes.count, Self.isDigit(bytes[start + 1]) { return number(start) }
            return symbol(start, count: 1)
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: ","), UInt8(ascii: ";"):
            return symbol(start, count: 1)
        case UInt8(ascii: ":"):
            let following = start + 1 < bytes.count ? bytes[start + 1] : 0
            return symbol(start, count: following == UInt8(ascii: ":") || following == UInt8(ascii: "=") ? 2 : 1)
        default:
            if let prefixed = prefixedString(start) { return prefixed }
            if Self.isIdentifierStart(byte) { return word(start) }
            if Self.isOperator(byte) { return operatorToken(start) }
            position = start + 1
            return fail(at: start, "syntax error", near: text(start, start + 1))
        }
    }

    // MARK: - Blanks

    /// Skips white space and comments. Returns the start of a comment that does not end.
    mutating func skipBlanks() -> Int? {
        while position < bytes.count {
            let byte = bytes[position]
            if Self.isSpace(byte) {
                position += 1
            } else if isPair("-", "-", at: position) {
                while position < bytes.count, !Self.isLineEnd(bytes[position]) { position += 1 }
            } else if isPair("/", "*", at: position) {
                let start = position
                guard let end = Self.blockCommentEnd(bytes, from: start) else {
                    position = bytes.count
                    return start
                }
                position = end
            } else {
                return nil
            }
        }
        return nil
    }

    /// The offset behind the nested comment that begins at `start`, nil when it does not end.
    static func blockCommentEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == UInt8(ascii: "/"), bytes[index + 1] == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return nil
    }

    // MARK: - Strings and quoted names

    /// `E'`, `B'`, `X'`, `N'`, `U&'` and `U&"`.
    private mutating func prefixedString(_ start: Int) -> Token? {
        guard start + 1 < bytes.count else { return nil }
        let following = bytes[start + 1]
        if following == UInt8(ascii: "'") {
            switch bytes[start] | 0x20 {
            case UInt8(ascii: "e"): return quoted(.escapeString, start, from: start + 2)
            case UInt8(ascii: "b"): return quoted(.binaryString, start, from: start + 2)
            case UInt8(ascii: "x"): return quoted(.hexadecimalString, start, from: start + 2)
            case UInt8(ascii: "n"): return quoted(.string, start, from: start + 2)
            default: return nil
            }
        }
        guard bytes[start] | 0x20 == UInt8(ascii: "u"), following == UInt8(ascii: "&"), start + 2 < bytes.count
        else { return nil }
        switch bytes[start + 2] {
        case UInt8(ascii: "'"): return quoted(.unicodeString, start, from: start + 3)
        case UInt8(ascii: "\""): return quotedIdentifier(.unicodeIdentifier, start, from: start + 3)
        default: return nil
        }
    }

    private mutating func quoted(_ kind: Token.Kind, _ start: Int, from content: Int) -> Token {
        guard let end = Self.stringEnd(bytes, from: content, hasEscapes: kind == .escapeString) else {
            let what =
                switch kind {
                case .binaryString: "bit string literal"
                case .hexadecimalString: "hexadecimal string literal"
                default: "quoted string"
                }
            return fail(at: start, "unterminated \(what)")
        }
        position = end
        return Token(kind: kind, start: start, end: end, text: "")
    }

    /// The offset behind the closing quote of a string whose content begins at `start`; strings that
    /// only a line break separates are one string. nil when it does not end.
    static func stringEnd(_ bytes: [UInt8], from start: Int, hasEscapes: Bool) -> Int? {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if hasEscapes, byte == UInt8(ascii: "\\") {
                index += 1
            } else if byte == UInt8(ascii: "'") {
                if index < bytes.count, bytes[index] == UInt8(ascii: "'") {
                    index += 1
                } else if let continued = continuation(bytes, from: index) {
                    index = continued
                } else {
                    return index
                }
            }
        }
        return nil
    }

    /// The offset behind the opening quote of the part that continues a string, nil when there is none.
    static func continuation(_ bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        var sawLineEnd = false
        while index < bytes.count, isSpace(bytes[index]) {
            sawLineEnd = sawLineEnd || isLineEnd(bytes[index])
            index += 1
        }
        guard sawLineEnd, index < bytes.count, bytes[index] == UInt8(ascii: "'") else { return nil }
        return index + 1
    }

    private mutating func quotedIdentifier(_ kind: Token.Kind, _ start: Int, from content: Int) -> Token {
        guard let end = Self.identifierEnd(bytes, from: content) else {
            return fail(at: start, "unterminated quoted identifier")
        }
        position = end
        if end == content + 1 {
            return fail(at: start, "zero-length delimited identifier", near: text(start, end))
        }
        return Token(kind: kind, start: start, end: end, text: "")
    }

    /// The offset behind the closing quote of a quoted name, nil when it does not end.
    static func identifierEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            index += 1
            guard bytes[index - 1] == UInt8(ascii: "\"") else { continue }
            if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
                index += 1
            } else {
                return index
            }
        }
        return nil
    }

    private mutating func dollar(_ start: Int) -> Token {
        var index = start + 1
        if index < bytes.count, Self.isDigit(bytes[index]) {
            while index < bytes.count, Self.isDigit(bytes[index]) { index += 1 }
            if index < bytes.count, Self.isIdentifierStart(bytes[index]) {
                return failJunk(at: start, from: index, "trailing junk after parameter")
            }
            position = index
            return Token(kind: .parameter, start: start, end: index, text: "")
        }
        guard let content = Self.dollarTagEnd(bytes, from: start) else {
            while index < bytes.count, Self.isIdentifierStart(bytes[index]) || Self.isDigit(bytes[index]) { index += 1 }
            position = index
            if index == start + 1 { return fail(at: start, "syntax error", near: "$") }
            let name = String(decoding: bytes[(start + 1)..<index], as: UTF8.self)
            return Token(kind: .namedParameter, start: start, end: index, text: name)
        }
        guard let end = Self.dollarStringEnd(bytes, from: start, content: content) else {
            return fail(at: start, "unterminated dollar-quoted string")
        }
        position = end
        return Token(kind: .dollarString, start: start, end: end, text: "")
    }

    /// The offset behind `$tag$` at `start`, nil when there is no such tag.
    static func dollarTagEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "$") {
            guard isIdentifierStart(bytes[index]) || (index > start + 1 && isDigit(bytes[index])) else { return nil }
            index += 1
        }
        return index < bytes.count ? index + 1 : nil
    }

    /// The offset behind the closing tag of a dollar-quoted string, nil when it does not end.
    static func dollarStringEnd(_ bytes: [UInt8], from start: Int, content: Int) -> Int? {
        let tagCount = content - start
        var index = content
        while index + tagCount <= bytes.count {
            if bytes[index] == UInt8(ascii: "$") {
                var matched = 1
                while matched < tagCount, bytes[index + matched] == bytes[start + matched] { matched += 1 }
                if matched == tagCount { return index + tagCount }
            }
            index += 1
        }
        return nil
    }

    // MARK: - Words, numbers, operators

    private mutating func word(_ start: Int) -> Token {
        var index = start
        while index < bytes.count, Self.isIdentifierPart(bytes[index]) { index += 1 }
        position = index
        let folded = String(unsafeUninitializedCapacity: index - start) { buffer in
            for offset in start..<index {
                let byte = bytes[offset]
                let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                buffer[offset - start] = isCapital ? byte | 0x20 : byte
            }
            return index - start
        }
        return Token(kind: .word, start: start, end: index, text: folded)
    }

    private mutating func number(_ start: Int) -> Token {
        var index = start
        var isDecimal = false
        if bytes[start] == UInt8(ascii: "0"), start + 1 < bytes.count,
            let radix = Self.radix(of: bytes[start + 1])
        {
            index = digits(from: start + 2, radix: radix)
            if index == start + 2 {
                let what = radix == 16 ? "hexadecimal" : radix == 8 ? "octal" : "binary"
                return failJunk(at: start, from: index, "invalid \(what) integer")
            }
        } else {
            index = digits(from: start, radix: 10)
            // `1..10` is a range, not two decimals.
            if index < bytes.count, bytes[index] == UInt8(ascii: "."), !isPair(".", ".", at: index) {
                isDecimal = true
                index = digits(from: index + 1, radix: 10)
            }
            if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
                var exponent = index + 1
                if exponent < bytes.count, bytes[exponent] == UInt8(ascii: "+") || bytes[exponent] == UInt8(ascii: "-")
                {
                    exponent += 1
                }
                if exponent < bytes.count, Self.isDigit(bytes[exponent]) {
                    isDecimal = true
                    index = digits(from: exponent, radix: 10)
                }
            }
        }
        if index < bytes.count, Self.isIdentifierStart(bytes[index]) {
            return failJunk(at: start, from: index, "trailing junk after numeric literal")
        }
        position = index
        return Token(kind: isDecimal ? .decimal : .integer, start: start, end: index, text: "")
    }

    /// The offset behind a run of digits in which single underscores may separate.
    private func digits(from start: Int, radix: Int) -> Int {
        var index = start
        while index < bytes.count {
            if Self.digitValue(bytes[index]) < radix {
                index += 1
            } else if bytes[index] == UInt8(ascii: "_"), index + 1 < bytes.count, index > start || radix != 10,
                Self.digitValue(bytes[index + 1]) < radix
            {
                index += 2
            } else {
                break
            }
        }
        return index
    }

    private mutating func operatorToken(_ start: Int) -> Token {
        var end = start
        while end < bytes.count, Self.isOperator(bytes[end]), !isPair("-", "-", at: end), !isPair("/", "*", at: end) {
            end += 1
        }
        // An operator of several characters ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ?
        if end - start > 1, !bytes[start..<end].contains(where: Self.allowsTrailingSign) {
            while end - start > 1, bytes[end - 1] == UInt8(ascii: "+") || bytes[end - 1] == UInt8(ascii: "-") {
                end -= 1
            }
        }
        position = end
        let spelling = text(start, end)
        switch spelling {
        case "=>": return Token(kind: .symbol, start: start, end: end, text: spelling)
        case "!=": return Token(kind: .operator, start: start, end: end, text: "<>")
        default: return Token(kind: .operator, start: start, end: end, text: spelling)
        }
    }

    private mutating func symbol(_ start: Int, count: Int) -> Token {
        position = start + count
        return Token(kind: .symbol, start: start, end: position, text: text(start, position))
    }

    // MARK: - Failures

    private mutating func fail(at start: Int, _ message: String, near: String? = nil) -> Token {
        let shown = near ?? Self.shortened(text(start, bytes.count))
        let range = SourceRange(start, near == nil ? bytes.count : position)
        failure = SyntaxError(message: "\(message) at or near \"\(shown)\"", range: range)
        return Token(kind: .failure, start: start, end: range.end.byteOffset, text: "")
    }

    private mutating func failJunk(at start: Int, from junk: Int, _ message: String) -> Token {
        var end = junk
        while end < bytes.count, Self.isIdentifierPart(bytes[end]) { end += 1 }
        position = end
        return fail(at: start, message, near: text(start, end))
    }

    /// A long text cut for a message.
    static func shortened(_ text: String) -> String {
        let charactersMax = 200
        return text.count <= charactersMax ? text : "\(text.prefix(charactersMax))..."
    }

    func text(_ start: Int, _ end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private func isPair(_ first: Unicode.Scalar, _ second: Unicode.Scalar, at index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: first) && bytes[index + 1] == UInt8(ascii: second)
    }
}
