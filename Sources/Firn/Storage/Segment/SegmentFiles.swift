// SPDX-License-Identifier: Apache-2.0
//
// The engine's segments in the product: written by SegmentFlush, read through SegmentReader and one page cache.
//
// Opened segments (a file handle, the footer, the dictionaries) are kept for the next statement, up to a limit;
// statements that run hold theirs whatever the limit says.

import FirnIO
import Synchronization
import SystemPackage

/// Writes and opens the segments of one database. Thread-safe.
final class SegmentFiles: SegmentAccess {
    /// Most segments that are kept open between statements.
    static let openSegmentsMax = 256

    private struct Key: Hashable {
        let file: FileID
        let byteOffset: Int64
    }

    private struct OpenSegments {
        var readers: [Key: (reader: SegmentReader, lastUse: UInt64)] = [:]
        var useCount: UInt64 = 0
    }

    private let fileSystem: any FileSystem
    private let database: DatabaseID
    private let cache: PageCache
    private let open = Mutex(OpenSegments())

    init(fileSystem: any FileSystem, database: DatabaseID, cacheBytesMax: Int) {
        self.fileSystem = fileSystem
        self.database = database
        cache = PageCache(bytesMax: cacheBytesMax)
    }

    func write(
        _ inputs: [FlushInput], to path: FilePath, file: FileID, chunks: ChunkLocator
    ) throws(FirnError) -> FlushOutput {
        try SegmentFlush.write(
            inputs, to: path, fileSystem: fileSystem, database: database, file: file, chunks: chunks, profile: .warm)
    }

    func morsels(
        of segment: SegmentDescriptor, at path: FilePath, schema: TableSchema, pruning ranges: [ColumnRange]
    ) throws(FirnError) -> [any Morsel] {
        try reader(of: segment, at: path).morsels(schema: schema, pruning: ranges)
    }

    func forget(_ file: FileID) {
        open.withLock { open in
            for key in open.readers.keys where key.file == file { open.readers[key] = nil }
        }
        cache.forget(file)
    }

    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError) {
        let damages = try SegmentFile.verify(path, fileSystem: fileSystem, database: database)
        guard let damage = damages.first else { return }
        throw FirnError(.dataCorrupted, damage.message)
    }

    /// The segment opened, now or before.
    private func reader(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentReader {
        let key = Key(file: segment.file, byteOffset: segment.byteOffset)
        let known = open.withLock { open -> SegmentReader? in
            open.useCount += 1
            open.readers[key]?.lastUse = open.useCount
            return open.readers[key]?.reader
        }
        if let known { return known }
        let opened = try SegmentReader(
            path: path, fileSystem: fileSystem, database: database, descriptor: segment, cache: cache)
        return open.withLock { open in
            // Two statements may open one segment at once; the first kept is the one whose dictionaries all share.
            if let known = open.readers[key] { return known.reader }
            if open.readers.count >= SegmentFiles.openSegmentsMax,
                let oldest = open.readers.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                open.readers[oldest.key] = nil
            }
            open.useCount += 1
            open.readers[key] = (opened, open.useCount)
            return opened
        }
    }
}
