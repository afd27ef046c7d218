// SPDX-License-Identifier: Apache-2.0
//
// One segment: the rows of one chunk in sorted order, encoded column by column, written as pages.
//
// Rows are taken a window at a time (RowWindows.swift): a column's values are scattered into the window's buffer, cut
// into row groups, encoded and written before the next column is touched. Besides the input and the places of its rows
// nothing larger than one column of a window is held.

/// What one table's rows look like to the segments that are made of them.
struct FlushColumns {
    let schema: TableSchema
    let sources: [ColumnSource]
    let locator: RowLocator
    /// Codes of text columns that have few enough distinct values, and of the sort key; by column index.
    let coded: [Int: CodedColumn]
}

/// Encodes segments, one after another. Not thread-safe.
final class SegmentEncoder {
    let columns: FlushColumns
    let encoder: ColumnChunkEncoder
    private let writer: SegmentFileWriter
    private let profile: SegmentProfile
    private let windowRowCount: Int
    let memory: FlushMemory
    /// Rows of the window in sorted order, where a column asks for them.
    private var sortedRows: [UInt32] = []
    private let positions = UnsafeMutablePointer<UInt64>.allocate(capacity: SegmentLayout.rowGroupRowsMax)

    init(
        _ columns: FlushColumns, writer: SegmentFileWriter, profile: SegmentProfile,
        windowRowCount: Int = RowWindows.defaultRowCount, memory: FlushMemory
    ) {
        self.memory = memory
        self.windowRowCount = windowRowCount
        self.columns = columns
        self.writer = writer
        self.profile = profile
        encoder = ColumnChunkEncoder(profile: profile == .warm ? .warm : .cold)
    }

    deinit {
        positions.deallocate()
    }

    /// Writes the rows as one segment, each at its place.
    ///
    /// - Parameters:
    ///   - places: the place of each row in the chunk, by row number.
    ///   - placement: what their order is like.
    ///   - keyHashes: the hashes of the primary keys of all rows, batch by batch; nil where there is no key.
    func write(
        _ rows: RowList, places: UnsafePointer<UInt32>, placement: RowPlacement, chunk: ChunkID, order: [ColumnID],
        lsnRange: ClosedRange<LSN>, keyHashes: [[UInt64]]?
    ) throws(FirnError) -> SegmentDescriptor {
        let start = writer.byteOffset
        let dictionaries = columns.schema.columns.indices.map { dictionary(of: $0, rows: rows) }
        var footerColumns: [SegmentFooter.Column] = []
        for (index, column) in columns.schema.columns.enumerated() {
            let stored = try dictionaries[index].map { (dictionary) throws(FirnError) in try write(dictionary) }
            footerColumns.append(
                SegmentFooter.Column(
                    id: column.id, name: column.name, type: column.type,
                    storage: stored == nil ? .plain : .dictionary, dictionary: stored))
        }
        var rowGroups: [SegmentFooter.RowGroup] = []
        var rawByteCount = dictionaries.reduce(0) { $0 + ($1?.byteCount ?? 0) }
        let windows = RowWindows(
            rows, placesByRow: places, placesAtATime: placement.placesAtATime, rowCount: windowRowCount,
            memory: memory)
        let firstKey = placement.firstKeyRuns.isEmpty ? nil : columns.schema.index(of: order[0])
        for index in 0..<windows.count {
            let (groups, byteCount) = try write(
                windows[index], dictionaries, firstKey: firstKey, runs: placement.firstKeyRuns)
            rowGroups += groups
            rawByteCount += byteCount
        }
        let timeIndex = columns.schema.timeColumnIndex
        let timeRange = timeIndex.flatMap { Self.range(of: $0, rowGroups) }
        let sections = try keyHashes.map { (hashes) throws(FirnError) in
            [try writeKeyIndex(hashes, rows, places, segmentOffset: start)]
        }
        let footer = SegmentFooter(
            table: columns.schema.id, chunk: chunk, rowCount: rows.count, rawByteCount: Int64(rawByteCount),
            profile: profile, lsnRange: lsnRange,
            timeColumn: timeRange == nil ? nil : timeIndex.map { columns.schema.columns[$0].id },
            timeRange: timeRange, order: order, columns: footerColumns, rowGroups: rowGroups,
            sections: sections ?? [])
        var payload = ByteWriter(reservingBytes: 16_384)
        footer.encode(into: &payload, segmentOffset: start)
        try writer.appendTrailed(payload, magic: SegmentLayout.footerMagic)
        return SegmentDescriptor(
            table: columns.schema.id, file: writer.file, byteOffset: start, byteCount: writer.byteOffset - start,
            rowCount: rows.count, chunk: chunk, timeRange: timeRange, order: order, lsnRange: lsnRange,
            rawByteCount: Int64(rawByteCount), profile: profile)
    }

    /// Smallest and largest time of all row groups.
    private static func range(of column: Int, _ rowGroups: [SegmentFooter.RowGroup]) -> ClosedRange<Int64>? {
        var range: ClosedRange<Int64>?
        for rowGroup in rowGroups {
            guard case .integer(let lower) = rowGroup.columns[column].minimum,
                case .integer(let upper) = rowGroup.columns[column].maximum
            else { continue }
            range = min(range?.lowerBound ?? lower, lower)...max(range?.upperBound ?? upper, upper)
        }
        return range
    }

    // MARK: Windows

    /// Writes all columns of a window; returns its row groups, and the bytes that their values take in memory.
    ///
    /// - Parameter runs: of the codes of column `firstKey`, by which the chunk is sorted first.
    private func write(
        _ window: RowWindow, _ dictionaries: [SegmentDictionary?], firstKey: Int?, runs: [RowPlacement.Run]
    ) throws(FirnError) -> ([SegmentFooter.RowGroup], rawByteCount: Int) {
        sortRowsIfAsked(window, dictionaries)
        let ranges = rowGroupRanges(window, dictionaries)
        var rowGroups = ranges.map { SegmentFooter.RowGroup(rowCount: $0.count, columns: []) }
        var rawByteCount = 0
        for index in columns.sources.indices {
            let cursor = WindowColumn(self, index, window, dictionaries[index], runs: index == firstKey ? runs : nil)
            for (group, range) in ranges.enumerated() {
                let encoded = cursor.encode(range)
                rawByteCount += encoded.rawByteCount
                rowGroups[group].columns.append(try write(encoded, index, dictionaries[index]))
            }
        }
        return (rowGroups, rawByteCount)
    }

    /// Columns whose values are not scattered are gathered in sorted order instead.
    private func sortRowsIfAsked(_ window: RowWindow, _ dictionaries: [SegmentDictionary?]) {
        let isAsked = columns.sources.indices.contains { index in
            switch columns.sources[index].physical {
            case .bytes: dictionaries[index] == nil
            case .interval, .vector, .decimal: true
            default: false
            }
        }
        sortedRows = []
        guard isAsked else { return }
        sortedRows = [UInt32](unsafeUninitializedCapacity: window.count) { sorted, count in
            window.sortedRows(into: sorted.baseAddress!)
            count = window.count
        }
    }

    /// Cuts a window into row groups: by the number of rows, and by the bytes of each column.
    private func rowGroupRanges(_ window: RowWindow, _ dictionaries: [SegmentDictionary?]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var first = 0
        while first < window.count {
            var count = min(SegmentLayout.rowGroupRowsMax, window.count - first)
            for (index, source) in columns.sources.enumerated() {
                switch source.physical {
                case .vector:
                    count = min(count, max(1, SegmentLayout.rowGroupColumnBytesMax / (4 * source.dimensions)))
                case .bytes where dictionaries[index] == nil:
                    count = rowCount(source, first..<first + count)
                default: break
                }
            }
            // Whole vectors, so that pages of all columns are cut at the same rows.
            let isLast = first + count == window.count
            if !isLast && count > SegmentLayout.zoneRowCount { count -= count % SegmentLayout.zoneRowCount }
            ranges.append(first..<first + count)
            first += count
        }
        return ranges
    }

    /// As many of the sorted rows as have texts that fit a row group together; at least one.
    private func rowCount(_ source: ColumnSource, _ range: Range<Int>) -> Int {
        let located = locate(range)
        var byteCount = 0
        for row in 0..<range.count {
            byteCount += source.textByteCount(at: located[row])
            if byteCount > SegmentLayout.rowGroupColumnBytesMax { return max(1, row) }
        }
        return range.count
    }

    /// Positions of rows of the window by their places; good until the next call.
    func locate(_ range: Range<Int>) -> UnsafeBufferPointer<UInt64> {
        sortedRows.withUnsafeBufferPointer {
            columns.locator.positions(of: UnsafeBufferPointer(rebasing: $0[range]), into: positions)
        }
        return UnsafeBufferPointer(start: positions, count: range.count)
    }

    // MARK: Column chunks

    private func write(_ pages: [EncodedPage]) throws(FirnError) -> [PageLocation] {
        var locations: [PageLocation] = []
        for page in pages {
            locations.append(PageLocation(block: try writer.append(page.bytes), valueCount: page.valueCount))
        }
        return locations
    }

    private func write(
        _ encoded: EncodedColumn, _ index: Int, _ dictionary: SegmentDictionary?
    ) throws(FirnError) -> SegmentFooter.ColumnChunk {
        let type = columns.schema.columns[index].type
        let pages = try write(encoded.chunk.pages)
        let scalePages = try encoded.scales.map { (scales) throws(FirnError) in try write(scales.pages) } ?? []
        var statistics = encoded.chunk.statistics
        let summary = StatisticsSummary(statistics, type: type, scale: encoded.uniformScale, dictionary: dictionary)
        if !type.isInteger, case .integers(let minima, let maxima, let sums) = statistics.bounds {
            // Sums of times and of codes mean nothing, and zeros cost nothing.
            statistics.bounds = .integers(min: minima, max: maxima, sum: sums.map { _ in 0 })
        }
        if case .wideIntegers = statistics.bounds, encoded.uniformScale == nil { statistics.bounds = .none }
        var zoneMap: BlockLocation?
        let isWorthIt = statistics.bounds != .none || summary.nullCount > 0
        if statistics.valueCount > SegmentLayout.zoneRowCount, isWorthIt {
            var payload = ByteWriter(reservingBytes: 2_048)
            statistics.encode(into: &payload)
            zoneMap = try payload.withUnsafeBytes { (view) throws(FirnError) in try writer.append(view) }
        }
        let extremes = encoded.extremes
        return SegmentFooter.ColumnChunk(
            pages: pages, uniformScale: encoded.uniformScale, scalePages: scalePages, zoneMap: zoneMap,
            nullCount: summary.nullCount, minimum: extremes?.minimum ?? summary.minimum,
            maximum: extremes?.maximum ?? summary.maximum, sum: summary.sum)
    }

    // MARK: Key index

    private func writeKeyIndex(
        _ keyHashes: [[UInt64]], _ rows: RowList, _ places: UnsafePointer<UInt32>, segmentOffset: Int64
    ) throws(FirnError) -> SegmentFooter.Section {
        let entries = KeyIndexEntries.sorted(
            hashesByPlace(keyHashes, rows, places), hashBits: KeyIndexEntries.hashBits(rowCount: rows.count))
        let rowBits = UInt64(KeyIndexEntries.rowBits(rows.count))
        var directory = KeyIndexDirectory(
            hashBits: KeyIndexEntries.hashBits(rowCount: rows.count), columns: columns.schema.primaryKey,
            rowCount: rows.count, blocks: [])
        // A key index is read at random: it is never compressed further.
        let encoder = ColumnChunkEncoder(profile: .warm)
        func page(_ values: [Int64]) throws(FirnError) -> PageLocation {
            let pages = values.withUnsafeBufferPointer { encoder.encode(int64: $0).pages }
            precondition(pages.count == 1, "a block of a key index is one page")
            return try write(pages)[0]
        }
        for start in stride(from: 0, to: entries.count, by: KeyIndexDirectory.blockEntryCount) {
            let part = entries[start..<min(start + KeyIndexDirectory.blockEntryCount, entries.count)]
            let hashes = try page(part.map { Int64($0 >> rowBits) })
            directory.blocks.append(
                KeyIndexDirectory.Block(
                    firstHash: part[part.startIndex] >> rowBits, hashes: hashes,
                    rows: try page(part.map { Int64($0 & (1 << rowBits - 1)) })))
        }
        var payload = ByteWriter(reservingBytes: 4_096)
        directory.encode(into: &payload, segmentOffset: segmentOffset)
        return SegmentFooter.Section(kind: .keyIndex, block: try writer.append(payload.bytes))
    }

    /// The hashes of the rows' keys, in the order in which the rows are stored.
    private func hashesByPlace(_ keyHashes: [[UInt64]], _ rows: RowList, _ places: UnsafePointer<UInt32>) -> [UInt64] {
        let flat = Array(keyHashes.joined())
        return [UInt64](unsafeUninitializedCapacity: rows.count) { output, count in
            // Precondition: places are a permutation of 0 ..< count.
            switch rows {
            case .all(let rowCount): for row in 0..<rowCount { output[Int(places[row])] = flat[row] }
            case .some(let list): for row in list { output[Int(places[Int(row)])] = flat[Int(row)] }
            }
            count = rows.count
        }
    }

    // MARK: Dictionaries

    /// The texts that occur in the rows, in ascending order; nil where the column is better stored plainly.
    private func dictionary(of index: Int, rows: RowList) -> SegmentDictionary? {
        guard columns.sources[index].physical == .bytes, let coded = columns.coded[index], let text = coded.text else {
            return nil
        }
        var isUsed = [Bool](repeating: true, count: coded.distinctCount + 1)
        if case .some(let list) = rows {
            isUsed = [Bool](repeating: false, count: coded.distinctCount + 1)
            isUsed.withUnsafeMutableBufferPointer { isUsed in
                coded.codes.withUnsafeBufferPointer { codes in
                    for row in list { isUsed[Int(codes[Int(row)])] = true }
                }
            }
        }
        let used = coded.ascendingCodes.filter { isUsed[Int($0)] }
        let byteCount = used.reduce(0) { $0 + text.bytes(of: $1).count }
        let limit = CodedColumn.Limit(
            distinctCountMin: SegmentDictionary.smallCountMax, rowsPerValueMin: 2,
            distinctCountMax: CodedColumn.Limit.dictionary.distinctCountMax,
            byteCountMax: CodedColumn.Limit.dictionary.byteCountMax)
        guard limit.allows(distinctCount: used.count, byteCount: byteCount, rowCount: rows.count) else { return nil }
        return SegmentDictionary(used, of: coded, byteCount: byteCount)
    }

    /// Writes the entries as pages of byte strings.
    private func write(_ dictionary: SegmentDictionary) throws(FirnError) -> SegmentFooter.Dictionary {
        var pages: [PageLocation] = []
        var first = 0
        while first < dictionary.entries.count {
            var bytes = ByteWriter(reservingBytes: 65_536)
            var offsets: [UInt32] = [0]
            var end = first
            while end < dictionary.entries.count, end - first < VectorLayout.columnChunkValueCountMax {
                bytes.append(UnsafeRawBufferPointer(dictionary.text.bytes(of: dictionary.entries[end])))
                offsets.append(UInt32(bytes.count))
                end += 1
                let isWholeVector = (end - first) % VectorLayout.valueCount == 0
                if isWholeVector && bytes.count >= SegmentLayout.rowGroupColumnBytesMax { break }
            }
            let encoded = bytes.withUnsafeBytes { bytes in
                offsets.withUnsafeBufferPointer { offsets in
                    encoder.encode(bytes: ByteStringsView(offsets: offsets, bytes: bytes))
                }
            }
            pages += try write(encoded.pages)
            first = end
        }
        return SegmentFooter.Dictionary(
            entryCount: dictionary.entries.count, byteCount: dictionary.byteCount, pages: pages)
    }
}

/// The distinct texts of one column of one segment.
struct SegmentDictionary {
    /// This many distinct texts are always a dictionary.
    static let smallCountMax = 256

    /// Codes of the flush in ascending order of their texts.
    let entries: [UInt32]
    let text: TextDictionaryBuilder
    /// The segment's code for each code of the flush; 0 for those that do not occur, NULL among them.
    let codeOf: [UInt32]
    let byteCount: Int

    init(_ entries: [UInt32], of coded: CodedColumn, byteCount: Int) {
        self.entries = entries
        self.byteCount = byteCount
        text = coded.text!
        var codeOf = [UInt32](repeating: 0, count: coded.distinctCount + 1)
        for (code, entry) in entries.enumerated() { codeOf[Int(entry)] = UInt32(code) }
        self.codeOf = codeOf
    }
}
