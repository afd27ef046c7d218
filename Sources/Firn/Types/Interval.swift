// SPDX-License-Identifier: Apache-2.0
//
// INTERVAL: a span of time in three parts that do not convert into each other.
//
// A month has 28 to 31 days and a day may have 23 to 25 hours, so months, days and microseconds are kept
// apart, as in PostgreSQL. Only comparison (and GROUP BY, DISTINCT) takes 30 days a month and 24 hours a day:
// `1 mon` equals `30 days`. Results that do not fit are error 22008.
//
// Source: the behaviour of PostgreSQL 15's interval functions.

/// A span of months, days and microseconds.
public struct Interval: Sendable {
    /// Whole months; twelve are a year.
    public var months: Int32
    /// Whole days.
    public var days: Int32
    /// The part below a day, which may exceed one.
    public var microseconds: Int64

    /// Makes an interval from its parts.
    public init(months: Int32 = 0, days: Int32 = 0, microseconds: Int64 = 0) {
        self.months = months
        self.days = days
        self.microseconds = microseconds
    }

    /// Nothing: zero in every part.
    public static let zero = Interval()

    /// The length for comparison in microseconds: 30 days a month, 24 hours a day.
    var comparisonMicroseconds: Int128 {
        (Int128(months) * 30 + Int128(days)) * Int128(Microseconds.perDay) + Int128(microseconds)
    }

    /// Whether all three parts are the same, where `==` only compares lengths.
    public func isIdentical(to other: Interval) -> Bool {
        months == other.months && days == other.days && microseconds == other.microseconds
    }
}

extension Interval: Hashable, Comparable {
    /// Compares lengths: `1 mon` equals `30 days`.
    public static func == (left: Interval, right: Interval) -> Bool {
        left.comparisonMicroseconds == right.comparisonMicroseconds
    }

    /// Compares lengths.
    public static func < (left: Interval, right: Interval) -> Bool {
        left.comparisonMicroseconds < right.comparisonMicroseconds
    }

    /// Hashes the length, so that equal intervals hash alike.
    public func hash(into hasher: inout Hasher) { hasher.combine(comparisonMicroseconds) }
}

extension Interval {
    /// The sum, part by part; error 22008 when a part overflows.
    public func adding(_ other: Interval) throws(ValueError) -> Interval {
        let months = months.addingReportingOverflow(other.months)
        let days = days.addingReportingOverflow(other.days)
        let time = microseconds.addingReportingOverflow(other.microseconds)
        guard !months.overflow, !days.overflow, !time.overflow else { throw .intervalOutOfRange }
        return Interval(months: months.partialValue, days: days.partialValue, microseconds: time.partialValue)
    }

    /// The difference, part by part; error 22008 when a part overflows.
    public func subtracting(_ other: Interval) throws(ValueError) -> Interval {
        let months = months.subtractingReportingOverflow(other.months)
        let days = days.subtractingReportingOverflow(other.days)
        let time = microseconds.subtractingReportingOverflow(other.microseconds)
        guard !months.overflow, !days.overflow, !time.overflow else { throw .intervalOutOfRange }
        return Interval(months: months.partialValue, days: days.partialValue, microseconds: time.partialValue)
    }

    /// All parts with the other sign; error 22008 at the ends of the integers.
    public func negated() throws(ValueError) -> Interval { try Interval.zero.subtracting(self) }

    /// The product; fractions of months become days (30), fractions of days become time.
    func multiplied(by factor: Double) throws(ValueError) -> Interval {
        try scaled { $0 * factor }
    }

    /// The quotient; error 22012 for zero. Fractions cascade as in `multiplied(by:)`.
    func divided(by divisor: Double) throws(ValueError) -> Interval {
        guard divisor != 0 else { throw .divisionByZero }
        return try scaled { $0 / divisor }
    }

    private func scaled(_ scale: (Double) -> Double) throws(ValueError) -> Interval {
        let scaledMonths = scale(Double(months))
        let scaledDays = scale(Double(days))
        guard let wholeMonths = Int32(exactly: scaledMonths.rounded(.towardZero)),
            let wholeDays = Int32(exactly: scaledDays.rounded(.towardZero))
        else { throw .intervalOutOfRange }
        let monthRest = Interval.roundedToMicro((scaledMonths - Double(wholeMonths)) * 30)
        let wholeMonthRest = monthRest.rounded(.towardZero)
        var secondRest = Interval.roundedToMicro(
            (scaledDays - Double(wholeDays) + monthRest - wholeMonthRest) * 86_400)
        var dayCount = Int64(wholeDays)
        if secondRest.magnitude >= 86_400 {
            let carried = (secondRest / 86_400).rounded(.towardZero)
            dayCount += Int64(carried)
            secondRest -= carried * 86_400
        }
        dayCount += Int64(wholeMonthRest)
        let time = (scale(Double(microseconds)) + secondRest * 1_000_000).rounded(.toNearestOrEven)
        guard let resultDays = Int32(exactly: dayCount), let resultTime = Int64(exactly: time) else {
            throw .intervalOutOfRange
        }
        return Interval(months: wholeMonths, days: resultDays, microseconds: resultTime)
    }

    private static func roundedToMicro(_ value: Double) -> Double {
        (value * 1_000_000).rounded(.toNearestOrEven) / 1_000_000
    }

    /// Moves whole 24-hour stretches from the time to the days, and gives both the same sign.
    func justifyingHours() throws(ValueError) -> Interval {
        var result = self
        let (days, overflow) = Int64(self.days).addingReportingOverflow(microseconds / Microseconds.perDay)
        guard !overflow, var whole = Int32(exactly: days) else { throw .intervalOutOfRange }
        result.microseconds = microseconds % Microseconds.perDay
        if whole > 0, result.microseconds < 0 {
            result.microseconds += Microseconds.perDay
            whole -= 1
        } else if whole < 0, result.microseconds > 0 {
            result.microseconds -= Microseconds.perDay
            whole += 1
        }
        result.days = whole
        return result
    }

    /// Moves whole 30-day stretches from the days to the months, and gives both the same sign.
    func justifyingDays() throws(ValueError) -> Interval {
        var result = self
        let (sum, overflow) = months.addingReportingOverflow(days / 30)
        guard !overflow else { throw .intervalOutOfRange }
        var whole = sum
        result.days = days % 30
        if whole > 0, result.days < 0 {
            result.days += 30
            whole -= 1
        } else if whole < 0, result.days > 0 {
            result.days -= 30
            whole += 1
        }
        result.months = whole
        return result
    }

    /// Both justifications, with one sign for all parts.
    func justifyingInterval() throws(ValueError) -> Interval {
        var months = Int64(months)
        var days = Int64(days)
        var time = microseconds
        // As PostgreSQL: settle days first where they and the time have one sign, lest an overflow be reported
        // that the other part would have cancelled.
        if (days > 0 && time > 0) || (days < 0 && time < 0) {
            months += days / 30
            days %= 30
        }
        days += time / Microseconds.perDay
        time %= Microseconds.perDay
        months += days / 30
        days %= 30
        if months > 0, days < 0 || (days == 0 && time < 0) {
            days += 30
            months -= 1
        } else if months < 0, days > 0 || (days == 0 && time > 0) {
            days -= 30
            months += 1
        }
        if days > 0, time < 0 {
            time += Microseconds.perDay
            days -= 1
        } else if days < 0, time > 0 {
            time -= Microseconds.perDay
            days += 1
        }
        guard let months = Int32(exactly: months), let days = Int32(exactly: days) else { throw .intervalOutOfRange }
        return Interval(months: months, days: days, microseconds: time)
    }

    /// make_interval: the sum of the parts; `seconds` may have a fraction. Error 22008 when it does not fit.
    static func make(
        years: Int = 0, months: Int = 0, weeks: Int = 0, days: Int = 0, hours: Int = 0, minutes: Int = 0,
        seconds: Double = 0
    ) throws(ValueError) -> Interval {
        let micros = (seconds * 1_000_000).rounded(.toNearestOrEven)
        guard let months = Int32(exactly: Int128(years) * 12 + Int128(months)),
            let days = Int32(exactly: Int128(weeks) * 7 + Int128(days)), let micros = Int64(exactly: micros),
            let time = Int64(
                exactly: Int128(hours) * Int128(Microseconds.perHour) + Int128(minutes)
                    * Int128(Microseconds.perMinute) + Int128(micros))
        else { throw .intervalOutOfRange }
        return Interval(months: months, days: days, microseconds: time)
    }
}
