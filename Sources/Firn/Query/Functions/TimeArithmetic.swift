// SPDX-License-Identifier: Apache-2.0
//
// + - * / of times and intervals, and AT TIME ZONE. Months and days of an interval count on the session's clock for
// TIMESTAMPTZ; the arithmetic is that of Types/. A shift that is the same for every row is one addition a row.

extension FunctionCatalogue {
    mutating func addTimeArithmetic() {
        for family in [TypeFamily.timestamptz, .timestamp] {
            addOperator(
                "+",
                overload: FunctionOverload([family, .interval], sameAs: 0) {
                    arguments, count, context throws(FirnError) in
                    try shifted(arguments[0], by: arguments[1], .forwards, count: count, context)
                })
            addOperator(
                "+",
                overload: FunctionOverload([.interval, family], sameAs: 1) {
                    arguments, count, context throws(FirnError) in
                    try shifted(arguments[1], by: arguments[0], .forwards, count: count, context)
                })
            addOperator(
                "-",
                overload: FunctionOverload([family, .interval], sameAs: 0) {
                    arguments, count, context throws(FirnError) in
                    try shifted(arguments[0], by: arguments[1], .backwards, count: count, context)
                })
            addOperator(
                "-",
                overload: FunctionOverload([family, family], .interval) { arguments, count, _ throws(FirnError) in
                    .intervals(
                        try tryCombine(arguments[0].integers, arguments[1].integers, count: count) {
                            left, right throws(FirnError) in
                            try raising { () throws(ValueError) in
                                try Timestamp(microseconds: left).interval(since: Timestamp(microseconds: right))
                            }
                        })
                })
        }
        addDateArithmetic()
        addIntervalArithmetic()
        addTimeZones()
    }

    private mutating func addDateArithmetic() {
        for (parameters, dateIndex) in [([TypeFamily.date, .integer], 0), ([.integer, .date], 1)] {
            addOperator(
                "+",
                overload: FunctionOverload(parameters, .date) { arguments, count, _ throws(FirnError) in
                    try dates(arguments[dateIndex], arguments[1 - dateIndex], count: count) { $0 }
                })
        }
        addOperator(
            "-",
            overload: FunctionOverload([.date, .integer], .date) { arguments, count, _ throws(FirnError) in
                try dates(arguments[0], arguments[1], count: count) { -$0 }
            })
        addOperator(
            "-",
            overload: FunctionOverload([.date, .date], .integer) { arguments, count, _ throws(FirnError) in
                .integers(
                    try tryCombine(arguments[0].integers, arguments[1].integers, count: count) {
                        left, right throws(FirnError) in
                        try raising { () throws(ValueError) in
                            Int64(
                                try DayNumber(days: Int32(truncatingIfNeeded: left)).days(
                                    since: DayNumber(days: Int32(truncatingIfNeeded: right))))
                        }
                    }, .integer)
            })
        // A date and an interval make a TIMESTAMP.
        for (symbol, direction) in [("+", ShiftDirection.forwards), ("-", .backwards)] {
            addOperator(
                symbol,
                overload: FunctionOverload([.date, .interval], .timestamp) {
                    arguments, count, context throws(FirnError) in
                    let midnight = try CastEvaluator.cast(arguments[0], to: .timestamp, rowCount: count, context)
                    return try shifted(midnight, by: arguments[1], direction, count: count, context)
                })
        }
        addOperator(
            "+",
            overload: FunctionOverload([.interval, .date], .timestamp) { arguments, count, context throws(FirnError) in
                let midnight = try CastEvaluator.cast(arguments[1], to: .timestamp, rowCount: count, context)
                return try shifted(midnight, by: arguments[0], .forwards, count: count, context)
            })
    }

    private mutating func addIntervalArithmetic() {
        addOperator(
            "+", overload: .intervals { left, right throws(ValueError) in try left.adding(right) })
        addOperator(
            "-", overload: .intervals { left, right throws(ValueError) in try left.subtracting(right) })
        addOperator("-", overload: .interval { value throws(ValueError) in try value.negated() })
        addFunction("justify_hours", overload: .interval { value throws(ValueError) in try value.justifyingHours() })
        addFunction("justify_days", overload: .interval { value throws(ValueError) in try value.justifyingDays() })
        addFunction(
            "justify_interval", overload: .interval { value throws(ValueError) in try value.justifyingInterval() })
        for (parameters, index) in [([TypeFamily.interval, .double], 0), ([.double, .interval], 1)] {
            addOperator(
                "*",
                overload: FunctionOverload(parameters, .interval) { arguments, count, _ throws(FirnError) in
                    .intervals(
                        try tryCombine(arguments[index].intervals, arguments[1 - index].doubles, count: count) {
                            interval, factor throws(FirnError) in
                            try raising { () throws(ValueError) in try interval.multiplied(by: factor) }
                        })
                })
        }
        addOperator(
            "/",
            overload: FunctionOverload([.interval, .double], .interval) { arguments, count, _ throws(FirnError) in
                .intervals(
                    try tryCombine(arguments[0].intervals, arguments[1].doubles, count: count) {
                        interval, divisor throws(FirnError) in
                        try raising { () throws(ValueError) in try interval.divided(by: divisor) }
                    })
            })
    }

    private mutating func addTimeZones() {
        addFunction(
            "timezone",
            overload: FunctionOverload([.text, .timestamptz], .timestamp) {
                arguments, count, context throws(FirnError) in
                try converted(arguments, count: count, context, to: .timestamp) { moment, zone throws(ValueError) in
                    try moment.local(in: zone)
                }
            })
        addFunction(
            "timezone",
            overload: FunctionOverload([.text, .timestamp], .timestamptz) {
                arguments, count, context throws(FirnError) in
                try converted(arguments, count: count, context, to: .timestamptz) { local, zone throws(ValueError) in
                    try local.absolute(in: zone)
                }
            })
        addFunction(
            "timezone",
            overload: FunctionOverload([.interval, .timestamptz], .timestamp) { arguments, count, _ throws(FirnError) in
                .integers(
                    try tryCombine(arguments[0].intervals, arguments[1].integers, count: count) {
                        offset, moment throws(FirnError) in
                        try raising { () throws(ValueError) -> Int64 in
                            let moment = Timestamp(microseconds: moment)
                            guard moment.isFinite else { return moment.microseconds }
                            return try moment.local(in: try zone(offset: offset)).microseconds
                        }
                    }, .timestamp)
            })
        addFunction(
            "timezone",
            overload: FunctionOverload([.interval, .timestamp], .timestamptz) { arguments, count, _ throws(FirnError) in
                .integers(
                    try tryCombine(arguments[0].intervals, arguments[1].integers, count: count) {
                        offset, local throws(FirnError) in
                        try raising { () throws(ValueError) -> Int64 in
                            let local = Timestamp(microseconds: local)
                            guard local.isFinite else { return local.microseconds }
                            return try local.absolute(in: try zone(offset: offset)).microseconds
                        }
                    }, .timestamptz)
            })
    }
}

extension FunctionOverload {
    fileprivate static func interval(
        _ body: @escaping @Sendable (Interval) throws(ValueError) -> Interval
    ) -> FunctionOverload {
        FunctionOverload([.interval], .interval) { arguments, count, _ throws(FirnError) in
            .intervals(
                try arguments[0].intervals.tryMap(count: count) { value throws(FirnError) in
                    try raising { () throws(ValueError) in try body(value) }
                })
        }
    }

    fileprivate static func intervals(
        _ body: @escaping @Sendable (Interval, Interval) throws(ValueError) -> Interval
    ) -> FunctionOverload {
        FunctionOverload([.interval, .interval], .interval) { arguments, count, _ throws(FirnError) in
            .intervals(
                try tryCombine(arguments[0].intervals, arguments[1].intervals, count: count) {
                    left, right throws(FirnError) in
                    try raising { () throws(ValueError) in try body(left, right) }
                })
        }
    }
}

private enum ShiftDirection { case forwards, backwards }

/// Times moved by intervals, in their own unit.
private func shifted(
    _ times: Vector, by intervals: Vector, _ direction: ShiftDirection, count: Int, _ context: EvaluationContext
) throws(FirnError) -> Vector {
    let type = times.type
    var zone = TimeZoneRules.utc
    if case .timestamptz = type { zone = context.timeZone }
    func moved(_ moment: Timestamp, _ interval: Interval) throws(ValueError) -> Timestamp {
        switch direction {
        case .forwards: try moment.adding(interval, in: zone)
        case .backwards: try moment.subtracting(interval, in: zone)
        }
    }
    if !type.isNanoseconds {
        if case .constant(let interval) = intervals.intervals,
            let result = shiftedAlike(times, interval, direction, zone, count: count)
        {
            return result
        }
        return .integers(
            try tryCombine(times.integers, intervals.intervals, count: count) { time, interval throws(FirnError) in
                try raising { () throws(ValueError) in
                    try moved(Timestamp(microseconds: time), interval).microseconds
                }
            }, type)
    }
    return .integers(
        try tryCombine(times.integers, intervals.intervals, count: count) { time, interval throws(FirnError) in
            try raising { () throws(ValueError) in
                let (moment, rest) = NanosecondTimestamp(nanoseconds: time).split
                return try NanosecondTimestamp(try moved(moment, interval), addingNanoseconds: rest).nanoseconds
            }
        }, type)
}

/// One addition a row, where the interval is the same number of microseconds for all; nil where it is not, or
/// where a result leaves the range.
private func shiftedAlike(
    _ times: Vector, _ interval: Interval, _ direction: ShiftDirection, _ zone: TimeZoneRules, count: Int
) -> Vector? {
    guard interval.months == 0, interval.days == 0 || zone.constantOffset != nil else { return nil }
    let wide = Int128(interval.days) * Int128(Microseconds.perDay) + Int128(interval.microseconds)
    guard let shift = Int64(exactly: direction == .forwards ? wide : -wide) else { return nil }
    let (earliest, limit) = (Timestamp.earliest.microseconds, Timestamp.limit.microseconds)
    var anyFailed = false
    let results = times.integers.map(count: count) { time in
        // Infinities lie outside, too.
        let (sum, overflow) = time.addingReportingOverflow(shift)
        anyFailed = anyFailed || overflow || time < earliest || time >= limit || sum < earliest || sum >= limit
        return sum
    }
    return anyFailed ? nil : .integers(results, times.type)
}

private func dates(
    _ dates: Vector, _ days: Vector, count: Int, _ sign: (Int) -> Int
) throws(FirnError) -> Vector {
    .integers(
        try tryCombine(dates.integers, days.integers, count: count) { date, days throws(FirnError) in
            try raising { () throws(ValueError) in
                Int64(try DayNumber(days: Int32(truncatingIfNeeded: date)).adding(days: sign(Int(days))).days)
            }
        }, .date)
}

/// AT TIME ZONE with a zone's name.
private func converted(
    _ arguments: [Vector], count: Int, _ context: EvaluationContext, to type: DataType,
    _ body: (Timestamp, TimeZoneRules) throws(ValueError) -> Timestamp
) throws(FirnError) -> Vector {
    func zone(_ name: ArraySlice<UInt8>) throws(FirnError) -> TimeZoneRules {
        let text = String(decoding: name, as: UTF8.self)
        return try raising { () throws(ValueError) in try context.timeZones.zone(forExpression: text) }
    }
    let names = arguments[0].texts
    let times = arguments[1].integers
    if case .constant = names, count > 0 {
        let rules = try zone(names[0])
        return .integers(
            try times.tryMap(count: count) { time throws(FirnError) in
                try raising { () throws(ValueError) in try body(Timestamp(microseconds: time), rules).microseconds }
            }, type)
    }
    var results: [Int64] = []
    for row in 0..<count {
        let rules = try zone(names[row])
        let time = Timestamp(microseconds: times[row])
        results.append(try raising { () throws(ValueError) in try body(time, rules).microseconds })
    }
    return .integers(results, type)
}

/// A zone at a fixed distance from UTC, given as an interval. Positive is east, as in PostgreSQL.
private func zone(offset: Interval) throws(ValueError) -> TimeZoneRules {
    guard offset.months == 0, offset.days == 0 else {
        throw .invalidParameter("interval time zone \"\(offset.text)\" must not include months or days")
    }
    return TimeZoneRules(fixedOffset: Int(offset.microseconds / Microseconds.perSecond), name: "")
}
