// SPDX-License-Identifier: Apache-2.0
//
// An opened segment: its footer, its dictionaries, and its row groups as morsels.
//
// Opening reads and checks the file's header and the footer; pages are read when they are needed, through the cache.
// A segment knows nothing of the table's later life: the schema of today comes with each request for morsels, and
// columns that were added since are NULL throughout.

import FirnIO
import Synchronization
import SystemPackage

/// One segment, opened for reading. Thread-safe.
final class SegmentReader: Sendable {
    private struct Keeper: @unchecked Sendable {
        // Sendable: PageCache is, and the reference is never assigned again. Weak, since the cache holds the reader.
        weak var cache: PageCache?
    }

    let descriptor: SegmentDescriptor
    let footer: SegmentFooter
    let blocks: SegmentBlocks
    let cache: PageCache
    /// Where this object is kept, so that what it reads later is counted; nil: nowhere.
    private let keeper: Keeper
    /// Bytes of memory that the footer takes, about.
    let footerByteCount: Int
    /// The dictionary of each column that was asked for; one object for the reader's life.
    private let dictionaries: Mutex<[Int: BytesDictionary]>
    /// The directory of the key index, once it was asked for.
    let keyIndexDirectory = Mutex<KeyIndexDirectory?>(nil)

    /// Opens the segment in its own file handle.
    ///
    /// - Parameter database: the database to which the file must belong.
    convenience init(
        path: FilePath, fileSystem: any FileSystem, database: DatabaseID, descriptor: SegmentDescriptor,
        cache: PageCache
    ) throws(FirnError) {
        let blocks = try SegmentBlocks(
            path: path, fileSystem: fileSystem, file: descriptor.file, database: database)
        try self.init(blocks: blocks, descriptor: descriptor, cache: cache)
    }

    /// Opens the segment in a file that is open already, as when a file holds several.
    init(
        blocks: SegmentBlocks, descriptor: SegmentDescriptor, cache: PageCache, keeper: PageCache? = nil
    ) throws(FirnError) {
        self.keeper = Keeper(cache: keeper)
        self.blocks = blocks
        self.descriptor = descriptor
        self.cache = cache
        dictionaries = Mutex([:])
        let start = descriptor.byteOffset
        let (bytes, byteOffset) = try blocks.trailed(
            endingAt: start + descriptor.byteCount, from: start, magic: SegmentLayout.footerMagic,
            covering: "segment footer")
        footerByteCount = Self.objectByteCount + bytes.view.count * Self.footerGrowth
        do throws(FormatError) {
            footer = try SegmentFooter.decode(
                bytes.view, segment: start..<byteOffset, version: blocks.header.version)
        } catch {
            throw blocks.damage(error.description, at: byteOffset, covering: "segment footer")
        }
        guard footer.table == descriptor.table, footer.rowCount == descriptor.rowCount,
            footer.order == descriptor.order
        else {
            throw blocks.damage(
                "the footer is not the one that the manifest describes", at: byteOffset, covering: "segment footer")
        }
    }

    /// What the objects of an opened segment take beside its footer.
    private static let objectByteCount = 1_024
    /// A footer's varints become words and arrays: measured, 6 to 9 times its bytes.
    private static let footerGrowth = 8

    /// The row groups that may hold rows within all of the ranges.
    func morsels(schema: TableSchema, pruning ranges: [ColumnRange]) -> [any Morsel] {
        footer.rowGroups.indices.compactMap { index in
            let morsel = RowGroupMorsel(segment: self, index: index, schema: schema)
            return morsel.mayHoldRows(within: ranges) ? morsel : nil
        }
    }

    // MARK: Pages

    /// What a place in the segment is called in messages.
    func name(ofRowGroup rowGroup: Int, column: Int) -> String {
        "row group \(rowGroup), column \"\(footer.columns[column].name)\""
    }

    func page(_ location: PageLocation, kind: PhysicalKind, rowGroup: Int, column: Int) throws(FirnError) -> PageDecoder
    {
        let key = PageCache.Key(file: blocks.file, byteOffset: location.block.byteOffset)
        let block = try cache.block(key) { () throws(FirnError) in
            let page = try blocks.page(location, kind: kind, covering: name(ofRowGroup: rowGroup, column: column))
            return (.page(page), page.residentByteCount)
        }
        // What is in the cache may have been read as another column's.
        guard case .page(let page) = block, page.kind == kind, page.valueCount == location.valueCount else {
            throw blocks.damage(
                "two blocks share a place", at: location.block.byteOffset,
                covering: name(ofRowGroup: rowGroup, column: column))
        }
        return page
    }

    /// Statistics by vector; nil where the row group's own say all.
    func zoneMap(rowGroup: Int, column: Int) throws(FirnError) -> ColumnChunkStatistics? {
        let group = footer.rowGroups[rowGroup]
        guard let location = group.columns[column].zoneMap else { return nil }
        /// For errors; asked for by each statement that prunes, so it is not made before there is one.
        func what() -> String { "statistics of " + name(ofRowGroup: rowGroup, column: column) }
        let key = PageCache.Key(file: blocks.file, byteOffset: location.byteOffset)
        let block = try cache.block(key) { () throws(FirnError) in
            let statistics = try blocks.zoneMap(location, rowCount: group.rowCount, covering: what())
            return (.zoneMap(statistics), statistics.vectorCount * 48 + 128)
        }
        guard case .zoneMap(let statistics) = block else {
            throw blocks.damage("a page and statistics share a place", at: location.byteOffset, covering: what())
        }
        return statistics
    }

    // MARK: Dictionaries

    /// The distinct texts of a dictionary-coded column: always the same object.
    func dictionary(of column: Int) throws(FirnError) -> BytesDictionary {
        if let dictionary = dictionaries.withLock({ $0[column] }) { return dictionary }
        let loaded = try loadDictionary(of: column)
        // Two threads may have loaded it; the first one's stays.
        let (kept, isNew) = dictionaries.withLock { dictionaries in
            if let first = dictionaries[column] { return (first, false) }
            dictionaries[column] = loaded
            return (loaded, true)
        }
        if isNew {
            keeper.cache?.add(
                byteCount: loaded.values.bytes.count + loaded.count * 8,
                to: PageCache.Key(file: descriptor.file, byteOffset: descriptor.byteOffset))
        }
        return kept
    }

    private func loadDictionary(of column: Int) throws(FirnError) -> BytesDictionary {
        guard let stored = footer.columns[column].dictionary else {
            preconditionFailure("only a dictionary-coded column has a dictionary")
        }
        let what = "dictionary of column \"\(footer.columns[column].name)\""
        var values = BytesValues()
        values.reserveCapacity(stored.entryCount, byteCount: min(stored.byteCount, Int(descriptor.byteCount) * 256))
        for location in stored.pages {
            let page = try blocks.page(location, kind: .bytes, covering: what)
            values.append(TextPage.values(page))
        }
        guard values.bytes.count == stored.byteCount, TextPage.ascends(values) else {
            throw blocks.damage(
                "entries are missing or out of order",
                at: stored.pages.first?.block.byteOffset ?? descriptor.byteOffset,
                covering: what)
        }
        return BytesDictionary(distinct: values, isSorted: true)
    }
}

/// Whole pages of byte strings.
enum TextPage {
    /// All values of a page, NULLs as empty strings.
    static func values(_ page: PageDecoder) -> BytesValues {
        var bytes = ByteWriter(reservingBytes: 65_536)
        let lengths = [UInt32](unsafeUninitializedCapacity: page.vectorCount * VectorLayout.valueCount) {
            lengths, count in
            for vector in 0..<page.vectorCount {
                page.decodeBytes(
                    vector, lengths: lengths.baseAddress! + vector * VectorLayout.valueCount, bytes: &bytes)
            }
            count = page.valueCount
        }
        return values(bytes, lengths)
    }

    /// Strings laid end to end and their lengths.
    static func values(_ bytes: borrowing ByteWriter, _ lengths: [UInt32]) -> BytesValues {
        let offsets = [Int](unsafeUninitializedCapacity: lengths.count + 1) { offsets, count in
            var end = 0
            offsets[0] = 0
            for (index, length) in lengths.enumerated() {
                end += Int(length)
                offsets[index + 1] = end
            }
            count = lengths.count + 1
        }
        return BytesValues(bytes: bytes.bytes, offsets: offsets)
    }

    /// True where every value is larger than the one before.
    static func ascends(_ values: BytesValues) -> Bool {
        values.withUnsafeValues { bytes, offsets in
            guard values.count > 1 else { return true }
            for index in 1..<values.count {
                let left = UnsafeBufferPointer(
                    start: bytes + offsets[index - 1], count: offsets[index] - offsets[index - 1])
                let right = UnsafeBufferPointer(
                    start: bytes + offsets[index], count: offsets[index + 1] - offsets[index])
                if !ByteOrder.isLess(left, right) { return false }
            }
            return true
        }
    }
}
