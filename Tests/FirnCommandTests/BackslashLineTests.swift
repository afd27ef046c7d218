// SPDX-License-Identifier: Apache-2.0
//
// Words of backslash commands, by psql's rules, and patterns of names.

import Firn
import Testing

@testable import FirnCommand

@Suite struct BackslashLineTests {
    private func words(_ line: String) throws -> [String] {
        try BackslashLine(line, takesLine: { _ in false }).words.map(\.text)
    }

    @Test func blanksPartWords() throws {
        let line = try BackslashLine("\\pset  null \t N/A  ", takesLine: { _ in false })
        #expect(line.name == "\\pset")
        #expect(line.words.map(\.text) == ["null", "N/A"])
        #expect(line.rest == "null \t N/A")
    }

    @Test func quotesHoldBlanksAndEscapes() throws {
        #expect(try words("\\pset null 'not there'") == ["null", "not there"])
        #expect(try words("\\pset null ''") == ["null", ""])
        #expect(try words("\\echo 'it''s' 'a\\tb' \"Na me\"") == ["it's", "a\tb", "Na me"])
        #expect(try words("\\echo a'b c'd") == ["ab cd"])
        #expect(throws: FirnError.self) { try words("\\echo 'open") }
    }

    @Test(arguments: [
        ("\\d+ t", "\\d+"), ("\\dt+", "\\dt+"), ("\\? x", "\\?"), ("\\!ls -l", "\\!"), ("\\x", "\\x"),
        ("\\gx out", "\\gx"), ("\\\\ SELECT 1", "\\\\"), ("\\", "\\"), ("\\C title", "\\C"),
    ])
    func namesEndWhereLettersDo(line: String, name: String) throws {
        #expect(try BackslashLine(line, takesLine: { _ in false }).name == name)
    }

    @Test func anotherBackslashBeginsTheNextCommand() throws {
        let line = try BackslashLine("\\x on \\timing on", takesLine: { _ in false })
        #expect(line.words.map(\.text) == ["on"])
        #expect(line.byteCount == "\\x on ".utf8.count)
    }

    @Test func someCommandsTakeTheLine() throws {
        let line = try BackslashLine("\\! echo 'a  b' \\x ", takesLine: { $0 == "\\!" })
        #expect(line.rest == "echo 'a  b' \\x")
        #expect(line.byteCount == "\\! echo 'a  b' \\x ".utf8.count)
    }

    @Test(arguments: [
        ("t", "t", true), ("T", "t", true), ("t*", "temperature", true), ("*ure", "temperature", true),
        ("t?mp*", "temperature", true), ("t", "temperature", false), ("*", "", true), ("?", "", false),
        ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false),
    ])
    func patternsMatchAsInPsql(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(BackslashLine.Word(text: pattern)).matches(name) == matches)
    }

    @Test func quotedPatternsKeepTheirCase() {
        #expect(NamePattern(BackslashLine.Word(text: "Big", isQuoted: true)).matches("Big"))
        #expect(!NamePattern(BackslashLine.Word(text: "Big")).matches("Big"))
    }

    @Test func everyCommandIsInTheHelpOnce() {
        let names = BackslashCommand.all.flatMap(\.names)
        #expect(Set(names).count == names.count)
        for command in BackslashCommand.all { #expect(BackslashCommand.help.contains("  " + command.usage)) }
    }

    @Test func helpOfSQLKnowsItsTopics() throws {
        for topic in SQLHelp.topics { #expect(try SQLHelp.text(topic.name.lowercased()).contains(topic.syntax)) }
        #expect(try SQLHelp.text("create").contains("CREATE TABLE"))
        #expect(try SQLHelp.text("").contains("CHECKPOINT"))
        let error = #expect(throws: FirnError.self) { try SQLHelp.text("selct") }
        #expect(error?.hint?.contains("did you mean SELECT?") == true)
    }
}
