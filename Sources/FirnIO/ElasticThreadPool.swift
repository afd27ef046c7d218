// SPDX-License-Identifier: Apache-2.0
//
// Threads as they are needed: each piece of work begins at once, on an idle thread or on a new one, up to a limit.
//
// For work that may take or wait arbitrarily long, of which one piece must not hold up another. A thread that has had
// nothing to do for a while ends.

import Synchronization
internal import SystemPackage

/// Runs submitted work on threads of its own, as many as there is work, up to a limit.
public final class ElasticThreadPool: WorkExecutor {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        var threadCount = 0
        /// Threads that wait for work, those that were signalled and have not woken yet among them.
        var idleCount = 0
        var isShutDown = false
    }

    /// Threads at once, at most.
    public let threadCountMax: Int
    private let state: ConditionLock<State>
    /// Signalled when the last thread of a pool that is shut down ends.
    private let ending = ConditionLock(())

    /// How long a thread waits for more work before it ends.
    private let idleNanoseconds: UInt64
    /// Makes a thread that runs what it is given.
    private let startThread: @Sendable (@escaping @Sendable () -> Void) throws(Errno) -> Void

    /// A pool without threads yet; one that has nothing to do ends after `idleNanoseconds`, 5 s where nothing is said.
    public convenience init(
        name: String, threadCountMax: Int, idleNanoseconds: UInt64 = 5_000_000_000,
        stackByteCount: Int = DedicatedThread.stackBytesDefault
    ) {
        self.init(threadCountMax: threadCountMax, idleNanoseconds: idleNanoseconds) { (body) throws(Errno) in
            _ = try DedicatedThread(name: name, stackByteCount: stackByteCount, body)
        }
    }

    /// - Parameter startThread: makes a thread that runs what it is given; for tests of a system that has none to give.
    init(
        threadCountMax: Int, idleNanoseconds: UInt64,
        startThread: @escaping @Sendable (@escaping @Sendable () -> Void) throws(Errno) -> Void
    ) {
        self.idleNanoseconds = idleNanoseconds
        self.startThread = startThread
        precondition(threadCountMax > 0, "a pool without threads would never run its work")
        self.threadCountMax = threadCountMax
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
        let submission = state.withLock { state -> Submission in
            if state.isShutDown { return .refused }
            // A thread is made under the lock: whoever finds one counted may rely on it. Counted and not there yet, it
            // could still fail, and leave behind what others had queued for it.
            if state.queue.count >= state.idleCount, state.threadCount < threadCountMax, !start(&state) {
                // Other threads get to the work; without any it would lie there for ever.
                guard state.threadCount > 0 else { return .refused }
            }
            state.queue.append(work)
            return .accepted
        }
        if submission == .accepted { state.signal() }
        return submission
    }

    /// Starts a thread; false where the system has none to give.
    private func start(_ counts: inout State) -> Bool {
        let (state, ending, idleNanoseconds) = (state, ending, idleNanoseconds)
        do {
            try startThread { Self.serve(state, ending, idleNanoseconds) }
            counts.threadCount += 1
            return true
        } catch {
            return false
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
            if !state.queue.isEmpty { return state.queue.removeFirst() }
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
            if !state.queue.isEmpty { return state.queue.removeFirst() }
            state.threadCount -= 1
            return nil
        }
    }
}
