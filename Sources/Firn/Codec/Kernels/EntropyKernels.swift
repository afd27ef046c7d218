// SPDX-License-Identifier: Apache-2.0
//
// Reference of the entropy decoder's loop.

import CKernels

enum EntropyKernels {
    /// Value i is of state i % 8, whose bits are in the first stream for states 0 to 3 and in the second for the
    /// others; the third has the offsets. Positions are clamped to their ends after every eight values.
    static func expandBins(
        _ table: [FirnBinStep], _ bins: [FirnBin], _ streams: FirnBinStreams, count: Int
    ) -> [UInt64] {
        let bytes = [streams.bytes.0!, streams.bytes.1!, streams.bytes.2!]
        let ends = [streams.bitCounts.0, streams.bitCounts.1, streams.bitCounts.2]
        let first = streams.states
        var states = [first.0, first.1, first.2, first.3, first.4, first.5, first.6, first.7].map(Int.init)
        var positions = [0, 0, 0]
        var values: [UInt64] = []
        func take(_ stream: Int, _ width: Int) -> UInt64 {
            defer { positions[stream] += width }
            let raw = UnsafeRawPointer(bytes[stream])
            let word = raw.loadUnaligned(fromByteOffset: positions[stream] / 8, as: UInt64.self)
            return (UInt64(littleEndian: word) >> UInt64(positions[stream] % 8)) & ((1 << UInt64(width)) - 1)
        }
        while values.count < count {
            var turn: [FirnBin] = []
            for lane in 0..<8 {
                let step = table[states[lane]]
                states[lane] = Int(step.base) + Int(take(lane / 4, Int(step.bits)))
                turn.append(bins[Int(step.bin)])
            }
            for bin in turn where values.count < count { values.append(bin.lower &+ take(2, Int(bin.width))) }
            for stream in 0..<3 { positions[stream] = min(positions[stream], ends[stream]) }
        }
        return values
    }
}
