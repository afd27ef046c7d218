// SPDX-License-Identifier: Apache-2.0
//
// Appending batches, by a thread that waits or by a task that is called back, within a ceiling of memory.
//
// A batch whose frame would be too large goes the way of a bulk load: its rows are written as segments first.

import FirnIO

extension StorageEngine {
    @discardableResult
    func append(_ batch: ColumnBatch, to table: TableID, durability: Durability?) throws(FirnError) -> AppendResult {
        try prepareToWrite()
        guard batch.rowCount > 0 else { return AppendResult(lsn: visibleLSN, rowCount: 0) }
        guard var request = try prepare(batch, table, durability) else {
            return try appendAsBulk(batch, table, durability)
        }
        let keys = try keyedRows(of: request, table)
        let byteCount = Memtable.byteCount(of: batch)
        try reserve(byteCount)
        request.reservedBytes = byteCount
        if let keys { return try commitKeyed(request, keys) }
        return try commit(request)
    }

    /// Appends without waiting: `completion` is called once, on the log's thread in the ordinary case, when the rows are
    /// visible and as durable as was asked.
    ///
    /// Encoding and hashing happen on the calling thread. Where memory is short, the append is taken up when there is
    /// room; where its table has a primary key, the keys are looked up on a thread for it, once there is room, and
    /// nobody there waits for the sync.
    func appendAsynchronously(
        _ batch: ColumnBatch, to table: TableID, durability: Durability?, completion: @escaping CommitCompletion
    ) {
        do throws(FirnError) {
            try checkWritable()
            if hasFailed {
                // The log is begun anew on a thread that may wait for the disk.
                let accepted = executor.submit("begin the log anew") { [self] in
                    do throws(FirnError) {
                        try goOnAfterFailure()
                        appendAsynchronously(batch, to: table, durability: durability, completion: completion)
                    } catch {
                        completion(.failure(error))
                    }
                }
                if accepted == .refused { throw Self.closedError }
                return
            }
            guard batch.rowCount > 0 else {
                completion(.success(AppendResult(lsn: visibleLSN, rowCount: 0)))
                return
            }
            guard let request = try prepare(batch, table, durability) else {
                // Writes a file of its own, and needs no room.
                let accepted = executor.submit("append a large batch") { [self] in
                    completion(Result { () throws(FirnError) in try appendAsBulk(batch, table, durability) })
                }
                if accepted == .refused { throw Self.closedError }
                return
            }
            let keys = try keyedRows(of: request, table)
            let byteCount = Memtable.byteCount(of: batch)
            let proceed: @Sendable () -> Void = { [self] in
                var request = request
                request.reservedBytes = byteCount
                append(request, keys, completion)
            }
            switch reserveOrQueue(
                byteCount,
                then: { outcome in
                    switch outcome {
                    case .success: proceed()
                    case .failure(let error): completion(.failure(error))
                    }
                })
            {
            case .reserved: proceed()
            case .queued: scheduleFlush()
            case .refused(let error): throw error
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// Commits rows that have room, without waiting.
    private func append(_ request: CommitRequest, _ keys: KeyedRows?, _ completion: @escaping CommitCompletion) {
        guard let keys else { return commit(request, .logThread, completion: completion) }
        let accepted = keyExecutor.submit("check keys") { [self] in
            commitKeyed(request, keys, .logThread, completion: completion)
        }
        if accepted == .refused {
            giveBack(request.reservedBytes)
            completion(.failure(Self.closedError))
        }
    }

    /// The frame and the request of a batch; nil where the frame would be too large.
    private func prepare(
        _ batch: ColumnBatch, _ table: TableID, _ durability: Durability?
    ) throws(FirnError) -> CommitRequest? {
        let schema = try schema(of: table)
        guard batch.columns.count == schema.columns.count,
            zip(batch.columns, schema.columns).allSatisfy({ $0.type.physical == $1.type.physical })
        else {
            throw FirnError(
                .datatypeMismatch, "the rows do not have the columns of table \"\(schema.name)\"",
                hint: "check them against the schema first (RowValidation)")
        }
        let byteCount = batch.byteCount
        var frame: EncodedFrame?
        if log != nil {
            // What is certain to be too large is not encoded first. A dictionary adds to the bytes of its codes.
            if byteCount > WALFrameHeader.payloadBytesMax * 2 { return nil }
            frame = EncodedFrame(
                .rows, reservingBytes: byteCount + byteCount / 8 + 256,
                compression: Self.isTextHeavy(batch, byteCount) ? .tried : .none
            ) { RowsCodec.encode(batch, columns: schema.columns, table: table, into: &$0) }
            if frame == nil { return nil }
        }
        return CommitRequest(
            change: .rows(table, batch, byteCount: byteCount), frame: frame,
            durability: durability ?? options.durability,
            rowCount: batch.rowCount)
    }

    /// True where plain text makes up most of the batch: numbers rarely shrink enough to be worth the time.
    private static func isTextHeavy(_ batch: ColumnBatch, _ byteCount: Int) -> Bool {
        var textBytes = 0
        for case .bytes(let values) in batch.columns.map(\.values) { textBytes += values.bytes.count }
        return textBytes * 2 > byteCount
    }

    /// The schema that the next commit is checked against.
    func schema(of table: TableID) throws(FirnError) -> TableSchema {
        let writer = core.withLock { $0.writers[table] }
        guard let writer, !writer.isDropped else { throw Self.missingTable(table) }
        return writer.schema
    }

    private func appendAsBulk(
        _ batch: ColumnBatch, _ table: TableID, _ durability: Durability?
    ) throws(FirnError) -> AppendResult {
        let load = try beginLoad(into: table, durability: durability)
        do {
            try load.append(batch)
            return try load.commit(.asSegments)
        } catch {
            load.abandon()
            throw error
        }
    }
}
