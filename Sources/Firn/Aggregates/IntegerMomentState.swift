// SPDX-License-Identifier: Apache-2.0
//
// sum, avg, stddev and variance of integers, exact: sums in 128 bits, sums of squares in 256.
//
// No number of 64-bit rows that fits into memory overflows either.

/// Count, sum and sum of squares of each group.
final class IntegerMomentState: AggregateState {
    private let tracksSquares: Bool
    private var counts: [Int64] = []
    private var sums: [Int128] = []
    /// Empty unless asked for.
    private var squares: [Int256] = []

    init(tracksSquares: Bool) { self.tracksSquares = tracksSquares }

    func addGroups(_ count: Int) {
        counts.append(contentsOf: repeatElement(0, count: count))
        sums.append(contentsOf: repeatElement(0, count: count))
        if tracksSquares { squares.append(contentsOf: repeatElement(.zero, count: count)) }
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        let tracksSquares = tracksSquares
        arguments[0].integerValues!.withUnsafeBufferPointer { values in
            precondition(runs.allSatisfy { Int($0.end) <= values.count }, "runs lie within the batch")
            guard let values = values.baseAddress else { return }
            counts.withUnsafeMutableBufferPointer { counts in
                sums.withUnsafeMutableBufferPointer { sums in
                    squares.withUnsafeMutableBufferPointer { squares in
                        for run in runs {
                            let group = Int(run.group)
                            counts[group] &+= Int64(run.count)
                            sums[group] &+= IntegerSums.sum(values + Int(run.start), run.count)
                            if tracksSquares {
                                let added = IntegerSums.sumOfSquares(values + Int(run.start), run.count)
                                squares[group] = squares[group].addingReportingOverflow(added).partialValue
                            }
                        }
                    }
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

    func merge(_ other: any AggregateState, _ range: Range<Int>, into groups: UnsafeBufferPointer<UInt32>) {
        let other = sameKind(other)
        for index in range {
            let group = Int(groups[index])
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
}

/// Exact sums over a run.
enum IntegerSums {
    /// The sum by halves: the low 32 bits as they are, the high ones with the sign. 2^31 values overflow neither.
    @inline(__always)
    static func sum(_ values: UnsafePointer<Int64>, _ count: Int) -> Int128 {
        // Precondition: `values` points to `count` values, at most 2^31.
        var low = SIMD8<UInt64>.zero
        var high = SIMD8<Int64>.zero
        let raw = UnsafeRawPointer(values)
        let mask = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
        var row = 0
        while row &+ 8 <= count {
            let lanes = raw.loadUnaligned(fromByteOffset: row &* 8, as: SIMD8<UInt64>.self)
            low &+= lanes & mask
            // Arithmetic shift as a logical one of the value above Int64.min: taken back once at the end.
            high &+= SIMD8<Int64>(truncatingIfNeeded: (lanes ^ (1 << 63)) &>> 32)
            row &+= 8
        }
        var lowSum = low.wrappedSum()
        var highSum = high.wrappedSum() &- Int64(truncatingIfNeeded: row) &* (1 << 31)
        while row < count {
            lowSum &+= UInt64(bitPattern: values[row]) & 0xFFFF_FFFF
            highSum &+= values[row] &>> 32
            row &+= 1
        }
        return Int128(highSum) << 32 &+ Int128(lowSum)
    }

    /// The sum of squares.
    @inline(__always)
    static func sumOfSquares(_ values: UnsafePointer<Int64>, _ count: Int) -> Int256 {
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
