// SPDX-License-Identifier: Apache-2.0
//
// What each operator did, for EXPLAIN ANALYZE: rows, time, row groups read and skipped, threads.
//
// Counters are addressed by the operator's number in the plan: the root is 0, then its inputs, depth first.

import FirnIO
import Synchronization

/// The counters of all operators of one plan. Thread-safe.
final class ExecutionProfile: Sendable {
    private let counters: Mutex<[Int: OperatorCounters]> = Mutex([:])

    /// The counters of the operator with this number.
    subscript(operatorNumber: Int) -> OperatorCounters {
        counters.withLock { counters in
            if let existing = counters[operatorNumber] { return existing }
            let made = OperatorCounters()
            counters[operatorNumber] = made
            return made
        }
    }
}

/// What one operator did so far. Thread-safe.
final class OperatorCounters: Sendable {
    private let rows = Atomic<Int>(0)
    private let filteredRows = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int>(0)
    private let readMorsels = Atomic<Int>(0)
    private let skippedMorsels = Atomic<Int>(0)
    private let active = Atomic<Int>(0)
    private let activePeak = Atomic<Int>(0)

    /// Rows that the operator passed on.
    var rowCount: Int { rows.load(ordering: .relaxed) }
    /// Rows that its own condition removed.
    var filteredRowCount: Int { filteredRows.load(ordering: .relaxed) }
    /// Time spent in the operator and its inputs, summed over threads.
    var elapsedNanoseconds: Int { nanoseconds.load(ordering: .relaxed) }
    /// Row groups and memtable batches that were opened.
    var readMorselCount: Int { readMorsels.load(ordering: .relaxed) }
    /// Row groups that pruning left out.
    var skippedMorselCount: Int { skippedMorsels.load(ordering: .relaxed) }
    /// Most threads that were inside the operator at once.
    var threadCountPeak: Int { activePeak.load(ordering: .relaxed) }

    func addRows(_ count: Int) { rows.wrappingAdd(count, ordering: .relaxed) }
    func addFilteredRows(_ count: Int) { filteredRows.wrappingAdd(count, ordering: .relaxed) }
    func addReadMorsels(_ count: Int) { readMorsels.wrappingAdd(count, ordering: .relaxed) }
    func addSkippedMorsels(_ count: Int) { skippedMorsels.wrappingAdd(count, ordering: .relaxed) }

    /// Measures one visit of a thread.
    func measure<Result>(_ body: () throws(FirnError) -> Result) throws(FirnError) -> Result {
        let clock = SystemTimeSource()
        let start = clock.monotonicNanoseconds()
        let inside = active.wrappingAdd(1, ordering: .relaxed).newValue
        _ = activePeak.max(inside, ordering: .relaxed)
        defer {
            active.wrappingSubtract(1, ordering: .relaxed)
            nanoseconds.wrappingAdd(Int(clock.monotonicNanoseconds() - start), ordering: .relaxed)
        }
        return try body()
    }
}

/// A source whose rows and time are counted.
struct ProfiledSource: BatchSource {
    let input: any BatchSource
    let counters: OperatorCounters

    var partCount: Int { input.partCount }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        ProfiledReader(
            try counters.measure { () throws(FirnError) in try input.reader(ofPart: part) }, counters)
    }

    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? { input.bounds(ofPart: part, column: column) }
}

private final class ProfiledReader: BatchReader {
    private let input: any BatchReader
    private let counters: OperatorCounters

    init(_ input: any BatchReader, _ counters: OperatorCounters) {
        self.input = input
        self.counters = counters
    }

    var order: [Int] { input.order }

    func next() throws(FirnError) -> ColumnBatch? {
        let batch = try counters.measure { () throws(FirnError) in try input.next() }
        if let batch { counters.addRows(batch.rowCount) }
        return batch
    }
}

/// Numbers the operators of a plan depth first from 0; what is computed once is numbered where it is first read.
struct OperatorNumbers {
    private var next = 0
    private var seen: Set<ObjectIdentifier> = []

    mutating func take() -> Int {
        defer { next += 1 }
        return next
    }

    /// Whether these rows were not met before.
    mutating func isFirst(_ rows: CommonRows) -> Bool { seen.insert(ObjectIdentifier(rows)).inserted }
}
