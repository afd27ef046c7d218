// SPDX-License-Identifier: Apache-2.0
//
// Going on after the log has failed, without opening the database again.
//
// A log that failed takes no frames any more: what the kernel holds of its file is not what was written. Once the disk
// works again everything that readers see is brought into new files, as an opening does it, and the log begins anew:
//
//   1. what failed commits had entered goes: rows, tables, drops
//   2. all rows that are in no segment are written to a new data file, synced
//   3. the log of a new epoch begins: its first file, synced
//   4. a fresh manifest holds all of it, synced; CURRENT moves to it
//   5. commits are taken again; the files of the old log go
//
// Nothing of the old log is needed or trusted from step 4 on; until then it is as the failure left it, with all that was
// acknowledged as durable, and a crash on the way is a crash of the old log. Whoever wants to change something while
// the log has failed tries this first, and gets the error of the attempt where the disk still refuses.

import FirnIO

extension StorageEngine {
    /// Throws where nothing may be changed or, after a failure of the log, where it cannot be begun anew.
    func prepareToWrite() throws(FirnError) {
        try checkWritable()
        try goOnAfterFailure()
    }

    /// Begins the log anew where it has failed. Blocks.
    func goOnAfterFailure() throws(FirnError) {
        guard let log, hasFailed else { return }
        // Whoever led may still be taking back what failed.
        failing.withLock { _ in }
        let hasGoneOn = try flusher.withLock { (flusher) throws(FirnError) in
            let isNeeded = core.withLock { $0.failure != nil && $0.phase != .closed }
            if isNeeded { try goOn(log, &flusher) }
            return isNeeded
        }
        if hasGoneOn { grantRoom() }
    }

    private func goOn(_ log: WriteAheadLog, _ flusher: inout Flusher) throws(FirnError) {
        core.withLock { $0.withdrawFailedCommits() }
        let cut = freeze()
        do throws(FirnError) {
            let written = cut.tables.isEmpty ? nil : try writeSegments(cut)
            let manifest = ManifestProof(number: flusher.nextManifestNumber, byteCount: 0, checksum: 0)
            flusher.lastEpochNumber = max(flusher.lastEpochNumber, flusher.state.epoch.number) + 1
            let successor: WriteAheadLog.Successor
            do throws(FirnError) {
                successor = try log.makeSuccessor(
                    epoch: flusher.lastEpochNumber, firstLSN: cut.lsn.next, manifest: manifest)
            } catch {
                if let written { abandonFile(written.1.id) }
                throw error
            }
            let before = flusher.state
            do throws(FirnError) {
                var records = records(of: cut, written?.0, flusher.state)
                records.append(.epoch(successor.epoch))
                flusher.apply(records)
                try beginManifest(&flusher)
            } catch  where flusher.manifest?.proof.number != manifest.number {
                flusher.state = before
                // Where CURRENT may name the new manifest, what that names must stay until another one is live.
                if flusher.isCurrentDoubtful {
                    if let written { flusher.doubtfulFiles.append(written.1.id) }
                    flusher.doubtfulLogFiles.append(successor.epoch.firstLogFile)
                } else {
                    if let written { abandonFile(written.1.id) }
                    try log.removeFiles([successor.epoch.firstLogFile])
                }
                throw error
            } catch {
                // The manifest is live, and only the old one could not be removed: the next opening does that.
            }
            publish(cut, written?.0, written?.1)
            segmentAccess.begin(epoch: successor.epoch.number)
            let proof = flusher.manifest?.proof ?? manifest
            let obsolete = log.goOn(in: successor, manifest: proof) + flusher.doubtfulLogFiles
            flusher.doubtfulLogFiles = []
            core.withLock { core in
                core.failure = nil
                core.flushFailure = nil
                core.preparationFailure = nil
                core.visibleLSN = cut.lsn
                core.writtenLSN = cut.lsn
                core.durableLSN = cut.lsn
                core.syncTarget = cut.lsn
                core.syncDeadline = nil
            }
            do throws(FirnError) {
                try log.removeFiles(obsolete)
            } catch {
                // They are in nobody's way; the next opening removes them.
                core.withLock { $0.preparationFailure = error }
            }
        } catch {
            throw Self.cannotGoOn(error)
        }
    }

    private static func cannotGoOn(_ error: FirnError) -> FirnError {
        FirnError(
            error.code, "nothing can be committed since the log failed, and it cannot be begun anew: \(error.message)",
            detail: error.detail, hint: error.hint)
    }
}

extension Core {
    /// Takes out what commits that failed had entered: nothing of them was visible.
    mutating func withdrawFailedCommits() {
        for (id, writer) in writers {
            guard let table = published.tables[id] else {
                writers[id] = nil
                continue
            }
            var kept = writer
            kept.schema = table.schema
            kept.isDropped = false
            kept.frozen = writer.memtables.compactMap { $0.cut(after: visibleLSN) }
            kept.sealed = []
            kept.active = Memtable()
            writers[id] = kept
            published.tables[id]!.memtables = kept.memtables
        }
        names = [:]
        for (id, writer) in writers { names[writer.schema.name] = id }
        unflushed.removeAll { $0.lsn > visibleLSN }
        activeBytes = 0
        oldestActive = nil
        countFrozenBytes()
    }
}
