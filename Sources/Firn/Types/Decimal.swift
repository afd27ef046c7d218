// SPDX-License-Identifier: Apache-2.0
//
// NUMERIC: an exact decimal of at most 38 digits with a display scale.
//
//     value = coefficient / 10^scale        1.50 is (150, 2)
//
// |coefficient| < 10^38 and scale <= 38. The scale is part of the text (1.50 stays 1.50) but not of the value:
// 1.5 and 1.50 are equal and hash alike.
//
// What does not fit: text, sums and differences are exact or error 22003. Products, quotients, roots and powers
// lose fractional digits (rounded half away from zero) when 38 do not hold them, and are error 22003 when the
// integer part alone does not fit. PostgreSQL holds 131,072 digits there; NaN and the infinities of its NUMERIC
// do not exist here.

/// An exact decimal number of at most 38 digits.
public struct Decimal: Sendable {
    /// The digits as an integer; its magnitude is below 10^38.
    public let coefficient: Int128
    /// Digits behind the point, 0 to 38.
    public let scale: UInt8

    /// The most digits that a value has.
    public static let digitsMax = 38
    /// The most digits behind the point.
    public static let scaleMax = 38
    /// Zero.
    public static let zero = Decimal(unchecked: 0, scale: 0)

    @inline(__always)
    init(unchecked coefficient: Int128, scale: Int) {
        self.coefficient = coefficient
        self.scale = UInt8(truncatingIfNeeded: scale)
    }

    /// Joins coefficient and scale; error 22003 when either is beyond 38 digits.
    public init(coefficient: Int128, scale: Int) throws(ValueError) {
        guard (0...Decimal.scaleMax).contains(scale), coefficient.magnitude < Decimal.coefficientLimit else {
            throw .numericOverflow
        }
        self.init(unchecked: coefficient, scale: scale)
    }

    /// A whole number.
    @inline(__always)
    public init(_ value: Int64) { self.init(unchecked: Int128(value), scale: 0) }

    /// A whole number; a literal in `Decimal(3)` means this one.
    @inline(__always)
    public init(_ value: Int) { self.init(unchecked: Int128(value), scale: 0) }

    /// A whole number whose magnitude is below 10^38.
    init(whole value: Int128) { self.init(unchecked: value, scale: 0) }

    /// 10^38: the first magnitude that a coefficient does not reach.
    static let coefficientLimit: UInt128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

    /// 10 to the power of the index, 0 to 38.
    static let powersOfTen: [UInt128] = {
        var powers: [UInt128] = [1]
        while powers.count <= scaleMax { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// Whether the value is below zero.
    @inline(__always)
    public var isNegative: Bool { coefficient < 0 }

    /// -1, 0 or 1.
    var sign: Int { coefficient.signum() == 0 ? 0 : (coefficient < 0 ? -1 : 1) }
}

extension ValueError {
    static var numericOverflow: ValueError {
        ValueError(
            code: "22003", message: "value overflows numeric format", detail: "A NUMERIC holds at most 38 digits.")
    }
}

extension Decimal: Hashable, Comparable {
    /// Compares values: 1.5 equals 1.50.
    public static func == (left: Decimal, right: Decimal) -> Bool {
        if left.scale == right.scale { return left.coefficient == right.coefficient }
        return compare(left, right) == 0
    }

    /// Compares values.
    public static func < (left: Decimal, right: Decimal) -> Bool {
        if left.scale == right.scale { return left.coefficient < right.coefficient }
        return compare(left, right) < 0
    }

    private static func compare(_ left: Decimal, _ right: Decimal) -> Int {
        if left.sign != right.sign { return left.sign - right.sign }
        let scale = max(left.scale, right.scale)
        // Both magnitudes at the larger scale, in 256 bits: 10^38 times 10^38 fits.
        let a = left.coefficient.magnitude.multipliedFullWidth(by: powersOfTen[Int(scale - left.scale)])
        let b = right.coefficient.magnitude.multipliedFullWidth(by: powersOfTen[Int(scale - right.scale)])
        let order = a.high != b.high ? (a.high < b.high ? -1 : 1) : (a.low != b.low ? (a.low < b.low ? -1 : 1) : 0)
        return left.isNegative ? -order : order
    }

    /// Hashes the value without trailing zeros, so that equal values hash alike.
    public func hash(into hasher: inout Hasher) {
        let normal = normalized
        hasher.combine(normal.coefficient)
        hasher.combine(normal.scale)
    }

    /// The same value with the smallest scale: 1.50 becomes 1.5, 2.00 becomes 2.
    public var normalized: Decimal {
        if scale == 0 { return self }
        if coefficient == 0 { return .zero }
        var scale = Int(scale)
        if var small = Int64(exactly: coefficient) {
            while scale > 0 {
                let (quotient, remainder) = small.quotientAndRemainder(dividingBy: 10)
                guard remainder == 0 else { break }
                small = quotient
                scale -= 1
            }
            return Decimal(unchecked: Int128(small), scale: scale)
        }
        var value = coefficient
        while scale > 0 {
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            value = quotient
            scale -= 1
        }
        return Decimal(unchecked: value, scale: scale)
    }
}

extension Decimal {
    /// Whether scale and digits are the same, where `==` only compares values.
    public func isIdentical(to other: Decimal) -> Bool {
        coefficient == other.coefficient && scale == other.scale
    }

    /// The value rounded half away from zero to `scale` digits behind the point, and shown with as many.
    ///
    /// A negative scale rounds to tens, hundreds and so on, and shows no point. Error 22003 when 38 digits do not
    /// hold the result.
    public func rounded(toScale target: Int) throws(ValueError) -> Decimal {
        // Beyond 38 zeros only 0 is left; what is farther out is as good as that.
        let target = max(min(target, Decimal.scaleMax), -2 * Decimal.digitsMax)
        if target >= Int(scale) {
            let factor = Decimal.powersOfTen[target - Int(scale)]
            let (product, overflow) = coefficient.magnitude.multipliedReportingOverflow(by: factor)
            guard !overflow, product < Decimal.coefficientLimit else { throw .numericOverflow }
            return Decimal(unchecked: isNegative ? -Int128(product) : Int128(product), scale: target)
        }
        let dropped = Int(scale) - target
        let magnitude = dropped > Decimal.digitsMax ? 0 : Decimal.dividedRounded(coefficient.magnitude, dropped)
        var result = Int128(magnitude)
        if target < 0, result != 0 {
            guard -target <= Decimal.digitsMax else { throw .numericOverflow }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: Decimal.powersOfTen[-target])
            guard !overflow, product < Decimal.coefficientLimit else { throw .numericOverflow }
            result = Int128(product)
        } else {
            guard magnitude < Decimal.coefficientLimit else { throw .numericOverflow }
        }
        return Decimal(unchecked: isNegative ? -result : result, scale: max(target, 0))
    }

    /// The magnitude divided by 10^digits (0 to 38), rounded half away from zero.
    static func dividedRounded(_ magnitude: UInt128, _ digits: Int) -> UInt128 {
        let divisor = powersOfTen[digits]
        let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: divisor)
        return remainder >= divisor - remainder ? quotient + 1 : quotient
    }

    /// The value as a column of NUMERIC(precision, scale) holds it: rounded, and checked against the precision.
    ///
    /// Error 22003, `numeric field overflow`, with PostgreSQL's detail.
    func rescaled(precision: Int, scale target: Int) throws(ValueError) -> Decimal {
        let result: Decimal?
        do throws(ValueError) { result = try rounded(toScale: target) } catch { result = nil }
        if let result, result.coefficient.magnitude < Decimal.powersOfTen[min(precision, Decimal.digitsMax)] {
            return result
        }
        let digits = precision - target
        throw ValueError(
            code: "22003", message: "numeric field overflow",
            detail: "A field with precision \(precision), scale \(target) must round to an absolute value less than "
                + "\(digits == 0 ? "1" : "10^\(digits)").")
    }

    /// The value cut off behind `scale` digits, towards zero.
    public func truncated(toScale target: Int) throws(ValueError) -> Decimal {
        guard target < Int(scale) else { return try rounded(toScale: target) }
        guard target > -Decimal.digitsMax else { return .zero }
        let dropped = Int(scale) - target
        guard dropped <= Decimal.digitsMax else { return .zero }
        var result = coefficient / Int128(Decimal.powersOfTen[dropped])
        if target < 0 { result *= Int128(Decimal.powersOfTen[-target]) }
        return Decimal(unchecked: result, scale: max(target, 0))
    }

    /// The greatest whole number not above the value.
    var floor: Decimal {
        let whole = coefficient.flooredQuotient(Int128(Decimal.powersOfTen[Int(scale)]))
        return Decimal(unchecked: whole, scale: 0)
    }

    /// The smallest whole number not below the value.
    var ceiling: Decimal {
        let whole = -((-coefficient).flooredQuotient(Int128(Decimal.powersOfTen[Int(scale)])))
        return Decimal(unchecked: whole, scale: 0)
    }

    /// The value without its sign.
    public var absolute: Decimal { isNegative ? negated : self }

    /// The value with the other sign.
    @inline(__always)
    public var negated: Decimal { Decimal(unchecked: -coefficient, scale: Int(scale)) }
}
