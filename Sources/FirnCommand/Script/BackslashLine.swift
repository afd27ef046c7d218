// SPDX-License-Identifier: Apache-2.0
//
// The words of a backslash command, by psql's rules: blanks part them, '…' holds blanks (a doubled quote is one, and
// \n, \t, \\ and \' are what they are in C), "…" is a name as it stands. A backslash outside of quotes begins the next
// command; two of them go back to SQL. Some commands take the rest of the line as it is.

import Firn

/// One backslash command as it was typed.
struct BackslashLine: Equatable {
    struct Word: Equatable {
        var text: String
        /// Stood in quotes, at least in part.
        var isQuoted = false
    }

    /// With its backslash.
    var name: String
    var words: [Word] = []
    /// All that stands behind the name, without blanks around it.
    var rest = ""
    /// How much of the line it is.
    var byteCount = 0

    /// - Parameters:
    ///   - line: begins with a backslash, and has no line break.
    ///   - takesLine: which commands take the rest of the line.
    ///   - variables: what :NAME stands for among the words.
    init(
        _ line: String, takesLine: (String) -> Bool, _ variables: ScriptVariables = ScriptVariables()
    ) throws(FirnError) {
        let bytes = Array(line.utf8)
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 || byte == 13 }
        var cursor = 1
        // A letter begins a name of letters; other names are one character: \?, \!, \\.
        func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte == UInt8(ascii: "_") }
        while cursor < bytes.count, isLetter(bytes[cursor]) { cursor += 1 }
        if cursor == 1, cursor < bytes.count, !isBlank(bytes[cursor]) { cursor += 1 }
        while cursor > 2, cursor < bytes.count, bytes[cursor] == UInt8(ascii: "+") { cursor += 1 }
        if cursor == 2, bytes.count > 2, bytes[2] == UInt8(ascii: "+") { cursor = 3 }
        name = String(decoding: bytes[..<cursor], as: UTF8.self)
        var restBytes = bytes[cursor...]
        while let first = restBytes.first, isBlank(first) { restBytes.removeFirst() }
        while let last = restBytes.last, isBlank(last) { restBytes.removeLast() }
        rest = String(decoding: restBytes, as: UTF8.self)
        if name == "\\\\" {
            byteCount = cursor
            return
        }
        if takesLine(name) {
            byteCount = bytes.count
            return
        }
        while cursor < bytes.count {
            if isBlank(bytes[cursor]) {
                cursor += 1
                continue
            }
            if bytes[cursor] == UInt8(ascii: "\\") { break }
            words.append(try BackslashLine.word(bytes, &cursor, isBlank, variables))
        }
        byteCount = cursor
    }

    private static func word(
        _ bytes: [UInt8], _ cursor: inout Int, _ isBlank: (UInt8) -> Bool, _ variables: ScriptVariables
    ) throws(FirnError) -> Word {
        var text: [UInt8] = []
        var isQuoted = false
        while cursor < bytes.count, !isBlank(bytes[cursor]), bytes[cursor] != UInt8(ascii: "\\") {
            let quote = bytes[cursor]
            if let reference = variables.reference(in: bytes, at: cursor) {
                text += reference.text
                cursor = reference.end
                continue
            }
            guard quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
                text.append(quote)
                cursor += 1
                continue
            }
            isQuoted = true
            cursor += 1
            while true {
                guard cursor < bytes.count else {
                    throw FirnError(.syntaxError, "unterminated quoted string")
                }
                let byte = bytes[cursor]
                cursor += 1
                if byte == quote {
                    guard cursor < bytes.count, bytes[cursor] == quote else { break }
                    cursor += 1
                    text.append(quote)
                } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "'"), cursor < bytes.count {
                    text.append(unescaped(bytes[cursor]))
                    cursor += 1
                } else {
                    text.append(byte)
                }
            }
        }
        return Word(text: String(decoding: text, as: UTF8.self), isQuoted: isQuoted)
    }

    private static func unescaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): 10
        case UInt8(ascii: "t"): 9
        case UInt8(ascii: "r"): 13
        case UInt8(ascii: "b"): 8
        case UInt8(ascii: "f"): 12
        default: byte
        }
    }
}
