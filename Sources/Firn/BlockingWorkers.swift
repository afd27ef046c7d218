// SPDX-License-Identifier: Apache-2.0
//
// Threads on which work that blocks runs on behalf of Swift tasks, so that the cooperative pool never waits.
//
// Each call has a thread of its own, up to a limit: what one waits for never keeps another one from beginning.

import FirnIO
import Synchronization

/// Runs blocking closures on threads of its own and hands their outcome to the task that waits.
final class BlockingWorkers: Sendable {
    /// For opening, closing and upkeep, of all databases of the process: nothing of it waits for statements.
    static let upkeep = BlockingWorkers(name: "firn-upkeep", threadCountMax: 1_024)

    private let threads: ElasticThreadPool
    private let isShutDown = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)
    private let delayed = Atomic<Int>(0)

    init(name: String, threadCountMax: Int) {
        threads = ElasticThreadPool(name: name, threadCountMax: threadCountMax)
    }

    /// Calls that run now.
    var runningCount: Int { running.load(ordering: .relaxed) }
    /// Calls that wait for a thread now.
    var waitingCount: Int { threads.waitingCount }
    /// Calls that could not begin at once, since the limit was reached, so far.
    var delayedCount: Int { delayed.load(ordering: .relaxed) }

    /// Runs `body` on one of the threads. Waits, without blocking, where all are busy.
    ///
    /// Once `cancellation` was cancelled, a call that has not begun throws at once and never runs.
    func run<Result: Sendable>(
        _ cancellation: CancellationFlag? = nil, _ body: @escaping @Sendable () throws(FirnError) -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let call = PendingCall(continuation, body)
            let observer = cancellation?.observe { error in call.abandon(error) }
            let submission = threads.submit("call") {
                cancellation?.removeObserver(observer)
                self.running.wrappingAdd(1, ordering: .relaxed)
                // A call that is over is counted no more when its caller learns of it.
                call.run { self.running.wrappingSubtract(1, ordering: .relaxed) }
            }
            if submission == .refused {
                cancellation?.removeObserver(observer)
                call.abandon(
                    isShutDown.load(ordering: .relaxed)
                        ? FirnError(.databaseClosed, "the database is closed")
                        : FirnError(.outOfMemory, "the system gives no thread for the statement"))
            }
            if threads.threadCount == threads.threadCountMax, threads.waitingCount > 0 {
                delayed.wrappingAdd(1, ordering: .relaxed)
            }
        }
    }

    /// Lets the calls that have begun end, and waits for them. Not for the threads of this object.
    func shutDown() {
        isShutDown.store(true, ordering: .relaxed)
        threads.shutDown()
    }
}

/// A call until it begins or is given up.
private final class PendingCall<Result: Sendable>: Sendable {
    private struct Waiting: Sendable {
        let continuation: CheckedContinuation<Result, any Error>
        let body: @Sendable () throws(FirnError) -> Result
    }

    /// Nil from then on.
    private let waiting: Mutex<Waiting?>

    init(
        _ continuation: CheckedContinuation<Result, any Error>,
        _ body: @escaping @Sendable () throws(FirnError) -> Result
    ) {
        waiting = Mutex(Waiting(continuation: continuation, body: body))
    }

    private func take() -> Waiting? {
        waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
    }

    /// Runs the call unless it was given up. `ended` is called before anyone learns of the outcome.
    func run(_ ended: () -> Void) {
        guard let taken = take() else { return ended() }
        do throws(FirnError) {
            let result = try taken.body()
            ended()
            taken.continuation.resume(returning: result)
        } catch {
            ended()
            taken.continuation.resume(throwing: error)
        }
    }

    /// Answers with an error unless the call has begun.
    func abandon(_ error: FirnError) { take()?.continuation.resume(throwing: error) }
}
