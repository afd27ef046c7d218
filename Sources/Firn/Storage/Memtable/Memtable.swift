// SPDX-License-Identifier: Apache-2.0
//
// The rows of one table that no segment holds yet: immutable batches in commit order, each with its LSN.
//
// A batch enters when its commit takes its LSN, before it is durable; readers take the prefix up to the LSN that they
// see. A memtable is active (it takes batches) until it is frozen, and then waits for its flush. The list is a plain
// array: a reader keeps a reference, and the next append copies what a reader still holds, which costs no more than
// the reading did.

import Synchronization

/// One table's unflushed rows. Thread-safe.
final class Memtable: Sendable {
    struct Entry: Sendable {
        var lsn: LSN
        var batch: ColumnBatch
        /// Rows of the memtable up to and with this batch.
        var rowCountThrough: Int
    }

    private struct Content {
        var entries: [Entry] = []
        var byteCount = 0
    }
    private let content = Mutex(Content())

    /// Memory that the batches are accounted with.
    var byteCount: Int { content.withLock { $0.byteCount } }

    /// Memory that a batch takes beside its values: array headers, the entry, the boxes of columns.
    static func overheadBytes(columnCount: Int) -> Int { 96 + columnCount * 96 }

    /// Memory that a batch is accounted with.
    static func byteCount(of batch: ColumnBatch) -> Int {
        batch.byteCount + overheadBytes(columnCount: batch.columns.count)
    }

    /// Adds the batch of a commit; LSNs ascend.
    func append(_ batch: ColumnBatch, lsn: LSN) {
        content.withLock { content in
            let rowCount = content.entries.last?.rowCountThrough ?? 0
            precondition(content.entries.last.map { $0.lsn < lsn } ?? true, "commits enter a memtable in their order")
            content.entries.append(Entry(lsn: lsn, batch: batch, rowCountThrough: rowCount + batch.rowCount))
            content.byteCount += Self.byteCount(of: batch)
        }
    }

    /// The first commit; nil while there is none.
    var firstLSN: LSN? { content.withLock { $0.entries.first?.lsn } }

    var isEmpty: Bool { content.withLock { $0.entries.isEmpty } }

    /// The commits up to `lsn`, in their order.
    func entries(through lsn: LSN) -> ArraySlice<Entry> {
        let all = content.withLock { $0.entries }
        return all[..<Self.count(through: lsn, in: all)]
    }

    /// The same commits up to `lsn`, without those behind it; nil where there are none.
    func cut(after lsn: LSN) -> Memtable? {
        let kept = entries(through: lsn)
        guard let last = kept.last else { return nil }
        if content.withLock({ $0.entries.last?.lsn == last.lsn }) { return self }
        let memtable = Memtable()
        for entry in kept { memtable.append(entry.batch, lsn: entry.lsn) }
        return memtable
    }

    /// Number of rows of the commits up to `lsn`. O(log commits).
    func rowCount(through lsn: LSN) -> Int {
        content.withLock { content in
            let count = Self.count(through: lsn, in: content.entries)
            return count == 0 ? 0 : content.entries[count - 1].rowCountThrough
        }
    }

    private static func count(through lsn: LSN, in entries: [Entry]) -> Int {
        if entries.last.map({ $0.lsn <= lsn }) ?? true { return entries.count }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].lsn <= lsn { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
