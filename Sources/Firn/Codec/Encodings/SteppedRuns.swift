// SPDX-License-Identifier: Apache-2.0
//
// A whole page as arithmetic progressions: regular timestamps, sorted key columns, constants.
//
// Ten thousand rows at a fixed step cost a few bytes, and a scan can compute bucket boundaries from
// first and step without decoding a value. Sums wrap, so any two neighbours have a step.
//
//     [run count: varint][integer sequences of: value counts, first values, steps]

enum SteppedRuns {
    /// A run must hold this many values on average for the page to be worth storing as runs.
    private static let runValueCountMin = 256
    /// Values that are compared together.
    private static let blockValueCount = 32

    /// The page's runs, or nil when there are too many to be worth it.
    static func split(_ values: UnsafeBufferPointer<Int64>) -> [SteppedRun]? {
        let runCountMax = max(1, values.count / runValueCountMin)
        var runs: [SteppedRun] = []
        var start = 0
        while start < values.count {
            if runs.count == runCountMax { return nil }
            var end = start + 1
            var step: Int64 = 0
            if end < values.count {
                step = values[end] &- values[start]
                end += 1
                end = endOfProgression(values, from: end, step: step)
            }
            runs.append(SteppedRun(first: values[start], step: step, valueCount: end - start))
            start = end
        }
        return runs
    }

    /// The first index from `start` on whose value does not follow the one before by `step`. `start` is above 0.
    private static func endOfProgression(
        _ values: UnsafeBufferPointer<Int64>, from start: Int, step: Int64
    ) -> Int {
        var end = start
        // Whole blocks without a branch for each value, as most progressions are long.
        while end + blockValueCount <= values.count {
            var differences: Int64 = 0
            for index in end..<end + blockValueCount {
                differences |= (values[index] &- values[index &- 1]) ^ step
            }
            if differences != 0 { break }
            end += blockValueCount
        }
        while end < values.count && values[end] &- values[end - 1] == step { end += 1 }
        return end
    }

    static func encode(_ runs: [SteppedRun], _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        output.appendVarint(runs.count)
        for column in [runs.map { Int64($0.valueCount) }, runs.map(\.first), runs.map(\.step)] {
            column.withUnsafeBufferPointer { IntegerCodec.encodeSequence($0, statistics, into: &output) }
        }
    }

    /// Verifies the runs of a page of `count` values.
    static func decode(_ reader: inout ByteReader, count: Int) throws(FormatError) -> [SteppedRun] {
        let start = reader.offset
        let runCount = try reader.readCount(atMost: count)
        let counts = try IntegerCodec.decodeSequence(&reader, count: runCount)
        let firsts = try IntegerCodec.decodeSequence(&reader, count: runCount)
        let steps = try IntegerCodec.decodeSequence(&reader, count: runCount)
        var total = 0
        var runs: [SteppedRun] = []
        runs.reserveCapacity(runCount)
        for run in 0..<runCount {
            guard counts[run] > 0, counts[run] <= Int64(count - total) else {
                throw FormatError("stepped runs do not add up to \(count)", at: start)
            }
            total += Int(counts[run])
            runs.append(SteppedRun(first: firsts[run], step: steps[run], valueCount: Int(counts[run])))
        }
        guard total == count else { throw FormatError("stepped runs do not add up to \(count)", at: start) }
        return runs
    }
}
