// SPDX-License-Identifier: Apache-2.0
//
// The power goes at every change that the engine makes to its files; what is left is a prefix of what was committed.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

@Suite struct CrashTests {
    @Test func theScriptRunsThroughWhereNothingGoesWrong() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        var progress = CrashScript.Progress()
        try CrashScript.everything.run(disk, &progress)
        #expect(progress.durableCount == progress.states.count - 1)
        #expect(try CrashScript.check(disk, progress, "no crash") == progress.states.count - 1)
        // The script is worth something only if it begins log files anew and flushes on its own.
        #expect(disk.injector.changeCount > 200)
    }

    @Test func theScriptOfKeysRunsThroughWhereNothingGoesWrong() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        var progress = CrashScript.Progress()
        try CrashScript.keyed.run(disk, &progress)
        #expect(try CrashScript.check(disk, progress, "no crash") == progress.states.count - 1)
    }

    @Test(arguments: [DirectoryDurability.explicitSync, .journaled])
    func aCrashAtAnyChangeLeavesAPrefixOfTheCommits(durability: DirectoryDurability) throws {
        try crashAtChanges(of: .everything, durability)
    }

    /// Rows that were acknowledged keep their keys; those of rows that were lost are free.
    @Test(arguments: [DirectoryDurability.explicitSync, .journaled])
    func aCrashAtAnyChangeKeepsKeysUnique(durability: DirectoryDurability) throws {
        try crashAtChanges(of: .keyed, durability)
    }

    private func crashAtChanges(of script: CrashScript, _ durability: DirectoryDurability) throws {
        let seed = TestSeed.current ?? 20
        // A sample begins elsewhere in each world.
        let step = TestEffort.step(45)
        var number = durability == .journaled ? step / 2 + 1 : 1
        while true {
            let disk = SimulatedFileSystem(
                sectorByteCount: 512, directoryDurability: durability, injector: FaultInjector(trace: .nothing))
            disk.crash(.atChange(number))
            var progress = CrashScript.Progress()
            do {
                try script.run(disk, &progress)
            } catch {
                // The crash: what else the script meets is found by the test above.
            }
            guard disk.isCrashed else { break }
            var survivals = [Survival.syncedAlone, .everything]
            for round in 0..<(TestEffort.isFull ? 8 : 1) {
                survivals.append(.random(seed: seed &+ UInt64(number * 1_000 + round)))
            }
            for survival in survivals {
                try CrashScript.check(disk.afterCrash(survival), progress, "seed \(seed) change \(number) \(survival)")
            }
            number += step
        }
        #expect(number > 200)
        if TestEffort.isFull { print("crashes of \(durability): \(number - 1), each with 10 outcomes") }
    }

    /// The power goes while the script runs, and again at each change that the opening behind it and its close make.
    @Test func aCrashAtAnyChangeOfARecoveryLosesNothing() throws {
        let seed = TestSeed.current ?? 3
        var recoveryCount = 0
        var number = 25
        while true {
            let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
            disk.crash(.atChange(number))
            var progress = CrashScript.Progress()
            do { try CrashScript.everything.run(disk, &progress) } catch {}
            guard disk.isCrashed else { break }
            var change = 1 + number % TestEffort.step(7)
            while true {
                // The same disk each time: it is made anew by the same seed.
                let found = disk.afterCrash(.random(seed: seed &+ UInt64(number)))
                found.crash(.atChange(change))
                do { try CrashScript.world(found).open().close() } catch {}
                guard found.isCrashed else { break }
                recoveryCount += 1
                let again = found.afterCrash(.random(seed: seed &+ UInt64(number * 100 + change)))
                try CrashScript.check(again, progress, "seed \(seed) change \(number), then \(change) of recovery")
                change += TestEffort.step(7)
            }
            number += TestEffort.step(110)
        }
        #expect(recoveryCount > 3)
        if TestEffort.isFull { print("crashes during recovery: \(recoveryCount)") }
    }

    @Test func threeRecoveriesCutShortOneAfterTheOtherLoseNothing() throws {
        let seed = TestSeed.current ?? 3
        var generator = Xoshiro256(seed: seed)
        for round in 0..<(TestEffort.isFull ? 1_000 : 4) {
            let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
            disk.crash(.atChange(Int(generator.next() % 300) + 20))
            var progress = CrashScript.Progress()
            do { try CrashScript.everything.run(disk, &progress) } catch {}
            guard disk.isCrashed else { continue }
            var survivor = disk.afterCrash(.random(seed: generator.next()))
            for _ in 0..<3 {
                // A recovery that is cut short, three times over.
                survivor.crash(.atChange(Int(generator.next() % 14) + 1))
                do {
                    let engine = try CrashScript.world(survivor).open()
                    try engine.close()
                } catch {}
                survivor = survivor.afterCrash(.random(seed: generator.next()))
            }
            try CrashScript.check(survivor, progress, "seed \(seed) round \(round)")
        }
    }

    /// CURRENT never names a manifest whose own name could be lost. The simulated disk keeps the operations on one folder
    /// in their order, which not every disk does: the trace tells.
    @Test func theNameOfAManifestIsSyncedBeforeCurrentMovesToIt() throws {
        let injector = FaultInjector(trace: .everything)
        let world = CrashScript.world(SimulatedFileSystem(injector: injector))
        try world.open().close()
        try world.open().close()
        var seen: Set<FilePath> = []
        var unsynced: Set<FilePath> = []
        var moveCount = 0
        for operation in injector.trace {
            switch operation.operation {
            case .open where operation.path.lastComponent?.string.hasPrefix("manifest-") == true:
                if seen.insert(operation.path).inserted { unsynced.insert(operation.path) }
            case .syncDirectory where operation.path == world.path: unsynced = []
            case .rename where operation.path.lastComponent?.string == "CURRENT.new":
                #expect(unsynced.isEmpty, "\(operation)")
                moveCount += 1
            default: break
            }
        }
        #expect(moveCount > 1)
    }

    /// A flush frees the log files of what it wrote, not those of what came while it did.
    @Test func whatIsAppendedDuringAFlushSurvivesIt() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let world = CrashScript.world(disk)
        world.options.memtableBytesMax = 1 << 20
        world.options.memoryBytesMax = 1 << 22
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings("a")
        func append(_ numbers: Range<Int>) throws(FirnError) {
            for number in numbers { try engine.append(Numbered.batch(number * 6, count: 6), to: table.id) }
        }
        try append(0..<10)
        segments.beforeWriting { () throws(FirnError) in
            segments.beforeWriting(nil)
            for number in 10..<30 { try engine.append(Numbered.batch(number * 6, count: 6), to: table.id) }
        }
        try engine.checkpoint()
        try append(30..<31)
        let progress = CrashScript.Progress(states: [["a": Array(0..<31 * 6)]], durableCount: 0)
        try CrashScript.check(disk.afterProcessDeath(), progress, "kill")
        for survival in [Survival.syncedAlone, .everything] {
            try CrashScript.check(disk.afterCrash(survival), progress, "\(survival)")
        }
    }

    /// Whoever saw the LSN of a commit that was lost never meets it again.
    @Test func theLSNOfALostCommitIsNotGivenOutAgain() throws {
        let disk = SimulatedFileSystem(injector: FaultInjector(trace: .nothing))
        let engine = try CrashScript.world(disk).open()
        let table = try engine.createReadings("a")
        let lost = try engine.append(Numbered.batch(0, count: 3), to: table.id, durability: .memory).lsn
        let survivor = disk.afterCrash(.syncedAlone)
        let next = try CrashScript.world(survivor).open()
        #expect(try Numbered.state(of: next) == ["a": []])
        #expect(try next.append(Numbered.batch(3, count: 3), to: table.id).lsn > lost)
        try next.close()
    }

    /// Whatever a kill or a power loss leaves of a creation, it opens, for the three who look at it alike.
    @Test(arguments: [DirectoryDurability.explicitSync, .journaled])
    func aCrashAtAnyOperationOfACreationOpensAgain(durability: DirectoryDurability) throws {
        let seed = TestSeed.current ?? 11
        var number = 1
        while true {
            func broken() throws -> SimulatedFileSystem {
                let disk = SimulatedFileSystem(
                    directoryDurability: durability, injector: FaultInjector(trace: .nothing))
                disk.crash(.atOperation(number))
                do { try CrashScript.world(disk).open().abandon() } catch {}
                return disk
            }
            guard try broken().isCrashed else { break }
            try checkCreation(try broken().afterProcessDeath(), "kill at operation \(number)")
            var survivals = [Survival.syncedAlone, .everything]
            for round in 0..<8 { survivals.append(.random(seed: seed &+ UInt64(number * 100 + round))) }
            for survival in survivals {
                try checkCreation(try broken().afterCrash(survival), "seed \(seed) operation \(number) \(survival)")
            }
            number += 1
        }
        #expect(number > 20)
    }

    private func checkCreation(_ disk: SimulatedFileSystem, _ comment: String) throws {
        let isThere = try disk.status("/parent/db/CURRENT") != nil
        let isBegun = try disk.status("/parent/db") != nil && !disk.list("/parent/db").isEmpty
        if isBegun {
            let report = try DatabaseCheck.run("/parent/db", fileSystem: disk, timeSource: ManualTimeSource())
            #expect(report.damages.isEmpty, "\(comment)")
        }
        let reader = CrashScript.world(disk)
        reader.options.access = .readOnly
        let refusal = failure { try reader.open().close() }
        #expect(refusal?.code == (isThere ? nil : .undefinedFile), "\(comment): \(refusal as Any)")
        #expect(isThere || !isBegun || refusal?.message.contains("cut short") == true, "\(comment)")
        let world = CrashScript.world(disk)
        do {
            let engine = try world.open()
            let table = try engine.createReadings("a")
            try engine.append(Numbered.batch(0, count: 3), to: table.id)
            try world.kill(engine)
            let again = try world.open()
            #expect(try Numbered.state(of: again) == ["a": [0, 1, 2]], "\(comment)")
            try again.close()
        } catch {
            Issue.record("\(comment): \(error)")
        }
    }
}
