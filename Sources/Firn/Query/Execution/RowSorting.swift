// SPDX-License-Identifier: Apache-2.0
//
// Sorts row numbers by their keys, stably: by radix where the keys are exact numbers, by comparison where not.

/// Row numbers in the order of their keys.
enum RowSorting {
    /// Below this many rows the passes of a radix sort cost more than comparisons.
    static let radixRowsMin = 256

    /// Bytes that sorting takes for each row beside its keys: two arrays of entries, and the row numbers.
    static let bytesPerRow = 2 * MemoryLayout<Entry>.stride + 4

    /// Entries, or comparisons, between two questions whether the statement was cancelled.
    private static let checkInterval = 1 << 18

    /// All rows, or the first `rowsMax` of them, in order. `check` throws once the statement was cancelled.
    static func sortedRows(
        _ keys: SortKeys, rowCount: Int, rowsMax: Int? = nil, check: () throws(FirnError) -> Void
    ) throws(FirnError) -> [UInt32] {
        precondition(rowCount < Int(UInt32.max), "row numbers have 32 bits")
        let rows: [UInt32]
        if keys.isExact, isAscending(keys.prefixes) {
            rows = (0..<UInt32(rowCount)).map { $0 }
        } else if rowCount < radixRowsMin {
            rows = (0..<UInt32(rowCount)).sorted { keys.precedes($0, $1) }
        } else {
            rows = try radixSorted(keys, rowCount: rowCount, check)
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
    private static func radixSorted(
        _ keys: SortKeys, rowCount: Int, _ check: () throws(FirnError) -> Void
    ) throws(FirnError) -> [UInt32] {
        var entries = keys.prefixes.enumerated().map { Entry(prefix: $1, row: UInt32(truncatingIfNeeded: $0)) }
        var other = entries
        let digitBits = 11
        let digitCount = 1 << digitBits
        var counts = [Int](repeating: 0, count: digitCount)
        var shift: UInt64 = 0
        while shift < UInt64(keys.prefixBits) {
            for digit in 0..<digitCount { counts[digit] = 0 }
            for block in blocks(of: rowCount) {
                try check()
                entries.withUnsafeBufferPointer { source in
                    counts.withUnsafeMutableBufferPointer { counts in
                        for entry in source[block] {
                            counts[Int(truncatingIfNeeded: entry.prefix >> shift) & (digitCount - 1)] += 1
                        }
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
                for block in blocks(of: rowCount) {
                    try check()
                    entries.withUnsafeBufferPointer { source in
                        other.withUnsafeMutableBufferPointer { target in
                            counts.withUnsafeMutableBufferPointer { counts in
                                // Precondition: the counts are those of this pass: each position lies in `target`.
                                for entry in source[block] {
                                    let digit = Int(truncatingIfNeeded: entry.prefix >> shift) & (digitCount - 1)
                                    target[counts[digit]] = entry
                                    counts[digit] += 1
                                }
                            }
                        }
                    }
                }
                swap(&entries, &other)
            }
            shift += UInt64(digitBits)
        }
        if !keys.isExact {
            // The other half of the room is no longer needed, and sorting by comparison takes as much.
            other = []
            try sortTies(&entries, keys, check)
        }
        return entries.map(\.row)
    }

    /// Stretches of entries between two checks.
    private static func blocks(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: checkInterval).map { $0..<min($0 + checkInterval, count) }
    }

    /// Sorts stretches of equal prefixes by comparison.
    private static func sortTies(
        _ entries: inout [Entry], _ keys: SortKeys, _ check: () throws(FirnError) -> Void
    ) throws(FirnError) {
        let cost = keys.comparisonCost
        var start = 0
        var sortedCount = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].prefix == entries[start].prefix { end += 1 }
            sortedCount += (end - start) * cost
            if sortedCount >= checkInterval {
                try check()
                sortedCount = 0
            }
            if end - start > 1 { try sort(&entries, start..<end, keys, check) }
            start = end
        }
    }

    /// Sorts by comparison, and asks now and then whether it still shall.
    private static func sort(
        _ entries: inout [Entry], _ range: Range<Int>, _ keys: SortKeys, _ check: () throws(FirnError) -> Void
    ) throws(FirnError) {
        let cost = keys.comparisonCost
        if range.count < checkInterval / 16 / cost {
            entries[range].sort { keys.precedes($0.row, $1.row) }
            return
        }
        var spent = 0
        do {
            try entries[range].sort {
                spent += cost
                if spent >= checkInterval {
                    spent = 0
                    try check()
                }
                return keys.precedes($0.row, $1.row)
            }
        } catch let error as FirnError {
            throw error
        } catch {
            preconditionFailure("only the check throws: \(error)")
        }
    }
}
