// SPDX-License-Identifier: Apache-2.0
//
// A file system without a disk: for databases that live as long as their process, and for fast tests.
//
// It keeps POSIX's rules (open files survive removal, renames replace, hard links share), so that the engine needs
// no second path. Nothing is ever durable, so syncs have nothing to do. Relative paths start at the root, which exists.

import Synchronization
public import SystemPackage

/// Files in memory. Each instance is a world of its own; all threads may use it.
public final class MemoryFileSystem: FileSystem {
    private let tree = Mutex(DirectoryTree<MemoryInode>())

    /// An empty file system: the root directory alone.
    public init() {}

    /// Opens or creates a file.
    public func open(_ path: FilePath, _ access: FileAccess) throws(IOError) -> any File {
        MemoryFile(path, try inode(path, access, for: .open), isWritable: access != .readOnly)
    }

    /// Creates an empty directory.
    public func createDirectory(_ path: FilePath) throws(IOError) {
        try withTree(.createDirectory, path) { tree throws(Errno) in
            tree.apply(try tree.changesToCreateDirectory(path))
        }
    }

    /// The directory's entries.
    public func list(_ path: FilePath) throws(IOError) -> [DirectoryEntry] {
        try withTree(.list, path) { tree throws(Errno) in try tree.list(path) }
    }

    /// Kind and byte count.
    public func status(_ path: FilePath) throws(IOError) -> FileStatus? {
        switch try withTree(.status, path, { tree throws(Errno) in try tree.entry(path) }) {
        case .file(let inode): FileStatus(kind: .file, byteCount: inode.byteCount)
        case .directory: FileStatus(kind: .directory, byteCount: 0)
        case nil: nil
        }
    }

    /// Moves a file or directory.
    public func rename(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try withTree(.rename, source, detail: "to \(destination.string)") { tree throws(Errno) in
            tree.apply(try tree.changesToRename(source, destination))
        }
    }

    /// Gives a file a second name.
    public func link(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try withTree(.link, source, detail: "to \(destination.string)") { tree throws(Errno) in
            tree.apply(try tree.changesToLink(source, destination))
        }
    }

    /// Removes a file's name.
    public func remove(_ path: FilePath) throws(IOError) {
        try withTree(.remove, path) { tree throws(Errno) in tree.apply(try tree.changesToRemove(path)) }
    }

    /// Removes an empty directory.
    public func removeDirectory(_ path: FilePath) throws(IOError) {
        try withTree(.removeDirectory, path) { tree throws(Errno) in
            tree.apply(try tree.changesToRemoveDirectory(path))
        }
    }

    /// Checks that the directory is there; there is no disk to sync.
    public func syncDirectory(_ path: FilePath) throws(IOError) {
        _ = try withTree(.syncDirectory, path) { tree throws(Errno) in try tree.directory(path) }
    }

    /// Takes a lock among the users of this instance.
    public func lock(_ path: FilePath, _ kind: LockKind) throws(IOError) -> any FileLock {
        let inode = try inode(path, kind == .exclusive ? .createOrOpen : .readOnly, for: .lock)
        do {
            try inode.lock.acquire(kind)
        } catch {
            throw IOError(.lock, path, error)
        }
        return AdvisoryFileLock(MemoryFile(path, inode, isWritable: kind == .exclusive), acquired: inode.lock)
    }

    private func inode(
        _ path: FilePath, _ access: FileAccess, for operation: IOError.Operation
    ) throws(IOError) -> MemoryInode {
        try withTree(operation, path) { tree throws(Errno) in
            switch access {
            case .readOnly, .readWrite, .appendOnly: return try tree.file(path)
            case .createOrOpen where try tree.entry(path) != nil: return try tree.file(path)
            case .createOrOpen, .createNew:
                let inode = MemoryInode()
                tree.apply(try tree.changesToCreate(path, inode))
                return inode
            }
        }
    }

    private func withTree<Success: Sendable>(
        _ operation: IOError.Operation, _ path: FilePath, detail: String? = nil,
        _ body: (inout DirectoryTree<MemoryInode>) throws(Errno) -> Success
    ) throws(IOError) -> Success {
        do {
            return try tree.withLock { tree throws(Errno) in try body(&tree) }
        } catch {
            throw IOError(operation, path, error, detail: detail)
        }
    }
}

// @unchecked Sendable: `bytes` is touched only under `access`, for reading under its read lock at least, for writing
// under its write lock.
private final class MemoryInode: @unchecked Sendable {
    let lock = AdvisoryLock()
    private let access = ReadWriteLock()
    private var bytes = ChunkedBytes()

    var byteCount: Int64 { access.withReadLock { Int64(bytes.byteCount) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(Errno) -> Int {
        try access.withReadLock { () throws(Errno) in try bytes.read(into: buffer, at: byteOffset) }
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(Errno) {
        try access.withWriteLock { () throws(Errno) in
            var position = byteOffset
            for piece in pieces {
                try bytes.write(piece, at: position)
                position += Int64(piece.count)
            }
        }
    }

    func write(_ source: UnsafeRawBufferPointer, at byteOffset: Int64) throws(Errno) {
        try access.withWriteLock { () throws(Errno) in try bytes.write(source, at: byteOffset) }
    }

    func resize(to byteCount: Int64) throws(Errno) {
        try access.withWriteLock { () throws(Errno) in try bytes.resize(to: byteCount) }
    }
}

private final class MemoryFile: File {
    let path: FilePath
    private let inode: MemoryInode
    private let isWritable: Bool
    private let isClosed = Atomic<Bool>(false)

    init(_ path: FilePath, _ inode: MemoryInode, isWritable: Bool) {
        self.path = path
        self.inode = inode
        self.isWritable = isWritable
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(IOError) -> Int {
        try attempt(.read) { () throws(Errno) in try inode.read(into: buffer, at: byteOffset) }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(IOError) {
        try attempt(.write) { () throws(Errno) in
            guard isWritable else { throw .badFileDescriptor }
            try inode.write(bytes, at: byteOffset)
        }
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError) {
        try attempt(.write) { () throws(Errno) in
            guard isWritable else { throw .badFileDescriptor }
            try inode.write(pieces, at: byteOffset)
        }
    }

    func byteCount() throws(IOError) -> Int64 {
        try attempt(.status) { inode.byteCount }
    }

    func truncate(to byteCount: Int64) throws(IOError) {
        try attempt(.truncate) { () throws(Errno) in
            guard isWritable else { throw .invalidArgument }
            try inode.resize(to: byteCount)
        }
    }

    func sync() throws(IOError) { try attempt(.sync) {} }

    func syncAll() throws(IOError) { try attempt(.sync) {} }

    func close() throws(IOError) { isClosed.store(true, ordering: .releasing) }

    private func attempt<Success>(
        _ operation: IOError.Operation, _ body: () throws(Errno) -> Success
    ) throws(IOError) -> Success {
        guard !isClosed.load(ordering: .acquiring) else {
            throw IOError(operation, path, .badFileDescriptor, detail: "the file is closed")
        }
        do {
            return try body()
        } catch {
            throw IOError(operation, path, error)
        }
    }
}
