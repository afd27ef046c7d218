// SPDX-License-Identifier: Apache-2.0
//
// Everything that must be true of a database's files, checked while nobody writes: what `firn check` reports.
//
//     CURRENT names a manifest that reaches as far as CURRENT and the log vouch for
//     every edit of the manifest, and every frame of the log, is whole and possible after those before it
//     every data file that manifest or log names is there, and is what they say (SegmentFile.verify reads every byte)
//     no other file lies in the folder
//
// One damage does not hide another, as far as what remains can be read. Nothing is written.

import FirnIO
import SystemPackage

/// A database looked at from the outside.
package enum DatabaseCheck {
    /// What was found.
    package struct Report: Sendable {
        /// What is not as it must be; empty for a sound database.
        package var damages: [SegmentFile.Damage] = []
        /// What a person may want to know although nothing is wrong: files without a use, an unfinished last write.
        package var notices: [String] = []
        package var tableCount = 0
        package var segmentCount = 0
        /// Rows in segments.
        package var rowCount = 0
        /// Commits that only the log holds.
        package var logCommitCount = 0
        /// Files that were read, and their bytes.
        package var fileCount = 0
        package var byteCount: Int64 = 0
    }

    /// Checks the database in a folder. Throws where it is in use by a writer, or is no database at all.
    package static func check(_ path: FilePath, fileSystem: any FileSystem) throws(FirnError) -> Report {
        let folder = DatabaseFolder(root: path)
        let hasCurrent = try FirnError.mapping { () throws(IOError) in try fileSystem.status(folder.current) != nil }
        guard hasCurrent else {
            throw FirnError(
                .undefinedFile, "\"\(path.string)\" is no database: it has no file CURRENT",
                hint: "give the folder of a database")
        }
        let lock = try LockFile.acquire(folder, .readOnly, fileSystem)
        var check = Check(folder: folder, fileSystem: fileSystem)
        do throws(FirnError) {
            try check.run()
        } catch {
            try FirnError.mapping { () throws(IOError) in try lock?.release() }
            throw error
        }
        try FirnError.mapping { () throws(IOError) in try lock?.release() }
        return check.report
    }
}

private struct Check {
    let folder: DatabaseFolder
    let fileSystem: any FileSystem
    var report = DatabaseCheck.Report()

    mutating func run() throws(FirnError) {
        var options = StorageOptions()
        options.access = .readOnly
        let recovery = Recovery(folder: folder, options: options, fileSystem: fileSystem)
        let found: Recovery.Found
        do {
            found = try recovery.readManifest()
            try count(folder.current)
            try count(folder.manifest(found.manifestNumber))
        } catch {
            // Without a manifest nothing else has a meaning, except that data files are whole in themselves.
            try report(error, "CURRENT or the manifest")
            try checkFilesAlone()
            return
        }
        var replay = Replay(found.manifest)
        do {
            var reader = try WALReader(
                folder: folder, database: found.database, manifest: found.manifest, fileSystem: fileSystem)
            let end = try reader.read { (frame) throws(FirnError) in
                try replay.apply(frame, in: folder)
                report.logCommitCount += 1
            }
            if let place = end.place {
                report.notices.append("the log ends in the middle of a write (\(place)), as a crash leaves it")
            }
            for number in end.fileNumbers { try count(folder.log(number)) }
        } catch {
            try report(error, "the write-ahead log")
        }
        report.tableCount = replay.state.tables.count
        try checkSegments(replay.state, found.database)
        try listUnknown(replay.state, found)
    }

    private mutating func checkSegments(_ state: ManifestState, _ database: DatabaseID) throws(FirnError) {
        var segments: [FileID: [SegmentDescriptor]] = [:]
        for table in state.tables.values {
            for segment in table.segments {
                segments[segment.file, default: []].append(segment)
                report.segmentCount += 1
                report.rowCount += segment.rowCount
            }
        }
        for (file, expected) in segments.sorted(by: { $0.key < $1.key }) {
            let path = folder.data(file)
            let names = Set(expected.map(\.table)).compactMap { state.tables[$0]?.schema.name }.sorted()
            let covers = "rows of \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
            guard try exists(path) else {
                report.damages.append(
                    SegmentFile.Damage(
                        file: "data/\(file).seg", byteOffset: 0, covers: covers,
                        message: "\(path.string) is missing, with \(covers)"))
                continue
            }
            try count(path)
            do {
                // Descriptors of a bulk load carry the LSN of their commit, which the file cannot know.
                report.damages += try SegmentFile.verify(
                    path, fileSystem: fileSystem, database: database, segments: expected)
            } catch {
                try report(error, covers)
            }
        }
    }

    /// Checks data files without a manifest that says what they should be.
    private mutating func checkFilesAlone() throws(FirnError) {
        for name in try names(in: folder.dataFolder) {
            guard let file = DatabaseFolder.dataFile(name) else { continue }
            try count(folder.data(file))
            do {
                report.damages += try SegmentFile.verify(folder.data(file), fileSystem: fileSystem, database: nil)
            } catch {
                try report(error, "segments")
            }
        }
    }

    private mutating func listUnknown(_ state: ManifestState, _ found: Recovery.Found) throws(FirnError) {
        let known: Set = ["LOCK", "CURRENT", "CURRENT.new", "wal", "data", "quarantine"]
        for name in try names(in: folder.root) where !known.contains(name) {
            if let number = DatabaseFolder.manifestNumber(name) {
                if number != found.manifestNumber { report.notices.append("\(name) is left over; opening removes it") }
            } else {
                report.notices.append("\(name) is no file of the database; opening moves it to quarantine")
            }
        }
        for name in try names(in: folder.logFolder) where DatabaseFolder.logNumber(name) == nil {
            report.notices.append("wal/\(name) is no file of the database; opening moves it to quarantine")
        }
        for name in try names(in: folder.dataFolder) {
            guard let file = DatabaseFolder.dataFile(name) else {
                report.notices.append("data/\(name) is no file of the database; opening moves it to quarantine")
                continue
            }
            if state.files.contains(file) { continue }
            let isLeftOver =
                file >= found.manifest.nextFile || state.unfinishedFiles.contains(file)
                || state.retiredFiles.contains(file)
            report.notices.append(
                isLeftOver
                    ? "data/\(name) is left over; opening removes it"
                    : "data/\(name) is referred to by nothing; opening moves it to quarantine")
        }
        if try exists(folder.quarantine) {
            for name in try names(in: folder.quarantine) { report.notices.append("quarantine/\(name) lies in quarantine") }
        }
    }

    /// Records damage; throws what is none.
    private mutating func report(_ error: FirnError, _ covers: String) throws(FirnError) {
        guard error.code == .dataCorrupted || error.code == .undefinedFile || error.code == .ioError else { throw error }
        report.damages.append(
            SegmentFile.Damage(file: folder.root.string, byteOffset: 0, covers: covers, message: error.message))
    }

    private mutating func count(_ path: FilePath) throws(FirnError) {
        let status = try FirnError.mapping { () throws(IOError) in try fileSystem.status(path) }
        guard let status else { return }
        report.fileCount += 1
        report.byteCount += status.byteCount
    }

    private func exists(_ path: FilePath) throws(FirnError) -> Bool {
        try FirnError.mapping { () throws(IOError) in try fileSystem.status(path) != nil }
    }

    private func names(in path: FilePath) throws(FirnError) -> [String] {
        guard try exists(path) else { return [] }
        return try FirnError.mapping { () throws(IOError) in try fileSystem.list(path).map(\.name) }
    }
}
