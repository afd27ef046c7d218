// SPDX-License-Identifier: Apache-2.0
//
// time_bucket as a group key, by arithmetic: buckets of one width are a grid, and a run of ascending times crosses
// its lines one after the other.
//
// The grid's origin is not known here: the function itself gives the bucket of one row, and every other bucket of
// that batch is a whole number of widths away. Months, time zones and times near the ends of the range have no
// such grid and are evaluated row by row instead.

/// Buckets of one width: [origin + i * width, origin + (i + 1) * width).
struct BucketGrid: Sendable {
    let origin: Int64
    let width: Int64

    /// Times so far from 1970 that arithmetic on them might overflow are not for the grid.
    static let magnitudeMax: Int64 = 1 << 61

    @inline(__always)
    static func covers(_ time: Int64) -> Bool { time > -magnitudeMax && time < magnitudeMax }

    /// The start of the bucket that holds a time.
    @inline(__always)
    func start(of time: Int64) -> Int64 {
        let distance = time &- origin
        var remainder = distance % width
        if remainder < 0 { remainder &+= width }
        return time &- remainder
    }

    /// The starts of the buckets of times, none beyond the grid. Neighbouring times are mostly of one bucket or of
    /// neighbouring buckets: few are divided.
    func starts(of times: [Int64]) -> [Int64] {
        [Int64](unsafeUninitializedCapacity: times.count) { target, count in
            var bucket = Int64.min
            for index in times.indices {
                bucket = start(of: times[index], after: bucket)
                (target.baseAddress! + index).initialize(to: bucket)
            }
            count = times.count
        }
    }

    /// The start of the bucket that holds a time, which is likely `bucket` or the one behind; `Int64.min` is none.
    @inline(__always)
    func start(of time: Int64, after bucket: Int64) -> Int64 {
        if bucket != Int64.min {
            let distance = UInt64(bitPattern: time &- bucket)
            if distance < UInt64(bitPattern: width) { return bucket }
            if distance &- UInt64(bitPattern: width) < UInt64(bitPattern: width) { return bucket &+ width }
        }
        return start(of: time)
    }
}

/// A group key of the form time_bucket(width, time [, origin]) with a constant width.
struct BucketKey: Sendable {
    let expression: BoundExpression
    let function: ScalarFunction
    let arguments: [BoundExpression]
    /// In the unit of the time.
    let width: Int64

    /// The time that is put into buckets.
    var time: BoundExpression { arguments[1] }

    /// Nil where the expression is no such key.
    init?(_ expression: BoundExpression) {
        guard case .call(let function, let arguments) = expression.kind, function.name == "time_bucket",
            function.volatility == .immutable, arguments.count == 2 || arguments.count == 3,
            case .constant(let widthValue) = arguments[0].kind, arguments[1].type == expression.type
        else { return nil }
        if arguments.count == 3 {
            // An origin or an offset moves the grid; a text would be a zone, where days differ in length.
            guard case .constant(let third) = arguments[2].kind, !third.isNull else { return nil }
            if case .text = third { return nil }
        }
        switch (widthValue, expression.type) {
        case (.interval(let interval), .timestamptz(let unit)), (.interval(let interval), .timestamp(let unit)):
            guard interval.months == 0 else { return nil }
            let (dayPart, dayOverflow) = Int64(interval.days).multipliedReportingOverflow(by: 86_400_000_000)
            let (microseconds, sumOverflow) = dayPart.addingReportingOverflow(interval.microseconds)
            let (width, unitOverflow) = microseconds.multipliedReportingOverflow(by: unit == .nanoseconds ? 1_000 : 1)
            guard !dayOverflow, !sumOverflow, !unitOverflow else { return nil }
            self.width = width
        case (.integer(let width), .smallint), (.integer(let width), .integer), (.integer(let width), .bigint):
            self.width = width
        default: return nil
        }
        guard width > 0, width < BucketGrid.magnitudeMax else { return nil }
        self.expression = expression
        self.function = function
        self.arguments = arguments
    }

    /// The grid that the function itself lays around one time.
    func grid(around time: Int64, _ evaluator: BlockEvaluator) throws(FirnError) -> BucketGrid? {
        guard BucketGrid.covers(time) else { return nil }
        var constants = arguments
        constants[1] = BoundExpression(.constant(.integer(time)), arguments[1].type)
        let probe = BoundExpression(.call(function, constants), expression.type)
        guard case .integer(let start) = try evaluator.value(probe), start <= time, time - start < width else {
            return nil
        }
        return BucketGrid(origin: start, width: width)
    }
}
