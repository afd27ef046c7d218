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
    @discardableResult
    static func encode(
        _ bits: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter
    ) -> EncodingID {
        output.append(EncodingID.bitPattern.rawValue)
        let inner = IntegerCodec.encode(bits, statistics, into: &output)
        return inner == .constant || inner == .runLength ? inner : .bitPattern
    }

    static func verify(_ reader: inout ByteReader, count: Int) throws(FormatError) {
        let start = reader.offset
        let tag = try reader.readByte()
        switch EncodingID(rawValue: tag) {
        case .bitPattern: try IntegerCodec.verify(&reader, count: count)
        default: throw FormatError("encoding \(tag) does not hold doubles", at: start)
        }
    }

    /// Decodes one verified vector of bit patterns; room for `count` rounded up to 16 is needed.
    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        switch EncodingID(rawValue: cursor.byte()) {
        case .bitPattern: IntegerCodec.decode(&cursor, count: count, into: output)
        default: preconditionFailure("verify admits double encodings only")
        }
    }

    // MARK: Sequences of any length

    static func encodeSequence(
        _ bits: UnsafeBufferPointer<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter
    ) {
        var start = 0
        while start < bits.count {
            let end = min(start + VectorLayout.valueCount, bits.count)
            encode(VectorView(UnsafeBufferPointer(rebasing: bits[start..<end])), statistics, into: &output)
            start = end
        }
    }

    /// Verifies and decodes `count` patterns that `encodeSequence` wrote.
    static func decodeSequence(_ reader: inout ByteReader, count: Int) throws(FormatError) -> [Int64] {
        guard VectorLayout.vectorCount(forValues: count) * 2 <= reader.remaining else {
            throw FormatError("\(count) values cannot lie in \(reader.remaining) bytes", at: reader.offset)
        }
        var bits = [Int64](repeating: 0, count: count)
        let buffer = VectorBuffer<Int64>()
        var start = 0
        while start < count {
            let vectorCount = min(VectorLayout.valueCount, count - start)
            let offset = reader.offset
            try verify(&reader, count: vectorCount)
            var cursor = VerifiedCursor(reader.view.pointer(at: offset))
            decode(&cursor, count: vectorCount, into: buffer.pointer)
            for index in 0..<vectorCount { bits[start + index] = buffer.pointer[index] }
            start += vectorCount
        }
        return bits
    }
}
