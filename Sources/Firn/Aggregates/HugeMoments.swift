// SPDX-License-Identifier: Apache-2.0
//
// Moments of doubles so large that their sums, or the squares of their distances, may leave the range of a double.
//
// What DoubleMomentState adds up in plain doubles stays within range as long as no value is above 2^440: neither do
// 2^63 of them reach 2^1024, nor the squares of their distances. Larger ones are added up here instead, scaled down
// by 2^560, which loses no bit of them. Only a result that no double holds is an overflow; whether sums on the
// way to it were larger, which hangs on the order of the rows, does not count.

/// Count, compensated sum and squared distances of the huge values of one group.
struct HugeMoments: Sendable {
    /// Values above it are huge.
    static let threshold = 0x1p440
    private static let scale = 0x1p-560

    private var moments = ScaledMoments()

    /// How many there are.
    var count: Int64 { Int64(moments.count) }

    /// Adds a finite value.
    mutating func add(_ value: Double) { moments.add(ScaledMoments(value * Self.scale)) }

    mutating func add(_ other: HugeMoments) { moments.add(other.moments) }

    /// The sum of these values and of others, whose sum is high + low; infinite where no double holds it.
    func sum(with high: Double, _ low: Double) -> Double {
        var sum = moments.sum
        if sum.high == 0, sum.low == 0 { return high + low }
        sum.add(high * Self.scale, low * Self.scale)
        return sum.value / Self.scale
    }

    /// Squared distances of all values from their common mean; the others have this count, sum and squared distances.
    /// Infinite where no double holds them.
    func distances(withCount count: Int64, sum high: Double, _ low: Double, distances: Double) -> Double {
        var all = moments
        all.add(
            ScaledMoments(
                count: Double(count), sum: CompensatedSum(high: high * Self.scale, low: low * Self.scale),
                distances: distances * Self.scale * Self.scale))
        return all.distances / Self.scale / Self.scale
    }
}

/// A sum as an unevaluated pair.
struct CompensatedSum: Sendable {
    var high = 0.0
    /// What `high` lost to rounding.
    var low = 0.0

    /// Once the sum is infinite or NaN, what it lost is meaningless.
    @inline(__always)
    var value: Double { high.isFinite ? high + low : high }

    @inline(__always)
    mutating func add(_ addend: Double, _ addendLow: Double = 0) {
        // TwoSum: total + lost is exactly high + addend.
        let total = high + addend
        let virtual = total - high
        low += ((high - (total - virtual)) + (addend - virtual)) + addendLow
        high = total
    }
}

/// Moments in scaled units.
private struct ScaledMoments {
    var count = 0.0
    var sum = CompensatedSum()
    var distances = 0.0

    init() {}

    init(_ value: Double) {
        count = 1
        sum.high = value
    }

    init(count: Double, sum: CompensatedSum, distances: Double) {
        self.count = count
        self.sum = sum
        self.distances = distances
    }

    /// The update of Chan et al.
    mutating func add(_ other: ScaledMoments) {
        guard other.count > 0 else { return }
        if count > 0 {
            let delta = other.sum.value / other.count - sum.value / count
            distances += other.distances + delta * delta * (count * other.count / (count + other.count))
        } else {
            distances = other.distances
        }
        count += other.count
        sum.add(other.sum.high, other.sum.low)
    }
}
