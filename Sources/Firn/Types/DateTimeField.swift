// SPDX-License-Identifier: Apache-2.0
//
// The names of the parts of a date and time: what date_trunc, extract and date_part take.
//
// Names are those of PostgreSQL, singular, plural and abbreviated, in any case.

/// A part of a date, time or interval.
enum DateTimeField: Sendable, Hashable, CaseIterable {
    /// Seconds with their fraction, in microseconds.
    case microseconds
    /// Seconds with their fraction, in milliseconds.
    case milliseconds
    /// The second, 0 to 59, with its fraction.
    case second
    /// The minute, 0 to 59.
    case minute
    /// The hour, 0 to 23.
    case hour
    /// The day of the month.
    case day
    /// The week of ISO 8601, Monday first.
    case week
    /// The month, 1 to 12.
    case month
    /// The quarter, 1 to 4.
    case quarter
    /// The year; 1 BC is -1.
    case year
    /// The year divided by ten.
    case decade
    /// The century; the 21st began in 2001.
    case century
    /// The millennium; the third began in 2001.
    case millennium
    /// The day of the week, Sunday 0.
    case dayOfWeek
    /// The day of the week of ISO 8601, Monday 1, Sunday 7.
    case isoDayOfWeek
    /// The day of the year, 1 to 366.
    case dayOfYear
    /// The year that the ISO week belongs to.
    case isoYear
    /// Seconds since 1970-01-01 00:00:00.
    case epoch
    /// The Julian date.
    case julian
    /// Seconds east of UTC.
    case timezone
    /// The hours of the offset from UTC.
    case timezoneHour
    /// The minutes of the offset from UTC beyond its hours.
    case timezoneMinute

    /// The field with this name, or nil.
    init?(name: String) {
        // As PostgreSQL: ten characters decide between the long names.
        guard let field = DateTimeField.names[String(name.lowercased().prefix(10))] else { return nil }
        self = field
    }

    /// The field with this name; error 22023 that names the type whose part was asked for.
    static func named(_ name: String, ofType type: String) throws(ValueError) -> DateTimeField {
        guard let field = DateTimeField(name: name) else { throw unknown(name, ofType: type) }
        return field
    }

    static func unknown(_ name: String, ofType type: String) -> ValueError {
        .invalidParameter("unit \"\(name.lowercased())\" not recognized for type \(type)")
    }

    func unsupported(ofType type: String, detail: String? = nil) -> ValueError {
        ValueError(code: "0A000", message: "unit \"\(name)\" not supported for type \(type)", detail: detail)
    }

    /// PostgreSQL's usual name, such as `dow` or `timezone_hour`.
    var name: String {
        switch self {
        case .dayOfWeek: "dow"
        case .isoDayOfWeek: "isodow"
        case .dayOfYear: "doy"
        case .isoYear: "isoyear"
        case .timezoneHour: "timezone_hour"
        case .timezoneMinute: "timezone_minute"
        default: "\(self)"
        }
    }

    private static let names: [String: DateTimeField] = {
        let spellings: [(DateTimeField, [String])] = [
            (.microseconds, ["microsecon", "us", "usec", "usecond", "useconds", "usecs"]),
            (.milliseconds, ["millisecon", "ms", "msec", "msecond", "mseconds", "msecs"]),
            (.second, ["s", "sec", "second", "seconds", "secs"]), (.minute, ["m", "min", "mins", "minute", "minutes"]),
            (.hour, ["h", "hour", "hours", "hr", "hrs"]), (.day, ["d", "day", "days"]),
            (.week, ["w", "week", "weeks"]), (.month, ["mon", "mons", "month", "months"]),
            (.quarter, ["qtr", "quarter"]), (.year, ["y", "year", "years", "yr", "yrs"]),
            (.decade, ["dec", "decade", "decades", "decs"]), (.century, ["c", "cent", "centuries", "century"]),
            (.millennium, ["mil", "millennia", "millennium", "mils"]), (.dayOfWeek, ["dow"]),
            (.isoDayOfWeek, ["isodow"]), (.dayOfYear, ["doy"]), (.isoYear, ["isoyear"]), (.epoch, ["epoch"]),
            (.julian, ["j", "jd", "julian"]), (.timezone, ["timezone"]), (.timezoneHour, ["timezone_h"]),
            (.timezoneMinute, ["timezone_m"]),
        ]
        var names: [String: DateTimeField] = [:]
        for (field, words) in spellings {
            for word in words { names[word] = field }
        }
        return names
    }()
}
