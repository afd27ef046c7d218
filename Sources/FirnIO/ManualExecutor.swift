// SPDX-License-Identifier: Apache-2.0
//
// An executor without threads: work waits until a test runs it, step by step, on the test's thread.

import Synchronization

/// Keeps submitted work until it is run by hand: one interleaving, chosen by the test.
public final class ManualExecutor: WorkExecutor {
    private struct State {
        var queue: [(name: String, body: @Sendable () -> Void)] = []
        var isShutDown = false
    }

    private let state = Mutex(State())

    /// An executor with nothing to do.
    public init() {}

    /// Keeps the work.
    @discardableResult
    public func submit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission {
        state.withLock { state in
            guard !state.isShutDown else { return .refused }
            state.queue.append((name, work))
            return .accepted
        }
    }

    /// Names of the work that waits, oldest first.
    public var waitingNames: [String] { state.withLock { $0.queue.map(\.name) } }

    /// Runs the oldest work that waits, and returns its name; nil when there is none.
    @discardableResult
    public func runNext() -> String? { run(at: 0) }

    /// Runs the work at `position` among those that wait, out of turn; nil when there is none there.
    @discardableResult
    public func run(at position: Int) -> String? {
        let work = state.withLock { state in
            state.queue.indices.contains(position) ? state.queue.remove(at: position) : nil
        }
        guard let work else { return nil }
        work.body()
        return work.name
    }

    /// Runs until nothing waits, what the work itself submits included; returns how many ran.
    @discardableResult
    public func runAll() -> Int {
        var ranCount = 0
        while runNext() != nil { ranCount += 1 }
        return ranCount
    }

    /// Forgets what waits, as a process that dies does; returns how many there were.
    @discardableResult
    public func discardAll() -> Int {
        state.withLock { state in
            defer { state.queue = [] }
            return state.queue.count
        }
    }

    /// Runs all that waits, and refuses work from then on.
    public func shutDown() {
        state.withLock { $0.isShutDown = true }
        runAll()
    }
}
