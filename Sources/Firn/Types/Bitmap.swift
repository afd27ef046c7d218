// SPDX-License-Identifier: Apache-2.0
//
// A bit for each row, packed into 64-bit words: the validity of a column (1 = not NULL) or the outcome of
// a predicate (1 = the row passes).
//
// Invariant: bits at and beyond `count` in the last word are 0, so that words can be counted and compared.

import CKernels

/// A packed, growable sequence of bits. Bit i lies in word i / 64 at bit i % 64.
public struct Bitmap: Sendable, Hashable {
    /// The packed bits; bits beyond `count` are 0.
    private(set) var words: [UInt64]
    /// Number of bits.
    public private(set) var count: Int

    /// A bitmap with all bits alike.
    ///
    /// - Throws: 22023 for a negative count, 54000 for one that no memory holds.
    public init(repeating value: Bool, count: some BinaryInteger) throws(FirnError) {
        self.init(repeating: value, count: try Bitmap.checked(count, beyond: 0))
    }

    /// Like the public one, for callers in the engine, whose count is one of rows.
    init(repeating value: Bool, count: Int) {
        words = [UInt64](repeating: value ? ~0 : 0, count: (count + 63) / 64)
        self.count = count
        clearTail()
    }

    /// An empty bitmap.
    public init() {
        words = []
        count = 0
    }

    /// Takes words as they are; bits beyond `count` are cleared.
    init(words: [UInt64], count: Int) {
        precondition(words.count == (count + 63) / 64, "a bitmap holds exactly the words that its bits need")
        self.words = words
        self.count = count
        clearTail()
    }

    /// A bit for each element.
    public init(_ bits: some Collection<Bool>) {
        self.init(repeating: false, count: bits.count)
        var index = 0
        for bit in bits {
            if bit { words[index >> 6] |= 1 << UInt64(index & 63) }
            index += 1
        }
    }

    /// One bit; the index must be below `count`, as with an array.
    public subscript(index: Int) -> Bool {
        get {
            // Within the last word a bit behind the end would be a 0.
            precondition(index < count, "bit index within the bitmap")
            return words[index >> 6] >> UInt64(index & 63) & 1 != 0
        }
        set {
            precondition(index >= 0 && index < count, "bit index within the bitmap")
            let mask: UInt64 = 1 << UInt64(index & 63)
            if newValue { words[index >> 6] |= mask } else { words[index >> 6] &= ~mask }
        }
    }

    /// Number of bits that are 1. O(words).
    public var setCount: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
    /// True when every bit is 1. O(words).
    public var isAllSet: Bool { setCount == count }
    /// True when no bit is 1. O(words).
    public var isAllClear: Bool { words.allSatisfy { $0 == 0 } }

    /// Adds one bit at the end. Amortised O(1).
    public mutating func append(_ bit: Bool) {
        if count & 63 == 0 { words.append(0) }
        if bit { words[count >> 6] |= 1 << UInt64(count & 63) }
        count += 1
    }

    /// Most bits of a bitmap: one for each row, and no batch has as many.
    private static let countMax = 1 << 40

    private static func checked(_ count: some BinaryInteger, beyond present: Int) throws(FirnError) -> Int {
        guard count >= 0 else {
            throw FirnError(.invalidParameterValue, "a bitmap cannot have \(count) bits more")
        }
        guard let count = Int(exactly: count), count <= countMax - present else {
            throw FirnError(.programLimitExceeded, "a bitmap holds at most \(countMax) bits")
        }
        return count
    }

    /// Adds the same bit several times.
    ///
    /// - Throws: 22023 for a negative count, 54000 for one that no memory holds.
    public mutating func append(repeating bit: Bool, count added: some BinaryInteger) throws(FirnError) {
        append(repeating: bit, count: try Bitmap.checked(added, beyond: count))
    }

    /// Like the public one, for callers in the engine.
    mutating func append(repeating bit: Bool, count added: Int) {
        let start = count
        count += added
        words.append(contentsOf: repeatElement(0, count: (count + 63) / 64 - words.count))
        guard bit else { return }
        var index = start
        while index < count {
            if index & 63 == 0, count - index >= 64 {
                words[index >> 6] = ~0
                index += 64
            } else {
                words[index >> 6] |= 1 << UInt64(index & 63)
                index += 1
            }
        }
    }

    /// Adds all bits of another bitmap. O(words).
    public mutating func append(_ other: Bitmap) {
        let shift = UInt64(count & 63)
        if shift == 0 {
            words.append(contentsOf: other.words)
        } else {
            for word in other.words {
                words[words.count - 1] |= word << shift
                words.append(word >> (64 - shift))
            }
        }
        count += other.count
        let needed = (count + 63) / 64
        if words.count > needed { words.removeLast(words.count - needed) }
    }

    /// The bits of a range, as a bitmap of their own. O(words of the range).
    func slice(_ range: Range<Int>) -> Bitmap {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "bit range within the bitmap")
        let shift = UInt64(range.lowerBound & 63)
        let first = range.lowerBound >> 6
        let wordCount = (range.count + 63) / 64
        var result = [UInt64](repeating: 0, count: wordCount)
        for index in 0..<wordCount {
            var word = words[first + index] >> shift
            if shift != 0, first + index + 1 < words.count { word |= words[first + index + 1] << (64 - shift) }
            result[index] = word
        }
        return Bitmap(words: result, count: range.count)
    }

    /// The bits at the given rows, in their order.
    func gather(_ rows: [Int32]) -> Bitmap {
        var result = Bitmap(repeating: false, count: rows.count)
        for (index, row) in rows.enumerated() where self[Int(row)] {
            result.words[index >> 6] |= 1 << UInt64(index & 63)
        }
        return result
    }

    /// Bitwise AND of two bitmaps of one length.
    static func & (left: Bitmap, right: Bitmap) -> Bitmap {
        precondition(left.count == right.count, "bitmaps of one length")
        return Bitmap(words: zip(left.words, right.words).map { $0 & $1 }, count: left.count)
    }

    /// Bitwise OR of two bitmaps of one length.
    static func | (left: Bitmap, right: Bitmap) -> Bitmap {
        precondition(left.count == right.count, "bitmaps of one length")
        return Bitmap(words: zip(left.words, right.words).map { $0 | $1 }, count: left.count)
    }

    /// Every bit turned over.
    static prefix func ~ (bitmap: Bitmap) -> Bitmap {
        Bitmap(words: bitmap.words.map { ~$0 }, count: bitmap.count)
    }

    /// The indices of the bits that are 1, ascending.
    var setIndices: [Int32] {
        let ones = setCount
        // The kernel may write up to 16 indices behind the last one.
        return [Int32](unsafeUninitializedCapacity: ones + 16) { target, initialized in
            initialized = target.withMemoryRebound(to: UInt32.self) { firn_select(words, count, 0, $0.baseAddress!) }
        }
    }

    private mutating func clearTail() {
        if count & 63 != 0 { words[words.count - 1] &= (1 << UInt64(count & 63)) - 1 }
    }
}
