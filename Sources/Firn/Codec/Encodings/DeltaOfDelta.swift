// SPDX-License-Identifier: Apache-2.0
//
// Delta-of-delta encoding of timestamps and counters.
//
// Second differences, bit-packed; where the step holds they are all zero and cost no bits. Elements
// 0 and 1 of the packed block repeat element 2, and the carries are chosen so that two running sums
// give the values back. Whole pages of constant steps are stored as SteppedRuns instead.
//
//     [value carry: signed varint][step carry: signed varint][packed block of count second differences]
//
// Source: Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.1; packed as FOR, not as variable-length
// codes, so that decoding has no branch per value.

enum DeltaOfDelta: IntegerEncoding {
    static let id = EncodingID.deltaOfDelta

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        guard let plan = statistics.secondDifferencePlan else { return nil }
        return plan.byteCount
            + PackedIntegers.varintByteCount(ZigZag.encode(statistics.secondDifferenceValueCarry))
            + PackedIntegers.varintByteCount(ZigZag.encode(statistics.secondDifferenceCarry))
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        guard let plan = statistics.secondDifferencePlan else {
            preconditionFailure("delta-of-delta encodes only what it could estimate")
        }
        output.appendSignedVarint(statistics.secondDifferenceValueCarry)
        output.appendSignedVarint(statistics.secondDifferenceCarry)
        PackedIntegers.encode(statistics.secondDifferences.pointer, count: values.count, plan: plan, into: &output)
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        _ = try reader.readSignedVarint()
        _ = try reader.readSignedVarint()
        try PackedIntegers.verify(&reader, count: count)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        let valueCarry = cursor.signedVarint()
        let stepCarry = cursor.signedVarint()
        PackedIntegers.decodeSums(&cursor, count: count, carry: stepCarry, into: output)
        Kernels.prefixSum(output, count: count, carry: valueCarry)
    }
}
