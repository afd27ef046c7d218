// SPDX-License-Identifier: Apache-2.0
//
// ALP: doubles that came from short decimals, as integers.
//
// A value v becomes d = round(v x 10^e x 10^-f) and comes back as d x 10^f x 10^-e; exponent and factor
// are one pair for a vector. The integers are an integer vector of their own, with all that it knows
// (frame of reference, delta, runs ...). Values that do not come back bit for bit are exceptions of two
// kinds: near ones, a few ulp off a short decimal (74.93588199999998), store the distance of the bit
// patterns; the others store the pattern.
//
//     [exponent: u8][factor: u8][integer vector of d]
//     [near form: u8]  0 none
//                      1 [count: varint][width: u8][positions: 10 bits each][zig-zag distances: width bits each]
//                      2 [packed block of a distance for every value]
//     [far count: varint]  > 0: [positions: 10 bits each][integer vector of bit patterns]
//
// d is rounded, and turned back, by adding and taking away 1.5 x 2^52, so |d| < 2^51 for what matters; any
// other d that damaged bytes contain still decodes to some double. A float is widened, treated likewise
// without near exceptions, and rounded back.
//
// Source: Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2024.

/// A decimal scaling: v x 10^exponent x 10^-factor.
struct ALPScaling: Equatable, Sendable {
    var exponent: Int
    var factor: Int

    static let exponentMax = 22

    /// 10^0 ... 10^22, all exact in a double.
    static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// 10^-0 ... 10^-22, rounded to the nearest double.
    static let inversePowers: [Double] = [
        1e0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15, 1e-16,
        1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22,
    ]

    var up: Double { Self.powers[exponent] }
    var upFraction: Double { Self.inversePowers[factor] }
    var down: Double { Self.powers[factor] }
    var downFraction: Double { Self.inversePowers[exponent] }
}

enum ALP {
    static let id = EncodingID.alp
    /// Adding this rounds to an integer and leaves it in the low bits.
    static let magic = 6_755_399_441_055_744.0
    static let magicBits = Int64(bitPattern: 0x4338_0000_0000_0000)
    private static let positionWidth = 10
    /// A distance of bit patterns that counts as near: beyond it, storing the pattern costs little more.
    private static let nearWidthMax = 24
    private static let farBits = 80
    private static let sampleCount = 64
    static let candidateCount = 4

    // MARK: Scalings for a page

    /// The scalings that suit a sample of the page, best first; empty when none suits.
    static func candidates(_ bits: UnsafeBufferPointer<Int64>, _ domain: NumberDomain) -> [ALPScaling] {
        let sampled = min(sampleCount, bits.count)
        var sample: [Int64] = []
        for index in 0..<sampled {
            let position = index * bits.count / sampled
            // Spread over residues too, so that a period in the data does not fool the sample.
            sample.append(bits[min(position + (index * 7) % max(1, bits.count / sampled), bits.count - 1)])
        }
        var ranked: [(scaling: ALPScaling, cost: Int)] = []
        // The fewest digits that leave no exception: scalings that keep as many make the same integers, and those that
        // keep more make wider ones.
        var exactDigits = Int.max
        let exponents = domain == .float ? 0...10 : 0...18
        sample.withUnsafeBufferPointer { sample in
            for exponent in exponents {
                for factor in 0...(domain == .float ? 0 : exponent) {
                    let scaling = ALPScaling(exponent: exponent, factor: factor)
                    if exponent - factor >= exactDigits { continue }
                    let limit = ranked.count < candidateCount ? Int.max : ranked[candidateCount - 1].cost
                    guard let cost = cost(sample, scaling, domain, below: limit) else { continue }
                    if cost.isExact { exactDigits = exponent - factor }
                    var slot = ranked.count
                    while slot > 0 && ranked[slot - 1].cost > cost.bits { slot -= 1 }
                    ranked.insert((scaling, cost.bits), at: slot)
                    if ranked.count > candidateCount { ranked.removeLast() }
                }
            }
        }
        // Wider integers than these are no better than the patterns or a cut of them.
        let patternBits = domain == .float ? 28 : 52
        guard let best = ranked.first, best.cost < sampled * patternBits else { return [] }
        // Scalings clearly worse than the best are not worth a second look at every vector.
        return ranked.filter { $0.cost <= best.cost + best.cost / 4 }.map(\.scaling)
    }

    /// Estimated bits of the sample with this scaling, and whether no value is an exception; nil, and stops early,
    /// where the bits are not below `limit`.
    private static func cost(
        _ sample: UnsafeBufferPointer<Int64>, _ scaling: ALPScaling, _ domain: NumberDomain, below limit: Int
    ) -> (bits: Int, isExact: Bool)? {
        var least = Int64.max
        var greatest = Int64.min
        var farCount = 0
        var nearCount = 0
        var nearWidth = 0
        let up = scaling.up
        let upFraction = scaling.upFraction
        let down = scaling.down
        let downFraction = scaling.downFraction
        for index in 0..<sample.count {
            let value = number(sample[index], domain)
            let rounded = value * up * upFraction + magic
            let distance = sample[index] &- pattern((rounded - magic) * down * downFraction, domain)
            let integer = Int64(bitPattern: rounded.bitPattern) &- magicBits
            if distance != 0 {
                let width = BitPacking.width(of: ZigZag.encode(distance))
                if width > nearWidthMax || domain == .float {
                    farCount += 1
                    if farCount * farBits >= limit { return nil }
                    continue
                }
                nearCount += 1
                nearWidth = max(nearWidth, width)
            }
            least = min(least, integer)
            greatest = max(greatest, integer)
            if index & 15 == 15 {
                // The width only grows.
                let width = BitPacking.width(of: UInt64(bitPattern: greatest &- least))
                if width * sample.count >= limit { return nil }
            }
        }
        let width = least > greatest ? 0 : BitPacking.width(of: UInt64(bitPattern: greatest &- least))
        let exceptionBits =
            min(nearCount * (positionWidth + nearWidth), sample.count * nearWidth) + farCount * farBits
        let bits = sample.count * width + exceptionBits
        return bits < limit ? (bits, nearCount + farCount == 0) : nil
    }

    @inline(__always)
    private static func number(_ bits: Int64, _ domain: NumberDomain) -> Double {
        domain == .float
            ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: UInt64(bitPattern: bits))
    }

    @inline(__always)
    private static func pattern(_ value: Double, _ domain: NumberDomain) -> Int64 {
        domain == .float ? Int64(Float(value).bitPattern) : Int64(bitPattern: value.bitPattern)
    }

    // MARK: Estimating and encoding

    /// Bytes that `encode` would write, or nil when no scaling of the page suits this vector.
    static func estimate(_ bits: VectorView<Int64>, _ statistics: DoubleStatistics) -> Int? {
        guard let scaling = bestScaling(bits, statistics) else { return nil }
        guard scale(bits, scaling, statistics) else { return nil }
        let integers = statistics.scaled.view(count: bits.count)
        statistics.integers.analyze(integers)
        let choice = IntegerCodec.choose(integers, statistics.integers)
        statistics.chosenEncoding = choice.id
        var bytes = 3 + choice.byteCount
        let near = statistics.near
        if near.count > 0 {
            bytes += min(
                2 + BitStream.byteCount(valueCount: near.count, width: positionWidth + statistics.nearWidth),
                2 + BitPacking.byteCount(valueCount: bits.count, width: statistics.nearWidth))
        }
        bytes += 1
        if !statistics.far.isEmpty {
            bytes += 1 + BitStream.byteCount(valueCount: statistics.far.count, width: positionWidth)
            bytes += 2 + statistics.far.count * 8
        }
        return bytes
    }

    private static func bestScaling(_ bits: VectorView<Int64>, _ statistics: DoubleStatistics) -> ALPScaling? {
        let candidates = statistics.scalings
        if candidates.count <= 1 { return candidates.first }
        let sampled = min(32, bits.count)
        return withUnsafeTemporaryAllocation(of: Int64.self, capacity: sampled) { sample in
            for index in 0..<sampled { sample[index] = bits[index * bits.count / sampled] }
            var best: (scaling: ALPScaling, cost: Int)?
            for scaling in candidates {
                let limit = best?.cost ?? Int.max
                if let cost = cost(UnsafeBufferPointer(sample), scaling, statistics.domain, below: limit) {
                    best = (scaling, cost.bits)
                }
            }
            return best?.scaling ?? candidates[0]
        }
    }

    /// Fills `statistics` with integers and exceptions; false when most values are far.
    private static func scale(
        _ bits: VectorView<Int64>, _ scaling: ALPScaling, _ statistics: DoubleStatistics
    ) -> Bool {
        let integers = statistics.scaled.pointer
        let mismatches = statistics.mismatches.pointer
        let count =
            statistics.domain == .float
            ? ALPKernels.encodeFloats(bits.pointer, count: bits.count, scaling, into: integers, mismatches: mismatches)
            : ALPKernels.encode(bits.pointer, count: bits.count, scaling, into: integers, mismatches: mismatches)
        statistics.chosenScaling = scaling
        statistics.near.removeAll(keepingCapacity: true)
        statistics.far.removeAll(keepingCapacity: true)
        statistics.nearWidth = 0
        for slot in 0..<count {
            let position = Int(mismatches[slot])
            let decoded = Double(bitPattern: UInt64(bitPattern: magicBits &+ integers[position])) - magic
            let distance =
                bits[position] &- Int64(bitPattern: (decoded * scaling.down * scaling.downFraction).bitPattern)
            let width = BitPacking.width(of: ZigZag.encode(distance))
            if statistics.domain == .double && width <= nearWidthMax {
                statistics.near.append((position, distance))
                statistics.nearWidth = max(statistics.nearWidth, width)
            } else {
                statistics.far.append(position)
            }
        }
        if statistics.far.count * 2 > bits.count { return false }
        fillFar(statistics, integers, count: bits.count)
        return true
    }

    /// Under a far exception the integer before it is stored, which costs next to nothing.
    private static func fillFar(
        _ statistics: DoubleStatistics, _ integers: UnsafeMutablePointer<Int64>, count: Int
    ) {
        guard !statistics.far.isEmpty else { return }
        var firstGood = 0
        for position in statistics.far where position == firstGood { firstGood += 1 }
        for position in statistics.far {
            integers[position] = position == 0 ? integers[min(firstGood, count - 1)] : integers[position - 1]
        }
    }

    /// Writes what `estimate` prepared for exactly these values.
    static func encode(_ bits: VectorView<Int64>, _ statistics: DoubleStatistics, into output: inout ByteWriter) {
        output.append(UInt8(statistics.chosenScaling.exponent))
        output.append(UInt8(statistics.chosenScaling.factor))
        IntegerCodec.encodeChosen(
            statistics.scaled.view(count: bits.count), statistics.chosenEncoding, statistics.integers, into: &output)
        encodeNear(statistics, count: bits.count, into: &output)
        let far = statistics.far
        output.appendVarint(far.count)
        if far.isEmpty { return }
        BitStream.append(count: far.count, width: positionWidth, to: &output) { UInt64(far[$0]) }
        let patterns = far.map { bits[$0] }
        patterns.withUnsafeBufferPointer {
            _ = IntegerCodec.encode(VectorView($0), statistics.integers, into: &output)
        }
    }

    private static func encodeNear(_ statistics: DoubleStatistics, count: Int, into output: inout ByteWriter) {
        let near = statistics.near
        if near.isEmpty { return output.append(0) }
        let width = statistics.nearWidth
        let sparse = 2 + BitStream.byteCount(valueCount: near.count, width: positionWidth + width)
        let distances = statistics.scaled.pointer
        distances.update(repeating: 0, count: count)
        for (position, distance) in near { distances[position] = distance }
        let plan = PackedIntegers.plan(
            distances, count: count, extremes: Kernels.extremes(distances, count: count),
            sample: BulkSample(distances, count: count))
        if plan.byteCount < sparse {
            output.append(2)
            PackedIntegers.encode(distances, count: count, plan: plan, into: &output)
        } else {
            output.append(1)
            output.appendVarint(near.count)
            output.append(UInt8(width))
            BitStream.append(count: near.count, width: positionWidth, to: &output) { UInt64(near[$0].position) }
            BitStream.append(count: near.count, width: width, to: &output) { ZigZag.encode(near[$0].distance) }
        }
    }

    // MARK: Verifying and decoding

    static func verify(_ reader: inout ByteReader, count: Int, _ domain: NumberDomain) throws(FormatError) {
        let start = reader.offset
        let exponent = try reader.readByte()
        let factor = try reader.readByte()
        guard exponent <= ALPScaling.exponentMax, factor <= ALPScaling.exponentMax else {
            throw FormatError("a decimal scaling of \(exponent) and \(factor)", at: start)
        }
        try IntegerCodec.verify(&reader, count: count)
        let form = try reader.readByte()
        switch form {
        case 0: break
        case 1:
            let nearCount = try reader.readCount(atMost: count)
            let width = Int(try reader.readByte())
            guard width <= 64 else { throw FormatError("a distance of \(width) bits", at: start) }
            try verifyPositions(&reader, count: nearCount, below: count)
            try reader.skip(BitStream.byteCount(valueCount: nearCount, width: width))
        case 2: try PackedIntegers.verify(&reader, count: count)
        default: throw FormatError("unknown form of near exceptions \(form)", at: start)
        }
        let farCount = try reader.readCount(atMost: count)
        if farCount > 0 {
            try verifyPositions(&reader, count: farCount, below: count)
            try IntegerCodec.verify(&reader, count: farCount)
        }
    }

    private static func verifyPositions(
        _ reader: inout ByteReader, count: Int, below limit: Int
    ) throws(FormatError) {
        let start = reader.offset
        let positions = try reader.readBytes(BitStream.byteCount(valueCount: count, width: positionWidth))
        var stream = BitStreamReader(positions.pointer(), count: count, width: positionWidth)
        for _ in 0..<count {
            guard stream.next() < UInt64(limit) else {
                throw FormatError("an exception lies past \(limit) values", at: start)
            }
        }
    }

    /// Decodes bit patterns; room for `count` rounded up to 16 is needed.
    static func decode(
        _ cursor: inout VerifiedCursor, count: Int, _ domain: NumberDomain, into output: UnsafeMutablePointer<Int64>
    ) {
        let exponent = Int(cursor.byte())
        let factor = Int(cursor.byte())
        let scaling = ALPScaling(exponent: exponent, factor: factor)
        if !decodeFused(&cursor, count: count, scaling, into: output) {
            IntegerCodec.decode(&cursor, count: count, into: output)
            Kernels.decodeALP(output, count: count, scaling)
        }
        decodeNear(&cursor, count: count, into: output)
        if domain == .float { ALPKernels.narrow(output, count: count) }
        let farCount = Int(cursor.varint())
        if farCount == 0 { return }
        var positions = cursor.bitStream(count: farCount, width: positionWidth)
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) { patterns in
            IntegerCodec.decode(&cursor, count: farCount, into: patterns.baseAddress.unsafelyUnwrapped)
            for index in 0..<farCount {
                output[Int(positions.next())] = patterns[index]
            }
        }
    }

    /// Unpacks and scales in one pass where the integers are a packed block without patches, or differences.
    private static func decodeFused(
        _ cursor: inout VerifiedCursor, count: Int, _ scaling: ALPScaling, into output: UnsafeMutablePointer<Int64>
    ) -> Bool {
        var ahead = cursor
        let id = EncodingID(rawValue: ahead.byte())
        if id == .delta {
            let carry = ahead.signedVarint()
            PackedIntegers.decodeSums(&ahead, count: count, carry: carry, scaling, into: output)
            cursor = ahead
            return true
        }
        guard id == .frameOfReference else { return false }
        let width = ahead.byte()
        guard width <= 64 else { return false }
        let base = ahead.signedVarint()
        Kernels.unpackALP(
            ahead.pointer, width: Int(width), rowCount: BitPacking.rowCount(forValues: count), base: base, scaling,
            into: output)
        ahead.skip(BitPacking.byteCount(valueCount: count, width: Int(width)))
        cursor = ahead
        return true
    }

    private static func decodeNear(
        _ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>
    ) {
        switch cursor.byte() {
        case 0: break
        case 1:
            let nearCount = Int(cursor.varint())
            let width = Int(cursor.byte())
            var positions = cursor.bitStream(count: nearCount, width: positionWidth)
            var distances = cursor.bitStream(count: nearCount, width: width)
            for _ in 0..<nearCount { output[Int(positions.next())] &+= ZigZag.decode(distances.next()) }
        default:
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) { distances in
                let pointer = distances.baseAddress.unsafelyUnwrapped
                cursor.skip(PackedIntegers.decode(cursor.pointer, count: count, into: pointer))
                Kernels.join(output, count: count, factor: 1, pointer)
            }
        }
    }
}
