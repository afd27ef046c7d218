// SPDX-License-Identifier: Apache-2.0
//
// The groups and states of one part of the input, made batch by batch.
//
// A batch is taken in one of two ways. Where its rows lie in runs of equal keys (sorted segments), the keys are
// looked up once a run and the states work on slices. Where runs are short, each row's key is packed and looked up,
// and the states scatter. Which way is chosen depends on the rows alone.
//
// Threads that count references to the same object wait for each other, and the program is every thread's. So what is
// asked once a batch (which key is a plain column, which arguments a state has) is held in arrays of the part's own.

/// Groups and their states. Not thread-safe.
final class PartialAggregation {
    private let program: AggregateProgram
    private let evaluator: BlockEvaluator
    /// What keys and states hold.
    let held: HeldMemory
    /// Nil without keys: then there is one group, always.
    let keys: GroupKeys?
    /// One for each of the program's states.
    let states: [any AggregateState]
    private var rowGroups: [UInt32] = []
    private let keyInputs: [KeyInput]
    /// Of each key that is a time_bucket: its grid, once a time was met for which there is one.
    private var grids: [BucketGrid?]
    /// The column that each of the program's expressions is; nil where it must be computed.
    private let plainColumns: [Int?]
    /// Of each state: indices of its arguments among the expressions.
    private let arguments: [[Int]]
    /// Of each state without a filter: the arguments whose NULL rows it leaves out.
    private let skipsNullsOf: [[Int]?]
    /// Of each state: whether its arguments are computed for those rows alone that pass its filter, as they may fail
    /// for others.
    private let computesLate: [Bool]
    /// Of each expression: whether all rows need it.
    private let isNeededByAll: [Bool]
    /// The keys in the order in which runs are refined, for rows in `refinedOrder`.
    private var refinement: [Int] = []
    private var refinedOrder: [Int]?

    /// What a key is made of.
    private enum KeyInput {
        case column(Int)
        /// time_bucket of a time, which may be a plain column.
        case bucket(timeColumn: Int?)
        case expression
    }

    init(_ program: AggregateProgram, _ evaluator: BlockEvaluator, _ memory: MemoryBudget) {
        self.program = program
        self.evaluator = evaluator
        held = HeldMemory(memory)
        keys = program.layout.map { GroupKeys($0) }
        grids = program.keys.map { _ in nil }
        keyInputs = zip(program.keys, program.buckets).map { key, bucket in
            if let bucket { return .bucket(timeColumn: bucket.time.columnIndex) }
            return key.columnIndex.map { .column($0) } ?? .expression
        }
        plainColumns = program.expressions.map(\.columnIndex)
        arguments = program.states.map { state in state.arguments.map { $0 } }
        skipsNullsOf = program.states.map { state in state.filter == nil ? state.skipsNullsOf.map { $0 } : nil }
        computesLate = program.states.map { state in
            state.filter != nil && state.inputs.contains { program.expressions[$0].mayFail }
        }
        isNeededByAll = program.expressions.indices.map { [computesLate] index in
            zip(program.states, computesLate).contains { state, isLate in
                state.filter == index || (!isLate && state.inputs.contains(index))
            }
        }
        states = program.states.map { $0.makeState() }
        if keys == nil { for state in states { state.addGroups(1) } }
    }

    var groupCount: Int { keys?.count ?? 1 }

    /// Adds the rows of a batch.
    ///
    /// - Parameter order: columns of the batch by which its rows ascend.
    func add(_ batch: ColumnBatch, order: [Int]) throws(FirnError) {
        if batch.rowCount == 0 { return }
        let placement = try place(batch, order: order)
        let expressions = try evaluate(over: batch)
        // Before any state changes: a batch whose values are too many bytes is tried again in pieces.
        var late: [Int: LateInputs] = [:]
        for index in states.indices where computesLate[index] {
            late[index] = try lateInputs(program.states[index], expressions, batch)
        }
        for index in states.indices {
            if let skipped = skipsNullsOf[index], skipped.allSatisfy({ expressions[$0]!.validity == nil }) {
                try placement.update(states[index], arguments[index].map { expressions[$0]! })
            } else if computesLate[index] {
                guard let inputs = late[index] else { continue }
                let rows = inputs.rows.map { placement.selecting($0) } ?? placement
                try update(states[index], program.states[index], rows, nil) { inputs.columns[$0]! }
            } else {
                let slot = program.states[index]
                try update(states[index], slot, placement, slot.filter.map { expressions[$0]! }) { expressions[$0]! }
            }
        }
        try account()
    }

    /// Adds those rows that a state takes; `column` gives its inputs for all of them.
    private func update(
        _ state: any AggregateState, _ slot: AggregateProgram.StateSlot, _ placement: Placement, _ filter: Column?,
        _ column: (Int) -> Column
    ) throws(FirnError) {
        var rows = placement
        var columns = slot.arguments.map(column)
        if let selected = selection(slot, filter, column) {
            let indices = selected.setIndices
            if indices.isEmpty { return }
            rows = placement.selecting(indices)
            columns = columns.map { $0.gather(indices).with(validity: nil) }
            if slot.keepsNullValues { columns[0] = column(slot.arguments[0]).gather(indices) }
        }
        try rows.update(state, columns)
    }

    /// The inputs of a state for the rows that pass its filter.
    private struct LateInputs {
        /// Nil for all rows.
        let rows: [Int32]?
        let columns: [Int: Column]
    }

    /// Computes the inputs of a state for those rows that pass its filter; nil where none does.
    private func lateInputs(
        _ slot: AggregateProgram.StateSlot, _ expressions: [Column?], _ batch: ColumnBatch
    ) throws(FirnError) -> LateInputs? {
        let passing = rowsPassing(expressions[slot.filter!]!).setIndices
        if passing.isEmpty { return nil }
        let selection = passing.count == batch.rowCount ? nil : passing
        let rows = EvaluationRows(batch: batch, selection: selection)
        var columns: [Int: Column] = [:]
        for input in slot.inputs where columns[input] == nil {
            columns[input] = try evaluator.column(program.expressions[input], over: rows)
        }
        return LateInputs(rows: selection, columns: columns)
    }

    /// The rows that a state takes; nil for all.
    private func selection(
        _ slot: AggregateProgram.StateSlot, _ filter: Column?, _ column: (Int) -> Column
    ) -> Bitmap? {
        var selected: Bitmap?
        for argument in slot.skipsNullsOf {
            guard let validity = column(argument).validity else { continue }
            selected = selected.map { $0 & validity } ?? validity
        }
        if let filter {
            let passes = rowsPassing(filter)
            selected = selected.map { $0 & passes } ?? passes
        }
        if let selected, selected.isAllSet { return nil }
        return selected
    }

    /// The rows for which the condition of a FILTER is true.
    private func rowsPassing(_ filter: Column) -> Bitmap {
        let passes = Bitmap(filter.booleanValues!)
        return filter.validity.map { passes & $0 } ?? passes
    }

    /// The expressions that all rows need; nil for others.
    private func evaluate(over batch: ColumnBatch) throws(FirnError) -> [Column?] {
        var columns: [Column?] = []
        columns.reserveCapacity(plainColumns.count)
        for (index, plain) in plainColumns.enumerated() {
            if let plain {
                columns.append(batch.columns[plain])
            } else if isNeededByAll[index] {
                columns.append(try evaluator.column(program.expressions[index], over: batch))
            } else {
                columns.append(nil)
            }
        }
        return columns
    }

    // MARK: Placement of rows

    /// Which group each row of a batch belongs to.
    private enum Placement {
        case runs([RowRun])
        case rows([UInt32], count: Int)

        func update(_ state: any AggregateState, _ arguments: [Column]) throws(FirnError) {
            switch self {
            case .runs(let runs):
                try runs.withUnsafeBufferPointer { runs throws(FirnError) in
                    try state.update(runs: runs, arguments)
                }
            case .rows(let groups, let count):
                try groups.withUnsafeBufferPointer { groups throws(FirnError) in
                    try state.update(groups: UnsafeBufferPointer(rebasing: groups[..<count]), arguments)
                }
            }
        }

        /// The placement of some rows, ascending, after all others were taken out of the batch.
        func selecting(_ rows: [Int32]) -> Placement {
            switch self {
            case .rows(let groups, _): return .rows(rows.map { groups[Int($0)] }, count: rows.count)
            case .runs(let runs):
                var selected: [RowRun] = []
                selected.reserveCapacity(runs.count)
                var index = 0
                for run in runs {
                    while index < rows.count, rows[index] < run.start { index += 1 }
                    let first = index
                    while index < rows.count, rows[index] < run.end { index += 1 }
                    if index > first {
                        selected.append(RowRun(start: Int32(first), end: Int32(index), group: run.group))
                    }
                }
                return .runs(selected)
            }
        }
    }

    private func place(_ batch: ColumnBatch, order: [Int]) throws(FirnError) -> Placement {
        guard let keys else {
            return .runs([RowRun(start: 0, end: Int32(batch.rowCount), group: 0)])
        }
        if batch.rowCount > 1, let runs = try runs(of: batch, order: order, keys) { return .runs(runs) }
        let columns = try keyColumns(batch)
        let before = keys.count
        try keys.groups(of: columns, rowCount: batch.rowCount, into: &rowGroups)
        addGroups(keys.count - before)
        return .rows(rowGroups, count: batch.rowCount)
    }

    private func addGroups(_ count: Int) {
        if count == 0 { return }
        for state in states { state.addGroups(count) }
    }

    /// The values of all keys for all rows.
    private func keyColumns(_ batch: ColumnBatch) throws(FirnError) -> [Column] {
        var columns: [Column] = []
        for key in keyInputs.indices {
            if case .bucket = keyInputs[key], let column = try bucketColumn(key, batch) {
                columns.append(column)
            } else {
                columns.append(try keyColumn(key, batch))
            }
        }
        return columns
    }

    private func keyColumn(_ key: Int, _ batch: ColumnBatch) throws(FirnError) -> Column {
        if case .column(let index) = keyInputs[key] { return batch.columns[index] }
        return try evaluator.column(program.keys[key], over: batch)
    }

    /// The times that a key puts into buckets, if it does and they are known in all rows.
    private func times(ofKey key: Int, _ batch: ColumnBatch) throws(FirnError) -> Column? {
        guard case .bucket(let index) = keyInputs[key] else { return nil }
        let times: Column
        if let index {
            times = batch.columns[index]
        } else {
            times = try evaluator.column(program.buckets[key]!.time, over: batch)
        }
        return times.validity == nil ? times : nil
    }

    /// Buckets by arithmetic; nil where some times lie beyond the grid.
    private func bucketColumn(_ key: Int, _ batch: ColumnBatch) throws(FirnError) -> Column? {
        guard let times = try times(ofKey: key, batch)?.integerValues,
            times.allSatisfy({ BucketGrid.covers($0) }), let grid = try grid(ofKey: key, around: times[0])
        else { return nil }
        return Column(type: program.keys[key].type, values: .integer(grid.starts(of: times)))
    }

    /// The grid of a key. One grid holds all times that it covers, so it is asked for once.
    private func grid(ofKey key: Int, around time: Int64) throws(FirnError) -> BucketGrid? {
        if grids[key] == nil { grids[key] = try program.buckets[key]!.grid(around: time, evaluator) }
        return grids[key]
    }

    /// The runs of equal keys, each with its group; nil where runs are too short to pay.
    private func runs(of batch: ColumnBatch, order: [Int], _ keys: GroupKeys) throws(FirnError) -> [RowRun]? {
        var runs = KeyRuns(rowCount: batch.rowCount)
        // How many columns of `order` are constant within each run found so far.
        var orderDepth = 0
        var columns = [Column?](repeating: nil, count: keyInputs.count)
        /// Of the keys whose column has the times, not yet the buckets.
        var gridsOfTimes = [BucketGrid?](repeating: nil, count: keyInputs.count)
        if refinedOrder != order {
            refinement = refinementSteps(order)
            refinedOrder = order
        }
        for key in refinement {
            if let times = try times(ofKey: key, batch), let first = times.firstInteger,
                let grid = try grid(ofKey: key, around: first)
            {
                var isAscending = false
                if case .bucket(let index?) = keyInputs[key], orderDepth < order.count {
                    isAscending = index == order[orderDepth]
                }
                guard runs.refine(byBucketOf: times, grid, isAscending: isAscending) else { return nil }
                columns[key] = times
                gridsOfTimes[key] = grid
                continue
            }
            let column = try keyColumn(key, batch)
            var isOrdered = false
            if case .column(let index) = keyInputs[key], orderDepth < order.count {
                isOrdered = index == order[orderDepth]
            }
            guard runs.refine(by: column, isAscending: isOrdered && column.validity == nil) else { return nil }
            if isOrdered { orderDepth += 1 }
            columns[key] = column
        }
        let starts = runs.starts
        let keyValues = columns.indices.map { key in
            let values = columns[key]!.gather(ascending: starts)
            guard let grid = gridsOfTimes[key] else { return values }
            return Column(type: program.keys[key].type, values: .integer(grid.starts(of: values.integerValues!)))
        }
        let before = keys.count
        try keys.groups(of: keyValues, rowCount: starts.count, into: &rowGroups)
        addGroups(keys.count - before)
        return [RowRun](unsafeUninitializedCapacity: starts.count) { target, count in
            var end = Int32(batch.rowCount)
            for index in starts.indices.reversed() {
                (target.baseAddress! + index)
                    .initialize(to: RowRun(start: starts[index], end: end, group: rowGroups[index]))
                end = starts[index]
            }
            count = starts.count
        }
    }

    /// The keys, those first by whose columns the rows are ordered: each makes the next one ascend within runs.
    private func refinementSteps(_ order: [Int]) -> [Int] {
        var steps: [Int] = []
        for column in order {
            let key = keyInputs.firstIndex { input in
                if case .column(column) = input { true } else { false }
            }
            guard let key else { break }
            steps.append(key)
        }
        for key in keyInputs.indices where !steps.contains(key) { steps.append(key) }
        return steps
    }

    // MARK: Memory

    private func account() throws(FirnError) {
        let byteCount = states.reduce(keys?.byteCount ?? 0) { $0 + $1.byteCount }
        try held.raise(to: byteCount)
    }
}

extension AggregateProgram.StateSlot {
    /// first and last take NULL values.
    fileprivate var keepsNullValues: Bool {
        switch kind {
        case .first, .last: true
        default: false
        }
    }
}

extension Column {
    /// The first value of a column of integers or times that has rows; nil for other types.
    fileprivate var firstInteger: Int64? {
        if let stepped { stepped.dictionary == nil ? stepped.runs[0].first : nil } else { integerValues?[0] }
    }
}

extension BoundExpression {
    /// The column of the input that the expression is; nil where something is computed.
    fileprivate var columnIndex: Int? { if case .column(let index) = kind { index } else { nil } }
}
