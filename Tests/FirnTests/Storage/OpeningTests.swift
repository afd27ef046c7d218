// SPDX-License-Identifier: Apache-2.0
//
// Opening: who may, what is refused, what is found damaged, and what is left alone.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

@Suite struct OpeningTests {
    @Test func aSecondOpenerIsToldWhoHoldsTheDatabase() throws {
        let world = EngineWorld()
        let engine = try world.open()
        for access in [StorageOptions.Access.readWrite, .readOnly] {
            world.options.access = access
            let error = try #require(failure { _ = try world.open() })
            #expect(error.code == .lockNotAvailable)
            #expect(error.message.hasPrefix("database \"/db\" is in use by process "))
            #expect(error.hint != nil)
        }
        try engine.close()
        let first = try world.open()
        let second = try world.open()
        world.options.access = .readWrite
        let error = try #require(failure { _ = try world.open() })
        #expect(error.message == "database \"/db\" is being read by another process")
        try first.close()
        try second.close()
        try world.open().close()
    }

    @Test func readingAloneSeesUnflushedRowsAndChangesNothing() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let world = EngineWorld(disk, path: "/parent/db")
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 5), to: table.id)
        try engine.checkpoint()
        try engine.append(Readings.batch(5, count: 5), to: table.id)
        try world.kill(engine)
        world.options.access = .readOnly
        let changes = disk.injector.changeCount
        let reader = try world.open()
        #expect(try reader.rows("readings") == Readings.batch(0, count: 10).rows)
        #expect(failure { try reader.append(Readings.batch(0, count: 1), to: table.id) }?.code == .readOnlyTransaction)
        #expect(failure { try reader.dropTables([table.id]) }?.code == .readOnlyTransaction)
        #expect(failure { try reader.checkpoint() }?.code == .readOnlyTransaction)
        #expect(failure { _ = try reader.createReadings("x") }?.code == .readOnlyTransaction)
        try reader.close()
        #expect(disk.injector.changeCount == changes)
    }

    @Test func whatIsNoDatabaseIsRefused() throws {
        let files = MemoryFileSystem()
        let world = EngineWorld(files)
        world.options.createIfMissing = false
        #expect(failure { _ = try world.open() }?.code == .undefinedFile)
        world.options.createIfMissing = true
        world.options.access = .readOnly
        #expect(failure { _ = try world.open() }?.code == .undefinedFile)
        #expect(try files.list("/").isEmpty)
        world.options.access = .readWrite
        try files.createDirectory("/db")
        _ = try files.open("/db/holiday.jpg", .createNew)
        #expect(failure { _ = try world.open() }?.code == .duplicateFile)
        #expect(try files.list("/db").map(\.name) == ["holiday.jpg"])
        _ = try files.open("/file", .createNew)
        #expect(failure { _ = try EngineWorld(files, path: "/file").open() }?.message.contains("is a file") == true)
    }

    @Test func anUnknownFormatVersionIsRefusedInWords() throws {
        let world = EngineWorld()
        try world.open().close()
        let file = try world.fileSystem.open("/db/CURRENT", .readWrite)
        try file.write([1], at: 8)
        let error = try #require(failure { _ = try world.open() })
        #expect(error.code == .unsupportedFormat)
        #expect(error.message.contains("format version 1 is not known"))
    }

    @Test func aCloseInOrderLeavesNoLog() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        for first in 0..<20 { try engine.append(Readings.batch(first * 100, count: 100), to: table.id) }
        try engine.close()
        #expect(try world.fileSystem.list("/db/wal").isEmpty)
        #expect(failure { try engine.append(Readings.batch(0, count: 1), to: table.id) }?.code == .databaseClosed)
        #expect(failure { _ = try engine.snapshot() }?.code == .databaseClosed)
        try engine.close()
        #expect(try world.open().notices.isEmpty)
    }

    @Test func unknownFilesMoveToQuarantineAndStayThere() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 5), to: table.id)
        try engine.checkpoint()
        try engine.append(Readings.batch(5, count: 5), to: table.id)
        try engine.checkpoint()
        try engine.close()
        let files = world.fileSystem
        for path in ["/db/notes.txt", "/db/data/x.seg", "/db/wal/y", "/db/data/18446744073709551615.seg"] {
            try files.open(FilePath(path), .createNew).write(Array(path.utf8), at: 0)
        }
        // A file whose number was given out long ago, and that nothing refers to.
        try files.open("/db/data/0.seg", .createNew).write([1], at: 0)
        let reopened = try world.open()
        #expect(reopened.notices.count == 5)
        #expect(try reopened.rows("readings").count == 10)
        #expect(
            try files.list("/db/quarantine").map(\.name)
                == ["data-0.seg", "data-18446744073709551615.seg", "data-x.seg", "notes.txt", "wal-y"])
        #expect(
            try files.open("/db/quarantine/notes.txt", .readOnly).readAll() == Array("/db/notes.txt".utf8))
        try reopened.close()
        #expect(try world.open().notices.isEmpty)
    }

    @Test func unfinishedLoadsLeaveNothingBehind() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        world.options.memtableBytesMax = 1_000
        let load = try engine.beginLoad(into: table.id)
        for first in 0..<5 { try load.append(Readings.batch(first * 100, count: 100)) }
        // A flush in between records that the load's files are not finished.
        try engine.append(Readings.batch(0, count: 2), to: table.id)
        try engine.checkpoint()
        try world.kill(engine)
        let reopened = try world.open()
        #expect(reopened.notices.isEmpty)
        #expect(try world.fileSystem.list("/db/data").count == 1)
        #expect(try reopened.rows("readings").count == 2)
        withExtendedLifetime(load) {}
    }

    // MARK: Damage

    /// A database that was killed with a flush, some log files and unflushed commits behind it.
    private func killedDatabase() throws -> (disk: SimulatedFileSystem, states: [CrashScript.State]) {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let world = CrashScript.world(disk)
        world.options.memtableBytesMax = 1 << 20
        world.options.memoryBytesMax = 1 << 22
        let engine = try world.open()
        let table = try engine.createReadings("a")
        var states: [CrashScript.State] = []
        var next = 0
        func append(_ count: Int) throws {
            try engine.append(Numbered.batch(next, count: count), to: table.id)
            next += count
            states.append(["a": Array(0..<next)])
        }
        try append(10)
        try engine.checkpoint()
        for _ in 0..<12 { try append(9) }
        try world.kill(engine)
        return (disk.afterProcessDeath(), states)
    }

    private func copy(_ disk: SimulatedFileSystem) throws -> MemoryFileSystem {
        let files = MemoryFileSystem()
        func copy(_ path: FilePath) throws {
            try files.createDirectory(path)
            for entry in try disk.list(path) {
                let child = path.appending(entry.component)
                if entry.kind == .directory {
                    try copy(child)
                } else {
                    try files.open(child, .createNew).write(try disk.open(child, .readOnly).readAll(), at: 0)
                }
            }
        }
        try copy("/parent")
        return files
    }

    private func allFiles(_ files: any FileSystem, _ path: FilePath = "/parent/db") throws -> [FilePath] {
        var paths: [FilePath] = []
        for entry in try files.list(path) {
            let child = path.appending(entry.component)
            paths += entry.kind == .directory ? try allFiles(files, child) : [child]
        }
        return paths
    }

    /// Opens a damaged database: an error that names a file, or one of the states that may be there.
    private func examine(
        _ files: MemoryFileSystem, _ states: [CrashScript.State], _ comment: @autoclosure () -> String
    ) throws -> FirnError? {
        let world = CrashScript.world(files)
        do {
            let engine = try world.open()
            let state = try Numbered.state(of: engine)
            if !states.contains(state) { Issue.record("\(comment()): wrong answer \(state)") }
            try engine.close()
            return nil
        } catch let error as FirnError {
            #expect(error.message.contains("/parent/db"), "\(comment()): \(error)")
            #expect([.dataCorrupted, .unsupportedFormat].contains(error.code), "\(comment()): \(error)")
            return error
        }
    }

    @Test(.enabled(if: TestEffort.isFull)) func everyFlippedBitIsNoticedOrHarmless() throws {
        let (disk, states) = try killedDatabase()
        let whole = try copy(disk)
        var generator = Xoshiro256(seed: TestSeed.current ?? 5)
        var noticed = 0
        // Only the last commit's bytes have nothing behind them that vouches for them.
        let lastLog = try #require(
            try allFiles(whole).filter { $0.string.hasSuffix(".wal") }.max { $0.string < $1.string })
        for path in try allFiles(whole) {
            let byteCount = try Int(#require(try whole.status(path)).byteCount)
            for byte in 0..<byteCount where generator.next() % UInt64(TestEffort.step(byteCount < 400 ? 16 : 2_000)) == 0 {
                let files = try copy(disk)
                let file = try files.open(path, .readWrite)
                var value = try file.read(byteCount: 1, at: Int64(byte))
                value[0] ^= UInt8(1 << (generator.next() % 8))
                try file.write(value, at: Int64(byte))
                let allowed = path == lastLog ? Array(states.suffix(2)) : [states.last!]
                if try examine(files, allowed, "\(path) byte \(byte)") != nil { noticed += 1 }
            }
        }
        #expect(noticed > 3)
    }

    @Test(.enabled(if: TestEffort.isFull)) func everyTruncationAndEveryMissingFileIsNoticedOrHarmless() throws {
        let (disk, states) = try killedDatabase()
        let whole = try copy(disk)
        let paths = try allFiles(whole)
        let lastLog = try #require(paths.filter { $0.string.hasSuffix(".wal") }.max { $0.string < $1.string })
        for path in paths {
            let byteCount = try Int(#require(try whole.status(path)).byteCount)
            // The last log file may lose what no later frame vouches for; its loss as a whole is known no better.
            let allowed = path == lastLog ? Array(states.suffix(4)) : [states.last!]
            for length in stride(from: 0, to: byteCount, by: max(1, byteCount / (TestEffort.isFull ? 200 : 2))) {
                let files = try copy(disk)
                try files.open(path, .readWrite).truncate(to: Int64(length))
                let found = try examine(files, allowed, "\(path) cut to \(length)")
                if path.string.hasSuffix(".seg") { #expect(found != nil, "\(path) cut to \(length)") }
            }
            let files = try copy(disk)
            try files.remove(path)
            _ = try examine(files, allowed, "\(path) removed")
        }
        guard TestEffort.isFull else { return }
        for first in paths {
            for second in paths where first != second {
                let files = try copy(disk)
                try files.open(second, .readWrite).truncate(to: 0)
                try files.open(second, .readWrite).write(try whole.open(first, .readOnly).readAll(), at: 0)
                _ = try examine(
                    files, second == lastLog ? Array(states.suffix(4)) : [states.last!],
                    "\(first) in place of \(second)")
            }
        }
    }

    @Test func aTornTailIsDroppedWithANotice() throws {
        let (disk, states) = try killedDatabase()
        let files = try copy(disk)
        let lastLog = try #require(
            try allFiles(files).filter { $0.string.hasSuffix(".wal") }.max { $0.string < $1.string })
        let file = try files.open(lastLog, .readWrite)
        try file.truncate(to: try file.byteCount() - 9)
        let engine = try CrashScript.world(files).open()
        #expect(try Numbered.state(of: engine) == states[states.count - 2])
        #expect(engine.notices.count == 1)
        #expect(engine.notices[0].contains("dropped"))
    }

    @Test func theCheckFindsWhatIsDamagedAndNothingElse() throws {
        let (disk, _) = try killedDatabase()
        // The check reads segments of the product, which this world's are not: only the log and the manifest here.
        let files = try copy(disk)
        for path in try allFiles(files) where path.string.hasSuffix(".seg") { try files.remove(path) }
        let report = try DatabaseCheck.run("/parent/db", fileSystem: files)
        #expect(report.damages.contains { $0.description.contains(".seg") })
        for path in try allFiles(files) { _ = try InspectedFile.describe(path, fileSystem: files) }
    }
}
