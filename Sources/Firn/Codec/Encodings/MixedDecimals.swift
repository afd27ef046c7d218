// SPDX-License-Identifier: Apache-2.0
//
// A cold page of doubles of several precisions, as integers.
//
// Columns that come from many sources mix coarse and fine decimals, and degrees that were minutes or seconds: a
// third or a ninth, cut off after some digits (38.8313333 is 38 degrees and 49.88 minutes). Each source is a class:
// a count of digits, and what is rounded to them, k / (denominator x 10^shift). All classes share one stream of
// integers, in which each has a stretch of its own, so that a bin says class and magnitude at once.
//
//     [class count: u8] and for each [digits: u8][denominator: u8][shift: u8][least k: signed varint][span: varint]
//     class c: integers start ... start + span - 1, start being the sum of the spans before; k = integer - start + least
//     m = k where the denominator is 1, else k x 10^(digits - shift) / denominator, rounded half away from zero
//     value = m / 10^digits, correctly rounded

import CKernels

struct MixedDecimals {
    /// Below 2^53 an integer is exact in a double, and so is the power of ten: their quotient is the decimal.
    private static let integerMax: Int64 = 1 << 53
    private static let digitCountMax = 17
    private static let classCountMax = 64
    /// Minutes and seconds: thirds and ninths of what decimals can say.
    private static let denominators: [Int64] = [6, 36]
    /// Digits that a fraction must run on for, so that no short decimal is taken for one by chance.
    private static let repeatingDigitCountMin = 4
    /// Rarer classes than one value in this many become values of a finer one.
    private static let rareShare = 128

    private static let powers: [Int64] = (0...18).map { exponent in
        (0..<exponent).reduce(Int64(1)) { power, _ in power * 10 }
    }

    /// A value as k / (denominator x 10^shift), rounded to so many digits.
    private struct Decimal {
        var digits: Int
        var denominator: Int64
        var shift: Int
        var integer: Int64
    }

    private struct Class {
        var digits: Int
        var denominator: Int64
        var shift: Int
        var least: Int64
        var span: Int64
        var start: Int64
    }

    let integers: [Int64]
    private let classes: [Class]
    private let far: FarExceptions

    /// nil where one digit count fits nearly all, so that one scaling does as well, or where many values are far.
    init?(_ values: UnsafeBufferPointer<Int64>) {
        guard Self.isMixed(values) else { return nil }
        var decimals: [Decimal] = []
        decimals.reserveCapacity(values.count)
        var far: [Int] = []
        for index in values.indices {
            if let found = Self.decimal(values[index]) {
                decimals.append(Self.fraction(found) ?? found)
            } else {
                far.append(index)
                decimals.append(Decimal(digits: -1, denominator: 1, shift: 0, integer: 0))
            }
        }
        Self.joinRareClasses(&decimals)
        guard let classes = Self.classes(&decimals) else { return nil }
        var integers = decimals.map { decimal in
            classes.first { $0.digits == decimal.digits && $0.denominator == decimal.denominator }
                .map { $0.start + decimal.integer - $0.least } ?? 0
        }
        FarExceptions.fill(&integers, far)
        self.integers = integers
        self.classes = classes
        self.far = FarExceptions(far, values)
    }

    private static func isMixed(_ values: UnsafeBufferPointer<Int64>) -> Bool {
        let sampleCount = min(values.count, 256)
        var sampled = Set<Int>()
        var farCount = 0
        for index in 0..<sampleCount {
            if let found = decimal(values[index * values.count / sampleCount]) {
                sampled.insert(found.digits)
            } else {
                farCount += 1
            }
        }
        // Trailing zeros alone give three neighbouring counts.
        guard let least = sampled.min(), let greatest = sampled.max() else { return false }
        return greatest - least > 3 && farCount * 8 < sampleCount
    }

    // MARK: What a value is

    /// The decimal of fewest digits that is exactly this double.
    private static func decimal(_ bits: Int64) -> Decimal? {
        let value = Double(bitPattern: UInt64(bitPattern: bits))
        for digits in 0...digitCountMax {
            let scaled = (value * ALPScaling.powers[digits]).rounded()
            guard scaled.magnitude < Double(integerMax) else { return nil }
            if Int64(bitPattern: (scaled / ALPScaling.powers[digits]).bitPattern) == bits && (scaled != 0 || bits == 0)
            {
                return Decimal(digits: digits, denominator: 1, shift: digits, integer: Int64(scaled))
            }
        }
        return nil
    }

    /// The same value as a fraction that was cut off, where it is one.
    private static func fraction(_ decimal: Decimal) -> Decimal? {
        for denominator in denominators {
            for shift in 0...max(0, decimal.digits - repeatingDigitCountMin)
            where decimal.digits - shift >= repeatingDigitCountMin {
                let power = powers[decimal.digits - shift]
                let (numerator, isOverflow) = decimal.integer.multipliedReportingOverflow(by: denominator)
                if isOverflow { return nil }
                let integer = rounded(numerator, power)
                if expanded(integer, denominator, power) == decimal.integer {
                    return Decimal(digits: decimal.digits, denominator: denominator, shift: shift, integer: integer)
                }
            }
        }
        return nil
    }

    /// The quotient rounded half away from zero.
    @inline(__always)
    private static func rounded(_ numerator: Int64, _ denominator: Int64) -> Int64 {
        let half = denominator / 2
        return (numerator < 0 ? numerator &- half : numerator &+ half) / denominator
    }

    /// k x 10^(digits - shift) / denominator; wraps where damaged bytes overflow.
    @inline(__always)
    private static func expanded(_ integer: Int64, _ denominator: Int64, _ power: Int64) -> Int64 {
        denominator == 1 ? integer : rounded(integer &* power, denominator)
    }

    // MARK: Classes

    /// A class of a few values costs more than their digits do in a finer one.
    private static func joinRareClasses(_ decimals: inout [Decimal]) {
        let countMin = max(2, decimals.count / rareShare)
        var fractions: [Int64: Int] = [:]
        for decimal in decimals where decimal.denominator > 1 {
            fractions[decimal.denominator << 8 | Int64(decimal.digits), default: 0] += 1
        }
        for index in decimals.indices where decimals[index].denominator > 1 {
            let key = decimals[index].denominator << 8 | Int64(decimals[index].digits)
            if fractions[key, default: 0] < countMin {
                let power = powers[decimals[index].digits - decimals[index].shift]
                let integer = expanded(decimals[index].integer, decimals[index].denominator, power)
                decimals[index].denominator = 1
                decimals[index].shift = decimals[index].digits
                decimals[index].integer = integer
            }
        }
        for digits in 0..<digitCountMax {
            let members = decimals.indices.filter { decimals[$0].digits == digits && decimals[$0].denominator == 1 }
            if members.isEmpty || members.count >= countMin { continue }
            let finer = (digits + 1...digitCountMax).first { finer in
                decimals.contains { $0.digits == finer && $0.denominator == 1 }
            }
            guard let finer,
                members.allSatisfy({
                    let (integer, isOverflow) = decimals[$0].integer.multipliedReportingOverflow(
                        by: powers[finer - digits])
                    return !isOverflow && integer.magnitude < UInt64(integerMax)
                })
            else { continue }
            for index in members {
                decimals[index].integer *= powers[finer - digits]
                decimals[index].digits = finer
                decimals[index].shift = finer
            }
        }
    }

    /// The classes of all decimals, which are given the greatest shift of their class.
    private static func classes(_ decimals: inout [Decimal]) -> [Class]? {
        var shifts: [Int64: Int] = [:]
        func key(_ decimal: Decimal) -> Int64 { decimal.denominator << 8 | Int64(decimal.digits) }
        for decimal in decimals where decimal.digits >= 0 {
            shifts[key(decimal)] = max(shifts[key(decimal)] ?? 0, decimal.shift)
        }
        guard shifts.count <= classCountMax else { return nil }
        var extremes: [Int64: (least: Int64, greatest: Int64)] = [:]
        for index in decimals.indices where decimals[index].digits >= 0 {
            let key = key(decimals[index])
            let shift = shifts[key]!
            decimals[index].integer *= powers[shift - decimals[index].shift]
            decimals[index].shift = shift
            let integer = decimals[index].integer
            let before = extremes[key] ?? (integer, integer)
            extremes[key] = (min(before.least, integer), max(before.greatest, integer))
        }
        var start: Int64 = 0
        var classes: [Class] = []
        for key in extremes.keys.sorted() {
            let (least, greatest) = extremes[key]!
            let span = greatest - least + 1
            classes.append(
                Class(
                    digits: Int(key & 0xFF), denominator: key >> 8, shift: shifts[key]!, least: least, span: span,
                    start: start))
            start += span
        }
        return classes
    }

    // MARK: Bytes

    /// The bytes that say what the integers mean.
    func meaning(_ tag: UInt8, _ statistics: DoubleStatistics) -> [UInt8] {
        var output = ByteWriter()
        output.append(tag)
        output.append(UInt8(classes.count))
        for item in classes {
            output.append(UInt8(item.digits))
            output.append(UInt8(item.denominator))
            output.append(UInt8(item.shift))
            output.appendSignedVarint(item.least)
            output.appendVarint(UInt64(item.span))
        }
        far.encode(statistics.integers, into: &output)
        return output.bytes
    }

    /// Classes that were read and checked.
    struct Decoder {
        private let classes: [Class]
        private let exponents: [Double]
        private let total: Int64
        /// One for each class; empty where doubles might round some integer of a class otherwise than `expanded`.
        private let steps: [FirnDecimalClass]

        init(_ reader: inout ByteReader) throws(FormatError) {
            classes = try MixedDecimals.decodeClasses(&reader)
            exponents = classes.map { ALPScaling.powers[$0.digits] }
            total = classes[classes.count - 1].start + classes[classes.count - 1].span
            let steps = total < DoubleSteps.integerMax ? classes.compactMap { DoubleSteps.step($0) } : []
            self.steps = steps.count == classes.count ? steps : []
        }

        /// Puts bit patterns in the place of `count` integers, which it checks.
        func decode(_ values: UnsafeMutablePointer<Int64>, count: Int) throws(FormatError) {
            let extremes = Kernels.extremes(values, count: count)
            guard extremes.min >= 0, extremes.max < total else {
                throw FormatError("an integer outside of \(classes.count) classes of decimals")
            }
            if !steps.isEmpty { return Kernels.decodeClasses(values, count: count, steps) }
            for index in 0..<count { values[index] = Int64(bitPattern: decimal(values[index]).bitPattern) }
        }

        /// The decimal that an integer of the classes stands for.
        private func decimal(_ integer: Int64) -> Double {
            var number = classes.count - 1
            while classes[number].start > integer { number -= 1 }
            let item = classes[number]
            let rounded = MixedDecimals.expanded(
                integer &- item.start &+ item.least, item.denominator, MixedDecimals.powers[item.digits - item.shift])
            return Double(rounded) / exponents[number]
        }
    }

    /// A class as what doubles do to its integers, for several at once.
    ///
    /// An integer below 2^51 is exact in a double. Times power / denominator, rounded to the nearest double before and
    /// after, it is less than 1 / (2 x denominator) away from the quotient where that is below 2^50 / denominator; and
    /// so far at least is a quotient from the middle between two integers, if it cannot be the middle itself. Adding
    /// and taking away 1.5 x 2^52 then rounds to the same integer.
    private enum DoubleSteps {
        static let integerMax: Int64 = 1 << 51

        /// nil where doubles might round some integer of the class otherwise.
        static func step(_ item: Class) -> FirnDecimalClass? {
            let (last, isOverflow) = item.least.addingReportingOverflow(item.span - 1)
            let greatest = max(item.least.magnitude, last.magnitude)
            guard !isOverflow, greatest < UInt64(integerMax) else { return nil }
            let power = MixedDecimals.powers[item.digits - item.shift]
            let isFraction = item.denominator > 1
            if isFraction {
                let (product, isOverflow) = greatest.multipliedReportingOverflow(by: UInt64(power))
                guard !isOverflow, product <= 1 << 50, !halves(power, item.denominator) else { return nil }
            }
            return FirnDecimalClass(
                start: Double(item.start), distance: Double(item.least - item.start),
                ratio: isFraction ? Double(power) / Double(item.denominator) : 1,
                rounding: isFraction ? ALP.magic : 0, exponent: ALPScaling.powers[item.digits])
        }

        /// True where some multiple of `power` lies in the middle between two of `denominator`.
        private static func halves(_ power: Int64, _ denominator: Int64) -> Bool {
            if denominator % 2 == 1 { return false }
            let step = power % denominator
            var remainder: Int64 = 0
            for _ in 0..<denominator {
                if remainder == denominator / 2 { return true }
                remainder += step
                if remainder >= denominator { remainder -= denominator }
            }
            return false
        }
    }

    private static func decodeClasses(_ reader: inout ByteReader) throws(FormatError) -> [Class] {
        let offset = reader.offset
        let classCount = Int(try reader.readByte())
        guard classCount >= 1, classCount <= classCountMax else {
            throw FormatError("\(classCount) classes of decimals", at: offset)
        }
        var classes: [Class] = []
        var start: Int64 = 0
        for _ in 0..<classCount {
            let digits = Int(try reader.readByte())
            let denominator = Int64(try reader.readByte())
            let shift = Int(try reader.readByte())
            let least = try reader.readSignedVarint()
            let span = try reader.readVarint()
            guard digits <= digitCountMax, denominator >= 1, shift <= digits, span >= 1, span <= 1 << 56 else {
                throw FormatError("a class of decimals of \(digits) digits and 1/\(denominator)", at: offset)
            }
            classes.append(
                Class(
                    digits: digits, denominator: denominator, shift: shift, least: least, span: Int64(span),
                    start: start))
            start += Int64(span)
        }
        return classes
    }
}
