// SPDX-License-Identifier: Apache-2.0
//
// extract (exact, NUMERIC) and date_part (double) of timestamps, dates and intervals.
//
// An infinite timestamp has infinite years and the like and no hours and the like; NUMERIC has no infinity here, so
// that extract of an infinite year is error 22003, while date_part answers the infinity; fields like the hour are NULL.
//
// Source: the behaviour of timestamptz_part_common and interval_part_common, PostgreSQL 15.

extension DateTimeField {
    /// A whole number or one of microseconds, until it is asked for as NUMERIC or double.
    enum Value {
        case whole(Int64)
        /// The value times 10^scale.
        case scaled(Int64, scale: Int)
        /// The same of more than 64 bits.
        case wide(Int128, scale: Int)
        /// Whole days and a fraction of a day in microseconds.
        case julian(days: Int64, time: Int64)

        func decimal() throws(ValueError) -> Decimal {
            switch self {
            case .whole(let value): return Decimal(value)
            case .scaled(let value, let scale): return Decimal(unchecked: Int128(value), scale: scale)
            case .wide(let value, let scale): return Decimal(unchecked: value, scale: scale)
            case .julian(let days, let time):
                return try Decimal(days).adding(Decimal(time).divided(by: Decimal(Microseconds.perDay)))
            }
        }

        var double: Double {
            switch self {
            case .whole(let value): Double(value)
            case .scaled(let value, let scale): Double(value) / NumberText.exactPowersOfTen[scale]
            case .wide(let value, let scale): Double(value) / NumberText.exactPowersOfTen[scale]
            case .julian(let days, let time): Double(days) + Double(time) / Double(Microseconds.perDay)
            }
        }
    }

    /// Error 22003: NUMERIC has no infinity.
    fileprivate var infinite: ValueError {
        ValueError(
            code: "22003", message: "the \(name) of an infinite time is infinite, which NUMERIC cannot hold",
            hint: "date_part('\(name)', …) gives it in double precision; isfinite(…) tells such times apart.")
    }

    /// Whether the field grows for ever with time, so that infinity has an infinite one.
    var isMonotonic: Bool {
        switch self {
        case .year, .decade, .century, .millennium, .julian, .isoYear, .epoch: true
        default: false
        }
    }
}

extension Timestamp {
    /// extract: the field as NUMERIC; nil for an infinite timestamp. Error 0A000 for fields that the type lacks.
    func extract(
        _ field: DateTimeField, in zone: TimeZoneRules = .utc, kind: TimestampKind = .withTimeZone
    ) throws(ValueError) -> Decimal? {
        let value = try part(field, in: zone, kind: kind)
        if !isFinite, field.isMonotonic { throw field.infinite }
        return isFinite ? try value.decimal() : nil
    }

    /// date_part: the field as a double; an infinite timestamp has infinite years and no hours (nil).
    func datePart(
        _ field: DateTimeField, in zone: TimeZoneRules = .utc, kind: TimestampKind = .withTimeZone
    ) throws(ValueError) -> Double? {
        let value = try part(field, in: zone, kind: kind)
        if isFinite { return value.double }
        return field.isMonotonic ? (self == .infinity ? .infinity : -.infinity) : nil
    }

    private func part(
        _ field: DateTimeField, in zone: TimeZoneRules, kind: TimestampKind
    ) throws(ValueError) -> DateTimeField.Value {
        if kind == .withoutTimeZone, [.timezone, .timezoneHour, .timezoneMinute].contains(field) {
            throw field.unsupported(ofType: kind.longTypeName)
        }
        guard isFinite else { return .whole(0) }
        if field == .epoch { return .scaled(microseconds, scale: 6) }
        let local = zone.local(self)
        switch field {
        case .timezone, .timezoneHour, .timezoneMinute:
            let offset = (local - microseconds) / Microseconds.perSecond
            if field == .timezone { return .whole(offset) }
            return .whole(field == .timezoneHour ? offset / 3_600 : offset / 60 % 60)
        default: return field.value(of: LocalDateTime(localMicroseconds: local))
        }
    }
}

extension DayNumber {
    /// extract: the field as NUMERIC; nil for an infinite date. Error 0A000 for fields of time and zone.
    func extract(_ field: DateTimeField) throws(ValueError) -> Decimal? {
        let value = try part(field)
        if !isFinite, field.isMonotonic { throw field.infinite }
        return isFinite ? try value.decimal() : nil
    }

    /// date_part: the field as a double; an infinite date has infinite years and no months (nil).
    func datePart(_ field: DateTimeField) throws(ValueError) -> Double? {
        let value = try part(field)
        if isFinite { return value.double }
        return field.isMonotonic ? (self == .infinity ? .infinity : -.infinity) : nil
    }

    private func part(_ field: DateTimeField) throws(ValueError) -> DateTimeField.Value {
        switch field {
        case .microseconds, .milliseconds, .second, .minute, .hour, .timezone, .timezoneHour, .timezoneMinute:
            throw field.unsupported(ofType: "date")
        case .epoch: return .whole(Int64(days) * 86_400)
        case .julian: return .whole(Int64(days) + 2_440_588)
        default:
            var value = LocalDateTime(localMicroseconds: 0)
            value.days = Int(days)
            value.date = CivilDate(daysSinceEpoch: value.days)
            return field.value(of: value)
        }
    }
}

extension DateTimeField {
    /// The field of a local date and time; not for epoch and the fields of the zone.
    func value(of local: LocalDateTime) -> Value {
        let date = local.date
        let year = date.year
        switch self {
        case .microseconds: return .whole(local.time % Microseconds.perMinute)
        case .milliseconds: return .scaled(local.time % Microseconds.perMinute, scale: 3)
        case .second: return .scaled(local.time % Microseconds.perMinute, scale: 6)
        case .minute: return .whole(local.time / Microseconds.perMinute % 60)
        case .hour: return .whole(local.time / Microseconds.perHour)
        case .day: return .whole(Int64(date.day))
        case .month: return .whole(Int64(date.month))
        case .quarter: return .whole(Int64((date.month - 1) / 3 + 1))
        case .week: return .whole(Int64(CivilDate.isoWeek(daysSinceEpoch: local.days).week))
        case .year: return .whole(Int64(DateTimeField.counted(year)))
        case .decade: return .whole(Int64(year >= 0 ? year / 10 : -((8 - (year - 1)) / 10)))
        case .century: return .whole(Int64(year > 0 ? (year + 99) / 100 : -((99 - (year - 1)) / 100)))
        case .millennium: return .whole(Int64(year > 0 ? (year + 999) / 1_000 : -((999 - (year - 1)) / 1_000)))
        case .isoYear:
            return .whole(Int64(DateTimeField.counted(CivilDate.isoWeek(daysSinceEpoch: local.days).year)))
        case .dayOfWeek: return .whole(Int64(CivilDate.dayOfWeek(daysSinceEpoch: local.days)))
        case .isoDayOfWeek: return .whole(Int64((local.days + 3).flooredRemainder(7) + 1))
        case .dayOfYear: return .whole(Int64(date.dayOfYear))
        case .julian: return .julian(days: Int64(local.days) + 2_440_588, time: local.time)
        case .epoch, .timezone, .timezoneHour, .timezoneMinute: preconditionFailure("not a field of a local time")
        }
    }

    /// An astronomical year as SQL counts: there is no year 0, 1 BC is -1.
    private static func counted(_ year: Int) -> Int { year > 0 ? year : year - 1 }
}

extension Interval {
    /// extract: the field as NUMERIC. Error 0A000 for fields that an interval lacks.
    func extract(_ field: DateTimeField) throws(ValueError) -> Decimal { try part(field).decimal() }

    /// date_part: the field as a double. Error 0A000 for fields that an interval lacks.
    func datePart(_ field: DateTimeField) throws(ValueError) -> Double { try part(field).double }

    private func part(_ field: DateTimeField) throws(ValueError) -> DateTimeField.Value {
        let months = Int64(months)
        switch field {
        case .microseconds: return .whole(microseconds % Microseconds.perMinute)
        case .milliseconds: return .scaled(microseconds % Microseconds.perMinute, scale: 3)
        case .second: return .scaled(microseconds % Microseconds.perMinute, scale: 6)
        case .minute: return .whole(microseconds / Microseconds.perMinute % 60)
        case .hour: return .whole(microseconds / Microseconds.perHour)
        case .day: return .whole(Int64(days))
        case .month: return .whole(months % 12)
        case .quarter: return .whole(months % 12 / 3 + 1)
        case .year: return .whole(months / 12)
        case .decade: return .whole(months / 12 / 10)
        case .century: return .whole(months / 12 / 100)
        case .millennium: return .whole(months / 12 / 1_000)
        case .epoch:
            // 365.25 days a year, 30 days a month.
            let quarterDays = 1_461 * (months / 12) + 120 * (months % 12) + 4 * Int64(days)
            let sum = Int128(quarterDays) * 21_600 * Int128(Microseconds.perSecond) + Int128(microseconds)
            return .wide(sum, scale: 6)
        default: throw field.unsupported(ofType: "interval")
        }
    }
}
