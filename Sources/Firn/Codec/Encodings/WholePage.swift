// SPDX-License-Identifier: Apache-2.0
//
// Cold pages of numbers: one stream of integers for the page, and what the integers mean.
//
// The integers are binned and entropy-coded (BinnedEntropy) or laid out in whole bytes for Zstandard
// (AlignedIntegers); the scheme says which. They are the values themselves (for doubles their patterns), the
// scaled integers of ALP with one scaling for the page, or codes of a dictionary. Such a page is expanded when
// it is loaded and then holds eight bytes a value; decoding a vector is a copy.
//
// Where the last digits of the integers are not like any others (times of which most are whole seconds), a page
// keeps quotients and remainders of a multiple apart: the remainders are one more stream of bins.
//
//     scheme binnedEntropy or alignedIntegers:
//       [integers][multiple: varint][binned remainders, where the multiple is above 1][meaning: u8]
//       integer = integer x multiple + remainder
//       0 values
//       1 ALP         [exponent: u8][factor: u8][near: u8, 1: binned distances of all values]
//                     [far count: varint][integer sequences of: far positions, far patterns]
//       2 dictionary  [distinct count: varint][sequence of distinct values]
//       3 decimals    [classes][far count and far sequences as for ALP], see MixedDecimals.swift

enum WholePage {
    private enum Meaning: UInt8 {
        case values = 0
        case scaled = 1
        case codes = 2
        case decimals = 3
    }

    /// Estimates are refined where Zstandard at a fast level comes this close to the bins.
    private static let refinementShare = 1.35
    private static let trialLevel: Int32 = 3
    static let storedLevel: Int32 = 19
    /// What a binned page has besides its bins and bits.
    private static let headerByteCount = 32

    // MARK: Encoding

    /// A way to store the page: its integers and the bytes that say what they mean.
    private struct Candidate {
        let integers: [Int64]
        /// The multiple, the remainders, and the meaning.
        let tail: [UInt8]

        /// Integers as they are.
        init(_ integers: [Int64], meaning: [UInt8]) {
            self.integers = integers
            tail = [0] + meaning
        }

        /// Quotients and remainders.
        init(_ split: RemainderSplit, meaning: [UInt8]) {
            integers = split.quotients
            tail = split.bytes + meaning
        }
    }

    /// Appends the smallest whole page when it takes less than `byteCountMax` on disk; returns its scheme.
    static func encode(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics,
        _ compressor: ZstandardCompressor, below byteCountMax: Int, into output: inout ByteWriter
    ) -> PageScheme? {
        let candidates = candidates(values, domain, statistics)
        var binned: (candidate: Candidate, plan: BinnedEntropy.Plan, byteCount: Int)?
        var aligned: (candidate: Candidate, order: Int, byteCount: Int)?
        for candidate in candidates {
            candidate.integers.withUnsafeBufferPointer { integers in
                if let plan = BinnedEntropy.plan(integers) {
                    let byteCount = Int(plan.bitCount / 8) + headerByteCount + candidate.tail.count
                    if byteCount < binned?.byteCount ?? Int.max { binned = (candidate, plan, byteCount) }
                }
                for order in 0...BinnedEntropy.orderMax where integers.count > 2 {
                    let byteCount = compressedByteCount(integers, order, candidate.tail, compressor, trialLevel)
                    if byteCount < aligned?.byteCount ?? Int.max { aligned = (candidate, order, byteCount) }
                }
            }
        }
        let limit = min(byteCountMax, binned?.byteCount ?? Int.max)
        if let aligned, Double(aligned.byteCount) < Double(limit) * refinementShare {
            let isSmaller = aligned.candidate.integers.withUnsafeBufferPointer { integers in
                compressedByteCount(integers, aligned.order, aligned.candidate.tail, compressor, storedLevel) < limit
            }
            if isSmaller {
                output.append(PageScheme.alignedIntegers.rawValue)
                aligned.candidate.integers.withUnsafeBufferPointer {
                    AlignedIntegers.encode($0, order: aligned.order, into: &output)
                }
                output.append(aligned.candidate.tail)
                return .alignedIntegers
            }
        }
        guard let binned, binned.byteCount < byteCountMax else { return nil }
        output.append(PageScheme.binnedEntropy.rawValue)
        BinnedEntropy.encode(binned.plan, into: &output)
        output.append(binned.candidate.tail)
        return .binnedEntropy
    }

    /// What a page's integers could be, each as it is and, where that may help, split.
    private static func candidates(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics
    ) -> [Candidate] {
        var candidates: [Candidate] = []
        func consider(_ integers: [Int64], meaning: [UInt8]) {
            candidates.append(Candidate(integers, meaning: meaning))
            if let split = RemainderSplit(integers) { candidates.append(Candidate(split, meaning: meaning)) }
        }
        consider(Array(values), meaning: [Meaning.values.rawValue])
        if domain != .integer, let scaling = statistics.scalings.first {
            let page = ScaledPage(values, scaling, domain)
            consider(page.integers, meaning: page.meaning(Meaning.scaled.rawValue, statistics))
        }
        if domain == .double, let page = MixedDecimals(values) {
            consider(page.integers, meaning: page.meaning(Meaning.decimals.rawValue, statistics))
        }
        let distinctCountMax = min(DistinctValues.distinctCountMax, max(1, values.count / 2))
        let isWorthATry = DistinctValues.sampledShare(values) < Chooser.distinctShareMax
        if isWorthATry,
            let distinct = DistinctValues(
                values, distinctCountMax: distinctCountMax, domain, isWorthwhile: { _ in true })
        {
            var meaning = ByteWriter()
            meaning.append(Meaning.codes.rawValue)
            meaning.appendVarint(distinct.values.count)
            distinct.values.withUnsafeBufferPointer {
                NumberCodec.encodeSequence($0, domain, statistics.nested, into: &meaning)
            }
            consider(distinct.codes, meaning: meaning.bytes)
        }
        return candidates
    }

    private static func compressedByteCount(
        _ integers: UnsafeBufferPointer<Int64>, _ order: Int, _ meaning: [UInt8], _ compressor: ZstandardCompressor,
        _ level: Int32
    ) -> Int {
        var aligned = ByteWriter(reservingBytes: integers.count * 2)
        AlignedIntegers.encode(integers, order: order, into: &aligned)
        aligned.append(meaning)
        var compressed = ByteWriter()
        aligned.withUnsafeBytes { _ = compressor.compress($0, level: level, into: &compressed) }
        return compressed.count
    }

    // MARK: Decoding

    /// Verifies and expands `count` values, as bit patterns.
    static func decode(
        _ reader: inout ByteReader, _ scheme: PageScheme, count: Int, _ domain: NumberDomain
    ) throws(FormatError) -> PageBuffer {
        let buffer = PageBuffer(valueCount: count)
        let values = buffer.pointer
        let binned = scheme == .binnedEntropy ? try BinnedIntegers(&reader) : nil
        var aligned = scheme == .binnedEntropy ? nil : try AlignedIntegers.Decoder(&reader, count: count)
        let remainders = try Remainders(&reader)
        let start = reader.offset
        let meaning = try DecodedMeaning(&reader, domain)
        // All that can be done to a vector is done to it while it is in the first cache.
        do throws(FormatError) {
            for first in stride(from: 0, to: count, by: VectorLayout.valueCount) {
                let vectorCount = min(VectorLayout.valueCount, count - first)
                binned?.expandNext(vectorCount, into: values + first)
                aligned?.expandNext(vectorCount, into: values + first)
                remainders?.join(values + first, count: vectorCount)
                try meaning.decode(values + first, count: vectorCount, domain)
            }
        } catch {
            throw error.shifted(by: start)
        }
        if meaning.hasFarExceptions { try FarExceptions.decode(&reader, count: count, values) }
        return buffer
    }

    /// What a page's integers mean, read and checked; but for far exceptions, which lie behind it.
    private enum DecodedMeaning {
        case values
        case scaled(ScaledPage.Decoder)
        case codes([Int64])
        case decimals(MixedDecimals.Decoder)

        init(_ reader: inout ByteReader, _ domain: NumberDomain) throws(FormatError) {
            let start = reader.offset
            let tag = try reader.readByte()
            switch Meaning(rawValue: tag) {
            case .values: self = .values
            case .scaled where domain != .integer: self = .scaled(try ScaledPage.Decoder(&reader))
            case .decimals where domain == .double: self = .decimals(try MixedDecimals.Decoder(&reader))
            case .codes:
                let distinctCount = try reader.readCount(atMost: DistinctValues.distinctCountMax)
                self = .codes(try NumberCodec.decodeSequence(&reader, count: distinctCount, domain))
            default: throw FormatError("unknown meaning \(tag) of a page's integers", at: start)
            }
        }

        var hasFarExceptions: Bool {
            switch self {
            case .scaled, .decimals: true
            case .values, .codes: false
            }
        }

        /// Puts bit patterns in the place of the next `count` integers, at most a vector.
        func decode(
            _ vector: UnsafeMutablePointer<Int64>, count: Int, _ domain: NumberDomain
        ) throws(FormatError) {
            switch self {
            case .values: break
            case .scaled(let page): page.decode(vector, count: count, domain)
            case .decimals(let page): try page.decode(vector, count: count)
            case .codes(let distinct):
                // As unsigned numbers, among which negative codes are the largest.
                guard !distinct.isEmpty,
                    Kernels.countAbove(vector, count: count, base: 0, limit: UInt64(distinct.count - 1)) == 0
                else {
                    throw FormatError("a code lies outside a dictionary of \(distinct.count)")
                }
                // Precondition: every code is an index of the dictionary, as was just checked.
                Kernels.replaceCodes(vector, count: count, distinct)
            }
        }
    }
}

/// A page of doubles or floats under one decimal scaling.
private struct ScaledPage {
    private static let nearWidthMax = 24
    let integers: [Int64]
    private let scaling: ALPScaling
    private let distances: [Int64]
    private let hasNear: Bool
    private let far: FarExceptions

    init(_ values: UnsafeBufferPointer<Int64>, _ scaling: ALPScaling, _ domain: NumberDomain) {
        self.scaling = scaling
        var integers = [Int64](repeating: 0, count: values.count)
        var mismatches = [UInt16](repeating: 0, count: values.count)
        let mismatchCount =
            domain == .float
            ? ALPKernels.encodeFloats(
                values.baseAddress!, count: values.count, scaling, into: &integers, mismatches: &mismatches)
            : ALPKernels.encode(
                values.baseAddress!, count: values.count, scaling, into: &integers, mismatches: &mismatches)
        var distances = [Int64](repeating: 0, count: values.count)
        var hasNear = false
        var far: [Int] = []
        for slot in 0..<mismatchCount {
            let position = Int(mismatches[slot])
            let rounded = Double(bitPattern: UInt64(bitPattern: ALP.magicBits &+ integers[position])) - ALP.magic
            let distance =
                values[position] &- Int64(bitPattern: (rounded * scaling.down * scaling.downFraction).bitPattern)
            if domain == .double && BitPacking.width(of: ZigZag.encode(distance)) <= Self.nearWidthMax {
                distances[position] = distance
                hasNear = true
            } else {
                far.append(position)
            }
        }
        FarExceptions.fill(&integers, far)
        self.integers = integers
        self.distances = distances
        self.hasNear = hasNear
        self.far = FarExceptions(far, values)
    }

    /// The bytes that say what the integers mean.
    func meaning(_ tag: UInt8, _ statistics: DoubleStatistics) -> [UInt8] {
        var output = ByteWriter()
        output.append(tag)
        output.append(UInt8(scaling.exponent))
        output.append(UInt8(scaling.factor))
        let plan = hasNear ? distances.withUnsafeBufferPointer { BinnedEntropy.plan($0) } : nil
        output.append(plan == nil ? 0 : 1)
        if let plan { BinnedEntropy.encode(plan, into: &output) }
        far.encode(statistics.integers, into: &output)
        return output.bytes
    }

    /// A scaling that was read and checked, and the near exceptions, where there are some.
    struct Decoder {
        private let scaling: ALPScaling
        private let distances: BinnedIntegers?

        init(_ reader: inout ByteReader) throws(FormatError) {
            let start = reader.offset
            let exponent = Int(try reader.readByte())
            let factor = Int(try reader.readByte())
            guard exponent <= ALPScaling.exponentMax, factor <= ALPScaling.exponentMax else {
                throw FormatError("a decimal scaling of \(exponent) and \(factor)", at: start)
            }
            scaling = ALPScaling(exponent: exponent, factor: factor)
            let near = try reader.readByte()
            guard near <= 1 else { throw FormatError("unknown form of near exceptions \(near)", at: start) }
            distances = near == 1 ? try BinnedIntegers(&reader) : nil
        }

        /// Puts bit patterns in the place of the next `count` integers, at most a vector.
        func decode(_ vector: UnsafeMutablePointer<Int64>, count: Int, _ domain: NumberDomain) {
            Kernels.decodeALP(vector, count: count, scaling)
            distances?.joinNext(count, to: vector, factor: 1)
            if domain == .float { ALPKernels.narrow(vector, count: count) }
        }
    }
}

/// Values of a page that its integers do not give back, kept as bit patterns.
///
///     [count: varint][integer sequences of: positions, patterns]
struct FarExceptions {
    private let positions: [Int64]
    private let patterns: [Int64]

    init(_ positions: [Int], _ values: UnsafeBufferPointer<Int64>) {
        self.positions = positions.map(Int64.init)
        patterns = positions.map { values[$0] }
    }

    /// Puts the integer before an exception under it, or the first that is none: it costs next to nothing there.
    static func fill(_ integers: inout [Int64], _ positions: [Int]) {
        var firstGood = 0
        for position in positions where position == firstGood { firstGood += 1 }
        for position in positions {
            integers[position] = position == 0 ? integers[min(firstGood, integers.count - 1)] : integers[position - 1]
        }
    }

    func encode(_ statistics: IntegerStatistics, into output: inout ByteWriter) {
        output.appendVarint(positions.count)
        for column in [positions, patterns] {
            column.withUnsafeBufferPointer { IntegerCodec.encodeSequence($0, statistics, into: &output) }
        }
    }

    static func decode(
        _ reader: inout ByteReader, count: Int, _ values: UnsafeMutablePointer<Int64>
    ) throws(FormatError) {
        let start = reader.offset
        let farCount = try reader.readCount(atMost: count)
        let positions = try IntegerCodec.decodeSequence(&reader, count: farCount)
        let patterns = try IntegerCodec.decodeSequence(&reader, count: farCount)
        for (position, pattern) in zip(positions, patterns) {
            guard position >= 0, position < Int64(count) else {
                throw FormatError("an exception lies past \(count) values", at: start)
            }
            values[Int(position)] = pattern
        }
    }
}
