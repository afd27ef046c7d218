// SPDX-License-Identifier: Apache-2.0
//
// to_char of timestamps: `YYYY-MM-DD HH24:MI:SS.MS`, `FMMonth FMDDth`, `Dy HH12:MI AM TZ`.
//
// A pattern is cut into nodes once (TimestampPattern) and then applied to many moments. Letters that are no
// pattern, and all text in double quotes, stand for themselves. Of PostgreSQL's patterns those that only to_timestamp
// reads (FX) are accepted and do nothing, and TM (localised names) gives English.
//
// Source: the documentation and behaviour of to_char, PostgreSQL 15.

/// A parsed pattern of to_char.
struct TimestampPattern: Sendable {
    private enum Node: Sendable {
        case literal([UInt8])
        case field(String, isFilled: Bool, ordinal: Ordinal)
    }

    private enum Ordinal { case none, lower, upper }

    private var nodes: [Node] = []

    /// The longest match counts; letter case counts where the output has letters.
    private static let keywords: [String] = {
        let cased = [
            "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "Day", "Dy", "MONTH", "MON", "Month", "Mon", "P.M.",
            "PM", "RM", "TZ", "TZH", "TZM", "a.d.", "a.m.", "ad", "am", "b.c.", "bc", "day", "dy", "month", "mon",
            "p.m.",
            "pm", "rm", "tz", "tzh", "tzm",
        ]
        let plain = [
            "CC", "DDD", "DD", "D", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH", "IDDD", "ID",
            "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MS", "OF", "Q", "SSSSS", "SSSS", "SS", "US", "WW", "W",
            "Y,YYY", "YYYY", "YYY", "YY", "Y",
        ]
        let all = cased + plain + plain.map { $0.lowercased() }
        return all.sorted { $0.utf8.count > $1.utf8.count }
    }()

    /// Cuts a pattern into nodes. Every text is a pattern.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        func starts(with word: String, at index: Int) -> Bool {
            index + word.utf8.count <= bytes.count && bytes[index..<index + word.utf8.count].elementsEqual(word.utf8)
        }
        while position < bytes.count {
            // One prefix at most; a second one is text. FM leaves out what fills a field, TM what fills a name.
            let isCompact = starts(with: "FM", at: position) || starts(with: "fm", at: position)
            let isLocalized = starts(with: "TM", at: position) || starts(with: "tm", at: position)
            let start = position + (isCompact || isLocalized ? 2 : 0)
            if let keyword = Self.keywords.first(where: { starts(with: $0, at: start) }) {
                position = start + keyword.utf8.count
                var ordinal = Ordinal.none
                if starts(with: "TH", at: position) {
                    ordinal = .upper
                    position += 2
                } else if starts(with: "th", at: position) {
                    ordinal = .lower
                    position += 2
                } else if starts(with: "SP", at: position) {
                    position += 2
                }
                let isName = keyword.uppercased() == "MONTH" || keyword.uppercased() == "DAY"
                let isFilled = !isCompact && !(isLocalized && isName)
                nodes.append(.field(keyword, isFilled: isFilled, ordinal: ordinal))
                continue
            }
            position = start
            guard position < bytes.count else { break }
            if bytes[position] == UInt8(ascii: "\"") {
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count { position += 1 }
                    appendLiteral(bytes[position])
                    position += 1
                }
                position += 1
                continue
            }
            if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count,
                bytes[position + 1] == UInt8(ascii: "\"")
            {
                position += 1
            }
            appendLiteral(bytes[position])
            position += 1
        }
    }

    private mutating func appendLiteral(_ byte: UInt8) {
        if case .literal(let bytes)? = nodes.last {
            nodes[nodes.count - 1] = .literal(bytes + [byte])
        } else {
            nodes.append(.literal([byte]))
        }
    }

    /// Appends a finite moment as seen in `zone`; a nil zone is a TIMESTAMP, which shows no zone.
    ///
    /// An infinite moment has no text here (PostgreSQL's to_char answers NULL): the caller checks `isFinite`.
    func append(_ moment: Timestamp, in zone: TimeZoneRules?, to output: inout [UInt8]) {
        precondition(moment.isFinite, "an infinite timestamp has no fields to print")
        let period = zone?.period(at: moment.microseconds.flooredQuotient(Microseconds.perSecond))
        let offset = period?.offset ?? 0
        let local = LocalDateTime(
            localMicroseconds: moment.microseconds + Int64(offset) * Microseconds.perSecond)
        let writer = FieldWriter(local: local, offset: offset, abbreviation: period?.abbreviation ?? "")
        for node in nodes {
            switch node {
            case .literal(let bytes): output.append(contentsOf: bytes)
            case .field(let keyword, let isFilled, let ordinal):
                let start = output.count
                guard writer.append(keyword, isFilled: isFilled, to: &output) else { continue }
                if ordinal != .none {
                    output.append(contentsOf: Self.ordinal(output[start...], isUpper: ordinal == .upper).utf8)
                }
            }
        }
    }

    /// The text of a finite moment; see `append(_:in:to:)`.
    func text(_ moment: Timestamp, in zone: TimeZoneRules?) -> String {
        var output: [UInt8] = []
        append(moment, in: zone, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private static func ordinal(_ digits: ArraySlice<UInt8>, isUpper: Bool) -> String {
        let isTeen = digits.count > 1 && digits[digits.endIndex - 2] == 49
        let suffix =
            switch digits.last {
            case 49 where !isTeen: "st"
            case 50 where !isTeen: "nd"
            case 51 where !isTeen: "rd"
            default: "th"
            }
        return isUpper ? suffix.uppercased() : suffix
    }
}

/// Writes single fields of one moment.
private struct FieldWriter {
    let local: LocalDateTime
    let offset: Int
    let abbreviation: String

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let romans = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]

    private var hour: Int { Int(local.time / Microseconds.perHour) }
    /// The year as it is counted: 1 BC is 1.
    private func counted(_ year: Int) -> Int { year > 0 ? year : 1 - year }

    /// Appends a field; true when it is a number, which may have an ordinal suffix.
    func append(_ keyword: String, isFilled: Bool, to output: inout [UInt8]) -> Bool {
        if let (text, width) = word(keyword) {
            output.append(contentsOf: text.utf8)
            if isFilled, text.utf8.count < width {
                output.append(contentsOf: repeatElement(32, count: width - text.utf8.count))
            }
            return false
        }
        let upper = keyword.uppercased()
        if let (value, width) = number(upper) {
            append(value, width: isFilled ? width : 1, to: &output)
            return true
        }
        if let (value, digits) = fraction(upper) {
            append(value, width: digits, to: &output)
            return true
        }
        if upper == "Y,YYY" {
            let year = counted(local.date.year)
            append(year / 1_000, width: 1, to: &output)
            output.append(UInt8(ascii: ","))
            append(year % 1_000, width: 3, to: &output)
            return true
        }
        appendOffset(upper, isFilled: isFilled, to: &output)
        return false
    }

    private func append(_ value: Int, width: Int, to output: inout [UInt8]) {
        output.appendText(capacity: 32) { cursor in
            if value < 0 { cursor.put(UInt8(ascii: "-")) }
            cursor.putNumber(UInt64(value.magnitude), widthMin: width)
        }
    }

    /// A field of letters with the width that it is filled to.
    private func word(_ keyword: String) -> (text: String, width: Int)? {
        let month = Self.months[local.date.month - 1]
        let day = Self.days[CivilDate.dayOfWeek(daysSinceEpoch: local.days)]
        let isBeforeChrist = local.date.year <= 0
        let isAfternoon = hour >= 12
        switch keyword {
        case "A.M.", "P.M.": return (isAfternoon ? "P.M." : "A.M.", 0)
        case "AM", "PM": return (isAfternoon ? "PM" : "AM", 0)
        case "a.m.", "p.m.": return (isAfternoon ? "p.m." : "a.m.", 0)
        case "am", "pm": return (isAfternoon ? "pm" : "am", 0)
        case "A.D.", "B.C.": return (isBeforeChrist ? "B.C." : "A.D.", 0)
        case "AD", "BC": return (isBeforeChrist ? "BC" : "AD", 0)
        case "a.d.", "b.c.": return (isBeforeChrist ? "b.c." : "a.d.", 0)
        case "ad", "bc": return (isBeforeChrist ? "bc" : "ad", 0)
        case "MONTH": return (month.uppercased(), 9)
        case "Month": return (month, 9)
        case "month": return (month.lowercased(), 9)
        case "MON": return (month.prefix(3).uppercased(), 0)
        case "Mon": return (String(month.prefix(3)), 0)
        case "mon": return (month.prefix(3).lowercased(), 0)
        case "DAY": return (day.uppercased(), 9)
        case "Day": return (day, 9)
        case "day": return (day.lowercased(), 9)
        case "DY": return (day.prefix(3).uppercased(), 0)
        case "Dy": return (String(day.prefix(3)), 0)
        case "dy": return (day.prefix(3).lowercased(), 0)
        case "RM": return (Self.romans[local.date.month - 1], 4)
        case "rm": return (Self.romans[local.date.month - 1].lowercased(), 4)
        case "TZ": return (abbreviation.uppercased(), 0)
        case "tz": return (abbreviation.lowercased(), 0)
        case "FX", "fx": return ("", 0)
        default: return nil
        }
    }

    /// A field of digits with the width that it is filled to.
    private func number(_ keyword: String) -> (value: Int, width: Int)? {
        let date = local.date
        let iso = CivilDate.isoWeek(daysSinceEpoch: local.days)
        switch keyword {
        case "HH24": return (hour, 2)
        case "HH12", "HH": return (hour % 12 == 0 ? 12 : hour % 12, 2)
        case "MI": return (Int(local.time / Microseconds.perMinute) % 60, 2)
        case "SS": return (Int(local.time / Microseconds.perSecond) % 60, 2)
        case "SSSS", "SSSSS": return (Int(local.time / Microseconds.perSecond), 1)
        case "YYYY": return (counted(date.year), 4)
        case "YYY": return (counted(date.year) % 1_000, 3)
        case "YY": return (counted(date.year) % 100, 2)
        case "Y": return (counted(date.year) % 10, 1)
        case "IYYY": return (counted(iso.year), 4)
        case "IYY": return (counted(iso.year) % 1_000, 3)
        case "IY": return (counted(iso.year) % 100, 2)
        case "I": return (counted(iso.year) % 10, 1)
        case "CC": return (date.year > 0 ? (date.year - 1) / 100 + 1 : date.year / 100 - 1, 2)
        case "Q": return ((date.month - 1) / 3 + 1, 1)
        case "MM": return (date.month, 2)
        case "DDD": return (date.dayOfYear, 3)
        case "IDDD": return (local.days - CivilDate.isoYearStart(year: iso.year) + 1, 3)
        case "DD": return (date.day, 2)
        case "D": return (CivilDate.dayOfWeek(daysSinceEpoch: local.days) + 1, 1)
        case "ID": return ((local.days + 3).flooredRemainder(7) + 1, 1)
        case "WW": return ((date.dayOfYear - 1) / 7 + 1, 2)
        case "IW": return (iso.week, 2)
        case "W": return ((date.day - 1) / 7 + 1, 1)
        case "J": return (local.days + 2_440_588, 1)
        default: return nil
        }
    }

    /// A fraction of a second with its digits, which are always written.
    private func fraction(_ keyword: String) -> (value: Int, digits: Int)? {
        let microseconds = Int(local.time % Microseconds.perSecond)
        switch keyword {
        case "MS", "FF3": return (microseconds / 1_000, 3)
        case "US", "FF6": return (microseconds, 6)
        case "FF1": return (microseconds / 100_000, 1)
        case "FF2": return (microseconds / 10_000, 2)
        case "FF4": return (microseconds / 100, 4)
        case "FF5": return (microseconds / 10, 5)
        default: return nil
        }
    }

    private func appendOffset(_ keyword: String, isFilled: Bool, to output: inout [UInt8]) {
        let east = Int(offset.magnitude)
        if keyword == "TZM" { return append(east % 3_600 / 60, width: 2, to: &output) }
        output.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        append(east / 3_600, width: keyword == "OF" && !isFilled ? 1 : 2, to: &output)
        if keyword == "OF", east % 3_600 != 0 {
            output.append(UInt8(ascii: ":"))
            append(east % 3_600 / 60, width: 2, to: &output)
        }
    }
}
