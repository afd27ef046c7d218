// SPDX-License-Identifier: Apache-2.0
//
// Folders that somebody's hand, a copy or a disk has changed: opening for writing, opening for reading and checking tell
// one truth about them, and nothing that may be needed is removed or moved.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct DamagedFolderTests {
    /// A database that was killed with `commits` unflushed commits of a row each, in one log file or several.
    private static func killed(commits: Int, logFileBytes: Int = 1 << 20) throws -> EngineWorld {
        let world = EngineWorld()
        world.options.logFileBytes = logFileBytes
        let engine = try world.open()
        let table = try engine.createReadings()
        for number in 0..<commits { try engine.append(Readings.batch(number, count: 1), to: table.id) }
        try world.kill(engine)
        return world
    }

    /// What the three say about a folder: nil where they find no damage.
    private func verdicts(_ world: EngineWorld) throws -> [String?] {
        let report = try DatabaseCheck.run(world.path, fileSystem: world.fileSystem, timeSource: world.time)
        world.options.access = .readOnly
        let reading = failure { try world.open().close() }
        world.options.access = .readWrite
        let writing = failure { try world.open().close() }
        for error in [reading, writing].compactMap({ $0 }) { #expect(error.code == .dataCorrupted, "\(error)") }
        return [report.damages.first?.description, reading?.message, writing?.message]
    }

    private func expectDamage(
        _ world: EngineWorld, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for verdict in try verdicts(world) {
            #expect(verdict?.contains(words) == true, "\(verdict ?? "no damage")", sourceLocation: sourceLocation)
        }
    }

    private func edit(_ path: FilePath, _ files: any FileSystem, _ body: (inout [UInt8]) -> Void) throws {
        let file = try files.open(path, .readWrite)
        var bytes = try file.readAll()
        body(&bytes)
        try file.truncate(to: 0)
        try file.write(bytes, at: 0)
        try file.close()
    }

    // MARK: The log

    @Test func aMissingLogFileIsDamage() throws {
        let world = try Self.killed(commits: 3)
        try world.fileSystem.remove("/db/wal/1.wal")
        try expectDamage(world, "/db/wal/1.wal is missing, with the commits from LSN 1 on")
    }

    @Test func eachMissingLogFileOfSeveralIsDamage() throws {
        var number: UInt64 = 1
        while true {
            let world = try Self.killed(commits: 12, logFileBytes: 700)
            guard try world.fileSystem.status(DatabaseFolder(root: "/db").log(number)) != nil else { break }
            try world.fileSystem.remove(DatabaseFolder(root: "/db").log(number))
            for verdict in try verdicts(world) { #expect(verdict?.contains("missing") == true, "file \(number)") }
            number += 1
        }
        #expect(number > 3)
    }

    @Test(arguments: [0, 64, 128, 200, 1_000, (1 << 20) - 1])
    func aLogFileThatWasCutIsDamage(byteCount: Int64) throws {
        let world = try Self.killed(commits: 3)
        try world.fileSystem.open("/db/wal/1.wal", .readWrite).truncate(to: byteCount)
        try expectDamage(world, "/db/wal/1.wal is damaged at byte")
    }

    @Test func aDamagedHeaderOfAnyLogFileIsDamage() throws {
        for (logFileBytes, number) in [(1 << 20, UInt64(1)), (700, 1), (700, 2), (700, 3)] {
            for byte in [3, 40, 70, 100] {
                let world = try Self.killed(commits: 12, logFileBytes: logFileBytes)
                try edit(DatabaseFolder(root: "/db").log(number), world.fileSystem) { $0[byte] ^= 4 }
                try expectDamage(world, "wal/\(number).wal is damaged")
            }
        }
    }

    @Test func whatAZeroedPageDropsIsCounted() throws {
        let world = try Self.killed(commits: 40)
        var end = 0
        try edit("/db/wal/1.wal", world.fileSystem) { bytes in
            end = bytes.lastIndex { $0 != 0 }!
            // The last page that holds frames; a frame lies across its beginning.
            for index in end / 512 * 512..<bytes.count { bytes[index] = 0 }
        }
        let report = try DatabaseCheck.run("/db", fileSystem: world.fileSystem)
        let engine = try world.open()
        let rows = try engine.rows("readings").count
        #expect(report.damages.isEmpty)
        #expect(rows < 40)
        for notices in [report.notices, engine.notices] {
            #expect(notices.count == 1)
            #expect(notices.first?.contains("may be missing, from LSN \(rows + 2) on") == true, "\(notices)")
        }
    }

    /// What an earlier close recorded says nothing about the log of a later opening.
    @Test func aMissingLogFileIsDamageAfterACloseInOrderToo() throws {
        let world = try Self.killed(commits: 3)
        try world.open().close()
        let engine = try world.open()
        let table = try #require(try engine.snapshot().table(named: "readings"))
        try engine.append(Readings.batch(3, count: 1), to: table.id)
        try world.kill(engine)
        let folder = DatabaseFolder(root: "/db")
        let number = try #require(try WALReader.fileNumbers(folder, world.fileSystem).first)
        try world.fileSystem.remove(folder.log(number))
        try expectDamage(world, "wal/\(number).wal is missing")
    }

    /// The file before it names it, and that is as durable as what the last file holds.
    @Test func theLastLogFileIsMissedAfterAPowerLossToo() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let world = CrashScript.world(disk)
        world.options.memtableBytesMax = 1 << 20
        world.options.memoryBytesMax = 1 << 22
        let engine = try world.open()
        let table = try engine.createReadings()
        for number in 0..<30 { try engine.append(Readings.batch(number * 6, count: 6), to: table.id) }
        let survivor = disk.afterCrash(.syncedAlone)
        let folder = DatabaseFolder(root: world.path)
        let numbers = try WALReader.fileNumbers(folder, survivor)
        #expect(numbers.count > 2)
        try survivor.remove(folder.log(try #require(numbers.last)))
        let error = failure { try CrashScript.world(survivor).open().close() }
        #expect(error?.code == .dataCorrupted)
        #expect(error?.message.contains("is missing") == true, "\(error as Any)")
    }

    @Test func aCloseInOrderNeedsNoLog() throws {
        let world = try Self.killed(commits: 3)
        try world.open().close()
        #expect(try world.fileSystem.list("/db/wal").isEmpty)
        #expect(try verdicts(world) == [nil, nil, nil])
    }

    // MARK: CURRENT

    @Test func aMissingCurrentIsDamageAndAnUnfinishedCreationIsNone() throws {
        let world = try Self.killed(commits: 3)
        try world.fileSystem.remove("/db/CURRENT")
        try expectDamage(world, "missing")
        // Even when only the log tells, and its header does not.
        for name in ["manifest-1", "LOCK"] { try world.fileSystem.remove(FilePath("/db").appending(name)) }
        try expectDamage(world, "missing")
        try edit("/db/wal/1.wal", world.fileSystem) { $0[70] ^= 1 }
        try expectDamage(world, "missing")
    }

    @Test func aNumberThatNoEngineWroteIsDamageBehindARightChecksum() throws {
        let numbers: [UInt64] = [.max, 1 << 63, UInt64(Int64.max), (1 << 62) + 1]
        for number in numbers {
            for offset in [32, 40] {
                let world = try Self.killed(commits: 3)
                try edit("/db/CURRENT", world.fileSystem) { bytes in
                    withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
                    bytes = Resealing.current(bytes)
                }
                for verdict in try verdicts(world) { #expect(verdict != nil, "CURRENT, \(offset), \(number)") }
            }
            for offset in [32, 64, 72, 80, 88, 96, 112] {
                let world = try Self.killed(commits: 3)
                try edit("/db/wal/1.wal", world.fileSystem) { bytes in
                    withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(offset..<offset + 8, with: $0) }
                    bytes = Resealing.log(bytes)
                }
                for verdict in try verdicts(world) { #expect(verdict != nil, "log header, \(offset), \(number)") }
            }
        }
    }

    @Test func aNameThatNoEngineGaveMovesToQuarantine() throws {
        let world = try Self.killed(commits: 3)
        for name in ["wal/18446744073709551615.wal", "wal/9223372036854775807.wal", "manifest-18446744073709551615"] {
            try world.fileSystem.open(FilePath("/db").appending(name), .createNew).write([1], at: 0)
        }
        let engine = try world.open()
        #expect(try engine.rows("readings").count == 3)
        #expect(engine.notices.count == 3)
        try engine.close()
        #expect(try world.open().notices.isEmpty)
    }

    // MARK: Data files

    @Test func aFileOfWhichSomeSegmentsWereDroppedIsSound() throws {
        let world = EngineWorld()
        let engine = try world.open()
        var tables: [TableSchema] = []
        for name in ["a", "b", "c"] {
            tables.append(try engine.createReadings(name))
            // Two chunks each.
            try engine.append(Readings.batch(0, count: 10), to: tables.last!.id)
            try engine.append(Readings.batch(0, count: 10, start: 30 * Readings.day), to: tables.last!.id)
        }
        try engine.checkpoint()
        let chunk = try #require(try engine.snapshot().rows(of: tables[0].id).chunks.first)
        _ = try engine.rewriteChunk(chunk.id, of: tables[0].id, to: .cold, partBytesMax: 1 << 20)
        try engine.dropTables([tables[1].id])
        try engine.close()
        let files = world.fileSystem
        #expect(try DatabaseCheck.run("/db", fileSystem: files).damages.isEmpty)
        // Damage of what is in use is found all the same.
        try edit("/db/data/1.seg", files) { $0[$0.count - 40] ^= 1 }
        #expect(try DatabaseCheck.run("/db", fileSystem: files).damages.contains { $0.file == "data/1.seg" })
    }

    @Test func aFolderInPlaceOfALiveFileStaysAndIsNamed() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 10), to: table.id)
        try engine.close()
        try world.fileSystem.remove("/db/data/1.seg")
        try world.fileSystem.createDirectory("/db/data/1.seg")
        try expectDamage(world, "data/1.seg")
        #expect(try world.fileSystem.status("/db/quarantine") == nil)
    }

    @Test func linksToFilesElsewhereAreFollowedAndStay() throws {
        let files = POSIXFileSystem()
        var template = Array("/tmp/firn-links-XXXXXX".utf8CString)
        let root = FilePath(String(cString: try #require(mkdtemp(&template))))
        defer { _ = removeTree(root, files) }
        let world = EngineWorld(files, path: root.appending("db"))
        let engine = try world.open()
        let table = try engine.createReadings()
        try engine.append(Readings.batch(0, count: 10), to: table.id)
        try engine.checkpoint()
        try engine.append(Readings.batch(10, count: 5), to: table.id)
        try world.kill(engine)
        try files.createDirectory(root.appending("tier"))
        for name in ["data/1.seg", "wal/1.wal", "manifest-1"] {
            let path = world.path.appending(name)
            let target = root.appending("tier").appending(path.lastComponent!)
            try files.rename(path, to: target)
            #expect(symlink(target.string, path.string) == 0)
        }
        #expect(try DatabaseCheck.run(world.path, fileSystem: files).damages.isEmpty)
        for _ in 0..<2 {
            let engine = try world.open()
            #expect(engine.notices.isEmpty)
            #expect(try engine.rows("readings").count == 15)
            try engine.close()
        }
        #expect(try files.status(world.path.appending("quarantine")) == nil)
        #expect(try files.status(root.appending("tier/1.seg")) != nil)
    }

    private func removeTree(_ path: FilePath, _ files: POSIXFileSystem) -> Bool {
        for entry in (try? files.list(path)) ?? [] {
            let child = path.appending(entry.component)
            if entry.kind == .directory { _ = removeTree(child, files) } else { try? files.remove(child) }
        }
        return (try? files.removeDirectory(path)) != nil
    }

    // MARK: Copies

    /// CURRENT, the manifest and the log of a copy come over the database that has gone on.
    @Test(arguments: [true, false], [true, false])
    func anOldCopyOverANewerDatabaseRemovesNothing(copyWasClosed: Bool, newerWasClosed: Bool) throws {
        for work in 0..<4 {
            let world = EngineWorld()
            let files = world.fileSystem
            var engine = try world.open()
            let table = try engine.createReadings()
            try engine.append(Readings.batch(0, count: 10), to: table.id)
            try engine.checkpoint()
            try engine.append(Readings.batch(10, count: 10), to: table.id)
            if copyWasClosed { try engine.close() } else { try world.kill(engine) }
            let old = try contents(of: ["/db", "/db/wal"], files).filter { !$0.path.string.hasSuffix("LOCK") }

            engine = try world.open()
            switch work {
            case 0:
                try engine.append(Readings.batch(20, count: 10), to: table.id)
                try engine.checkpoint()
            case 1:
                let load = try engine.beginLoad(into: table.id)
                try load.append(Readings.batch(20, count: 10))
                _ = try load.commit(.asSegments)
            case 2:
                for chunk in try engine.snapshot().rows(of: table.id).chunks {
                    _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold, partBytesMax: 1 << 20)
                }
            default: try engine.append(Readings.batch(20, count: 10), to: table.id)
            }
            if newerWasClosed { try engine.close() } else { try world.kill(engine) }
            let newer = try contents(of: ["/db/data"], files)

            for entry in try files.list("/db/wal") { try files.remove(FilePath("/db/wal").appending(entry.component)) }
            for (path, bytes) in old {
                let file = try files.open(path, .createOrOpen)
                try file.truncate(to: 0)
                try file.write(bytes, at: 0)
            }
            let error = failure { try world.open().close() }
            let kept = try contents(of: ["/db/data", "/db/quarantine"], files).map(\.bytes)
            // What the newer database recovered from the log of the killed copy stands in that log again.
            for (path, bytes) in newer where work < 3 || copyWasClosed {
                #expect(kept.contains(bytes), "work \(work): \(path) is gone, \(error.map { "\($0)" } ?? "opened")")
            }
            if work < 2 { #expect(error?.code == .dataCorrupted, "work \(work)") }
        }
    }

    private func contents(
        of folders: [FilePath], _ files: any FileSystem
    ) throws -> [(path: FilePath, bytes: [UInt8])] {
        var found: [(FilePath, [UInt8])] = []
        for folder in folders where try files.status(folder) != nil {
            for entry in try files.list(folder) where entry.kind == .file {
                let path = folder.appending(entry.component)
                found.append((path, try files.open(path, .readOnly).readAll()))
            }
        }
        return found
    }

    // MARK: The lock

    /// A clock on which somebody's lock goes after some time.
    private final class Undertaker: TimeSource {
        private let clock = ManualTimeSource()
        private let lifeNanoseconds: UInt64
        private let bury: @Sendable () -> Void

        init(after lifeNanoseconds: UInt64, _ bury: @escaping @Sendable () -> Void) {
            self.lifeNanoseconds = lifeNanoseconds
            self.bury = bury
        }

        func now() -> Int64 { clock.now() }
        func monotonicNanoseconds() -> UInt64 { clock.monotonicNanoseconds() }
        func sleep(nanoseconds: UInt64) {
            clock.sleep(nanoseconds: nanoseconds)
            if clock.monotonicNanoseconds() >= lifeNanoseconds { bury() }
        }
    }

    @Test func theLockOfAProcessThatIsDyingIsWaitedFor() throws {
        for access in [StorageOptions.Access.readWrite, .readOnly] {
            let files = MemoryFileSystem()
            let folder = DatabaseFolder(root: "/db")
            try files.createDirectory("/db")
            let held = try #require(try LockFile.acquire(folder, .readWrite, files, ManualTimeSource()))
            let living = Undertaker(after: .max) {}
            let refused = failure { _ = try LockFile.acquire(folder, access, files, living) }
            #expect(refused?.code == .lockNotAvailable)
            #expect(living.monotonicNanoseconds() == LockFile.patienceNanoseconds)
            let dying = Undertaker(after: 300_000_000) { try? held.release() }
            let lock = try LockFile.acquire(folder, access, files, dying)
            #expect(dying.monotonicNanoseconds() == 300_000_000)
            try lock?.release()
        }
    }
}
