// SPDX-License-Identifier: Apache-2.0
//
// The entropy decoder's tables and start, and the reference of its loop.

import CKernels

/// What the states of one stream of bins mean, laid out as the kernels take it.
final class BinModel {
    /// Valid while this object lives.
    let tables: FirnBinModel
    private let storage: UnsafeMutableRawPointer

    /// The weights, of one bin at least, sum to 2^tableBits; every offset width is below 64.
    init(tableBits: Int, weights: [Int], offsetWidths: [Int], lowers: [UInt64]) {
        let stateCount = 1 << tableBits
        precondition(lowers.count == weights.count && offsetWidths.count == weights.count, "a bin has all three")
        precondition(weights.reduce(0, +) == stateCount, "every state is of some bin")
        let distancesOffset = max(stateCount, Int(FIRN_NEAR_STATES)) * 4
        let nearOffset = distancesOffset + Int(FIRN_NEAR_BINS) * 4
        let lowersOffset = nearOffset + stateCount * 8
        storage = .allocate(byteCount: lowersOffset + lowers.count * 8, alignment: 64)
        // Precondition: the four parts lie one behind the other, each as long as what is written to it.
        let table = storage.bindMemory(to: UInt32.self, capacity: max(stateCount, Int(FIRN_NEAR_STATES)))
        let distances = (storage + distancesOffset).bindMemory(to: UInt32.self, capacity: Int(FIRN_NEAR_BINS))
        let nearTable = (storage + nearOffset).bindMemory(to: UInt64.self, capacity: stateCount)
        let bounds = (storage + lowersOffset).bindMemory(to: UInt64.self, capacity: lowers.count)
        // What lies behind a short table and few distances is read along by whole vectors, and never chosen.
        if stateCount < Int(FIRN_NEAR_STATES) {
            (table + stateCount).initialize(repeating: 0, count: Int(FIRN_NEAR_STATES) - stateCount)
        }
        distances.initialize(repeating: 0, count: Int(FIRN_NEAR_BINS))
        var widest = 0
        var isNear = true
        var farthest: UInt64 = 0
        for bin in lowers.indices {
            let distance = lowers[bin] &- lowers[0]
            let width = offsetWidths[bin]
            widest = max(widest, width)
            isNear = isNear && width < 32 && distance <= (1 << 32) - (1 << UInt64(width))
            farthest = max(farthest, distance &+ (1 &<< UInt64(width)) &- 1)
            bounds[bin] = lowers[bin]
            if bin < Int(FIRN_NEAR_BINS) { distances[bin] = UInt32(truncatingIfNeeded: distance) }
        }
        EntropyKernels.spread(weights, tableBits: tableBits, into: table)
        Self.fill(table, nearTable, tableBits: tableBits, weights, offsetWidths, lowers)
        tables = FirnBinModel(
            table: table, stateCount: stateCount, lowers: bounds, lowerCount: lowers.count,
            widest: UInt32(truncatingIfNeeded: widest), nearTable: isNear ? UnsafePointer(nearTable) : nil,
            distances: isNear && lowers.count <= Int(FIRN_NEAR_BINS) ? UnsafePointer(distances) : nil,
            farthest: UInt32(truncatingIfNeeded: farthest))
    }

    /// Puts entries in the place of the bins of the states: the k-th state of a bin stands for weight + k.
    private static func fill(
        _ table: UnsafeMutablePointer<UInt32>, _ nearTable: UnsafeMutablePointer<UInt64>, tableBits: Int,
        _ weights: [Int], _ offsetWidths: [Int], _ lowers: [UInt64]
    ) {
        /// Of a bin: what all its states have in common, and the number that the next one stands for.
        struct Progress {
            var common: UInt64
            var number: UInt32
        }
        withUnsafeTemporaryAllocation(of: Progress.self, capacity: weights.count) { bins in
            for bin in weights.indices {
                let entry = firn_bin_entry(
                    0, UInt32(truncatingIfNeeded: offsetWidths[bin]), UInt32(truncatingIfNeeded: bin), 0)
                let common = UInt64(entry) | (lowers[bin] &- lowers[0]) &<< 32
                bins.initializeElement(
                    at: bin, to: Progress(common: common, number: UInt32(truncatingIfNeeded: weights[bin])))
            }
            // Precondition: each bin has as many states as its weight, so a number stays below 2 x weight.
            let progress = bins.baseAddress.unsafelyUnwrapped
            let tableBits = UInt32(truncatingIfNeeded: tableBits)
            for state in 0..<(1 << Int(tableBits)) {
                let bin = Int(table[state])
                let number = progress[bin].number
                progress[bin].number = number &+ 1
                let bits = tableBits &- (31 &- UInt32(truncatingIfNeeded: number.leadingZeroBitCount))
                let base = (number &<< bits) &- (1 &<< tableBits)
                let entry = progress[bin].common | UInt64(firn_bin_entry(bits, 0, 0, base))
                table[state] = UInt32(truncatingIfNeeded: entry)
                nearTable[state] = entry
            }
        }
    }

    deinit { storage.deallocate() }
}

enum EntropyKernels {
    private static let laneCount = LaneStreams.laneCount

    /// The bin of each state, spread so that each bin's states are far apart.
    static func spread(_ weights: [Int], tableBits: Int, into states: UnsafeMutablePointer<UInt32>) {
        let size = 1 << tableBits
        // Odd for every size above 8, so that the walk meets every state once.
        let stride = size <= 8 ? 1 : (size >> 1) + (size >> 3) + 3
        // Precondition: the weights sum to the size, so every position is written, and once.
        var position = 0
        for (bin, weight) in weights.enumerated() {
            for _ in 0..<weight {
                states[position] = UInt32(truncatingIfNeeded: bin)
                position = (position &+ stride) & (size &- 1)
            }
        }
    }

    /// Queues with their first words, and the states that these begin with. 256 zero bytes follow the words.
    static func start(
        _ symbols: UnsafeBufferPointer<UInt16>, _ offsets: UnsafeBufferPointer<UInt16>, tableBits: Int, widest: Int
    ) -> FirnBinStreams {
        var streams = FirnBinStreams()
        // Precondition: 2 x 16 words may be read even where the stream is shorter.
        var words = symbols.baseAddress!
        withLanes(&streams.symbolQueues.bits, &streams.symbolQueues.held) { bits, held in
            withLanes(&streams.states) { states in
                for lane in 0..<laneCount {
                    bits[lane] = UInt32(UInt16(littleEndian: words[lane]))
                    held[lane] = 16
                }
                words += laneCount
                for lane in 0..<laneCount { states[lane] = take(&words, bits, held, lane, UInt32(tableBits)) }
            }
        }
        streams.symbolsEnd = symbols.baseAddress! + symbols.count
        streams.symbols = min(UnsafePointer(words), streams.symbolsEnd)
        streams.offsetsEnd = offsets.baseAddress! + offsets.count
        streams.offsets = offsets.baseAddress!
        guard widest > 0 else { return streams }
        withLanes(&streams.offsetQueues.bits, &streams.offsetQueues.held) { bits, held in
            for lane in 0..<laneCount {
                bits[lane] = UInt32(UInt16(littleEndian: offsets.baseAddress![lane]))
                held[lane] = 16
            }
        }
        streams.offsets = min(offsets.baseAddress! + laneCount, streams.offsetsEnd)
        return streams
    }

    /// Takes up to 16 bits of a lane's queue, which then gets a word when it has 16 or fewer left.
    private static func take(
        _ words: inout UnsafePointer<UInt16>, _ bits: UnsafeMutablePointer<UInt32>,
        _ held: UnsafeMutablePointer<UInt32>, _ lane: Int, _ width: UInt32
    ) -> UInt32 {
        let taken = bits[lane] & ((1 << width) - 1)
        bits[lane] >>= width
        held[lane] &-= width
        if held[lane] <= 16 {
            bits[lane] |= UInt32(UInt16(littleEndian: words.pointee)) << held[lane]
            held[lane] &+= 16
            words += 1
        }
        return taken
    }

    /// What `expandBins` at every level does; where there is a sum, IntegerKernels.prefixSum does the rest.
    static func expandBins(
        _ model: FirnBinModel, _ streams: inout FirnBinStreams, count: Int, factor: UInt64 = 0,
        joining previous: [UInt64] = []
    ) -> [UInt64] {
        var values: [UInt64] = []
        var symbols = streams.symbols!
        var offsets = streams.offsets!
        withLanes(&streams.symbolQueues.bits, &streams.symbolQueues.held) { symbolBits, symbolHeld in
            withLanes(&streams.offsetQueues.bits, &streams.offsetQueues.held) { offsetBits, offsetHeld in
                withLanes(&streams.states) { states in
                    while values.count < count {
                        let entries = (0..<laneCount).map { model.table[Int(states[$0])] }
                        for (lane, entry) in entries.enumerated() {
                            states[lane] = entry >> 20 + take(&symbols, symbolBits, symbolHeld, lane, entry & 15)
                        }
                        var row = entries.map { model.lowers[Int($0 >> 10 & 1_023)] }
                        for round in 0..<(Int(model.widest) + 15) / 16 {
                            for (lane, entry) in entries.enumerated() {
                                let width = max(0, min(16, Int(entry >> 4 & 63) - round * 16))
                                let part = take(&offsets, offsetBits, offsetHeld, lane, UInt32(width))
                                row[lane] &+= UInt64(part) << UInt64(round * 16)
                            }
                        }
                        values += row.prefix(count - values.count)
                        symbols = min(symbols, streams.symbolsEnd)
                        offsets = min(offsets, streams.offsetsEnd)
                    }
                }
            }
        }
        streams.symbols = symbols
        streams.offsets = offsets
        if factor > 0 { for index in values.indices { values[index] &+= previous[index] &* factor } }
        return values
    }

    /// C arrays come as tuples; these are their elements.
    private static func withLanes<Lanes, Result>(
        _ lanes: inout Lanes, _ body: (UnsafeMutablePointer<UInt32>) -> Result
    ) -> Result {
        withUnsafeMutableBytes(of: &lanes) { body($0.bindMemory(to: UInt32.self).baseAddress!) }
    }

    private static func withLanes<Lanes, Result>(
        _ first: inout Lanes, _ second: inout Lanes,
        _ body: (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<UInt32>) -> Result
    ) -> Result {
        withLanes(&first) { first in withLanes(&second) { body(first, $0) } }
    }
}
