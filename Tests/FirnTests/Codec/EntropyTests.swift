// SPDX-License-Identifier: Apache-2.0
//
// Cold pages: bins, whole bytes and what their integers mean; the decoder's loop at every level.

import CKernels
import Testing

@testable import Firn

@Suite struct EntropyTests {
    private func roundTrip(_ values: [Int64]) throws -> [Int64]? {
        var writer = ByteWriter()
        guard let plan = values.withUnsafeBufferPointer({ BinnedEntropy.plan($0) }) else { return nil }
        BinnedEntropy.encode(plan, into: &writer)
        let buffer = VectorBuffer<Int64>(valueCount: values.count)
        try writer.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            try BinnedEntropy.decode(&reader, count: values.count, into: buffer.pointer)
            try reader.expectEnd()
        }
        return Array(UnsafeBufferPointer(start: buffer.pointer, count: values.count))
    }

    @Test func binnedIntegersComeBack() throws {
        var random = CodecRandom()
        for count in [1, 2, 3, 7, 8, 9, 100, 1_000, 5_000] {
            for (name, values) in SampleColumns.integers(count: count, &random) {
                if let decoded = try roundTrip(values) {
                    #expect(decoded == values, "\(name) x \(count), seed \(random.seed)")
                }
            }
        }
    }

    @Test func binsComeCloseToTheEntropyOfASmoothDistribution() throws {
        var random = CodecRandom(seed: 7)
        // A sum of uniform draws: its entropy is about log2(sigma) + 2.05 bits.
        let values = (0..<30_000).map { _ in (0..<12).reduce(Int64(0)) { sum, _ in sum + Int64(random.below(1_000)) } }
        let plan = try #require(values.withUnsafeBufferPointer { BinnedEntropy.plan($0) })
        // sigma = sqrt(12 x 1000^2 / 12) = 1,000: 12.01 bits.
        #expect(plan.bitCount / 30_000 < 12.01 * 1.01)
        #expect(try roundTrip(values) == values)
    }

    @Test func alignedIntegersComeBack() throws {
        var random = CodecRandom()
        for count in [3, 100, 3_000] {
            for (name, values) in SampleColumns.integers(count: count, &random) {
                for order in 0...2 {
                    var writer = ByteWriter()
                    values.withUnsafeBufferPointer { AlignedIntegers.encode($0, order: order, into: &writer) }
                    let buffer = VectorBuffer<Int64>(valueCount: count)
                    try writer.withUnsafeBytes { bytes in
                        var reader = ByteReader(bytes)
                        var decoder = try AlignedIntegers.Decoder(&reader, count: count)
                        for start in stride(from: 0, to: count, by: VectorLayout.valueCount) {
                            decoder.expandNext(
                                min(VectorLayout.valueCount, count - start), into: buffer.pointer + start)
                        }
                        try reader.expectEnd()
                    }
                    let decoded = Array(UnsafeBufferPointer(start: buffer.pointer, count: count))
                    #expect(decoded == values, "\(name) x \(count), order \(order), seed \(random.seed)")
                }
            }
        }
    }

    @Test func damagedBinsAreRefusedOrHarmless() throws {
        var random = CodecRandom()
        let buffer = VectorBuffer<Int64>(valueCount: 2_000)
        for (_, values) in SampleColumns.integers(count: 2_000, &random) {
            var writer = ByteWriter()
            guard let plan = values.withUnsafeBufferPointer({ BinnedEntropy.plan($0) }) else { continue }
            BinnedEntropy.encode(plan, into: &writer)
            let original = writer.bytes
            for _ in 0..<60 {
                var bytes = original
                let bound = random.below(2) == 0 ? min(60, bytes.count) : bytes.count
                bytes[random.below(bound)] = UInt8(random.below(256))
                if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
                bytes.withUnsafeBytes { bytes in
                    var reader = ByteReader(bytes)
                    _ = try? BinnedEntropy.decode(&reader, count: values.count, into: buffer.pointer)
                }
            }
        }
    }

    @Test func takesComeBackInWords() {
        var random = CodecRandom()
        for rowCount in [1, 2, 5, 300] {
            let takes = (0..<rowCount * 16).map { _ in
                LaneStreams.Take(bits: random.next(), width: random.below(17))
            }
            let words = LaneStreams.words(of: takes)
            #expect(words.last != 0, "seed \(random.seed)")
            var next = 0
            func nextWord() -> UInt64 {
                defer { next += 1 }
                return next < words.count ? UInt64(words[next]) : 0
            }
            var queues = (0..<16).map { _ in (bits: nextWord(), held: 16) }
            for (index, take) in takes.enumerated() {
                let lane = index % 16
                let mask: UInt64 = (1 << UInt64(take.width)) - 1
                #expect(queues[lane].bits & mask == take.bits & mask, "take \(index), seed \(random.seed)")
                queues[lane].bits >>= UInt64(take.width)
                queues[lane].held -= take.width
                if queues[lane].held <= 16 {
                    queues[lane].bits |= nextWord() << UInt64(queues[lane].held)
                    queues[lane].held += 16
                }
            }
        }
    }

    /// Tables as a BinModel has them, of any entries.
    private final class TablesInMemory {
        private let table: VectorBuffer<UInt32>
        private let distances = VectorBuffer<UInt32>()
        private let nearTable = VectorBuffer<UInt64>(valueCount: 1 << BinnedEntropy.tableBitsMax)
        private let lowers: VectorBuffer<UInt64>
        let tables: FirnBinModel

        init(_ entries: [UInt32], _ bounds: [UInt64], widest: Int) {
            table = VectorBuffer(valueCount: max(entries.count, Int(FIRN_NEAR_STATES)))
            lowers = VectorBuffer(valueCount: bounds.count)
            for (bin, bound) in bounds.enumerated() {
                lowers[bin] = bound
                distances[bin] = UInt32(truncatingIfNeeded: bound &- bounds[0])
            }
            var isNear = true
            var farthest: UInt64 = 0
            for (state, entry) in entries.enumerated() {
                let distance = bounds[Int(entry >> 10 & 1_023)] &- bounds[0]
                let (last, isOverflow) = distance.addingReportingOverflow(1 << UInt64(entry >> 4 & 63) - 1)
                isNear = isNear && !isOverflow && last < 1 << 32
                farthest = max(farthest, last)
                table[state] = entry
                nearTable[state] = UInt64(entry) | distance << 32
            }
            isNear = isNear && widest < 32
            tables = FirnBinModel(
                table: table.pointer, stateCount: entries.count, lowers: lowers.pointer, lowerCount: bounds.count,
                widest: UInt32(widest), nearTable: isNear ? UnsafePointer(nearTable.pointer) : nil,
                distances: isNear && bounds.count <= Int(FIRN_NEAR_BINS) ? UnsafePointer(distances.pointer) : nil,
                farthest: UInt32(truncatingIfNeeded: farthest))
        }
    }

    @Test func theDecodersLoopAgreesAtEveryLevel() {
        var random = CodecRandom()
        for _ in 0..<KernelTests.rounds(20, full: 700) {
            let binCount = 1 + random.below(random.below(3) == 0 ? 300 : 60)
            let widest = [0, 1, 15, 16, 17, 32, 33, 48, 56][random.below(9)]
            // Bins anywhere, and bins that lie so near to each other that 32 bits tell them apart, or just not.
            let first = random.next()
            // Or so near that 32 bits hold a row's sums, or just not.
            let bounds: [UInt64] = [1 << 32, 1 << 28]
            let distances = [.max, 1_000_000] + bounds.flatMap { [$0 - 1, $0 &- (1 << UInt64(widest % 32))] }
            let farthest = distances[random.below(distances.count)]
            let lowers = (0..<binCount).map { bin in
                bin == 0 ? first : first &+ (random.below(4) == 0 ? farthest : random.next() % max(farthest, 1))
            }
            let tableBits = 1 + random.below(12)
            let table = (0..<1 << tableBits).map { _ in
                let bits = random.below(tableBits + 1)
                // As in a real table, what is added leaves room for the bits.
                let base = random.below(1 << (tableBits - bits)) << bits
                return firn_bin_entry(
                    UInt32(bits), UInt32(random.below(widest + 1)), UInt32(random.below(binCount)), UInt32(base))
            }
            // Streams that end on the way, so that positions are clamped.
            let streams = (0..<2).map { _ in
                let bytes = random.bytes(2 * random.below(3_000))
                return bytes.withUnsafeBytes { PaddedWords(ByteView($0)) }
            }
            let counts = [16 * random.below(60), 1 + random.below(1_500)]
            let isSummed = random.below(2) == 0
            let factor = isSummed ? 0 : [0, 1, 20, random.next()][random.below(4)]
            let sum = isSummed ? random.next() : nil
            let previous = (0..<1_500).map { _ in random.next() }
            let start = EntropyKernels.start(
                streams[0].words, streams[1].words, tableBits: tableBits, widest: widest)
            let memory = TablesInMemory(table, lowers, widest: widest)
            var tables = memory.tables
            var reference = start
            var expectedSum = sum ?? 0
            let expected = counts.map { count in
                var values = EntropyKernels.expandBins(
                    tables, &reference, count: count, factor: factor, joining: previous)
                if !isSummed { return values }
                values.withUnsafeMutableBytes {
                    IntegerKernels.prefixSum(
                        $0.bindMemory(to: Int64.self).baseAddress!, count: count, carry: Int64(bitPattern: expectedSum))
                }
                expectedSum = values.last ?? expectedSum
                return values
            }
            for level in KernelTests.levels {
                var decoder = start
                var carry = sum ?? 0
                for (count, expected) in zip(counts, expected) {
                    var values = Array(previous.prefix(count))
                    withUnsafeMutablePointer(to: &carry) { carry in
                        firn_kernels_at(level).pointee.expandBins(
                            &tables, &decoder, count, factor, isSummed ? carry : nil, &values)
                    }
                    #expect(values == expected, "level \(level.rawValue), seed \(random.seed)")
                }
                #expect(carry == expectedSum, "level \(level.rawValue), seed \(random.seed)")
            }
            withExtendedLifetime((streams, memory)) {}
        }
    }

    @Test func pagesNeverShareTheMemoryOfTheirValues() async {
        let counts = [1, 8_192, 8_193, 16_384, 16_385, 32_769, 65_536]
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    // Two at once, so that some are let go while others are in use.
                    var previous = PageBuffer(valueCount: 0)
                    for turn in 0..<100 {
                        let count = counts[(task + turn * 3) % counts.count]
                        let buffer = PageBuffer(valueCount: count)
                        let mark = Int64(task * 1_000 + turn)
                        buffer.pointer.update(repeating: mark, count: count)
                        let places = stride(from: 0, to: previous.capacity, by: 1_021)
                        #expect(places.allSatisfy { previous.pointer[$0] == mark - 1 })
                        previous = buffer
                    }
                }
            }
        }
    }

    @Test func mixedDecimalsComeBack() throws {
        var random = CodecRandom()
        let scales = [1.0, 10, 10_000, 1e6, 1e9]
        let column = (0..<5_000).map { _ -> Double in
            switch random.below(50) {
            case 0: return [.nan, -0.0, .infinity, 1e300, .pi][random.below(5)]
            default:
                let scale = scales[random.below(scales.count)]
                return (Double(random.below(180_000_000)) / 1e6 * scale).rounded() / scale
            }
        }
        let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .cold).encode(double: $0) }
        let page = try PageDecoder(copying: chunk.pages[0].bytes)
        let buffer = VectorBuffer<Double>()
        for vector in 0..<page.vectorCount {
            page.decodeVector(vector, into: buffer.pointer)
            for index in 0..<page.valueCount(ofVector: vector) {
                #expect(
                    buffer[index].bitPattern == column[vector * 1_024 + index].bitPattern, "seed \(random.seed)")
            }
        }
    }

    /// Classes that doubles can expand, and some that they cannot.
    @Test func classesOfDecimalsAreExpandedExactly() throws {
        var random = CodecRandom()
        for _ in 0..<300 {
            var writer = ByteWriter()
            var classes: [(digits: Int, denominator: Int, shift: Int, least: Int64, span: Int64)] = []
            for _ in 0..<1 + random.below(9) {
                let digits = random.below(12)
                let span = Int64(1 + random.below(1 << (1 + random.below(20))))
                let least = Int64(random.below(1 << (1 + random.below(24)))) - (1 << 22)
                let denominator = [1, 1, 2, 3, 6, 7, 36, 255][random.below(8)]
                classes.append((digits, denominator, random.below(digits + 1), least, span))
            }
            writer.append(UInt8(classes.count))
            for item in classes {
                for byte in [item.digits, item.denominator, item.shift] { writer.append(UInt8(byte)) }
                writer.appendSignedVarint(item.least)
                writer.appendVarint(UInt64(item.span))
            }
            var integers: [Int64] = []
            var expected: [Double] = []
            for _ in 0..<40 {
                let number = random.below(classes.count)
                let item = classes[number]
                let within = Int64(random.below(Int(item.span)))
                integers.append(classes[..<number].reduce(0) { $0 + $1.span } + within)
                let numerator = Int128(item.least + within) * Int128(pow10(item.digits - item.shift))
                let denominator = Int128(item.denominator)
                let rounded = (2 * numerator.magnitude + UInt128(denominator)) / (2 * UInt128(denominator))
                let whole = item.denominator == 1 ? Int128(item.least + within) : Int128(rounded) * numerator.signum()
                expected.append(Double(Int64(whole)) / Double(pow10(item.digits)))
            }
            try writer.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                let decoder = try MixedDecimals.Decoder(&reader)
                try decoder.decode(&integers, count: integers.count)
            }
            #expect(integers == expected.map { Int64(bitPattern: $0.bitPattern) }, "seed \(random.seed)")
        }
    }

    private func pow10(_ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    @Test func minutesOfDegreesAreFewerBits() throws {
        var random = CodecRandom(seed: 11)
        // Three sources: hundredths of minutes cut off after 12 digits and after 7, and decimals of 4.
        let column = (0..<5_000).map { _ -> Double in
            let degrees = Double(random.below(360_000)) / 6_000
            let scale = [1e12, 1e7, 1e4][random.below(3)]
            return (degrees * scale).rounded() / scale
        }
        let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .cold).encode(double: $0) }
        // log2(360,000 x 3) = 20.0, and the decimals are of 600,000 equally likely ones.
        #expect(chunk.byteCount * 8 < column.count * 22)
        #expect(try Pages.integers(chunk) == column.map { Int64(bitPattern: $0.bitPattern) })
    }

    @Test func unevenLastDigitsAreKeptApart() throws {
        var random = CodecRandom(seed: 12)
        var time: Int64 = 1_700_000_000_000
        let column = (0..<20_000).map { _ -> Int64 in
            time += Int64(random.below(100_000))
            return random.below(4) == 0 ? time : time / 1_000 * 1_000
        }
        let split = try #require(RemainderSplit(column))
        #expect(zip(split.quotients, column).allSatisfy { $0 == $1.floorDivided(by: 1_000) })
        let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .cold).encode(int64: $0) }
        // Gaps of 100,000 are 16.6 bits; of three in four the last 10 bits are known.
        #expect(chunk.byteCount * 8 < column.count * 12)
        #expect(try Pages.integers(chunk) == column)
        let negative = column.map { -$0 }
        let negativeChunk = negative.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .cold).encode(int64: $0) }
        #expect(try Pages.integers(negativeChunk) == negative)
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
