// SPDX-License-Identifier: Apache-2.0
//
// What the storage engine tells of its own work, without knowing who listens.

/// Hears of what the engine did. Called on the thread that did it, never under a lock that readers need.
protocol StorageObserver: Sendable {
    func storageDid(_ event: StorageEvent)
}

/// One thing that the engine did.
enum StorageEvent: Sendable {
    /// A commit of rows has its place in the order.
    case appended(rowCount: Int)
    /// Memtables became segments.
    case flushed(rowCount: Int, segmentCount: Int, byteCount: Int64, nanoseconds: UInt64)
    /// Memtables stay in memory: the flush is tried again.
    case flushFailed(FirnError)
    /// A chunk was written anew.
    case rewrote(
        table: String, profile: SegmentProfile, rowCount: Int, bytesBefore: Int64, bytesAfter: Int64,
        nanoseconds: UInt64)
}

/// Nobody listens.
struct NoStorageObserver: StorageObserver {
    func storageDid(_ event: StorageEvent) {}
}
