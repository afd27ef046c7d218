// SPDX-License-Identifier: Apache-2.0
//
// Splits a script that arrives in pieces into statements, at the semicolons outside of strings,
// quoted names, comments and dollar quotes.
//
// The scan is a state machine over bytes that never looks at one twice, so a script of any length costs
// O(bytes), and a statement is available as soon as its semicolon is. Where the meaning of a byte
// depends on the next one (`--`, `/*`, `$tag$`), the scan waits at it for more input.

/// One statement of a script, as text.
public struct ScriptStatement: Hashable, Sendable {
    /// Its text, from its first to its last token.
    public var text: String
    /// Bytes of the script before the text.
    public var byteOffset: Int
    /// The line on which the text begins, counted from 1.
    public var line: Int
    /// The column at which it begins, counted from 1 in code points.
    public var column: Int
    /// The first byte of the text, as it stood in the script, that is not UTF-8; nil where all of it is.
    public var invalidByteOffset: Int?

    /// A statement that stands somewhere in a script.
    public init(text: String, byteOffset: Int = 0, line: Int = 1, column: Int = 1) {
        self.text = text
        self.byteOffset = byteOffset
        self.line = line
        self.column = column
    }
}

/// Cuts a script into statements while it is read.
///
///     var splitter = StatementSplitter()
///     splitter.append("SELECT 1; SELECT ")
///     splitter.next()    // SELECT 1
///     splitter.next()    // nil
///     splitter.pending   // .statement: ask for more
public struct StatementSplitter: Sendable {
    /// What the text behind the last complete statement is in the middle of.
    public enum Pending: Hashable, Sendable {
        /// Nothing but blanks and whole comments: a new statement may begin.
        case nothing
        case statement
        case string
        case quotedIdentifier
        case comment
        case dollarString
    }

    private enum State: Sendable {
        case normal
        case string(hasEscapes: Bool)
        case identifier
        case lineComment
        case blockComment(depth: Int)
        case dollar(tag: [UInt8])
    }

    private var buffer: [UInt8] = []
    /// The script's bytes before the buffer.
    private var bufferOffset = 0
    /// The next byte to look at.
    private var cursor = 0
    private var state = State.normal
    /// The first byte of the current statement's first token.
    private var contentStart: Int?
    /// The byte behind its last token so far.
    private var contentEnd = 0
    /// The first byte of the comment that the cursor is in.
    private var commentStart = 0
    private var contentLine = 1
    private var contentColumn = 1
    private var line = 1
    private var column = 1
    /// Whether the byte before the cursor belongs to a word, and whether that word is `e` alone.
    private var isInWord = false
    /// Whether it belongs to a number, whose exponent begins no word.
    private var isInNumber = false
    private var isEscapePrefix = false
    /// Whether a quote would go on with an escape string that has just ended.
    private var continuesEscapes = false
    private var sawLineEnd = false
    private var sawBlank = false
    private var isFinished = false
    private let stopsAtBackslash: Bool

    /// A splitter at the start of a script.
    ///
    /// - Parameter stopsAtBackslash: waits at a backslash outside of strings and comments, which is no SQL; see
    ///   `isAtBackslash`. Otherwise it is text like any other, for the parser to refuse.
    public init(stopsAtBackslash: Bool = false) { self.stopsAtBackslash = stopsAtBackslash }

    /// Adds text to the script.
    public mutating func append(_ text: String) { append(bytes: text.utf8) }

    /// Adds bytes of UTF-8 to the script; a character may be split between two calls.
    public mutating func append(bytes: some Sequence<UInt8>) {
        compact()
        buffer.append(contentsOf: bytes)
    }

    /// The next complete statement, nil until its semicolon has been seen. Empty ones are skipped.
    public mutating func next() -> ScriptStatement? {
        while cursor < buffer.count {
            let before = cursor
            if case .normal = state {
                if buffer[cursor] == UInt8(ascii: ";") {
                    let statement = take()
                    step()
                    endWord()
                    if let statement { return statement }
                } else {
                    scanNormal()
                }
            } else {
                scanInside()
            }
            if cursor == before { break }
        }
        return nil
    }

    /// Ends the script. Gives the statements that are left, one a call, the last one as it stands without
    /// a semicolon, complete or not; then nil.
    public mutating func finish() -> ScriptStatement? {
        isFinished = true
        if let statement = next() {
            isFinished = false
            return statement
        }
        if case .blockComment = state {
            // Its error is the parser's to tell.
            if contentStart == nil { contentStart = commentStart }
            contentEnd = buffer.count
        }
        let rest = take()
        reset()
        return rest
    }

    /// What the rest of the script is in the middle of, for a prompt. Call it after `next()` gave nil.
    public var pending: Pending {
        switch state {
        case .normal, .lineComment: contentStart == nil && cursor >= buffer.count ? .nothing : .statement
        case .string: .string
        case .identifier: .quotedIdentifier
        case .blockComment: .comment
        case .dollar: .dollarString
        }
    }

    /// Whether the script goes on with a backslash outside of strings and comments. Call it after `next()` gave nil;
    /// `skip(byteCount:)` lets the splitter go on.
    public var isAtBackslash: Bool {
        guard stopsAtBackslash, case .normal = state, cursor < buffer.count else { return false }
        return buffer[cursor] == UInt8(ascii: "\\")
    }

    /// The text from the backslash at which the splitter waits to the end of its line.
    public var restOfLine: String {
        String(decoding: buffer[cursor...].prefix { !Lexer.isLineEnd($0) }, as: UTF8.self)
    }

    /// Passes over bytes that are no SQL.
    public mutating func skip(byteCount: Int) {
        for _ in 0..<min(byteCount, buffer.count - cursor) { step() }
        endWord()
    }

    /// The statement that has begun and not ended, as far as it goes; nil between two statements.
    public var pendingStatement: ScriptStatement? {
        var copy = self
        return copy.takePending()
    }

    /// Takes that statement out, as if it had ended here.
    public mutating func takePending() -> ScriptStatement? {
        let statement = take()
        if case .normal = state {} else { state = .normal }
        endWord()
        return statement
    }

    /// Takes the bytes behind the last statement out of the script, such as the data behind COPY ... FROM STDIN.
    public mutating func takeRest() -> [UInt8] {
        let from = contentStart ?? cursor
        let rest = Array(buffer[from...])
        reset()
        return rest
    }

    /// Forgets all that was not yet given out.
    public mutating func reset() { self = StatementSplitter(stopsAtBackslash: stopsAtBackslash) }

    // MARK: - Scanning

    private mutating func step() {
        if buffer[cursor] == UInt8(ascii: "\n") {
            line += 1
            column = 1
        } else if buffer[cursor] & 0xC0 != 0x80 {
            column += 1
        }
        cursor += 1
    }

    /// The byte behind the cursor; nil when it has not come yet. At the end of the script it is 0.
    private var following: UInt8? {
        if cursor + 1 < buffer.count { return buffer[cursor + 1] }
        return isFinished ? 0 : nil
    }

    /// Steps over a byte of a token.
    private mutating func stepContent() {
        step()
        contentEnd = cursor
    }

    private mutating func scanNormal() {
        let byte = buffer[cursor]
        if Lexer.isSpace(byte) {
            sawLineEnd = sawLineEnd || Lexer.isLineEnd(byte)
            sawBlank = true
            isInWord = false
            isInNumber = false
            isEscapePrefix = false
            return step()
        }
        if stopsAtBackslash, byte == UInt8(ascii: "\\") { return }
        if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/") {
            guard let following else { return }
            let opensComment = byte == UInt8(ascii: "-") ? following == byte : following == UInt8(ascii: "*")
            if opensComment {
                commentStart = cursor
                state = byte == UInt8(ascii: "-") ? .lineComment : .blockComment(depth: 1)
                step()
                step()
                endWord()
                return
            }
        }
        var dollarTag: [UInt8]?
        if byte == UInt8(ascii: "$"), !isInWord {
            guard let found = dollarTagAtCursor() else { return }
            dollarTag = found.isEmpty ? nil : found
        }
        beginContent()
        switch byte {
        case UInt8(ascii: "'"):
            let goesOn = continuesEscapes && (!sawBlank || sawLineEnd)
            state = .string(hasEscapes: goesOn || isEscapePrefix)
            endWord()
            stepContent()
        case UInt8(ascii: "\""):
            state = .identifier
            endWord()
            stepContent()
        default:
            if let dollarTag {
                state = .dollar(tag: dollarTag)
                endWord()
                for _ in dollarTag { stepContent() }
                return
            }
            let isNumberStart = !isInWord && Lexer.isDigit(byte)
            let goesOnNumber = isInNumber && (byte == UInt8(ascii: ".") || Lexer.isIdentifierStart(byte))
            isInNumber = isNumberStart || goesOnNumber
            let isWordStart = !isInWord && !isInNumber && Lexer.isIdentifierStart(byte)
            isEscapePrefix = isWordStart && byte | 0x20 == UInt8(ascii: "e")
            isInWord = isWordStart || (isInWord && Lexer.isIdentifierPart(byte))
            continuesEscapes = false
            stepContent()
        }
    }

    private mutating func endWord() {
        isInWord = false
        isInNumber = false
        isEscapePrefix = false
        continuesEscapes = false
    }

    private mutating func beginContent() {
        guard contentStart == nil else { return }
        contentStart = cursor
        contentLine = line
        contentColumn = column
    }

    /// The tag at the cursor, empty when the dollar sign opens none, nil when more input must tell.
    private func dollarTagAtCursor() -> [UInt8]? {
        if let end = Lexer.dollarTagEnd(buffer, from: cursor) { return Array(buffer[cursor..<end]) }
        if isFinished { return [] }
        let rest = buffer[(cursor + 1)...]
        let couldBecome = rest.enumerated().allSatisfy {
            Lexer.isIdentifierStart($0.element) || ($0.offset > 0 && Lexer.isDigit($0.element))
        }
        return couldBecome ? nil : []
    }

    private mutating func scanInside() {
        let byte = buffer[cursor]
        switch state {
        case .normal: break
        case .lineComment:
            step()
            if Lexer.isLineEnd(byte) {
                state = .normal
                sawLineEnd = true
            }
        case .blockComment(let depth):
            if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "*") {
                guard let following else { return }
                let opens = byte == UInt8(ascii: "/") && following == UInt8(ascii: "*")
                let closes = byte == UInt8(ascii: "*") && following == UInt8(ascii: "/")
                if opens || closes {
                    step()
                    state = closes && depth == 1 ? .normal : .blockComment(depth: opens ? depth + 1 : depth - 1)
                }
            }
            step()
        case .identifier:
            stepContent()
            if byte == UInt8(ascii: "\"") { state = .normal }
        case .string(let hasEscapes):
            if hasEscapes, byte == UInt8(ascii: "\\") {
                guard following != nil else { return }
                stepContent()
                if cursor < buffer.count { stepContent() }
            } else {
                stepContent()
                if byte == UInt8(ascii: "'") {
                    state = .normal
                    continuesEscapes = hasEscapes
                    sawLineEnd = false
                    sawBlank = false
                }
            }
        case .dollar(let tag):
            if byte == UInt8(ascii: "$") {
                if cursor + tag.count > buffer.count, !isFinished { return }
                if buffer[cursor...].starts(with: tag) {
                    for _ in tag { stepContent() }
                    state = .normal
                    return
                }
            }
            stepContent()
        }
    }

    // MARK: - Giving out

    private mutating func take() -> ScriptStatement? {
        guard let start = contentStart else { return nil }
        contentStart = nil
        let bytes = buffer[start..<contentEnd]
        let valid = String(validating: bytes, as: UTF8.self)
        var statement = ScriptStatement(
            text: valid ?? String(decoding: bytes, as: UTF8.self), byteOffset: bufferOffset + start,
            line: contentLine, column: contentColumn)
        if valid == nil {
            // What was repaired differs from there on.
            statement.invalidByteOffset = zip(bytes, statement.text.utf8).prefix { $0 == $1 }.count
        }
        return statement
    }

    /// Drops what was given out, once it is most of the buffer, so that it costs O(1) a byte.
    private mutating func compact() {
        let used = contentStart ?? cursor
        let bytesMin = 4_096
        guard used > bytesMin, used > buffer.count / 2 else { return }
        buffer.removeSubrange(..<used)
        bufferOffset += used
        cursor -= used
        contentEnd -= used
        commentStart -= used
        if let start = contentStart { contentStart = start - used }
    }
}
