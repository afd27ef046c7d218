// SPDX-License-Identifier: Apache-2.0
//
// date_trunc and date_bin.
//
// Fields of a day and more are cut on the clock of the zone and the offset is looked up anew; smaller ones keep
// the offset that the moment has, so that the hour that a clock shows twice stays two hours.
//
// Source: the behaviour of timestamptz_trunc, interval_trunc and timestamptz_bin, PostgreSQL 15.

extension Timestamp {
    /// The moment with all smaller parts than `field` set to their least; the infinities stay.
    ///
    /// Errors 0A000 for fields that cannot be cut to, 22008 out of range.
    func truncated(
        to field: DateTimeField, in zone: TimeZoneRules = .utc, kind: TimestampKind = .withTimeZone
    ) throws(ValueError) -> Timestamp {
        guard isFinite else { return self }
        let local = zone.local(self)
        if let width = field.fixedWidth {
            let cut = local - local.flooredRemainder(width)
            return try .checked(cut - (local - microseconds))
        }
        let value = LocalDateTime(localMicroseconds: local)
        guard let days = field.truncatedDays(value) else {
            // PostgreSQL knows dow and its like, but not as something to cut to.
            switch field {
            case .dayOfWeek, .isoDayOfWeek, .dayOfYear, .isoYear, .julian, .epoch:
                throw DateTimeField.unknown(field.name, ofType: kind.longTypeName)
            default: throw field.unsupported(ofType: kind.longTypeName)
            }
        }
        return try zone.utc(fromLocal: LocalDateTime.microseconds(days: days, time: 0))
    }

    /// date_bin: the start of the stretch of `stride` that contains the moment, counted from `origin`.
    ///
    /// Errors 0A000 for a stride of months, 22008 for one of nothing or less.
    func binned(by stride: Interval, origin: Timestamp) throws(ValueError) -> Timestamp {
        guard isFinite else { return self }
        guard origin.isFinite else { throw ValueError(code: "22008", message: "origin out of range") }
        guard stride.months == 0 else {
            throw ValueError(
                code: "0A000", message: "timestamps cannot be binned into intervals containing months or years",
                hint: "time_bucket and date_trunc can.")
        }
        let wide = Int128(stride.days) * Int128(Microseconds.perDay) + Int128(stride.microseconds)
        guard wide > 0 else { throw ValueError(code: "22008", message: "stride must be greater than zero") }
        guard let width = Int64(exactly: wide) else { throw .intervalOutOfRange }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(origin.microseconds)
        guard !overflow else { throw .intervalOutOfRange }
        return try .checked(microseconds.subtractingReportingOverflow(difference.flooredRemainder(width)))
    }
}

extension TimestampKind {
    var longTypeName: String {
        self == .withTimeZone ? "timestamp with time zone" : "timestamp without time zone"
    }
}

extension DateTimeField {
    /// The microseconds of a field whose stretches all have one width, up to the hour.
    var fixedWidth: Int64? {
        switch self {
        case .microseconds: 1
        case .milliseconds: Microseconds.perMillisecond
        case .second: Microseconds.perSecond
        case .minute: Microseconds.perMinute
        case .hour: Microseconds.perHour
        default: nil
        }
    }

    /// The first day of the stretch that contains a day, or nil for a field without stretches.
    func truncatedDays(_ value: LocalDateTime) -> Int? {
        var date = value.date
        date.day = 1
        switch self {
        case .day: return value.days
        case .week: return CivilDate.monday(onOrBefore: value.days)
        case .month: break
        case .quarter: date.month = (date.month - 1) / 3 * 3 + 1
        case .year: date.month = 1
        case .decade, .century, .millennium:
            date.month = 1
            date.year = truncatedYear(date.year)
        default: return nil
        }
        return date.daysSinceEpoch
    }

    /// The first year of a decade, century or millennium. Centuries begin with a year 1, decades with a year 0.
    private func truncatedYear(_ year: Int) -> Int {
        switch self {
        case .decade: year > 0 ? year / 10 * 10 : -((8 - (year - 1)) / 10) * 10
        case .century: year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1
        default: year > 0 ? (year + 999) / 1_000 * 1_000 - 999 : -((999 - (year - 1)) / 1_000) * 1_000 + 1
        }
    }
}

extension Interval {
    /// The interval with all smaller parts than `field` set to zero. Error 0A000 for weeks and the like.
    func truncated(to field: DateTimeField) throws(ValueError) -> Interval {
        if let width = field.fixedWidth {
            return Interval(months: months, days: days, microseconds: microseconds / width * width)
        }
        switch field {
        case .day: return Interval(months: months, days: days)
        case .month: return Interval(months: months)
        case .quarter: return Interval(months: months / 3 * 3)
        case .year: return Interval(months: months / 12 * 12)
        case .decade: return Interval(months: months / 120 * 120)
        case .century: return Interval(months: months / 1_200 * 1_200)
        case .millennium: return Interval(months: months / 12_000 * 12_000)
        case .week:
            throw field.unsupported(ofType: "interval", detail: "Months usually have fractional weeks.")
        default: throw field.unsupported(ofType: "interval")
        }
    }
}
