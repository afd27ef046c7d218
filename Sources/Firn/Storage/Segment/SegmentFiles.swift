// SPDX-License-Identifier: Apache-2.0
//
// The segment files of one database: written by the flush, read through bounded caches.
//
// Three caches, each with a limit of its own: descriptors of files (OpenFiles.swift), footers with what belongs to them,
// and pages. Whoever reads holds what it reads: nothing is pulled from under a reader.

import FirnIO
import Synchronization
import SystemPackage

/// Writes and opens segments. Thread-safe.
final class SegmentFiles: SegmentAccess {
    /// Most bytes of footers and dictionaries where no limit is given: 64 MiB.
    static let defaultFooterBytesMax = 64 << 20

    /// Verified pages.
    let cache: PageCache
    /// Opened segments by the place where they begin.
    private let footers: PageCache
    let openFiles: OpenFiles
    private let fileSystem: any FileSystem
    private let database: DatabaseID
    private let keyHasher: KeyHasher
    private let memory = FlushMemoryKeeper()
    private let epoch = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - cacheBytesMax: most bytes of verified pages that are kept in memory.
    ///   - footerBytesMax: most bytes of footers and dictionaries that are kept in memory.
    ///   - openFilesMax: most files that are kept open; nil: by the limit of the process.
    init(
        fileSystem: any FileSystem, database: DatabaseID, cacheBytesMax: Int = PageCache.defaultBytesMax,
        footerBytesMax: Int = defaultFooterBytesMax, openFilesMax: Int? = nil, keyHashMask: UInt64 = .max
    ) {
        self.fileSystem = fileSystem
        self.database = database
        keyHasher = KeyHasher(database, mask: keyHashMask)
        cache = PageCache(bytesMax: cacheBytesMax)
        footers = PageCache(bytesMax: footerBytesMax)
        openFiles = OpenFiles(fileSystem: fileSystem, countMax: openFilesMax ?? OpenFiles.defaultCountMax)
    }

    func begin(epoch: UInt64) { self.epoch.store(epoch, ordering: .releasing) }

    func write(
        to path: FilePath, file: FileID, profile: SegmentProfile, chunks: ChunkLocator,
        next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput {
        try memory.withMemory { (memory) throws(FirnError) in
            try SegmentFlush.write(
                to: path, fileSystem: fileSystem, database: database, file: file,
                epoch: epoch.load(ordering: .acquiring), chunks: chunks, profile: profile, keyHasher: keyHasher,
                memory: memory, next: next)
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
        openFiles.forget(file)
        footers.forget(file)
        cache.forget(file)
    }

    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError) {
        let damages = try SegmentFile.verify(segment, at: path, fileSystem: fileSystem, database: database)
        if let first = damages.first { throw first.error }
    }

    // MARK: Opened segments

    /// Number of files that are kept open.
    var openFileCount: Int { openFiles.count }

    private func reader(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentReader {
        let key = PageCache.Key(file: segment.file, byteOffset: segment.byteOffset)
        let block = try footers.block(key) { () throws(FirnError) in
            let blocks = try SegmentBlocks(
                path: path, openFiles: openFiles, file: segment.file, database: database)
            let reader = try SegmentReader(blocks: blocks, descriptor: segment, cache: cache, keeper: footers)
            return (.segment(reader), reader.footerByteCount)
        }
        guard case .segment(let reader) = block else { preconditionFailure("this cache holds segments alone") }
        return reader
    }
}
