// SPDX-License-Identifier: Apache-2.0
//
// Says where each row of one chunk goes, by (sort key, time), stably: ties keep commit order.
//
// The sort key's columns are coded (CodedColumn), so that a key is one small number, and rows are placed by a counting
// sort: one sequential pass counts the keys, another gives each row its place. Time is seldom out of order within a
// series; the first pass notes which keys are, and only their rows are merge-sorted.
//
//     rows in commit order ── count keys, check times ── give places ── sort the keys that were out of order
//
// Keys with too many combinations for one table of counts are placed column by column, the last first.

import FirnIO

/// The rows of a chunk, in commit order.
enum RowList {
    /// Rows 0 ..< count: the whole flush is one chunk.
    case all(Int)
    /// Row numbers, ascending.
    case some([UInt32])

    var count: Int {
        switch self {
        case .all(let count): count
        case .some(let rows): rows.count
        }
    }
}

/// A list of rows as hot loops read it; each form is compiled into loops of its own.
protocol RowSequence {
    var count: Int { get }
    subscript(index: Int) -> Int { get }
    /// The first index whose row is `row` or more.
    func firstIndex(notBelow row: Int) -> Int
}

struct AllRows: RowSequence {
    let count: Int
    @inline(__always) subscript(index: Int) -> Int { index }
    func firstIndex(notBelow row: Int) -> Int { min(row, count) }
}

struct ListedRows: RowSequence {
    let rows: UnsafeBufferPointer<UInt32>
    var count: Int { rows.count }
    @inline(__always) subscript(index: Int) -> Int { Int(rows[index]) }

    func firstIndex(notBelow row: Int) -> Int {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if Int(rows[middle]) < row { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// What placing the rows told of their order.
struct RowPlacement {
    /// Rows that stand together because they have one value of the first column of the sort key.
    struct Run {
        let code: UInt32
        let rowCount: Int
    }

    /// All rows, in their order; empty where there is no key.
    var firstKeyRuns: [Run] = []
    /// Places that rows in commit order go to side by side: one for each key, each in ascending order.
    var placesAtATime: Int
}

struct RowSorter {
    /// Most combinations of key values that one counting sort places by.
    static let combinationCountMax = 1 << 21

    let keys: [CodedColumn]
    /// Nil where the table has no time column.
    let time: ColumnSource?
    let locator: RowLocator

    /// Writes the place of each row, 0 ..< count, by row number.
    func place(_ rows: RowList, into places: UnsafeMutablePointer<UInt32>) -> RowPlacement {
        switch rows {
        case .all(let count): place(AllRows(count: count), into: places)
        case .some(let list): list.withUnsafeBufferPointer { place(ListedRows(rows: $0), into: places) }
        }
    }

    @inline(never)
    @_specialize(where Rows == AllRows)
    @_specialize(where Rows == ListedRows)
    private func place<Rows: RowSequence>(_ rows: Rows, into places: UnsafeMutablePointer<UInt32>) -> RowPlacement {
        let combinations = keys.reduce(1) { product, key in
            let (result, overflow) = product.multipliedReportingOverflow(by: key.distinctCount + 1)
            return overflow ? .max : result
        }
        if combinations > Self.combinationCountMax { return placeByColumns(rows, into: places) }
        if keys.count == 1 {
            // One column: its codes are the keys, in the order of their ranks.
            return keys[0].codes.withUnsafeBufferPointer {
                place(rows, keys: $0.baseAddress!, order: keys[0].codesByRank, into: places)
            }
        }
        let combined = combinedKeys(rows)
        defer { combined.deallocate() }
        return place(rows, keys: combined, order: (0..<UInt32(combinations)).map { $0 }, into: places)
    }

    /// One number for the key of each row, by row number, in the order of the keys.
    private func combinedKeys<Rows: RowSequence>(_ rows: Rows) -> UnsafeMutablePointer<UInt32> {
        let combined = LargeMemory.allocate(UInt32.self, count: locator.rowCount)
        combined.initialize(repeating: 0, count: locator.rowCount)
        for key in keys {
            let stride = UInt32(key.distinctCount + 1)
            key.codes.withUnsafeBufferPointer { codes in
                key.ranks.withUnsafeBufferPointer { ranks in
                    for index in 0..<rows.count {
                        let row = rows[index]
                        combined[row] = combined[row] &* stride &+ ranks[Int(codes[row])]
                    }
                }
            }
        }
        return combined
    }

    // MARK: One counting sort

    /// What is known about one key: 16 bytes, so that a row touches one line of them.
    private struct Tally {
        var lastTime = Int64.min
        /// Rows counted; later the next place.
        var count: UInt32 = 0
        var isUnordered = false
    }

    /// - Parameter order: all keys, in the order in which their rows must stand.
    private func place<Rows: RowSequence>(
        _ rows: Rows, keys: UnsafePointer<UInt32>, order: [UInt32], into places: UnsafeMutablePointer<UInt32>
    ) -> RowPlacement {
        let tallies = UnsafeMutablePointer<Tally>.allocate(capacity: order.count)
        defer { tallies.deallocate() }
        tallies.initialize(repeating: Tally(), count: order.count)
        count(rows, keys, tallies)
        var start: UInt32 = 0
        for key in order {
            let count = tallies[Int(key)].count
            tallies[Int(key)].count = start
            start += count
        }
        for index in 0..<rows.count {
            let row = rows[index]
            // Precondition: keys lie below order.count, and the places of a key are as many as its rows.
            let key = Int(keys[row])
            places[row] = tallies[key].count
            tallies[key].count &+= 1
        }
        var result = RowPlacement(firstKeyRuns: firstKeyRuns(tallies, order), placesAtATime: order.count)
        if order.contains(where: { tallies[Int($0)].isUnordered }) {
            sortUnordered(rows, keys, tallies, order: order, into: places)
            result.placesAtATime = .max
        }
        return result
    }

    /// The keys with one value of the first column follow one another. A tally's count is the end of its key's places.
    private func firstKeyRuns(_ tallies: UnsafePointer<Tally>, _ order: [UInt32]) -> [RowPlacement.Run] {
        guard let first = keys.first else { return [] }
        let keysPerCode = order.count / (first.distinctCount + 1)
        var start = 0
        return first.codesByRank.enumerated().map { rank, code in
            let end = Int(tallies[Int(order[(rank + 1) * keysPerCode - 1])].count)
            defer { start = end }
            return RowPlacement.Run(code: code, rowCount: end - start)
        }
    }

    private func count<Rows: RowSequence>(
        _ rows: Rows, _ keys: UnsafePointer<UInt32>, _ tallies: UnsafeMutablePointer<Tally>
    ) {
        guard let time else {
            for index in 0..<rows.count { tallies[Int(keys[rows[index]])].count &+= 1 }
            return
        }
        for batch in 0..<locator.batchCount {
            let start = locator.batchStarts[batch]
            let times = time.values[batch].assumingMemoryBound(to: Int64.self)
            let validity = time.validity[batch]
            for index in rows.firstIndex(notBelow: start)..<rows.firstIndex(notBelow: locator.batchStarts[batch + 1]) {
                let row = rows[index]
                let key = Int(keys[row])
                var time = times[row &- start]
                if let validity, validity[(row &- start) &>> 6] &>> UInt64((row &- start) & 63) & 1 == 0 { time = .max }
                tallies[key].count &+= 1
                if time < tallies[key].lastTime { tallies[key].isUnordered = true }
                tallies[key].lastTime = time
            }
        }
    }

    /// Sorts the rows of marked keys by time, and places them anew. A tally's count is the end of its key's places.
    private func sortUnordered<Rows: RowSequence>(
        _ rows: Rows, _ keys: UnsafePointer<UInt32>, _ tallies: UnsafeMutablePointer<Tally>, order: [UInt32],
        into places: UnsafeMutablePointer<UInt32>
    ) {
        guard let time else { return }
        // A key's rows have consecutive places, in commit order as yet.
        var rowsByPlace = [UInt32](repeating: 0, count: rows.count)
        rowsByPlace.withUnsafeMutableBufferPointer { rowsByPlace in
            for index in 0..<rows.count {
                let row = rows[index]
                if tallies[Int(keys[row])].isUnordered { rowsByPlace[Int(places[row])] = UInt32(row) }
            }
            let merger = RunMerger(TimeReader(time, locator))
            var start = 0
            for key in order {
                let end = Int(tallies[Int(key)].count)
                if tallies[Int(key)].isUnordered {
                    merger.sort(UnsafeMutableBufferPointer(rebasing: rowsByPlace[start..<end]))
                    for place in start..<end { places[Int(rowsByPlace[place])] = UInt32(place) }
                }
                start = end
            }
        }
    }

    // MARK: Too many combinations

    private func placeByColumns<Rows: RowSequence>(
        _ rows: Rows, into places: UnsafeMutablePointer<UInt32>
    ) -> RowPlacement {
        var sorted = (0..<rows.count).map { UInt32(rows[$0]) }
        var runs: [RowPlacement.Run] = []
        for key in keys.reversed() {
            var ends = [UInt32](repeating: 0, count: key.distinctCount + 1)
            for row in sorted { ends[Int(key.ranks[Int(key.codes[Int(row)])])] += 1 }
            // The first column comes last.
            runs = zip(key.codesByRank, ends).map {
                RowPlacement.Run(code: $0, rowCount: Int($1))
            }
            var start: UInt32 = 0
            for rank in ends.indices {
                let count = ends[rank]
                ends[rank] = start
                start += count
            }
            sorted = [UInt32](unsafeUninitializedCapacity: sorted.count) { output, count in
                for row in sorted {
                    let rank = Int(key.ranks[Int(key.codes[Int(row)])])
                    output[Int(ends[rank])] = row
                    ends[rank] += 1
                }
                count = sorted.count
            }
        }
        if let time, !sorted.isEmpty {
            let merger = RunMerger(TimeReader(time, locator))
            var start = 0
            for index in 1...sorted.count where index == sorted.count || !haveOneKey(sorted[index], sorted[start]) {
                sorted.withUnsafeMutableBufferPointer { sorted in
                    merger.sort(UnsafeMutableBufferPointer(rebasing: sorted[start..<index]))
                }
                start = index
            }
        }
        for (place, row) in sorted.enumerated() { places[Int(row)] = UInt32(place) }
        return RowPlacement(firstKeyRuns: runs, placesAtATime: .max)
    }

    private func haveOneKey(_ left: UInt32, _ right: UInt32) -> Bool {
        keys.allSatisfy { $0.codes[Int(left)] == $0.codes[Int(right)] }
    }
}
