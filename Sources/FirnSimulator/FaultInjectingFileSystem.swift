// SPDX-License-Identifier: Apache-2.0
//
// A file system that hands everything to another one, except what the plan says shall fail.
//
// It keeps the seam's promises itself: a file whose sync was made to fail is poisoned, as a real one would be.

public import FirnIO
import Synchronization
public import SystemPackage

/// Any file system, with misfortune added.
public struct FaultInjectingFileSystem: FileSystem {
    private let base: any FileSystem
    /// The plan and the trace.
    public let injector: FaultInjector

    /// A wrapper around `base`. Give several wrappers one injector to number their operations together.
    public init(_ base: any FileSystem, injector: FaultInjector = FaultInjector()) {
        self.base = base
        self.injector = injector
    }

    /// Opens a file whose operations meet the plan too.
    public func open(_ path: FilePath, _ access: FileAccess) throws(IOError) -> any File {
        try injector.check(.open(path, access))
        return FaultInjectingFile(try base.open(path, access), injector)
    }

    /// Creates a directory, unless the plan forbids.
    public func createDirectory(_ path: FilePath) throws(IOError) {
        try injector.check(FileRequest(.createDirectory, path))
        try base.createDirectory(path)
    }

    /// Lists a directory, unless the plan forbids.
    public func list(_ path: FilePath) throws(IOError) -> [DirectoryEntry] {
        try injector.check(FileRequest(.list, path))
        return try base.list(path)
    }

    /// Looks up a path, unless the plan forbids.
    public func status(_ path: FilePath) throws(IOError) -> FileStatus? {
        try injector.check(FileRequest(.status, path))
        return try base.status(path)
    }

    /// Renames, unless the plan forbids.
    public func rename(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try injector.check(FileRequest(.rename, source, destination: destination))
        try base.rename(source, to: destination)
    }

    /// Links, unless the plan forbids.
    public func link(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try injector.check(FileRequest(.link, source, destination: destination))
        try base.link(source, to: destination)
    }

    /// Removes a file, unless the plan forbids.
    public func remove(_ path: FilePath) throws(IOError) {
        try injector.check(FileRequest(.remove, path))
        try base.remove(path)
    }

    /// Removes a directory, unless the plan forbids.
    public func removeDirectory(_ path: FilePath) throws(IOError) {
        try injector.check(FileRequest(.removeDirectory, path))
        try base.removeDirectory(path)
    }

    /// Syncs a directory, unless the plan forbids.
    public func syncDirectory(_ path: FilePath) throws(IOError) {
        try injector.check(FileRequest(.syncDirectory, path))
        try base.syncDirectory(path)
    }

    /// Takes a lock, unless the plan forbids; writes into its file meet the plan too.
    public func lock(_ path: FilePath, _ kind: LockKind) throws(IOError) -> any FileLock {
        try injector.check(.lock(path, kind))
        return FaultInjectingFileLock(try base.lock(path, kind), injector)
    }
}

extension FaultInjector {
    /// Throws where the plan says that the operation fails.
    fileprivate func check(_ request: FileRequest) throws(IOError) {
        if case (let operation, .fail(let errno, _)) = admit(request) { throw IOError(injected: errno, operation) }
    }
}

extension IOError {
    /// An error that the plan asked for; says so, with the operation's number, for whoever debugs a test.
    init(injected errno: Errno, _ operation: FileOperation) {
        self.init(
            operation.operation, operation.path, errno, detail: "injected at operation \(operation.number)")
    }
}

private final class FaultInjectingFile: File {
    private let base: any File
    private let injector: FaultInjector
    private let isPoisoned = Atomic<Bool>(false)

    init(_ base: any File, _ injector: FaultInjector) {
        self.base = base
        self.injector = injector
    }

    var path: FilePath { base.path }

    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(IOError) -> Int {
        let request = FileRequest(.read, path, byteOffset: byteOffset, byteCount: buffer.count)
        let (operation, verdict) = injector.admit(request)
        if case .fail(let errno, _) = verdict { throw IOError(injected: errno, operation) }
        let readCount = try base.read(into: buffer, at: byteOffset)
        if case .flipBit(let position) = verdict, readCount > 0 { buffer[position % readCount] ^= 1 }
        return readCount
    }

    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(IOError) {
        try write([bytes], at: byteOffset)
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError) {
        try checkPoison(.write)
        let byteCount = pieces.reduce(0) { $0 + $1.count }
        let request = FileRequest(.write, path, byteOffset: byteOffset, byteCount: byteCount)
        let (operation, verdict) = injector.admit(request)
        guard case .fail(let errno, let afterBytes) = verdict else {
            return try base.write(pieces, at: byteOffset)
        }
        try base.write(pieces.prefix(byteCount: afterBytes), at: byteOffset)
        throw IOError(injected: errno, operation)
    }

    func byteCount() throws(IOError) -> Int64 {
        try injector.check(FileRequest(.status, path))
        return try base.byteCount()
    }

    func truncate(to byteCount: Int64) throws(IOError) {
        try checkPoison(.truncate)
        try injector.check(FileRequest(.truncate, path, byteOffset: byteCount))
        try base.truncate(to: byteCount)
    }

    func sync() throws(IOError) {
        try sync { () throws(IOError) in try base.sync() }
    }

    func syncAll() throws(IOError) {
        try sync { () throws(IOError) in try base.syncAll() }
    }

    func close() throws(IOError) {
        // The descriptor is gone even when close reports an error.
        let (operation, verdict) = injector.admit(FileRequest(.close, path))
        try base.close()
        if case .fail(let errno, _) = verdict { throw IOError(injected: errno, operation) }
    }

    private func sync(_ body: () throws(IOError) -> Void) throws(IOError) {
        try checkPoison(.sync)
        do {
            try injector.check(FileRequest(.sync, path))
        } catch {
            isPoisoned.store(true, ordering: .releasing)
            throw error
        }
        try body()
    }

    private func checkPoison(_ operation: IOError.Operation) throws(IOError) {
        guard !isPoisoned.load(ordering: .acquiring) else { throw IOError.poisoned(operation, path) }
    }
}

private final class FaultInjectingFileLock: FileLock {
    private let base: any FileLock
    let file: any File

    init(_ base: any FileLock, _ injector: FaultInjector) {
        self.base = base
        file = FaultInjectingFile(base.file, injector)
    }

    func release() throws(IOError) { try base.release() }
}

extension [UnsafeRawBufferPointer] {
    /// The pieces that hold the first `byteCount` bytes of all.
    func prefix(byteCount: Int) -> [UnsafeRawBufferPointer] {
        var remaining = byteCount
        var kept: [UnsafeRawBufferPointer] = []
        for piece in self where remaining > 0 {
            kept.append(UnsafeRawBufferPointer(rebasing: piece.prefix(remaining)))
            remaining -= Swift.min(remaining, piece.count)
        }
        return kept
    }
}
