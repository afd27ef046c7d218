// SPDX-License-Identifier: Apache-2.0
//
// Columns of random shape: each a few stretches of different kinds, so that no encoder sees only what suits it.

@testable import Firn

enum RandomColumns {
    static func integers(count: Int, _ random: inout CodecRandom) -> [Int64] {
        var values: [Int64] = []
        values.reserveCapacity(count)
        while values.count < count {
            let length = random.below(3) == 0 ? 1 + random.below(count - values.count) : count - values.count
            append(length, &values, &random)
        }
        if random.below(4) == 0 {
            let divisor = Int64(bitPattern: random.next() >> UInt64(random.below(63)))
            let base = Int64(bitPattern: random.next())
            values = values.map { base &+ $0 &* divisor }
        }
        return values
    }

    private static func append(_ length: Int, _ values: inout [Int64], _ random: inout CodecRandom) {
        func bits(ofWidth width: Int) -> Int64 {
            width == 0 ? 0 : Int64(bitPattern: random.next() >> UInt64(64 - width))
        }
        let width = random.below(65)
        let base = bits(ofWidth: random.below(65))
        switch random.below(9) {
        case 0: for _ in 0..<length { values.append(base &+ bits(ofWidth: width)) }
        case 1:
            var walk = base
            for _ in 0..<length {
                walk = walk &+ bits(ofWidth: width) &- Int64(bitPattern: (1 &<< UInt64(width)) >> 1)
                values.append(walk)
            }
        case 2:
            var step = base
            var value = bits(ofWidth: 64)
            for _ in 0..<length {
                step = step &+ bits(ofWidth: width / 8)
                value = value &+ step
                values.append(value)
            }
        case 3:
            var value = base
            for _ in 0..<length {
                if random.below(20) == 0 { value = bits(ofWidth: width) }
                values.append(value)
            }
        case 4:
            let rarity = 2 + random.below(200)
            for _ in 0..<length {
                let isOutlier = random.below(rarity) == 0
                values.append(base &+ bits(ofWidth: isOutlier ? 64 : width / 4))
            }
        case 5:
            let few = (0..<1 + random.below(300)).map { _ in bits(ofWidth: width) }
            for _ in 0..<length { values.append(few[random.below(few.count)]) }
        case 6: for index in 0..<length { values.append(base &+ Int64(index) &* bits(ofWidth: 2)) }
        case 7:
            // Round times, and some that are not.
            var time = base
            for _ in 0..<length {
                time = time &+ Int64(random.below(1_000)) * (random.below(3) == 0 ? 1 : 100)
                values.append(random.below(3) == 0 ? time : time / 100 * 100)
            }
        default: for _ in 0..<length { values.append([.min, .max, 0, -1, 1, base][random.below(6)]) }
        }
    }

    static func doubles(count: Int, _ random: inout CodecRandom) -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(count)
        while values.count < count {
            let length = random.below(3) == 0 ? 1 + random.below(count - values.count) : count - values.count
            appendDoubles(length, &values, &random)
        }
        return values
    }

    private static let special: [Double] = [
        .nan, Double(bitPattern: 0x7FF0_0000_0000_0001), Double(bitPattern: 0xFFF8_DEAD_BEEF_0001), .infinity,
        -.infinity, -0.0, 0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, 1e22,
        9.007199254740993e15,
    ]

    private static func appendDoubles(_ length: Int, _ values: inout [Double], _ random: inout CodecRandom) {
        let digits = random.below(18)
        let magnitude = 1 << (1 + random.below(52))
        func decimal(_ digits: Int) -> Double {
            Double(random.below(magnitude) - magnitude / 3) / ALPScaling.powers[digits]
        }
        let rarity = 2 + random.below(100)
        switch random.below(9) {
        case 0: for _ in 0..<length { values.append(decimal(digits)) }
        case 1:
            for _ in 0..<length {
                values.append(random.below(rarity) == 0 ? special[random.below(12)] : decimal(digits))
            }
        case 2:
            for _ in 0..<length { values.append(random.below(rarity) == 0 ? decimal(digits).nextUp : decimal(digits)) }
        case 3: for _ in 0..<length { values.append(Double(bitPattern: random.next())) }
        case 4: for _ in 0..<length { values.append(Double(Float(decimal(min(digits, 6))))) }
        case 5: for _ in 0..<length { values.append(decimal(random.below(13))) }
        case 6:
            // Degrees that were minutes, cut off after some digits; thirds are long, halves are not.
            let scale = ALPScaling.powers[[4, 7, 9, 12][random.below(4)]]
            for _ in 0..<length {
                let degrees = Double(random.below(1_080_000) - 540_000) / [6_000, 3_600, 1_000][random.below(3)]
                values.append((degrees * scale).rounded() / scale)
            }
        case 7:
            let few = (0..<1 + random.below(200)).map { _ in decimal(digits) }
            for _ in 0..<length { values.append(few[random.below(few.count)]) }
        default:
            var walk = decimal(2)
            for _ in 0..<length {
                walk += Double(random.below(21) - 10) / 100
                values.append((walk * 100).rounded() / 100)
            }
        }
    }

    /// Texts of one vocabulary, of random bytes, and of repeated records.
    static func texts(count: Int, _ random: inout CodecRandom) -> [[UInt8]] {
        let alphabetCount = 1 + random.below(256)
        let vocabulary = (0..<1 + random.below(400)).map { _ in
            random.bytes(random.below(12)).map { UInt8(Int($0) % alphabetCount) }
        }
        switch random.below(4) {
        case 0: return (0..<count).map { _ in random.bytes(random.below(40)) }
        case 1: return (0..<count).map { Array("{\"id\": \($0), \"level\": \"warning\", \"host\": \"web\"}".utf8) }
        case 2: return (0..<count).map { _ in vocabulary[random.below(vocabulary.count)] }
        default:
            return (0..<count).map { _ in
                (0..<random.below(9)).flatMap { _ in vocabulary[random.below(vocabulary.count)] }
            }
        }
    }
}
