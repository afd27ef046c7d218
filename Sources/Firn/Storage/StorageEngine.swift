// SPDX-License-Identifier: Apache-2.0
//
// The storage engine: tables whose commits have one order, survive what they promise, and are read at a snapshot.
//
// A commit takes its LSN under one short lock (`core`), its rows enter a memtable, its frame the queue of the log. One
// thread at a time leads: it writes what is queued, syncs it once, and makes commits visible in LSN order
// (StorageEngine+Commit.swift). Memtables that are full become segments in the background, named by one manifest edit
// (StorageEngine+Flush.swift). What is on disk is read back by Recovery.swift.
//
// Locks, outermost first: `rewrites`, a table's key index, `flusher` (held across a flush's I/O), `failing`, the log's own,
// `core` (never held across I/O). All calls block except `appendAsynchronously` and `snapshot`.
//
// Who waits for whom: appends wait for room, which flushes make (StorageEngine+Room.swift); nothing that runs on
// `executor` or `keyExecutor` waits for room. Closing waits for all that writes, and gives the lock up last.

import FirnIO
import Synchronization
import SystemPackage

final class StorageEngine: TableStore, Sendable {
    let options: StorageOptions
    let folder: DatabaseFolder
    /// Names the database for ever.
    let databaseID: DatabaseID
    /// What recovery dropped or moved away, in words for a person; empty after a close in order.
    let notices: [String]

    let fileSystem: any FileSystem
    let timeSource: any TimeSource
    /// Runs what nobody waits for: flushes, removals, the next file of the log.
    let executor: any WorkExecutor
    /// Checks the keys of asynchronous appends, which read files: not behind a flush, nor on a thread that must not wait.
    let keyExecutor: any WorkExecutor
    let segmentAccess: any SegmentAccess
    let identifiers: IdentifierAllocator
    /// Nil for a database that keeps no log, and for one that was opened for reading alone.
    let log: WriteAheadLog?
    let core: Mutex<Core>
    let flusher: Mutex<Flusher>
    let dataFiles: DataFileRegistry
    let doorbell = ConditionLock(Doorbell())
    let logThread = Mutex<DedicatedThread?>(nil)
    /// Held while a failure of the log is dealt with, up to the last commit that is told of it.
    let failing = Mutex(())
    /// Held while a schema is read, changed and committed.
    let alterations = Mutex(())
    /// Taken while a chunk is written anew: one at a time.
    let rewrites = PatientLock()
    private let lock: Mutex<(any FileLock)?>
    /// Rung when work that closing waits for may have ended.
    private let quiet = ConditionLock(())
    /// True once the database is given up.
    private let isGivenUp = ConditionLock(false)

    /// Assembles an engine from what recovery found.
    init(
        options: StorageOptions, folder: DatabaseFolder, databaseID: DatabaseID, notices: [String],
        fileSystem: any FileSystem, timeSource: any TimeSource, executor: any WorkExecutor,
        keyExecutor: any WorkExecutor, segmentAccess: any SegmentAccess, log: WriteAheadLog?, lock: (any FileLock)?,
        contents: RecoveredContents
    ) {
        self.options = options
        self.folder = folder
        self.databaseID = databaseID
        self.notices = notices
        self.fileSystem = fileSystem
        self.timeSource = timeSource
        self.executor = executor
        self.keyExecutor = keyExecutor
        self.segmentAccess = segmentAccess
        self.log = log
        self.lock = Mutex(lock)
        identifiers = IdentifierAllocator(
            nextTable: contents.manifest.nextTable, nextChunk: contents.manifest.nextChunk,
            nextFile: contents.manifest.nextFile)
        let dataFiles = DataFileRegistry(
            folder: folder, fileSystem: fileSystem, executor: executor, segmentAccess: segmentAccess)
        self.dataFiles = dataFiles
        var core = Core(nextLSN: contents.nextLSN, memoryBytes: contents.memoryBytes)
        core.observer = options.observer
        for (id, table) in contents.manifest.tables {
            let writer = TableWriter(
                schema: table.schema, active: Memtable(), sealed: contents.memtables[id] ?? [],
                directory: ChunkDirectory(table.chunks.values))
            core.writers[id] = writer
            core.names[table.schema.name] = id
            core.published.put(table.schema, memtables: writer.memtables, directory: writer.directory)
            for descriptor in table.segments {
                core.published.tables[id]!.add(StoredSegment(descriptor, in: dataFiles.file(descriptor.file)))
            }
        }
        self.core = Mutex(core)
        flusher = Mutex(Flusher(manifest: contents.manifestWriter, state: contents.manifest))
    }

    deinit {
        stopLogThread()
        // The lock goes now, with the last reference to it.
        dataFiles.stop()
    }

    // MARK: Reading

    /// What readers see now. O(1).
    func snapshot() throws(FirnError) -> any DatabaseSnapshot {
        let (lsn, state, isClosed) = core.withLock { ($0.visibleLSN, $0.published, $0.phase == .closed) }
        guard !isClosed else { throw Self.closedError }
        return EngineSnapshot(lsn: lsn, state: state, access: segmentAccess, identifiers: identifiers)
    }

    /// The last commit that readers see.
    var visibleLSN: LSN { core.withLock { $0.visibleLSN } }
    /// The last commit that is known to survive a crash.
    var durableLSN: LSN { core.withLock { $0.durableLSN } }

    /// True when the log failed and nothing can be committed until it is begun anew.
    var hasFailed: Bool { core.withLock { $0.failure != nil } }

    /// Bytes of rows that are in no segment yet.
    var memoryByteCount: Int { core.withLock { $0.heldBytes } }

    // MARK: Closing

    /// Makes everything durable, writes all rows to segments, records the end, and gives the database up.
    ///
    /// After it every call throws 57P01. The lock goes last, when nothing of this opening writes any more: whoever opens
    /// the database next is alone with it. When a step fails the database is given up all the same, its log kept, and the
    /// error thrown; the next opening recovers. A second call waits for the first to end, and does nothing else.
    func close() throws(FirnError) {
        let waiting: [RoomWaiter]? = core.withLock { core in
            guard core.phase == .open else { return nil }
            core.phase = .closing
            defer { core.room = [] }
            return core.room
        }
        guard let waiting else { return isGivenUp.wait(until: { $0 }, then: { _ in }) }
        defer {
            isGivenUp.withLock { $0 = true }
            isGivenUp.broadcast()
        }
        for waiter in waiting { waiter.resume(.failure(Self.closedError)) }
        // Rewrites and loads give up when they see the phase; nothing is written after the end.
        rewrites.withLock {}
        waitUntil { $0.activityCount == 0 }
        var failure: FirnError?
        do {
            if options.access == .readWrite, options.keepsLog {
                try sync()
                try flush(.untilClosed)
                removeUnfinishedFiles()
            }
        } catch {
            failure = error
        }
        stopLogThread()
        core.withLock { $0.phase = .closed }
        waitUntil { !$0.isLeading }
        do {
            try flusher.withLock { (flusher) throws(FirnError) in try flusher.manifest?.close() }
        } catch {
            if failure == nil { failure = error }
        }
        dataFiles.stop()
        do {
            try releaseLock()
        } catch {
            if failure == nil { failure = FirnError(error) }
        }
        if let failure { throw failure }
    }

    /// Gives the database up as a killed process does: nothing more is written. For simulations.
    func abandon() throws(FirnError) {
        stopLogThread()
        core.withLock { $0.phase = .closed }
        dataFiles.stop()
        try FirnError.mapping { () throws(IOError) in try releaseLock() }
        isGivenUp.withLock { $0 = true }
        isGivenUp.broadcast()
    }

    private func releaseLock() throws(IOError) {
        try lock.withLock { (lock) throws(IOError) in
            try lock?.release()
            lock = nil
        }
    }

    /// Files of loads that have not ended and will not: every load that was committed is in the manifest by now.
    private func removeUnfinishedFiles() {
        let doubtful = flusher.withLock { $0.doubtfulFiles }
        let files = core.withLock { $0.unfinishedFiles }.subtracting(doubtful)
        for file in files.sorted() { abandonFile(file) }
    }

    // MARK: Activities

    /// Announces work that writes files, so that closing waits for its end; false where the database is being closed.
    func beginActivity() -> Bool {
        core.withLock { core in
            guard core.phase == .open else { return false }
            core.activityCount += 1
            return true
        }
    }

    func endActivity() {
        core.withLock { $0.activityCount -= 1 }
        noteQuiet()
    }

    /// Wakes the closing thread, to look again whether others are done.
    func noteQuiet() {
        guard core.withLock({ $0.phase != .open }) else { return }
        // Taking the lock closes the gap between its look and its sleep.
        quiet.withLock { _ in }
        quiet.broadcast()
    }

    private func waitUntil(_ isQuiet: (Core) -> Bool) {
        quiet.wait(until: { _ in core.withLock { isQuiet($0) } }, then: { _ in })
    }

    static let closedError = FirnError(.databaseClosed, "the database is closed")

    /// Throws where nothing may be changed.
    func checkWritable() throws(FirnError) {
        guard options.access == .readWrite else {
            throw FirnError(
                .readOnlyTransaction, "the database is open for reading alone",
                hint: "open it without --read-only to change it")
        }
    }
}

/// What an engine starts from.
struct RecoveredContents {
    var manifest = ManifestState()
    /// Nil for a database without a log, and for one that is read alone.
    var manifestWriter: ManifestWriter?
    /// Rows that only the log holds, where nothing may be written: in commit order, cut where bulk commits lie between.
    var memtables: [TableID: [Memtable]] = [:]
    var memoryBytes = 0
    var nextLSN = LSN(1)
}

/// Gives out identifiers, each once.
final class IdentifierAllocator: Sendable {
    private let tables: Atomic<UInt64>
    private let chunks: Atomic<UInt64>
    private let files: Atomic<UInt64>

    init(nextTable: TableID, nextChunk: ChunkID, nextFile: FileID) {
        tables = Atomic(nextTable.rawValue)
        chunks = Atomic(nextChunk.rawValue)
        files = Atomic(nextFile.rawValue)
    }

    func newTable() -> TableID { TableID(tables.wrappingAdd(1, ordering: .relaxed).oldValue) }
    func newChunk() -> ChunkID { ChunkID(chunks.wrappingAdd(1, ordering: .relaxed).oldValue) }
    func newFile() -> FileID { FileID(files.wrappingAdd(1, ordering: .relaxed).oldValue) }

    /// The smallest identifiers that were not given out, as the manifest records them.
    var record: ManifestRecord {
        .identifiers(
            nextTable: TableID(tables.load(ordering: .relaxed)), nextChunk: ChunkID(chunks.load(ordering: .relaxed)),
            nextFile: FileID(files.load(ordering: .relaxed)))
    }
}

/// The data files that are in use, so that all segments of a file share one object; removes those that are not.
final class DataFileRegistry: Sendable {
    private struct Reference: @unchecked Sendable {
        // Sendable: DataFile is, and the reference is only touched under the registry's lock.
        weak var file: DataFile?
    }
    private struct State {
        var files: [FileID: Reference] = [:]
        /// Removed from the disk since somebody asked.
        var removed: Set<FileID> = []
        var failure: FirnError?
    }

    private let folder: DatabaseFolder
    private let fileSystem: any FileSystem
    private let executor: any WorkExecutor
    private let segmentAccess: any SegmentAccess
    private let state = Mutex(State())
    /// True once the database is given up; held while a file is removed.
    private let isStopped = Mutex(false)

    init(
        folder: DatabaseFolder, fileSystem: any FileSystem, executor: any WorkExecutor,
        segmentAccess: any SegmentAccess
    ) {
        self.folder = folder
        self.fileSystem = fileSystem
        self.executor = executor
        self.segmentAccess = segmentAccess
    }

    /// The object of a file that is on disk.
    func file(_ id: FileID) -> DataFile {
        state.withLock { state in
            if let file = state.files[id]?.file { return file }
            let file = DataFile(id, path: folder.data(id)) { [weak self] id in
                // The last reader may be on any thread, and the lock of this registry may be held: work for later.
                guard let self else { return }
                self.executor.submit("remove data file") { self.remove(id) }
            }
            state.files[id] = Reference(file: file)
            return file
        }
    }

    /// Removes a file that nothing durable refers to any more, now or with its last reader.
    func retire(_ id: FileID) {
        let file = state.withLock { $0.files[id]?.file }
        if let file, !Mutant.isPlanted(.forgetReaders) { file.markObsolete() } else { remove(id) }
    }

    /// Files that were removed since the last call.
    func takeRemoved() -> Set<FileID> {
        state.withLock { state in
            defer { state.removed = [] }
            return state.removed
        }
    }

    /// Why a file could not be removed, the first time it happened; the next opening tries again.
    var failure: FirnError? { state.withLock { $0.failure } }

    /// Removes nothing from now on: the next opening may have given a number to a file of its own. What is left undone
    /// it finds, and does.
    func stop() { isStopped.withLock { $0 = true } }

    private func remove(_ id: FileID) {
        segmentAccess.forget(id)
        do {
            let isRemoved = try isStopped.withLock { (isStopped) throws(IOError) in
                guard !isStopped else { return false }
                if try fileSystem.status(folder.data(id)) != nil { try fileSystem.remove(folder.data(id)) }
                return true
            }
            guard isRemoved else { return }
            state.withLock { state in
                state.files[id] = nil
                state.removed.insert(id)
            }
        } catch {
            let failure = FirnError(error)
            state.withLock { if $0.failure == nil { $0.failure = failure } }
        }
    }
}
