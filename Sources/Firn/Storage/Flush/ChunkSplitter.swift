// SPDX-License-Identifier: Apache-2.0
//
// Splits the rows of a flush by chunk of time, keeping commit order within each.
//
// The engine is asked once for each chunk that is met, not for each row: the bounds it returns serve all rows that
// lie within them. Batches that lie in one chunk as a whole, as nearly all do, are taken as a whole.

struct ChunkSplitter {
    struct Part {
        let chunk: ChunkBounds
        let rows: RowList
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
        let all = RowList.all(locator.rowCount)
        guard let time else { return [Part(chunk: try locate(table, 0), rows: all)] }
        let extremes = (0..<locator.batchCount).map { batch in
            precondition(time.validity[batch] == nil, "the column by which a table is chunked is NOT NULL")
            return Kernels.extremes(
                time.values[batch].assumingMemoryBound(to: Int64.self), count: locator.rowCount(of: batch))
        }
        let lowest = extremes.map(\.min).min()!
        let whole = try locate(table, lowest)
        precondition(whole.contains(lowest), "a chunk holds the time that it was asked for")
        if whole.contains(extremes.map(\.max).max()!) { return [Part(chunk: whole, rows: all)] }
        return try split(time, extremes, Found(chunk: whole), locate)
    }

    /// A chunk that was met, and its rows so far.
    private struct Found {
        let chunk: ChunkBounds
        var rows: [UInt32] = []
    }

    private func split(
        _ time: ColumnSource, _ extremes: [(min: Int64, max: Int64)], _ first: Found, _ locate: ChunkLocator
    ) throws(FirnError) -> [Part] {
        var found = [first]
        var current = 0
        for batch in 0..<locator.batchCount {
            let start = locator.batchStarts[batch]
            let count = locator.rowCount(of: batch)
            let times = time.values[batch].assumingMemoryBound(to: Int64.self)
            try find(extremes[batch].min, locate, &found, &current)
            if found[current].chunk.contains(extremes[batch].max) {
                found[current].rows.append(contentsOf: UInt32(start)..<UInt32(start + count))
                continue
            }
            for row in 0..<count {
                if !found[current].chunk.contains(times[row]) { try find(times[row], locate, &found, &current) }
                found[current].rows.append(UInt32(start + row))
            }
        }
        return found.sorted { $0.chunk.start < $1.chunk.start }.map { Part(chunk: $0.chunk, rows: .some($0.rows)) }
    }

    /// Makes `current` the part to which the time belongs.
    private func find(
        _ time: Int64, _ locate: ChunkLocator, _ found: inout [Found], _ current: inout Int
    ) throws(FirnError) {
        if current < found.count, found[current].chunk.contains(time) { return }
        if let index = found.firstIndex(where: { $0.chunk.contains(time) }) {
            current = index
            return
        }
        let chunk = try locate(table, time)
        precondition(chunk.contains(time), "a chunk holds the time that it was asked for")
        found.append(Found(chunk: chunk))
        current = found.count - 1
    }
}
