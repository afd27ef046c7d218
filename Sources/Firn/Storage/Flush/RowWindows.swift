// SPDX-License-Identifier: Apache-2.0
//
// Cuts the sorted rows of a chunk into windows, each small enough that its values are scattered within the cache.
//
// Gathering a column in sorted order reads one value from each of thousands of places: every read misses. So a column
// is read in commit order instead, and its values are scattered into the window's buffer, which the cache holds. For
// that, each window lists its rows in commit order, and beside each the place where its value goes.
//
//     places by row ── partition by place / window ── (row, place in the window)…  in commit order within each window
//
// Source: radix partitioning, as in Polychroniou and Ross, "A Comprehensive Study of Main-Memory Partitioning", 2014.

/// The rows of one window.
struct RowWindow {
    /// Row numbers in commit order.
    let rows: UnsafeBufferPointer<UInt32>
    /// The place of each row's value, 0 ..< count.
    let places: UnsafeBufferPointer<UInt32>

    var count: Int { rows.count }

    /// The rows in sorted order.
    func sortedRows(into sorted: UnsafeMutablePointer<UInt32>) {
        for index in 0..<count { sorted[Int(places[index])] = rows[index] }
    }
}

/// All windows of a chunk.
final class RowWindows {
    /// Rows of a window: 16 row groups, 8 MiB of a column of doubles.
    static let defaultRowCount = 16 * SegmentLayout.rowGroupRowsMax
    /// Room between the windows, so that all are not written to the same lines of the cache at the same time.
    private static let gapRowCount = 1_040

    private let rows: UnsafeMutablePointer<UInt32>
    private let places: UnsafeMutablePointer<UInt32>
    let count: Int
    /// Rows of each window but the last.
    private let rowCount: Int
    private let stride: Int
    private let totalRowCount: Int

    /// - Parameters:
    ///   - placesByRow: the place of each row in the chunk, by row number.
    ///   - rowCount: rows of a window, a power of two and whole vectors.
    init(_ list: RowList, placesByRow: UnsafePointer<UInt32>, rowCount: Int = RowWindows.defaultRowCount) {
        precondition(rowCount.nonzeroBitCount == 1 && rowCount >= VectorLayout.valueCount, "windows of whole vectors")
        self.rowCount = rowCount
        stride = rowCount + Self.gapRowCount
        totalRowCount = list.count
        count = (totalRowCount + rowCount - 1) / rowCount
        rows = .allocate(capacity: max(count * stride, 1))
        places = .allocate(capacity: max(count * stride, 1))
        switch list {
        case .all(let count): partition(AllRows(count: count), placesByRow)
        case .some(let list): list.withUnsafeBufferPointer { partition(ListedRows(rows: $0), placesByRow) }
        }
    }

    deinit {
        rows.deallocate()
        places.deallocate()
    }

    subscript(index: Int) -> RowWindow {
        let start = index * stride
        let count = min(rowCount, totalRowCount - index * rowCount)
        return RowWindow(
            rows: UnsafeBufferPointer(start: rows + start, count: count),
            places: UnsafeBufferPointer(start: places + start, count: count))
    }

    @inline(never)
    @_specialize(where Rows == AllRows)
    @_specialize(where Rows == ListedRows)
    private func partition<Rows: RowSequence>(_ list: Rows, _ placesByRow: UnsafePointer<UInt32>) {
        let shift = UInt32(rowCount.trailingZeroBitCount)
        let mask = UInt32(rowCount - 1)
        let next = UnsafeMutablePointer<Int>.allocate(capacity: max(count, 1))
        defer { next.deallocate() }
        for window in 0..<count { next[window] = window * stride }
        for index in 0..<list.count {
            let row = list[index]
            let place = placesByRow[row]
            // Precondition: places are a permutation of 0 ..< count, so each window gets exactly its rows.
            let window = Int(place &>> shift)
            let slot = next[window]
            rows[slot] = UInt32(truncatingIfNeeded: row)
            places[slot] = place & mask
            next[window] = slot &+ 1
        }
    }
}
