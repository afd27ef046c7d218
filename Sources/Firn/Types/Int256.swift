// SPDX-License-Identifier: Apache-2.0
//
// A 256-bit signed integer: the exact accumulator of decimal sums and sums of squares.
//
// Two's complement over two 128-bit halves, little-endian on disk: low word first. Only what accumulators need:
// add, subtract, products of 128 by 128 bits, division by 128 bits, comparison.

/// A 256-bit signed integer.
struct Int256: Sendable, Hashable, Comparable {
    /// The upper 128 bits, with the sign.
    var high: Int128
    /// The lower 128 bits.
    var low: UInt128

    /// Joins two halves.
    @inline(__always)
    init(high: Int128, low: UInt128) {
        self.high = high
        self.low = low
    }

    /// Widens a 128-bit integer.
    @inline(__always)
    init(_ value: Int128) {
        high = value < 0 ? -1 : 0
        low = UInt128(bitPattern: value)
    }

    /// Zero.
    static let zero = Int256(high: 0, low: 0)

    /// Whether the value is below zero.
    @inline(__always)
    var isNegative: Bool { high < 0 }

    /// The sum and whether it left 256 bits.
    @inline(__always)
    func addingReportingOverflow(_ other: Int256) -> (partialValue: Int256, overflow: Bool) {
        let (low, carry) = low.addingReportingOverflow(other.low)
        let (sum, first) = high.addingReportingOverflow(other.high)
        let (total, second) = sum.addingReportingOverflow(carry ? 1 : 0)
        // Both can only happen with opposite meaning: -2^127 + -1 + 1 fits again.
        return (Int256(high: total, low: low), first != second)
    }

    /// The difference and whether it left 256 bits.
    @inline(__always)
    func subtractingReportingOverflow(_ other: Int256) -> (partialValue: Int256, overflow: Bool) {
        let (low, borrow) = low.subtractingReportingOverflow(other.low)
        let (difference, first) = high.subtractingReportingOverflow(other.high)
        let (total, second) = difference.subtractingReportingOverflow(borrow ? 1 : 0)
        return (Int256(high: total, low: low), first != second)
    }

    /// The exact product of two 128-bit integers.
    @inline(__always)
    static func product(_ left: Int128, _ right: Int128) -> Int256 {
        let (high, low) = left.magnitude.multipliedFullWidth(by: right.magnitude)
        let magnitude = Int256(high: Int128(bitPattern: high), low: low)
        return (left < 0) != (right < 0) ? magnitude.negatedWrapping : magnitude
    }

    /// The product with a non-negative 128-bit integer, and whether it left 256 bits.
    func multipliedReportingOverflow(by factor: UInt128) -> (partialValue: Int256, overflow: Bool) {
        let (upper, lower) = magnitude
        let low = lower.multipliedFullWidth(by: factor)
        let high = upper.multipliedFullWidth(by: factor)
        let (middle, carry) = high.low.addingReportingOverflow(low.high)
        let limit = UInt128(1) << 127
        let overflow = high.high != 0 || carry || middle > limit || (middle == limit && (low.low != 0 || !isNegative))
        let result = Int256(high: Int128(bitPattern: middle), low: low.low)
        return (isNegative ? result.negatedWrapping : result, overflow)
    }

    /// The absolute value as two halves.
    var magnitude: (high: UInt128, low: UInt128) {
        let value = isNegative ? negatedWrapping : self
        return (UInt128(bitPattern: value.high), value.low)
    }

    /// The value when it fits into 128 bits.
    @inline(__always)
    var narrow: Int128? {
        let narrow = Int128(bitPattern: low)
        return (narrow < 0 ? -1 : 0) == high ? narrow : nil
    }

    private var negatedWrapping: Int256 {
        let (low, carry) = (~low).addingReportingOverflow(1)
        return Int256(high: ~high &+ (carry ? 1 : 0), low: low)
    }

    /// Compares as integers.
    @inline(__always)
    static func < (left: Int256, right: Int256) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// Divides a 256-bit magnitude; the divisor is not zero.
    static func divide(
        high: UInt128, low: UInt128, by divisor: UInt128
    ) -> (high: UInt128, low: UInt128, remainder: UInt128) {
        let upper = high.quotientAndRemainder(dividingBy: divisor)
        let lower = divisor.dividingFullWidth((upper.remainder, low))
        return (upper.quotient, lower.quotient, lower.remainder)
    }
}
