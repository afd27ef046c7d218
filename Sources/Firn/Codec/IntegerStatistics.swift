// SPDX-License-Identifier: Apache-2.0
//
// What the integer encodings want to know about one vector before they estimate themselves.
//
// One object is reused for all vectors of a column chunk; `analyze` refills it. Differences are
// computed once and shared by the estimate and the encoding that wins. Not for two threads at once.

final class IntegerStatistics {
    private(set) var count = 0
    private(set) var extremes: (min: Int64, max: Int64) = (0, 0)
    private(set) var runCount = 0
    /// Greatest common divisor of the distances from the minimum; 0 when all values are equal.
    private(set) var divisor: UInt64 = 0

    /// differences[0] repeats differences[1]; second differences [0] and [1] repeat [2].
    let differences = VectorBuffer<Int64>()
    let secondDifferences = VectorBuffer<Int64>()
    /// Room for values divided by their common divisor, or the values and lengths of runs.
    let scratch = VectorBuffer<Int64>()
    let lengths = VectorBuffer<Int64>()

    private(set) var valuePlan = PackPlan(base: 0, width: 0, exceptionCount: 0, highWidth: 0, byteCount: 0)
    private(set) var differencePlan: PackPlan?
    private(set) var secondDifferencePlan: PackPlan?
    /// The first value minus differences[0]: where the prefix sum begins.
    private(set) var differenceCarry: Int64 = 0
    /// Likewise for the second differences.
    private(set) var secondDifferenceCarry: Int64 = 0

    /// Statistics for a vector inside this one (run values, scaled values).
    lazy var nested: IntegerStatistics = IntegerStatistics()

    /// Whose values `nested` analysed last, and what it chose for them.
    private(set) var nestedOwner: EncodingID?
    private(set) var nestedChoice = EncodingID.raw

    func noteNested(_ choice: EncodingID, of owner: EncodingID) {
        nestedOwner = owner
        nestedChoice = choice
    }

    func analyze(_ values: VectorView<Int64>) {
        precondition(
            values.count > 0 && values.count <= VectorLayout.valueCount, "a vector holds 1 to 1,024 values")
        count = values.count
        let pointer = values.pointer
        extremes = Kernels.extremes(pointer, count: count)
        differencePlan = nil
        secondDifferencePlan = nil
        divisor = 0
        nestedOwner = nil
        if extremes.min == extremes.max {
            runCount = 1
            valuePlan = PackedIntegers.plainPlan(count: count, extremes: extremes)
            return
        }
        runCount = Kernels.runCount(pointer, count: count)
        divisor = IntegerKernels.commonDivisor(pointer, count: count, least: extremes.min)
        planPackings(pointer)
    }

    private func planPackings(_ pointer: UnsafePointer<Int64>) {
        let sample = BulkSample(pointer, count: count)
        if count < 4 {
            valuePlan = PackedIntegers.plan(pointer, count: count, extremes: extremes, sample: sample)
            return
        }
        Kernels.differences(pointer, count: count, into: differences.pointer)
        differenceCarry = pointer[0] &- differences.pointer[0]
        let differenceExtremes = Kernels.extremes(differences.pointer, count: count)
        let differenceSample = BulkSample(differences.pointer, count: count)

        Kernels.differences(differences.pointer, count: count, into: secondDifferences.pointer)
        secondDifferences.pointer[1] = secondDifferences.pointer[2]
        secondDifferences.pointer[0] = secondDifferences.pointer[2]
        // differences[1] = carry + second[0] + second[1], and the prefix sum's own element 0 is
        // differences[1] - second[1].
        let firstDifference = differences.pointer[1] &- secondDifferences.pointer[1]
        secondDifferenceCarry = firstDifference &- secondDifferences.pointer[0]
        secondDifferenceValueCarry = pointer[0] &- firstDifference
        let secondExtremes = Kernels.extremes(secondDifferences.pointer, count: count)
        let secondSample = BulkSample(secondDifferences.pointer, count: count)

        // The plan of a stream whose bulk is much wider than another's cannot win: skip its histogram.
        let widths = (
            promisedWidth(sample, extremes), promisedWidth(differenceSample, differenceExtremes),
            promisedWidth(secondSample, secondExtremes)
        )
        let limit = min(widths.0, widths.1, widths.2) + 2
        valuePlan =
            widths.0 <= limit
            ? PackedIntegers.plan(pointer, count: count, extremes: extremes, sample: sample)
            : PackedIntegers.plainPlan(count: count, extremes: extremes)
        differencePlan =
            widths.1 <= limit
            ? PackedIntegers.plan(
                differences.pointer, count: count, extremes: differenceExtremes, sample: differenceSample)
            : PackedIntegers.plainPlan(count: count, extremes: differenceExtremes)
        secondDifferencePlan =
            widths.2 <= limit
            ? PackedIntegers.plan(
                secondDifferences.pointer, count: count, extremes: secondExtremes, sample: secondSample)
            : PackedIntegers.plainPlan(count: count, extremes: secondExtremes)
    }

    /// The first value minus the first difference as the second prefix sum will compute it.
    private(set) var secondDifferenceValueCarry: Int64 = 0

    private func promisedWidth(_ sample: BulkSample, _ extremes: (min: Int64, max: Int64)) -> Int {
        min(sample.coreWidth, BitPacking.width(of: UInt64(bitPattern: extremes.max &- extremes.min)))
    }

    /// Splits the values into runs: run values into `scratch`, run lengths into `lengths`.
    func splitRuns(_ values: VectorView<Int64>) {
        var run = 0
        var start = 0
        for index in 1...values.count where index == values.count || values[index] != values[start] {
            scratch.pointer[run] = values[start]
            lengths.pointer[run] = Int64(index - start)
            run += 1
            start = index
        }
    }
}
