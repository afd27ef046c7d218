// SPDX-License-Identifier: Apache-2.0
//
// Loads of any size that become visible at once: sorted segments first, then one small frame that names them.
//
// Rows are collected up to the size of a memtable and written to a file of their own, outside the manifest; the commit
// is a frame of the log with the segments' descriptors. A crash before it leaves files that nothing names, which the
// next opening removes. A load that stays small goes through the log as an ordinary commit instead.

import FirnIO

/// The segments of a load, as its frame names them.
///
///     [table: varint][chunk count: varint] chunks [segment count: varint] segments
struct BulkCommit: Sendable, Hashable {
    var table: TableID
    /// The chunks in which the segments lie.
    var chunks: [ChunkBounds]
    var segments: [SegmentDescriptor]

    var rowCount: Int { segments.reduce(0) { $0 + $1.rowCount } }

    /// The same, with the LSN that the commit was given.
    func committed(at lsn: LSN) -> BulkCommit {
        var commit = self
        for index in commit.segments.indices { commit.segments[index].lsnRange = lsn...lsn }
        return commit
    }

    func encode(into output: inout ByteWriter) {
        output.appendVarint(table.rawValue)
        output.appendVarint(chunks.count)
        for chunk in chunks { chunk.encode(into: &output) }
        output.appendVarint(segments.count)
        for segment in segments { segment.encode(into: &output) }
    }

    static func decode(_ payload: [UInt8]) throws(FormatError) -> BulkCommit {
        try payload.reading { (reader) throws(FormatError) in
            var commit = BulkCommit(table: TableID(try reader.readVarint()), chunks: [], segments: [])
            for _ in 0..<(try reader.readCount(atMost: reader.remaining)) {
                commit.chunks.append(try ChunkBounds.decode(from: &reader))
            }
            for _ in 0..<(try reader.readCount(atMost: reader.remaining)) {
                commit.segments.append(try SegmentDescriptor.decode(from: &reader))
            }
            try reader.expectEnd()
            return commit
        }
    }
}

extension StorageEngine {
    func beginBulkLoad(into table: TableID, durability: Durability?) throws(FirnError) -> any BulkLoad {
        try beginLoad(into: table, durability: durability)
    }

    func beginLoad(into table: TableID, durability: Durability? = nil) throws(FirnError) -> EngineBulkLoad {
        try prepareToWrite()
        let (writer, phase) = core.withLock { ($0.writers[table], $0.phase) }
        guard phase == .open else { throw Self.closedError }
        guard let writer, !writer.isDropped else { throw Self.missingTable(table) }
        return EngineBulkLoad(
            engine: self, schema: writer.schema, directory: writer.directory,
            durability: durability ?? options.durability)
    }
}

/// A load into one table. Not thread-safe.
///
/// Its steps are refused once the database is being closed, and closing waits for one in progress: a load writes and
/// removes nothing that another opening could have made.
final class EngineBulkLoad: BulkLoad {
    /// A load of at most this many bytes is an ordinary commit.
    static let ordinaryBytesMax = 4 << 20

    private let engine: StorageEngine
    private let schema: TableSchema
    private let directory: ChunkDirectory
    private let durability: Durability
    private var batches: [ColumnBatch] = []
    private var byteCount = 0
    private var segments: [SegmentDescriptor] = []
    private var files: [FileID] = []
    private var keys: [KeyedBatch] = []
    private var isFinished = false

    init(engine: StorageEngine, schema: TableSchema, directory: ChunkDirectory, durability: Durability) {
        self.engine = engine
        self.schema = schema
        self.directory = directory
        self.durability = durability
    }

    deinit { if !isFinished { abandon() } }

    func append(_ batch: ColumnBatch) throws(FirnError) {
        precondition(!isFinished, "a load takes no rows after its end")
        guard batch.rowCount > 0 else { return }
        guard batch.columns.count == schema.columns.count else {
            throw FirnError(.datatypeMismatch, "the rows do not have the columns of table \"\(schema.name)\"")
        }
        try engine.checkOpen()
        batches.append(batch)
        byteCount += Memtable.byteCount(of: batch)
        if byteCount >= engine.options.memtableBytesMax { try writeFile() }
    }

    func commit() throws(FirnError) -> AppendResult { try commit(.asFits) }

    /// How rows are committed.
    enum Form {
        /// Few rows as an ordinary commit, many as segments.
        case asFits
        case asSegments
    }

    func commit(_ form: Form) throws(FirnError) -> AppendResult {
        precondition(!isFinished, "a load ends once")
        if form == .asFits, files.isEmpty, byteCount <= Self.ordinaryBytesMax, byteCount < engine.options.memoryBytesMax
        {
            let batch = ColumnBatch(
                schema.columns.indices.map { index in
                    Column.concatenate(batches.map { $0.columns[index] }, type: schema.columns[index].type)
                }, rowCount: batches.reduce(0) { $0 + $1.rowCount })
            isFinished = true
            return try engine.append(batch, to: schema.id, durability: durability)
        }
        try writeFile()
        let used = Set(segments.map(\.chunk))
        let commit = BulkCommit(
            table: schema.id, chunks: directory.all.filter { used.contains($0.id) }, segments: segments)
        do {
            let result = try engine.commit(
                commit, files: files, keys: keys, schema,
                Mutant.isPlanted(.loseDurabilityOfLoad) ? .memory : durability)
            isFinished = true
            return result
        } catch {
            // When the log failed nobody knows whether it names the files: the next opening finds out.
            if engine.hasFailed { isFinished = true }
            throw error
        }
    }

    func abandon() {
        guard !isFinished else { return }
        isFinished = true
        batches = []
        // Nothing is left of them once the database is given up, or the next opening sees to it.
        for file in files { engine.abandonFile(file) }
    }

    /// Writes what was collected into a file of its own.
    private func writeFile() throws(FirnError) {
        guard !batches.isEmpty else { return }
        guard engine.beginActivity() else { throw StorageEngine.closedError }
        defer { engine.endActivity() }
        if !schema.primaryKey.isEmpty {
            for batch in batches { keys.append(KeyedBatch(batch, schema: schema, hasher: engine.keyHasher)) }
        }
        let file = try engine.newDataFile()
        files.append(file)
        let input = FlushInput(schema: schema, batches: batches, lsnRange: LSN.zero...LSN.zero)
        let output = try engine.segmentAccess.write([input], to: engine.folder.data(file), file: file) {
            (table, time) throws(FirnError) in
            directory.locate(time, interval: schema.chunking?.interval) { engine.identifiers.newChunk() }
        }
        if !Mutant.isPlanted(.skipSyncOfLoadFolder) {
            try FirnError.mapping { () throws(IOError) in
                try engine.fileSystem.syncDirectory(engine.folder.dataFolder)
            }
        }
        segments += output.tables.flatMap(\.segments)
        batches = []
        byteCount = 0
    }
}

extension StorageEngine {
    /// Commits segments that are on disk.
    fileprivate func commit(
        _ commit: BulkCommit, files: [FileID], keys: [KeyedBatch], _ schema: TableSchema, _ durability: Durability
    ) throws(FirnError) -> AppendResult {
        var frame: EncodedFrame?
        if log != nil {
            frame = EncodedFrame(.bulk, compression: .tried) { commit.encode(into: &$0) }
            guard frame != nil else {
                throw FirnError(
                    .programLimitExceeded, "the load has too many segments for one commit (\(commit.segments.count))",
                    hint: "load it in several parts")
            }
        }
        let request = CommitRequest(
            change: .bulk(commit, files.map { dataFiles.file($0) }), frame: frame, durability: durability,
            rowCount: commit.rowCount)
        if keys.isEmpty { return try self.commit(request) }
        return try commitKeyed(request, try keyedRows(keys, of: schema))
    }
}
