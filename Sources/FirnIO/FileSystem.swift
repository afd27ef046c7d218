// SPDX-License-Identifier: Apache-2.0
//
// The seam between the engine and its files: what the engine may ask of a file system, and nothing more.
//
// Three worlds stand behind it: `POSIXFileSystem` (the machine), `MemoryFileSystem` (a database without a
// folder) and `SimulatedFileSystem` of FirnSimulator (a page cache that crashes on demand). Calls block;
// they belong on a thread that may wait, never on Swift's cooperative pool.
//
// Durability, the same in every world:
//   - the bytes of a file are durable after `File.sync`, its byte count too;
//   - a created, renamed, linked or removed entry is durable after `syncDirectory` of the folder that holds it;
//   - whatever was not synced may be there after a crash, wholly, in part, or not at all, in any order.
//
// Idea: LevelDB's Env (include/leveldb/env.h) and TigerBeetle's storage interface.

public import SystemPackage

/// How a file is opened.
public enum FileAccess: Sendable, Hashable {
    /// An existing file, for reading alone.
    case readOnly
    /// An existing file, for reading and writing.
    case readWrite
    /// A new file, for reading and writing; EEXIST where the name is taken. Mode 0600.
    case createNew
    /// The file of that name, created empty (mode 0600) where there is none; for reading and writing.
    case createOrOpen
    /// An existing file, device or pipe, for writing at its end alone; waits until somebody reads the pipe.
    case appendOnly
}

/// What a directory entry names.
public enum FileKind: Sendable, Hashable {
    /// A regular file.
    case file
    /// A directory.
    case directory
    /// A link, socket, device or pipe; Firn makes none of them.
    case other
}

/// One name in a directory.
public struct DirectoryEntry: Sendable, Hashable {
    /// The name without its folder, byte for byte.
    public let component: FilePath.Component
    /// What the name stands for.
    public let kind: FileKind
    /// The name as text; a name that is not UTF-8 shows replacement characters, use ``component`` to open it.
    public var name: String { component.string }

    /// An entry called `component`.
    public init(component: FilePath.Component, kind: FileKind) {
        self.component = component
        self.kind = kind
    }
}

/// What is known about a path without opening it.
public struct FileStatus: Sendable, Hashable {
    /// What the path names, symbolic links followed.
    public let kind: FileKind
    /// The file's bytes; of no meaning for directories.
    public let byteCount: Int64

    /// A status as found.
    public init(kind: FileKind, byteCount: Int64) {
        self.kind = kind
        self.byteCount = byteCount
    }
}

/// Whether a lock admits others of its kind.
public enum LockKind: Sendable, Hashable {
    /// One holder; the lock file is created where it is missing.
    case exclusive
    /// Many holders, as long as nobody holds it exclusively; the file must exist, and is opened for reading alone.
    case shared
}

/// A place that keeps files. Every call may block, and any thread may make it.
public protocol FileSystem: Sendable {
    /// Opens or creates the file at `path`.
    func open(_ path: FilePath, _ access: FileAccess) throws(IOError) -> any File
    /// Creates one directory, mode 0700. EEXIST where the name is taken; ENOENT where the parent is missing.
    func createDirectory(_ path: FilePath) throws(IOError)
    /// The entries of a directory without `.` and `..`, sorted by the bytes of their names.
    func list(_ path: FilePath) throws(IOError) -> [DirectoryEntry]
    /// Kind and byte count, or nil where nothing has that name.
    func status(_ path: FilePath) throws(IOError) -> FileStatus?
    /// Gives the entry a new name, in one step, replacing a file of that name.
    func rename(_ source: FilePath, to destination: FilePath) throws(IOError)
    /// Gives the file at `source` a second name. EEXIST where `destination` is taken.
    func link(_ source: FilePath, to destination: FilePath) throws(IOError)
    /// Removes a file's name; those who have it open keep it.
    func remove(_ path: FilePath) throws(IOError)
    /// Removes a directory. ENOTEMPTY where it has entries.
    func removeDirectory(_ path: FilePath) throws(IOError)
    /// Makes the entries of the directory durable: creations, renames, links and removals up to now.
    func syncDirectory(_ path: FilePath) throws(IOError)
    /// Takes the lock at once, or throws EWOULDBLOCK when another holder is in the way, in this process or another.
    func lock(_ path: FilePath, _ kind: LockKind) throws(IOError) -> any FileLock
}

/// An open file. Any thread may call it; ranges written at the same time must not overlap.
public protocol File: AnyObject, Sendable {
    /// The path it was opened by; a later rename does not change it.
    var path: FilePath { get }
    /// Reads from `byteOffset` until `buffer` is full or the file ends; returns the bytes read.
    ///
    /// A pipe or terminal (kind `.other`) can be read from its beginning on, each byte once; ESPIPE otherwise.
    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(IOError) -> Int
    /// Writes all of `bytes` at `byteOffset`, growing the file as needed, or throws; after an error a part may be written.
    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(IOError)
    /// Writes the pieces one after the other, from `byteOffset` on, in one system call where there is one.
    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError)
    /// The file's bytes now.
    func byteCount() throws(IOError) -> Int64
    /// Cuts the file, or grows it with zeros.
    func truncate(to byteCount: Int64) throws(IOError)
    /// Makes bytes and byte count durable. After one failure every later write, truncate and sync of this file throws EIO,
    /// since the kernel may have dropped the pages that failed.
    func sync() throws(IOError)
    /// Like ``sync()``, all other metadata included: for files just created.
    func syncAll() throws(IOError)
    /// Closes the file; a second call does nothing, every other call after it throws EBADF. It must not overlap other
    /// calls; where others may still use the file, drop the reference instead: releasing the last one closes too, but
    /// can report no error.
    func close() throws(IOError)
}

/// A lock that is held until it is released, its last reference goes, or its process dies.
public protocol FileLock: AnyObject, Sendable {
    /// The locked file, for the holder's name to be written into; writable only under an exclusive lock.
    var file: any File { get }
    /// Gives the lock up and closes its file; a second call does nothing.
    func release() throws(IOError)
}

extension File {
    /// Writes the pieces one call at a time: for files that have no gathering write.
    public func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError) {
        var byteOffset = byteOffset
        for piece in pieces {
            try write(piece, at: byteOffset)
            byteOffset += Int64(piece.count)
        }
    }

    /// Writes all of `bytes` at `byteOffset`.
    public func write(_ bytes: [UInt8], at byteOffset: Int64) throws(IOError) {
        try bytes.span.withUnsafeBytes { (view) throws(IOError) in try write(view, at: byteOffset) }
    }

    /// Up to `byteCount` bytes from `byteOffset` on; fewer only where the file ends.
    public func read(byteCount: Int, at byteOffset: Int64) throws(IOError) -> [UInt8] {
        precondition(byteCount >= 0, "a read has no negative length")
        var bytes = [UInt8](repeating: 0, count: byteCount)
        var span = bytes.mutableSpan
        let readCount = try span.withUnsafeMutableBytes { (view) throws(IOError) in
            try read(into: view, at: byteOffset)
        }
        bytes.removeLast(byteCount - readCount)
        return bytes
    }

    /// All bytes of the file, in memory: for small files, and for pipes up to their end.
    ///
    /// The byte count is a guess that saves copies: a pipe, a terminal and a file that the kernel makes up as it is
    /// read (`/proc`) say 0. The end is where a read gives less than was asked for.
    public func readAll() throws(IOError) -> [UInt8] {
        let pieceBytesMin = 1 << 16
        var asked = Int(try byteCount())
        asked = asked > 0 ? asked + 1 : pieceBytesMin
        var bytes = try read(byteCount: asked, at: 0)
        while bytes.count == asked {
            let piece = try read(byteCount: max(pieceBytesMin, bytes.count), at: Int64(bytes.count))
            asked = bytes.count + max(pieceBytesMin, bytes.count)
            bytes += piece
        }
        return bytes
    }
}

extension FileSystem {
    /// Creates the directory and those above it that are missing, and syncs the parent of each that it created.
    public func createDirectories(_ path: FilePath) throws(IOError) {
        if let status = try status(path) {
            guard status.kind == .directory else { throw IOError(.createDirectory, path, .notDirectory) }
            return
        }
        let parent = path.parentDirectory
        try createDirectories(parent)
        do {
            try createDirectory(path)
        } catch {
            guard error.errno == .fileExists else { throw error }
        }
        try syncDirectory(parent)
    }
}

extension FilePath {
    /// The directory that holds the path's last component: `/a` of `/a/b`, `.` of `b`.
    public var parentDirectory: FilePath {
        let parent = removingLastComponent()
        return parent.isEmpty ? "." : parent
    }
}
