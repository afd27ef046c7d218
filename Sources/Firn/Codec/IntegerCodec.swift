// SPDX-License-Identifier: Apache-2.0
//
// Vectors of 64-bit integers: picks an encoding, writes its number before it, and finds it again.
//
//     integer vector: [EncodingID: u8][body as its encoding's file draws it]
//
// A vector knows its own end once its value count is known, so vectors nest without lengths. The
// nesting is bounded: scaled values may hold runs, runs may hold packed values, and no deeper.

/// What every encoding of an integer vector can do, in the order in which it is done.
protocol IntegerEncoding {
    static var id: EncodingID { get }

    /// Bytes that `encode` would write (without the id), or nil when this encoding cannot hold the vector.
    ///
    /// `statistics` has analysed exactly these values.
    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int?
    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter)
    /// Checks the body at the reader and moves past it; after it, `decode` cannot fail.
    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError)
    /// Decodes a verified body; writes whole rows of 16, so `output` needs room for `count` rounded up.
    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>)
}

enum IntegerCodec {
    /// How deep vectors may lie inside vectors.
    static let nestingMax = 3

    /// Encodes 1 to 1,024 values in the cheapest way and returns its id.
    @discardableResult
    static func encode(
        _ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter
    ) -> EncodingID {
        statistics.analyze(values)
        let id = choose(values, statistics).id
        encodeChosen(values, id, statistics, into: &output)
        return id
    }

    /// Encodes values that `choose` has just decided about.
    static func encodeChosen(
        _ values: VectorView<Int64>, _ id: EncodingID, _ statistics: IntegerStatistics, into output: inout ByteWriter
    ) {
        output.append(id.rawValue)
        switch id {
        case .constant: Constant.encode(values, statistics, into: &output)
        case .raw: Raw.encode(values, statistics, into: &output)
        case .frameOfReference: FrameOfReference.encode(values, statistics, into: &output)
        case .delta: Delta.encode(values, statistics, into: &output)
        case .deltaOfDelta: DeltaOfDelta.encode(values, statistics, into: &output)
        case .scaled: Scaled.encode(values, statistics, into: &output)
        case .runLength: RunLength.encode(values, statistics, into: &output)
        default: preconditionFailure("only integer encodings are candidates for integers")
        }
    }

    /// The cheapest encoding and its byte count with the id, for analysed values.
    static func choose(
        _ values: VectorView<Int64>, _ statistics: IntegerStatistics
    ) -> (id: EncodingID, byteCount: Int) {
        if let bytes = Constant.estimate(values, statistics) { return (.constant, bytes + 1) }
        var best: (id: EncodingID, byteCount: Int) = (.raw, Int.max)
        consider(FrameOfReference.self, values, statistics, &best)
        consider(Delta.self, values, statistics, &best)
        consider(DeltaOfDelta.self, values, statistics, &best)
        consider(Raw.self, values, statistics, &best)
        consider(RunLength.self, values, statistics, &best)
        consider(Scaled.self, values, statistics, &best)
        return (best.id, best.byteCount + 1)
    }

    @inline(__always)
    private static func consider<Encoding: IntegerEncoding>(
        _ encoding: Encoding.Type, _ values: VectorView<Int64>, _ statistics: IntegerStatistics,
        _ best: inout (id: EncodingID, byteCount: Int)
    ) {
        // On a tie the earlier, faster one stays.
        if let bytes = encoding.estimate(values, statistics), bytes < best.byteCount { best = (encoding.id, bytes) }
    }

    /// Checks one vector of `count` values and moves past it.
    @discardableResult
    static func verify(
        _ reader: inout ByteReader, count: Int, nesting: Int = 0
    ) throws(FormatError) -> EncodingID {
        let start = reader.offset
        guard count >= 1, count <= VectorLayout.valueCount else {
            throw FormatError("a vector of \(count) values", at: start)
        }
        guard nesting <= nestingMax else { throw FormatError("vectors are nested too deeply", at: start) }
        let tag = try reader.readByte()
        guard let id = EncodingID(rawValue: tag) else { throw FormatError("unknown encoding \(tag)", at: start) }
        switch id {
        case .constant: try Constant.verify(&reader, count: count, nesting: nesting)
        case .raw: try Raw.verify(&reader, count: count, nesting: nesting)
        case .frameOfReference: try FrameOfReference.verify(&reader, count: count, nesting: nesting)
        case .delta: try Delta.verify(&reader, count: count, nesting: nesting)
        case .deltaOfDelta: try DeltaOfDelta.verify(&reader, count: count, nesting: nesting)
        case .scaled: try Scaled.verify(&reader, count: count, nesting: nesting)
        case .runLength: try RunLength.verify(&reader, count: count, nesting: nesting)
        default: throw FormatError("encoding \(tag) does not hold integers", at: start)
        }
        return id
    }

    /// Decodes one verified vector; `output` needs room for `count` rounded up to 16 values.
    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        switch EncodingID(rawValue: cursor.byte()) {
        case .constant: Constant.decode(&cursor, count: count, into: output)
        case .raw: Raw.decode(&cursor, count: count, into: output)
        case .frameOfReference: FrameOfReference.decode(&cursor, count: count, into: output)
        case .delta: Delta.decode(&cursor, count: count, into: output)
        case .deltaOfDelta: DeltaOfDelta.decode(&cursor, count: count, into: output)
        case .scaled: Scaled.decode(&cursor, count: count, into: output)
        case .runLength: RunLength.decode(&cursor, count: count, into: output)
        default: preconditionFailure("verify admits integer encodings only")
        }
    }

    // MARK: Sequences of any length

    /// Encodes any number of values as vectors one after another.
    static func encodeSequence(
        _ values: UnsafeBufferPointer<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter
    ) {
        var start = 0
        while start < values.count {
            let end = min(start + VectorLayout.valueCount, values.count)
            encode(VectorView(UnsafeBufferPointer(rebasing: values[start..<end])), statistics, into: &output)
            start = end
        }
    }

    /// Verifies and decodes `count` values that `encodeSequence` wrote.
    static func decodeSequence(_ reader: inout ByteReader, count: Int) throws(FormatError) -> [Int64] {
        // A vector is at least two bytes, so a damaged count cannot ask for much.
        guard VectorLayout.vectorCount(forValues: count) * 2 <= reader.remaining else {
            throw FormatError("\(count) values cannot lie in \(reader.remaining) bytes", at: reader.offset)
        }
        var values = [Int64](repeating: 0, count: count)
        let buffer = VectorBuffer<Int64>()
        var start = 0
        while start < count {
            let vectorCount = min(VectorLayout.valueCount, count - start)
            let offset = reader.offset
            try verify(&reader, count: vectorCount)
            var cursor = VerifiedCursor(reader.view.pointer(at: offset))
            decode(&cursor, count: vectorCount, into: buffer.pointer)
            values.withUnsafeMutableBufferPointer {
                $0.baseAddress!.advanced(by: start).update(from: buffer.pointer, count: vectorCount)
            }
            start += vectorCount
        }
        return values
    }
}
