// SPDX-License-Identifier: Apache-2.0
//
// first(value, time) and last(value, time): the value at the smallest or largest time of each group.
//
// Rows come in commit order, and states merge in commit order, so ties need no stored order: among equal times
// `first` keeps the one it has and `last` takes the new one. A value may be NULL, a time may not (such rows are left
// out by the caller). Times are integers and times; other orders have no use.

/// The value at one end of time for each group.
final class FirstLastState: AggregateState {
    enum End: Sendable {
        case first, last
    }

    private let end: End
    private var times: [Int64] = []
    private var values: [Value] = []
    /// Bytes that the values hold beside their place in `values`.
    private var valueBytes = 0
    private var isKnown: [Bool] = []
    /// The row of the batch in work whose value a group takes; -1 where it keeps what it has.
    private var pendingRows: [Int32] = []
    private var touched: [UInt32] = []

    init(_ end: End) { self.end = end }

    func addGroups(_ count: Int) {
        times.append(contentsOf: repeatElement(0, count: count))
        values.append(contentsOf: repeatElement(.null, count: count))
        isKnown.append(contentsOf: repeatElement(false, count: count))
        pendingRows.append(contentsOf: repeatElement(-1, count: count))
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        let rowTimes = arguments[1].integerValues!
        for run in runs {
            var best = Int(run.start)
            switch end {
            case .first: for row in run.rows where rowTimes[row] < rowTimes[best] { best = row }
            case .last: for row in run.rows where rowTimes[row] >= rowTimes[best] { best = row }
            }
            offer(row: best, time: rowTimes[best], group: Int(run.group))
        }
        takePending(from: arguments[0])
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let rowTimes = arguments[1].integerValues!
        for row in 0..<groups.count { offer(row: row, time: rowTimes[row], group: Int(groups[row])) }
        takePending(from: arguments[0])
    }

    @inline(__always)
    private func wins(_ time: Int64, _ group: Int) -> Bool {
        if !isKnown[group] { return true }
        return end == .first ? time < times[group] : time >= times[group]
    }

    @inline(__always)
    private func offer(row: Int, time: Int64, group: Int) {
        guard wins(time, group) else { return }
        times[group] = time
        isKnown[group] = true
        if pendingRows[group] < 0 { touched.append(UInt32(truncatingIfNeeded: group)) }
        pendingRows[group] = Int32(truncatingIfNeeded: row)
    }

    private func takePending(from column: Column) {
        for group in touched {
            keep(column[Int(pendingRows[Int(group)])], Int(group))
            pendingRows[Int(group)] = -1
        }
        touched.removeAll(keepingCapacity: true)
    }

    private func keep(_ value: Value, _ group: Int) {
        valueBytes += value.heldBytes - values[group].heldBytes
        values[group] = value
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        for pair in pairs where other.isKnown[Int(pair.from)] {
            let (index, group) = (Int(pair.from), Int(pair.to))
            guard wins(other.times[index], group) else { continue }
            times[group] = other.times[index]
            keep(other.values[index], group)
            isKnown[group] = true
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        Column(Array(values[groups]), type: type)
    }

    var byteCount: Int { values.count * (MemoryLayout<Value>.stride + 13) + valueBytes }
}
