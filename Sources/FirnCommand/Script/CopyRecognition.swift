// SPDX-License-Identifier: Apache-2.0
//
// The data of COPY … FROM STDIN that stands in a script behind its statement: up to a line `\.` or the end.

import FirnSyntax

/// Hands out a script's inline data and keeps what stands behind it.
final class CopyData {
    private var pending: [UInt8]
    private let nextPiece: () -> [UInt8]?
    private var isAtEnd = false
    private var isAtLineStart = true
    /// What stood behind the data.
    private(set) var rest: [UInt8] = []

    /// - Parameter first: what was read of the script behind the statement.
    init(first: [UInt8], _ nextPiece: @escaping () -> [UInt8]?) {
        // The statement's own line ends behind its semicolon; the data begins on the next.
        if let newline = first.firstIndex(of: UInt8(ascii: "\n")),
            first[..<newline].allSatisfy({ $0 <= 0x20 || $0 == 0x3b })
        {
            pending = Array(first[(newline + 1)...])
        } else {
            pending = first.allSatisfy { $0 <= 0x20 || $0 == 0x3b } ? [] : first
        }
        self.nextPiece = nextPiece
    }

    /// The next bytes of data, whole lines at a time; nil at its end.
    func next() -> [UInt8]? {
        while !isAtEnd {
            if let end = endOfData() {
                isAtEnd = true
                rest = Array(pending[end.next...])
                let data = Array(pending[..<end.start])
                pending = []
                return data.isEmpty ? nil : data
            }
            // Hold back a last line that is not complete: it may become `\.`.
            if let newline = pending.lastIndex(of: UInt8(ascii: "\n")) {
                let data = Array(pending[...newline])
                pending.removeFirst(newline + 1)
                return data
            }
            guard let piece = nextPiece() else {
                isAtEnd = true
                if pending == Array("\\.".utf8) { pending = [] }
                defer { pending = [] }
                return pending.isEmpty ? nil : pending
            }
            pending += piece
        }
        return nil
    }

    /// Reads over data that the statement left, after an error for example.
    func skipToEnd() { while next() != nil {} }

    /// Where a line `\.` stands in what is pending.
    private func endOfData() -> (start: Int, next: Int)? {
        var lineStart = 0
        while lineStart < pending.count {
            guard let newline = pending[lineStart...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            var line = pending[lineStart..<newline]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if line.elementsEqual("\\.".utf8) { return (lineStart, newline + 1) }
            lineStart = newline + 1
        }
        return nil
    }

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
