// SPDX-License-Identifier: Apache-2.0
//
// The table of group keys numbers keys by first appearance whatever order they come in, and hashes none that come in
// few ascending runs.

import Testing

@testable import Firn

@Suite struct GroupTableTests {
    /// Inserts keys in pieces of random size; the group of each.
    private func groups(
        of keys: [[UInt64]], in table: GroupTable, _ random: inout CodecRandom
    ) throws -> [UInt32] {
        var groups: [UInt32] = []
        var index = 0
        while index < keys.count {
            let piece = keys[index..<min(keys.count, index + 1 + random.below(700))]
            var found = [UInt32](repeating: 0, count: piece.count)
            try Array(piece.joined()).withUnsafeBufferPointer { words throws(FirnError) in
                try found.withUnsafeMutableBufferPointer { found throws(FirnError) in
                    try table.findOrInsert(words.baseAddress!, keyCount: piece.count, into: found.baseAddress!)
                }
            }
            groups += found
            index += piece.count
        }
        return groups
    }

    private func expectNumberedByFirstAppearance(
        _ keys: [[UInt64]], wordsPerKey: Int, isHashed: Bool?, _ random: inout CodecRandom, _ comment: Comment
    ) throws {
        let table = GroupTable(wordsPerKey: wordsPerKey)
        let found = try groups(of: keys, in: table, &random)
        var numbers: [[UInt64]: UInt32] = [:]
        var expected: [UInt32] = []
        for key in keys {
            if numbers[key] == nil { numbers[key] = UInt32(numbers.count) }
            expected.append(numbers[key]!)
        }
        #expect(found == expected, comment)
        #expect(table.count == numbers.count, comment)
        for (key, group) in numbers {
            #expect(Array(UnsafeBufferPointer(start: table.key(of: Int(group)), count: wordsPerKey)) == key, comment)
        }
        if let isHashed { #expect(table.isHashed == isHashed, comment) }
    }

    @Test(arguments: 1...4) func anyOrderIsNumberedByFirstAppearance(wordsPerKey: Int) throws {
        let seed = TestSeed.current ?? 11
        var random = CodecRandom(seed: UInt64(seed) &+ UInt64(wordsPerKey))
        for round in 0..<30 {
            let distinct = [2, 40, 5_000][round % 3]
            var keys = (0..<3_000).map { _ in (0..<wordsPerKey).map { _ in UInt64(random.below(distinct)) } }
            // Some of them in ascending runs, overlapping in any way.
            var start = 0
            while start < keys.count, round % 2 == 0 {
                let end = min(keys.count, start + 1 + random.below(1_500))
                keys[start..<end].sort { $0.lexicographicallyPrecedes($1) }
                start = end
            }
            try expectNumberedByFirstAppearance(
                keys, wordsPerKey: wordsPerKey, isHashed: nil, &random, "seed \(seed), round \(round)")
        }
    }

    @Test func sortedSegmentsOfSuccessiveTimesAreNotHashed() throws {
        var random = CodecRandom(seed: 3)
        var keys: [[UInt64]] = []
        for segment in 0..<8 as Range<UInt64> {
            // Neighbouring segments share one bucket of every series.
            for series in 0..<100 as Range<UInt64> {
                for bucket in segment * 40...segment * 40 + 40 { keys.append([series, bucket]) }
            }
        }
        try expectNumberedByFirstAppearance(keys, wordsPerKey: 2, isHashed: false, &random, "successive times")
    }

    @Test func segmentsThatOverlapAreHashed() throws {
        var random = CodecRandom(seed: 4)
        var keys: [[UInt64]] = []
        for _ in 0..<4 {
            for series in 0..<100 as Range<UInt64> {
                for bucket in 0..<100 as Range<UInt64> { keys.append([series, bucket]) }
            }
        }
        try expectNumberedByFirstAppearance(keys, wordsPerKey: 2, isHashed: true, &random, "overlapping times")
    }
}
