// SPDX-License-Identifier: Apache-2.0
//
// The shell on a terminal: statements over several lines, backslash commands, history.

import Firn
import FirnSyntax

/// Reads and runs until \q, exit, quit or Ctrl-D. Errors are shown and the shell goes on.
struct REPL {
    let shell: StatementShell
    private let editor = LineEditor()
    private let script: Script
    private let functions: [String]
    private let settings: [String]

    init(shell: StatementShell) {
        self.shell = shell
        shell.keepsLastResult = true
        shell.isInteractive = true
        // Rows of COPY … FROM STDIN are typed; a terminal that edited a line may leave carriage returns behind.
        script = Script(
            name: nil,
            input: ScriptInput(isTyped: true) { () throws(FirnError) in
                try StandardStreams.read(isGivenUp: { Interruption.isCancelled })?.map { $0 == 13 ? 10 : $0 }
            }, holdsData: true)
        shell.scripts = [script]
        functions = REPL.firstColumn("SHOW FUNCTIONS", shell)
        settings = REPL.firstColumn("SHOW ALL", shell).map { $0.lowercased() }
    }

    func run() {
        Interruption.outliveSignals()
        StandardStreams.write(
            """
            Firn \(Database.version), \(shell.databasePath ?? "a database in memory; it goes when you leave")
            Type SQL ended by ;  \\? for help, \\q to leave.

            """)
        var text = ""
        while true {
            let line: String
            if let pasted = script.input.nextLineAtHand() {
                line = String(decoding: pasted.dropLast(), as: UTF8.self)
            } else {
                updateCompletion(linesBefore: text)
                switch editor.read(prompt(script.splitter.pending)) {
                case .end:
                    StandardStreams.write("\n")
                    editor.remember(text)
                    return
                case .interrupted:
                    script.splitter.reset()
                    text = ""
                    continue
                case .text(let typed): line = typed
                }
            }
            switch bareWord(line, isFirst: text.isEmpty) {
            case .leave:
                editor.remember(line)
                return
            case .goOn: break
            case .failed: continue
            }
            text += line + "\n"
            script.splitter.append(line + "\n")
            let flow = shell.runWhatIsComplete(of: script)
            if script.splitter.pending == .nothing || flow == .leave {
                editor.remember(text)
                text = ""
                script.splitter.reset()
                script.unseenLineCount = 0
            }
            if let edited = shell.editedText {
                shell.editedText = nil
                if script.splitter.pending == .nothing { editor.remember(edited) } else { text = edited + "\n" }
            }
            if flow == .leave { return }
        }
    }

    /// exit, quit and help alone on a line. `.failed` where the line was dealt with.
    private func bareWord(_ line: String, isFirst: Bool) -> Flow {
        var word = line.filter { !$0.isWhitespace }.lowercased()
        if word.hasSuffix(";") { word.removeLast() }
        guard ["exit", "quit", "help"].contains(word) else { return .goOn }
        guard isFirst else {
            if script.splitter.pending == .statement, word == line.lowercased(), word != "help" {
                StandardStreams.write("Use \\q to leave; this is a part of the statement.\n")
            }
            return .goOn
        }
        if word != "help" { return .leave }
        editor.remember(line)
        StandardStreams.write(BackslashCommand.help)
        return .failed
    }

    private func prompt(_ pending: StatementSplitter.Pending) -> String {
        switch pending {
        case .nothing: "firn=> "
        case .statement: "firn-> "
        case .string: "firn'> "
        case .quotedIdentifier: "firn\"> "
        case .comment: "firn*> "
        case .dollarString: "firn$> "
        }
    }

    private func updateCompletion(linesBefore: String) {
        var catalogue = CompletionCatalogue(
            keywords: KeywordList.all.map(\.word), functions: functions, settings: settings)
        do {
            catalogue.tables = try shell.database.tables().map { ($0.name, $0.columns.map(\.name)) }
        } catch {
            // Completion does without names where the catalogue cannot be read; the statement will say why.
        }
        let now = TypedCompletion.Context(catalogue: catalogue, linesBefore: linesBefore)
        TypedCompletion.context.withLock { $0 = now }
    }

    /// The texts of a short list; none where it cannot be had.
    private static func firstColumn(_ sql: String, _ shell: StatementShell) -> [String] {
        var found: [String] = []
        do {
            guard case .rows(let rows) = try shell.session.runBlocking(sql) else { return [] }
            while let batch = try rows.nextBlocking() {
                for row in 0..<batch.rowCount {
                    if case .text(let text) = batch.columns[0][row], found.last != text { found.append(text) }
                }
            }
        } catch {
            // Completion does without.
        }
        return found
    }
}
