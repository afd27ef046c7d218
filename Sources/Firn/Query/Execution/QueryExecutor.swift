// SPDX-License-Identifier: Apache-2.0
//
// Turns a plan into operators and runs it: the whole of execution as its callers see it.
//
// Nothing runs before the first `next()`; then the caller's thread drives, and helpers join where an operator can
// use them. A result's rows come in a fixed order, also without ORDER BY: the order of the stored layout.

import Synchronization

/// Runs plans against one snapshot.
struct QueryExecutor: Sendable {
    let snapshot: any DatabaseSnapshot
    let evaluator: BlockEvaluator
    let workers: Workers
    let memory: MemoryBudget
    /// Where operators count what they do; nil: nowhere.
    private(set) var profile: ExecutionProfile?
    /// Rows of a table that one thread takes at a time, at least. Results depend on it in the last bits of doubles.
    let scanTaskRowsMin: Int
    /// Where damaged ranges are noted and left out; nil makes them errors.
    let damage: DamageReport?

    init(
        snapshot: any DatabaseSnapshot, context: EvaluationContext, workers: Workers,
        memory: MemoryBudget = MemoryBudget(bytesMax: MemoryBudget.bytesMaxDefault), profile: ExecutionProfile? = nil,
        scanTaskRowsMin: Int = ScanSource.taskRowsMinDefault, damage: DamageReport? = nil
    ) {
        self.damage = damage
        self.snapshot = snapshot
        evaluator = BlockEvaluator(context: context)
        self.workers = workers
        self.memory = memory
        self.profile = profile
        self.scanTaskRowsMin = scanTaskRowsMin
    }

    /// The same executor, whose operators count what they do.
    func counting(in profile: ExecutionProfile) -> QueryExecutor {
        var copy = self
        copy.profile = profile
        return copy
    }

    /// The rows of a plan, computed as they are asked for.
    ///
    /// - Parameter isTall: whether its expressions or operators may be too many levels for a usual stack.
    /// - Parameter notice: is told at the end what was left out.
    func stream(
        _ plan: LogicalPlan, isTall: Bool = false, notice: @escaping @Sendable (Notice) -> Void = { _ in }
    ) -> ResultStream {
        ResultStream(columns: plan.columns, isTall: isTall, damage: damage, notice: notice) {
            () throws(FirnError) -> any BatchReader in
            var progress = Progress()
            return OrderedReader(try source(plan, &progress), workers: workers)
        }
    }

    /// Runs a plan to its end and hands every batch to `sink`.
    func run(_ plan: LogicalPlan, into sink: (ColumnBatch) throws(FirnError) -> Void) throws(FirnError) {
        let result = stream(plan)
        while let batch = try result.next() { try sink(batch) }
    }

    /// What was made of a plan so far.
    private struct Progress {
        var numbers = OperatorNumbers()
        var shared: [ObjectIdentifier: SharedRows] = [:]
    }

    /// The operator of a plan's root. Numbers operators depth first, as `ExecutionProfile` does.
    private func source(_ plan: LogicalPlan, _ progress: inout Progress) throws(FirnError) -> any BatchSource {
        let number = progress.numbers.take()
        let counters = profile?[number]
        let made = try unprofiledSource(plan, counters, &progress)
        guard let counters else { return made }
        return ProfiledSource(input: made, counters: counters)
    }

    private func unprofiledSource(
        _ plan: LogicalPlan, _ counters: OperatorCounters?, _ progress: inout Progress
    ) throws(FirnError) -> any BatchSource {
        switch plan {
        case .scan(let scan):
            return try ScanSource(
                scan, rows: try snapshot.rows(of: scan.table.id), taskRowsMin: scanTaskRowsMin, evaluator: evaluator,
                counters: counters, damage: damage)
        case .values(let rows, let columns):
            return ValuesSource.make(rows: rows, columns: columns, evaluator: evaluator, memory: memory)
        case .series(let series):
            return try SeriesSource.make(series, evaluator: evaluator)
        case .catalogue(let scan):
            return CatalogueSource.make(scan, snapshot: snapshot, evaluator: evaluator)
        case .filter(let input, let predicate):
            return FilterSource(
                input: try source(input, &progress), predicate: predicate, evaluator: evaluator)
        case .project(let input, let expressions, _):
            return ProjectSource(
                input: try source(input, &progress), expressions: expressions, evaluator: evaluator)
        case .aggregate(let input, let keys, let aggregates, let columns):
            return try AggregateSource(
                input: try source(input, &progress), keys: keys, aggregates: aggregates, columns: columns,
                evaluator: evaluator, workers: workers, memory: memory)
        case .distinct(let input):
            let columns = input.columns
            let keys = columns.indices.map { BoundExpression(.column($0), columns[$0].type) }
            return try AggregateSource(
                input: try source(input, &progress), keys: keys, aggregates: [], columns: columns,
                evaluator: evaluator, workers: workers, memory: memory)
        case .sort(let input, let keys):
            return SortSource(
                input: try source(input, &progress), keys: keys, types: input.columns.map(\.type), rowsMax: nil,
                offset: 0, evaluator: evaluator, workers: workers, memory: memory)
        case .topRows(let input, let keys, let limit, let offset):
            return SortSource(
                input: try source(input, &progress), keys: keys, types: input.columns.map(\.type),
                rowsMax: limit, offset: offset, evaluator: evaluator, workers: workers, memory: memory)
        case .limit(let input, let limit, let offset):
            return LimitSource.make(
                try source(input, &progress), limit: limit, offset: offset, workers: workers)
        case .append(let inputs, _):
            var sources: [any BatchSource] = []
            for input in inputs { sources.append(try source(input, &progress)) }
            return AppendedSource(sources)
        case .common(let rows):
            if let shared = progress.shared[ObjectIdentifier(rows)] { return shared.source }
            _ = progress.numbers.isFirst(rows)
            let input = try source(rows.plan, &progress)
            guard rows.referenceCount > 1 else { return input }
            let shared = SharedRows(input, workers: workers, memory: memory)
            progress.shared[ObjectIdentifier(rows)] = shared
            return shared.source
        }
    }
}

/// The rows of a running statement, pulled batch by batch on the caller's thread.
///
/// Thread-safe: calls from several threads take turns. Dropping it, or `close()`, ends the statement.
final class ResultStream: Sendable {
    let columns: [OutputColumn]
    /// What was left out so far.
    let damage: DamageReport?
    private let notice: @Sendable (Notice) -> Void
    private let state: DeepValue<State>

    // @unchecked Sendable: a reader is touched under the lock alone.
    private enum State: @unchecked Sendable {
        case unopened(@Sendable () throws(FirnError) -> any BatchReader)
        case open(any BatchReader)
        case ended
    }

    init(
        columns: [OutputColumn], isTall: Bool = false, damage: DamageReport? = nil,
        notice: @escaping @Sendable (Notice) -> Void = { _ in },
        _ open: @escaping @Sendable () throws(FirnError) -> any BatchReader
    ) {
        self.columns = columns
        self.damage = damage
        self.notice = notice
        state = DeepValue(.unopened(open), isTall: isTall)
    }

    /// The next rows; nil at the end and ever after. Blocks: not for the cooperative pool.
    func next() throws(FirnError) -> ColumnBatch? {
        let (damage, notice) = (damage, notice)
        return try state.use { state throws(FirnError) -> ColumnBatch? in
            do throws(FirnError) {
                let reader: any BatchReader
                switch state {
                case .ended: return nil
                case .open(let opened): reader = opened
                case .unopened(let open):
                    reader = try open()
                    state = .open(reader)
                }
                if let batch = try reader.next() { return batch }
                state = .ended
                for found in damage?.notices ?? [] { notice(found) }
                return nil
            } catch {
                state = .ended
                throw error
            }
        }
    }

    /// Drops all that the statement holds; `next` answers nil from now on.
    func close() throws(FirnError) { try state.use { state throws(FirnError) in state = .ended } }
}
