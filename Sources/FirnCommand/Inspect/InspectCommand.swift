// SPDX-License-Identifier: Apache-2.0
//
// `firn inspect`: prints any file of the format for a person to read.

import ArgumentParser
import Firn
import FirnIO
import SystemPackage

/// `firn inspect FILE`.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Print any file of a database: its header, and what is in it.",
        discussion: """
            FILE is CURRENT, LOCK, manifest-<n>, wal/<n>.wal or data/<n>.seg of a database, or a copy under any name: \
            the kind is told from the file's first bytes. Nothing is changed, and no database is needed.

            Exit codes: 0 ok, 1 the file is damaged or none of ours, 2 usage.
            """)

    @Argument(help: "A file of a database.")
    var file: String

    func run() throws {
        do throws(FirnError) {
            let found = try InspectedFile.describe(FilePath(file), fileSystem: POSIXFileSystem())
            StandardStreams.write(InspectedFileText.of(found, named: file))
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            throw Exit.statementFailed
        }
    }
}
