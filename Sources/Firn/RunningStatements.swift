// SPDX-License-Identifier: Apache-2.0
//
// The statements of a database that have begun and whose rows were not read to their end: so that closing can end
// them, and so that the logger and the metrics hear of each once.

import FirnIO
import Synchronization

/// The statements that run. Thread-safe.
final class RunningStatements: Sendable {
    private struct State {
        var statements: [ObjectIdentifier: CancellationFlag] = [:]
        /// Threads that compute rows of a statement now.
        var readerCount = 0
        var isClosed = false
    }

    private let state = ConditionLock(State())
    let observer: DatabaseObserver
    let clock: any TimeSource

    init(observer: DatabaseObserver, clock: any TimeSource) {
        self.observer = observer
        self.clock = clock
    }

    /// Statements that have begun and are not over.
    var count: Int { state.withLock { $0.statements.count } }

    /// Begins a statement. Throws 57P01 once the database is closed.
    ///
    /// - Parameter range: where the statement stands in `sql`, in bytes.
    func begin(
        _ sql: String, of range: Range<Int>, _ cancellation: CancellationFlag, timeoutMilliseconds: Int
    ) throws(FirnError) -> RunningStatement {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.statements[ObjectIdentifier(cancellation)] = cancellation }
            return state.isClosed
        }
        if isClosed { throw FirnError(.databaseClosed, "the database is closed") }
        if timeoutMilliseconds > 0 { cancellation.setDeadline(.init(after: timeoutMilliseconds, on: clock)) }
        return RunningStatement(self, sql, range, cancellation, timeoutMilliseconds: timeoutMilliseconds)
    }

    fileprivate func end(_ cancellation: CancellationFlag) {
        state.withLock { _ = $0.statements.removeValue(forKey: ObjectIdentifier(cancellation)) }
    }

    fileprivate func changeReaders(by change: Int) {
        state.withLock { $0.readerCount += change }
        state.broadcast()
    }

    /// Cancels all statements, lets none begin, and waits until no rows are computed any more.
    func close() {
        let statements = state.withLock { state in
            state.isClosed = true
            return state.statements.values.map { $0 }
        }
        for statement in statements { statement.cancel(.closing) }
        state.wait(until: { $0.readerCount == 0 }, then: { _ in })
    }
}

/// A statement from its beginning until its last row was read, or it was let go.
final class RunningStatement: Sendable {
    private let statements: RunningStatements
    let cancellation: CancellationFlag
    private let source: String
    private let range: Range<Int>
    private let beganNanoseconds: UInt64
    private let rowCount = Atomic<Int>(0)
    private let isOver = Atomic<Bool>(false)
    /// Cancels when the time is over, for a statement that waits and does not look at its deadline.
    private let timer: Task<Void, Never>?

    fileprivate init(
        _ statements: RunningStatements, _ source: String, _ range: Range<Int>, _ cancellation: CancellationFlag,
        timeoutMilliseconds: Int
    ) {
        self.statements = statements
        self.cancellation = cancellation
        self.source = source
        self.range = range
        beganNanoseconds = statements.clock.monotonicNanoseconds()
        timer =
            timeoutMilliseconds > 0
            ? Task.detached { [weak cancellation] in
                do {
                    try await Task.sleep(nanoseconds: UInt64(timeoutMilliseconds) * 1_000_000)
                    cancellation?.cancel(.timeout)
                } catch {
                    // The statement was over before its time.
                }
            } : nil
    }

    deinit { finish(nil) }

    /// Runs the statement up to its outcome.
    func run<Result>(_ body: () throws(FirnError) -> Result) throws(FirnError) -> Result {
        do throws(FirnError) {
            try cancellation.check()
            return try cancellation.turn.during(body)
        } catch {
            finish(error)
            throw error
        }
    }

    /// Computes some rows of the statement; nil at their end.
    func read(_ body: () throws(FirnError) -> ColumnBatch?) throws(FirnError) -> ColumnBatch? {
        statements.changeReaders(by: 1)
        defer { statements.changeReaders(by: -1) }
        do throws(FirnError) {
            let batch = try cancellation.turn.during(body)
            if let batch { rowCount.wrappingAdd(batch.rowCount, ordering: .relaxed) } else { finish(nil) }
            return batch
        } catch {
            finish(error)
            throw error
        }
    }

    /// The statement alone, out of its script.
    private var text: Substring {
        let utf8 = source.utf8
        guard let start = utf8.index(utf8.startIndex, offsetBy: range.lowerBound, limitedBy: utf8.endIndex),
            let end = utf8.index(start, offsetBy: range.count, limitedBy: utf8.endIndex)
        else { return source[...] }
        return source[start..<end]
    }

    /// The statement is over; the first call counts.
    func finish(_ error: FirnError?) {
        guard !isOver.exchange(true, ordering: .relaxed) else { return }
        timer?.cancel()
        statements.end(cancellation)
        statements.observer.statementEnded(
            text, nanoseconds: statements.clock.monotonicNanoseconds() - beganNanoseconds,
            rowCount: rowCount.load(ordering: .relaxed), error: error)
    }
}
