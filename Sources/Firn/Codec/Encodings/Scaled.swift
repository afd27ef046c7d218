// SPDX-License-Identifier: Apache-2.0
//
// GCD scaling: values whose distances share a divisor are stored divided by it.
//
// Whole seconds kept in microseconds lose 20 bits this way. The quotients are a vector of their own.
//
//     [base: signed varint][divisor: varint][integer vector of quotients]    value = base + quotient x divisor

enum Scaled: IntegerEncoding {
    static let id = EncodingID.scaled

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        guard statistics.divisor > 1 else { return nil }
        divide(values, statistics)
        let quotients = statistics.scratch.view(count: values.count)
        statistics.nested.analyze(quotients)
        let choice = IntegerCodec.choose(quotients, statistics.nested)
        statistics.noteNested(choice.id, of: .scaled)
        return PackedIntegers.varintByteCount(ZigZag.encode(statistics.extremes.min))
            + PackedIntegers.varintByteCount(statistics.divisor) + choice.byteCount
    }

    private static func divide(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) {
        let divisor = ExactDivisor(statistics.divisor)
        let quotients = statistics.scratch.pointer
        for index in 0..<values.count {
            let residual = UInt64(bitPattern: values[index] &- statistics.extremes.min)
            // A divisor of at least 2 leaves a quotient below 2^63.
            quotients[index] = Int64(bitPattern: divisor.quotient(of: residual))
        }
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        output.appendSignedVarint(statistics.extremes.min)
        output.appendVarint(statistics.divisor)
        if statistics.nestedOwner != .scaled { _ = estimate(values, statistics) }
        IntegerCodec.encodeChosen(
            statistics.scratch.view(count: values.count), statistics.nestedChoice, statistics.nested, into: &output)
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        _ = try reader.readSignedVarint()
        _ = try reader.readVarint()
        try IntegerCodec.verify(&reader, count: count, nesting: nesting + 1)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        let base = cursor.signedVarint()
        let divisor = Int64(bitPattern: cursor.varint())
        IntegerCodec.decode(&cursor, count: count, into: output)
        Kernels.scale(output, count: count, factor: divisor, base: base)
    }
}
