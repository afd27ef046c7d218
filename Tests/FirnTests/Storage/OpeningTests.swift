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
        for (version, words) in [
            (UInt8(9), "format version 9 is not known, this build reads versions 1 to 2"),
            (0, "format version 0 is that of builds before the first release"),
        ] {
            try file.write([version], at: 8)
            let error = try #require(failure { _ = try world.open() })
            #expect(error.code == .unsupportedFormat)
            #expect(error.message.contains(words))
        }
    }

    /// The version is looked at before anything else of a file: what cannot be read is refused, never passed over or
    /// taken for damage, and nothing is changed.
    @Test func anUnknownFormatVersionIsRefusedInEveryKindOfFile() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 5), to: table.id)
        try engine.checkpoint()
        try engine.append(Readings.batch(5, count: 5), to: table.id)
        try world.kill(engine)
        let manifest = try #require(
            try world.fileSystem.list("/db").first { $0.name.hasPrefix("manifest-") }?.name)
        let log = try #require(try world.fileSystem.list("/db/wal").first?.name)
        let segment = try #require(try world.fileSystem.list("/db/data").first?.name)
        for name in ["CURRENT", manifest, "wal/\(log)", "data/\(segment)"] {
            let file = try world.fileSystem.open(FilePath("/db/\(name)"), .readWrite)
            let own = try file.read(byteCount: 1, at: 8)
            try file.write([77], at: 8)
            let report = try DatabaseCheck.run("/db", fileSystem: world.fileSystem)
            #expect(report.damages.contains { $0.message.contains("format version 77 is not known") }, "\(name)")
            let error = try #require(
                failure {
                    let engine = try world.open()
                    defer { try? world.kill(engine) }
                    _ = try engine.rows(table.id)
                })
            #expect(error.code == .unsupportedFormat, "\(name): \(error)")
            #expect(error.message.contains("format version 77 is not known"), "\(name): \(error)")
            #expect(error.message.contains(name), "\(name): \(error)")
            try file.write(own, at: 8)
        }
        #expect(try world.open().rows(table.id).count == 10)
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

    /// The bytes of a database that was killed with a flush, several log files and unflushed commits behind it.
    private struct KilledDatabase {
        /// The contents after each commit.
        var states: [CrashScript.State] = []
        private(set) var files: [(path: FilePath, bytes: [UInt8])] = []
        private var folders: [FilePath] = []

        init() throws {
            let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
            let world = CrashScript.world(disk)
            // Nothing is flushed unless the test says so, and the log goes over several files.
            world.options.memtableBytesMax = 1 << 20
            world.options.memoryBytesMax = 1 << 22
            let engine = try world.open()
            let table = try engine.createReadings("a")
            var next = 0
            for (number, count) in ([10] + [Int](repeating: 9, count: 12)).enumerated() {
                try engine.append(Numbered.batch(next, count: count), to: table.id)
                next += count
                states.append(["a": Array(0..<next)])
                if number == 0 { try engine.checkpoint() }
            }
            try world.kill(engine)
            try add("/parent", of: disk.afterProcessDeath())
        }

        private mutating func add(_ folder: FilePath, of disk: SimulatedFileSystem) throws {
            folders.append(folder)
            for entry in try disk.list(folder) {
                let path = folder.appending(entry.component)
                if entry.kind == .directory {
                    try add(path, of: disk)
                } else {
                    files.append((path, try disk.open(path, .readOnly).readAll()))
                }
            }
        }

        /// A fresh copy in which one file has other bytes, or is missing.
        func restored(_ damaged: FilePath? = nil, with bytes: [UInt8]? = nil) throws -> MemoryFileSystem {
            let copy = MemoryFileSystem()
            for folder in folders { try copy.createDirectory(folder) }
            for file in files {
                guard let content = file.path == damaged ? bytes : file.bytes else { continue }
                try copy.open(file.path, .createNew).write(content, at: 0)
            }
            return copy
        }

        /// What may be found when a file is damaged. Nothing vouches for the last bytes of the last log file, unless a
        /// later frame says that they were durable.
        func allowed(_ path: FilePath, lostCommitsMax: Int) -> [CrashScript.State] {
            path == lastLog ? Array(states.suffix(1 + lostCommitsMax)) : [states.last!]
        }

        var lastLog: FilePath {
            func number(_ path: FilePath) -> Int { Int(path.stem ?? "") ?? 0 }
            return files.map(\.path).filter { $0.extension == "wal" }.max { number($0) < number($1) }!
        }
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
            // Segments are named from the database's folder on.
            #expect(
                error.message.contains("/parent/db") || error.message.contains(" in data/"), "\(comment()): \(error)")
            #expect([.dataCorrupted, .unsupportedFormat].contains(error.code), "\(comment()): \(error)")
            return error
        }
    }

    @Test func everyFlippedBitIsNoticedOrHarmless() throws {
        let database = try KilledDatabase()
        let seed = TestSeed.current ?? 5
        var generator = Xoshiro256(seed: seed)
        var (noticed, flipped) = (0, 0)
        for (path, bytes) in database.files where !bytes.isEmpty {
            let step = TestEffort.step(max(1, bytes.count / 5))
            for byte in stride(
                from: TestEffort.isFull ? 0 : Int(generator.next() % UInt64(step)), to: bytes.count, by: step)
            {
                var damaged = bytes
                damaged[byte] ^= UInt8(1 << (generator.next() % 8))
                let files = try database.restored(path, with: damaged)
                let allowed = database.allowed(path, lostCommitsMax: 1)
                if try examine(files, allowed, "seed \(seed): \(path) byte \(byte)") != nil { noticed += 1 }
                flipped += 1
            }
        }
        #expect(noticed > 10)
        if TestEffort.isFull { print("flipped bits: \(flipped), of which \(noticed) were noticed at open or read") }
    }

    @Test func everyTruncationAndEveryMissingFileIsNoticedOrHarmless() throws {
        let database = try KilledDatabase()
        var generator = Xoshiro256(seed: TestSeed.current ?? 6)
        var damageCount = 0
        for (path, bytes) in database.files {
            // The last log file may lose what no later frame vouches for; its loss as a whole is known no better.
            let allowed = database.allowed(path, lostCommitsMax: 3)
            let step = TestEffort.step(max(1, bytes.count / 3))
            let first = TestEffort.isFull ? 0 : Int(generator.next() % UInt64(step))
            for length in stride(from: first, to: bytes.count, by: step) {
                let files = try database.restored(path, with: Array(bytes[..<length]))
                let found = try examine(files, allowed, "\(path) cut to \(length)")
                if path.extension == "seg", found == nil {
                    // The list of segments at its end is there for checks: no statement misses it.
                    let report = try DatabaseCheck.run("/parent/db", fileSystem: files)
                    #expect(!report.damages.isEmpty, "\(path) cut to \(length)")
                }
                damageCount += 1
            }
            _ = try examine(try database.restored(path), allowed, "\(path) removed")
            for (other, content) in database.files
            where other != path && (TestEffort.isFull || generator.next() % 12 == 0) {
                let files = try database.restored(path, with: content)
                _ = try examine(files, allowed, "\(other) in place of \(path)")
                damageCount += 1
            }
        }
        if TestEffort.isFull { print("truncations and mixed-up files: \(damageCount)") }
    }

    @Test func aTornTailIsDroppedWithANotice() throws {
        let database = try KilledDatabase()
        let files = try database.restored()
        let file = try files.open(database.lastLog, .readWrite)
        let end = try #require(try file.readAll().lastIndex { $0 != 0 })
        try file.write([0], at: Int64(end))
        let engine = try CrashScript.world(files).open()
        #expect(try Numbered.state(of: engine) == database.states[database.states.count - 2])
        #expect(engine.notices.count == 1)
        #expect(engine.notices[0].contains("dropped"))
    }

    @Test func theCheckFindsWhatIsDamagedAndNothingElse() throws {
        let database = try KilledDatabase()
        let files = try database.restored()
        #expect(try DatabaseCheck.run("/parent/db", fileSystem: files).damages.isEmpty)
        for (path, _) in database.files { _ = try InspectedFile.describe(path, fileSystem: files) }
        for (path, bytes) in database.files where path.extension == "seg" {
            var damaged = bytes
            damaged[bytes.count / 2] ^= 1
            for content in [damaged, nil] {
                let report = try DatabaseCheck.run("/parent/db", fileSystem: try database.restored(path, with: content))
                #expect(report.damages.contains { $0.description.contains("\(path.lastComponent!)") })
            }
        }
    }
}
