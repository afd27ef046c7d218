// SPDX-License-Identifier: Apache-2.0
//
// SQL's three-valued logic on whole blocks: for each row true, false or unknown (NULL), as two bitmaps.
//
// Invariant: a row is never in both bitmaps. 64 rows are combined by one machine operation.

/// The outcome of a boolean expression for each row.
struct Truth: Sendable {
    /// Bit i is 1 where row i is true.
    var isTrue: Bitmap
    /// Bit i is 1 where row i is NULL; nil where no row is.
    var isUnknown: Bitmap?

    var count: Int { isTrue.count }

    init(isTrue: Bitmap, isUnknown: Bitmap? = nil) {
        self.isTrue = isTrue
        self.isUnknown = isUnknown
    }

    /// One outcome for all rows; nil is unknown.
    init(_ outcome: Bool?, count: Int) {
        isTrue = Bitmap(repeating: outcome == true, count: count)
        isUnknown = outcome == nil ? Bitmap(repeating: true, count: count) : nil
    }

    /// Outcomes that count only where `validity` is 1; elsewhere the row is unknown.
    init(_ outcomes: Bitmap, validity: Bitmap?) {
        guard let validity else {
            self.init(isTrue: outcomes)
            return
        }
        self.init(isTrue: outcomes & validity, isUnknown: ~validity)
    }

    init(_ vector: Vector, count: Int) {
        switch vector {
        case .constant(.boolean(let value), _): self.init(value, count: count)
        case .constant: self.init(nil, count: count)
        case .column(let column):
            guard case .boolean(let values) = column.values else {
                preconditionFailure("a condition is boolean, not \(column.type)")
            }
            self.init(packedBits(values), validity: column.validity)
        }
    }

    /// As a BOOLEAN column.
    var column: Column {
        Column(type: .boolean, values: .boolean(isTrue.unpacked), validity: isUnknown.map { ~$0 })
    }

    /// Rows that are true or unknown.
    var isNotFalse: Bitmap { isUnknown.map { isTrue | $0 } ?? isTrue }

    static prefix func ! (truth: Truth) -> Truth {
        Truth(isTrue: ~truth.isNotFalse, isUnknown: truth.isUnknown)
    }

    static func && (left: Truth, right: Truth) -> Truth {
        let isTrue = left.isTrue & right.isTrue
        guard left.isUnknown != nil || right.isUnknown != nil else { return Truth(isTrue: isTrue) }
        return Truth(isTrue: isTrue, isUnknown: left.isNotFalse & right.isNotFalse & ~isTrue)
    }

    static func || (left: Truth, right: Truth) -> Truth {
        let isTrue = left.isTrue | right.isTrue
        let isUnknown: Bitmap? =
            switch (left.isUnknown, right.isUnknown) {
            case (nil, nil): nil
            case (let unknown?, nil), (nil, let unknown?): unknown & ~isTrue
            case (let left?, let right?): (left | right) & ~isTrue
            }
        return Truth(isTrue: isTrue, isUnknown: isUnknown)
    }

    /// The outcomes of a subset of rows put back among `count` rows; the others are false.
    func scattered(to rows: [Int32], count: Int) -> Truth {
        Truth(
            isTrue: isTrue.scattered(to: rows, count: count),
            isUnknown: isUnknown.map { $0.scattered(to: rows, count: count) })
    }
}

extension Bitmap {
    /// Bit i of this bitmap becomes bit `rows[i]` of one of `count` bits, all others 0.
    func scattered(to rows: [Int32], count: Int) -> Bitmap {
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for (index, row) in rows.enumerated() where self[index] {
            words[Int(row) >> 6] |= 1 << UInt64(row & 63)
        }
        return Bitmap(words: words, count: count)
    }

    /// A Bool for each bit.
    var unpacked: [Bool] {
        [Bool](unsafeUninitializedCapacity: count) { target, initialized in
            words.withUnsafeBufferPointer { words in
                // In bounds: bit `row` lies in word row / 64, and there are count / 64 words, rounded up.
                for row in 0..<count {
                    (target.baseAddress! + row).initialize(to: words[row >> 6] &>> UInt64(row & 63) & 1 != 0)
                }
            }
            initialized = count
        }
    }
}

/// A bit for each Bool.
func packedBits(_ values: [Bool]) -> Bitmap {
    values.withUnsafeBufferPointer { values in
        bitmap(count: values.count) { values[$0] }
    }
}

/// Bit i is the test of row i. The test is inlined: 64 rows are gathered in a register before one store.
@inline(__always)
func bitmap(count: Int, _ test: (Int) -> Bool) -> Bitmap {
    let words = [UInt64](unsafeUninitializedCapacity: (count + 63) / 64) { target, initialized in
        let whole = count >> 6
        // In bounds: `whole` words of 64 rows, then one for the rest.
        for index in 0..<whole {
            let base = index &* 64
            var word: UInt64 = 0
            for bit in 0..<64 { word |= UInt64(unsafeBitCast(test(base &+ bit), to: UInt8.self)) &<< UInt64(bit) }
            (target.baseAddress! + index).initialize(to: word)
        }
        if count & 63 != 0 {
            var word: UInt64 = 0
            for row in whole &* 64..<count {
                word |= UInt64(unsafeBitCast(test(row), to: UInt8.self)) &<< UInt64(row & 63)
            }
            (target.baseAddress! + whole).initialize(to: word)
        }
        initialized = (count + 63) / 64
    }
    return Bitmap(words: words, count: count)
}
