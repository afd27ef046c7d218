// SPDX-License-Identifier: Apache-2.0
//
// Clocks that can be moved, numbers that can be replayed, processors that can be counted.

import Testing

@testable import FirnIO

@Suite struct TimeAndChanceTests {
    @Test func systemClocksGoForwards() {
        let clock = SystemTimeSource()
        // 2024-01-01T00:00:00Z in microseconds: a check of the unit.
        #expect(clock.now() > 1_704_067_200_000_000 && clock.now() < 10_000_000_000_000_000)
        let begin = clock.monotonicNanoseconds()
        clock.sleep(nanoseconds: 2_000_000)
        #expect(clock.monotonicNanoseconds() - begin >= 2_000_000)
    }

    @Test func manualClockMovesWhenToldAlone() {
        let clock = ManualTimeSource(nowMicroseconds: 1_000)
        #expect(clock.now() == 1_000)
        clock.advance(nanoseconds: 1_500)
        clock.sleep(nanoseconds: 1_500)
        #expect(clock.now() == 1_003)
        #expect(clock.monotonicNanoseconds() == 3_000)
        clock.set(nowMicroseconds: 5)
        #expect(clock.now() == 5)
        #expect(clock.monotonicNanoseconds() == 3_000)
    }

    @Test func seededNumbersAreThoseOfTheReference() {
        // From the authors' C: splitmix64.c and xoshiro256starstar.c of prng.di.unimi.it, seed 42.
        let source = SeededRandomSource(seed: 42)
        #expect(
            (0..<4).map { _ in source.next() } == [
                1_546_998_764_402_558_742, 6_990_951_692_964_543_102, 12_544_586_762_248_559_009,
                17_057_574_109_182_124_193,
            ])
    }

    @Test(arguments: 0..<20) func fillCoversExactlyTheBuffer(_ byteCount: Int) {
        var bytes = [UInt8](repeating: 0, count: 20)
        var seen = [UInt8](repeating: 0, count: 20)
        let source = SeededRandomSource(seed: 7)
        for _ in 0..<50 {
            bytes.withUnsafeMutableBytes { source.fill(UnsafeMutableRawBufferPointer(rebasing: $0[..<byteCount])) }
            for index in bytes.indices { seen[index] |= bytes[index] }
        }
        #expect(seen[..<byteCount].allSatisfy { $0 == 255 })
        #expect(seen[byteCount...].allSatisfy { $0 == 0 })
    }

    @Test func boundedNumbersStayInBoundsAndReachThem() {
        let source = SeededRandomSource(seed: 3)
        #expect(Set((0..<200).map { _ in source.next(in: 0..<5) }) == [0, 1, 2, 3, 4])
        let system = SystemRandomSource()
        #expect(Set((0..<200).map { _ in system.next(in: -1..<1) }) == [-1, 0])
    }

    @Test func processorsAreCountedFromTheAffinityMask() {
        #expect(Processors.usableCount >= 1)
        #expect(Processors.allowedProcessorCount(status: "Name:\tx\nCpus_allowed:\tff,0000000f\nMems:\t1\n") == 12)
        #expect(Processors.allowedProcessorCount(status: "Cpus_allowed_list:\t0-3\n") == nil)
    }
}
