// SPDX-License-Identifier: Apache-2.0
//
// Run-length encoding: each maximal run of equal neighbours as one value and one length.
//
//     [run count: varint][packed block of lengths][integer vector of run values]

enum RunLength: IntegerEncoding {
    static let id = EncodingID.runLength
    /// With shorter runs on average than this, packing is smaller and faster.
    private static let runValueCountMin = 3

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        let runCount = statistics.runCount
        guard runCount > 1, runCount * runValueCountMin <= values.count else { return nil }
        statistics.splitRuns(values)
        let runValues = statistics.scratch.view(count: runCount)
        statistics.nested.analyze(runValues)
        let choice = IntegerCodec.choose(runValues, statistics.nested)
        statistics.noteNested(choice.id, of: .runLength)
        return PackedIntegers.varintByteCount(UInt64(runCount)) + lengthPlan(statistics).byteCount + choice.byteCount
    }

    private static func lengthPlan(_ statistics: IntegerStatistics) -> PackPlan {
        let lengths = UnsafePointer(statistics.lengths.pointer)
        return PackedIntegers.plan(
            lengths, count: statistics.runCount,
            extremes: Kernels.extremes(lengths, count: statistics.runCount),
            sample: BulkSample(lengths, count: statistics.runCount))
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        if statistics.nestedOwner != .runLength { _ = estimate(values, statistics) }
        output.appendVarint(statistics.runCount)
        PackedIntegers.encode(
            statistics.lengths.pointer, count: statistics.runCount, plan: lengthPlan(statistics), into: &output)
        IntegerCodec.encodeChosen(
            statistics.scratch.view(count: statistics.runCount), statistics.nestedChoice, statistics.nested,
            into: &output)
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        let start = reader.offset
        let runCount = try reader.readCount(atMost: count)
        guard runCount > 0 else { throw FormatError("a vector of no runs", at: start) }
        let lengthOffset = reader.offset
        try PackedIntegers.verify(&reader, count: runCount)
        let total = withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) {
            lengths -> Int? in
            let pointer = lengths.baseAddress!
            PackedIntegers.decode(reader.view.pointer(at: lengthOffset), count: runCount, into: pointer)
            var total = 0
            for run in 0..<runCount {
                guard pointer[run] > 0, pointer[run] <= Int64(count) else { return nil }
                total += Int(pointer[run])
            }
            return total
        }
        guard total == count else { throw FormatError("run lengths do not add up to \(count)", at: lengthOffset) }
        try IntegerCodec.verify(&reader, count: runCount, nesting: nesting + 1)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        withRuns(&cursor) { values, lengths, runCount in
            var filled = 0
            for run in 0..<runCount {
                let length = Int(truncatingIfNeeded: lengths[run])
                let value = SIMD8<Int64>(repeating: values[run])
                let target = UnsafeMutableRawPointer(output + filled)
                if filled &+ length &+ 8 <= count {
                    // Whole steps of eight: what is written past the run is the next one's to overwrite.
                    var offset = 0
                    while offset < length {
                        target.storeBytes(of: value, toByteOffset: offset &* 8, as: SIMD8<Int64>.self)
                        offset &+= 8
                    }
                } else {
                    (output + filled).update(repeating: values[run], count: length)
                }
                filled &+= length
            }
        }
    }

    /// Lends the runs of a verified body: what a scan that computes on runs needs instead of values.
    static func withRuns(
        _ cursor: inout VerifiedCursor,
        _ body: (_ values: UnsafePointer<Int64>, _ lengths: UnsafePointer<Int64>, _ runCount: Int) -> Void
    ) {
        let runCount = Int(cursor.varint())
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2 * VectorLayout.valueCount) { scratch in
            let values = scratch.baseAddress!
            let lengths = values + VectorLayout.valueCount
            cursor.skip(PackedIntegers.decode(cursor.pointer, count: runCount, into: lengths))
            IntegerCodec.decode(&cursor, count: runCount, into: values)
            body(values, lengths, runCount)
        }
    }
}
