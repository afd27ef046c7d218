// SPDX-License-Identifier: Apache-2.0
//
// Sorts the rows of one chunk by (sort key, time), stably: ties keep commit order.
//
// The sort key's columns are coded (CodedColumn), so that a key is one small number: rows are distributed by it in
// one counting sort. Time is seldom out of order within a series; the sequential pass that counts keys notes which
// series are, and only their runs are merge-sorted.
//
//     rows in commit order ── count keys, check times ── distribute ── merge the runs that were out of order
//
// Keys with too many combinations for one table of counts are distributed column by column, the last first.

struct RowSorter {
    /// Most combinations of key values that one counting sort distributes by.
    static let combinationCountMax = 1 << 21

    let keys: [CodedColumn]
    /// Nil where the table has no time column.
    let time: ColumnSource?
    let locator: RowLocator

    /// The rows in sorted order. `rows` are row numbers in ascending order.
    func sort(_ rows: [UInt32]) -> [UInt32] {
        guard rows.count > 1 else { return rows }
        let times = time.map { TimeReader($0, locator) }
        guard !keys.isEmpty else {
            guard let times, !times.ascends(rows) else { return rows }
            var sorted = rows
            sorted.withUnsafeMutableBufferPointer { RunMerger(times).sort($0) }
            return sorted
        }
        let combinations = keys.reduce(1) { product, key in
            let (result, overflow) = product.multipliedReportingOverflow(by: key.distinctCount + 1)
            return overflow ? .max : result
        }
        if combinations <= Self.combinationCountMax {
            return distribute(rows, combinationCount: combinations, times)
        }
        return distributeByColumns(rows, times)
    }

    // MARK: One counting sort

    private func distribute(_ rows: [UInt32], combinationCount: Int, _ times: TimeReader?) -> [UInt32] {
        var combined = [UInt32](unsafeUninitializedCapacity: rows.count) { output, count in
            for (index, key) in keys.enumerated() {
                let stride = UInt32(key.distinctCount + 1)
                key.codes.withUnsafeBufferPointer { codes in
                    key.ranks.withUnsafeBufferPointer { ranks in
                        // Precondition: row numbers are below the row count, codes below the rank count.
                        if index == 0 {
                            for (position, row) in rows.enumerated() { output[position] = ranks[Int(codes[Int(row)])] }
                        } else {
                            for (position, row) in rows.enumerated() {
                                output[position] = output[position] &* stride &+ ranks[Int(codes[Int(row)])]
                            }
                        }
                    }
                }
            }
            count = rows.count
        }
        var ends = [UInt32](repeating: 0, count: combinationCount)
        var isUnordered = [Bool](repeating: false, count: times == nil ? 0 : combinationCount)
        combined.withUnsafeMutableBufferPointer { combined in
            ends.withUnsafeMutableBufferPointer { ends in
                if let times {
                    isUnordered.withUnsafeMutableBufferPointer { isUnordered in
                        times.count(rows, combined, ends, isUnordered)
                    }
                } else {
                    for key in combined { ends[Int(key)] &+= 1 }
                }
                var start: UInt32 = 0
                for key in ends.indices {
                    let count = ends[key]
                    ends[key] = start
                    start += count
                }
            }
        }
        var sorted = [UInt32](unsafeUninitializedCapacity: rows.count) { sorted, count in
            ends.withUnsafeMutableBufferPointer { ends in
                combined.withUnsafeBufferPointer { combined in
                    for (position, row) in rows.enumerated() {
                        let key = Int(combined[position])
                        // Precondition: the ends of all keys partition the rows, as they were counted.
                        sorted[Int(ends[key])] = row
                        ends[key] &+= 1
                    }
                }
            }
            count = rows.count
        }
        guard let times, isUnordered.contains(true) else { return sorted }
        let merger = RunMerger(times)
        sorted.withUnsafeMutableBufferPointer { sorted in
            for key in isUnordered.indices where isUnordered[key] {
                let start = key == 0 ? 0 : Int(ends[key - 1])
                merger.sort(UnsafeMutableBufferPointer(rebasing: sorted[start..<Int(ends[key])]))
            }
        }
        return sorted
    }

    // MARK: Column by column

    private func distributeByColumns(_ rows: [UInt32], _ times: TimeReader?) -> [UInt32] {
        var sorted = rows
        for key in keys.reversed() {
            var ends = [UInt32](repeating: 0, count: key.distinctCount + 1)
            for row in sorted { ends[Int(key.ranks[Int(key.codes[Int(row)])])] += 1 }
            var start: UInt32 = 0
            for rank in ends.indices {
                let count = ends[rank]
                ends[rank] = start
                start += count
            }
            sorted = [UInt32](unsafeUninitializedCapacity: rows.count) { output, count in
                for row in sorted {
                    let rank = Int(key.ranks[Int(key.codes[Int(row)])])
                    output[Int(ends[rank])] = row
                    ends[rank] += 1
                }
                count = rows.count
            }
        }
        guard let times else { return sorted }
        let merger = RunMerger(times)
        var start = 0
        for index in 1...sorted.count where index == sorted.count || !haveOneKey(sorted[index], sorted[start]) {
            sorted.withUnsafeMutableBufferPointer { sorted in
                merger.sort(UnsafeMutableBufferPointer(rebasing: sorted[start..<index]))
            }
            start = index
        }
        return sorted
    }

    private func haveOneKey(_ left: UInt32, _ right: UInt32) -> Bool {
        keys.allSatisfy { $0.codes[Int(left)] == $0.codes[Int(right)] }
    }
}

/// Times by row number; a NULL, which only an unchunked table's time may be, is later than all.
struct TimeReader {
    private let source: ColumnSource
    private let locator: RowLocator

    init(_ source: ColumnSource, _ locator: RowLocator) {
        precondition(source.physical == .integer, "times are held as integers")
        self.source = source
        self.locator = locator
    }

    /// The times of rows in any order.
    func read(_ rows: UnsafeBufferPointer<UInt32>, into times: UnsafeMutablePointer<Int64>) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 1_024) { positions in
            var start = 0
            while start < rows.count {
                let count = min(1_024, rows.count - start)
                let part = UnsafeBufferPointer(rebasing: rows[start..<start + count])
                locator.positions(of: part, into: positions.baseAddress!)
                let located = UnsafeBufferPointer(rebasing: UnsafeBufferPointer(positions)[..<count])
                source.gather(located, into: times + start)
                if let validity = source.gatherValidity(located) {
                    for index in 0..<count where !validity[index] { times[start + index] = .max }
                }
                start += count
            }
        }
    }

    /// True where the rows, as they stand, ascend by time.
    func ascends(_ rows: [UInt32]) -> Bool {
        var previous = Int64.min
        var isAscending = true
        forEachBlock(rows) { _, times in
            for time in times {
                if time < previous { isAscending = false }
                previous = time
            }
        }
        return isAscending
    }

    /// Counts the rows of each key, and marks keys whose times do not ascend.
    func count(
        _ rows: [UInt32], _ keys: UnsafeMutableBufferPointer<UInt32>, _ counts: UnsafeMutableBufferPointer<UInt32>,
        _ isUnordered: UnsafeMutableBufferPointer<Bool>
    ) {
        var lastTimes = [Int64](repeating: .min, count: counts.count)
        lastTimes.withUnsafeMutableBufferPointer { lastTimes in
            forEachBlock(rows) { start, times in
                for index in 0..<times.count {
                    let key = Int(keys[start &+ index])
                    let time = times[index]
                    counts[key] &+= 1
                    if time < lastTimes[key] { isUnordered[key] = true }
                    lastTimes[key] = time
                }
            }
        }
    }

    private func forEachBlock(_ rows: [UInt32], _ body: (_ start: Int, _ times: UnsafeBufferPointer<Int64>) -> Void) {
        rows.withUnsafeBufferPointer { rows in
            withUnsafeTemporaryAllocation(of: Int64.self, capacity: 1_024) { times in
                var start = 0
                while start < rows.count {
                    let count = min(1_024, rows.count - start)
                    read(UnsafeBufferPointer(rebasing: rows[start..<start + count]), into: times.baseAddress!)
                    body(start, UnsafeBufferPointer(rebasing: UnsafeBufferPointer(times)[..<count]))
                    start += count
                }
            }
        }
    }
}

/// Stable merge sort of rows by time that takes the ascending runs which are already there.
///
/// Source: Knuth, "The Art of Computer Programming", volume 3, section 5.2.4, natural merge.
struct RunMerger {
    private struct Entry {
        var time: Int64
        var row: UInt32
    }

    private let times: TimeReader

    init(_ times: TimeReader) { self.times = times }

    /// Sorts rows of one key in place.
    func sort(_ rows: UnsafeMutableBufferPointer<UInt32>) {
        guard rows.count > 1 else { return }
        let keys = [Int64](unsafeUninitializedCapacity: rows.count) { buffer, count in
            times.read(UnsafeBufferPointer(rows), into: buffer.baseAddress!)
            count = rows.count
        }
        var runStarts = [0]
        for index in 1..<rows.count where keys[index] < keys[index - 1] { runStarts.append(index) }
        if runStarts.count == 1 { return }
        var entries = zip(keys, rows).map { Entry(time: $0, row: $1) }
        var scratch = entries
        runStarts.append(rows.count)
        while runStarts.count > 2 {
            var merged = [0]
            var run = 0
            while run + 1 < runStarts.count {
                let start = runStarts[run]
                let middle = runStarts[run + 1]
                let end = run + 2 < runStarts.count ? runStarts[run + 2] : middle
                Self.merge(entries, start, middle, end, into: &scratch)
                merged.append(end)
                run += 2
            }
            swap(&entries, &scratch)
            runStarts = merged
        }
        for index in rows.indices { rows[index] = entries[index].row }
    }

    private static func merge(_ source: [Entry], _ start: Int, _ middle: Int, _ end: Int, into target: inout [Entry]) {
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                var left = start
                var right = middle
                for index in start..<end {
                    // The left one wins a tie: it was committed earlier.
                    if right >= end || (left < middle && source[left].time <= source[right].time) {
                        target[index] = source[left]
                        left += 1
                    } else {
                        target[index] = source[right]
                        right += 1
                    }
                }
            }
        }
    }
}
