// SPDX-License-Identifier: Apache-2.0
//
// `firn check`: verifies a database and prints the places that are damaged.

import ArgumentParser
import Firn

/// `firn check DATABASE`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Verify every checksum and invariant of a database; change nothing.",
        discussion: """
            Prints a line for each damaged place: the file, the byte at which it begins, what lies there and what is \
            wrong. Other processes may read the database meanwhile, none may write it.

            Exit codes: 0 no damage, 1 damage was found or the database cannot be read, 2 usage.
            """)

    @Argument(help: "Folder of the database.")
    var database: String

    func run() throws {
        let report: CheckReport
        do throws(FirnError) {
            report = try Database.checkBlocking(at: database)
        } catch {
            StandardStreams.writeError("error: \(error)\n")
            throw Exit.statementFailed
        }
        for notice in report.notices { StandardStreams.writeError("notice: \(ControlCharacters.escaped(notice))\n") }
        for damage in report.damages { StandardStreams.write("damaged: \(ControlCharacters.escaped("\(damage)"))\n") }
        let read = "\(Counted.files(report.fileCount)), \(report.byteCount) bytes"
        if report.damages.isEmpty {
            StandardStreams.write("no damage found: \(read)\n")
        } else {
            StandardStreams.write("\(Counted.places(report.damages.count)) damaged: \(read)\n")
            throw Exit.statementFailed
        }
    }
}

/// Counts with their nouns.
private enum Counted {
    static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }
    static func places(_ count: Int) -> String { count == 1 ? "1 place is" : "\(count) places are" }
}
