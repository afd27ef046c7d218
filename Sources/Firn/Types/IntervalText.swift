// SPDX-License-Identifier: Apache-2.0
//
// INTERVAL to text in PostgreSQL's own style, and the entry to reading one.
//
//     1 year 2 mons 3 days 04:05:06.789      -1 days +02:00:00      00:05:00

/// The fields that `INTERVAL '5' MINUTE` or a column of type `INTERVAL DAY TO SECOND` is limited to.
public enum IntervalFields: Sendable, Hashable {
    /// No limit.
    case all
    /// `YEAR`
    case year
    /// `MONTH`
    case month
    /// `DAY`
    case day
    /// `HOUR`
    case hour
    /// `MINUTE`
    case minute
    /// `SECOND`
    case second
    /// `YEAR TO MONTH`
    case yearToMonth
    /// `DAY TO HOUR`
    case dayToHour
    /// `DAY TO MINUTE`
    case dayToMinute
    /// `DAY TO SECOND`
    case dayToSecond
    /// `HOUR TO MINUTE`
    case hourToMinute
    /// `HOUR TO SECOND`
    case hourToSecond
    /// `MINUTE TO SECOND`
    case minuteToSecond
}

extension Interval {
    /// Reads an interval in any of PostgreSQL's forms: `5 minutes`, `1 year 2 mons 04:05:06`, `1-2`, `P1DT2H`,
    /// `@ 1 hour ago`. Errors 22007 and 22015.
    ///
    /// `fields` says what a number without a unit means, and which parts are kept.
    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, fields: IntervalFields = .all
    ) throws(ValueError) -> Interval {
        do throws(DateTimeFailure) {
            do throws(DateTimeFailure) {
                return try IntervalParser.parse(text, fields: fields).limited(to: fields)
            } catch .badFormat {
                return try ISOIntervalParser.parse(text).limited(to: fields)
            }
        } catch {
            switch error {
            case .outOfRange:
                throw .intervalOutOfRange
            case .fieldOverflow, .monthDayOverflow:
                throw DateTimeFailure.intervalOverflow.error(for: text, type: "interval")
            default:
                throw error.error(for: text, type: "interval")
            }
        }
    }

    /// Reads an interval from a string; see `parse(_:fields:)` over bytes.
    static func parse(_ text: String, fields: IntervalFields = .all) throws(ValueError) -> Interval {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes, fields: fields) }
    }

    /// The interval without the parts that a field qualifier leaves out, truncated towards zero.
    func limited(to fields: IntervalFields) -> Interval {
        func truncated(_ unit: Int64) -> Int64 { microseconds / unit * unit }
        switch fields {
        case .all, .second, .dayToSecond, .hourToSecond, .minuteToSecond: return self
        case .year: return Interval(months: months / 12 * 12)
        case .month, .yearToMonth: return Interval(months: months)
        case .day: return Interval(months: months, days: days)
        case .hour, .dayToHour:
            return Interval(months: months, days: days, microseconds: truncated(Microseconds.perHour))
        case .minute, .dayToMinute, .hourToMinute:
            return Interval(months: months, days: days, microseconds: truncated(Microseconds.perMinute))
        }
    }

    /// The interval with its seconds rounded to `precision` digits, 0 to 6, as INTERVAL(p) keeps them. Error 22008 at the
    /// ends of the integers.
    func rounded(toFractionDigits precision: Int) throws(ValueError) -> Interval {
        let unit = Int64(UInt64.powersOfTen[6 - min(max(precision, 0), 6)])
        let half = microseconds >= 0 ? unit / 2 : -(unit / 2)
        var result = self
        let (sum, overflow) = microseconds.addingReportingOverflow(half)
        guard !overflow else { throw .intervalOutOfRange }
        result.microseconds = sum / unit * unit
        return result
    }

    /// Appends the text in PostgreSQL's style.
    func append(to output: inout [UInt8]) {
        // Longest: three parts of 11 digits with units and a time of 13 digits of hours, under 100 bytes.
        output.appendText(capacity: 128) { cursor in
            var isEmpty = true
            var lastWasNegative = false
            func part(_ value: Int64, _ unit: StaticString) {
                guard value != 0 else { return }
                if !isEmpty { cursor.put(UInt8(ascii: " ")) }
                if value < 0 { cursor.put(UInt8(ascii: "-")) } else if lastWasNegative { cursor.put(UInt8(ascii: "+")) }
                cursor.putNumber(value.magnitude)
                cursor.put(UInt8(ascii: " "))
                cursor.put(unit)
                if value != 1 { cursor.put(UInt8(ascii: "s")) }
                lastWasNegative = value < 0
                isEmpty = false
            }
            part(Int64(months / 12), "year")
            part(Int64(months % 12), "mon")
            part(Int64(days), "day")
            guard isEmpty || microseconds != 0 else { return }
            if !isEmpty { cursor.put(UInt8(ascii: " ")) }
            if microseconds < 0 {
                cursor.put(UInt8(ascii: "-"))
            } else if lastWasNegative {
                cursor.put(UInt8(ascii: "+"))
            }
            let time = microseconds.magnitude
            cursor.putNumber(time / 3_600_000_000, widthMin: 2)
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(UInt32(time / 60_000_000 % 60))
            cursor.put(UInt8(ascii: ":"))
            cursor.putTwo(UInt32(time / 1_000_000 % 60))
            cursor.putFraction(time % 1_000_000, digits: 6)
        }
    }

    /// The text in PostgreSQL's style.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
