// SPDX-License-Identifier: Apache-2.0
//
// Tables for people: psql's alignment, values of several lines, wide characters.

import Firn
import Testing

@testable import FirnCommand

@Suite struct AlignedTableTests {
    private func text(_ columns: [(String, DataType)], _ rows: [[String?]]) -> [String] {
        let table = AlignedTable(columns: columns.map { ResultColumn(name: $0.0, type: $0.1) }, rows: rows)
        return table.text().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
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
