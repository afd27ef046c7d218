// SPDX-License-Identifier: Apache-2.0
//
// The proleptic Gregorian calendar: days since 1970-01-01 to year, month and day, and back.
//
// Years are astronomical: 1 BC is year 0, 2 BC is year -1. Valid from 4714-11-24 BC (Julian day 0) to any
// year that the caller's range allows; the arithmetic itself is exact for |year| < 2^31.
//
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"; ISO weeks from ISO 8601.

/// A day of the proleptic Gregorian calendar.
struct CivilDate: Sendable, Hashable, Comparable {
    /// The astronomical year: 1 BC is 0, 2 BC is -1.
    var year: Int
    /// The month, 1 to 12.
    var month: Int
    /// The day of the month, 1 to 31.
    var day: Int

    /// Makes a date from its parts, which the caller has checked.
    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The date that lies `days` after 1970-01-01.
    init(daysSinceEpoch days: Int) {
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let dayOfEra = UInt32(truncatingIfNeeded: shifted &- era &* 146_097)
        let yearOfEra = (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let shiftedMonth = (5 &* dayOfYear &+ 2) / 153
        day = Int(dayOfYear &- (153 &* shiftedMonth &+ 2) / 5 &+ 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth &+ 3 : shiftedMonth &- 9)
        year = Int(yearOfEra) &+ era &* 400 &+ (month <= 2 ? 1 : 0)
    }

    /// Days since 1970-01-01. Months outside 1...12 are not accepted; days are added as they are.
    var daysSinceEpoch: Int {
        let shiftedYear = month <= 2 ? year &- 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear &- 399) / 400
        let yearOfEra = shiftedYear &- era &* 400
        let shiftedMonth = month > 2 ? month &- 3 : month &+ 9
        let dayOfYear = (153 &* shiftedMonth &+ 2) / 5 &+ day &- 1
        let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
        return era &* 146_097 &+ dayOfEra &- 719_468
    }

    /// Earlier dates come first.
    static func < (left: CivilDate, right: CivilDate) -> Bool {
        (left.year, left.month, left.day) < (right.year, right.month, right.day)
    }
}

extension CivilDate {
    /// Whether February of this astronomical year has 29 days.
    static func isLeap(year: Int) -> Bool {
        year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// The days of a month, 28 to 31; `month` is 1 to 12.
    static func daysInMonth(year: Int, month: Int) -> Int {
        if month == 2 { return isLeap(year: year) ? 29 : 28 }
        return 30 + ((month + (month >> 3)) & 1)
    }

    /// Whether month and day exist in the calendar.
    var isValid: Bool {
        (1...12).contains(month) && day >= 1 && day <= CivilDate.daysInMonth(year: year, month: month)
    }

    /// Months since January of year 0; floor-divides back into year and month.
    var monthNumber: Int { year * 12 + month - 1 }

    /// The first day of the month with this number.
    init(monthNumber: Int) {
        let year = monthNumber.flooredQuotient(12)
        self.init(year: year, month: monthNumber - year * 12 + 1, day: 1)
    }

    /// The date `months` later; a day that the month does not have becomes its last, as in PostgreSQL.
    func adding(months: Int) -> CivilDate {
        var result = CivilDate(monthNumber: monthNumber + months)
        result.day = min(day, CivilDate.daysInMonth(year: result.year, month: result.month))
        return result
    }

    /// The day of the year, 1 to 366.
    var dayOfYear: Int {
        daysSinceEpoch - CivilDate(year: year, month: 1, day: 1).daysSinceEpoch + 1
    }

    /// The day of the week of a day number: Sunday is 0, Saturday 6.
    static func dayOfWeek(daysSinceEpoch days: Int) -> Int {
        (days + 4).flooredRemainder(7)
    }

    /// The Monday on or before a day.
    static func monday(onOrBefore days: Int) -> Int {
        days - (days + 3).flooredRemainder(7)
    }

    /// The ISO 8601 week of a day and the astronomical year that the week belongs to.
    static func isoWeek(daysSinceEpoch days: Int) -> (year: Int, week: Int) {
        let thursday = monday(onOrBefore: days) + 3
        let date = CivilDate(daysSinceEpoch: thursday)
        return (date.year, (date.dayOfYear - 1) / 7 + 1)
    }

    /// The Monday that begins the ISO year: the week that contains 4 January.
    static func isoYearStart(year: Int) -> Int {
        monday(onOrBefore: CivilDate(year: year, month: 1, day: 4).daysSinceEpoch)
    }
}

extension FixedWidthInteger {
    /// The quotient rounded towards minus infinity. The divisor is positive.
    @inline(__always)
    func flooredQuotient(_ divisor: Self) -> Self {
        let quotient = self / divisor
        return self &- quotient &* divisor < 0 ? quotient &- 1 : quotient
    }

    /// The remainder of the floored quotient, 0 to `divisor` - 1. The divisor is positive.
    @inline(__always)
    func flooredRemainder(_ divisor: Self) -> Self {
        let remainder = self % divisor
        return remainder < 0 ? remainder &+ divisor : remainder
    }
}
