// SPDX-License-Identifier: Apache-2.0
//
// The parser's core: a cursor over tokens, the verbs with which the grammar is written, and its errors.
//
// Recursive descent; expressions climb precedences (Parser+Expressions.swift). Two limits keep every
// walk over a tree, this one included, off the end of the stack: `nestingMax` for what recurses while
// parsing, and `treeHeightMax` for chains such as a || b || c, which loop here but are tall trees. On
// a small stack StackGuard ends both sooner. A height bounds what later phases may build: it counts
// what stands in FROM and in WITH on top of the rest, since their expressions may be put into those
// of the query around them.
//
// The grammar follows PostgreSQL's gram.y. Each extension file covers one family of statements.

struct Parser {
    let bytes: [UInt8]
    let tokens: [Token]
    /// What the lexer could not read; it ends the tokens.
    let lexicalFailure: SyntaxError?
    let limits: DepthLimits
    var index = 0

    /// Levels of parentheses, subqueries, joins and prefix operators around the cursor.
    var nesting = 0
    /// The height of the tallest tree parsed since the enclosing level reset it.
    var height = 0
    private var stack: StackGuard?
    /// The parameters met so far.
    var parameters = StatementParameters()
    /// The keywords that the grammar would have taken, by token; recorded only on the second run, which words a hint.
    var wanted: [Int: [String]]?

    init(bytes: [UInt8], limits: DepthLimits = .standard) {
        self.bytes = bytes
        self.limits = limits
        (tokens, lexicalFailure) = Lexer.tokenize(bytes)
    }

    // MARK: - The cursor

    var current: Token { tokens[index] }

    /// The token `count` places ahead, or the last one.
    func peek(_ count: Int) -> Token { tokens[min(index + count, tokens.count - 1)] }

    mutating func advance() {
        if index < tokens.count - 1 { index += 1 }
    }

    /// Where the next token begins, to be handed to `range(from:)` later.
    var start: Int { current.start }

    /// From `start` to the end of the last token taken.
    func range(from start: Int) -> SourceRange {
        let end = index > 0 ? tokens[index - 1].end : start
        return SourceRange(start, max(start, end))
    }

    // MARK: - Words

    /// Whether the cursor is at this keyword.
    mutating func at(_ word: String) -> Bool {
        if current.kind == .word, current.text == word { return true }
        if wanted != nil { wanted?[index, default: []].append(word) }
        return false
    }

    /// Whether these keywords come next.
    mutating func at(_ first: String, _ second: String) -> Bool {
        at(first) && isWord(peek(1), second)
    }

    mutating func at(anyOf words: [String]) -> Bool {
        for word in words where at(word) { return true }
        return false
    }

    func isWord(_ token: Token, _ word: String) -> Bool {
        token.kind == .word && token.text == word
    }

    /// Takes this keyword if it is next.
    mutating func accept(_ word: String) -> Bool {
        guard at(word) else { return false }
        advance()
        return true
    }

    /// Takes these two keywords if they are next.
    mutating func accept(_ first: String, _ second: String) -> Bool {
        guard at(first, second) else { return false }
        advance()
        advance()
        return true
    }

    mutating func expect(_ word: String) throws(SyntaxError) {
        guard accept(word) else { throw unexpected() }
    }

    // MARK: - Symbols and operators

    func isSymbol(_ token: Token, _ symbol: String) -> Bool {
        token.kind == .symbol && token.text == symbol
    }

    func isOperator(_ token: Token, _ spelling: String) -> Bool {
        token.kind == .operator && token.text == spelling
    }

    func atSymbol(_ symbol: String) -> Bool { isSymbol(current, symbol) }

    mutating func acceptSymbol(_ symbol: String) -> Bool {
        guard atSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func expectSymbol(_ symbol: String) throws(SyntaxError) {
        guard acceptSymbol(symbol) else { throw unexpected() }
    }

    mutating func acceptOperator(_ spelling: String) -> Bool {
        guard isOperator(current, spelling) else { return false }
        advance()
        return true
    }

    // MARK: - Names

    /// Where a name stands decides which keywords it may be.
    enum NamePlace {
        /// Column, table, alias: gram.y's ColId.
        case column
        /// Function or type: type_function_name.
        case function
        /// Behind AS or a dot: ColLabel, any word.
        case label
    }

    func isName(_ token: Token, _ place: NamePlace) -> Bool {
        switch token.kind {
        case .quotedIdentifier, .unicodeIdentifier: return true
        case .word:
            guard let keywordClass = KeywordList.keywordClass(of: token.text) else { return true }
            switch place {
            case .column: return keywordClass == .unreserved || keywordClass == .columnName
            case .function: return keywordClass == .unreserved || keywordClass == .functionOrTypeName
            case .label: return true
            }
        default: return false
        }
    }

    func atName(_ place: NamePlace = .column) -> Bool { isName(current, place) }

    mutating func parseName(_ place: NamePlace = .column) throws(SyntaxError) -> Identifier {
        guard atName(place) else { throw unexpected() }
        return try takeIdentifier()
    }

    /// Takes the current token as a name, whatever its class.
    mutating func takeIdentifier() throws(SyntaxError) -> Identifier {
        let token = current
        switch token.kind {
        case .word:
            advance()
            return Identifier(token.text, range: token.range)
        case .quotedIdentifier, .unicodeIdentifier:
            let name = try constants.quotedIdentifier(token)
            advance()
            return Identifier(name, isQuoted: true, range: token.range)
        default: throw unexpected()
        }
    }

    /// `a`, `a.b`, `a.b.c`.
    mutating func parseQualifiedName(_ place: NamePlace = .column) throws(SyntaxError) -> QualifiedName {
        var parts = [try parseName(place)]
        while acceptSymbol(".") { parts.append(try parseName(.label)) }
        return QualifiedName(parts)
    }

    mutating func parseQualifiedNames() throws(SyntaxError) -> [QualifiedName] {
        var names = [try parseQualifiedName()]
        while acceptSymbol(",") { names.append(try parseQualifiedName()) }
        return names
    }

    /// `a, b, c`.
    mutating func parseNames() throws(SyntaxError) -> [Identifier] {
        var names = [try parseName()]
        while acceptSymbol(",") { names.append(try parseName()) }
        return names
    }

    /// `(a, b, c)`.
    mutating func parseParenthesizedNames() throws(SyntaxError) -> [Identifier] {
        try expectSymbol("(")
        let names = try parseNames()
        try expectSymbol(")")
        return names
    }

    // MARK: - Constants

    var constants: ConstantDecoder { ConstantDecoder(bytes: bytes) }

    mutating func parseString() throws(SyntaxError) -> String {
        guard current.isString else { throw unexpected() }
        let text = try constants.string(current)
        advance()
        return text
    }

    /// A whole number that fits Int32, as in type modifiers.
    mutating func parseSmallInteger() throws(SyntaxError) -> Int {
        let isNegative = acceptOperator("-")
        guard current.kind == .integer else { throw unexpected() }
        let digits = try integerDigits(current)
        guard let magnitude = Int32(digits) else {
            throw SyntaxError(
                message: "value \"\(digits)\" is out of range for type integer", code: "22003", range: current.range)
        }
        advance()
        return isNegative ? -Int(magnitude) : Int(magnitude)
    }

    /// The decimal digits of an integer token.
    func integerDigits(_ token: Token) throws(SyntaxError) -> String {
        let bytesMax = 1_000
        guard token.end - token.start <= bytesMax else {
            throw SyntaxError(
                message: "integer constant has more than \(bytesMax) digits", code: "22003", range: token.range)
        }
        return constants.integer(token)
    }

    // MARK: - Limits

    /// Enters a level of recursion; the caller leaves it with `leave()`.
    mutating func enter() throws(SyntaxError) {
        guard nesting < limits.nestingMax else { throw tooDeep() }
        nesting += 1
        // Few statements nest so deep that the stack's bounds are worth asking for.
        let usualNesting = 8
        guard nesting <= usualNesting || stackRoom > 0 else { throw tooDeep() }
    }

    mutating func leave() { nesting -= 1 }

    /// Notes that the tree grew by one level on top of all that the enclosing level has seen.
    mutating func grow() throws(SyntaxError) {
        height += 1
        try checkHeight()
    }

    /// Lets `height` pass if this thread can walk a tree of that many levels.
    mutating func checkHeight() throws(SyntaxError) {
        guard height <= limits.treeHeightMax else { throw tooDeep() }
        let usualHeight = 12
        if height > usualHeight {
            guard height <= stackRoom / StackGuard.bytesPerLevel else { throw tooDeep() }
        }
    }

    private var stackRoom: Int {
        mutating get {
            let known = stack ?? StackGuard()
            stack = known
            return known.room
        }
    }

    func tooDeep() -> SyntaxError {
        SyntaxError(
            message: "stack depth limit exceeded", code: "54001", range: current.range,
            hint: "The statement nests too many levels deep or chains too many operators: at most "
                + "\(DepthLimits.standard.nestingMax), fewer on a thread with a small stack.")
    }

    // MARK: - Errors

    /// The error of a token that the grammar has no place for.
    func unexpected() -> SyntaxError { unexpected(current) }

    func unexpected(_ token: Token) -> SyntaxError {
        switch token.kind {
        case .failure:
            return lexicalFailure ?? SyntaxError(message: "syntax error", range: token.range)
        case .end:
            return SyntaxError(message: "syntax error at end of input", range: token.range)
        default:
            let shown = String(decoding: bytes[token.start..<token.end], as: UTF8.self)
            return SyntaxError(
                message: "syntax error at or near \"\(Lexer.shortened(shown))\"", range: token.range,
                hint: hint(for: token))
        }
    }

    /// The error of something that PostgreSQL can do and this engine cannot.
    func notSupported(_ what: String, _ range: SourceRange, hint: String? = nil) -> SyntaxError {
        SyntaxError(message: "\(what) is not supported", code: "0A000", range: range, hint: hint)
    }
}
