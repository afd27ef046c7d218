// SPDX-License-Identifier: Apache-2.0
//
// Scripts that come in pieces: their lines, the data of COPY … FROM STDIN within them, and the number of each line.

import Testing

@testable import FirnCommand

@Suite struct ScriptInputTests {
    /// The first line, all data behind it, and the lines behind the data.
    private func read(_ script: String, pieceBytes: Int = 1_000) -> (data: String, rest: [String], lineCount: Int) {
        var coming = Array(script.utf8)[...]
        let input = ScriptInput {
            if coming.isEmpty { return nil }
            defer { coming = coming.dropFirst(pieceBytes) }
            return Array(coming.prefix(pieceBytes))
        }
        _ = input.nextLine()
        input.beginData()
        var data: [UInt8] = []
        while let next = input.data() { data += next }
        #expect(input.isDataAtEnd)
        var rest: [String] = []
        while let line = input.nextLine() { rest.append(String(decoding: line, as: UTF8.self)) }
        return (String(decoding: data, as: UTF8.self), rest, input.lineCount)
    }

    @Test func dataEndsAtBackslashDot() {
        let (data, rest, lineCount) = read("COPY;\n1,a\n2,b\n\\.\nSELECT 1;\nSELECT 2")
        #expect(data == "1,a\n2,b\n")
        #expect(rest == ["SELECT 1;\n", "SELECT 2"])
        #expect(lineCount == 5)
    }

    @Test func dataEndsWithTheInput() {
        #expect(read("\n1\n2\n").data == "1\n2\n")
        #expect(read("\n1\n2").data == "1\n2")
        #expect(read("").data == "")
        #expect(read("\n1\n\\.").data == "1\n")
    }

    @Test func backslashDotWithinALineIsData() {
        #expect(read("\na\\.\n\\.b\n \\.\n\\.\n").data == "a\\.\n\\.b\n \\.\n")
    }

    @Test func linesOfWindowsEndTheDataToo() {
        let (data, rest, _) = read(";\r\n1\r\n\\.\r\nSELECT 1;")
        #expect(data == "1\r\n")
        #expect(rest == ["SELECT 1;"])
    }

    @Test func emptyDataIsNoData() {
        let (data, rest, _) = read("\n\\.\nSELECT 1;")
        #expect(data == "")
        #expect(rest == ["SELECT 1;"])
    }

    @Test func piecesMayBeCutAnywhere() {
        let script = ";\n1,\"x\"\n\\\\.\n2,\\.\n\\.\nSELECT 'later';\nand more"
        let whole = read(script)
        for pieceBytes in 1...script.utf8.count {
            #expect(read(script, pieceBytes: pieceBytes) == whole, "pieces of \(pieceBytes) bytes")
        }
    }

    @Test func whatIsTypedGoesOnBehindAnEnd() {
        var pieces: [[UInt8]?] = [Array("a\n".utf8), nil, Array("b\n".utf8)]
        let input = ScriptInput(isTyped: true) { pieces.isEmpty ? nil : pieces.removeFirst() }
        #expect(input.nextLine() == Array("a\n".utf8))
        #expect(input.nextLine() == nil)
        #expect(input.nextLineAtHand() == nil)
        #expect(input.nextLine() == Array("b\n".utf8))
    }

    @Test(arguments: [
        ("COPY t FROM STDIN", true), ("copy t (a, b) from stdin with (format csv)", true),
        ("-- a comment that is long enough\n  COPY t FROM STDIN", true),
        ("/* a /* nested */ one */ COPY t FROM STDIN", true),
        ("COPY t FROM 'file'", false), ("COPY t TO STDOUT", false), ("SELECT 'copy t from stdin'", false),
        ("COPY t FROM", false), ("", false), ("/* not closed COPY t FROM STDIN", false),
    ])
    func copyFromInputIsRecognised(text: String, expected: Bool) {
        #expect(CopyRecognition.isCopyFromInput(text) == expected)
    }
}
