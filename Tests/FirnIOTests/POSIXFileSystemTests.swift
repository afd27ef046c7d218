// SPDX-License-Identifier: Apache-2.0
//
// What only the machine's file system has: modes, real errors, locks between processes.

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

@Suite struct POSIXFileSystemTests {
    private let files = POSIXFileSystem()

    @Test func aPipeInThePlaceOfAFileKeepsNobodyWaiting() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("pipe")
        #expect(mkfifo(path.string, 0o600) == 0)
        let files = POSIXFileSystem(.filesAlone)
        for access in [FileAccess.readOnly, .readWrite, .createOrOpen, .appendOnly] {
            let error = #expect(throws: IOError.self) { try files.open(path, access) }
            #expect(error?.message.contains("it is a pipe, a socket or a device") == true)
        }
        #expect(throws: IOError.self) { try files.lock(path, .exclusive) }
        // A link to a file is as good as the file.
        try files.make(folder.path.appending("f"), [7])
        #expect(symlink("f", folder.path.appending("s").string) == 0)
        #expect(try files.open(folder.path.appending("s"), .readOnly).readAll() == [7])
    }

    @Test func newFilesAndDirectoriesArePrivate() throws {
        let folder = try TemporaryFolder()
        try files.make(folder.path.appending("f"))
        try files.createDirectory(folder.path.appending("d"))
        try files.lock(folder.path.appending("LOCK"), .exclusive).release()
        for (name, mode) in [("f", 0o600), ("d", 0o700), ("LOCK", 0o600)] {
            var status = stat()
            #expect(stat(folder.path.appending(name).string, &status) == 0)
            #expect(Int(status.st_mode) & 0o777 == mode, "\(name)")
        }
    }

    @Test func symbolicLinksAreFollowedByStatusAndOtherInLists() throws {
        let folder = try TemporaryFolder()
        try files.make(folder.path.appending("f"), [1, 2])
        #expect(symlink("f", folder.path.appending("s").string) == 0)
        #expect(try files.status(folder.path.appending("s")) == FileStatus(kind: .file, byteCount: 2))
        #expect(try files.list(folder.path).map(\.kind) == [.file, .other])
    }

    @Test func pipeIsReadOnceFromItsBeginning() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        try writeEnd.closeAfter { _ = try writeEnd.writeAll([1, 2, 3, 4, 5, 6, 7] as [UInt8]) }
        let file = try readEnd.closeAfter { try files.open(FilePath("/dev/fd/\(readEnd.rawValue)"), .readOnly) }
        #expect(try file.read(byteCount: 4, at: 0) == [1, 2, 3, 4])
        #expect(failure { () throws(IOError) in _ = try file.read(byteCount: 4, at: 0) } == .illegalSeek)
        #expect(try file.read(byteCount: 4, at: 4) == [5, 6, 7])
        #expect(try file.read(byteCount: 4, at: 7) == [])
    }

    @Test(arguments: [0, 1, 7, 1 << 16, 300_000]) func aPipeIsReadWhole(_ byteCount: Int) throws {
        let bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let writer = try DedicatedThread(name: "writer") {
            do {
                try writeEnd.closeAfter { _ = try writeEnd.writeAll(bytes) }
            } catch {
                Issue.record("\(error)")
            }
        }
        let file = try readEnd.closeAfter { try files.open(FilePath("/dev/fd/\(readEnd.rawValue)"), .readOnly) }
        #expect(try file.readAll() == bytes)
        writer.join()
    }

    @Test func aPipeCanBeWrittenInOrder() throws {
        let (readEnd, writeEnd) = try FileDescriptor.pipe()
        let file = try writeEnd.closeAfter { try files.open(FilePath("/dev/fd/\(writeEnd.rawValue)"), .appendOnly) }
        try file.write([1, 2, 3], at: 0)
        try file.write([4, 5], at: 3)
        try file.close()
        let copy = try readEnd.closeAfter { try files.open(FilePath("/dev/fd/\(readEnd.rawValue)"), .readOnly) }
        #expect(try copy.readAll() == [1, 2, 3, 4, 5])
    }

    #if os(Linux)
        @Test func aFileThatSaysItIsEmptyIsReadToItsEnd() throws {
            #expect(try files.open("/proc/self/status", .readOnly).readAll().count > 100)
        }
    #endif

    @Test func parentDirectoryCanAlwaysBeSynced() throws {
        let parents = ["/a/b", "/a", "/", "a/b", "a"].map { FilePath($0).parentDirectory.string }
        #expect(parents == ["/a", "/", "/", "a", "."])
        try files.syncDirectory(FilePath("a").parentDirectory)
    }

    @Test func errorNamesOperationPathAndReason() throws {
        let folder = try TemporaryFolder()
        let path = folder.path.appending("no/such")
        let error = #expect(throws: IOError.self) { try files.open(path, .readOnly) }
        #expect(error?.message == "cannot open \(path.string): No such file or directory")
    }

    #if os(Linux)
        @Test func fullDiskIsAnErrorThatNamesTheFile() throws {
            let file = try files.open("/dev/full", .readWrite)
            let error = #expect(throws: IOError.self) { try file.write([1, 2, 3], at: 0) }
            #expect(error?.errno == .noSpace)
            #expect(error?.path == "/dev/full")
            #expect(error?.operation == .write)
        }

        @Test(.enabled(if: access("/usr/bin/flock", X_OK) == 0, "flock of util-linux is not installed"))
        func lockOfAnotherProcessIsRespectedUntilItDies() throws {
            let folder = try TemporaryFolder()
            let path = folder.path.appending("LOCK")
            try files.make(path)
            let holder = try spawn(["/usr/bin/flock", "--no-fork", path.string, "/bin/sleep", "60"])
            var isAlive = true
            func end() {
                guard isAlive else { return }
                isAlive = false
                kill(holder, SIGKILL)
                waitpid(holder, nil, 0)
            }
            defer { end() }
            // The holder needs a moment to get there; a lock that we take meanwhile is given back at once.
            let clock = SystemTimeSource()
            let limit = clock.monotonicNanoseconds() + 10_000_000_000
            func reason() -> Errno? {
                failure { () throws(IOError) in try files.lock(path, .exclusive).release() }
            }
            while reason() == nil, clock.monotonicNanoseconds() < limit { clock.sleep(nanoseconds: 20_000_000) }
            #expect(reason() == .wouldBlock)
            #expect(failure { () throws(IOError) in _ = try files.lock(path, .shared) } == .wouldBlock)
            end()
            #expect(reason() == nil)
        }

        private func spawn(_ arguments: [String]) throws -> pid_t {
            var strings = arguments.map { strdup($0) }
            defer { for string in strings { free(string) } }
            strings.append(nil)
            var child = pid_t()
            let result = posix_spawn(&child, arguments[0], nil, nil, strings, nil)
            guard result == 0 else { throw Errno(rawValue: result) }
            return child
        }
    #endif
}
