// SPDX-License-Identifier: Apache-2.0
//
// time_bucket, date_trunc and date_bin: cutting time into stretches.
//
// Rows come in time order more often than not, so the loops remember the stretch of the row before: a row that
// lies in it costs two comparisons, and only the first row of a stretch pays for a division or a calendar.

extension FunctionCatalogue {
    mutating func addTimeBuckets() {
        for family in [TypeFamily.timestamptz, .timestamp, .date] {
            let widthAndTime = ["bucket_width", "ts"]
            addBucket([.interval, family], widthAndTime)
            addBucket([.interval, family, family], widthAndTime + ["origin"], origin: 2)
            addBucket([.interval, family, .interval], widthAndTime + ["offset"], offset: 2)
            addBucket(
                [.interval, family, family, .interval], widthAndTime + ["origin", "offset"], origin: 2, offset: 3)
        }
        // As TimescaleDB's, origin and offset may be left out or NULL, which means the same.
        addBucket(
            [.interval, .timestamptz, .text, .timestamptz, .interval],
            ["bucket_width", "ts", "timezone", "origin", "offset"], zone: 2, origin: 3, offset: 4, requiredCount: 3)
        addIntegerBuckets()
        addTruncation()
        for family in [TypeFamily.timestamptz, .timestamp] {
            addFunction(
                "date_bin",
                overload: FunctionOverload([.interval, family, family], family.type) {
                    arguments, count, _ throws(FirnError) in
                    let (strides, times, origins) = (
                        arguments[0].intervals, arguments[1].integers, arguments[2].integers
                    )
                    return .integers(
                        try binned(times, by: strides, origins, count: count), family.type)
                })
        }
    }

    private mutating func addBucket(
        _ parameters: [TypeFamily], _ names: [String], zone: Int? = nil, origin: Int? = nil, offset: Int? = nil,
        requiredCount: Int? = nil
    ) {
        var overload = FunctionOverload(parameters, sameAs: 1) { arguments, count, context throws(FirnError) in
            try bucketed(arguments, zone: zone, origin: origin, offset: offset, count: count, context)
        }
        overload.parameterNames = names
        if let requiredCount {
            overload.defaults = names.map { _ in .null }
            overload.requiredCount = requiredCount
            overload.nullableFrom = requiredCount
        }
        addFunction("time_bucket", overload: overload)
    }

    private mutating func addIntegerBuckets() {
        for family in [TypeFamily.smallint, .integer, .bigint] {
            for parameters in [[family, family], [family, family, family]] {
                var overload = FunctionOverload(parameters, family.type) { arguments, count, _ throws(FirnError) in
                    let (widths, values) = (arguments[0].integers, arguments[1].integers)
                    let offsets = arguments.count > 2 ? arguments[2].integers : .constant(0)
                    var results: [Int64] = []
                    results.reserveCapacity(count)
                    for row in 0..<count {
                        let (width, value, offset) = (widths[row], values[row], offsets[row])
                        guard width > 0 else {
                            throw FirnError(.invalidParameterValue, "period must be greater than 0")
                        }
                        let wide = Int128(value) - Int128(offset)
                        let start = wide - wide.flooredRemainder(Int128(width)) + Int128(offset)
                        guard let narrow = Int64(exactly: start), family.type.integerRange!.contains(narrow) else {
                            throw FirnError(.numericValueOutOfRange, "timestamp out of range")
                        }
                        results.append(narrow)
                    }
                    return .integers(results, family.type)
                }
                overload.parameterNames = Array(["bucket_width", "ts", "offset"].prefix(parameters.count))
                addFunction("time_bucket", overload: overload)
            }
        }
    }

    private mutating func addTruncation() {
        for (family, kind) in [(TypeFamily.timestamptz, TimestampKind.withTimeZone), (.timestamp, .withoutTimeZone)] {
            addFunction(
                "date_trunc",
                overload: FunctionOverload([.text, family], sameAs: 1) { arguments, count, context throws(FirnError) in
                    let zone = kind == .withTimeZone ? context.timeZone : .utc
                    return try truncated(arguments, zones: nil, zone, kind, count: count, context)
                })
        }
        addFunction(
            "date_trunc",
            overload: FunctionOverload([.text, .timestamptz, .text], sameAs: 1) {
                arguments, count, context throws(FirnError) in
                try truncated(
                    arguments, zones: arguments[2].texts, .utc, .withTimeZone, count: count, context)
            })
        addFunction(
            "date_trunc",
            overload: FunctionOverload([.text, .interval], .interval) { arguments, count, _ throws(FirnError) in
                let (names, values) = (arguments[0].texts, arguments[1].intervals)
                var results: [Interval] = []
                for row in 0..<count {
                    results.append(
                        try raising { () throws(ValueError) in
                            let name = String(decoding: names[row], as: UTF8.self)
                            return try values[row].truncated(to: .named(name, ofType: "interval"))
                        })
                }
                return .intervals(results)
            })
    }
}

// MARK: time_bucket

private func bucketed(
    _ arguments: [Vector], zone: Int?, origin: Int?, offset: Int?, count: Int, _ context: EvaluationContext
) throws(FirnError) -> Vector {
    let type = arguments[1].type
    let widths = arguments[0].intervals
    let times = arguments[1].integers
    func bucket(_ row: Int) throws(FirnError) -> TimeBucket {
        try raising { () throws(ValueError) in
            var rules: TimeZoneRules?
            if let zone {
                rules = try context.timeZones.zone(
                    forExpression: String(decoding: arguments[zone].texts[row], as: UTF8.self))
            }
            var start: Timestamp?
            if let origin, case .integer(let value) = arguments[origin].row(row) { start = try timestamp(value, type) }
            var shift: Interval?
            if let offset, case .interval(let value) = arguments[offset].row(row) { shift = value }
            return try TimeBucket(width: widths[row], origin: start, offset: shift, zone: rules)
        }
    }
    let others = [zone, origin, offset].compactMap { $0 }.map { arguments[$0] }
    let isOneBucket = ([arguments[0]] + others).allSatisfy { if case .constant = $0 { true } else { false } }
    if isOneBucket, count > 0 {
        let bucket = try bucket(0)
        if let (width, start) = bucket.fixed, let result = fixedStarts(times, type, width, start, count: count) {
            return .integers(result, type)
        }
        return .integers(try starts(times, type, bucket, count: count), type)
    }
    var results: [Int64] = []
    results.reserveCapacity(count)
    for row in 0..<count {
        let bucket = try bucket(row)
        results.append(
            try raising { () throws(ValueError) in try value(bucket.start(of: timestamp(times[row], type)), type) })
    }
    return .integers(results, type)
}

/// The microsecond of a value of a time type or DATE.
private func timestamp(_ value: Int64, _ type: DataType) throws(ValueError) -> Timestamp {
    if type == .date { return try Timestamp(DayNumber(days: Int32(truncatingIfNeeded: value))) }
    return type.isNanoseconds
        ? NanosecondTimestamp(nanoseconds: value).split.timestamp : Timestamp(microseconds: value)
}

/// A moment in the unit of a time type or DATE.
private func value(_ moment: Timestamp, _ type: DataType) throws(ValueError) -> Int64 {
    if type == .date { return Int64(moment.day.days) }
    return type.isNanoseconds ? try NanosecondTimestamp(moment).nanoseconds : moment.microseconds
}

/// Starts of equal stretches, whose width and origin are in microseconds; nil where the unit or a value needs more
/// care.
private func fixedStarts(
    _ times: Lane<Int64>, _ type: DataType, _ width: Int64, _ origin: Int64, count: Int
) -> [Int64]? {
    if type == .date { return nil }
    let scale: Int64 = type.isNanoseconds ? 1_000 : 1
    let (unitWidth, widthOverflow) = width.multipliedReportingOverflow(by: scale)
    let (unitOrigin, originOverflow) = origin.multipliedReportingOverflow(by: scale)
    if widthOverflow || originOverflow { return nil }
    // Far from both ends of the integers nothing below can overflow.
    let (lowest, margin) = unitWidth.addingReportingOverflow(unitOrigin)
    if margin { return nil }
    let lower = Swift.max(
        Int64.min + lowest, type.isNanoseconds ? Int64.min + lowest : Timestamp.earliest.microseconds + unitWidth)
    let upper = Int64.max - unitWidth - 1
    // A constant beside rows that differ is cut like a row.
    let values: [Int64]
    switch times {
    case .constant(let time): values = [Int64](repeating: time, count: count)
    case .column(let column): values = column
    }
    precondition(values.count == count, "a value a row")
    var anyFailed = false
    let results = [Int64](unsafeUninitializedCapacity: count) { target, initialized in
        values.withUnsafeBufferPointer { values in
            // In bounds: both hold `count` values.
            let output = target.baseAddress
            var start = lower
            var hasStart = false
            for row in 0..<count {
                let time = values[row]
                // The stretch of the row before; unsigned, so that one comparison serves both ends.
                if !(hasStart && UInt64(bitPattern: time &- start) < UInt64(bitPattern: unitWidth)) {
                    guard time >= lower, time <= upper else {
                        anyFailed = true
                        break
                    }
                    start = time &- (time &- unitOrigin).flooredRemainder(unitWidth)
                    hasStart = true
                }
                (output! + row).initialize(to: start)
            }
        }
        // After a failure nothing was promised about the rest.
        if anyFailed { target.baseAddress!.initialize(repeating: 0, count: count) }
        initialized = count
    }
    return anyFailed ? nil : results
}

/// Starts of stretches of any kind.
private func starts(
    _ times: Lane<Int64>, _ type: DataType, _ bucket: TimeBucket, count: Int
) throws(FirnError) -> [Int64] {
    var known: (start: Timestamp, end: Timestamp, value: Int64)?
    return try times.tryMap(count: count) { time throws(FirnError) in
        try raising { () throws(ValueError) -> Int64 in
            let moment = try timestamp(time, type)
            if let known, moment >= known.start, moment < known.end { return known.value }
            guard moment.isFinite else { return try value(bucket.start(of: moment), type) }
            let stretch = try bucket.stretch(from: moment)
            let result = try value(stretch.start, type)
            known = (moment, stretch.end, result)
            return result
        }
    }
}

// MARK: date_trunc and date_bin

private func truncated(
    _ arguments: [Vector], zones: TextLane?, _ zone: TimeZoneRules, _ kind: TimestampKind, count: Int,
    _ context: EvaluationContext
) throws(FirnError) -> Vector {
    let type = arguments[1].type
    let names = arguments[0].texts
    let times = arguments[1].integers
    func field(_ row: Int) throws(FirnError) -> DateTimeField {
        try raising { () throws(ValueError) in
            try .named(String(decoding: names[row], as: UTF8.self), ofType: kind.longTypeName)
        }
    }
    func rules(_ row: Int) throws(FirnError) -> TimeZoneRules {
        guard let zones else { return zone }
        let name = String(decoding: zones[row], as: UTF8.self)
        return try raising { () throws(ValueError) in try context.timeZones.zone(forExpression: name) }
    }
    var isConstant = false
    if case .constant = names { isConstant = true }
    if let zones, case .column = zones { isConstant = false }
    if isConstant, count > 0 {
        let (field, rules) = (try field(0), try rules(0))
        if let offset = rules.constantOffset, let (width, origin) = field.fixedStretch,
            let result = fixedStarts(
                times, type, width, (origin - Int64(offset) * Microseconds.perSecond).flooredRemainder(width),
                count: count)
        {
            return .integers(result, type)
        }
        var known: (day: Int64, value: Int64)?
        // On one local day all moments have one month, one year and so on.
        let remembers = rules.constantOffset != nil && field.fixedWidth == nil
        let shift = Int64(rules.constantOffset ?? 0) * Microseconds.perSecond
        return .integers(
            try times.tryMap(count: count) { time throws(FirnError) in
                try raising { () throws(ValueError) -> Int64 in
                    let moment = try timestamp(time, type)
                    let day = (moment.isFinite ? moment.microseconds + shift : 0).flooredQuotient(Microseconds.perDay)
                    if remembers, moment.isFinite, let known, known.day == day { return known.value }
                    let result = try value(moment.truncated(to: field, in: rules, kind: kind), type)
                    if moment.isFinite { known = (day, result) }
                    return result
                }
            }, type)
    }
    var results: [Int64] = []
    for row in 0..<count {
        let (field, rules) = (try field(row), try rules(row))
        results.append(
            try raising { () throws(ValueError) in
                try value(timestamp(times[row], type).truncated(to: field, in: rules, kind: kind), type)
            })
    }
    return .integers(results, type)
}

extension DateTimeField {
    /// Width and origin in microseconds of a field whose stretches are all equal on a clock that never changes.
    fileprivate var fixedStretch: (width: Int64, origin: Int64)? {
        switch self {
        case .day: (Microseconds.perDay, 0)
        case .week: (Microseconds.perDay * 7, TimeBucket.mondayOrigin.flooredRemainder(Microseconds.perDay * 7))
        default: fixedWidth.map { ($0, 0) }
        }
    }
}

private func binned(
    _ times: Lane<Int64>, by strides: Lane<Interval>, _ origins: Lane<Int64>, count: Int
) throws(FirnError) -> [Int64] {
    var results: [Int64] = []
    results.reserveCapacity(count)
    for row in 0..<count {
        results.append(
            try raising { () throws(ValueError) in
                try Timestamp(microseconds: times[row]).binned(
                    by: strides[row], origin: Timestamp(microseconds: origins[row])
                ).microseconds
            })
    }
    return results
}
