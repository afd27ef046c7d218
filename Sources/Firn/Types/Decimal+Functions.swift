// SPDX-License-Identifier: Apache-2.0
//
// exp, ln, log and power of NUMERIC, correct to the last digit that is shown.
//
// Intermediate results are fixed-point numbers of 80 decimal places over BigMagnitude; a result is rounded once, to
// PostgreSQL's scale (16 significant digits or so, by its own estimates). They cost tens of microseconds.
//
// Source: exp by halving the argument and Taylor's series, ln by the series of the inverse hyperbolic tangent; scales
// as in numeric_exp, numeric_ln, log_var and power_var of PostgreSQL 15.

extension Decimal {
    /// e to the power of the value; error 22003 when the integer part needs more than 38 digits.
    func exponential() throws(ValueError) -> Decimal {
        let weight = Decimal.truncatedExponent(double * 0.434_294_481_903_252)
        let places = max(16 - weight, Int(scale), 0)
        return try Decimal.exponential(FixedPoint(self), places: places)
    }

    /// The natural logarithm; error 2201E for zero and less.
    func naturalLogarithm() throws(ValueError) -> Decimal {
        try checkLogarithm()
        let places = max(16 - Decimal.logarithmWeight(self), Int(scale), 0)
        return try FixedPoint(self).logarithm.decimal(places: places)
    }

    /// The logarithm to a base, 10 unless told; error 2201E for zero and less, 22012 for base 1.
    func logarithm(base: Decimal = Decimal(Int64(10))) throws(ValueError) -> Decimal {
        try base.checkLogarithm()
        try checkLogarithm()
        let weight = Decimal.logarithmWeight(self) - Decimal.logarithmWeight(base)
        let places = max(16 - weight, Int(scale), Int(base.scale), 0)
        let divisor = FixedPoint(base).logarithm
        guard !divisor.magnitude.isZero else { throw .divisionByZero }
        return try FixedPoint(self).logarithm.divided(by: divisor).decimal(places: places)
    }

    /// The value to a power; error 2201F where that has no real value, 22003 beyond 38 digits before the point.
    func power(_ exponent: Decimal) throws(ValueError) -> Decimal {
        let whole = exponent.normalized
        if coefficient == 0 {
            guard !exponent.isNegative else {
                throw ValueError(code: "2201F", message: "zero raised to a negative power is undefined")
            }
            return try (exponent.coefficient == 0 ? Decimal(Int64(1)) : .zero).rounded(toScale: 16)
        }
        if whole.scale == 0 {
            guard let integer = Int32(exactly: whole.coefficient) else { return try powerBeyondIntegers(whole) }
            return try power(integer: Int(integer), places: max(16, Int(scale)))
        }
        guard !isNegative else {
            throw ValueError(
                code: "2201F", message: "a negative number raised to a non-integer power yields a complex result")
        }
        let logarithm = FixedPoint(self).logarithm.multiplied(by: FixedPoint(exponent))
        let weight = Decimal.truncatedExponent(logarithm.double * 0.434_294_481_903_252)
        let places = max(16 - weight, Int(scale), Int(exponent.scale), 0)
        return try Decimal.exponential(logarithm, places: places)
    }

    /// Whole exponents of more than 31 bits: only powers of one and of smaller numbers are within range.
    private func powerBeyondIntegers(_ exponent: Decimal) throws(ValueError) -> Decimal {
        let isOdd = exponent.coefficient % 2 != 0
        let one = try Decimal(Int64(isNegative && isOdd ? -1 : 1)).rounded(toScale: 16)
        let size = absolute
        if size == Decimal(Int64(1)) { return one }
        guard (size < Decimal(Int64(1))) != exponent.isNegative else { throw .numericOverflow }
        return try Decimal.zero.rounded(toScale: 16)
    }

    private func power(integer exponent: Int, places: Int) throws(ValueError) -> Decimal {
        // Squares are cut to 120 digits, far more than any result shows.
        var base = BigMagnitude(coefficient.magnitude)
        var baseScale = Int(scale)
        var result = BigMagnitude(1)
        var resultScale = 0
        func cut(_ value: inout BigMagnitude, _ scale: inout Int) {
            let excess = value.decimalDigitCount - 120
            if excess > 0 {
                value = value.dividing(by: .powerOfTen(excess)).quotient
                scale -= excess
            }
        }
        var rest = exponent.magnitude
        while rest > 0 {
            if rest & 1 == 1 {
                result = result * base
                resultScale += baseScale
                cut(&result, &resultScale)
            }
            base = base * base
            baseScale *= 2
            cut(&base, &baseScale)
            rest >>= 1
            // Nothing of this size comes back into range.
            guard abs(resultScale) < 1 << 40, abs(baseScale) < 1 << 40 else { break }
        }
        let isNegative = isNegative && exponent % 2 != 0
        let digitsBeforePoint = result.decimalDigitCount - resultScale
        if exponent < 0 {
            // 1 / (result / 10^scale)
            if digitsBeforePoint > 200 { return try Decimal.zero.rounded(toScale: min(places, Decimal.scaleMax)) }
            guard digitsBeforePoint > -100 else { throw .numericOverflow }
            return try Decimal.quotient(
                BigMagnitude(1), result, scaleDifference: -resultScale, places: places, isNegative: isNegative)
        }
        guard digitsBeforePoint <= 100 else { throw .numericOverflow }
        if digitsBeforePoint < -200 { return try Decimal.zero.rounded(toScale: min(places, Decimal.scaleMax)) }
        return try Decimal.quotient(
            result, BigMagnitude(1), scaleDifference: resultScale, places: places, isNegative: isNegative)
    }

    /// The largest number of which both are whole multiples, with the larger scale; 0 of two zeros.
    func greatestCommonDivisor(_ other: Decimal) throws(ValueError) -> Decimal {
        let scale = Int(max(scale, other.scale))
        let divisor = Decimal.greatestCommonDivisor(try magnitude(atScale: scale), try other.magnitude(atScale: scale))
        return Decimal(unchecked: Int128(divisor), scale: scale)
    }

    /// The smallest number that is a whole multiple of both, with the larger scale; 0 where either is.
    func leastCommonMultiple(_ other: Decimal) throws(ValueError) -> Decimal {
        let scale = Int(max(scale, other.scale))
        let (left, right) = (try magnitude(atScale: scale), try other.magnitude(atScale: scale))
        if left == 0 || right == 0 { return Decimal(unchecked: 0, scale: scale) }
        let factor = left / Decimal.greatestCommonDivisor(left, right)
        let (multiple, overflow) = factor.multipliedReportingOverflow(by: right)
        guard !overflow, multiple < Decimal.coefficientLimit else { throw .numericOverflow }
        return Decimal(unchecked: Int128(multiple), scale: scale)
    }

    private func magnitude(atScale scale: Int) throws(ValueError) -> UInt128 {
        try rounded(toScale: scale).coefficient.magnitude
    }

    private static func greatestCommonDivisor(_ left: UInt128, _ right: UInt128) -> UInt128 {
        var (divisor, rest) = (left, right)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        return divisor
    }

    /// The product of the whole numbers up to `number`; error 22003 below zero and beyond 33.
    static func factorial(_ number: Int64) throws(ValueError) -> Decimal {
        guard number >= 0 else {
            throw ValueError(code: "22003", message: "factorial of a negative number is undefined")
        }
        // 34! has 39 digits.
        guard number <= 33 else { throw .numericOverflow }
        return Decimal(unchecked: (1...max(number, 1)).reduce(Int128(1)) { $0 * Int128($1) }, scale: 0)
    }

    private func checkLogarithm() throws(ValueError) {
        guard coefficient != 0 else { throw ValueError(code: "2201E", message: "cannot take logarithm of zero") }
        guard !isNegative else {
            throw ValueError(code: "2201E", message: "cannot take logarithm of a negative number")
        }
    }

    private static func exponential(_ argument: FixedPoint, places: Int) throws(ValueError) -> Decimal {
        // e^88 has 39 digits, e^-200 none within 38 places.
        guard argument.double < 89 else { throw .numericOverflow }
        if argument.double < -200 { return try Decimal.zero.rounded(toScale: min(places, scaleMax)) }
        return try argument.exponential.decimal(places: places)
    }

    /// A decimal exponent as C truncates it, kept small enough for arithmetic.
    private static func truncatedExponent(_ value: Double) -> Int {
        Int(min(max(value, -1_000), 1_000).rounded(.towardZero))
    }

    /// The decimal exponent of ln(value), as PostgreSQL estimates it.
    private static func logarithmWeight(_ value: Decimal) -> Int {
        let plain = value.double
        if plain >= 0.9, plain <= 1.1 {
            // Near one ln(x) is about x - 1.
            let one = Decimal.powersOfTen[Int(value.scale)]
            let distance =
                value.coefficient.magnitude > one
                ? value.coefficient.magnitude - one : one - value.coefficient.magnitude
            guard distance != 0 else { return 0 }
            let shape = DecimalShape(distance, scale: Int(value.scale))
            return shape.weight * 4 + (UInt64(shape.leading).decimalDigitCount - 1)
        }
        let logarithm = DoubleLogarithm.natural(plain)
        return truncatedExponent(DoubleLogarithm.natural(logarithm.magnitude) / 2.302_585_092_994_046)
    }
}

/// A number with 80 decimal places: magnitude / 10^80.
private struct FixedPoint {
    var magnitude: BigMagnitude
    var isNegative = false

    static let places = 80
    static let one = FixedPoint(magnitude: .powerOfTen(places))

    init(magnitude: BigMagnitude, isNegative: Bool = false) {
        self.magnitude = magnitude
        self.isNegative = isNegative
    }

    init(_ value: Decimal) {
        magnitude = BigMagnitude(value.coefficient.magnitude) * .powerOfTen(FixedPoint.places - Int(value.scale))
        isNegative = value.isNegative
    }

    var double: Double {
        // 40 places are enough for an estimate and fit the parser of doubles.
        let bits = max(magnitude.bitWidth - 100, 0)
        let top = magnitude.dividing(by: .powerOfTwo(UInt(bits))).quotient.narrow ?? 0
        let value = Double(top) * Double(sign: .plus, exponent: bits, significand: 1) / 1e80
        return isNegative ? -value : value
    }

    func multiplied(by other: FixedPoint) -> FixedPoint {
        FixedPoint(
            magnitude: (magnitude * other.magnitude).dividing(by: FixedPoint.one.magnitude).quotient,
            isNegative: isNegative != other.isNegative)
    }

    func divided(by other: FixedPoint) -> FixedPoint {
        FixedPoint(
            magnitude: (magnitude * FixedPoint.one.magnitude).dividing(by: other.magnitude).quotient,
            isNegative: isNegative != other.isNegative)
    }

    func divided(by other: UInt128) -> FixedPoint {
        FixedPoint(magnitude: magnitude.dividing(by: BigMagnitude(other)).quotient, isNegative: isNegative)
    }

    /// The sum of two numbers of one sign.
    private func addingMagnitude(of other: FixedPoint) -> FixedPoint {
        FixedPoint(magnitude: magnitude + other.magnitude, isNegative: isNegative)
    }

    private func adding(_ other: FixedPoint) -> FixedPoint {
        if isNegative == other.isNegative { return addingMagnitude(of: other) }
        if magnitude < other.magnitude {
            return FixedPoint(magnitude: other.magnitude - magnitude, isNegative: other.isNegative)
        }
        return FixedPoint(magnitude: magnitude - other.magnitude, isNegative: isNegative)
    }

    func decimal(places: Int) throws(ValueError) -> Decimal {
        try Decimal.quotient(
            magnitude, BigMagnitude(1), scaleDifference: FixedPoint.places, places: places, isNegative: isNegative)
    }

    /// e to this power; the argument is between -200 and 89.
    var exponential: FixedPoint {
        // e^-x = 1 / e^x loses nothing: e^x is computed with 80 places and is at least one.
        if isNegative {
            return FixedPoint.one.divided(by: FixedPoint(magnitude: magnitude).exponential)
        }
        // x / 2^16 is below 0.004, where 25 terms give 80 places; each squaring doubles the relative error.
        let small = divided(by: 1 << 16)
        var sum = FixedPoint.one
        var term = FixedPoint.one
        for index in 1...30 {
            term = term.multiplied(by: small).divided(by: UInt128(index))
            sum = sum.addingMagnitude(of: term)
        }
        for _ in 0..<16 { sum = sum.multiplied(by: sum) }
        return sum
    }

    /// The natural logarithm; the number is positive.
    var logarithm: FixedPoint {
        // x = y x 2^k with y between 0.7 and 1.5.
        let unit = FixedPoint.one.magnitude
        let exponent = magnitude.bitWidth - unit.bitWidth
        let scaled =
            exponent >= 0
            ? FixedPoint(magnitude: magnitude.dividing(by: .powerOfTwo(UInt(exponent))).quotient)
            : FixedPoint(magnitude: magnitude * .powerOfTwo(UInt(-exponent)))
        let rest = scaled.inverseTangent(of: unit)
        let two = FixedPoint(magnitude: unit + unit).inverseTangent(of: unit)
        let multiple = FixedPoint(
            magnitude: two.magnitude * BigMagnitude(UInt128(exponent.magnitude)), isNegative: exponent < 0)
        return multiple.adding(rest)
    }

    /// ln(self) as 2 artanh((self - 1) / (self + 1)); for numbers near one.
    private func inverseTangent(of unit: BigMagnitude) -> FixedPoint {
        let isBelow = magnitude < unit
        let difference = isBelow ? unit - magnitude : magnitude - unit
        let ratio = FixedPoint(magnitude: (difference * unit).dividing(by: magnitude + unit).quotient)
        let square = ratio.multiplied(by: ratio)
        var sum = ratio
        var power = ratio
        var index: UInt128 = 3
        while !power.magnitude.isZero {
            power = power.multiplied(by: square)
            sum = sum.addingMagnitude(of: power.divided(by: index))
            index += 2
        }
        return FixedPoint(magnitude: sum.magnitude + sum.magnitude, isNegative: isBelow)
    }
}

/// The logarithm of a double, for estimates of size only.
private enum DoubleLogarithm {
    static func natural(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value == 0 ? -745 : 710 }
        // value = s x 2^e with s in [1, 2): the series of artanh needs 20 terms for 16 digits.
        let ratio = (value.significand - 1) / (value.significand + 1)
        var sum = 0.0
        var power = ratio
        for index in 0..<24 {
            sum += power / Double(2 * index + 1)
            power *= ratio * ratio
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    }
}
