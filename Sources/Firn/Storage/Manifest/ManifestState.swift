// SPDX-License-Identifier: Apache-2.0
//
// What the edits of a manifest add up to: the durable part of the database, up to one LSN.
//
// Owned by the manifest's writer, changed in place, and never shared: what readers see is `DatabaseState`, which holds
// later commits too. Recovery and the writer apply the same records by the same function.

struct ManifestState: Sendable {
    struct Table: Sendable {
        var schema: TableSchema
        /// Every change of the table up to here is contained.
        var flushedLSN: LSN
        var chunks: [ChunkID: ChunkBounds] = [:]
        var segments: [SegmentDescriptor] = []
    }

    var tables: [TableID: Table] = [:]
    /// Every change up to here is contained.
    var flushedLSN = LSN.zero
    var nextTable = TableID(1)
    var nextChunk = ChunkID(1)
    var nextFile = FileID(1)
    var epoch = LogEpoch(number: 0, firstLSN: LSN(1), firstLogFile: 1)
    /// The oldest log file that is needed.
    var firstLogFile: UInt64 = 1
    /// Set by a close in order: the last LSN. Every later edit takes it back.
    var closedLSN: LSN?
    /// Segments in each data file.
    private(set) var segmentCounts: [FileID: Int] = [:]
    /// Files that nothing refers to any more.
    private(set) var retiredFiles: Set<FileID> = []
    /// Files that were being written.
    private(set) var unfinishedFiles: Set<FileID> = []

    /// Data files that hold segments.
    var files: Set<FileID> { Set(segmentCounts.keys) }

    /// The LSN up to which replay skips changes of a table.
    func flushedLSN(of table: TableID) -> LSN { max(flushedLSN, tables[table]?.flushedLSN ?? .zero) }

    mutating func apply(_ record: ManifestRecord) throws(FormatError) {
        closedLSN = nil
        switch record {
        case .catalog(.putTable(let schema)):
            if tables[schema.id] != nil {
                tables[schema.id]!.schema = schema.keepingPick(of: tables[schema.id]!.schema)
            } else {
                tables[schema.id] = Table(schema: schema, flushedLSN: .zero)
            }
            nextTable = max(nextTable, schema.id.next)
        case .catalog(.dropTable(let id)):
            guard let table = tables.removeValue(forKey: id) else { throw Self.missing(id) }
            for segment in table.segments { release(segment.file) }
        case .addChunk(let id, let bounds):
            guard tables[id] != nil else { throw Self.missing(id) }
            tables[id]!.chunks[bounds.id] = bounds
            nextChunk = max(nextChunk, bounds.id.next)
        case .addSegment(let descriptor):
            guard tables[descriptor.table] != nil else { throw Self.missing(descriptor.table) }
            guard tables[descriptor.table]!.chunks[descriptor.chunk] != nil else {
                throw FormatError("a segment refers to chunk \(descriptor.chunk), which is not there")
            }
            tables[descriptor.table]!.segments.append(descriptor)
            segmentCounts[descriptor.file, default: 0] += 1
            nextFile = max(nextFile, descriptor.file.next)
        case .removeSegment(let id, let file, let byteOffset):
            let index = tables[id]?.segments.firstIndex { $0.file == file && $0.byteOffset == byteOffset }
            guard let index else { throw FormatError("file \(file) has no segment at \(byteOffset) to remove") }
            tables[id]!.segments.remove(at: index)
            release(file)
        case .flushed(let lsn): flushedLSN = max(flushedLSN, lsn)
        case .tableFlushed(let id, let lsn):
            guard tables[id] != nil else { throw Self.missing(id) }
            tables[id]!.flushedLSN = max(tables[id]!.flushedLSN, lsn)
        case .identifiers(let nextTable, let nextChunk, let nextFile):
            self.nextTable = max(self.nextTable, nextTable)
            self.nextChunk = max(self.nextChunk, nextChunk)
            self.nextFile = max(self.nextFile, nextFile)
        case .epoch(let epoch):
            self.epoch = epoch
            firstLogFile = epoch.firstLogFile
        case .firstLogFile(let number): firstLogFile = max(firstLogFile, number)
        case .retireFile(let file): retiredFiles.insert(file)
        case .unfinishedFiles(let files): unfinishedFiles = Set(files)
        case .closed(let lsn): closedLSN = lsn
        }
    }

    mutating func apply(_ records: [ManifestRecord]) throws(FormatError) {
        for record in records { try apply(record) }
    }

    /// Forgets a file that is gone from the disk.
    mutating func forgetRetired(_ file: FileID) { retiredFiles.remove(file) }

    /// Records that build this state from nothing.
    var records: [ManifestRecord] {
        var records: [ManifestRecord] = [
            .identifiers(nextTable: nextTable, nextChunk: nextChunk, nextFile: nextFile), .epoch(epoch),
            .firstLogFile(firstLogFile), .flushed(flushedLSN),
        ]
        for (id, table) in tables.sorted(by: { $0.key < $1.key }) {
            records.append(.catalog(.putTable(table.schema)))
            records.append(.tableFlushed(id, table.flushedLSN))
            for bounds in table.chunks.values.sorted(by: { $0.id < $1.id }) { records.append(.addChunk(id, bounds)) }
            for segment in table.segments { records.append(.addSegment(segment)) }
        }
        for file in retiredFiles.sorted() { records.append(.retireFile(file)) }
        if !unfinishedFiles.isEmpty { records.append(.unfinishedFiles(unfinishedFiles.sorted())) }
        if let closedLSN { records.append(.closed(closedLSN)) }
        return records
    }

    private mutating func release(_ file: FileID) {
        let count = segmentCounts[file, default: 0] - 1
        segmentCounts[file] = count > 0 ? count : nil
        if count <= 0 { retiredFiles.insert(file) }
    }

    private static func missing(_ table: TableID) -> FormatError {
        FormatError("an edit refers to table \(table), which is not there")
    }
}
