// SPDX-License-Identifier: Apache-2.0
//
// Functions of double precision numbers, with PostgreSQL's domain errors; random numbers and random UUIDs.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension FunctionCatalogue {
    mutating func addMathFunctions() {
        addDouble("abs") { Swift.abs($0) }
        addOperator("@", overload: .double { Swift.abs($0) })
        addDouble("ceil") { $0.rounded(.up) }
        addDouble("ceiling") { $0.rounded(.up) }
        addDouble("floor") { $0.rounded(.down) }
        addDouble("round") { $0.rounded(.toNearestOrEven) }
        addDouble("trunc") { $0.rounded(.towardZero) }
        addDouble("sign") { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) }
        addDouble("cbrt") { cbrt($0) }
        addFunction(
            "degrees",
            overload: .tryDouble { value throws(FirnError) in
                let degrees = value / radiansPerDegree
                if degrees.isInfinite, value.isFinite { throw .floatOverflow }
                return degrees
            })
        addFunction(
            "radians",
            overload: .tryDouble { value throws(FirnError) in
                let radians = value * radiansPerDegree
                if radians == 0, value != 0 { throw .floatUnderflow }
                return radians
            })
        addDouble("atan") { atan($0) }
        addDouble("sinh") { sinh($0) }
        addDouble("cosh") { cosh($0) }
        addDouble("tanh") { tanh($0) }
        addDouble("asinh") { asinh($0) }
        addOperator("|/", overload: .tryDouble { value throws(FirnError) in try squareRoot(value) })
        addOperator("||/", overload: .double { cbrt($0) })
        addFunction("sqrt", overload: .tryDouble { value throws(FirnError) in try squareRoot(value) })
        addFunction(
            "exp",
            overload: .tryDouble { value throws(FirnError) in
                let result = exp(value)
                if result.isInfinite, value.isFinite { throw .floatOverflow }
                if result == 0, value.isFinite { throw .floatUnderflow }
                return result
            })
        addFunction("ln", overload: .tryDouble { value throws(FirnError) in log(try logarithmic(value)) })
        addFunction(
            "log", "log10", overload: .tryDouble { value throws(FirnError) in log10(try logarithmic(value)) })
        addFunction(
            "power", "pow", overload: .tryDoubles { base, exponent throws(FirnError) in try power(base, exponent) })
        addOperator("^", overload: .tryDoubles { base, exponent throws(FirnError) in try power(base, exponent) })
        addFunction("atan2", overload: .tryDoubles { y, x throws(FirnError) in atan2(y, x) })
        addFunction("sin", overload: .tryDouble { value throws(FirnError) in sin(try finite(value)) })
        addFunction("cos", overload: .tryDouble { value throws(FirnError) in cos(try finite(value)) })
        addFunction("tan", overload: .tryDouble { value throws(FirnError) in tan(try finite(value)) })
        addFunction("asin", overload: .tryDouble { value throws(FirnError) in asin(try within(value, -1...1)) })
        addFunction("acos", overload: .tryDouble { value throws(FirnError) in acos(try within(value, -1...1)) })
        addFunction(
            "acosh", overload: .tryDouble { value throws(FirnError) in acosh(try within(value, 1...Double.infinity)) })
        addFunction("atanh", overload: .tryDouble { value throws(FirnError) in atanh(try within(value, -1...1)) })
        addFunction(
            "pi",
            overload: FunctionOverload([], .double, mayFail: false) { _, _, _ throws(FirnError) in
                .constant(.double(Double.pi), .double)
            })
        addFunction("width_bucket", overload: .widthBucket)
        addRandomFunctions()
    }

    private mutating func addDouble(_ name: String, _ body: @escaping @Sendable (Double) -> Double) {
        addFunction(name, overload: .double(body))
    }

    private mutating func addRandomFunctions() {
        addFunction(
            "random",
            overload: FunctionOverload([], .double, volatility: .volatile, mayFail: false) {
                _, count, context throws(FirnError) in
                // 53 bits: every double of [0, 1) on that grid is as likely.
                .doubles((0..<count).map { _ in Double(context.random.next() >> 11) * 0x1p-53 })
            })
        addFunction(
            "gen_random_uuid", "uuid_generate_v4",
            overload: FunctionOverload([], .uuid, volatility: .volatile, mayFail: false) {
                _, count, context throws(FirnError) in
                let uuids = (0..<count).map { _ in
                    let bits = UInt128(context.random.next()) << 64 | UInt128(context.random.next())
                    return UUIDValue(random: bits).value
                }
                return .column(Column(type: .uuid, values: .uuid(uuids)))
            })
    }
}

extension FunctionOverload {
    /// A function of one double that never fails; it meets whatever NULL rows hold.
    fileprivate static func double(_ body: @escaping @Sendable (Double) -> Double) -> FunctionOverload {
        FunctionOverload([.double], .double, nulls: .ignored, mayFail: false) { arguments, count, _ throws(FirnError) in
            .doubles(arguments[0].doubles.map(count: count, body))
        }
    }

    fileprivate static func tryDouble(
        _ body: @escaping @Sendable (Double) throws(FirnError) -> Double
    ) -> FunctionOverload {
        FunctionOverload([.double], .double) { arguments, count, _ throws(FirnError) in
            .doubles(try arguments[0].doubles.tryMap(count: count, body))
        }
    }

    fileprivate static func tryDoubles(
        _ body: @escaping @Sendable (Double, Double) throws(FirnError) -> Double
    ) -> FunctionOverload {
        FunctionOverload([.double, .double], .double) { arguments, count, _ throws(FirnError) in
            .doubles(try tryCombine(arguments[0].doubles, arguments[1].doubles, count: count, body))
        }
    }

    /// width_bucket(operand, low, high, count): 0 below, count + 1 at and above the upper bound.
    fileprivate static var widthBucket: FunctionOverload {
        FunctionOverload([.double, .double, .double, .integer], .integer) { arguments, count, _ throws(FirnError) in
            let operands = arguments[0].doubles
            let lows = arguments[1].doubles
            let highs = arguments[2].doubles
            let counts = arguments[3].integers
            var buckets: [Int64] = []
            for row in 0..<count {
                buckets.append(try bucket(of: operands[row], lows[row], highs[row], count: counts[row]))
            }
            return .integers(buckets, .integer)
        }
    }
}

// MARK: Bodies

private let invalidArgument: SQLState = "2201F"
private let invalidLogarithm: SQLState = "2201E"
private let invalidBucket: SQLState = "2201G"
private let radiansPerDegree = 0.0174532925199432957692

private func squareRoot(_ value: Double) throws(FirnError) -> Double {
    if value < 0 { throw FirnError(invalidArgument, "cannot take square root of a negative number") }
    return value.squareRoot()
}

private func logarithmic(_ value: Double) throws(FirnError) -> Double {
    if value == 0 { throw FirnError(invalidLogarithm, "cannot take logarithm of zero") }
    if value < 0 { throw FirnError(invalidLogarithm, "cannot take logarithm of a negative number") }
    return value
}

private func finite(_ value: Double) throws(FirnError) -> Double {
    if value.isInfinite { throw FirnError(.numericValueOutOfRange, "input is out of range") }
    return value
}

private func within(_ value: Double, _ range: ClosedRange<Double>) throws(FirnError) -> Double {
    guard value.isNaN || range.contains(value) else {
        throw FirnError(.numericValueOutOfRange, "input is out of range")
    }
    return value
}

private func power(_ base: Double, _ exponent: Double) throws(FirnError) -> Double {
    if base == 0, exponent < 0 { throw FirnError(invalidArgument, "zero raised to a negative power is undefined") }
    if base < 0, exponent.isFinite, exponent.rounded(.towardZero) != exponent {
        throw FirnError(
            invalidArgument, "a negative number raised to a non-integer power yields a complex result")
    }
    let result = pow(base, exponent)
    if result.isInfinite, base.isFinite, exponent.isFinite { throw .floatOverflow }
    if result == 0, base != 0, base.isFinite, exponent.isFinite { throw .floatUnderflow }
    return result
}

private func bucket(of operand: Double, _ low: Double, _ high: Double, count: Int64) throws(FirnError) -> Int64 {
    if count <= 0 { throw FirnError(invalidBucket, "count must be greater than zero") }
    if operand.isNaN || low.isNaN || high.isNaN {
        throw FirnError(invalidBucket, "operand, lower bound, and upper bound cannot be NaN")
    }
    if low.isInfinite || high.isInfinite { throw FirnError(invalidBucket, "lower and upper bounds must be finite") }
    if low == high { throw FirnError(invalidBucket, "lower bound cannot equal upper bound") }
    let isAscending = low < high
    if isAscending ? operand < low : operand > low { return 0 }
    if isAscending ? operand >= high : operand <= high {
        guard count < Int64(Int32.max) else { throw FirnError(.numericValueOutOfRange, "integer out of range") }
        return count + 1
    }
    // Halves, where the whole distance is beyond a double.
    let scale = (high - low).isInfinite ? 0.5 : 1
    let position = (operand * scale - low * scale) / (high * scale - low * scale)
    return min(Int64(Double(count) * position), count - 1) + 1
}
