// SPDX-License-Identifier: Apache-2.0
//
// The file systems that must all behave alike, each with an empty directory to work in.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum World: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case posix
    case memory
    case simulated
    case journaled
    case faultless

    var testDescription: String { rawValue }

    /// Runs `body` with a file system and a fresh directory on it, which is removed afterwards.
    func use(_ body: (any FileSystem, FilePath) throws -> Void) throws {
        switch self {
        case .posix:
            let folder = try TemporaryFolder()
            try body(POSIXFileSystem(), folder.path)
        case .memory: try Self.furnish(MemoryFileSystem(), body)
        case .simulated: try Self.furnish(SimulatedFileSystem(), body)
        case .journaled: try Self.furnish(SimulatedFileSystem(directoryDurability: .journaled), body)
        case .faultless: try Self.furnish(FaultInjectingFileSystem(MemoryFileSystem()), body)
        }
    }

    private static func furnish(
        _ files: any FileSystem, _ body: (any FileSystem, FilePath) throws -> Void
    ) throws {
        try files.createDirectory("/room")
        try body(files, "/room")
    }
}

/// A directory of the machine that goes, with all in it, when the last reference goes.
final class TemporaryFolder {
    let path: FilePath

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/firn-io-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
        path = FilePath(String(cString: made))
    }

    deinit { Self.removeAll(path) }

    private static func removeAll(_ path: FilePath) {
        let files = POSIXFileSystem()
        do {
            for entry in try files.list(path) {
                let child = path.appending(entry.component)
                if entry.kind == .directory { removeAll(child) } else { try files.remove(child) }
            }
            try files.removeDirectory(path)
        } catch {
            print("left behind: \(error)")
        }
    }
}

extension FileSystem {
    /// Creates a file with these bytes, not synced.
    func make(_ path: FilePath, _ bytes: [UInt8] = []) throws {
        let file = try open(path, .createNew)
        try file.write(bytes, at: 0)
        try file.close()
    }

    /// All bytes of the file.
    func contents(_ path: FilePath) throws -> [UInt8] {
        try open(path, .readOnly).readAll()
    }

    /// The names in a directory.
    func names(_ path: FilePath) throws -> [String] {
        try list(path).map(\.name)
    }
}

/// The reason that `body` fails with; nil when it succeeds.
func failure(_ body: () throws(IOError) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error.errno
    }
}

/// The seed of a property test: FIRN_SEED where it is set, a new one otherwise.
func testSeed() -> UInt64 {
    if let text = getenv("FIRN_SEED"), let seed = UInt64(String(cString: text)) { return seed }
    return SystemRandomSource().next()
}
