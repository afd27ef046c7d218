// SPDX-License-Identifier: Apache-2.0
//
// Disks that refuse: every change, one after the other, fails with each reason. The caller gets a clear error, and the
// database holds what was acknowledged before.

import FirnIO
import FirnSimulator
import Synchronization
import SystemPackage
import Testing

@testable import Firn

@Suite struct FaultTests {
    private static let steps = CrashScript(steps: [
        .create("a"), .append("a", count: 3, .synced), .append("a", count: 20, .synced), .checkpoint,
        .append("a", count: 4, .synced), .load("a", batches: 2), .append("a", count: 40, .synced),
        .append("a", count: 40, .synced), .append("a", count: 40, .synced), .background,
        .append("a", count: 2, .synced), .reopen, .append("a", count: 2, .synced),
    ])

    @Test(arguments: [Errno.ioError, .noSpace, .readOnlyFileSystem, .permissionDenied])
    func aChangeThatFailsOnceIsAClearErrorAndLosesNothing(reason: Errno) throws {
        // A sample of the changes, another for each reason.
        let step = TestEffort.step(16)
        var number = Int(reason.rawValue) % step + 1
        var metFault = true
        while metFault {
            let injector = FaultInjector(trace: .nothing)
            let disk = SimulatedFileSystem(injector: injector)
            injector.add(.change(number, reason))
            var progress = CrashScript.Progress()
            do {
                try Self.steps.run(disk, &progress)
            } catch let error as FirnError {
                let expected: [SQLState] =
                    switch reason {
                    case .noSpace: [.diskFull]
                    case .ioError: [.ioError]
                    default: [.insufficientPrivilege]
                    }
                #expect(expected.contains(error.code) || error.code == .outcomeUnknown, "change \(number): \(error)")
                // The folder of the database's parent is the root.
                let isNamed = error.message.contains("/parent") || error.message.contains("directory /:")
                #expect(isNamed, "change \(number): the error names the file: \(error)")
            } catch {
                Issue.record("change \(number): \(error)")
            }
            metFault = injector.injectedCount > 0
            injector.removeFaults()
            // The process ends; what the kernel holds stays, and is read back.
            try CrashScript.check(disk.afterProcessDeath(), progress, "\(reason) at change \(number)")
            // Or the power goes as well.
            try CrashScript.check(
                disk.afterCrash(.syncedAlone), progress, "\(reason) at change \(number), then a power loss")
            number += step
        }
        #expect(number > 60)
    }

    @Test func aDiskThatFillsUpKeepsWhatWasAcknowledged() throws {
        for byteCount in stride(from: 200, to: 24_000, by: TestEffort.isFull ? 97 : 2_897) {
            let injector = FaultInjector(trace: .nothing)
            let disk = SimulatedFileSystem(injector: injector)
            injector.add(.diskFull(afterBytes: byteCount))
            var progress = CrashScript.Progress()
            do {
                try Self.steps.run(disk, &progress)
            } catch let error as FirnError {
                #expect([.diskFull, .outcomeUnknown].contains(error.code), "\(byteCount) bytes: \(error)")
            }
            injector.removeFaults()
            try CrashScript.check(disk.afterProcessDeath(), progress, "full after \(byteCount) bytes")
        }
    }

    /// A log whose sync has failed, on a disk that works again: rows 0, 1, 2 are durable, 3 visible and in memory alone,
    /// a table and a drop and 4, 5, 6 have failed.
    private func failedLog(
        _ injector: FaultInjector, _ disk: SimulatedFileSystem, _ duration: Fault.Duration = .once
    ) throws -> (engine: StorageEngine, table: TableID, executor: ManualExecutor) {
        let world = CrashScript.world(disk)
        let engine = try world.open()
        let table = try engine.createReadings("a")
        let other = try engine.createReadings("b")
        try engine.append(Numbered.batch(0, count: 3), to: table.id)
        try engine.append(Numbered.batch(3, count: 1), to: table.id, durability: .memory)
        injector.add(.on([.sync], pathSuffix: ".wal", .ioError, duration))
        let first = failure { try engine.append(Numbered.batch(4, count: 3), to: table.id) }
        #expect(first?.code == (duration == .once ? .ioError : .outcomeUnknown))
        #expect(injector.injectedCount >= 1)
        if duration == .everyMatch {
            #expect(failure { _ = try engine.createReadings("c") }?.code == .ioError)
            #expect(failure { try engine.dropTables([other.id]) }?.code == .ioError)
        }
        injector.removeFaults()
        return (engine, table.id, world.executor)
    }

    /// What may happen to a world, each the last thing.
    private enum Ending: CaseIterable {
        case processDeath, powerLoss, powerLossAfterAllWasWritten, goingOn

        /// What the next opening finds; nil where the process goes on.
        func disk(_ disk: SimulatedFileSystem) -> SimulatedFileSystem? {
            switch self {
            case .processDeath: disk.afterProcessDeath()
            case .powerLoss: disk.afterCrash(.syncedAlone)
            case .powerLossAfterAllWasWritten: disk.afterCrash(.everything)
            case .goingOn: nil
            }
        }
    }

    @Test(arguments: [Fault.Duration.once, .everyMatch])
    func afterAFailureTheLogBeginsAnewOnceTheDiskWorks(duration: Fault.Duration) throws {
        for ending in Ending.allCases {
            let injector = FaultInjector(trace: .nothing)
            let disk = SimulatedFileSystem(injector: injector)
            let (engine, table, executor) = try failedLog(injector, disk, duration)
            // Readers go on with what they saw.
            #expect(try Numbered.state(of: engine) == ["a": [0, 1, 2, 3], "b": []])
            try engine.append(Numbered.batch(7, count: 2), to: table)
            let rows = [0, 1, 2, 3, 7, 8]
            #expect(try Numbered.state(of: engine) == ["a": rows, "b": []])
            if let after = ending.disk(disk) {
                let progress = CrashScript.Progress(states: [["a": rows, "b": []]], durableCount: 0, nextRow: 0)
                try CrashScript.check(after, progress, "\(ending)")
                continue
            }
            // All that a database does goes on.
            let third = try engine.createReadings("c")
            try engine.append(Numbered.batch(9, count: 40), to: third.id)
            try engine.checkpoint()
            try engine.append(Numbered.batch(49, count: 1), to: table)
            // Files that were given up on the way go.
            executor.runAll()
            try engine.close()
            let again = try CrashScript.world(disk).open()
            #expect(again.notices.isEmpty)
            #expect(try Numbered.state(of: again) == ["a": rows + [49], "b": [], "c": Array(9..<49)])
            try again.close()
        }
    }

    @Test func anAppendOfATaskBeginsTheLogAnew() throws {
        let injector = FaultInjector(trace: .nothing)
        let disk = SimulatedFileSystem(injector: injector)
        let engine: StorageEngine
        let table: TableID
        let world = CrashScript.world(disk)
        engine = try world.open()
        table = try engine.createReadings("a").id
        injector.add(.on([.sync], pathSuffix: ".wal", .ioError))
        #expect(failure { try engine.append(Numbered.batch(0, count: 3), to: table) }?.code == .ioError)
        let outcomes = Mutex<[Result<AppendResult, FirnError>]>([])
        engine.appendAsynchronously(Numbered.batch(3, count: 2), to: table, durability: .synced) { outcome in
            outcomes.withLock { $0.append(outcome) }
        }
        #expect(world.executor.waitingNames == ["begin the log anew"])
        world.executor.runAll()
        engine.tick()
        let codes = outcomes.withLock { $0.map { $0.map(\.rowCount) } }
        #expect(codes == [.success(2)])
        #expect(try Numbered.state(of: engine) == ["a": [3, 4]])
        try engine.close()
    }

    /// The disk refuses again while the log is being begun anew, at each change in turn.
    @Test(arguments: [Errno.ioError, .noSpace])
    func aFailureWhileTheLogBeginsAnewLosesNothing(reason: Errno) throws {
        for ending in Ending.allCases {
            var number = 1
            var metFault = true
            while metFault {
                let injector = FaultInjector(trace: .nothing)
                let disk = SimulatedFileSystem(injector: injector)
                let (engine, table, executor) = try failedLog(injector, disk)
                let before = injector.injectedCount
                injector.add(.change(injector.changeCount + number, reason))
                let error = failure { try engine.append(Numbered.batch(7, count: 2), to: table) }
                metFault = injector.injectedCount > before
                injector.removeFaults()
                let context = "\(reason) at change \(number), \(ending)"
                if let after = ending.disk(disk) {
                    // What was in memory alone may be lost, and comes in front of what is new.
                    var states = [[0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 7, 8]].map { ["a": $0, "b": []] }
                    if error == nil {
                        states = [states[2]]
                    } else if error?.code != .outcomeUnknown {
                        states.removeLast()
                    }
                    let progress = CrashScript.Progress(states: states, durableCount: 0, nextRow: 0)
                    try CrashScript.check(after, progress, context)
                } else {
                    // The next attempt succeeds.
                    let seen = try #require(try Numbered.state(of: engine)["a"])
                    try engine.append(Numbered.batch(9, count: 1), to: table)
                    executor.runAll()
                    try engine.close()
                    let again = try CrashScript.world(disk).open()
                    #expect(again.notices.isEmpty, "\(context)")
                    #expect(try Numbered.state(of: again) == ["a": seen + [9], "b": []], "\(context)")
                    try again.close()
                }
                number += 1
            }
            #expect(number > 15)
        }
    }

    /// The sync of the log fails once, and the frame is taken back; or it fails for good, and the error says so.
    @Test(arguments: [Fault.Duration.once, .everyMatch])
    func aCommitWhoseSyncFailsIsGoneOrItsOutcomeUnknown(duration: Fault.Duration) throws {
        for durability in [Durability.synced, .memory] {
            let injector = FaultInjector(trace: .nothing)
            let disk = SimulatedFileSystem(injector: injector)
            let world = CrashScript.world(disk)
            let engine = try world.open()
            let table = try engine.createReadings("a")
            try engine.append(Numbered.batch(0, count: 3), to: table.id)
            // Visible already, and not written: the round that fails holds it, too.
            try engine.append(Numbered.batch(3, count: 1), to: table.id, durability: durability)
            injector.add(.on([.sync], pathSuffix: ".wal", .noSpace, duration))
            let error = failure { try engine.append(Numbered.batch(4, count: 3), to: table.id) }
            #expect(error?.code == (duration == .once ? .diskFull : .outcomeUnknown))
            injector.removeFaults()
            var states = [["a": [0, 1, 2]], ["a": [0, 1, 2, 3]]]
            if durability == .synced { states.removeFirst() }
            if duration == .everyMatch { states.append(["a": Array(0..<7)]) }
            let progress = CrashScript.Progress(states: states, durableCount: 0, nextRow: 0)
            let killed = disk.afterProcessDeath()
            try CrashScript.check(killed, progress, "\(duration), \(durability): kill")
            for survival in [Survival.syncedAlone, .everything, .random(seed: 1), .random(seed: 2)] {
                try CrashScript.check(disk.afterCrash(survival), progress, "\(duration), \(durability), \(survival)")
            }
        }
    }

    /// Each write and sync of a commit that crosses from one log file into the next fails once.
    @Test func aCommitThatBeginsTheNextLogFileFailsCleanly() throws {
        var number = 1
        var codes: Set<SQLState> = []
        while true {
            let injector = FaultInjector(trace: .nothing)
            let disk = SimulatedFileSystem(injector: injector)
            let world = CrashScript.world(disk)
            world.options.memtableBytesMax = 1 << 20
            world.options.memoryBytesMax = 1 << 22
            let engine = try world.open()
            let table = try engine.createReadings("a")
            var progress = CrashScript.Progress(states: [["a": []]], durableCount: 0, nextRow: 0)
            injector.add(.change(injector.changeCount + number, .noSpace))
            for first in stride(from: 0, to: 60, by: 6) {
                progress.states.append(["a": Array(0..<first + 6)])
                do {
                    try engine.append(Numbered.batch(first, count: 6), to: table.id)
                    progress.durableCount = progress.states.count - 1
                } catch {
                    codes.insert(error.code)
                    if error.code != .outcomeUnknown { progress.states.removeLast() }
                    break
                }
            }
            let isDone = injector.injectedCount == 0
            injector.removeFaults()
            try CrashScript.check(disk.afterProcessDeath(), progress, "change \(number)")
            try CrashScript.check(disk.afterCrash(.syncedAlone), progress, "change \(number), power loss")
            try CrashScript.check(disk.afterCrash(.everything), progress, "change \(number), all written")
            if isDone { break }
            number += 1
        }
        #expect(number > 20)
        #expect(codes == [.diskFull, .outcomeUnknown])
    }

    @Test func aFlushThatFailsIsTriedAgain() throws {
        let injector = FaultInjector(trace: .nothing)
        let disk = SimulatedFileSystem(injector: injector)
        let world = CrashScript.world(disk)
        let engine = try world.open()
        let table = try engine.createReadings("a")
        try engine.append(Numbered.batch(0, count: 3), to: table.id)
        for kind in [".seg", "manifest-1", "CURRENT.new"] {
            injector.add(.on([.write, .sync, .rename], pathSuffix: kind, .noSpace))
            // What fails differs; that it is reported, and that nothing is lost, does not.
            let error = failure { try engine.checkpoint() }
            if let error { #expect(error.code == .diskFull) }
            injector.removeFaults()
            #expect(try Numbered.state(of: engine) == ["a": [0, 1, 2]])
        }
        try engine.append(Numbered.batch(3, count: 1), to: table.id)
        try engine.checkpoint()
        #expect(engine.memoryByteCount == 0)
        try engine.close()
        let progress = CrashScript.Progress(states: [["a": [0, 1, 2, 3]]], durableCount: 0, nextRow: 0)
        try CrashScript.check(disk.afterCrash(.syncedAlone), progress, "after the disk was well again")
    }

    @Test func anAppendBeyondTheMemoryThatCannotBeFlushedFailsAndTheNextGoesOn() throws {
        let injector = FaultInjector(trace: .nothing)
        let disk = SimulatedFileSystem(injector: injector)
        let world = CrashScript.world(disk)
        let engine = try world.open()
        let table = try engine.createReadings("a")
        injector.add(.on([.open, .write], pathSuffix: ".seg", .noSpace, .everyMatch))
        var accepted = 0
        var error: FirnError?
        while error == nil, accepted < 10_000 {
            error = failure { try engine.append(Numbered.batch(accepted, count: 20), to: table.id) }
            if error == nil { accepted += 20 }
        }
        #expect(error?.code == .diskFull)
        #expect(error?.detail?.contains("Memory") == true)
        #expect(engine.memoryByteCount <= world.options.memoryBytesMax)
        injector.removeFaults()
        try engine.append(Numbered.batch(accepted, count: 20), to: table.id)
        #expect(try Numbered.state(of: engine) == ["a": Array(0..<accepted + 20)])
        try engine.close()
    }

    @Test func busyIsThrownWhereTheCallerAskedForIt() throws {
        let world = CrashScript.world(MemoryFileSystem())
        world.options.backpressure = .fail
        let engine = try world.open()
        let table = try engine.createReadings("a")
        var error: FirnError?
        for first in stride(from: 0, to: 4_000, by: 20) where error == nil {
            error = failure { try engine.append(Numbered.batch(first, count: 20), to: table.id) }
        }
        #expect(error?.code == .busy)
        world.executor.runAll()
        try engine.append(Numbered.batch(5_000, count: 20), to: table.id)
        try engine.close()
    }
}
