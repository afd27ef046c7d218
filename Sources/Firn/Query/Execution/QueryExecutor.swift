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

    init(
        snapshot: any DatabaseSnapshot, context: EvaluationContext, workers: Workers,
        memory: MemoryBudget = MemoryBudget(bytesMax: MemoryBudget.bytesMaxDefault), profile: ExecutionProfile? = nil,
        scanTaskRowsMin: Int = ScanSource.taskRowsMinDefault
    ) {
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
    func stream(_ plan: LogicalPlan) -> ResultStream {
        ResultStream(columns: plan.columns) { () throws(FirnError) -> any BatchReader in
            var operatorNumber = 0
            return OrderedReader(try source(plan, &operatorNumber), workers: workers)
        }
    }

    /// Runs a plan to its end and hands every batch to `sink`.
    func run(_ plan: LogicalPlan, into sink: (ColumnBatch) throws(FirnError) -> Void) throws(FirnError) {
        let result = stream(plan)
        while let batch = try result.next() { try sink(batch) }
    }

    /// The operator of a plan's root. Numbers operators depth first, as `ExecutionProfile` does.
    private func source(_ plan: LogicalPlan, _ operatorNumber: inout Int) throws(FirnError) -> any BatchSource {
        let counters = profile?[operatorNumber]
        operatorNumber += 1
        let made = try unprofiledSource(plan, counters, &operatorNumber)
        guard let counters else { return made }
        return ProfiledSource(input: made, counters: counters)
    }

    private func unprofiledSource(
        _ plan: LogicalPlan, _ counters: OperatorCounters?, _ operatorNumber: inout Int
    ) throws(FirnError) -> any BatchSource {
        switch plan {
        case .scan(let scan):
            return try ScanSource(
                scan, rows: try snapshot.rows(of: scan.table.id), taskRowsMin: scanTaskRowsMin, evaluator: evaluator,
                counters: counters)
        case .values(let rows, let columns):
            return ValuesSource.make(rows: rows, columns: columns, evaluator: evaluator)
        case .series(let series):
            return try SeriesSource.make(series, evaluator: evaluator)
        case .catalogue(let scan):
            return CatalogueSource.make(scan, snapshot: snapshot, evaluator: evaluator)
        case .filter(let input, let predicate):
            return FilterSource(
                input: try source(input, &operatorNumber), predicate: predicate, evaluator: evaluator)
        case .project(let input, let expressions, _):
            return ProjectSource(
                input: try source(input, &operatorNumber), expressions: expressions, evaluator: evaluator)
        case .aggregate(let input, let keys, let aggregates, let columns):
            return try AggregateSource(
                input: try source(input, &operatorNumber), keys: keys, aggregates: aggregates, columns: columns,
                evaluator: evaluator, workers: workers, memory: memory)
        case .distinct(let input):
            let columns = input.columns
            let keys = columns.indices.map { BoundExpression(.column($0), columns[$0].type) }
            return try AggregateSource(
                input: try source(input, &operatorNumber), keys: keys, aggregates: [], columns: columns,
                evaluator: evaluator, workers: workers, memory: memory)
        case .sort(let input, let keys):
            return SortSource(
                input: try source(input, &operatorNumber), keys: keys, types: input.columns.map(\.type), rowsMax: nil,
                offset: 0, evaluator: evaluator, workers: workers, memory: memory)
        case .topRows(let input, let keys, let limit, let offset):
            return SortSource(
                input: try source(input, &operatorNumber), keys: keys, types: input.columns.map(\.type),
                rowsMax: limit, offset: offset, evaluator: evaluator, workers: workers, memory: memory)
        case .limit(let input, let limit, let offset):
            return LimitSource.make(
                try source(input, &operatorNumber), limit: limit, offset: offset, workers: workers)
        case .append(let inputs, _):
            var sources: [any BatchSource] = []
            for input in inputs { sources.append(try source(input, &operatorNumber)) }
            return AppendedSource(sources)
        }
    }
}

/// The rows of a running statement, pulled batch by batch on the caller's thread.
///
/// Thread-safe: calls from several threads take turns. Dropping it, or `close()`, ends the statement.
final class ResultStream: Sendable {
    let columns: [OutputColumn]
    private let state: Mutex<State>

    private enum State {
        case unopened(@Sendable () throws(FirnError) -> any BatchReader)
        case open(any BatchReader)
        case ended
    }

    init(columns: [OutputColumn], _ open: @escaping @Sendable () throws(FirnError) -> any BatchReader) {
        self.columns = columns
        state = Mutex(.unopened(open))
    }

    /// The next rows; nil at the end and ever after. Blocks: not for the cooperative pool.
    func next() throws(FirnError) -> ColumnBatch? {
        try state.withLock { state throws(FirnError) -> ColumnBatch? in
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
                return nil
            } catch {
                state = .ended
                throw error
            }
        }
    }

    /// Drops all that the statement holds; `next` answers nil from now on.
    func close() { state.withLock { $0 = .ended } }
}
