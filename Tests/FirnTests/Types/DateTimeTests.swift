// SPDX-License-Identifier: Apache-2.0
//
// Dates and times against PostgreSQL, and against themselves.

import Testing

@testable import Firn

@Suite struct DateTimeTests {
    @Test func timestampWithTimeZoneReadsAndPrintsAsPostgres() throws {
        // Our range ends with 294246 in UTC, where PostgreSQL's ends in 294276.
        let text = "294246-12-31 23:59:59.999999"
        let differences = [
            ["America/New_York", text]: "!22008 timestamp out of range: \"\(text)\"",
            ["Asia/Kolkata", "294277-01-01"]: "!22008 timestamp out of range: \"294277-01-01\"",
        ]
        try expectAll("timestamptz", differing: differences) { arguments in
            let context = try testContext(arguments[0])
            return try Timestamp.parse(arguments[1], in: context).text(in: context.zone)
        }
    }

    @Test func timestampReadsAndPrintsAsPostgres() throws {
        let context = try testContext("UTC")
        try expectAll("timestamp") { arguments in
            try Timestamp.parse(arguments[0], as: .withoutTimeZone, in: context).textWithoutZone()
        }
    }

    @Test func dateReadsAndPrintsAsPostgres() throws {
        let context = try testContext("UTC")
        try expectAll("date") { arguments in try DayNumber.parse(arguments[0], in: context).text }
    }

    @Test func momentsPrintInEveryZoneAsPostgres() throws {
        try expectAll("epoch") { arguments in
            Timestamp(microseconds: Int64(arguments[1])! * 1_000_000).text(in: try testZones.zone(named: arguments[0]))
        }
    }

    @Test func zoneNamesAreFoundAsInPostgres() throws {
        let noon = try Timestamp.parse("2018-07-01 12:00", as: .withoutTimeZone)
        try expectAll("zone") { arguments in
            try testZones.zone(forExpression: arguments[0]).utc(fromLocal: noon.microseconds).text()
        }
    }
}

@Suite struct DateTimeArithmeticTests {
    /// A case's zone and its moment, which is given in UTC.
    private func moment(_ text: String) throws -> Timestamp { try Timestamp.parse(text, as: .withoutTimeZone) }

    @Test func truncationIsThatOfPostgres() throws {
        try expectAll("dateTruncate") { arguments in
            let zone = try testZones.zone(named: arguments[0])
            return try moment(arguments[2]).truncated(to: DateTimeField(name: arguments[1])!, in: zone).text(in: zone)
        }
        try expectAll("intervalTruncate") {
            try Interval.parse($0[1]).truncated(to: DateTimeField(name: $0[0])!).text
        }
        try expectAll("dateBin") {
            try moment($0[1]).binned(by: Interval.parse($0[0]), origin: moment($0[2])).textWithoutZone()
        }
    }

    @Test func extractedFieldsAreThoseOfPostgres() throws {
        try expectAll("extract") { arguments in
            let zone = try testZones.zone(named: arguments[0])
            return try moment(arguments[2]).extract(DateTimeField(name: arguments[1])!, in: zone)!.text
        }
        try expectAll("intervalExtract") { try Interval.parse($0[1]).extract(DateTimeField(name: $0[0])!).text }
    }

    @Test func sumsAndDifferencesOfTimeAreThoseOfPostgres() throws {
        try expectAll("timestampAdd") { arguments in
            let zone = try testZones.zone(named: arguments[0])
            return try moment(arguments[1]).adding(Interval.parse(arguments[2]), in: zone).text(in: zone)
        }
        try expectAll("timestampSubtract") { arguments in
            let zone = try testZones.zone(named: arguments[0])
            return try moment(arguments[1]).subtracting(Interval.parse(arguments[2]), in: zone).text(in: zone)
        }
        try expectAll("difference") { try moment($0[1]).interval(since: moment($0[2])).text }
        try expectAll("age") { arguments in
            try moment(arguments[1]).age(since: moment(arguments[2]), in: testZones.zone(named: arguments[0])).text
        }
    }

    @Test func timestampsAreMadeAsInPostgres() throws {
        try expectAll("makeTimestamp") { arguments in
            let numbers = arguments.dropLast().map { Int($0)! }
            return try Timestamp.make(
                year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4],
                second: Double(arguments[5])!
            ).textWithoutZone()
        }
        try expectAll("makeDate") { try DayNumber.make(year: Int($0[0])!, month: Int($0[1])!, day: Int($0[2])!).text }
        try expectAll("toTimestamp") { try Timestamp(secondsSinceEpoch: NumberText.parseDouble($0[0])).text() }
    }

    @Test func patternsPrintAsInPostgres() throws {
        try expectAll("toChar") { arguments in
            let moment = try moment(arguments[2])
            let text = TimestampPattern(arguments[1]).text(moment, in: try testZones.zone(named: arguments[0]))
            return arguments[1].isEmpty ? "<null>" : text
        }
    }
}

@Suite struct IntervalTests {
    private func parsed(_ text: String) throws -> Interval { try Interval.parse(text) }

    @Test func intervalReadsAndPrintsAsPostgres() throws {
        try expectAll("interval") { try Interval.parse($0[0]).text }
    }

    @Test func fieldQualifiersReadAsInPostgres() throws {
        let fields: [String: IntervalFields] = [
            "year": .year, "month": .month, "day": .day, "hour": .hour, "minute": .minute, "second": .second,
            "yearToMonth": .yearToMonth, "dayToHour": .dayToHour, "dayToMinute": .dayToMinute,
            "dayToSecond": .dayToSecond, "hourToMinute": .hourToMinute, "hourToSecond": .hourToSecond,
            "minuteToSecond": .minuteToSecond,
        ]
        try expectAll("intervalFields") { try Interval.parse($0[1], fields: fields[$0[0]]!).text }
    }

    @Test func intervalArithmeticIsThatOfPostgres() throws {
        try expectAll("intervalMultiply") { try parsed($0[0]).multiplied(by: Double($0[1])!).text }
        try expectAll("intervalDivide") { try parsed($0[0]).divided(by: Double($0[1])!).text }
        try expectAll("intervalAdd") { try parsed($0[0]).adding(parsed($0[1])).text }
        try expectAll("intervalSubtract") { try parsed($0[0]).subtracting(parsed($0[1])).text }
        try expectAll("intervalLess") { try parsed($0[0]) < parsed($0[1]) ? "true" : "false" }
        try expectAll("justify_hours") { try parsed($0[0]).justifyingHours().text }
        try expectAll("justify_days") { try parsed($0[0]).justifyingDays().text }
        try expectAll("justify_interval") { try parsed($0[0]).justifyingInterval().text }
    }
}
