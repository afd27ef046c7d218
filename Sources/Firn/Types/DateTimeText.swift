// SPDX-License-Identifier: Apache-2.0
//
// Text to TIMESTAMPTZ, TIMESTAMP and DATE, and back, as PostgreSQL reads and writes them.
//
// The plain ISO form (`2018-01-02 10:01:00.123456+00`, with T or blank, zone optional) has a path of its own
// over the bytes, since COPY reads it by the million; whatever it does not know goes to DateTimeParser, which
// also words the errors. Output is PostgreSQL's ISO style in the session's zone, or RFC 3339.

/// What the meaning of a date or time text depends on: the session's zone, the known zones, and now.
struct DateTimeContext: Sendable {
    /// The session's time zone: what a text without a zone means, and in which zone moments are printed.
    var zone: TimeZoneRules
    /// Where zone names in a text are looked up.
    var zones: TimeZoneDatabase
    /// The moment that `now` means: the start of the statement.
    var now: Timestamp

    /// Makes a context from its parts.
    init(zone: TimeZoneRules = .utc, zones: TimeZoneDatabase = .withoutFiles, now: Timestamp = .epoch) {
        self.zone = zone
        self.zones = zones
        self.now = now
    }

    /// UTC, without zone files; `now` is the epoch.
    static let utc = DateTimeContext()
}

/// Whether a text or value of date and time is an absolute moment or a reading of a clock.
enum TimestampKind: Sendable {
    /// TIMESTAMPTZ: a zone in the text counts, else the session's.
    case withTimeZone
    /// TIMESTAMP: a zone in the text is ignored.
    case withoutTimeZone

    var typeName: String { self == .withTimeZone ? "timestamp with time zone" : "timestamp" }
}

extension Timestamp {
    /// Reads a TIMESTAMPTZ or TIMESTAMP. Errors 22007, 22008, 22009, 22023 in PostgreSQL's words.
    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, as kind: TimestampKind = .withTimeZone, in context: DateTimeContext = .utc
    ) throws(ValueError) -> Timestamp {
        if let plain = PlainDateTime(text, fractionDigits: 6) {
            let local = plain.days &* Microseconds.perDay &+ plain.time
            if kind == .withoutTimeZone { return Timestamp(microseconds: local) }
            if plain.hasOffset {
                return Timestamp(microseconds: local &- Int64(plain.offset) &* Microseconds.perSecond)
            }
            if let offset = context.zone.constantOffset {
                return Timestamp(microseconds: local &- Int64(offset) &* Microseconds.perSecond)
            }
            return try context.zone.utc(fromLocal: local)
        }
        return try parseGeneral(text, as: kind, in: context)
    }

    /// Reads a TIMESTAMPTZ or TIMESTAMP from a string; see `parse(_:as:in:)` over bytes.
    static func parse(
        _ text: String, as kind: TimestampKind = .withTimeZone, in context: DateTimeContext = .utc
    ) throws(ValueError) -> Timestamp {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes, as: kind, in: context) }
    }

    @inline(never)
    private static func parseGeneral(
        _ text: UnsafeBufferPointer<UInt8>, as kind: TimestampKind, in context: DateTimeContext
    ) throws(ValueError) -> Timestamp {
        do throws(DateTimeFailure) {
            switch try DateTimeParser.parse(text, in: context, fractionDigits: 6) {
            case .infinity: return .infinity
            case .negativeInfinity: return .negativeInfinity
            case .epoch: return .epoch
            case .finite(let days, let time, let zone):
                let local = Int128(days) * Int128(Microseconds.perDay) + Int128(time)
                let seconds = try DateTimeText.utcOffset(zone, kind, localSeconds: local / 1_000_000, in: context)
                guard let micros = Int64(exactly: local - Int128(seconds) * 1_000_000),
                    micros >= earliest.microseconds, micros < limit.microseconds
                else { throw .outOfRange }
                return Timestamp(microseconds: micros)
            }
        } catch {
            throw error.error(for: text, type: kind.typeName)
        }
    }
}

extension NanosecondTimestamp {
    /// Reads a TIMESTAMPTZ(9) or TIMESTAMP(9); fractions beyond nine digits are rounded, ties to even.
    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, as kind: TimestampKind = .withTimeZone, in context: DateTimeContext = .utc
    ) throws(ValueError) -> NanosecondTimestamp {
        do throws(DateTimeFailure) {
            var local: Int128
            var zone: ParsedZone?
            if let plain = PlainDateTime(text, fractionDigits: 9) {
                local = Int128(plain.days) * 86_400_000_000_000 + Int128(plain.time)
                zone = plain.hasOffset ? .offset(Int(plain.offset)) : nil
            } else {
                switch try DateTimeParser.parse(text, in: context, fractionDigits: 9) {
                case .infinity: return .infinity
                case .negativeInfinity: return .negativeInfinity
                case .epoch: return NanosecondTimestamp(nanoseconds: 0)
                case .finite(let days, let time, let given):
                    local = Int128(days) * 86_400_000_000_000 + Int128(time)
                    zone = given
                }
            }
            let localSeconds = local.flooredQuotient(1_000_000_000)
            local -=
                Int128(try DateTimeText.utcOffset(zone, kind, localSeconds: localSeconds, in: context))
                * 1_000_000_000
            guard let nanoseconds = Int64(exactly: local), nanoseconds != .min, nanoseconds != .max else {
                throw .outOfRange
            }
            return NanosecondTimestamp(nanoseconds: nanoseconds)
        } catch {
            throw error.error(for: text, type: kind.typeName)
        }
    }

    /// Reads a TIMESTAMPTZ(9) from a string; see `parse(_:as:in:)` over bytes.
    static func parse(
        _ text: String, as kind: TimestampKind = .withTimeZone, in context: DateTimeContext = .utc
    ) throws(ValueError) -> NanosecondTimestamp {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes, as: kind, in: context) }
    }
}

extension DayNumber {
    /// Reads a DATE; a time and a zone behind the date are ignored, as in PostgreSQL.
    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, in context: DateTimeContext = .utc
    ) throws(ValueError) -> DayNumber {
        if let plain = PlainDateTime(text, fractionDigits: 6) {
            return DayNumber(days: Int32(truncatingIfNeeded: plain.days))
        }
        do throws(DateTimeFailure) {
            switch try DateTimeParser.parse(text, in: context, fractionDigits: 6) {
            case .infinity: return .infinity
            case .negativeInfinity: return .negativeInfinity
            case .epoch: return DayNumber(days: 0)
            case .finite(let days, _, _):
                guard days >= Int(earliest.days), days < Int(limit.days) else { throw .outOfRange }
                return DayNumber(days: Int32(days))
            }
        } catch {
            throw error.error(for: text, type: "date")
        }
    }

    /// Reads a DATE from a string.
    static func parse(_ text: String, in context: DateTimeContext = .utc) throws(ValueError) -> DayNumber {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes, in: context) }
    }
}

enum DateTimeText {
    /// Seconds east of UTC for a local time whose text named `zone` or none.
    static func utcOffset(
        _ zone: ParsedZone?, _ kind: TimestampKind, localSeconds: Int128, in context: DateTimeContext
    ) throws(DateTimeFailure) -> Int {
        if kind == .withoutTimeZone { return 0 }
        // Beyond 2^53 seconds no type has a value; the limit keeps calendar arithmetic from overflowing.
        guard let seconds = Int64(exactly: localSeconds), abs(seconds) < 1 << 53 else { throw .outOfRange }
        switch zone {
        case .offset(let offset)?: return offset
        case .rules(let rules)?: return rules.offset(atLocal: seconds)
        case nil: return context.zone.offset(atLocal: seconds)
        }
    }
}

/// The plain ISO form read straight off the bytes.
struct PlainDateTime {
    var days: Int64 = 0
    /// Units of 10^-fractionDigits seconds since midnight.
    var time: Int64 = 0
    /// Seconds east of UTC, where the text had a zone.
    var offset: Int32 = 0
    var hasOffset = false

    /// Nil for every other form, and for values out of range: the general path looks at those again.
    @inline(__always)
    init?(_ text: UnsafeBufferPointer<UInt8>, fractionDigits: Int) {
        let count = text.count
        guard count >= 10, let bytes = text.baseAddress else { return nil }
        guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-") else { return nil }
        let century = PlainDateTime.two(bytes)
        let yearOfCentury = PlainDateTime.two(bytes + 2)
        let month = PlainDateTime.two(bytes + 5)
        let day = PlainDateTime.two(bytes + 8)
        let year = century &* 100 &+ yearOfCentury
        guard century < 100, yearOfCentury < 100, year >= 1, month &- 1 < 12, day &- 1 < 31 else { return nil }
        if day > 28, Int(day) > CivilDate.daysInMonth(year: Int(year), month: Int(month)) { return nil }
        // Days from civil with an unsigned year: no era below zero can occur.
        let shiftedYear = month <= 2 ? year &- 1 : year
        let shiftedMonth = month > 2 ? month &- 3 : month &+ 9
        let yearDays = shiftedYear &* 365 &+ shiftedYear / 4 &- shiftedYear / 100 &+ shiftedYear / 400
        days = Int64(yearDays &+ (153 &* shiftedMonth &+ 2) / 5 &+ day &- 1) &- 719_468
        if count == 10 { return }

        guard count >= 16, bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "T"),
            bytes[13] == UInt8(ascii: ":")
        else { return nil }
        let hour = PlainDateTime.two(bytes + 11)
        let minute = PlainDateTime.two(bytes + 14)
        guard hour < 24, minute < 60 else { return nil }
        var seconds = hour &* 3_600 &+ minute &* 60
        var position = 16
        var fraction: UInt64 = 0
        if count > 16, bytes[16] == UInt8(ascii: ":") {
            guard count >= 19 else { return nil }
            let second = PlainDateTime.two(bytes + 17)
            guard second < 60 else { return nil }
            seconds &+= second
            position = 19
            if count > 19, bytes[19] == UInt8(ascii: ".") {
                position = 20
                while position < count {
                    let digit = bytes[position] &- 48
                    guard digit < 10 else { break }
                    fraction = fraction &* 10 &+ UInt64(digit)
                    position &+= 1
                    if position > 20 &+ fractionDigits { return nil }
                }
                guard position > 20 else { return nil }
                fraction = fraction &* UInt64.powersOfTen[fractionDigits &- (position &- 20)]
            }
        }
        let unit: Int64 = fractionDigits == 9 ? 1_000_000_000 : 1_000_000
        time = Int64(seconds) &* unit &+ Int64(bitPattern: fraction)
        if position == count { return }

        let sign = bytes[position]
        if sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") {
            guard position + 1 == count else { return nil }
            hasOffset = true
            return
        }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), count >= position + 3 else { return nil }
        let zoneHour = PlainDateTime.two(bytes + position + 1)
        var zoneMinute: UInt32 = 0
        switch count - position {
        case 3: break
        case 5: zoneMinute = PlainDateTime.two(bytes + position + 3)
        case 6 where bytes[position + 3] == UInt8(ascii: ":"): zoneMinute = PlainDateTime.two(bytes + position + 4)
        default: return nil
        }
        guard zoneHour <= 15, zoneMinute < 60 else { return nil }
        let east = Int32(zoneHour &* 3_600 &+ zoneMinute &* 60)
        offset = sign == UInt8(ascii: "-") ? -east : east
        hasOffset = true
    }

    /// Two digits, or a value above 99.
    @inline(__always)
    private static func two(_ bytes: UnsafePointer<UInt8>) -> UInt32 {
        // Both bytes are in bounds: every caller has compared with the count.
        let tens = UInt32(bytes[0] &- 48)
        let ones = UInt32(bytes[1] &- 48)
        return tens < 10 && ones < 10 ? tens &* 10 &+ ones : 10_000
    }
}
