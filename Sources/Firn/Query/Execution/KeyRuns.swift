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
        if let stepped = column.stepped { return refine(by: stepped) }
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

    /// Where progressions change, no value is looked at: within one of step 0 nothing changes, within others all does.
    private mutating func refine(by stepped: SteppedValues) -> Bool {
        var changes: [Int32] = []
        var row = 0
        var previous: Int64?
        for run in stepped.runs {
            if run.first != previous { changes.append(Int32(truncatingIfNeeded: row)) }
            if run.step != 0 {
                guard changes.count + run.valueCount <= runsMax else { return false }
                for next in row + 1..<row + run.valueCount { changes.append(Int32(truncatingIfNeeded: next)) }
            }
            row += run.valueCount
            previous = run.value(at: run.valueCount - 1)
        }
        starts = Self.union(starts, changes)
        return starts.count <= runsMax
    }

    /// The rows of two ascending lists, ascending, each once.
    private static func union(_ left: [Int32], _ right: [Int32]) -> [Int32] {
        if left.count == 1, left[0] == right.first { return right }
        var rows: [Int32] = []
        rows.reserveCapacity(left.count + right.count)
        var (leftIndex, rightIndex) = (0, 0)
        while leftIndex < left.count || rightIndex < right.count {
            let leftRow = leftIndex < left.count ? left[leftIndex] : .max
            let rightRow = rightIndex < right.count ? right[rightIndex] : .max
            rows.append(min(leftRow, rightRow))
            if leftRow <= rightRow { leftIndex += 1 }
            if rightRow <= leftRow { rightIndex += 1 }
        }
        return rows
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

    /// Cuts runs where the bucket of a time changes. False: there are too many runs, or times beyond the grid.
    ///
    /// - Parameter times: a column of times without NULLs.
    mutating func refine(byBucketOf times: Column, _ grid: BucketGrid, isAscending: Bool) -> Bool {
        if let stepped = times.stepped, stepped.runs.allSatisfy({ $0.step >= 0 }) {
            return refine(byBucketOf: stepped, grid)
        }
        return refine(byBucketOf: times.integerValues!, grid, isAscending: isAscending)
    }

    /// Ascending progressions cross the lines of the grid at rows that are computed.
    private mutating func refine(byBucketOf times: SteppedValues, _ grid: BucketGrid) -> Bool {
        let before = starts
        let rowCount = rowCount
        let runsMax = runsMax
        let width = grid.width
        var fits = true
        starts = [Int32](unsafeUninitializedCapacity: runsMax + before.count + 1) { target, count in
            func append(_ row: Int) -> Bool {
                guard count < runsMax else { return false }
                (target.baseAddress! + count).initialize(to: Int32(truncatingIfNeeded: row))
                count += 1
                return true
            }
            /// The next of the runs found so far.
            var index = 0
            var row = 0
            var bucket = Int64.min
            for progression in times.runs {
                let first = row
                let end = row + progression.valueCount
                guard let last = progression.lastWithoutWrapping, BucketGrid.covers(progression.first),
                    BucketGrid.covers(last)
                else {
                    fits = false
                    return
                }
                /// Rows of a whole bucket, where all have the same number.
                let wholeBucket =
                    progression.step > 0 && width % progression.step == 0 ? Int(width / progression.step) : 0
                while row < end {
                    let isCut = index < before.count && Int(before[index]) == row
                    if isCut { index += 1 }
                    let cut = min(index < before.count ? Int(before[index]) : rowCount, end)
                    let time = progression.value(at: row - first)
                    let next = grid.start(of: time, after: bucket)
                    if isCut || next != bucket, !append(row) {
                        fits = false
                        return
                    }
                    bucket = next
                    row += Self.valueCount(from: time, step: progression.step, below: bucket &+ width, end - row)
                    if wholeBucket > 0 {
                        // From here on each bucket begins as many rows after the one before, up to the cut.
                        while row < cut {
                            guard append(row) else {
                                fits = false
                                return
                            }
                            bucket &+= width
                            row += wholeBucket
                        }
                    }
                    row = min(row, cut)
                }
            }
        }
        return fits
    }

    /// How many values of an ascending progression lie below a limit, of which the first does; at most `rest`.
    @inline(__always)
    private static func valueCount(from first: Int64, step: Int64, below limit: Int64, _ rest: Int) -> Int {
        if step == 0 { return rest }
        // The sums do not wrap: the progression and the grid stay within 2^62.
        let distance = limit &- first
        if step >= distance { return 1 }
        return min(Int((distance &+ step &- 1) / step), rest)
    }

    private mutating func refine(byBucketOf times: [Int64], _ grid: BucketGrid, isAscending: Bool) -> Bool {
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
                    bucket = grid.start(of: time, after: bucket)
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
