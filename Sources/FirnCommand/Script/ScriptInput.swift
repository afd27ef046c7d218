// SPDX-License-Identifier: Apache-2.0
//
// A script as it comes, in pieces: lines of SQL, and between them the data of COPY … FROM STDIN, whole lines up to one
// that is `\.` or to the end. Every line counts, whichever of the two it is, so that errors can name it.

import Firn

/// Hands out the lines of a script, or the data that stands between them. Not thread-safe.
final class ScriptInput {
    private let nextPiece: () throws(FirnError) -> [UInt8]?
    /// Whether more may come behind an end, as it may from a person who typed Ctrl-D.
    private let isTyped: Bool
    private var pending: [UInt8] = []
    /// The first byte that was not handed out.
    private var position = 0
    private var isAtEnd = false
    /// Why the end came before its time.
    private var failure: FirnError?
    /// Whether `data` has come to a line `\.` or to the end.
    private(set) var isDataAtEnd = true
    /// Lines that were handed out, or read over.
    private(set) var lineCount = 0

    /// - Parameter nextPiece: bytes cut anywhere; nil at the end.
    init(isTyped: Bool = false, _ nextPiece: @escaping () throws(FirnError) -> [UInt8]?) {
        self.nextPiece = nextPiece
        self.isTyped = isTyped
    }

    convenience init(text: String) {
        var piece: [UInt8]? = Array(text.utf8)
        self.init {
            defer { piece = nil }
            return piece
        }
    }

    /// The next line with its line end, or what is left at the end; nil behind it.
    func nextLine() -> [UInt8]? {
        var searched = position
        while true {
            if let newline = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) { return take(newline + 1) }
            searched = pending.count
            let before = position
            guard readMore() else { return position < pending.count ? take(pending.count) : nil }
            searched -= before - position
        }
    }

    /// The next line where it is there without reading, as it is when lines were pasted.
    func nextLineAtHand() -> [UInt8]? {
        pending[position...].firstIndex(of: UInt8(ascii: "\n")).map { take($0 + 1) }
    }

    /// Data begins with the next line.
    func beginData() { isDataAtEnd = false }

    /// Some whole lines of data, the last line perhaps without its end; nil behind the last.
    func data() -> [UInt8]? {
        while !isDataAtEnd {
            var lineStart = position
            while let newline = pending[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
                if ScriptInput.endsData(pending[lineStart..<newline]) {
                    isDataAtEnd = true
                    let data = lineStart > position ? take(lineStart) : nil
                    _ = take(newline + 1)
                    return data
                }
                lineStart = newline + 1
            }
            // A last line that is not complete may become `\.`.
            if lineStart > position { return take(lineStart) }
            if readMore() { continue }
            isDataAtEnd = true
            if position < pending.count, !ScriptInput.endsData(pending[position...]) { return take(pending.count) }
            _ = take(pending.count)
        }
        return nil
    }

    /// What comes is no data any more.
    func endData() { isDataAtEnd = true }

    /// Reads over data that the statement left, after an error for example.
    func skipData() { while data() != nil {} }

    private static func endsData(_ line: ArraySlice<UInt8>) -> Bool {
        var line = line
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line.elementsEqual("\\.".utf8)
    }

    private func take(_ end: Int) -> [UInt8] {
        let taken = Array(pending[position..<end])
        position = end
        lineCount += taken.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        return taken
    }

    /// Moves what is pending to the front and reads behind it; false at the end.
    private func readMore() -> Bool {
        if isAtEnd { return false }
        pending.removeFirst(position)
        position = 0
        do throws(FirnError) {
            guard let piece = try nextPiece() else {
                isAtEnd = !isTyped
                return false
            }
            pending += piece
            return true
        } catch {
            failure = error
            isAtEnd = true
            return false
        }
    }

    /// Throws, once, why the script ended before its time: it could not be read, or not be unpacked.
    func checkEnd() throws(FirnError) {
        guard let error = failure else { return }
        failure = nil
        throw error
    }
}
