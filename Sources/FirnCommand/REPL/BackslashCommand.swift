// SPDX-License-Identifier: Apache-2.0
//
// The shell's own commands, which begin with a backslash.

import Firn
import FirnSyntax

/// One backslash command as it was typed.
struct BackslashCommand {
    /// Whether the shell goes on.
    enum Outcome {
        case stay, leave
    }

    private let name: String
    private let argument: String
    private let shell: StatementShell

    init(_ line: String, shell: StatementShell) {
        let parts = line.split(separator: " ", maxSplits: 1)
        name = String(parts.first ?? "")
        var rest = parts.count > 1 ? String(parts[1]) : ""
        while rest.hasSuffix(" ") || rest.hasSuffix(";") { rest.removeLast() }
        argument = rest
        self.shell = shell
    }

    func run() -> Outcome {
        switch name {
        case "\\q", "\\quit": return .leave
        case "\\?", "\\h", "\\help": StandardStreams.write(BackslashCommand.help)
        case "\\d", "\\d+":
            runSQL(argument.isEmpty ? "SHOW TABLES" : "DESCRIBE \(argument)")
        case "\\dt", "\\dt+": runSQL("SHOW TABLES")
        case "\\timing":
            shell.showsTiming = flag(shell.showsTiming)
            StandardStreams.write("Timing is \(shell.showsTiming ? "on" : "off").\n")
        case "\\x":
            shell.isExpanded = flag(shell.isExpanded)
            StandardStreams.write("Expanded display is \(shell.isExpanded ? "on" : "off").\n")
        case "\\format": setFormat()
        case "\\copy": runSQL("COPY \(argument)")
        case "\\echo": StandardStreams.write(argument + "\n")
        case "\\i": _ = shell.run(.file(argument))
        case "\\watch": watch()
        case "\\chart": chart()
        default:
            StandardStreams.writeError("error: invalid command \(name)\n  hint: \\? lists the commands.\n")
        }
        return .stay
    }

    private func runSQL(_ sql: String) {
        _ = shell.run(ScriptStatement(text: sql))
    }

    /// `on`, `off`, or the other one.
    private func flag(_ current: Bool) -> Bool {
        switch argument {
        case "on": true
        case "off": false
        default: !current
        }
    }

    private func setFormat() {
        if let format = OutputFormat(rawValue: argument) {
            shell.format = format
        } else {
            StandardStreams.writeError(
                "error: unknown format \"\(argument)\"\n  hint: one of \(OutputFormat.allNames).\n")
        }
    }

    /// Runs the last query, or the given SQL, again and again until Ctrl-C.
    private func watch() {
        var words = argument.split(separator: " ", maxSplits: 1).map(String.init)
        var seconds = 2.0
        if let first = words.first, let given = Double(first) {
            seconds = given
            words.removeFirst()
        }
        guard let sql = words.first ?? shell.lastStatement?.text, seconds > 0 else {
            StandardStreams.writeError(
                "error: there is no query to watch\n  hint: run one first, then \\watch SECONDS.\n")
            return
        }
        let cancellation = StatementCancellation()
        do throws(FirnError) {
            try Interruption.during(cancellation) { () throws(FirnError) in
                while !cancellation.isCancelled {
                    guard shell.run(ScriptStatement(text: sql)) else { return }
                    var left = seconds
                    while left > 0, !cancellation.isCancelled, !shell.wasCancelled {
                        usleep(UInt32(min(left, 0.05) * 1e6))
                        left -= 0.05
                    }
                    if shell.wasCancelled { return }
                }
            }
        } catch {
            StandardStreams.writeError("error: \(error)\n")
        }
    }

    /// Draws the last result, or that of the given query.
    private func chart() {
        if !argument.isEmpty {
            shell.keepsLastResult = true
            guard shell.run(ScriptStatement(text: argument), showing: .nothing) else {
                return
            }
        }
        guard let result = shell.lastResult else {
            StandardStreams.writeError("error: there is no result to draw\n  hint: run a query first.\n")
            return
        }
        do throws(FirnError) {
            let chart = try Chart(result.columns, result.batches, zone: shell.session.timeZone)
            StandardStreams.write(chart.text(columns: StandardStreams.outputColumns ?? 80, rows: 16))
        } catch {
            StandardStreams.writeError("error: \(error)\n")
        }
    }

    private static let help = """
        \\d [TABLE]       tables, or the columns of one
        \\dt              tables
        \\timing [on|off] how long each statement takes
        \\x [on|off]      a column a line
        \\format NAME     aligned, csv, json, ndjson, markdown
        \\copy ...        COPY, as in \\copy t FROM 'file.csv' (HEADER)
        \\i FILE          run a file of SQL
        \\echo TEXT       print text
        \\watch [SECONDS] run the last query again and again, until Ctrl-C
        \\chart [SQL]     draw the last result, or the query's: the first column across, numbers up
        \\q               leave (or Ctrl-D)
        Ctrl-C stops the running statement. Tab completes keywords, tables and columns.

        """
}
