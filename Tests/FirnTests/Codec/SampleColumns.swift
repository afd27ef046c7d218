// SPDX-License-Identifier: Apache-2.0
//
// Columns that have broken codecs before, and random ones: the input of the round-trip tests.

@testable import Firn

enum SampleColumns {
    /// Named integer columns of `count` values.
    static func integers(count: Int, _ random: inout CodecRandom) -> [(name: String, values: [Int64])] {
        func column(_ name: String, _ value: (Int) -> Int64) -> (name: String, values: [Int64]) {
            (name, (0..<count).map(value))
        }
        var walk: Int64 = 1_000
        var clock: Int64 = 1_700_000_000_000_000
        var columns = [
            column("zero") { _ in 0 },
            column("constant") { _ in .min },
            column("extremes") { $0 % 2 == 0 ? .min : .max },
            column("sawtooth") { Int64($0 % 7) &* .max },
            column("regular times") { 1_700_000_000_000_000 + Int64($0) * 10_000_000 },
            column("wrapping step") { Int64($0) &* 0x7000_0000_0000_0001 },
            column("whole seconds") { Int64($0 * $0 % 1_000) * 1_000_000 },
            column("runs") { Int64($0 / 100) * 77 % 13 },
            column("long runs") { Int64($0 / 5_000) },
            column("one outlier") { $0 == count / 2 ? .max : Int64($0 % 16) },
            column("low outliers") { $0 % 50 == 49 ? .min + Int64($0) : Int64($0 % 16) },
        ]
        columns.append(
            column("walk") { _ in
                walk &+= Int64(random.below(21)) - 10
                return walk
            })
        columns.append(
            column("jittered times") { _ in
                clock += 10_000_000 + Int64(random.below(2_001)) - 1_000
                return clock
            })
        columns.append(column("few distinct") { _ in [Int64.min, 5, 900_000_000_000, .max, -1][random.below(5)] })
        columns.append(column("random") { _ in Int64(bitPattern: random.next()) })
        let width = UInt64(random.below(64))
        columns.append(column("random width \(width)") { _ in Int64(bitPattern: random.next() >> width) })
        columns.append(column("mixed widths") { _ in Int64(bitPattern: random.next() >> UInt64(random.below(64))) })
        return columns
    }

    /// Named double columns of `count` values.
    static func doubles(count: Int, _ random: inout CodecRandom) -> [(name: String, values: [Double])] {
        func column(_ name: String, _ value: (Int) -> Double) -> (name: String, values: [Double]) {
            (name, (0..<count).map(value))
        }
        let special: [Double] = [
            .nan, Double(bitPattern: 0x7FF0_0000_0000_0001), Double(bitPattern: 0xFFF8_DEAD_BEEF_0001), .infinity,
            -.infinity, -0.0, 0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, 1e22,
            9.007199254740993e15,
        ]
        var walk = 20.0
        var columns = [
            column("zero") { _ in 0 },
            column("minus zero") { _ in -0.0 },
            column("NaN") { _ in Double(bitPattern: 0x7FF8_0000_0000_1234) },
            column("signs of zero") { $0 % 3 == 0 ? -0.0 : 0.0 },
            column("whole") { Double($0) },
            column("thirds") { Double($0) / 3 },
        ]
        columns.append(column("cents") { _ in Double(random.below(100_000)) / 100 })
        columns.append(
            column("one decimal walk") { _ in
                walk += Double(random.below(5) - 2) / 10
                return (walk * 10).rounded() / 10
            })
        columns.append(
            column("nearly decimal") { _ in
                let value = Double(random.below(100_000_000)) / 1e6
                return random.below(3) == 0 ? value.nextUp : value
            })
        columns.append(column("special") { _ in special[random.below(special.count)] })
        columns.append(
            column("decimals and specials") { index in
                random.below(20) == 0 ? special[random.below(special.count)] : Double(index) / 8 * 0.01
            })
        columns.append(column("uniform") { _ in Double.random(in: -1...1, using: &random) })
        columns.append(column("any bits") { _ in Double(bitPattern: random.next()) })
        columns.append(column("from floats") { _ in Double(Float.random(in: 0...100, using: &random)) })
        columns.append(
            column("huge and tiny") { _ in Double(random.below(1_000)) * (random.below(2) == 0 ? 1e300 : 1e-300) })
        return columns
    }

    /// Value counts that meet every edge of rows, vectors and pages.
    static let edgeCounts = [1, 2, 3, 4, 15, 16, 17, 63, 64, 65, 255, 1_023, 1_024, 1_025, 2_100]

    static func validity(count: Int, nullShare: Double, _ random: inout CodecRandom) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
        for index in 0..<count where Double.random(in: 0..<1, using: &random) >= nullShare {
            words[index / 64] |= 1 << UInt64(index % 64)
        }
        return words
    }
}
