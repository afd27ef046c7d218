// SPDX-License-Identifier: Apache-2.0
//
// Which statements take the lines behind them as their data.

import FirnSyntax

/// COPY … FROM STDIN.
enum CopyRecognition {
    /// Whether a statement reads data from the stream in which it stands.
    static func isCopyFromInput(_ text: String) -> Bool {
        // Nearly all statements are told apart by their first word; the others are parsed.
        guard firstWord(text).elementsEqual("copy".utf8) else { return false }
        do {
            guard case .copy(let copy)? = try SQLParser.parse(text).first?.kind else { return false }
            return copy.direction == .from && copy.endpoint == .standardInput
        } catch {
            // What is wrong with it is said when it runs.
            return false
        }
    }

    /// The letters with which a statement begins, in lower case; comments and blanks before them are passed over.
    private static func firstWord(_ text: String) -> [UInt8] {
        var rest = text.utf8[...]
        while let first = rest.first {
            if first <= 0x20 {
                rest = rest.dropFirst()
            } else if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if rest.starts(with: "/*".utf8) {
                rest = afterComment(rest)
            } else {
                break
            }
        }
        return rest.prefix { $0 | 0x20 >= UInt8(ascii: "a") && $0 | 0x20 <= UInt8(ascii: "z") }.map { $0 | 0x20 }
    }

    /// What stands behind a comment; comments nest.
    private static func afterComment(_ text: String.UTF8View.SubSequence) -> String.UTF8View.SubSequence {
        var rest = text
        var depth = 0
        repeat {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
            }
        } while depth > 0 && !rest.isEmpty
        return rest
    }
}
