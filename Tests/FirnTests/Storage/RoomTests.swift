// SPDX-License-Identifier: Apache-2.0
//
// The ceiling of memory: appends wait for room, and whatever happens in whatever order, nobody waits for ever.

import FirnIO
import FirnSimulator
import Synchronization
import SystemPackage
import Testing

@testable import Firn

@Suite struct RoomTests {
    /// Tasks that append one batch after the other, each from the outcome of the one before, while a test decides what
    /// runs next: a job of the executor, in or out of turn, the log's thread, a checkpoint, or another append in the
    /// middle of a flush.
    private final class Tasks: Sendable {
        private struct State {
            var generator: Xoshiro256
            var nextRow = 0
            var rows: [TableID: [Int]] = [:]
            var restCounts: [Int]
            var failures: [FirnError] = []
        }
        private let engine: StorageEngine
        private let tables: [TableID]
        private let state: Mutex<State>

        init(_ engine: StorageEngine, _ tables: [TableID], count: Int, appends: Int, seed: UInt64) {
            self.engine = engine
            self.tables = tables
            state = Mutex(
                State(generator: Xoshiro256(seed: seed), restCounts: [Int](repeating: appends, count: count)))
        }

        var isDone: Bool { state.withLock { $0.restCounts.allSatisfy { $0 == 0 } } }
        var failures: [FirnError] { state.withLock { $0.failures } }
        var rows: [TableID: [Int]] { state.withLock { $0.rows } }

        private let started = Atomic(false)
        var hasStarted: Bool { started.load(ordering: .relaxed) }

        func start() {
            started.store(true, ordering: .relaxed)
            for task in state.withLock({ $0.restCounts.indices }) { next(task) }
        }

        private func next(_ task: Int) {
            let (table, first, count, durability) = state.withLock { state in
                let bits = state.generator.next()
                // A few of them larger than the ceiling.
                let count = bits % 17 == 0 ? 400 : Int(bits >> 8 % 90) + 1
                defer { state.nextRow += count }
                let durability: Durability = bits >> 20 % 2 == 0 ? .memory : .synced
                return (tables[Int(bits >> 32 % UInt64(tables.count))], state.nextRow, count, durability)
            }
            engine.appendAsynchronously(Numbered.batch(first, count: count), to: table, durability: durability) {
                [self] outcome in
                let hasMore = state.withLock { state in
                    switch outcome {
                    case .success: state.rows[table, default: []] += Array(first..<first + count)
                    case .failure(let error): state.failures.append(error)
                    }
                    state.restCounts[task] -= 1
                    return state.restCounts[task] > 0
                }
                if hasMore { next(task) }
            }
        }
    }

    @Test func noInterleavingOfAppendsAndFlushesStalls() throws {
        let seed = TestSeed.current ?? UInt64.random(in: 0..<1_000_000)
        for history in 0..<20 as Range<UInt64> {
            try run(seed: seed &+ history)
        }
    }

    private func run(seed: UInt64) throws {
        var generator = Xoshiro256(seed: seed)
        let world = EngineWorld()
        world.options.memtableBytesMax = 6_000
        world.options.memoryBytesMax = 8_000
        let keyExecutor = ManualExecutor()
        let (engine, segments) = try world.openHooked(keyExecutor: generator.next() % 2 == 0 ? keyExecutor : nil)
        let plain = try engine.createReadings("a")
        let keyed = try engine.createReadings("k", key: ["tag", "value"])
        let tasks = Tasks(engine, [plain.id, keyed.id], count: 8, appends: 6, seed: seed)
        let extra = Tasks(engine, [plain.id, keyed.id], count: 4, appends: 3, seed: seed &+ 1_000_000)
        segments.beforeWriting { () throws(FirnError) in
            segments.beforeWriting(nil)
            // While a flush is on its way.
            extra.start()
        }
        let executor = world.executor
        func step() -> Bool {
            for runs in [executor, keyExecutor].shuffled(using: &generator) {
                let count = runs.waitingNames.count
                if count > 0 { return runs.run(at: Int(generator.next() % UInt64(min(count, 3)))) != nil }
            }
            return false
        }
        tasks.start()
        for _ in 0..<200 {
            switch generator.next() % 8 {
            case 0: engine.tick()
            case 1 where generator.next() % 4 == 0: try engine.checkpoint()
            default: _ = step()
            }
        }
        // Whatever is left to do is done by those whose work it is: no append comes to help, and no checkpoint.
        var restSteps = 20_000
        while restSteps > 0 {
            restSteps -= 1
            if step() { continue }
            let before = tasks.isDone && (extra.isDone || !extra.hasStarted)
            engine.tick()
            if before, executor.waitingNames.isEmpty, keyExecutor.waitingNames.isEmpty { break }
        }
        #expect(restSteps > 0, "seed \(seed): the executor is never idle")
        #expect(tasks.isDone && (extra.isDone || !extra.hasStarted), "seed \(seed): tasks stall")
        #expect(tasks.failures.allSatisfy { $0.code == .uniqueViolation }, "seed \(seed)")
        #expect(engine.core.withLock { $0.reservedBytes } == 0, "seed \(seed)")
        #expect(extra.failures.allSatisfy { $0.code == .uniqueViolation }, "seed \(seed)")
        for (name, table) in [("a", plain), ("k", keyed)] {
            let expected = (tasks.rows[table.id] ?? []) + (extra.rows[table.id] ?? [])
            #expect(try Numbered.state(of: engine)[name] == expected.sorted(), "seed \(seed)")
        }
        try engine.close()
    }

    @Test func roomThatIsGivenBackGoesToThoseWhoWait() throws {
        let world = EngineWorld()
        world.options.memoryBytesMax = 8_000
        let engine = try world.open()
        let keyed = try engine.createReadings("k", key: ["tag", "value"])
        let plain = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 1), to: keyed.id)
        try engine.checkpoint()
        let outcomes = Collected<Result<AppendResult, FirnError>>()
        // Fits, and fails: its key is there.
        engine.appendAsynchronously(Numbered.batch(0, count: 100), to: keyed.id, durability: .memory) {
            outcomes.append($0)
        }
        engine.appendAsynchronously(Numbered.batch(0, count: 150), to: plain.id, durability: .memory) {
            outcomes.append($0)
        }
        #expect(outcomes.count == 0)
        // There is nothing that a flush could write.
        world.executor.runAll()
        #expect(outcomes.count == 2)
        let failures = outcomes.all.compactMap { outcome in failure { _ = try outcome.get() } }
        #expect(failures.map(\.code) == [.uniqueViolation])
        #expect(try engine.snapshot().rows(of: plain.id).rowCount == 150)
        try engine.close()
    }

    @Test func roomOfADroppedTableGoesToThoseWhoWait() throws {
        let world = EngineWorld()
        world.options.memoryBytesMax = 8_000
        let engine = try world.open()
        let dropped = try engine.createReadings("a")
        let table = try engine.createReadings("b")
        try engine.append(Numbered.batch(0, count: 150), to: dropped.id)
        let outcomes = Collected<Result<AppendResult, FirnError>>()
        engine.appendAsynchronously(Numbered.batch(0, count: 150), to: table.id, durability: .memory) {
            outcomes.append($0)
        }
        #expect(outcomes.count == 0)
        try engine.dropTables([dropped.id])
        #expect(outcomes.count == 1)
        #expect(try outcomes.all[0].get().rowCount == 150)
        try engine.close()
    }

    @Test func whoComesWhileAFlushFailsIsTold() throws {
        let world = EngineWorld()
        world.options.memoryBytesMax = 8_000
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings("a")
        let outcomes = Collected<Result<AppendResult, FirnError>>()
        segments.beforeWriting { () throws(FirnError) in throw FirnError(.diskFull, "full") }
        try engine.append(Numbered.batch(0, count: 150), to: table.id)
        engine.appendAsynchronously(Numbered.batch(150, count: 150), to: table.id, durability: .memory) {
            outcomes.append($0)
            // He who was told tries again at once, while that flush is still on its way.
            guard outcomes.count == 1 else { return }
            engine.appendAsynchronously(Numbered.batch(150, count: 150), to: table.id, durability: .memory) {
                outcomes.append($0)
            }
        }
        world.executor.runAll()
        #expect(outcomes.count == 2)
        for outcome in outcomes.all { #expect(failure { _ = try outcome.get() }?.code == .diskFull) }
        segments.beforeWriting(nil)
        try engine.close()
    }

    /// A thread for flushes, and 64 tasks that append to a table with a key: no job waits for memory that a job behind
    /// it frees.
    @Test(arguments: [nil, ["tag", "value"]])
    func tasksBeyondTheCeilingAllComeThrough(key: [String]?) async throws {
        let pool = try ThreadPool(name: "flush", threadCount: 1)
        let keys = try ThreadPool(name: "keys", threadCount: 2)
        let world = EngineWorld()
        world.options.startsThreads = true
        world.options.memtableBytesMax = 18_000
        world.options.memoryBytesMax = 24_000
        let engine = try StorageEngine.open(
            world.path, options: world.options, fileSystem: world.fileSystem, timeSource: SystemTimeSource(),
            random: SystemRandomSource(), executor: pool, keyExecutor: keys
        ) { world.segments(of: $0) }
        let table = try engine.createReadings("a", key: key ?? [])
        let failures = Collected<FirnError>()
        var threads: [DedicatedThread] = []
        for thread in 0..<4 {
            threads.append(
                try DedicatedThread(name: "append") {
                    for commit in 0..<4 {
                        do throws(FirnError) {
                            let number = 64 * 4 + thread * 4 + commit
                            try engine.append(Numbered.batch(number * 300, count: 300), to: table.id)
                            try engine.checkpoint()
                        } catch {
                            failures.append(error)
                        }
                    }
                })
        }
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<64 {
                group.addTask {
                    for commit in 0..<4 {
                        let batch = Numbered.batch((task * 4 + commit) * 300, count: 300)
                        let outcome = await withCheckedContinuation { continuation in
                            engine.appendAsynchronously(batch, to: table.id, durability: nil) {
                                continuation.resume(returning: $0)
                            }
                        }
                        if case .failure(let error) = outcome { failures.append(error) }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.all == [])
        #expect(try engine.snapshot().rows(of: table.id).rowCount == 68 * 4 * 300)
        try engine.close()
        pool.shutDown()
        keys.shutDown()
    }
}
