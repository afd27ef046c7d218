// SPDX-License-Identifier: Apache-2.0
//
// Cutting date, time and interval text into fields, the way PostgreSQL does.
//
// The kind of a field follows from its characters alone: digits with two separators are a date, digits with a
// colon a time, a sign with digits a zone (or a signed number of an interval), and so on. Stray punctuation is
// skipped. Fields are kept in lower case in one buffer.
//
// Source: the rules of ParseDateTime, PostgreSQL 15 (datetime.c).

/// The fields of a date, time or interval text.
struct DateTimeTokens {
    enum Kind: Sendable {
        case number
        case string
        /// A sign and letters: `-infinity`.
        case special
        case date
        case time
        /// A sign and digits.
        case zone
    }

    struct Token {
        var kind: Kind
        var bytes: ArraySlice<UInt8>
    }

    private(set) var tokens: [Token] = []

    /// Units of PostgreSQL's table of words for dates, which a digit may follow.
    private static let shortUnits: Set<[UInt8]> = Set(["d", "h", "m", "mm", "mon", "s", "y"].map { Array($0.utf8) })

    /// More fields than this are no date.
    private static let countMax = 25
    /// Longer texts are no date either; keeps hostile input cheap.
    private static let bytesMax = 128

    init(_ text: UnsafeBufferPointer<UInt8>) throws(DateTimeFailure) {
        guard text.count <= Self.bytesMax else { throw .badFormat }
        var position = 0

        func peek(_ ahead: Int = 0) -> UInt8 { position + ahead < text.count ? text[position + ahead] : 0 }

        while position < text.count {
            let byte = text[position]
            guard byte != 0 else { throw .badFormat }
            if ASCII.isSpace(byte) {
                position += 1
                continue
            }
            var field: [UInt8] = []
            func take() {
                field.append(ASCII.lowercased(text[position]))
                position += 1
            }
            func takeDigits() { while ASCII.isDigit(peek()) { take() } }

            var kind: Kind
            if ASCII.isDigit(byte) {
                takeDigits()
                let next = peek()
                if next == UInt8(ascii: ":") {
                    kind = .time
                    while ASCII.isDigit(peek()) || peek() == UInt8(ascii: ":") || peek() == UInt8(ascii: ".") { take() }
                } else if next == UInt8(ascii: "-") || next == UInt8(ascii: "/") || next == UInt8(ascii: ".") {
                    take()
                    if ASCII.isDigit(peek()) {
                        kind = next == UInt8(ascii: ".") ? .number : .date
                        takeDigits()
                        if peek() == next {
                            kind = .date
                            while ASCII.isDigit(peek()) || peek() == next { take() }
                        }
                    } else {
                        kind = .date
                        while ASCII.isAlphanumeric(peek()) || peek() == next { take() }
                    }
                } else {
                    kind = .number
                }
            } else if byte == UInt8(ascii: ".") {
                take()
                takeDigits()
                kind = .number
            } else if ASCII.isLetter(byte) {
                kind = .string
                while ASCII.isLetter(peek()) { take() }
                let next = peek()
                var isDate = false
                if next == UInt8(ascii: "-") || next == UInt8(ascii: "/") || next == UInt8(ascii: ".") {
                    isDate = true
                } else if next == UInt8(ascii: "+") || ASCII.isDigit(next) {
                    // `t10` is a separator and a time; `utc+3` is one field, a POSIX zone.
                    // So is `1h30m`: a unit, and the next number.
                    isDate = DateTimeKeyword.find(field[...]) == nil && !Self.shortUnits.contains(field)
                }
                if isDate {
                    kind = .date
                    while ASCII.isAlphanumeric(peek()) || "+-/_.:".utf8.contains(peek()) { take() }
                }
            } else if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") {
                take()
                while ASCII.isSpace(peek()) { position += 1 }
                if ASCII.isDigit(peek()) {
                    kind = .zone
                    while ASCII.isDigit(peek()) || ":.-".utf8.contains(peek()) { take() }
                } else if ASCII.isLetter(peek()) {
                    kind = .special
                    while ASCII.isLetter(peek()) { take() }
                } else {
                    throw .badFormat
                }
            } else if ASCII.isPunctuation(byte) {
                position += 1
                continue
            } else {
                throw .badFormat
            }
            guard tokens.count < Self.countMax else { throw .badFormat }
            tokens.append(Token(kind: kind, bytes: field[...]))
        }
    }
}

/// Why a date, time or interval text was refused; turned into a `ValueError` where the text is at hand.
enum DateTimeFailure: Error {
    case badFormat
    case fieldOverflow
    /// Month or day out of range: perhaps they were given in another order.
    case monthDayOverflow
    case zoneOverflow
    case unknownZone(String)
    /// The fields were right and the moment is beyond the range of the type.
    case outOfRange
    case intervalOverflow

    func error(for text: UnsafeBufferPointer<UInt8>, type: String) -> ValueError {
        let text = String(bytes: text)
        switch self {
        case .badFormat:
            return ValueError(code: "22007", message: "invalid input syntax for type \(type): \"\(text)\"")
        case .fieldOverflow:
            return ValueError(code: "22008", message: "date/time field value out of range: \"\(text)\"")
        case .monthDayOverflow:
            return ValueError(
                code: "22008", message: "date/time field value out of range: \"\(text)\"",
                hint: "Write dates as YYYY-MM-DD; in the form with slashes the month comes first.")
        case .zoneOverflow:
            return ValueError(code: "22009", message: "time zone displacement out of range: \"\(text)\"")
        case .unknownZone(let name):
            return ValueError(code: "22023", message: "time zone \"\(name)\" not recognized")
        case .outOfRange:
            let kind = type == "date" ? "date" : "timestamp"
            return ValueError(code: "22008", message: "\(kind) out of range: \"\(text)\"")
        case .intervalOverflow:
            return ValueError(code: "22015", message: "interval field value out of range: \"\(text)\"")
        }
    }
}

/// The words of dates and times.
enum DateTimeKeyword: Sendable {
    case month(Int)
    case weekday
    case morning
    case afternoon
    case beforeChrist
    case annoDomini
    case now, today, yesterday, tomorrow, epoch, infinity, negativeInfinity, midnight
    case daylightModifier
    case timeSeparator
    case julian
    case ignored

    static func find(_ word: ArraySlice<UInt8>) -> DateTimeKeyword? {
        table[String(decoding: word, as: UTF8.self)]
    }

    private static let table: [String: DateTimeKeyword] = {
        var table: [String: DateTimeKeyword] = [
            "am": .morning, "pm": .afternoon, "bc": .beforeChrist, "ad": .annoDomini, "at": .ignored, "on": .ignored,
            "now": .now, "today": .today, "yesterday": .yesterday, "tomorrow": .tomorrow, "epoch": .epoch,
            "infinity": .infinity, "-infinity": .negativeInfinity, "allballs": .midnight, "dst": .daylightModifier,
            "t": .timeSeparator, "j": .julian, "jd": .julian, "julian": .julian, "sept": .month(9),
        ]
        let months = [
            "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
            "november", "december",
        ]
        for (index, name) in months.enumerated() {
            table[name] = .month(index + 1)
            table[String(name.prefix(3))] = .month(index + 1)
        }
        for name in [
            "sun", "sunday", "mon", "monday", "tue", "tues", "tuesday", "wed", "weds", "wednesday", "thu", "thur",
            "thurs", "thursday", "fri", "friday", "sat", "saturday",
        ] {
            table[name] = .weekday
        }
        return table
    }()
}
