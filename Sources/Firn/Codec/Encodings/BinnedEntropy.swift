// SPDX-License-Identifier: Apache-2.0
//
// Binned entropy coding of a whole page of integers, for cold data.
//
// The values, or their first or second differences, are cut into bins: a bin is a lower bound and a number of
// offset bits. A value is stored as its bin's number, coded with tANS by the bin's frequency, and its offset in
// the bin, raw. Narrow bins where values crowd and wide ones elsewhere come close to the entropy of smooth
// distributions; a frequent single value gets a bin without offset. Sixteen lanes take turns, each with a state and
// bits of its own (LaneStreams), so that a row of values is decoded at once; there is one model for the page, which
// is therefore expanded as a whole when it is loaded.
//
//     [difference order: u8, 0...2][divisor: varint][base: signed varint][carries: signed varint x order]
//     [table bits: u8][bin count: varint][model][word counts of two streams: varint each]
//     [words of the states, u16 each][words of the offsets]
//     model: bits, low ones first, to the next whole byte:
//       [w, m, s: 3 bits each][first lower bound: 64 bits], then for each bin
//       [offset width: w bits][weight: number, m][step to the next lower bound: number, s; not for the last bin]
//       number, n: [its bit count - 1: n bits][the bits below its highest]
//     value = base + divisor x (running sums of (latent - 2^63), or the latent itself for order 0)
//     The first lower bound stands there as it counts in those sums: without the 2^63.
//
// Value i is of lane i % 16. The last row is filled up with values that cost little. A lane's state is what its first
// `table bits` bits say.
//
// Source: the format idea of pcodec (Loncaric, "Pcodec: Better Compression for Numerical Sequences", 2025); tANS
// after Duda, "Asymmetric numeral systems", 2013, with the symbol spread of Zstandard's FSE (RFC 8878, 4.1.1).

import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum BinnedEntropy {
    static let orderMax = 2
    static let binCountMax = 1_023
    static let tableBitsMax = 12
    static let offsetWidthMax = 56
    fileprivate static let signBit: UInt64 = 1 << 63
    /// Bins of equal count that the best bins are put together from.
    private static let fineBinCount = 384

    // MARK: Encoding

    /// A page of integers with everything decided, ready to be written.
    struct Plan {
        fileprivate let order: Int
        fileprivate let divisor: UInt64
        fileprivate let base: Int64
        fileprivate let carries: [Int64]
        fileprivate let latents: [UInt64]
        fileprivate let model: EntropyModel
        /// Bits that the page will take, but for a few of the header.
        let bitCount: Double
    }

    /// The cheapest order and bins, or nil when some offset would be too wide.
    static func plan(_ values: UnsafeBufferPointer<Int64>) -> Plan? {
        guard !values.isEmpty else { return nil }
        let least = values.min()!
        let divisor = max(1, IntegerKernels.commonDivisor(values.baseAddress!, count: values.count, least: least))
        let exact = ExactDivisor(divisor)
        var integers = values.map { Int64(bitPattern: exact.quotient(of: UInt64(bitPattern: $0 &- least))) }
        var orders: [[Int64]] = [integers]
        var carries: [Int64] = []
        while orders.count <= orderMax && integers.count > 2 {
            var differences = integers
            integers.withUnsafeBufferPointer { source in
                Kernels.differences(source.baseAddress!, count: source.count, into: &differences)
            }
            // As in Delta: element 0 repeats a difference, and the carry makes up for it.
            carries.append(integers[0] &- differences[0])
            integers = differences
            orders.append(differences)
        }
        var best: (order: Int, bitCount: Double)?
        for (order, integers) in orders.enumerated() {
            let sampled = sample(integers).map { latent($0, order) }
            guard let model = EntropyModel(fitting: sampled, fineBinCount: 160) else { continue }
            if model.bitCount < best?.bitCount ?? .infinity { best = (order, model.bitCount) }
        }
        guard let order = best?.order else { return nil }
        let latents = orders[order].map { latent($0, order) }
        guard let model = EntropyModel(fitting: latents, fineBinCount: fineBinCount) else { return nil }
        return Plan(
            order: order, divisor: divisor, base: least, carries: Array(carries.prefix(order)), latents: latents,
            model: model, bitCount: model.bitCount)
    }

    /// Differences are small on both sides of zero: moved so that they lie side by side as unsigned numbers.
    @inline(__always)
    private static func latent(_ integer: Int64, _ order: Int) -> UInt64 {
        order == 0 ? UInt64(bitPattern: integer) : UInt64(bitPattern: integer) ^ signBit
    }

    /// Evenly spaced stretches of a long page: enough to tell which order is best.
    private static func sample(_ integers: [Int64]) -> [Int64] {
        let stretchCount = 8
        let stretch = 1_024
        guard integers.count > 2 * stretchCount * stretch else { return integers }
        return (0..<stretchCount).flatMap { index in
            let start = index * (integers.count - stretch) / (stretchCount - 1)
            return integers[start..<start + stretch]
        }
    }

    static func encode(_ plan: Plan, into output: inout ByteWriter) {
        output.append(UInt8(plan.order))
        output.appendVarint(plan.divisor)
        output.appendSignedVarint(plan.base)
        for carry in plan.carries { output.appendSignedVarint(carry) }
        plan.model.encode(into: &output)

        let streams = laneStreams(plan.model, plan.latents)
        for words in [streams.symbols, streams.offsets] { output.appendVarint(words.count) }
        for words in [streams.symbols, streams.offsets] {
            for word in words { output.appendLittleEndian(word) }
        }
    }

    private static func laneStreams(
        _ model: EntropyModel, _ latents: [UInt64]
    ) -> (symbols: [UInt16], offsets: [UInt16]) {
        var slots = latents.map { model.bin(of: $0) }
        let filler = model.cheapestBin
        while slots.count % LaneStreams.laneCount != 0 { slots.append(filler) }
        // tANS runs backwards, so the bits of each symbol are kept and written in the order of decoding.
        let tableSize = 1 << model.tableBits
        let places = model.encoderPlaces()
        var states = [Int](repeating: -1, count: LaneStreams.laneCount)
        var symbols = [LaneStreams.Take](repeating: LaneStreams.Take(bits: 0, width: 0), count: slots.count)
        for index in stride(from: slots.count - 1, through: 0, by: -1) {
            let bin = slots[index]
            let weight = model.weights[bin]
            // Before its last value a lane may be in any state of that bin: the smallest costs nothing.
            let state = states[index % LaneStreams.laneCount]
            guard state >= 0 else {
                states[index % LaneStreams.laneCount] = places[bin][0] + tableSize
                continue
            }
            var width = 0
            while state >> width >= 2 * weight { width += 1 }
            symbols[index] = LaneStreams.Take(bits: UInt64(state & ((1 << width) - 1)), width: width)
            states[index % LaneStreams.laneCount] = places[bin][state >> width - weight] + tableSize
        }
        // The decoder goes on to a next state after the last value, too: those bits are nought, but they are taken.
        for index in slots.count - LaneStreams.laneCount..<slots.count {
            let width = model.tableBits - (BitPacking.width(of: UInt64(model.weights[slots[index]])) - 1)
            symbols[index] = LaneStreams.Take(bits: 0, width: width)
        }
        let first = states.map { LaneStreams.Take(bits: UInt64($0 - tableSize), width: model.tableBits) }
        let rounds = model.offsetRoundCount
        var offsets: [LaneStreams.Take] = []
        offsets.reserveCapacity(rounds * slots.count)
        for row in stride(from: 0, to: slots.count, by: LaneStreams.laneCount) {
            for round in 0..<rounds {
                for index in row..<row + LaneStreams.laneCount {
                    let bin = slots[index]
                    let offset = index < latents.count ? latents[index] &- model.lowers[bin] : 0
                    let width = min(max(model.offsetWidths[bin] - round * 16, 0), 16)
                    offsets.append(LaneStreams.Take(bits: offset >> UInt64(round * 16), width: width))
                }
            }
        }
        return (LaneStreams.words(of: first + symbols), LaneStreams.words(of: offsets))
    }

    // MARK: Decoding

    /// Verifies and expands `count` integers.
    static func decode(
        _ reader: inout ByteReader, count: Int, into output: UnsafeMutablePointer<Int64>
    ) throws(FormatError) {
        let integers = try BinnedIntegers(&reader)
        for start in stride(from: 0, to: count, by: VectorLayout.valueCount) {
            integers.expandNext(min(VectorLayout.valueCount, count - start), into: output + start)
        }
    }
}

/// Binned integers that were read and checked, to be expanded from first to last: whatever passed the checks expands
/// to some integers. A vector at a time, so that what is done with them next finds them in the first cache.
final class BinnedIntegers {
    private let model: BinModel
    private let symbols: PaddedWords
    private let offsets: PaddedWords
    // One caller at a time, by the rules of whom this belongs to: a check for each vector would cost more than a sum.
    @exclusivity(unchecked) private var streams: FirnBinStreams
    @exclusivity(unchecked) private var sums: RunningSums
    /// For integers that are summed up before they are joined with others.
    @exclusivity(unchecked) private var scratch: VectorBuffer<Int64>?

    init(_ reader: inout ByteReader) throws(FormatError) {
        sums = try RunningSums(&reader)
        var model = try EntropyModel(&reader)
        let symbolCount = try reader.readCount(atMost: reader.remaining / 2)
        let offsetCount = try reader.readCount(atMost: reader.remaining / 2)
        symbols = PaddedWords(try reader.readBytes(symbolCount * 2))
        offsets = PaddedWords(try reader.readBytes(offsetCount * 2))
        let latentZero = sums.order == 0 ? 0 : BinnedEntropy.signBit
        model.moveLowers(by: UInt64(bitPattern: sums.latentBase) &- latentZero)
        self.model = model.decoderModel()
        streams = EntropyKernels.start(
            symbols.words, offsets.words, tableBits: model.tableBits, widest: Int(self.model.tables.widest))
    }

    /// Expands the next `count` integers, at most a vector.
    func expandNext(_ count: Int, into vector: UnsafeMutablePointer<Int64>) {
        // Preconditions: a table's base + 2^bits - 1 and the states index it, its bins index the lower bounds, all by
        // construction or by check; the streams are padded, and live as long as this object.
        vector.withMemoryRebound(to: UInt64.self, capacity: count) { latents in
            if sums.order == 0 {
                Kernels.expandBins(model, &streams, count: count, into: latents)
                sums.apply(to: vector, count: count)
            } else {
                sums.apply(to: vector, count: count) { carry in
                    Kernels.expandSums(model, &streams, count: count, from: &carry, into: latents)
                }
            }
        }
    }

    /// Puts value x factor + integer, of the next `count` integers, in the place of values, at most a vector.
    func joinNext(_ count: Int, to vector: UnsafeMutablePointer<Int64>, factor: Int64) {
        precondition(factor > 0, "what is joined keeps what was there")
        if sums.areIdentity {
            // Preconditions: as above.
            vector.withMemoryRebound(to: UInt64.self, capacity: count) {
                Kernels.expandBins(model, &streams, count: count, factor: UInt64(factor), into: $0)
            }
        } else {
            let scratch = scratch ?? VectorBuffer(uninitializedValueCount: VectorLayout.valueCount)
            self.scratch = scratch
            expandNext(count, into: scratch.pointer)
            Kernels.join(vector, count: count, factor: factor, scratch.pointer)
        }
    }
}

/// Bins and their weights.
struct EntropyModel {
    fileprivate private(set) var tableBits = 0
    fileprivate private(set) var lowers: [UInt64] = []
    fileprivate private(set) var offsetWidths: [Int] = []
    fileprivate private(set) var weights: [Int] = []
    /// Bits that the fitted latents and this model take.
    fileprivate private(set) var bitCount = 0.0

    // MARK: Fitting

    /// nil when some bin would need wider offsets than can be read at once.
    init?(fitting latents: [UInt64], fineBinCount: Int) {
        var sorted = latents
        RadixSort.sort(&sorted)
        let fine = Self.fineBins(sorted, fineBinCount)
        let chosen = Self.merge(fine, total: latents.count)
        var counts: [Int] = []
        for bin in chosen.bins {
            lowers.append(bin.lower)
            offsetWidths.append(BitPacking.width(of: bin.upper - bin.lower))
            counts.append(bin.count)
        }
        guard offsetWidths.allSatisfy({ $0 <= BinnedEntropy.offsetWidthMax }), counts.count <= BinnedEntropy.binCountMax
        else { return nil }
        bitCount = chosen.bitCount
        chooseTable(counts, total: latents.count)
    }

    /// The smallest table whose coarser weights cost next to nothing: it is built for every page that is read.
    private mutating func chooseTable(_ counts: [Int], total: Int) {
        let binCountWidth = BitPacking.width(of: UInt64(counts.count))
        let widest = min(BinnedEntropy.tableBitsMax, max(5, binCountWidth + 5))
        var finest: Double?
        for bits in stride(from: widest, through: max(5, min(binCountWidth + 2, widest)), by: -1) {
            let candidate = Self.weights(counts, total: total, tableSize: 1 << bits)
            var cost = 0.0
            for (count, weight) in zip(counts, candidate) {
                cost += Double(count) * (Double(bits) - log2(Double(weight))) + log2(Double(weight))
            }
            let least = finest ?? cost
            finest = min(least, cost)
            if cost > least + bitCount * Self.coarsenessMax { return }
            tableBits = bits
            weights = candidate
        }
    }

    /// Share of a page's bits that a smaller table may cost.
    private static let coarsenessMax = 0.002

    private struct Bin {
        var lower: UInt64
        var upper: UInt64
        var count: Int
    }

    /// Bins of about equal count; equal values stay together, and a frequent value stands alone.
    private static func fineBins(_ sorted: [UInt64], _ fineBinCount: Int) -> [Bin] {
        var bins: [Bin] = []
        let target = max(1, sorted.count / fineBinCount)
        var isOpen = false
        var index = 0
        while index < sorted.count {
            let value = sorted[index]
            var end = index + 1
            while end < sorted.count && sorted[end] == value { end += 1 }
            let count = end - index
            // Few values far apart, such as negative doubles among positive ones, stay in bins that can be read.
            let isNear =
                isOpen && BitPacking.width(of: value - bins[bins.count - 1].lower) <= BinnedEntropy.offsetWidthMax
            if isNear && count < target && bins[bins.count - 1].count < target {
                bins[bins.count - 1].upper = value
                bins[bins.count - 1].count += count
            } else {
                bins.append(Bin(lower: value, upper: value, count: count))
                isOpen = count < target
            }
            index = end
        }
        return bins
    }

    /// About what a bin's width, its weight and the bit count of its step take.
    private static let entryFieldBits = 14

    /// Joins neighbours so that symbols, offsets and the table together take the fewest bits.
    private static func merge(_ fine: [Bin], total: Int) -> (bins: [Bin], bitCount: Double) {
        var costs = [Double](repeating: .infinity, count: fine.count + 1)
        var starts = [Int](repeating: 0, count: fine.count + 1)
        costs[0] = 0
        let logTotal = log2(Double(total))
        for end in 1...fine.count {
            var count = 0
            var start = end - 1
            let nextLower = end < fine.count ? fine[end].lower : fine[end - 1].upper
            while start >= 0 {
                count += fine[start].count
                let width = BitPacking.width(of: fine[end - 1].upper - fine[start].lower)
                if width > BinnedEntropy.offsetWidthMax { break }
                let symbolBits = logTotal - log2(Double(count))
                // The fields of a bin, and the bits of the way to the next one.
                let entryBits = Double(Self.entryFieldBits + BitPacking.width(of: nextLower - fine[start].lower))
                let cost = costs[start] + Double(count) * (symbolBits + Double(width)) + entryBits
                if cost < costs[end] {
                    costs[end] = cost
                    starts[end] = start
                }
                start -= 1
            }
        }
        var bins: [Bin] = []
        var end = fine.count
        while end > 0 {
            let start = starts[end]
            let count = fine[start..<end].reduce(0) { $0 + $1.count }
            bins.append(Bin(lower: fine[start].lower, upper: fine[end - 1].upper, count: count))
            end = start
        }
        return (bins.reversed(), costs[fine.count])
    }

    /// Counts scaled to a sum of `tableSize`, none below 1.
    private static func weights(_ counts: [Int], total: Int, tableSize: Int) -> [Int] {
        var weights = counts.map { max(1, ($0 * tableSize + total / 2) / total) }
        var excess = weights.reduce(0, +) - tableSize
        while excess != 0 {
            // Taking from or giving to the bin where one more or less matters least.
            var best = -1
            var bestLoss = Double.infinity
            for bin in weights.indices where excess < 0 || weights[bin] > 1 {
                let changed = Double(weights[bin]) + (excess > 0 ? -1 : 1)
                let loss = Double(counts[bin]) * log2(Double(weights[bin]) / changed)
                if loss < bestLoss {
                    bestLoss = loss
                    best = bin
                }
            }
            weights[best] += excess > 0 ? -1 : 1
            excess += excess > 0 ? -1 : 1
        }
        return weights
    }

    /// The bin that holds `latent`.
    fileprivate func bin(of latent: UInt64) -> Int {
        var low = 0
        var high = lowers.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lowers[middle] <= latent { low = middle } else { high = middle }
        }
        return low
    }

    // MARK: Bytes

    fileprivate func encode(into output: inout ByteWriter) {
        output.append(UInt8(tableBits))
        output.appendVarint(lowers.count)
        let steps = zip(lowers.dropFirst(), lowers).map { $0 &- $1 }
        let fields = [
            Self.fieldWidth(offsetWidths), Self.fieldWidth(weights.map { BitPacking.width(of: UInt64($0)) - 1 }),
            Self.fieldWidth(steps.map { BitPacking.width(of: $0) - 1 }),
        ]
        var bits = BitWriter()
        for field in fields { bits.append(UInt64(field), width: Self.fieldBits) }
        bits.append(lowers[0], width: 32)
        bits.append(lowers[0] >> 32, width: 32)
        for bin in lowers.indices {
            bits.append(UInt64(offsetWidths[bin]), width: fields[0])
            bits.appendNumber(UInt64(weights[bin]), countBits: fields[1])
            if bin < steps.count { bits.appendNumber(steps[bin], countBits: fields[2]) }
        }
        output.append(bits.finish())
    }

    private static let fieldBits = 3

    /// Bits that the largest of some numbers below 64 needs.
    private static func fieldWidth(_ numbers: [Int]) -> Int { BitPacking.width(of: UInt64(numbers.max() ?? 0)) }

    fileprivate init(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.offset
        tableBits = Int(try reader.readByte())
        let binCount = try reader.readCount(atMost: BinnedEntropy.binCountMax)
        guard tableBits <= BinnedEntropy.tableBitsMax, binCount > 0 else {
            throw FormatError("a table of 2^\(tableBits) for \(binCount) bins", at: start)
        }
        lowers.reserveCapacity(binCount)
        offsetWidths.reserveCapacity(binCount)
        weights.reserveCapacity(binCount)
        var bits = BitReader(reader.view[reader.offset...])
        let fields = (
            Int(bits.read(Self.fieldBits)), Int(bits.read(Self.fieldBits)), Int(bits.read(Self.fieldBits))
        )
        guard max(fields.0, fields.1, fields.2) <= 6 else { throw FormatError("a model of wide fields", at: start) }
        var lower = bits.read(32)
        lower |= bits.read(32) << 32
        var total = 0
        for bin in 0..<binCount {
            let width = Int(bits.read(fields.0))
            let weight = bits.readNumber(countBits: fields.1)
            guard width <= BinnedEntropy.offsetWidthMax, weight <= 1 << UInt64(tableBits) else {
                throw FormatError("bin \(bin) is damaged", at: start)
            }
            lowers.append(lower)
            offsetWidths.append(width)
            weights.append(Int(weight))
            total += Int(weight)
            if bin + 1 < binCount { lower &+= bits.readNumber(countBits: fields.2) }
        }
        guard total == 1 << tableBits else { throw FormatError("weights do not fill their table", at: start) }
        try reader.skip(bits.byteCount)
    }

    // MARK: tANS

    /// For each symbol its states in ascending order.
    fileprivate func encoderPlaces() -> [[Int]] {
        var states = [UInt32](repeating: 0, count: 1 << tableBits)
        EntropyKernels.spread(weights, tableBits: tableBits, into: &states)
        var places = [[Int]](repeating: [], count: weights.count)
        for (state, symbol) in states.enumerated() { places[Int(symbol)].append(state) }
        return places
    }

    /// Adds to every lower bound.
    fileprivate mutating func moveLowers(by distance: UInt64) {
        if distance == 0 { return }
        for bin in lowers.indices { lowers[bin] &+= distance }
    }

    fileprivate func decoderModel() -> BinModel {
        BinModel(tableBits: tableBits, weights: weights, offsetWidths: offsetWidths, lowers: lowers)
    }

    /// Rounds of up to 16 bits that the widest offset takes.
    fileprivate var offsetRoundCount: Int { ((offsetWidths.max() ?? 0) + 15) / 16 }

    /// The bin that a value which nobody reads is best put in.
    fileprivate var cheapestBin: Int {
        lowers.indices.min { (offsetWidths[$0], -weights[$0]) < (offsetWidths[$1], -weights[$1]) } ?? 0
    }
}
