// SPDX-License-Identifier: Apache-2.0
//
// The calendar, the clock and the zones against counting by hand, over random moments.

import Testing

@testable import Firn

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// A seeded generator; `FIRN_SEED=` replays a run.
struct TypesGenerator: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    init() {
        let replay = getenv("FIRN_SEED").flatMap { UInt64(String(cString: $0)) }
        seed = replay ?? UInt64.random(in: 1...UInt64.max)
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number whose magnitude has a random count of bits.
    mutating func anyMagnitude(bitsMax: Int) -> UInt64 {
        next() >> UInt64(64 - Int.random(in: 1...bitsMax, using: &self))
    }
}

@Suite struct CalendarTests {
    @Test func everyDayFollowsTheOneBefore() {
        // From 4714-11-24 BC, counted day by day with nothing but the lengths of months.
        var expected = CivilDate(year: -4_713, month: 11, day: 24)
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var failures = 0
        for days in -2_440_588...(-2_440_588 + 1_200_000) {
            if CivilDate(daysSinceEpoch: days) != expected || expected.daysSinceEpoch != days { failures += 1 }
            let year = expected.year
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let length = expected.month == 2 && isLeap ? 29 : lengths[expected.month - 1]
            expected.day += 1
            if expected.day > length {
                expected.day = 1
                expected.month += 1
                if expected.month > 12 {
                    expected.month = 1
                    expected.year += 1
                }
            }
        }
        #expect(failures == 0)
    }

    @Test func textOfAMomentReadsBackAsTheMoment() throws {
        var generator = TypesGenerator()
        let zones = try ["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"].map(testContext)
        var failures: [String] = []
        for _ in 0..<3_000 {
            let low = Timestamp.earliest.microseconds
            let micros = Int64.random(in: low..<(Timestamp.limit.microseconds - 86_400_000_000), using: &generator)
            let near = Int64.random(in: -3_000_000_000_000_000...5_000_000_000_000_000, using: &generator)
            for moment in [Timestamp(microseconds: micros), Timestamp(microseconds: near)] {
                for context in zones where moment.microseconds > low + 86_400_000_000 {
                    let text = moment.text(in: context.zone)
                    let back = try Timestamp.parse(text, in: context)
                    if back != moment { failures.append(text) }
                    let formal = moment.text(in: context.zone, style: .rfc3339)
                    if moment > Timestamp(microseconds: -62_135_000_000_000_000), !formal.contains("BC") {
                        if try Timestamp.parse(formal, in: context) != moment { failures.append(formal) }
                    }
                }
            }
        }
        #expect(failures.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.prefix(5))")
    }

    @Test func nanosecondsReadBackExactly() throws {
        var generator = TypesGenerator()
        for _ in 0..<5_000 {
            let moment = NanosecondTimestamp(nanoseconds: Int64(bitPattern: generator.next()))
            guard moment.isFinite else { continue }
            #expect(try NanosecondTimestamp.parse(moment.text()) == moment, "FIRN_SEED=\(generator.seed)")
        }
        let first = try NanosecondTimestamp.parse("1677-09-21 00:12:43.145224193+00")
        #expect(first.nanoseconds == Int64.min + 1)
        #expect(try NanosecondTimestamp.parse("2262-04-11 23:47:16.854775806Z").nanoseconds == Int64.max - 1)
        #expect(throws: ValueError.self) { try NanosecondTimestamp.parse("2262-04-11 23:47:16.854775807Z") }
        #expect(throws: ValueError.self) { try NanosecondTimestamp.parse("1677-09-21Z") }
        #expect(
            try NanosecondTimestamp.parse("2018-01-02 10:01:00.1234567895").nanoseconds % 1_000_000_000 == 123_456_790)
    }

    @Test func theFastPathReadsAsTheGeneralOne() throws {
        var generator = TypesGenerator()
        let shapes = ["-", "/", " ", "T", ":", ".", "Z", "+", "0", "9", "1", "60", "24", "2018", "02", "29", "30"]
        var plain = 0
        for _ in 0..<8_000 {
            // A valid text with one or two places changed.
            var text = Array(Timestamp(microseconds: Int64(generator.anyMagnitude(bitsMax: 51))).text().utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let place = Int.random(in: 0..<text.count, using: &generator)
                text.replaceSubrange(place...place, with: shapes.randomElement(using: &generator)!.utf8)
            }
            let string = String(decoding: text, as: UTF8.self)
            let fast = text.withUnsafeBufferPointer { PlainDateTime($0, fractionDigits: 6) }
            guard let fast else { continue }
            plain += 1
            let general = try text.withUnsafeBufferPointer { bytes in
                try DateTimeParser.parse(bytes, in: .utc, fractionDigits: 6)
            }
            guard case .finite(let days, let time, let zone) = general else {
                Issue.record("\(string) is \(general)")
                continue
            }
            #expect(days == Int(fast.days) && time == fast.time, "\(string), FIRN_SEED=\(generator.seed)")
            if case .offset(let offset)? = zone {
                #expect(fast.hasOffset && offset == Int(fast.offset), "\(string), FIRN_SEED=\(generator.seed)")
            } else {
                #expect(!fast.hasOffset, "\(string), FIRN_SEED=\(generator.seed)")
            }
        }
        #expect(plain > 2_000)
    }

    @Test func periodsOfAZoneMeetWithoutGaps() throws {
        for name in [
            "America/New_York", "Europe/Dublin", "Africa/Casablanca", "Asia/Tehran", "EST5EDT", "FOO3BAR,J60,J300/25",
        ] {
            let zone = try testZones.zone(named: name)
            var moment = Int64(-5_000_000_000)
            while moment < 8_000_000_000 {
                let period = zone.period(at: moment)
                #expect(period.start <= moment && period.end > moment)
                #expect(zone.offset(at: moment) == period.offset)
                if period.end != .max {
                    #expect(zone.period(at: period.end).start == period.end, "\(name) at \(period.end)")
                    #expect(zone.offset(at: period.end - 1) == period.offset)
                }
                moment = period.end == .max ? .max : period.end
            }
        }
    }

    @Test func localTimesThatExistOnceComeBack() throws {
        var generator = TypesGenerator()
        for name in ["America/New_York", "Europe/Moscow", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Gaza"] {
            let zone = try testZones.zone(named: name)
            for _ in 0..<1_500 {
                let seconds = Int64.random(in: -4_000_000_000...6_000_000_000, using: &generator)
                let local = seconds + Int64(zone.offset(at: seconds))
                let back = local - Int64(zone.offset(atLocal: local))
                // Either the same moment, or another one at which the clock showed the same.
                #expect(back + Int64(zone.offset(at: back)) == local, "\(name) \(seconds), FIRN_SEED=\(generator.seed)")
            }
        }
    }

    @Test func hostileZoneFilesAreRefused() throws {
        let path = "\(TimeZoneDatabase.systemDirectory)/America/New_York"
        let file = try #require(PostgresExpectations.readFile(path))
        var generator = TypesGenerator()
        for _ in 0..<2_000 {
            var bytes = file
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8(truncatingIfNeeded: generator.next())
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator) / 4)
            do throws(TimeZoneRules.FileError) {
                let zone = try TimeZoneRules(name: "x", file: bytes)
                _ = zone.offset(at: Int64.random(in: -10_000_000_000...10_000_000_000, using: &generator))
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
        #expect(throws: ValueError.self) { try testZones.zone(named: "../../etc/passwd") }
        #expect(throws: ValueError.self) { try testZones.zone(named: "America/../America/New_York") }
        #expect(throws: ValueError.self) { try testZones.zone(named: "/etc/passwd") }
    }

    @Test func nowAndItsDaysFollowTheClockOfTheSession() throws {
        var context = try testContext("America/New_York")
        context.now = try Timestamp.parse("2018-01-02 03:04:05.678+00")
        #expect(try Timestamp.parse("now", in: context) == context.now)
        #expect(try Timestamp.parse("today", in: context).text(in: context.zone) == "2018-01-01 00:00:00-05")
        #expect(try Timestamp.parse("tomorrow 12:30", in: context).text(in: context.zone) == "2018-01-02 12:30:00-05")
        #expect(try Timestamp.parse("yesterday", in: context).text(in: context.zone) == "2017-12-31 00:00:00-05")
        #expect(
            try Timestamp.parse("now", as: .withoutTimeZone, in: context).textWithoutZone() == "2018-01-01 22:04:05.678"
        )
        #expect(try DayNumber.parse("today", in: context).text == "2018-01-01")
    }
}

@Suite struct TimeBucketTests {
    private func moment(_ text: String, _ zone: String = "UTC") throws -> Timestamp {
        try Timestamp.parse(text, in: testContext(zone))
    }

    private func bucket(
        _ width: String, _ time: String, origin: String? = nil, offset: String? = nil, zone: String? = nil
    ) throws -> String {
        let rules = try zone.map { try testZones.zone(named: $0) }
        let bucket = try TimeBucket(
            width: Interval.parse(width), origin: origin.map { try moment($0) },
            offset: offset.map { try Interval.parse($0) },
            zone: rules)
        return try bucket.start(of: moment(time)).text(in: rules ?? .utc)
    }

    @Test func bucketsBeginWhereTimescaleBeginsThem() throws {
        #expect(try bucket("5 minutes", "2018-01-02 10:03:59.999999") == "2018-01-02 10:00:00+00")
        #expect(try bucket("1 hour", "1969-12-31 23:59:59") == "1969-12-31 23:00:00+00")
        #expect(try bucket("1 day", "0044-03-15 12:00:00 BC") == "0044-03-15 00:00:00+00 BC")
        // Weeks begin on Monday.
        #expect(try bucket("1 week", "2018-01-07 12:00:00") == "2018-01-01 00:00:00+00")
        #expect(try bucket("7 days", "2018-01-08 00:00:00") == "2018-01-08 00:00:00+00")
        #expect(try bucket("7 minutes", "2000-01-03 00:07:30") == "2000-01-03 00:07:00+00")
        // Months count from 2000-01.
        #expect(try bucket("1 month", "2018-03-31 12:00:00") == "2018-03-01 00:00:00+00")
        #expect(try bucket("1 year", "1999-12-31 23:00:00") == "1999-01-01 00:00:00+00")
        #expect(try bucket("5 months", "2000-06-15") == "2000-06-01 00:00:00+00")
        #expect(try bucket("5 months", "1999-12-31") == "1999-08-01 00:00:00+00")
        #expect(try bucket("1 century", "1999-12-31") == "1900-01-01 00:00:00+00")
        // Origin and offset.
        #expect(
            try bucket("5 minutes", "2018-01-02 10:03:59", origin: "2018-01-01 00:01:00") == "2018-01-02 10:01:00+00")
        #expect(try bucket("1 day", "2018-01-02 03:00:00", offset: "6 hours") == "2018-01-01 06:00:00+00")
        #expect(try bucket("1 month", "2018-01-02 03:00:00", offset: "2 days") == "2017-12-03 00:00:00+00")
        #expect(try bucket("3 months", "2018-01-02", origin: "2018-02-01") == "2017-11-01 00:00:00+00")
        // On the clock of a zone.
        #expect(try bucket("1 day", "2018-03-11 12:00:00+00", zone: "America/New_York") == "2018-03-11 00:00:00-05")
        #expect(try bucket("1 day", "2018-03-12 03:00:00+00", zone: "America/New_York") == "2018-03-11 00:00:00-05")
        #expect(try bucket("1 month", "2018-03-31 23:00:00+00", zone: "Europe/Berlin") == "2018-04-01 00:00:00+02")
    }

    @Test func theHourThatTheClockShowsTwiceIsTwoBuckets() throws {
        #expect(try bucket("1 hour", "2018-11-04 05:30:00+00", zone: "America/New_York") == "2018-11-04 01:00:00-04")
        #expect(try bucket("1 hour", "2018-11-04 06:30:00+00", zone: "America/New_York") == "2018-11-04 01:00:00-05")
        #expect(try bucket("2 hours", "2018-11-04 06:30:00+00", zone: "America/New_York") == "2018-11-04 00:00:00-04")
    }

    @Test func widthsThatAreNoneAreRefused() throws {
        for width in ["0", "-1 hour", "-1 month", "1 month 1 day", "1 month 1 second"] {
            #expect(throws: ValueError.self) { try TimeBucket(width: Interval.parse(width)) }
        }
        #expect(throws: ValueError.self) { try TimeBucket(width: Interval.parse("1 day"), origin: .infinity) }
        let bucket = try TimeBucket(width: Interval.parse("1 day"))
        #expect(try bucket.start(of: .infinity) == .infinity)
        #expect(try bucket.start(of: .negativeInfinity) == .negativeInfinity)
        #expect(throws: ValueError.self) { try TimeBucket(width: Interval.parse("1 year 10 days")) }
    }

    @Test func everyBucketBeginsAtOrBeforeWhatItContains() throws {
        var generator = TypesGenerator()
        let zones: [String?] = [
            nil, "UTC", "America/New_York", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia",
        ]
        let widths = [
            ("1 microsecond", 0), ("7 seconds", 0), ("5 minutes", 0), ("45 minutes", 0), ("1 hour", 0), ("2 hours", 0),
            ("6 hours", 0), ("1 day", 1), ("7 days", 7), ("10 days", 10), ("1 month", 31), ("5 months", 153),
            ("1 year", 366), ("1 century", 36_525),
        ]
        var failures: [String] = []
        for _ in 0..<3_000 {
            let zone = try zones.randomElement(using: &generator)!.map { try testZones.zone(named: $0) }
            let (width, days) = widths.randomElement(using: &generator)!
            let span = try Interval.parse(width)
            let shift = Int64(generator.anyMagnitude(bitsMax: 36))
            let offset = Bool.random(using: &generator) ? Interval(microseconds: shift) : nil
            let bucket = try TimeBucket(width: span, offset: offset, zone: zone)
            var micros = Int64.random(in: -3_000_000_000_000_000...4_000_000_000_000_000, using: &generator)
            if let end = zone?.period(at: micros / 1_000_000).end, end != .max, Bool.random(using: &generator) {
                // Near a change of the clock.
                micros = end * 1_000_000 + Int64.random(in: -10_000_000_000...10_000_000_000, using: &generator)
            }
            let time = Timestamp(microseconds: micros)
            let later = Timestamp(microseconds: micros + Int64(generator.anyMagnitude(bitsMax: 34)))
            let start = try bucket.start(of: time)
            // A day of the clock is at most 48 hours (Apia, 1892); months have at most 31 days.
            let longest = Int64(days == 0 ? 0 : days + 2) * 86_400_000_000 + span.microseconds + 7_200_000_000
            let stretch = try bucket.stretch(from: time)
            let within = Timestamp(microseconds: Int64.random(in: micros..<stretch.end.microseconds, using: &generator))
            let isRight =
                try start == stretch.start && bucket.start(of: within) == start && start <= time
                && time.microseconds - start.microseconds <= longest
                && bucket.start(of: start) == start
                && bucket.start(of: Timestamp(microseconds: stretch.end.microseconds - 1)) == start
                && (days > 0 || bucket.start(of: later) >= start)
            if !isRight {
                failures.append("\(width) of \(time.text(in: zone ?? .utc)) in \(zone?.name ?? "-") is \(start.text())")
            }
        }
        #expect(failures.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.prefix(5))")
    }
}
