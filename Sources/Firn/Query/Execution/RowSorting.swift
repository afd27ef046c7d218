// SPDX-License-Identifier: Apache-2.0
//
// Sorts row numbers by their keys, stably: by radix where the keys are exact numbers, by comparison where not.

/// Row numbers in the order of their keys.
enum RowSorting {
    /// Below this many rows the passes of a radix sort cost more than comparisons.
    static let radixRowsMin = 256

    /// All rows, or the first `rowsMax` of them, in order.
    static func sortedRows(_ keys: SortKeys, rowCount: Int, rowsMax: Int? = nil) -> [UInt32] {
        precondition(rowCount < Int(UInt32.max), "row numbers have 32 bits")
        let rows: [UInt32]
        if keys.isExact, isAscending(keys.prefixes) {
            rows = (0..<UInt32(rowCount)).map { $0 }
        } else if rowCount < radixRowsMin {
            rows = (0..<UInt32(rowCount)).sorted { keys.precedes($0, $1) }
        } else {
            rows = radixSorted(keys, rowCount: rowCount)
        }
        guard let rowsMax, rowsMax < rows.count else { return rows }
        return Array(rows[..<rowsMax])
    }

    private static func isAscending(_ prefixes: [UInt64]) -> Bool {
        prefixes.withUnsafeBufferPointer { prefixes in
            for row in 1..<max(1, prefixes.count) where prefixes[row] < prefixes[row - 1] { return false }
            return true
        }
    }

    private struct Entry: BitwiseCopyable {
        var prefix: UInt64
        var row: UInt32
    }

    /// Least significant digit first, 11 bits a pass: stable; a pass whose digit is the same in all rows is skipped.
    private static func radixSorted(_ keys: SortKeys, rowCount: Int) -> [UInt32] {
        var entries = keys.prefixes.enumerated().map { Entry(prefix: $1, row: UInt32(truncatingIfNeeded: $0)) }
        var other = entries
        let digitBits = 11
        let digitCount = 1 << digitBits
        var counts = [Int](repeating: 0, count: digitCount)
        var shift: UInt64 = 0
        while shift < UInt64(keys.prefixBits) {
            for digit in 0..<digitCount { counts[digit] = 0 }
            entries.withUnsafeBufferPointer { source in
                counts.withUnsafeMutableBufferPointer { counts in
                    for entry in source {
                        counts[Int(truncatingIfNeeded: entry.prefix >> shift) & (digitCount - 1)] += 1
                    }
                }
            }
            if !counts.contains(rowCount) {
                var position = 0
                for digit in 0..<digitCount {
                    let count = counts[digit]
                    counts[digit] = position
                    position += count
                }
                entries.withUnsafeBufferPointer { source in
                    other.withUnsafeMutableBufferPointer { target in
                        counts.withUnsafeMutableBufferPointer { counts in
                            // Precondition: the counts are those of this pass, so that each position lies in `target`.
                            for entry in source {
                                let digit = Int(truncatingIfNeeded: entry.prefix >> shift) & (digitCount - 1)
                                target[counts[digit]] = entry
                                counts[digit] += 1
                            }
                        }
                    }
                }
                swap(&entries, &other)
            }
            shift += UInt64(digitBits)
        }
        if !keys.isExact { sortTies(&entries, keys) }
        return entries.map(\.row)
    }

    /// Sorts stretches of equal prefixes by comparison.
    private static func sortTies(_ entries: inout [Entry], _ keys: SortKeys) {
        var start = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].prefix == entries[start].prefix { end += 1 }
            if end - start > 1 { entries[start..<end].sort { keys.precedes($0.row, $1.row) } }
            start = end
        }
    }
}
