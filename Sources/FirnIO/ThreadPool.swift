// SPDX-License-Identifier: Apache-2.0
//
// A fixed number of threads that take work from one queue, first in, first out.
//
// Work that comes back after a part of it was done waits in a queue of its own, behind what is new: short work passes
// long work, and all the long work takes turns. One in four comes from that queue all the same, so that a stream of
// short work cannot hold it up for ever.

import Synchronization
public import SystemPackage

/// Runs submitted work on threads of its own, a bounded number at a time.
public final class ThreadPool: WorkExecutor {
    private struct Work {
        let name: String
        let body: @Sendable () -> Void
    }

    private struct Queue {
        /// Oldest first, from `first` on; the part before it was taken and is cut off in bulk.
        private var entries: [Work?] = []
        private var first = 0

        var count: Int { entries.count - first }
        var names: [String] { entries[first...].compactMap { $0?.name } }

        mutating func append(_ work: Work) { entries.append(work) }

        mutating func take() -> Work? {
            guard count > 0 else { return nil }
            let work = entries[first]
            entries[first] = nil
            first += 1
            if first == entries.count || first >= 1_024 {
                entries.removeFirst(first)
                first = 0
            }
            return work
        }
    }

    private struct State {
        /// Work that waits and was not begun.
        var new = Queue()
        /// Work that did a part.
        var resumed = Queue()
        var takenCount = 0
        var runningCount = 0
        var isShutDown = false

        var waitingCount: Int { new.count + resumed.count }
        var isIdle: Bool { waitingCount == 0 && runningCount == 0 }

        mutating func take() -> Work? {
            takenCount &+= 1
            if takenCount % 4 == 0, let work = resumed.take() { return work }
            return new.take() ?? resumed.take()
        }
    }

    /// The number of threads.
    public let threadCount: Int
    /// Workers wait on it for work; signalled once a submission.
    private let state: ConditionLock<State>
    /// Signalled whenever the pool has become idle, for `drain`.
    private let idleness = ConditionLock(())
    private let threads: Mutex<[DedicatedThread]>

    /// Starts `threadCount` threads. Throws the system's reason when it gives fewer, none left running.
    public init(
        name: String, threadCount: Int, stackByteCount: Int = DedicatedThread.stackBytesDefault
    ) throws(Errno) {
        precondition(threadCount > 0, "a pool without threads would never run its work")
        self.threadCount = threadCount
        let state = ConditionLock(State())
        self.state = state
        let idleness = idleness
        var threads: [DedicatedThread] = []
        do {
            for number in 0..<threadCount {
                threads.append(
                    try DedicatedThread(name: "\(name)-\(number)", stackByteCount: stackByteCount) {
                        Self.serve(state, idleness)
                    })
            }
        } catch {
            state.withLock { $0.isShutDown = true }
            state.broadcast()
            for thread in threads { thread.join() }
            throw error
        }
        self.threads = Mutex(threads)
    }

    deinit {
        // The threads hold the state, not the pool: they finish what was accepted, and end.
        state.withLock { $0.isShutDown = true }
        state.broadcast()
    }

    /// Queues the work.
    @discardableResult
    public func submit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission {
        enqueue(Work(name: name, body: work)) { $0.new.append($1) }
    }

    /// Queues work behind all that is new.
    @discardableResult
    public func resubmit(_ name: String, _ work: @escaping @Sendable () -> Void) -> Submission {
        enqueue(Work(name: name, body: work)) { $0.resumed.append($1) }
    }

    private func enqueue(_ work: Work, _ append: (inout State, Work) -> Void) -> Submission {
        let submission = state.withLock { state in
            guard !state.isShutDown else { return Submission.refused }
            append(&state, work)
            return .accepted
        }
        state.signal()
        return submission
    }

    /// Whether work waits for a thread.
    public var hasWaitingWork: Bool { state.withLock { $0.waitingCount > 0 } }

    /// Waits until nothing waits and nothing runs. Work that submits work is waited for with it. Not for the pool's threads.
    public func drain() {
        let state = state
        idleness.wait(until: { _ in state.withLock { $0.isIdle } }, then: { _ in })
    }

    /// Names of work that waits for a thread, oldest first.
    public var waitingNames: [String] {
        state.withLock { state in state.new.names + state.resumed.names }
    }

    /// Runs what was accepted, then ends the threads and waits for them. Not for the pool's threads.
    public func shutDown() {
        state.withLock { $0.isShutDown = true }
        state.broadcast()
        let threads = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in threads { thread.join() }
    }

    /// Runs `body` for every number in 0..<count, on the calling thread and on whichever of the pool's are free; returns
    /// after the last. The caller takes part, so a busy pool slows it down but never stops it, and it may be called by
    /// the pool's own threads.
    public func perform(_ name: String, count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1 else {
            if count == 1 { body(0) }
            return
        }
        let share = SharedLoop(count: count, body: body)
        for _ in 0..<min(threadCount, count - 1) {
            if submit(name, { share.run() }) == .refused { break }
        }
        share.run()
        share.waitUntilFinished()
    }

    private static func serve(_ state: ConditionLock<State>, _ idleness: ConditionLock<Void>) {
        while true {
            let work: Work? = state.wait(
                until: { $0.waitingCount > 0 || $0.isShutDown },
                then: { state in
                    let work = state.take()
                    if work != nil { state.runningCount += 1 }
                    return work
                })
            guard let work else { return }
            work.body()
            let isIdle = state.withLock { state in
                state.runningCount -= 1
                return state.isIdle
            }
            if isIdle {
                // Taking the lock closes the gap between a drainer's look and its sleep.
                idleness.withLock { _ in }
                idleness.broadcast()
            }
        }
    }
}

/// The numbers of one `perform`, handed out one at a time to whoever asks.
private final class SharedLoop: Sendable {
    private let count: Int
    /// Gone once all is done, so that a share which a busy pool has not begun keeps nothing alive.
    private let body: Mutex<(@Sendable (Int) -> Void)?>
    private let next = Atomic<Int>(0)
    private let finishedCount = ConditionLock(0)

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        self.body = Mutex(body)
    }

    func run() {
        guard let body = body.withLock({ $0 }) else { return }
        var doneCount = 0
        while true {
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard number < count else { break }
            body(number)
            doneCount += 1
        }
        guard doneCount > 0 else { return }
        let isLast = finishedCount.withLock { finished in
            finished += doneCount
            return finished == count
        }
        if isLast { finishedCount.broadcast() }
    }

    func waitUntilFinished() {
        finishedCount.wait(until: { $0 == count }, then: { _ in })
        body.withLock { $0 = nil }
    }
}
