// SPDX-License-Identifier: Apache-2.0
//
// The chunks of one table: which one a time belongs to, and the making of new ones.
//
// Chunks are half-open ranges of time that never overlap. A new one is aligned to the epoch by the interval that holds
// at that moment and cut where a neighbour is in the way, so a changed interval never makes two overlap. Times at both
// ends of Int64 (-infinity, infinity, far years) saturate: the last chunk includes `Int64.max`.
//
// A chunk that nothing was written to is in memory alone: the manifest learns of it with its first segment.

import Synchronization

/// The chunks of a table, in ascending order. Thread-safe.
final class ChunkDirectory: Sendable {
    private let chunks: Mutex<[ChunkBounds]>

    init(_ chunks: some Collection<ChunkBounds> = []) {
        self.chunks = Mutex(chunks.sorted { $0.start < $1.start })
    }

    /// All chunks, in ascending order.
    var all: [ChunkBounds] { chunks.withLock { $0 } }

    /// Adds a chunk that a log frame or the manifest names, unless it is there.
    func insert(_ bounds: ChunkBounds) {
        chunks.withLock { chunks in
            let position = Self.position(of: bounds.start, in: chunks)
            if position < chunks.count, chunks[position].id == bounds.id { return }
            if position > 0, chunks[position - 1].id == bounds.id { return }
            chunks.insert(bounds, at: position)
        }
    }

    /// The chunk for `time`, made where there is none.
    ///
    /// - Parameter interval: length of a new chunk in the unit of the times; nil for a table that is one chunk.
    func locate(_ time: Int64, interval: Int64?, newID: () -> ChunkID) -> ChunkBounds {
        chunks.withLock { chunks in
            // The first chunk that begins after `time`.
            let position = Self.position(of: time, in: chunks, after: true)
            if position > 0, chunks[position - 1].contains(time) { return chunks[position - 1] }
            var (start, end) = interval.map { Self.aligned(time, interval: $0) } ?? (.min, .max)
            if position > 0 { start = max(start, chunks[position - 1].end) }
            if position < chunks.count { end = min(end, chunks[position].start) }
            let bounds = ChunkBounds(id: newID(), start: start, end: end)
            chunks.insert(bounds, at: position)
            return bounds
        }
    }

    /// The interval-aligned range around `time`, saturated at the ends of Int64.
    static func aligned(_ time: Int64, interval: Int64) -> (start: Int64, end: Int64) {
        precondition(interval > 0, "a chunk has a positive length")
        let remainder = time % interval
        let intoChunk = remainder < 0 ? remainder + interval : remainder
        let (start, underflow) = time.subtractingReportingOverflow(intoChunk)
        if underflow {
            // `time` lies in the first, incomplete interval: it ends where the next multiple begins.
            return (.min, time + (interval - intoChunk))
        }
        let (end, overflow) = start.addingReportingOverflow(interval)
        return (start, overflow ? .max : end)
    }

    /// Where a chunk that starts at `start` belongs; `after` puts it behind one with the same start.
    private static func position(of start: Int64, in chunks: [ChunkBounds], after: Bool = false) -> Int {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle].start < start || (after && chunks[middle].start == start) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

extension ChunkingPolicy {
    /// The policy of a table with exactly one NOT NULL timestamp column; nil for others.
    static func byDefault(_ columns: [ColumnDefinition], intervalSeconds: Int64) -> ChunkingPolicy? {
        let candidates = columns.filter { !$0.isNullable && $0.type.isTimestamp }
        guard candidates.count == 1, let column = candidates.first else { return nil }
        return ChunkingPolicy(
            column: column.id, interval: interval(seconds: intervalSeconds, of: column.type), isHypertable: false)
    }

    /// A length in the unit of a time column: at least one, and at most all of time.
    static func interval(seconds: Int64, of type: DataType) -> Int64 {
        let unitsPerSecond: Int64 =
            switch type {
            case .timestamptz(.nanoseconds), .timestamp(.nanoseconds): 1_000_000_000
            default: 1_000_000
            }
        let (interval, overflow) = max(seconds, 0).multipliedReportingOverflow(by: unitsPerSecond)
        return overflow ? .max : max(interval, 1)
    }
}
