// SPDX-License-Identifier: Apache-2.0
//
// One column of one window on its way into pages: scattered or gathered, then encoded row group by row group.

/// A column chunk that is ready to be written.
struct EncodedColumn {
    var chunk: EncodedColumnChunk
    /// Bytes that the values take in memory.
    var rawByteCount = 0
    var uniformScale: UInt8?
    var scales: EncodedColumnChunk?
    /// Extremes that the codec does not gather.
    var extremes: (minimum: Value, maximum: Value)?
}

/// The values of one column of a window. Uses the room of its segment encoder: one at a time.
struct WindowColumn {
    private enum Values {
        case codes(UnsafeMutablePointer<UInt32>)
        case booleans(UnsafeMutablePointer<UInt8>)
        case integers(UnsafeMutablePointer<Int64>)
        case floats(UnsafeMutablePointer<Float>)
        case doubles(UnsafeMutablePointer<Double>)
        case decimals(UnsafeMutablePointer<Int128>)
        case uuids(UnsafeMutablePointer<UInt128>)
        /// Values that are gathered when their row group comes.
        case gathered
    }

    private let owner: SegmentEncoder
    private let source: ColumnSource
    private let values: Values
    /// A byte a row, 1 for not NULL; nil where the column has no NULL.
    private let validity: UnsafePointer<UInt8>?

    private var encoder: ColumnChunkEncoder { owner.encoder }

    /// Brings the values of the window into the owner's room, each to its place.
    ///
    /// - Parameter runs: the codes of all rows of the chunk where they are runs because the chunk is sorted by them.
    init(
        _ owner: SegmentEncoder, _ index: Int, _ window: RowWindow, _ dictionary: SegmentDictionary?,
        runs: [RowPlacement.Run]?
    ) {
        self.owner = owner
        let source = owner.columns.sources[index]
        let locator = owner.columns.locator
        self.source = source
        if source.hasNulls {
            let room = owner.memory.validity(window.count)
            source.scatterValidity(window, locator, into: room)
            validity = UnsafePointer(room)
        } else {
            validity = nil
        }
        func scattered<Element: BitwiseCopyable>(_ type: Element.Type) -> UnsafeMutablePointer<Element> {
            let room = owner.memory.values(type, window.count)
            source.scatter(window, locator, into: room)
            return room
        }
        if let dictionary {
            let room = owner.memory.values(UInt32.self, window.count)
            if let runs {
                Self.fill(runs, dictionary, window, into: room)
            } else {
                Self.scatter(owner.columns.coded[index]!.codes, dictionary, window, into: room)
            }
            values = .codes(room)
            return
        }
        switch source.physical {
        case .boolean: values = .booleans(scattered(UInt8.self))
        case .integer: values = .integers(scattered(Int64.self))
        case .float: values = .floats(scattered(Float.self))
        case .double: values = .doubles(scattered(Double.self))
        case .decimal: values = .decimals(scattered(Int128.self))
        case .uuid: values = .uuids(scattered(UInt128.self))
        case .bytes, .interval, .vector: values = .gathered
        }
    }

    /// The codes of the window's places, as so much of the chunk's runs as lies in it.
    private static func fill(
        _ runs: [RowPlacement.Run], _ dictionary: SegmentDictionary, _ window: RowWindow,
        into output: UnsafeMutablePointer<UInt32>
    ) {
        let places = window.firstPlace..<window.firstPlace + window.count
        var start = 0
        for run in runs where run.rowCount > 0 {
            let part = (start..<start + run.rowCount).clamped(to: places)
            (output + (part.lowerBound - places.lowerBound))
                .update(repeating: dictionary.codeOf[Int(run.code)], count: part.count)
            start += run.rowCount
        }
    }

    private static func scatter(
        _ codes: [UInt32], _ dictionary: SegmentDictionary, _ window: RowWindow,
        into output: UnsafeMutablePointer<UInt32>
    ) {
        func scatter<Rows: RowSequence>(_ rows: Rows) {
            codes.withUnsafeBufferPointer { codes in
                dictionary.codeOf.withUnsafeBufferPointer { codeOf in
                    // Precondition: every code of the flush has an entry, and places lie within the window.
                    for index in 0..<window.count {
                        output[Int(window.places[index])] = codeOf[Int(codes[rows[index]])]
                    }
                }
            }
        }
        switch window.rows {
        case .all(let rows): scatter(rows)
        case .listed(let rows): scatter(rows)
        }
    }

    /// Encodes the rows of one row group.
    func encode(_ range: Range<Int>) -> EncodedColumn {
        guard let validity = validity(range) else { return encode(range, nil) }
        return validity.words.withUnsafeBufferPointer {
            encode(range, BitmapView(words: $0.baseAddress!, count: range.count))
        }
    }

    /// The validity of a row group; nil when none of its rows is NULL.
    private func validity(_ range: Range<Int>) -> Bitmap? {
        guard let validity else { return nil }
        var words = [UInt64](repeating: 0, count: (range.count + 63) / 64)
        var validCount = 0
        for index in 0..<range.count {
            let bit = UInt64(validity[range.lowerBound &+ index])
            words[index &>> 6] |= bit &<< UInt64(index & 63)
            validCount &+= Int(bit)
        }
        return validCount == range.count ? nil : Bitmap(words: words, count: range.count)
    }

    private func encode(_ range: Range<Int>, _ validity: BitmapView?) -> EncodedColumn {
        func part<Element>(_ values: UnsafeMutablePointer<Element>) -> UnsafeBufferPointer<Element> {
            UnsafeBufferPointer(start: values + range.lowerBound, count: range.count)
        }
        var encoded: EncodedColumn
        switch values {
        case .codes(let values):
            encoded = EncodedColumn(chunk: encoder.encode(codes: part(values), validity: validity))
            encoded.rawByteCount = range.count * 4
        case .booleans(let values):
            encoded = encode(booleans: part(values), validity)
            encoded.rawByteCount = range.count
        case .integers(let values):
            encoded = EncodedColumn(chunk: encoder.encode(int64: part(values), validity: validity))
            encoded.rawByteCount = range.count * 8
        case .floats(let values):
            encoded = EncodedColumn(chunk: encoder.encode(float: part(values), validity: validity))
            encoded.rawByteCount = range.count * 4
        case .doubles(let values):
            encoded = EncodedColumn(chunk: encoder.encode(double: part(values), validity: validity))
            encoded.rawByteCount = range.count * 8
        case .decimals(let values):
            encoded = encode(decimals: part(values), owner.locate(range), validity)
            encoded.rawByteCount = range.count * 17
        case .uuids(let values):
            encoded = encode(uuids: part(values), validity)
            encoded.rawByteCount = range.count * 16
        case .gathered: encoded = encode(gathered: owner.locate(range), validity)
        }
        return encoded
    }

    private func encode(gathered positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?) -> EncodedColumn {
        switch source.physical {
        case .interval: return encode(intervals: positions, validity)
        case .vector:
            let floatCount = positions.count * source.dimensions
            let room = owner.memory.values(Float.self, floatCount)
            source.gatherVectors(positions, into: room)
            let chunk = encoder.encode(
                floatVectors: UnsafeBufferPointer(start: room, count: floatCount), dimensionCount: source.dimensions,
                validity: validity)
            return EncodedColumn(chunk: chunk, rawByteCount: floatCount * 4)
        case .bytes: return encode(text: positions, validity)
        default: preconditionFailure("all other types are scattered")
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
        intervals positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?
    ) -> EncodedColumn {
        let (months, days, microseconds) = source.gatherIntervals(positions)
        return months.withUnsafeBufferPointer { months in
            days.withUnsafeBufferPointer { days in
                microseconds.withUnsafeBufferPointer { microseconds in
                    EncodedColumn(
                        chunk: encoder.encode(
                            intervalMonths: months, days: days, microseconds: microseconds, validity: validity),
                        rawByteCount: positions.count * 16)
                }
            }
        }
    }

    private func encode(
        decimals: UnsafeBufferPointer<Int128>, _ positions: UnsafeBufferPointer<UInt64>,
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
        text positions: UnsafeBufferPointer<UInt64>, _ validity: BitmapView?
    ) -> EncodedColumn {
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
        return EncodedColumn(chunk: chunk, rawByteCount: bytes.count + positions.count * 4)
    }
}
