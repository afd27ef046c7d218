// SPDX-License-Identifier: Apache-2.0
//
// Exact sums of decimals and whole numbers: SUM, AVG, VARIANCE and STDDEV of NUMERIC and of the integers.
//
// Coefficients are added at one scale, the largest seen so far, in 256 bits; a value with a larger scale first
// raises the sums to it. Nothing is rounded until the result is asked for, so that any order of adding and merging
// gives the same answer, which is PostgreSQL's, digit for digit. A sum beyond 256 bits is error 22003.
//
// Source: the behaviour of PostgreSQL 15's numeric aggregates (numeric_avg, numeric_stddev_internal).

/// The exact sum and count of decimals: what SUM and AVG need.
struct DecimalSum: Sendable, Hashable {
    /// The sum of the coefficients at `scale`.
    private(set) var total: Int256
    /// The number of values.
    private(set) var count: Int64
    /// The largest scale of a value so far.
    private(set) var scale: Int

    /// No values.
    init() {
        total = .zero
        count = 0
        scale = 0
    }

    /// A state that was stored.
    init(total: Int256, count: Int64, scale: Int) {
        self.total = total
        self.count = count
        self.scale = scale
    }

    /// Adds a value; error 22003 when the sum leaves 256 bits.
    @inline(__always)
    mutating func add(_ value: Decimal) throws(ValueError) {
        if Int(value.scale) == scale {
            // 10^38 times 2^63 values fits 256 bits many times over.
            total = total.addingReportingOverflow(Int256(value.coefficient)).partialValue
            count &+= 1
        } else {
            try merge(DecimalSum(total: Int256(value.coefficient), count: 1, scale: Int(value.scale)))
        }
    }

    /// Adds the sum of `count` coefficients of one scale, as a kernel has computed it.
    mutating func add(sum: Int128, count: Int64, scale: Int = 0) throws(ValueError) {
        try merge(DecimalSum(total: Int256(sum), count: count, scale: scale))
    }

    /// Adds another sum; error 22003 when the result leaves 256 bits.
    mutating func merge(_ other: DecimalSum) throws(ValueError) {
        let common = max(scale, other.scale)
        let left = try total.scaled(byPowerOfTen: common - scale)
        let right = try other.total.scaled(byPowerOfTen: common - other.scale)
        let sum = left.addingReportingOverflow(right)
        guard !sum.overflow else { throw .numericOverflow }
        total = sum.partialValue
        count += other.count
        scale = common
    }

    /// The sum, with the largest scale of a value; nil without values, error 22003 beyond 38 digits.
    func sum() throws(ValueError) -> Decimal? {
        guard count > 0 else { return nil }
        return try Decimal.exact(total, scale: scale)
    }

    /// The average with PostgreSQL's scale; nil without values.
    func average() throws(ValueError) -> Decimal? {
        guard count > 0 else { return nil }
        if let narrow = total.narrow, narrow.magnitude < Decimal.coefficientLimit, scale <= Decimal.scaleMax {
            return try Decimal(unchecked: narrow, scale: scale).divided(by: Decimal(count))
        }
        let (high, low) = total.magnitude
        let numerator = BigMagnitude(high: high, low: low)
        let divisor = UInt128(count)
        let places = Decimal.quotientScale(
            DecimalShape(numerator, scale: scale), DecimalShape(divisor, scale: 0), scaleMin: scale)
        return try Decimal.quotient(
            numerator, BigMagnitude(divisor), scaleDifference: scale, places: places, isNegative: total.isNegative)
    }
}

/// Sum, sum of squares and count of decimals: what VARIANCE and STDDEV need besides.
struct DecimalMoments: Sendable, Hashable {
    /// The sum, count and scale.
    private(set) var sum: DecimalSum
    /// The sum of the squares of the coefficients, at twice the scale.
    private(set) var squares: Int256

    /// No values.
    init() {
        sum = DecimalSum()
        squares = .zero
    }

    /// A state that was stored.
    init(sum: DecimalSum, squares: Int256) {
        self.sum = sum
        self.squares = squares
    }

    /// Adds a value; error 22003 when a sum leaves 256 bits.
    @inline(__always)
    mutating func add(_ value: Decimal) throws(ValueError) {
        if Int(value.scale) == sum.scale {
            let total = squares.addingReportingOverflow(.product(value.coefficient, value.coefficient))
            guard !total.overflow else { throw .numericOverflow }
            squares = total.partialValue
            try sum.add(value)
        } else {
            var single = DecimalMoments()
            single.sum = DecimalSum(total: Int256(value.coefficient), count: 1, scale: Int(value.scale))
            single.squares = .product(value.coefficient, value.coefficient)
            try merge(single)
        }
    }

    /// Adds the sums of `count` coefficients of one scale, as a kernel has computed them.
    mutating func add(
        sum total: Int128, squares squareTotal: Int256, count: Int64, scale: Int = 0
    ) throws(ValueError) {
        try merge(
            DecimalMoments(sum: DecimalSum(total: Int256(total), count: count, scale: scale), squares: squareTotal))
    }

    /// Adds other moments; error 22003 when a result leaves 256 bits.
    mutating func merge(_ other: DecimalMoments) throws(ValueError) {
        let common = max(sum.scale, other.sum.scale)
        let left = try squares.scaled(byPowerOfTen: 2 * (common - sum.scale))
        let right = try other.squares.scaled(byPowerOfTen: 2 * (common - other.sum.scale))
        let total = left.addingReportingOverflow(right)
        guard !total.overflow else { throw .numericOverflow }
        try sum.merge(other.sum)
        squares = total.partialValue
    }

    /// Which divisor a variance has.
    enum Population: Sendable {
        /// The values are all there are: divide by their count.
        case whole
        /// The values are a sample: divide by their count less one.
        case sample
    }

    /// The variance with PostgreSQL's digits; nil without values, and without two for a sample.
    func variance(_ population: Population) throws(ValueError) -> Decimal? {
        guard sum.count > (population == .sample ? 1 : 0) else { return nil }
        if let (coefficient, places) = quickVariance(population), places <= Decimal.scaleMax {
            return Decimal(unchecked: Int128(coefficient), scale: coefficient == 0 ? 0 : places)
        }
        guard let quotient = quotient(population) else { return .zero }
        return try Decimal.quotient(
            quotient.numerator, quotient.denominator, scaleDifference: 2 * sum.scale, places: quotient.places,
            isNegative: false)
    }

    /// The standard deviation with PostgreSQL's digits; nil as for `variance(_:)`.
    func standardDeviation(_ population: Population) throws(ValueError) -> Decimal? {
        guard sum.count > (population == .sample ? 1 : 0) else { return nil }
        if let (coefficient, places) = quickVariance(population) {
            if coefficient == 0 { return .zero }
            if let root = Decimal.quickSquareRoot(coefficient, scale: places, places: places) { return root }
        }
        guard let quotient = quotient(population) else { return .zero }
        // PostgreSQL takes the root of the variance after it was rounded to the same number of places.
        let power = quotient.places - 2 * sum.scale
        let variance =
            power >= 0
            ? (quotient.numerator * .powerOfTen(power)).dividingRounded(by: quotient.denominator)
            : quotient.numerator.dividingRounded(by: quotient.denominator * .powerOfTen(-power))
        return try Decimal.squareRoot(
            variance, scale: quotient.places, places: min(quotient.places, Decimal.scaleMax))
    }

    /// The variance as coefficient and scale where 256 bits hold all that is between; else nil. Zero has scale 0.
    private func quickVariance(_ population: Population) -> (coefficient: UInt128, places: Int)? {
        guard let total = sum.total.narrow, sum.scale <= Decimal.scaleMax,
            let scaled = Magnitude256(squares).multiplied(by: UInt128(sum.count))
        else { return nil }
        let square = Magnitude256.product(total.magnitude, total.magnitude)
        guard square < scaled else { return (0, 0) }
        let numerator = scaled.subtracting(square)
        let denominator = UInt128(sum.count) * UInt128(population == .sample ? sum.count - 1 : sum.count)
        let places = Decimal.quotientScale(
            DecimalShape(numerator, scale: 2 * sum.scale), DecimalShape(denominator, scale: 0),
            scaleMin: 2 * sum.scale)
        let power = places - 2 * sum.scale
        guard power <= Decimal.digitsMax, let shifted = numerator.multiplied(by: Decimal.powersOfTen[power]),
            let coefficient = shifted.dividedRounded(by: denominator), coefficient != 0
        else { return nil }
        return (coefficient, places)
    }

    private struct Quotient {
        var numerator: BigMagnitude
        var denominator: BigMagnitude
        var places: Int
    }

    /// (n x sum of squares - square of sum) / (n x (n or n - 1)); nil means a variance of zero.
    private func quotient(_ population: Population) -> Quotient? {
        let count = sum.count
        let total = BigMagnitude(high: sum.total.magnitude.high, low: sum.total.magnitude.low)
        let scaled =
            BigMagnitude(high: squares.magnitude.high, low: squares.magnitude.low) * BigMagnitude(UInt128(count))
        let square = total * total
        guard square < scaled else { return nil }
        let numerator = scaled - square
        let denominator = UInt128(count) * UInt128(population == .sample ? count - 1 : count)
        let places = Decimal.quotientScale(
            DecimalShape(numerator, scale: 2 * sum.scale), DecimalShape(denominator, scale: 0),
            scaleMin: 2 * sum.scale)
        return Quotient(numerator: numerator, denominator: BigMagnitude(denominator), places: places)
    }
}

extension Int256 {
    /// The product with a power of ten; error 22003 beyond 256 bits.
    func scaled(byPowerOfTen exponent: Int) throws(ValueError) -> Int256 {
        var result = self
        var rest = exponent
        while rest > 0 {
            let step = min(rest, 38)
            let product = result.multipliedReportingOverflow(by: Decimal.powersOfTen[step])
            guard !product.overflow else { throw .numericOverflow }
            result = product.partialValue
            rest -= step
        }
        return result
    }
}
