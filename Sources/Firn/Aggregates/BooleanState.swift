// SPDX-License-Identifier: Apache-2.0
//
// bool_and and bool_or.

/// Whether all rows of each group are true, or any.
final class BooleanState: AggregateState {
    /// True: a conjunction, which starts as true and falls.
    private let initial: Bool
    private var values: [Bool] = []
    private var counts: [Int64] = []

    init(startsWith initial: Bool) { self.initial = initial }

    func addGroups(_ count: Int) {
        values.append(contentsOf: repeatElement(initial, count: count))
        counts.append(contentsOf: repeatElement(0, count: count))
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        let rows = arguments[0].booleanValues!
        for run in runs {
            let group = Int(run.group)
            counts[group] += Int64(run.count)
            // Any row that differs from the start decides.
            if values[group] == initial, rows[run.rows].contains(!initial) { values[group] = !initial }
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        let rows = arguments[0].booleanValues!
        for (row, group) in groups.enumerated() {
            counts[Int(group)] += 1
            if rows[row] != initial { values[Int(group)] = !initial }
        }
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        for pair in pairs {
            let (index, group) = (Int(pair.from), Int(pair.to))
            counts[group] += other.counts[index]
            if other.values[index] != initial { values[group] = !initial }
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        Column(
            type: type, values: .boolean(Array(values[groups])), validity: groupValidity(ofCounts: counts[groups]))
    }

    var byteCount: Int { values.count * 9 }
}
