// SPDX-License-Identifier: Apache-2.0
//
// From exact sums to NUMERIC results: sum, average, variance and deviation with PostgreSQL's scales.
//
// All inputs are integers at a common scale: sum = S / 10^scale, sum of squares = Q / 10^(2 scale). The variance is
// (N Q - S^2) / (N (N - 1)), computed without any rounding before the one division.
//
// Source: the behaviour of PostgreSQL 15's numeric_avg and numeric_stddev_internal.

/// The exact moments of one group.
struct ExactMoments {
    var count: Int64
    var sum: Int256
    var squares: Int256
    var scale: Int

    func total() throws(ValueError) -> Decimal { try Decimal.exact(sum, scale: scale) }

    /// The quotient of sum and count; `count` is not 0.
    func average() throws(ValueError) -> Decimal {
        if let narrow = sum.narrow, narrow.magnitude < Decimal.coefficientLimit {
            return try Decimal(coefficient: narrow, scale: scale).divided(by: Decimal(count))
        }
        let numerator = Self.magnitude(sum)
        let denominator = BigMagnitude(UInt128(count))
        let places = Decimal.quotientScale(
            DecimalShape(numerator, scale: scale), DecimalShape(denominator, scale: 0), scaleMin: scale)
        return try Decimal.quotient(
            numerator, denominator, scaleDifference: scale, places: places, isNegative: sum.isNegative)
    }

    /// Over N - 1 for samples (`count` is at least 2), over N for populations (at least 1).
    func variance(isSample: Bool) throws(ValueError) -> Decimal {
        try spread(isSample: isSample)?.variance ?? .zero
    }

    func deviation(isSample: Bool) throws(ValueError) -> Decimal {
        guard let spread = try spread(isSample: isSample) else { return .zero }
        return try Decimal.squareRoot(
            BigMagnitude(spread.variance.coefficient.magnitude), scale: Int(spread.variance.scale),
            places: min(spread.places, Decimal.scaleMax))
    }

    /// The variance and the digits behind the point that PostgreSQL shows; nil where all values are one.
    private func spread(isSample: Bool) throws(ValueError) -> (variance: Decimal, places: Int)? {
        let rows = BigMagnitude(UInt128(count))
        let scaledSquares = rows * Self.magnitude(squares)
        let sumMagnitude = Self.magnitude(sum)
        let squaredSum = sumMagnitude * sumMagnitude
        guard squaredSum < scaledSquares else { return nil }
        let numerator = scaledSquares - squaredSum
        let denominator = rows * BigMagnitude(UInt128(isSample ? count - 1 : count))
        let places = Decimal.quotientScale(
            DecimalShape(numerator, scale: 2 * scale), DecimalShape(denominator, scale: 0), scaleMin: 2 * scale)
        let variance = try Decimal.quotient(
            numerator, denominator, scaleDifference: 2 * scale, places: places, isNegative: false)
        return (variance, places)
    }

    private static func magnitude(_ value: Int256) -> BigMagnitude {
        let (high, low) = value.magnitude
        return BigMagnitude(high: high, low: low)
    }

    /// The output that was asked for.
    func value(_ output: AggregateOutput) throws(ValueError) -> Decimal {
        switch output {
        case .sum: try total()
        case .average: try average()
        case .sampleVariance: try variance(isSample: true)
        case .populationVariance: try variance(isSample: false)
        case .sampleDeviation: try deviation(isSample: true)
        case .populationDeviation: try deviation(isSample: false)
        case .count, .value: preconditionFailure("moments have no output \(output)")
        }
    }
}

extension AggregateOutput {
    /// Rows below which a group's result is NULL.
    var rowsMin: Int64 {
        switch self {
        case .count: 0
        case .sampleVariance, .sampleDeviation: 2
        case .sum, .average, .value, .populationVariance, .populationDeviation: 1
        }
    }
}

extension Column {
    /// A column of the results of a range of groups; those of too few rows are NULL.
    static func exactResults(
        _ output: AggregateOutput, counts: ArraySlice<Int64>, moments: (Int) -> ExactMoments
    ) throws(FirnError) -> Column {
        var values: [Decimal] = []
        values.reserveCapacity(counts.count)
        for group in counts.indices {
            guard counts[group] >= output.rowsMin else {
                values.append(.zero)
                continue
            }
            do throws(ValueError) {
                values.append(try moments(group).value(output))
            } catch {
                throw FirnError(SQLState(error.code), error.message, detail: error.detail, hint: error.hint)
            }
        }
        return Column(
            type: .numeric(precision: nil, scale: nil), values: .decimal(DecimalValues(values)),
            validity: groupValidity(ofCounts: counts, atLeast: output.rowsMin))
    }
}
