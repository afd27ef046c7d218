// SPDX-License-Identifier: Apache-2.0
//
// Scripts: what stands in -c, -f, standard input or behind \i, and what is typed. Lines go to the splitter, which gives
// back statements and stops at backslash commands; lines behind COPY … FROM STDIN are its data.

import Firn
import FirnSyntax

/// Where SQL text comes from.
enum ScriptSource {
    case text(String)
    case file(String)
    /// - Parameter name: what errors call it.
    case standardInput(name: String?)
}

/// One script while it is read.
final class Script {
    /// What errors call it; nil where it has no name.
    let name: String?
    let input: ScriptInput
    var splitter = StatementSplitter(stopsAtBackslash: true)
    /// Lines that the splitter has not seen, because they were data or read over.
    var unseenLineCount = 0
    /// Whether data of COPY … FROM STDIN stands behind the statement; otherwise it is standard input's.
    let holdsData: Bool

    init(name: String?, input: ScriptInput, holdsData: Bool) {
        self.name = name
        self.input = input
        self.holdsData = holdsData
    }
}

/// How a script goes on.
enum Flow {
    case goOn
    /// Ends at once: a statement failed.
    case failed
    /// \q.
    case leave
}

extension StatementShell {
    /// Runs all statements of a source.
    func run(_ source: ScriptSource) -> Flow {
        let script: Script
        switch source {
        case .text(let text): script = Script(name: nil, input: ScriptInput(text: text), holdsData: false)
        case .file(let path):
            do throws(FirnError) {
                let file = try ScriptFile(path)
                script = Script(
                    name: path, input: ScriptInput { () throws(FirnError) in try file.next() }, holdsData: true)
            } catch {
                report(error)
                return .failed
            }
        case .standardInput(let name):
            let bytes = UnpackedBytes(name: "standard input") { () throws(FirnError) in
                try StandardStreams.read(isGivenUp: { Interruption.isCancelled })
            }
            script = Script(
                name: name, input: ScriptInput { () throws(FirnError) in try bytes.next() }, holdsData: true)
        }
        guard scripts.count < StatementShell.scriptDepthMax else {
            report(FirnError(.statementTooComplex, "scripts include each other too deeply"))
            return .failed
        }
        scripts.append(script)
        defer { scripts.removeLast() }
        var failed = false
        var isFirst = true
        while var line = script.input.nextLine() {
            // The mark with which some editors begin UTF-8.
            if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
            isFirst = false
            script.splitter.append(bytes: line)
            switch runWhatIsComplete(of: script) {
            case .goOn: break
            case .failed: failed = true
            case .leave:
                if failed { return .failed }
                // \q ends the file in which it stands, as in psql, and the command at the prompt and behind -c.
                if case .file = source { return .goOn }
                return .leave
            }
            if failed, onError == .stop { return .failed }
        }
        do throws(FirnError) {
            try script.input.checkEnd()
        } catch {
            // What stands before the end may be half of a statement.
            report(error)
            return .failed
        }
        while let statement = script.splitter.finish() {
            if !runScripted(statement, of: script) { failed = true }
            if failed, onError == .stop { break }
        }
        return failed ? .failed : .goOn
    }

    /// Scripts that include each other, at most: a script that includes itself shall end with an error.
    private static let scriptDepthMax = 64

    /// Runs the statements and commands that the splitter has whole.
    func runWhatIsComplete(of script: Script) -> Flow {
        var failed = false
        while true {
            if let statement = script.splitter.next() {
                if !runScripted(statement, of: script) { failed = true }
            } else if script.splitter.isAtBackslash {
                switch runBackslash(of: script) {
                case .goOn: break
                case .failed: failed = true
                case .leave: return .leave
                }
            } else {
                return failed ? .failed : .goOn
            }
            if failed, onError == .stop, !(isInteractive && scripts.count == 1) { return .failed }
        }
    }

    /// Runs the backslash command at which the splitter waits.
    private func runBackslash(of script: Script) -> Flow {
        let line = script.splitter.restOfLine
        let lineNumber = script.input.lineCount
        do throws(FirnError) {
            let parsed: BackslashLine
            do throws(FirnError) {
                parsed = try BackslashLine(line, takesLine: BackslashCommand.takesLine, variables)
            } catch {
                script.splitter.skip(byteCount: line.utf8.count)
                throw error
            }
            script.splitter.skip(byteCount: max(parsed.byteCount, 1))
            if parsed.name == "\\\\" { return .goOn }
            return try BackslashRunner(shell: self, script: script, line: parsed).run()
        } catch {
            report(
                ErrorPlace.placed(error, in: ScriptStatement(text: "", line: lineNumber), of: script.name))
            return .failed
        }
    }

    /// Runs a statement of a script; data of COPY … FROM STDIN is standard input for a statement of -c, and stands behind
    /// the statement elsewhere.
    func runScripted(
        _ statement: ScriptStatement, of script: Script, settings: DisplaySettings? = nil, output: ResultOutput? = nil
    ) -> Bool {
        let options = Options(settings: settings ?? self.settings, output: output, scriptName: script.name)
        return runScripted(statement, of: script, options)
    }

    func runScripted(_ statement: ScriptStatement, of script: Script, _ options: Options) -> Bool {
        var options = options
        var statement = statement
        statement.line += script.unseenLineCount
        if statement.invalidByteOffset == nil { statement.text = variables.substituted(in: statement.text) }
        guard script.holdsData, CopyRecognition.isCopyFromInput(statement.text) else { return run(statement, options) }
        if isInteractive, scripts.count == 1 {
            StandardStreams.writeError("Type the rows, then \\. on a line of its own; Ctrl-C gives them up.\n")
        }
        let linesBefore = script.input.lineCount
        var hasBegun = false
        script.input.beginData()
        options.dataLine = linesBefore + 1
        options.copyInput = { () throws(FirnError) in
            hasBegun = true
            let piece = script.input.data()
            // Rows of which some are missing are none.
            if piece == nil { try script.input.checkEnd() }
            return piece
        }
        let succeeded = run(statement, options)
        if !script.input.isDataAtEnd { skipData(of: script, hasBegun: hasBegun) }
        script.unseenLineCount += script.input.lineCount - linesBefore
        return succeeded
    }

    /// The rest of the data of a COPY that failed is no SQL.
    private func skipData(of script: Script, hasBegun: Bool) {
        guard isInteractive, scripts.count == 1 else { return script.input.skipData() }
        // Ctrl-C ended it: what was typed is given up.
        if wasCancelled { return script.input.endData() }
        // A COPY that was refused before it took a row: rows that were pasted behind it are there already.
        if !hasBegun, !StandardStreams.waitForInput(milliseconds: 100) { return script.input.endData() }
        StandardStreams.writeError("The rows that follow are passed over, up to \\. (or Ctrl-C).\n")
        let cancellation = StatementCancellation()
        do throws(FirnError) {
            try Interruption.during(cancellation) { () throws(FirnError) in script.input.skipData() }
        } catch {
            report(error)
        }
        if cancellation.isCancelled { script.input.endData() }
    }
}
