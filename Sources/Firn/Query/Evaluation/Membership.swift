// SPDX-License-Identifier: Apache-2.0
//
// IN a list of constants: compared one by one while the list is short, looked up in a set where it is long.

enum Membership {
    /// From so many constants on a set is faster than comparing whole blocks with each.
    private static let setCountMin = 16

    /// True where the operand is among the values; unknown where it is not and the list holds NULL, and for NULL.
    static func evaluate(
        _ operand: Vector, in values: [Value], hasNull: Bool, count: Int, _ context: EvaluationContext
    ) -> Truth {
        if operand.type == .jsonb {
            return evaluate(
                operand.comparable, in: values.map { $0.comparable(.jsonb) }, hasNull: hasNull, count: count, context)
        }
        let outcome: Truth
        switch operand {
        case .constant(.null, _): return Truth(nil, count: count)
        case .constant(let value, _):
            outcome = Truth(values.contains { ValueOrder.compare($0, value) == 0 }, count: count)
        case .column(let column):
            outcome = Truth(matches(column, values, context), validity: column.validity)
        }
        // What is not found among the others may still equal the NULL.
        return hasNull ? outcome || Truth(nil, count: count) : outcome
    }

    private static func matches(_ column: Column, _ values: [Value], _ context: EvaluationContext) -> Bitmap {
        if let (codes, dictionary) = column.dictionaryValues {
            let operation = DictionaryResultCache.Operation(
                name: "IN", resultType: .boolean, constants: values, position: 0)
            let cache = context.dictionaryResults
            let known = cache.result(of: operation, for: dictionary)
            let result =
                known
                ?? {
                    let entries = Column(type: column.type, values: .bytes(dictionary.values))
                    let outcomes = matches(entries, values, context).unpacked
                    return cache.keep(.init(column: .booleans(outcomes)), of: operation, for: dictionary)
                }()
            return lookUp(result.column.booleanValues!, codes)
        }
        if values.count >= setCountMin { return found(column, values) }
        var found = Bitmap(repeating: false, count: column.count)
        let plain = Vector.column(column.with(validity: nil))
        for value in values {
            found =
                found
                | Comparison.equal.evaluate(plain, .constant(value, column.type), count: column.count, context).isTrue
        }
        return found
    }

    /// The rows of a column whose values are in a set of these.
    private static func found(_ column: Column, _ values: [Value]) -> Bitmap {
        let wanted = Column(values, type: column.type)
        switch (column.values, wanted.values) {
        case (.integer(let integers), .integer(let wanted)):
            return found(integers, among: wanted) { UInt64(bitPattern: $0) }
        case (.double(let doubles), .double(let wanted)):
            return found(doubles, among: wanted) { KeyHash.canonicalBits($0) }
        case (.float(let floats), .float(let wanted)):
            return found(floats, among: wanted) { KeyHash.canonicalBits(Double($0)) }
        default:
            // Few rows have a hash of the set without being in it, so that few are looked at as values.
            var rows = found(hashes(of: column), among: hashes(of: wanted)) { $0 }
            let members = Set(values.map { KeyHash.canonical($0) })
            for row in rows.setIndices where !members.contains(KeyHash.canonical(column[Int(row)])) {
                rows[Int(row)] = false
            }
            return rows
        }
    }

    private static func hashes(of column: Column) -> [UInt64] {
        var hashes = [UInt64](repeating: 0, count: column.count)
        KeyHash.mix(column, into: &hashes, seed: 0)
        return hashes
    }

    /// The rows whose words are among those of the wanted elements.
    @inline(__always)
    private static func found<Element>(
        _ elements: [Element], among wanted: [Element], _ word: (Element) -> UInt64
    ) -> Bitmap {
        let set = WordSet(wanted.map(word))
        return elements.withUnsafeBufferPointer { elements in
            set.holding(count: elements.count) { word(elements[$0]) }
        }
    }
}

/// Words of 64 bits that are looked up block by block: open addressing, linear probing, at most a quarter full.
private struct WordSet {
    /// Nought marks an empty slot.
    private let slots: [UInt64]
    private let holdsNought: Bool
    /// Highest bits of a product, as many as number the slots (Fibonacci hashing: Knuth, TAOCP 3, 6.4).
    private let shift: UInt64

    private static let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ words: [UInt64]) {
        let bitCount = BitPacking.width(of: UInt64(words.count)) + 2
        let shift = UInt64(64 - bitCount)
        var slots = [UInt64](repeating: 0, count: 1 << bitCount)
        for word in words where word != 0 {
            var slot = Int(truncatingIfNeeded: (word &* Self.multiplier) &>> shift)
            while slots[slot] != 0, slots[slot] != word { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = word
        }
        self.slots = slots
        self.shift = shift
        holdsNought = words.contains(0)
    }

    /// Bit i is 1 where the set holds word i.
    @inline(__always)
    func holding(count: Int, _ word: (Int) -> UInt64) -> Bitmap {
        let holdsNought = holdsNought
        let shift = shift
        return slots.withUnsafeBufferPointer { slots in
            bitmap(count: count) { row in
                let word = word(row)
                if word == 0 { return holdsNought }
                var slot = Int(truncatingIfNeeded: (word &* Self.multiplier) &>> shift)
                // Ends: three quarters of the slots are empty.
                while slots[slot] != 0 {
                    if slots[slot] == word { return true }
                    slot = (slot &+ 1) & (slots.count &- 1)
                }
                return false
            }
        }
    }
}
