// SPDX-License-Identifier: Apache-2.0
//
// The `firn` command: its subcommands and its exit codes (0 ok, 1 a statement failed or damage was found, 2 usage).

import ArgumentParser
import Firn

/// The root command.
struct FirnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firn",
        abstract: "An embedded time-series database: SQL, files, checks.",
        discussion: """
            Without a subcommand, `firn [DATABASE]` is `firn sql [DATABASE]`: a shell on a terminal, and a reader of \
            SQL from standard input otherwise.

              firn                                    a shell on a database in memory
              firn metrics.db                         a shell on a database in a folder
              firn metrics.db -c 'SELECT 1'           run SQL or a backslash command
              firn metrics.db -f schema.sql           run a file of SQL; - is standard input
              firn metrics.db -c '\\d'                what tables there are
              firn metrics.db --format csv -c '...'   \(OutputFormat.allNames)
              firn metrics.db --null NULL -c '...'    what stands for NULL
              firn metrics.db -v n=5 -c 'SELECT :n'   variables
              firn metrics.db --on-error continue -f x.sql
              firn metrics.db --durability buffered   synced, buffered or memory
              firn metrics.db --read-only             open without writing
              firn inspect metrics.db/CURRENT         print any file of a database
              firn check metrics.db                   verify every checksum

            firn sql --help says more about each. Exit codes: 0 ok, 1 a statement failed or damage was found, 2 usage.
            """,
        version: Database.version,
        subcommands: [SQLCommand.self, InspectCommand.self, CheckCommand.self],
        defaultSubcommand: SQLCommand.self)
}

/// Exit codes that scripts can trust.
enum Exit {
    static let statementFailed = ExitCode(1)
    static let usage: Int32 = 2
}

@main
enum Main {
    static func main() {
        StandardStreams.holdPlaces()
        checkArguments()
        do {
            var command = try FirnCommand.parseAsRoot()
            try command.run()
        } catch {
            if FirnCommand.exitCode(for: error) == .validationFailure {
                StandardStreams.writeError(FirnCommand.fullMessage(for: error) + "\n")
                exit(Exit.usage)
            }
            FirnCommand.exit(withError: error)
        }
    }

    /// Ends the process where an argument is not UTF-8: it would be taken with other characters in it.
    private static func checkArguments() {
        for place in 1..<max(Int(CommandLine.argc), 1) {
            guard let argument = CommandLine.unsafeArgv[place], String(validatingCString: argument) == nil else {
                continue
            }
            StandardStreams.writeError("Error: argument \(place) is not UTF-8: \(String(cString: argument))\n")
            exit(Exit.usage)
        }
    }
}
