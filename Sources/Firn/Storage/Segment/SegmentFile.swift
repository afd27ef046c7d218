// SPDX-License-Identifier: Apache-2.0
//
// A segment file looked at by itself, without a manifest: what `firn inspect` prints.
//
// Nothing is decoded beyond what the description needs: pages are loaded one at a time to count their encodings.

import FirnIO
import SystemPackage

/// Segment files from the outside.
package enum SegmentFile {
    /// A file and the segments in it.
    package struct Description: Sendable {
        package var formatVersion: Int
        package var database: String
        package var fileNumber: UInt64
        package var byteCount: Int64
        package var segments: [Segment]
    }

    /// The number of the section that is the directory of a key index.
    package static var keyIndexSectionKind: UInt32 { SegmentFooter.SectionKind.keyIndex.rawValue }

    /// One segment.
    package struct Segment: Sendable {
        package var table: UInt64
        package var chunk: UInt64
        package var byteOffset: Int64
        package var byteCount: Int64
        /// Bytes that the values take in memory.
        package var rawByteCount: Int64
        package var footerByteCount: Int64
        /// Bytes of the key index; 0 where there is none.
        package var keyIndexByteCount: Int
        package var rowCount: Int
        /// `warm` or `cold`.
        package var profile: String
        package var firstLSN: UInt64
        package var lastLSN: UInt64
        /// In the unit of the time column; nil where there is none.
        package var timeRange: ClosedRange<Int64>?
        /// Names of the columns by which rows ascend.
        package var order: [String]
        package var columns: [Column]
        package var rowGroups: [RowGroup]
        /// Numbers and bytes of the optional sections.
        package var sections: [(kind: UInt32, byteCount: Int)]
    }

    /// One column of a segment, all row groups together.
    package struct Column: Sendable {
        package var id: UInt64
        package var name: String
        package var type: DataType
        /// Distinct texts, where the column is stored by dictionary.
        package var dictionaryEntryCount: Int?
        package var dictionaryByteCount: Int
        /// Bytes of pages, without checksums, statistics and dictionary.
        package var pageByteCount: Int
        package var pageCount: Int
        package var statisticsByteCount: Int
        package var nullCount: Int
        /// Bytes that the values take in memory, the dictionary included.
        package var rawByteCount: Int
        /// Bits for each value: pages, dictionary and statistics.
        package var bitsPerValue: Double
        /// How many vectors each encoding holds; pages without vectors count under their scheme's name.
        package var encodings: [(name: String, count: Int)]
        /// How many pages each compression holds.
        package var compressions: [(name: String, count: Int)]

        /// Bytes of pages, dictionary and statistics, without checksums.
        package var storedByteCount: Int { pageByteCount + dictionaryByteCount + statisticsByteCount }
        /// The encodings as people read them: `132 x delta, 4 x constant`.
        package var encodingText: String { Self.text(encodings) }
        /// The compressions likewise.
        package var compressionText: String { Self.text(compressions) }

        private static func text(_ counts: [(name: String, count: Int)]) -> String {
            counts.map { "\($0.count) x \($0.name)" }.joined(separator: ", ")
        }
    }

    /// One row group.
    package struct RowGroup: Sendable {
        package var rowCount: Int
        package var byteCount: Int
        package var columns: [Chunk]
    }

    /// One column of one row group.
    package struct Chunk: Sendable {
        package var byteOffset: Int64
        package var byteCount: Int
        package var nullCount: Int
        package var minimum: Value?
        package var maximum: Value?
        /// Exact sum, for integer types.
        package var sum: Int128?
    }

    /// Reads header, tail, footers, and the page headers of all pages.
    package static func describe(
        _ path: FilePath, fileSystem: any FileSystem
    ) throws(FirnError) -> Description {
        let blocks = try SegmentBlocks(path: path, fileSystem: fileSystem, file: nil, database: nil)
        let byteCount = try blocks.byteCount()
        var segments: [Segment] = []
        for descriptor in try tail(blocks, byteCount: byteCount).segments {
            let reader = try SegmentReader(blocks: blocks, descriptor: descriptor, cache: PageCache(bytesMax: 0))
            segments.append(try describe(reader))
        }
        return Description(
            formatVersion: Int(blocks.header.version.rawValue), database: blocks.header.database.description,
            fileNumber: blocks.file.rawValue, byteCount: byteCount, segments: segments)
    }

    /// The segments that the file's tail names, and where the tail begins.
    static func tail(
        _ blocks: SegmentBlocks, byteCount: Int64
    ) throws(FirnError) -> (segments: [SegmentDescriptor], byteOffset: Int64) {
        let (bytes, byteOffset) = try blocks.trailed(
            endingAt: byteCount, from: Int64(FileHeader.byteCount), magic: SegmentLayout.tailMagic,
            covering: "file tail")
        do throws(FormatError) {
            var reader = ByteReader(bytes.view)
            var segments: [SegmentDescriptor] = []
            for _ in 0..<(try reader.readCount(atMost: reader.remaining)) {
                let segment = try SegmentDescriptor.decode(from: &reader)
                guard segment.byteOffset >= Int64(FileHeader.byteCount), segment.byteOffset <= byteOffset,
                    segment.byteCount <= byteOffset - segment.byteOffset
                else { throw FormatError("a segment lies outside its file", at: reader.offset) }
                segments.append(segment)
            }
            try reader.expectEnd()
            return (segments, byteOffset)
        } catch {
            throw blocks.damage(error.description, at: byteOffset, covering: "file tail")
        }
    }

    // MARK: Segments

    static func describe(_ reader: SegmentReader) throws(FirnError) -> Segment {
        let footer = reader.footer
        var columns: [Column] = []
        for index in footer.columns.indices { columns.append(try describe(reader, column: index)) }
        let lastBlockEnd = footer.allBlocks.map(\.end).max() ?? reader.descriptor.byteOffset
        let end = reader.descriptor.byteOffset + reader.descriptor.byteCount
        return Segment(
            table: footer.table.rawValue, chunk: footer.chunk.rawValue, byteOffset: reader.descriptor.byteOffset,
            byteCount: reader.descriptor.byteCount, rawByteCount: footer.rawByteCount,
            footerByteCount: end - lastBlockEnd, keyIndexByteCount: try reader.keyIndexByteCount(),
            rowCount: footer.rowCount,
            profile: footer.profile.name, firstLSN: footer.lsnRange.lowerBound.rawValue,
            lastLSN: footer.lsnRange.upperBound.rawValue, timeRange: footer.timeRange,
            order: footer.order.map { id in footer.columns.first { $0.id == id }?.name ?? "column \(id)" },
            columns: columns, rowGroups: footer.rowGroups.map(describe),
            sections: footer.sections.map { ($0.kind.rawValue, $0.block.byteCount) })
    }

    private static func describe(_ group: SegmentFooter.RowGroup) -> RowGroup {
        let chunks = group.columns.map { chunk in
            Chunk(
                byteOffset: chunk.pages.first?.block.byteOffset ?? 0, byteCount: chunk.allBlocks.byteCount,
                nullCount: chunk.nullCount, minimum: chunk.minimum, maximum: chunk.maximum, sum: chunk.sum)
        }
        return RowGroup(rowCount: group.rowCount, byteCount: chunks.reduce(0) { $0 + $1.byteCount }, columns: chunks)
    }

    private static func describe(_ reader: SegmentReader, column: Int) throws(FirnError) -> Column {
        let stored = reader.footer.columns[column]
        var tally = Tally()
        for page in stored.dictionary?.pages ?? [] { tally.dictionaryByteCount += page.block.byteCount }
        for (number, group) in reader.footer.rowGroups.enumerated() {
            let chunk = group.columns[column]
            tally.nullCount += chunk.nullCount
            tally.statisticsByteCount += chunk.zoneMap?.byteCount ?? 0
            let pages = chunk.pages.map { ($0, stored.physicalKind) } + chunk.scalePages.map { ($0, .int64) }
            for (location, kind) in pages {
                let page = try reader.blocks.page(
                    location, kind: kind, covering: reader.name(ofRowGroup: number, column: column))
                tally.add(page, location)
                if kind == .bytes { tally.textByteCount += TextPage.values(page).bytes.count }
            }
        }
        let byteCount = tally.pageByteCount + tally.dictionaryByteCount + tally.statisticsByteCount
        let rawByteCount =
            reader.footer.rowCount * stored.rawBytesPerValue + tally.textByteCount + (stored.dictionary?.byteCount ?? 0)
        return Column(
            id: stored.id.rawValue, name: stored.name, type: stored.type,
            dictionaryEntryCount: stored.dictionary?.entryCount, dictionaryByteCount: tally.dictionaryByteCount,
            pageByteCount: tally.pageByteCount, pageCount: tally.pageCount,
            statisticsByteCount: tally.statisticsByteCount, nullCount: tally.nullCount,
            rawByteCount: rawByteCount, bitsPerValue: Double(byteCount * 8) / Double(max(reader.footer.rowCount, 1)),
            encodings: tally.encodings.ordered, compressions: tally.compressions.ordered)
    }

    /// Sums over the pages of a column.
    private struct Tally {
        var pageByteCount = 0
        var pageCount = 0
        var statisticsByteCount = 0
        var dictionaryByteCount = 0
        var textByteCount = 0
        var nullCount = 0
        var encodings = Counts()
        var compressions = Counts()

        mutating func add(_ page: PageDecoder, _ location: PageLocation) {
            pageByteCount += location.block.byteCount - SegmentLayout.checksumByteCount
            pageCount += 1
            compressions.add("\(page.compression)")
            let isDictionary = page.scheme == .dictionary
            for vector in 0..<page.vectorCount {
                guard let encoding = page.encoding(ofVector: vector) else {
                    encodings.add("\(page.scheme)")
                    break
                }
                encodings.add(isDictionary ? "dictionary(\(encoding))" : "\(encoding)")
            }
        }
    }

    /// How often each name came, in order of appearance.
    private struct Counts {
        private(set) var ordered: [(name: String, count: Int)] = []

        mutating func add(_ name: String) {
            if let index = ordered.firstIndex(where: { $0.name == name }) {
                ordered[index].count += 1
            } else {
                ordered.append((name, 1))
            }
        }
    }
}

extension SegmentFooter {
    /// Every block that the footer names.
    var allBlocks: [BlockLocation] {
        columns.flatMap { $0.dictionary?.pages.map(\.block) ?? [] }
            + rowGroups.flatMap { $0.columns.flatMap(\.allBlocks) } + sections.map(\.block)
    }
}

extension SegmentFooter.ColumnChunk {
    /// Every block of the chunk.
    var allBlocks: [BlockLocation] {
        pages.map(\.block) + scalePages.map(\.block) + (zoneMap.map { [$0] } ?? [])
    }
}

extension [BlockLocation] {
    /// Bytes of all blocks together.
    fileprivate var byteCount: Int { reduce(0) { $0 + $1.byteCount } }
}

extension SegmentFooter.Column {
    /// Bytes that a value takes in memory, those of its text apart.
    fileprivate var rawBytesPerValue: Int {
        if storage == .dictionary { return 4 }
        switch type.physical {
        case .boolean: return 1
        case .float, .bytes: return 4
        case .integer, .double: return 8
        case .decimal: return 17
        case .uuid, .interval: return 16
        case .vector: if case .vector(let dimensions) = type { return 4 * dimensions } else { return 0 }
        }
    }

    /// What the column's pages hold.
    var physicalKind: PhysicalKind {
        if storage == .dictionary { return .codes }
        switch type.physical {
        case .boolean: return .bool
        case .integer: return .int64
        case .float: return .float
        case .double: return .double
        case .decimal: return .int128
        case .bytes: return .bytes
        case .uuid: return .uuid
        case .interval: return .interval
        case .vector: return .floatVector
        }
    }
}
