// SPDX-License-Identifier: Apache-2.0
//
// Frame of reference: distances from a base, bit-packed, outliers patched.
//
//     [packed block, see PackedIntegers.swift]
//
// Source: Goldstein, Ramakrishnan, Shaft, "Compressing Relations and Indexes", ICDE 1998.

enum FrameOfReference: IntegerEncoding {
    static let id = EncodingID.frameOfReference

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        statistics.valuePlan.byteCount
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        PackedIntegers.encode(values.pointer, count: values.count, plan: statistics.valuePlan, into: &output)
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        try PackedIntegers.verify(&reader, count: count)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        cursor.skip(PackedIntegers.decode(cursor.pointer, count: count, into: output))
    }
}
