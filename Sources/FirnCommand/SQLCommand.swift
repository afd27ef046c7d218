// SPDX-License-Identifier: Apache-2.0
//
// `firn sql`: runs statements from -c, -f or standard input, or opens the shell on a terminal.

import ArgumentParser
import Firn

/// `firn [sql] [DATABASE] [-c SQL]… [-f FILE]`.
struct SQLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "Run SQL: from -c, -f or standard input; on a terminal, a shell.",
        discussion: """
            Results go to standard output, in every format; so does the command tag of each statement that gives no \
            rows (CREATE TABLE, INSERT 0 40, COPY 1000), flushed before the next statement is read: the tag is the \
            acknowledgement. Errors, warnings, notices and progress go to standard error. Several statements stop at \
            the first that fails.

            Exit codes: 0 ok, 1 a statement failed, 2 usage.
            """)

    @Argument(help: "Folder of the database; made when it is missing. Without it: a database in memory.")
    var database: String?

    @Option(
        name: .customShort("c"),
        help: ArgumentHelp(
            "SQL, or a backslash command of the shell, to run; may be given several times.", valueName: "SQL"))
    var commands: [String] = []

    @Option(name: .customShort("f"), help: ArgumentHelp("File of SQL to run; - is standard input.", valueName: "FILE"))
    var files: [String] = []

    @Option(help: "How results are printed: \(OutputFormat.allNames).")
    var format: OutputFormat = .aligned

    @Option(help: "When a change is acknowledged: synced (survives power loss), buffered (kill -9), memory.")
    var durability: DurabilityArgument = .synced

    @Flag(help: "Open without writing anything.")
    var readOnly = false

    func validate() throws {
        if readOnly, database == nil { throw ValidationError("--read-only needs a DATABASE") }
    }

    func run() throws {
        var options = DatabaseOptions()
        options.storage.durability = durability.level
        if readOnly { options.storage.access = .readOnly }
        let database: Database
        do throws(FirnError) {
            if let path = self.database {
                database = try Database.openBlocking(at: path, options: options)
            } else {
                database = try Database.inMemory(options: options)
            }
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            throw Exit.statementFailed
        }
        for notice in database.notices { StandardStreams.writeError("notice: \(notice)\n") }
        let shell = StatementShell(database: database, format: format)
        var succeeded = true
        if commands.isEmpty, files.isEmpty {
            if StandardStreams.isInputTerminal, StandardStreams.isOutputTerminal {
                REPL(shell: shell, databaseName: self.database).run()
            } else {
                succeeded = shell.run(.standardInput)
            }
        }
        for command in commands where succeeded {
            if command.hasPrefix("\\") {
                shell.keepsLastResult = true
                if BackslashCommand(command, shell: shell).run() == .leave { break }
            } else {
                succeeded = shell.run(.text(command))
            }
        }
        for file in files where succeeded { succeeded = shell.run(file == "-" ? .standardInput : .file(file)) }
        do throws(FirnError) {
            try database.closeBlocking()
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            succeeded = false
        }
        if !succeeded { throw Exit.statementFailed }
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
