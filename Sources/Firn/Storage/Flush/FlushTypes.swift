// SPDX-License-Identifier: Apache-2.0
//
// What goes into a flush and what comes out: rows of some tables in commit order, and the segments made of them.

/// Rows of one table that are to become segments.
struct FlushInput: Sendable {
    var schema: TableSchema
    /// Positional batches with all columns of the schema, in commit order, checked against it.
    var batches: [ColumnBatch]
    /// The commits that the batches hold; for a bulk load, whose commit is still to come, `.zero ... .zero`.
    var lsnRange: ClosedRange<LSN>
}

/// The chunk to which a time belongs: all rows of its table with `start <= time < end`.
struct ChunkBounds: Sendable, Hashable {
    var id: ChunkID
    /// Inclusive, in the unit of the time column.
    var start: Int64
    /// Exclusive; `Int64.max` includes infinity itself, which nothing lies beyond.
    var end: Int64

    /// True where a row with this time belongs here.
    func contains(_ time: Int64) -> Bool { time >= start && (time < end || end == .max) }
}

/// Finds or makes the chunk for a time. A table without chunking is asked once, for time 0, and is one chunk.
typealias ChunkLocator = (_ table: TableID, _ time: Int64) throws(FirnError) -> ChunkBounds

/// What a flush wrote.
struct FlushOutput: Sendable {
    /// One table of the input.
    struct Table: Sendable {
        var table: TableID
        /// In ascending order of their chunks' starts; none where the table had no rows.
        var segments: [SegmentDescriptor]
        /// The sort key that was chosen, for the schema to record: empty where no column is worth it. Nil where the
        /// schema has one already, and where the rows were too few to tell.
        var pickedSortKey: [ColumnID]?
    }
    /// One for each input, in its order.
    var tables: [Table]
    /// Bytes of the file.
    var fileByteCount: Int64
}
