// SPDX-License-Identifier: Apache-2.0
//
// POSIX TZ strings: `EST5EDT,M3.2.0,M11.1.0`, `<+0330>-3:30`, `UTC0`.
//
// They stand in the footer of a TZif file for the time after its last transition, and PostgreSQL accepts them
// as zone names. POSIX counts offsets west of Greenwich; ours are east. Without a rule the daylight time
// follows the United States, as in PostgreSQL.
//
// Source: POSIX.1-2024, 8.3; RFC 9636, section 3.3 (hours up to 167).

/// A zone that is the same every year: standard time, and perhaps daylight time between two dates.
struct POSIXTimeZone: Sendable, Hashable {
    /// A day of the year at which the clock changes.
    enum Day: Sendable, Hashable {
        /// `Jn`: 1 to 365, 29 February never counted.
        case julian(Int)
        /// `n`: 0 to 365, 29 February counted.
        case zeroBased(Int)
        /// `Mm.w.d`: weekday d (Sunday 0) of week w (5 is the last) of month m.
        case weekday(month: Int, week: Int, day: Int)
    }

    struct Change: Sendable, Hashable {
        var day: Day
        /// Seconds after local midnight; may be negative or beyond a day.
        var time: Int
    }

    var standard: TimeZoneRules.LocalTime
    var daylight: TimeZoneRules.LocalTime?
    var toDaylight = Change(day: .weekday(month: 3, week: 2, day: 0), time: 7_200)
    var toStandard = Change(day: .weekday(month: 11, week: 1, day: 0), time: 7_200)

    /// The period at a moment; only called where this rule holds.
    func period(at seconds: Int64) -> TimeZoneRules.Period {
        guard let daylight else { return TimeZoneRules.Period(standard, from: .min, to: .max) }
        let year = CivilDate(daysSinceEpoch: Int((seconds + Int64(standard.offset)).flooredQuotient(86_400))).year
        // The changes of three years enclose the moment, whichever side of New Year its offset puts it.
        var start = Int64.min
        var type = standard
        for candidate in (year - 1)...(year + 1) {
            let toDaylight = moment(of: toDaylight, year: candidate) - Int64(standard.offset)
            let toStandard = moment(of: toStandard, year: candidate) - Int64(daylight.offset)
            let ordered =
                toDaylight < toStandard
                ? [(toDaylight, daylight), (toStandard, standard)] : [(toStandard, standard), (toDaylight, daylight)]
            for (moment, next) in ordered {
                if moment > seconds { return TimeZoneRules.Period(type, from: start, to: moment) }
                start = moment
                type = next
            }
        }
        return TimeZoneRules.Period(type, from: start, to: .max)
    }

    /// Local seconds of a change, as if local time were UTC.
    private func moment(of change: Change, year: Int) -> Int64 {
        let firstDay = CivilDate(year: year, month: 1, day: 1).daysSinceEpoch
        let day: Int
        switch change.day {
        case .julian(let number):
            day = firstDay + number - 1 + (CivilDate.isLeap(year: year) && number >= 60 ? 1 : 0)
        case .zeroBased(let number):
            day = firstDay + number
        case .weekday(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1).daysSinceEpoch
            let shift = (weekday - CivilDate.dayOfWeek(daysSinceEpoch: first)).flooredRemainder(7)
            var dayOfMonth = 1 + shift + (week - 1) * 7
            if dayOfMonth > CivilDate.daysInMonth(year: year, month: month) { dayOfMonth -= 7 }
            day = first + dayOfMonth - 1
        }
        return Int64(day) * 86_400 + Int64(change.time)
    }
}

extension POSIXTimeZone {
    /// Reads a POSIX TZ string; nil when it is none.
    init?(_ text: some Collection<UInt8>) {
        var scanner = Scanner(bytes: Array(text))
        guard let standardName = scanner.name(), let standardWest = scanner.offset(hoursMax: 167) else { return nil }
        standard = TimeZoneRules.LocalTime(offset: -standardWest, isDaylight: false, abbreviation: standardName)
        if scanner.atEnd { return }
        guard let daylightName = scanner.name(), !daylightName.isEmpty else { return nil }
        var daylightOffset = standard.offset + 3_600
        if !scanner.atEnd, scanner.peek != UInt8(ascii: ",") {
            guard let west = scanner.offset(hoursMax: 167) else { return nil }
            daylightOffset = -west
        }
        daylight = TimeZoneRules.LocalTime(offset: daylightOffset, isDaylight: true, abbreviation: daylightName)
        if scanner.atEnd { return }
        guard scanner.take(UInt8(ascii: ",")), let first = scanner.change(),
            scanner.take(UInt8(ascii: ",")), let second = scanner.change(), scanner.atEnd
        else { return nil }
        toDaylight = first
        toStandard = second
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        var atEnd: Bool { position == bytes.count }
        var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

        mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte, !atEnd else { return false }
            position += 1
            return true
        }

        mutating func name() -> String? {
            let quoted = take(UInt8(ascii: "<"))
            let start = position
            // As PostgreSQL: whatever stands before a digit, sign or comma, also nothing: `+05:30`.
            while !atEnd, quoted ? peek != UInt8(ascii: ">") : !ASCII.isDigit(peek) && !",+-".utf8.contains(peek) {
                position += 1
            }
            let name = String(decoding: bytes[start..<position], as: UTF8.self)
            if quoted, !take(UInt8(ascii: ">")) { return nil }
            return name
        }

        mutating func number(max: Int) -> Int? {
            let start = position
            var value = 0
            while ASCII.isDigit(peek), value <= max {
                value = value * 10 + Int(peek - 48)
                position += 1
            }
            return position > start && value <= max ? value : nil
        }

        /// Signed `hh[:mm[:ss]]` in seconds.
        mutating func offset(hoursMax: Int) -> Int? {
            let negative = take(UInt8(ascii: "-"))
            if !negative { _ = take(UInt8(ascii: "+")) }
            guard let hours = number(max: hoursMax) else { return nil }
            var total = hours * 3_600
            if take(UInt8(ascii: ":")) {
                guard let minutes = number(max: 59) else { return nil }
                total += minutes * 60
                if take(UInt8(ascii: ":")) {
                    guard let seconds = number(max: 59) else { return nil }
                    total += seconds
                }
            }
            return negative ? -total : total
        }

        mutating func change() -> Change? {
            let day: Day
            if take(UInt8(ascii: "J")) {
                guard let number = number(max: 365), number >= 1 else { return nil }
                day = .julian(number)
            } else if take(UInt8(ascii: "M")) {
                guard let month = number(max: 12), month >= 1, take(UInt8(ascii: ".")),
                    let week = number(max: 5), week >= 1, take(UInt8(ascii: ".")), let weekday = number(max: 6)
                else { return nil }
                day = .weekday(month: month, week: week, day: weekday)
            } else {
                guard let number = number(max: 365) else { return nil }
                day = .zeroBased(number)
            }
            var time = 7_200
            if take(UInt8(ascii: "/")) {
                guard let given = offset(hoursMax: 167) else { return nil }
                time = given
            }
            return Change(day: day, time: time)
        }
    }
}
