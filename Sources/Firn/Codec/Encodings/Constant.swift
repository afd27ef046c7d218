// SPDX-License-Identifier: Apache-2.0
//
// Constant encoding: one value for the whole vector.
//
//     [value: signed varint]

enum Constant: IntegerEncoding {
    static let id = EncodingID.constant

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        guard statistics.extremes.min == statistics.extremes.max else { return nil }
        return PackedIntegers.varintByteCount(ZigZag.encode(statistics.extremes.min))
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        output.appendSignedVarint(values[0])
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        _ = try reader.readSignedVarint()
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        output.update(repeating: cursor.signedVarint(), count: count)
    }
}
