// SPDX-License-Identifier: Apache-2.0
//
// Pages of byte strings and of float vectors.
//
// Byte strings go into a page-wide dictionary where few are distinct; else a vector is its lengths and
// then its bytes, plain or as codes of frequent pieces, and the page is compressed as a whole where that pays.
//
//     scheme vectors, bytes: vector = [EncodingID plainBytes: u8][integer vector of lengths][bytes]
//     scheme symbols, bytes: see SymbolTable.swift
//     scheme dictionary, bytes: [distinct count: varint][integer sequence of lengths][bytes]
//                               [directory][integer vectors of codes]
//     scheme vectors, float vectors: [dimension count: varint][directory]
//                               vector = [EncodingID rawFloats: u8][floats, little-endian]
//                                     or [EncodingID shuffledFloats: u8][all first bytes][all second bytes]...

/// Byte strings that somebody else owns: value i is bytes[offsets[i] ..< offsets[i + 1]].
struct ByteStringsView {
    /// One more offset than values, ascending.
    let offsets: UnsafeBufferPointer<UInt32>
    let bytes: UnsafeRawBufferPointer

    var count: Int { max(offsets.count - 1, 0) }

    @inline(__always)
    subscript(index: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(offsets[index])..<Int(offsets[index + 1])])
    }
}

extension ColumnChunkEncoder {
    /// Under a null the bytes are stored as they are handed in; an empty run is the cheapest.
    func encode(bytes values: ByteStringsView, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let gathered = ColumnChunkStatistics.countsOnly(valueCount: values.count, validity: validity)
        if let distinct = DistinctByteStrings(values) {
            return chunk(.bytes, values.count, validity, gathered) { range, output in
                dictionaryPage(distinct, values, range, into: &output)
            }
        }
        return chunk(.bytes, values.count, validity, gathered, ranges: pageRanges(values)) { range, output in
            if let table = Chooser.symbolTable(text(values, range), profile) {
                return symbolsPage(table, values, range, into: &output)
            }
            return vectorsPage(range, into: &output) { vector, output in
                count(.plainBytes)
                output.append(EncodingID.plainBytes.rawValue)
                lengths(values, vector, into: &output)
                output.append(text(values, vector))
            }
        }
    }

    private func symbolsPage(
        _ table: SymbolTable, _ values: ByteStringsView, _ range: Range<Int>, into output: inout ByteWriter
    ) -> PageScheme {
        output.append(PageScheme.symbols.rawValue)
        table.encode(into: &output)
        let matcher = table.matcher()
        directoryAndVectors(range, into: &output) { vector, output in
            count(.symbolBytes)
            output.append(EncodingID.symbolBytes.rawValue)
            lengths(values, vector, into: &output)
            matcher.encode(text(values, vector), into: &output)
        }
        return .symbols
    }

    /// The bytes of some strings, which lie end to end.
    private func text(_ values: ByteStringsView, _ range: Range<Int>) -> UnsafeRawBufferPointer {
        let bytes = Int(values.offsets[range.lowerBound])..<Int(values.offsets[range.upperBound])
        return UnsafeRawBufferPointer(rebasing: values.bytes[bytes])
    }

    private func lengths(_ values: ByteStringsView, _ vector: Range<Int>, into output: inout ByteWriter) {
        let lengths = vector.map { Int64(values.offsets[$0 + 1] - values.offsets[$0]) }
        lengths.withUnsafeBufferPointer { _ = IntegerCodec.encode(VectorView($0), statistics, into: &output) }
    }

    /// Whole vectors a page until the next one would take it past its aim.
    private func pageRanges(_ values: ByteStringsView) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var start = 0
        var end = 0
        while end < values.count {
            let next = min(end + VectorLayout.valueCount, values.count)
            let byteCount = Int(values.offsets[next] - values.offsets[start])
            if byteCount > Self.pageByteCountMax && end > start {
                ranges.append(start..<end)
                start = end
            }
            end = next
        }
        if start < end { ranges.append(start..<end) }
        return ranges
    }

    private func dictionaryPage(
        _ distinct: DistinctByteStrings, _ values: ByteStringsView, _ range: Range<Int>, into output: inout ByteWriter
    ) -> PageScheme {
        output.append(PageScheme.dictionary.rawValue)
        output.appendVarint(distinct.firstIndexes.count)
        let lengths = distinct.firstIndexes.map { Int64(values[$0].count) }
        lengths.withUnsafeBufferPointer { IntegerCodec.encodeSequence($0, statistics, into: &output) }
        for index in distinct.firstIndexes { output.append(values[index]) }
        distinct.codes.withUnsafeBufferPointer { codes in
            directoryAndVectors(range, into: &output) { vector, output in
                count(IntegerCodec.encode(VectorView(part(codes, vector)), statistics, into: &output))
            }
        }
        return .dictionary
    }

    /// `values` holds `dimensionCount` floats a value.
    func encode(
        floatVectors values: UnsafeBufferPointer<Float>, dimensionCount: Int, validity: BitmapView? = nil
    ) -> EncodedColumnChunk {
        precondition(dimensionCount > 0, "a vector has at least one dimension")
        precondition(values.count % dimensionCount == 0, "every vector has all of its dimensions")
        let valueCount = values.count / dimensionCount
        let vectorBytes = VectorLayout.valueCount * dimensionCount * MemoryLayout<Float>.size
        let vectorsPerPage = max(1, Self.pageByteCountMax / vectorBytes)
        return chunk(
            .floatVector, valueCount, validity, .countsOnly(valueCount: valueCount, validity: validity),
            pageValueCount: min(vectorsPerPage * VectorLayout.valueCount, VectorLayout.columnChunkValueCountMax)
        ) { range, output in
            output.append(PageScheme.vectors.rawValue)
            output.appendVarint(dimensionCount)
            directoryAndVectors(range, into: &output) { vector, output in
                let floats = vector.lowerBound * dimensionCount..<vector.upperBound * dimensionCount
                let bytes = UnsafeRawBufferPointer(part(values, floats))
                // Like bytes side by side compress; on their own they only cost time.
                if profile == .cold {
                    count(.shuffledFloats)
                    output.append(EncodingID.shuffledFloats.rawValue)
                    FloatShuffle.encode(bytes, into: &output)
                } else {
                    count(.rawFloats)
                    output.append(EncodingID.rawFloats.rawValue)
                    output.append(bytes)
                }
            }
            return .vectors
        }
    }
}

/// Distinct byte strings of a chunk in byte order, or nil where a dictionary does not pay.
struct DistinctByteStrings {
    /// An index in the chunk for each distinct string, in order of the strings.
    let firstIndexes: [Int]
    let codes: [Int64]

    init?(_ values: ByteStringsView) {
        if values.count == 0 { return nil }
        // Few long strings, each of many rows: a page of them might be more than a reader takes.
        if Int(values.offsets[values.count]) - Int(values.offsets[0]) > VectorLayout.pageStringByteCountMax {
            return nil
        }
        let distinctCountMax = max(1, min(DistinctValues.distinctCountMax, values.count / 4))
        let slotCount = max(64, (distinctCountMax * 2).nextPowerOfTwo)
        var slots = [Int32](repeating: -1, count: slotCount)
        var found: [Int] = []
        var distinctByteCount = 0
        var codes = [Int64](repeating: 0, count: values.count)
        for index in 0..<values.count {
            let value = values[index]
            var slot = Self.hash(value) & (slotCount - 1)
            while true {
                let code = Int(slots[slot])
                if code < 0 {
                    distinctByteCount += value.count
                    if found.count == distinctCountMax || distinctByteCount > ColumnChunkEncoder.pageByteCountMax {
                        return nil
                    }
                    slots[slot] = Int32(found.count)
                    codes[index] = Int64(found.count)
                    found.append(index)
                    break
                }
                if Self.areEqual(values[found[code]], value) {
                    codes[index] = Int64(code)
                    break
                }
                slot = (slot + 1) & (slotCount - 1)
            }
        }
        let order = found.indices.sorted { Self.precedes(values[found[$0]], values[found[$1]]) }
        var rank = [Int64](repeating: 0, count: found.count)
        for (position, original) in order.enumerated() { rank[original] = Int64(position) }
        for index in codes.indices { codes[index] = rank[Int(codes[index])] }
        firstIndexes = order.map { found[$0] }
        self.codes = codes
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 &+ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
            offset += 8
        }
        while offset < bytes.count {
            hash = (hash ^ UInt64(bytes[offset])) &* 0x94D0_49BB_1331_11EB
            hash ^= hash >> 31
            offset += 1
        }
        return Int(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 33)
    }

    private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        a.count == b.count && (a.count == 0 || compareBytes(a.baseAddress!, b.baseAddress!, a.count) == 0)
    }

    private static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        let shared = min(a.count, b.count)
        let order = shared == 0 ? 0 : compareBytes(a.baseAddress!, b.baseAddress!, shared)
        return order == 0 ? a.count < b.count : order < 0
    }
}

/// Bytes of like significance side by side: all first bytes, then all second bytes, and so on.
enum FloatShuffle {
    static func encode(_ bytes: UnsafeRawBufferPointer, into output: inout ByteWriter) {
        let floatCount = bytes.count / 4
        output.appendUninitialized(floatCount * 4) { target in
            for plane in 0..<4 {
                for index in 0..<floatCount {
                    target.storeBytes(
                        of: bytes[index &* 4 &+ plane], toByteOffset: plane &* floatCount &+ index, as: UInt8.self)
                }
            }
        }
    }

    static func decode(_ planes: UnsafeRawPointer, floatCount: Int, into output: UnsafeMutablePointer<Float>) {
        for index in 0..<floatCount {
            var bits: UInt32 = 0
            for plane in 0..<4 {
                let byte = planes.load(fromByteOffset: plane &* floatCount &+ index, as: UInt8.self)
                bits |= UInt32(byte) &<< UInt32(plane &* 8)
            }
            output[index] = Float(bitPattern: bits)
        }
    }
}
