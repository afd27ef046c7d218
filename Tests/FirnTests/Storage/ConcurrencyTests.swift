// SPDX-License-Identifier: Apache-2.0
//
// Many producers at once, on threads and in tasks: every commit is there once, in the order of its LSN.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

@Suite struct ConcurrencyTests {
    private func open(_ world: EngineWorld, _ pool: ThreadPool) throws -> StorageEngine {
        try StorageEngine.open(
            world.path, options: world.options, fileSystem: world.fileSystem, timeSource: SystemTimeSource(),
            random: SystemRandomSource(), executor: pool
        ) { world.segments(of: $0) }
    }

    @Test func threadsAndTasksAppendTogetherAndNothingIsLost() async throws {
        let pool = try ThreadPool(name: "test", threadCount: 2)
        let world = EngineWorld()
        world.options.startsThreads = true
        world.options.memtableBytesMax = 200_000
        world.options.memoryBytesMax = 600_000
        world.options.logFileBytes = 100_000
        let engine = try open(world, pool)
        let table = try engine.createReadings("a")
        let producers = 8
        let commits = 100
        let results = Collected<AppendResult>()
        let failures = Collected<FirnError>()
        let isFinished = Collected<Bool>()

        var threads: [DedicatedThread] = []
        for producer in 0..<producers / 2 {
            threads.append(
                try DedicatedThread(name: "producer") {
                    for commit in 0..<commits {
                        do throws(FirnError) {
                            let durability: Durability =
                                commit % 3 == 0 ? .buffered(flushIntervalNanoseconds: 1_000_000) : .synced
                            let result = try engine.append(
                                Numbered.batch((producer * commits + commit) * 10, count: 10), to: table.id,
                                durability: durability)
                            results.append(result)
                        } catch {
                            failures.append(error)
                        }
                    }
                })
        }
        // A reader sees whole commits alone, and never fewer than before.
        let reader = try DedicatedThread(name: "reader") {
            var last = 0
            while isFinished.all.isEmpty {
                do {
                    let count = try engine.snapshot().rows(of: table.id).rowCount
                    if count % 10 != 0 || count < last {
                        failures.append(FirnError(.dataCorrupted, "\(count) rows after \(last)"))
                    }
                    last = count
                } catch {
                    failures.append(FirnError(.dataCorrupted, "\(error)"))
                }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            for producer in producers / 2..<producers {
                group.addTask {
                    for commit in 0..<commits {
                        let batch = Numbered.batch((producer * commits + commit) * 10, count: 10)
                        let result = await withCheckedContinuation { continuation in
                            engine.appendAsynchronously(batch, to: table.id, durability: nil) {
                                continuation.resume(returning: $0)
                            }
                        }
                        switch result {
                        case .success(let result): results.append(result)
                        case .failure(let error): failures.append(error)
                        }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        isFinished.append(true)
        reader.join()
        #expect(failures.all == [])
        let all = results.all
        #expect(all.count == producers * commits)
        #expect(Set(all.map(\.lsn)).count == all.count)
        let expected = ["a": Array(0..<producers * commits * 10)]
        #expect(try Numbered.state(of: engine) == expected)
        try engine.close()
        let reopened = try open(world, pool)
        #expect(try Numbered.state(of: reopened) == expected)
        try reopened.close()
        pool.shutDown()
    }

    @Test func bufferedCommitsAreSyncedWhenTheirTimeHasCome() throws {
        let pool = try ThreadPool(name: "test", threadCount: 1)
        let world = EngineWorld()
        world.options.startsThreads = true
        let engine = try open(world, pool)
        let table = try engine.createReadings("a")
        let result = try engine.append(
            Numbered.batch(0, count: 10), to: table.id, durability: .buffered(flushIntervalNanoseconds: 20_000_000))
        let clock = SystemTimeSource()
        let deadline = clock.monotonicNanoseconds() + 20_000_000_000
        while engine.durableLSN < result.lsn, clock.monotonicNanoseconds() < deadline {
            clock.sleep(nanoseconds: 1_000_000)
        }
        #expect(engine.durableLSN >= result.lsn)
        try engine.close()
        pool.shutDown()
    }

    @Test func rowsThatCameDuringAFlushAreFlushedByAgeToo() throws {
        let world = EngineWorld()
        world.options.startsThreads = true
        world.options.flushAgeSeconds = 1_000
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings("a")
        let time = world.time
        segments.beforeWriting { () throws(FirnError) in
            segments.beforeWriting(nil)
            try engine.append(Numbered.batch(10, count: 1), to: table.id, durability: .memory)
            // The log's thread looks for what is due, and falls asleep.
            SystemTimeSource().sleep(nanoseconds: 50_000_000)
            time.advance(nanoseconds: 2_000_000_000_000)
        }
        try engine.append(Numbered.batch(0, count: 10), to: table.id)
        engine.scheduleFlush()
        #expect(world.executor.runNext() == "flush")
        // Nothing more comes: the log's thread alone can see to the row.
        #expect(eventually { world.executor.waitingNames.contains("flush") })
        world.executor.runAll()
        #expect(engine.memoryByteCount == 0)
        #expect(try Numbered.state(of: engine) == ["a": Array(0...10)])
        try engine.close()
    }

    @Test func rowsThatCouldNotBeFlushedAreTriedAgainWhenTheyAreOldOnceMore() throws {
        let world = EngineWorld()
        world.options.flushAgeSeconds = 10
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 10), to: table.id)
        segments.beforeWriting { () throws(FirnError) in
            segments.beforeWriting(nil)
            throw FirnError(.diskFull, "full")
        }
        #expect(failure { try engine.checkpoint() }?.code == .diskFull)
        engine.tick()
        #expect(world.executor.waitingNames.isEmpty)
        world.time.advance(nanoseconds: 11_000_000_000)
        engine.tick()
        world.executor.runAll()
        #expect(engine.memoryByteCount == 0)
        try engine.close()
    }

    @Test func anAgeBeyondAllClocksIsNeverReached() throws {
        let world = EngineWorld()
        world.options.flushAgeSeconds = .max
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 10), to: table.id)
        world.time.advance(nanoseconds: 11_000_000_000)
        engine.tick()
        #expect(world.executor.waitingNames.isEmpty)
        try engine.close()
    }

    @Test func keyedAppendsThatAreCheckedTogetherShareOneSync() throws {
        let injector = FaultInjector()
        let world = EngineWorld(SimulatedFileSystem(injector: injector))
        let engine = try world.open()
        let table = try engine.createReadings("a", key: ["tag", "value"])
        let outcomes = Collected<Result<AppendResult, FirnError>>()
        injector.removeTrace()
        for number in 0..<16 {
            engine.appendAsynchronously(Numbered.batch(number, count: 1), to: table.id, durability: .synced) {
                outcomes.append($0)
            }
        }
        // No check waits for the sync of the one before it.
        #expect(world.executor.runAll() == 16)
        #expect(outcomes.count == 0)
        engine.tick()
        #expect(outcomes.count == 16)
        for outcome in outcomes.all { _ = try outcome.get() }
        #expect(injector.trace.count { $0.operation == .sync && $0.path.string.hasSuffix(".wal") } == 1)
        // A key that is taken is seen although its row is in the queue alone, and reported once that row is durable.
        engine.appendAsynchronously(Numbered.batch(20, count: 1), to: table.id, durability: .synced) { _ in }
        engine.appendAsynchronously(Numbered.batch(20, count: 1), to: table.id, durability: .synced) {
            outcomes.append($0)
        }
        world.executor.runAll()
        #expect(outcomes.count == 16)
        engine.tick()
        let report = try #require(outcomes.all.dropFirst(16).first)
        #expect(failure { _ = try report.get() }?.code == .uniqueViolation)
        #expect(try Numbered.state(of: engine) == ["a": Array(0..<16) + [20]])
        try engine.close()
    }

    @Test func oldRowsAreFlushedHoweverFewTheyAre() throws {
        let world = EngineWorld()
        world.options.flushAgeSeconds = 10
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 10), to: table.id)
        engine.tick()
        #expect(world.executor.waitingNames.isEmpty)
        world.time.advance(nanoseconds: 11_000_000_000)
        engine.tick()
        #expect(world.executor.waitingNames == ["flush"])
        world.executor.runAll()
        #expect(engine.memoryByteCount == 0)
        #expect(try Numbered.state(of: engine) == ["a": Array(0..<10)])
        try engine.close()
    }
}

/// Whether something becomes true, however long other threads take; false after a time in which they must have.
func eventually(_ isTrue: () -> Bool) -> Bool {
    let clock = SystemTimeSource()
    let deadline = clock.monotonicNanoseconds() + 60_000_000_000
    while !isTrue() {
        if clock.monotonicNanoseconds() > deadline { return false }
        clock.sleep(nanoseconds: 1_000_000)
    }
    return true
}

/// As ``eventually(_:)`` for tasks: what it waits for may need the thread of the pool that a sleep would hold.
func eventually(_ isTrue: () -> Bool) async throws -> Bool {
    let clock = SystemTimeSource()
    let deadline = clock.monotonicNanoseconds() + 60_000_000_000
    while !isTrue() {
        if clock.monotonicNanoseconds() > deadline { return false }
        try await Task.sleep(nanoseconds: 1_000_000)
    }
    return true
}
