// SPDX-License-Identifier: Apache-2.0
//
// psql's variables: \set gives a name a text, and :name stands for it in statements and behind backslash commands, :'name' as
// a literal, :"name" as a name, :{?name} for whether there is one. Nothing is put into strings, quoted names and comments;
// a name that no variable has stays as it is typed, and so does a cast (a::text).

import Firn
import FirnSyntax

/// The variables of one shell.
struct ScriptVariables {
    private var values: [String: String] = [:]

    subscript(name: String) -> String? { values[name] }

    /// Names and values, by name.
    var all: [(name: String, value: String)] {
        values.map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
    }

    /// Gives a variable a value.
    ///
    /// - Throws: 42602 for what is no name of one; 0A000 for the name of a variable with which psql itself is set.
    mutating func set(_ name: String, to value: String) throws(FirnError) {
        guard !name.isEmpty, name.utf8.allSatisfy(ScriptVariables.isNamePart) else {
            throw FirnError(
                "42602", "invalid variable name: \"\(name)\"", hint: "Letters, digits and underscores make a name.")
        }
        if let hint = ScriptVariables.settingsOfPsql[name] {
            throw FirnError(
                .featureNotSupported, "psql's variable \(name) is not supported",
                hint: hint.isEmpty ? "Nothing here goes by it." : hint)
        }
        values[name] = value
    }

    /// Forgets a variable; false where there is none.
    mutating func remove(_ name: String) -> Bool { values.removeValue(forKey: name) != nil }

    /// With these psql's own behaviour is changed: to take them and go on as before would be to ignore them.
    private static let settingsOfPsql: [String: String] = [
        "AUTOCOMMIT": "Each statement is a commit of its own.", "COMP_KEYWORD_CASE": "", "ECHO": "",
        "ECHO_HIDDEN": "", "FETCH_COUNT": "Results are never held whole.", "HIDE_TABLEAM": "",
        "HIDE_TOAST_COMPRESSION": "", "HISTCONTROL": "", "HISTFILE": "Set FIRN_HISTORY in the environment.",
        "HISTSIZE": "", "IGNOREEOF": "", "ON_ERROR_ROLLBACK": "Each statement is a commit of its own.",
        "PROMPT1": "", "PROMPT2": "", "PROMPT3": "", "QUIET": "", "SHOW_ALL_RESULTS": "", "SHOW_CONTEXT": "",
        "SINGLELINE": "", "SINGLESTEP": "", "VERBOSITY": "Errors say all there is.",
    ]

    static func isNamePart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
            || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
    }

    /// A variable named at a place of a text.
    struct Reference {
        /// What stands there for it.
        let text: [UInt8]
        /// The byte behind the name.
        let end: Int
    }

    /// The variable that the colon at `place` names; nil where it names none that there is.
    func reference(in bytes: [UInt8], at place: Int) -> Reference? {
        guard bytes[place] == UInt8(ascii: ":"), place + 1 < bytes.count else { return nil }
        let quote = bytes[place + 1]
        let opening: [UInt8]
        let closing: [UInt8]
        switch quote {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): (opening, closing) = ([quote], [quote])
        case UInt8(ascii: "{"): (opening, closing) = (Array("{?".utf8), Array("}".utf8))
        default: (opening, closing) = ([], [])
        }
        guard bytes[(place + 1)...].starts(with: opening) else { return nil }
        let start = place + 1 + opening.count
        let end = bytes[start...].firstIndex { !ScriptVariables.isNamePart($0) } ?? bytes.count
        guard end > start, bytes[end...].starts(with: closing) else { return nil }
        let value = values[String(decoding: bytes[start..<end], as: UTF8.self)]
        if quote == UInt8(ascii: "{") {
            return Reference(text: Array((value == nil ? "FALSE" : "TRUE").utf8), end: end + 1)
        }
        guard let value else { return nil }
        let text: String =
            switch quote {
            case UInt8(ascii: "'"): ScriptVariables.literal(value)
            case UInt8(ascii: "\""): ScriptVariables.quoted(value, "\"")
            default: value
            }
        return Reference(text: Array(text.utf8), end: end + closing.count)
    }

    private static func quoted(_ text: String, _ quote: Character) -> String {
        "\(quote)"
            + text.split(separator: quote, omittingEmptySubsequences: false).joined(separator: "\(quote)\(quote)")
            + "\(quote)"
    }

    /// A literal as SQL writes it.
    private static func literal(_ text: String) -> String { quoted(text, "'") }

    /// The text of a statement with the values of the variables that it names.
    func substituted(in text: String) -> String {
        if values.isEmpty, !text.utf8.contains(UInt8(ascii: "{")) { return text }
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: ":")) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var cursor = 0
        while cursor < bytes.count {
            let end = QuotedText.end(in: bytes, from: cursor)
            if end > cursor {
                result += bytes[cursor..<end]
                cursor = end
            } else if bytes[cursor...].starts(with: "::".utf8) {
                result += bytes[cursor..<cursor + 2]
                cursor += 2
            } else if let reference = reference(in: bytes, at: cursor) {
                result += reference.text
                cursor = reference.end
            } else {
                result.append(bytes[cursor])
                cursor += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
