// SPDX-License-Identifier: Apache-2.0
//
// Opening a database: from what lies on disk to an engine that takes its first write.
//
//   1. take the lock
//   2. CURRENT names the manifest; read it, and prove its end by CURRENT and the log's headers
//   3. replay the log from the manifest's LSN on (WALReader decides where it ends)
//   4. write what was replayed into segments; sync the files and their folder
//   5. begin the log of a new epoch: its first file, synced
//   6. write a fresh manifest, synced; move CURRENT to it
//   7. remove what the old manifest and log left: their files, retired and unfinished data files; what nobody knows
//      goes to quarantine/
//
// Nothing that was read is appended to, so bytes that only the kernel's cache held are on disk again, in new files,
// before anyone relies on them. Until CURRENT moves, nothing that an earlier opening made is changed: a crash on the
// way repeats the recovery. Opening for reading alone does 1 to 3, keeps the rows in memory, and writes nothing.

import FirnIO
import SystemPackage

extension StorageEngine {
    /// Opens the database in a folder, or creates one there.
    ///
    /// - Parameters:
    ///   - path: the folder; missing parents are created too.
    ///   - executor: runs what nobody waits for.
    ///   - keyExecutor: looks up the keys of asynchronous appends; nil leaves that to `executor`.
    ///   - segmentAccess: writes and reads segments; made once the database's id is known.
    static func open(
        _ path: FilePath, options: StorageOptions = StorageOptions(), fileSystem: any FileSystem,
        timeSource: any TimeSource, random: any RandomSource, executor: any WorkExecutor,
        keyExecutor: (any WorkExecutor)? = nil, segmentAccess: (DatabaseID) -> any SegmentAccess
    ) throws(FirnError) -> StorageEngine {
        var recovery = Recovery(
            folder: DatabaseFolder(root: path), options: options, fileSystem: fileSystem, timeSource: timeSource)
        let found = try recovery.find(random: random)
        let access = segmentAccess(found.database)
        let lock: (any FileLock)?
        let contents: RecoveredContents
        var log: WriteAheadLog?
        lock = recovery.lock
        do {
            switch (options.access, options.keepsLog) {
            case (.readOnly, _): contents = try recovery.replayIntoMemory(found)
            case (.readWrite, false): contents = RecoveredContents()
            case (.readWrite, true): (contents, log) = try recovery.recover(found, access)
            }
        } catch {
            try recovery.giveUp(after: error)
        }
        let engine = StorageEngine(
            options: options, folder: recovery.folder, databaseID: found.database, notices: recovery.notices,
            fileSystem: fileSystem, timeSource: timeSource, executor: executor,
            keyExecutor: keyExecutor ?? executor, segmentAccess: access, log: log, lock: lock, contents: contents)
        if options.startsThreads, options.access == .readWrite { try engine.startLogThread() }
        return engine
    }
}

/// One opening in progress.
struct Recovery {
    let folder: DatabaseFolder
    let options: StorageOptions
    let fileSystem: any FileSystem
    let timeSource: any TimeSource
    private(set) var lock: (any FileLock)?
    private(set) var notices: [String] = []

    init(
        folder: DatabaseFolder, options: StorageOptions, fileSystem: any FileSystem, timeSource: any TimeSource
    ) {
        self.folder = folder
        self.options = options
        self.fileSystem = fileSystem
        self.timeSource = timeSource
    }

    /// What the folder holds before replay.
    struct Found {
        var database: DatabaseID
        var manifest: ManifestState
        /// The format version of the manifest.
        var version: FormatVersion
        /// Number of the live manifest; 0 where there is none yet.
        var manifestNumber: UInt64
    }

    /// Gives the lock back and throws the error that ended the opening.
    func giveUp(after error: FirnError) throws(FirnError) -> Never {
        do throws(IOError) {
            try lock?.release()
        } catch {
            throw FirnError(error)
        }
        throw error
    }

    // MARK: Finding

    /// Takes the lock, creates the folder where it may, and reads CURRENT and the manifest.
    mutating func find(random: any RandomSource) throws(FirnError) -> Found {
        var bytes: UInt128 = 0
        withUnsafeMutableBytes(of: &bytes) { random.fill($0) }
        let newID = DatabaseID(bytes)
        if !options.keepsLog {
            try makeFolders()
            return Found(
                database: newID, manifest: ManifestState(), version: .current, manifestNumber: 0)
        }
        let status = try io { () throws(IOError) in try fileSystem.status(folder.root) }
        if let status, status.kind != .directory {
            throw FirnError(
                .undefinedFile, "\"\(folder.root.string)\" is a file, not a database",
                hint: "a database is a folder; give the path of one, or of one to be made")
        }
        if status == nil {
            guard options.access == .readWrite, options.createIfMissing else { throw missingDatabase }
            try io { () throws(IOError) in try fileSystem.createDirectories(folder.root) }
        }
        try refuseOtherFolder(try folder.contents(fileSystem))
        lock = try LockFile.acquire(folder, options.access, fileSystem, timeSource)
        do throws(FirnError) {
            // What was seen before the lock may have been another process in the middle of its work.
            let contents = try folder.contents(fileSystem)
            switch contents {
            case .database: return try readManifest()
            case .lostCurrent: throw folder.lostCurrentError
            case .nothing, .foreign, .unfinishedCreation:
                guard options.access == .readWrite, options.createIfMissing else {
                    throw contents == .unfinishedCreation ? folder.unfinishedCreationError : missingDatabase
                }
                try makeFolders()
                try removeEmptyLogs()
                return Found(
                    database: newID, manifest: ManifestState(), version: .current, manifestNumber: 0)
            }
        } catch {
            try giveUp(after: error)
        }
    }

    private var missingDatabase: FirnError {
        FirnError(
            .undefinedFile, "database \"\(folder.root.string)\" does not exist",
            hint: "check the path; a database is created when it is opened for writing")
    }

    /// A folder with something in it, and nothing of ours, belongs to somebody else.
    private func refuseOtherFolder(_ contents: DatabaseFolder.Contents) throws(FirnError) {
        switch contents {
        case .database, .lostCurrent, .unfinishedCreation: return
        case .nothing:
            guard options.access == .readWrite, options.createIfMissing else { throw missingDatabase }
        case .foreign:
            guard options.access == .readWrite, options.createIfMissing else { throw missingDatabase }
            throw FirnError(
                .duplicateFile, "folder \"\(folder.root.string)\" is not empty and holds no database",
                hint: "choose a new or an empty folder")
        }
    }

    /// Removes the logs of a creation that was cut short. They are of a database that was never made, and hold nothing.
    private func removeEmptyLogs() throws(FirnError) {
        for number in try WALReader.fileNumbers(folder, fileSystem) {
            try io { () throws(IOError) in try fileSystem.remove(folder.log(number)) }
        }
    }

    private func makeFolders() throws(FirnError) {
        try io { () throws(IOError) in
            try fileSystem.createDirectories(folder.logFolder)
            try fileSystem.createDirectories(folder.dataFolder)
        }
    }

    func readManifest() throws(FirnError) -> Found {
        let current: CurrentFile
        let currentBytes = try readAll(folder.current)
        do throws(FormatError) {
            current = try CurrentFile.decode(currentBytes)
        } catch {
            throw FirnError(error, in: folder.current)
        }
        var proofs = [current.manifest]
        for number in try WALReader.fileNumbers(folder, fileSystem) {
            let found = try WALReader.header(folder, number, fileSystem)
            if let header = try WALReader.readable(found, folder.log(number)), header.database == current.database {
                proofs.append(header.manifest)
            }
        }
        let path = folder.manifest(current.manifest.number)
        guard try exists(path) else {
            throw FirnError(
                .dataCorrupted, "\(path.string) is missing, although CURRENT names it",
                hint: "restore it from a copy of the database")
        }
        let bytes = try readAll(path)
        let found: Found
        do throws(FormatError) {
            let content = try ManifestContent.read(
                bytes, number: current.manifest.number, database: current.database, proofs: proofs)
            found = Found(
                database: current.database, manifest: content.state, version: content.header.version,
                manifestNumber: current.manifest.number)
        } catch {
            throw FirnError(error, in: path)
        }
        try NewerFiles(
            folder: folder, database: found.database, manifestNumber: found.manifestNumber, manifest: found.manifest,
            fileSystem: fileSystem
        ).refuse()
        return found
    }

    // MARK: Replaying

    /// Replays the log over the manifest, rows into memory, and changes nothing on disk.
    mutating func replayIntoMemory(_ found: Found) throws(FirnError) -> RecoveredContents {
        var replay = Replay(found.manifest)
        var reader = try WALReader(
            folder: folder, database: found.database, manifest: found.manifest, version: found.version,
            fileSystem: fileSystem)
        let end = try reader.read { (frame) throws(FirnError) in try replay.apply(frame, in: folder) }
        note(end)
        for number in reader.foreignFiles {
            notices.append("\(folder.log(number).string) belongs to another database; it was not read")
        }
        try checkDataFiles(replay.state)
        var contents = RecoveredContents(manifest: replay.state)
        for (table, runs) in replay.rows {
            for run in runs where !run.isEmpty {
                let memtable = Memtable()
                for (lsn, batch) in run { memtable.append(batch, lsn: lsn) }
                contents.memtables[table, default: []].append(memtable)
                contents.memoryBytes += memtable.byteCount
            }
        }
        contents.nextLSN = end.nextLSN
        return contents
    }

    /// Replays the log, brings everything into new files, and begins a new epoch.
    mutating func recover(
        _ found: Found, _ access: any SegmentAccess
    ) throws(FirnError) -> (RecoveredContents, WriteAheadLog) {
        var replay = Replay(found.manifest)
        var reader = try WALReader(
            folder: folder, database: found.database, manifest: found.manifest, version: found.version,
            fileSystem: fileSystem)
        try makeFolders()
        let strays = try retireUnfinished(&replay)
        let limit = options.memtableBytesMax
        let end = try reader.read { (frame) throws(FirnError) in
            try replay.apply(frame, in: folder)
            if replay.byteCount >= limit { try write(&replay, access) }
        }
        note(end)
        try checkDataFiles(replay.state)
        // Files that a commit in the log names are no strays.
        let unused = Mutant.isPlanted(.removeFilesOfLog) ? strays : strays.subtracting(replay.state.files)
        // First what is surely over, so that a disk that is full has room for the rest.
        for file in unused.sorted()
        where try !holdsCommits(file, after: end.nextLSN) || Mutant.isPlanted(.removeLostCommits) {
            try removeFile(folder.data(file))
            try replay.apply([.retireFile(file)])
        }
        try write(&replay, access)

        // LSNs that were given out and lost are not used again, whoever saw them.
        let wasClosed =
            found.manifest.closedLSN != nil || found.manifestNumber == 0 || Mutant.isPlanted(.reuseLSN)
        let skipped = wasClosed ? 0 : StorageEngine.unsyncedCommitsMax
        let last = LSN(end.nextLSN.rawValue - 1)
        let epoch = LogEpoch(
            number: found.manifest.epoch.number + (Mutant.isPlanted(.keepEpoch) ? 0 : 1),
            firstLSN: LSN(end.nextLSN.rawValue + skipped),
            firstLogFile: found.manifestNumber == 0 && end.fileNumbers.isEmpty
                ? 1 : end.lastFileNumber + (Mutant.isPlanted(.reuseReplayedLog) ? 0 : 1))
        try replay.apply([.flushed(LSN(epoch.firstLSN.rawValue - 1)), .unfinishedFiles([]), .epoch(epoch)])
        if !Mutant.isPlanted(.keepRecordOfEnd) { replay.state.closedLSN = nil }
        try removeStaleManifests(keeping: found.manifestNumber)

        let number = found.manifestNumber + 1
        let log = try WriteAheadLog(
            epoch: epoch, folder: folder, database: found.database,
            manifest: ManifestProof(number: number, byteCount: 0, checksum: 0), fileBytesMax: options.logFileBytes,
            fileSystem: fileSystem)
        let writer = try ManifestWriter(
            at: folder.manifest(number), number: number, database: found.database, records: replay.state.records,
            lsn: last, fileSystem: fileSystem)
        try io { () throws(IOError) in
            if !Mutant.isPlanted(.skipSyncOfManifestFolder) { try fileSystem.syncDirectory(folder.root) }
            try folder.writeCurrent(CurrentFile(database: found.database, manifest: writer.proof), on: fileSystem)
        }
        try log.release(through: last, manifest: writer.proof)
        access.begin(epoch: epoch.number)
        try cleanUp(replay.state, liveManifest: number, oldLogFiles: end.fileNumbers)
        return (
            RecoveredContents(manifest: replay.state, manifestWriter: writer, nextLSN: epoch.firstLSN), log
        )
    }

    /// Data files that were being written when the database was left, which nothing can refer to but the log; new ids
    /// begin behind them.
    private func retireUnfinished(_ replay: inout Replay) throws(FirnError) -> Set<FileID> {
        let proven = replay.state.nextFile
        var strays: Set<FileID> = []
        for name in try entryNames(in: folder.dataFolder) {
            guard let file = DatabaseFolder.dataFile(name) else { continue }
            // A number that no engine could have come to in one go is somebody else's.
            guard file.rawValue < proven.rawValue + Self.unfinishedFilesMax else { continue }
            if file >= proven || replay.state.unfinishedFiles.contains(file) {
                strays.insert(file)
                replay.state.nextFile = max(replay.state.nextFile, file.next)
            }
        }
        return strays
    }

    /// Data files that may be begun between two edits of the manifest.
    private static let unfinishedFilesMax: UInt64 = 1 << 32

    private mutating func note(_ end: WALEnd) {
        if let dropped = end.dropped, !Mutant.isPlanted(.hideDroppedCommits) { notices.append(dropped.description) }
    }

    /// Writes replayed rows into a data file and adds its segments to the state.
    private func write(_ replay: inout Replay, _ access: any SegmentAccess) throws(FirnError) {
        let inputs = replay.takeInputs()
        guard !inputs.isEmpty else { return }
        let file = replay.state.nextFile
        replay.state.nextFile = file.next
        var directories: [TableID: (TableSchema, ChunkDirectory)] = [:]
        for input in inputs {
            let chunks = replay.state.tables[input.schema.id]?.chunks ?? [:]
            directories[input.schema.id] = (input.schema, ChunkDirectory(chunks.values))
        }
        var nextChunk = replay.state.nextChunk
        let output = try access.write(inputs, to: folder.data(file), file: file) { (table, time) throws(FirnError) in
            let (schema, directory) = directories[table]!
            return directory.locate(time, interval: schema.chunking?.interval) {
                defer { nextChunk = nextChunk.next }
                return nextChunk
            }
        }
        if !Mutant.isPlanted(.serveRecoveredFromCache) {
            try io { () throws(IOError) in try fileSystem.syncDirectory(folder.dataFolder) }
        }
        replay.state.nextChunk = nextChunk
        for table in output.tables {
            if let picked = table.pickedSortKey, var schema = replay.state.tables[table.table]?.schema,
                schema.sortKey == nil
            {
                schema.sortKey = picked
                try replay.apply([.catalog(.putTable(schema))])
            }
            let chunks = directories[table.table]!.1.all
            for segment in table.segments {
                let known = replay.state.tables[table.table]?.chunks[segment.chunk]
                if known == nil, let bounds = chunks.first(where: { $0.id == segment.chunk }) {
                    try replay.apply([.addChunk(table.table, bounds)])
                }
                try replay.apply([.addSegment(segment)])
            }
        }
    }

    /// Whether a data file that nothing names is whole and holds a commit that the log does not have: one that was not
    /// durable when the power went, or one of a database that had gone on, of which this is an older copy.
    private func holdsCommits(_ file: FileID, after nextLSN: LSN) throws(FirnError) -> Bool {
        do {
            let blocks = try SegmentBlocks(path: folder.data(file), fileSystem: fileSystem, file: file, database: nil)
            return try SegmentFile.tail(blocks, byteCount: try blocks.byteCount()).segments
                .contains { $0.lsnRange.upperBound >= nextLSN }
        } catch {
            // What cannot be read is not for us to remove.
            return error.code != .dataCorrupted
        }
    }

    /// A data file that is missing is damage; say so before anyone asks for its rows.
    private func checkDataFiles(_ state: ManifestState) throws(FirnError) {
        for file in state.files.sorted()
        where try kind(folder.data(file)) != .file && !Mutant.isPlanted(.overlookMissingFile) {
            let tables = state.tables.values.filter { table in table.segments.contains { $0.file == file } }
            let names = tables.map { "\"\($0.schema.name)\"" }.sorted().joined(separator: ", ")
            throw FirnError(
                .dataCorrupted, "\(folder.data(file).string) is missing or no file, with rows of \(names)",
                hint: "restore it from a copy of the database")
        }
    }

    // MARK: Tidying up

    /// Removes manifests newer than the live one: an opening that did not come to moving CURRENT wrote them.
    private func removeStaleManifests(keeping live: UInt64) throws(FirnError) {
        for name in try entryNames(in: folder.root) {
            guard let number = DatabaseFolder.manifestNumber(name), number > live else { continue }
            if try kind(folder.manifest(number)) != .directory { try removeFile(folder.manifest(number)) }
        }
    }

    /// Removes what is known to be over; moves what nobody knows into quarantine.
    private mutating func cleanUp(
        _ state: ManifestState, liveManifest: UInt64, oldLogFiles: [UInt64]
    ) throws(FirnError) {
        // What a name says decides, not what lies there: a file that is in use may be a link to somewhere else. Only
        // folders are never ours to remove.
        for entry in try list(folder.root) {
            if ["LOCK", "CURRENT", "wal", "data", "quarantine"].contains(entry.name) { continue }
            switch DatabaseFolder.manifestNumber(entry.name) {
            case liveManifest?: continue
            case let number? where number < liveManifest && entry.kind != .directory:
                try removeFile(folder.manifest(number))
            default: try quarantine(folder.root.appending(entry.component), entry.name)
            }
        }
        for entry in try list(folder.logFolder) {
            switch DatabaseFolder.logNumber(entry.name) {
            case state.epoch.firstLogFile?: continue
            case let number? where oldLogFiles.contains(number) && entry.kind != .directory:
                try removeFile(folder.log(number))
            default: try quarantine(folder.logFolder.appending(entry.component), "wal-\(entry.name)")
            }
        }
        for entry in try list(folder.dataFolder) {
            let file = DatabaseFolder.dataFile(entry.name)
            if let file, state.files.contains(file) { continue }
            if let file, state.retiredFiles.contains(file), entry.kind != .directory {
                try removeFile(folder.data(file))
            } else {
                try quarantine(folder.dataFolder.appending(entry.component), "data-\(entry.name)")
            }
        }
    }

    private mutating func quarantine(_ path: FilePath, _ name: String) throws(FirnError) {
        if Mutant.isPlanted(.removeUnknownFile) { return try removeFile(path) }
        try io { () throws(IOError) in
            try fileSystem.createDirectories(folder.quarantine)
            var destination = folder.quarantine.appending(name)
            var copy = 1
            while try fileSystem.status(destination) != nil {
                copy += 1
                destination = folder.quarantine.appending("\(name).\(copy)")
            }
            try fileSystem.rename(path, to: destination)
            try fileSystem.syncDirectory(folder.quarantine)
        }
        notices.append("\(path.string) belongs to nothing in the database; it was moved to \(folder.quarantine.string)")
    }

    // MARK: Files

    private func io<Result>(_ body: () throws(IOError) -> Result) throws(FirnError) -> Result {
        try FirnError.mapping(body)
    }

    private func exists(_ path: FilePath) throws(FirnError) -> Bool { try kind(path) != nil }

    private func kind(_ path: FilePath) throws(FirnError) -> FileKind? {
        try io { () throws(IOError) in try fileSystem.status(path)?.kind }
    }

    private func list(_ path: FilePath) throws(FirnError) -> [DirectoryEntry] {
        try io { () throws(IOError) in try fileSystem.list(path) }
    }

    private func removeFile(_ path: FilePath) throws(FirnError) {
        try io { () throws(IOError) in try fileSystem.remove(path) }
    }

    private func entryNames(in path: FilePath) throws(FirnError) -> [String] { try list(path).map(\.name) }

    private func readAll(_ path: FilePath) throws(FirnError) -> [UInt8] {
        try io { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        }
    }
}
