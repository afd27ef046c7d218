// SPDX-License-Identifier: Apache-2.0
//
// Everything that must be true of a database, checked without changing a byte: what `firn check` asks.
//
//   1. CURRENT is whole, and names a manifest that reaches as far as CURRENT and the log's headers vouch for
//   2. the manifest's edits are whole and do not contradict each other
//   3. the log holds every commit that was durable, and every frame can be applied
//   4. chunks of a table do not overlap, and every segment lies within its chunk
//   5. every data file that is referred to is there, is the one meant, and passes SegmentFile.verify
//
// One damage does not hide another where it need not: without a manifest the data files are checked by themselves.
// Files that belong to nothing are no damage; they are noted.

import FirnIO
import SystemPackage

/// What a check of a database found.
public struct CheckReport: Sendable {
    /// A place that is not as it must be.
    public struct Damage: Sendable, Hashable, CustomStringConvertible {
        /// The file, relative to the database's folder.
        public var file: String
        /// Where the damaged part begins; nil where the file as a whole is meant.
        public var byteOffset: Int64?
        /// What the part holds, such as `row group 3, column "value"`.
        public var covers: String
        /// What is wrong with it.
        public var message: String

        /// One line with all of it.
        public var description: String {
            // Errors of segments and of the log name their place themselves, down to the page.
            if message.contains(file) { return message }
            let place = byteOffset.map { " at byte \($0)" } ?? ""
            return "\(file)\(place) (\(covers)): \(message)"
        }
    }

    /// The damaged places, in the order of the files; empty for a sound database.
    public internal(set) var damages: [Damage] = []
    /// What a person may want to know and is no damage, a line each.
    public internal(set) var notices: [String] = []
    /// Files that were read.
    public internal(set) var fileCount = 0
    /// Bytes of those files.
    public internal(set) var byteCount: Int64 = 0
}

/// A check in progress.
struct DatabaseCheck {
    private let folder: DatabaseFolder
    private let fileSystem: any FileSystem
    private var report = CheckReport()

    private init(_ folder: DatabaseFolder, _ fileSystem: any FileSystem) {
        self.folder = folder
        self.fileSystem = fileSystem
    }

    /// Checks the database in a folder, beside other readers.
    ///
    /// - Throws: 58P01 where there is no database, 55P03 where a process has it open for writing, and what keeps files
    ///   from being read. Damage is in the report.
    static func run(
        _ path: FilePath, fileSystem: any FileSystem, timeSource: any TimeSource = SystemTimeSource()
    ) throws(FirnError) -> CheckReport {
        let folder = DatabaseFolder(root: path)
        var check = DatabaseCheck(folder, fileSystem)
        let kind = try check.status(path)?.kind
        guard kind == .directory else {
            let what = kind == nil ? "database \"\(path.string)\" does not exist" : "\"\(path.string)\" is no folder"
            throw FirnError(.undefinedFile, what, hint: "give the folder of a database")
        }
        try check.refuseOtherFolder()
        let lock = try LockFile.acquire(folder, .readOnly, fileSystem, timeSource)
        let outcome = Result { () throws(FirnError) in
            try check.run()
            return check.report
        }
        try FirnError.mapping { () throws(IOError) in try lock?.release() }
        return try outcome.get()
    }

    private func refuseOtherFolder() throws(FirnError) {
        switch try folder.contents(fileSystem) {
        case .nothing, .foreign:
            throw FirnError(
                .undefinedFile, "folder \"\(folder.root.string)\" holds no database",
                hint: "give the folder of a database")
        case .unfinishedCreation, .lostCurrent, .database: return
        }
    }

    private mutating func run() throws(FirnError) {
        if try folder.contents(fileSystem) == .unfinishedCreation {
            report.notices.append(
                "the creation of the database was cut short; nothing was committed, and the next opening for writing "
                    + "begins it anew")
            return
        }
        let current = try readCurrent()
        let proofs = try readLogHeaders(of: current)
        var state: ManifestState?
        if let current, let manifest = try readManifest(current, proofs: [current.manifest] + proofs) {
            try checkNewerFiles(current, manifest.state)
            state = try replayLog(over: manifest, of: current)
        }
        if let state { checkChunks(state) }
        try checkDataFiles(state, of: current?.database)
        try noteOtherFiles(current)
    }

    /// What an opening refuses because CURRENT is an old one.
    private mutating func checkNewerFiles(_ current: CurrentFile, _ state: ManifestState) throws(FirnError) {
        let files = NewerFiles(
            folder: folder, database: current.database, manifestNumber: current.manifest.number, manifest: state,
            fileSystem: fileSystem)
        do {
            try files.refuse()
        } catch {
            guard Self.isDamage(error) else { throw error }
            add("CURRENT", nil, "the name of the live manifest", error.message)
        }
    }

    // MARK: CURRENT and the manifest

    private mutating func readCurrent() throws(FirnError) -> CurrentFile? {
        let covers = "the name of the live manifest"
        guard let bytes = try readWhole(folder.current, "CURRENT", covers) else { return nil }
        do throws(FormatError) {
            return try CurrentFile.decode(bytes)
        } catch {
            add("CURRENT", Int64(error.byteOffset), covers, error.message)
            return nil
        }
    }

    private mutating func readManifest(
        _ current: CurrentFile, proofs: [ManifestProof]
    ) throws(FirnError) -> ManifestContent? {
        let number = current.manifest.number
        let name = "manifest-\(number)"
        let covers = "tables, chunks and segments"
        guard let bytes = try readWhole(folder.manifest(number), name, covers) else { return nil }
        do throws(FormatError) {
            let content = try ManifestContent.read(bytes, number: number, database: current.database, proofs: proofs)
            if content.tornByteCount > 0 {
                report.notices.append(
                    "\(name) ends in an edit that never became durable; the next opening drops it")
            }
            return content
        } catch {
            add(name, Int64(error.byteOffset), covers, error.message)
            return nil
        }
    }

    // MARK: The log

    /// How far the headers of log files vouch for the manifest.
    private mutating func readLogHeaders(of current: CurrentFile?) throws(FirnError) -> [ManifestProof] {
        var proofs: [ManifestProof] = []
        for number in try WALReader.fileNumbers(folder, fileSystem) {
            report.fileCount += 1
            report.byteCount += try status(folder.log(number))?.byteCount ?? 0
            let header = try WALReader.anyHeader(folder, number, fileSystem)
            // A log of another database may have any number.
            if let current, case .success(let header)? = header, header.database != current.database {
                report.notices.append(
                    "wal/\(number).wal belongs to database \(header.database); the next opening moves it to quarantine")
                continue
            }
            switch header?.flatMap({ $0.ofFile(number) }) {
            case .success(let header)?: proofs.append(header.manifest)
            case .failure(let error)? where error.isUnknownVersion:
                add("wal/\(number).wal", Int64(error.byteOffset), "header of a log file", error.message)
            case .failure(let error)?:
                // A header that a crash tore is no damage: the file held nothing yet. If it did, commits are missing,
                // and reading the log says which.
                report.notices.append("the header of wal/\(number).wal is not readable: \(error.message)")
            case nil: break
            }
        }
        return proofs
    }

    private mutating func replayLog(
        over manifest: ManifestContent, of current: CurrentFile
    ) throws(FirnError) -> ManifestState? {
        var replay = Replay(manifest.state)
        do {
            var reader = try WALReader(
                folder: folder, database: current.database, manifest: manifest.state, version: manifest.header.version,
                fileSystem: fileSystem)
            let end = try reader.read { (frame) throws(FirnError) in
                try replay.apply(frame, in: folder)
                if replay.byteCount >= Self.replayedBytesMax { _ = replay.takeInputs() }
            }
            if let dropped = end.dropped { report.notices.append(dropped.description) }
            return replay.state
        } catch {
            guard Self.isDamage(error) else { throw error }
            add("wal", nil, "commits that are not in segments", error.message)
            return manifest.state
        }
    }

    /// Memory that replayed rows may take before they are let go.
    private static let replayedBytesMax = 64 << 20

    // MARK: Segments

    private mutating func checkChunks(_ state: ManifestState) {
        for table in state.tables.values.sorted(by: { $0.schema.id < $1.schema.id }) {
            let name = "chunks of table \"\(table.schema.name)\""
            let chunks = table.chunks.values.sorted { $0.start < $1.start }
            for (left, right) in zip(chunks, chunks.dropFirst()) where right.start < left.end {
                add("manifest", nil, name, "chunks \(left.id) and \(right.id) overlap")
            }
            for segment in table.segments {
                guard let times = segment.timeRange, let chunk = table.chunks[segment.chunk] else { continue }
                if !chunk.contains(times.lowerBound) || !chunk.contains(times.upperBound) {
                    add(
                        "data/\(segment.file).seg", segment.byteOffset, name,
                        "a segment reaches beyond its chunk \(chunk.id)")
                }
            }
        }
    }

    private mutating func checkDataFiles(_ state: ManifestState?, of database: DatabaseID?) throws(FirnError) {
        var segments: [FileID: [SegmentDescriptor]] = [:]
        var tables: [FileID: Set<String>] = [:]
        for table in state?.tables.values.map({ $0 }) ?? [] {
            for segment in table.segments {
                segments[segment.file, default: []].append(segment)
                tables[segment.file, default: []].insert("\"\(table.schema.name)\"")
            }
        }
        let there = try filesInDataFolder()
        for file in state == nil ? there : segments.keys.sorted() {
            let name = "data/\(file).seg"
            let covers = "rows of " + (tables[file] ?? ["unknown tables"]).sorted().joined(separator: ", ")
            guard let status = try status(folder.data(file)) else {
                add(name, nil, covers, "the file is missing")
                continue
            }
            guard status.kind == .file else {
                add(name, nil, covers, "it is no file")
                continue
            }
            report.fileCount += 1
            report.byteCount += status.byteCount
            do {
                try checkIdentity(file, name)
                let found = try SegmentFile.verify(
                    folder.data(file), fileSystem: fileSystem, database: database, segments: segments[file])
                for damage in found { add(name, damage.byteOffset, damage.covers, damage.message) }
                if found.isEmpty, let descriptors = segments[file] {
                    try checkColumns(file, descriptors, state!)
                }
            } catch {
                guard Self.isDamage(error) else { throw error }
                add(name, nil, covers, error.message)
            }
        }
    }

    /// A file that lies under another's name is whole, and yet not the one that is meant.
    private mutating func checkIdentity(_ file: FileID, _ name: String) throws(FirnError) {
        let window = try FileWindow(folder.data(file), fileSystem)
        let bytes = try window.bytes(at: 0, count: FileHeader.byteCount)
        let header = Result { () throws(FormatError) in
            try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
        }
        // A header that cannot be read is reported with the rest of the file.
        if case .success(let header) = header, header.file != file {
            add(name, 32, "file header", "the file says that it is file \(header.file)")
        }
    }

    /// Columns that a segment shares with its table have the table's types.
    private mutating func checkColumns(
        _ file: FileID, _ descriptors: [SegmentDescriptor], _ state: ManifestState
    ) throws(FirnError) {
        let blocks = try SegmentBlocks(
            path: folder.data(file), fileSystem: fileSystem, file: nil, database: nil)
        for descriptor in descriptors {
            let reader = try SegmentReader(blocks: blocks, descriptor: descriptor, cache: PageCache(bytesMax: 0))
            guard let schema = state.tables[descriptor.table]?.schema else { continue }
            for column in reader.footer.columns {
                guard let index = schema.index(of: column.id), schema.columns[index].type != column.type else {
                    continue
                }
                add(
                    "data/\(file).seg", descriptor.byteOffset, "column \"\(column.name)\"",
                    "it holds \(column.type) where table \"\(schema.name)\" has \(schema.columns[index].type)")
            }
        }
    }

    private func filesInDataFolder() throws(FirnError) -> [FileID] {
        guard try status(folder.dataFolder) != nil else { return [] }
        return try entries(in: folder.dataFolder).compactMap { DatabaseFolder.dataFile($0.name) }.sorted()
    }

    // MARK: Files that belong to nothing

    private mutating func noteOtherFiles(_ current: CurrentFile?) throws(FirnError) {
        let known: Set = ["LOCK", "CURRENT", "wal", "data", "quarantine"]
        for entry in try entries(in: folder.root) where !known.contains(entry.name) {
            if let number = DatabaseFolder.manifestNumber(entry.name), number == current?.manifest.number { continue }
            note(entry.name)
        }
        if try status(folder.logFolder) != nil {
            for entry in try entries(in: folder.logFolder) where DatabaseFolder.logNumber(entry.name) == nil {
                note("wal/\(entry.name)")
            }
        }
        if try status(folder.dataFolder) != nil {
            for entry in try entries(in: folder.dataFolder) where DatabaseFolder.dataFile(entry.name) == nil {
                note("data/\(entry.name)")
            }
        }
    }

    private mutating func note(_ name: String) {
        report.notices.append("\(name) belongs to nothing in the database; the next opening removes or quarantines it")
    }

    // MARK: Files

    /// All bytes of a file; nil, and damage noted, where it is missing.
    private mutating func readWhole(
        _ path: FilePath, _ name: String, _ covers: String
    ) throws(FirnError) -> [UInt8]? {
        guard try status(path) != nil else {
            add(name, nil, covers, "the file is missing")
            return nil
        }
        let bytes = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        }
        report.fileCount += 1
        report.byteCount += Int64(bytes.count)
        return bytes
    }

    private func status(_ path: FilePath) throws(FirnError) -> FileStatus? {
        try FirnError.mapping { () throws(IOError) in try fileSystem.status(path) }
    }

    private func entries(in path: FilePath) throws(FirnError) -> [DirectoryEntry] {
        try FirnError.mapping { () throws(IOError) in try fileSystem.list(path) }
    }

    private mutating func add(_ file: String, _ byteOffset: Int64?, _ covers: String, _ message: String) {
        report.damages.append(
            CheckReport.Damage(file: file, byteOffset: byteOffset, covers: covers, message: message))
    }

    /// Whether an error says that bytes are not as they must be, or cannot be read from the disk at all.
    private static func isDamage(_ error: FirnError) -> Bool {
        [.dataCorrupted, .unsupportedFormat, .ioError].contains(error.code)
    }
}
