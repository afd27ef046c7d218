// SPDX-License-Identifier: Apache-2.0
//
// Appending batches, by a thread that waits or by a task that is called back, within a ceiling of memory.
//
// A batch whose frame would be too large goes the way of a bulk load: its rows are written as segments first.

import FirnIO

extension StorageEngine {
    @discardableResult
    func append(_ batch: ColumnBatch, to table: TableID, durability: Durability?) throws(FirnError) -> AppendResult {
        try checkWritable()
        guard batch.rowCount > 0 else { return AppendResult(lsn: visibleLSN, rowCount: 0) }
        guard var request = try prepare(batch, table, durability) else { return try appendAsBulk(batch, table) }
        let byteCount = Memtable.byteCount(of: batch)
        try reserve(byteCount)
        request.reservedBytes = byteCount
        return try commitKeyed(request, table)
    }

    /// Appends without waiting: `completion` is called once, on the log's thread in the ordinary case, when the rows are
    /// visible and as durable as was asked.
    ///
    /// Encoding happens on the calling thread. Where memory is short, the append is taken up when there is room.
    func appendAsynchronously(
        _ batch: ColumnBatch, to table: TableID, durability: Durability?, completion: @escaping CommitCompletion
    ) {
        do throws(FirnError) {
            try checkWritable()
            guard batch.rowCount > 0 else {
                completion(.success(AppendResult(lsn: visibleLSN, rowCount: 0)))
                return
            }
            guard let request = try prepare(batch, table, durability), !hasKey(table) else {
                // Both read and write files for long: not on a thread that must not wait.
                let accepted = executor.submit("append a large batch") { [self] in
                    completion(Result { () throws(FirnError) in try append(batch, to: table, durability: durability) })
                }
                if accepted == .refused { throw Self.closedError }
                return
            }
            let byteCount = Memtable.byteCount(of: batch)
            let commit: @Sendable () -> Void = { [self] in
                var request = request
                request.reservedBytes = byteCount
                self.commit(request, .logThread, completion: completion)
            }
            switch reserveOrQueue(
                byteCount,
                then: { outcome in
                    switch outcome {
                    case .success: commit()
                    case .failure(let error): completion(.failure(error))
                    }
                })
            {
            case .reserved: commit()
            case .queued: scheduleFlush()
            case .refused(let error): completion(.failure(error))
            }
        } catch {
            completion(.failure(error))
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

    private func appendAsBulk(_ batch: ColumnBatch, _ table: TableID) throws(FirnError) -> AppendResult {
        let load = try beginLoad(into: table)
        do {
            try load.append(batch)
            return try load.commit(.asSegments)
        } catch {
            load.abandon()
            throw error
        }
    }

    // MARK: Memory

    private enum Reservation {
        case reserved, queued
        case refused(FirnError)
    }

    /// Takes memory for rows; waits for a flush, or runs one, where there is none left.
    func reserve(_ byteCount: Int) throws(FirnError) {
        while true {
            let ended = flushesEnded.withLock { $0 }
            let (hasRoom, isScheduled): (Bool, Bool) = try core.withLock { (core) throws(FirnError) in
                if core.phase != .open { throw Self.closedError }
                if let failure = core.failure { throw Self.afterFailure(failure) }
                guard self.hasRoom(for: byteCount, core) else { return (false, core.isFlushScheduled) }
                core.activeBytes += byteCount
                return (true, false)
            }
            if hasRoom { return }
            if options.backpressure == .fail { throw Self.busy }
            if isScheduled, options.startsThreads {
                flushesEnded.wait(until: { $0 != ended }, then: { _ in })
                if let failure = core.withLock({ $0.flushFailure }) { throw Self.noRoom(failure) }
            } else {
                do {
                    try flush(.once)
                } catch {
                    throw Self.noRoom(error)
                }
            }
        }
    }

    private func reserveOrQueue(
        _ byteCount: Int, then resume: @escaping @Sendable (Result<Void, FirnError>) -> Void
    ) -> Reservation {
        core.withLock { core in
            if core.phase != .open { return .refused(Self.closedError) }
            if let failure = core.failure { return .refused(Self.afterFailure(failure)) }
            if core.room.isEmpty, hasRoom(for: byteCount, core) {
                core.activeBytes += byteCount
                return .reserved
            }
            if options.backpressure == .fail { return .refused(Self.busy) }
            core.room.append(RoomWaiter(byteCount: byteCount, resume: resume))
            return .queued
        }
    }

    /// True where rows of so many bytes may come in. A single batch larger than the ceiling comes in alone.
    func hasRoom(for byteCount: Int, _ core: Core) -> Bool {
        let held = core.activeBytes + core.frozenBytes
        return held == 0 || held + byteCount <= options.memoryBytesMax
    }

    private static let busy = FirnError(
        .busy, "memory for unflushed rows is used up", hint: "try again when the flush in progress has made room")

    static func noRoom(_ failure: FirnError) -> FirnError {
        var error = failure
        error.detail = "Memory for unflushed rows is used up, and they cannot be written to a segment."
        return error
    }
}
