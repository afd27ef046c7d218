// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic of NUMERIC with PostgreSQL's result scales.
//
//     a + b, a - b, a % b   the larger scale       a * b   the sum of the scales
//     a / b                 at least 16 significant digits, and never fewer places than either operand
//
// The rule for quotients counts digits in PostgreSQL's base 10,000, so that texts agree digit for digit.
//
// Source: the behaviour of PostgreSQL 15's numeric functions; select_div_scale for quotients.

extension Decimal {
    /// The exact sum; error 22003 when 38 digits do not hold it.
    public func adding(_ other: Decimal) throws(ValueError) -> Decimal {
        if scale == other.scale {
            // Two magnitudes below 10^38 are below 2^127 each; their sum may overflow Int128.
            let (sum, overflow) = coefficient.addingReportingOverflow(other.coefficient)
            if !overflow, sum.magnitude < Decimal.coefficientLimit {
                return Decimal(unchecked: sum, scale: Int(scale))
            }
        }
        let common = max(scale, other.scale)
        let left = Int256.product(coefficient, Int128(Decimal.powersOfTen[Int(common - scale)]))
        let right = Int256.product(other.coefficient, Int128(Decimal.powersOfTen[Int(common - other.scale)]))
        // Below 2 x 10^76 in magnitude: 256 bits hold it.
        return try Decimal.exact(left.addingReportingOverflow(right).partialValue, scale: Int(common))
    }

    /// The exact difference; error 22003 when 38 digits do not hold it.
    public func subtracting(_ other: Decimal) throws(ValueError) -> Decimal { try adding(other.negated) }

    /// The value of a 256-bit coefficient, dropping trailing zeros where that makes it fit.
    static func exact(_ wide: Int256, scale: Int) throws(ValueError) -> Decimal {
        var (high, low) = wide.magnitude
        var scale = scale
        while high != 0 || low >= coefficientLimit {
            let quotient = Int256.divide(high: high, low: low, by: 10)
            guard scale > 0, quotient.remainder == 0 else { throw .numericOverflow }
            (high, low) = (quotient.high, quotient.low)
            scale -= 1
        }
        return Decimal(unchecked: wide.isNegative ? -Int128(low) : Int128(low), scale: scale)
    }

    /// The product; fractional digits beyond 38 digits in all are rounded away, error 22003 when that is not enough.
    public func multiplied(by other: Decimal) throws(ValueError) -> Decimal {
        let scale = Int(scale) + Int(other.scale)
        let isNegative = isNegative != other.isNegative
        if let left = Int64(exactly: coefficient), let right = Int64(exactly: other.coefficient),
            scale <= Decimal.scaleMax
        {
            // Below 2^126 and so below 10^38.
            return Decimal(unchecked: Int128(left) * Int128(right), scale: scale)
        }
        let product = coefficient.magnitude.multipliedFullWidth(by: other.coefficient.magnitude)
        if product.high == 0, product.low < Decimal.coefficientLimit, scale <= Decimal.scaleMax {
            return Decimal(unchecked: isNegative ? -Int128(product.low) : Int128(product.low), scale: scale)
        }
        return try Decimal.fitting(
            BigMagnitude(high: product.high, low: product.low), scale: scale, isNegative: isNegative)
    }

    /// The value with as many fractional digits as 38 digits leave room for, rounded half away from zero.
    static func fitting(_ magnitude: BigMagnitude, scale: Int, isNegative: Bool) throws(ValueError) -> Decimal {
        var drop = max(scale - scaleMax, magnitude.decimalDigitCount - digitsMax, 0)
        while true {
            guard drop <= scale else { throw .numericOverflow }
            let rounded = drop == 0 ? magnitude : magnitude.dividingRounded(by: .powerOfTen(drop))
            if let narrow = rounded.narrow, narrow < coefficientLimit {
                return Decimal(unchecked: isNegative ? -Int128(narrow) : Int128(narrow), scale: scale - drop)
            }
            // Rounding up made one digit more: 9.99 became 10.0.
            drop += 1
        }
    }

    /// The quotient with PostgreSQL's scale; error 22012 for zero, 22003 when the integer part does not fit.
    public func divided(by other: Decimal) throws(ValueError) -> Decimal {
        guard other.coefficient != 0 else { throw .divisionByZero }
        let places = Decimal.quotientScale(
            DecimalShape(coefficient.magnitude, scale: Int(scale)),
            DecimalShape(other.coefficient.magnitude, scale: Int(other.scale)),
            scaleMin: Int(max(scale, other.scale)))
        let isNegative = isNegative != other.isNegative
        let target = min(places, Decimal.scaleMax)
        let power = target + Int(other.scale) - Int(scale)
        if power >= 0, power <= Decimal.digitsMax {
            let divisor = other.coefficient.magnitude
            let numerator = coefficient.magnitude.multipliedFullWidth(by: Decimal.powersOfTen[power])
            let quotient =
                numerator.high == 0
                ? Decimal.divide(numerator.low, by: divisor)
                : Int256.divide(high: numerator.high, low: numerator.low, by: divisor)
            if quotient.high == 0, quotient.low < Decimal.coefficientLimit - 1 {
                let up = quotient.remainder >= divisor - quotient.remainder
                let magnitude = Int128(quotient.low) + (up ? 1 : 0)
                return Decimal(unchecked: isNegative ? -magnitude : magnitude, scale: target)
            }
        }
        return try Decimal.quotient(
            BigMagnitude(coefficient.magnitude), BigMagnitude(other.coefficient.magnitude),
            scaleDifference: Int(scale) - Int(other.scale), places: places, isNegative: isNegative)
    }

    @inline(__always)
    private static func divide(
        _ numerator: UInt128, by divisor: UInt128
    ) -> (high: UInt128, low: UInt128, remainder: UInt128) {
        if let small = UInt64(exactly: numerator), let smallDivisor = UInt64(exactly: divisor) {
            let (quotient, remainder) = small.quotientAndRemainder(dividingBy: smallDivisor)
            return (0, UInt128(quotient), UInt128(remainder))
        }
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: divisor)
        return (0, quotient, remainder)
    }

    /// numerator / denominator / 10^scaleDifference to `places` digits, or as many as fit.
    static func quotient(
        _ numerator: BigMagnitude, _ denominator: BigMagnitude, scaleDifference: Int, places: Int, isNegative: Bool
    ) throws(ValueError) -> Decimal {
        var places = min(places, scaleMax)
        while true {
            let power = places - scaleDifference
            let rounded =
                power >= 0
                ? (numerator * .powerOfTen(power)).dividingRounded(by: denominator)
                : numerator.dividingRounded(by: denominator * .powerOfTen(-power))
            if let narrow = rounded.narrow, narrow < coefficientLimit {
                return Decimal(unchecked: isNegative ? -Int128(narrow) : Int128(narrow), scale: places)
            }
            let excess = rounded.decimalDigitCount - digitsMax
            guard excess <= places else { throw .numericOverflow }
            places -= max(excess, 1)
        }
    }

    /// The remainder of the quotient truncated towards zero: it has the sign of the dividend. Error 22012 for zero.
    public func remainder(dividingBy other: Decimal) throws(ValueError) -> Decimal {
        guard other.coefficient != 0 else { throw .divisionByZero }
        let common = max(scale, other.scale)
        let left = coefficient.magnitude.multipliedFullWidth(by: Decimal.powersOfTen[Int(common - scale)])
        let right = other.coefficient.magnitude.multipliedFullWidth(by: Decimal.powersOfTen[Int(common - other.scale)])
        let rest: UInt128
        if right.high == 0 {
            rest = Int256.divide(high: left.high, low: left.low, by: right.low).remainder
        } else {
            let big = BigMagnitude(high: left.high, low: left.low)
                .dividing(by: BigMagnitude(high: right.high, low: right.low)).remainder
            guard let narrow = big.narrow else { throw .numericOverflow }
            rest = narrow
        }
        guard rest < Decimal.coefficientLimit else { throw .numericOverflow }
        return Decimal(unchecked: isNegative ? -Int128(rest) : Int128(rest), scale: Int(common))
    }

    /// The square root, correctly rounded to PostgreSQL's scale; error 2201F below zero.
    func squareRoot() throws(ValueError) -> Decimal {
        guard !isNegative else {
            throw ValueError(code: "2201F", message: "cannot take square root of a negative number")
        }
        let shape = DecimalShape(coefficient.magnitude, scale: Int(scale))
        // Digits before the point of the result, as PostgreSQL estimates them in base 10,000.
        let weight = (shape.weight + 1) * 4 / 2 - 1
        let places = min(max(16 - weight, Int(scale), 0), Decimal.scaleMax)
        if let root = Decimal.quickSquareRoot(coefficient.magnitude, scale: Int(scale), places: places) { return root }
        return try Decimal.squareRoot(BigMagnitude(coefficient.magnitude), scale: Int(scale), places: places)
    }

    /// As `squareRoot(_:scale:places:)` where 256 bits hold the radicand, else nil.
    static func quickSquareRoot(_ magnitude: UInt128, scale: Int, places: Int) -> Decimal? {
        let power = 2 * (places + 1) - scale
        guard (0...digitsMax).contains(power), places <= scaleMax else { return nil }
        let radicand = Magnitude256.product(magnitude, powersOfTen[power])
        guard radicand.high >> 126 == 0 else { return nil }
        let rounded = dividedRounded(radicand.squareRoot, 1)
        return rounded < coefficientLimit ? Decimal(unchecked: Int128(rounded), scale: places) : nil
    }

    /// The root of magnitude / 10^scale to `places` digits, rounded half away from zero, or as many as fit.
    static func squareRoot(_ magnitude: BigMagnitude, scale: Int, places: Int) throws(ValueError) -> Decimal {
        // One digit more than asked for, truncated: a 5 there means at least one half.
        var places = places
        while true {
            let power = 2 * (places + 1) - scale
            let scaled =
                power >= 0
                ? magnitude * .powerOfTen(power) : magnitude.dividing(by: .powerOfTen(-power)).quotient
            let rounded = scaled.squareRoot.dividingRounded(by: BigMagnitude(10))
            if let narrow = rounded.narrow, narrow < coefficientLimit {
                return Decimal(unchecked: Int128(narrow), scale: places)
            }
            guard places > 0 else { throw .numericOverflow }
            places -= 1
        }
    }
}

/// What PostgreSQL's scale rules look at: the weight and the leading digit of a number in base 10,000.
struct DecimalShape {
    /// The power of 10,000 of the leading digit; 0 for zero.
    var weight = 0
    /// The leading digit, 1 to 9,999; 0 for zero.
    var leading = 0

    init(_ magnitude: UInt128, scale: Int) {
        guard magnitude != 0 else { return }
        let digits = magnitude.decimalDigitCount
        weight = (digits - scale - 1).flooredQuotient(4)
        let power = scale + weight * 4
        leading = Int(
            power >= 0 ? magnitude / Decimal.powersOfTen[power] : magnitude * Decimal.powersOfTen[-power])
    }

    init(_ magnitude: BigMagnitude, scale: Int) {
        if let narrow = magnitude.narrow, narrow < Decimal.coefficientLimit, scale <= Decimal.scaleMax {
            self.init(narrow, scale: scale)
        } else {
            self.init(wide: magnitude, scale: scale)
        }
    }

    private init(wide magnitude: BigMagnitude, scale: Int) {
        weight = (magnitude.decimalDigitCount - scale - 1).flooredQuotient(4)
        let power = scale + weight * 4
        let digit =
            power >= 0
            ? magnitude.dividing(by: .powerOfTen(power)).quotient : magnitude * .powerOfTen(-power)
        leading = Int(digit.narrow ?? 0)
    }
}

extension UInt128 {
    /// The number of decimal digits, 1 to 39.
    var decimalDigitCount: Int {
        if let small = UInt64(exactly: self) { return small.decimalDigitCount }
        let estimate = ((128 - leadingZeroBitCount) * 1_233) >> 12
        return estimate <= 38 && self < Decimal.powersOfTen[estimate] ? estimate : estimate + 1
    }
}

extension Decimal {
    /// Digits behind the point of a quotient: 16 significant ones by estimate, and no fewer than either operand has.
    static func quotientScale(_ dividend: DecimalShape, _ divisor: DecimalShape, scaleMin: Int) -> Int {
        var weight = dividend.weight - divisor.weight
        if dividend.leading <= divisor.leading { weight -= 1 }
        return max(16 - weight * 4, scaleMin, 0)
    }
}
