// SPDX-License-Identifier: Apache-2.0
//
// How a change becomes a commit: it takes its LSN, is written with others by whoever leads, and becomes visible.
//
// A thread that blocks anyway leads when nobody does: it writes and syncs all that is queued, its own frame among it,
// and hands over when its own is done. Asynchronous appends ring the log's thread instead, which leads for them. While
// one leads the others queue, so one sync serves them all (group commit).
//
// When writing or syncing the log fails, every commit that is not visible fails, and every later one until the log was
// begun anew (StorageEngine+Resumption.swift): nobody knows what the disk holds of the old one. (A sync that failed must
// not be repeated: the kernel may have dropped the pages.)

import FirnIO
import Synchronization

/// A change that is ready to take its place.
struct CommitRequest: Sendable {
    var change: CommitChange
    var frame: EncodedFrame?
    var durability: Durability
    var rowCount: Int
    /// Memory that was reserved for it.
    var reservedBytes = 0
}

extension StorageEngine {
    /// LSNs that may be given out and not synced: recovery skips as many, so that none is ever used twice.
    static let unsyncedCommitsMax: UInt64 = 1 << 20
    /// Bytes of queued frames at which commits of `.memory` wait for the log as those of `.buffered` do.
    private static let queueBytesMax = 64 << 20
    /// Bytes of queued frames at which a commit of `.memory` writes them itself.
    private static let queueBytesToLead = 8 << 20

    // MARK: Taking a place

    /// Who writes the log after a commit has entered its queue.
    enum LeadershipWish {
        /// The caller, when nobody does.
        case caller
        /// The log's thread.
        case logThread
    }

    /// What is left to do once a commit has its LSN.
    struct Sequenced: Sendable {
        /// Calls whose time has come.
        var ready: [@Sendable () -> Void]
        /// The caller has become the leader.
        var mustLead: Bool
        var mustRing: Bool
        var shouldFlush: Bool
    }

    /// Commits and waits until the commit is visible.
    func commit(_ request: CommitRequest) throws(FirnError) -> AppendResult {
        let waiter = Waiter<AppendResult>()
        commit(request, .caller) { waiter.fulfil($0) }
        return try waiter.wait()
    }

    /// Commits; `completion` is called once, perhaps before this returns.
    func commit(_ request: CommitRequest, _ wish: LeadershipWish, completion: @escaping CommitCompletion) {
        do throws(FirnError) {
            finish(try takePlace(request, wish, completion: completion))
        } catch {
            giveBack(request.reservedBytes)
            completion(.failure(error))
        }
    }

    /// Gives a commit its LSN; `finish` must be called with what this returns, outside every lock.
    ///
    /// A commit that is refused takes no place: `completion` is not called then, and what was reserved for it is the
    /// caller's to give back.
    func takePlace(
        _ request: CommitRequest, _ wish: LeadershipWish, completion: @escaping CommitCompletion
    ) throws(FirnError) -> Sequenced {
        let now: UInt64? = needsTime(request) ? timeSource.monotonicNanoseconds() : nil
        return try core.withLock { (core) throws(FirnError) in try sequence(request, wish, now: now, completion, &core)
        }
    }

    /// Tells whose commits became visible, and writes the log or has it written.
    func finish(_ sequenced: Sequenced) {
        for call in sequenced.ready { call() }
        if sequenced.shouldFlush { scheduleFlush() }
        if sequenced.mustLead { lead() }
        if sequenced.mustRing { ringDoorbell() }
    }

    private func needsTime(_ request: CommitRequest) -> Bool {
        if case .buffered = request.durability { return true }
        return options.flushAgeSeconds != nil && request.reservedBytes > 0
    }

    private func sequence(
        _ request: CommitRequest, _ wish: LeadershipWish, now: UInt64?, _ completion: @escaping CommitCompletion,
        _ core: inout Core
    ) throws(FirnError) -> Sequenced {
        if let refusal = refusal(of: request, core) { throw refusal }
        let lsn = core.nextLSN
        core.nextLSN = lsn.next
        enter(request.change, lsn, &core)
        core.reservedBytes -= request.reservedBytes
        core.activeBytes += request.reservedBytes
        // The log's thread sees to what is due later: it is told when there is something.
        var mustRing = false
        if let now, options.flushAgeSeconds != nil, request.reservedBytes > 0, core.oldestActive == nil {
            core.oldestActive = now
            mustRing = true
        }

        var need = PendingCommit.Need.nothing
        if let frame = request.frame {
            switch request.durability {
            case .synced: need = .synced
            case .buffered(let interval):
                need = .written
                let deadline = (now ?? 0).addingReportingOverflow(interval)
                let time = deadline.overflow ? UInt64.max : deadline.partialValue
                if core.syncDeadline.map({ time < $0 }) ?? true {
                    core.syncDeadline = time
                    mustRing = true
                }
            case .memory: need = core.queueBytes > Self.queueBytesMax ? .written : .nothing
            }
            if need == .synced || lsn.rawValue - core.durableLSN.rawValue >= Self.unsyncedCommitsMax {
                core.syncTarget = lsn
            }
            core.queue.append(SequencedFrame(lsn: lsn, frame: frame))
            core.queueBytes += frame.byteCount
        } else {
            core.writtenLSN = lsn
            core.durableLSN = lsn
        }
        core.pending.append(
            PendingCommit(
                lsn: lsn, need: need, change: request.change, rowCount: request.rowCount, completion: completion))
        let ready = core.publishReady()

        var mustLead = false
        if request.frame != nil, !core.isLeading {
            if wish == .caller, need != .nothing || core.queueBytes > Self.queueBytesToLead {
                core.isLeading = true
                mustLead = true
            } else {
                mustRing = true
            }
        }
        return Sequenced(
            ready: ready, mustLead: mustLead, mustRing: mustRing, shouldFlush: shouldScheduleFlush(core))
    }

    private func refusal(of request: CommitRequest, _ core: Core) -> FirnError? {
        if core.phase != .open { return Self.closedError }
        if let failure = core.failure { return Self.afterFailure(failure) }
        switch request.change {
        case .rows(let table, let batch, _):
            guard let writer = core.writers[table], !writer.isDropped else { return Self.missingTable(table) }
            guard writer.schema.columns.count == batch.columns.count else {
                return FirnError(
                    .datatypeMismatch,
                    "table \"\(writer.schema.name)\" has \(writer.schema.columns.count) columns, the rows have "
                        + "\(batch.columns.count)")
            }
        case .bulk(let commit, _):
            guard let writer = core.writers[commit.table], !writer.isDropped else {
                return Self.missingTable(commit.table)
            }
        case .catalog(let changes):
            for change in changes {
                switch change {
                case .putTable(let schema):
                    if let holder = core.names[schema.name], holder != schema.id {
                        return FirnError(.duplicateTable, "relation \"\(schema.name)\" already exists")
                    }
                case .dropTable(let table):
                    guard let writer = core.writers[table], !writer.isDropped else { return Self.missingTable(table) }
                }
            }
        }
        return nil
    }

    static func missingTable(_ table: TableID) -> FirnError {
        FirnError(.undefinedTable, "the table does not exist any more", detail: "Its id was \(table).")
    }

    static func afterFailure(_ failure: FirnError) -> FirnError {
        FirnError(
            failure.code, "the log failed before the change came to it: \(failure.message)",
            hint: failure.hint ?? "try again: the log is begun anew where the disk allows it")
    }

    /// Brings a change into what the next commit is checked against.
    private func enter(_ change: CommitChange, _ lsn: LSN, _ core: inout Core) {
        switch change {
        case .rows(let table, let batch, _):
            core.writers[table]!.active.append(batch, lsn: lsn)
        case .bulk(let commit, _):
            if !Mutant.isPlanted(.mixRowsWithLoad) { core.seal(commit.table) }
            core.unflushed.append(UnflushedChange(lsn: lsn, kind: .bulk(commit.committed(at: lsn))))
        case .catalog(let changes):
            for change in changes {
                core.unflushed.append(UnflushedChange(lsn: lsn, kind: .catalog(change)))
                switch change {
                case .putTable(let schema):
                    if let old = core.writers[schema.id] {
                        core.names[old.schema.name] = nil
                        core.writers[schema.id]!.schema = schema.keepingPick(of: old.schema)
                    } else {
                        core.writers[schema.id] = TableWriter(
                            schema: schema, active: Memtable(), directory: ChunkDirectory())
                    }
                    core.names[schema.name] = schema.id
                case .dropTable(let table):
                    core.names[core.writers[table]!.schema.name] = nil
                    core.writers[table]!.isDropped = true
                }
            }
        }
    }

    // MARK: Leading

    /// Writes and syncs what is queued until nothing is, or hands over to the log's thread. The caller leads already.
    func lead(_ endurance: Endurance = .oneRound) {
        guard let log else { preconditionFailure("only a database with a log has frames to write") }
        leadRounds(endurance, log)
        noteQuiet()
        prepareLogFile(log)
    }

    private func leadRounds(_ endurance: Endurance, _ log: WriteAheadLog) {
        while true {
            let now = core.withLock { $0.syncDeadline != nil } ? timeSource.monotonicNanoseconds() : nil
            let work: (frames: [SequencedFrame], mustSync: Bool, durableLSN: LSN)? = core.withLock { core in
                let mustSync = core.needsSync(now: now)
                guard core.failure == nil, !core.queue.isEmpty || mustSync else {
                    core.isLeading = false
                    return nil
                }
                defer {
                    core.queue = []
                    core.queueBytes = 0
                }
                return (core.queue, mustSync, core.durableLSN)
            }
            guard let work else { break }
            do {
                try log.write(
                    Mutant.isPlanted(.reorderCommits) ? Mutant.reordered(work.frames) : work.frames,
                    durableLSN: work.durableLSN)
                if Mutant.isPlanted(.acknowledgeBeforeSync) { acknowledge(through: work.frames.last?.lsn) }
                if work.mustSync { try log.sync() }
            } catch {
                fail(FirnError(error))
                return
            }
            let ready = core.withLock { core in
                if let last = work.frames.last { core.writtenLSN = last.lsn }
                if work.mustSync {
                    core.durableLSN = core.writtenLSN
                    core.syncDeadline = nil
                }
                return core.publishReady() + core.takeReadySyncWaiters()
            }
            for call in ready { call() }
            if endurance == .oneRound {
                let hasMore = core.withLock { core in
                    if !core.queue.isEmpty || core.needsSync(now: nil) { return true }
                    core.isLeading = false
                    return false
                }
                if !hasMore { break }
                // The log's thread goes on, so that this caller returns; without one the caller does.
                if canRing {
                    core.withLock { $0.isLeading = false }
                    ringDoorbell()
                    break
                }
            }
        }
    }

    /// How long a leader leads.
    enum Endurance {
        /// Until its own commit is done; somebody else takes over.
        case oneRound
        /// Until nothing is queued.
        case untilIdle
    }

    private func prepareLogFile(_ log: WriteAheadLog) {
        guard options.startsThreads, log.needsPreparation else { return }
        executor.submit("prepare log file") { [weak self] in
            // Once the database is being closed nobody needs another file, and it could be in the next opening's way.
            guard let self, let log = self.log, self.beginActivity() else { return }
            defer { self.endActivity() }
            do throws(FirnError) {
                try log.prepareNextFile()
            } catch {
                // The log makes its next file itself when it needs it, and reports what is wrong then.
                self.core.withLock { $0.preparationFailure = error }
            }
        }
    }

    /// Fails all commits that are not visible, and all later ones; those that wait for room among them, which no flush
    /// will make any more. What the log holds of them is taken back first, so that a commit that failed stays one; where
    /// that cannot be done its error says that nobody knows.
    private func fail(_ error: FirnError) {
        // Nobody begins the log anew before what failed was taken back.
        let (commits, waiters, room, writtenLSN, withdrawal) = failing.withLock { _ in
            let (commits, waiters, room, writtenLSN) = core.withLock { core in
                if !Mutant.isPlanted(.goOnAfterFailedSync) { core.failure = error }
                // What is still queued never came to the log.
                let firstQueued = core.queue.first?.lsn ?? core.nextLSN
                core.queue = []
                core.queueBytes = 0
                defer {
                    core.syncWaiters = []
                    core.room = []
                }
                return (core.pending.takeAll(), core.syncWaiters, core.room, LSN(firstQueued.rawValue - 1))
            }
            let withdrawal = commits.isEmpty ? WriteAheadLog.Withdrawal.done : log?.takeBackLastWrite() ?? .done
            // Until here closing waits: what is taken back is written under the lock of the database.
            core.withLock { $0.isLeading = false }
            return (commits, waiters, room, writtenLSN, withdrawal)
        }
        noteQuiet()
        for commit in commits {
            let isUnknown = withdrawal == .impossible && commit.lsn <= writtenLSN
            commit.completion(.failure(isUnknown ? Self.unknownOutcome(error) : error))
        }
        for waiter in waiters { waiter.completion(.failure(error)) }
        for waiter in room { waiter.resume(.failure(Self.afterFailure(error))) }
    }

    /// The error of a commit that may or may not be found by the next opening.
    private static func unknownOutcome(_ error: FirnError) -> FirnError {
        FirnError(
            .outcomeUnknown, "nobody knows whether the change was committed: \(error.message)",
            hint: "once the disk works again, look whether the change is there")
    }

    // MARK: Syncing

    /// Makes every commit up to now durable, whatever its level.
    func sync() throws(FirnError) {
        guard log != nil else { return }
        try goOnAfterFailure()
        try syncThrough(core.withLock { LSN($0.nextLSN.rawValue - 1) })
    }

    /// Waits until every commit up to `lsn` is durable.
    func syncThrough(_ lsn: LSN) throws(FirnError) {
        let waiter = Waiter<Void>()
        syncThrough(lsn, .caller) { waiter.fulfil($0) }
        try waiter.wait()
    }

    /// Makes every commit up to `lsn` durable; `completion` is called once, perhaps before this returns.
    private func syncThrough(
        _ lsn: LSN, _ wish: LeadershipWish, then completion: @escaping @Sendable (Result<Void, FirnError>) -> Void
    ) {
        guard log != nil else { return completion(.success(())) }
        let (outcome, mustLead): (Result<Void, FirnError>?, Bool) = core.withLock { core in
            if core.phase == .closed { return (.failure(Self.closedError), false) }
            if let failure = core.failure { return (.failure(Self.afterFailure(failure)), false) }
            guard core.durableLSN < lsn else { return (.success(()), false) }
            core.syncTarget = max(core.syncTarget, lsn)
            core.syncWaiters.append(SyncWaiter(lsn: lsn, completion: completion))
            guard wish == .caller, !core.isLeading else { return (nil, false) }
            core.isLeading = true
            return (nil, true)
        }
        if let outcome { return completion(outcome) }
        if mustLead { lead() }
        // Who leads already finds what is asked; where nobody does the log's thread begins.
        if wish == .logThread { ringDoorbell() }
    }

    /// Answers that something is there already, once it is durable: a report on which the caller may act.
    ///
    /// The row that was met may be one that still waits for its sync, or that nobody asked to sync.
    func report(
        _ duplicate: FirnError, to request: CommitRequest, _ wish: LeadershipWish,
        _ completion: @escaping CommitCompletion
    ) {
        guard case .synced = request.durability else { return completion(.failure(duplicate)) }
        syncThrough(core.withLock { LSN($0.nextLSN.rawValue - 1) }, wish) { outcome in
            switch outcome {
            case .success: completion(.failure(duplicate))
            case .failure(let error): completion(.failure(error))
            }
        }
    }

    // MARK: The log's thread

    private var canRing: Bool { options.startsThreads }

    /// Wakes the log's thread.
    func ringDoorbell() {
        guard canRing else { return }
        doorbell.withLock { $0.isRung = true }
        doorbell.signal()
    }

    /// Starts the log's thread, with the engine: a system that has none to give says so before anything is committed.
    func startLogThread() throws(FirnError) {
        let doorbell = doorbell
        do {
            let thread = try DedicatedThread(name: "firn-log") { [weak self] in
                while true {
                    // Not held while it waits, so that an engine nobody uses goes away.
                    let timeout = self?.nanosecondsToDeadline()
                    let isStopped = Self.waitForRing(doorbell, timeoutNanoseconds: timeout)
                    guard !isStopped, let engine = self else { return }
                    engine.tick()
                }
            }
            logThread.withLock { $0 = thread }
        } catch {
            throw FirnError(.outOfMemory, "cannot start threads: \(error)")
        }
    }

    private static func waitForRing(_ doorbell: ConditionLock<Doorbell>, timeoutNanoseconds: UInt64?) -> Bool {
        func answer(_ bell: inout Doorbell) -> Bool {
            bell.isRung = false
            return bell.isStopped
        }
        guard let timeoutNanoseconds else {
            return doorbell.wait(until: { $0.isRung || $0.isStopped }, then: { answer(&$0) })
        }
        return doorbell.wait(
            until: { $0.isRung || $0.isStopped }, timeoutNanoseconds: timeoutNanoseconds, then: { answer(&$0) })
            ?? false
    }

    private func nanosecondsToDeadline() -> UInt64? {
        let (sync, oldest, isScheduled) = core.withLock { ($0.syncDeadline, $0.oldestActive, $0.isFlushScheduled) }
        var deadline = sync
        // While a flush is on its way nothing is due on account of age; its end rings.
        if let oldest, !isScheduled, let age = flushAgeNanoseconds {
            let (flush, overflow) = oldest.addingReportingOverflow(age)
            deadline = min(deadline ?? .max, overflow ? .max : flush)
        }
        guard let deadline else { return nil }
        let now = timeSource.monotonicNanoseconds()
        return deadline > now ? deadline - now : 0
    }

    private var flushAgeNanoseconds: UInt64? {
        options.flushAgeSeconds.map { seconds in
            let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            return overflow ? .max : nanoseconds
        }
    }

    /// Does what is due: writes what is queued, syncs what has waited long enough, schedules a flush of old rows.
    func tick() {
        let now = timeSource.monotonicNanoseconds()
        let (mustLead, mustFlush) = core.withLock { core in
            var mustLead = false
            if log != nil, core.failure == nil, core.phase != .closed, !core.isLeading,
                !core.queue.isEmpty || core.needsSync(now: now)
            {
                core.isLeading = true
                mustLead = true
            }
            var mustFlush = false
            if let oldest = core.oldestActive, let age = flushAgeNanoseconds, !core.isFlushScheduled {
                mustFlush = now - min(oldest, now) >= age
            }
            return (mustLead, mustFlush)
        }
        if mustLead { lead(.untilIdle) }
        if mustFlush { scheduleFlush() }
    }

    func stopLogThread() {
        doorbell.withLock { $0.isStopped = true }
        doorbell.broadcast()
        // Not joined: the last reference to the engine may go on that thread itself.
    }
}

/// Where a blocked thread waits for the outcome of its commit.
final class Waiter<Success: Sendable>: Sendable {
    private let outcome = ConditionLock<Result<Success, FirnError>?>(nil)

    func fulfil(_ result: Result<Success, FirnError>) {
        outcome.withLock { $0 = result }
        outcome.signal()
    }

    var isFulfilled: Bool { outcome.withLock { $0 != nil } }

    func wait() throws(FirnError) -> Success {
        try outcome.wait(until: { $0 != nil }, then: { $0! }).get()
    }
}
