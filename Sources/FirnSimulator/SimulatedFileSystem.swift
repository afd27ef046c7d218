// SPDX-License-Identifier: Apache-2.0
//
// A file system that loses power on demand: a deterministic model of page cache, disk and directory journal.
//
// Everything that is written lands in the page cache. `sync` takes a file's bytes to the disk, `syncDirectory` a
// folder's entries; whatever was not taken there may survive a crash or not, as the seed says, within what real file
// systems do (SimulatedInode.swift for bytes, MetadataJournal.swift for entries).
//
//     let disk = SimulatedFileSystem()
//     disk.crash(.atChange(17))            // the 17th change still lands in the cache, then nothing answers any more
//     … run the engine until it fails with an error whose isSimulatedCrash is true …
//     let reopened = disk.afterCrash(.random(seed: 42))
//
// The same calls, crash point and seed give the same disk, byte for byte.

public import FirnIO
import Synchronization
public import SystemPackage

/// When the power goes.
public enum CrashPoint: Sendable, Hashable {
    /// With the operation of this number, from 1.
    case atOperation(Int)
    /// With the change of this number, from 1: writes, syncs, creations, renames and the like.
    case atChange(Int)
}

/// What survives of that which was not synced.
public enum Survival: Sendable, Hashable {
    /// Nothing of it: the disk holds what was synced.
    case syncedAlone
    /// All of it, as if the power had gone a minute later.
    case everything
    /// A part of it that a real disk might hold, chosen by the seed.
    case random(seed: UInt64)
}

/// When directory entries become durable.
public enum DirectoryDurability: Sendable, Hashable {
    /// When their own directory is synced, and not before: what POSIX promises.
    case explicitSync
    /// With any sync of a file or directory, all earlier ones in their order: what ext4, XFS and APFS do.
    case journaled
}

/// A world that crashes on demand. All threads may use it; one lock orders their operations.
public final class SimulatedFileSystem: FileSystem {
    struct State {
        var tree = DirectoryTree<SimulatedInode>()
        var journal = MetadataJournal()
        var nextInodeNumber = 1
        var isCrashed = false
        var crashPoint: CrashPoint?
    }

    /// The unit that reaches the disk whole or not at all: 512 or 4,096.
    public let sectorByteCount: Int
    /// When directory entries become durable.
    public let directoryDurability: DirectoryDurability
    /// Numbers and remembers the operations, and makes them fail as planned.
    public let injector: FaultInjector
    /// The chance of this world. It goes on in what is left after a crash, so that no random number comes twice.
    public let random: SeededRandomSource
    private let state: Mutex<State>

    /// An empty file system: the root directory alone. Relative paths start there.
    public init(
        sectorByteCount: Int = 512, directoryDurability: DirectoryDurability = .explicitSync,
        injector: FaultInjector = FaultInjector(), random: SeededRandomSource = SeededRandomSource(seed: 7)
    ) {
        precondition(sectorByteCount > 0, "a sector has bytes")
        self.sectorByteCount = sectorByteCount
        self.directoryDurability = directoryDurability
        self.injector = injector
        self.random = random
        state = Mutex(State())
    }

    private init(like other: SimulatedFileSystem, _ state: sending State) {
        sectorByteCount = other.sectorByteCount
        directoryDurability = other.directoryDurability
        injector = FaultInjector(trace: other.injector.traceKeeping)
        random = other.random
        self.state = Mutex(state)
    }

    /// Whether the power is gone: then every operation throws an error whose `isSimulatedCrash` is true.
    public var isCrashed: Bool { state.withLock { $0.isCrashed } }

    /// Plans the crash. The operation it falls on throws; what it changes may survive or not, and a sync syncs nothing.
    public func crash(_ point: CrashPoint) { state.withLock { $0.crashPoint = point } }

    /// Cuts the power now.
    public func crashNow() { state.withLock { $0.isCrashed = true } }

    /// The disk as the next boot finds it; cuts the power first if it is still on. May be asked again, with other seeds.
    ///
    /// The new file system numbers its operations from 1 and has no faults planned.
    public func afterCrash(_ survival: Survival) -> SimulatedFileSystem {
        state.withLock { state in
            state.isCrashed = true
            let survivor = state.journal.survivor(survival, state.tree, directoryDurability)
            var reborn: [ObjectIdentifier: SimulatedInode] = [:]
            let tree = survivor.mapFiles { inode in
                if let known = reborn[ObjectIdentifier(inode)] { return known }
                let made = Self.inMemory { () throws(Errno) in
                    try inode.reborn(survival, sectorByteCount: sectorByteCount)
                }
                reborn[ObjectIdentifier(inode)] = made
                return made
            }
            return SimulatedFileSystem(
                like: self,
                State(tree: tree, journal: MetadataJournal(durable: tree), nextInodeNumber: state.nextInodeNumber))
        }
    }

    /// The machine after its process was killed: the page cache survives, unsynced changes are still unsynced, locks and
    /// open files are gone. This file system answers no more.
    public func afterProcessDeath() -> SimulatedFileSystem {
        state.withLock { state in
            state.isCrashed = true
            var copies: [ObjectIdentifier: SimulatedInode] = [:]
            func copy(_ inode: SimulatedInode) -> SimulatedInode {
                if let known = copies[ObjectIdentifier(inode)] { return known }
                let made = Self.inMemory { () throws(Errno) in try inode.copy() }
                copies[ObjectIdentifier(inode)] = made
                return made
            }
            return SimulatedFileSystem(
                like: self,
                State(
                    tree: state.tree.mapFiles(copy), journal: state.journal.mapFiles(copy),
                    nextInodeNumber: state.nextInodeNumber))
        }
    }

    /// Opens or creates a file.
    public func open(_ path: FilePath, _ access: FileAccess) throws(IOError) -> any File {
        let inode = try perform(.open(path, access)) { state throws(Errno) in
            try state.inode(path, access)
        }
        return SimulatedFile(self, path, inode, isWritable: access != .readOnly)
    }

    /// Creates a directory; durable with its parent's sync.
    public func createDirectory(_ path: FilePath) throws(IOError) {
        try perform(FileRequest(.createDirectory, path)) { state throws(Errno) in
            state.commit(try state.tree.changesToCreateDirectory(path))
        }
    }

    /// The directory's entries as programs see them.
    public func list(_ path: FilePath) throws(IOError) -> [DirectoryEntry] {
        try perform(FileRequest(.list, path)) { state throws(Errno) in try state.tree.list(path) }
    }

    /// Kind and byte count as programs see them.
    public func status(_ path: FilePath) throws(IOError) -> FileStatus? {
        try perform(FileRequest(.status, path)) { state throws(Errno) in
            switch try state.tree.entry(path) {
            case .file(let inode): FileStatus(kind: .file, byteCount: Int64(inode.current.byteCount))
            case .directory: FileStatus(kind: .directory, byteCount: 0)
            case nil: nil
            }
        }
    }

    /// Moves an entry; durable with the sync of either directory, never by halves.
    public func rename(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try perform(FileRequest(.rename, source, destination: destination)) { state throws(Errno) in
            state.commit(try state.tree.changesToRename(source, destination))
        }
    }

    /// Gives a file a second name; durable with the sync of its directory.
    public func link(_ source: FilePath, to destination: FilePath) throws(IOError) {
        try perform(FileRequest(.link, source, destination: destination)) { state throws(Errno) in
            state.commit(try state.tree.changesToLink(source, destination))
        }
    }

    /// Removes a file's name; gone for good with the sync of its directory.
    public func remove(_ path: FilePath) throws(IOError) {
        try perform(FileRequest(.remove, path)) { state throws(Errno) in
            state.commit(try state.tree.changesToRemove(path))
        }
    }

    /// Removes an empty directory; gone for good with the sync of its parent.
    public func removeDirectory(_ path: FilePath) throws(IOError) {
        try perform(FileRequest(.removeDirectory, path)) { state throws(Errno) in
            state.commit(try state.tree.changesToRemoveDirectory(path))
        }
    }

    /// Takes the directory's entries to the disk.
    public func syncDirectory(_ path: FilePath) throws(IOError) {
        try perform(FileRequest(.syncDirectory, path)) { state throws(Errno) in
            let id = try state.tree.directory(path)
            switch directoryDurability {
            case .explicitSync: state.journal.sync(id)
            case .journaled: state.journal.syncAll()
            }
        }
    }

    /// Takes a lock among the users of this instance.
    public func lock(_ path: FilePath, _ kind: LockKind) throws(IOError) -> any FileLock {
        let inode = try perform(.lock(path, kind)) { state throws(Errno) in
            let inode = try state.inode(path, kind == .exclusive ? .createOrOpen : .readOnly)
            try inode.lock.acquire(kind)
            return inode
        }
        return AdvisoryFileLock(
            SimulatedFile(self, path, inode, isWritable: kind == .exclusive), acquired: inode.lock)
    }

    /// Syncs a file's bytes, and in a journaled world all entries with them.
    func sync(_ path: FilePath, _ inode: SimulatedInode) throws(IOError) {
        try perform(
            FileRequest(.sync, path),
            onInjectedFailure: { (_, operation) throws(Errno) in
                var random = Xoshiro256(seed: UInt64(operation.number))
                try inode.failSync(&random, sectorByteCount: sectorByteCount)
            },
            { state throws(Errno) in
                try inode.sync()
                if directoryDurability == .journaled { state.journal.syncAll() }
            })
    }

    /// Numbers the operation, lets plan and crash point decide, and does it under the lock.
    ///
    /// `onInjectedFailure` does the part that happens before an operation fails as planned; its number is of bytes.
    func perform<Success: Sendable>(
        _ request: FileRequest,
        onInjectedFailure: (_ afterBytes: Int, FileOperation) throws(Errno) -> Void = { _, _ in },
        _ body: (inout State) throws(Errno) -> Success
    ) throws(IOError) -> Success {
        try state.withLock { state throws(IOError) in
            guard !state.isCrashed else { throw IOError.simulatedCrash(request) }
            let (operation, verdict) = injector.admit(request)
            do throws(Errno) {
                if case .fail(let errno, let afterBytes) = verdict {
                    try onInjectedFailure(afterBytes, operation)
                    throw errno
                }
                if state.crashPoint?.isReached(operation) == true {
                    state.isCrashed = true
                    if request.operation != .sync, request.operation != .syncDirectory { _ = try body(&state) }
                } else {
                    return try body(&state)
                }
            } catch {
                if case .fail(let errno, _) = verdict, errno == error {
                    throw IOError(injected: errno, operation)
                }
                let detail = request.destination.map { "to \($0.string)" }
                throw IOError(request.operation, request.path, error, detail: detail)
            }
            throw IOError.simulatedCrash(request)
        }
    }

    /// The result of work that only memory could fail; a simulation that runs out of it cannot go on.
    private static func inMemory<Success>(_ body: () throws(Errno) -> Success) -> Success {
        do throws(Errno) {
            return try body()
        } catch {
            preconditionFailure("the simulated disk no longer fits into memory: \(error)")
        }
    }
}

extension SimulatedFileSystem.State {
    /// The file, made if `access` asks for it.
    mutating func inode(_ path: FilePath, _ access: FileAccess) throws(Errno) -> SimulatedInode {
        switch access {
        case .readOnly, .readWrite, .appendOnly: return try tree.file(path)
        case .createOrOpen where try tree.entry(path) != nil: return try tree.file(path)
        case .createOrOpen, .createNew:
            let inode = SimulatedInode(number: nextInodeNumber)
            commit(try tree.changesToCreate(path, inode))
            nextInodeNumber += 1
            return inode
        }
    }

    /// Programs see the changes from now on; the disk some time later.
    mutating func commit(_ changes: [DirectoryTree<SimulatedInode>.Change]) {
        tree.apply(changes)
        journal.append(changes)
    }
}

extension CrashPoint {
    func isReached(_ operation: FileOperation) -> Bool {
        switch self {
        case .atOperation(let number): operation.number >= number
        case .atChange(let number): operation.changeNumber.map { $0 >= number } ?? false
        }
    }
}

extension IOError {
    private static let crashDetail = "simulated crash: the power is gone"

    /// Whether the simulated world has crashed; the engine is then to be dropped, and opened on `afterCrash`.
    public var isSimulatedCrash: Bool { detail == Self.crashDetail }

    static func simulatedCrash(_ request: FileRequest) -> IOError {
        IOError(request.operation, request.path, .ioError, detail: crashDetail)
    }
}
