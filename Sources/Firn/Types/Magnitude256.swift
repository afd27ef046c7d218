// SPDX-License-Identifier: Apache-2.0
//
// Unsigned 256-bit arithmetic for finishing aggregates: digit counts, quotients and square roots that BigMagnitude
// would compute the same, twenty times slower.
//
// Everything here either has the exact result or answers nil, and the caller takes the general way.
//
// Source: Newton's iteration from a double estimate; Henry S. Warren, Hacker's Delight, 11-1.

/// An unsigned 256-bit integer.
struct Magnitude256: Sendable, Equatable {
    var high: UInt128
    var low: UInt128

    init(high: UInt128 = 0, low: UInt128) {
        self.high = high
        self.low = low
    }

    init(_ value: Int256) {
        (high, low) = value.magnitude
    }

    static func < (left: Magnitude256, right: Magnitude256) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    static func product(_ left: UInt128, _ right: UInt128) -> Magnitude256 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return Magnitude256(high: high, low: low)
    }

    /// The product, or nil beyond 256 bits.
    func multiplied(by factor: UInt128) -> Magnitude256? {
        let lower = low.multipliedFullWidth(by: factor)
        let upper = high.multipliedReportingOverflow(by: factor)
        let (sum, carry) = upper.partialValue.addingReportingOverflow(lower.high)
        return upper.overflow || carry ? nil : Magnitude256(high: sum, low: lower.low)
    }

    /// The difference; `other` is not greater.
    func subtracting(_ other: Magnitude256) -> Magnitude256 {
        let (difference, borrow) = low.subtractingReportingOverflow(other.low)
        return Magnitude256(high: high - other.high - (borrow ? 1 : 0), low: difference)
    }

    /// Quotient and remainder; the divisor is not zero.
    func divided(by divisor: UInt128) -> (quotient: Magnitude256, remainder: UInt128) {
        if high == 0 {
            let (quotient, remainder) = low.quotientAndRemainder(dividingBy: divisor)
            return (Magnitude256(low: quotient), remainder)
        }
        let result = Int256.divide(high: high, low: low, by: divisor)
        return (Magnitude256(high: result.high, low: result.low), result.remainder)
    }

    /// The quotient rounded half away from zero, when it fits 38 digits, else nil.
    func dividedRounded(by divisor: UInt128) -> UInt128? {
        let (quotient, remainder) = divided(by: divisor)
        guard quotient.high == 0, quotient.low < Decimal.coefficientLimit - 1 else { return nil }
        return remainder >= divisor - remainder ? quotient.low + 1 : quotient.low
    }

    /// The quotient by 10^power, 0 to 76, truncated.
    func divided(byPowerOfTen power: Int) -> Magnitude256 {
        var result = self
        var rest = power
        while rest > 0 {
            let step = min(rest, 38)
            result = result.divided(by: Decimal.powersOfTen[step]).quotient
            rest -= step
        }
        return result
    }

    /// The number of decimal digits, 1 to 78.
    var decimalDigitCount: Int {
        if high == 0 { return low.decimalDigitCount }
        // At least 2^128, and so at least 39 digits: the quotient is not zero.
        return 38 + divided(by: Decimal.coefficientLimit).quotient.decimalDigitCount
    }

    /// The greatest integer whose square is not greater; only below 2^254, so that the root has 127 bits.
    var squareRoot: UInt128 {
        precondition(high >> 126 == 0, "the root has at most 127 bits")
        if high == 0, low == 0 { return 0 }
        let estimate = (Double(high) * 0x1p128 + Double(low)).squareRoot()
        var root = max(UInt128(estimate), 1)
        // 53 good bits become 106 and then all; a third step costs little and settles what rounding left.
        for _ in 0..<3 {
            let quotient = divided(by: root).quotient
            let next = (root + quotient.low) >> 1
            if next == root { break }
            root = next
        }
        while self < .product(root, root) { root -= 1 }
        while !(self < .product(root + 1, root + 1)) { root += 1 }
        return root
    }
}

extension DecimalShape {
    /// The shape of a 256-bit magnitude at a scale of at most 76.
    init(_ magnitude: Magnitude256, scale: Int) {
        self.init(BigMagnitude.zero, scale: 0)
        guard magnitude != Magnitude256(low: 0) else { return }
        weight = (magnitude.decimalDigitCount - scale - 1).flooredQuotient(4)
        let power = scale + weight * 4
        if power >= 0 {
            leading = Int(magnitude.divided(byPowerOfTen: power).low)
        } else {
            // Below 10,000, and the power moves it within its group of four digits.
            leading = Int(magnitude.low * Decimal.powersOfTen[-power])
        }
    }
}
