// SPDX-License-Identifier: Apache-2.0
//
// What an engine promises while nothing goes wrong: rows come back, at every snapshot, after every reopening.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct StorageEngineTests {
    @Test func appendedRowsAreSeenAtOnceAndAfterReopening() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        #expect(table.chunking?.interval == 7 * Readings.day)
        #expect(table.chunking?.isHypertable == false)
        let first = try engine.append(Readings.batch(0, count: 10), to: table.id)
        let second = try engine.append(Readings.batch(10, count: 5), to: table.id)
        #expect(first.lsn < second.lsn)
        #expect(second.rowCount == 5)
        let rows = Readings.batch(0, count: 15).rows
        #expect(try engine.rows("readings") == rows)
        #expect(try engine.snapshot().rows(of: table.id).rowCount == 15)
        try world.kill(engine)

        let reopened = try world.open()
        #expect(try reopened.rows("readings") == rows)
        #expect(try reopened.snapshot().table(named: "readings") == table)
        try reopened.append(Readings.batch(15, count: 1), to: table.id)
        try reopened.close()
        let again = try world.open()
        #expect(try again.rows("readings") == Readings.batch(0, count: 16).rows)
    }

    @Test func aSnapshotShowsTheCommitsBeforeItAndNothingLater() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 3), to: table.id)
        let before = try engine.snapshot()
        try engine.append(Readings.batch(3, count: 3), to: table.id)
        try engine.checkpoint()
        try engine.append(Readings.batch(6, count: 3), to: table.id)
        let after = try engine.snapshot()
        try engine.dropTables([table.id])
        world.executor.runAll()
        #expect(try before.rows(of: table.id).all() == Readings.batch(0, count: 3).rows)
        #expect(try before.rows(of: table.id).rowCount == 3)
        #expect(try after.rows(of: table.id).all() == Readings.batch(0, count: 9).rows)
        #expect(try engine.snapshot().table(named: "readings") == nil)
        #expect(failure { try engine.append(Readings.batch(0, count: 1), to: table.id) }?.code == .undefinedTable)
    }

    @Test func aDroppedTablesFilesGoWithTheLastSnapshotThatHoldsThem() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 3), to: table.id)
        try engine.checkpoint()
        var snapshot: (any DatabaseSnapshot)? = try engine.snapshot()
        try engine.dropTables([table.id])
        try engine.checkpoint()
        world.executor.runAll()
        #expect(try world.fileSystem.list("/db/data").count == 1)
        #expect(try snapshot?.rows(of: table.id).all().count == 3)
        snapshot = nil
        world.executor.runAll()
        #expect(try world.fileSystem.list("/db/data").isEmpty)
        try engine.close()
        #expect(try world.open().snapshot().tables.isEmpty)
    }

    @Test func aFlushedTableIsCutIntoChunks() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        for week in [-1, 0, 3] {
            try engine.append(Readings.batch(0, count: 4, start: Int64(week) * 7 * Readings.day), to: table.id)
        }
        try engine.append(
            ColumnBatch([
                .timestamps(microseconds: [.min, .max, .max - 1]), .text(["a", "b", "c"]), .doubles([1, 2, 3]),
            ]), to: table.id)
        let rows = try engine.rows("readings")
        try engine.checkpoint()
        #expect(try engine.snapshot().rows(of: table.id).rowCount == 15)
        #expect(Set(try engine.rows("readings")) == Set(rows))
        let chunks = engine.core.withLock { $0.writers[table.id]!.directory.all }
        #expect(chunks.count == 5)
        #expect(zip(chunks, chunks.dropFirst()).allSatisfy { $0.end <= $1.start })
        try engine.close()
        let reopened = try world.open()
        #expect(Set(try reopened.rows("readings")) == Set(rows))
        #expect(reopened.core.withLock { $0.writers[table.id]!.directory.all } == chunks)
    }

    @Test func tableDefinitionsAreChecked() throws {
        let engine = try EngineWorld().open()
        _ = try engine.createReadings("t")
        func code(_ definition: TableDefinition) -> SQLState? {
            failure { try engine.createTable(definition) }?.code
        }
        let time = TableDefinition.Column(name: "time", type: .timestamptz(.microseconds), isNullable: false)
        #expect(code(TableDefinition(name: "t", columns: [time])) == .duplicateTable)
        #expect(code(TableDefinition(name: "u", columns: [time, time])) == .duplicateColumn)
        #expect(code(TableDefinition(name: "u", columns: [])) == .invalidTableDefinition)
        #expect(code(TableDefinition(name: "u", columns: [time], primaryKey: ["x"])) == .undefinedColumn)
        #expect(code(TableDefinition(name: String(repeating: "n", count: 64), columns: [time])) == .nameTooLong)
        let many = (0...1_600).map { TableDefinition.Column(name: "c\($0)", type: .bigint, isNullable: true) }
        #expect(code(TableDefinition(name: "u", columns: many)) == .tooManyColumns)
        let two = try engine.createTable(
            TableDefinition(
                name: "two", columns: [time, .init(name: "other", type: .timestamp(.nanoseconds), isNullable: false)]))
        #expect(two.chunking == nil)
    }

    @Test func aKilledDatabaseKeepsDDLInOrder() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let first = try engine.createReadings("a")
        try engine.append(Readings.batch(0, count: 2), to: first.id)
        try engine.dropTables([first.id])
        let second = try engine.createReadings("a")
        #expect(second.id > first.id)
        try engine.setSortKey(of: second.id, [ColumnID(2)])
        try engine.setChunking(
            of: second.id, ChunkingPolicy(column: ColumnID(1), interval: Readings.day, isHypertable: true))
        try engine.append(Readings.batch(7, count: 2), to: second.id)
        try world.kill(engine)
        let reopened = try world.open()
        let schema = try #require(try reopened.snapshot().table(named: "a"))
        #expect(schema.id == second.id)
        #expect(schema.sortKey == [ColumnID(2)])
        #expect(schema.chunking == ChunkingPolicy(column: ColumnID(1), interval: Readings.day, isHypertable: true))
        #expect(try reopened.rows("a") == Readings.batch(7, count: 2).rows)
    }

    @Test func randomHistoriesMatchTheModel() throws {
        let seed = TestSeed.current ?? UInt64.random(in: 0..<1_000_000)
        for history in 0..<12 {
            try runHistory(seed: seed &+ UInt64(history))
        }
    }

    /// Appends, loads, drops, flushes, closes and kills at random; a dictionary of arrays says what must be there.
    private func runHistory(seed: UInt64) throws {
        var generator = Xoshiro256(seed: seed)
        let world = EngineWorld()
        world.options.memtableBytesMax = 20_000
        world.options.memoryBytesMax = 60_000
        var engine = try world.open()
        var model: [String: (id: TableID, rows: [[Value]])] = [:]
        var nextRow = 0
        for step in 0..<50 {
            let comment: Comment = "seed \(seed) step \(step)"
            let names = model.keys.sorted()
            switch generator.next() % 16 {
            case 0:
                let name = "t\(generator.next() % 4)"
                if model[name] == nil {
                    model[name] = (try engine.createReadings(name).id, [])
                } else {
                    #expect(failure { _ = try engine.createReadings(name) }?.code == .duplicateTable, comment)
                }
            case 1 where !names.isEmpty && generator.next() % 3 == 0:
                let name = names[Int(generator.next() % UInt64(names.count))]
                try engine.dropTables([model[name]!.id])
                model[name] = nil
            case 2: try engine.checkpoint()
            case 3: world.executor.runAll()
            case 4:
                try engine.close()
                engine = try world.open()
            case 5:
                try world.kill(engine)
                engine = try world.open()
            case 6 where !names.isEmpty:
                let name = names[Int(generator.next() % UInt64(names.count))]
                let load = try engine.beginBulkLoad(into: model[name]!.id, durability: nil)
                var rows: [[Value]] = []
                for _ in 0..<generator.next() % 40 {
                    let batch = randomBatch(&nextRow, &generator)
                    try load.append(batch)
                    rows += batch.rows
                }
                if generator.next() % 3 == 0 {
                    load.abandon()
                } else {
                    #expect(try load.commit().rowCount == rows.count, comment)
                    model[name]!.rows += rows
                }
            default:
                guard !names.isEmpty else { continue }
                let name = names[Int(generator.next() % UInt64(names.count))]
                let batch = randomBatch(&nextRow, &generator)
                let durability: Durability = [.synced, .memory, .buffered(flushIntervalNanoseconds: 1_000)][
                    Int(generator.next() % 3)]
                _ = try engine.append(batch, to: model[name]!.id, durability: durability)
                model[name]!.rows += batch.rows
                // A kill keeps what the log has; here everything has reached it.
                if durability == .memory { try engine.sync() }
            }
            let snapshot = try engine.snapshot()
            #expect(snapshot.tables.map(\.name) == model.keys.sorted(), comment)
            for (name, expected) in model {
                let table = try snapshot.rows(of: expected.id)
                #expect(table.rowCount == expected.rows.count, comment)
                guard step % 7 == 6 else { continue }
                let rows = try table.all()
                #expect(rows.sorted(by: byValue) == expected.rows.sorted(by: byValue), "\(comment) table \(name)")
            }
        }
        try engine.close()
    }

    /// The value column numbers the rows.
    private func byValue(_ left: [Value], _ right: [Value]) -> Bool {
        guard case .double(let first) = left[2], case .double(let second) = right[2] else { return false }
        return first < second
    }

    private func randomBatch(_ nextRow: inout Int, _ generator: inout Xoshiro256) -> ColumnBatch {
        let count = Int(generator.next() % 30) + 1
        defer { nextRow += count }
        return Readings.batch(nextRow, count: count, start: Int64(generator.next() % 30) * Readings.day)
    }
}

enum TestSeed {
    /// The seed that FIRN_SEED asks for.
    static var current: UInt64? { EnvironmentVariable.value("FIRN_SEED").flatMap { UInt64($0) } }
}
