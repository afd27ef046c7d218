// SPDX-License-Identifier: Apache-2.0
//
// time_bucket: equal stretches of time, counted from an origin.
//
// Widths of days and less are one number of microseconds, counted from Monday 2000-01-03; widths of months are
// counted from 2000-01 and begin on the first of a month (TimescaleDB's origins). With a zone, the stretches lie on
// its clock, and a bucket never begins after what it contains: a start that the clock shows twice is the first of
// them, one that it skips is the moment of the change. Below a day the hour that the clock shows twice is two
// buckets. Starts ascend with time, but for days and months of the rare zones that set the clock back over midnight.
//
// Source: the behaviour of TimescaleDB's time_bucket.

/// How time is cut into buckets. Make one, then ask it for many moments.
struct TimeBucket: Sendable, Hashable {
    /// What a bucket is on the local clock.
    enum Step: Sendable, Hashable {
        /// `width` microseconds, one of which begins at `origin`.
        case fixed(width: Int64, origin: Int64)
        /// `count` months, one of which begins with month number `origin` (12 x year + month - 1).
        case months(count: Int, origin: Int)
    }

    /// What a bucket is on the local clock.
    let step: Step
    /// The zone whose clock counts; nil takes the value as it is.
    let zone: TimeZoneRules?
    /// How far all buckets are shifted.
    let offset: Interval?

    /// Plans buckets.
    ///
    /// Errors 22023 for a width of nothing or less, and for months together with days or time.
    ///
    /// - Parameters:
    ///   - width: the length of a bucket.
    ///   - origin: a moment at which a bucket begins; for months only its month counts.
    ///   - offset: shifts all buckets.
    ///   - zone: counts on the clock of this zone, for TIMESTAMPTZ.
    init(
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
    var fixed: (width: Int64, origin: Int64)? {
        guard zone == nil, offset == nil, case .fixed(let width, let origin) = step else { return nil }
        return (width, origin)
    }

    /// The start of the bucket that contains a moment; the infinities stay. Error 22008 out of range.
    @inline(__always)
    func start(of moment: Timestamp) throws(ValueError) -> Timestamp {
        if let (width, origin) = fixed, moment.isFinite {
            return try .checked(TimeBucket.floor(moment.microseconds, width, origin))
        }
        return try generalStart(of: moment)
    }

    /// The start of the bucket that contains a finite moment, and a later moment up to which all have that start.
    ///
    /// `end` is the end of the bucket or, sooner, the next change of the clock: what a caller that meets ascending
    /// times may reuse. Error 22008 out of range.
    func stretch(from moment: Timestamp) throws(ValueError) -> (start: Timestamp, end: Timestamp) {
        let start = try start(of: moment)
        // A shift of months is not the same for neighbouring moments.
        if let offset, offset.months != 0 { return (start, Timestamp(microseconds: moment.microseconds + 1)) }
        let shift = Int128(offset?.days ?? 0) * Int128(Microseconds.perDay) + Int128(offset?.microseconds ?? 0)
        guard let shifted = Int64(exactly: Int128(moment.microseconds) - shift) else { throw .timestampOutOfRange }
        let period = zone?.period(at: shifted.flooredQuotient(Microseconds.perSecond))
        let clockShift = Int128(period?.offset ?? 0) * Int128(Microseconds.perSecond)
        let clock = try clockStart(.checked(Int128(shifted) + clockShift))
        var end: Int128
        switch step {
        case .fixed(let width, _): end = Int128(clock.microseconds) + Int128(width)
        case .months(let count, _):
            let month = LocalDateTime(localMicroseconds: clock.microseconds).date.monthNumber + count
            end = Int128(CivilDate(monthNumber: month).daysSinceEpoch) * Int128(Microseconds.perDay)
        }
        end -= clockShift
        if let period, period.end != .max { end = min(end, Int128(period.end) * Int128(Microseconds.perSecond)) }
        // Beyond the range there are no moments that the end could leave out.
        return (start, Timestamp(microseconds: Int64(clamping: min(end + shift, Int128(Timestamp.limit.microseconds)))))
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
        let start = try clockStart(moment.local(in: zone))
        let reached = try Timestamp.checked(zone.firstMoment(showing: start.microseconds))
        guard case .fixed(let width, _) = step, width < Microseconds.perDay else { return reached }
        // Below a day a bucket belongs to one offset, so that times that the clock shows twice are two buckets;
        // one that is wider than the overlap goes on through it.
        let period = zone.period(at: moment.microseconds.flooredQuotient(Microseconds.perSecond))
        guard period.start != .min else { return reached }
        let periodStart = period.start * Microseconds.perSecond
        let candidate = start.microseconds - Int64(period.offset) * Microseconds.perSecond
        if candidate >= periodStart { return try .checked(candidate) }
        let previous = try localStart(of: Timestamp(microseconds: periodStart - 1), zone)
        return previous == reached ? reached : Timestamp(microseconds: periodStart)
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
