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
// Rows of few series are written to few places at a time, whose lines the cache holds however large the buffer is. Their
// windows are larger, and where one window holds all rows of the flush, there is nothing to partition.
//
// Source: radix partitioning, as in Polychroniou and Ross, "A Comprehensive Study of Main-Memory Partitioning", 2014.

/// The rows of one window.
struct RowWindow {
    /// Row numbers in commit order.
    let rows: WindowRows
    /// The place of each row's value, 0 ..< count.
    let places: UnsafeBufferPointer<UInt32>
    /// The place of the window's first row in the chunk.
    let firstPlace: Int

    var count: Int { places.count }

    /// The rows in sorted order.
    func sortedRows(into sorted: UnsafeMutablePointer<UInt32>) {
        switch rows {
        case .all: for index in 0..<count { sorted[Int(places[index])] = UInt32(index) }
        case .listed(let rows): for index in 0..<count { sorted[Int(places[index])] = UInt32(rows[index]) }
        }
    }
}

enum WindowRows {
    /// Those of the whole flush.
    case all(AllRows)
    case listed(ListedRows)
}

/// All windows of a chunk; good until the memory is used for those of the next.
final class RowWindows {
    /// Rows of a window: 16 row groups, 8 MiB of a column of doubles.
    static let defaultRowCount = 16 * SegmentLayout.rowGroupRowsMax
    /// Windows of rows that are written to few places at a time are this many times larger.
    private static let growth = 4
    /// At most so many places are few: as many lines are a quarter of a small second cache.
    private static let placeCountMax = 2_048
    /// Room between the windows, so that all are not written to the same lines of the cache at the same time.
    private static let gapRowCount = 1_040

    /// The lists of rows and of places, the memory's; nil where one window holds all rows.
    private let lists: (rows: UnsafeMutablePointer<UInt32>, places: UnsafeMutablePointer<UInt32>)?
    private let placesByRow: UnsafePointer<UInt32>
    let count: Int
    /// Rows of each window but the last.
    private let rowCount: Int
    private let stride: Int
    private let totalRowCount: Int

    /// - Parameters:
    ///   - placesByRow: the place of each row in the chunk, by row number; used for as long as the windows are.
    ///   - placesAtATime: places that the rows go to side by side (RowPlacement).
    ///   - rowCount: rows of a window, a power of two and whole vectors.
    init(
        _ list: RowList, placesByRow: UnsafePointer<UInt32>, placesAtATime: Int,
        rowCount: Int = RowWindows.defaultRowCount, memory: FlushMemory
    ) {
        precondition(rowCount.nonzeroBitCount == 1 && rowCount >= VectorLayout.valueCount, "windows of whole vectors")
        self.rowCount = placesAtATime <= Self.placeCountMax ? rowCount * Self.growth : rowCount
        self.placesByRow = placesByRow
        stride = self.rowCount + Self.gapRowCount
        totalRowCount = list.count
        count = (totalRowCount + self.rowCount - 1) / self.rowCount
        if case .all = list, count <= 1 {
            lists = nil
            return
        }
        lists = memory.windowLists(count * stride)
        switch list {
        case .all(let count): partition(AllRows(count: count))
        case .some(let list): list.withUnsafeBufferPointer { partition(ListedRows(rows: $0)) }
        }
    }

    subscript(index: Int) -> RowWindow {
        let firstPlace = index * rowCount
        let count = min(rowCount, totalRowCount - firstPlace)
        guard let lists else {
            return RowWindow(
                rows: .all(AllRows(count: count)), places: UnsafeBufferPointer(start: placesByRow, count: count),
                firstPlace: 0)
        }
        let start = index * stride
        return RowWindow(
            rows: .listed(ListedRows(rows: UnsafeBufferPointer(start: lists.rows + start, count: count))),
            places: UnsafeBufferPointer(start: lists.places + start, count: count), firstPlace: firstPlace)
    }

    @inline(never)
    @_specialize(where Rows == AllRows)
    @_specialize(where Rows == ListedRows)
    private func partition<Rows: RowSequence>(_ list: Rows) {
        let (rows, places) = lists!
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
