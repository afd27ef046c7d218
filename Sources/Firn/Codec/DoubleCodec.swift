// SPDX-License-Identifier: Apache-2.0
//
// Vectors of doubles and floats, as bit patterns in 64-bit integers: picks an encoding and finds it again.
//
//     double vector: [EncodingID: u8][body as its encoding's file draws it]
//
// Bit-exact for every pattern: NaN payloads, infinities, -0.0 and subnormals come back as they went in.

/// What the 64-bit patterns of a page mean.
enum NumberDomain: Sendable {
    case integer
    case double
    /// The low 32 bits are the pattern of a Float.
    case float
}

enum DoubleCodec {
    /// Bits a value above which decimals are compared with the other encodings.
    private static let decimalBitsMax = 36

    /// Encodes 1 to 1,024 patterns of the page that `statistics` was prepared for, and returns its id.
    @discardableResult
    static func encode(
        _ bits: VectorView<Int64>, _ statistics: DoubleStatistics, into output: inout ByteWriter
    ) -> EncodingID {
        let decimal = isConstant(bits) ? nil : ALP.estimate(bits, statistics)
        if let decimal, decimal * 8 <= bits.count * decimalBitsMax { return encodeDecimal(bits, statistics, &output) }
        // The bit patterns need the integers' scratch memory, so decimals are estimated again if they win.
        statistics.integers.analyze(bits)
        let pattern = IntegerCodec.choose(bits, statistics.integers)
        let cutByteCount = statistics.cut.map { ALPRD.estimate(bits, $0) } ?? Int.max
        if let cut = statistics.cut, cutByteCount < min(pattern.byteCount, decimal ?? Int.max) {
            output.append(ALPRD.id.rawValue)
            ALPRD.encode(bits, cut, into: &output)
            return .alpRD
        }
        if let decimal, decimal <= pattern.byteCount, ALP.estimate(bits, statistics) != nil {
            return encodeDecimal(bits, statistics, &output)
        }
        output.append(EncodingID.bitPattern.rawValue)
        let inner = IntegerCodec.encode(bits, statistics.integers, into: &output)
        return inner == .constant || inner == .runLength ? inner : .bitPattern
    }

    private static func encodeDecimal(
        _ bits: VectorView<Int64>, _ statistics: DoubleStatistics, _ output: inout ByteWriter
    ) -> EncodingID {
        output.append(ALP.id.rawValue)
        ALP.encode(bits, statistics, into: &output)
        return .alp
    }

    private static func isConstant(_ bits: VectorView<Int64>) -> Bool {
        for index in 1..<max(bits.count, 1) where bits[index] != bits[0] { return false }
        return true
    }

    /// `cut` is what the page holds for ALP-RD; without it, no vector may use it.
    static func verify(
        _ reader: inout ByteReader, count: Int, _ domain: NumberDomain, cut: ALPRDCut? = nil
    ) throws(FormatError) {
        let start = reader.offset
        let tag = try reader.readByte()
        switch EncodingID(rawValue: tag) {
        case .bitPattern: try IntegerCodec.verify(&reader, count: count)
        case .alp: try ALP.verify(&reader, count: count, domain)
        case .alpRD where cut != nil: try ALPRD.verify(&reader, count: count)
        default: throw FormatError("encoding \(tag) does not hold \(domain) values here", at: start)
        }
    }

    /// Decodes one verified vector of bit patterns; room for `count` rounded up to 16 is needed.
    static func decode(
        _ cursor: inout VerifiedCursor, count: Int, _ domain: NumberDomain, cut: ALPRDCut? = nil,
        into output: UnsafeMutablePointer<Int64>
    ) {
        switch EncodingID(rawValue: cursor.byte()) {
        case .bitPattern: IntegerCodec.decode(&cursor, count: count, into: output)
        case .alp: ALP.decode(&cursor, count: count, domain, into: output)
        case .alpRD:
            guard let cut else { preconditionFailure("verify admits a cut vector only in a page with a cut") }
            ALPRD.decode(&cursor, count: count, cut, into: output)
        default: preconditionFailure("verify admits double encodings only")
        }
    }

    // MARK: Sequences of any length

    /// Encodes any number of patterns as vectors one after another, without a cut.
    static func encodeSequence(
        _ bits: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics,
        into output: inout ByteWriter
    ) {
        statistics.prepare(bits, domain)
        statistics.withoutCut()
        var start = 0
        while start < bits.count {
            let end = min(start + VectorLayout.valueCount, bits.count)
            encode(VectorView(UnsafeBufferPointer(rebasing: bits[start..<end])), statistics, into: &output)
            start = end
        }
    }

    /// Verifies and decodes `count` patterns that `encodeSequence` wrote.
    static func decodeSequence(
        _ reader: inout ByteReader, count: Int, _ domain: NumberDomain
    ) throws(FormatError) -> [Int64] {
        guard VectorLayout.vectorCount(forValues: count) * 2 <= reader.remaining else {
            throw FormatError("\(count) values cannot lie in \(reader.remaining) bytes", at: reader.offset)
        }
        var bits = [Int64](repeating: 0, count: count)
        let buffer = VectorBuffer<Int64>()
        var start = 0
        while start < count {
            let vectorCount = min(VectorLayout.valueCount, count - start)
            let offset = reader.offset
            try verify(&reader, count: vectorCount, domain)
            var cursor = VerifiedCursor(reader.view.pointer(at: offset))
            decode(&cursor, count: vectorCount, domain, into: buffer.pointer)
            bits.withUnsafeMutableBufferPointer {
                $0.baseAddress!.advanced(by: start).update(from: buffer.pointer, count: vectorCount)
            }
            start += vectorCount
        }
        return bits
    }
}
