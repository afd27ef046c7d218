// SPDX-License-Identifier: Apache-2.0
//
// One segment: sorted rows of one chunk, gathered row group by row group, encoded column by column, written as pages.
//
// Besides the input and the order of its rows nothing larger than a row group is held: a column of a row group is
// gathered, encoded and written before the next one is touched.

/// What one table's rows look like to the segments that are made of them.
struct FlushColumns {
    let schema: TableSchema
    let sources: [ColumnSource]
    let locator: RowLocator
    /// Codes of text columns that have few enough distinct values, and of the sort key; by column index.
    let coded: [Int: CodedColumn]
}

/// Encodes one segment. Not thread-safe.
final class SegmentEncoder {
    private let columns: FlushColumns
    private let writer: SegmentFileWriter
    private let encoder: ColumnChunkEncoder
    private let profile: SegmentProfile
    /// Room for the gathered values of one column of a row group.
    private var scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    private let positions = UnsafeMutablePointer<UInt64>.allocate(capacity: SegmentLayout.rowGroupRowsMax)

    init(_ columns: FlushColumns, writer: SegmentFileWriter, profile: SegmentProfile) {
        self.columns = columns
        self.writer = writer
        self.profile = profile
        encoder = ColumnChunkEncoder(profile: profile == .warm ? .warm : .cold)
    }

    deinit {
        scratch.deallocate()
        positions.deallocate()
    }

    /// Writes the rows, in the order in which they stand, as one segment.
    func write(
        _ rows: [UInt32], chunk: ChunkID, order: [ColumnID], lsnRange: ClosedRange<LSN>
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
        var first = 0
        while first < rows.count {
            let count = rowGroupRowCount(rows, from: first, dictionaries)
            let located = locate(rows, first..<first + count)
            var chunks: [SegmentFooter.ColumnChunk] = []
            for index in columns.sources.indices {
                let part = rows[first..<first + count]
                let (encoded, rawBytes) = encode(index, part, located, dictionaries[index])
                rawByteCount += rawBytes
                chunks.append(try write(encoded, index, dictionaries[index]))
            }
            rowGroups.append(SegmentFooter.RowGroup(rowCount: count, columns: chunks))
            first += count
        }
        let timeIndex = columns.schema.timeColumnIndex
        let timeRange = timeIndex.flatMap { Self.range(of: $0, rowGroups) }
        let footer = SegmentFooter(
            table: columns.schema.id, chunk: chunk, rowCount: rows.count, rawByteCount: Int64(rawByteCount),
            profile: profile, lsnRange: lsnRange,
            timeColumn: timeRange == nil ? nil : timeIndex.map { columns.schema.columns[$0].id },
            timeRange: timeRange, order: order, columns: footerColumns, rowGroups: rowGroups, sections: [])
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

    // MARK: Row groups

    /// Rows from `first` on that fit one row group: by their number, and by the bytes of each column.
    private func rowGroupRowCount(_ rows: [UInt32], from first: Int, _ dictionaries: [SegmentDictionary?]) -> Int {
        var count = min(SegmentLayout.rowGroupRowsMax, rows.count - first)
        for (index, source) in columns.sources.enumerated() {
            switch source.physical {
            case .vector:
                count = min(count, max(1, SegmentLayout.rowGroupColumnBytesMax / (4 * source.dimensions)))
            case .bytes where dictionaries[index] == nil:
                let located = locate(rows, first..<first + count)
                var byteCount = 0
                for row in 0..<count {
                    byteCount += source.textByteCount(at: located[row])
                    if byteCount > SegmentLayout.rowGroupColumnBytesMax {
                        count = max(1, row)
                        break
                    }
                }
            default: break
            }
        }
        // Whole vectors, so that pages of all columns are cut at the same rows.
        let isLast = first + count == rows.count
        return isLast || count < SegmentLayout.zoneRowCount
            ? count : count / SegmentLayout.zoneRowCount * SegmentLayout.zoneRowCount
    }

    private func locate(_ rows: [UInt32], _ range: Range<Int>) -> UnsafeBufferPointer<UInt64> {
        rows.withUnsafeBufferPointer {
            columns.locator.positions(of: UnsafeBufferPointer(rebasing: $0[range]), into: positions)
        }
        return UnsafeBufferPointer(start: positions, count: range.count)
    }

    // MARK: Dictionaries

    /// The texts that occur in the rows, in ascending order; nil where the column is better stored plainly.
    private func dictionary(of index: Int, rows: [UInt32]) -> SegmentDictionary? {
        guard columns.sources[index].physical == .bytes, let coded = columns.coded[index], let text = coded.text else {
            return nil
        }
        let isWhole = rows.count == columns.locator.rowCount
        var isUsed = [Bool](repeating: isWhole, count: coded.distinctCount + 1)
        if !isWhole {
            isUsed.withUnsafeMutableBufferPointer { isUsed in
                coded.codes.withUnsafeBufferPointer { codes in
                    for row in rows { isUsed[Int(codes[Int(row)])] = true }
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

    // MARK: Column chunks

    private struct EncodedColumn {
        var chunk: EncodedColumnChunk
        var validity: Bitmap?
        var uniformScale: UInt8?
        var scales: EncodedColumnChunk?
        /// Extremes that the codec does not gather.
        var extremes: (minimum: Value, maximum: Value)?
    }

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

    /// Room for `count` values.
    private func room<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
        let byteCount = count * MemoryLayout<Element>.stride
        if scratch.count < byteCount {
            scratch.deallocate()
            scratch = .allocate(byteCount: byteCount, alignment: 64)
        }
        return scratch.baseAddress!.bindMemory(to: Element.self, capacity: max(count, 1))
    }

    /// The values of one column at the given rows, encoded, and the bytes that they take in memory.
    private func encode(
        _ index: Int, _ rows: ArraySlice<UInt32>, _ positions: UnsafeBufferPointer<UInt64>,
        _ dictionary: SegmentDictionary?
    ) -> (EncodedColumn, rawByteCount: Int) {
        let source = columns.sources[index]
        let validity = source.gatherValidity(positions)
        var encoded: EncodedColumn?
        var rawByteCount = 0
        Self.withView(of: validity) { view in
            (encoded, rawByteCount) =
                if let dictionary {
                    (encode(dictionary, codesOf: columns.coded[index]!, rows, view), rows.count * 4)
                } else {
                    encode(source, positions, view)
                }
        }
        encoded!.validity = validity
        return (encoded!, rawByteCount)
    }

    private static func withView(of validity: Bitmap?, _ body: (BitmapView?) -> Void) {
        guard let validity else { return body(nil) }
        validity.words.withUnsafeBufferPointer {
            body(BitmapView(words: $0.baseAddress!, count: validity.count))
        }
    }

    private func encode(
        _ dictionary: SegmentDictionary, codesOf coded: CodedColumn, _ rows: ArraySlice<UInt32>,
        _ validity: BitmapView?
    ) -> EncodedColumn {
        let room = room(UInt32.self, rows.count)
        coded.codes.withUnsafeBufferPointer { codes in
            dictionary.codeOf.withUnsafeBufferPointer { codeOf in
                var index = 0
                for row in rows {
                    room[index] = codeOf[Int(codes[Int(row)])]
                    index &+= 1
                }
            }
        }
        let codes = UnsafeBufferPointer(start: room, count: rows.count)
        return EncodedColumn(chunk: encoder.encode(codes: codes, validity: validity))
    }

    private func encode(
        _ source: ColumnSource, _ positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?
    ) -> (EncodedColumn, rawByteCount: Int) {
        let count = positions.count
        func gather<Element: BitwiseCopyable>(_ type: Element.Type) -> UnsafeBufferPointer<Element> {
            let room = room(type, count)
            source.gather(positions, into: room)
            return UnsafeBufferPointer(start: room, count: count)
        }
        switch source.physical {
        case .boolean: return (encode(booleans: gather(UInt8.self), validity), count)
        case .integer:
            return (EncodedColumn(chunk: encoder.encode(int64: gather(Int64.self), validity: validity)), count * 8)
        case .float:
            return (EncodedColumn(chunk: encoder.encode(float: gather(Float.self), validity: validity)), count * 4)
        case .double:
            return (EncodedColumn(chunk: encoder.encode(double: gather(Double.self), validity: validity)), count * 8)
        case .decimal: return (encode(decimals: gather(Int128.self), source, positions, validity), count * 17)
        case .uuid: return (encode(uuids: gather(UInt128.self), validity), count * 16)
        case .interval: return (encode(intervals: source, positions, validity), count * 16)
        case .vector:
            let dimensions = source.dimensions
            let room = room(Float.self, count * dimensions)
            source.gatherVectors(positions, into: room)
            let floats = UnsafeBufferPointer(start: room, count: count * dimensions)
            let chunk = encoder.encode(floatVectors: floats, dimensionCount: dimensions, validity: validity)
            return (EncodedColumn(chunk: chunk), count * dimensions * 4)
        case .bytes: return encode(text: source, positions, validity)
        }
    }

    private func encode(booleans: UnsafeBufferPointer<UInt8>, _ validity: BitmapView?) -> EncodedColumn {
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: booleans.count))
        var seen: (no: Bool, yes: Bool) = (false, false)
        for (index, value) in booleans.enumerated() {
            words[index >> 6] |= UInt64(value & 1) << UInt64(index & 63)
            if validity?[index] ?? true { if value == 0 { seen.no = true } else { seen.yes = true } }
        }
        let chunk = words.withUnsafeBufferPointer {
            encoder.encode(
                bool: BitmapView(words: $0.baseAddress!, count: booleans.count), validity: validity)
        }
        let isKnown = seen.no || seen.yes
        return EncodedColumn(chunk: chunk, extremes: isKnown ? (.boolean(!seen.no), .boolean(seen.yes)) : nil)
    }

    private func encode(uuids: UnsafeBufferPointer<UInt128>, _ validity: BitmapView?) -> EncodedColumn {
        var lowest = UInt128.max
        var highest = UInt128.min
        for (index, value) in uuids.enumerated() where validity?[index] ?? true {
            lowest = min(lowest, value)
            highest = max(highest, value)
        }
        let extremes = lowest <= highest ? (Value.uuid(lowest), Value.uuid(highest)) : nil
        return EncodedColumn(chunk: encoder.encode(uuid: uuids, validity: validity), extremes: extremes)
    }

    private func encode(
        intervals source: ColumnSource, _ positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?
    ) -> EncodedColumn {
        let (months, days, microseconds) = source.gatherIntervals(positions)
        return months.withUnsafeBufferPointer { months in
            days.withUnsafeBufferPointer { days in
                microseconds.withUnsafeBufferPointer { microseconds in
                    EncodedColumn(
                        chunk: encoder.encode(
                            intervalMonths: months, days: days, microseconds: microseconds, validity: validity))
                }
            }
        }
    }

    private func encode(
        decimals: UnsafeBufferPointer<Int128>, _ source: ColumnSource, _ positions: UnsafeBufferPointer<UInt64>,
        _ validity: BitmapView?
    ) -> EncodedColumn {
        var scales = source.gatherScales(positions)
        // The scale of a NULL means nothing: it takes that of a neighbour, so that one scale stays one.
        if let validity, let first = scales.indices.first(where: { validity[$0] }) {
            var scale = scales[first]
            for index in scales.indices { if validity[index] { scale = scales[index] } else { scales[index] = scale } }
        }
        let scale = scales.first ?? 0
        let chunk = encoder.encode(int128: decimals, validity: validity)
        if scales.allSatisfy({ $0 == scale }) { return EncodedColumn(chunk: chunk, uniformScale: UInt8(scale)) }
        let scaleChunk = scales.withUnsafeBufferPointer { encoder.encode(int64: $0) }
        return EncodedColumn(chunk: chunk, scales: scaleChunk)
    }

    private func encode(
        text source: ColumnSource, _ positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?
    ) -> (EncodedColumn, rawByteCount: Int) {
        var bytes = ByteWriter(reservingBytes: positions.count * 16)
        let offsets = [UInt32](unsafeUninitializedCapacity: positions.count + 1) { offsets, count in
            offsets[0] = 0
            for index in 0..<positions.count {
                if validity?[index] ?? true { bytes.append(source.text(at: positions[index])) }
                offsets[index + 1] = UInt32(bytes.count)
            }
            count = positions.count + 1
        }
        let chunk = bytes.withUnsafeBytes { bytes in
            offsets.withUnsafeBufferPointer { offsets in
                encoder.encode(bytes: ByteStringsView(offsets: offsets, bytes: bytes), validity: validity)
            }
        }
        return (EncodedColumn(chunk: chunk), bytes.count + positions.count * 4)
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
