// SPDX-License-Identifier: Apache-2.0
//
// The entropy decoder's table and start, and the reference of its loop.

import CKernels

enum EntropyKernels {
    private static let laneCount = LaneStreams.laneCount

    /// The meaning of each state, given the bin of each: the k-th state of a bin stands for weight + k.
    static func table(
        _ bins: [UInt16], weights: [UInt32], offsetWidths: [UInt32], tableBits: UInt32
    ) -> [UInt32] {
        var next = weights
        return [UInt32](unsafeUninitializedCapacity: bins.count) { table, count in
            next.withUnsafeMutableBufferPointer { next in
                // Precondition: each bin has as many states as its weight, so what follows is below 2 x weight.
                for state in 0..<bins.count {
                    let bin = Int(bins[state])
                    let number = next[bin]
                    next[bin] = number &+ 1
                    let bits = tableBits &- (31 &- UInt32(truncatingIfNeeded: number.leadingZeroBitCount))
                    let base = (number &<< bits) &- (1 &<< tableBits)
                    table[state] = firn_bin_entry(bits, offsetWidths[bin], UInt32(truncatingIfNeeded: bin), base)
                }
            }
            count = bins.count
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

    /// Lends the tables as the kernels take them.
    @inline(__always)
    static func withModel(
        _ table: [UInt32], _ lowers: [UInt64], widest: Int, _ body: (UnsafePointer<FirnBinModel>) -> Void
    ) {
        table.withUnsafeBufferPointer { table in
            lowers.withUnsafeBufferPointer { lowers in
                var model = FirnBinModel(
                    table: table.baseAddress, stateCount: table.count, lowers: lowers.baseAddress,
                    lowerCount: lowers.count, widest: UInt32(truncatingIfNeeded: widest))
                body(&model)
            }
        }
    }

    /// What `expandBins` at every level does.
    static func expandBins(
        _ table: [UInt32], _ lowers: [UInt64], widest: Int, _ streams: inout FirnBinStreams, count: Int
    ) -> [UInt64] {
        var values: [UInt64] = []
        var symbols = streams.symbols!
        var offsets = streams.offsets!
        withLanes(&streams.symbolQueues.bits, &streams.symbolQueues.held) { symbolBits, symbolHeld in
            withLanes(&streams.offsetQueues.bits, &streams.offsetQueues.held) { offsetBits, offsetHeld in
                withLanes(&streams.states) { states in
                    while values.count < count {
                        let entries = (0..<laneCount).map { table[Int(states[$0])] }
                        for (lane, entry) in entries.enumerated() {
                            states[lane] = entry >> 20 + take(&symbols, symbolBits, symbolHeld, lane, entry & 15)
                        }
                        var row = entries.map { lowers[Int($0 >> 10 & 1_023)] }
                        for round in 0..<(widest + 15) / 16 {
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
