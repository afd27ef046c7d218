// SPDX-License-Identifier: Apache-2.0
//
// What the engine asks of segments: write some, read one, check one.
//
// The engine knows nothing of a segment's inside; `SegmentFiles` is the implementation in the product.

import FirnIO
import SystemPackage

/// Writes and opens the segments of one database. Thread-safe.
protocol SegmentAccess: Sendable {
    /// Files that are written from now on say that they are of this opening of the database.
    func begin(epoch: UInt64)

    /// Writes the rows as segments into a new file and syncs it; the folder is the caller's to sync.
    ///
    /// - Parameter next: the rows of the next segments, asked for when those before them are written; nil at the end.
    func write(
        to path: FilePath, file: FileID, profile: SegmentProfile, chunks: ChunkLocator,
        next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput

    /// What is left of a segment to read when rows outside the ranges are not wanted.
    func morsels(
        of segment: SegmentDescriptor, at path: FilePath, schema: TableSchema, pruning ranges: [ColumnRange]
    ) throws(FirnError) -> [any Morsel]

    /// All that is known about a segment and its columns; reads its pages.
    func description(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentFile.Segment

    /// Bytes of a segment's key index, 0 where it has none.
    func keyIndexByteCount(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> Int

    /// The first of the keys that a row of the segment has; nil where none does.
    func firstMatch(
        of keys: KeyProbe, in segment: SegmentDescriptor, at path: FilePath, schema: TableSchema
    ) throws(FirnError) -> Int?

    /// Forgets what is kept in memory of a file that is about to be removed.
    func forget(_ file: FileID)

    /// Reads every byte of a segment; throws the first damage it finds.
    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError)
}

extension SegmentAccess {
    /// Writes warm segments, as a flush does.
    func write(
        _ inputs: [FlushInput], to path: FilePath, file: FileID, chunks: ChunkLocator
    ) throws(FirnError) -> FlushOutput {
        var rest = inputs[...]
        return try write(to: path, file: file, profile: .warm, chunks: chunks) { () throws(FirnError) in
            rest.popFirst()
        }
    }
}
