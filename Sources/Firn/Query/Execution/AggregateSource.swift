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
        program = try AggregateProgram(keys: keys, aggregates: aggregates)
        self.evaluator = evaluator
        self.workers = workers
        self.memory = memory
    }

    var partCount: Int { 1 }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        let merger = PartialMerger()
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
                try partial.add(batch, order: reader.order)
            }
            try merger.deposit(partial, part: part)
        }
        return merger.result() ?? PartialAggregation(program, evaluator, memory).results(from: 0)
    }
}

/// Merges partial aggregations in the order of their parts.
private final class PartialMerger: Sendable {
    // @unchecked Sendable: a partial is used by one thread at a time. The thread that made it hands it over under the
    // lock and forgets it; afterwards only the thread that set `isMerging`, or the caller at the end, touches it.
    private struct Box: @unchecked Sendable {
        let partial: PartialAggregation
    }

    private struct State {
        var waiting: [Int: Box] = [:]
        var nextPart = 0
        var chain = AggregationChain()
        var isMerging = false
    }

    private let state = Mutex(State())

    /// Takes a finished partial, and merges all that are next in order unless another thread is doing so.
    func deposit(_ partial: PartialAggregation, part: Int) throws(FirnError) {
        let box = Box(partial: partial)
        state.withLock { $0.waiting[part] = box }
        while true {
            let work: (chain: AggregationChain, next: Box)? = state.withLock { state in
                guard !state.isMerging, let next = state.waiting.removeValue(forKey: state.nextPart) else { return nil }
                state.isMerging = true
                defer { state.chain = AggregationChain() }
                return (state.chain, next)
            }
            guard let (handed, next) = work else { return }
            var chain = handed
            // After an error nothing more is merged: `isMerging` stays set and the statement fails.
            try chain.append(next.partial)
            state.withLock { state in
                state.chain = chain
                state.nextPart += 1
                state.isMerging = false
            }
        }
    }

    /// The groups of all parts; nil where there were none.
    func result() -> (any BatchReader)? { state.withLock { $0.chain }.reader() }
}

/// Partial aggregations whose groups follow each other.
///
/// Parts of a sorted table have ascending keys and touch in one group at most. Then nothing is copied together: the
/// shared group is merged into the earlier part, and results are read from one part after the other. The first part
/// that does not continue so makes one aggregation of all.
private struct AggregationChain: @unchecked Sendable {
    // @unchecked Sendable: moves between threads under the merger's lock, one owner at a time.
    private var links: [(partial: PartialAggregation, firstGroup: Int)] = []
    private var isMerged = false

    mutating func append(_ next: PartialAggregation) throws(FirnError) {
        guard let last = links.last?.partial else {
            links = [(next, 0)]
            return
        }
        if next.groupCount == 0 { return }
        if !isMerged {
            if last.groupCount == 0 {
                links = [(next, 0)]
                return
            }
            switch last.continuation(by: next) {
            case .beyond?:
                links.append((next, 0))
                return
            case .overlapping?:
                try last.mergeLastGroup(withFirstOf: next)
                if next.groupCount > 1 { links.append((next, 1)) }
                return
            case nil:
                try mergeLinks()
            }
        }
        try links[0].partial.merge(next)
    }

    /// Makes one aggregation of all that follow each other so far.
    private mutating func mergeLinks() throws(FirnError) {
        isMerged = true
        let first = links[0].partial
        for link in links.dropFirst() { try first.merge(link.partial, from: link.firstGroup) }
        links = [(first, 0)]
    }

    func reader() -> (any BatchReader)? {
        if links.isEmpty { return nil }
        var rest = links[...]
        var current: (any BatchReader)?
        return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
            while true {
                if let batch = try current?.next() { return batch }
                guard let link = rest.popFirst() else { return nil }
                current = link.partial.results(from: link.firstGroup)
            }
        }
    }
}
