// SPDX-License-Identifier: Apache-2.0
//
// Closing beside everything else: whoever opens the database next is alone with it, and keeps what it commits.

import FirnIO
import FirnSimulator
import Synchronization
import SystemPackage
import Testing

@testable import Firn

@Suite struct ClosingTests {
    /// All rows of a database that was closed, and that nothing of it is damaged.
    private func reread(_ world: EngineWorld) throws -> CrashScript.State {
        let report = try DatabaseCheck.run(world.path, fileSystem: world.fileSystem)
        #expect(report.damages.map(\.description) == [])
        let engine = try world.open()
        let state = try Numbered.state(of: engine)
        try engine.close()
        return state
    }

    @Test func aLoadThatOutlivesItsOpeningRemovesNothingOfTheNext() throws {
        let world = EngineWorld()
        world.options.memtableBytesMax = 4_000
        let engine = try world.open()
        let table = try engine.createReadings("a")
        let load = try engine.beginLoad(into: table.id)
        try load.append(Numbered.batch(1_000, count: 100))
        try engine.close()
        #expect(try world.fileSystem.list("/db/data").isEmpty)

        let old = world.executor
        world.executor = ManualExecutor()
        let next = try world.open()
        for number in 0..<6 {
            try next.append(Numbered.batch(number * 10, count: 10), to: table.id)
            try next.checkpoint()
        }
        // Its next files would have the numbers of those.
        for _ in 0..<3 {
            #expect(failure { try load.append(Numbered.batch(2_000, count: 100)) }?.code == .databaseClosed)
        }
        #expect(failure { _ = try load.commit(.asSegments) }?.code == .databaseClosed)
        load.abandon()
        old.runAll()
        #expect(try Numbered.state(of: next) == ["a": Array(0..<60)])
        try next.close()
        #expect(try reread(world) == ["a": Array(0..<60)])
    }

    /// What is left of an opening that was not closed, as that of a process that forgot it.
    @Test func aLoadOfAnAbandonedOpeningRemovesNothingOfTheNext() throws {
        let world = EngineWorld()
        world.options.memtableBytesMax = 4_000
        let engine = try world.open()
        let table = try engine.createReadings("a")
        let load = try engine.beginLoad(into: table.id)
        for _ in 0..<4 { try load.append(Numbered.batch(1_000, count: 100)) }
        let old = world.executor
        try engine.abandon()
        world.executor = ManualExecutor()
        // The files go, and their numbers are free.
        for entry in try world.fileSystem.list("/db/data") {
            try world.fileSystem.remove(FilePath("/db/data").appending(entry.component))
        }
        let next = try world.open()
        for number in 0..<6 {
            try next.append(Numbered.batch(number * 10, count: 10), to: table.id)
            try next.checkpoint()
        }
        load.abandon()
        old.runAll()
        #expect(try Numbered.state(of: next) == ["a": Array(0..<60)])
        try next.close()
        #expect(try reread(world) == ["a": Array(0..<60)])
    }

    @Test func workThatWaitedChangesNothingAfterTheEnd() throws {
        let injector = FaultInjector()
        let world = EngineWorld(SimulatedFileSystem(injector: injector))
        world.options.startsThreads = true
        world.options.logFileBytes = 4_000
        world.options.memtableBytesMax = 4_000
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 60), to: table.id)
        try engine.append(Numbered.batch(60, count: 60), to: table.id)
        let waiting = world.executor.waitingNames
        #expect(waiting.contains("flush") && waiting.contains("prepare log file"))
        let load = try engine.beginLoad(into: table.id)
        try engine.close()
        injector.removeTrace()
        world.executor.runAll()
        #expect(failure { try engine.checkpoint() }?.code == .databaseClosed)
        #expect(failure { try engine.sync() }?.code == .databaseClosed)
        #expect(failure { try engine.append(Numbered.batch(0, count: 1), to: table.id) }?.code == .databaseClosed)
        #expect(failure { try engine.dropTables([table.id]) }?.code == .databaseClosed)
        #expect(failure { _ = try engine.createReadings("b") }?.code == .databaseClosed)
        #expect(failure { _ = try engine.beginLoad(into: table.id) }?.code == .databaseClosed)
        load.abandon()
        engine.tick()
        #expect(injector.trace.filter { $0.changeNumber != nil }.isEmpty)
        #expect(try reread(world) == ["a": Array(0..<120)])
    }

    @Test func closingWaitsForTheStepOfALoadAndASecondCloseForTheFirst() throws {
        let world = EngineWorld()
        world.options.memtableBytesMax = 4_000
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 10), to: table.id)
        let door = Door()
        segments.beforeWriting { () throws(FirnError) in
            segments.beforeWriting(nil)
            door.pass()
        }
        let failures = Collected<String>()
        let loading = try DedicatedThread(name: "load") {
            do throws(FirnError) {
                let load = try engine.beginLoad(into: table.id)
                defer { load.abandon() }
                try load.append(Numbered.batch(1_000, count: 300))
                try load.append(Numbered.batch(2_000, count: 300))
                failures.append("a load went on while its database was being closed")
            } catch {
                if error.code != .databaseClosed { failures.append("\(error)") }
            }
        }
        door.awaitArrival()
        // Both say that the database is closed when it can be opened again, and not before.
        let openings = Mutex(0)
        var closing: [DedicatedThread] = []
        for _ in 0..<2 {
            closing.append(
                try DedicatedThread(name: "close") {
                    do throws(FirnError) {
                        try engine.close()
                        openings.withLock { _ in
                            do throws(FirnError) {
                                try StorageEngine.open(
                                    "/db", fileSystem: engine.fileSystem, timeSource: ManualTimeSource(),
                                    random: SeededRandomSource(seed: 1), executor: ManualExecutor()
                                ) { SegmentFiles(fileSystem: engine.fileSystem, database: $0) }.close()
                            } catch {
                                failures.append("\(error)")
                            }
                        }
                    } catch {
                        failures.append("\(error)")
                    }
                })
        }
        #expect(eventually { engine.core.withLock { $0.phase != .open } })
        #expect(failure { _ = try world.open() }?.code == .lockNotAvailable)
        door.open()
        for thread in [loading] + closing { thread.join() }
        #expect(failures.all == [])
        #expect(try reread(world) == ["a": Array(0..<10)])
    }

    @Test func closingFailsThoseWhoWaitForRoom() throws {
        let world = EngineWorld()
        world.options.memoryBytesMax = 4_000
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 60), to: table.id, durability: .memory)
        let outcomes = Collected<Result<AppendResult, FirnError>>()
        engine.appendAsynchronously(Numbered.batch(60, count: 60), to: table.id, durability: nil) {
            outcomes.append($0)
        }
        #expect(outcomes.count == 0)
        try engine.close()
        #expect(outcomes.count == 1)
        #expect(failure { _ = try outcomes.all[0].get() }?.code == .databaseClosed)
        world.executor.runAll()
        #expect(try reread(world) == ["a": Array(0..<60)])
    }

    /// The whole product, with its threads.
    @Test func closingBesideAnEndlessInsertLosesNothingOfTheNextOpening() async throws {
        let files = MemoryFileSystem()
        var options = DatabaseOptions()
        options.fileSystem = files
        options.storage.memtableBytesMax = 1 << 20
        let database = try await Database.open(at: "/db", options: options)
        try await database.execute("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, x BIGINT)")
        let endless = Task {
            try await database.execute(
                "INSERT INTO t SELECT to_timestamp(0), g FROM generate_series(1, 1000000000000) g")
        }
        #expect(try await eventually { ((try? files.list("/db/data").count) ?? 0) > 0 })
        async let second: Void = database.close()
        try await database.close()
        try await second

        let next = try await Database.open(at: "/db", options: options)
        for number in 0..<20 {
            try await next.execute("INSERT INTO t VALUES (now(), \(number))")
            try await next.checkpoint()
        }
        endless.cancel()
        _ = await endless.result
        try await next.close()
        #expect(try await Database.check(at: "/db", options: options).damages == [])
        let again = try await Database.open(at: "/db", options: options)
        let table = try await RealDataTests.table(again.query("SELECT count(*), sum(x) FROM t"))
        #expect(table.rows == [["20", "190"]])
        try await again.close()
    }
}
