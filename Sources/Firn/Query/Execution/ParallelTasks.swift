// SPDX-License-Identifier: Apache-2.0
//
// Numbered tasks on the calling thread and on whichever threads of the executor are free.
//
// The caller takes part: a busy executor makes a statement slower but never stops it, and statements may nest
// (an aggregation that reads from another one) without a deadlock. Helpers that come too late find the door closed.
// After each task a helper makes room where others wait for the threads, so that statements share them task by task.

import FirnIO
import Synchronization

/// The threads that a statement may use.
struct Workers: Sendable {
    /// Where helpers run; nil: the caller works alone.
    let executor: (any WorkExecutor)?
    /// Threads at once, the caller included. At least 1.
    let threadCount: Int

    init(executor: (any WorkExecutor)?, threadCount: Int) {
        precondition(threadCount > 0, "the caller is always one of the threads")
        self.executor = executor
        self.threadCount = executor == nil ? 1 : threadCount
    }

    /// The caller alone.
    static let callerOnly = Workers(executor: nil, threadCount: 1)

    /// Runs `body` for each number in 0..<taskCount and returns after the last one.
    ///
    /// Throws the error of the lowest-numbered task that failed; after a failure no further task begins.
    func perform(
        taskCount: Int, _ body: @escaping @Sendable (_ task: Int) throws(FirnError) -> Void
    ) throws(FirnError) {
        let helperCount = min(threadCount, taskCount) - 1
        guard let executor, helperCount > 0 else {
            for task in 0..<taskCount { try body(task) }
            return
        }
        let loop = TaskLoop(taskCount: taskCount, body)
        for _ in 0..<helperCount {
            if executor.submit("query", { loop.help(on: executor) }) == .refused { break }
        }
        loop.run()
        loop.close()
        if let error = loop.failure { throw error }
    }
}

/// The numbers of one `perform`, handed out one at a time.
private final class TaskLoop: Sendable {
    private struct Helpers {
        var activeCount = 0
        var isClosed = false
    }

    private let taskCount: Int
    private let body: @Sendable (Int) throws(FirnError) -> Void
    private let nextTask = Atomic<Int>(0)
    private let helpers = ConditionLock(Helpers())
    private let firstFailure = Mutex<(task: Int, error: FirnError)?>(nil)

    init(taskCount: Int, _ body: @escaping @Sendable (Int) throws(FirnError) -> Void) {
        self.taskCount = taskCount
        self.body = body
    }

    var failure: FirnError? { firstFailure.withLock { $0?.error } }

    /// Works on tasks until none is left.
    func run() { while runNext() {} }

    /// Works on the next task; false where none is left.
    private func runNext() -> Bool {
        let task = nextTask.wrappingAdd(1, ordering: .relaxed).oldValue
        guard task < taskCount else { return false }
        do throws(FirnError) {
            try body(task)
        } catch {
            firstFailure.withLock { first in
                if first == nil || first!.task > task { first = (task, error) }
            }
            nextTask.store(taskCount, ordering: .relaxed)
        }
        return true
    }

    func help(on executor: any WorkExecutor) {
        let mayHelp = helpers.withLock { helpers in
            if helpers.isClosed { return false }
            helpers.activeCount += 1
            return true
        }
        guard mayHelp else { return }
        var isLeft = runNext()
        while isLeft, !executor.hasWaitingWork { isLeft = runNext() }
        helpers.withLock { $0.activeCount -= 1 }
        helpers.broadcast()
        // Refused where the database is being closed: the caller goes on alone.
        if isLeft { executor.resubmit("query") { self.help(on: executor) } }
    }

    /// Lets no further helper in and waits for those that are inside.
    func close() {
        helpers.withLock { $0.isClosed = true }
        helpers.wait(until: { $0.activeCount == 0 }, then: { _ in })
    }
}
