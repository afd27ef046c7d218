// SPDX-License-Identifier: Apache-2.0
//
// The folder of a database: CURRENT, a manifest, log files and data files together, opened and checked.
//
//     [kind: u8, modulo 4: 0 CURRENT, 1 manifest, 2 log, 3 segments][byte count: u16][the file] …
//
// A file's name follows from the number in its header. Checksums and proofs are made right before the folder is read, so
// that every number of every header gets as far as it can. Opening for writing, opening for reading and checking must
// tell one truth, and what was opened opens again with the same rows.

import FirnIO
import SystemPackage

@testable import Firn

extension FuzzTarget {
    static let folder = FuzzTarget(name: "folder") { input in
        let files = FolderInput(input).files
        let run = FolderRun(files: files)
        let isSound = run.check()
        // Without CURRENT a sound folder is a creation that was cut short: it is begun anew, and not read before.
        let isThere = files.holdsCurrent
        let reading = run.open(.readOnly)
        if isSound { require(isThere == (reading != nil), "a sound folder is not read") }
        let writing = run.open(.readWrite)
        if isSound { require(writing != nil, "a sound folder is not opened") }
        guard let writing else { return .refused }
        require(isThere == (reading != nil), "a folder is opened for writing and not for reading")
        if let before = reading?.rowCounts, let after = writing.rowCounts {
            require(before == after, "\(before) when read alone, \(after) when opened")
        }
        let again = run.open(.readWrite)
        require(again != nil, "a folder that was opened does not open again")
        if let before = writing.rowCounts { require(again?.rowCounts == before, "rows change between openings") }
        for name in writing.names { plantedBug(name.utf8) }
        return isSound ? .accepted : .refused
    }
}

/// A folder as an input spells it.
struct FolderInput {
    private(set) var parts: [(kind: Int, bytes: [UInt8])] = []

    init(_ input: [UInt8]) {
        var position = 0
        while position + 3 <= input.count {
            let byteCount = Int(input[position + 1]) | Int(input[position + 2]) << 8
            let start = position + 3
            let end = min(start + byteCount, input.count)
            parts.append((Int(input[position]) % 4, Array(input[start..<end])))
            position = end
        }
    }

    /// The input that spells these files.
    static func bytes(_ parts: [(kind: Int, bytes: [UInt8])]) -> [UInt8] {
        parts.flatMap { part in
            [UInt8(part.kind), UInt8(part.bytes.count & 255), UInt8(part.bytes.count >> 8)] + part.bytes
        }
    }

    /// The files with right checksums, under the names that their headers say.
    var files: MemoryFileSystem {
        let files = MemoryFileSystem()
        let folder = DatabaseFolder(root: "/db")
        let manifest = parts.first { $0.kind == 1 }.map { Resealing.manifest($0.bytes) } ?? []
        for path in [folder.root, folder.logFolder, folder.dataFolder] { try? files.createDirectory(path) }
        for (kind, bytes) in parts {
            let number = Resealing.fileNumber(bytes)
            let (path, sealed) =
                switch kind {
                case 0: (folder.current, Resealing.current(Resealing.provingManifest(manifest, bytes, at: 32)))
                case 1: (folder.manifest(number), Resealing.manifest(bytes))
                case 2: (folder.log(number), Resealing.log(Resealing.provingManifest(manifest, bytes, at: 88)))
                default: (folder.data(FileID(number)), Resealing.segmentFile(bytes))
                }
            // The second file of a name has no place.
            try? files.open(path, .createNew).write(sealed, at: 0)
        }
        return files
    }
}

extension MemoryFileSystem {
    fileprivate var holdsCurrent: Bool { (try? status("/db/CURRENT")) != nil }
}

private struct FolderRun {
    let files: MemoryFileSystem

    struct Opened {
        var names: [String] = []
        /// Rows of each table; nil where damage kept a table from being read.
        var rowCounts: [String: Int]?
    }

    /// Whether a check finds nothing.
    func check() -> Bool {
        do throws(FirnError) {
            return try DatabaseCheck.run("/db", fileSystem: files, timeSource: ManualTimeSource()).damages.isEmpty
        } catch {
            FuzzTarget.requireDamage(error)
            return false
        }
    }

    /// Opens, reads all rows and closes; nil where the folder is refused.
    func open(_ access: StorageOptions.Access) -> Opened? {
        var options = StorageOptions()
        options.access = access
        options.startsThreads = false
        options.flushAgeSeconds = nil
        options.logFileBytes = 4_096
        let engine: StorageEngine
        do throws(FirnError) {
            engine = try StorageEngine.open(
                "/db", options: options, fileSystem: files, timeSource: ManualTimeSource(),
                random: SeededRandomSource(seed: 1), executor: ManualExecutor()
            ) { SegmentFiles(fileSystem: files, database: $0, cacheBytesMax: 1 << 20) }
        } catch {
            // Without CURRENT there may be nothing to read.
            if error.code != .undefinedFile { FuzzTarget.requireDamage(error) }
            return nil
        }
        let opened = rows(engine)
        do throws(FirnError) {
            try engine.close()
        } catch {
            fatalError("fuzz: a database that was opened is not closed: \(error)")
        }
        return opened
    }

    private func rows(_ engine: StorageEngine) -> Opened {
        var opened = Opened()
        do throws(FirnError) {
            let snapshot = try engine.snapshot()
            opened.names = snapshot.tables.map(\.name)
            var counts: [String: Int] = [:]
            for table in snapshot.tables {
                var count = 0
                for morsel in try snapshot.rows(of: table.id).morsels(pruning: []) {
                    let reader = try morsel.reader(of: table.columns.map(\.id), pruning: [])
                    while let batch = try reader.next() { count += batch.rowCount }
                }
                counts[table.name] = count
            }
            opened.rowCounts = counts
        } catch {
            FuzzTarget.requireDamage(error)
        }
        return opened
    }
}
