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
    /// More distinct values than this are not kept in the second-level cache while a page is decoded.
    static let distinctCountMax = 32_768

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

    /// The bits whose key this is: the mapping is its own inverse.
    private static func value(_ key: Int64, _ domain: NumberDomain) -> Int64 {
        switch domain {
        case .integer, .double: order(key, domain)
        case .float: Int64(UInt32(truncatingIfNeeded: order(key, domain)))
        }
    }

    /// nil when there are more than `distinctCountMax` distinct values, or `isWorthwhile` rejects their number.
    init?(
        _ input: UnsafeBufferPointer<Int64>, distinctCountMax: Int, _ domain: NumberDomain,
        isWorthwhile: (_ distinctCount: Int) -> Bool
    ) {
        var table = ValueTable(distinctCountMax: distinctCountMax)
        var codes = [Int64](unsafeUninitializedCapacity: input.count) { codes, count in
            while count < input.count {
                let code = table.code(of: input[count])
                if code < 0 { return }
                codes[count] = Int64(code)
                count += 1
            }
        }
        guard codes.count == input.count, isWorthwhile(table.count) else { return nil }
        var keys = (0..<table.count).map { Self.order(table.value($0), domain) }
        keys.sort()
        let sorted = keys.map { Self.value($0, domain) }
        var rank = [Int64](repeating: 0, count: sorted.count)
        for (position, value) in sorted.enumerated() { rank[table.code(of: value)] = Int64(position) }
        codes.withUnsafeMutableBufferPointer { codes in
            rank.withUnsafeBufferPointer { rank in
                for index in codes.indices { codes[index] = rank[Int(codes[index])] }
            }
        }
        values = sorted
        self.codes = codes
    }

    /// Distinct values among an evenly spread sample of at most 1,024; a cheap first look.
    static func sampledShare(_ input: UnsafeBufferPointer<Int64>) -> Double {
        let sampleCount = min(input.count, 1_024)
        if sampleCount == 0 { return 1 }
        var table = ValueTable(distinctCountMax: sampleCount)
        for index in 0..<sampleCount { _ = table.code(of: input[index * input.count / sampleCount]) }
        return Double(table.count) / Double(sampleCount)
    }
}

/// Numbers distinct values in the order in which they come: open addressing, at most half full.
private struct ValueTable: ~Copyable {
    private let mask: Int
    /// Leaves as many top bits of a hash as the mask has.
    private let shift: UInt64
    private let distinctCountMax: Int
    /// A slot holds a code, or -1.
    private let slots: UnsafeMutablePointer<Int32>
    private let values: UnsafeMutablePointer<Int64>
    private(set) var count = 0

    init(distinctCountMax: Int) {
        self.distinctCountMax = distinctCountMax
        let slotCount = Swift.max(64, (distinctCountMax * 2).nextPowerOfTwo)
        mask = slotCount - 1
        shift = UInt64(slotCount.leadingZeroBitCount + 1)
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: -1, count: slotCount)
        values = .allocate(capacity: Swift.max(distinctCountMax, 1))
    }

    deinit {
        slots.deallocate()
        values.deallocate()
    }

    func value(_ code: Int) -> Int64 { values[code] }

    /// The code of `value`, a new one where it has none; -1 when there is no room for that.
    @inline(__always)
    mutating func code(of value: Int64) -> Int {
        // Precondition: mask covers the slots, of which at least half are empty, so the search ends.
        // Whole doubles have only high bits and small integers only low ones: fold, then take the top bits.
        let bits = UInt64(bitPattern: value)
        var slot = Int(truncatingIfNeeded: ((bits ^ (bits &>> 32)) &* 0x9E37_79B9_7F4A_7C15) &>> shift)
        while true {
            let code = Int(slots[slot])
            if code < 0 {
                if count == distinctCountMax { return -1 }
                slots[slot] = Int32(truncatingIfNeeded: count)
                values[count] = value
                count &+= 1
                return count &- 1
            }
            if values[code] == value { return code }
            slot = (slot &+ 1) & mask
        }
    }
}

extension Int {
    /// The smallest power of two that is not smaller; for 1 and below, 1.
    var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
