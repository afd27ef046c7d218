// SPDX-License-Identifier: Apache-2.0
//
// Dates and times in any form that PostgreSQL takes: the general path behind the fast one of DateTimeText.
//
// Fields (DateTimeTokens) are given a meaning one by one; each sets some of year, month, day, time and zone,
// and setting one twice is an error. Dates with slashes are month/day/year. Time alone is no timestamp.
//
// Source: the rules of DecodeDateTime and its helpers, PostgreSQL 15 (datetime.c).

/// A date and time as read, before the range of the type is applied.
enum ParsedDateTime {
    /// `time` counts units of 10^-fractionDigits seconds since midnight of `days`; a nil zone is the session's.
    case finite(days: Int, time: Int64, zone: ParsedZone?)
    case infinity
    case negativeInfinity
    case epoch
}

enum ParsedZone {
    /// Seconds east of UTC.
    case offset(Int)
    case rules(TimeZoneRules)
}

struct DateTimeParser {
    private struct Fields: OptionSet {
        let rawValue: Int
        static let year = Fields(rawValue: 1)
        static let month = Fields(rawValue: 2)
        static let day = Fields(rawValue: 4)
        static let dayOfYear = Fields(rawValue: 8)
        static let time = Fields(rawValue: 16)
        static let zone = Fields(rawValue: 32)
        static let daylight = Fields(rawValue: 64)
        static let weekday = Fields(rawValue: 128)
        static let halfDay = Fields(rawValue: 256)
        static let era = Fields(rawValue: 512)
        static let date: Fields = [.year, .month, .day]
    }

    private let context: DateTimeContext
    private let fractionDigits: Int
    private var seen: Fields = []
    private var year = 0
    private var month = 0
    private var day = 0
    private var dayOfYear = 0
    private var julianDays: Int?
    private var hour = 0
    private var minute = 0
    private var second = 0
    private var fraction: Int64 = 0
    private var zone: ParsedZone?
    private var daylightShift = 0
    private var hasTextMonth = false
    private var yearHasTwoDigits = false
    private var isBeforeChrist = false
    private var isAfternoon: Bool?

    private init(context: DateTimeContext, fractionDigits: Int) {
        self.context = context
        self.fractionDigits = fractionDigits
    }

    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, in context: DateTimeContext, fractionDigits: Int
    ) throws(DateTimeFailure) -> ParsedDateTime {
        var parser = DateTimeParser(context: context, fractionDigits: fractionDigits)
        return try parser.run(try DateTimeTokens(text).tokens)
    }

    private mutating func run(_ tokens: [DateTimeTokens.Token]) throws(DateTimeFailure) -> ParsedDateTime {
        var special: ParsedDateTime?
        var expectsTime = false
        var expectsJulian = false
        for (index, token) in tokens.enumerated() {
            let before = seen
            var set: Fields = []
            switch token.kind {
            case .date:
                // Behind `epoch` a date or allballs contradicts it; a time and a zone say nothing, as in PostgreSQL.
                if expectsJulian || special != nil { throw .badFormat }
                if expectsTime || seen.isSuperset(of: .date) || seen.isSuperset(of: [.month, .day]) {
                    if ASCII.isDigit(token.bytes.first!) || expectsTime {
                        expectsTime = false
                        guard !seen.contains(.time), let dash = token.bytes.firstIndex(of: UInt8(ascii: "-")) else {
                            throw .badFormat
                        }
                        zone = .offset(try DateTimeParser.zoneOffset(token.bytes[dash...]))
                        set = try numberField(token.bytes[..<dash], seen.union(.date))
                        set.insert(.zone)
                    } else {
                        let name = String(decoding: token.bytes, as: UTF8.self)
                        guard let rules = context.zones.find(name) else { throw .unknownZone(name) }
                        zone = .rules(rules)
                        set = .zone
                    }
                } else {
                    set = try date(token.bytes)
                }
            case .time:
                if expectsJulian { throw .badFormat }
                expectsTime = false
                try time(token.bytes)
                set = .time
            case .zone:
                zone = .offset(try DateTimeParser.zoneOffset(token.bytes))
                set = .zone
            case .number:
                if expectsJulian {
                    expectsJulian = false
                    set = try julian(token.bytes)
                } else if expectsTime {
                    expectsTime = false
                    set = try numberField(token.bytes, seen.union(.date))
                    guard set == .time else { throw .badFormat }
                } else {
                    let point = token.bytes.firstIndex(of: UInt8(ascii: "."))
                    let wholeDigits = (point ?? token.bytes.endIndex) - token.bytes.startIndex
                    let hasDate = !seen.isDisjoint(with: .date)
                    if point != nil, !hasDate {
                        set = try date(token.bytes)
                    } else if point != nil, wholeDigits > 2 {
                        set = try numberField(token.bytes, seen)
                    } else if token.bytes.count >= 6, !hasDate || !seen.contains(.time) {
                        set = try numberField(token.bytes, seen)
                    } else {
                        set = try number(token.bytes, seen)
                    }
                }
            case .string, .special:
                if let meaning = abbreviation(token.bytes) {
                    zone = meaning
                    set = .zone
                    break
                }
                guard let word = DateTimeKeyword.find(token.bytes) else {
                    let name = String(decoding: token.bytes, as: UTF8.self)
                    guard token.kind == .string, let rules = context.zones.find(name) else { throw .badFormat }
                    zone = .rules(rules)
                    set = .zone
                    break
                }
                switch word {
                case .ignored: continue
                case .now:
                    special = nil
                    setNow()
                    set = [.date, .time, .zone]
                case .today:
                    special = nil
                    set = try setDay(0)
                case .yesterday:
                    special = nil
                    set = try setDay(-1)
                case .tomorrow:
                    special = nil
                    set = try setDay(1)
                case .midnight:
                    guard special == nil else { throw .badFormat }
                    (hour, minute, second, zone) = (0, 0, 0, .offset(0))
                    set = [.time, .zone]
                case .epoch, .infinity, .negativeInfinity:
                    guard special == nil else { throw .badFormat }
                    special = word.isEpoch ? .epoch : (word.isInfinity ? .infinity : .negativeInfinity)
                case .month(let number):
                    if seen.contains(.month), !hasTextMonth, !seen.contains(.day), (1...31).contains(month) {
                        day = month
                        set = .day
                    } else {
                        set = .month
                    }
                    hasTextMonth = true
                    month = number
                case .weekday: set = .weekday
                case .morning, .afternoon:
                    isAfternoon = word.isAfternoon
                    set = .halfDay
                case .beforeChrist, .annoDomini:
                    isBeforeChrist = word.isBeforeChrist
                    set = .era
                case .daylightModifier:
                    daylightShift = 3_600
                    set = .daylight
                case .timeSeparator:
                    guard seen.isSuperset(of: .date), index + 1 < tokens.count,
                        [.number, .time, .date].contains(tokens[index + 1].kind)
                    else { throw .badFormat }
                    expectsTime = true
                case .julian:
                    guard index + 1 < tokens.count else { throw .badFormat }
                    expectsJulian = true
                }
            }
            guard before.isDisjoint(with: set) else { throw .badFormat }
            seen = before.union(set)
        }
        if let special { return special }
        return try finish()
    }

    private mutating func finish() throws(DateTimeFailure) -> ParsedDateTime {
        if seen.contains(.year), julianDays == nil {
            if isBeforeChrist {
                guard year > 0 else { throw .fieldOverflow }
                year = 1 - year
            } else if yearHasTwoDigits {
                guard year >= 0 else { throw .fieldOverflow }
                year += year < 70 ? 2_000 : (year < 100 ? 1_900 : 0)
            } else if year <= 0 {
                throw .fieldOverflow
            }
        }
        if seen.contains(.dayOfYear) {
            let date = CivilDate(
                daysSinceEpoch: CivilDate(year: year, month: 1, day: 1).daysSinceEpoch + dayOfYear - 1)
            (year, month, day) = (date.year, date.month, date.day)
        }
        if seen.contains(.month), julianDays == nil, !(1...12).contains(month) { throw .monthDayOverflow }
        if seen.contains(.day), julianDays == nil, !(1...31).contains(day) { throw .monthDayOverflow }
        if seen.isSuperset(of: .date), julianDays == nil, day > CivilDate.daysInMonth(year: year, month: month) {
            throw .fieldOverflow
        }
        if let isAfternoon {
            guard hour <= 12 else { throw .fieldOverflow }
            if !isAfternoon, hour == 12 { hour = 0 } else if isAfternoon, hour != 12 { hour += 12 }
        }
        guard seen.isSuperset(of: .date) else { throw .badFormat }
        if seen.contains(.daylight) {
            switch zone {
            case .offset(let offset)?: zone = .offset(offset + daylightShift)
            default: throw .badFormat
            }
        }
        let unit = Int64(fractionDigits == 9 ? 1_000_000_000 : 1_000_000)
        let seconds = Int64(hour) * 3_600 + Int64(minute) * 60 + Int64(second)
        let days = julianDays ?? CivilDate(year: year, month: month, day: day).daysSinceEpoch
        return .finite(days: days, time: seconds * unit + fraction, zone: zone)
    }
}

extension DateTimeParser {
    private func abbreviation(_ word: ArraySlice<UInt8>) -> ParsedZone? {
        switch TimeZoneAbbreviations.find(String(decoding: word, as: UTF8.self)) {
        case .fixed(let offset)?: return .offset(offset)
        case .zone(let name)?:
            return context.zones.rules(ofAbbreviation: String(decoding: word, as: UTF8.self), in: name).map {
                .rules($0)
            }
        case nil: return nil
        }
    }

    private mutating func setNow() {
        let local = context.zone.local(context.now)
        let days = local.flooredQuotient(Microseconds.perDay)
        let date = CivilDate(daysSinceEpoch: Int(days))
        (year, month, day) = (date.year, date.month, date.day)
        julianDays = Int(days)
        let time = local - days * Microseconds.perDay
        second = Int(time / Microseconds.perSecond)
        fraction = time % Microseconds.perSecond * (fractionDigits == 9 ? 1_000 : 1)
        let seconds = context.now.microseconds.flooredQuotient(Microseconds.perSecond)
        zone = .offset(context.zone.offset(at: seconds))
    }

    private mutating func setDay(_ shift: Int) throws(DateTimeFailure) -> Fields {
        let local = context.zone.local(context.now)
        julianDays = Int(local.flooredQuotient(Microseconds.perDay)) + shift
        return .date
    }

    private mutating func julian(_ bytes: ArraySlice<UInt8>) throws(DateTimeFailure) -> Fields {
        let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
        guard let number = DateTimeParser.integer(bytes[..<point]) else { throw .fieldOverflow }
        julianDays = number - 2_440_588
        guard point < bytes.endIndex else { return .date }
        let part = DateTimeParser.fraction(bytes[(point + 1)...], digits: 15)
        let unit: Double = fractionDigits == 9 ? 1e9 : 1e6
        let time = Int64(Double(part) / 1e15 * 86_400 * unit)
        second = Int(time / Int64(unit))
        fraction = time % Int64(unit)
        return [.date, .time]
    }

    /// A date with separators: two or three parts, one of them perhaps the name of a month.
    private mutating func date(_ bytes: ArraySlice<UInt8>) throws(DateTimeFailure) -> Fields {
        var parts: [ArraySlice<UInt8>?] = []
        var position = bytes.startIndex
        while position < bytes.endIndex, parts.count < 25 {
            while position < bytes.endIndex, !ASCII.isAlphanumeric(bytes[position]) { position += 1 }
            guard position < bytes.endIndex else { throw .badFormat }
            let start = position
            let test = ASCII.isDigit(bytes[position]) ? ASCII.isDigit : ASCII.isLetter
            while position < bytes.endIndex, test(bytes[position]) { position += 1 }
            parts.append(bytes[start..<position])
            if position < bytes.endIndex { position += 1 }
        }
        var set: Fields = []
        var hasTextMonthHere = false
        for index in parts.indices where ASCII.isLetter(parts[index]!.first!) {
            switch DateTimeKeyword.find(parts[index]!) {
            case .month(let number)?:
                guard seen.isDisjoint(with: .month), !set.contains(.month) else { throw .badFormat }
                month = number
                hasTextMonthHere = true
                set.insert(.month)
            case .ignored?: break
            default: throw .badFormat
            }
            parts[index] = nil
        }
        for case let part? in parts {
            let saved = hasTextMonth
            hasTextMonth = hasTextMonthHere
            defer { hasTextMonth = saved }
            let added = try number(part, seen.union(set))
            guard set.isDisjoint(with: added), seen.isDisjoint(with: added) else { throw .badFormat }
            set.formUnion(added)
        }
        guard seen.union(set).subtracting([.dayOfYear, .zone]) == .date else { throw .badFormat }
        if hasTextMonthHere { hasTextMonth = true }
        return set
    }

    /// A number without separators whose meaning follows from what is still missing.
    private mutating func number(_ bytes: ArraySlice<UInt8>, _ seen: Fields) throws(DateTimeFailure) -> Fields {
        let point = bytes.firstIndex(of: UInt8(ascii: "."))
        let whole = bytes[..<(point ?? bytes.endIndex)]
        if !whole.isEmpty || point == nil {
            guard whole.allSatisfy(ASCII.isDigit), !whole.isEmpty else { throw .badFormat }
        }
        guard let value = whole.isEmpty ? 0 : DateTimeParser.integer(whole) else { throw .fieldOverflow }
        if let point {
            if whole.count > 2 { return try numberField(bytes, seen.union(.date)) }
            guard bytes[(point + 1)...].allSatisfy(ASCII.isDigit) else { throw .badFormat }
            fraction = DateTimeParser.fraction(bytes[(point + 1)...], digits: fractionDigits)
        }
        let count = bytes.count
        let dateSeen = seen.intersection(.date)
        if count == 3, dateSeen == .year, (1...366).contains(value) {
            dayOfYear = value
            return [.dayOfYear, .month, .day]
        }
        func asYear(_ parser: inout DateTimeParser) -> Fields {
            parser.year = value
            parser.yearHasTwoDigits = count <= 2
            return .year
        }
        switch dateSeen {
        case []:
            if count >= 3 { return asYear(&self) }
            month = value
            return .month
        case .year:
            month = value
            return .month
        case .month:
            if hasTextMonth, count >= 3 { return asYear(&self) }
            day = value
            return .day
        case [.year, .month]:
            if hasTextMonth, count >= 3, yearHasTwoDigits {
                // What was taken for a two-digit year was the day: `Jan 02 2018` after a guess.
                day = year
                year = value
                yearHasTwoDigits = false
                return .day
            }
            day = value
            return .day
        case .day:
            month = value
            return .month
        case [.month, .day]:
            return asYear(&self)
        case .date:
            return try numberField(bytes, seen)
        default:
            throw .badFormat
        }
    }

    /// Digits run together: YYYYMMDD, YYMMDD, HHMMSS, HHMM, with a fraction HHMMSS.ffffff.
    private mutating func numberField(
        _ bytes: ArraySlice<UInt8>, _ seen: Fields
    ) throws(DateTimeFailure) -> Fields {
        var whole = bytes
        if let point = bytes.firstIndex(of: UInt8(ascii: ".")) {
            guard bytes[(point + 1)...].allSatisfy(ASCII.isDigit) else { throw .badFormat }
            fraction = DateTimeParser.fraction(bytes[(point + 1)...], digits: fractionDigits)
            whole = bytes[..<point]
        } else if !seen.isSuperset(of: .date), whole.count >= 6 {
            guard whole.allSatisfy(ASCII.isDigit) else { throw .badFormat }
            guard let value = DateTimeParser.integer(whole.dropLast(4)) else { throw .fieldOverflow }
            day = DateTimeParser.integer(whole.suffix(2))!
            month = DateTimeParser.integer(whole.dropLast(2).suffix(2))!
            year = value
            yearHasTwoDigits = whole.count == 6
            return .date
        }
        guard !seen.contains(.time), whole.allSatisfy(ASCII.isDigit), whole.count == 6 || whole.count == 4 else {
            throw .badFormat
        }
        let digits = Array(whole)
        func two(_ index: Int) -> Int { Int(digits[index] - 48) * 10 + Int(digits[index + 1] - 48) }
        (hour, minute, second) = (two(0), two(2), digits.count == 6 ? two(4) : 0)
        try checkTime()
        return .time
    }

    /// A time with colons.
    private mutating func time(_ bytes: ArraySlice<UInt8>) throws(DateTimeFailure) {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { throw .badFormat }
        func integer(_ part: ArraySlice<UInt8>) throws(DateTimeFailure) -> Int {
            guard part.allSatisfy(ASCII.isDigit) else { throw .badFormat }
            if part.isEmpty { return 0 }
            guard let value = DateTimeParser.integer(part) else { throw .fieldOverflow }
            return value
        }
        let last = parts[parts.count - 1]
        let point = last.firstIndex(of: UInt8(ascii: "."))
        if let point {
            let digits = last[(point + 1)...]
            guard digits.allSatisfy(ASCII.isDigit) else { throw .badFormat }
            fraction = DateTimeParser.fraction(digits, digits: fractionDigits)
        }
        hour = try integer(parts[0])
        minute = try integer(parts.count == 2 ? parts[1][..<(point ?? parts[1].endIndex)] : parts[1])
        second = parts.count == 3 ? try integer(parts[2][..<(point ?? parts[2].endIndex)]) : 0
        if parts.count == 2, point != nil {
            // mm:ss.fff
            (hour, minute, second) = (0, hour, minute)
        }
        try checkTime()
        // A second 60 is let through, a time beyond 24:00:00 is not.
        if hour == 23, minute == 59, second == 60, fraction > 0 { throw .fieldOverflow }
    }

    private func checkTime() throws(DateTimeFailure) {
        guard minute <= 59, second <= 60, hour <= 24,
            hour < 24 || (minute == 0 && second == 0 && fraction == 0)
        else { throw .fieldOverflow }
    }
}

extension DateTimeParser {
    /// `+05`, `-0800`, `+05:30`, `+05:30:15` in seconds east of UTC.
    static func zoneOffset(_ bytes: ArraySlice<UInt8>) throws(DateTimeFailure) -> Int {
        guard let sign = bytes.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { throw .badFormat }
        let end = bytes.dropFirst().firstIndex { !ASCII.isDigit($0) && $0 != UInt8(ascii: ":") } ?? bytes.endIndex
        let parts = bytes[..<end].dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count <= 3, !parts[0].isEmpty else { throw .badFormat }
        var numbers: [Int] = []
        for part in parts {
            guard let value = part.isEmpty ? 0 : integer(part) else { throw .zoneOverflow }
            numbers.append(value)
        }
        if parts.count == 1, bytes.count > 3, end == bytes.endIndex {
            numbers = [numbers[0] / 100, numbers[0] % 100]
        }
        while numbers.count < 3 { numbers.append(0) }
        guard numbers[0] <= 15, numbers[1] <= 59, numbers[2] <= 59 else { throw .zoneOverflow }
        guard end == bytes.endIndex else { throw .badFormat }
        let seconds = numbers[0] * 3_600 + numbers[1] * 60 + numbers[2]
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    /// The value of digits below 2^31, else nil.
    static func integer(_ digits: ArraySlice<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            value = value * 10 + Int(digit &- 48)
            if value > Int(Int32.max) { return nil }
        }
        return value
    }

    /// A decimal fraction (the digits behind the point) in units of 10^-`digits`, ties to even.
    ///
    /// Microseconds go through a double, as in PostgreSQL, and so round exactly as there.
    static func fraction(_ bytes: ArraySlice<UInt8>, digits: Int) -> Int64 {
        var mantissa: UInt64 = 0
        var count = 0
        var hasRest = false
        for byte in bytes {
            if count < 18 {
                mantissa = mantissa * 10 + UInt64(byte &- 48)
                count += 1
            } else if byte != 48 {
                hasRest = true
            }
        }
        if count <= digits { return Int64(mantissa * UInt64.powersOfTen[digits - count]) }
        if digits == 6 {
            let text = "0." + String(decoding: bytes, as: UTF8.self)
            return Int64(((Double(text) ?? 0) * 1_000_000).rounded(.toNearestOrEven))
        }
        let divisor = UInt64.powersOfTen[count - digits]
        var quotient = mantissa / divisor
        let rest = mantissa % divisor
        let half = divisor / 2
        if rest > half || (rest == half && (hasRest || quotient & 1 == 1)) { quotient += 1 }
        return Int64(quotient)
    }
}

extension DateTimeKeyword {
    fileprivate var isEpoch: Bool { if case .epoch = self { true } else { false } }
    fileprivate var isInfinity: Bool { if case .infinity = self { true } else { false } }
    fileprivate var isAfternoon: Bool { if case .afternoon = self { true } else { false } }
    fileprivate var isBeforeChrist: Bool { if case .beforeChrist = self { true } else { false } }
}
