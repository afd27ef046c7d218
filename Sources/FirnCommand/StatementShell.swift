// SPDX-License-Identifier: Apache-2.0
//
// Runs SQL text statement by statement in one session, prints what each gives, and stops at the first failure.
// The scripts (-c, -f, standard input) and the shell on a terminal share it.

import Firn
import FirnSyntax

/// Where SQL text comes from.
enum ScriptSource {
    case text(String)
    case file(String)
    case standardInput
}

/// One session and the way its results are printed.
final class StatementShell {
    let database: Database
    let session: Session
    var format: OutputFormat
    /// Prints how long each statement took (\timing).
    var showsTiming = false
    /// Aligned results with a column a line (\x).
    var isExpanded = false
    /// The rows of the last query, for \chart. Kept only where a terminal may ask for them.
    var keepsLastResult = false
    private(set) var lastResult: (columns: [ResultColumn], batches: [ColumnBatch])?
    /// The last statement that gave rows, for \watch.
    private(set) var lastStatement: ScriptStatement?
    /// Whether the last statement was stopped by Ctrl-C.
    private(set) var wasCancelled = false

    init(database: Database, format: OutputFormat) {
        self.database = database
        self.format = format
        session = database.session()
    }

    // MARK: Scripts

    /// Runs all statements of a source; false where one failed.
    func run(_ source: ScriptSource) -> Bool {
        var splitter = StatementSplitter()
        let nextPiece: () -> [UInt8]?
        switch source {
        case .text(let text):
            splitter.append(text)
            nextPiece = { nil }
        case .file(let path):
            guard let text = readScript(path) else { return false }
            splitter.append(bytes: text)
            nextPiece = { nil }
        case .standardInput: nextPiece = { StandardStreams.read() }
        }
        while true {
            while let statement = splitter.next() {
                guard runScripted(statement, of: source, &splitter, nextPiece) else { return false }
            }
            guard let piece = nextPiece() else { break }
            splitter.append(bytes: piece)
        }
        while let statement = splitter.finish() {
            guard runScripted(statement, of: source, &splitter, nextPiece) else { return false }
        }
        return true
    }

    /// Data of COPY … FROM STDIN is standard input for a statement of -c, and stands behind the statement in a file.
    private func runScripted(
        _ statement: ScriptStatement, of source: ScriptSource, _ splitter: inout StatementSplitter,
        _ nextPiece: @escaping () -> [UInt8]?
    ) -> Bool {
        guard CopyData.isCopyFromInput(statement.text) else { return run(statement) }
        if case .text = source { return run(statement, copyInput: { StandardStreams.read() }) }
        // The data stands behind the statement in the same stream, up to \. or the end.
        let data = CopyData(first: splitter.takeRest(), nextPiece)
        let succeeded = run(statement, copyInput: { data.next() })
        data.skipToEnd()
        splitter.append(bytes: data.rest)
        return succeeded
    }

    /// Runs a statement that was typed at a prompt; data of COPY … FROM STDIN is typed behind it.
    func runTyped(_ statement: ScriptStatement) -> Bool {
        guard CopyData.isCopyFromInput(statement.text) else { return run(statement) }
        StandardStreams.writeError("Type the rows, then \\. on a line of its own (or Ctrl-D).\n")
        let data = CopyData(first: []) { StandardStreams.read() }
        return run(statement, copyInput: { data.next() })
    }

    private func readScript(_ path: String) -> [UInt8]? {
        do {
            return try FileText.read(path)
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            return nil
        }
    }

    // MARK: One statement

    /// Whether a statement's rows are printed, or only kept for a chart.
    enum Shown {
        case result, nothing
    }

    /// Runs a statement and prints its outcome; false where it failed.
    func run(
        _ statement: ScriptStatement, copyInput: (() -> [UInt8]?)? = nil, showing shown: Shown = .result
    ) -> Bool {
        let clock = ContinuousClock()
        let started = clock.now
        let progress = ProgressBar(label: "COPY")
        let input = UncheckedInput(copyInput ?? { StandardStreams.read() })
        var environment = StatementEnvironment()
        environment.notice = { StandardStreams.writeError("notice: \($0.message)\n") }
        environment.standardInput = { () throws(FirnError) in input.next() }
        environment.standardOutput = { (bytes) throws(FirnError) in StandardStreams.write(bytes) }
        if StandardStreams.isErrorTerminal { environment.progress = { progress.show($0) } }
        let cancellation = StatementCancellation()
        wasCancelled = false
        defer { wasCancelled = cancellation.isCancelled }
        do throws(FirnError) {
            try Interruption.during(cancellation) { () throws(FirnError) in
                let result = try session.runBlocking(
                    statement.text, environment: environment, cancellation: cancellation)
                progress.clear()
                switch result {
                case .command(let tag): StandardStreams.write(tag + "\n")
                case .rows(let rows):
                    lastStatement = statement
                    try print(rows, shown)
                }
            }
        } catch {
            progress.clear()
            StandardStreams.writeError(
                error.rendered(in: statement.text, firstLine: statement.line, firstColumn: statement.column) + "\n")
            return false
        }
        if showsTiming {
            let milliseconds = (clock.now - started) / .milliseconds(1)
            StandardStreams.write("Time: \(Rounded.text(milliseconds, decimals: 3)) ms\n")
        }
        return true
    }

    private func print(_ rows: QueryResult, _ shown: Shown) throws(FirnError) {
        var printer: ResultPrinter?
        if shown == .result {
            printer = ResultPrinter(
                columns: rows.columns, format: format, isExpanded: isExpanded, zone: session.timeZone)
        }
        var kept: [ColumnBatch] = []
        while let batch = try rows.nextBlocking() {
            printer?.append(batch)
            if keepsLastResult { kept.append(batch) }
        }
        printer?.finish()
        if keepsLastResult { lastResult = (rows.columns, kept) }
    }
}

/// Carries a closure over the border of sendability: the statement calls it on the thread that made it.
private final class UncheckedInput: @unchecked Sendable {
    // Sendable by use: `runBlocking` calls it on the calling thread, and only while that call lasts.
    private let read: () -> [UInt8]?
    init(_ read: @escaping () -> [UInt8]?) { self.read = read }
    func next() -> [UInt8]? { read() }
}
