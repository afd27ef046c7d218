// SPDX-License-Identifier: Apache-2.0
//
// Finds the runs of rows with equal group keys in a batch, so that groups are looked up once a run.
//
// Starts of runs are refined key by key: within the runs of the keys before, a plain column is compared with its
// neighbour row, and a time_bucket is walked bucket by bucket. Where the scan says that rows ascend by a column,
// equal ends mean an equal run, and bucket ends are found by galloping: the values in between are never looked at.

/// The runs of one batch under construction.
struct KeyRuns {
    let rowCount: Int
    /// First row of each run, ascending; the first is 0.
    private(set) var starts: [Int32] = [0]
    /// More runs than this do not pay: rows are grouped one by one instead.
    private let runsMax: Int

    /// Fewest rows that a run has on average for the run path to pay.
    static let rowsPerRunMin = 4

    init(rowCount: Int) {
        self.rowCount = rowCount
        runsMax = max(16, rowCount / Self.rowsPerRunMin)
    }

    /// Cuts runs where a column changes. False: there are too many runs, give up.
    ///
    /// - Parameter isAscending: rows ascend by this column within each run found so far.
    mutating func refine(by column: Column, isAscending: Bool) -> Bool {
        if let validity = column.validity, !validity.isAllSet {
            return cut { row in
                let isNull = !validity[row]
                if isNull != !validity[row - 1] { return true }
                return !isNull && column.differs(row, row - 1)
            }
        }
        switch column.values {
        case .integer(let values): return refine(values, isAscending: isAscending)
        case .dictionary(let codes, _): return refine(codes, isAscending: isAscending)
        case .boolean(let values): return refine(values, isAscending: isAscending)
        case .uuid(let values): return refine(values, isAscending: isAscending)
        default: return cut { column.differs($0, $0 - 1) }
        }
    }

    private mutating func refine<T: Equatable & BitwiseCopyable>(_ values: [T], isAscending: Bool) -> Bool {
        let before = starts
        var refined: [Int32] = []
        refined.reserveCapacity(before.count + 16)
        let rowCount = rowCount
        let runsMax = runsMax
        let fits = values.withUnsafeBufferPointer { values in
            // Precondition: starts ascend below rowCount, which is the count of values.
            precondition(values.count == rowCount, "a key has a value for each row")
            let values = values.baseAddress!
            for (index, start) in before.enumerated() {
                let end = index + 1 < before.count ? Int(before[index + 1]) : rowCount
                refined.append(start)
                var row = Int(start)
                var current = values[row]
                if isAscending {
                    // Equal values lie together: their end is found without looking at all of them.
                    while values[end - 1] != current {
                        row = Self.firstRow(in: values, from: row, to: end - 1, unlike: current)
                        refined.append(Int32(truncatingIfNeeded: row))
                        if refined.count > runsMax { return false }
                        current = values[row]
                    }
                    continue
                }
                row += 1
                while row < end {
                    let value = values[row]
                    if value != current {
                        refined.append(Int32(truncatingIfNeeded: row))
                        current = value
                    }
                    row += 1
                }
                if refined.count > runsMax { return false }
            }
            return true
        }
        starts = refined
        return fits
    }

    /// The first row in row+1...end whose value differs; `values[end]` does, and equal values lie together.
    @inline(__always)
    private static func firstRow<T: Equatable & BitwiseCopyable>(
        in values: UnsafePointer<T>, from row: Int, to end: Int, unlike current: T
    ) -> Int {
        var low = row
        var step = 1
        // Invariant: values[low] is current; values[high] is not, or high is beyond what was looked at.
        var high = low + step
        while high < end, values[high] == current {
            low = high
            step *= 2
            high = low + step
        }
        if high > end { high = end }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if values[middle] == current { low = middle } else { high = middle }
        }
        return high
    }

    private mutating func cut(_ changes: (_ row: Int) -> Bool) -> Bool {
        var refined: [Int32] = []
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? Int(starts[index + 1]) : rowCount
            refined.append(start)
            for row in Int(start) + 1..<max(end, Int(start) + 1) where changes(row) { refined.append(Int32(row)) }
            if refined.count > runsMax { return false }
        }
        starts = refined
        return true
    }

    /// Cuts runs where the bucket of a time changes. Nil: there are too many runs, or times beyond the grid.
    ///
    /// - Returns: whether it went well.
    mutating func refine(byBucketOf times: [Int64], _ grid: BucketGrid, isAscending: Bool) -> Bool {
        let before = starts
        var refined: [Int32] = []
        refined.reserveCapacity(before.count + 512)
        let rowCount = rowCount
        let runsMax = runsMax
        let width = grid.width
        let fits = times.withUnsafeBufferPointer { times in
            precondition(times.count == rowCount, "a key has a value for each row")
            let times = times.baseAddress!
            for (index, start) in before.enumerated() {
                let end = index + 1 < before.count ? Int(before[index + 1]) : rowCount
                var row = Int(start)
                var step = 1
                var bucket = Int64.min
                while row < end {
                    let time = times[row]
                    guard BucketGrid.covers(time) else { return false }
                    refined.append(Int32(truncatingIfNeeded: row))
                    if refined.count > runsMax { return false }
                    // The next bucket is usually the neighbour: no division then.
                    let neighbour = bucket &+ width
                    let distance = time &- neighbour
                    bucket =
                        bucket != Int64.min && distance >= 0 && distance < width ? neighbour : grid.start(of: time)
                    let limit = bucket &+ width
                    if isAscending {
                        let next = Self.firstRow(in: times, from: row, to: end, atOrBeyond: limit, guess: step)
                        step = next - row
                        row = next
                    } else {
                        row += 1
                        // One unsigned comparison says whether a time lies in the bucket.
                        while row < end, UInt64(bitPattern: times[row] &- bucket) < UInt64(bitPattern: width) {
                            row += 1
                        }
                    }
                }
            }
            return true
        }
        starts = refined
        return fits
    }

    /// The first row in row+1..<end whose time reaches `limit`, or `end`; the times ascend. Starts at the length of the
    /// run before and doubles, then halves.
    @inline(__always)
    private static func firstRow(
        in times: UnsafePointer<Int64>, from row: Int, to end: Int, atOrBeyond limit: Int64, guess: Int
    ) -> Int {
        var low = row
        var step = max(1, guess)
        // Invariant: times[low] < limit.
        var high = low + step
        while high < end, times[high] < limit {
            low = high
            step *= 2
            high = low + step
        }
        if high > end { high = end }
        // A run as long as the one before: its last row is one below the guess.
        if high - 1 > low, times[high - 1] < limit { return high }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if times[middle] < limit { low = middle } else { high = middle }
        }
        return high
    }
}

extension Column {
    /// True where two rows, neither NULL, have values that GROUP BY keeps apart.
    fileprivate func differs(_ left: Int, _ right: Int) -> Bool {
        switch values {
        case .boolean(let values): values[left] != values[right]
        case .integer(let values): values[left] != values[right]
        case .float(let values): values[left] != values[right] && !(values[left].isNaN && values[right].isNaN)
        case .double(let values): values[left] != values[right] && !(values[left].isNaN && values[right].isNaN)
        case .decimal(let values):
            KeyLayout.normalized(values.coefficients[left], values.scale(at: left))
                != KeyLayout.normalized(values.coefficients[right], values.scale(at: right))
        case .bytes(let values): values[left] != values[right]
        case .dictionary(let codes, _): codes[left] != codes[right]
        case .uuid(let values): values[left] != values[right]
        case .interval(let values): values[left] != values[right]
        case .vector(let values, let dimensions):
            values[left * dimensions..<(left + 1) * dimensions] != values[right * dimensions..<(right + 1) * dimensions]
        }
    }
}
