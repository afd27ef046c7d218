// SPDX-License-Identifier: Apache-2.0
//
// The backslash commands of variables: \set, \unset and \gset.

import Firn
import FirnSyntax

extension BackslashRunner {
    /// \set: lists the variables, or gives one the words behind its name, put together.
    func setVariable() throws(FirnError) {
        guard let name = first else {
            for (name, value) in shell.variables.all {
                let quoted = value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
                shell.write("\(name) = '\(quoted)'\n")
            }
            return
        }
        let value = words.dropFirst().map(\.text).joined()
        try shell.setVariable(name, to: value)
    }

    func unsetVariable() throws(FirnError) {
        guard let name = first else {
            throw FirnError(.syntaxError, "\\unset: missing argument", hint: "\\unset NAME")
        }
        // psql takes the name of a variable that is not there, too: after it there is none.
        _ = shell.variables.remove(name)
    }

    /// \gset: runs the statement, and gives the only row's values to the variables that its columns name.
    func setFromRow(_ statement: ScriptStatement) throws(FirnError) -> Flow {
        let prefix = first ?? ""
        var options = StatementShell.Options(settings: shell.settings, scriptName: script.name)
        options.showsRows = false
        var names: [String] = []
        var rows: [[String?]] = []
        let zone = shell.session.timeZone
        options.takeBatch = { columns, batch in
            names = columns.map(\.name)
            let texts = columns.map { ValueText(type: $0.type, zone: zone) }
            // Two tell that there are too many.
            for row in 0..<min(batch.rowCount, 2) where rows.count < 2 {
                rows.append(columns.indices.map { texts[$0].text(batch.columns[$0][row]) })
            }
        }
        guard shell.runScripted(statement, of: script, options) else { return .failed }
        guard rows.count == 1 else {
            let what = rows.isEmpty ? "no rows" : "more than one row"
            throw FirnError(
                .cardinalityViolation, "\(what) returned for \\gset", hint: "It takes the values of one row.")
        }
        for (name, value) in zip(names, rows[0]) {
            if let value {
                try shell.setVariable(prefix + name, to: value)
            } else {
                _ = shell.variables.remove(prefix + name)
            }
        }
        return .goOn
    }
}

extension StatementShell {
    /// Gives a variable a value. ON_ERROR_STOP is the one of psql's that means something here: `--on-error`.
    func setVariable(_ name: String, to value: String) throws(FirnError) {
        guard name == "ON_ERROR_STOP" else { return try variables.set(name, to: value) }
        let stops = try BackslashRunner.flag(value.isEmpty ? "on" : value, current: false, of: name)
        onError = stops ? .stop : .continue
    }
}
