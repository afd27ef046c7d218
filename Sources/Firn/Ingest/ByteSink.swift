// SPDX-License-Identifier: Apache-2.0
//
// Where text that leaves the engine goes: a new file through the FileSystem seam, or a closure.
//
// A file is written under a temporary name beside its own and renamed at the end, so that a failed statement
// never leaves half a file, nor spoils the one that was there. A pipe or a device cannot be renamed over: it would be
// gone, and a file in its place. It takes the bytes as they come.

import FirnIO
import SystemPackage

/// Takes bytes front to back. Not thread-safe.
protocol ByteSink: AnyObject {
    /// Bytes taken so far.
    var writtenBytes: Int64 { get }
    func write(_ bytes: [UInt8]) throws(FirnError)
    /// Makes what was written valid.
    func finish() throws(FirnError)
    /// Removes what was written.
    func abandon()
}

/// Writes a file that appears whole or not at all.
final class FileByteSink: ByteSink {
    private let path: FilePath
    /// Nil for a pipe or a device.
    private let temporaryPath: FilePath?
    private let fileSystem: any FileSystem
    private let file: any File
    private(set) var writtenBytes: Int64 = 0

    init(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) {
        self.path = path
        self.fileSystem = fileSystem
        do throws(IOError) {
            if try FileByteSink.isStream(path, fileSystem) {
                temporaryPath = nil
                file = try fileSystem.open(path, .appendOnly)
                return
            }
            guard try fileSystem.status(path)?.kind != .directory else { throw IOError(.open, path, .isDirectory) }
            let temporaryPath = FilePath(path.string + ".partial")
            self.temporaryPath = temporaryPath
            if try fileSystem.status(temporaryPath) != nil { try fileSystem.remove(temporaryPath) }
            do throws(IOError) {
                file = try fileSystem.open(temporaryPath, .createNew)
            } catch {
                // The name that the statement gave is the one that says something.
                throw IOError(.open, path, error.errno)
            }
        } catch {
            throw FirnError(reading: error)
        }
    }

    /// Whether the path names a pipe or a device. `/dev/stdout` may lead to a file; the name itself is a device's.
    private static func isStream(_ path: FilePath, _ fileSystem: any FileSystem) throws(IOError) -> Bool {
        guard let status = try fileSystem.status(path), status.kind != .directory else { return false }
        return status.kind == .other || path.string.hasPrefix("/dev/") || path.string.hasPrefix("/proc/")
    }

    func write(_ bytes: [UInt8]) throws(FirnError) {
        if bytes.isEmpty { return }
        do {
            try file.write(bytes, at: writtenBytes)
        } catch {
            throw FirnError(reading: error)
        }
        writtenBytes += Int64(bytes.count)
    }

    func finish() throws(FirnError) {
        do {
            guard let temporaryPath else { return try file.close() }
            try file.syncAll()
            try file.close()
            try fileSystem.rename(temporaryPath, to: path)
        } catch {
            throw FirnError(reading: error)
        }
    }

    func abandon() {
        do {
            try file.close()
            if let temporaryPath { try fileSystem.remove(temporaryPath) }
        } catch {
            // The statement fails with the error that came first; a left-over file has a name that says so.
        }
    }
}

/// Hands the bytes to a closure.
final class ClosureByteSink: ByteSink {
    private let output: ([UInt8]) throws(FirnError) -> Void
    private(set) var writtenBytes: Int64 = 0

    init(_ output: @escaping ([UInt8]) throws(FirnError) -> Void) { self.output = output }

    func write(_ bytes: [UInt8]) throws(FirnError) {
        if bytes.isEmpty { return }
        try output(bytes)
        writtenBytes += Int64(bytes.count)
    }

    func finish() throws(FirnError) {}
    func abandon() {}
}
