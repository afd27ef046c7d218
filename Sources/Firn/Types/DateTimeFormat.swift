// SPDX-License-Identifier: Apache-2.0
//
// TIMESTAMPTZ, TIMESTAMP and DATE to text: PostgreSQL's ISO style, and RFC 3339.
//
//     2018-01-02 10:01:00+00      2018-01-02 10:01:00.123456-05      0044-03-15 00:00:00+00 BC
//
// A fraction loses its trailing zeros, a zone shows minutes (and seconds) only where it has them, a year has
// at least four digits.

/// How a moment is written.
enum TimestampStyle: Sendable {
    /// PostgreSQL's ISO style: `2018-01-02 10:01:00+00`.
    case postgres
    /// RFC 3339: `2018-01-02T10:01:00Z`, `2018-01-02T10:01:00+05:30`.
    case rfc3339
}

extension Timestamp {
    /// Appends the text of a TIMESTAMPTZ as seen in a zone.
    func append(to output: inout [UInt8], in zone: TimeZoneRules, style: TimestampStyle = .postgres) {
        guard isFinite else { return output.append(contentsOf: infiniteText.utf8) }
        let offset =
            zone.constantOffset ?? zone.offset(at: microseconds.flooredQuotient(Microseconds.perSecond))
        let local = microseconds &+ Int64(offset) &* Microseconds.perSecond
        DateTimeFormat.append(
            seconds: local.flooredQuotient(Microseconds.perSecond),
            fraction: UInt64(local.flooredRemainder(Microseconds.perSecond)), digits: 6, offset: offset, style: style,
            to: &output)
    }

    /// Appends the text of a TIMESTAMP, which has no zone.
    func appendWithoutZone(to output: inout [UInt8], style: TimestampStyle = .postgres) {
        guard isFinite else { return output.append(contentsOf: infiniteText.utf8) }
        DateTimeFormat.append(
            seconds: microseconds.flooredQuotient(Microseconds.perSecond),
            fraction: UInt64(microseconds.flooredRemainder(Microseconds.perSecond)), digits: 6, offset: nil,
            style: style, to: &output)
    }

    /// The text of a TIMESTAMPTZ as seen in a zone.
    func text(in zone: TimeZoneRules = .utc, style: TimestampStyle = .postgres) -> String {
        var bytes: [UInt8] = []
        append(to: &bytes, in: zone, style: style)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of a TIMESTAMP, which has no zone.
    func textWithoutZone(style: TimestampStyle = .postgres) -> String {
        var bytes: [UInt8] = []
        appendWithoutZone(to: &bytes, style: style)
        return String(decoding: bytes, as: UTF8.self)
    }

    private var infiniteText: String { self == .infinity ? "infinity" : "-infinity" }
}

extension NanosecondTimestamp {
    /// Appends the text of a TIMESTAMPTZ(9) as seen in a zone, with up to nine digits of fraction.
    func append(to output: inout [UInt8], in zone: TimeZoneRules, style: TimestampStyle = .postgres) {
        append(to: &output, offset: zone.offset(at: nanoseconds.flooredQuotient(1_000_000_000)), style: style)
    }

    /// Appends the text of a TIMESTAMP(9), which has no zone.
    func appendWithoutZone(to output: inout [UInt8], style: TimestampStyle = .postgres) {
        append(to: &output, offset: nil, style: style)
    }

    /// The text of a TIMESTAMPTZ(9) as seen in a zone.
    func text(in zone: TimeZoneRules = .utc, style: TimestampStyle = .postgres) -> String {
        var bytes: [UInt8] = []
        append(to: &bytes, in: zone, style: style)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func append(to output: inout [UInt8], offset: Int?, style: TimestampStyle) {
        guard isFinite else {
            return output.append(contentsOf: (self == .infinity ? "infinity" : "-infinity").utf8)
        }
        DateTimeFormat.append(
            seconds: nanoseconds.flooredQuotient(1_000_000_000) &+ Int64(offset ?? 0),
            fraction: UInt64(nanoseconds.flooredRemainder(1_000_000_000)), digits: 9, offset: offset, style: style,
            to: &output)
    }
}

extension DayNumber {
    /// Appends the text of a DATE: `2018-01-02`, `0044-03-15 BC`, `infinity`.
    func append(to output: inout [UInt8]) {
        guard isFinite else {
            return output.append(contentsOf: (self == .infinity ? "infinity" : "-infinity").utf8)
        }
        let date = civil
        output.appendText(capacity: 32) { cursor in
            DateTimeFormat.put(date, &cursor)
            if date.year <= 0 { cursor.put(" BC") }
        }
    }

    /// The text of a DATE.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

enum DateTimeFormat {
    static func append(
        seconds: Int64, fraction: UInt64, digits: Int, offset: Int?, style: TimestampStyle, to output: inout [UInt8]
    ) {
        let days = seconds.flooredQuotient(86_400)
        let time = UInt32(truncatingIfNeeded: seconds &- days &* 86_400)
        let date = CivilDate(daysSinceEpoch: Int(days))
        // Longest: 6 digits of year, 9 of fraction, 9 of zone, BC: 41 bytes.
        output.appendText(capacity: 64) { cursor in
            put(date, &cursor)
            cursor.put(style == .postgres ? UInt8(ascii: " ") : UInt8(ascii: "T"))
            cursor.putTwo(time / 3_600)
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(time / 60 % 60)
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(time % 60)
            cursor.putFraction(fraction, digits: digits)
            if let offset {
                if style == .rfc3339, offset == 0 {
                    cursor.put(UInt8(ascii: "Z"))
                } else {
                    put(offset: offset, style: style, &cursor)
                }
            }
            if date.year <= 0 { cursor.put(" BC") }
        }
    }

    @inline(__always)
    static func put(_ date: CivilDate, _ cursor: inout TextCursor) {
        let year = UInt64(date.year > 0 ? date.year : 1 - date.year)
        if year < 10_000 {
            cursor.putTwo(UInt32(truncatingIfNeeded: year / 100))
            cursor.putTwo(UInt32(truncatingIfNeeded: year % 100))
        } else {
            cursor.putNumber(year)
        }
        cursor.put(UInt8(ascii: "-"))
        cursor.putTwo(UInt32(truncatingIfNeeded: date.month))
        cursor.put(UInt8(ascii: "-"))
        cursor.putTwo(UInt32(truncatingIfNeeded: date.day))
    }

    @inline(__always)
    static func put(offset: Int, style: TimestampStyle, _ cursor: inout TextCursor) {
        let east = UInt32(truncatingIfNeeded: offset.magnitude)
        cursor.put(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        cursor.putTwo(east / 3_600)
        let minute = east / 60 % 60
        let second = east % 60
        if minute != 0 || second != 0 || style == .rfc3339 {
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(minute)
        }
        if second != 0 {
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(second)
        }
    }
}

extension Timestamp: CustomStringConvertible {
    /// The moment as PostgreSQL prints it in UTC: `2018-01-02 10:01:00+00`.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text, in: .utc)
        return String(decoding: text, as: UTF8.self)
    }
}
