// SPDX-License-Identifier: Apache-2.0
//
// GROUP BY: each part of the input into a partial aggregation, by as many threads as there are; partials merge in
// the order of the parts.
//
// The result is therefore the same for any number of threads, bit for bit, and groups come in the order of their
// first rows. Partials that are done merge at once, by whichever thread finished the next one in order, so that few
// are ever held.

import Synchronization

/// The groups of an input and their aggregates: one part.
struct AggregateSource: BatchSource {
    private let input: any BatchSource
    private let program: AggregateProgram
    private let evaluator: BlockEvaluator
    private let workers: Workers
    private let memory: MemoryBudget

    init(
        input: any BatchSource, keys: [BoundExpression], aggregates: [BoundAggregate], columns: [OutputColumn],
        evaluator: BlockEvaluator, workers: Workers, memory: MemoryBudget
    ) throws(FirnError) {
        self.input = input
        program = try AggregateProgram(keys: keys, aggregates: aggregates, memory: memory)
        self.evaluator = evaluator
        self.workers = workers
        self.memory = memory
    }

    var partCount: Int { 1 }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        let merger = PartialMerger(MergedAggregation(program, evaluator, memory))
        let input = input
        let program = program
        let evaluator = evaluator
        let memory = memory
        try workers.perform(taskCount: input.partCount) { part throws(FirnError) in
            let partial = PartialAggregation(program, evaluator, memory)
            let reader = try input.reader(ofPart: part)
            while let batch = try reader.next() {
                try evaluator.checkCancellation()
                // A batch without columns may have more rows than a column batch; its rows are only counted.
                try Self.add(batch, order: reader.order, to: partial)
            }
            try merger.deposit(partial, part: part)
        }
        return try merger.result().finish().reader(evaluator, workers)
    }

    /// Adds the rows of a batch, in pieces where what is computed from them is large.
    private static func add(
        _ batch: ColumnBatch, order: [Int], to partial: PartialAggregation
    ) throws(FirnError) {
        do throws(FirnError) {
            try partial.add(batch, order: order)
        } catch {
            guard error.isBlockTooLarge, batch.rowCount > 1 else { throw error }
            let middle = batch.rowCount / 2
            try add(batch.slice(0..<middle), order: order, to: partial)
            try add(batch.slice(middle..<batch.rowCount), order: order, to: partial)
        }
    }
}

/// Merges partial aggregations in the order of their parts.
private final class PartialMerger: Sendable {
    // @unchecked Sendable: a partial is used by one thread at a time. The thread that made it hands it over under the
    // lock and forgets it; afterwards only the thread that set `isMerging` touches it and `merged`, or, when all
    // tasks are done, the caller.
    private struct Box<Value>: @unchecked Sendable {
        let value: Value
    }

    private struct State {
        var waiting: [Int: Box<PartialAggregation>] = [:]
        var nextPart = 0
        var isMerging = false
    }

    private let state = Mutex(State())
    private let merged: Box<MergedAggregation>

    init(_ merged: MergedAggregation) { self.merged = Box(value: merged) }

    /// Takes a finished partial, and merges all that are next in order unless another thread is doing so.
    func deposit(_ partial: PartialAggregation, part: Int) throws(FirnError) {
        let box = Box(value: partial)
        state.withLock { $0.waiting[part] = box }
        while true {
            let next: Box<PartialAggregation>? = state.withLock { state in
                guard !state.isMerging, let next = state.waiting.removeValue(forKey: state.nextPart) else { return nil }
                state.isMerging = true
                return next
            }
            guard let next else { return }
            // After an error nothing more is merged: `isMerging` stays set and the statement fails.
            try merged.value.append(next.value)
            state.withLock { state in
                state.nextPart += 1
                state.isMerging = false
            }
        }
    }

    /// All parts merged. Only after the last one was deposited.
    func result() -> MergedAggregation { merged.value }
}
