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
        firn_set_completion { text, state in Completion.match(text, state) }
        using_history()
        stifle_history(LineEditor.historyLinesMax)
        // A history that is not there yet is no error.
        if let historyPath { _ = read_history(historyPath) }
    }

    /// Shows the prompt and reads a line.
    func read(_ prompt: String) -> Line {
        Self.wasInterrupted.store(false, ordering: .relaxed)
        // While a line is edited Ctrl-C arrives as a key: the terminal makes no signal of it.
        var terminal = termios()
        let hasTerminal = tcgetattr(0, &terminal) == 0
        let previous = signal(SIGINT) { _ in LineEditor.wasInterrupted.store(true, ordering: .relaxed) }
        defer {
            signal(SIGINT, previous)
            if hasTerminal { tcsetattr(0, TCSADRAIN, &terminal) }
        }
        guard let line = readline(prompt) else {
            if Self.wasInterrupted.load(ordering: .relaxed) {
                StandardStreams.write("^C\n")
                return .interrupted
            }
            return .end
        }
        defer { free(line) }
        if Self.wasInterrupted.load(ordering: .relaxed) {
            StandardStreams.write("^C\n")
            return .interrupted
        }
        return .text(String(cString: line))
    }

    private static let wasInterrupted = Atomic<Bool>(false)

    /// Adds a whole statement to the history and saves it.
    func remember(_ text: String) {
        let flat = text.split(separator: "\n").joined(separator: " ")
        if flat.isEmpty { return }
        add_history(flat)
        if let historyPath, write_history(historyPath) != 0 {
            // Asked once a line would be a nuisance; a history that cannot be kept costs nothing but comfort.
            return
        }
    }
}

/// The words that Tab completes: keywords, tables, columns.
enum Completion {
    private static let words = Mutex<[String]>([])
    private static let matches = Mutex<[String]>([])

    static func set(_ newWords: [String]) { words.withLock { $0 = newWords } }

    /// libedit asks for the matches of a word one after another; `state` is 0 at the first.
    static func match(_ text: UnsafePointer<CChar>?, _ state: Int32) -> UnsafeMutablePointer<CChar>? {
        guard let text else { return nil }
        let prefix = String(cString: text)
        if state == 0 {
            let isUpper = prefix.contains { $0.isUppercase } && !prefix.contains { $0.isLowercase }
            let found = words.withLock { words in
                words.filter { $0.lowercased().hasPrefix(prefix.lowercased()) }
                    .map { isUpper ? $0.uppercased() : $0.lowercased() }
            }
            matches.withLock { $0 = Array(Set(found)).sorted(by: >) }
        }
        return matches.withLock { $0.popLast() }.map { strdup($0) }
    }
}
