// SPDX-License-Identifier: Apache-2.0
//
// A log file of another database, put into the folder by mistake, is never believed and never removed.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct ForeignLogTests {
    @Test func aLogOfAnotherDatabaseMovesToQuarantine() throws {
        let files = MemoryFileSystem()
        let other = EngineWorld(files, path: "/other")
        let otherEngine = try other.open()
        let otherTable = try otherEngine.createReadings()
        try otherEngine.append(Readings.batch(100, count: 7), to: otherTable.id)
        try other.kill(otherEngine)
        let foreign = try #require(try files.list("/other/wal").first)
        let bytes = try files.open(FilePath("/other/wal/\(foreign.name)"), .readOnly).readAll()

        let world = EngineWorld(files)
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 5), to: table.id)
        try engine.close()
        try files.open("/db/wal/7777.wal", .createNew).write(bytes, at: 0)

        // Checking and reading say the same, and leave it.
        let report = try DatabaseCheck.run("/db", fileSystem: files)
        #expect(report.damages.isEmpty)
        #expect(report.notices.contains { $0.contains("wal/7777.wal belongs to database") })
        world.options.access = .readOnly
        let reader = try world.open()
        #expect(try reader.rows("readings") == Readings.batch(0, count: 5).rows)
        #expect(reader.notices.count == 1)
        try reader.close()
        world.options.access = .readWrite

        let reopened = try world.open()
        #expect(try reopened.rows("readings") == Readings.batch(0, count: 5).rows)
        #expect(try files.list("/db/quarantine").map(\.name) == ["wal-7777.wal"])
        #expect(try files.open("/db/quarantine/wal-7777.wal", .readOnly).readAll() == bytes)
        #expect(reopened.notices.count == 1)
        try reopened.close()
        #expect(try world.open().notices.isEmpty)
    }
}
