// SPDX-License-Identifier: Apache-2.0
//
// Every C kernel gives the bits of its Swift reference, at every CPU level that this machine has.

import CKernels
import Testing

@testable import Firn

@Suite struct KernelTests {
    static let levels = [FirnLevelBaseline, FirnLevelAVX2, FirnLevelAVX512].filter { firn_kernels_at($0) != nil }

    private func forEveryLevel(_ body: (FirnKernels, UInt32) throws -> Void) rethrows {
        for level in Self.levels { try body(firn_kernels_at(level).pointee, level.rawValue) }
    }

    /// FIRN_EFFORT=full runs so many rounds that each kernel sees a million vectors and more, in release mode.
    static func rounds(_ sampled: Int, full: Int) -> Int { TestEffort.isFull ? full : sampled }

    /// The sample once, or `full` times over.
    private static func repeated(_ sample: [Int], full: Int) -> some Sequence<Int> {
        (0..<rounds(1, full: full)).lazy.flatMap { _ in sample }
    }

    private static let counts = [
        1, 2, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 100, 511, 1_023, 1_024,
    ]

    /// Of any width, around any center, half of the time with some that are far from the others.
    private func integers(_ count: Int, _ random: inout CodecRandom) -> [Int64] {
        let shift = UInt64(random.below(64))
        let center = [0, .min, .max, Int64(bitPattern: random.next())][random.below(4)]
        let isMixed = random.below(2) == 0
        return (0..<count).map { _ in
            isMixed && random.below(30) == 0
                ? [.min, .max, 0, -1][random.below(4)] : center &+ Int64(bitPattern: random.next()) >> Int64(shift)
        }
    }

    private func doubles(_ count: Int, _ random: inout CodecRandom) -> [Double] {
        let specials: [Double] = [.nan, .infinity, -.infinity, -0.0, 0.0, .leastNonzeroMagnitude, 1e308, -1e308]
        let specialShare = [0, 0, 0, 3][random.below(4)]
        return (0..<count).map { _ in
            random.below(100) < specialShare
                ? specials[random.below(specials.count)]
                : Double(Int64(bitPattern: random.next()) >> 20) * [1e-9, 0.01, 1, 1e30][random.below(4)]
        }
    }

    @Test func checksumsAgree() {
        var random = CodecRandom()
        let bytes = random.bytes(70_000)
        bytes.withUnsafeBytes { bytes in
            let counts = [0, 1, 7, 8, 9, 255, 767, 768, 769, 1_400, 12_287, 12_288, 12_289, 65_536]
            for count in Self.repeated(counts, full: 2_000) {
                let offset = random.below(64)
                let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
                let seed = UInt32(truncatingIfNeeded: random.next())
                let expected = CRC32C.reference(part, seed: seed)
                forEveryLevel { kernels, level in
                    #expect(
                        kernels.crc32c(part.baseAddress, count, seed) == expected,
                        "level \(level), \(count) bytes, seed \(random.seed)")
                }
            }
        }
    }

    @Test(arguments: 0...64) func unpackingAgrees(_ width: Int) {
        var random = CodecRandom()
        for rowCount in Self.repeated([1, 2, 7, 64], full: 3_847) {
            // Exactly the bytes that are promised, so that a sanitizer sees any read past them.
            let byteCount = BitPacking.byteCount(valueCount: rowCount * 16, width: width)
            let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 1)
            defer { packed.deallocate() }
            packed.copyBytes(from: random.bytes(max(byteCount, 1)))
            let base = random.next()
            let source = UnsafeRawPointer(packed.baseAddress!)
            var expected = [UInt64](repeating: 0, count: rowCount * 16)
            BitPacking.unpack(source, width: width, rowCount: rowCount, base: base, into: &expected)
            let scaling = ALPScaling(exponent: 7, factor: 3)
            var decoded = expected.map { Int64(bitPattern: $0) }
            ALPKernels.decode(&decoded, count: decoded.count, scaling)
            var decodedAtOnce = [Int64](repeating: 1, count: rowCount * 16)
            ALPKernels.unpackAndDecode(
                source, width: width, rowCount: rowCount, base: Int64(bitPattern: base), scaling, into: &decodedAtOnce)
            #expect(decodedAtOnce == decoded, "rows \(rowCount), seed \(random.seed)")
            forEveryLevel { kernels, level in
                var output = [UInt64](repeating: 1, count: rowCount * 16)
                kernels.unpack(source, UInt32(width), rowCount, base, &output)
                #expect(output == expected, "level \(level), rows \(rowCount), seed \(random.seed)")
                var narrow = [UInt32](repeating: 1, count: rowCount * 16)
                kernels.unpackNarrow(source, UInt32(width), rowCount, base, &narrow)
                #expect(
                    narrow == expected.map { UInt32(truncatingIfNeeded: $0) }, "level \(level), seed \(random.seed)")
                var numbers = [Double](repeating: 1, count: rowCount * 16)
                kernels.unpackALP(
                    source, UInt32(width), rowCount, Int64(bitPattern: base), scaling.down, scaling.downFraction,
                    &numbers)
                #expect(
                    numbers.map { Int64(bitPattern: $0.bitPattern) } == decoded, "level \(level), seed \(random.seed)")
            }
        }
    }

    @Test(arguments: 0...64) func unpackingSumsAgrees(_ width: Int) {
        var random = CodecRandom()
        for rowCount in Self.repeated([1, 2, 3, 7, 33, 63, 64, 64], full: 2_000) {
            // Exactly the bytes that are promised, so that a sanitizer sees any read past them.
            let byteCount = BitPacking.byteCount(valueCount: rowCount * 16, width: width)
            let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 1)
            defer { packed.deallocate() }
            // All ones in a third of the vectors: the largest sums.
            packed.copyBytes(
                from: random.below(3) == 0
                    ? [UInt8](repeating: .max, count: max(byteCount, 1)) : random.bytes(max(byteCount, 1)))
            let source = UnsafeRawPointer(packed.baseAddress!)
            let base = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            let carry = [0, .min, .max, Int64(bitPattern: random.next())][random.below(4)]
            let scaling = ALPScaling(exponent: random.below(23), factor: random.below(23))
            var decoded = [Int64](repeating: 1, count: rowCount * 16)
            decoded.withUnsafeMutableBufferPointer { decoded in
                decoded.withMemoryRebound(to: UInt64.self) {
                    BitPacking.unpack(
                        source, width: width, rowCount: rowCount, base: UInt64(bitPattern: base), into: $0.baseAddress!)
                }
                IntegerKernels.prefixSum(decoded.baseAddress!, count: decoded.count, carry: carry)
                ALPKernels.decode(decoded.baseAddress!, count: decoded.count, scaling)
            }
            forEveryLevel { kernels, level in
                var output = [Double](repeating: 1, count: rowCount * 16)
                kernels.unpackSumsALP(
                    source, UInt32(width), rowCount, UInt64(bitPattern: base), carry, scaling.down,
                    scaling.downFraction, &output)
                #expect(
                    output.map { Int64(bitPattern: $0.bitPattern) } == decoded,
                    "level \(level), \(rowCount) rows, seed \(random.seed)")
            }
        }
    }

    @Test func sumsAndScalingAgree() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 66_667) {
            let values = integers(count, &random)
            let carry = Int64(bitPattern: random.next())
            var sums = values
            IntegerKernels.prefixSum(&sums, count: count, carry: carry)
            let scaling = ALPScaling(exponent: random.below(23), factor: random.below(23))
            var decoded = values
            ALPKernels.decode(&decoded, count: count, scaling)
            forEveryLevel { kernels, level in
                var output = values
                kernels.prefixSum(&output, count, carry)
                #expect(output == sums, "level \(level), \(count) values, seed \(random.seed)")
                output = values
                kernels.decodeALP(&output, count, scaling.down, scaling.downFraction)
                #expect(output == decoded, "level \(level), \(count) values, seed \(random.seed)")
            }
        }
    }

    @Test(arguments: 0...64) func packingAgrees(_ width: Int) {
        var random = CodecRandom()
        for count in Self.repeated([1, 15, 16, 17, 1_000, 1_024], full: 2_565) {
            let values = integers(count, &random)
            let base = Int64(bitPattern: random.next())
            let rowCount = BitPacking.rowCount(forValues: count)
            let byteCount = BitPacking.byteCount(valueCount: count, width: width)
            var residuals = values.map { UInt64(bitPattern: $0 &- base) }
            residuals += [UInt64](repeating: 0, count: rowCount * 16 - count)
            var expected = [UInt8](repeating: 0, count: byteCount)
            expected.withUnsafeMutableBytes { bytes in
                if byteCount > 0 {
                    BitPacking.pack(residuals, width: width, rowCount: rowCount, into: bytes.baseAddress!)
                }
            }
            forEveryLevel { kernels, level in
                var packed = [UInt8](repeating: 0, count: byteCount)
                kernels.pack(values, count, base, UInt32(width), &packed)
                #expect(packed == expected, "level \(level), \(count) values, seed \(random.seed)")
            }
        }
    }

    @Test func whatEncodersAskForAgrees() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 66_667) {
            var values = integers(count, &random)
            if random.below(2) == 0 {
                for index in 1..<max(count, 1) where index % 3 != 0 { values[index] = values[index - 1] }
            }
            let base = values[random.below(count)]
            let limit = random.next() >> UInt64(random.below(64))
            let above = values.count { UInt64(bitPattern: $0 &- base) > limit }
            let factor = Int64(bitPattern: random.next())
            let scaled = values.map { $0 &* factor &+ base }
            var differences = values
            IntegerKernels.differences(values, count: count, into: &differences)
            let changes = IntegerKernels.runCount(values, count: count) - 1
            let start = [base, base &+ 1, .min, .max][random.below(4)]
            let leastFrom = values.filter { $0 >= start }.min() ?? .max
            let joined = zip(values, differences).map { $0 &* factor &+ $1 }
            forEveryLevel { kernels, level in
                #expect(kernels.countAbove(values, count, base, limit) == above, "level \(level), seed \(random.seed)")
                #expect(kernels.countChanges(values, count) == changes, "level \(level), seed \(random.seed)")
                var least: Int64 = 0
                var greatest: Int64 = 0
                kernels.extremes(values, count, &least, &greatest)
                #expect(least == values.min() && greatest == values.max(), "level \(level), seed \(random.seed)")
                var output = [Int64](repeating: 0, count: count)
                kernels.differences(values, count, &output)
                #expect(output == differences, "level \(level), seed \(random.seed)")
                output = values
                kernels.scale(&output, count, factor, base)
                #expect(output == scaled, "level \(level), seed \(random.seed)")
                output = values
                kernels.join(&output, count, factor, differences)
                #expect(output == joined, "level \(level), seed \(random.seed)")
                #expect(kernels.leastFrom(values, count, start) == leastFrom, "level \(level), seed \(random.seed)")
            }
        }
    }

    @Test(arguments: KernelComparison.allCases) func comparisonsAgree(_ comparison: KernelComparison) {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 11_112) {
            let values = integers(count, &random)
            let constant = values[random.below(count)]
            let numbers = doubles(count, &random)
            let pivot = numbers[random.below(count)]
            let number = pivot.isNaN ? 0 : pivot
            let wordCount = (count + 63) / 64
            let expected = FilterKernels.compare(values, count: count, comparison, constant)
            let expectedNumbers = FilterKernels.compare(numbers, count: count, comparison, number)
            let range = min(constant, values[0])...max(constant, values[0])
            let expectedRange = FilterKernels.contained(values, count: count, in: range)
            forEveryLevel { kernels, level in
                func bitmap(_ body: (UnsafeMutablePointer<UInt8>) -> Void) -> [UInt64] {
                    var words = [UInt64](repeating: 0, count: wordCount)
                    words.withUnsafeMutableBytes { body($0.bindMemory(to: UInt8.self).baseAddress!) }
                    return words
                }
                let operation = FirnComparison(rawValue: comparison.rawValue)
                #expect(
                    bitmap { kernels.compareInt64(values, count, operation, constant, $0) } == expected,
                    "level \(level), \(count) values, seed \(random.seed)")
                #expect(
                    bitmap { kernels.compareDouble(numbers, count, operation, number, $0) } == expectedNumbers,
                    "level \(level), \(count) values, seed \(random.seed)")
                #expect(
                    bitmap { kernels.betweenInt64(values, count, range.lowerBound, range.upperBound, $0) }
                        == expectedRange, "level \(level), \(count) values, seed \(random.seed)")
            }
        }
    }

    @Test func selectionsAgree() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 16_667) {
            for share in [0.0, 0.1, 0.5, 1.0] {
                var words = SampleColumns.validity(count: count, nullShare: share, &random)
                // Bits past the count must not matter.
                if count % 64 != 0 { words[words.count - 1] |= .max << UInt64(count % 64) }
                let expected = FilterKernels.select(words, count: count, first: 100)
                forEveryLevel { kernels, level in
                    var indexes = [UInt32](repeating: 0, count: count + 16)
                    let found = kernels.select(words, count, 100, &indexes)
                    #expect(Array(indexes[..<found]) == expected, "level \(level), \(count), seed \(random.seed)")
                }
            }
        }
    }

    @Test func codesAreReplacedByTheirEntries() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 66_667) {
            let entries = integers([1, 2, 8, 16, 17, 31, 32, 33, 500][random.below(9)], &random)
            let codes = (0..<count).map { _ in Int64(random.below(entries.count)) }
            let expected = codes.map { entries[Int($0)] }
            forEveryLevel { kernels, level in
                var output = codes
                kernels.replaceCodes(&output, count, entries, entries.count)
                #expect(output == expected, "level \(level), \(entries.count) entries, seed \(random.seed)")
            }
        }
    }

    @Test func integersOfClassesBecomeTheirDecimals() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts, full: 66_667) {
            var starts: [Int64] = [0]
            for _ in 0..<[0, 1, 2, 6, 7, 8, 15, 63][random.below(8)] {
                starts.append(starts[starts.count - 1] + 1 + Int64(random.below(1 << (1 + random.below(44)))))
            }
            let classes = starts.map { start in
                let isFraction = random.below(3) == 0
                return FirnDecimalClass(
                    start: Double(start), distance: Double(random.below(1 << 40)) - Double(start),
                    ratio: isFraction ? 1_000.0 / 36 : 1, rounding: isFraction ? ALP.magic : 0,
                    exponent: ALPScaling.powers[random.below(18)])
            }
            // Often the first or the last of a class.
            let values = (0..<count).map { _ in
                max(0, starts[random.below(starts.count)] + Int64(random.below(4)) * Int64(random.below(1_000)) - 1)
            }
            let expected = values.map { value -> Int64 in
                let item = classes[starts.lastIndex { $0 <= value }!]
                let scaled = (Double(value) + item.distance) * item.ratio
                return Int64(bitPattern: ((scaled + item.rounding - item.rounding) / item.exponent).bitPattern)
            }
            forEveryLevel { kernels, level in
                var output = values
                kernels.decodeClasses(&output, count, classes, classes.count)
                #expect(output == expected, "level \(level), \(classes.count) classes, seed \(random.seed)")
            }
        }
    }

    private func areSame(_ a: FirnDoubleAggregate, _ b: FirnDoubleAggregate) -> Bool {
        // Which NaN a sum is depends on the order of operands inside one addition; that it is one does not.
        (a.sum.bitPattern == b.sum.bitPattern || (a.sum.isNaN && b.sum.isNaN))
            && a.min.bitPattern == b.min.bitPattern && a.max.bitPattern == b.max.bitPattern
            && a.nanCount == b.nanCount && a.count == b.count
    }

    private func areSame(_ a: FirnIntegerAggregate, _ b: FirnIntegerAggregate) -> Bool {
        a.sum == b.sum && a.min == b.min && a.max == b.max && a.count == b.count
    }

    private func areSame(_ a: Double, _ b: Double) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }

    @Test func aggregatesAgree() {
        var random = CodecRandom()
        for count in Self.repeated(Self.counts + Self.counts, full: 16_667) {
            let values = integers(count, &random)
            let numbers = doubles(count, &random)
            let words = SampleColumns.validity(count: count, nullShare: 0.2, &random)
            words.withUnsafeBufferPointer { words in
                for validity in [nil, words.baseAddress] {
                    let expected = AggregateKernels.aggregate(numbers, count: count, validity: validity)
                    let expectedIntegers = AggregateKernels.aggregate(values, count: count, validity: validity)
                    let squares = AggregateKernels.squares(numbers, count: count, validity: validity, around: 1.5)
                    let integerSquares = AggregateKernels.squares(values, count: count, validity: validity, around: 7)
                    forEveryLevel { kernels, level in
                        var result = FirnDoubleAggregate()
                        kernels.aggregateDouble(numbers, count, validity, &result)
                        #expect(areSame(result, expected), "level \(level), \(count), seed \(random.seed)")
                        #expect(
                            areSame(kernels.sumDouble(numbers, count, validity), expected.sum),
                            "level \(level), \(count), seed \(random.seed)")
                        var integerResult = FirnIntegerAggregate()
                        kernels.aggregateInt64(values, count, validity, &integerResult)
                        #expect(
                            areSame(integerResult, expectedIntegers), "level \(level), \(count), seed \(random.seed)")
                        #expect(
                            areSame(kernels.squaresDouble(numbers, count, validity, 1.5), squares),
                            "level \(level), \(count), seed \(random.seed)")
                        #expect(
                            areSame(kernels.squaresInt64(values, count, validity, 7), integerSquares),
                            "level \(level), \(count), seed \(random.seed)")
                    }
                }
            }
        }
    }

    @Test func aggregatesOfRunsAreThoseOfEachRunAlone() {
        var random = CodecRandom()
        for _ in 0..<Self.rounds(30, full: 66_667) {
            var ends: [UInt32] = []
            while (ends.last ?? 0) < 900 { ends.append((ends.last ?? 0) + UInt32(1 + random.below(120))) }
            let count = Int(ends.last!)
            let values = integers(count, &random)
            let numbers = doubles(count, &random)
            let centers = ends.map { _ in Double(random.below(100)) }
            forEveryLevel { kernels, level in
                var results = [FirnDoubleAggregate](repeating: FirnDoubleAggregate(), count: ends.count)
                var integerResults = [FirnIntegerAggregate](repeating: FirnIntegerAggregate(), count: ends.count)
                var squares = [Double](repeating: 0, count: ends.count)
                var integerSquares = squares
                kernels.aggregateRunsDouble(numbers, ends, ends.count, &results)
                kernels.aggregateRunsInt64(values, ends, ends.count, &integerResults)
                kernels.squaresRunsDouble(numbers, ends, ends.count, centers, &squares)
                kernels.squaresRunsInt64(values, ends, ends.count, centers, &integerSquares)
                var start = 0
                for run in ends.indices {
                    let runCount = Int(ends[run]) - start
                    numbers.withUnsafeBufferPointer { numbers in
                        let pointer = numbers.baseAddress! + start
                        let expected = AggregateKernels.aggregate(pointer, count: runCount, validity: nil)
                        #expect(areSame(results[run], expected), "level \(level), seed \(random.seed)")
                        let expectedSquares = AggregateKernels.squares(
                            pointer, count: runCount, validity: nil, around: centers[run])
                        #expect(areSame(squares[run], expectedSquares), "level \(level), seed \(random.seed)")
                    }
                    values.withUnsafeBufferPointer { values in
                        let pointer = values.baseAddress! + start
                        let expected = AggregateKernels.aggregate(pointer, count: runCount, validity: nil)
                        #expect(areSame(integerResults[run], expected), "level \(level), seed \(random.seed)")
                        let expectedSquares = AggregateKernels.squares(
                            pointer, count: runCount, validity: nil, around: centers[run])
                        #expect(areSame(integerSquares[run], expectedSquares), "level \(level), seed \(random.seed)")
                    }
                    start = Int(ends[run])
                }
            }
        }
    }
}
