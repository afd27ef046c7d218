// SPDX-License-Identifier: Apache-2.0
//
// aggregate(DISTINCT x): the exact set of values of each group, and another state that is fed with it at the end.
//
// The set is a table of (group, value) pairs: one table for all groups, whatever their number.

/// Distinct values of each group.
final class DistinctState: AggregateState {
    private let layout: KeyLayout
    private let valueType: DataType
    private let inner: AggregateStateKind
    private let pairs: GroupKeys
    private var groupCount = 0
    private var scratch: [UInt32] = []
    private var finished: (any AggregateState)?

    /// How (group, value) pairs are packed; one for all states of an aggregate, since text codes belong to it.
    static func layout(valueType: DataType, memory: MemoryBudget) -> KeyLayout {
        KeyLayout(types: [.bigint, valueType], memory: memory)
    }

    init(_ inner: AggregateStateKind, layout: KeyLayout) {
        self.inner = inner
        self.layout = layout
        valueType = layout.fields[1].type
        pairs = GroupKeys(layout)
    }

    func addGroups(_ count: Int) { groupCount += count }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) throws(FirnError) {
        // Runs need not cover all rows: the pairs are made of those that they do.
        var rows: [Int32] = []
        var groups: [Int64] = []
        for run in runs {
            for row in run.rows {
                rows.append(Int32(truncatingIfNeeded: row))
                groups.append(Int64(run.group))
            }
        }
        let values = rows.count == arguments[0].count ? arguments[0] : arguments[0].gather(rows)
        try insert(groups, values)
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) throws(FirnError) {
        try insert(groups.map { Int64($0) }, arguments[0])
    }

    private func insert(_ groups: [Int64], _ values: Column) throws(FirnError) {
        if groups.isEmpty { return }
        try pairs.groups(of: [.integers(groups), values], rowCount: groups.count, into: &scratch)
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) throws(FirnError) {
        let other = sameKind(other)
        var targets = [Int64](repeating: -1, count: other.groupCount)
        for pair in pairs { targets[Int(pair.from)] = Int64(pair.to) }
        try self.pairs.insert(other.pairs) { targets[Int($0)] }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) throws(FirnError) -> Column {
        if finished == nil {
            let state = inner.makeState()
            state.addGroups(groupCount)
            let columns = pairs.finish()
            for range in Self.blocks(of: columns.count) {
                let rowGroups = columns.column(0, range).integerValues!.map { UInt32(truncatingIfNeeded: $0) }
                // Counting needs no values.
                let values = inner == .count ? [] : [columns.column(1, range)]
                let update = rowGroups.withUnsafeBufferPointer { groups in
                    Result { () throws(FirnError) in try state.update(groups: groups, values) }
                }
                try update.get()
            }
            finished = state
        }
        return try finished!.finish(output, type: type, groups: groups)
    }

    private static func blocks(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: batchRowsMax).map { $0..<min($0 + batchRowsMax, count) }
    }

    var byteCount: Int { pairs.byteCount }
}
