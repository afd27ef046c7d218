// SPDX-License-Identifier: Apache-2.0
//
// Dictionary encoding of a page of numbers: distinct values once, in order, and codes into them.
//
// The values are sorted, so a range of values is a range of codes, and neighbours in value are
// neighbours in code, which the vectors of codes profit from. Doubles are sorted by the total order
// of their bit patterns.
//
//     [distinct count: varint][sequence of distinct values][directory][integer vectors of codes]

/// The distinct values of a page and the code of each value.
struct DistinctValues {
    /// Codes above this need more bits than a dictionary usually saves.
    static let distinctCountMax = 16_384

    let values: [Int64]
    let codes: [Int64]

    /// The key that sorts: of doubles and floats the total order of their bit patterns, negative ones reversed.
    @inline(__always)
    private static func order(_ bits: Int64, _ domain: NumberDomain) -> Int64 {
        switch domain {
        case .integer: bits
        case .double: bits ^ Int64(bitPattern: UInt64(bitPattern: bits &>> 63) &>> 1)
        case .float: Int64(Int32(truncatingIfNeeded: bits) ^ (Int32(truncatingIfNeeded: bits) &>> 31) & Int32.max)
        }
    }

    /// nil when there are more than `distinctCountMax` distinct values.
    init?(_ input: UnsafeBufferPointer<Int64>, distinctCountMax: Int, _ domain: NumberDomain) {
        let slotCount = max(64, (distinctCountMax * 2).nextPowerOfTwo)
        let mask = slotCount - 1
        var slots = [Int32](repeating: -1, count: slotCount)
        var found: [Int64] = []
        var codes = [Int64](repeating: 0, count: input.count)
        for index in 0..<input.count {
            let value = input[index]
            var slot = Int(truncatingIfNeeded: (UInt64(bitPattern: value) &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
            while true {
                let code = slots[slot]
                if code < 0 {
                    if found.count == distinctCountMax { return nil }
                    slots[slot] = Int32(found.count)
                    codes[index] = Int64(found.count)
                    found.append(value)
                    break
                }
                if found[Int(code)] == value {
                    codes[index] = Int64(code)
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        let sorted = found.indices.sorted { Self.order(found[$0], domain) < Self.order(found[$1], domain) }
        var rank = [Int64](repeating: 0, count: found.count)
        for (position, original) in sorted.enumerated() { rank[original] = Int64(position) }
        for index in codes.indices { codes[index] = rank[Int(codes[index])] }
        values = sorted.map { found[$0] }
        self.codes = codes
    }

    /// Distinct values among an evenly spread sample of at most 1,024; a cheap first look.
    static func sampledShare(_ input: UnsafeBufferPointer<Int64>) -> Double {
        let sampleCount = min(input.count, 1_024)
        if sampleCount == 0 { return 1 }
        var seen = Set<Int64>(minimumCapacity: sampleCount)
        for index in 0..<sampleCount { seen.insert(input[index * input.count / sampleCount]) }
        return Double(seen.count) / Double(sampleCount)
    }
}

extension Int {
    /// The smallest power of two that is not smaller; for 1 and below, 1.
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
