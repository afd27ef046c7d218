// SPDX-License-Identifier: Apache-2.0
//
// Unsigned integers of any size, for the few places where 256 bits do not hold an intermediate result: decimal
// division to many places, square roots, variances, powers.
//
// It allocates and is not for loops over values; those use Int128 and Int256. Limbs are base 2^32, little-endian,
// without leading zero limbs (zero has none).
//
// Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1 (algorithm D for division).

struct BigMagnitude: Sendable, Equatable {
    private(set) var limbs: [UInt32]

    static let zero = BigMagnitude(limbs: [])

    private init(limbs: [UInt32]) {
        var limbs = limbs
        while limbs.last == 0 { limbs.removeLast() }
        self.limbs = limbs
    }

    init(_ value: UInt128) {
        self.init(limbs: (0..<4).map { UInt32(truncatingIfNeeded: value >> ($0 * 32)) })
    }

    init(high: UInt128, low: UInt128) {
        self.init(
            limbs: (0..<4).map { UInt32(truncatingIfNeeded: low >> ($0 * 32)) }
                + (0..<4).map { UInt32(truncatingIfNeeded: high >> ($0 * 32)) })
    }

    static func powerOfTen(_ exponent: Int) -> BigMagnitude {
        precondition(exponent >= 0, "a magnitude is whole")
        var result = BigMagnitude(1)
        var rest = exponent
        while rest > 0 {
            let step = min(rest, 38)
            result = result * BigMagnitude(Decimal.powersOfTen[step])
            rest -= step
        }
        return result
    }

    var isZero: Bool { limbs.isEmpty }

    var bitWidth: Int { limbs.isEmpty ? 0 : limbs.count * 32 - limbs[limbs.count - 1].leadingZeroBitCount }

    /// The value when it has at most 128 bits.
    var narrow: UInt128? {
        guard limbs.count <= 4 else { return nil }
        return limbs.reversed().reduce(0) { $0 << 32 | UInt128($1) }
    }

    /// The number of decimal digits; 1 for zero.
    var decimalDigitCount: Int {
        guard !isZero else { return 1 }
        // The value is at least 2^(bits - 1), and so has more digits than log10 of that, by one or two.
        let estimate = (bitWidth - 1) * 30_103 / 100_000
        return self < BigMagnitude.powerOfTen(estimate + 1) ? estimate + 1 : estimate + 2
    }

    static func < (left: BigMagnitude, right: BigMagnitude) -> Bool {
        if left.limbs.count != right.limbs.count { return left.limbs.count < right.limbs.count }
        for index in left.limbs.indices.reversed() where left.limbs[index] != right.limbs[index] {
            return left.limbs[index] < right.limbs[index]
        }
        return false
    }

    static func + (left: BigMagnitude, right: BigMagnitude) -> BigMagnitude {
        var result: [UInt32] = []
        var carry: UInt64 = 0
        for index in 0..<max(left.limbs.count, right.limbs.count) {
            let sum =
                (index < left.limbs.count ? UInt64(left.limbs[index]) : 0)
                + (index < right.limbs.count ? UInt64(right.limbs[index]) : 0) + carry
            result.append(UInt32(truncatingIfNeeded: sum))
            carry = sum >> 32
        }
        result.append(UInt32(carry))
        return BigMagnitude(limbs: result)
    }

    /// The difference; `right` is not greater than `left`.
    static func - (left: BigMagnitude, right: BigMagnitude) -> BigMagnitude {
        precondition(!(left < right), "a magnitude is not negative")
        var result = left.limbs
        var borrow: Int64 = 0
        for index in result.indices {
            var difference =
                Int64(result[index]) - (index < right.limbs.count ? Int64(right.limbs[index]) : 0) - borrow
            borrow = difference < 0 ? 1 : 0
            if difference < 0 { difference += 1 << 32 }
            result[index] = UInt32(difference)
        }
        return BigMagnitude(limbs: result)
    }

    static func * (left: BigMagnitude, right: BigMagnitude) -> BigMagnitude {
        guard !left.isZero, !right.isZero else { return .zero }
        var result = [UInt32](repeating: 0, count: left.limbs.count + right.limbs.count)
        for (index, limb) in left.limbs.enumerated() {
            var carry: UInt64 = 0
            for (offset, other) in right.limbs.enumerated() {
                let sum = UInt64(limb) * UInt64(other) + UInt64(result[index + offset]) + carry
                result[index + offset] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
            }
            result[index + right.limbs.count] = UInt32(carry)
        }
        return BigMagnitude(limbs: result)
    }

    private func shifted(left count: Int) -> [UInt32] {
        var result = limbs
        var carry: UInt32 = 0
        if count > 0 {
            for index in result.indices {
                let limb = result[index]
                result[index] = limb << UInt32(count) | carry
                carry = limb >> UInt32(32 - count)
            }
        }
        result.append(carry)
        return result
    }

    /// The quotient and remainder; the divisor is not zero.
    func dividing(by divisor: BigMagnitude) -> (quotient: BigMagnitude, remainder: BigMagnitude) {
        precondition(!divisor.isZero, "division by zero is the caller's to report")
        if self < divisor { return (.zero, self) }
        if divisor.limbs.count == 1 {
            var quotient = limbs
            var remainder: UInt64 = 0
            for index in quotient.indices.reversed() {
                let part = remainder << 32 | UInt64(quotient[index])
                quotient[index] = UInt32(part / UInt64(divisor.limbs[0]))
                remainder = part % UInt64(divisor.limbs[0])
            }
            return (BigMagnitude(limbs: quotient), BigMagnitude(UInt128(remainder)))
        }
        let shift = divisor.limbs[divisor.limbs.count - 1].leadingZeroBitCount
        let v = Array(divisor.shifted(left: shift).dropLast())
        var u = shifted(left: shift)
        let n = v.count
        var quotient = [UInt32](repeating: 0, count: u.count - n)
        for j in (0..<(u.count - n)).reversed() {
            let top = UInt64(u[j + n]) << 32 | UInt64(u[j + n - 1])
            var guess = top / UInt64(v[n - 1])
            var rest = top % UInt64(v[n - 1])
            while guess >> 32 != 0 || guess * UInt64(v[n - 2]) > (rest << 32 | UInt64(u[j + n - 2])) {
                guess -= 1
                rest += UInt64(v[n - 1])
                if rest >> 32 != 0 { break }
            }
            var borrow: Int64 = 0
            var carry: UInt64 = 0
            for index in 0..<n {
                let product = guess * UInt64(v[index]) + carry
                carry = product >> 32
                let difference = Int64(u[index + j]) - borrow - Int64(product & 0xFFFF_FFFF)
                u[index + j] = UInt32(truncatingIfNeeded: difference)
                borrow = difference < 0 ? 1 : 0
            }
            let difference = Int64(u[j + n]) - borrow - Int64(carry)
            u[j + n] = UInt32(truncatingIfNeeded: difference)
            if difference < 0 {
                guess -= 1
                var addCarry: UInt64 = 0
                for index in 0..<n {
                    let sum = UInt64(u[index + j]) + UInt64(v[index]) + addCarry
                    u[index + j] = UInt32(truncatingIfNeeded: sum)
                    addCarry = sum >> 32
                }
                u[j + n] = UInt32(truncatingIfNeeded: UInt64(u[j + n]) + addCarry)
            }
            quotient[j] = UInt32(guess)
        }
        var remainder = Array(u.prefix(n))
        if shift > 0 {
            for index in 0..<n {
                let above = index + 1 < n ? remainder[index + 1] << UInt32(32 - shift) : 0
                remainder[index] = remainder[index] >> UInt32(shift) | above
            }
        }
        return (BigMagnitude(limbs: quotient), BigMagnitude(limbs: remainder))
    }

    /// The quotient rounded half away from zero.
    func dividingRounded(by divisor: BigMagnitude) -> BigMagnitude {
        let (quotient, remainder) = dividing(by: divisor)
        return remainder + remainder < divisor ? quotient : quotient + BigMagnitude(1)
    }

    /// The greatest integer whose square is not greater.
    var squareRoot: BigMagnitude {
        guard !isZero else { return .zero }
        // Newton from above; a power of two not below the root starts it.
        var root = BigMagnitude(1)
        let bits = (bitWidth + 1) / 2
        root = BigMagnitude(limbs: [UInt32](repeating: 0, count: bits / 32) + [1 << UInt32(bits % 32)])
        while true {
            let next = (root + dividing(by: root).quotient).dividing(by: BigMagnitude(2)).quotient
            if !(next < root) { return root }
            root = next
        }
    }
}
