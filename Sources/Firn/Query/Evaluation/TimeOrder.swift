// SPDX-License-Identifier: Apache-2.0
//
// Times of different types and units in order, without a cast: DATE beside TIMESTAMP, microseconds beside nanoseconds,
// either beside TIMESTAMPTZ.
//
// A cast to the type of the other side may have no value there: the year 9999 no nanoseconds, the year 300000 no
// timestamp. So both sides are counted in nanoseconds of 128 bits, which hold every moment of every type; what has no
// zone is read on the clock of the session where the other side has one. The infinities of all types are the ends.

enum TimeOrder {
    /// Whether values of the two types are compared this way where a cast might fail.
    static func applies(to left: DataType, _ right: DataType) -> Bool {
        left != right && left.family.category == .dateTime && right.family.category == .dateTime
    }

    /// -1, 0 or 1 for a moment before, at or after another.
    static func function(_ left: DataType, _ right: DataType) -> ScalarFunction {
        let isAbsolute = left.family == .timestamptz || right.family == .timestamptz
        return ScalarFunction(
            name: "time_order", argumentTypes: [left, right], resultType: .integer, volatility: .stable,
            nulls: .neverSeen, mayFail: false
        ) { arguments, count, context throws(FirnError) in
            let (lefts, rights) = (arguments[0].integers, arguments[1].integers)
            var results: [Int64] = []
            results.reserveCapacity(count)
            for row in 0..<count {
                let first = nanoseconds(lefts[row], left, isAbsolute, context.timeZone)
                let second = nanoseconds(rights[row], right, isAbsolute, context.timeZone)
                results.append(first < second ? -1 : (first == second ? 0 : 1))
            }
            return .integers(results, .integer)
        }
    }

    private static func nanoseconds(
        _ value: Int64, _ type: DataType, _ isAbsolute: Bool, _ zone: TimeZoneRules
    ) -> Int128 {
        var moment: Int128
        switch type {
        case .date:
            let day = DayNumber(days: Int32(truncatingIfNeeded: value))
            if !day.isFinite { return day == .infinity ? .max : .min }
            moment = Int128(value) * Int128(Microseconds.perDay) * 1_000
        default:
            if value == .min || value == .max { return value == .max ? .max : .min }
            moment = Int128(value) * (type.isNanoseconds ? 1 : 1_000)
        }
        guard isAbsolute, type.family != .timestamptz else { return moment }
        // Days of DATE are below 2^32: their seconds fit.
        let seconds = Int64(truncatingIfNeeded: moment.flooredQuotient(1_000_000_000))
        moment -= Int128(zone.offset(atLocal: seconds)) * 1_000_000_000
        return moment
    }
}
