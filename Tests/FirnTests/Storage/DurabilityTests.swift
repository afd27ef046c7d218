// SPDX-License-Identifier: Apache-2.0
//
// Durability as a call or a session asks for it, whatever the database was opened with and whatever way the rows take.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

@Suite struct DurabilityTests {
    private static let levels: [Durability] = [
        .memory, .buffered(flushIntervalNanoseconds: 1_000_000_000_000), .synced,
    ]

    /// Rows of more bytes than a frame of the log has, so that they are written as segments.
    private static func largeBatch() -> ColumnBatch {
        let count = 33_000
        let text = String(repeating: "x", count: 1_000)
        return ColumnBatch([
            .timestamps(microseconds: (0..<count).map { Int64($0) }), .text((0..<count).map { "\($0)\(text)" }),
            .doubles((0..<count).map(Double.init)),
        ])
    }

    /// A large append in a database of one level, at another: what survives a power loss right after it.
    @Test(arguments: [(0, 2), (1, 2), (0, 1), (2, 0)])
    func aLargeAppendIsAsDurableAsItAskedFor(levels: (database: Int, call: Int)) throws {
        let asked = Self.levels[levels.call]
        for isAsynchronous in [false, true] {
            let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
            let world = EngineWorld(disk)
            world.options.durability = Self.levels[levels.database]
            let engine = try world.open()
            let table = try engine.createReadings("a")
            let batch = Self.largeBatch()
            if isAsynchronous {
                let outcomes = Collected<Result<AppendResult, FirnError>>()
                engine.appendAsynchronously(batch, to: table.id, durability: asked) { outcomes.append($0) }
                world.executor.runAll()
                engine.tick()
                #expect(try outcomes.all.first?.get().rowCount == batch.rowCount)
            } else {
                #expect(try engine.append(batch, to: table.id, durability: asked).rowCount == batch.rowCount)
            }
            func survivors(_ disk: SimulatedFileSystem) throws -> Int {
                let after = EngineWorld(disk)
                let engine = try after.open()
                return try engine.snapshot().rows(of: table.id).rowCount
            }
            if asked == .synced { #expect(try survivors(disk.afterCrash(.syncedAlone)) == batch.rowCount) }
            if asked != .memory { #expect(try survivors(disk.afterProcessDeath()) == batch.rowCount) }
            if asked == .memory { #expect(engine.durableLSN < engine.visibleLSN) }
        }
    }

    /// A row that is in memory alone, and the report that its key is taken: whoever gets it at `.synced` may rely on it.
    @Test(arguments: [false, true])
    func aKeyThatIsReportedAsTakenIsDurable(isAsynchronous: Bool) throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let world = EngineWorld(disk)
        let engine = try world.open()
        let table = try engine.createReadings("a", key: ["tag", "value"])
        func report(_ durability: Durability) throws -> FirnError? {
            let batch = Numbered.batch(2, count: 1)
            guard isAsynchronous else {
                return failure { try engine.append(batch, to: table.id, durability: durability) }
            }
            let outcomes = Collected<Result<AppendResult, FirnError>>()
            engine.appendAsynchronously(batch, to: table.id, durability: durability) { outcomes.append($0) }
            world.executor.runAll()
            #expect(outcomes.all.count == (durability == .synced ? 0 : 1))
            engine.tick()
            let outcome = try #require(outcomes.all.first)
            return failure { _ = try outcome.get() }
        }
        try engine.append(Numbered.batch(0, count: 5), to: table.id, durability: .memory)
        // Who does not wait for his own rows does not wait for others'.
        #expect(try report(.memory)?.code == .uniqueViolation)
        #expect(engine.durableLSN < engine.visibleLSN)
        #expect(try report(.synced)?.code == .uniqueViolation)
        #expect(engine.durableLSN == engine.visibleLSN)
        let after = try EngineWorld(disk.afterCrash(.syncedAlone), path: "/db").open()
        #expect(try Numbered.state(of: after) == ["a": Array(0..<5)])
        #expect(engine.memoryByteCount > 0)
    }

    /// INSERT of few rows, INSERT … SELECT of many and COPY, in a session that asks for another level.
    @Test(arguments: ["synced", "buffered"])
    func aSessionsLevelHoldsForEveryWayIn(level: String) async throws {
        let input = MemoryFileSystem()
        let lines = (0..<330_000).map { "2024-01-01,\($0),abcdefghijklmnopqrstuvwxyz\n" }.joined()
        try input.open("/rows.csv", .createNew).write(Array(lines.utf8), at: 0)
        let statements = [
            ("INSERT INTO t VALUES ('2024-01-01', 1, 'a')", 1),
            (
                """
                INSERT INTO t SELECT timestamptz '2024-01-01', g, 'abcdefghijklmnopqrstuvwxyz'
                FROM generate_series(1, 330000) g
                """, 330_000
            ), ("COPY t FROM '/rows.csv' (FORMAT csv)", 330_000),
        ]
        for (statement, rowCount) in statements {
            let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
            var options = DatabaseOptions()
            options.fileSystem = disk
            options.externalFileSystem = input
            options.storage.durability = .memory
            options.storage.flushAgeSeconds = nil
            let database = try await Database.open(at: "/db", options: options)
            try await database.execute("CREATE TABLE t (time TIMESTAMPTZ NOT NULL, x BIGINT, y TEXT)")
            try await database.execute("SET durability = '\(level)'")
            try await database.execute(statement)
            // The database itself stays as it is: its disk is gone.
            let left = level == "synced" ? disk.afterCrash(.syncedAlone) : disk.afterProcessDeath()
            options.fileSystem = left
            let again = try await Database.open(at: "/db", options: options)
            let table = try await RealDataTests.table(again.query("SELECT count(*) FROM t"))
            #expect(table.rows == [["\(rowCount)"]], "\(statement)")
            try await again.close()
            #expect(throws: FirnError.self) { try database.closeBlocking() }
        }
    }

    @Test func aHypertableTakesTheDatabasesChunkInterval() async throws {
        var options = DatabaseOptions()
        options.storage.chunkIntervalSeconds = 3_600
        let database = try Database.inMemory(options: options)
        for (type, unit) in [("timestamptz", 1_000_000), ("timestamp(9)", 1_000_000_000)] as [(String, Int64)] {
            try await database.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (time \(type) NOT NULL, x bigint)")
            #expect(try database.table(named: "t")?.chunking?.interval == 3_600 * unit)
            try await database.execute("SELECT create_hypertable('t', 'time')")
            #expect(try database.table(named: "t")?.chunking?.interval == 3_600 * unit)
            try await database.execute("DROP TABLE t; CREATE TABLE t (time \(type) NOT NULL, x bigint)")
            try await database.execute("SELECT create_hypertable('t', by_range('time', INTERVAL '2 hours'))")
            #expect(try database.table(named: "t")?.chunking?.interval == 7_200 * unit)
        }
        try await database.close()
    }
}
