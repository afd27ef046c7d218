// SPDX-License-Identifier: Apache-2.0
//
// What every file system behind the seam promises, checked on each of them with the same words.

import FirnIO
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite struct FileSystemConformanceTests {
    @Test(arguments: World.allCases) func writtenBytesAreReadBack(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            try file.write([1, 2, 3, 4, 5], at: 0)
            try file.write([9, 9], at: 1)
            #expect(try file.readAll() == [1, 9, 9, 4, 5])
            #expect(try file.read(byteCount: 2, at: 3) == [4, 5])
            #expect(try file.byteCount() == 5)
            #expect(file.path == room.appending("a"))
        }
    }

    @Test(arguments: World.allCases) func readStopsAtEndOfFile(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            try file.write([1, 2, 3], at: 0)
            #expect(try file.read(byteCount: 10, at: 1) == [2, 3])
            #expect(try file.read(byteCount: 10, at: 3) == [])
            #expect(try file.read(byteCount: 10, at: 1_000) == [])
            #expect(try file.read(byteCount: 0, at: 0) == [])
        }
    }

    @Test(arguments: World.allCases) func gapBeforeAWriteReadsAsZeros(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            let end: Int64 = 3 << 20
            try file.write([7], at: end)
            #expect(try file.byteCount() == end + 1)
            #expect(try file.read(byteCount: 4, at: end - 3) == [0, 0, 0, 7])
            #expect(try file.read(byteCount: 2, at: (1 << 20) - 1) == [0, 0])
        }
    }

    @Test(arguments: World.allCases) func truncateCutsAndGrowsWithZeros(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            try file.write([1, 2, 3, 4], at: 0)
            try file.truncate(to: 2)
            #expect(try file.readAll() == [1, 2])
            try file.truncate(to: 5)
            #expect(try file.readAll() == [1, 2, 0, 0, 0])
            try file.truncate(to: 0)
            #expect(try file.byteCount() == 0)
            #expect(failure { () throws(IOError) in try file.truncate(to: -1) } == .invalidArgument)
        }
    }

    @Test(arguments: World.allCases) func gatheringWriteJoinsItsPieces(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            // More pieces than one system call takes, some of them empty.
            let bytes = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try bytes.withUnsafeBytes { all in
                var pieces: [UnsafeRawBufferPointer] = [UnsafeRawBufferPointer(start: nil, count: 0)]
                for begin in stride(from: 0, to: bytes.count, by: 3) {
                    pieces.append(UnsafeRawBufferPointer(rebasing: all[begin..<min(begin + 3, bytes.count)]))
                    if begin % 5 == 0 { pieces.append(UnsafeRawBufferPointer(start: nil, count: 0)) }
                }
                try file.write(pieces, at: 10)
                try file.write([], at: 77_777)
            }
            #expect(try file.byteCount() == 5_010)
            #expect(try file.read(byteCount: 5_000, at: 10) == bytes)
        }
    }

    @Test(arguments: World.allCases) func randomWritesMatchAnArray(_ world: World) throws {
        let seed = testSeed()
        var random = Xoshiro256(seed: seed)
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            // The model is a block of zeros, as large as the file can get, and the file's byte count.
            let model = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_200_000, alignment: 1)
            defer { model.deallocate() }
            memset(model.baseAddress!, 0, model.count)
            var modelByteCount = 0
            for step in 0..<120 {
                let begin = Int.random(in: 0..<2_600_000, using: &random)
                let count = Int.random(in: 1..<[10, 5_000, 1_500_000].randomElement(using: &random)!, using: &random)
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    try file.truncate(to: Int64(begin))
                    if begin < modelByteCount { memset(model.baseAddress! + begin, 0, modelByteCount - begin) }
                    modelByteCount = begin
                case 1...5:
                    memset(model.baseAddress! + begin, Int32(step + 1), count)
                    modelByteCount = max(modelByteCount, begin + count)
                    try file.write(UnsafeRawBufferPointer(rebasing: model[begin..<begin + count]), at: Int64(begin))
                default:
                    let end = min(begin + count, modelByteCount)
                    let bytes = try file.read(byteCount: count, at: Int64(begin))
                    let isRight =
                        bytes.count == max(0, end - begin)
                        && bytes.withUnsafeBytes {
                            $0.isEmpty || memcmp($0.baseAddress!, model.baseAddress! + begin, $0.count) == 0
                        }
                    try #require(isRight, "FIRN_SEED=\(seed), step \(step), at \(begin), \(count) bytes")
                }
            }
            #expect(try file.byteCount() == Int64(modelByteCount), "FIRN_SEED=\(seed)")
        }
    }

    @Test(arguments: World.allCases) func negativeOffsetsAreRefused(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            #expect(failure { () throws(IOError) in try file.write([1], at: -1) } == .invalidArgument)
            #expect(failure { () throws(IOError) in _ = try file.read(byteCount: 1, at: -1) } == .invalidArgument)
        }
    }

    @Test(arguments: World.allCases) func accessDecidesWhatOpenAccepts(_ world: World) throws {
        try world.use { files, room in
            let path = room.appending("a")
            for access in [FileAccess.readOnly, .readWrite] {
                #expect(failure { () throws(IOError) in _ = try files.open(path, access) } == .noSuchFileOrDirectory)
            }
            try files.open(path, .createNew).write([1], at: 0)
            #expect(failure { () throws(IOError) in _ = try files.open(path, .createNew) } == .fileExists)
            #expect(try files.open(path, .createOrOpen).readAll() == [1])
            try files.open(path, .readWrite).write([2], at: 0)
            let reader = try files.open(path, .readOnly)
            #expect(try reader.readAll() == [2])
            #expect(failure { () throws(IOError) in try reader.write([3], at: 0) } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in try reader.truncate(to: 0) } != nil)
            #expect(failure { () throws(IOError) in _ = try files.open(room, .readOnly) } == .isDirectory)
            #expect(
                failure { () throws(IOError) in _ = try files.open(path.appending("b"), .readOnly) } == .notDirectory)
            #expect(
                failure { () throws(IOError) in _ = try files.open(room.appending("no/b"), .createNew) }
                    == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: World.allCases) func closedFileRefusesAllButClose(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            try file.close()
            try file.close()
            #expect(failure { () throws(IOError) in _ = try file.read(byteCount: 1, at: 0) } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in try file.write([1], at: 0) } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in try file.sync() } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in try file.syncAll() } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in _ = try file.byteCount() } == .badFileDescriptor)
            #expect(failure { () throws(IOError) in try file.truncate(to: 0) } == .badFileDescriptor)
        }
    }

    @Test(arguments: World.allCases) func syncsSucceedOnHealthyFiles(_ world: World) throws {
        try world.use { files, room in
            let file = try files.open(room.appending("a"), .createNew)
            try file.write([1], at: 0)
            try file.sync()
            try file.syncAll()
            try files.syncDirectory(room)
            #expect(
                failure { () throws(IOError) in try files.syncDirectory(room.appending("no")) }
                    == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: World.allCases) func listIsSortedAndKnowsKinds(_ world: World) throws {
        try world.use { files, room in
            #expect(try files.list(room) == [])
            for name in ["b", "é", "a10", "a2", "Z"] { try files.make(room.appending(name)) }
            try files.createDirectory(room.appending("c"))
            try files.make(room.appending("c/inner"))
            let entries = try files.list(room)
            #expect(entries.map(\.name) == ["Z", "a10", "a2", "b", "c", "é"])
            #expect(entries.filter { $0.kind == .directory }.map(\.name) == ["c"])
            #expect(entries.filter { $0.kind == .file }.count == 5)
            #expect(failure { () throws(IOError) in _ = try files.list(room.appending("b")) } == .notDirectory)
            #expect(
                failure { () throws(IOError) in _ = try files.list(room.appending("no")) } == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: World.allCases) func statusTellsKindAndByteCount(_ world: World) throws {
        try world.use { files, room in
            try files.make(room.appending("a"), [1, 2, 3])
            #expect(try files.status(room.appending("a")) == FileStatus(kind: .file, byteCount: 3))
            #expect(try files.status(room)?.kind == .directory)
            #expect(try files.status(room.appending("no")) == nil)
            #expect(try files.status(room.appending("no/deeper")) == nil)
            #expect(
                failure { () throws(IOError) in _ = try files.status(room.appending("a/b")) } == .notDirectory)
        }
    }

    @Test(arguments: World.allCases) func createDirectoryNeedsAFreeNameAndAParent(_ world: World) throws {
        try world.use { files, room in
            try files.createDirectory(room.appending("d"))
            try files.make(room.appending("f"))
            for name in ["d", "f"] {
                #expect(
                    failure { () throws(IOError) in try files.createDirectory(room.appending(name)) } == .fileExists)
            }
            #expect(
                failure { () throws(IOError) in try files.createDirectory(room.appending("x/y")) }
                    == .noSuchFileOrDirectory)
            #expect(
                failure { () throws(IOError) in try files.createDirectory(room.appending("f/y")) } == .notDirectory)
        }
    }

    @Test(arguments: World.allCases) func createDirectoriesMakesWhatIsMissing(_ world: World) throws {
        try world.use { files, room in
            try files.createDirectories(room.appending("x/y/z"))
            try files.createDirectories(room.appending("x/y/z"))
            #expect(try files.status(room.appending("x/y/z"))?.kind == .directory)
            try files.make(room.appending("f"))
            #expect(
                failure { () throws(IOError) in try files.createDirectories(room.appending("f")) } == .notDirectory)
        }
    }

    @Test(arguments: World.allCases) func renameMovesAndReplaces(_ world: World) throws {
        try world.use { files, room in
            try files.make(room.appending("a"), [1])
            try files.make(room.appending("b"), [2])
            let replaced = try files.open(room.appending("b"), .readOnly)
            try files.rename(room.appending("a"), to: room.appending("b"))
            #expect(try files.names(room) == ["b"])
            #expect(try files.contents(room.appending("b")) == [1])
            #expect(try replaced.readAll() == [2])
            try files.createDirectory(room.appending("d"))
            try files.rename(room.appending("b"), to: room.appending("d/c"))
            #expect(try files.names(room) == ["d"])
            #expect(try files.contents(room.appending("d/c")) == [1])
            try files.rename(room.appending("d"), to: room.appending("e"))
            #expect(try files.contents(room.appending("e/c")) == [1])
        }
    }

    @Test(arguments: World.allCases) func renameKeepsPOSIXRules(_ world: World) throws {
        try world.use { files, room in
            try files.make(room.appending("f"), [1])
            try files.createDirectory(room.appending("d"))
            try files.createDirectory(room.appending("full"))
            try files.make(room.appending("full/inner"))
            let cases: [(FilePath, FilePath, Errno)] = [
                ("no", "x", .noSuchFileOrDirectory), ("f", "no/x", .noSuchFileOrDirectory), ("f", "d", .isDirectory),
                ("d", "f", .notDirectory), ("d", "full", .directoryNotEmpty), ("d", "d/below", .invalidArgument),
                ("f/x", "y", .notDirectory),
            ]
            for (source, destination, expected) in cases {
                let reason = failure { () throws(IOError) in
                    try files.rename(room.pushing(source), to: room.pushing(destination))
                }
                #expect(reason == expected, "\(source) to \(destination)")
            }
            try files.rename(room.appending("f"), to: room.appending("f"))
            try files.rename(room.appending("full"), to: room.appending("d"))
            #expect(try files.names(room) == ["d", "f"])
            #expect(try files.names(room.appending("d")) == ["inner"])
        }
    }

    @Test(arguments: World.allCases) func linkSharesTheFile(_ world: World) throws {
        try world.use { files, room in
            try files.make(room.appending("a"), [1, 2])
            try files.link(room.appending("a"), to: room.appending("b"))
            try files.open(room.appending("b"), .readWrite).write([9], at: 0)
            #expect(try files.contents(room.appending("a")) == [9, 2])
            try files.rename(room.appending("a"), to: room.appending("b"))
            #expect(try files.names(room) == ["a", "b"])
            try files.remove(room.appending("a"))
            #expect(try files.contents(room.appending("b")) == [9, 2])
            try files.make(room.appending("c"))
            #expect(
                failure { () throws(IOError) in try files.link(room.appending("b"), to: room.appending("c")) }
                    == .fileExists)
            #expect(
                failure { () throws(IOError) in try files.link(room.appending("no"), to: room.appending("x")) }
                    == .noSuchFileOrDirectory)
            try files.createDirectory(room.appending("d"))
            #expect(
                failure { () throws(IOError) in try files.link(room.appending("d"), to: room.appending("x")) }
                    == .notPermitted)
        }
    }

    @Test(arguments: World.allCases) func removedFileLivesWhileItIsOpen(_ world: World) throws {
        try world.use { files, room in
            let path = room.appending("a")
            try files.make(path, [1, 2, 3])
            let file = try files.open(path, .readWrite)
            try files.remove(path)
            #expect(try files.status(path) == nil)
            try files.make(path, [7])
            try file.write([4], at: 3)
            #expect(try file.readAll() == [1, 2, 3, 4])
            #expect(try files.contents(path) == [7])
        }
    }

    @Test(arguments: World.allCases) func removeTellsFilesFromDirectories(_ world: World) throws {
        try world.use { files, room in
            try files.createDirectory(room.appending("d"))
            try files.make(room.appending("d/f"))
            #expect(failure { () throws(IOError) in try files.remove(room.appending("d")) } == .isDirectory)
            #expect(
                failure { () throws(IOError) in try files.removeDirectory(room.appending("d")) } == .directoryNotEmpty)
            #expect(
                failure { () throws(IOError) in try files.removeDirectory(room.appending("d/f")) } == .notDirectory)
            try files.remove(room.appending("d/f"))
            try files.removeDirectory(room.appending("d"))
            #expect(try files.names(room) == [])
            #expect(failure { () throws(IOError) in try files.remove(room.appending("d")) } == .noSuchFileOrDirectory)
            #expect(
                failure { () throws(IOError) in try files.removeDirectory(room.appending("d")) }
                    == .noSuchFileOrDirectory)
        }
    }

    @Test(arguments: World.allCases) func exclusiveLockKeepsAllOthersOut(_ world: World) throws {
        try world.use { files, room in
            let path = room.appending("LOCK")
            let lock = try files.lock(path, .exclusive)
            try lock.file.write([UInt8]("4711".utf8), at: 0)
            for kind in [LockKind.exclusive, .shared] {
                #expect(failure { () throws(IOError) in _ = try files.lock(path, kind) } == .wouldBlock)
            }
            #expect(try files.contents(path) == [UInt8]("4711".utf8))
            try lock.release()
            try lock.release()
            try files.lock(path, .exclusive).release()
        }
    }

    @Test(arguments: World.allCases) func sharedLocksAdmitEachOther(_ world: World) throws {
        try world.use { files, room in
            let path = room.appending("LOCK")
            #expect(failure { () throws(IOError) in _ = try files.lock(path, .shared) } == .noSuchFileOrDirectory)
            try files.make(path, [1])
            let first = try files.lock(path, .shared)
            let second = try files.lock(path, .shared)
            #expect(failure { () throws(IOError) in try first.file.write([2], at: 0) } == .badFileDescriptor)
            try first.release()
            #expect(failure { () throws(IOError) in _ = try files.lock(path, .exclusive) } == .wouldBlock)
            try second.release()
            try files.lock(path, .exclusive).release()
        }
    }

    @Test(arguments: World.allCases) func lockGoesWithItsLastReference(_ world: World) throws {
        try world.use { files, room in
            let path = room.appending("LOCK")
            do {
                let lock = try files.lock(path, .exclusive)
                #expect(failure { () throws(IOError) in _ = try files.lock(path, .exclusive) } == .wouldBlock)
                withExtendedLifetime(lock) {}
            }
            try files.lock(path, .exclusive).release()
        }
    }

    @Test func errorsSayWhatFailedAndWhy() {
        let error = IOError(.write, "/x/y", .noSpace)
        #expect(error.message == "cannot write /x/y: No space left on device")
        let rename = IOError(.rename, "/a", .permissionDenied, detail: "to /b")
        #expect(rename.message == "cannot rename /a: Permission denied (to /b)")
    }
}
