// SPDX-License-Identifier: Apache-2.0
//
// Tells a running statement, from any thread, that its answer is no longer wanted, and why.
//
// A statement asks once a block (`check`). That is also where it notices that its time is over, and where a statement
// that has computed for long waits for its turn (ComputeTurns.swift).

import FirnIO
import Synchronization

/// Set once by whoever cancels; read by the statement once a block.
final class CancellationFlag: Sendable {
    /// Why a statement ends before its end.
    enum Reason: UInt8, Sendable {
        case user = 1
        case timeout
        case closing
    }

    /// When a statement's time is over, on a clock that a test may move.
    struct Deadline: Sendable {
        let clock: any TimeSource
        let nanoseconds: UInt64

        init(after milliseconds: Int, on clock: any TimeSource) {
            self.clock = clock
            nanoseconds = clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        }

        var hasPassed: Bool { clock.monotonicNanoseconds() >= nanoseconds }
    }

    private struct Observers {
        var next = 0
        var bodies: [Int: @Sendable (FirnError) -> Void] = [:]
    }

    private let reason = Atomic<UInt8>(0)
    private let deadline = Mutex<Deadline?>(nil)
    private let hasDeadline = Atomic<Bool>(false)
    private let observers = Mutex(Observers())
    /// The statement's share of the processors.
    let turn: ComputeTurn

    init(turns: ComputeTurns = .shared) { turn = ComputeTurn(turns) }

    /// Asks the statement to stop. Any thread, any number of times; the first reason counts.
    func cancel(_ why: Reason = .user) {
        guard reason.compareExchange(expected: 0, desired: why.rawValue, ordering: .sequentiallyConsistent).exchanged
        else { return }
        turn.wake()
        let bodies = observers.withLock { observers in
            defer { observers.bodies = [:] }
            return observers.bodies.values.map { $0 }
        }
        for body in bodies { body(error(why)) }
    }

    /// Ends the statement when this time has come, counted from its beginning.
    func setDeadline(_ deadline: Deadline) {
        self.deadline.withLock { $0 = deadline }
        hasDeadline.store(true, ordering: .releasing)
    }

    var isCancelled: Bool { reason.load(ordering: .relaxed) != 0 }

    /// Throws 57014 once `cancel` was called or the statement's time is over, 57P01 once the database is being closed.
    func check() throws(FirnError) {
        try throwIfCancelled()
        turn.checkpoint { isOver }
        if isOver, !isCancelled { cancel(.timeout) }
        try throwIfCancelled()
    }

    private var isOver: Bool {
        isCancelled || (hasDeadline.load(ordering: .acquiring) && deadline.withLock { $0?.hasPassed ?? false })
    }

    private func throwIfCancelled() throws(FirnError) {
        if let why = Reason(rawValue: reason.load(ordering: .relaxed)) { throw error(why) }
    }

    private func error(_ why: Reason) -> FirnError {
        switch why {
        case .user: FirnError(.queryCanceled, "canceling statement due to user request")
        case .timeout: FirnError(.queryCanceled, "canceling statement due to statement timeout")
        case .closing: FirnError(.databaseClosed, "canceling statement because the database is being closed")
        }
    }

    /// Calls `body`, once, on the thread that cancels; at once where that has happened. Nil then, else what
    /// `removeObserver` takes.
    func observe(_ body: @escaping @Sendable (FirnError) -> Void) -> Int? {
        let number = observers.withLock { observers -> Int? in
            // Read under the lock: whoever cancels sets the reason first and takes the observers then.
            guard reason.load(ordering: .sequentiallyConsistent) == 0 else { return nil }
            observers.next += 1
            observers.bodies[observers.next] = body
            return observers.next
        }
        if number == nil, let why = Reason(rawValue: reason.load(ordering: .relaxed)) { body(error(why)) }
        return number
    }

    func removeObserver(_ number: Int?) {
        guard let number else { return }
        observers.withLock { _ = $0.bodies.removeValue(forKey: number) }
    }
}
