// SPDX-License-Identifier: Apache-2.0
//
// Splits the rows of a flush by chunk of time, keeping commit order within each.
//
// The engine is asked once for each chunk that is met, not for each row: the bounds it returns serve all rows that
// lie within them. Batches that lie in one chunk as a whole, as nearly all do, are taken as a whole.

struct ChunkSplitter {
    struct Part {
        let chunk: ChunkBounds
        /// Row numbers in commit order.
        var rows: [UInt32]
    }

    private let table: TableID
    private let time: ColumnSource?
    private let locator: RowLocator

    init(_ schema: TableSchema, _ sources: [ColumnSource], _ locator: RowLocator) {
        table = schema.id
        time = schema.timeColumnIndex.map { sources[$0] }
        self.locator = locator
    }

    /// The parts in ascending order of their chunks.
    func split(_ locate: ChunkLocator) throws(FirnError) -> [Part] {
        guard let time else {
            return [Part(chunk: try locate(table, 0), rows: (0..<UInt32(locator.rowCount)).map { $0 })]
        }
        var parts: [Part] = []
        var current = 0
        for batch in 0..<locator.batchCount {
            let start = locator.batchStarts[batch]
            let count = locator.batchStarts[batch + 1] - start
            let times = UnsafeBufferPointer(
                start: time.values[batch].assumingMemoryBound(to: Int64.self), count: count)
            precondition(time.validity[batch] == nil, "the column by which a table is chunked is NOT NULL")
            var lowest = times[0]
            var highest = lowest
            for time in times {
                lowest = min(lowest, time)
                highest = max(highest, time)
            }
            try find(lowest, locate, &parts, &current)
            if parts[current].chunk.contains(highest) {
                parts[current].rows.append(contentsOf: UInt32(start)..<UInt32(start + count))
                continue
            }
            for (row, time) in times.enumerated() {
                if !parts[current].chunk.contains(time) { try find(time, locate, &parts, &current) }
                parts[current].rows.append(UInt32(start + row))
            }
        }
        return parts.sorted { $0.chunk.start < $1.chunk.start }
    }

    /// Makes `current` the part to which the time belongs.
    private func find(
        _ time: Int64, _ locate: ChunkLocator, _ parts: inout [Part], _ current: inout Int
    ) throws(FirnError) {
        if current < parts.count, parts[current].chunk.contains(time) { return }
        if let index = parts.firstIndex(where: { $0.chunk.contains(time) }) {
            current = index
            return
        }
        let chunk = try locate(table, time)
        precondition(chunk.contains(time), "a chunk holds the time that it was asked for")
        parts.append(Part(chunk: chunk, rows: []))
        current = parts.count - 1
    }
}
