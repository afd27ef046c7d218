// SPDX-License-Identifier: Apache-2.0
//
// The splitter: statements at their semicolons, however the script arrives.

import Testing

@testable import FirnSyntax

struct StatementSplitterTests {
    /// All statements of a script that arrives in the given pieces.
    private static func split(_ pieces: [[UInt8]]) -> [ScriptStatement] {
        var splitter = StatementSplitter()
        var statements: [ScriptStatement] = []
        for piece in pieces {
            splitter.append(bytes: piece)
            while let statement = splitter.next() { statements.append(statement) }
        }
        while let statement = splitter.finish() { statements.append(statement) }
        return statements
    }

    private static let cases: [(String, [String])] = [
        ("SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]), ("SELECT 1", ["SELECT 1"]), ("", []),
        (" ;; ; -- x\n/* y; */ ;", []),
        ("SELECT ';'; b", ["SELECT ';'", "b"]), ("SELECT 'it''s;'; b", ["SELECT 'it''s;'", "b"]),
        ("SELECT \"a;\"\"b;\"; c", ["SELECT \"a;\"\"b;\"", "c"]), ("a -- x;y\n; b", ["a", "b"]),
        ("/* a; /* b; */ c; */ d; e", ["d", "e"]), ("a /* x; */ b; c", ["a /* x; */ b", "c"]),
        ("$$a;b$$; c", ["$$a;b$$", "c"]), ("$x$a;$$;$y$;$x$; c", ["$x$a;$$;$y$;$x$", "c"]),
        ("SELECT $1; SELECT $2", ["SELECT $1", "SELECT $2"]), ("a$b$; c$b$", ["a$b$", "c$b$"]),
        ("1;E'\\';'; c", ["1", "E'\\';'", "c"]), ("E'a\\';b'; c", ["E'a\\';b'", "c"]), ("'a\\'; b", ["'a\\'", "b"]),
        ("some'x\\'; b", ["some'x\\'", "b"]),
        ("E'a' '\\'; b", ["E'a' '\\'", "b"]), ("E'a'\n'\\';b'; c", ["E'a'\n'\\';b'", "c"]),
        ("E'a''\\';b'; c", ["E'a''\\';b'", "c"]),
        ("a - b; c", ["a - b", "c"]), ("a / b; c", ["a / b", "c"]), ("a -", ["a -"]), ("a /", ["a /"]), ("$", ["$"]),
        ("$a", ["$a"]), ("$a; $b", ["$a", "$b"]),
        ("SELECT 'unterminated; x", ["SELECT 'unterminated; x"]), ("SELECT /* open; x", ["SELECT /* open; x"]),
        ("-- a\n/* open; x", ["/* open; x"]),
        ("  SELECT 1  ;\n\t SELECT 2\r\n", ["SELECT 1", "SELECT 2"]), ("é;ü", ["é", "ü"]), ("/", ["/"]), ("-", ["-"]),
        ("--", []),
        (
            "CREATE FUNCTION f() RETURNS void AS $$ BEGIN a; b; END; $$ LANGUAGE plpgsql; SELECT 1",
            ["CREATE FUNCTION f() RETURNS void AS $$ BEGIN a; b; END; $$ LANGUAGE plpgsql", "SELECT 1"]
        ),
    ]

    @Test(arguments: cases)
    func splitsAtSemicolonsOutsideOfQuotesAndComments(script: String, expected: [String]) {
        #expect(Self.split([Array(script.utf8)]).map(\.text) == expected)
        // Byte by byte, the same.
        #expect(Self.split(script.utf8.map { [$0] }).map(\.text) == expected)
    }

    @Test
    func aStatementIsThereAsSoonAsItsSemicolonIs() {
        var splitter = StatementSplitter()
        splitter.append("SELECT 1")
        #expect(splitter.next() == nil)
        #expect(splitter.pending == .statement)
        splitter.append(";")
        #expect(splitter.next()?.text == "SELECT 1")
        #expect(splitter.pending == .nothing)
        splitter.append(" INSERT INTO t VALUES ('a;")
        #expect(splitter.next() == nil)
        #expect(splitter.pending == .string)
        splitter.append("b'); SELECT 2; SEL")
        #expect(splitter.next()?.text == "INSERT INTO t VALUES ('a;b')")
        #expect(splitter.next()?.text == "SELECT 2")
        #expect(splitter.next() == nil)
        #expect(splitter.finish()?.text == "SEL")
        #expect(splitter.finish() == nil)
    }

    private static let pendingCases: [(String, StatementSplitter.Pending)] = [
        ("", .nothing), ("  \n", .nothing), ("-- x\n", .nothing), ("SELECT 1;", .nothing), ("SELECT 1; -- x", .nothing),
        ("SELECT", .statement),
        ("SELECT 'a", .string), ("SELECT \"a", .quotedIdentifier), ("SELECT /* a", .comment), ("/* a /* */", .comment),
        ("AS $$ a", .dollarString), ("AS $x$ a $$", .dollarString), ("SELECT 1 -- x", .statement),
    ]

    @Test(arguments: pendingCases)
    func saysWhatItIsInTheMiddleOf(script: String, pending: StatementSplitter.Pending) {
        var splitter = StatementSplitter()
        splitter.append(script)
        while splitter.next() != nil {}
        #expect(splitter.pending == pending)
    }

    @Test
    func placesCountFromTheScriptsStart() {
        let statements = Self.split([Array("SELECT 1;\n\n  -- é\n  SELECT 2; é; SELECT 3".utf8)])
        #expect(statements.map(\.line) == [1, 4, 4, 4])
        #expect(statements.map(\.column) == [1, 3, 13, 16])
        #expect(statements.map(\.byteOffset) == [0, 21, 31, 35])
    }

    @Test
    func theRestCanBeTakenAsData() {
        var splitter = StatementSplitter()
        splitter.append("COPY t FROM STDIN;\n1,a;b\n2,'x\n\\.\nSELECT 1;")
        #expect(splitter.next()?.text == "COPY t FROM STDIN")
        #expect(splitter.takeRest() == Array("\n1,a;b\n2,'x\n\\.\nSELECT 1;".utf8))
        splitter.append("SELECT 2;")
        #expect(splitter.next()?.text == "SELECT 2")
    }

    @Test
    func aLongScriptKeepsItsPlaces() {
        var splitter = StatementSplitter()
        var count = 0
        for number in 0..<5_000 {
            splitter.append("INSERT INTO t VALUES (\(number % 10));")
            while let statement = splitter.next() {
                #expect(statement.byteOffset == count * 25)
                #expect(statement.column == count * 25 + 1)
                count += 1
            }
        }
        #expect(count == 5_000)
    }

    @Test
    func agreesWithTheLexerHoweverTheScriptIsCut() {
        let seed = testSeed(0x5EED)
        var generator = SeededGenerator(seed: seed)
        let atoms = [
            "a", "e", "E", "1", " ", "\n", ";", "'", "''", "\"", "\\", "$", "$$", "$x$", "--", "/*", "*/", "-", "/",
            "*", "é", "E'", "(", ")",
        ]
        var lexedCount = 0
        for round in 0..<6_000 {
            var script = ""
            for _ in 0..<Int.random(in: 1...25, using: &generator) {
                script += atoms.randomElement(using: &generator) ?? ""
            }
            let bytes = Array(script.utf8)
            let whole = Self.split([bytes])
            var pieces: [[UInt8]] = []
            var index = 0
            while index < bytes.count {
                let count = Int.random(in: 1...4, using: &generator)
                pieces.append(Array(bytes[index..<min(bytes.count, index + count)]))
                index += count
            }
            #expect(Self.split(pieces) == whole, "FIRN_SEED=\(seed) round \(round): \(script.debugDescription)")
            if let expected = Self.lexed(bytes) {
                lexedCount += 1
                #expect(whole.map(\.text) == expected, "FIRN_SEED=\(seed) round \(round): \(script.debugDescription)")
            }
            for statement in whole {
                #expect(
                    SourceRange(
                        start: .init(byteOffset: statement.byteOffset),
                        end: .init(byteOffset: statement.byteOffset + statement.text.utf8.count)
                    ).text(in: script) == statement.text,
                    "FIRN_SEED=\(seed) round \(round): \(script.debugDescription)")
            }
        }
        #expect(lexedCount > 500)
    }

    @Test func aBackslashOutsideOfQuotesStopsWhoWantsIt() {
        var splitter = StatementSplitter(stopsAtBackslash: true)
        splitter.append("SELECT '\\a', E'\\'', \"\\\" -- \\b\n/* \\c */ + 1 \\gx out\nSELECT 2;\n")
        #expect(splitter.next() == nil)
        #expect(splitter.isAtBackslash)
        #expect(splitter.restOfLine == "\\gx out")
        #expect(splitter.pendingStatement?.text.hasSuffix("+ 1") == true)
        splitter.skip(byteCount: splitter.restOfLine.utf8.count)
        #expect(splitter.takePending()?.line == 1)
        #expect(splitter.next() == ScriptStatement(text: "SELECT 2", byteOffset: 51, line: 3, column: 1))
        #expect(splitter.next() == nil && !splitter.isAtBackslash)
        var plain = StatementSplitter()
        plain.append("SELECT \\x;")
        #expect(plain.next()?.text == "SELECT \\x")
    }

    /// The statements as the lexer's semicolons part them, nil when the text has no tokens.
    private static func lexed(_ bytes: [UInt8]) -> [String]? {
        let (tokens, failure) = Lexer.tokenize(bytes)
        if failure != nil { return nil }
        var texts: [String] = []
        var start: Int?
        var end = 0
        for token in tokens {
            if token.kind == .end || (token.kind == .symbol && token.text == ";") {
                if let start { texts.append(String(decoding: bytes[start..<end], as: UTF8.self)) }
                start = nil
            } else {
                start = start ?? token.start
                end = token.end
            }
        }
        return texts
    }
}
