// SPDX-License-Identifier: Apache-2.0
//
// Integers of a cold page as quotients and remainders of one multiple.
//
// Where most values are round and some are not (times in milliseconds of which two thirds are whole hundredths),
// the last digits have a distribution of their own, which differences smear. Quotients are stored as the page's
// integers, the remainders, 0 ... multiple - 1, as one more stream of bins.
//
//     [multiple: varint, 0 where nothing is split][binned remainders, where the multiple is above 1]
//     integer = quotient x multiple + remainder
//
// Source: the integer-multiple mode of pcodec's format (Loncaric, 2025).

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct RemainderSplit {
    /// Multiples that are tried, of the values' common divisor: what decimal and sexagesimal numbers end on.
    private static let multiples: [UInt64] = [2, 4, 5, 8, 10, 16, 20, 25, 50, 60, 100, 250, 500, 1_000]
    /// Bits a value that the remainders must seem to save.
    private static let savingMin = 0.04
    private static let sampleCountMax = 4_096
    /// What a bin takes in the header, for the estimate.
    private static let bitsPerRemainder = 20.0

    let quotients: [Int64]
    /// The multiple and the remainders.
    let bytes: [UInt8]

    /// nil where the last digits of the integers are as evenly spread as any.
    init?(_ integers: [Int64]) {
        let multiple = integers.withUnsafeBufferPointer { Self.multiple($0) }
        guard let multiple else { return nil }
        var quotients = integers
        var remainders = integers
        for index in integers.indices {
            let (quotient, remainder) = Self.floored(integers[index], multiple)
            quotients[index] = quotient
            remainders[index] = remainder
        }
        guard let plan = remainders.withUnsafeBufferPointer({ BinnedEntropy.plan($0) }) else { return nil }
        var output = ByteWriter()
        output.appendVarint(UInt64(multiple))
        BinnedEntropy.encode(plan, into: &output)
        self.quotients = quotients
        bytes = output.bytes
    }

    @inline(__always)
    private static func floored(_ value: Int64, _ multiple: Int64) -> (quotient: Int64, remainder: Int64) {
        var (quotient, remainder) = value.quotientAndRemainder(dividingBy: multiple)
        if remainder < 0 {
            quotient -= 1
            remainder += multiple
        }
        return (quotient, remainder)
    }

    /// The multiple whose remainders are farthest from an even spread, judged by a sample.
    private static func multiple(_ integers: UnsafeBufferPointer<Int64>) -> Int64? {
        guard integers.count > 512 else { return nil }
        let extremes = Kernels.extremes(integers.baseAddress!, count: integers.count)
        let divisor = max(
            1, IntegerKernels.commonDivisor(integers.baseAddress!, count: integers.count, least: extremes.min))
        guard divisor < 1 << 40 else { return nil }
        let sampleCount = min(integers.count, sampleCountMax)
        var best: (multiple: Int64, saving: Double)?
        var counts = [Int](repeating: 0, count: Int(multiples.last!))
        for factor in multiples {
            let multiple = Int64(divisor * factor)
            // Where the values are not many multiples apart, bins hold them as they are.
            guard UInt64(bitPattern: extremes.max &- extremes.min) > UInt64(multiple) * 4 else { break }
            for slot in 0..<Int(factor) { counts[slot] = 0 }
            for index in 0..<sampleCount {
                let value = integers[index * integers.count / sampleCount]
                counts[Int(floored(value, multiple).remainder / Int64(divisor))] += 1
            }
            var entropy = 0.0
            var distinctCount = 0
            for count in counts[..<Int(factor)] where count > 0 {
                let share = Double(count) / Double(sampleCount)
                entropy -= share * log2(share)
                distinctCount += 1
            }
            // A sample knows fewer remainders than there are (Miller and Madow, 1955), and each costs a bin.
            entropy += Double(distinctCount - 1) / (2 * Double(sampleCount)) * M_LOG2E
            entropy += Double(distinctCount) * bitsPerRemainder / Double(integers.count)
            let saving = log2(Double(factor)) - entropy
            if saving > max(savingMin, best?.saving ?? 0) { best = (multiple, saving) }
        }
        return best?.multiple
    }
}

/// The remainders of a page's quotients, read and checked.
struct Remainders {
    private let multiple: Int64
    private let integers: BinnedIntegers

    /// nil where nothing is split.
    init?(_ reader: inout ByteReader) throws(FormatError) {
        multiple = Int64(bitPattern: try reader.readVarint())
        guard multiple != 0 else { return nil }
        guard multiple > 1 else { throw FormatError("remainders of \(multiple)", at: reader.offset) }
        integers = try BinnedIntegers(&reader)
    }

    /// Puts integers in the place of the next `count` quotients, at most a vector.
    func join(_ quotients: UnsafeMutablePointer<Int64>, count: Int) {
        integers.joinNext(count, to: quotients, factor: multiple)
    }
}
