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
            let path = FilePath(file)
            let found = try InspectedFile.describe(path, fileSystem: try InspectCommand.files(path))
            StandardStreams.write(InspectedFileText.of(found, named: file))
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            throw Exit.statementFailed
        }
    }

    /// Where the file lies: a pipe, whose bytes come once and in order, is read into memory first.
    private static func files(_ path: FilePath) throws(FirnError) -> any FileSystem {
        let files = POSIXFileSystem()
        do throws(IOError) {
            guard try files.status(path)?.kind == .other else { return files }
            let memory = MemoryFileSystem()
            try memory.createDirectories(path.parentDirectory)
            try memory.open(path, .createNew).write(try files.open(path, .readOnly).readAll(), at: 0)
            return memory
        } catch {
            throw FirnError(.ioError, error.message)
        }
    }
}
