// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY's keys as one number a row, where they fit, and as a comparison of columns where they do not.
//
// Each key becomes an unsigned rank whose order is the wanted one (descending and NULLS FIRST/LAST included), minus
// the smallest rank that occurs. If the ranks of all keys fit side by side into 64 bits, as (series, time) or any few
// integers do, rows sort as plain integers. Otherwise the first keys that fit, and at last the first 64 bits of one
// that does not, make a prefix, and ties are compared column by column.
//
//     [rank of key 0, NULL included][rank of key 1]…   most significant first

/// The sort keys of all rows.
struct SortKeys {
    /// Rows with smaller prefixes come first.
    private(set) var prefixes: [UInt64]
    /// Bits of the prefixes that are in use, from the least significant.
    private(set) var prefixBits: Int
    /// True where equal prefixes mean equal keys.
    private(set) var isExact: Bool
    private let comparisons: [KeyComparison]

    /// Bytes that making the keys takes for each row: prefixes, and the ranks of one key.
    static let bytesPerRow = 16

    /// `check` throws once the statement was cancelled.
    init(
        _ columns: [Column], _ keys: [LogicalPlan.SortKey], rowCount: Int, check: () throws(FirnError) -> Void
    ) throws(FirnError) {
        let columns = columns.map(\.comparable)
        prefixes = [UInt64](repeating: 0, count: rowCount)
        prefixBits = 0
        isExact = true
        comparisons = zip(columns, keys).map {
            KeyComparison(column: $0, isDescending: $1.isDescending, nullsFirst: $1.nullsFirst)
        }
        for (column, key) in zip(columns, keys) {
            try check()
            let ranks = KeyRanks(column, isDescending: key.isDescending, nullsFirst: key.nullsFirst)
            let free = 64 - prefixBits
            let taken = min(free, ranks.bits)
            if taken > 0 {
                let dropped = UInt64(ranks.bits - taken)
                for row in 0..<rowCount {
                    // taken is 64 only while the prefix is still empty, and shifting by 64 gives 0.
                    prefixes[row] = (prefixes[row] << UInt64(taken)) | (ranks.ranks[row] >> dropped)
                }
                prefixBits += taken
            }
            if taken < ranks.bits || !ranks.isExact {
                isExact = false
                break
            }
        }
    }

    /// What comparing two rows costs, about, where comparing two numbers costs 1.
    var comparisonCost: Int {
        comparisons.reduce(1) { $0 + $1.column.byteCount / max(1, $1.column.count) / Self.bytesComparedPerUnit }
    }

    /// Bytes of a text that are compared in about the time of one number.
    private static let bytesComparedPerUnit = 64

    /// True where row `left` comes before row `right`; rows alike keep their order.
    func precedes(_ left: UInt32, _ right: UInt32) -> Bool {
        if prefixes[Int(left)] != prefixes[Int(right)] { return prefixes[Int(left)] < prefixes[Int(right)] }
        if !isExact {
            for comparison in comparisons {
                let order = comparison.compare(Int(left), Int(right))
                if order != 0 { return order < 0 }
            }
        }
        return left < right
    }
}

/// The ranks of one key.
private struct KeyRanks {
    /// Of each row, its value's rank from 0.
    var ranks: [UInt64]
    /// Bits that the largest rank needs.
    var bits: Int
    /// False where different values may have one rank.
    var isExact = true

    init(_ column: Column, isDescending: Bool, nullsFirst: Bool) {
        let ordered = Self.orderedValues(column)
        ranks = ordered.values
        isExact = ordered.isExact
        let validity = column.validity
        var smallest = UInt64.max
        var largest = UInt64.min
        var hasValue = false
        for row in ranks.indices where validity == nil || validity![row] {
            smallest = min(smallest, ranks[row])
            largest = max(largest, ranks[row])
            hasValue = true
        }
        if !hasValue {
            ranks = [UInt64](repeating: 0, count: ranks.count)
            bits = 0
            return
        }
        var span = largest - smallest
        // NULL takes the rank below or above all values, where there is room for it.
        let hasNulls = validity != nil
        if hasNulls, span == UInt64.max {
            // No room: the last bit goes, and with it exactness.
            for row in ranks.indices { ranks[row] >>= 1 }
            smallest >>= 1
            largest >>= 1
            span = largest - smallest
            isExact = false
        }
        let shift: UInt64 = hasNulls && nullsFirst ? 1 : 0
        for row in ranks.indices {
            if let validity, !validity[row] {
                ranks[row] = nullsFirst ? 0 : span + 1
            } else {
                ranks[row] = (isDescending ? largest - ranks[row] : ranks[row] - smallest) + shift
            }
        }
        let top = span + (hasNulls ? 1 : 0)
        bits = 64 - top.leadingZeroBitCount
    }

    /// Unsigned numbers in the order of the values; those of NULL rows mean nothing.
    private static func orderedValues(_ column: Column) -> (values: [UInt64], isExact: Bool) {
        let sign: UInt64 = 1 << 63
        switch column.values {
        case .boolean(let values): return (values.map { $0 ? 1 : 0 }, true)
        case .integer(let values): return (values.map { UInt64(bitPattern: $0) ^ sign }, true)
        case .float(let values): return (values.map { KeyLayout.orderedBits(Double($0)) }, true)
        case .double(let values): return (values.map { KeyLayout.orderedBits($0) }, true)
        case .decimal(let values):
            if case .uniform = values.scales, values.coefficients.allSatisfy({ Int64(exactly: $0) != nil }) {
                return (values.coefficients.map { UInt64(bitPattern: Int64($0)) ^ sign }, true)
            }
            // The nearest double keeps the order, though not all differences.
            return (
                (0..<values.count).map { KeyLayout.orderedBits(values[$0].double) }, false
            )
        case .dictionary(let codes, let dictionary):
            var ranks = [UInt64](repeating: 0, count: dictionary.count)
            if dictionary.isSorted {
                for code in ranks.indices { ranks[code] = UInt64(code) }
            } else {
                let values = dictionary.values
                let sorted = values.withUnsafeValues { bytes, offsets in
                    (0..<dictionary.count).sorted { left, right in
                        compareBytes(
                            bytes + offsets[left], offsets[left + 1] - offsets[left], bytes + offsets[right],
                            offsets[right + 1] - offsets[right]) < 0
                    }
                }
                for (rank, code) in sorted.enumerated() { ranks[code] = UInt64(rank) }
            }
            return (codes.map { Int($0) < ranks.count ? ranks[Int($0)] : 0 }, true)
        case .bytes(let values): return ((0..<values.count).map { prefix(of: values[$0]) }, false)
        case .uuid(let values): return (values.map { UInt64(truncatingIfNeeded: $0 >> 64) }, false)
        case .interval(let values):
            let lengths = values.map(\.comparisonMicroseconds)
            if lengths.allSatisfy({ Int64(exactly: $0) != nil }) {
                return (lengths.map { UInt64(bitPattern: Int64($0)) ^ sign }, true)
            }
            return (lengths.map { UInt64(truncatingIfNeeded: $0 >> 32) ^ sign }, false)
        case .vector: return ([UInt64](repeating: 0, count: column.count), false)
        }
    }

    /// The first eight bytes, most significant first.
    private static func prefix(of bytes: ArraySlice<UInt8>) -> UInt64 {
        var prefix: UInt64 = 0
        for byte in bytes.prefix(8) { prefix = prefix << 8 | UInt64(byte) }
        let missing = 8 - min(8, bytes.count)
        return missing == 8 ? 0 : prefix << UInt64(missing * 8)
    }
}

/// Compares rows of one column as ORDER BY does.
struct KeyComparison {
    let column: Column
    let isDescending: Bool
    let nullsFirst: Bool

    /// Negative where the left row comes first, 0 where neither does.
    func compare(_ left: Int, _ right: Int) -> Int {
        let leftIsNull = column.isNull(left)
        let rightIsNull = column.isNull(right)
        if leftIsNull || rightIsNull {
            if leftIsNull && rightIsNull { return 0 }
            return leftIsNull == nullsFirst ? -1 : 1
        }
        let order = column.order(left, right)
        return isDescending ? -order : order
    }
}

extension Column {
    /// Negative, 0 or positive: the order of two rows, neither NULL.
    fileprivate func order(_ left: Int, _ right: Int) -> Int {
        func order<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left == right ? 0 : 1 }
        func order(of bytes: BytesValues, _ left: Int, _ right: Int) -> Int {
            bytes.withUnsafeValues { bytes, offsets in
                compareBytes(
                    bytes + offsets[left], offsets[left + 1] - offsets[left], bytes + offsets[right],
                    offsets[right + 1] - offsets[right])
            }
        }
        switch values {
        case .boolean(let values): return order(values[left] ? 1 : 0, values[right] ? 1 : 0)
        case .integer(let values): return order(values[left], values[right])
        case .float(let values):
            return order(KeyLayout.orderedBits(Double(values[left])), KeyLayout.orderedBits(Double(values[right])))
        case .double(let values):
            return order(KeyLayout.orderedBits(values[left]), KeyLayout.orderedBits(values[right]))
        case .decimal(let values): return order(values[left], values[right])
        case .bytes(let values): return order(of: values, left, right)
        case .dictionary(let codes, let dictionary):
            return order(of: dictionary.values, Int(codes[left]), Int(codes[right]))
        case .uuid(let values): return order(values[left], values[right])
        case .interval(let values):
            return order(values[left].comparisonMicroseconds, values[right].comparisonMicroseconds)
        case .vector(let values, let dimensions):
            for index in 0..<dimensions {
                let order = order(
                    KeyLayout.orderedBits(Double(values[left * dimensions + index])),
                    KeyLayout.orderedBits(Double(values[right * dimensions + index])))
                if order != 0 { return order }
            }
            return 0
        }
    }
}
