// SPDX-License-Identifier: Apache-2.0
//
// Which values of a column chunk are there, and which are null; also how booleans lie in memory.
//
// Bit i%64 of word i/64 belongs to value i; 1 means valid (or true).

/// A bitmap that somebody else owns: one bit a value, 1 for valid.
struct BitmapView: @unchecked Sendable {
    // Sendable: a view never writes, and its owner outlives the call that it is lent to.

    /// Valid for `(count + 63) / 64` words; bits at and past `count` are ignored.
    let words: UnsafePointer<UInt64>
    let count: Int

    @inline(__always)
    init(words: UnsafePointer<UInt64>, count: Int) {
        self.words = words
        self.count = count
    }

    @inline(__always)
    subscript(index: Int) -> Bool { (words[index &>> 6] &>> UInt64(index & 63)) & 1 == 1 }

    static func wordCount(forBits bitCount: Int) -> Int { (bitCount + 63) / 64 }

    /// Word `index` with the bits at and past `count` cleared.
    @inline(__always)
    func word(_ index: Int) -> UInt64 {
        let rest = count &- index &* 64
        return rest >= 64 ? words[index] : words[index] & ((1 &<< UInt64(rest)) &- 1)
    }

    /// Number of ones among the first `count` bits of `range`.
    func onesCount(in range: Range<Int>) -> Int {
        var ones = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let offset = index & 63
            let taken = min(64 - offset, range.upperBound - index)
            let mask: UInt64 = taken == 64 ? .max : (1 << UInt64(taken)) - 1
            ones += ((words[index >> 6] >> UInt64(offset)) & mask).nonzeroBitCount
            index += taken
        }
        return ones
    }
}

/// The validity of a loaded page.
enum Validity: Sendable {
    case allValid
    case allNull
    /// One bit a value, 1 for valid, over the whole page; spare bits are zero.
    case bitmap([UInt64])
}
