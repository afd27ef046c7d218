// SPDX-License-Identifier: Apache-2.0
//
// Threads, pools, locks that wait: everything submitted runs once, and shutting down leaves nothing behind.

import Synchronization
import SystemPackage
import Testing

@testable import FirnIO

@Suite struct ExecutorTests {
    @Test func poolRunsEverythingOnce() throws {
        let pool = try ThreadPool(name: "test", threadCount: 3)
        let counts = Mutex([Int](repeating: 0, count: 5_000))
        for number in 0..<5_000 {
            #expect(pool.submit("count", { counts.withLock { $0[number] += 1 } }) == .accepted)
        }
        pool.drain()
        #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
        pool.shutDown()
    }

    @Test func poolRunsAtMostItsThreadsAtOnce() throws {
        let pool = try ThreadPool(name: "test", threadCount: 2)
        let running = Mutex((now: 0, most: 0))
        for _ in 0..<20 {
            pool.submit("sleep") {
                running.withLock { running in
                    running.now += 1
                    running.most = max(running.most, running.now)
                }
                SystemTimeSource().sleep(nanoseconds: 1_000_000)
                running.withLock { $0.now -= 1 }
            }
        }
        pool.drain()
        #expect(running.withLock { $0.most } <= 2)
        pool.shutDown()
    }

    @Test func drainWaitsForWorkThatWorkSubmits() throws {
        let pool = try ThreadPool(name: "test", threadCount: 2)
        let total = Atomic<Int>(0)
        @Sendable func split(_ depth: Int) {
            total.wrappingAdd(1, ordering: .relaxed)
            guard depth > 0 else { return }
            for _ in 0..<2 { pool.submit("split") { split(depth - 1) } }
        }
        pool.submit("split") { split(6) }
        pool.drain()
        #expect(total.load(ordering: .relaxed) == 127)
        pool.shutDown()
    }

    @Test func shutDownFinishesWhatWasAcceptedAndRefusesTheRest() throws {
        let pool = try ThreadPool(name: "test", threadCount: 1)
        let total = Atomic<Int>(0)
        for _ in 0..<50 {
            pool.submit("add") {
                SystemTimeSource().sleep(nanoseconds: 100_000)
                total.wrappingAdd(1, ordering: .relaxed)
            }
        }
        pool.shutDown()
        pool.shutDown()
        #expect(total.load(ordering: .relaxed) == 50)
        #expect(pool.submit("late", {}) == .refused)
    }

    @Test(arguments: [0, 1, 2, 7, 1_000]) func performRunsEveryNumberOnce(_ count: Int) throws {
        let pool = try ThreadPool(name: "test", threadCount: 2)
        let counts = Mutex([Int](repeating: 0, count: count))
        pool.perform("count", count: count) { number in counts.withLock { $0[number] += 1 } }
        #expect(counts.withLock { $0.allSatisfy { $0 == 1 } })
        pool.shutDown()
    }

    @Test func performFinishesOnAPoolThatIsBusyOrIsItsOwn() throws {
        let pool = try ThreadPool(name: "test", threadCount: 1)
        let gate = CountingSemaphore()
        pool.submit("block") { gate.wait() }
        let total = Atomic<Int>(0)
        pool.perform("add", count: 100) { _ in total.wrappingAdd(1, ordering: .relaxed) }
        #expect(total.load(ordering: .relaxed) == 100)
        gate.signal()
        pool.submit("inside") {
            pool.perform("add", count: 100) { _ in total.wrappingAdd(1, ordering: .relaxed) }
        }
        pool.drain()
        #expect(total.load(ordering: .relaxed) == 200)
        pool.shutDown()
        pool.perform("after", count: 3) { _ in total.wrappingAdd(1, ordering: .relaxed) }
        #expect(total.load(ordering: .relaxed) == 203)
    }

    @Test func manualExecutorRunsOnlyWhenTold() {
        let executor = ManualExecutor()
        let order = Mutex<[String]>([])
        for name in ["a", "b", "c"] {
            executor.submit(name) { order.withLock { $0.append(name) } }
        }
        #expect(executor.waitingNames == ["a", "b", "c"])
        #expect(order.withLock { $0 } == [])
        #expect(executor.run(at: 1) == "b")
        #expect(executor.runNext() == "a")
        #expect(executor.run(at: 5) == nil)
        executor.submit("d") { executor.submit("e") { order.withLock { $0.append("e") } } }
        #expect(executor.runAll() == 3)
        #expect(order.withLock { $0 } == ["b", "a", "c", "e"])
        executor.submit("lost") { order.withLock { $0.append("lost") } }
        #expect(executor.discardAll() == 1)
        executor.submit("last") { order.withLock { $0.append("last") } }
        executor.shutDown()
        #expect(executor.submit("late", {}) == .refused)
        #expect(order.withLock { $0 } == ["b", "a", "c", "e", "last"])
    }

    @Test func threadRunsItsBodyAndJoinWaitsForIt() throws {
        let value = Atomic<Int>(0)
        let thread = try DedicatedThread(name: "a name of more than fifteen bytes", stackByteCount: 256 << 10) {
            SystemTimeSource().sleep(nanoseconds: 5_000_000)
            value.store(1, ordering: .releasing)
        }
        thread.join()
        thread.join()
        #expect(value.load(ordering: .acquiring) == 1)
    }

    @Test func threadHasTheStackItAskedFor() throws {
        let depth = Atomic<Int>(0)
        // About 16 MiB of frames: more than any default.
        @Sendable func descend(_ remaining: Int) -> Int {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16_384) { frame in
                frame[0] = UInt8(truncatingIfNeeded: remaining)
                let below = remaining == 0 ? 0 : descend(remaining - 1)
                return below + 1 + Int(frame[0]) - Int(UInt8(truncatingIfNeeded: remaining))
            }
        }
        try DedicatedThread(name: "deep", stackByteCount: 64 << 20) {
            depth.store(descend(1_023), ordering: .releasing)
        }.join()
        #expect(depth.load(ordering: .acquiring) == 1_024)
    }

    @Test func conditionLockHandsValuesOver() throws {
        let queue = ConditionLock<[Int]>([])
        let total = Atomic<Int>(0)
        let consumer = try DedicatedThread(name: "consumer") {
            while true {
                let batch = queue.wait(
                    until: { !$0.isEmpty },
                    then: { queue in
                        defer { queue = [] }
                        return queue
                    })
                for value in batch where value > 0 { total.wrappingAdd(value, ordering: .relaxed) }
                if batch.last == 0 { return }
            }
        }
        for value in 1...1_000 {
            queue.withLock { $0.append(value) }
            queue.signal()
        }
        queue.withLock { $0.append(0) }
        queue.signal()
        consumer.join()
        #expect(total.load(ordering: .relaxed) == 500_500)
    }

    @Test func waitGivesUpWhenItsTimeHasPassed() {
        let lock = ConditionLock(0)
        let clock = SystemTimeSource()
        let begin = clock.monotonicNanoseconds()
        let result = lock.wait(until: { $0 == 1 }, timeoutNanoseconds: 20_000_000, then: { _ in true })
        #expect(result == nil)
        #expect(clock.monotonicNanoseconds() - begin >= 20_000_000)
        lock.withLock { $0 = 1 }
        #expect(lock.wait(until: { $0 == 1 }, timeoutNanoseconds: .max, then: { _ in true }) == true)
    }

    @Test func semaphoreAdmitsAsManyAsWereSignalled() throws {
        let semaphore = CountingSemaphore(count: 1)
        semaphore.wait()
        #expect(!semaphore.wait(timeoutNanoseconds: 1_000_000))
        let thread = try DedicatedThread(name: "signaller") { semaphore.signal() }
        semaphore.wait()
        thread.join()
        semaphore.signal()
        #expect(semaphore.wait(timeoutNanoseconds: 0))
    }
}

/// A minute: what has not happened by then never does, however busy the machine is.
private let longEnough: UInt64 = 60_000_000_000

@Suite struct ElasticThreadPoolTests {
    @Test func whatIsAcceptedRunsWhereTheSystemHasFewThreads() {
        // Every second attempt to make a thread fails; threads end at once, so that many are made.
        let attempts = Atomic<Int>(0)
        let pool = ElasticThreadPool(threadCountMax: 2, idleNanoseconds: 1_000) { (body) throws(Errno) in
            SystemTimeSource().sleep(nanoseconds: 20_000)
            if attempts.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 0 {
                throw Errno.resourceTemporarilyUnavailable
            }
            _ = try DedicatedThread(name: "test", body)
        }
        let accepted = Atomic<Int>(0)
        let refused = Atomic<Int>(0)
        let done = CountingSemaphore()
        for _ in 0..<100 {
            do {
                let submitters = try (0..<4).map { number in
                    try DedicatedThread(name: "submitter \(number)") {
                        let submission = pool.submit("work") { done.signal() }
                        if submission == .accepted {
                            accepted.wrappingAdd(1, ordering: .relaxed)
                        } else {
                            refused.wrappingAdd(1, ordering: .relaxed)
                        }
                    }
                }
                for submitter in submitters { submitter.join() }
            } catch {
                Issue.record("no threads for the test: \(error)")
            }
            // Alone now, whatever was accepted is on its way.
            while accepted.load(ordering: .relaxed) > 0 {
                accepted.wrappingSubtract(1, ordering: .relaxed)
                guard done.wait(timeoutNanoseconds: longEnough) else {
                    Issue.record("work that was accepted does not run")
                    return
                }
            }
        }
        let refusedCount = refused.load(ordering: .relaxed)
        #expect(refusedCount > 0)
        pool.shutDown()
        #expect(pool.threadCount == 0)
    }

    @Test func withoutAnyThreadWorkIsRefused() {
        let pool = ElasticThreadPool(threadCountMax: 2, idleNanoseconds: 1_000) { (_) throws(Errno) in
            throw Errno.resourceTemporarilyUnavailable
        }
        #expect(pool.submit("work") {} == .refused)
        #expect(pool.threadCount == 0)
        #expect(pool.waitingCount == 0)
        pool.shutDown()
    }

    @Test func workBeginsHoweverMuchIsStuck() {
        let pool = ElasticThreadPool(name: "test", threadCountMax: 64)
        let gate = ConditionLock(false)
        for _ in 0..<40 { pool.submit("stuck") { gate.wait(until: { $0 }, then: { _ in }) } }
        let done = CountingSemaphore()
        pool.submit("short") { done.signal() }
        #expect(done.wait(timeoutNanoseconds: longEnough))
        #expect(pool.threadCount == 41)
        #expect(pool.waitingCount == 0)
        gate.withLock { $0 = true }
        gate.broadcast()
        pool.shutDown()
        #expect(pool.threadCount == 0)
        #expect(pool.submit("late") {} == .refused)
    }

    @Test func noMoreThreadsThanAllowed() {
        let pool = ElasticThreadPool(name: "test", threadCountMax: 2)
        let gate = ConditionLock(false)
        let done = Atomic<Int>(0)
        for _ in 0..<10 {
            pool.submit("work") {
                gate.wait(until: { $0 }, then: { _ in })
                done.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(pool.threadCount == 2)
        #expect(pool.waitingCount >= 8)
        gate.withLock { $0 = true }
        gate.broadcast()
        pool.shutDown()
        let doneCount = done.load(ordering: .relaxed)
        #expect(doneCount == 10)
    }

    @Test func idleThreadsAreUsedAgain() {
        let pool = ElasticThreadPool(name: "test", threadCountMax: 64)
        for _ in 0..<200 {
            let done = CountingSemaphore()
            pool.submit("work") { done.signal() }
            #expect(done.wait(timeoutNanoseconds: longEnough))
        }
        // A thread may not have come back to its queue when the next work comes.
        #expect(pool.threadCount < 150)
        pool.shutDown()
    }

    @Test func noWorkIsLostToAThreadThatEnds() {
        let pool = ElasticThreadPool(name: "test", threadCountMax: 64, idleNanoseconds: 1_000)
        for _ in 0..<3_000 {
            let done = CountingSemaphore()
            pool.submit("work") { done.signal() }
            #expect(done.wait(timeoutNanoseconds: longEnough))
        }
        pool.shutDown()
        #expect(pool.threadCount == 0)
    }

    @Test func whatComesBackWaitsBehindWhatIsNew() throws {
        let pool = try ThreadPool(name: "test", threadCount: 1)
        let gate = ConditionLock(false)
        let order = Mutex<[String]>([])
        pool.submit("gate") { gate.wait(until: { $0 }, then: { _ in }) }
        pool.resubmit("long") { order.withLock { $0.append("long") } }
        pool.submit("short") { order.withLock { $0.append("short") } }
        #expect(pool.hasWaitingWork)
        gate.withLock { $0 = true }
        gate.broadcast()
        pool.drain()
        #expect(order.withLock { $0 } == ["short", "long"])
        #expect(!pool.hasWaitingWork)
        pool.shutDown()
    }
}
