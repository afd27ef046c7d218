// SPDX-License-Identifier: Apache-2.0
//
// Moments and days as integers: TIMESTAMPTZ and TIMESTAMP (microseconds), TIMESTAMPTZ(9) (nanoseconds), DATE.
//
// A column holds the plain integer; these structs give it a meaning at no cost. TIMESTAMPTZ is UTC; TIMESTAMP
// is the same count read off a clock on the wall, so both share `Timestamp`. The two ends of the integer are
// -infinity and infinity. Finite values lie in the half-open range [earliest, limit); what a computation
// leaves outside is error 22008, never a wrapped value.

/// A moment in microseconds since 1970-01-01T00:00:00Z, from 4714-11-24 BC to 294246-12-31.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since the epoch; `Int64.min` is -infinity, `Int64.max` is infinity.
    public var microseconds: Int64

    /// Wraps a count of microseconds, which the caller has checked or read from a column.
    @inline(__always)
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// Before every finite moment.
    public static let negativeInfinity = Timestamp(microseconds: .min)
    /// After every finite moment.
    public static let infinity = Timestamp(microseconds: .max)
    /// 1970-01-01T00:00:00Z.
    public static let epoch = Timestamp(microseconds: 0)
    /// The first finite moment, 4714-11-24 BC 00:00:00 (Julian day 0).
    public static let earliest = Timestamp(microseconds: -2_440_588 * Microseconds.perDay)
    /// The first moment after the last finite one: 294247-01-01 00:00:00.
    public static let limit = Timestamp(
        microseconds: Int64(CivilDate(year: 294_247, month: 1, day: 1).daysSinceEpoch) * Microseconds.perDay)

    /// Whether the value is neither infinity nor -infinity.
    @inline(__always)
    public var isFinite: Bool { microseconds != .min && microseconds != .max }

    /// Earlier moments come first; the infinities are the ends.
    @inline(__always)
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// The value when it is finite and in range, else error 22008.
    static func checked(_ microseconds: Int64) throws(ValueError) -> Timestamp {
        guard microseconds >= earliest.microseconds, microseconds < limit.microseconds else {
            throw .timestampOutOfRange
        }
        return Timestamp(microseconds: microseconds)
    }

    static func checked(_ microseconds: Int128) throws(ValueError) -> Timestamp {
        guard let narrow = Int64(exactly: microseconds) else { throw .timestampOutOfRange }
        return try checked(narrow)
    }

    static func checked(_ sum: (partialValue: Int64, overflow: Bool)) throws(ValueError) -> Timestamp {
        guard !sum.overflow else { throw .timestampOutOfRange }
        return try checked(sum.partialValue)
    }

    /// Midnight of a day; error 22008 beyond the range of timestamps. Infinite days stay infinite.
    public init(_ day: DayNumber) throws(ValueError) {
        if !day.isFinite {
            self = day == .infinity ? .infinity : .negativeInfinity
        } else {
            let microseconds = Int64(day.days).multipliedReportingOverflow(by: Microseconds.perDay)
            guard !microseconds.overflow, microseconds.partialValue < Timestamp.limit.microseconds,
                microseconds.partialValue >= Timestamp.earliest.microseconds
            else { throw ValueError(code: "22008", message: "date out of range for timestamp") }
            self = Timestamp(microseconds: microseconds.partialValue)
        }
    }

    /// The day of the moment, read as UTC; the infinities stay.
    public var day: DayNumber {
        if !isFinite { return self == .infinity ? .infinity : .negativeInfinity }
        return DayNumber(days: Int32(microseconds.flooredQuotient(Microseconds.perDay)))
    }
}

/// A moment in nanoseconds since 1970-01-01T00:00:00Z, from 1677-09-21 to 2262-04-11: TIMESTAMPTZ(9).
public struct NanosecondTimestamp: Sendable, Hashable, Comparable {
    /// Nanoseconds since the epoch; `Int64.min` is -infinity, `Int64.max` is infinity.
    public var nanoseconds: Int64

    /// Wraps a count of nanoseconds, which the caller has checked or read from a column.
    @inline(__always)
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Before every finite moment.
    public static let negativeInfinity = NanosecondTimestamp(nanoseconds: .min)
    /// After every finite moment.
    public static let infinity = NanosecondTimestamp(nanoseconds: .max)

    /// Whether the value is neither infinity nor -infinity.
    @inline(__always)
    public var isFinite: Bool { nanoseconds != .min && nanoseconds != .max }

    /// Earlier moments come first; the infinities are the ends.
    @inline(__always)
    public static func < (left: NanosecondTimestamp, right: NanosecondTimestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The same moment in nanoseconds; error 22008 outside 1677-09-21 to 2262-04-11. The infinities stay.
    public init(_ timestamp: Timestamp) throws(ValueError) {
        if !timestamp.isFinite {
            self.nanoseconds = timestamp.microseconds
            return
        }
        let (nanoseconds, overflow) = timestamp.microseconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { throw .timestampOutOfRange }
        self.nanoseconds = nanoseconds
    }

    /// The microsecond that contains the moment, rounded down, and the nanoseconds beyond it, 0 to 999.
    var split: (timestamp: Timestamp, nanoseconds: Int64) {
        guard isFinite else { return (Timestamp(microseconds: nanoseconds), 0) }
        return (
            Timestamp(microseconds: nanoseconds.flooredQuotient(1_000)), nanoseconds.flooredRemainder(1_000)
        )
    }

    /// Joins a microsecond and nanoseconds beyond it; error 22008 where the sum does not fit.
    init(_ timestamp: Timestamp, addingNanoseconds rest: Int64) throws(ValueError) {
        guard timestamp.isFinite else {
            self.nanoseconds = timestamp.microseconds
            return
        }
        // The first microsecond of the range begins before it.
        let sum = Int64(exactly: Int128(timestamp.microseconds) * 1_000 + Int128(rest))
        guard let sum, sum != .min, sum != .max else { throw .timestampOutOfRange }
        nanoseconds = sum
    }
}

/// A DATE: days since 1970-01-01, from 4714-11-24 BC to 5874897-12-31.
public struct DayNumber: Sendable, Hashable, Comparable {
    /// Days since the epoch; `Int32.min` is -infinity, `Int32.max` is infinity.
    public var days: Int32

    /// Wraps a count of days, which the caller has checked or read from a column.
    @inline(__always)
    public init(days: Int32) { self.days = days }

    /// Before every finite day.
    public static let negativeInfinity = DayNumber(days: .min)
    /// After every finite day.
    public static let infinity = DayNumber(days: .max)
    /// 4714-11-24 BC.
    public static let earliest = DayNumber(days: -2_440_588)
    /// The first day after the last finite one: 5874898-01-01.
    public static let limit = DayNumber(
        days: Int32(CivilDate(year: 5_874_898, month: 1, day: 1).daysSinceEpoch))

    /// Whether the value is neither infinity nor -infinity.
    @inline(__always)
    public var isFinite: Bool { days != .min && days != .max }

    /// Earlier days come first; the infinities are the ends.
    @inline(__always)
    public static func < (left: DayNumber, right: DayNumber) -> Bool { left.days < right.days }

    /// The value when it is in range, else error 22008.
    static func checked(_ days: Int) throws(ValueError) -> DayNumber {
        guard days >= Int(earliest.days), days < Int(limit.days) else { throw .dateOutOfRange }
        return DayNumber(days: Int32(days))
    }

    /// The day of the calendar; only for a finite value.
    var civil: CivilDate {
        precondition(isFinite, "an infinite date has no year, month and day")
        return CivilDate(daysSinceEpoch: Int(days))
    }

    /// Adds days; the infinities stay; error 22008 beyond the range.
    public func adding(days count: Int) throws(ValueError) -> DayNumber {
        guard isFinite else { return self }
        let (sum, overflow) = Int(days).addingReportingOverflow(count)
        guard !overflow else { throw .dateOutOfRange }
        return try DayNumber.checked(sum)
    }

    /// Whole days from `other` to this date; error 22008 when one of them is infinite.
    public func days(since other: DayNumber) throws(ValueError) -> Int {
        guard isFinite, other.isFinite else {
            throw ValueError(code: "22008", message: "cannot subtract infinite dates")
        }
        return Int(days) - Int(other.days)
    }
}

/// Microseconds in the larger units.
enum Microseconds {
    static let perMillisecond: Int64 = 1_000
    static let perSecond: Int64 = 1_000_000
    static let perMinute: Int64 = 60_000_000
    static let perHour: Int64 = 3_600_000_000
    static let perDay: Int64 = 86_400_000_000
}
