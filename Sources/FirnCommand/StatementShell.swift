// SPDX-License-Identifier: Apache-2.0
//
// One session and the way its results are shown. Runs a statement at a time; scripts (StatementShell+Scripts.swift), the
// shell on a terminal (REPL.swift) and backslash commands share it.

import Firn
import FirnSyntax

/// Runs statements and prints what each gives.
final class StatementShell {
    let database: Database
    let session: Session
    /// The database's folder as it was named; nil for one in memory.
    let databasePath: String?
    var settings: DisplaySettings
    /// Prints how long each statement took (\timing).
    var showsTiming = false
    /// What a script does when a statement fails.
    var onError = ErrorPolicy.stop
    /// Where results go (\o).
    var output = ResultOutput()
    /// The rows of the last query, for \chart. Kept only where a terminal may ask for them.
    var keepsLastResult = false
    private(set) var lastResult: (columns: [ResultColumn], batches: [ColumnBatch])?
    /// The last query that gave rows, for \watch.
    private(set) var lastQuery: ScriptStatement?
    /// The last statement that ran, for \g, \p, \e and \w.
    private(set) var lastStatement: ScriptStatement?
    /// Whether the last statement was stopped by Ctrl-C.
    private(set) var wasCancelled = false
    /// The scripts that are being run, the innermost last.
    var scripts: [Script] = []
    /// What \e gave back, for the history.
    var editedText: String?
    /// \set and \gset.
    var variables = ScriptVariables()
    /// The shell on the terminal, where there is one.
    var isInteractive = false

    init(database: Database, databasePath: String? = nil, settings: DisplaySettings = DisplaySettings()) {
        self.database = database
        self.databasePath = databasePath
        self.settings = settings
        session = database.session()
    }

    /// How a statement is run apart from its text.
    struct Options {
        var settings: DisplaySettings
        /// Results go here instead of the shell's output.
        var output: ResultOutput?
        /// Data of COPY … FROM STDIN; nil reads standard input.
        var copyInput: (() throws(FirnError) -> [UInt8]?)?
        var showsRows = true
        /// Sees each batch of rows.
        var takeBatch: (([ResultColumn], ColumnBatch) -> Void)?
        /// The script it stands in.
        var scriptName: String?
        /// The line of the script on which its data begins.
        var dataLine: Int?
    }

    /// Runs a statement and prints its outcome; false where it failed.
    func run(_ statement: ScriptStatement, _ options: Options? = nil) -> Bool {
        let options = options ?? Options(settings: settings, scriptName: scripts.last?.name)
        let clock = ContinuousClock()
        let started = clock.now
        let progress = ProgressBar(label: "COPY")
        let cancellation = StatementCancellation()
        let input: UncheckedInput
        if let copyInput = options.copyInput {
            input = UncheckedInput(copyInput)
        } else {
            input = UncheckedInput { () throws(FirnError) in
                try StandardStreams.read(isGivenUp: { cancellation.isCancelled })
            }
        }
        var environment = StatementEnvironment()
        environment.notice = { notice in
            progress.clear()
            StandardStreams.writeError("notice: \(ControlCharacters.escaped(notice.message))\n")
        }
        environment.standardInput = { () throws(FirnError) in
            let piece = try input.next()
            if cancellation.isCancelled { throw FirnError.cancelledByUser }
            return piece
        }
        let output = UncheckedOutput(options.output ?? self.output)
        environment.standardOutput = { (bytes) throws(FirnError) in try output.write(bytes) }
        if StandardStreams.isErrorTerminal { environment.progress = { progress.show($0) } }
        wasCancelled = false
        defer { wasCancelled = cancellation.isCancelled }
        lastStatement = statement
        do throws(FirnError) {
            if let offset = statement.invalidByteOffset {
                throw FirnError(
                    .characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"", position: offset)
            }
            try Interruption.during(cancellation) { () throws(FirnError) in
                let result = try session.runBlocking(
                    statement.text, environment: environment, cancellation: cancellation)
                progress.clear()
                switch result {
                case .command(let tag): StandardStreams.write(tag + "\n")
                case .rows(let rows):
                    lastQuery = statement
                    try print(rows, options)
                }
            }
        } catch {
            progress.clear()
            let placed = ErrorPlace.placed(error, in: statement, of: options.scriptName, dataLine: options.dataLine)
            StandardStreams.writeError(
                placed.rendered(in: statement.text, firstLine: statement.line, firstColumn: statement.column) + "\n")
            return false
        }
        if showsTiming {
            let milliseconds = (clock.now - started) / .milliseconds(1)
            StandardStreams.write("Time: \(Rounded.text(milliseconds, decimals: 3)) ms\n")
        }
        return true
    }

    private func print(_ rows: QueryResult, _ options: Options) throws(FirnError) {
        let output = options.output ?? self.output
        var printer: ResultPrinter?
        if options.showsRows {
            printer = ResultPrinter(
                columns: rows.columns, settings: options.settings, zone: session.timeZone, output: output,
                screen: output.isTerminal ? StatementShell.screen : nil)
        }
        var kept: [ColumnBatch] = []
        var keptRowCount = 0
        while let batch = try rows.nextBlocking() {
            try printer?.append(batch)
            options.takeBatch?(rows.columns, batch)
            if keepsLastResult, keptRowCount <= StatementShell.keptRowsMax {
                kept.append(batch)
                keptRowCount += batch.rowCount
            }
            if let printer, !printer.isWanted {
                rows.cancel()
                break
            }
        }
        try printer?.finish()
        if keepsLastResult { lastResult = keptRowCount <= StatementShell.keptRowsMax ? (rows.columns, kept) : nil }
    }

    /// Rows of the last result that are kept for \chart; a longer one is not drawn.
    private static let keptRowsMax = 1_000_000

    /// The terminal as it is now; nil where nobody sits at it, as psql has it.
    static var screen: Screen? {
        guard StandardStreams.isInputTerminal, let size = StandardStreams.outputSize else { return nil }
        return Screen(rows: size.rows, columns: size.columns, pager: Screen.pager(environment(_:)))
    }

    /// A variable of the environment.
    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Shows an error that no statement caused.
    func report(_ error: FirnError) { StandardStreams.writeError("error: \(error)\n") }
}

/// What a script does when a statement fails.
enum ErrorPolicy: String, CaseIterable, Sendable {
    case stop
    case `continue`
}

extension FirnError {
    /// What a statement throws that Ctrl-C stopped.
    static var cancelledByUser: FirnError {
        FirnError(.queryCanceled, "canceling statement due to user request")
    }
}

/// Carries a closure over the border of sendability: the statement calls it on the thread that made it.
private final class UncheckedInput: @unchecked Sendable {
    // Sendable by use: `runBlocking` calls it on the calling thread, and only while that call lasts.
    private let read: () throws(FirnError) -> [UInt8]?
    init(_ read: @escaping () throws(FirnError) -> [UInt8]?) { self.read = read }
    func next() throws(FirnError) -> [UInt8]? { try read() }
}

/// The same for the output of COPY … TO STDOUT.
private final class UncheckedOutput: @unchecked Sendable {
    // Sendable by use, as the input is.
    private let output: ResultOutput
    init(_ output: ResultOutput) { self.output = output }
    func write(_ bytes: [UInt8]) throws(FirnError) { try output.write(bytes) }
}
