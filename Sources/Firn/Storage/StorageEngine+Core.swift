// SPDX-License-Identifier: Apache-2.0
//
// The state of an engine that changes with every commit; all of it under one lock that is never held across I/O.
//
// Two views of the catalog lie side by side: `writers` and `names` are as the last *sequenced* commit left them, what
// the next commit is checked against; `published` is as the last *visible* commit left it, what snapshots see.

import FirnIO

/// Called once with what became of a commit, on the thread that found out.
typealias CommitCompletion = @Sendable (Result<AppendResult, FirnError>) -> Void

/// A table as the next commit finds it.
struct TableWriter: Sendable {
    var schema: TableSchema
    var active: Memtable
    /// Closed by a bulk commit that came after their rows, and taken by no flush yet, oldest first.
    var sealed: [Memtable] = []
    /// Taken by a flush, oldest first.
    var frozen: [Memtable] = []
    let directory: ChunkDirectory
    let keyIndex = KeyIndexHolder()
    /// A drop has taken its LSN, and is not visible yet.
    var isDropped = false

    /// All of them, in commit order.
    var memtables: [Memtable] { frozen + sealed + [active] }
    /// Bytes of the rows that no flush has taken.
    var activeBytes: Int { sealed.reduce(active.byteCount) { $0 + $1.byteCount } }
}

/// What a commit changes.
enum CommitChange: Sendable {
    case rows(TableID, ColumnBatch, byteCount: Int)
    case catalog([CatalogChange])
    case bulk(BulkCommit, [DataFile])
}

/// A change that no manifest edit holds yet and that is no row of a memtable.
struct UnflushedChange: Sendable {
    enum Kind: Sendable {
        case catalog(CatalogChange)
        case bulk(BulkCommit)
    }
    var lsn: LSN
    var kind: Kind
}

/// A commit that has its LSN and is not visible.
struct PendingCommit: Sendable {
    /// What must have happened before it is visible.
    enum Need: Sendable {
        case nothing, written, synced
    }
    var lsn: LSN
    var need: Need
    var change: CommitChange
    var rowCount: Int
    var completion: CommitCompletion
}

/// Somebody who waits for an LSN to be durable.
struct SyncWaiter: Sendable {
    var lsn: LSN
    var completion: @Sendable (Result<Void, FirnError>) -> Void
}

/// An append that waits for memory.
struct RoomWaiter: Sendable {
    var byteCount: Int
    var resume: @Sendable (Result<Void, FirnError>) -> Void
}

/// Commits in LSN order: taken from the front, added at the end. Amortised O(1).
struct CommitQueue: Sendable {
    private var commits: [PendingCommit?] = []
    private var head = 0

    var first: PendingCommit? { head < commits.count ? commits[head] : nil }
    var isEmpty: Bool { head == commits.count }

    mutating func append(_ commit: PendingCommit) { commits.append(commit) }

    mutating func removeFirst() {
        commits[head] = nil
        head += 1
        if head == commits.count || head >= 1_024 {
            commits.removeFirst(head)
            head = 0
        }
    }

    mutating func takeAll() -> [PendingCommit] {
        defer {
            commits = []
            head = 0
        }
        return commits[head...].compactMap { $0 }
    }
}

struct Core: Sendable {
    enum Phase: Sendable {
        case open, closing, closed
    }

    var phase = Phase.open
    /// Why nothing can be committed, until the log is begun anew.
    var failure: FirnError?

    // The order of commits: visible <= durable or written as each asks <= next.
    var nextLSN: LSN
    var visibleLSN: LSN
    var writtenLSN: LSN
    var durableLSN: LSN

    /// Frames that no leader has taken, in LSN order.
    var queue: [SequencedFrame] = []
    var queueBytes = 0
    var pending = CommitQueue()
    var syncWaiters: [SyncWaiter] = []
    /// True while a thread writes and syncs the log.
    var isLeading = false
    /// Somebody waits for everything up to here to be durable.
    var syncTarget = LSN.zero
    /// When what was written must be synced at last, by the monotonic clock.
    var syncDeadline: UInt64?

    var writers: [TableID: TableWriter] = [:]
    var names: [String: TableID] = [:]
    var published = DatabaseState()
    var unflushed: [UnflushedChange] = []
    /// Data files that were given an id and are in no manifest edit.
    var unfinishedFiles: Set<FileID> = []

    /// Bytes of rows in memtables that no flush has taken.
    var activeBytes: Int
    /// Bytes of rows in memtables that a flush has taken.
    var frozenBytes = 0
    /// Bytes that appends were given room for which have no LSN yet: each enters a memtable soon, or gives them back.
    var reservedBytes = 0
    /// When the oldest row that no flush has taken came, by the monotonic clock.
    var oldestActive: UInt64?
    /// Appends that wait for room, first come first served.
    var room: [RoomWaiter] = []
    /// Somebody is resuming those who wait for room, and looks again when he is done.
    var isGrantingRoom = false
    /// A flush was handed to the executor and has not ended.
    var isFlushScheduled = false
    /// Why the last flush failed; nil after one that succeeded.
    var flushFailure: FirnError?
    /// Hears of commits.
    var observer: any StorageObserver = NoStorageObserver()
    /// Why the next file of the log could not be prepared; the log makes one itself then.
    var preparationFailure: FirnError?
    /// Pieces of work that write files beside the leader's and the flusher's; closing waits for them.
    var activityCount = 0

    init(nextLSN: LSN, memoryBytes: Int) {
        self.nextLSN = nextLSN
        let last = LSN(nextLSN.rawValue - 1)
        visibleLSN = last
        writtenLSN = last
        durableLSN = last
        activeBytes = memoryBytes
    }

    /// True when the leader must sync whatever it writes.
    func needsSync(now: UInt64?) -> Bool {
        if syncTarget > durableLSN { return true }
        if let syncDeadline, let now { return syncDeadline <= now }
        return false
    }

    /// Makes commits visible, in LSN order, for as long as each has what it needs; returns what to tell whom.
    mutating func publishReady() -> [@Sendable () -> Void] {
        var calls: [@Sendable () -> Void] = []
        while let commit = pending.first {
            switch commit.need {
            case .synced where commit.lsn > durableLSN: return calls
            case .written where commit.lsn > writtenLSN: return calls
            default: break
            }
            pending.removeFirst()
            publish(commit.change, commit.lsn)
            visibleLSN = commit.lsn
            let result = AppendResult(lsn: commit.lsn, rowCount: commit.rowCount)
            let completion = commit.completion
            let observer = observer
            calls.append {
                if result.rowCount > 0 { observer.storageDid(.appended(rowCount: result.rowCount)) }
                completion(.success(result))
            }
        }
        return calls
    }

    /// Takes those who wait for an LSN that is durable now.
    mutating func takeReadySyncWaiters() -> [@Sendable () -> Void] {
        guard !syncWaiters.isEmpty else { return [] }
        let durableLSN = durableLSN
        let ready = syncWaiters.filter { $0.lsn <= durableLSN }
        syncWaiters.removeAll { $0.lsn <= durableLSN }
        return ready.map { waiter in { waiter.completion(.success(())) } }
    }

    /// Bytes that count towards the ceiling.
    var heldBytes: Int { activeBytes + frozenBytes + reservedBytes }

    /// Closes a table's memtable, so that what commits next comes behind its rows wherever they are written.
    mutating func seal(_ table: TableID) {
        guard let writer = writers[table], !writer.active.isEmpty else { return }
        let next = Memtable()
        writers[table]!.sealed.append(writer.active)
        writers[table]!.active = next
        published.tables[table]?.memtables.append(next)
    }

    /// Sums up the memtables that wait for their flush.
    mutating func countFrozenBytes() {
        frozenBytes = writers.values.reduce(0) { sum, writer in writer.frozen.reduce(sum) { $0 + $1.byteCount } }
    }

    private mutating func publish(_ change: CommitChange, _ lsn: LSN) {
        switch change {
        case .rows: break
        case .catalog(let changes):
            for change in changes {
                switch change {
                case .putTable(let schema):
                    let writer = writers[schema.id]
                    published.put(
                        schema.keepingPick(of: published.tables[schema.id]?.schema),
                        memtables: writer?.memtables ?? [], directory: writer?.directory ?? ChunkDirectory())
                case .dropTable(let id):
                    published.drop(id)
                    if let writer = writers.removeValue(forKey: id) { activeBytes -= writer.activeBytes }
                    countFrozenBytes()
                }
            }
        case .bulk(let commit, let files):
            for descriptor in commit.committed(at: lsn).segments {
                guard let file = files.first(where: { $0.id == descriptor.file }) else {
                    preconditionFailure("a bulk commit brings the files of its segments")
                }
                published.tables[commit.table]?.add(StoredSegment(descriptor, in: file))
            }
        }
    }
}

extension TableSchema {
    /// This schema with the sort key that a flush picked meanwhile, unless one is declared.
    func keepingPick(of other: TableSchema?) -> TableSchema {
        guard sortKey == nil, let picked = other?.sortKey else { return self }
        var schema = self
        schema.sortKey = picked
        return schema
    }
}

/// Rings when the log has work.
struct Doorbell: Sendable {
    var isRung = false
    var isStopped = false
}
