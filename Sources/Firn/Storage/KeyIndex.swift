// SPDX-License-Identifier: Apache-2.0
//
// The primary key of a table: no two rows have the same, checked where commits take their place.
//
// First cut: the hashes of all keys, in memory, built by one scan at the first append after opening. A hash that was
// seen before is decided by looking the keys up; that costs a scan, and happens for duplicates and once in billions
// otherwise. A check and the LSN that follows it happen under the table's index lock, so commits to one table with a
// key take turns; other tables are not concerned. Hashes of rows that were later dropped may stay: the look-up decides.

import Synchronization

/// The index of one table, once it is needed.
final class KeyIndexHolder: Sendable {
    /// Nil until it is built.
    let index = Mutex<HashSet64?>(nil)

    /// Memory that the index takes.
    var byteCount: Int { index.withLock { $0?.byteCount ?? 0 } }
}

extension StorageEngine {
    func hasKey(_ table: TableID) -> Bool {
        core.withLock { core in core.writers[table].map { !$0.schema.primaryKey.isEmpty } ?? false }
    }

    /// Commits rows; where their table has a primary key, it is checked first, in the order of commits.
    func commitKeyed(_ request: CommitRequest, _ table: TableID) throws(FirnError) -> AppendResult {
        guard hasKey(table), case .rows(_, let batch, _) = request.change else { return try commit(request) }
        return try commitKeyed(request, table, [KeyedBatch(batch, schema: try schema(of: table))])
    }

    func commitKeyed(
        _ request: CommitRequest, _ table: TableID, _ batches: [KeyedBatch]
    ) throws(FirnError) -> AppendResult {
        let waiter = Waiter<AppendResult>()
        let writer = core.withLock { $0.writers[table] }
        var mustGiveBack = true
        defer { if mustGiveBack { core.withLock { $0.activeBytes -= request.reservedBytes } } }
        guard let writer, !writer.isDropped else { throw Self.missingTable(table) }
        let sequenced: Sequenced = try writer.keyIndex.index.withLock { (index) throws(FirnError) in
            if index == nil { index = try buildKeyIndex(writer.schema) }
            try check(batches, against: index!, writer.schema)
            // From here on `takePlace` gives the reservation back where it refuses.
            mustGiveBack = false
            let sequenced = try takePlace(request, .caller) { waiter.fulfil($0) }
            for batch in batches { for hash in batch.hashes { index!.insert(hash) } }
            return sequenced
        }
        finish(sequenced)
        return try waiter.wait()
    }

    /// Throws 23505 where a key of the batches stands twice in them, or in the table.
    private func check(
        _ batches: [KeyedBatch], against hashes: HashSet64, _ schema: TableSchema
    ) throws(FirnError) {
        var own = HashSet64(capacity: batches.reduce(0) { $0 + $1.rowCount })
        var repeated: Set<UInt64> = []
        var suspects: Set<UInt64> = []
        for batch in batches {
            for hash in batch.hashes {
                if !own.insert(hash) { repeated.insert(hash) }
                if hashes.contains(hash) { suspects.insert(hash) }
            }
        }
        guard !repeated.isEmpty || !suspects.isEmpty else { return }

        var keys: Set<[UInt8]> = []
        for batch in batches {
            for (row, hash) in batch.hashes.enumerated() where repeated.contains(hash) || suspects.contains(hash) {
                guard keys.insert(batch.canonicalBytes(row)).inserted else {
                    throw duplicate(batch, row, schema)
                }
            }
        }
        guard !suspects.isEmpty else { return }
        try scanKeys(schema) { (stored) throws(FirnError) in
            for (row, hash) in stored.hashes.enumerated() where suspects.contains(hash) {
                if keys.contains(stored.canonicalBytes(row)) { throw duplicate(stored, row, schema) }
            }
        }
    }

    private func buildKeyIndex(_ schema: TableSchema) throws(FirnError) -> HashSet64 {
        var hashes = HashSet64()
        try scanKeys(schema) { (stored) throws(FirnError) in for hash in stored.hashes { hashes.insert(hash) } }
        return hashes
    }

    /// Reads the keys of all rows that were committed, those that are not visible yet included.
    private func scanKeys(
        _ schema: TableSchema, _ body: (KeyedBatch) throws(FirnError) -> Void
    ) throws(FirnError) {
        let state = core.withLock { $0.published.tables[schema.id] }
        guard let state else { return }
        let rows = EngineTableSnapshot(lsn: LSN(.max), state: state, access: segmentAccess, identifiers: identifiers)
        for morsel in try rows.morsels(pruning: []) {
            let reader = try morsel.reader(of: schema.primaryKey, pruning: [])
            while let batch = try reader.next() { try body(KeyedBatch(batch.columns, rowCount: batch.rowCount)) }
        }
    }

    private func duplicate(_ batch: KeyedBatch, _ row: Int, _ schema: TableSchema) -> FirnError {
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
