// SPDX-License-Identifier: Apache-2.0
//
// Reading INTERVAL: PostgreSQL's verbose forms, SQL's year-month and day-time forms, and ISO 8601 durations.
//
// The verbose form is read from its end, so that a number finds the unit behind it. A fraction of a unit flows
// into the smaller parts: of a month into 30ths days, of a day into time.
//
// Source: the rules of DecodeInterval and DecodeISO8601Interval, PostgreSQL 15 (datetime.c).

/// An interval being added up, with every overflow checked.
struct IntervalSum {
    private(set) var years: Int32 = 0
    private(set) var months: Int32 = 0
    private(set) var days: Int32 = 0
    private(set) var microseconds: Int64 = 0

    /// The sum; years and months that are each in range may be too many together.
    func interval() throws(DateTimeFailure) -> Interval {
        guard let total = Int32(exactly: Int64(years) * 12 + Int64(months)) else { throw .outOfRange }
        return Interval(months: total, days: days, microseconds: microseconds)
    }

    mutating func add(years value: Int64, each scale: Int64 = 1) throws(DateTimeFailure) {
        guard let sum = Int32(exactly: Int128(years) + Int128(value) * Int128(scale)) else { throw .fieldOverflow }
        years = sum
    }

    mutating func add(months value: Int64) throws(DateTimeFailure) {
        guard let sum = Int32(exactly: Int128(months) + Int128(value)) else { throw .fieldOverflow }
        months = sum
    }

    mutating func add(days value: Int64, each scale: Int64 = 1) throws(DateTimeFailure) {
        guard let sum = Int32(exactly: Int128(days) + Int128(value) * Int128(scale)) else { throw .fieldOverflow }
        days = sum
    }

    mutating func add(microseconds value: Int64, fraction: Double, each scale: Int64) throws(DateTimeFailure) {
        guard let sum = Int64(exactly: Int128(microseconds) + Int128(value) * Int128(scale)) else {
            throw .fieldOverflow
        }
        microseconds = sum
        try add(timeFraction: fraction, of: scale)
    }

    /// A fraction of a stretch of `scale` microseconds; half a microsecond is dropped, more than half counts.
    mutating func add(timeFraction fraction: Double, of scale: Int64) throws(DateTimeFailure) {
        guard fraction != 0 else { return }
        let exact = fraction * Double(scale)
        var whole = Int64(exact)
        let rest = exact - Double(whole)
        if rest > 0.5 { whole += 1 } else if rest < -0.5 { whole -= 1 }
        let (sum, overflow) = microseconds.addingReportingOverflow(whole)
        guard !overflow else { throw .fieldOverflow }
        microseconds = sum
    }

    /// A fraction of a stretch of `scale` days.
    mutating func add(dayFraction fraction: Double, of scale: Int64) throws(DateTimeFailure) {
        guard fraction != 0 else { return }
        let exact = fraction * Double(scale)
        let whole = Int64(exact)
        try add(days: whole)
        try add(timeFraction: exact - Double(whole), of: Microseconds.perDay)
    }

    /// A fraction of a stretch of `scale` years, rounded to months.
    mutating func add(yearFraction fraction: Double, of scale: Int64) throws(DateTimeFailure) {
        try add(months: Int64((fraction * Double(scale) * 12).rounded(.toNearestOrEven)))
    }

    func negated() throws(DateTimeFailure) -> IntervalSum {
        guard years != .min, months != .min, days != .min, microseconds != .min else { throw .fieldOverflow }
        var result = self
        result.years = -years
        result.months = -months
        result.days = -days
        result.microseconds = -microseconds
        return result
    }
}

struct IntervalParser {
    private enum Unit: Int {
        case microsecond, millisecond, second, minute, hour, day, week, month, year, decade, century, millennium
    }

    private enum Word {
        case unit(Unit)
        case ago
    }

    private let fields: IntervalFields
    private var sum = IntervalSum()
    /// Which units were set; the bits of seconds and their fractions are apart, so that `1.5 s 2 ms` is refused.
    private var seen = 0

    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, fields: IntervalFields
    ) throws(DateTimeFailure) -> Interval {
        var parser = IntervalParser(fields: fields)
        return try parser.run(try DateTimeTokens(text).tokens).interval()
    }

    private init(fields: IntervalFields) { self.fields = fields }

    private mutating func run(_ tokens: [DateTimeTokens.Token]) throws(DateTimeFailure) -> IntervalSum {
        var unit: Unit?
        var isAgo = false
        for token in tokens.reversed() {
            var set = 0
            switch token.kind {
            case .time:
                let time = try time(token.bytes)
                try sum.add(microseconds: time, fraction: 0, each: 1)
                set = bits([.hour, .minute, .second, .millisecond, .microsecond])
                unit = .day
            case .zone where token.bytes.dropFirst().contains(UInt8(ascii: ":")):
                let time = try time(token.bytes.dropFirst())
                try sum.add(microseconds: token.bytes.first == UInt8(ascii: "-") ? -time : time, fraction: 0, each: 1)
                set = bits([.hour, .minute, .second, .millisecond, .microsecond])
                unit = .day
            case .zone, .date, .number:
                // "ago" stands behind a unit or a time, never behind a bare number.
                if isAgo, seen == 0, unit == nil { throw .badFormat }
                let given = unit ?? defaultUnit
                var next: Unit? = given
                set = try number(token.bytes, given, &next)
                unit = next
            case .string, .special:
                guard let word = IntervalParser.word(token.bytes) else { throw .badFormat }
                switch word {
                case .ago: isAgo = true
                case .unit(let named): unit = named
                }
            }
            guard seen & set == 0 else { throw .badFormat }
            seen |= set
        }
        guard seen != 0 else { throw .badFormat }
        return isAgo ? try sum.negated() : sum
    }

    private func bits(_ units: [Unit]) -> Int { units.reduce(0) { $0 | 1 << $1.rawValue } }

    /// What a number without a unit means.
    private var defaultUnit: Unit {
        switch fields {
        case .year: .year
        case .month, .yearToMonth: .month
        case .day: .day
        case .hour, .dayToHour: .hour
        case .minute, .hourToMinute, .dayToMinute: .minute
        default: .second
        }
    }

    private mutating func number(
        _ bytes: ArraySlice<UInt8>, _ unit: Unit, _ next: inout Unit?
    ) throws(DateTimeFailure) -> Int {
        var unit = unit
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? bytes.dropFirst() : bytes
        let wholeEnd = digits.firstIndex { !ASCII.isDigit($0) } ?? digits.endIndex
        guard var value = IntervalParser.integer(digits[..<wholeEnd], isNegative: isNegative) else {
            throw .fieldOverflow
        }
        var fraction = 0.0
        let rest = digits[wholeEnd...]
        if rest.first == UInt8(ascii: "-") {
            let monthDigits = rest.dropFirst()
            guard monthDigits.allSatisfy(ASCII.isDigit) else { throw .badFormat }
            guard let months = DateTimeParser.integer(monthDigits), months < 12 else { throw .fieldOverflow }
            unit = .month
            next = .month
            let total = Int128(value) * 12 + Int128(isNegative ? -months : months)
            guard let narrow = Int64(exactly: total) else { throw .fieldOverflow }
            value = narrow
        } else if rest.first == UInt8(ascii: ".") {
            guard rest.dropFirst().allSatisfy(ASCII.isDigit) else { throw .badFormat }
            fraction = rest.count == 1 ? 0 : (Double("0" + String(decoding: rest, as: UTF8.self)) ?? 0)
            if isNegative { fraction = -fraction }
        } else if !rest.isEmpty {
            throw .badFormat
        } else if digits.isEmpty {
            throw .badFormat
        }

        switch unit {
        case .microsecond: try sum.add(microseconds: value, fraction: fraction, each: 1)
        case .millisecond: try sum.add(microseconds: value, fraction: fraction, each: 1_000)
        case .second:
            try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perSecond)
            if fraction != 0 { return bits([.second, .millisecond, .microsecond]) }
        case .minute: try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perMinute)
        case .hour:
            try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perHour)
            next = .day
        case .day:
            try sum.add(days: value)
            try sum.add(timeFraction: fraction, of: Microseconds.perDay)
        case .week:
            try sum.add(days: value, each: 7)
            try sum.add(dayFraction: fraction, of: 7)
        case .month:
            try sum.add(months: value)
            try sum.add(dayFraction: fraction, of: 30)
        case .year: try addYears(value, fraction, 1)
        case .decade: try addYears(value, fraction, 10)
        case .century: try addYears(value, fraction, 100)
        case .millennium: try addYears(value, fraction, 1_000)
        }
        return bits([unit])
    }

    private mutating func addYears(_ value: Int64, _ fraction: Double, _ scale: Int64) throws(DateTimeFailure) {
        try sum.add(years: value, each: scale)
        try sum.add(yearFraction: fraction, of: scale)
    }

    /// `hh:mm`, `hh:mm:ss.ffffff`, `mm:ss.ffffff`; hours without limit.
    private func time(_ bytes: ArraySlice<UInt8>) throws(DateTimeFailure) -> Int64 {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { throw .badFormat }
        let last = parts[parts.count - 1]
        let point = last.firstIndex(of: UInt8(ascii: "."))
        var fraction: Int64 = 0
        if let point {
            guard last[(point + 1)...].allSatisfy(ASCII.isDigit) else { throw .badFormat }
            fraction = DateTimeParser.fraction(last[(point + 1)...], digits: 6)
        }
        var numbers: [Int64] = []
        for (index, part) in parts.enumerated() {
            let whole = index == parts.count - 1 ? part[..<(point ?? part.endIndex)] : part
            guard whole.allSatisfy(ASCII.isDigit) else { throw .badFormat }
            guard let value = IntervalParser.integer(whole, isNegative: false) else { throw .fieldOverflow }
            numbers.append(value)
        }
        if numbers.count == 2 {
            if point != nil || fields == .minuteToSecond { numbers.insert(0, at: 0) } else { numbers.append(0) }
        }
        guard numbers[1] <= 59, numbers[2] <= 60 else { throw .fieldOverflow }
        let total =
            Int128(numbers[0]) * Int128(Microseconds.perHour) + Int128(numbers[1]) * Int128(Microseconds.perMinute)
            + Int128(numbers[2]) * Int128(Microseconds.perSecond) + Int128(fraction)
        guard let narrow = Int64(exactly: total) else { throw .fieldOverflow }
        return narrow
    }

    /// The value of digits within 64 bits, else nil; no digits are zero.
    static func integer(_ digits: ArraySlice<UInt8>, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            let tens = value.multipliedReportingOverflow(by: 10)
            let step = Int64(digit &- 48)
            let sum =
                isNegative
                ? tens.partialValue.subtractingReportingOverflow(step)
                : tens.partialValue.addingReportingOverflow(step)
            if tens.overflow || sum.overflow { return nil }
            value = sum.partialValue
        }
        return value
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> Word? {
        // As PostgreSQL: ten characters decide, so that `microseconds` and `microsecon` are one word.
        words[String(decoding: bytes.prefix(10), as: UTF8.self)]
    }

    private static let words: [String: Word] = {
        var words: [String: Word] = ["ago": .ago]
        let names: [(Unit, [String])] = [
            (.microsecond, ["microsecon", "us", "usec", "usecond", "useconds", "usecs"]),
            (.millisecond, ["millisecon", "ms", "msec", "msecond", "mseconds", "msecs"]),
            (.second, ["s", "sec", "second", "seconds", "secs"]),
            (.minute, ["m", "min", "mins", "minute", "minutes"]),
            (.hour, ["h", "hour", "hours", "hr", "hrs"]),
            (.day, ["d", "day", "days"]),
            (.week, ["w", "week", "weeks"]),
            (.month, ["mon", "mons", "month", "months"]),
            (.year, ["y", "year", "years", "yr", "yrs"]),
            (.decade, ["dec", "decade", "decades", "decs"]),
            (.century, ["c", "cent", "centuries", "century"]),
            (.millennium, ["mil", "millennia", "millennium", "mils"]),
        ]
        for (unit, spellings) in names {
            for spelling in spellings { words[spelling] = .unit(unit) }
        }
        return words
    }()
}

/// ISO 8601 durations: `P1Y2M3DT4H5M6.7S`, and the alternative forms `P0001-02-03T04:05:06`, `P00010203T040506`.
struct ISOIntervalParser {
    private let text: [UInt8]
    private var position = 1
    private var sum = IntervalSum()

    static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(DateTimeFailure) -> Interval {
        guard text.count >= 2, text.count <= 128, text[0] == UInt8(ascii: "P") else { throw .badFormat }
        var parser = ISOIntervalParser(text: Array(text))
        try parser.run()
        return try parser.sum.interval()
    }

    private init(text: [UInt8]) { self.text = text }

    private var peek: UInt8 { position < text.count ? text[position] : 0 }

    private mutating func number() throws(DateTimeFailure) -> (value: Int64, fraction: Double) {
        let isNegative = peek == UInt8(ascii: "-")
        if isNegative || peek == UInt8(ascii: "+") { position += 1 }
        let start = position
        while ASCII.isDigit(peek) { position += 1 }
        let digits = text[start..<position]
        var fraction = 0.0
        if peek == UInt8(ascii: ".") {
            position += 1
            let fractionStart = position
            while ASCII.isDigit(peek) { position += 1 }
            let part = text[fractionStart..<position]
            guard !digits.isEmpty || !part.isEmpty else { throw .badFormat }
            fraction = part.isEmpty ? 0 : (Double("0." + String(decoding: part, as: UTF8.self)) ?? 0)
        } else if digits.isEmpty {
            throw .badFormat
        }
        guard let value = IntervalParser.integer(digits, isNegative: isNegative) else { throw .fieldOverflow }
        return (value, isNegative ? -fraction : fraction)
    }

    private mutating func run() throws(DateTimeFailure) {
        var inDate = true
        var hasField = false
        while position < text.count {
            if peek == UInt8(ascii: "T") {
                inDate = false
                hasField = false
                position += 1
                continue
            }
            let start = position
            let (value, fraction) = try number()
            let unit = peek
            let width = text[start..<position].drop { $0 == UInt8(ascii: "-") }.prefix(while: ASCII.isDigit).count
            position += 1
            switch (inDate, unit) {
            case (true, UInt8(ascii: "Y")):
                try sum.add(years: value)
                try sum.add(yearFraction: fraction, of: 1)
            case (true, UInt8(ascii: "M")):
                try sum.add(months: value)
                try sum.add(dayFraction: fraction, of: 30)
            case (true, UInt8(ascii: "W")):
                try sum.add(days: value, each: 7)
                try sum.add(dayFraction: fraction, of: 7)
            case (true, UInt8(ascii: "D")):
                try sum.add(days: value)
                try sum.add(timeFraction: fraction, of: Microseconds.perDay)
            case (true, UInt8(ascii: "T")), (true, 0), (true, UInt8(ascii: "-")):
                if unit != UInt8(ascii: "-"), width == 8, !hasField {
                    try sum.add(years: value / 10_000)
                    try sum.add(months: value / 100 % 100)
                    try sum.add(days: value % 100)
                    try sum.add(timeFraction: fraction, of: Microseconds.perDay)
                    if unit == 0 { return }
                    (inDate, hasField) = (false, false)
                    continue
                }
                guard !hasField else { throw .badFormat }
                guard try alternativeDate(value, fraction, unit) else { return }
                (inDate, hasField) = (false, false)
                continue
            case (false, UInt8(ascii: "H")):
                try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perHour)
            case (false, UInt8(ascii: "M")):
                try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perMinute)
            case (false, UInt8(ascii: "S")):
                try sum.add(microseconds: value, fraction: fraction, each: Microseconds.perSecond)
            case (false, 0), (false, UInt8(ascii: ":")):
                if unit == 0, width == 6, !hasField {
                    try sum.add(microseconds: value / 10_000, fraction: 0, each: Microseconds.perHour)
                    try sum.add(microseconds: value / 100 % 100, fraction: 0, each: Microseconds.perMinute)
                    try sum.add(microseconds: value % 100, fraction: 0, each: Microseconds.perSecond)
                    try sum.add(timeFraction: fraction, of: Microseconds.perSecond)
                    return
                }
                guard !hasField else { throw .badFormat }
                return try alternativeTime(value, fraction, unit)
            default: throw .badFormat
            }
            hasField = true
        }
    }

    /// `YYYY-MM-DD`; returns whether a `T` and a time follow.
    private mutating func alternativeDate(
        _ years: Int64, _ fraction: Double, _ unit: UInt8
    ) throws(DateTimeFailure) -> Bool {
        try sum.add(years: years)
        try sum.add(yearFraction: fraction, of: 1)
        if unit == 0 { return false }
        if unit == UInt8(ascii: "T") { return true }
        let months = try number()
        try sum.add(months: months.value)
        try sum.add(dayFraction: months.fraction, of: 30)
        if position >= text.count { return false }
        if peek == UInt8(ascii: "T") { return true }
        guard peek == UInt8(ascii: "-") else { throw .badFormat }
        position += 1
        let days = try number()
        try sum.add(days: days.value)
        try sum.add(timeFraction: days.fraction, of: Microseconds.perDay)
        if position >= text.count { return false }
        guard peek == UInt8(ascii: "T") else { throw .badFormat }
        return true
    }

    /// `HH:MM:SS`, of which the end may be missing.
    private mutating func alternativeTime(
        _ hours: Int64, _ fraction: Double, _ unit: UInt8
    ) throws(DateTimeFailure) {
        try sum.add(microseconds: hours, fraction: fraction, each: Microseconds.perHour)
        if unit == 0 { return }
        let minutes = try number()
        try sum.add(microseconds: minutes.value, fraction: minutes.fraction, each: Microseconds.perMinute)
        if position >= text.count { return }
        guard peek == UInt8(ascii: ":") else { throw .badFormat }
        position += 1
        let seconds = try number()
        try sum.add(microseconds: seconds.value, fraction: seconds.fraction, each: Microseconds.perSecond)
        guard position >= text.count else { throw .badFormat }
    }
}
