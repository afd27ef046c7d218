// SPDX-License-Identifier: Apache-2.0
//
// Reads all parts of a source in their order, with other threads reading ahead.
//
// The consumer reads the first part by itself: a LIMIT that is satisfied by it reads nothing else. Once it moves
// on, helpers fill the parts ahead, at most a window of them, and end as soon as the window is full: no thread
// ever waits for a slow consumer. The consumer reads a part by itself when no helper has begun it, and goes on with one
// of which a helper has read as many bytes as may wait.

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

    /// Of a source of one part, as those are that know their rows.
    func skip(_ rowCount: Int) throws(FirnError) -> Int {
        guard source.partCount == 1, part <= 0 else { return 0 }
        if part < 0 {
            part = 0
            current = try source.reader(ofPart: 0)
        }
        return try current?.skip(rowCount) ?? 0
    }

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
            if let read = try readAhead?.take(part: part) {
                current = read
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
        /// Batches, and the reader of those behind them where there are any.
        case done([ColumnBatch], rest: Unfinished?)
        case failed(FirnError)
    }

    /// A reader that a helper hands over.
    private struct Unfinished: @unchecked Sendable {
        // Sendable: the helper lets go of the reader under the lock under which the consumer takes it.
        let reader: any BatchReader
    }

    /// Bytes that a helper reads of one part before the consumer comes to it: 16 MiB, several row groups of numbers.
    private static let partBytesMax = 16 << 20

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
    func take(part: Int) throws(FirnError) -> (any BatchReader)? {
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
        case .done(let batches, let rest): return ReadBatches(batches, rest?.reader)
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
            // Statements share the threads part by part.
            if let executor = workers.executor, executor.hasWaitingWork {
                if executor.resubmit("query", { self.help() }) != .accepted {
                    state.withLock { $0.helperCount -= 1 }
                }
                return
            }
        }
    }

    private func read(_ part: Int) -> Slot {
        do throws(FirnError) {
            let reader = try source.reader(ofPart: part)
            var batches: [ColumnBatch] = []
            var byteCount = 0
            while let batch = try reader.next() {
                batches.append(batch)
                byteCount += batch.byteCount
                if byteCount >= Self.partBytesMax { return .done(batches, rest: Unfinished(reader: reader)) }
                if state.withLock({ $0.isClosed }) { break }
            }
            return .done(batches, rest: nil)
        } catch {
            return .failed(error)
        }
    }
}

/// Batches that were read ahead, then those that were not.
private final class ReadBatches: BatchReader {
    private var batches: ArraySlice<ColumnBatch>
    private let rest: (any BatchReader)?
    private(set) var order: [Int] = []

    init(_ batches: [ColumnBatch], _ rest: (any BatchReader)?) {
        self.batches = batches[...]
        self.rest = rest
    }

    func next() throws(FirnError) -> ColumnBatch? {
        if let batch = batches.popFirst() { return batch }
        guard let rest else { return nil }
        let batch = try rest.next()
        order = rest.order
        return batch
    }
}
