// SPDX-License-Identifier: Apache-2.0
//
// sum, avg, stddev and variance of integers, exact: sums in 128 bits, sums of squares in 256.
//
// No number of 64-bit rows that fits into memory overflows either.

import CKernels

/// Count, sum and sum of squares of each group.
final class IntegerMomentState: AggregateState {
    private let tracksSquares: Bool
    private var counts: [Int64] = []
    private var sums: [Int128] = []
    /// Empty unless asked for.
    private var squares: [Int256] = []

    // Room for the runs of one batch.
    private var blocks = RunBlocks()
    private var sumsOfRuns: [FirnIntegerAggregate] = []

    init(tracksSquares: Bool) { self.tracksSquares = tracksSquares }

    func addGroups(_ count: Int) {
        counts.append(contentsOf: repeatElement(0, count: count))
        sums.append(contentsOf: repeatElement(0, count: count))
        if tracksSquares { squares.append(contentsOf: repeatElement(.zero, count: count)) }
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        arguments[0].integerValues!.withUnsafeBufferPointer { values in
            precondition(runs.last.map { Int($0.end) <= values.count } ?? true, "runs lie within the batch")
            guard let values = values.baseAddress else { return }
            // The kernels add halves of values: 2^31 of them overflow nothing.
            blocks.cut(runs, rowsMax: Int(Int32.max))
            if sumsOfRuns.count < runs.count {
                sumsOfRuns = [FirnIntegerAggregate](repeating: FirnIntegerAggregate(), count: runs.count)
            }
            blocks.withBlocks { ends, _ in
                sumsOfRuns.withUnsafeMutableBufferPointer { sums in
                    Kernels.aggregateRuns(values, ends: ends, into: sums.baseAddress!)
                }
            }
            for index in runs.indices {
                let group = Int(runs[index].group)
                counts[group] &+= sumsOfRuns[index].count
                sums[group] &+= sumsOfRuns[index].sum
                if tracksSquares {
                    let added = Self.sumOfSquares(values + Int(runs[index].start), runs[index].count)
                    squares[group] = squares[group].addingReportingOverflow(added).partialValue
                }
            }
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let tracksSquares = tracksSquares
        arguments[0].integerValues!.withUnsafeBufferPointer { values in
            precondition(values.count >= groups.count, "a value for each row")
            counts.withUnsafeMutableBufferPointer { counts in
                sums.withUnsafeMutableBufferPointer { sums in
                    squares.withUnsafeMutableBufferPointer { squares in
                        for row in 0..<groups.count {
                            let group = Int(groups[row])
                            counts[group] &+= 1
                            sums[group] &+= Int128(values[row])
                            if tracksSquares {
                                let added = Int256(Int128(values[row]) &* Int128(values[row]))
                                squares[group] = squares[group].addingReportingOverflow(added).partialValue
                            }
                        }
                    }
                }
            }
        }
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        for pair in pairs {
            let (index, group) = (Int(pair.from), Int(pair.to))
            counts[group] &+= other.counts[index]
            sums[group] &+= other.sums[index]
            if tracksSquares {
                squares[group] = squares[group].addingReportingOverflow(other.squares[index]).partialValue
            }
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column {
        if output == .sum, type.physical == .integer {
            var values: [Int64] = []
            values.reserveCapacity(groups.count)
            for sum in sums[groups] {
                guard let value = Int64(exactly: sum) else {
                    throw FirnError(.numericValueOutOfRange, "bigint out of range")
                }
                values.append(value)
            }
            return Column(type: type, values: .integer(values), validity: groupValidity(ofCounts: counts[groups]))
        }
        return try Column.exactResults(output, groups: groups) { group in
            DecimalMoments(
                sum: DecimalSum(total: Int256(sums[group]), count: counts[group], scale: 0),
                squares: tracksSquares ? squares[group] : .zero)
        }.retyped(type)
    }

    var byteCount: Int { counts.count * (tracksSquares ? 56 : 24) }

    /// The sum of squares of a run.
    @inline(__always)
    private static func sumOfSquares(_ values: UnsafePointer<Int64>, _ count: Int) -> Int256 {
        var low: UInt128 = 0
        var carries: Int128 = 0
        for row in 0..<count {
            let magnitude = values[row].magnitude
            let product = UInt128(magnitude) &* UInt128(magnitude)
            let (sum, overflow) = low.addingReportingOverflow(product)
            low = sum
            if overflow { carries &+= 1 }
        }
        return Int256(high: carries, low: low)
    }
}
