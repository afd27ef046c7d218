// SPDX-License-Identifier: Apache-2.0
//
// JSONB: strict JSON in, PostgreSQL's canonical text out, in one pass over the bytes.
//
//     {"b":1, "a":[1,2], "b":1.50}      becomes      {"a": [1, 2], "b": 1.50}
//
// A key that comes twice keeps its last value; keys are sorted by their number of bytes, then by bytes; one blank
// follows `:` and `,`; numbers are written as NUMERIC writes them (1e3 is 1000, digits and scale are kept); strings
// keep only the escapes that they need. Nesting is held on a stack of our own, so that hostile depth meets a limit
// and not the thread's stack.
//
// Source: RFC 8259; PostgreSQL 15's jsonb for the canonical form and the wording of errors.

/// Checks JSON and rewrites it as PostgreSQL's JSONB prints it.
enum JSONText {
    /// The most arrays and objects inside each other.
    static let depthMax = 1_000
    /// The most digits that a number is written with, lest `1e100000` become 100 kB.
    static let numberDigitsMax = 4_096

    /// Appends the canonical text of a document.
    ///
    /// Errors: 22P02 with PostgreSQL's detail for what is no JSON, 22P05 for `\u0000`, 22021 for bytes that are no
    /// UTF-8, 54001 beyond `depthMax`, 22003 for a number beyond `numberDigitsMax`. On an error `output` is
    /// unchanged.
    static func appendCanonical(
        _ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8], depthMax: Int = JSONText.depthMax
    ) throws(ValueError) {
        var canonicalizer = JSONCanonicalizer(depthMax: depthMax)
        try canonicalizer.append(text, to: &output)
    }

    /// The canonical text of a document; errors as `appendCanonical(_:to:depthMax:)`.
    static func canonical(_ text: String) throws(ValueError) -> String {
        var output: [UInt8] = []
        try text.withBytes { bytes throws(ValueError) in try appendCanonical(bytes, to: &output) }
        return String(decoding: output, as: UTF8.self)
    }

    /// Appends a text as a JSON string with its quotes, with PostgreSQL's escapes.
    static func appendString(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text { appendEscaped(byte, to: &output) }
        output.append(UInt8(ascii: "\""))
    }

    @inline(__always)
    static func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
        if byte >= 32, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { return output.append(byte) }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        case 8: output.append(UInt8(ascii: "b"))
        case 9: output.append(UInt8(ascii: "t"))
        case 10: output.append(UInt8(ascii: "n"))
        case 12: output.append(UInt8(ascii: "f"))
        case 13: output.append(UInt8(ascii: "r"))
        default:
            output.append(contentsOf: "u00".utf8)
            output.append(ASCII.hexadecimalDigit(byte >> 4))
            output.append(ASCII.hexadecimalDigit(byte & 15))
        }
    }
}

/// Rewrites many documents one after the other, keeping its memory between them.
struct JSONCanonicalizer {
    private let depthMax: Int
    private var levels: [JSONParser.Level] = []
    private var members: [JSONParser.Member] = []
    private var keys: [UInt8] = []

    /// A canonicalizer that refuses documents with more levels than `depthMax`.
    init(depthMax: Int = JSONText.depthMax) { self.depthMax = depthMax }

    /// Appends the canonical text of a document; errors as `JSONText.appendCanonical`.
    mutating func append(
        _ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]
    ) throws(ValueError) {
        guard UTF8Check.isValid(text) else {
            throw ValueError(code: "22021", message: "invalid byte sequence for encoding \"UTF8\"")
        }
        let start = output.count
        var parser = JSONParser(
            text: text, depthMax: depthMax, output: output, levels: levels, members: members, keys: keys)
        // The arrays live in the parser alone while it runs, so that none of them is copied.
        output = []
        (levels, members, keys) = ([], [], [])
        defer {
            (output, levels, members, keys) = parser.scratch()
        }
        do throws(ValueError) {
            try parser.run()
        } catch {
            parser.clear(outputCount: start)
            throw error
        }
    }
}

enum UTF8Check {
    /// Whether the bytes are well-formed UTF-8. ASCII costs one comparison a word.
    static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var high: UInt8 = 0
        for byte in bytes { high |= byte }
        return high < 128 || String(validating: bytes, as: UTF8.self) != nil
    }
}

struct JSONParser {
    enum Token {
        case string, number, word, objectStart, objectEnd, arrayStart, arrayEnd, comma, colon, end
    }

    /// A member of an open object: its key without escapes and its bytes in the output, `"key": value`.
    struct Member {
        var key: Range<Int>
        var output: Range<Int>
    }

    /// An open array or object.
    struct Level {
        var isObject: Bool
        /// Where its bytes begin in the output.
        var start: Int
        /// Where its members begin in `members`.
        var firstMember: Int
        /// Where its keys begin in `keys`.
        var firstKey: Int
        var count = 0
    }

    let text: UnsafeBufferPointer<UInt8>
    let depthMax: Int
    private var output: [UInt8]
    private var levels: [Level]
    private var members: [Member]
    /// Keys of open objects without escapes, end to end.
    private var keys: [UInt8]
    private var position = 0
    private var token = Token.end
    private var tokenStart = 0

    init(
        text: UnsafeBufferPointer<UInt8>, depthMax: Int, output: [UInt8], levels: [Level], members: [Member],
        keys: [UInt8]
    ) {
        self.text = text
        self.depthMax = depthMax
        self.output = output
        self.levels = levels
        self.members = members
        self.keys = keys
    }

    /// Hands the arrays back; the parser is done.
    mutating func scratch() -> (output: [UInt8], levels: [Level], members: [Member], keys: [UInt8]) {
        defer { (output, levels, members, keys) = ([], [], [], []) }
        return (output, levels, members, keys)
    }

    /// Forgets what a failed document has left behind.
    mutating func clear(outputCount: Int) {
        output.removeLast(output.count - outputCount)
        levels.removeAll(keepingCapacity: true)
        members.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
    }

    mutating func run() throws(ValueError) {
        try next()
        parsing: while true {
            // A value begins here.
            switch token {
            case .objectStart, .arrayStart:
                let isObject = token == .objectStart
                guard levels.count < depthMax else {
                    throw ValueError(
                        code: "54001", message: "stack depth limit exceeded",
                        detail: "JSON is nested more than \(depthMax) levels deep.")
                }
                levels.append(
                    Level(isObject: isObject, start: output.count, firstMember: members.count, firstKey: keys.count))
                output.append(isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
                try next()
                if token != (isObject ? .objectEnd : .arrayEnd) {
                    if isObject { try key("string or \"}\"") }
                    continue parsing
                }
                close()
            case .string: try string(isKey: false)
            case .number: try number()
            case .word: output.append(contentsOf: text[tokenStart..<position])
            default: throw expected("JSON value")
            }
            // A value ended here; so may the arrays and objects around it.
            while true {
                try next()
                guard let level = levels.last else {
                    guard token == .end else { throw expected("end of input") }
                    return
                }
                if level.isObject {
                    members[members.count - 1].output = members[members.count - 1].output.lowerBound..<output.count
                }
                levels[levels.count - 1].count += 1
                if token == .comma {
                    output.append(contentsOf: ", ".utf8)
                    try next()
                    if level.isObject { try key("string") }
                    continue parsing
                }
                guard token == (level.isObject ? .objectEnd : .arrayEnd) else {
                    throw expected(level.isObject ? "\",\" or \"}\"" : "\",\" or \"]\"")
                }
                close()
            }
        }
    }

    /// Ends the innermost level; the current token is its bracket.
    private mutating func close() {
        let level = levels.removeLast()
        if level.isObject { sortMembers(level) }
        output.append(level.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }

    /// Reads `"key":` and moves to the value.
    private mutating func key(_ wanted: String) throws(ValueError) {
        guard token == .string else { throw expected(wanted) }
        let keyStart = keys.count
        let outputStart = output.count
        try string(isKey: true)
        members.append(Member(key: keyStart..<keys.count, output: outputStart..<outputStart))
        try next()
        guard token == .colon else { throw expected("\":\"") }
        output.append(contentsOf: ": ".utf8)
        try next()
    }

    /// Puts the members in order and drops all but the last of equal keys.
    private mutating func sortMembers(_ level: Level) {
        let range = level.firstMember..<members.count
        defer {
            members.removeLast(range.count)
            keys.removeLast(keys.count - level.firstKey)
        }
        let isSorted = range.dropFirst().allSatisfy { precedes(members[$0 - 1].key, members[$0].key) }
        if isSorted { return }
        let order = range.sorted { left, right in
            if precedes(members[left].key, members[right].key) { return true }
            return left < right && !precedes(members[right].key, members[left].key)
        }
        var sorted: [UInt8] = []
        sorted.reserveCapacity(output.count - level.start)
        for (index, member) in order.enumerated() {
            let isLast = index + 1 == order.count
            if !isLast, !precedes(members[member].key, members[order[index + 1]].key) { continue }
            if !sorted.isEmpty { sorted.append(contentsOf: ", ".utf8) }
            sorted.append(contentsOf: output[members[member].output])
        }
        output.replaceSubrange((level.start + 1)..., with: sorted)
    }

    private func precedes(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        if left.count != right.count { return left.count < right.count }
        return keys[left].lexicographicallyPrecedes(keys[right])
    }
}

extension JSONParser {
    private var peek: UInt8 { position < text.count ? text[position] : 0 }

    /// Moves to the next token; strings and numbers end where they are read, words are checked here.
    private mutating func next() throws(ValueError) {
        while position < text.count, peek == 32 || peek == 9 || peek == 10 || peek == 13 { position += 1 }
        tokenStart = position
        guard position < text.count else {
            token = .end
            return
        }
        let byte = text[position]
        switch byte {
        case UInt8(ascii: "{"): token = .objectStart
        case UInt8(ascii: "}"): token = .objectEnd
        case UInt8(ascii: "["): token = .arrayStart
        case UInt8(ascii: "]"): token = .arrayEnd
        case UInt8(ascii: ","): token = .comma
        case UInt8(ascii: ":"): token = .colon
        case UInt8(ascii: "\""):
            token = .string
            try skipString()
            return
        case UInt8(ascii: "-"), 48...57:
            token = .number
            try skipNumber()
            return
        default:
            skipWord()
            guard position > tokenStart else {
                position += 1
                throw invalidToken()
            }
            let word = UnsafeBufferPointer(rebasing: text[tokenStart..<position])
            guard word.elementsEqual("true".utf8) || word.elementsEqual("false".utf8) || word.elementsEqual("null".utf8)
            else { throw invalidToken() }
            token = .word
            return
        }
        position += 1
    }

    private mutating func skipWord() {
        while position < text.count, ASCII.isAlphanumeric(peek) || peek == UInt8(ascii: "_") || peek >= 128 {
            position += 1
        }
    }

    private mutating func skipNumber() throws(ValueError) {
        var isValid = true
        func digits(_ position: inout Int) -> Int {
            let start = position
            while position < text.count, ASCII.isDigit(text[position]) { position += 1 }
            return position - start
        }
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == 48 { position += 1 } else if digits(&position) == 0 { isValid = false }
        if peek == UInt8(ascii: ".") {
            position += 1
            if digits(&position) == 0 { isValid = false }
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            if digits(&position) == 0 { isValid = false }
        }
        let end = position
        skipWord()
        guard isValid, position == end else { throw invalidToken() }
    }

    /// Checks a string with its escapes, and stops behind it.
    private mutating func skipString() throws(ValueError) {
        position += 1
        var isAfterHighSurrogate = false
        func surrogateError(_ kind: String) -> ValueError {
            syntaxError(
                kind == "high"
                    ? "Unicode high surrogate must not follow a high surrogate."
                    : "Unicode low surrogate must follow a high surrogate.")
        }
        while true {
            if !isAfterHighSurrogate {
                var index = position
                while index < text.count, text[index] >= 32, text[index] != UInt8(ascii: "\""),
                    text[index] != UInt8(ascii: "\\")
                {
                    index &+= 1
                }
                position = index
            }
            guard position < text.count else { throw invalidToken() }
            let byte = text[position]
            if byte == UInt8(ascii: "\\") {
                position += 1
                guard position < text.count else { throw invalidToken() }
                if peek == UInt8(ascii: "u") {
                    var unit: UInt32 = 0
                    for _ in 0..<4 {
                        position += 1
                        guard position < text.count else { throw invalidToken() }
                        guard let digit = ASCII.hexadecimalValue(peek) else {
                            throw syntaxError("\"\\u\" must be followed by four hexadecimal digits.")
                        }
                        unit = unit << 4 | UInt32(digit)
                    }
                    position += 1
                    switch unit {
                    case 0xD800...0xDBFF:
                        guard !isAfterHighSurrogate else { throw surrogateError("high") }
                        isAfterHighSurrogate = true
                        continue
                    case 0xDC00...0xDFFF:
                        guard isAfterHighSurrogate else { throw surrogateError("low") }
                    case 0:
                        throw ValueError(
                            code: "22P05", message: "unsupported Unicode escape sequence",
                            detail: "\\u0000 cannot be converted to text.")
                    default:
                        guard !isAfterHighSurrogate else { throw surrogateError("low") }
                    }
                    isAfterHighSurrogate = false
                    continue
                }
                guard !isAfterHighSurrogate else { throw surrogateError("low") }
                guard "\"\\/bfnrt".utf8.contains(peek) else {
                    let end = min(text.count, position + 4)
                    let tail = String(bytes: UnsafeBufferPointer(rebasing: text[position..<end]))
                    throw syntaxError("Escape sequence \"\\\(tail.prefix(1))\" is invalid.")
                }
                position += 1
                continue
            }
            if byte < 32 {
                let digits =
                    "\(Character(UnicodeScalar(ASCII.hexadecimalDigit(byte >> 4))))"
                    + "\(Character(UnicodeScalar(ASCII.hexadecimalDigit(byte & 15))))"
                throw syntaxError("Character with value 0x\(digits) must be escaped.")
            }
            guard !isAfterHighSurrogate else { throw surrogateError("low") }
            position += 1
            if byte == UInt8(ascii: "\"") { return }
        }
    }

    /// Writes the string that was just checked, and collects it without escapes when it is a key.
    private mutating func string(isKey: Bool) throws(ValueError) {
        output.append(UInt8(ascii: "\""))
        var index = tokenStart + 1
        let end = position - 1
        var high: UInt32 = 0
        while index < end {
            var plainEnd = index
            while plainEnd < end, text[plainEnd] != UInt8(ascii: "\\") { plainEnd += 1 }
            if plainEnd > index {
                // Quotes and control characters only come escaped here, so that all of this stands as it is.
                let plain = UnsafeBufferPointer(rebasing: text[index..<plainEnd])
                output.append(contentsOf: plain)
                if isKey { keys.append(contentsOf: plain) }
                index = plainEnd
                continue
            }
            var byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\\") {
                byte = text[index]
                index += 1
                switch byte {
                case UInt8(ascii: "b"): byte = 8
                case UInt8(ascii: "f"): byte = 12
                case UInt8(ascii: "n"): byte = 10
                case UInt8(ascii: "r"): byte = 13
                case UInt8(ascii: "t"): byte = 9
                case UInt8(ascii: "u"):
                    var unit: UInt32 = 0
                    for offset in 0..<4 { unit = unit << 4 | UInt32(ASCII.hexadecimalValue(text[index + offset]) ?? 0) }
                    index += 4
                    if (0xD800...0xDBFF).contains(unit) {
                        high = unit
                        continue
                    }
                    if (0xDC00...0xDFFF).contains(unit) {
                        unit = 0x10000 + (high - 0xD800) << 10 + (unit - 0xDC00)
                    }
                    // Surrogates were checked to come in pairs.
                    for code in UTF8.encode(Unicode.Scalar(unit) ?? "\u{FFFD}")! {
                        if isKey { keys.append(code) }
                        JSONText.appendEscaped(code, to: &output)
                    }
                    continue
                default: break
                }
            }
            if isKey { keys.append(byte) }
            JSONText.appendEscaped(byte, to: &output)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Writes the number that was just checked as NUMERIC prints it.
    private mutating func number() throws(ValueError) {
        let token = UnsafeBufferPointer(rebasing: text[tokenStart..<position])
        // Without an exponent a JSON number is in NUMERIC's form already, but for the sign of zero.
        if token.count <= 32, !token.contains(where: { $0 | 0x20 == UInt8(ascii: "e") }),
            token[0] != UInt8(ascii: "-") || token[1] != 48
        {
            output.append(contentsOf: token)
            return
        }
        var index = tokenStart
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var digits = [UInt8]()
        var scale = 0
        var hasPoint = false
        while index < position, text[index] | 0x20 != UInt8(ascii: "e") {
            if text[index] == UInt8(ascii: ".") {
                hasPoint = true
            } else {
                digits.append(text[index])
                if hasPoint { scale += 1 }
            }
            index += 1
        }
        if index < position {
            index += 1
            let isSmall = text[index] == UInt8(ascii: "-")
            if isSmall || text[index] == UInt8(ascii: "+") { index += 1 }
            var exponent = 0
            while index < position {
                exponent = min(exponent * 10 + Int(text[index] - 48), 1_000_000)
                index += 1
            }
            scale -= isSmall ? -exponent : exponent
        }
        let isZero = digits.allSatisfy { $0 == 48 }
        digits = Array(digits.drop { $0 == 48 })
        if scale < 0 {
            if !isZero {
                guard digits.count - scale <= JSONText.numberDigitsMax else { throw .numericOverflow }
                digits.append(contentsOf: repeatElement(48, count: -scale))
            }
            scale = 0
        }
        guard max(digits.count, scale) <= JSONText.numberDigitsMax else { throw .numericOverflow }
        if digits.count <= scale { digits = repeatElement(48, count: scale + 1 - digits.count) + digits }
        if isNegative, !isZero { output.append(UInt8(ascii: "-")) }
        output.append(contentsOf: digits[..<(digits.count - scale)])
        if scale > 0 {
            output.append(UInt8(ascii: "."))
            output.append(contentsOf: digits[(digits.count - scale)...])
        }
    }
}

extension JSONParser {
    private func syntaxError(_ detail: String) -> ValueError {
        ValueError(code: "22P02", message: "invalid input syntax for type json", detail: detail)
    }

    private var tokenText: String { String(bytes: UnsafeBufferPointer(rebasing: text[tokenStart..<position])) }

    private func invalidToken() -> ValueError { syntaxError("Token \"\(tokenText)\" is invalid.") }

    private func expected(_ what: String) -> ValueError {
        if token == .end { return syntaxError("The input string ended unexpectedly.") }
        return syntaxError("Expected \(what), but found \"\(tokenText)\".")
    }
}
