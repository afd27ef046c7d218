// SPDX-License-Identifier: Apache-2.0
//
// The primary key of a table: no two rows have the same, checked where commits take their place.
//
// The keys of segments are looked up in the segments' key indexes (KeyIndexDirectory.swift), those of rows that were not
// flushed in a set of hashes for each memtable, made when it is first asked. Both only raise suspicions: the key itself
// is read and compared. A check and the LSN that follows it happen under the table's index lock, so commits to one table
// with a key take turns; but the segments that there are before are searched without it, and under it only what came
// since. Where the time of a row is a part of its key, only segments of those times are searched: appends of new rows
// cost the same however many old ones there are.

import Synchronization

/// The keys of one table's rows in memory.
final class KeyIndexHolder: Sendable {
    struct MemtableKeys: Sendable {
        let memtable: Memtable
        var hashes = HashSet64()
        /// Batches of the memtable whose keys are in the set.
        var batchCount = 0
    }

    /// Held from the last check of a commit to its LSN.
    let keys = Mutex<[MemtableKeys]>([])
}

extension StorageEngine {
    var keyHasher: KeyHasher { KeyHasher(databaseID, mask: options.keyHashMask) }

    func hasKey(_ table: TableID) -> Bool {
        core.withLock { core in core.writers[table].map { !$0.schema.primaryKey.isEmpty } ?? false }
    }

    /// Commits rows; where their table has a primary key, it is checked first, in the order of commits.
    func commitKeyed(_ request: CommitRequest, _ table: TableID) throws(FirnError) -> AppendResult {
        guard hasKey(table), case .rows(_, let batch, _) = request.change else { return try commit(request) }
        let keyed = KeyedBatch(batch, schema: try schema(of: table), hasher: keyHasher)
        return try commitKeyed(request, table, [keyed])
    }

    func commitKeyed(
        _ request: CommitRequest, _ table: TableID, _ batches: [KeyedBatch]
    ) throws(FirnError) -> AppendResult {
        let waiter = Waiter<AppendResult>()
        var mustGiveBack = true
        defer { if mustGiveBack { core.withLock { $0.activeBytes -= request.reservedBytes } } }
        let writer = core.withLock { $0.writers[table] }
        guard let writer, !writer.isDropped else { throw Self.missingTable(table) }
        let probe = KeyProbe(batches, hasher: keyHasher)
        try checkDistinct(probe, writer.schema)
        let times = Self.times(of: batches, writer.schema)
        // What is there now is searched while others commit.
        let seen = keyedRows(of: table)
        for segment in seen.segments where segment.descriptor.overlaps(times) {
            try check(probe, against: segment, writer.schema)
        }
        let sequenced: Sequenced = try writer.keyIndex.keys.withLock { (keys) throws(FirnError) in
            let now = keyedRows(of: table)
            let known = Set(seen.segments.map(\.place))
            for segment in now.segments where !known.contains(segment.place) && segment.descriptor.overlaps(times) {
                try check(probe, against: segment, writer.schema)
            }
            try check(probe, against: now.memtables, &keys, writer.schema)
            // From here on `takePlace` gives the reservation back where it refuses.
            mustGiveBack = false
            return try takePlace(request, .caller) { waiter.fulfil($0) }
        }
        finish(sequenced)
        return try waiter.wait()
    }

    /// The range of the keys' times, where the time by which the table is chunked is a part of the key: keys in segments
    /// of other times are others.
    private static func times(of batches: [KeyedBatch], _ schema: TableSchema) -> ColumnRange? {
        guard let column = schema.chunking?.column, let index = schema.primaryKey.firstIndex(of: column) else {
            return nil
        }
        var bounds: ClosedRange<Int64>?
        for batch in batches {
            guard case .integer(let times) = batch.columns[index].values else { return nil }
            guard let first = times.min(), let last = times.max() else { continue }
            bounds = min(first, bounds?.lowerBound ?? first)...max(last, bounds?.upperBound ?? last)
        }
        return bounds.map {
            ColumnRange(column: column, lower: .integer($0.lowerBound), upper: .integer($0.upperBound))
        }
    }

    /// Where the rows of a table lie that have their LSN, whether they are visible or not.
    private func keyedRows(of table: TableID) -> (segments: [StoredSegment], memtables: [Memtable]) {
        let (published, bulk, memtables) = core.withLock { core in
            var bulk: [SegmentDescriptor] = []
            for change in core.unflushed {
                if case .bulk(let commit) = change.kind, commit.table == table { bulk += commit.segments }
            }
            let writer = core.writers[table]
            return (
                core.published.tables[table]?.segments ?? [], bulk,
                (writer?.frozen ?? []) + (writer.map { [$0.active] } ?? [])
            )
        }
        // A load that has its LSN and is not visible yet.
        let known = Set(published.map(\.place))
        let pending = bulk.map { StoredSegment($0, in: dataFiles.file($0.file)) }.filter { !known.contains($0.place) }
        return (published + pending, memtables)
    }

    /// Throws 23505 where a key stands twice among those of a commit.
    private func checkDistinct(_ probe: KeyProbe, _ schema: TableSchema) throws(FirnError) {
        guard probe.count > 1 else { return }
        var start = 0
        for index in 1...probe.count where index == probe.count || probe.hash(index) != probe.hash(start) {
            if index - start > 1 {
                var keys: Set<[UInt8]> = []
                for same in start..<index {
                    let place = probe.place(same)
                    guard keys.insert(place.batch.canonicalBytes(place.row)).inserted else {
                        throw duplicate(probe, same, schema)
                    }
                }
            }
            start = index
        }
    }

    private func check(
        _ probe: KeyProbe, against segment: StoredSegment, _ schema: TableSchema
    ) throws(FirnError) {
        let match = try segmentAccess.firstMatch(
            of: probe, in: segment.descriptor, at: segment.file.path, schema: schema)
        if let match { throw duplicate(probe, match, schema) }
    }

    private func check(
        _ probe: KeyProbe, against memtables: [Memtable], _ keys: inout [KeyIndexHolder.MemtableKeys],
        _ schema: TableSchema
    ) throws(FirnError) {
        keys.removeAll { known in !memtables.contains { $0 === known.memtable } }
        for memtable in memtables {
            let number = keys.firstIndex { $0.memtable === memtable } ?? keys.count
            if number == keys.count { keys.append(KeyIndexHolder.MemtableKeys(memtable: memtable)) }
            let entries = memtable.entries(through: LSN(.max))
            for entry in entries.dropFirst(keys[number].batchCount) {
                let stored = KeyedBatch(entry.batch, schema: schema, hasher: probe.hasher)
                for hash in stored.hashes { keys[number].hashes.insert(hash) }
            }
            keys[number].batchCount = entries.count
            let known = keys[number].hashes
            guard (0..<probe.count).contains(where: { known.contains(probe.hash($0)) }) else { continue }
            for entry in entries {
                let stored = KeyedBatch(entry.batch, schema: schema, hasher: probe.hasher)
                if let match = probe.firstMatch(in: stored) { throw duplicate(probe, match, schema) }
            }
        }
    }

    private func duplicate(_ probe: KeyProbe, _ index: Int, _ schema: TableSchema) -> FirnError {
        let (batch, row) = probe.place(index)
        let names = schema.primaryKey.map { id in schema.columns[schema.index(of: id)!].name }
        let values = batch.columns.map { $0[row].keyText($0.type) }
        return FirnError(
            .uniqueViolation, "duplicate key value violates unique constraint \"\(schema.name)_pkey\"",
            detail: "Key (\(names.joined(separator: ", ")))=(\(values.joined(separator: ", "))) already exists.")
    }
}

extension Value {
    /// The value for a message, as PostgreSQL prints it; times as UTC has them, since storage knows no session.
    fileprivate func keyText(_ type: DataType) -> String {
        switch (self, type) {
        case (.null, _): "null"
        case (.boolean(let value), _): value ? "t" : "f"
        case (.integer(let value), .timestamptz(.microseconds)): Timestamp(microseconds: value).text()
        case (.integer(let value), .timestamp(.microseconds)): Timestamp(microseconds: value).textWithoutZone()
        case (.integer(let value), .timestamptz(.nanoseconds)), (.integer(let value), .timestamp(.nanoseconds)):
            NanosecondTimestamp(nanoseconds: value).text()
        case (.integer(let value), .date): DayNumber(days: Int32(truncatingIfNeeded: value)).text
        case (.integer(let value), _): "\(value)"
        case (.float(let value), _): NumberText.text(value)
        case (.double(let value), _): NumberText.text(value)
        case (.decimal(let value), _): value.text
        case (.text(let value), _): value
        case (.bytes(let value), _): ByteText.text(value)
        case (.uuid(let value), _): UUIDValue(value).text
        case (.interval(let value), _): value.text
        case (.vector(let value), _): "[\(value.map { NumberText.text($0) }.joined(separator: ","))]"
        }
    }
}
