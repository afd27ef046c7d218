// SPDX-License-Identifier: Apache-2.0
//
// The files of the write-ahead log: takes frames in LSN order, syncs them, begins new files and frees old ones.
//
// One thread at a time writes and syncs: the commit leader (StorageEngine+Commit.swift). The lock is held across its
// I/O on purpose; nobody else needs it while they append. A file takes frames until it is full; it is synced before the
// next one begins, so everything in front of a file is durable. Files are prepared in the background: zero-filled, or
// an old one renamed, because a sync of a file that does not grow writes no metadata (1.7 times the rate, measured).
//
// Invariants:
//   - a file is freed only after a manifest edit that contains all its changes is durable
//   - a file takes its first frame when its name, its header and the frame of the file before it that names it are
//     durable: recovery therefore knows which files must be there

import FirnIO
import Synchronization
import SystemPackage

/// A frame whose place in the log is known.
struct SequencedFrame: Sendable {
    var lsn: LSN
    var frame: EncodedFrame
}

final class WriteAheadLog: Sendable {
    fileprivate struct OpenFile {
        var number: UInt64
        var file: any File
        var firstLSN: LSN
        /// Where the next frame goes.
        var byteOffset: Int64
        /// Behind every byte that was written, or that a write which failed may have reached.
        var writtenEnd: Int64
    }
    /// A file that stands ready to be the next.
    private struct PreparedFile {
        var number: UInt64
        var file: any File
        var isRecycled: Bool
    }
    private struct FullFile {
        var number: UInt64
        var lastLSN: LSN
        var byteCount: Int64
    }
    private struct State {
        var epoch: LogEpoch
        var active: OpenFile
        var lastLSN: LSN
        /// Full files that hold changes which are not in the manifest, oldest first.
        var full: [FullFile] = []
        /// Numbers of files that are free to be used again.
        var free: [UInt64] = []
        var prepared: PreparedFile?
        var isPreparing = false
        var nextNumber: UInt64
        var manifest: ManifestProof
        var hasUnsynced = false
        /// Where the frames of the last `write` begin, and in which file.
        var lastWrite: (number: UInt64, byteOffset: Int64)
        /// A file that was begun and is not the active one, because a step of beginning it failed.
        var unfinishedFile: UInt64?
        /// The active file may or may not name its successor.
        var isContinuationDoubtful = false
    }

    /// Files kept for their next use; more are removed. A flush frees three or four at once, and a burst takes as many
    /// before the next: what is removed then would be made anew, growing, while appends wait.
    private static let freeFilesMax = 4
    private static let zeroFillPieceBytes = 1 << 20

    private let folder: DatabaseFolder
    private let database: DatabaseID
    private let fileSystem: any FileSystem
    private let fileBytesMax: Int64
    private let state: Mutex<State>

    /// Begins the log of an epoch: creates its first file, empty, and makes it and its name durable.
    init(
        epoch: LogEpoch, folder: DatabaseFolder, database: DatabaseID, manifest: ManifestProof, fileBytesMax: Int,
        fileSystem: any FileSystem
    ) throws(FirnError) {
        self.folder = folder
        self.database = database
        self.fileSystem = fileSystem
        self.fileBytesMax = Int64(fileBytesMax)
        let active = try Self.firstFile(
            of: epoch, in: folder, database, manifest, byteCount: Int64(fileBytesMax), fileSystem)
        state = Mutex(Self.state(epoch, active, nextNumber: epoch.firstLogFile + 1, manifest))
    }

    private static func firstFile(
        of epoch: LogEpoch, in folder: DatabaseFolder, _ database: DatabaseID, _ manifest: ManifestProof,
        byteCount: Int64, _ fileSystem: any FileSystem
    ) throws(FirnError) -> OpenFile {
        let byteCount = max(byteCount, Int64(WALFileHeader.byteCount))
        let header = WALFileHeader(
            database: database, number: epoch.firstLogFile, epoch: epoch.number, firstLSN: epoch.firstLSN,
            durableLSN: LSN(epoch.firstLSN.rawValue - 1), manifest: manifest, fileByteCount: byteCount)
        var output = ByteWriter(reservingBytes: WALFileHeader.byteCount)
        header.encode(into: &output)
        let bytes = output.bytes
        return try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(
                folder.log(epoch.firstLogFile), Mutant.isPlanted(.reuseReplayedLog) ? .createOrOpen : .createNew)
            try file.truncate(to: byteCount)
            try file.write(bytes, at: 0)
            if !Mutant.isPlanted(.skipSyncOfFirstLog) { try file.syncAll() }
            if !Mutant.isPlanted(.skipSyncOfFirstLogFolder) { try fileSystem.syncDirectory(folder.logFolder) }
            return OpenFile(
                number: epoch.firstLogFile, file: file, firstLSN: epoch.firstLSN,
                byteOffset: Int64(WALFileHeader.byteCount), writtenEnd: Int64(WALFileHeader.byteCount))
        }
    }

    private static func state(
        _ epoch: LogEpoch, _ active: OpenFile, nextNumber: UInt64, _ manifest: ManifestProof
    ) -> State {
        State(
            epoch: epoch, active: active, lastLSN: LSN(epoch.firstLSN.rawValue - 1), nextNumber: nextNumber,
            manifest: manifest, lastWrite: (active.number, active.byteOffset))
    }

    // MARK: Beginning anew

    /// The empty log of a later epoch, of which no manifest knows yet.
    struct Successor {
        let epoch: LogEpoch
        fileprivate let active: OpenFile
    }

    /// Makes the first file of another epoch, durably, beside what there is.
    ///
    /// - Parameter manifest: the one that will name the epoch.
    func makeSuccessor(
        epoch number: UInt64, firstLSN: LSN, manifest: ManifestProof
    ) throws(FirnError) -> Successor {
        let fileNumber = state.withLock { state in
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        let epoch = LogEpoch(number: number, firstLSN: firstLSN, firstLogFile: fileNumber)
        do throws(FirnError) {
            return Successor(
                epoch: epoch,
                active: try Self.firstFile(
                    of: epoch, in: folder, database, manifest, byteCount: fileBytesMax, fileSystem))
        } catch {
            // Half a file helps nobody, least of all on a full disk.
            try removeFiles([fileNumber])
            throw error
        }
    }

    /// Goes on in the files of a successor, which a durable manifest names by now. Returns the numbers of the files that
    /// nobody needs any more.
    func goOn(in successor: Successor, manifest: ManifestProof) -> [UInt64] {
        state.withLock { old in
            var numbers = old.full.map(\.number) + old.free + [old.active.number]
            if let prepared = old.prepared { numbers.append(prepared.number) }
            if let unfinished = old.unfinishedFile, !numbers.contains(unfinished) { numbers.append(unfinished) }
            // One that is being prepared has a smaller number, and is found to be free.
            let isPreparing = old.isPreparing
            old = Self.state(successor.epoch, successor.active, nextNumber: old.nextNumber, manifest)
            old.isPreparing = isPreparing
            return numbers
        }
    }

    /// Removes files of which some may not be there.
    func removeFiles(_ numbers: [UInt64]) throws(FirnError) {
        try FirnError.mapping { () throws(IOError) in
            for number in numbers where try fileSystem.status(folder.log(number)) != nil {
                try fileSystem.remove(folder.log(number))
            }
        }
    }

    // MARK: The leader

    /// Writes frames, which follow the last one, without syncing them.
    ///
    /// - Parameter durableLSN: the LSN known durable now, for the frames to say.
    func write(_ frames: [SequencedFrame], durableLSN: LSN) throws(IOError) {
        try state.withLock { (state) throws(IOError) in
            state.lastWrite = (state.active.number, state.active.byteOffset)
            var durableLSN = durableLSN
            var pieces: [UnsafeRawBufferPointer] = []
            pieces.reserveCapacity(frames.count + 1)
            var pieceBytes: Int64 = 0
            for sequenced in frames {
                precondition(sequenced.lsn == state.lastLSN.next, "frames enter the log in LSN order")
                let end = state.active.byteOffset + pieceBytes
                // A frame that is larger than a file has one of its own.
                if end > Int64(WALFileHeader.byteCount),
                    end + Int64(sequenced.frame.byteCount + Self.continuationByteCount) > fileBytesMax
                {
                    try Self.writePieces(&pieces, &pieceBytes, &state)
                    try beginNextFile(&state)
                    durableLSN = state.lastLSN
                }
                sequenced.frame.seal(lsn: sequenced.lsn, epoch: state.epoch.number, durableLSN: durableLSN)
                // The frame's buffer stays where it is: `frames` keeps it alive until this function returns.
                pieces.append(sequenced.frame.bytes)
                pieceBytes += Int64(sequenced.frame.byteCount)
                state.lastLSN = sequenced.lsn
            }
            try withExtendedLifetime(frames) { () throws(IOError) in
                try Self.writePieces(&pieces, &pieceBytes, &state)
            }
        }
    }

    /// Makes all written frames durable.
    func sync() throws(IOError) {
        try state.withLock { (state) throws(IOError) in
            guard state.hasUnsynced else { return }
            if !Mutant.isPlanted(.skipLogSync) { try state.active.file.sync() }
            state.hasUnsynced = false
        }
    }

    private static func writePieces(
        _ pieces: inout [UnsafeRawBufferPointer], _ byteCount: inout Int64, _ state: inout State
    ) throws(IOError) {
        guard !pieces.isEmpty else { return }
        state.hasUnsynced = true
        state.active.writtenEnd = max(state.active.writtenEnd, state.active.byteOffset + byteCount)
        try state.active.file.write(pieces, at: state.active.byteOffset)
        state.active.byteOffset += byteCount
        pieces.removeAll(keepingCapacity: true)
        byteCount = 0
    }

    private func beginNextFile(_ state: inout State) throws(IOError) {
        if !Mutant.isPlanted(.skipSyncOfFullLog) { try state.active.file.sync() }
        state.hasUnsynced = false
        let next = try takeNextFile(&state)
        let header = WALFileHeader(
            database: database, number: next.number, epoch: state.epoch.number, firstLSN: state.lastLSN.next,
            durableLSN: state.lastLSN, manifest: state.manifest, isRecycled: next.isRecycled,
            fileByteCount: try next.file.byteCount())
        var output = ByteWriter(reservingBytes: WALFileHeader.byteCount)
        header.encode(into: &output)
        try next.file.write(output.bytes, at: 0)
        if !Mutant.isPlanted(.skipSyncOfLogHeader) { try next.file.sync() }
        try writeContinuation(to: next.number, &state)
        let finished = state.active
        state.full.append(
            FullFile(number: finished.number, lastLSN: state.lastLSN, byteCount: finished.byteOffset))
        state.active = OpenFile(
            number: next.number, file: next.file, firstLSN: header.firstLSN,
            byteOffset: Int64(WALFileHeader.byteCount), writtenEnd: Int64(WALFileHeader.byteCount))
        state.unfinishedFile = nil
        try finished.file.close()
    }

    /// The prepared file; where none is, one that is free or new, with its name durable.
    private func takeNextFile(_ state: inout State) throws(IOError) -> PreparedFile {
        if let prepared = state.prepared {
            state.prepared = nil
            state.unfinishedFile = prepared.number
            return prepared
        }
        // Preparation may be waiting behind a flush. An old file under a new name does not grow; a new one does.
        let number = state.nextNumber
        state.nextNumber += 1
        state.unfinishedFile = number
        let file: any File
        let old = state.free.popLast()
        if let old {
            try fileSystem.rename(folder.log(old), to: folder.log(number))
            file = try fileSystem.open(folder.log(number), .readWrite)
        } else {
            file = try fileSystem.open(folder.log(number), .createNew)
            try file.truncate(to: fileBytesMax)
            try file.syncAll()
        }
        if !Mutant.isPlanted(.skipSyncOfLogFolder) { try fileSystem.syncDirectory(folder.logFolder) }
        return PreparedFile(number: number, file: file, isRecycled: old != nil)
    }

    /// Says, durably, at the end of the active file that the log goes on in another.
    private func writeContinuation(to number: UInt64, _ state: inout State) throws(IOError) {
        let frame = EncodedFrame(.continuation) { $0.appendLittleEndian(number) }!
        frame.seal(lsn: state.lastLSN.next, epoch: state.epoch.number, durableLSN: state.lastLSN)
        state.isContinuationDoubtful = true
        try withExtendedLifetime(frame) { () throws(IOError) in
            try state.active.file.write(frame.bytes, at: state.active.byteOffset)
        }
        if !Mutant.isPlanted(.skipSyncOfContinuation) { try state.active.file.sync() }
        state.active.byteOffset += Int64(frame.byteCount)
        state.isContinuationDoubtful = false
    }

    /// Bytes of a frame that names the next file.
    private static let continuationByteCount = WALFrameHeader.frameByteCount(payload: 8)

    // MARK: Taking back

    /// What became of frames that a failure left in doubt.
    enum Withdrawal: Sendable {
        /// They are gone, durably.
        case done
        /// Nobody knows whether the next opening finds them.
        case impossible
    }

    /// After `write` or the `sync` behind it failed: makes sure, where it can, that the frames of that write never come
    /// back. The log takes no frames after it.
    ///
    /// They are overwritten with zeros through a new descriptor: on the old one no later success would mean anything,
    /// since the kernel may have dropped the pages that failed. What is written now is dirty again, and a sync that
    /// succeeds vouches for it. The room is the file's already.
    func takeBackLastWrite() -> Withdrawal {
        state.withLock { state in
            // Frames that lie in two files cannot go in one step, and a crash between two would look like damage.
            guard state.lastWrite.number == state.active.number, !state.isContinuationDoubtful else {
                return .impossible
            }
            do throws(IOError) {
                // The header of a file that was begun says that what is to be taken back was durable.
                if let number = state.unfinishedFile, try fileSystem.status(folder.log(number)) != nil {
                    try fileSystem.remove(folder.log(number))
                    try fileSystem.syncDirectory(folder.logFolder)
                }
                state.unfinishedFile = nil
                let file = try fileSystem.open(folder.log(state.active.number), .readWrite)
                let end = min(state.active.writtenEnd, try file.byteCount())
                let zeros = [UInt8](repeating: 0, count: Self.zeroFillPieceBytes)
                var byteOffset = state.lastWrite.byteOffset
                while byteOffset < end, !Mutant.isPlanted(.leaveFailedFrames) {
                    let byteCount = Int(min(end - byteOffset, Int64(zeros.count)))
                    try zeros.span.withUnsafeBytes { (bytes) throws(IOError) in
                        try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<byteCount]), at: byteOffset)
                    }
                    byteOffset += Int64(byteCount)
                }
                if !Mutant.isPlanted(.skipSyncOfWithdrawal) { try file.sync() }
                try file.close()
                return .done
            } catch {
                return .impossible
            }
        }
    }

    // MARK: Preparing files

    /// True when the next file should be prepared in the background.
    var needsPreparation: Bool {
        state.withLock { $0.prepared == nil && !$0.isPreparing && $0.active.byteOffset > fileBytesMax / 8 }
    }

    /// Makes the next file ready: an old one under a new name, or a new one filled with zeros. Runs in the background.
    func prepareNextFile() throws(FirnError) {
        let job: (number: UInt64, old: UInt64?)? = state.withLock { state in
            guard state.prepared == nil, !state.isPreparing else { return nil }
            state.isPreparing = true
            let number = state.nextNumber
            state.nextNumber += 1
            return (number, state.free.popLast())
        }
        guard let job else { return }
        var prepared: PreparedFile?
        defer {
            state.withLock { state in
                state.isPreparing = false
                guard let prepared else { return }
                // The log may have gone on without it, under a larger number; numbers ascend with the LSNs, so it takes
                // another one when it is used.
                if prepared.number > state.active.number {
                    state.prepared = prepared
                } else {
                    state.free.append(prepared.number)
                }
            }
        }
        do throws(IOError) {
            let path = folder.log(job.number)
            let file: any File
            if let old = job.old {
                try fileSystem.rename(folder.log(old), to: path)
                file = try fileSystem.open(path, .readWrite)
            } else {
                file = try fileSystem.open(path, .createNew)
                let zeros = [UInt8](repeating: 0, count: Self.zeroFillPieceBytes)
                var byteOffset: Int64 = 0
                while byteOffset < fileBytesMax {
                    let byteCount = min(fileBytesMax - byteOffset, Int64(zeros.count))
                    try zeros.span.withUnsafeBytes { (bytes) throws(IOError) in
                        try file.write(UnsafeRawBufferPointer(rebasing: bytes[..<Int(byteCount)]), at: byteOffset)
                    }
                    byteOffset += byteCount
                    // In pieces, so that the disk is never busy for long while the log waits for it.
                    if byteOffset % (4 << 20) == 0 { try file.sync() }
                }
                try file.syncAll()
            }
            try fileSystem.syncDirectory(folder.logFolder)
            prepared = PreparedFile(number: job.number, file: file, isRecycled: job.old != nil)
        } catch {
            // Half a file helps nobody, least of all on a full disk.
            do throws(IOError) {
                if try fileSystem.status(folder.log(job.number)) != nil {
                    try fileSystem.remove(folder.log(job.number))
                }
            } catch let second {
                throw FirnError(second)
            }
            throw FirnError(error)
        }
    }

    // MARK: Freeing files

    /// The oldest file that is needed once every change up to `lsn` is in the manifest.
    func firstFileNeeded(after lsn: LSN) -> UInt64 {
        state.withLock { state in
            Mutant.isPlanted(.forgetNeededLog)
                ? state.active.number : state.full.first { $0.lastLSN > lsn }?.number ?? state.active.number
        }
    }

    /// Frees the files whose every change is in a durable manifest edit, and tells how far the manifest is proven.
    func release(through lsn: LSN, manifest: ManifestProof) throws(FirnError) {
        let removed: [UInt64] = state.withLock { state in
            state.manifest = manifest
            var removed: [UInt64] = []
            while let oldest = state.full.first, oldest.lastLSN <= lsn || Mutant.isPlanted(.freeLogOneFlushEarly) {
                state.full.removeFirst()
                // A short file would grow again when it is used: only full ones are worth keeping.
                if state.free.count < Self.freeFilesMax, oldest.byteCount >= fileBytesMax / 2 {
                    state.free.append(oldest.number)
                } else {
                    removed.append(oldest.number)
                }
            }
            return removed
        }
        do {
            for number in removed { try fileSystem.remove(folder.log(number)) }
        } catch {
            throw FirnError(error)
        }
    }

    /// Bytes of frames that are not in the manifest, for statistics.
    var byteCount: Int64 {
        state.withLock { state in state.full.reduce(state.active.byteOffset) { $0 + $1.byteCount } }
    }

    /// Closes the files and removes them all: everything in them is in a durable manifest edit.
    func removeAll() throws(FirnError) {
        let numbers: [UInt64] = try state.withLock { (state) throws(FirnError) in
            var numbers = state.full.map(\.number) + state.free + [state.active.number]
            do throws(IOError) {
                try state.active.file.close()
                if let prepared = state.prepared {
                    try prepared.file.close()
                    numbers.append(prepared.number)
                }
            } catch {
                throw FirnError(error)
            }
            state.full = []
            state.free = []
            state.prepared = nil
            return numbers
        }
        do {
            for number in numbers { try fileSystem.remove(folder.log(number)) }
            try fileSystem.syncDirectory(folder.logFolder)
        } catch {
            throw FirnError(error)
        }
    }
}
