// SPDX-License-Identifier: Apache-2.0
//
// The element-wise kernels of the integer encodings: prefix sums, differences, scaling, extremes.
//
// All arithmetic wraps, so every function is total over all 64-bit patterns.

enum IntegerKernels {
    /// In place: value[i] = carry + value[0] + ... + value[i].
    static func prefixSum(_ values: UnsafeMutablePointer<Int64>, count: Int, carry: Int64) {
        var sum = carry
        for index in 0..<count {
            sum &+= values[index]
            values[index] = sum
        }
    }

    /// differences[i] = values[i] - values[i-1]; differences[0] repeats differences[1] (or is 0).
    static func differences(
        _ values: UnsafePointer<Int64>, count: Int, into differences: UnsafeMutablePointer<Int64>
    ) {
        if count == 0 { return }
        var index = 1
        let source = UnsafeRawPointer(values)
        let target = UnsafeMutableRawPointer(differences)
        while index + 8 <= count {
            let current = source.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Int64>.self)
            let previous = source.loadUnaligned(fromByteOffset: index &* 8 &- 8, as: SIMD8<Int64>.self)
            target.storeBytes(of: current &- previous, toByteOffset: index &* 8, as: SIMD8<Int64>.self)
            index &+= 8
        }
        while index < count {
            differences[index] = values[index] &- values[index &- 1]
            index &+= 1
        }
        differences[0] = count > 1 ? differences[1] : 0
    }

    /// Number of maximal runs of equal neighbours.
    static func runCount(_ values: UnsafePointer<Int64>, count: Int) -> Int {
        if count == 0 { return 0 }
        var boundaries: UInt64 = 0
        for index in 1..<max(count, 1) {
            boundaries &+= UInt64(unsafeBitCast(values[index] != values[index &- 1], to: UInt8.self))
        }
        return Int(boundaries) + 1
    }

    /// Writes first, first + step, first + 2 step ...
    static func fillProgression(_ values: UnsafeMutablePointer<Int64>, count: Int, first: Int64, step: Int64) {
        var value = SIMD8<Int64>(0, 1, 2, 3, 4, 5, 6, 7) &* step &+ first
        let advance = SIMD8<Int64>(repeating: step &* 8)
        let target = UnsafeMutableRawPointer(values)
        var index = 0
        while index + 8 <= count {
            target.storeBytes(of: value, toByteOffset: index &* 8, as: SIMD8<Int64>.self)
            value &+= advance
            index &+= 8
        }
        var tail = first &+ Int64(index) &* step
        while index < count {
            values[index] = tail
            tail &+= step
            index &+= 1
        }
    }

    /// Greatest common divisor of value - least over all values, 0 when all are equal.
    ///
    /// Gives up with 1 as soon as that is known, which for most columns is after a few values.
    static func commonDivisor(_ values: UnsafePointer<Int64>, count: Int, least: Int64) -> UInt64 {
        var divisor: UInt64 = 0
        var test = ExactDivisor(1)
        for index in 0..<count {
            let residual = UInt64(bitPattern: values[index] &- least)
            if residual == 0 { continue }
            if divisor > 1 && test.divides(residual) { continue }
            divisor = greatestCommonDivisor(divisor, residual)
            if divisor == 1 { return 1 }
            test = ExactDivisor(divisor)
        }
        return divisor
    }

    private static func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
        if a == 0 { return b }
        var a = a
        var b = b
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}

/// Division by a fixed divisor of numbers that it divides, by one multiplication.
///
/// Source: Warren, "Hacker's Delight", section 10-16 (exact division by the inverse modulo 2^64).
struct ExactDivisor {
    private let shift: UInt64
    private let inverse: UInt64
    private let quotientMax: UInt64

    init(_ divisor: UInt64) {
        precondition(divisor > 0, "a divisor is positive")
        shift = UInt64(divisor.trailingZeroBitCount)
        let odd = divisor >> shift
        var inverse = odd &* 3 ^ 2
        for _ in 0..<4 { inverse = inverse &* (2 &- odd &* inverse) }
        self.inverse = inverse
        quotientMax = UInt64.max / divisor
    }

    @inline(__always)
    func quotient(of multiple: UInt64) -> UInt64 { (multiple &>> shift) &* inverse }

    @inline(__always)
    func divides(_ value: UInt64) -> Bool {
        let rotated = value &* inverse
        // Rotating right moves the divisor's power of two out; anything not a multiple becomes huge.
        return ((rotated &>> shift) | (shift == 0 ? 0 : rotated &<< (64 &- shift))) <= quotientMax
    }
}
