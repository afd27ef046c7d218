// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a segment footer. Offsets are stored as distances from the end of the block before, mostly 0.
//
//     footer:    [table][chunk][row count][raw byte count][profile: u8][first LSN][last LSN]
//                [order count][column id]… [has time: u8, then column id, min and max: signed]
//                [column count][column]… [row group count][row group]… [section count][section]…
//     column:    [id][name][type][storage: u8], dictionary: [entry count][byte count][pages]
//     row group: [row count][column chunk, one a column]…
//     chunk:     [pages][flags: u8][uniform scale: u8][scale pages][zone map][null count][min][max][sum: 16 bytes]
//     pages:     [page count][distance: signed][byte count][value count]…   (value count only if several pages)
//     section:   [kind][distance: signed][byte count]
//
// Numbers without a width are varints. Chunk flags: 1 uniform scale, 2 scale pages, 4 zone map, 8 min and max, 16 sum.

extension SegmentFooter {
    private struct ChunkFlags: OptionSet {
        let rawValue: UInt8
        static let uniformScale = ChunkFlags(rawValue: 1)
        static let scalePages = ChunkFlags(rawValue: 2)
        static let zoneMap = ChunkFlags(rawValue: 4)
        static let extremes = ChunkFlags(rawValue: 8)
        static let sum = ChunkFlags(rawValue: 16)
        static let known: UInt8 = 31
    }

    // MARK: Encoding

    /// - Parameter segmentOffset: where the segment begins in its file.
    func encode(into output: inout ByteWriter, segmentOffset: Int64) {
        var cursor = segmentOffset
        output.appendVarint(table.rawValue)
        output.appendVarint(chunk.rawValue)
        output.appendVarint(rowCount)
        output.appendVarint(Int(rawByteCount))
        output.append(profile.rawValue)
        output.appendVarint(lsnRange.lowerBound.rawValue)
        output.appendVarint(lsnRange.upperBound.rawValue)
        output.appendVarint(order.count)
        for column in order { output.appendVarint(column.rawValue) }
        if let timeColumn, let timeRange {
            output.append(1 as UInt8)
            output.appendVarint(timeColumn.rawValue)
            output.appendSignedVarint(timeRange.lowerBound)
            output.appendSignedVarint(timeRange.upperBound)
        } else {
            output.append(0 as UInt8)
        }
        output.appendVarint(columns.count)
        for column in columns { Self.encode(column, &cursor, into: &output) }
        output.appendVarint(rowGroups.count)
        for rowGroup in rowGroups {
            output.appendVarint(rowGroup.rowCount)
            for (column, chunk) in zip(columns, rowGroup.columns) {
                precondition(
                    chunk.pages.reduce(0) { $0 + $1.valueCount } == rowGroup.rowCount,
                    "the pages of \(column.name) hold every row of their group")
                Self.encode(chunk, &cursor, into: &output)
            }
        }
        output.appendVarint(sections.count)
        for section in sections {
            output.appendVarint(UInt64(section.kind.rawValue))
            section.block.encode(&cursor, into: &output)
        }
    }

    private static func encode(_ pages: [PageLocation], _ cursor: inout Int64, into output: inout ByteWriter) {
        output.appendVarint(pages.count)
        for page in pages {
            page.block.encode(&cursor, into: &output)
            if pages.count > 1 { output.appendVarint(page.valueCount) }
        }
    }

    private static func encode(_ column: Column, _ cursor: inout Int64, into output: inout ByteWriter) {
        output.appendVarint(column.id.rawValue)
        output.appendLengthPrefixed(column.name)
        column.type.encode(into: &output)
        output.append(column.storage.rawValue)
        guard let dictionary = column.dictionary else { return }
        output.appendVarint(dictionary.entryCount)
        output.appendVarint(dictionary.byteCount)
        encode(dictionary.pages, &cursor, into: &output)
    }

    private static func encode(_ chunk: ColumnChunk, _ cursor: inout Int64, into output: inout ByteWriter) {
        encode(chunk.pages, &cursor, into: &output)
        var flags: ChunkFlags = []
        if chunk.uniformScale != nil { flags.insert(.uniformScale) }
        if !chunk.scalePages.isEmpty { flags.insert(.scalePages) }
        if chunk.zoneMap != nil { flags.insert(.zoneMap) }
        if chunk.minimum != nil && chunk.maximum != nil { flags.insert(.extremes) }
        if chunk.sum != nil { flags.insert(.sum) }
        output.append(flags.rawValue)
        if let scale = chunk.uniformScale { output.append(scale) }
        if !chunk.scalePages.isEmpty { encode(chunk.scalePages, &cursor, into: &output) }
        if let zoneMap = chunk.zoneMap { zoneMap.encode(&cursor, into: &output) }
        output.appendVarint(chunk.nullCount)
        if let minimum = chunk.minimum, let maximum = chunk.maximum {
            minimum.encode(into: &output)
            maximum.encode(into: &output)
        }
        if let sum = chunk.sum { output.appendLittleEndian(sum) }
    }

    // MARK: Decoding

    /// Reads a footer and checks that all it points to lies inside the segment.
    ///
    /// - Parameter segment: first and last byte of the segment's blocks in the file, the footer left out.
    static func decode(
        _ payload: ByteView, segment: Range<Int64>, version: FormatVersion
    ) throws(FormatError) -> SegmentFooter {
        var decoder = Decoder(
            reader: ByteReader(payload), segment: segment, version: version, cursor: segment.lowerBound)
        let footer = try decoder.footer()
        try decoder.reader.expectEnd()
        return footer
    }

    private struct Decoder {
        var reader: ByteReader
        let segment: Range<Int64>
        let version: FormatVersion
        var cursor: Int64

        /// A count of things of which each takes at least a byte: so that damage cannot exhaust memory.
        mutating func count(atMost countMax: Int) throws(FormatError) -> Int {
            try reader.readCount(atMost: min(countMax, reader.remaining))
        }

        mutating func footer() throws(FormatError) -> SegmentFooter {
            let table = TableID(try reader.readVarint())
            let chunk = ChunkID(try reader.readVarint())
            let rowCount = try reader.readCount()
            let rawByteCount = Int64(try reader.readCount())
            let profileNumber = try reader.readByte()
            guard let profile = SegmentProfile(rawValue: profileNumber) else {
                throw FormatError("storage profile \(profileNumber) is not known", at: reader.offset - 1)
            }
            let firstLSN = LSN(try reader.readVarint())
            let lastLSN = LSN(try reader.readVarint())
            guard firstLSN <= lastLSN else {
                throw FormatError("a range of commits ends before it begins", at: reader.offset)
            }
            var order: [ColumnID] = []
            for _ in 0..<(try count(atMost: TableSchema.columnCountMax)) {
                order.append(ColumnID(try reader.readVarint()))
            }
            let (timeColumn, timeRange) = try time()
            var columns: [Column] = []
            for _ in 0..<(try count(atMost: TableSchema.columnCountMax)) { columns.append(try column()) }
            guard Set(columns.map(\.id)).count == columns.count else {
                throw FormatError("two columns have the same id", at: reader.offset)
            }
            for id in order + (timeColumn.map { [$0] } ?? []) where !columns.contains(where: { $0.id == id }) {
                throw FormatError("column \(id) orders the rows and is not there", at: reader.offset)
            }
            var rowGroups: [RowGroup] = []
            var rowsSoFar = 0
            for _ in 0..<(try count(atMost: Int.max)) {
                let group = try rowGroup(columns)
                rowsSoFar += group.rowCount
                rowGroups.append(group)
            }
            guard rowsSoFar == rowCount else {
                throw FormatError("row groups of \(rowsSoFar) rows in a segment of \(rowCount)", at: reader.offset)
            }
            var sections: [Section] = []
            for _ in 0..<(try count(atMost: 1_000)) {
                guard let kind = UInt32(exactly: try reader.readVarint()) else {
                    throw FormatError("a section kind exceeds 32 bits", at: reader.offset)
                }
                sections.append(Section(kind: SectionKind(rawValue: kind), block: try block()))
            }
            guard sections.count(where: { $0.kind == .keyIndex }) <= 1 else {
                throw FormatError("a segment has two key indexes", at: reader.offset)
            }
            return SegmentFooter(
                table: table, chunk: chunk, rowCount: rowCount, rawByteCount: rawByteCount, profile: profile,
                lsnRange: firstLSN...lastLSN, timeColumn: timeColumn, timeRange: timeRange, order: order,
                columns: columns, rowGroups: rowGroups, sections: sections)
        }

        private mutating func time() throws(FormatError) -> (ColumnID?, ClosedRange<Int64>?) {
            let start = reader.offset
            switch try reader.readByte() {
            case 0: return (nil, nil)
            case 1:
                let column = ColumnID(try reader.readVarint())
                let lower = try reader.readSignedVarint()
                let upper = try reader.readSignedVarint()
                guard lower <= upper else { throw FormatError("a time range ends before it begins", at: start) }
                return (column, lower...upper)
            case let tag: throw FormatError("\(tag) does not say whether there is a time range", at: start)
            }
        }

        private mutating func block() throws(FormatError) -> BlockLocation {
            try BlockLocation.decode(&reader, &cursor, segment: segment)
        }

        private mutating func pages(valueCount: Int) throws(FormatError) -> [PageLocation] {
            let start = reader.offset
            let pageCount = try count(atMost: Int.max)
            var pages: [PageLocation] = []
            var rest = valueCount
            for index in 0..<pageCount {
                let block = try block()
                let valueCount = pageCount == 1 ? rest : try reader.readCount(atMost: rest)
                // All pages but the last hold whole vectors, so that rows find their page.
                guard valueCount > 0, index == pageCount - 1 || valueCount % VectorLayout.valueCount == 0 else {
                    throw FormatError("a page of \(valueCount) values", at: start)
                }
                rest -= valueCount
                pages.append(PageLocation(block: block, valueCount: valueCount))
            }
            guard rest == 0 else { throw FormatError("pages leave out \(rest) values", at: start) }
            return pages
        }

        private mutating func column() throws(FormatError) -> Column {
            let id = ColumnID(try reader.readVarint())
            let name = try reader.readText()
            let type = try DataType.decode(from: &reader, version)
            let start = reader.offset
            let storageNumber = try reader.readByte()
            guard let storage = Storage(rawValue: storageNumber) else {
                throw FormatError("column storage \(storageNumber) is not known", at: start)
            }
            guard storage == .dictionary else {
                return Column(id: id, name: name, type: type, storage: storage, dictionary: nil)
            }
            guard type.physical == .bytes else { throw FormatError("a dictionary of \(type) values", at: start) }
            let entryCount = try reader.readCount(atMost: Int(Int32.max))
            let byteCount = try reader.readCount(atMost: Int(Int32.max))
            let pages = try pages(valueCount: entryCount)
            return Column(
                id: id, name: name, type: type, storage: storage,
                dictionary: Dictionary(entryCount: entryCount, byteCount: byteCount, pages: pages))
        }

        private mutating func rowGroup(_ columns: [Column]) throws(FormatError) -> RowGroup {
            let rowCount = try reader.readCount(atMost: SegmentLayout.rowGroupRowsMax)
            var chunks: [ColumnChunk] = []
            chunks.reserveCapacity(columns.count)
            for column in columns { chunks.append(try columnChunk(column, rowCount: rowCount)) }
            return RowGroup(rowCount: rowCount, columns: chunks)
        }

        private mutating func columnChunk(_ column: Column, rowCount: Int) throws(FormatError) -> ColumnChunk {
            let pages = try pages(valueCount: rowCount)
            let start = reader.offset
            let flagBits = try reader.readByte()
            guard flagBits & ~ChunkFlags.known == 0 else {
                throw FormatError("column chunk flags \(flagBits) are not known", at: start)
            }
            let flags = ChunkFlags(rawValue: flagBits)
            let isDecimal = column.type.physical == .decimal
            guard isDecimal == (flags.contains(.uniformScale) != flags.contains(.scalePages)) else {
                throw FormatError("decimals, and only they, have either one scale or pages of them", at: start)
            }
            let uniformScale = flags.contains(.uniformScale) ? try reader.readByte() : nil
            if let uniformScale, uniformScale > 38 {
                throw FormatError("a scale of \(uniformScale) exceeds 38", at: start)
            }
            let scalePages = flags.contains(.scalePages) ? try self.pages(valueCount: rowCount) : []
            let zoneMap = flags.contains(.zoneMap) ? try block() : nil
            let nullCount = try reader.readCount(atMost: rowCount)
            var minimum: Value?
            var maximum: Value?
            if flags.contains(.extremes) {
                minimum = try extreme(column.type)
                maximum = try extreme(column.type)
            }
            let sum = flags.contains(.sum) ? try reader.readLittleEndian(Int128.self) : nil
            return ColumnChunk(
                pages: pages, uniformScale: uniformScale, scalePages: scalePages, zoneMap: zoneMap,
                nullCount: nullCount, minimum: minimum, maximum: maximum, sum: sum)
        }

        /// A value that can be compared with the column's.
        private mutating func extreme(_ type: DataType) throws(FormatError) -> Value {
            let start = reader.offset
            let value = try Value.decode(from: &reader)
            let fits =
                switch (type.physical, value) {
                case (.boolean, .boolean), (.integer, .integer), (.float, .float), (.double, .double), (.uuid, .uuid):
                    true
                case (.decimal, .decimal(let decimal)): decimal.scale <= 38
                case (.bytes, .bytes): type == .bytea
                case (.bytes, .text): type != .bytea
                default: false
                }
            guard fits else { throw FormatError("an extreme value is not one of type \(type)", at: start) }
            return value
        }
    }
}

/// A block's place as a footer and a key index have it: the distance from the block before, and the byte count.
extension BlockLocation {
    /// - Parameter cursor: the end of the block before; the segment's start for the first.
    func encode(_ cursor: inout Int64, into output: inout ByteWriter) {
        output.appendSignedVarint(byteOffset - cursor)
        output.appendVarint(byteCount)
        cursor = end
    }

    /// - Parameter segment: first and last byte of the segment's blocks in the file, the footer left out.
    static func decode(
        _ reader: inout ByteReader, _ cursor: inout Int64, segment: Range<Int64>
    ) throws(FormatError) -> BlockLocation {
        let start = reader.offset
        let distance = try reader.readSignedVarint()
        let byteCount = try reader.readCount(atMost: SegmentLayout.payloadBytesMax)
        let (byteOffset, overflow) = cursor.addingReportingOverflow(distance)
        guard !overflow, byteCount > SegmentLayout.checksumByteCount, byteOffset >= segment.lowerBound,
            byteOffset <= segment.upperBound, Int64(byteCount) <= segment.upperBound - byteOffset
        else { throw FormatError("a block lies outside its segment", at: start) }
        let block = BlockLocation(byteOffset: byteOffset, byteCount: byteCount)
        cursor = block.end
        return block
    }
}
