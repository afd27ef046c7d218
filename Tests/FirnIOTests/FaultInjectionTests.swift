// SPDX-License-Identifier: Apache-2.0
//
// Planned misfortune comes when, where and for as long as planned, and the trace says what was asked.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@Suite struct FaultInjectionTests {
    private let injector = FaultInjector()
    private var files: FaultInjectingFileSystem { FaultInjectingFileSystem(memory, injector: injector) }
    private let memory = MemoryFileSystem()

    @Test func faultMeetsTheOperationOfItsNumberAlone() throws {
        injector.add(.operation(3, .ioError))
        let file = try files.open("/a", .createNew)
        try file.write([1], at: 0)
        #expect(failure { () throws(IOError) in try file.write([2], at: 1) } == .ioError)
        try file.write([3], at: 1)
        #expect(try file.readAll() == [1, 3])
        #expect(injector.injectedCount == 1)
    }

    @Test func changesAreNumberedApartFromLooking() throws {
        injector.add(.change(2, .readOnlyFileSystem))
        let file = try files.open("/a", .createNew)
        for _ in 0..<5 { _ = try file.byteCount() }
        #expect(failure { () throws(IOError) in try file.write([1], at: 0) } == .readOnlyFileSystem)
        #expect(injector.operationCount == 7)
        #expect(injector.changeCount == 2)
    }

    @Test(arguments: [Errno.ioError, .noSpace, .readOnlyFileSystem, .permissionDenied])
    func everyOperationCanBeMadeToFail(_ reason: Errno) throws {
        let file = try files.open("/a", .createNew)
        try files.createDirectory("/d")
        let files = files
        injector.add(
            Fault(.matching(skipping: 0) { _ in true }, .fail(reason, afterBytes: 0), .everyMatch))
        let attempts: [(IOError.Operation, () throws(IOError) -> Void)] = [
            (.open, { () throws(IOError) in _ = try files.open("/b", .createNew) }),
            (.createDirectory, { () throws(IOError) in try files.createDirectory("/e") }),
            (.list, { () throws(IOError) in _ = try files.list("/") }),
            (.status, { () throws(IOError) in _ = try files.status("/a") }),
            (.rename, { () throws(IOError) in try files.rename("/a", to: "/b") }),
            (.link, { () throws(IOError) in try files.link("/a", to: "/b") }),
            (.remove, { () throws(IOError) in try files.remove("/a") }),
            (.removeDirectory, { () throws(IOError) in try files.removeDirectory("/d") }),
            (.syncDirectory, { () throws(IOError) in try files.syncDirectory("/") }),
            (.lock, { () throws(IOError) in _ = try files.lock("/a", .exclusive) }),
            (.read, { () throws(IOError) in _ = try file.read(byteCount: 1, at: 0) }),
            (.write, { () throws(IOError) in try file.write([1], at: 0) }),
            (.status, { () throws(IOError) in _ = try file.byteCount() }),
            (.truncate, { () throws(IOError) in try file.truncate(to: 9) }),
            (.sync, { () throws(IOError) in try file.sync() }),
            (.close, { () throws(IOError) in try file.close() }),
        ]
        for (operation, attempt) in attempts {
            let error = #expect(throws: IOError.self, "\(operation)") { try attempt() }
            #expect(error?.errno == reason)
            #expect(error?.operation == operation)
        }
        #expect(Set(attempts.map(\.0)).count == IOError.Operation.allCases.count)
        injector.removeFaults()
        #expect(try files.list("/").map(\.name) == ["a", "d"])
        #expect(try files.status("/a")?.byteCount == 0)
    }

    @Test func failedWriteLeavesItsFirstBytes() throws {
        injector.add(.on([.write], pathSuffix: ".wal", skipping: 1, .noSpace, afterBytes: 3))
        let other = try files.open("/other", .createNew)
        let file = try files.open("/1.wal", .createNew)
        try file.write([1, 2], at: 0)
        try other.write([9], at: 0)
        let pieces: [[UInt8]] = [[3, 4], [5, 6]]
        let error = #expect(throws: IOError.self) {
            try pieces[0].withUnsafeBytes { first in
                try pieces[1].withUnsafeBytes { second in try file.write([first, second], at: 2) }
            }
        }
        #expect(error?.errno == .noSpace)
        #expect(try memory.contents("/1.wal") == [1, 2, 3, 4, 5])
    }

    @Test func fullDiskTakesWhatFitsAndStaysFull() throws {
        injector.add(.diskFull(afterBytes: 10))
        let file = try files.open("/a", .createNew)
        try file.write([UInt8](repeating: 1, count: 8), at: 0)
        #expect(failure { () throws(IOError) in try file.write([2, 2, 2, 2], at: 8) } == .noSpace)
        #expect(failure { () throws(IOError) in try file.write([3], at: 10) } == .noSpace)
        #expect(try memory.contents("/a") == [1, 1, 1, 1, 1, 1, 1, 1, 2, 2])
        try file.sync()
    }

    @Test func diskThatIsGoneAnswersNothingMore() throws {
        injector.add(.on([.sync], .ioError, .everythingAfter))
        let file = try files.open("/a", .createNew)
        try file.write([1], at: 0)
        #expect(failure { () throws(IOError) in try file.sync() } == .ioError)
        #expect(failure { () throws(IOError) in _ = try file.byteCount() } == .ioError)
        let files = files
        #expect(failure { () throws(IOError) in _ = try files.list("/") } == .ioError)
    }

    @Test func diskThatWentReadOnlyStillReads() throws {
        injector.add(.on([.write], skipping: 1, .readOnlyFileSystem, .everyChangeAfter))
        let file = try files.open("/a", .createNew)
        try file.write([1], at: 0)
        #expect(failure { () throws(IOError) in try file.write([2], at: 0) } == .readOnlyFileSystem)
        let files = files
        #expect(failure { () throws(IOError) in try files.remove("/a") } == .readOnlyFileSystem)
        #expect(try file.readAll() == [1])
    }

    @Test func failedSyncPoisonsItsFileAlone() throws {
        injector.add(.on([.sync], .ioError))
        let file = try files.open("/a", .createNew)
        let other = try files.open("/b", .createNew)
        try file.write([1], at: 0)
        #expect(failure { () throws(IOError) in try file.sync() } == .ioError)
        for _ in 0..<2 {
            #expect(failure { () throws(IOError) in try file.sync() } == .ioError)
            #expect(failure { () throws(IOError) in try file.syncAll() } == .ioError)
            #expect(failure { () throws(IOError) in try file.write([2], at: 0) } == .ioError)
            #expect(failure { () throws(IOError) in try file.truncate(to: 0) } == .ioError)
        }
        #expect(try file.readAll() == [1])
        try other.write([1], at: 0)
        try other.sync()
    }

    @Test func bitFlipsAreSilent() throws {
        injector.add(
            Fault(.matching(skipping: 0) { $0.operation == .read && $0.byteOffset == 4 }, .flipBit(position: 1)))
        let file = try files.open("/a", .createNew)
        try file.write([0, 1, 2, 3, 4, 5, 6, 7], at: 0)
        #expect(try file.read(byteCount: 4, at: 4) == [4, 4, 6, 7])
        #expect(try file.read(byteCount: 4, at: 4) == [4, 5, 6, 7])
    }

    @Test func traceSaysWhatWasAsked() throws {
        let file = try files.open("/a", .createNew)
        try file.write([1, 2, 3], at: 5)
        try file.sync()
        _ = try file.byteCount()
        try files.rename("/a", to: "/b")
        try files.syncDirectory("/")
        #expect(
            injector.trace.map(\.description) == [
                "1 (change 1): open /a", "2 (change 2): write /a at 5, 3 bytes", "3 (change 3): sync /a",
                "4: status /a", "5 (change 4): rename /a to /b", "6 (change 5): syncDirectory /",
            ])
        injector.removeTrace()
        #expect(injector.trace == [])
        #expect(injector.operationCount == 6)
    }
}
