// SPDX-License-Identifier: Apache-2.0
//
// Reads all parts of a source in their order, with other threads reading ahead.
//
// The consumer reads the first part by itself: a LIMIT that is satisfied by it reads nothing else. Once it moves
// on, helpers fill the parts ahead, at most a window of them, and end as soon as the window is full: no thread
// ever waits for a slow consumer. The consumer reads a part by itself when no helper has begun it.

import FirnIO

/// The rows of all parts of a source, in order.
final class OrderedReader: BatchReader {
    private let source: any BatchSource
    private let readAhead: ReadAhead?
    private var part = -1
    private var current: (any BatchReader)?
    private(set) var order: [Int] = []

    init(_ source: any BatchSource, workers: Workers) {
        self.source = source
        readAhead = source.partCount > 1 && workers.threadCount > 1 ? ReadAhead(source, workers) : nil
    }

    deinit { readAhead?.close() }

    func next() throws(FirnError) -> ColumnBatch? {
        while true {
            if let reader = current {
                if let batch = try reader.next() {
                    order = reader.order
                    return batch
                }
                current = nil
            }
            guard part + 1 < source.partCount else { return nil }
            part += 1
            if let batches = try readAhead?.take(part: part) {
                current = BufferedReader(batches)
            } else {
                current = try source.reader(ofPart: part)
            }
        }
    }
}

/// Parts that helpers have read before the consumer came to them.
private final class ReadAhead: Sendable {
    private enum Slot {
        case untouched, running
        case done([ColumnBatch])
        case failed(FirnError)
    }

    private struct State {
        var slots: [Slot]
        /// The first part that nobody has begun.
        var nextPart = 0
        /// Helpers must not begin parts at or beyond it.
        var windowEnd = 0
        var helperCount = 0
        var isClosed = false
    }

    private let source: any BatchSource
    private let workers: Workers
    private let state: ConditionLock<State>

    init(_ source: any BatchSource, _ workers: Workers) {
        self.source = source
        self.workers = workers
        state = ConditionLock(State(slots: [Slot](repeating: .untouched, count: source.partCount)))
    }

    /// The rows of a part that a helper has read or is reading; nil when the consumer shall read it by itself.
    func take(part: Int) throws(FirnError) -> [ColumnBatch]? {
        let slotCount = source.partCount
        let missingHelpers = state.withLock { state in
            if part == state.nextPart { state.nextPart += 1 }
            // Reading ahead begins with the second part.
            state.windowEnd = part == 0 ? 0 : min(slotCount, part + 1 + 2 * workers.threadCount)
            let wanted = min(workers.threadCount - 1, max(0, state.windowEnd - state.nextPart))
            let missing = max(0, wanted - state.helperCount)
            state.helperCount += missing
            return missing
        }
        for _ in 0..<missingHelpers {
            if workers.executor?.submit("query", { self.help() }) != .accepted {
                state.withLock { $0.helperCount -= 1 }
            }
        }
        let isOwn = state.withLock { state in
            if case .untouched = state.slots[part] { return true }
            return false
        }
        if isOwn { return nil }
        let slot = state.wait(
            until: { state in
                if case .running = state.slots[part] { return false }
                return true
            },
            then: { state in
                let slot = state.slots[part]
                state.slots[part] = .untouched
                return slot
            })
        switch slot {
        case .done(let batches): return batches
        case .failed(let error): throw error
        case .untouched, .running: preconditionFailure("a part that was begun is done or has failed")
        }
    }

    /// Begins no further part. Helpers that run end at their next batch.
    func close() { state.withLock { $0.isClosed = true } }

    private func help() {
        while true {
            let part: Int? = state.withLock { state in
                guard !state.isClosed, state.nextPart < state.windowEnd else {
                    state.helperCount -= 1
                    return nil
                }
                state.slots[state.nextPart] = .running
                state.nextPart += 1
                return state.nextPart - 1
            }
            guard let part else { return }
            let slot = read(part)
            state.withLock { $0.slots[part] = slot }
            state.broadcast()
        }
    }

    private func read(_ part: Int) -> Slot {
        do throws(FirnError) {
            let reader = try source.reader(ofPart: part)
            var batches: [ColumnBatch] = []
            while let batch = try reader.next() {
                batches.append(batch)
                if state.withLock({ $0.isClosed }) { break }
            }
            return .done(batches)
        } catch {
            return .failed(error)
        }
    }
}
