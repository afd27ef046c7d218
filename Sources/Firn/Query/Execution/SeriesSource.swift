// SPDX-License-Identifier: Apache-2.0
//
// generate_series over integers: start, start + step, … up to stop, both ends included.

/// The rows of generate_series.
enum SeriesSource {
    static func make(
        _ series: LogicalPlan.SeriesScan, evaluator: BlockEvaluator
    ) throws(FirnError) -> any BatchSource {
        guard series.column.type.isInteger else {
            throw FirnError(
                .featureNotSupported, "generate_series over \(series.column.type) is not supported yet",
                position: series.start.position)
        }
        let type = series.column.type
        return SinglePartSource { () throws(FirnError) -> any BatchReader in
            guard case .integer(let start) = try evaluator.value(series.start),
                case .integer(let stop) = try evaluator.value(series.stop),
                case .integer(let step) = try evaluator.value(series.step)
            else { return BufferedReader([]) }
            guard step != 0 else {
                throw FirnError(
                    .invalidParameterValue, "step size cannot equal zero", position: series.step.position)
            }
            var next: Int64? = start
            return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
                try evaluator.checkCancellation()
                var values: [Int64] = []
                while values.count < batchRowsMax, let value = next, step > 0 ? value <= stop : value >= stop {
                    values.append(value)
                    let (sum, overflow) = value.addingReportingOverflow(step)
                    next = overflow ? nil : sum
                }
                if values.isEmpty { return nil }
                return ColumnBatch([Column(type: type, values: .integer(values))])
            }
        }
    }
}
