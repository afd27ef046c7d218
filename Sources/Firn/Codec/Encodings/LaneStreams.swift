// SPDX-License-Identifier: Apache-2.0
//
// Bits of sixteen lanes in one stream of 16-bit words, and the bit streams of small tables.
//
// Take k is of lane k % 16: so many bits of that lane's queue, low ones first. A queue begins with one word. After
// each take it gets the next word of the stream when 16 or fewer bits are left in it. The decoder (EntropyBodies.h)
// does so for many lanes at once; the encoder here cuts each lane's bits into words and repeats the takes to find
// the order of the words. Words behind the last that carries bits are left out and read as zero.
//
// Source: Giesen, "Interleaved entropy coders", 2014, where words follow the order in which the decoder wants them.

enum LaneStreams {
    static let laneCount = 16
    private static let wordWidth = 16

    /// The low `width` bits, 0 to 16, of `bits`.
    struct Take {
        let bits: UInt64
        let width: Int
    }

    /// The words from which the takes, a multiple of sixteen, come back.
    static func words(of takes: [Take]) -> [UInt16] {
        if takes.isEmpty { return [] }
        var writers = [BitWriter](repeating: BitWriter(), count: laneCount)
        for (index, take) in takes.enumerated() { writers[index % laneCount].append(take.bits, width: take.width) }
        let lanes = writers.indices.map { writers[$0].finish() }
        var words: [UInt16] = []
        var usedCount = 0
        var read = [Int](repeating: 0, count: laneCount)
        var held = [Int](repeating: 0, count: laneCount)
        func refill(_ lane: Int) {
            guard held[lane] <= wordWidth else { return }
            let bytes = lanes[lane]
            let low = read[lane] < bytes.count ? UInt16(bytes[read[lane]]) : 0
            let high = read[lane] + 1 < bytes.count ? UInt16(bytes[read[lane] + 1]) : 0
            words.append(low | high << 8)
            if low | high != 0 { usedCount = words.count }
            read[lane] += 2
            held[lane] += wordWidth
        }
        for lane in 0..<laneCount { refill(lane) }
        for (index, take) in takes.enumerated() {
            held[index % laneCount] -= take.width
            refill(index % laneCount)
        }
        return Array(words[..<usedCount])
    }
}

/// Appends bits, low ones first.
struct BitWriter {
    private var bytes: [UInt8] = []
    private var pending: UInt64 = 0
    private var pendingCount = 0

    /// Appends the low `width` bits, at most 56.
    mutating func append(_ value: UInt64, width: Int) {
        pending |= (value & ((1 << UInt64(width)) - 1)) << UInt64(pendingCount)
        pendingCount += width
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    /// A number above 0: its bit count less one in `countBits` bits, then its bits below the highest.
    mutating func appendNumber(_ number: UInt64, countBits: Int) {
        let below = BitPacking.width(of: number) - 1
        append(UInt64(below), width: countBits)
        append(number, width: min(below, 32))
        if below > 32 { append(number >> 32, width: below - 32) }
    }

    mutating func finish() -> [UInt8] {
        if pendingCount > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
        pending = 0
        pendingCount = 0
        return bytes
    }
}

/// Reads what BitWriter wrote; past the end there are zeros, and the reader's byte count says that it went too far.
struct BitReader {
    private let view: ByteView
    private var bitOffset = 0

    init(_ view: ByteView) { self.view = view }

    /// Whole bytes that were begun.
    var byteCount: Int { (bitOffset + 7) / 8 }

    /// The next `width` bits, at most 56.
    @inline(__always)
    mutating func read(_ width: Int) -> UInt64 {
        let first = bitOffset &>> 3
        let word: UInt64
        if first + 8 <= view.count {
            word = view.loadUnchecked(UInt64.self, at: first)
        } else {
            word = lastBytes(from: first)
        }
        let bits = (word &>> UInt64(bitOffset & 7)) & ((1 &<< UInt64(width)) &- 1)
        bitOffset += width
        return bits
    }

    private func lastBytes(from first: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in 0..<8 where first + byte < view.count { word |= UInt64(view[first + byte]) << UInt64(byte * 8) }
        return word
    }

    mutating func readNumber(countBits: Int) -> UInt64 {
        let below = Int(read(countBits))
        var bits = read(min(below, 32))
        if below > 32 { bits |= read(below - 32) << 32 }
        return 1 &<< UInt64(below) | bits
    }
}

/// A copy of words with zeros behind them, so that a few reads may go past their end.
final class PaddedWords {
    private static let paddingByteCount = 256
    private let storage: UnsafeMutableRawBufferPointer
    private let wordCount: Int

    /// `view` has an even count of bytes.
    init(_ view: ByteView) {
        storage = .allocate(byteCount: view.count + Self.paddingByteCount, alignment: 64)
        wordCount = view.count / 2
        if view.count > 0 { storage.baseAddress!.copyMemory(from: view.pointer(), byteCount: view.count) }
        (storage.baseAddress! + view.count).initializeMemory(
            as: UInt8.self, repeating: 0, count: Self.paddingByteCount)
    }

    /// Valid while this object lives.
    var words: UnsafeBufferPointer<UInt16> {
        UnsafeBufferPointer(start: storage.baseAddress!.assumingMemoryBound(to: UInt16.self), count: wordCount)
    }

    deinit { storage.deallocate() }
}
