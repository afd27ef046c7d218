// SPDX-License-Identifier: Apache-2.0
//
// LOCK: one process may write a database, or many may read it.
//
// The advisory lock on the file counts; its text only says who holds it, for the error that others get:
//
//     firn lock 0\npid 1234\n
//
// The lock of a process that was killed goes when the kernel has taken the process apart, a moment after the signal;
// so whoever finds the lock held looks again for a second before it gives up.

import FirnIO
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum LockFile {
    static let heading = "firn lock 0"

    /// How long a lock that somebody holds is waited for, and how often it is tried meanwhile.
    static let patienceNanoseconds: UInt64 = 1_000_000_000
    private static let retryNanoseconds: UInt64 = 10_000_000

    /// Takes the lock as `access` needs it.
    static func acquire(
        _ folder: DatabaseFolder, _ access: StorageOptions.Access, _ fileSystem: any FileSystem,
        _ timeSource: any TimeSource
    ) throws(FirnError) -> (any FileLock)? {
        let start = timeSource.monotonicNanoseconds()
        while true {
            do throws(IOError) {
                return try acquireAtOnce(folder, access, fileSystem)
            } catch {
                guard isHeld(error) else { throw FirnError(error) }
                guard timeSource.monotonicNanoseconds() - start < patienceNanoseconds else {
                    throw try inUse(folder, access, fileSystem)
                }
                timeSource.sleep(nanoseconds: retryNanoseconds)
            }
        }
    }

    private static func acquireAtOnce(
        _ folder: DatabaseFolder, _ access: StorageOptions.Access, _ fileSystem: any FileSystem
    ) throws(IOError) -> (any FileLock)? {
        switch access {
        case .readWrite:
            let lock = try fileSystem.lock(folder.lock, .exclusive)
            try lock.file.truncate(to: 0)
            try lock.file.write(Array("\(heading)\npid \(getpid())\n".utf8), at: 0)
            return lock
        case .readOnly:
            // A database without the file is one that nobody writes; reading changes nothing, so it is not made.
            guard try fileSystem.status(folder.lock) != nil else { return nil }
            return try fileSystem.lock(folder.lock, .shared)
        }
    }

    /// Whether a lock was refused because another holds it.
    private static func isHeld(_ error: IOError) -> Bool {
        error.errno == .wouldBlock || error.errno == .resourceTemporarilyUnavailable
    }

    private static func inUse(
        _ folder: DatabaseFolder, _ access: StorageOptions.Access, _ fileSystem: any FileSystem
    ) throws(FirnError) -> FirnError {
        let name = folder.root.string
        if access == .readWrite, try isShared(folder, fileSystem) {
            return FirnError(
                .lockNotAvailable, "database \"\(name)\" is being read by another process",
                hint: "close it there, or open it here with --read-only")
        }
        let holder = try holder(folder, fileSystem).map { "process \($0)" } ?? "another process"
        return FirnError(
            .lockNotAvailable, "database \"\(name)\" is in use by \(holder)",
            hint: "close it there first; a database has one writing process, and no readers beside it")
    }

    /// True where readers hold the lock: one more would be let in.
    private static func isShared(_ folder: DatabaseFolder, _ fileSystem: any FileSystem) throws(FirnError) -> Bool {
        do throws(IOError) {
            try fileSystem.lock(folder.lock, .shared).release()
            return true
        } catch {
            if isHeld(error) { return false }
            throw FirnError(error)
        }
    }

    /// The process that wrote its number into the file.
    static func holder(_ folder: DatabaseFolder, _ fileSystem: any FileSystem) throws(FirnError) -> Int32? {
        let bytes = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(folder.lock, .readOnly)
            let bytes = try file.read(byteCount: 64, at: 0)
            try file.close()
            return bytes
        }
        return processID(bytes)
    }

    /// The process that the lock file's text names.
    static func processID(_ bytes: [UInt8]) -> Int32? {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("pid ") {
            return Int32(line.dropFirst(4)).flatMap { $0 > 0 ? $0 : nil }
        }
        return nil
    }
}
