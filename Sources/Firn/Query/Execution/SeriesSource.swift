// SPDX-License-Identifier: Apache-2.0
//
// generate_series: start, start + step, … up to stop, both ends included; integers, NUMERIC and timestamps.
//
// Timestamps with a zone step by the session's calendar: a day is 23 to 25 hours long, a month 28 to 31 days.

/// The rows of generate_series.
enum SeriesSource {
    static func make(
        _ series: LogicalPlan.SeriesScan, evaluator: BlockEvaluator
    ) throws(FirnError) -> any BatchSource {
        let type = series.column.type
        guard Self.supports(type) else {
            throw FirnError(
                .featureNotSupported, "generate_series over \(type) is not supported", position: series.start.position)
        }
        return SinglePartSource { () throws(FirnError) -> any BatchReader in
            let start = try evaluator.value(series.start)
            let stop = try evaluator.value(series.stop)
            let step = try evaluator.value(series.step)
            if start.isNull || stop.isNull || step.isNull { return BufferedReader([]) }
            var next: Value? = start
            let isUpward: Bool
            do throws(ValueError) {
                isUpward = try direction(of: step)
            } catch {
                throw FirnError(valueError: error).at(series.step.position)
            }
            let skip = { (rowCount: Int) -> Int in
                guard let (skipped, after) = leaving(rowCount, from: next, to: stop, by: step) else { return 0 }
                next = after
                return skipped
            }
            return GeneratingReader(skip: skip) { () throws(FirnError) -> ColumnBatch? in
                try evaluator.checkCancellation()
                var builder = ColumnBuilder(type: type, capacity: batchRowsMax)
                while builder.count < batchRowsMax, let value = next {
                    guard isUpward ? !isBelow(stop, value) : !isBelow(value, stop) else {
                        next = nil
                        break
                    }
                    builder.append(value)
                    do throws(ValueError) {
                        next = try sum(value, step, type, zone: evaluator.context.timeZone)
                    } catch {
                        throw FirnError(valueError: error).at(series.step.position)
                    }
                }
                if builder.count == 0 { return nil }
                return ColumnBatch([builder.finish()])
            }
        }
    }

    private static func supports(_ type: DataType) -> Bool {
        switch type {
        case .smallint, .integer, .bigint, .numeric, .timestamp(.microseconds), .timestamptz(.microseconds): true
        default: false
        }
    }

    /// How many of so many integers can be left out before `stop` is reached, and the one behind them. Nil for other
    /// types, and where there is nothing to leave out.
    private static func leaving(
        _ rowCount: Int, from next: Value?, to stop: Value, by step: Value
    ) -> (skipped: Int, next: Value)? {
        guard case .integer(let first) = next, case .integer(let stop) = stop, case .integer(let step) = step else {
            return nil
        }
        // 128 bits hold every difference and product of 64-bit numbers.
        let steps = (Int128(stop) - Int128(first)) / Int128(step)
        let skipped = min(Int128(rowCount), steps)
        guard skipped > 0, (stop >= first) == (step > 0) else { return nil }
        return (Int(skipped), .integer(Int64(Int128(first) + skipped * Int128(step))))
    }

    /// True where the series ascends.
    private static func direction(of step: Value) throws(ValueError) -> Bool {
        let sign: Int =
            switch step {
            case .integer(let step): step.signum() == 0 ? 0 : (step < 0 ? -1 : 1)
            case .decimal(let step): step.sign
            case .interval(let step): step == .zero ? 0 : (step < .zero ? -1 : 1)
            default: preconditionFailure("the step of a series is a number or an interval")
            }
        guard sign != 0 else { throw ValueError(code: "22023", message: "step size cannot equal zero") }
        return sign > 0
    }

    private static func isBelow(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.decimal(let left), .decimal(let right)): left < right
        default: preconditionFailure("the ends of a series have one type")
        }
    }

    /// The next value; nil where the type ends.
    private static func sum(
        _ value: Value, _ step: Value, _ type: DataType, zone: TimeZoneRules
    ) throws(ValueError) -> Value? {
        switch (value, step) {
        case (.integer(let value), .integer(let step)):
            let (sum, overflow) = value.addingReportingOverflow(step)
            // PostgreSQL ends a series that would leave the range of its type.
            return overflow || type.integerRange?.contains(sum) == false ? nil : .integer(sum)
        case (.decimal(let value), .decimal(let step)): return .decimal(try value.adding(step))
        case (.integer(let value), .interval(let step)):
            let time = Timestamp(microseconds: value)
            let rules = if case .timestamptz = type { zone } else { TimeZoneRules.utc }
            return .integer(try time.adding(step, in: rules).microseconds)
        default: preconditionFailure("a series steps by its type or by an interval")
        }
    }
}
