// SPDX-License-Identifier: Apache-2.0
//
// Stable merge sort of rows by time that takes the ascending runs which are already there.
//
// Source: Knuth, "The Art of Computer Programming", volume 3, section 5.2.4, natural merge.

struct RunMerger {
    private struct Entry {
        var time: Int64
        var row: UInt32
    }

    private let times: TimeReader

    init(_ times: TimeReader) { self.times = times }

    /// Sorts rows in place; equal times keep their order.
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
                for index in 0..<count { times[start + index] = time(at: positions[index]) }
                start += count
            }
        }
    }

    @inline(__always)
    private func time(at position: UInt64) -> Int64 {
        let batch = Int(truncatingIfNeeded: position &>> 32)
        let row = Int(truncatingIfNeeded: position & 0xFFFF_FFFF)
        if let validity = source.validity[batch], validity[row &>> 6] &>> UInt64(row & 63) & 1 == 0 { return .max }
        return source.values[batch].assumingMemoryBound(to: Int64.self)[row]
    }
}
