// SPDX-License-Identifier: Apache-2.0
//
// A time zone: which offset from UTC holds at each moment, past and future.
//
// A zone is a list of transitions (from a TZif file) and, after the last of them, a POSIX rule that repeats
// every year. Before the first transition the file's first type holds (local mean time), as in PostgreSQL.
// An instance never changes, so that any number of threads may share it.
//
// Local time to UTC follows PostgreSQL's DetermineTimeZoneOffset: in the gap of a spring-forward the offset
// before the transition counts, in the overlap of a fall-back the offset after it.

/// The rules of one time zone. Immutable; lookups are O(log transitions) and allocate nothing.
public final class TimeZoneRules: Sendable {
    /// The name under which the zone was asked for, such as `America/New_York` or `UTC`.
    public let name: String

    /// One kind of local time: an offset with its abbreviation.
    struct LocalTime: Sendable, Hashable {
        /// Seconds east of UTC.
        var offset: Int
        var isDaylight: Bool
        var abbreviation: String
    }

    /// Unix seconds, strictly ascending; transition i switches to `types[typeAfter[i]]`.
    let transitions: [Int64]
    let typeAfter: [UInt8]
    let types: [LocalTime]
    /// What holds after the last transition; nil keeps the last type for ever.
    let rule: POSIXTimeZone?

    /// UTC, built in.
    public static let utc = TimeZoneRules(fixedOffset: 0, name: "UTC", abbreviation: "UTC")

    init(name: String, transitions: [Int64], typeAfter: [UInt8], types: [LocalTime], rule: POSIXTimeZone?) {
        precondition(!types.isEmpty, "a zone has at least one local time")
        precondition(transitions.count == typeAfter.count, "each transition has a type")
        self.name = name
        self.transitions = transitions
        self.typeAfter = typeAfter
        self.types = types
        self.rule = rule
    }

    /// A zone whose offset never changes; `fixedOffset` is in seconds east of UTC.
    public convenience init(fixedOffset: Int, name: String, abbreviation: String? = nil) {
        let type = LocalTime(offset: fixedOffset, isDaylight: false, abbreviation: abbreviation ?? name)
        self.init(name: name, transitions: [], typeAfter: [], types: [type], rule: nil)
    }

    /// A zone given by a POSIX TZ string alone.
    convenience init(posix rule: POSIXTimeZone, name: String) {
        self.init(name: name, transitions: [], typeAfter: [], types: [rule.standard], rule: rule)
    }

    /// The offset when it is the same for ever, else nil. Lets a caller leave the lookup out of its loop.
    public var constantOffset: Int? {
        guard transitions.isEmpty, rule?.daylight == nil else { return nil }
        return types[0].offset
    }

    /// A stretch of time with one offset: valid for Unix seconds in [start, end).
    public struct Period: Sendable {
        /// Seconds east of UTC.
        public var offset: Int
        /// Whether the zone calls it daylight-saving time.
        public var isDaylight: Bool
        /// The first second of the stretch; `Int64.min` when it has no beginning.
        public var start: Int64
        /// The first second after the stretch; `Int64.max` when it has no end.
        public var end: Int64
        var type: LocalTime
        /// The abbreviation in use, such as `EST`.
        public var abbreviation: String { type.abbreviation }

        init(_ type: LocalTime, from start: Int64, to end: Int64) {
            offset = type.offset
            isDaylight = type.isDaylight
            self.start = start
            self.end = end
            self.type = type
        }
    }

    /// The period that contains a moment in Unix seconds. The same answer holds for its whole [start, end).
    public func period(at seconds: Int64) -> Period {
        guard let last = transitions.last else {
            return rule?.period(at: seconds) ?? Period(types[0], from: .min, to: .max)
        }
        if seconds >= last {
            let type = types[Int(typeAfter[typeAfter.count - 1])]
            guard var period = rule?.period(at: seconds) else { return Period(type, from: last, to: .max) }
            period.start = max(period.start, last)
            return period
        }
        // The number of transitions at or before the moment.
        var low = 0
        var high = transitions.count - 1
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return Period(types[0], from: .min, to: transitions[0]) }
        return Period(types[Int(typeAfter[low - 1])], from: transitions[low - 1], to: transitions[low])
    }

    /// Seconds east of UTC at a moment in Unix seconds.
    public func offset(at seconds: Int64) -> Int {
        constantOffset ?? period(at: seconds).offset
    }

    /// Seconds east of UTC for a local time, given as the seconds that it would be if it were UTC.
    public func offset(atLocal local: Int64) -> Int {
        if let constantOffset { return constantOffset }
        let before = period(at: local - 86_400)
        guard before.end != .max else { return before.offset }
        let boundary = before.end
        let after = period(at: boundary)
        let beforeTime = local - Int64(before.offset)
        let afterTime = local - Int64(after.offset)
        if beforeTime < boundary, afterTime < boundary { return before.offset }
        if beforeTime > boundary, afterTime >= boundary { return after.offset }
        return beforeTime > afterTime ? before.offset : after.offset
    }
}

extension TimeZoneRules {
    /// Local wall-clock microseconds of a finite moment.
    @inline(__always)
    func local(_ utc: Timestamp) -> Int64 {
        if let constantOffset { return utc.microseconds &+ Int64(constantOffset) &* Microseconds.perSecond }
        let seconds = utc.microseconds.flooredQuotient(Microseconds.perSecond)
        return utc.microseconds &+ Int64(offset(at: seconds)) &* Microseconds.perSecond
    }

    /// The moment of local wall-clock microseconds; error 22008 when it leaves the range.
    func utc(fromLocal local: Int64) throws(ValueError) -> Timestamp {
        let seconds = local.flooredQuotient(Microseconds.perSecond)
        let offset = Int64(offset(atLocal: seconds)) * Microseconds.perSecond
        return try Timestamp.checked(local.subtractingReportingOverflow(offset))
    }
}

/// A zone is its name and rules: two zones that were loaded twice are equal when their rules are.
extension TimeZoneRules: Hashable {
    /// Compares name and rules.
    public static func == (left: TimeZoneRules, right: TimeZoneRules) -> Bool {
        left === right
            || (left.name == right.name && left.transitions == right.transitions
                && left.typeAfter == right.typeAfter && left.types == right.types && left.rule == right.rule)
    }

    /// Hashes the name.
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
