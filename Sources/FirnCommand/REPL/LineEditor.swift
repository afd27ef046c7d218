// SPDX-License-Identifier: Apache-2.0
//
// Lines from a terminal, with editing, history and completion, by libedit. Main thread only.

import CEdit
import FirnIO
import Synchronization
import SystemPackage

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
    /// Most statements that the history file keeps.
    private static let historyLinesMax: Int32 = 2_000

    init() {
        if let path = getenv("FIRN_HISTORY") {
            historyPath = String(cString: path)
        } else {
            historyPath = getenv("HOME").map { String(cString: $0) + "/.firn_history" }
        }
        // libedit edits characters of the locale; without one that knows UTF-8, each byte would be a character.
        if setlocale(LC_CTYPE, "") == nil || firn_character_bytes_max() == 1 { _ = setlocale(LC_CTYPE, "C.UTF-8") }
        firn_set_completion { text, state in TypedCompletion.match(text, state) }
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

    /// Adds what was typed to the history, exactly as it was, a statement of several lines as one entry; and saves it.
    func remember(_ text: String) {
        var text = text
        while text.last == "\n" { text.removeLast() }
        if text.allSatisfy(\.isWhitespace) { return }
        add_history(text)
        // A history that cannot be kept costs nothing but comfort, and a complaint after each line would be a nuisance.
        if let historyPath { _ = write_history(historyPath) }
    }
}

/// Completion as libedit asks for it: the matches of a word one after another.
enum TypedCompletion {
    /// What there is, and the lines of the statement above the one that is being edited.
    struct Context: Sendable {
        var catalogue = CompletionCatalogue()
        var linesBefore = ""
    }

    static let context = Mutex(Context())
    private static let matches = Mutex<[String]>([])

    /// `state` is 0 at the first.
    static func match(_ text: UnsafePointer<CChar>?, _ state: Int32) -> UnsafeMutablePointer<CChar>? {
        guard let text else { return nil }
        if state == 0 {
            let word = String(cString: text)
            let line = Array(String(cString: firn_line_buffer()).utf8)
            let point = min(max(Int(firn_line_point()), 0), line.count)
            let before = String(decoding: line[..<max(0, point - word.utf8.count)], as: UTF8.self)
            let after = String(decoding: line[point...], as: UTF8.self)
            let now = context.withLock { $0 }
            let found = Completion.of(
                word, before: now.linesBefore + before, after: after, now.catalogue, files: entries)
            firn_set_completion_ending(found.ending.utf8.first.map(Int32.init) ?? 0)
            matches.withLock { $0 = found.matches.reversed() }
        }
        return matches.withLock { $0.popLast() }.map { strdup($0) }
    }

    /// The names in a folder, with `/` behind those of folders; none where it cannot be read.
    private static func entries(_ folder: String) -> [String] {
        var folder = folder
        if folder.hasPrefix("~/"), let home = getenv("HOME") { folder = String(cString: home) + folder.dropFirst() }
        let files = POSIXFileSystem()
        do {
            return try files.list(FilePath(folder)).map { entry in
                var kind = entry.kind
                if kind == .other {
                    kind = try files.status(FilePath(folder).appending(entry.component))?.kind ?? .other
                }
                return entry.component.string + (kind == .directory ? "/" : "")
            }
        } catch {
            // There is nothing to offer; who names the folder all the same hears why.
            return []
        }
    }
}
