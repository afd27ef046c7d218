// SPDX-License-Identifier: Apache-2.0
//
// Clocks, parts of times, making times from parts, and to_char.

extension FunctionCatalogue {
    mutating func addTimeFunctions() {
        addClocks()
        addParts()
        addMaking()
        addAges()
        for family in [TypeFamily.timestamptz, .timestamp] {
            addFunction(
                "to_char",
                overload: FunctionOverload([family, .text], .text) { arguments, count, context throws(FirnError) in
                    toChar(arguments, zone: family == .timestamptz ? context.timeZone : nil, count: count)
                })
            addFunction(
                "isfinite",
                overload: FunctionOverload([family], .boolean, mayFail: false) {
                    arguments, count, _ throws(FirnError) in
                    .booleans(arguments[0].integers.map(count: count) { Timestamp(microseconds: $0).isFinite })
                })
        }
        addFunction(
            "isfinite",
            overload: FunctionOverload([.date], .boolean, mayFail: false) { arguments, count, _ throws(FirnError) in
                .booleans(
                    arguments[0].integers.map(count: count) { DayNumber(days: Int32(truncatingIfNeeded: $0)).isFinite })
            })
        // No interval is infinite.
        addFunction(
            "isfinite",
            overload: FunctionOverload([.interval], .boolean, mayFail: false) { _, _, _ throws(FirnError) in
                .constant(.boolean(true), .boolean)
            })
        addFunction(
            "version",
            overload: FunctionOverload([], .text, mayFail: false) { _, _, _ throws(FirnError) in
                .constant(.text("Firn, speaking the SQL of PostgreSQL 15"), .text)
            })
    }

    private mutating func addClocks() {
        addFunction(
            "now", "current_timestamp", "transaction_timestamp", "statement_timestamp",
            overload: FunctionOverload([], .timestamptz, volatility: .stable, mayFail: false) {
                _, _, context throws(FirnError) in
                .constant(.integer(context.statementMicroseconds), .timestamptz)
            })
        addFunction(
            "clock_timestamp",
            overload: FunctionOverload([], .timestamptz, volatility: .volatile, mayFail: false) {
                _, count, context throws(FirnError) in
                let now = context.clock.map { $0.now() } ?? context.statementMicroseconds
                return .integers([Int64](repeating: now, count: count), .timestamptz)
            })
        addFunction(
            "current_date",
            overload: FunctionOverload([], .date, volatility: .stable, mayFail: false) {
                _, _, context throws(FirnError) in
                let now = Timestamp(microseconds: context.statementMicroseconds)
                return .constant(.integer(Int64(now.day(in: context.timeZone).days)), .date)
            })
        addFunction(
            "localtimestamp",
            overload: FunctionOverload([], .timestamp, volatility: .stable) { _, _, context throws(FirnError) in
                let now = Timestamp(microseconds: context.statementMicroseconds)
                let local = try raising { () throws(ValueError) in try now.local(in: context.timeZone) }
                return .constant(.integer(local.microseconds), .timestamp)
            })
    }

    private mutating func addParts() {
        for family in [TypeFamily.timestamptz, .timestamp, .date, .interval] {
            addFunction(
                "extract",
                overload: FunctionOverload([.text, family], .numeric) { arguments, count, context throws(FirnError) in
                    if let whole = wholeParts(arguments, family, count: count, context) {
                        let coefficients = whole.map { Int128($0) }
                        let decimals = DecimalValues(coefficients: coefficients, scales: .uniform(0))
                        return .column(Column(type: .numeric, values: .decimal(decimals)))
                    }
                    var builder = ColumnBuilder(type: .numeric, capacity: count)
                    try forEachPart(arguments, family, count: count, context) { part throws(ValueError) in
                        if let value = try part.extract() { builder.append(value) } else { builder.appendNull() }
                    }
                    return .column(builder.finish())
                })
            addFunction(
                "date_part",
                overload: FunctionOverload([.text, family], .double) { arguments, count, context throws(FirnError) in
                    if let whole = wholeParts(arguments, family, count: count, context) {
                        return .doubles(whole.map { Double($0) })
                    }
                    var builder = ColumnBuilder(type: .double, capacity: count)
                    try forEachPart(arguments, family, count: count, context) { part throws(ValueError) in
                        if let value = try part.datePart() { builder.append(value) } else { builder.appendNull() }
                    }
                    return .column(builder.finish())
                })
        }
    }

    private mutating func addMaking() {
        addFunction(
            "to_timestamp",
            overload: FunctionOverload([.double], .timestamptz) { arguments, count, _ throws(FirnError) in
                .integers(
                    try arguments[0].doubles.tryMap(count: count) { seconds throws(FirnError) in
                        try raising { () throws(ValueError) in try Timestamp(secondsSinceEpoch: seconds).microseconds }
                    }, .timestamptz)
            })
        let parts: [TypeFamily] = [.integer, .integer, .integer, .integer, .integer, .double]
        let names = ["year", "month", "mday", "hour", "min", "sec"]
        @Sendable func make(_ arguments: [Vector], _ row: Int, in zone: TimeZoneRules) throws(FirnError) -> Int64 {
            let whole = (0..<5).map { Int(arguments[$0].integers[row]) }
            let second = arguments[5].doubles[row]
            return try raising { () throws(ValueError) in
                try Timestamp.make(
                    year: whole[0], month: whole[1], day: whole[2], hour: whole[3], minute: whole[4], second: second,
                    in: zone
                ).microseconds
            }
        }
        var overload = FunctionOverload(parts, .timestamp) { arguments, count, _ throws(FirnError) in
            .integers(try integers(count) { row throws(FirnError) in try make(arguments, row, in: .utc) }, .timestamp)
        }
        overload.parameterNames = names
        addFunction("make_timestamp", overload: overload)
        overload = FunctionOverload(parts, .timestamptz) { arguments, count, context throws(FirnError) in
            .integers(
                try integers(count) { row throws(FirnError) in try make(arguments, row, in: context.timeZone) },
                .timestamptz)
        }
        overload.parameterNames = names
        addFunction("make_timestamptz", overload: overload)
        overload = FunctionOverload(parts + [.text], .timestamptz) { arguments, count, context throws(FirnError) in
            .integers(
                try integers(count) { row throws(FirnError) in
                    let name = String(decoding: arguments[6].texts[row], as: UTF8.self)
                    let zone = try raising { () throws(ValueError) in try context.timeZones.zone(forExpression: name) }
                    return try make(arguments, row, in: zone)
                }, .timestamptz)
        }
        overload.parameterNames = names + ["timezone"]
        addFunction("make_timestamptz", overload: overload)
        addFunction(
            "make_date",
            overload: FunctionOverload([.integer, .integer, .integer], .date) { arguments, count, _ throws(FirnError) in
                .integers(
                    try integers(count) { row throws(FirnError) in
                        let parts = arguments.map { Int($0.integers[row]) }
                        return try raising { () throws(ValueError) in
                            Int64(try DayNumber.make(year: parts[0], month: parts[1], day: parts[2]).days)
                        }
                    }, .date)
            }.named("year", "month", "day"))
        var interval = FunctionOverload(
            [.integer, .integer, .integer, .integer, .integer, .integer, .double], .interval
        ) { arguments, count, _ throws(FirnError) in
            var results: [Interval] = []
            for row in 0..<count {
                let parts = arguments.prefix(6).map { Int($0.integers[row]) }
                let seconds = arguments[6].doubles[row]
                results.append(
                    try raising { () throws(ValueError) in
                        try Interval.make(
                            years: parts[0], months: parts[1], weeks: parts[2], days: parts[3], hours: parts[4],
                            minutes: parts[5], seconds: seconds)
                    })
            }
            return .intervals(results)
        }
        interval.parameterNames = ["years", "months", "weeks", "days", "hours", "mins", "secs"]
        interval.defaults = Array(repeating: .integer(0), count: 6) + [.double(0)]
        addFunction("make_interval", overload: interval)
    }

    private mutating func addAges() {
        for family in [TypeFamily.timestamptz, .timestamp] {
            addFunction(
                "age",
                overload: FunctionOverload([family, family], .interval) { arguments, count, context throws(FirnError) in
                    let zone = family == .timestamptz ? context.timeZone : .utc
                    return .intervals(
                        try tryCombine(arguments[0].integers, arguments[1].integers, count: count) {
                            later, earlier throws(FirnError) in
                            try raising { () throws(ValueError) in
                                try Timestamp(microseconds: later).age(
                                    since: Timestamp(microseconds: earlier), in: zone)
                            }
                        })
                })
            // From midnight of the current day.
            addFunction(
                "age",
                overload: FunctionOverload([family], .interval, volatility: .stable) {
                    arguments, count, context throws(FirnError) in
                    let zone = family == .timestamptz ? context.timeZone : .utc
                    let today = Timestamp(microseconds: context.statementMicroseconds).day(in: context.timeZone)
                    return .intervals(
                        try arguments[0].integers.tryMap(count: count) { time throws(FirnError) in
                            try raising { () throws(ValueError) in
                                try today.timestamp(in: zone).age(since: Timestamp(microseconds: time), in: zone)
                            }
                        })
                })
        }
    }
}

/// An integer for each row.
private func integers(_ count: Int, _ body: (Int) throws(FirnError) -> Int64) throws(FirnError) -> [Int64] {
    var results: [Int64] = []
    results.reserveCapacity(count)
    for row in 0..<count { results.append(try body(row)) }
    return results
}

/// One field of one value, for extract and date_part.
private enum TimePart {
    case timestamp(Timestamp, DateTimeField, TimeZoneRules, TimestampKind)
    case date(DayNumber, DateTimeField)
    case interval(Interval, DateTimeField)

    func extract() throws(ValueError) -> Decimal? {
        switch self {
        case .timestamp(let moment, let field, let zone, let kind): try moment.extract(field, in: zone, kind: kind)
        case .date(let day, let field): try day.extract(field)
        case .interval(let interval, let field): try interval.extract(field)
        }
    }

    func datePart() throws(ValueError) -> Double? {
        switch self {
        case .timestamp(let moment, let field, let zone, let kind): try moment.datePart(field, in: zone, kind: kind)
        // date_part of a DATE is that of its midnight, hours included.
        case .date(let day, let field): try Timestamp(day).datePart(field, kind: .withoutTimeZone)
        case .interval(let interval, let field): try interval.datePart(field)
        }
    }
}

/// One field of finite timestamps, where that field is a whole number; nil for everything else.
private func wholeParts(
    _ arguments: [Vector], _ family: TypeFamily, count: Int, _ context: EvaluationContext
) -> [Int64]? {
    guard family == .timestamptz || family == .timestamp, case .constant(let name) = arguments[0].texts,
        case .column(let values) = arguments[1].integers,
        let field = DateTimeField(name: String(decoding: name, as: UTF8.self))
    else { return nil }
    let zone = family == .timestamptz ? context.timeZone : .utc
    switch field {
    case .minute, .hour, .day, .week, .month, .quarter, .year, .dayOfWeek, .isoDayOfWeek, .dayOfYear: break
    default: return nil
    }
    var parts: [Int64] = []
    parts.reserveCapacity(count)
    var known: (day: Int64, part: Int64)?
    for value in values {
        let moment = Timestamp(microseconds: value)
        guard moment.isFinite else { return nil }
        let local = zone.local(moment)
        let day = local.flooredQuotient(Microseconds.perDay)
        switch field {
        case .hour: parts.append((local &- day &* Microseconds.perDay) / Microseconds.perHour)
        case .minute: parts.append((local &- day &* Microseconds.perDay) / Microseconds.perMinute % 60)
        default:
            // All moments of a day share its calendar.
            if let known, known.day == day {
                parts.append(known.part)
                continue
            }
            guard case .whole(let part) = field.value(of: LocalDateTime(localMicroseconds: local)) else { return nil }
            known = (day, part)
            parts.append(part)
        }
    }
    return parts
}

private func forEachPart(
    _ arguments: [Vector], _ family: TypeFamily, count: Int, _ context: EvaluationContext,
    _ body: (TimePart) throws(ValueError) -> Void
) throws(FirnError) {
    let names = arguments[0].texts
    let isWithZone = family == .timestamptz
    let kind = isWithZone ? TimestampKind.withTimeZone : .withoutTimeZone
    let zone = isWithZone ? context.timeZone : .utc
    var constantField: DateTimeField?
    func field(_ row: Int) throws(ValueError) -> DateTimeField {
        if let constantField { return constantField }
        return try .named(String(decoding: names[row], as: UTF8.self), ofType: family.type.name)
    }
    if case .constant = names, count > 0 {
        constantField = try raising { () throws(ValueError) in try field(0) }
    }
    do throws(ValueError) {
        switch family {
        case .interval:
            let values = arguments[1].intervals
            for row in 0..<count { try body(.interval(values[row], try field(row))) }
        case .date:
            let values = arguments[1].integers
            for row in 0..<count {
                try body(.date(DayNumber(days: Int32(truncatingIfNeeded: values[row])), try field(row)))
            }
        default:
            let values = arguments[1].integers
            for row in 0..<count {
                try body(.timestamp(Timestamp(microseconds: values[row]), try field(row), zone, kind))
            }
        }
    } catch {
        throw FirnError(error)
    }
}

private func toChar(_ arguments: [Vector], zone: TimeZoneRules?, count: Int) -> Vector {
    let times = arguments[0].integers
    let patterns = arguments[1].texts
    var known: TimestampPattern?
    if case .constant(let text) = patterns { known = TimestampPattern(String(decoding: text, as: UTF8.self)) }
    var builder = ColumnBuilder(type: .text, capacity: count)
    for row in 0..<count {
        let moment = Timestamp(microseconds: times[row])
        let text = String(decoding: patterns[row], as: UTF8.self)
        // An infinite moment has no parts; an empty pattern asks for none.
        guard moment.isFinite, !text.isEmpty else {
            builder.appendNull()
            continue
        }
        var output: [UInt8] = []
        (known ?? TimestampPattern(text)).append(moment, in: zone, to: &output)
        builder.append(bytes: output)
    }
    return .column(builder.finish())
}
