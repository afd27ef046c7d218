// SPDX-License-Identifier: Apache-2.0
//
// What a crash may and may not take: what was synced stays, what was not may go, and never in a way no disk would.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@Suite struct SimulatedCrashTests {
    /// Enough that every outcome that is to be seen is seen, for whatever seeds.
    private let seeds: Range<UInt64> = 1..<200

    @Test func syncedBytesNeverVanish() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.open("/a", .createNew)
        try file.write([1, 2, 3], at: 0)
        try file.sync()
        try disk.syncDirectory("/")
        try file.write([9], at: 0)
        try file.write([9], at: 3)
        for seed in seeds {
            let bytes = try disk.afterCrash(.random(seed: seed)).contents("/a")
            #expect(
                [[1, 2, 3], [9, 2, 3], [9, 2, 3, 9], [1, 2, 3, 9], [9, 2, 3, 0], [1, 2, 3, 0]].contains(bytes))
        }
        #expect(try disk.afterCrash(.syncedAlone).contents("/a") == [1, 2, 3])
        #expect(try disk.afterCrash(.everything).contents("/a") == [9, 2, 3, 9])
    }

    @Test func unsyncedBytesMayVanishWhollyOrInPart() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.open("/a", .createNew)
        try file.sync()
        try disk.syncDirectory("/")
        let written = [UInt8](repeating: 7, count: 4_096)
        try file.write(written, at: 0)
        var sawNothing = false
        var sawAll = false
        var sawPrefix = false
        var sawHole = false
        for seed in seeds {
            let bytes = try disk.afterCrash(.random(seed: seed)).contents("/a")
            sawNothing = sawNothing || bytes.isEmpty
            sawAll = sawAll || bytes == written
            sawPrefix = sawPrefix || (!bytes.isEmpty && bytes.count < 4_096 && bytes.allSatisfy { $0 == 7 })
            sawHole = sawHole || (bytes.contains(0) && bytes.last == 7)
            #expect(bytes.allSatisfy { $0 == 7 || $0 == 0 })
        }
        #expect(sawNothing && sawAll && sawPrefix && sawHole)
    }

    @Test(arguments: [512, 4_096]) func sectorNeverHoldsALaterWriteWithoutTheEarlier(_ sectorByteCount: Int) throws {
        let disk = SimulatedFileSystem(sectorByteCount: sectorByteCount)
        let file = try disk.open("/a", .createNew)
        try file.truncate(to: 12_288)
        try file.sync()
        try disk.syncDirectory("/")
        // Frames of 100 bytes: several share a sector.
        for frame in 0..<100 {
            try file.write([UInt8](repeating: UInt8(frame + 1), count: 100), at: Int64(frame * 100))
        }
        var sawOvertaking = false
        for seed in seeds {
            let bytes = try disk.afterCrash(.random(seed: seed)).contents("/a")
            #expect(bytes.count == 12_288)
            for sector in 0..<(10_000 / sectorByteCount) {
                let content = bytes[sector * sectorByteCount..<(sector + 1) * sectorByteCount]
                // Within a sector, what arrived comes first and what was lost follows.
                if let firstLost = content.firstIndex(of: 0) {
                    #expect(content[firstLost...].allSatisfy { $0 == 0 }, "FIRN_SEED=\(seed), sector \(sector)")
                }
            }
            let firstLost = bytes.firstIndex(of: 0) ?? 0
            sawOvertaking = sawOvertaking || bytes[firstLost..<10_000].contains { $0 != 0 }
        }
        #expect(sawOvertaking)
    }

    @Test func creationNeedsADirectorySync() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.open("/a", .createNew)
        try file.write([1], at: 0)
        try file.syncAll()
        #expect(try disk.afterCrash(.syncedAlone).status("/a") == nil)
        let outcomes = try Set(seeds.map { try disk.afterCrash(.random(seed: $0)).names("/") })
        #expect(outcomes == [[], ["a"]])
    }

    @Test func journaledWorldKeepsANewFileThatWasSynced() throws {
        let disk = SimulatedFileSystem(directoryDurability: .journaled)
        try disk.open("/early", .createNew).close()
        let file = try disk.open("/a", .createNew)
        try file.write([1], at: 0)
        try file.sync()
        try disk.open("/late", .createNew).close()
        #expect(try disk.afterCrash(.syncedAlone).names("/") == ["a", "early"])
    }

    @Test func renameNeedsADirectorySyncAndIsNeverHalfDone() throws {
        let disk = SimulatedFileSystem()
        try disk.make("/CURRENT", [1])
        try disk.make("/CURRENT.new", [2])
        for name in ["/CURRENT", "/CURRENT.new"] { try disk.open(FilePath(name), .readWrite).sync() }
        try disk.syncDirectory("/")
        try disk.rename("/CURRENT.new", to: "/CURRENT")
        var contents: Set<[UInt8]> = []
        for seed in seeds {
            let after = disk.afterCrash(.random(seed: seed))
            let content = try after.contents("/CURRENT")
            #expect(try after.names("/") == (content == [1] ? ["CURRENT", "CURRENT.new"] : ["CURRENT"]))
            contents.insert(content)
        }
        #expect(contents == [[1], [2]])
    }

    @Test func syncedRenameStays() throws {
        let disk = SimulatedFileSystem()
        try disk.make("/new", [2])
        try disk.open("/new", .readWrite).sync()
        try disk.rename("/new", to: "/CURRENT")
        try disk.syncDirectory("/")
        for seed in seeds {
            #expect(try disk.afterCrash(.random(seed: seed)).contents("/CURRENT") == [2])
        }
    }

    @Test func renameWithoutFileSyncMayLeaveAnEmptyFile() throws {
        let disk = SimulatedFileSystem()
        try disk.make("/new", [2, 3])
        try disk.rename("/new", to: "/CURRENT")
        try disk.syncDirectory("/")
        #expect(try disk.afterCrash(.syncedAlone).contents("/CURRENT") == [])
    }

    @Test func changesOfOneDirectoryKeepTheirOrder() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        try disk.createDirectory("/e")
        try disk.syncDirectory("/")
        for number in 0..<5 {
            try disk.make(FilePath("/d/\(number)"))
            try disk.make(FilePath("/e/\(number)"))
        }
        var sawOvertaking = false
        for seed in seeds {
            let after = disk.afterCrash(.random(seed: seed))
            let (first, second) = (try after.names("/d"), try after.names("/e"))
            #expect(first == (0..<first.count).map { "\($0)" })
            #expect(second == (0..<second.count).map { "\($0)" })
            sawOvertaking = sawOvertaking || second.count > first.count
        }
        #expect(sawOvertaking)
    }

    @Test func moveBetweenDirectoriesIsThereOnce() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        try disk.createDirectory("/e")
        try disk.make("/d/a", [1])
        for folder in ["/", "/d", "/e"] { try disk.syncDirectory(FilePath(folder)) }
        try disk.rename("/d/a", to: "/e/a")
        for seed in seeds {
            let after = disk.afterCrash(.random(seed: seed))
            #expect(try after.names("/d").count + after.names("/e").count == 1)
        }
        // A sync of either directory settles it.
        let other = SimulatedFileSystem()
        try other.createDirectory("/d")
        try other.make("/d/a", [1])
        try other.syncDirectory("/d")
        try other.rename("/d/a", to: "/a")
        try other.syncDirectory("/")
        #expect(try other.afterCrash(.syncedAlone).names("/") == ["a", "d"])
        #expect(try other.afterCrash(.syncedAlone).names("/d") == [])
    }

    @Test func fileInAnUnsyncedDirectoryIsLostWithIt() throws {
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/d")
        try disk.make("/d/a", [1])
        try disk.open("/d/a", .readWrite).sync()
        try disk.syncDirectory("/d")
        #expect(try disk.afterCrash(.syncedAlone).names("/") == [])
        let again = SimulatedFileSystem()
        try again.createDirectories("/x/y")
        #expect(try again.afterCrash(.syncedAlone).status("/x/y")?.kind == .directory)
    }

    @Test func removalMayBeUndoneUntilTheDirectoryIsSynced() throws {
        let disk = SimulatedFileSystem()
        try disk.make("/a", [1])
        try disk.open("/a", .readWrite).sync()
        try disk.syncDirectory("/")
        try disk.remove("/a")
        #expect(try disk.afterCrash(.syncedAlone).contents("/a") == [1])
        let outcomes = try Set(seeds.map { try disk.afterCrash(.random(seed: $0)).names("/") })
        #expect(outcomes == [[], ["a"]])
    }

    @Test func hardLinksStayOneFileAfterACrash() throws {
        let disk = SimulatedFileSystem()
        try disk.make("/a", [1])
        try disk.link("/a", to: "/b")
        try disk.syncDirectory("/")
        let after = disk.afterCrash(.everything)
        try after.open("/a", .readWrite).write([5], at: 0)
        #expect(try after.contents("/b") == [5])
    }

    @Test func afterTheCrashNothingAnswers() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.open("/a", .createNew)
        let lock = try disk.lock("/LOCK", .exclusive)
        disk.crash(.atChange(3))
        let error = #expect(throws: IOError.self) { try file.write([1], at: 0) }
        #expect(error?.isSimulatedCrash == true)
        #expect(disk.isCrashed)
        let refusals = [
            #expect(throws: IOError.self) { try file.sync() }, #expect(throws: IOError.self) { try disk.list("/") },
            #expect(throws: IOError.self) { try disk.open("/b", .createOrOpen) },
            #expect(throws: IOError.self) { try file.close() },
        ]
        #expect(refusals.allSatisfy { $0?.isSimulatedCrash == true })
        // Locks die with the world that held them.
        let after = disk.afterCrash(.everything)
        try after.lock("/LOCK", .exclusive).release()
        withExtendedLifetime(lock) {}
    }

    @Test func changeThatTheCrashFallsOnMaySurviveButItsSyncDoesNot() throws {
        let disk = SimulatedFileSystem()
        let file = try disk.open("/a", .createNew)
        try disk.syncDirectory("/")
        disk.crash(.atChange(3))
        #expect(failure { () throws(IOError) in try file.write([1, 2], at: 0) } == .ioError)
        #expect(try disk.afterCrash(.everything).contents("/a") == [1, 2])
        #expect(try disk.afterCrash(.syncedAlone).contents("/a") == [])

        let other = SimulatedFileSystem()
        let otherFile = try other.open("/a", .createNew)
        try other.syncDirectory("/")
        try otherFile.write([1, 2], at: 0)
        other.crash(.atChange(4))
        #expect(failure { () throws(IOError) in try otherFile.sync() } == .ioError)
        #expect(try other.afterCrash(.syncedAlone).contents("/a") == [])
    }

    @Test func failedSyncForgetsPagesThatReadsStillShow() throws {
        var sawLoss = false
        for position in 1..<40 {
            let disk = SimulatedFileSystem(injector: FaultInjector([.on([.sync], .ioError)]))
            let file = try disk.open("/a", .createNew)
            try disk.syncDirectory("/")
            for _ in 0..<position { _ = try file.byteCount() }
            try file.write([UInt8](repeating: 7, count: 2_048), at: 0)
            #expect(failure { () throws(IOError) in try file.sync() } == .ioError)
            #expect(failure { () throws(IOError) in try file.sync() } == .ioError)
            // A second handle syncs "successfully", and reads what the cache shows, but the disk has it not.
            let second = try disk.open("/a", .readWrite)
            try second.sync()
            #expect(try second.readAll() == [UInt8](repeating: 7, count: 2_048))
            let survived = try disk.afterCrash(.syncedAlone).contents("/a")
            sawLoss = sawLoss || survived != [UInt8](repeating: 7, count: 2_048)
        }
        #expect(sawLoss)
    }

    @Test func killedProcessLosesNothingButItsLocks() throws {
        let disk = SimulatedFileSystem()
        let lock = try disk.lock("/LOCK", .exclusive)
        let file = try disk.open("/a", .createNew)
        try file.write([1, 2], at: 0)
        let after = disk.afterProcessDeath()
        #expect(try after.contents("/a") == [1, 2])
        try after.lock("/LOCK", .exclusive).release()
        #expect(throws: IOError.self) { try file.write([3], at: 0) }
        // It is still unsynced: the next power cut takes it.
        #expect(try after.afterCrash(.syncedAlone).names("/") == [])
        withExtendedLifetime(lock) {}
    }

    @Test func oneSeedReplaysOneHistory() throws {
        let seed = testSeed()
        func history() throws -> [String] {
            var random = Xoshiro256(seed: seed)
            let disk = SimulatedFileSystem()
            for step in 0..<60 {
                let path = FilePath("/\(Int.random(in: 0..<6, using: &random))")
                let file = try disk.open(path, .createOrOpen)
                let bytes = [UInt8](repeating: UInt8(step + 1), count: Int.random(in: 1..<3_000, using: &random))
                try file.write(bytes, at: Int64.random(in: 0..<5_000, using: &random))
                if Int.random(in: 0..<4, using: &random) == 0 { try file.sync() }
                if Int.random(in: 0..<6, using: &random) == 0 { try disk.syncDirectory("/") }
                if Int.random(in: 0..<8, using: &random) == 0 { try disk.remove(path) }
            }
            let after = disk.afterCrash(.random(seed: seed))
            return try after.list("/").map { entry in
                let bytes = try after.contents(FilePath("/").appending(entry.component))
                return "\(entry.name): \(bytes)"
            }
        }
        #expect(try history() == history(), "FIRN_SEED=\(seed)")
    }

    /// A log of frames with a length and a check byte each, synced after every frame: the smallest engine there is.
    @Test func acknowledgedFramesSurviveACrashAtEveryChange() throws {
        let seed = testSeed()
        /// Appends frames until the world ends; returns how many were acknowledged.
        func run(_ disk: SimulatedFileSystem) -> Int {
            var acknowledged = 0
            do {
                let log = try disk.open("/log", .createNew)
                try disk.syncDirectory("/")
                var end: Int64 = 0
                for frame in 1...20 {
                    let bytes = [UInt8](repeating: UInt8(frame), count: 300)
                    try log.write(bytes, at: end)
                    try log.sync()
                    end += 300
                    acknowledged = frame
                }
            } catch {
                #expect(error.isSimulatedCrash)
            }
            return acknowledged
        }
        let probe = SimulatedFileSystem()
        #expect(run(probe) == 20)
        for change in 1...probe.injector.changeCount {
            let disk = SimulatedFileSystem()
            disk.crash(.atChange(change))
            let acknowledged = run(disk)
            #expect(acknowledged < 20)
            let after = disk.afterCrash(.random(seed: seed &+ UInt64(change)))
            guard acknowledged > 0 else { continue }
            let bytes = try after.contents("/log")
            let expected = (1...acknowledged).flatMap { [UInt8](repeating: UInt8($0), count: 300) }
            #expect(bytes.starts(with: expected), "FIRN_SEED=\(seed), change \(change)")
        }
    }
}
