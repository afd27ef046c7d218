// SPDX-License-Identifier: Apache-2.0
//
// From memtables to segments: one file, one manifest edit, and the log that held the rows is free.
//
//   1. freeze: all memtables, at one LSN, the cut; the edit will hold every change up to it
//   2. write the rows as segments into one new file; sync the file, then its folder
//   3. sync the log up to the cut (an edit never holds what the log could still lose)
//   4. append one edit to the manifest, synced
//   5. publish the segments in place of the memtables; free log files; remove files that nothing refers to
//
// A step that fails leaves the database as it was: the memtables stay, the log keeps their rows, the file goes. Only
// an edit whose outcome is unknown needs more: the next flush writes a new manifest before anything else.

import FirnIO
import SystemPackage

/// What only the flush in progress touches: the manifest and what its edits add up to.
struct Flusher: Sendable {
    /// Nil where there is no manifest on disk: a database without a log, or one that is read alone.
    var manifest: ManifestWriter?
    var state: ManifestState
    /// Bytes of the manifest when it was begun; it is begun anew when it has grown to several times this.
    var manifestStartBytes: Int64
    /// Files of edits whose outcome is unknown, to be removed once a new manifest is live.
    var doubtfulFiles: [FileID] = []
    var nextManifestNumber: UInt64
    /// First files of logs that only such a manifest names.
    var doubtfulLogFiles: [UInt64] = []
    /// The last number that was tried for an epoch of the log; none is tried twice.
    var lastEpochNumber: UInt64 = 0
    /// True when CURRENT may or may not name a manifest other than `manifest`: only a new one helps.
    var isCurrentDoubtful = false

    init(manifest: ManifestWriter?, state: ManifestState) {
        self.manifest = manifest
        self.state = state
        manifestStartBytes = manifest?.proof.byteCount ?? 0
        nextManifestNumber = (manifest?.proof.number ?? 0) + 1
    }

    /// Brings what an edit says into the state.
    mutating func apply(_ records: [ManifestRecord]) {
        do {
            try state.apply(records)
        } catch {
            preconditionFailure("an edit fits what the manifest holds: \(error)")
        }
    }
}

/// Everything that one manifest edit is to hold.
struct FlushCut: Sendable {
    struct Table: Sendable {
        var schema: TableSchema
        var memtables: [Memtable]
        var directory: ChunkDirectory
    }
    var lsn: LSN
    var tables: [Table]
    var changes: [UnflushedChange]
}

extension StorageEngine {
    /// A manifest that has grown to this many times its first size is begun anew.
    private static let manifestGrowthMax: Int64 = 4
    private static let manifestBytesMin: Int64 = 1 << 20

    /// Why a flush runs.
    enum FlushPurpose {
        /// To write what is there.
        case once
        /// To close the database: the edit says so, and the log goes.
        case untilClosed
    }

    func checkpoint() throws(FirnError) {
        try prepareToWrite()
        try flush(.once)
    }

    // MARK: Scheduling

    /// True where a flush is wanted and none is on its way: memory is full enough, or somebody waits for room that a
    /// flush can make.
    func shouldScheduleFlush(_ core: Core) -> Bool {
        guard !core.isFlushScheduled, core.phase == .open, core.failure == nil else { return false }
        return core.activeBytes >= options.memtableBytesMax || waitsForFlush(core)
    }

    private func waitsForFlush(_ core: Core) -> Bool { !core.room.isEmpty && core.activeBytes + core.frozenBytes > 0 }

    /// Has the executor flush, unless it is about to.
    func scheduleFlush() {
        let isNew = core.withLock { core in
            guard !core.isFlushScheduled, core.phase == .open, core.failure == nil else { return false }
            core.isFlushScheduled = true
            return true
        }
        guard isNew else { return }
        let submission = executor.submit("flush") { [weak self] in
            guard let self else { return }
            do throws(FirnError) {
                try self.flush(.once)
            } catch {
                // Kept in `flushFailure`: those who wait for room and the next checkpoint report it.
            }
            // From here on the next is scheduled by whoever wants one; those who came while this one ran did not.
            // After a failure only somebody who waits is a reason to try again at once: he is told.
            let (mustFlush, isYoung) = self.core.withLock { core in
                core.isFlushScheduled = false
                return (
                    self.shouldScheduleFlush(core) && (core.flushFailure == nil || self.waitsForFlush(core)),
                    core.oldestActive != nil
                )
            }
            if mustFlush { self.scheduleFlush() }
            // Rows that came meanwhile grow old, and the log's thread did not look while this flush was on its way.
            if isYoung { self.ringDoorbell() }
        }
        if submission == .refused {
            let waiting = core.withLock { core in
                core.isFlushScheduled = false
                defer { core.room = [] }
                return core.room
            }
            for waiter in waiting { waiter.resume(.failure(Self.closedError)) }
        }
    }

    // MARK: Flushing

    /// Writes all memtables to segments and makes the manifest durable.
    func flush(_ purpose: FlushPurpose) throws(FirnError) {
        let outcome = flusher.withLock { flusher in
            Result { () throws(FirnError) in try flush(purpose, &flusher) }
        }
        switch outcome {
        case .success: core.withLock { $0.flushFailure = nil }
        case .failure(let error):
            let now = options.flushAgeSeconds == nil ? nil : timeSource.monotonicNanoseconds()
            let waiting = core.withLock { core in
                core.flushFailure = error
                // The rows that could not be written are tried again when they are old once more.
                if core.oldestActive == nil, core.frozenBytes > 0 { core.oldestActive = now }
                defer { core.room = [] }
                return core.room
            }
            for waiter in waiting { waiter.resume(.failure(Self.noRoom(error))) }
        }
        if case .failure(let error) = outcome { options.observer.storageDid(.flushFailed(error)) }
        grantRoom()
        try outcome.get()
    }

    private func flush(_ purpose: FlushPurpose, _ flusher: inout Flusher) throws(FirnError) {
        let (phase, failure) = core.withLock { ($0.phase, $0.failure) }
        // Nothing may follow the edit that records the end: a flush that was scheduled before gives up.
        guard phase == .open || (phase == .closing && purpose == .untilClosed) else { throw Self.closedError }
        if let failure { throw Self.afterFailure(failure) }
        if flusher.manifest?.isBroken == true || flusher.isCurrentDoubtful { try beginManifest(&flusher) }
        let cut = freeze()
        let hasChanges = cut.lsn > flusher.state.flushedLSN || !cut.changes.isEmpty || !cut.tables.isEmpty
        if hasChanges { try write(cut, &flusher) }
        try removeRetiredFiles(&flusher)
        if let manifest = flusher.manifest {
            let limit = max(flusher.manifestStartBytes * Self.manifestGrowthMax, Self.manifestBytesMin)
            if manifest.proof.byteCount > limit { try beginManifest(&flusher) }
        }
        if purpose == .untilClosed { try recordEnd(&flusher) }
    }

    /// Freezes all memtables at the last LSN that was given out.
    func freeze() -> FlushCut {
        core.withLock { core in
            let lsn = LSN(core.nextLSN.rawValue - 1)
            var tables: [FlushCut.Table] = []
            for (id, writer) in core.writers where !writer.isDropped {
                core.activeBytes -= writer.activeBytes
                core.seal(id)
                core.writers[id]!.frozen += core.writers[id]!.sealed
                core.writers[id]!.sealed = []
                let frozen = core.writers[id]!.frozen
                if !frozen.isEmpty {
                    tables.append(
                        FlushCut.Table(schema: writer.schema, memtables: frozen, directory: writer.directory))
                }
            }
            core.countFrozenBytes()
            core.oldestActive = nil
            return FlushCut(
                lsn: lsn, tables: tables.sorted { $0.schema.id < $1.schema.id }, changes: core.unflushed)
        }
    }

    private func write(_ cut: FlushCut, _ flusher: inout Flusher) throws(FirnError) {
        let began = timeSource.monotonicNanoseconds()
        var output: FlushOutput?
        var file: DataFile?
        if !cut.tables.isEmpty {
            let (written, name) = try writeSegments(cut)
            output = written
            file = name
        }
        if Mutant.isPlanted(.dropMemtableBeforeEdit) { publish(cut, output, file) }
        do {
            if !Mutant.isPlanted(.syncEditBeforeLog) { try syncThrough(cut.lsn) }
            if Mutant.isPlanted(.freeLogBeforeEdit), let log, let manifest = flusher.manifest {
                try log.release(through: cut.lsn, manifest: manifest.proof)
            }
            let records = records(of: cut, output, flusher.state)
            try append(records, lsn: cut.lsn, &flusher)
        } catch {
            if let file {
                if flusher.manifest?.isBroken == true {
                    flusher.doubtfulFiles.append(file.id)
                } else {
                    abandonFile(file.id)
                }
            }
            throw error
        }
        if !Mutant.isPlanted(.dropMemtableBeforeEdit) { publish(cut, output, file) }
        if let log, let manifest = flusher.manifest {
            try log.release(through: cut.lsn, manifest: manifest.proof)
        }
        let segments = output?.tables.flatMap(\.segments) ?? []
        guard !segments.isEmpty else { return }
        options.observer.storageDid(
            .flushed(
                rowCount: segments.reduce(0) { $0 + $1.rowCount }, segmentCount: segments.count,
                byteCount: segments.reduce(0) { $0 + $1.byteCount },
                nanoseconds: timeSource.monotonicNanoseconds() - began))
    }

    func writeSegments(_ cut: FlushCut) throws(FirnError) -> (FlushOutput, DataFile) {
        // A segment for each memtable: bulk commits may lie between two, and segments with the same keys must not hold
        // commits from both sides of another's.
        let inputs = cut.tables.flatMap { table in
            table.memtables.map { memtable in
                let entries = memtable.entries(through: cut.lsn)
                return FlushInput(
                    schema: table.schema, batches: entries.map(\.batch),
                    lsnRange: entries[entries.startIndex].lsn...entries[entries.endIndex - 1].lsn)
            }
        }
        let directories = Dictionary(uniqueKeysWithValues: cut.tables.map { ($0.schema.id, ($0.schema, $0.directory)) })
        let file = try newDataFile()
        do {
            let output = try segmentAccess.write(inputs, to: folder.data(file), file: file) {
                (table, time) throws(FirnError) in
                let (schema, directory) = directories[table]!
                return directory.locate(time, interval: schema.chunking?.interval) { identifiers.newChunk() }
            }
            if !Mutant.isPlanted(.skipSyncOfDataFolder) {
                try FirnError.mapping { () throws(IOError) in try fileSystem.syncDirectory(folder.dataFolder) }
            }
            return (output, dataFiles.file(file))
        } catch {
            abandonFile(file)
            throw error
        }
    }

    /// Gives a data file its id, and remembers that it is unfinished.
    ///
    /// A number whose name is taken is passed over: a file that is given up later is removed by its number, and must be
    /// our own.
    func newDataFile() throws(FirnError) -> FileID {
        while true {
            // In one step, so that an edit which holds the next number knows of all before it.
            let file = core.withLock { core in
                let file = identifiers.newFile()
                core.unfinishedFiles.insert(file)
                return file
            }
            let status = try FirnError.mapping { () throws(IOError) in try fileSystem.status(folder.data(file)) }
            if status == nil { return file }
            core.withLock { core in _ = core.unfinishedFiles.remove(file) }
        }
    }

    /// Removes a data file that nothing will refer to and that this opening made.
    func abandonFile(_ file: FileID) {
        dataFiles.retire(file)
        core.withLock { core in _ = core.unfinishedFiles.remove(file) }
    }

    /// What the edit says, in the order in which it is applied.
    func records(
        of cut: FlushCut, _ output: FlushOutput?, _ state: ManifestState
    ) -> [ManifestRecord] {
        var records: [ManifestRecord] = []
        var schemas: [TableID: TableSchema] = [:]
        var addedChunks: Set<ChunkID> = []
        func addSegments(_ segments: [SegmentDescriptor], of table: TableID, chunks: [ChunkBounds]) {
            let known = state.tables[table]?.chunks ?? [:]
            for segment in segments {
                if known[segment.chunk] == nil, addedChunks.insert(segment.chunk).inserted {
                    guard let bounds = chunks.first(where: { $0.id == segment.chunk }) else {
                        preconditionFailure("a segment lies in a chunk that its table has")
                    }
                    records.append(.addChunk(table, bounds))
                }
                records.append(.addSegment(segment))
            }
        }
        for change in cut.changes {
            switch change.kind {
            case .catalog(let change):
                if case .putTable(let schema) = change { schemas[schema.id] = schema }
                records.append(.catalog(change))
            case .bulk(let commit): addSegments(commit.segments, of: commit.table, chunks: commit.chunks)
            }
        }
        var written: Set<FileID> = []
        for table in output?.tables ?? [] {
            guard let cutTable = cut.tables.first(where: { $0.schema.id == table.table }) else { continue }
            if let picked = table.pickedSortKey,
                var schema = schemas[table.table] ?? state.tables[table.table]?.schema, schema.sortKey == nil
            {
                schema.sortKey = picked
                schemas[table.table] = schema
                records.append(.catalog(.putTable(schema)))
            }
            addSegments(table.segments, of: table.table, chunks: cutTable.directory.all)
            records.append(.tableFlushed(table.table, cut.lsn))
            written.formUnion(table.segments.map(\.file))
        }
        for case .bulk(let commit) in cut.changes.map(\.kind) { written.formUnion(commit.segments.map(\.file)) }
        records.append(.flushed(cut.lsn))
        records.append(identifiers.record)
        // After the numbers: a file that is begun meanwhile lies behind them.
        let unfinished = core.withLock { $0.unfinishedFiles }.subtracting(written).sorted()
        if unfinished != state.unfinishedFiles.sorted() { records.append(.unfinishedFiles(unfinished)) }
        if let log { records.append(.firstLogFile(log.firstFileNeeded(after: cut.lsn))) }
        return records
    }

    func append(_ records: [ManifestRecord], lsn: LSN, _ flusher: inout Flusher) throws(FirnError) {
        try flusher.manifest?.append(records, lsn: lsn)
        flusher.apply(records)
    }

    /// Puts the segments in the place of the memtables, for snapshots taken from now on.
    func publish(_ cut: FlushCut, _ output: FlushOutput?, _ file: DataFile?) {
        core.withLock { core in
            for table in cut.tables {
                let id = table.schema.id
                let flushed = Set(table.memtables.map(ObjectIdentifier.init))
                core.writers[id]?.frozen.removeAll { flushed.contains(ObjectIdentifier($0)) }
                core.published.tables[id]?.memtables.removeAll { flushed.contains(ObjectIdentifier($0)) }
            }
            for output in output?.tables ?? [] {
                guard let file else { preconditionFailure("what was written lies in a file") }
                let id = output.table
                for segment in output.segments {
                    core.published.tables[id]?.add(StoredSegment(segment, in: file))
                }
                if let picked = output.pickedSortKey {
                    if core.writers[id]?.schema.sortKey == nil { core.writers[id]?.schema.sortKey = picked }
                    if core.published.tables[id]?.schema.sortKey == nil {
                        core.published.tables[id]?.schema.sortKey = picked
                    }
                }
            }
            core.countFrozenBytes()
            core.unflushed.removeAll { $0.lsn <= cut.lsn }
            if let file { core.unfinishedFiles.remove(file.id) }
            for case .bulk(let commit) in cut.changes.map(\.kind) {
                core.unfinishedFiles.subtract(commit.segments.map(\.file))
            }
        }
    }

    // MARK: The manifest

    /// Writes everything into a new manifest, and makes it the live one.
    func beginManifest(_ flusher: inout Flusher) throws(FirnError) {
        for file in dataFiles.takeRemoved() { flusher.state.forgetRetired(file) }
        let number = flusher.nextManifestNumber
        flusher.nextManifestNumber += 1
        let manifest = try ManifestWriter(
            at: folder.manifest(number), number: number, database: databaseID, records: flusher.state.records,
            lsn: flusher.state.flushedLSN, fileSystem: fileSystem)
        let old = flusher.manifest
        do {
            try fileSystem.syncDirectory(folder.root)
            flusher.isCurrentDoubtful = true
            try folder.writeCurrent(
                CurrentFile(database: databaseID, manifest: manifest.proof), on: fileSystem)
            flusher.isCurrentDoubtful = false
            flusher.manifest = manifest
            flusher.manifestStartBytes = manifest.proof.byteCount
            if let old { try fileSystem.remove(folder.manifest(old.proof.number)) }
        } catch {
            throw FirnError(error)
        }
        try old?.close()
        for file in flusher.doubtfulFiles { abandonFile(file) }
        flusher.doubtfulFiles = []
    }

    /// Removes data files that no durable edit refers to any more, those that readers hold once they let go.
    func removeRetiredFiles(_ flusher: inout Flusher) throws(FirnError) {
        for file in dataFiles.takeRemoved() { flusher.state.forgetRetired(file) }
        for file in flusher.state.retiredFiles { dataFiles.retire(file) }
    }

    /// Records that the database ends here, and removes the log.
    private func recordEnd(_ flusher: inout Flusher) throws(FirnError) {
        guard let manifest = flusher.manifest, let log else { return }
        let lsn = flusher.state.flushedLSN
        if Mutant.isPlanted(.removeLogBeforeEnd) { try log.removeAll() }
        try append([.closed(lsn)], lsn: lsn, &flusher)
        try FirnError.mapping { () throws(IOError) in
            try folder.writeCurrent(CurrentFile(database: databaseID, manifest: manifest.proof), on: fileSystem)
        }
        if !Mutant.isPlanted(.removeLogBeforeEnd) { try log.removeAll() }
    }
}
