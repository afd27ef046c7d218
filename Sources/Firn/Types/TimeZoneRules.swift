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
    /// The number of transitions at or before the start of each slot of time; see `transitionCount(at:)`.
    private let slots: [UInt16]

    /// Slots are 2^22 seconds (48.5 days) and cover 1901 to 2112, so that a look-up there takes one or two steps.
    private static let slotShift: Int64 = 22
    private static let slotBase: Int64 = -2_177_452_800
    private static let slotCount = 1_588

    /// UTC, built in.
    public static let utc = TimeZoneRules(fixedOffset: 0, name: "UTC", abbreviation: "UTC")

    init(name: String, transitions: [Int64], typeAfter: [UInt8], types: [LocalTime], rule: POSIXTimeZone?) {
        precondition(!types.isEmpty, "a zone has at least one local time")
        precondition(transitions.count == typeAfter.count, "each transition has a type")
        var transitions = transitions
        var typeAfter = typeAfter
        var types = types
        if let rule {
            TimeZoneRules.unroll(rule, &transitions, &typeAfter, &types)
        }
        self.name = name
        self.transitions = transitions
        self.typeAfter = typeAfter
        self.types = types
        self.rule = rule
        guard !transitions.isEmpty, transitions.count < 65_536 else {
            slots = []
            return
        }
        var slots: [UInt16] = []
        var count = 0
        for slot in 0..<TimeZoneRules.slotCount {
            let start = TimeZoneRules.slotBase + Int64(slot) << TimeZoneRules.slotShift
            while count < transitions.count, transitions[count] <= start { count += 1 }
            slots.append(UInt16(count))
        }
        self.slots = slots
    }

    /// Writes out the yearly changes of a rule up to the year 2100, so that they are looked up and not computed.
    private static func unroll(
        _ rule: POSIXTimeZone, _ transitions: inout [Int64], _ typeAfter: inout [UInt8], _ types: inout [LocalTime]
    ) {
        guard rule.daylight != nil, let last = transitions.last, types.count < 250 else { return }
        let limit = Int64(CivilDate(year: 2_100, month: 1, day: 1).daysSinceEpoch) * 86_400
        var moment = last
        while moment < limit {
            let period = rule.period(at: moment)
            guard period.end > moment, period.end < limit else { return }
            moment = period.end
            let type = rule.period(at: moment).type
            if !types.contains(type) { types.append(type) }
            transitions.append(moment)
            typeAfter.append(UInt8(types.firstIndex(of: type) ?? 0))
        }
    }

    /// A zone whose offset never changes; `fixedOffset` is in seconds east of UTC.
    convenience init(fixedOffset: Int, name: String, abbreviation: String? = nil) {
        let type = LocalTime(offset: fixedOffset, isDaylight: false, abbreviation: abbreviation ?? name)
        self.init(name: name, transitions: [], typeAfter: [], types: [type], rule: nil)
    }

    /// A zone given by a POSIX TZ string alone.
    convenience init(posix rule: POSIXTimeZone, name: String) {
        self.init(name: name, transitions: [], typeAfter: [], types: [rule.standard], rule: rule)
    }

    /// The offset when it is the same for ever, else nil. Lets a caller leave the lookup out of its loop.
    var constantOffset: Int? {
        guard transitions.isEmpty, rule?.daylight == nil else { return nil }
        return types[0].offset
    }

    /// A stretch of time with one offset: valid for Unix seconds in [start, end).
    struct Period: Sendable {
        /// Seconds east of UTC.
        var offset: Int
        /// Whether the zone calls it daylight-saving time.
        var isDaylight: Bool
        /// The first second of the stretch; `Int64.min` when it has no beginning.
        var start: Int64
        /// The first second after the stretch; `Int64.max` when it has no end.
        var end: Int64
        var type: LocalTime
        /// The abbreviation in use, such as `EST`.
        var abbreviation: String { type.abbreviation }

        init(_ type: LocalTime, from start: Int64, to end: Int64) {
            offset = type.offset
            isDaylight = type.isDaylight
            self.start = start
            self.end = end
            self.type = type
        }
    }

    /// The number of transitions at or before a moment in Unix seconds.
    @inline(__always)
    private func transitionCount(at seconds: Int64) -> Int {
        // A moment before the slots' base has a negative number, which is large without its sign.
        let slot = (seconds &- TimeZoneRules.slotBase) >> TimeZoneRules.slotShift
        if UInt64(bitPattern: slot) < UInt64(slots.count) {
            var count = Int(slots[Int(slot)])
            while count < transitions.count, transitions[count] <= seconds { count &+= 1 }
            return count
        }
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The period that contains a moment in Unix seconds. The same answer holds for its whole [start, end).
    func period(at seconds: Int64) -> Period {
        let count = transitionCount(at: seconds)
        let start = count == 0 ? Int64.min : transitions[count - 1]
        if count < transitions.count {
            return Period(typeAfterTransitions(count), from: start, to: transitions[count])
        }
        guard var period = rule?.period(at: seconds) else {
            return Period(typeAfterTransitions(count), from: start, to: .max)
        }
        period.start = max(period.start, start)
        return period
    }

    @inline(__always)
    private func typeAfterTransitions(_ count: Int) -> LocalTime {
        count == 0 ? types[0] : types[Int(typeAfter[count - 1])]
    }

    /// Seconds east of UTC at a moment in Unix seconds.
    func offset(at seconds: Int64) -> Int {
        if let constantOffset { return constantOffset }
        let count = transitionCount(at: seconds)
        if count == transitions.count, let rule { return rule.period(at: seconds).offset }
        return count == 0 ? types[0].offset : types[Int(typeAfter[count - 1])].offset
    }

    /// Seconds east of UTC for a local time, given as the seconds that it would be if it were UTC.
    func offset(atLocal local: Int64) -> Int {
        if let constantOffset { return constantOffset }
        let dayBefore = local - 86_400
        let count = transitionCount(at: dayBefore)
        if count < transitions.count {
            // The usual case: the next transition is more than two days away, so that neither its gap nor its
            // overlap is near.
            let offset = count == 0 ? types[0].offset : types[Int(typeAfter[count - 1])].offset
            if transitions[count] > local + 86_400 { return offset }
        }
        let before = period(at: dayBefore)
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

    /// The first moment at which the clock reaches local microseconds: the earlier one of an overlap, the change
    /// itself for a time in a gap.
    func firstMoment(showing local: Int64) -> Int64 {
        let seconds = local.flooredQuotient(Microseconds.perSecond)
        let before = period(at: seconds - 86_400)
        let first = local - Int64(before.offset) * Microseconds.perSecond
        // The next change may lie beyond the last moment that microseconds count.
        let (change, overflow) = before.end.multipliedReportingOverflow(by: Microseconds.perSecond)
        guard before.end != .max, !overflow, first >= change else { return first }
        let after = local - Int64(period(at: before.end).offset) * Microseconds.perSecond
        return max(after, change)
    }

    /// The moment of local wall-clock microseconds; error 22008 when it leaves the range.
    func utc(fromLocal local: Int64) throws(ValueError) -> Timestamp {
        let seconds = local.flooredQuotient(Microseconds.perSecond)
        let offset = Int64(offset(atLocal: seconds)) * Microseconds.perSecond
        return try Timestamp.checked(local.subtractingReportingOverflow(offset))
    }
}

extension TimeZoneRules {
    /// The zone as an abbreviation of it is read: with each use the offset that it then had, which stays through what
    /// else the zone calls its time. Nil where the zone never used it.
    ///
    /// Source: the behaviour of pg_interpret_timezone_abbrev, PostgreSQL 15.
    func uses(ofAbbreviation name: String) -> TimeZoneRules? {
        let wanted = name.uppercased()
        func isUse(_ type: LocalTime) -> Bool { type.abbreviation.uppercased() == wanted }
        var current = types.first.flatMap { isUse($0) ? $0 : nil }
        var initial = current
        var changes: [(moment: Int64, type: LocalTime)] = []
        for (moment, number) in zip(transitions, typeAfter) where isUse(types[Int(number)]) {
            let type = types[Int(number)]
            if initial == nil { initial = type } else if type != current { changes.append((moment, type)) }
            current = type
        }
        guard let initial else { return nil }
        var kinds = [initial]
        for change in changes where !kinds.contains(change.type) { kinds.append(change.type) }
        return TimeZoneRules(
            name: name.uppercased(), transitions: changes.map(\.moment),
            typeAfter: changes.map { change in UInt8(kinds.firstIndex(of: change.type)!) }, types: kinds, rule: nil)
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
