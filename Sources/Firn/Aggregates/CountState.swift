// SPDX-License-Identifier: Apache-2.0
//
// count(*) and count(x): a number of rows a group.

/// Rows of each group.
final class CountState: AggregateState {
    private var counts: [Int64] = []

    func addGroups(_ count: Int) { counts.append(contentsOf: repeatElement(0, count: count)) }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        counts.withUnsafeMutableBufferPointer { counts in
            for run in runs { counts[Int(run.group)] &+= Int64(run.count) }
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        counts.withUnsafeMutableBufferPointer { counts in
            for group in groups { counts[Int(group)] &+= 1 }
        }
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        let other = sameKind(other)
        counts.withUnsafeMutableBufferPointer { counts in
            for pair in pairs { counts[Int(pair.to)] &+= other.counts[Int(pair.from)] }
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        Column(type: type, values: .integer(Array(counts[groups])))
    }

    var byteCount: Int { counts.count * 8 }
}
