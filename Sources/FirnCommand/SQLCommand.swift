// SPDX-License-Identifier: Apache-2.0
//
// `firn sql`: runs statements from -c, -f or standard input, or opens the shell on a terminal.

import ArgumentParser
import Firn
import Synchronization

/// `firn [sql] [DATABASE] [-c SQL]… [-f FILE]…`.
struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Run SQL: from -c, -f or standard input; on a terminal, a shell.",
        discussion: """
            -c and -f may be given several times, in any order, and run in it. Both take SQL and backslash commands. \
            Results go to standard output, in every format; so does the command tag of each statement that gives no \
            rows (CREATE TABLE, INSERT 0 40, COPY 1000), flushed before the next statement is read: the tag is the \
            acknowledgement. Errors, warnings, notices and progress go to standard error; errors in files begin with \
            FILE:LINE.

            Examples:
              firn                                   a shell on a database in memory
              firn metrics.db                        a shell on a database in a folder
              firn metrics.db -c 'SELECT 1' --format csv
              firn metrics.db -f schema.sql -c "COPY t FROM 'rows.csv.gz' (HEADER)"
              generate | firn metrics.db -c 'COPY t FROM STDIN (FORMAT csv)'
              firn metrics.db -c '\\d' -c '\\chart SELECT time, value FROM t ORDER BY time'
              echo 'SELECT 1; \\echo done' | firn

            In the shell, \\? lists the backslash commands, \\h the SQL commands. Exit codes: 0 ok, 1 a statement \
            failed, 2 usage.
            """)

    @Argument(
        help: "Folder of the database; made when it is missing. Without it, or as :memory:, a database in memory.")
    var database: String?

    @Option(
        name: .customShort("c"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "SQL, or a backslash command of the shell, to run; may be given several times.", valueName: "SQL"),
        transform: OrderedArgument.init)
    var commands: [OrderedArgument] = []

    @Option(
        name: .customShort("f"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "File of SQL to run, a pipe too; - is standard input. May be given several times.", valueName: "FILE"),
        transform: OrderedArgument.init)
    var files: [OrderedArgument] = []

    @Option(
        name: [.customShort("v"), .customLong("set")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Gives a variable a value, as \\set does. May be given several times.", valueName: "NAME=VALUE"))
    var variables: [String] = []

    @Option(help: "How results are printed: \(OutputFormat.allNames).")
    var format: OutputFormat = .aligned

    @Option(
        name: .customLong("null"), parsing: .unconditional,
        help: ArgumentHelp("What stands for NULL in aligned, csv and markdown.", valueName: "TEXT"))
    var nullText: String?

    @Option(
        help: "After a statement failed: stop, or continue with the next one. The exit code is 1 either way.")
    var onError: ErrorPolicy = .stop

    @Option(help: "When a change is acknowledged: synced (survives power loss), buffered (kill -9), memory.")
    var durability: DurabilityArgument = .synced

    @Flag(help: "Open without writing anything.")
    var readOnly = false

    func validate() throws {
        // The value of a variable that is not set, more likely than a name.
        if database?.isEmpty == true { throw ValidationError("the name of the DATABASE is empty") }
        if readOnly, folder == nil { throw ValidationError("--read-only needs a DATABASE") }
    }

    /// The database's folder as it was named; nil for a database in memory.
    private var folder: String? { database == ":memory:" ? nil : database }

    func run() throws {
        var options = DatabaseOptions()
        options.storage.durability = durability.level
        if readOnly { options.storage.access = .readOnly }
        let database: Database
        // The folder stays the same whatever \cd does.
        let path = folder.map(SQLCommand.absolute)
        do throws(FirnError) {
            if let path {
                database = try Database.openBlocking(at: path, options: options)
            } else {
                database = try Database.inMemory(options: options)
            }
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            throw Exit.statementFailed
        }
        for notice in database.notices { StandardStreams.writeError("notice: \(ControlCharacters.escaped(notice))\n") }
        var settings = DisplaySettings()
        settings.format = format
        if let nullText, !nullText.isEmpty { settings.nullText = nullText }
        let shell = StatementShell(database: database, databasePath: path, settings: settings)
        shell.onError = onError
        var succeeded = true
        do throws(FirnError) {
            for variable in variables {
                let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                    String.init)
                try shell.setVariable(parts[0], to: parts.count > 1 ? parts[1] : "")
            }
            succeeded = runAll(shell)
        } catch {
            shell.report(error)
            succeeded = false
        }
        shell.output.finish()
        do throws(FirnError) {
            try database.closeBlocking()
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            succeeded = false
        }
        if !succeeded { throw Exit.statementFailed }
    }

    /// Runs what was given, in its order; false where a statement failed.
    private func runAll(_ shell: StatementShell) -> Bool {
        let steps =
            commands.map { ($0.place, ScriptSource.text($0.text)) }
            + files.map { ($0.place, $0.text == "-" ? .standardInput(name: "<stdin>") : .file($0.text)) }
        if steps.isEmpty {
            if StandardStreams.isInputTerminal, StandardStreams.isOutputTerminal {
                REPL(shell: shell).run()
                return true
            }
            return shell.run(.standardInput(name: nil)) != .failed
        }
        var succeeded = true
        for (_, source) in steps.sorted(by: { $0.0 < $1.0 }) {
            switch shell.run(source) {
            case .goOn: break
            case .leave: return succeeded
            case .failed:
                succeeded = false
                if onError == .stop { return false }
            }
        }
        return succeeded
    }

    private static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }
}

/// A value of an option that knows its place among all of them: -c and -f run in the order in which they were given.
struct OrderedArgument {
    let place: Int
    let text: String
    private static let count = Mutex(0)

    init(_ text: String) {
        self.text = text
        // The parser transforms values in the order of the command line.
        place = OrderedArgument.count.withLock { count in
            count += 1
            return count
        }
    }
}

/// The durability levels as the command line names them.
enum DurabilityArgument: String, ExpressibleByArgument, CaseIterable {
    case synced, buffered, memory

    var level: Durability {
        switch self {
        case .synced: .synced
        case .buffered: .bufferedByDefault
        case .memory: .memory
        }
    }
}

extension OutputFormat: ExpressibleByArgument {}
extension ErrorPolicy: ExpressibleByArgument {}
