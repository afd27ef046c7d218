// SPDX-License-Identifier: Apache-2.0
//
// Timestamps and intervals: sums, differences, ages, and making timestamps from parts.
//
// Months and days are added on the local clock of the zone (31 January and a month is 28 February; a day across a
// change of the clock has 23 or 25 hours), microseconds on the absolute one. TIMESTAMP uses UTC as its zone.
//
// Source: the behaviour of timestamptz_pl_interval, timestamp_mi and timestamptz_age, PostgreSQL 15.

/// A moment as a calendar and a clock show it.
struct LocalDateTime {
    var date: CivilDate
    /// Days since 1970-01-01.
    var days: Int
    /// Microseconds since local midnight.
    var time: Int64

    /// Splits local microseconds.
    @inline(__always)
    init(localMicroseconds local: Int64) {
        let day = local.flooredQuotient(Microseconds.perDay)
        days = Int(day)
        time = local &- day &* Microseconds.perDay
        date = CivilDate(daysSinceEpoch: days)
    }

    static func microseconds(days: Int, time: Int64) throws(ValueError) -> Int64 {
        guard let local = Int64(exactly: Int128(days) * Int128(Microseconds.perDay) + Int128(time)) else {
            throw .timestampOutOfRange
        }
        return local
    }
}

extension Timestamp {
    /// The moment an interval later, on the clock of `zone`; the infinities stay. Error 22008 out of range.
    public func adding(_ interval: Interval, in zone: TimeZoneRules = .utc) throws(ValueError) -> Timestamp {
        guard isFinite else { return self }
        var result = self
        if interval.months != 0 {
            let local = LocalDateTime(localMicroseconds: zone.local(result))
            let days = local.date.adding(months: Int(interval.months)).daysSinceEpoch
            result = try zone.utc(fromLocal: LocalDateTime.microseconds(days: days, time: local.time))
        }
        if interval.days != 0 {
            let local = LocalDateTime(localMicroseconds: zone.local(result))
            let days = local.days + Int(interval.days)
            result = try zone.utc(fromLocal: LocalDateTime.microseconds(days: days, time: local.time))
        }
        return try .checked(result.microseconds.addingReportingOverflow(interval.microseconds))
    }

    /// The moment an interval earlier, on the clock of `zone`; the infinities stay. Error 22008 out of range.
    public func subtracting(_ interval: Interval, in zone: TimeZoneRules = .utc) throws(ValueError) -> Timestamp {
        isFinite ? try adding(interval.negated(), in: zone) : self
    }

    /// The time since `other` as 24-hour days and a rest. Error 22008 when a side is infinite.
    public func interval(since other: Timestamp) throws(ValueError) -> Interval {
        guard isFinite, other.isFinite else {
            throw ValueError(code: "22008", message: "cannot subtract infinite timestamps")
        }
        let (difference, overflow) = microseconds.subtractingReportingOverflow(other.microseconds)
        guard !overflow else { throw .intervalOutOfRange }
        return try Interval(microseconds: difference).justifyingHours()
    }

    /// The years, months, days and time since `other`, as a person counts them on the clock of `zone`.
    ///
    /// Error 22008 when a side is infinite.
    func age(since other: Timestamp, in zone: TimeZoneRules = .utc) throws(ValueError) -> Interval {
        guard isFinite, other.isFinite else { throw .timestampOutOfRange }
        let isNegative = self < other
        let late = LocalDateTime(localMicroseconds: zone.local(isNegative ? other : self))
        let early = LocalDateTime(localMicroseconds: zone.local(isNegative ? self : other))
        // The offset of the zone may put the later moment earlier on the clock; the parts then borrow below zero.
        var months = late.date.monthNumber - early.date.monthNumber
        var days = late.date.day - early.date.day
        var time = late.time - early.time
        if time < 0 {
            time += Microseconds.perDay
            days -= 1
        }
        while days < 0 {
            // PostgreSQL takes the length of the earlier moment's month, whichever argument that was.
            days += CivilDate.daysInMonth(year: early.date.year, month: early.date.month)
            months -= 1
        }
        let sign: Int64 = isNegative ? -1 : 1
        return Interval(
            months: Int32(sign) * Int32(months), days: Int32(sign) * Int32(days), microseconds: sign * time)
    }

    /// make_timestamp and make_timestamptz: parts on the clock of `zone`; a negative year is BC.
    ///
    /// Error 22008 for parts out of range.
    static func make(
        year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Double, in zone: TimeZoneRules = .utc
    ) throws(ValueError) -> Timestamp {
        func text(_ value: Int) -> String { value < 10 && value >= 0 ? "0\(value)" : "\(value)" }
        guard let date = CivilDate.checked(year: year, month: month, day: day) else {
            throw ValueError(
                code: "22008", message: "date field value out of range: \(year)-\(text(month))-\(text(day))")
        }
        // As PostgreSQL's float_time_overflows: 24:00:00 and 60 seconds are let through.
        let micros = (second * 1_000_000).rounded(.toNearestOrEven)
        guard (0...24).contains(hour), (0...59).contains(minute), second >= 0, micros <= 60_000_000,
            hour < 24 || (minute == 0 && micros == 0)
        else {
            let secondText =
                second.magnitude < 10 && second == second.rounded() ? text(Int(second)) : NumberText.text(second)
            throw ValueError(
                code: "22008",
                message: "time field value out of range: \(hour):\(text(minute)):\(secondText)")
        }
        let time = Int64(hour) * Microseconds.perHour + Int64(minute) * Microseconds.perMinute + Int64(micros)
        let local = try LocalDateTime.microseconds(days: date.daysSinceEpoch, time: time)
        return try zone.utc(fromLocal: local)
    }

    /// to_timestamp: seconds since the epoch, rounded to microseconds. Error 22008 out of range and for NaN.
    init(secondsSinceEpoch seconds: Double) throws(ValueError) {
        guard !seconds.isNaN else { throw ValueError(code: "22008", message: "timestamp cannot be NaN") }
        if seconds.isInfinite {
            self = seconds < 0 ? .negativeInfinity : .infinity
            return
        }
        let shown = Float(seconds).isFinite ? NumberText.text(Float(seconds)) : NumberText.text(seconds)
        // Rounded against PostgreSQL's own epoch, 2000-01-01, so that ties fall as they do there.
        let shift = 946_684_800.0
        let micros = ((seconds - shift) * 1_000_000).rounded(.toNearestOrEven)
        guard let exact = Int64(exactly: micros) else {
            throw ValueError(code: "22008", message: "timestamp out of range: \"\(shown)\"")
        }
        let sum = exact.addingReportingOverflow(Int64(shift) * Microseconds.perSecond)
        do throws(ValueError) {
            self = try .checked(sum)
        } catch {
            throw ValueError(code: "22008", message: "timestamp out of range: \"\(shown)\"")
        }
    }
}

extension CivilDate {
    /// A date from parts as SQL counts years (no year 0, negative years are BC), or nil.
    static func checked(year: Int, month: Int, day: Int) -> CivilDate? {
        guard year != 0, abs(year) < 10_000_000 else { return nil }
        let date = CivilDate(year: year < 0 ? year + 1 : year, month: month, day: day)
        return date.isValid ? date : nil
    }
}

extension DayNumber {
    /// make_date: a negative year is BC. Error 22008 for parts out of range.
    static func make(year: Int, month: Int, day: Int) throws(ValueError) -> DayNumber {
        func text(_ value: Int) -> String { value < 10 && value >= 0 ? "0\(value)" : "\(value)" }
        let shown = "\(year)-\(text(month))-\(text(day))"
        guard let date = CivilDate.checked(year: year, month: month, day: day) else {
            throw ValueError(code: "22008", message: "date field value out of range: \(shown)")
        }
        let days = date.daysSinceEpoch
        guard days >= Int(earliest.days), days < Int(limit.days) else {
            throw ValueError(code: "22008", message: "date out of range: \(shown)")
        }
        return DayNumber(days: Int32(days))
    }

    /// Midnight of the day on the clock of `zone`: the cast of a DATE to TIMESTAMPTZ.
    func timestamp(in zone: TimeZoneRules) throws(ValueError) -> Timestamp {
        let local = try Timestamp(self)
        return local.isFinite ? try zone.utc(fromLocal: local.microseconds) : local
    }
}

extension Timestamp {
    /// The day on the clock of `zone`: the cast of a TIMESTAMPTZ to DATE. The infinities stay.
    func day(in zone: TimeZoneRules) -> DayNumber {
        isFinite ? Timestamp(microseconds: zone.local(self)).day : day
    }

    /// AT TIME ZONE on a TIMESTAMPTZ, and its cast to TIMESTAMP: what the clock of `zone` shows.
    func local(in zone: TimeZoneRules) throws(ValueError) -> Timestamp {
        guard isFinite else { return self }
        if let offset = zone.constantOffset {
            // Seconds that a program gave as an interval: their microseconds may be all that 64 bits hold.
            let (shift, overflow) = Int64(offset).multipliedReportingOverflow(by: Microseconds.perSecond)
            guard !overflow else { throw .timestampOutOfRange }
            return try .checked(microseconds.addingReportingOverflow(shift))
        }
        return try .checked(zone.local(self))
    }

    /// AT TIME ZONE on a TIMESTAMP, and its cast to TIMESTAMPTZ: the moment at which the clock of `zone` shows it.
    func absolute(in zone: TimeZoneRules) throws(ValueError) -> Timestamp {
        isFinite ? try zone.utc(fromLocal: microseconds) : self
    }
}
