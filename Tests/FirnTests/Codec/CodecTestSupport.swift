// SPDX-License-Identifier: Apache-2.0
//
// A seeded generator for the codec's property tests. `FIRN_SEED=` replays a run.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// SplitMix64: small, fast, and the same everywhere.
struct CodecRandom: RandomNumberGenerator {
    let seed: UInt64
    private var state: UInt64

    /// Takes the seed from `FIRN_SEED` when it is set; print `seed` when a property fails.
    init() {
        if let text = getenv("FIRN_SEED"), let seed = UInt64(String(cString: text)) {
            self.init(seed: seed)
        } else {
            var system = SystemRandomNumberGenerator()
            self.init(seed: system.next())
        }
    }

    init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
