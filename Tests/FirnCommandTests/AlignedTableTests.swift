// SPDX-License-Identifier: Apache-2.0
//
// Tables for people: psql's alignment, values of several lines, wide characters.

import Firn
import Testing

@testable import FirnCommand

@Suite struct AlignedTableTests {
    private func text(_ columns: [(String, DataType)], _ rows: [[String?]], border: Int = 1) -> [String] {
        let columns = columns.map { ResultColumn(name: $0.0, type: $0.1) }
        return AlignedTable.text(columns, rows, border: border).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    @Test func numbersStandRightAndTextLeft() {
        let lines = text([("n", .bigint), ("word", .text)], [["1", "a"], ["1000", "bcdefg"]])
        #expect(lines == ["  n   |  word", "------+--------", "    1 | a", " 1000 | bcdefg", ""])
    }

    @Test func nullIsBlank() {
        let lines = text([("a", .text), ("b", .bigint)], [[nil, "1"], ["x", nil]])
        #expect(lines == [" a | b", "---+---", "   | 1", " x |", ""])
    }

    @Test func aValueOfSeveralLinesTakesSeveralLinesAndSaysSo() {
        let lines = text([("a", .text), ("b", .bigint)], [["one\ntwo", "1"], ["x", "2"]])
        #expect(lines == ["  a  | b", "-----+---", " one+| 1", " two |", " x   | 2", ""])
    }

    @Test func wideCharactersKeepColumnsStraight() {
        let lines = text([("name", .text), ("n", .bigint)], [["東京", "1"], ["Zürich", "2"], ["e\u{301}t", "3"]])
        #expect(lines == ["  name  | n", "--------+---", " 東京   | 1", " Zürich | 2", " e\u{301}t     | 3", ""])
    }

    @Test func bordersAreThoseOfPsql() {
        let columns: [(String, DataType)] = [("n", .bigint), ("word", .text)]
        let rows = [["1", "a"], ["10", "b\nc"]]
        #expect(text(columns, rows, border: 0) == ["n  word", "-- ----", " 1 a", "10 b   +", "   c", ""])
        #expect(
            text(columns, rows, border: 2) == [
                "+----+------+", "| n  | word |", "+----+------+", "|  1 | a    |", "| 10 | b   +|", "|    | c    |",
                "+----+------+", "",
            ])
    }

    @Test(arguments: [
        ("a\u{1B}[31mb", "a\\x1B[31mb"), ("a\rb", "a\\rb"), ("a\tb", "a       b"), ("12345678\tx", "12345678        x"),
        ("x\n\ty", "x\n        y"), ("\u{85}", "\\u0085"), ("é東", "é東"),
    ])
    func controlCharactersAreVisible(text: String, shown: String) {
        #expect(TerminalText.visible(text) == shown)
    }

    @Test func longLinesAreCutWithASign() {
        #expect(TerminalText.cut("abcdef", to: 6) == "abcdef")
        #expect(TerminalText.cut("abcdefg", to: 6) == "abcde…")
        #expect(DisplayWidth.of(TerminalText.cut("東京東京", to: 6)) <= 6)
    }

    @Test func aTableWithoutRowsHasItsHeading() {
        #expect(text([("a", .text)], []) == [" a", "---", ""])
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("東京", 4), ("가", 2), ("🙂", 2), ("👩‍👩‍👧", 2), ("Ａ", 2),
        ("\u{200B}", 0), ("─", 1),
    ])
    func widthIsWhatATerminalTakes(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }
}
