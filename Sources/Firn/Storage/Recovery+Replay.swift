// SPDX-License-Identifier: Apache-2.0
//
// Frames of the log, applied to what the manifest adds up to.
//
// A change that the manifest contains is passed over. Rows are collected in commit order; the caller writes them to
// segments or keeps them.

import FirnIO
import SystemPackage

/// A state in the making: the manifest's, and what the log adds.
struct Replay {
    var state: ManifestState
    /// Rows that are in no segment, in commit order, cut where bulk commits to their table lie between.
    private(set) var rows: [TableID: [[(lsn: LSN, batch: ColumnBatch)]]] = [:]
    /// Memory that the rows take.
    private(set) var byteCount = 0

    init(_ state: ManifestState) { self.state = state }

    mutating func apply(_ frame: WALFrame, in folder: DatabaseFolder) throws(FirnError) {
        do throws(FormatError) {
            switch frame.kind {
            case .rows: try applyRows(frame)
            case .catalog:
                for change in try CatalogChange.decodeAll(frame.payload, frame.version) {
                    if case .dropTable(let table) = change { forgetRows(of: table) }
                    try state.apply(.catalog(change))
                }
            case .bulk: try applyBulk(frame)
            case .continuation, .delete, .upsert, .truncate, .dropChunks, .rowsWithSources, .transaction:
                throw FormatError("a frame of kind \(frame.kind) is not known to this build")
            }
        } catch {
            throw FirnError(
                .dataCorrupted, "the log of \(folder.root.string) is damaged: commit \(frame.lsn): \(error.message)",
                hint: "run `firn check` on the database, and restore it from a copy")
        }
    }

    mutating func apply(_ records: [ManifestRecord]) throws(FirnError) {
        do throws(FormatError) {
            try state.apply(records)
        } catch {
            throw FirnError(.dataCorrupted, "the log contradicts the manifest: \(error.message)")
        }
    }

    private mutating func applyRows(_ frame: WALFrame) throws(FormatError) {
        let table = try RowsCodec.table(of: frame.payload)
        guard frame.lsn > state.flushedLSN(of: table) || Mutant.isPlanted(.replayFlushedCommits) else { return }
        guard let schema = state.tables[table]?.schema else {
            throw FormatError("its rows belong to table \(table), which does not exist")
        }
        let payload = try RowsCodec.decode(frame.payload, frame.version)
        guard payload.columns == schema.columns.map(\.id),
            zip(payload.batch.columns, schema.columns).allSatisfy({ $0.type == $1.type })
        else {
            throw FormatError("its rows do not have the columns of table \"\(schema.name)\"")
        }
        var runs = rows.removeValue(forKey: table) ?? [[]]
        runs[runs.count - 1].append((frame.lsn, payload.batch))
        rows[table] = runs
        byteCount += Memtable.byteCount(of: payload.batch)
    }

    private mutating func applyBulk(_ frame: WALFrame) throws(FormatError) {
        let commit = try BulkCommit.decode(frame.payload).committed(at: frame.lsn)
        guard frame.lsn > state.flushedLSN(of: commit.table) else { return }
        for chunk in commit.chunks where state.tables[commit.table]?.chunks[chunk.id] == nil {
            try state.apply(.addChunk(commit.table, chunk))
        }
        for segment in commit.segments { try state.apply(.addSegment(segment)) }
        // What follows comes behind the load wherever it is written: a segment of its own.
        if rows[commit.table]?.last?.isEmpty == false, !Mutant.isPlanted(.mixReplayedRowsWithLoad) {
            rows[commit.table]!.append([])
        }
    }

    private mutating func forgetRows(of table: TableID) {
        for (_, batch) in (rows.removeValue(forKey: table) ?? []).joined() {
            byteCount -= Memtable.byteCount(of: batch)
        }
    }

    /// Hands out the collected rows as the input of a flush.
    mutating func takeInputs() -> [FlushInput] {
        defer {
            rows = [:]
            byteCount = 0
        }
        return rows.sorted { $0.key < $1.key }.flatMap { table, runs in
            runs.compactMap { batches in
                guard let schema = state.tables[table]?.schema, let first = batches.first, let last = batches.last
                else { return nil }
                return FlushInput(schema: schema, batches: batches.map(\.batch), lsnRange: first.lsn...last.lsn)
            }
        }
    }
}
