// SPDX-License-Identifier: Apache-2.0
//
// time_bucket: equal stretches of time, counted from an origin.
//
// Widths of days and less are one number of microseconds, counted from Monday 2000-01-03; widths of months are
// counted from 2000-01 and begin on the first of a month (TimescaleDB's origins). With a zone, the stretches lie on
// its clock. Where the clock shows an hour twice, a bucket below a day keeps the offset of its moment, so that a
// bucket never begins after what it contains.
//
// Source: the behaviour of TimescaleDB's time_bucket.

/// How time is cut into buckets. Make one, then ask it for many moments.
public struct TimeBucket: Sendable, Hashable {
    /// What a bucket is on the local clock.
    public enum Step: Sendable, Hashable {
        /// `width` microseconds, one of which begins at `origin`.
        case fixed(width: Int64, origin: Int64)
        /// `count` months, one of which begins with month number `origin` (12 x year + month - 1).
        case months(count: Int, origin: Int)
    }

    /// What a bucket is on the local clock.
    public let step: Step
    /// The zone whose clock counts; nil takes the value as it is.
    public let zone: TimeZoneRules?
    /// How far all buckets are shifted.
    public let offset: Interval?

    /// Plans buckets.
    ///
    /// Errors 22023 for a width of nothing or less, and for months together with days or time.
    ///
    /// - Parameters:
    ///   - width: the length of a bucket.
    ///   - origin: a moment at which a bucket begins; for months only its month counts.
    ///   - offset: shifts all buckets.
    ///   - zone: counts on the clock of this zone, for TIMESTAMPTZ.
    public init(
        width: Interval, origin: Timestamp? = nil, offset: Interval? = nil, zone: TimeZoneRules? = nil
    ) throws(ValueError) {
        let isUTC = zone?.constantOffset == 0
        self.zone = isUTC ? nil : zone
        self.offset = offset
        if let origin, !origin.isFinite { throw .invalidParameter("invalid origin value: infinity") }
        let localOrigin = try origin.map { origin throws(ValueError) in
            if let zone { return try origin.local(in: zone) }
            return origin
        }
        if width.months != 0 {
            guard width.days == 0, width.microseconds == 0 else {
                throw .invalidParameter("month intervals cannot have day or time component")
            }
            guard width.months > 0 else { throw .invalidParameter("period must be greater than 0") }
            let month = localOrigin.map { LocalDateTime(localMicroseconds: $0.microseconds).date.monthNumber }
            step = .months(count: Int(width.months), origin: month ?? 2_000 * 12)
            return
        }
        let wide = Int128(width.days) * Int128(Microseconds.perDay) + Int128(width.microseconds)
        guard wide > 0 else { throw .invalidParameter("period must be greater than 0") }
        guard let micros = Int64(exactly: wide) else { throw .intervalOutOfRange }
        let start = localOrigin?.microseconds ?? TimeBucket.mondayOrigin
        // Only the remainder matters, and a small one keeps sums from overflowing.
        step = .fixed(width: micros, origin: start.flooredRemainder(micros))
    }

    /// 2000-01-03, a Monday.
    static let mondayOrigin: Int64 = 946_857_600_000_000

    /// Width and origin in microseconds when buckets are the same for ever, for kernels that walk runs; else nil.
    public var fixed: (width: Int64, origin: Int64)? {
        guard zone == nil, offset == nil, case .fixed(let width, let origin) = step else { return nil }
        return (width, origin)
    }

    /// The start of the bucket that contains a moment; the infinities stay. Error 22008 out of range.
    @inline(__always)
    public func start(of moment: Timestamp) throws(ValueError) -> Timestamp {
        if let (width, origin) = fixed, moment.isFinite {
            return try .checked(TimeBucket.floor(moment.microseconds, width, origin))
        }
        return try generalStart(of: moment)
    }

    /// The first moment after the bucket that begins at `start`; error 22008 out of range.
    public func end(ofBucketAt start: Timestamp) throws(ValueError) -> Timestamp {
        guard start.isFinite else { return start }
        let unshifted = try offset.map { offset throws(ValueError) in try start.subtracting(offset) } ?? start
        let local = try zone.map { zone throws(ValueError) in try unshifted.local(in: zone) } ?? unshifted
        let next = try nextLocalStart(after: unshifted, local: local)
        return try offset.map { offset throws(ValueError) in try next.adding(offset) } ?? next
    }

    /// The next bucket's start before it is shifted by `offset`.
    private func nextLocalStart(after start: Timestamp, local: Timestamp) throws(ValueError) -> Timestamp {
        switch step {
        case .fixed(let width, _):
            if let zone, width < Microseconds.perDay {
                // On the absolute clock first: a bucket below a day may be the first of two that look alike.
                let after = try Timestamp.checked(start.microseconds.addingReportingOverflow(width))
                let found = try localStart(of: after, zone)
                if found > start { return found }
            }
            let next = try Timestamp.checked(local.microseconds.addingReportingOverflow(width))
            return try zone.map { zone throws(ValueError) in try next.absolute(in: zone) } ?? next
        case .months(let count, _):
            let next = try local.adding(Interval(months: Int32(count)))
            return try zone.map { zone throws(ValueError) in try next.absolute(in: zone) } ?? next
        }
    }

    private static func floor(_ value: Int64, _ width: Int64, _ origin: Int64) -> Int64 {
        // In range: values are within 2^63 - 2^47 of zero on the high side, origins are below their width.
        let shifted = value.subtractingReportingOverflow(origin)
        if shifted.overflow { return .min }
        let (start, overflow) = value.subtractingReportingOverflow(shifted.partialValue.flooredRemainder(width))
        return overflow ? .min : start
    }

    @inline(never)
    private func generalStart(of moment: Timestamp) throws(ValueError) -> Timestamp {
        guard moment.isFinite else { return moment }
        let shifted = try offset.map { offset throws(ValueError) in try moment.subtracting(offset) } ?? moment
        let start =
            if let zone { try localStart(of: shifted, zone) } else { try clockStart(shifted) }
        return try offset.map { offset throws(ValueError) in try start.adding(offset) } ?? start
    }

    private func localStart(of moment: Timestamp, _ zone: TimeZoneRules) throws(ValueError) -> Timestamp {
        let local = try moment.local(in: zone)
        let start = try clockStart(local)
        if case .fixed(let width, _) = step, width < Microseconds.perDay {
            let offset = local.microseconds - moment.microseconds
            let candidate = try Timestamp.checked(start.microseconds.subtractingReportingOverflow(offset))
            if zone.local(candidate) == start.microseconds { return candidate }
        }
        return try start.absolute(in: zone)
    }

    /// The start of a bucket on the clock.
    private func clockStart(_ local: Timestamp) throws(ValueError) -> Timestamp {
        switch step {
        case .fixed(let width, let origin):
            return try .checked(TimeBucket.floor(local.microseconds, width, origin))
        case .months(let count, let origin):
            let month = LocalDateTime(localMicroseconds: local.microseconds).date.monthNumber
            let first = month - (month - origin).flooredRemainder(count)
            return try .checked(
                LocalDateTime.microseconds(days: CivilDate(monthNumber: first).daysSinceEpoch, time: 0))
        }
    }
}
