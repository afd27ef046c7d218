// SPDX-License-Identifier: Apache-2.0
//
// The machine's file system: plain POSIX calls. Files are created 0600, directories 0700, descriptors close on exec.
//
// Locks are flock(2): they belong to the open file, so that two openings conflict within one process as well as
// between two, and the kernel releases them when the process dies.

public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine's file system.
public struct POSIXFileSystem: FileSystem {
    /// What may be opened.
    public enum Scope: Sendable {
        /// Files, and what else can be read or written: pipes, devices.
        case anything
        /// Regular files, and links to them: opening waits for nobody.
        case filesAlone
    }

    private let scope: Scope

    /// The machine's file system; relative paths start at the working directory of the process.
    public init(_ scope: Scope = .anything) { self.scope = scope }

    /// Opens with O_CLOEXEC; EISDIR for a directory.
    public func open(_ path: FilePath, _ access: FileAccess) throws(IOError) -> any File {
        let flags: Int32 =
            switch access {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .createOrOpen: O_RDWR | O_CREAT
            case .appendOnly: O_WRONLY | O_APPEND
            }
        return try openFile(path, flags, for: .open)
    }

    /// mkdir with mode 0700.
    public func createDirectory(_ path: FilePath) throws(IOError) {
        do {
            try SystemCalls.withName(path) { mkdir($0, 0o700) }
        } catch {
            throw IOError(.createDirectory, path, error)
        }
    }

    /// Reads the directory once; an entry made or removed meanwhile may or may not be listed.
    public func list(_ path: FilePath) throws(IOError) -> [DirectoryEntry] {
        let stream = path.withPlatformString { opendir($0) }
        guard let stream else { throw IOError(.list, path, SystemCalls.lastError) }
        defer { closedir(stream) }
        var entries: [DirectoryEntry] = []
        while true {
            errno = 0
            guard let record = readdir(stream) else {
                let reason = SystemCalls.lastError
                guard reason.rawValue == 0 else { throw IOError(.list, path, reason) }
                break
            }
            // d_name is zero-terminated, and the record lives until the next readdir of this stream.
            let name = withUnsafePointer(to: &record.pointee.d_name) { field in
                FilePath(platformString: UnsafeRawPointer(field).assumingMemoryBound(to: CInterop.PlatformChar.self))
            }
            // "." and ".." are no regular components.
            guard let component = name.lastComponent, component.kind == .regular else { continue }
            let kind: FileKind? =
                switch Int(record.pointee.d_type) {
                case Int(DT_REG): .file
                case Int(DT_DIR): .directory
                case Int(DT_UNKNOWN): try lookUp(path.appending(component), lstat)?.kind
                default: .other
                }
            // Nil: removed since the directory was read.
            if let kind { entries.append(DirectoryEntry(component: component, kind: kind)) }
        }
        return entries.sortedByName()
    }

    /// stat, so that symbolic links are followed.
    public func status(_ path: FilePath) throws(IOError) -> FileStatus? {
        try lookUp(path, stat)
    }

    /// rename: in one step, replacing a file of that name.
    public func rename(_ source: FilePath, to destination: FilePath) throws(IOError) {
        do {
            try SystemCalls.rename(source, destination)
        } catch {
            throw IOError(.rename, source, error, detail: "to \(destination.string)")
        }
    }

    /// link: a hard link.
    public func link(_ source: FilePath, to destination: FilePath) throws(IOError) {
        do {
            try SystemCalls.link(source, destination)
        } catch {
            throw IOError(.link, source, error, detail: "to \(destination.string)")
        }
    }

    /// unlink.
    public func remove(_ path: FilePath) throws(IOError) {
        do {
            try SystemCalls.withName(path) { unlink($0) }
        } catch {
            // POSIX says EPERM for a directory where Linux says EISDIR.
            guard error == .notPermitted, try lookUp(path, lstat)?.kind == .directory else {
                throw IOError(.remove, path, error)
            }
            throw IOError(.remove, path, .isDirectory)
        }
    }

    /// rmdir.
    public func removeDirectory(_ path: FilePath) throws(IOError) {
        do {
            try SystemCalls.withName(path) { rmdir($0) }
        } catch {
            // POSIX lets a system say EEXIST for a directory that is not empty.
            throw IOError(.removeDirectory, path, error == .fileExists ? .directoryNotEmpty : error)
        }
    }

    /// fsync of the directory.
    public func syncDirectory(_ path: FilePath) throws(IOError) {
        do throws(Errno) {
            let descriptor = try SystemCalls.open(path, O_RDONLY | O_DIRECTORY)
            let outcome = Result { () throws(Errno) in try SystemCalls.sync(descriptor, .contentsAndMetadata) }
            try SystemCalls.close(descriptor)
            // EINVAL: this file system has no way to sync a directory (some network and FUSE ones), and PostgreSQL's
            // fsync_fname accepts it for the same reason. Every other failure is one.
            if case .failure(let reason) = outcome, reason != .invalidArgument { throw reason }
        } catch {
            throw IOError(.syncDirectory, path, error)
        }
    }

    /// flock without waiting.
    public func lock(_ path: FilePath, _ kind: LockKind) throws(IOError) -> any FileLock {
        let (flags, operation) =
            switch kind {
            case .exclusive: (O_RDWR | O_CREAT, LOCK_EX | LOCK_NB)
            case .shared: (O_RDONLY, LOCK_SH | LOCK_NB)
            }
        let file = try openFile(path, flags, for: .lock)
        do {
            _ = try SystemCalls.retry { flock(file.descriptor, operation) }
        } catch {
            throw IOError(.lock, path, error)
        }
        return POSIXFileLock(file)
    }

    private func openFile(
        _ path: FilePath, _ flags: Int32, for operation: IOError.Operation
    ) throws(IOError) -> POSIXFile {
        var kind: FileKind?
        do throws(Errno) {
            // A pipe that nobody writes would keep the caller waiting; to files the flag means nothing.
            let patience = scope == .filesAlone ? O_NONBLOCK : 0
            let file = POSIXFile(path, try SystemCalls.open(path, flags | patience, mode: 0o600))
            var status = stat()
            _ = try SystemCalls.retry { fstat(file.descriptor, &status) }
            kind = status.kind
            guard status.kind != .directory else { throw Errno.isDirectory }
            guard status.kind == .file || scope == .anything else { throw Errno.notSupported }
            return file
        } catch {
            let isOther = kind == .other || error == .noSuchAddressOrDevice
            throw IOError(operation, path, error, detail: isOther ? "it is a pipe, a socket or a device" : nil)
        }
    }

    private func lookUp(
        _ path: FilePath, _ call: (UnsafePointer<CInterop.PlatformChar>, UnsafeMutablePointer<stat>) -> Int32
    ) throws(IOError) -> FileStatus? {
        var status = stat()
        do {
            try SystemCalls.withName(path) { call($0, &status) }
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw IOError(.status, path, error)
        }
        return FileStatus(kind: status.kind, byteCount: Int64(status.st_size))
    }
}

extension stat {
    fileprivate var kind: FileKind {
        switch st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        default: .other
        }
    }
}

extension [DirectoryEntry] {
    /// In the order of the names' bytes, the same on every system and in every locale.
    package func sortedByName() -> [DirectoryEntry] {
        sorted { $0.component.string.utf8.lexicographicallyPrecedes($1.component.string.utf8) }
    }
}
