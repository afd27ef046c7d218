// SPDX-License-Identifier: Apache-2.0
//
// The segment files of one database: written by the flush, kept open for readers, up to a limit.
//
// A file is opened once for all its segments, and a segment's footer is read once, for as long as they stay among the
// files used last. Whoever holds a morsel holds its file: closing a file here never pulls it from under a reader.

import FirnIO
import Synchronization
import SystemPackage

/// Writes and opens segments. Thread-safe.
final class SegmentFiles: SegmentAccess {
    /// Files that are kept open where no limit is given: a quarter of the usual limit of a process.
    static let defaultOpenFilesMax = 256

    private struct OpenFile {
        let blocks: SegmentBlocks
        /// By their offsets.
        var readers: [Int64: SegmentReader] = [:]
        var lastUse: UInt64
    }

    private struct State {
        var files: [FileID: OpenFile] = [:]
        var clock: UInt64 = 0
    }

    let cache: PageCache
    private let fileSystem: any FileSystem
    private let database: DatabaseID
    private let openFilesMax: Int
    private let keyHasher: KeyHasher
    private let memory = FlushMemoryKeeper()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - cacheBytesMax: most bytes of verified pages that are kept in memory.
    ///   - openFilesMax: most files that are kept open beside those that running queries hold.
    init(
        fileSystem: any FileSystem, database: DatabaseID, cacheBytesMax: Int = PageCache.defaultBytesMax,
        openFilesMax: Int = defaultOpenFilesMax, keyHashMask: UInt64 = .max
    ) {
        precondition(openFilesMax > 0, "at least one file can be open")
        self.fileSystem = fileSystem
        self.database = database
        self.openFilesMax = openFilesMax
        keyHasher = KeyHasher(database, mask: keyHashMask)
        cache = PageCache(bytesMax: cacheBytesMax)
    }

    func write(
        to path: FilePath, file: FileID, profile: SegmentProfile, chunks: ChunkLocator,
        next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput {
        try memory.withMemory { (memory) throws(FirnError) in
            try SegmentFlush.write(
                to: path, fileSystem: fileSystem, database: database, file: file, chunks: chunks, profile: profile,
                keyHasher: keyHasher, memory: memory, next: next)
        }
    }

    func description(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentFile.Segment {
        try SegmentFile.describe(reader(of: segment, at: path))
    }

    func morsels(
        of segment: SegmentDescriptor, at path: FilePath, schema: TableSchema, pruning ranges: [ColumnRange]
    ) throws(FirnError) -> [any Morsel] {
        try reader(of: segment, at: path).morsels(schema: schema, pruning: ranges, keyHasher: keyHasher)
    }

    func keyIndexByteCount(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> Int {
        try reader(of: segment, at: path).keyIndexByteCount()
    }

    func firstMatch(
        of keys: KeyProbe, in segment: SegmentDescriptor, at path: FilePath, schema: TableSchema
    ) throws(FirnError) -> Int? {
        try reader(of: segment, at: path).firstMatch(of: keys, schema: schema)
    }

    func forget(_ file: FileID) {
        state.withLock { _ = $0.files.removeValue(forKey: file) }
        cache.forget(file)
    }

    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError) {
        let damages = try SegmentFile.verify(segment, at: path, fileSystem: fileSystem, database: database)
        if let first = damages.first { throw first.error }
    }

    // MARK: Open files

    /// Number of files that are kept open.
    var openFileCount: Int { state.withLock { $0.files.count } }

    private func reader(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentReader {
        let (blocks, reader) = state.withLock { state -> (SegmentBlocks?, SegmentReader?) in
            state.clock += 1
            state.files[segment.file]?.lastUse = state.clock
            let file = state.files[segment.file]
            return (file?.blocks, file?.readers[segment.byteOffset])
        }
        if let reader { return reader }
        // No lock is held while a file is opened; of two threads that open it together, the first one's stays.
        let opened =
            if let blocks { blocks } else {
                try SegmentBlocks(path: path, fileSystem: fileSystem, file: segment.file, database: database)
            }
        let made = try SegmentReader(blocks: opened, descriptor: segment, cache: cache)
        return state.withLock { state in
            if let first = state.files[segment.file]?.readers[segment.byteOffset] { return first }
            if state.files[segment.file] == nil {
                if state.files.count >= openFilesMax,
                    let oldest = state.files.min(by: { $0.value.lastUse < $1.value.lastUse })
                {
                    state.files[oldest.key] = nil
                }
                state.files[segment.file] = OpenFile(blocks: opened, lastUse: state.clock)
            }
            state.files[segment.file]!.readers[segment.byteOffset] = made
            return made
        }
    }
}
