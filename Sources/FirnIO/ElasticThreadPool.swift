// SPDX-License-Identifier: Apache-2.0
//
// Threads as they are needed: each piece of work begins at once, on an idle thread or on a new one, up to a limit.
//
// For work that may take or wait arbitrarily long, of which one piece must not hold up another. A thread that has had
// nothing to do for a while ends.

import Synchronization

/// Runs submitted work on threads of its own, as many as there is work, up to a limit.
public final class ElasticThreadPool: WorkExecutor {
    private struct Work {
        let number: UInt64
        let body: @Sendable () -> Void
    }

    private struct State {
        var queue: [Work] = []
        var submissionCount: UInt64 = 0
        var threadCount = 0
        /// Threads that wait for work, those that were signalled and have not woken yet among them.
        var idleCount = 0
        var isShutDown = false
    }

    /// What `submit` has to do once the lock is free.
    private enum Step { case refused, wake, start(UInt64), wait }

    private let name: String
    /// Threads at once, at most.
    public let threadCountMax: Int
    private let stackByteCount: Int
    private let state: ConditionLock<State>
    /// Signalled when the last thread of a pool that is shut down ends.
    private let ending = ConditionLock(())

    /// How long a thread waits for more work before it ends.
    private let idleNanoseconds: UInt64

    /// A pool without threads yet; one that has nothing to do ends after `idleNanoseconds`, 5 s where nothing is said.
    public init(
        name: String, threadCountMax: Int, idleNanoseconds: UInt64 = 5_000_000_000,
        stackByteCount: Int = DedicatedThread.stackBytesDefault
    ) {
        self.idleNanoseconds = idleNanoseconds
        precondition(threadCountMax > 0, "a pool without threads would never run its work")
        self.name = name
        self.threadCountMax = threadCountMax
        self.stackByteCount = stackByteCount
        state = ConditionLock(State())
    }

    deinit {
        // The threads hold the state, not the pool: they finish what was accepted, and end.
        state.withLock { $0.isShutDown = true }
        state.broadcast()
    }

    /// Runs the work on an idle or a new thread; where the limit is reached, when a thread is free, oldest first.
    ///
    /// `.refused` after ``shutDown()``, and where the system gives no thread while none is there.
    @discardableResult
    public func submit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission {
        let threadCountMax = threadCountMax
        let step = state.withLock { state -> Step in
            if state.isShutDown { return .refused }
            state.submissionCount += 1
            state.queue.append(Work(number: state.submissionCount, body: work))
            if state.queue.count <= state.idleCount { return .wake }
            guard state.threadCount < threadCountMax else { return .wait }
            state.threadCount += 1
            return .start(state.submissionCount)
        }
        switch step {
        case .refused: return .refused
        case .wake:
            state.signal()
            return .accepted
        case .wait: return .accepted
        case .start(let number): return start(forWork: number)
        }
    }

    /// Starts a thread, which was counted already, because of some work.
    private func start(forWork number: UInt64) -> Submission {
        let (state, ending, idleNanoseconds) = (state, ending, idleNanoseconds)
        do {
            _ = try DedicatedThread(name: name, stackByteCount: stackByteCount) {
                Self.serve(state, ending, idleNanoseconds)
            }
            return .accepted
        } catch {
            // Other threads get to the work; without any it would lie there for ever.
            return state.withLock { state in
                state.threadCount -= 1
                guard state.threadCount == 0, state.queue.contains(where: { $0.number == number }) else {
                    return .accepted
                }
                state.queue.removeAll { $0.number == number }
                return .refused
            }
        }
    }

    /// Threads that are there now.
    public var threadCount: Int { state.withLock { $0.threadCount } }
    /// Work for which there is no thread yet.
    public var waitingCount: Int { state.withLock { max(0, $0.queue.count - $0.idleCount) } }

    /// Runs what was accepted, then ends the threads and waits for them. Not for the pool's threads.
    public func shutDown() {
        state.withLock { $0.isShutDown = true }
        state.broadcast()
        let state = state
        ending.wait(until: { _ in state.withLock { $0.threadCount == 0 } }, then: { _ in })
    }

    private static func serve(
        _ state: ConditionLock<State>, _ ending: ConditionLock<Void>, _ idleNanoseconds: UInt64
    ) {
        while let work = nextWork(state, idleNanoseconds) { work() }
        // Taking the lock closes the gap between a waiter's look and its sleep.
        ending.withLock { _ in }
        ending.broadcast()
    }

    /// Waits for work; nil, the thread no longer counted, where it shall end.
    private static func nextWork(
        _ state: ConditionLock<State>, _ idleNanoseconds: UInt64
    ) -> (@Sendable () -> Void)? {
        func take(_ state: inout State) -> (@Sendable () -> Void)? {
            if !state.queue.isEmpty { return state.queue.removeFirst().body }
            if state.isShutDown { state.threadCount -= 1 }
            return nil
        }
        let (atOnce, isEnd) = state.withLock { state in (take(&state), state.isShutDown) }
        if let atOnce { return atOnce }
        if isEnd { return nil }
        state.withLock { $0.idleCount += 1 }
        let waited = state.wait(
            until: { !$0.queue.isEmpty || $0.isShutDown }, timeoutNanoseconds: idleNanoseconds,
            then: { state -> (@Sendable () -> Void)? in
                state.idleCount -= 1
                return take(&state)
            })
        if let waited { return waited }
        return state.withLock { state -> (@Sendable () -> Void)? in
            state.idleCount -= 1
            // Between the end of the wait and here work may have come that counted on this thread.
            if !state.queue.isEmpty { return state.queue.removeFirst().body }
            state.threadCount -= 1
            return nil
        }
    }
}
