// SPDX-License-Identifier: Apache-2.0
//
// Runs one backslash command: the control flow, and the commands about the statement, files and the look of results.
// What \d and its kin show is in BackslashRunner+Catalogue.swift.

import Firn
import FirnSyntax

struct BackslashRunner {
    let shell: StatementShell
    let script: Script
    let line: BackslashLine

    var words: [BackslashLine.Word] { line.words }
    /// The first word, without the semicolon with which SQL would end.
    var first: String? { words.first.map(withoutSemicolon) }

    func run() throws(FirnError) -> Flow {
        guard let command = BackslashCommand.named(line.name) else { throw unknown() }
        if let wordsMax = command.wordsMax, words.count > wordsMax {
            throw FirnError(
                .syntaxError, "\(line.name): extra argument \"\(words[wordsMax].text)\"", hint: command.usage)
        }
        switch command.names[0] {
        case "\\q": return .leave
        case "\\?": shell.write(BackslashCommand.help)
        case "\\h": try help()
        case "\\conninfo": try connectionInfo()
        case "\\timing":
            shell.showsTiming = try flag(shell.showsTiming)
            shell.write("Timing is \(shell.showsTiming ? "on" : "off").\n")
        case "\\cd": try changeFolder()
        case "\\!": runSystem()
        case "\\g": return try go(shell.settings)
        case "\\gx":
            var settings = shell.settings
            settings.expanded = .on
            return try go(settings)
        case "\\gset": return try setFromRow(takeStatement(else: shell.lastStatement))
        case "\\set": try setVariable()
        case "\\unset": try unsetVariable()
        case "\\p": shell.write((try statement().text) + "\n")
        case "\\r":
            _ = script.splitter.takePending()
            shell.write("Query buffer reset (cleared).\n")
        case "\\e": return try edit()
        case "\\w": try writeStatement()
        case "\\watch": return try watch()
        case "\\chart": return try chart()
        case "\\i": return shell.run(.file(try file()))
        case "\\ir": return shell.run(.file(besideScript(try file())))
        case "\\o": try redirect()
        case "\\copy": return flow(shell.run(copyStatement(), copyOptions()))
        case "\\echo": shell.write(echoed())
        case "\\qecho": try shell.output.write(echoed())
        case "\\warn": StandardStreams.writeError(echoed())
        case "\\d": try describe()
        case "\\dt": try listTables()
        case "\\di": try listIndexes()
        case "\\df": try listFunctions()
        case "\\l": try listDatabases()
        default: try change(command.names[0])
        }
        return .goOn
    }

    private func unknown() -> FirnError {
        if let instead = BackslashCommand.insteadOfPsql[line.name] {
            return FirnError(
                .featureNotSupported, "psql's command \(line.name) is not supported",
                hint: instead.isEmpty ? "\\? lists the commands." : instead)
        }
        let names = BackslashCommand.all.flatMap(\.names)
        let hint = Suggestion.nearest(to: line.name, among: names).map { "did you mean \($0)? " } ?? ""
        return FirnError(
            .syntaxError, "invalid command \(line.name)", hint: hint + "\\? lists the commands.")
    }

    private func flow(_ succeeded: Bool) -> Flow { succeeded ? .goOn : .failed }

    private func withoutSemicolon(_ word: BackslashLine.Word) -> String {
        guard !word.isQuoted else { return word.text }
        var text = word.text
        while text.hasSuffix(";") { text.removeLast() }
        return text
    }

    /// `on`, `off`, or the other one.
    private func flag(_ current: Bool) throws(FirnError) -> Bool {
        try BackslashRunner.flag(first, current: current, of: line.name)
    }

    static func flag(_ word: String?, current: Bool, of name: String) throws(FirnError) -> Bool {
        switch word?.lowercased() {
        case nil: return !current
        case "on", "true", "yes", "1": return true
        case "off", "false", "no", "0": return false
        default:
            throw FirnError(.invalidParameterValue, "\(name) is on or off, not \"\(word ?? "")\"")
        }
    }

    // MARK: The statement

    /// The statement that has begun, or the last one.
    private func statement() throws(FirnError) -> ScriptStatement {
        guard let statement = script.splitter.pendingStatement ?? shell.lastStatement else {
            throw FirnError("02000", "there is no statement yet", hint: "Type one first, then \(line.name).")
        }
        return statement
    }

    /// The same, taken out of what is typed.
    func takeStatement(else other: ScriptStatement?) throws(FirnError) -> ScriptStatement {
        if let pending = script.splitter.takePending() { return pending }
        guard let other else {
            throw FirnError("02000", "there is no statement to run", hint: "Type one first, then \(line.name).")
        }
        return other
    }

    private func go(_ settings: DisplaySettings) throws(FirnError) -> Flow {
        let statement = try takeStatement(else: shell.lastStatement)
        guard let target = try targetName() else {
            return flow(shell.runScripted(statement, of: script, settings: settings))
        }
        let output = try ResultOutput(target: target)
        defer { output.finish() }
        return flow(shell.runScripted(statement, of: script, settings: settings, output: output))
    }

    /// The file, or |COMMAND, behind \g and \o.
    private func targetName() throws(FirnError) -> String? {
        if line.rest.isEmpty { return nil }
        if line.rest.hasPrefix("|") { return line.rest }
        let parsed = try BackslashLine(line.name + " " + line.rest, takesLine: { _ in false })
        guard parsed.words.count == 1, let word = parsed.words.first else {
            throw FirnError(
                .syntaxError, "\(line.name): extra argument \"\(parsed.words.dropFirst().first?.text ?? "")\"",
                hint: BackslashCommand.named(line.name)?.usage)
        }
        return expandedPath(withoutSemicolon(word))
    }

    private func redirect() throws(FirnError) {
        let target = try targetName()
        // The file that is open stays so until the next one is.
        let next = try target.map { (name) throws(FirnError) in try ResultOutput(target: name) } ?? ResultOutput()
        shell.output.finish()
        shell.output = next
    }

    private func edit() throws(FirnError) -> Flow {
        let named = words.first.map { expandedPath(withoutSemicolon($0)) }
        let path: String
        if let named {
            path = named
        } else {
            let folder = StatementShell.environment("TMPDIR") ?? "/tmp"
            path = "\(folder)/firn.edit.\(getpid()).sql"
            let text = (script.splitter.pendingStatement ?? shell.lastStatement).map { $0.text + ";\n" } ?? ""
            try writeFile(path, text, access: 0o600)
        }
        defer { if named == nil { unlink(path) } }
        let editor =
            ["PSQL_EDITOR", "EDITOR", "VISUAL"].lazy.compactMap(StatementShell.environment).first { !$0.isEmpty }
            ?? "vi"
        let quoted = "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        guard system("\(editor) \(quoted)") == 0 else {
            throw FirnError(.ioError, "the editor \"\(editor)\" failed", hint: "Set EDITOR to another one.")
        }
        let file = try ScriptFile(path)
        _ = script.splitter.takePending()
        var text: [UInt8] = []
        while let piece = try file.next() { text += piece }
        if text.last != 10 { text.append(10) }
        shell.write(String(decoding: text, as: UTF8.self))
        shell.editedText = String(decoding: text.dropLast(), as: UTF8.self)
        // It runs as if it had been typed; what has no semicolon waits for one.
        script.splitter.append(bytes: text)
        return .goOn
    }

    private func writeStatement() throws(FirnError) {
        try writeFile(try file(), try statement().text + ";\n", access: 0o666)
    }

    private func writeFile(_ path: String, _ text: String, access: UInt32) throws(FirnError) {
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(access))
        guard descriptor >= 0 else {
            throw FirnError(.ioError, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        let output = try ResultOutput(target: path)
        defer { output.finish() }
        try output.write(text)
    }

    /// Runs the last query, or the given SQL, again and again until Ctrl-C.
    private func watch() throws(FirnError) -> Flow {
        var words = line.rest.split(separator: " ", maxSplits: 1).map(String.init)
        var seconds = 2.0
        if let first = words.first, let given = Double(first) {
            seconds = given
            words.removeFirst()
        }
        guard seconds > 0, seconds <= 86_400 else {
            throw FirnError(.invalidParameterValue, "\\watch waits between 0 and 86400 seconds")
        }
        let given = words.first.map { ScriptStatement(text: $0) }
        guard let statement = given ?? script.splitter.takePending() ?? shell.lastQuery else {
            throw FirnError(
                "02000", "there is no query to watch", hint: "Run one first, then \\watch SECONDS.")
        }
        let cancellation = StatementCancellation()
        var succeeded = true
        try Interruption.during(cancellation) { () throws(FirnError) in
            while !cancellation.isCancelled {
                var settings = shell.settings
                // The next run would cover what a pager shows.
                settings.pager = .off
                let time = "\(LocalTime.now()) (every \(WatchText.seconds(seconds))s)\n"
                settings.title = settings.title.map { $0 + "\t" + time } ?? time
                let options = StatementShell.Options(settings: settings, scriptName: script.name)
                succeeded = shell.run(statement, options)
                if shell.wasCancelled {
                    succeeded = true
                    return
                }
                guard succeeded else { return }
                var left = seconds
                while left > 0, !cancellation.isCancelled {
                    usleep(UInt32(min(left, 0.05) * 1e6))
                    left -= 0.05
                }
            }
        }
        return flow(succeeded)
    }

    /// Draws the last result, or that of the given query.
    private func chart() throws(FirnError) -> Flow {
        let given = line.rest.isEmpty ? script.splitter.takePending() : ScriptStatement(text: withoutEnd(line.rest))
        // Scripts keep no results: the query runs again.
        if let given = given ?? (shell.lastResult == nil ? shell.lastQuery : nil) {
            let keeps = shell.keepsLastResult
            shell.keepsLastResult = true
            defer { shell.keepsLastResult = keeps }
            var options = StatementShell.Options(settings: shell.settings, scriptName: script.name)
            options.showsRows = false
            guard shell.run(given, options) else { return .failed }
        }
        guard let result = shell.lastResult else {
            throw FirnError("02000", "there is no result to draw", hint: "Run a query first.")
        }
        let columns = StandardStreams.outputColumns ?? 80
        try shell.output.write(
            try Plot.text(result.columns, result.batches, zone: shell.session.timeZone, columns: columns, rows: 16))
        return .goOn
    }

    private func withoutEnd(_ sql: String) -> String {
        var text = sql
        while text.hasSuffix(";") || text.hasSuffix(" ") { text.removeLast() }
        return text
    }

    // MARK: Files and the system

    private func file() throws(FirnError) -> String {
        guard let word = words.first else {
            throw FirnError(
                .syntaxError, "\(line.name): missing argument", hint: BackslashCommand.named(line.name)?.usage)
        }
        return expandedPath(withoutSemicolon(word))
    }

    /// `~` is the home folder.
    private func expandedPath(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = StatementShell.environment("HOME") else { return path }
        return home + path.dropFirst()
    }

    private func besideScript(_ path: String) -> String {
        guard !path.hasPrefix("/"), let name = script.name, let slash = name.lastIndex(of: "/") else { return path }
        return name[...slash] + path
    }

    private func changeFolder() throws(FirnError) {
        guard let path = words.first.map({ expandedPath(withoutSemicolon($0)) }) ?? StatementShell.environment("HOME")
        else { throw FirnError(.undefinedFile, "there is no home folder", hint: "\\cd FOLDER") }
        guard chdir(path) == 0 else {
            throw FirnError(.undefinedFile, "cannot change to \(path): \(String(cString: strerror(errno)))")
        }
    }

    private func runSystem() {
        let command = line.rest.isEmpty ? "exec " + (StatementShell.environment("SHELL") ?? "/bin/sh") : line.rest
        if system(command) == -1 { StandardStreams.writeError("notice: the command could not be started\n") }
    }

    private func echoed() -> String {
        let ends = words.first == BackslashLine.Word(text: "-n") ? "" : "\n"
        let shown = ends.isEmpty ? words.dropFirst() : words[...]
        return shown.map(\.text).joined(separator: " ") + ends
    }

    private func copyStatement() -> ScriptStatement { ScriptStatement(text: "COPY " + withoutEnd(line.rest)) }

    /// \copy … FROM STDIN takes the lines behind it, as COPY does.
    private func copyOptions() -> StatementShell.Options {
        var options = StatementShell.Options(settings: shell.settings, scriptName: script.name)
        guard script.holdsData, CopyRecognition.isCopyFromInput(copyStatement().text) else { return options }
        script.input.beginData()
        options.dataLine = script.input.lineCount + 1
        options.copyInput = { () throws(FirnError) in
            let piece = script.input.data()
            if piece == nil { try script.input.checkEnd() }
            return piece
        }
        return options
    }

    private func help() throws(FirnError) {
        shell.write(try SQLHelp.text(withoutEnd(line.rest)))
    }

    // MARK: The look of results

    /// The commands that change one setting are \pset in other words.
    private func change(_ name: String) throws(FirnError) {
        switch name {
        case "\\x": try set("expanded", first)
        case "\\t": try set("tuples_only", first)
        case "\\C": try set("title", words.first?.text ?? "")
        case "\\format":
            guard let first else { throw FirnError(.syntaxError, "\\format: missing argument", hint: "\\format NAME") }
            try set("format", first)
        default:
            guard let first else { return shell.write(PrintSetting.listing(shell.settings)) }
            // A value may be empty, and is taken as it stands.
            try set(first, words.count > 1 ? words[1].text : nil)
        }
    }

    private func set(_ name: String, _ value: String?) throws(FirnError) {
        let setting = try PrintSetting.named(name)
        try setting.change(&shell.settings, to: value)
        shell.write(setting.sentence(shell.settings) + "\n")
    }
}

/// Words of \watch.
enum WatchText {
    /// A number of seconds without a fraction that is not there.
    static func seconds(_ value: Double) -> String {
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

/// The time of the day where the process runs.
enum LocalTime {
    /// As `date` prints it without a zone: `Mon Nov 30 17:00:00 2026`.
    static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, "%a %b %e %H:%M:%S %Y", &parts)
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension StatementShell {
    /// What commands of the shell say.
    func write(_ text: String) { StandardStreams.write(text) }
}
