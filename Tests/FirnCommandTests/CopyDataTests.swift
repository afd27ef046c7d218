// SPDX-License-Identifier: Apache-2.0
//
// Data of COPY … FROM STDIN within a script: where it begins, where it ends, and what stands behind it.

import Testing

@testable import FirnCommand

@Suite struct CopyDataTests {
    /// All data and what is left, when the script comes in these pieces.
    private func read(_ first: String, _ pieces: [String] = []) -> (data: String, rest: String) {
        var coming = pieces.map { Array($0.utf8) }
        let copy = CopyData(first: Array(first.utf8)) { coming.isEmpty ? nil : coming.removeFirst() }
        var data: [UInt8] = []
        while let next = copy.next() { data += next }
        let rest = copy.rest + coming.flatMap { $0 }
        return (String(decoding: data, as: UTF8.self), String(decoding: rest, as: UTF8.self))
    }

    @Test func dataEndsAtBackslashDot() {
        let (data, rest) = read(";\n1,a\n2,b\n\\.\nSELECT 1;\n")
        #expect(data == "1,a\n2,b\n")
        #expect(rest == "SELECT 1;\n")
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
        let (data, rest) = read(";\r\n1\r\n\\.\r\nSELECT 1;")
        #expect(data == "1\r\n")
        #expect(rest == "SELECT 1;")
    }

    @Test func emptyDataIsNoData() {
        let (data, rest) = read("\n\\.\nSELECT 1;")
        #expect(data == "")
        #expect(rest == "SELECT 1;")
    }

    @Test func piecesMayBeCutAnywhere() {
        let script = ";\n1,\"x\"\n\\\\.\n2,\\.\n\\.\nSELECT 'later';\n"
        let whole = read(script)
        for first in 2...script.utf8.count {
            for length in 1...5 {
                var rest = Substring(String(decoding: Array(script.utf8)[first...], as: UTF8.self))
                var pieces: [String] = []
                while !rest.isEmpty {
                    pieces.append(String(rest.prefix(length)))
                    rest = rest.dropFirst(length)
                }
                let cut = read(String(decoding: Array(script.utf8)[..<first], as: UTF8.self), pieces)
                #expect(cut == whole, "first piece \(first) bytes, then \(length)")
            }
        }
    }

    @Test(arguments: [
        ("COPY t FROM STDIN", true), ("copy t (a, b) from stdin with (format csv)", true),
        ("-- a comment that is long enough\n  COPY t FROM STDIN", true),
        ("/* a /* nested */ one */ COPY t FROM STDIN", true),
        ("COPY t FROM 'file'", false), ("COPY t TO STDOUT", false), ("SELECT 'copy t from stdin'", false),
        ("COPY t FROM", false), ("", false), ("/* not closed COPY t FROM STDIN", false),
    ])
    func copyFromInputIsRecognised(text: String, expected: Bool) {
        #expect(CopyData.isCopyFromInput(text) == expected)
    }
}
