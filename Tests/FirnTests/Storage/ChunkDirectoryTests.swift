// SPDX-License-Identifier: Apache-2.0
//
// Chunks: every time has exactly one, whatever the interval was when it was made.

import FirnIO
import Testing

@testable import Firn

@Suite struct ChunkDirectoryTests {
    private let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max, -62_135_596_800_000_000]

    @Test func aChunkIsAlignedAndHoldsItsTime() {
        for time in extremes {
            for interval in [1, 7, 86_400_000_000, Int64.max] {
                let (start, end) = ChunkDirectory.aligned(time, interval: interval)
                #expect(start <= time)
                #expect(time < end || end == .max)
                if start != .min { #expect(start % interval == 0) }
                if end != .max { #expect(end % interval == 0) }
            }
        }
    }

    @Test func chunksNeverOverlapWhenTheIntervalChanges() {
        let seed = TestSeed.current ?? 77
        var generator = Xoshiro256(seed: seed)
        for round in 0..<50 {
            let directory = ChunkDirectory()
            var nextID: UInt64 = 1
            var known: [Int64: ChunkID] = [:]
            for _ in 0..<200 {
                let time: Int64 =
                    switch generator.next() % 8 {
                    case 0: extremes[Int(generator.next() % UInt64(extremes.count))]
                    case 1: Int64(bitPattern: generator.next())
                    default: Int64(generator.next() % 1_000_000) - 500_000
                    }
                let interval = [10, 1_000, 12_345, 1_000_000][Int(generator.next() % 4)] as Int64
                let chunk = directory.locate(time, interval: interval) {
                    defer { nextID += 1 }
                    return ChunkID(nextID)
                }
                #expect(chunk.contains(time), "seed \(seed) round \(round)")
                if let before = known[time] { #expect(before == chunk.id) }
                known[time] = chunk.id
            }
            let chunks = directory.all
            for (left, right) in zip(chunks, chunks.dropFirst()) {
                #expect(left.end <= right.start, "seed \(seed) round \(round)")
            }
            #expect(Set(chunks.map(\.id)).count == chunks.count)
        }
    }

    @Test func aTableWithoutChunkingIsOneChunk() {
        let directory = ChunkDirectory()
        let chunk = directory.locate(0, interval: nil) { ChunkID(1) }
        #expect(chunk == ChunkBounds(id: ChunkID(1), start: .min, end: .max))
        #expect(directory.locate(.max, interval: nil) { ChunkID(2) } == chunk)
        #expect(directory.locate(.min, interval: nil) { ChunkID(2) } == chunk)
    }
}
