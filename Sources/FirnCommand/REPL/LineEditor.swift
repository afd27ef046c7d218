// SPDX-License-Identifier: Apache-2.0
//
// Lines from a terminal, with editing, history and completion, by libedit. Main thread only.

import CEdit
import Synchronization

/// Reads lines from the terminal.
struct LineEditor {
    /// What a prompt may give.
    enum Line {
        case text(String)
        /// Ctrl-C: the line is given up.
        case interrupted
        /// Ctrl-D on an empty line.
        case end
    }

    private let historyPath: String?
    /// Most lines that the history file keeps.
    private static let historyLinesMax: Int32 = 2_000

    init() {
        if let path = getenv("FIRN_HISTORY") {
            historyPath = String(cString: path)
        } else {
            historyPath = getenv("HOME").map { String(cString: $0) + "/.firn_history" }
        }
        // libedit edits characters of the locale; without one that knows UTF-8, each byte would be a character.
        if setlocale(LC_CTYPE, "") == nil || firn_character_bytes_max() == 1 { _ = setlocale(LC_CTYPE, "C.UTF-8") }
        firn_set_completion { text, state in Completion.match(text, state) }
        firn_bind_interrupt()
        using_history()
        stifle_history(LineEditor.historyLinesMax)
        // A history that is not there yet is no error.
        if let historyPath { _ = read_history(historyPath) }
    }

    /// Shows the prompt and reads a line.
    func read(_ prompt: String) -> Line {
        var wasInterrupted: Int32 = 0
        guard let line = firn_read_line(prompt, &wasInterrupted) else {
            if wasInterrupted == 0 { return .end }
            StandardStreams.write("^C\n")
            return .interrupted
        }
        defer { free(line) }
        return .text(String(cString: line))
    }

    /// Adds a whole statement to the history and saves it.
    func remember(_ text: String) {
        let flat = text.split(separator: "\n").joined(separator: " ")
        if flat.isEmpty { return }
        add_history(flat)
        // A history that cannot be kept costs nothing but comfort, and a complaint after each line would be a nuisance.
        if let historyPath { _ = write_history(historyPath) }
    }
}

/// The words that Tab completes: keywords in the case in which they are typed, names as they are.
enum Completion {
    private struct Words {
        var keywords: [String] = []
        var names: [String] = []
    }

    private static let words = Mutex(Words())
    private static let matches = Mutex<[String]>([])

    static func set(keywords: [String], names: [String]) {
        words.withLock { $0 = Words(keywords: keywords, names: names) }
    }

    /// libedit asks for the matches of a word one after another; `state` is 0 at the first.
    static func match(_ text: UnsafePointer<CChar>?, _ state: Int32) -> UnsafeMutablePointer<CChar>? {
        guard let text else { return nil }
        if state == 0 {
            let found = words.withLock { candidates(for: String(cString: text), among: $0) }
            matches.withLock { $0 = found.sorted(by: >) }
        }
        return matches.withLock { $0.popLast() }.map { strdup($0) }
    }

    private static func candidates(for prefix: String, among words: Words) -> Set<String> {
        let isUpper = prefix.contains { $0.isUppercase } && !prefix.contains { $0.isLowercase }
        let lowered = prefix.lowercased()
        let keywords = words.keywords.filter { $0.lowercased().hasPrefix(lowered) }
        let names = words.names.filter { $0.lowercased().hasPrefix(lowered) }
        return Set(keywords.map { isUpper ? $0.uppercased() : $0.lowercased() } + names)
    }
}
