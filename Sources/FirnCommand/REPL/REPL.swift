// SPDX-License-Identifier: Apache-2.0
//
// The shell on a terminal: statements over several lines, backslash commands, history.

import Firn
import FirnSyntax

/// Reads and runs until \q or Ctrl-D. Errors are shown and the shell goes on.
struct REPL {
    let shell: StatementShell
    let databaseName: String?
    private let editor = LineEditor()

    init(shell: StatementShell, databaseName: String?) {
        self.shell = shell
        self.databaseName = databaseName
        shell.keepsLastResult = true
    }

    func run() {
        Interruption.outliveSignals()
        StandardStreams.write(
            """
            Firn \(Database.version), \(databaseName ?? "a database in memory; it goes when you leave")
            Type SQL ended by ;  \\? for help, \\q to leave.

            """)
        var splitter = StatementSplitter()
        var text = ""
        while true {
            updateCompletion()
            switch editor.read(prompt(splitter.pending)) {
            case .end:
                StandardStreams.write("\n")
                return
            case .interrupted:
                splitter.reset()
                text = ""
            case .text(let line):
                let trimmed = line.drop { $0 == " " }
                if splitter.pending == .nothing, trimmed.hasPrefix("\\") {
                    editor.remember(String(trimmed))
                    if BackslashCommand(String(trimmed), shell: shell).run() == .leave { return }
                    continue
                }
                text += line + "\n"
                splitter.append(line + "\n")
                while let statement = splitter.next() { _ = shell.runTyped(statement) }
                if splitter.pending == .nothing {
                    editor.remember(text)
                    text = ""
                    splitter.reset()
                }
            }
        }
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

    private func updateCompletion() {
        var names: [String] = []
        do {
            for table in try shell.database.tables() {
                names.append(table.name)
                names.append(contentsOf: table.columns.map(\.name))
            }
        } catch {
            // Completion does without names where the catalogue cannot be read; the statement will say why.
        }
        Completion.set(keywords: KeywordList.all.map(\.word), names: names)
    }
}
