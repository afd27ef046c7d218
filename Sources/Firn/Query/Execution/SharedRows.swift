// SPDX-License-Identifier: Apache-2.0
//
// Rows that several operators read and that are computed once: a WITH query that is named twice.
//
// The first reader that gets to a batch computes it, all others find it. What was computed is kept until the statement
// ends, within its memory budget. Readers wait for each other batch by batch; since WITH queries refer only to earlier
// ones, they never wait in a circle.

import Synchronization

final class SharedRows: Sendable {
    private let input: any BatchSource
    private let workers: Workers
    private let memory: HeldMemory
    private let state = Mutex(State())

    // @unchecked Sendable: the reader is touched under the lock alone.
    private struct State: @unchecked Sendable {
        var reader: OrderedReader?
        var batches: [ColumnBatch] = []
        var hasEnded = false
        var failure: FirnError?
    }

    init(_ input: any BatchSource, workers: Workers, memory: MemoryBudget) {
        self.input = input
        self.workers = workers
        self.memory = HeldMemory(memory)
    }

    /// All the rows, for one more reader.
    var source: SinglePartSource {
        SinglePartSource { () throws(FirnError) -> any BatchReader in
            var index = 0
            return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
                guard let batch = try self.batch(index) else { return nil }
                index += 1
                return batch
            }
        }
    }

    private func batch(_ index: Int) throws(FirnError) -> ColumnBatch? {
        try state.withLock { state throws(FirnError) -> ColumnBatch? in
            if index < state.batches.count { return state.batches[index] }
            if let failure = state.failure { throw failure }
            if state.hasEnded { return nil }
            do throws(FirnError) {
                let reader = state.reader ?? OrderedReader(input, workers: workers)
                state.reader = reader
                guard let batch = try reader.next() else {
                    state.hasEnded = true
                    state.reader = nil
                    return nil
                }
                try memory.reserve(batch.byteCount)
                state.batches.append(batch)
                return batch
            } catch {
                state.failure = error
                state.reader = nil
                throw error
            }
        }
    }
}
