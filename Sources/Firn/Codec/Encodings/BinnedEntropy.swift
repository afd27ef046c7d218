// SPDX-License-Identifier: Apache-2.0
//
// Binned entropy coding of a whole page of integers, for cold data.
//
// The values, or their first or second differences, are cut into bins: a bin is a lower bound and a number of
// offset bits. A value is stored as its bin's number, coded with tANS by the bin's frequency, and its offset in
// the bin, raw. Narrow bins where values crowd and wide ones elsewhere come close to the entropy of smooth
// distributions; a frequent single value gets a bin without offset. Eight states take turns, four to a
// stream, so that decoding does not wait for one; there is one model for the page, which is therefore expanded
// as a whole when it is loaded.
//
//     [difference order: u8, 0...2][divisor: varint][base: signed varint][carries: signed varint x order]
//     [table bits: u8][bin count: varint][first lower bound: signed varint]
//     for each bin [from the lower bound before to this one, less 1: varint, not of the first][offset width: u8]
//                  [weight less 1: varint]
//     [eight states: u16 each][byte counts of the three streams: varint each]
//     [symbols of states 0 to 3][symbols of states 4 to 7][offsets]
//     value = base + divisor x (running sums of (latent - 2^63), or the latent itself for order 0)
//     The first lower bound stands there as it counts in those sums: without the 2^63.
//
// A symbol's bits and an offset's bits are read low bits first. The decoder begins with the eight states, reads
// the bits of value i for state i % 8, and ends wherever the streams end: its positions are clamped to them, so
// that no damaged byte can lead it further.
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
    static let stateCount = 8
    static let orderMax = 2
    static let binCountMax = 4_095
    static let tableBitsMax = 13
    /// A load of eight bytes at any bit holds this many.
    static let offsetWidthMax = 56
    private static let signBit: UInt64 = 1 << 63
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
    private static func latentZero(_ order: Int) -> UInt64 { order == 0 ? 0 : signBit }

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
        plan.model.encode(latentZero: latentZero(plan.order), into: &output)

        // tANS runs backwards, so the bits of each symbol are kept and written in the order of decoding.
        let model = plan.model
        let latents = plan.latents
        let slots = latents.map { model.bin(of: $0) }
        let tableSize = 1 << model.tableBits
        let places = model.encoderPlaces()
        var states = [Int](repeating: tableSize, count: stateCount)
        var emitted = [UInt32](repeating: 0, count: latents.count)
        for index in stride(from: latents.count - 1, through: 0, by: -1) {
            let bin = slots[index]
            let weight = model.weights[bin]
            let state = states[index % stateCount]
            var width = 0
            while state >> width >= 2 * weight { width += 1 }
            emitted[index] = UInt32(state & ((1 << width) - 1)) << 5 | UInt32(width)
            states[index % stateCount] = places[bin][state >> width - weight] + tableSize
        }
        for state in states { output.appendLittleEndian(UInt16(state - tableSize)) }
        var early = BitWriter()
        var late = BitWriter()
        for (index, entry) in emitted.enumerated() {
            if index % stateCount < stateCount / 2 {
                early.append(UInt64(entry >> 5), width: Int(entry & 31))
            } else {
                late.append(UInt64(entry >> 5), width: Int(entry & 31))
            }
        }
        var offsets = BitWriter()
        for (latent, bin) in zip(latents, slots) {
            offsets.append(latent &- model.lowers[bin], width: model.offsetWidths[bin])
        }
        let streams = [early.finish(), late.finish(), offsets.finish()]
        for stream in streams { output.appendVarint(stream.count) }
        for stream in streams { output.append(stream) }
    }

    // MARK: Decoding

    /// Verifies and expands `count` integers; any bytes that pass the checks expand to some integers.
    static func decode(
        _ reader: inout ByteReader, count: Int, into output: UnsafeMutablePointer<Int64>
    ) throws(FormatError) {
        let start = reader.offset
        let order = Int(try reader.readByte())
        guard order <= orderMax else { throw FormatError("differences of order \(order)", at: start) }
        let divisor = try reader.readVarint()
        let base = try reader.readSignedVarint()
        var carries: [Int64] = []
        for _ in 0..<order { carries.append(try reader.readSignedVarint()) }
        let model = try EntropyModel(&reader, latentZero: latentZero(order))
        var states: [UInt16] = []
        for _ in 0..<stateCount {
            let state = try reader.readLittleEndian(UInt16.self)
            guard Int(state) < 1 << model.tableBits else { throw FormatError("a state outside its table", at: start) }
            states.append(state)
        }
        var byteCounts: [Int] = []
        for _ in 0..<3 { byteCounts.append(try reader.readCount(atMost: reader.remaining)) }
        var streams: [PaddedBits] = []
        for byteCount in byteCounts { streams.append(PaddedBits(try reader.readBytes(byteCount))) }
        expand(model, states, streams, latentZero: latentZero(order), count: count, into: output)
        for carry in carries.reversed() { Kernels.prefixSum(output, count: count, carry: carry) }
        if divisor != 1 || base != 0 {
            Kernels.scale(output, count: count, factor: Int64(bitPattern: divisor), base: base)
        }
    }

    private static func expand(
        _ model: EntropyModel, _ states: [UInt16], _ streams: [PaddedBits], latentZero: UInt64, count: Int,
        into output: UnsafeMutablePointer<Int64>
    ) {
        let bins = zip(model.lowers, model.offsetWidths).map { FirnBin(lower: $0 &- latentZero, width: UInt64($1)) }
        var described = FirnBinStreams()
        described.bytes = (streams[0].pointer, streams[1].pointer, streams[2].pointer)
        described.bitCounts = (streams[0].bitCount, streams[1].bitCount, streams[2].bitCount)
        described.states = (
            states[0], states[1], states[2], states[3], states[4], states[5], states[6], states[7]
        )
        output.withMemoryRebound(to: UInt64.self, capacity: count) { values in
            // Preconditions: a table's base + 2^bits - 1 and the states index it, its symbols index the bins, all by
            // construction or by check; the streams are padded.
            withExtendedLifetime(streams) {
                Kernels.expandBins(model.decoderTable(), bins, described, count: count, into: values)
            }
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
        guard offsetWidths.allSatisfy({ $0 <= BinnedEntropy.offsetWidthMax }) else { return nil }
        bitCount = chosen.bitCount
        tableBits = min(
            BinnedEntropy.tableBitsMax, max(5, BitPacking.width(of: UInt64(counts.count)) + 5))
        weights = Self.weights(counts, total: latents.count, tableSize: 1 << tableBits)
    }

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
                // A byte for the width, and the varints of the weight and of the way to the next bin.
                let stepByteCount = PackedIntegers.varintByteCount(nextLower - fine[start].lower)
                let entryBits = Double(8 * (2 + stepByteCount + (count * 8 > total ? 1 : 0)))
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

    fileprivate func encode(latentZero: UInt64, into output: inout ByteWriter) {
        output.append(UInt8(tableBits))
        output.appendVarint(lowers.count)
        output.appendSignedVarint(Int64(bitPattern: lowers[0] ^ latentZero))
        for bin in lowers.indices {
            if bin > 0 { output.appendVarint(lowers[bin] - lowers[bin - 1] - 1) }
            output.append(UInt8(offsetWidths[bin]))
            output.appendVarint(weights[bin] - 1)
        }
    }

    fileprivate init(_ reader: inout ByteReader, latentZero: UInt64) throws(FormatError) {
        let start = reader.offset
        tableBits = Int(try reader.readByte())
        let binCount = try reader.readCount(atMost: BinnedEntropy.binCountMax)
        guard tableBits <= BinnedEntropy.tableBitsMax, binCount > 0 else {
            throw FormatError("a table of 2^\(tableBits) for \(binCount) bins", at: start)
        }
        var lower = UInt64(bitPattern: try reader.readSignedVarint()) ^ latentZero
        var total = 0
        for bin in 0..<binCount {
            if bin > 0 { lower = lower &+ (try reader.readVarint()) &+ 1 }
            let width = Int(try reader.readByte())
            let weight = try reader.readCount(atMost: 1 << tableBits) + 1
            total += weight
            guard width <= BinnedEntropy.offsetWidthMax, total <= 1 << tableBits else {
                throw FormatError("bin \(bin) is damaged", at: start)
            }
            lowers.append(lower)
            offsetWidths.append(width)
            weights.append(weight)
        }
        guard total == 1 << tableBits else { throw FormatError("weights do not fill their table", at: start) }
    }

    // MARK: tANS

    /// The symbol of each state, spread so that each symbol's states are far apart.
    private func spread() -> [Int] {
        let size = 1 << tableBits
        var symbols = [Int](repeating: 0, count: size)
        // Odd for every size above 8, so that the walk meets every state once.
        let stride = size <= 8 ? 1 : (size >> 1) + (size >> 3) + 3
        var position = 0
        for (symbol, weight) in weights.enumerated() {
            for _ in 0..<weight {
                symbols[position] = symbol
                position = (position + stride) & (size - 1)
            }
        }
        return symbols
    }

    /// For each symbol its states in ascending order.
    fileprivate func encoderPlaces() -> [[Int]] {
        var places = [[Int]](repeating: [], count: weights.count)
        for (state, symbol) in spread().enumerated() { places[symbol].append(state) }
        return places
    }

    /// For each state its bin, the bits to read, and what to add to them for the next state.
    fileprivate func decoderTable() -> [FirnBinStep] {
        var next = weights
        return spread().map { symbol in
            let occurrence = next[symbol]
            next[symbol] += 1
            let bits = tableBits - (BitPacking.width(of: UInt64(occurrence)) - 1)
            let base = occurrence << bits - 1 << tableBits
            return FirnBinStep(bin: UInt32(symbol), base: UInt16(base), bits: UInt16(bits))
        }
    }
}

/// Appends bits, low ones first.
private struct BitWriter {
    private var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var pendingCount = 0

    /// `width` is at most 56.
    mutating func append(_ value: UInt64, width: Int) {
        pending |= value << UInt64(pendingCount)
        pendingCount += width
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    mutating func finish() -> [UInt8] {
        if pendingCount > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        pending = 0
        pendingCount = 0
        return bytes
    }
}

/// A copy of a bit stream with zeros behind it, so that a few reads may go past its end.
private final class PaddedBits {
    private static let paddingByteCount = 64
    let pointer: UnsafePointer<UInt8>
    let bitCount: Int

    init(_ view: ByteView) {
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: view.count + Self.paddingByteCount)
        if view.count > 0 { UnsafeMutableRawPointer(storage).copyMemory(from: view.pointer(), byteCount: view.count) }
        (storage + view.count).initialize(repeating: 0, count: Self.paddingByteCount)
        pointer = UnsafePointer(storage)
        bitCount = view.count * 8
    }

    deinit { pointer.deallocate() }
}

/// Sorts unsigned integers by their bytes, low ones first; bytes that are all alike cost one look.
enum RadixSort {
    static func sort(_ values: inout [UInt64]) {
        if values.count < 256 { return values.sort() }
        var scratch = [UInt64](repeating: 0, count: values.count)
        var varying: UInt64 = 0
        for value in values { varying |= value ^ values[0] }
        for shift in stride(from: UInt64(0), to: 64, by: 8) where (varying >> shift) & 0xFF != 0 {
            values.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in
                    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { starts in
                        starts.initialize(repeating: 0)
                        for value in source { starts[Int((value &>> shift) & 0xFF)] &+= 1 }
                        var total = 0
                        for byte in 0..<256 { (starts[byte], total) = (total, total &+ starts[byte]) }
                        for value in source {
                            let byte = Int((value &>> shift) & 0xFF)
                            target[starts[byte]] = value
                            starts[byte] &+= 1
                        }
                    }
                }
            }
            swap(&values, &scratch)
        }
    }
}
