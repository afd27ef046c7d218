// SPDX-License-Identifier: Apache-2.0
//
// The seam between the engine and chance: the machine's entropy, and a seeded sequence that replays.

import Synchronization

/// Where random bits come from. Any thread may call it.
public protocol RandomSource: Sendable {
    /// Fills the buffer with random bytes.
    func fill(_ buffer: UnsafeMutableRawBufferPointer)
    /// 64 random bits.
    func next() -> UInt64
}

extension RandomSource {
    /// Fills the buffer from `next()`, eight bytes a call, little-endian.
    public func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        var position = 0
        while position < buffer.count {
            let byteCount = min(8, buffer.count - position)
            let bits = next().littleEndian
            withUnsafeBytes(of: bits) { source in
                // Both ranges hold `byteCount` bytes: at most 8 of `bits`, at most what is left of `buffer`.
                UnsafeMutableRawBufferPointer(rebasing: buffer[position..<position + byteCount])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<byteCount]))
            }
            position += byteCount
        }
    }

    /// A number of `range`, each as likely as the others.
    public func next<Number: FixedWidthInteger>(in range: Range<Number>) -> Number {
        var generator = RandomSourceGenerator(source: self)
        return Number.random(in: range, using: &generator)
    }
}

/// A random source as the standard library's `shuffle` and `random` take it.
public struct RandomSourceGenerator<Source: RandomSource>: RandomNumberGenerator {
    private let source: Source

    /// A generator that draws from `source`.
    public init(source: Source) { self.source = source }

    /// 64 random bits.
    public mutating func next() -> UInt64 { source.next() }
}

/// The machine's cryptographically secure generator.
public struct SystemRandomSource: RandomSource {
    /// The machine's entropy.
    public init() {}

    /// 64 bits from the system.
    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its four words
/// seeded by SplitMix64. One seed gives one sequence, on every machine and in every version of Firn. Not for secrets.
public struct Xoshiro256: RandomNumberGenerator, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// The sequence that `seed` names.
    public init(seed: UInt64) {
        var state = seed
        func splitMix() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var bits = state
            bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
            bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
            return bits ^ (bits >> 31)
        }
        words = (splitMix(), splitMix(), splitMix(), splitMix())
    }

    /// The next 64 bits of the sequence.
    public mutating func next() -> UInt64 {
        let product = words.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = words.1 << 17
        words.2 ^= words.0
        words.3 ^= words.1
        words.1 ^= words.2
        words.0 ^= words.3
        words.2 ^= shifted
        words.3 = words.3 << 45 | words.3 >> 19
        return result
    }
}

/// A seeded sequence behind a lock: the same numbers for the same seed, as long as the calls come in the same order.
public final class SeededRandomSource: RandomSource {
    /// The seed, for a failing test to print.
    public let seed: UInt64
    private let generator: Mutex<Xoshiro256>

    /// The sequence that `seed` names.
    public init(seed: UInt64) {
        self.seed = seed
        generator = Mutex(Xoshiro256(seed: seed))
    }

    /// The next 64 bits of the sequence.
    public func next() -> UInt64 { generator.withLock { $0.next() } }
}
