// SPDX-License-Identifier: Apache-2.0
//
// LIKE and ILIKE: a pattern is compiled once a block; the common shapes (whole text, prefix, suffix, inside) are
// plain byte searches, the rest is matched with one point of return per `%`.
//
// `_` stands for one character, not one byte: in UTF-8 the bytes that continue a character are skipped with it.

/// A compiled LIKE pattern.
struct LikePattern {
    private enum Token: Equatable {
        case byte(UInt8)
        /// `_`
        case one
        /// `%`
        case many
        /// The escape character at the end of the pattern: an error for texts that reach it.
        case danglingEscape
    }

    private enum Shape {
        case whole([UInt8])
        case prefix([UInt8])
        case suffix([UInt8])
        case inside([UInt8])
        case general([Token])
    }

    private let shape: Shape
    private let ignoresCase: Bool

    /// - Parameter escape: the character that takes the meaning from the next; nil for none.
    init(_ pattern: some Sequence<UInt8>, escape: [UInt8]? = [UInt8(ascii: "\\")], ignoresCase: Bool) {
        self.ignoresCase = ignoresCase
        var bytes = Array(pattern)
        if ignoresCase { bytes = bytes.lowercasedText }
        var tokens: [Token] = []
        var index = 0
        while index < bytes.count {
            if let escape, !escape.isEmpty, bytes[index...].starts(with: escape) {
                index += escape.count
                tokens.append(index < bytes.count ? .byte(bytes[index]) : .danglingEscape)
            } else if bytes[index] == UInt8(ascii: "%") {
                if tokens.last != .many { tokens.append(.many) }
            } else if bytes[index] == UInt8(ascii: "_") {
                tokens.append(.one)
            } else {
                tokens.append(.byte(bytes[index]))
            }
            index += 1
        }
        shape = LikePattern.shape(of: tokens)
    }

    private static func shape(of tokens: [Token]) -> Shape {
        func literal(_ tokens: ArraySlice<Token>) -> [UInt8]? {
            var bytes: [UInt8] = []
            for token in tokens {
                guard case .byte(let byte) = token else { return nil }
                bytes.append(byte)
            }
            return bytes
        }
        let startsOpen = tokens.first == .many
        let endsOpen = tokens.last == .many
        if let text = literal(tokens[...]) { return .whole(text) }
        if endsOpen, let text = literal(tokens.dropLast()) { return .prefix(text) }
        if startsOpen, let text = literal(tokens.dropFirst()) { return .suffix(text) }
        if startsOpen, endsOpen, let text = literal(tokens.dropFirst().dropLast()) { return .inside(text) }
        return .general(tokens)
    }

    /// Whether a text matches; nil where it cannot be told, for the pattern ends with an escape character where the
    /// text goes on.
    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        if ignoresCase {
            return Array(text).lowercasedText.withUnsafeBufferPointer { matchesAsGiven($0) }
        }
        return matchesAsGiven(text)
    }

    private func matchesAsGiven(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        switch shape {
        case .whole(let wanted): text.count == wanted.count && text.elementsEqual(wanted)
        case .prefix(let wanted): text.count >= wanted.count && text.prefix(wanted.count).elementsEqual(wanted)
        case .suffix(let wanted): text.count >= wanted.count && text.suffix(wanted.count).elementsEqual(wanted)
        case .inside(let wanted): ByteSearch.first(wanted, in: text) != nil
        case .general(let tokens): LikePattern.matches(tokens, text)
        }
    }

    private static func matches(_ tokens: [Token], _ text: UnsafeBufferPointer<UInt8>) -> Bool? {
        var token = 0
        var position = 0
        // Where to go on after the last `%`, should what follows it not match.
        var retry: (token: Int, position: Int)?
        while true {
            if token < tokens.count, tokens[token] == .many {
                retry = (token + 1, position)
                token += 1
                continue
            }
            if token == tokens.count, position == text.count { return true }
            if token < tokens.count, position < text.count {
                switch tokens[token] {
                case .byte(let byte) where byte == text[position]:
                    token += 1
                    position += 1
                    continue
                case .one:
                    token += 1
                    position += 1
                    while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
                    continue
                case .danglingEscape: return nil
                default: break
                }
            }
            // One byte more goes to the last `%`; beyond the text nothing is left to give.
            guard let (nextToken, nextPosition) = retry, nextPosition < text.count else { return false }
            retry = (nextToken, nextPosition + 1)
            token = nextToken
            position = nextPosition + 1
        }
    }
}

/// Finds bytes in bytes.
enum ByteSearch {
    /// The offset of the first occurrence at or after `start`; an empty needle is found at once.
    static func first(_ needle: [UInt8], in text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> Int? {
        if needle.isEmpty { return start }
        let last = text.count - needle.count
        guard start <= last else { return nil }
        return needle.withUnsafeBufferPointer { needle in
            let head = needle[0]
            // In bounds: `offset + needle.count` is at most the text's count.
            for offset in start...last where text[offset] == head {
                if compareBytes(text.baseAddress! + offset, needle.count, needle.baseAddress, needle.count) == 0 {
                    return offset
                }
            }
            return nil
        }
    }
}

extension FunctionCatalogue {
    mutating func addLike() {
        for (symbol, ignoresCase) in [("~~", false), ("~~*", true)] {
            addOperator(
                symbol,
                overload: FunctionOverload([.text, .text], .boolean) { arguments, count, _ throws(FirnError) in
                    try like(
                        arguments[0].texts, arguments[1].texts, escapes: nil, count: count, ignoresCase: ignoresCase)
                })
            addOperator(
                symbol,
                overload: FunctionOverload([.text, .text, .text], .boolean) { arguments, count, _ throws(FirnError) in
                    try like(
                        arguments[0].texts, arguments[1].texts, escapes: arguments[2].texts, count: count,
                        ignoresCase: ignoresCase)
                })
            addOperator(
                "!" + symbol,
                overload: FunctionOverload([.text, .text], .boolean) { arguments, count, _ throws(FirnError) in
                    let found = try like(
                        arguments[0].texts, arguments[1].texts, escapes: nil, count: count, ignoresCase: ignoresCase)
                    return .booleans(found.booleans.map(count: count) { !$0 })
                })
        }
    }
}

private func like(
    _ texts: TextLane, _ patterns: TextLane, escapes: TextLane?, count: Int, ignoresCase: Bool
) throws(FirnError) -> Vector {
    func compiled(_ row: Int) throws(FirnError) -> LikePattern {
        guard let escapes else { return LikePattern(patterns[row], ignoresCase: ignoresCase) }
        let escape = Array(escapes[row])
        guard escape.characterCount <= 1 else {
            throw FirnError(
                .invalidEscapeSequence, "invalid escape string", hint: "Escape string must be empty or one character.")
        }
        return LikePattern(patterns[row], escape: escape, ignoresCase: ignoresCase)
    }
    var isConstant = false
    if case .constant = patterns { isConstant = true }
    if let escapes, case .column = escapes { isConstant = false }
    var results: [Bool] = []
    results.reserveCapacity(count)
    var isUnknown = false
    func add(_ outcome: Bool?) {
        results.append(outcome ?? false)
        if outcome == nil { isUnknown = true }
    }
    if isConstant, count > 0 {
        let pattern = try compiled(0)
        texts.forEach(count: count) { add(pattern.matches($0)) }
    } else {
        for row in 0..<count {
            let pattern = try compiled(row)
            add(texts[row].withUnsafeBufferPointer { pattern.matches($0) })
        }
    }
    if isUnknown {
        throw FirnError(.invalidEscapeSequence, "LIKE pattern must not end with escape character")
    }
    return .booleans(results)
}
