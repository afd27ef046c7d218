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

/// Rows on their way into a table with a primary key.
struct KeyedRows: Sendable {
    let table: TableID
    let probe: KeyProbe
    /// See `times(of:_:)`.
    let times: ColumnRange?
}

/// Which segments a table has, for comparisons alone.
private struct SegmentsVersion: Equatable {
    var changeCount: Int
    /// Of those that no flush has taken.
    var lastBulkLSN: LSN?
}

extension StorageEngine {
    var keyHasher: KeyHasher { KeyHasher(databaseID, mask: options.keyHashMask) }

    /// The keys of an append, distinct among themselves; nil where its table has none.
    func keyedRows(of request: CommitRequest, _ table: TableID) throws(FirnError) -> KeyedRows? {
        guard case .rows(_, let batch, _) = request.change else { return nil }
        let schema = try schema(of: table)
        guard !schema.primaryKey.isEmpty else { return nil }
        return try keyedRows([KeyedBatch(batch, schema: schema, hasher: keyHasher)], of: schema)
    }

    func keyedRows(_ batches: [KeyedBatch], of schema: TableSchema) throws(FirnError) -> KeyedRows {
        let probe = KeyProbe(batches, hasher: keyHasher)
        try checkDistinct(probe, schema)
        return KeyedRows(table: schema.id, probe: probe, times: Self.times(of: batches, schema))
    }

    /// Commits rows whose keys no other row of their table has, and waits until the commit is visible.
    func commitKeyed(_ request: CommitRequest, _ rows: KeyedRows) throws(FirnError) -> AppendResult {
        let waiter = Waiter<AppendResult>()
        commitKeyed(request, rows, .caller) { waiter.fulfil($0) }
        return try waiter.wait()
    }

    /// Commits rows whose keys no other row of their table has; `completion` is called once, perhaps before this returns.
    func commitKeyed(
        _ request: CommitRequest, _ rows: KeyedRows, _ wish: LeadershipWish, completion: @escaping CommitCompletion
    ) {
        do throws(FirnError) {
            finish(
                try checkKeys(of: rows) { () throws(FirnError) in
                    try takePlace(request, wish, completion: completion)
                })
        } catch {
            giveBack(request.reservedBytes)
            guard error.code == .uniqueViolation else { return completion(.failure(error)) }
            report(error, to: request, wish, completion)
        }
    }

    /// Looks the keys up, and gives the commit its place in the order before another could take one of them.
    ///
    /// Only this is done in turn; who waits for the log does so outside, with others.
    private func checkKeys(
        of rows: KeyedRows, takePlace: () throws(FirnError) -> Sequenced
    ) throws(FirnError) -> Sequenced {
        let writer = core.withLock { $0.writers[rows.table] }
        guard let writer, !writer.isDropped else { throw Self.missingTable(rows.table) }
        // What is there now is searched while others commit.
        let seen = storedRows(of: rows.table)
        if !Mutant.isPlanted(.skipKeysOfSegments) { try check(rows, against: seen.segments, writer.schema) }
        return try writer.keyIndex.keys.withLock { (keys) throws(FirnError) in
            let now = storedRows(of: rows.table)
            if now.version != seen.version, !Mutant.isPlanted(.skipKeysOfNewSegments) {
                let known = Set(seen.segments.map(\.place))
                try check(rows, against: now.segments.filter { !known.contains($0.place) }, writer.schema)
            }
            if !Mutant.isPlanted(.skipKeysOfMemtables) {
                try check(rows.probe, against: now.memtables, &keys, writer.schema)
            }
            return try takePlace()
        }
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
    ///
    /// `version` is the same for the same segments.
    private func storedRows(
        of table: TableID
    ) -> (segments: [StoredSegment], memtables: [Memtable], version: SegmentsVersion) {
        let (state, bulk, memtables) = core.withLock { core in
            var bulk: [SegmentDescriptor] = []
            for change in core.unflushed {
                if case .bulk(let commit) = change.kind, commit.table == table { bulk += commit.segments }
            }
            return (core.published.tables[table], bulk, core.writers[table]?.memtables ?? [])
        }
        var segments = state?.segments ?? []
        if !bulk.isEmpty {
            // A load that has its LSN and is not visible yet.
            let known = Set(segments.map(\.place))
            segments += bulk.map { StoredSegment($0, in: dataFiles.file($0.file)) }.filter { !known.contains($0.place) }
        }
        let version = SegmentsVersion(
            changeCount: state?.segmentChangeCount ?? 0, lastBulkLSN: bulk.last?.lsnRange.upperBound)
        return (segments, memtables, version)
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
        _ rows: KeyedRows, against segments: [StoredSegment], _ schema: TableSchema
    ) throws(FirnError) {
        for segment in segments where segment.descriptor.overlaps(rows.times) {
            let match = try segmentAccess.firstMatch(
                of: rows.probe, in: segment.descriptor, at: segment.file.path, schema: schema)
            if let match { throw duplicate(rows.probe, match, schema) }
        }
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
