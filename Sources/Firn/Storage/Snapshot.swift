// SPDX-License-Identifier: Apache-2.0
//
// What a reader sees: the tables, their segments and memtables, as every commit up to one LSN left them.
//
// Taking a snapshot copies references: the state is a value whose parts never change, except that memtables take
// commits beyond the snapshot's LSN, which it leaves out.

import SystemPackage

/// One table as readers see it.
struct TableState: Sendable {
    var schema: TableSchema
    /// In the order of their commits.
    private(set) var segments: [StoredSegment] = []
    /// Counts up whenever `segments` changes.
    private(set) var segmentChangeCount = 0
    /// Rows of the segments.
    private(set) var segmentRowCount = 0
    /// In the order of their commits, the active one last. No segment's commits lie between those of one memtable.
    var memtables: [Memtable]
    /// All chunks of the table, those of later commits too.
    let directory: ChunkDirectory

    init(schema: TableSchema, memtables: [Memtable], directory: ChunkDirectory) {
        self.schema = schema
        self.memtables = memtables
        self.directory = directory
    }

    mutating func add(_ segment: StoredSegment) {
        segmentChangeCount += 1
        segmentRowCount += segment.descriptor.rowCount
        // Nearly always the newest; a bulk load may have been written before a flush that commits before it.
        var position = segments.count
        while position > 0,
            segments[position - 1].descriptor.lsnRange.lowerBound > segment.descriptor.lsnRange.lowerBound
        {
            position -= 1
        }
        segments.insert(segment, at: position)
    }

    /// Puts new segments in the place of old ones that hold the same rows.
    mutating func replace(_ old: [SegmentDescriptor], by new: [StoredSegment]) {
        let places = Set(old.map { StoredSegment.Place(file: $0.file, byteOffset: $0.byteOffset) })
        segmentChangeCount += 1
        segments.removeAll { segment in
            guard places.contains(segment.place) else { return false }
            segmentRowCount -= segment.descriptor.rowCount
            return true
        }
        for segment in new { add(segment) }
    }
}

/// All tables as readers see them.
struct DatabaseState: Sendable {
    var tables: [TableID: TableState] = [:]
    var names: [String: TableID] = [:]

    mutating func put(_ schema: TableSchema, memtables: @autoclosure () -> [Memtable], directory: ChunkDirectory) {
        if let old = tables[schema.id] {
            names[old.schema.name] = nil
            tables[schema.id]!.schema = schema
        } else {
            tables[schema.id] = TableState(schema: schema, memtables: memtables(), directory: directory)
        }
        names[schema.name] = schema.id
    }

    mutating func drop(_ table: TableID) {
        guard let old = tables.removeValue(forKey: table) else { return }
        if names[old.schema.name] == table { names[old.schema.name] = nil }
    }
}

/// The engine's snapshot. Keeps what it needs alive, and nothing else waits for it.
struct EngineSnapshot: DatabaseSnapshot {
    let lsn: LSN
    let state: DatabaseState
    let access: (any SegmentAccess)?
    let identifiers: IdentifierAllocator

    var tables: [TableSchema] { state.tables.values.map(\.schema).sorted { $0.name < $1.name } }

    func table(named name: String) -> TableSchema? { state.names[name].flatMap { state.tables[$0]?.schema } }

    func rows(of table: TableID) throws(FirnError) -> any TableSnapshot {
        guard let state = state.tables[table] else {
            throw FirnError(.undefinedTable, "table \(table) does not exist in this snapshot")
        }
        return EngineTableSnapshot(lsn: lsn, state: state, access: access, identifiers: identifiers)
    }
}

struct EngineTableSnapshot: TableSnapshot {
    let lsn: LSN
    let state: TableState
    let access: (any SegmentAccess)?
    /// Names the chunks of rows that were not flushed yet.
    let identifiers: IdentifierAllocator

    var schema: TableSchema { state.schema }

    var rowCount: Int { state.memtables.reduce(state.segmentRowCount) { $0 + $1.rowCount(through: lsn) } }

    func morsels(pruning ranges: [ColumnRange]) throws(FirnError) -> [any Morsel] {
        try morsels(pruning: ranges) { error throws(FirnError) in throw error }
    }

    func morsels(
        pruning ranges: [ColumnRange], onDamage: (FirnError) throws(FirnError) -> Void
    ) throws(FirnError) -> [any Morsel] {
        var morsels: [any Morsel] = []
        var memtables = state.memtables[...]
        // Rows that were not flushed may have been committed before those of a segment: a load wrote that one.
        func addMemtables(before end: LSN?) {
            let isEarlier: (Memtable) -> Bool = { memtable in
                guard let end else { return true }
                return memtable.firstLSN.map { $0 < end } ?? false
            }
            let earlier = memtables.prefix(while: isEarlier)
            guard !earlier.isEmpty else { return }
            morsels += MemtableMorsel.morsels(of: earlier, through: lsn, schema: schema)
            memtables = memtables.dropFirst(earlier.count)
        }
        let timeRange = ranges.first { $0.column == schema.chunking?.column }
        for segment in state.segments where segment.descriptor.overlaps(timeRange) {
            addMemtables(before: segment.descriptor.lsnRange.lowerBound)
            guard let access else { preconditionFailure("only an engine with segments has any") }
            if state.segments.count >= LazySegmentMorsel.segmentCountMin,
                segment.descriptor.rowCount <= LazySegmentMorsel.rowCountMax
            {
                let lazy = LazySegmentMorsel(segment: segment, access: access, schema: schema)
                morsels.append(PinnedMorsel(lazy, pinning: segment))
                continue
            }
            do throws(FirnError) {
                let parts = try access.morsels(
                    of: segment.descriptor, at: segment.file.path, schema: schema, pruning: ranges)
                for part in parts { morsels.append(PinnedMorsel(part, pinning: segment)) }
            } catch {
                try onDamage(error)
            }
        }
        addMemtables(before: nil)
        return morsels
    }

    var segments: [SegmentDescriptor] { state.segments.map(\.descriptor) }

    func description(of segment: SegmentDescriptor) throws(FirnError) -> SegmentFile.Segment {
        let (access, path) = stored(segment)
        return try access.description(of: segment, at: path)
    }

    func keyIndexByteCount(of segment: SegmentDescriptor) throws(FirnError) -> Int {
        let (access, path) = stored(segment)
        return try access.keyIndexByteCount(of: segment, at: path)
    }

    /// Where a segment of the snapshot is, and through what it is read.
    private func stored(_ segment: SegmentDescriptor) -> (access: any SegmentAccess, path: FilePath) {
        guard let access, let stored = state.segments.first(where: { $0.descriptor == segment }) else {
            preconditionFailure("only a segment of the snapshot is described")
        }
        return (access, stored.file.path)
    }

    func bounds(of chunk: ChunkID) -> ChunkBounds? { state.directory.all.first { $0.id == chunk } }

    /// A chunk of which all rows are in memory has its id from now on, and keeps it when they are flushed.
    var chunks: [ChunkBounds] {
        var used = Set(state.segments.map(\.descriptor.chunk))
        for memtable in state.memtables {
            for entry in memtable.entries(through: lsn) {
                guard let index = schema.timeColumnIndex, case .integer(let times) = entry.batch.columns[index].values
                else {
                    used.insert(locate(0).id)
                    continue
                }
                var current: ChunkBounds?
                for time in times where current?.contains(time) != true {
                    current = locate(time)
                    used.insert(current!.id)
                }
            }
        }
        return state.directory.all.filter { used.contains($0.id) }
    }

    private func locate(_ time: Int64) -> ChunkBounds {
        state.directory.locate(time, interval: schema.chunking?.interval) { identifiers.newChunk() }
    }
}

/// A morsel of a segment that keeps the segment's file on disk for as long as it is held.
struct PinnedMorsel: Morsel {
    private let inner: any Morsel
    private let segment: StoredSegment

    init(_ inner: any Morsel, pinning segment: StoredSegment) {
        self.inner = inner
        self.segment = segment
    }

    var rowCount: Int { inner.rowCount }
    var order: [ColumnID] { inner.order }
    func statistics(of column: ColumnID) -> ColumnStatistics? { inner.statistics(of: column) }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        Reader(try inner.reader(of: columns, pruning: ranges), pinning: segment)
    }

    private final class Reader: MorselReader {
        private let inner: any MorselReader
        private let segment: StoredSegment

        init(_ inner: any MorselReader, pinning segment: StoredSegment) {
            self.inner = inner
            self.segment = segment
        }

        func next() throws(FirnError) -> ColumnBatch? { try inner.next() }
    }
}

extension SegmentDescriptor {
    /// False where no row can lie in a range of the table's time column.
    func overlaps(_ range: ColumnRange?) -> Bool {
        guard let range, let timeRange else { return true }
        if case .integer(let lower) = range.lower, timeRange.upperBound < lower { return false }
        if case .integer(let upper) = range.upper, timeRange.lowerBound > upper { return false }
        return true
    }
}
