// SPDX-License-Identifier: Apache-2.0
//
// Bugs that the tests must find: each case is one, planted where it is asked for.
//
// `make mutants` builds with -DFIRN_MUTANTS, plants one bug at a time (FIRN_MUTANT=skipLogSync) and expects the tests
// of crashes, faults, damage and recovery to fail; docs/mutants.md says which test catches which. In every other
// build no bug can be planted: `isPlanted` is false for the compiler, and nothing of it is left in optimised code.

enum Mutant {
    // The line above a case says what the bug does; it is the text in docs/mutants.md.

    // MARK: Syncs of the log

    /// Frames are acknowledged although the log was not synced.
    case skipLogSync
    /// Commits are acknowledged after the write, and the log is synced then.
    case acknowledgeBeforeSync
    /// A full log file is not synced before the header of the next says that it was.
    case skipSyncOfFullLog
    /// The header of the next log file is not synced before its first frame.
    case skipSyncOfLogHeader
    /// The frame that names the next log file is not synced before that file's first frame.
    case skipSyncOfContinuation
    /// The name of the next log file is not synced.
    case skipSyncOfLogFolder
    /// The first log file of an opening is not synced.
    case skipSyncOfFirstLog
    /// The name of the first log file of an opening is not synced.
    case skipSyncOfFirstLogFolder
    /// A bulk commit waits for no sync.
    case loseDurabilityOfLoad
    /// CREATE, ALTER and DROP wait for no sync.
    case loseDurabilityOfCatalog

    // MARK: Syncs of data files, manifest and CURRENT

    /// A data file is not synced.
    case skipSyncOfData
    /// The name of a flush's data file is not synced.
    case skipSyncOfDataFolder
    /// The name of a bulk load's data file is not synced.
    case skipSyncOfLoadFolder
    /// The name of the data file of a chunk that is written anew is not synced.
    case skipSyncOfRewriteFolder
    /// The name of the data file with the replayed rows is not synced: they are served from the cache alone.
    case serveRecoveredFromCache
    /// An edit of the manifest is not synced.
    case skipSyncOfEdit
    /// A new manifest is not synced.
    case skipSyncOfNewManifest
    /// The name of a new manifest is not synced before CURRENT moves to it.
    case skipSyncOfManifestFolder
    /// The next CURRENT is not synced before it is renamed.
    case skipSyncOfCurrent
    /// The rename of CURRENT is not synced.
    case skipSyncOfRename

    // MARK: Order

    /// The edit of a flush is synced although the log that it covers is not.
    case syncEditBeforeLog
    /// Segments take the place of memtables before the manifest names them.
    case dropMemtableBeforeEdit
    /// Log files are freed before the edit that holds their changes is durable.
    case freeLogBeforeEdit
    /// Log files whose changes only the next flush writes are freed.
    case freeLogOneFlushEarly
    /// The manifest asks for the log from the active file on, although older ones are needed.
    case forgetNeededLog
    /// The log goes before the end of the database is recorded.
    case removeLogBeforeEnd
    /// Two frames of one write change places.
    case reorderCommits
    /// Rows that were committed before a bulk load share a memtable with later ones.
    case mixRowsWithLoad
    /// The same, when the log is replayed.
    case mixReplayedRowsWithLoad
    /// A data file that readers hold is removed.
    case forgetReaders

    // MARK: After a failure of the log

    /// Commits are taken after the log failed.
    case goOnAfterFailedSync
    /// Frames whose commits failed stay in the log.
    case leaveFailedFrames
    /// Frames whose commits failed are overwritten, and that is not synced.
    case skipSyncOfWithdrawal

    // MARK: Recovery

    /// The log that was replayed is written to again.
    case reuseReplayedLog
    /// LSNs that were given out before a crash are given out again.
    case reuseLSN
    /// An opening takes the epoch of the one before.
    case keepEpoch
    /// Frames that a flush has written are replayed.
    case replayFlushedCommits
    /// A damaged frame that is known to have been durable is taken for the end of the log.
    case cutDamagedLog
    /// Nobody is told of commits that a crash cut off.
    case hideDroppedCommits
    /// A log file that is shorter than its header says is read.
    case takeShortLog
    /// The log of another database is read.
    case takeForeignLog
    /// A log of a later opening than the manifest's is passed over.
    case forgetEpochOfLog
    /// A manifest or data file of a later opening than CURRENT's is passed over.
    case forgetNewerFiles
    /// A reopened database keeps the record that it was closed in order.
    case keepRecordOfEnd
    /// A data file that only the log names is removed.
    case removeFilesOfLog
    /// A whole data file with commits that the log has lost is removed.
    case removeLostCommits
    /// A file that belongs to nothing is removed, not put aside.
    case removeUnknownFile
    /// A data file that is missing is found when its rows are read, not at the opening.
    case overlookMissingFile

    // MARK: Checks of bytes

    /// The checksum of a frame's payload is not looked at.
    case takeTornFrame
    /// The checksum of a frame's header is not looked at.
    case ignoreFrameChecksum
    /// The checksum of a log file's own header is not looked at.
    case ignoreLogHeaderChecksum
    /// The checksum of the header that all files have is not looked at.
    case ignoreFileHeaderChecksum
    /// The checksum of a manifest's edit is not looked at.
    case ignoreManifestChecksum
    /// A manifest that is shorter than CURRENT and the log prove is taken.
    case ignoreManifestProof
    /// The checksum of CURRENT is not looked at.
    case ignoreCurrentChecksum
    /// The checksum of a data file's tail is not looked at.
    case ignoreTailChecksum
    /// The checksum of a segment's footer is not looked at.
    case ignoreFooterChecksum
    /// The checksums of pages and statistics are not looked at.
    case ignorePageChecksum
    /// The checksums of key indexes are not looked at.
    case ignoreKeyIndexChecksum
    /// A data file of another database is read.
    case takeForeignDataFile

    // MARK: Keys

    /// Keys are not looked up in segments.
    case skipKeysOfSegments
    /// Keys are not looked up in memtables.
    case skipKeysOfMemtables
    /// Keys are not looked up in segments that came while the others were searched.
    case skipKeysOfNewSegments

    /// Whether the bug is there.
    @inline(__always) static func isPlanted(_ mutant: Mutant) -> Bool {
        #if FIRN_MUTANTS
            return mutant == planted
        #else
            return false
        #endif
    }

    /// Whether the checksum of a block of a data file is passed over; `what` says what the block is.
    @inline(__always) static func ignoresChecksum(of what: @autoclosure () -> String) -> Bool {
        #if FIRN_MUTANTS
            switch what() {
            case "file tail": return isPlanted(.ignoreTailChecksum)
            case "segment footer": return isPlanted(.ignoreFooterChecksum)
            case "key index": return isPlanted(.ignoreKeyIndexChecksum)
            default: return isPlanted(.ignorePageChecksum)
            }
        #else
            return false
        #endif
    }

    /// The frames of a write, the first two of them in each other's place.
    static func reordered(_ frames: [SequencedFrame]) -> [SequencedFrame] {
        guard frames.count > 1 else { return frames }
        var frames = frames
        (frames[0].frame, frames[1].frame) = (frames[1].frame, frames[0].frame)
        return frames
    }
}

extension StorageEngine {
    /// What the leader does behind a sync, for a bug that does it before.
    func acknowledge(through lsn: LSN?) {
        guard let lsn else { return }
        let ready = core.withLock { core in
            core.writtenLSN = lsn
            core.durableLSN = lsn
            return core.publishReady()
        }
        for call in ready { call() }
    }
}

#if FIRN_MUTANTS
    #if canImport(Glibc)
        import Glibc
    #elseif canImport(Musl)
        import Musl
    #elseif canImport(Darwin)
        import Darwin
    #endif

    extension Mutant: CaseIterable {
        /// The bug that FIRN_MUTANT names. A name that is no bug's would make every test pass, and is refused.
        private static let planted: Mutant? = {
            guard let name = getenv("FIRN_MUTANT").map({ String(cString: $0) }) else { return nil }
            guard let mutant = allCases.first(where: { "\($0)" == name }) else {
                fatalError("FIRN_MUTANT=\(name) names no bug")
            }
            return mutant
        }()
    }
#endif
