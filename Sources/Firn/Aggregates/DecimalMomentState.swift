// SPDX-License-Identifier: Apache-2.0
//
// sum, avg, stddev and variance of NUMERIC, exact: sums and sums of squares in 256 bits.
//
// A group keeps its sums at the largest scale that it has met; a value of a smaller one is multiplied up. A sum that
// leaves 256 bits (38 digits times more rows than there are, or scales far apart) is error 22003, not a wrong digit.

/// Count, sum and sum of squares of each group.
final class DecimalMomentState: AggregateState {
    private let tracksSquares: Bool
    private var counts: [Int64] = []
    private var sums: [Int256] = []
    /// Empty unless asked for.
    private var squares: [Int256] = []
    private var scales: [UInt8] = []

    init(tracksSquares: Bool) { self.tracksSquares = tracksSquares }

    func addGroups(_ count: Int) {
        counts.append(contentsOf: repeatElement(0, count: count))
        sums.append(contentsOf: repeatElement(.zero, count: count))
        if tracksSquares { squares.append(contentsOf: repeatElement(.zero, count: count)) }
        scales.append(contentsOf: repeatElement(0, count: count))
    }

    private static let overflow = FirnError(
        .numericValueOutOfRange, "value overflows numeric format",
        detail: "A sum of NUMERIC is held exactly in 256 bits.")

    /// Multiplies the sums of a group up to a larger scale.
    private func raise(_ group: Int, to scale: UInt8) throws(FirnError) {
        let digits = Int(scale - scales[group])
        if counts[group] > 0 {
            sums[group] = try Self.scaled(sums[group], byDigits: digits)
            if tracksSquares { squares[group] = try Self.scaled(squares[group], byDigits: 2 * digits) }
        }
        scales[group] = scale
    }

    private static func scaled(_ value: Int256, byDigits digits: Int) throws(FirnError) -> Int256 {
        do throws(ValueError) {
            return try value.scaled(byPowerOfTen: digits)
        } catch {
            throw FirnError(valueError: error)
        }
    }

    private func add(_ group: Int, count: Int64, sum: Int256, square: Int256) throws(FirnError) {
        counts[group] += count
        let (total, overflow) = sums[group].addingReportingOverflow(sum)
        guard !overflow else { throw Self.overflow }
        sums[group] = total
        if tracksSquares {
            let (total, overflow) = squares[group].addingReportingOverflow(square)
            guard !overflow else { throw Self.overflow }
            squares[group] = total
        }
    }

    private func addRow(_ values: DecimalValues, _ row: Int, _ group: Int) throws(FirnError) {
        let scale = values.scale(at: row)
        if scale > scales[group] { try raise(group, to: scale) }
        let coefficient = values.coefficients[row]
        let digits = Int(scales[group] - scale)
        if digits == 0 {
            try add(
                group, count: 1, sum: Int256(coefficient),
                square: tracksSquares ? Int256.product(coefficient, coefficient) : .zero)
        } else {
            let square =
                tracksSquares
                ? try Self.scaled(Int256.product(coefficient, coefficient), byDigits: 2 * digits) : .zero
            try add(
                group, count: 1, sum: Int256.product(coefficient, Int128(Decimal.powersOfTen[digits])),
                square: square)
        }
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) throws(FirnError) {
        guard case .decimal(let values) = arguments[0].values else { preconditionFailure("decimals are summed") }
        for run in runs {
            let group = Int(run.group)
            if !tracksSquares, case .uniform(let scale) = values.scales {
                // One scale: the run is a plain sum of integers.
                if scale > scales[group] { try raise(group, to: scale) }
                if scale == scales[group] {
                    try add(group, count: Int64(run.count), sum: Self.sum(values.coefficients, run.rows), square: .zero)
                    continue
                }
            }
            for row in run.rows { try addRow(values, row, group) }
        }
    }

    /// The sum of a run of coefficients of one scale: below 2^127 * 2^31, so that 256 bits hold it.
    private static func sum(_ coefficients: [Int128], _ rows: Range<Int>) -> Int256 {
        coefficients[rows].withUnsafeBufferPointer { coefficients in
            var total = Int256.zero
            var narrow: Int128 = 0
            for coefficient in coefficients {
                let (sum, overflow) = narrow.addingReportingOverflow(coefficient)
                if overflow {
                    total = total.addingReportingOverflow(Int256(narrow)).partialValue
                    narrow = coefficient
                } else {
                    narrow = sum
                }
            }
            return total.addingReportingOverflow(Int256(narrow)).partialValue
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) throws(FirnError) {
        guard case .decimal(let values) = arguments[0].values else { preconditionFailure("decimals are summed") }
        for row in 0..<groups.count { try addRow(values, row, Int(groups[row])) }
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) throws(FirnError) {
        let other = sameKind(other)
        for pair in pairs where other.counts[Int(pair.from)] > 0 {
            let (index, group) = (Int(pair.from), Int(pair.to))
            if other.scales[index] > scales[group] { try raise(group, to: other.scales[index]) }
            let digits = Int(scales[group] - other.scales[index])
            try add(
                group, count: other.counts[index], sum: try Self.scaled(other.sums[index], byDigits: digits),
                square: tracksSquares ? try Self.scaled(other.squares[index], byDigits: 2 * digits) : .zero)
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column {
        try Column.exactResults(output, groups: groups) { group in
            DecimalMoments(
                sum: DecimalSum(total: sums[group], count: counts[group], scale: Int(scales[group])),
                squares: tracksSquares ? squares[group] : .zero)
        }.retyped(type)
    }

    var byteCount: Int { counts.count * (tracksSquares ? 73 : 41) }
}
