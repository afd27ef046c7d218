// SPDX-License-Identifier: Apache-2.0
//
// The loops of ALP: doubles to integers and back, eight at a time.
//
// Only additions of a constant and multiplications, each rounded on its own: every CPU level gives the
// same bits.

enum ALPKernels {
    private typealias Doubles = SIMD8<Double>
    private typealias Integers = SIMD8<Int64>

    /// In place: integers to the bit patterns of the doubles that they stand for.
    static func decode(_ values: UnsafeMutablePointer<Int64>, count: Int, _ scaling: ALPScaling) {
        let down = Doubles(repeating: scaling.down)
        let fraction = Doubles(repeating: scaling.downFraction)
        let memory = UnsafeMutableRawPointer(values)
        var index = 0
        while index + 8 <= count {
            let integers = memory.loadUnaligned(fromByteOffset: index &* 8, as: Integers.self)
            let doubles = double(integers) * down * fraction
            memory.storeBytes(of: doubles, toByteOffset: index &* 8, as: Doubles.self)
            index &+= 8
        }
        while index < count {
            let number = Double(bitPattern: UInt64(bitPattern: values[index] &+ ALP.magicBits)) - ALP.magic
            values[index] = Int64(bitPattern: (number * scaling.down * scaling.downFraction).bitPattern)
            index &+= 1
        }
    }

    @inline(__always)
    private static func double(_ integers: Integers) -> Doubles {
        unsafeBitCast(integers &+ Integers(repeating: ALP.magicBits), to: Doubles.self) - Doubles(repeating: ALP.magic)
    }

    /// Unpacks, adds the base and scales in one pass; writes 16 x rowCount bit patterns.
    static func unpackAndDecode(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: Int64, _ scaling: ALPScaling,
        into values: UnsafeMutablePointer<Int64>
    ) {
        // Precondition: as for BitPacking.unpack.
        let output = UnsafeMutableRawPointer(values)
        let down = Doubles(repeating: scaling.down)
        let fraction = Doubles(repeating: scaling.downFraction)
        let magic = Doubles(repeating: ALP.magic)
        // The base and the bits that make an integer a double are added at once.
        let offset = SIMD8<UInt64>(repeating: UInt64(bitPattern: base &+ ALP.magicBits))
        BitPacking.forEachHalfRow(of: packed, width: width, rowCount: rowCount) { byteOffset, integers in
            let doubles = (unsafeBitCast(integers &+ offset, to: Doubles.self) - magic) * down * fraction
            output.storeBytes(of: doubles, toByteOffset: byteOffset, as: Doubles.self)
        }
    }

    /// Integers for doubles; positions of those that do not come back go to `mismatches`. Returns their count.
    static func encode(
        _ bits: UnsafePointer<Int64>, count: Int, _ scaling: ALPScaling, into integers: UnsafeMutablePointer<Int64>,
        mismatches: UnsafeMutablePointer<UInt16>
    ) -> Int {
        let up = Doubles(repeating: scaling.up)
        let upFraction = Doubles(repeating: scaling.upFraction)
        let down = Doubles(repeating: scaling.down)
        let downFraction = Doubles(repeating: scaling.downFraction)
        let magic = Doubles(repeating: ALP.magic)
        let source = UnsafeRawPointer(bits)
        let target = UnsafeMutableRawPointer(integers)
        var found = 0
        var index = 0
        while index + 8 <= count {
            let values = source.loadUnaligned(fromByteOffset: index &* 8, as: Doubles.self)
            let rounded = values * up * upFraction + magic
            let decoded = (rounded - magic) * down * downFraction
            target.storeBytes(
                of: unsafeBitCast(rounded, to: Integers.self) &- Integers(repeating: ALP.magicBits),
                toByteOffset: index &* 8, as: Integers.self)
            let wrong = unsafeBitCast(decoded, to: Integers.self) .!= unsafeBitCast(values, to: Integers.self)
            if any(wrong) {
                for lane in 0..<8 where wrong[lane] {
                    mismatches[found] = UInt16(index + lane)
                    found += 1
                }
            }
            index &+= 8
        }
        while index < count {
            let value = Double(bitPattern: UInt64(bitPattern: bits[index]))
            let rounded = value * scaling.up * scaling.upFraction + ALP.magic
            integers[index] = Int64(bitPattern: rounded.bitPattern) &- ALP.magicBits
            let decoded = (rounded - ALP.magic) * scaling.down * scaling.downFraction
            if decoded.bitPattern != value.bitPattern {
                mismatches[found] = UInt16(index)
                found += 1
            }
            index &+= 1
        }
        return found
    }

    /// As `encode`, for patterns of floats in the low 32 bits.
    static func encodeFloats(
        _ bits: UnsafePointer<Int64>, count: Int, _ scaling: ALPScaling, into integers: UnsafeMutablePointer<Int64>,
        mismatches: UnsafeMutablePointer<UInt16>
    ) -> Int {
        var found = 0
        for index in 0..<count {
            let value = Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits[index])))
            let rounded = value * scaling.up * scaling.upFraction + ALP.magic
            integers[index] = Int64(bitPattern: rounded.bitPattern) &- ALP.magicBits
            let decoded = (rounded - ALP.magic) * scaling.down * scaling.downFraction
            if Int64(Float(decoded).bitPattern) != bits[index] {
                mismatches[found] = UInt16(index)
                found += 1
            }
        }
        return found
    }

    /// In place: bit patterns of doubles to those of the nearest floats, in the low 32 bits.
    static func narrow(_ values: UnsafeMutablePointer<Int64>, count: Int) {
        for index in 0..<count {
            values[index] = Int64(Float(Double(bitPattern: UInt64(bitPattern: values[index]))).bitPattern)
        }
    }
}
