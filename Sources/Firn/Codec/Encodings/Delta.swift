// SPDX-License-Identifier: Apache-2.0
//
// Delta encoding: differences to the previous value, bit-packed; for walks, counters and event times.
//
// Differences wrap, so any two values have one. Element 0 of the packed block repeats a difference
// that occurs anyway, and the carry is chosen so that the running sum's element 0 is the first value.
//
//     [carry: signed varint][packed block of count differences]      value[i] = carry + d[0] + ... + d[i]

enum Delta: IntegerEncoding {
    static let id = EncodingID.delta

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        guard let plan = statistics.differencePlan else { return nil }
        return plan.byteCount + PackedIntegers.varintByteCount(ZigZag.encode(statistics.differenceCarry))
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        guard let plan = statistics.differencePlan else {
            preconditionFailure("delta encodes only what it could estimate")
        }
        output.appendSignedVarint(statistics.differenceCarry)
        PackedIntegers.encode(statistics.differences.pointer, count: values.count, plan: plan, into: &output)
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        _ = try reader.readSignedVarint()
        try PackedIntegers.verify(&reader, count: count)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        let carry = cursor.signedVarint()
        PackedIntegers.decodeSums(&cursor, count: count, carry: carry, into: output)
    }
}
