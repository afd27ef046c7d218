// SPDX-License-Identifier: Apache-2.0
//
// From exact sums to NUMERIC results, a column at a time: sum, average, variance and deviation of integers and
// decimals with PostgreSQL's scales (see DecimalSum.swift for the rules).

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

extension DecimalMoments {
    /// The output that was asked for; nil where there are too few rows.
    fileprivate func value(_ output: AggregateOutput) throws(ValueError) -> Decimal? {
        switch output {
        case .sum: try sum.sum()
        case .average: try sum.average()
        case .sampleVariance: try variance(.sample)
        case .populationVariance: try variance(.whole)
        case .sampleDeviation: try standardDeviation(.sample)
        case .populationDeviation: try standardDeviation(.whole)
        case .count, .value: preconditionFailure("moments have no output \(output)")
        }
    }
}

extension Column {
    /// A NUMERIC column of the results of a range of groups; those of too few rows are NULL.
    static func exactResults(
        _ output: AggregateOutput, groups: Range<Int>, moments: (Int) -> DecimalMoments
    ) throws(FirnError) -> Column {
        var builder = ColumnBuilder(type: .numeric(precision: nil, scale: nil), capacity: groups.count)
        for group in groups {
            do throws(ValueError) {
                if let value = try moments(group).value(output) {
                    builder.append(value)
                } else {
                    builder.appendNull()
                }
            } catch {
                throw FirnError(valueError: error)
            }
        }
        return builder.finish()
    }
}

extension FirnError {
    /// What a value's type found wrong with it.
    init(valueError error: ValueError) {
        self.init(SQLState(error.code), error.message, detail: error.detail, hint: error.hint)
    }
}
