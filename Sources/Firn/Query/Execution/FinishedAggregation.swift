// SPDX-License-Identifier: Apache-2.0
//
// The results of an aggregation, batch by batch: keys, then aggregates, in the order in which groups first appeared.
//
// Batches are computed ahead by as many threads as there are, more of them the longer somebody goes on reading: the
// first batch alone, then up to a few for each thread.

import Synchronization

/// Groups that will not change any more.
struct FinishedAggregation: @unchecked Sendable {
    // Sendable: states are only read from here on, by `finish`. That of DISTINCT computes its results at the first call
    // and keeps them, so where there is one, batches are computed one at a time.
    let program: AggregateProgram
    let links: [MergedAggregation.Link]
    /// Nil without keys.
    let keys: FinishedKeys?
    /// Kept for what it holds.
    let held: HeldMemory

    /// Batches that are computed ahead for each thread, at most.
    private static let batchesAheadPerThread = 4

    /// Some own groups of a link: one batch.
    private struct Piece {
        let link: Int
        let own: Range<Int>
    }

    /// Reads all groups.
    func reader(_ evaluator: BlockEvaluator, _ workers: Workers) -> any BatchReader {
        let pieces = pieces()
        let isSerial = program.states.contains { $0.distinctLayout != nil }
        // Where groups are large, a batch has few of them, and several batches would be much memory.
        let isLarge = pieces.contains { $0.own.count < batchRowsMax / 8 } && pieces.count > 1
        let aheadMax = isSerial || isLarge ? 1 : Self.batchesAheadPerThread * workers.threadCount
        var window = 1
        var next = 0
        var ahead: ArraySlice<ColumnBatch> = []
        return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
            if let batch = ahead.popFirst() { return batch }
            guard next < pieces.count else { return nil }
            try evaluator.checkCancellation()
            let wanted = pieces[next..<min(next + window, pieces.count)]
            next = wanted.endIndex
            window = min(window * 2, aheadMax)
            ahead = try self.batches(Array(wanted), workers)[...]
            return ahead.popFirst()
        }
    }

    private func pieces() -> [Piece] {
        let keyRows = keys.map { BatchRows.count(forBytes: $0.valueByteCount, rowCount: $0.count) } ?? batchRowsMax
        return links.indices.flatMap { link in
            let byteCount = links[link].states.reduce(0) { $0 + $1.byteCount }
            let rows = min(
                keyRows, BatchRows.count(forBytes: byteCount, rowCount: links[link].groupCount))
            return stride(from: 0, to: links[link].ownCount, by: rows).map { first in
                Piece(link: link, own: first..<min(first + rows, links[link].ownCount))
            }
        }
    }

    private func batches(_ pieces: [Piece], _ workers: Workers) throws(FirnError) -> [ColumnBatch] {
        if pieces.count == 1 { return [try batch(pieces[0])] }
        let slots = BatchSlots(count: pieces.count)
        try workers.perform(taskCount: pieces.count) { index throws(FirnError) in
            let batch = try self.batch(pieces[index])
            slots.batches.withLock { $0[index] = batch }
        }
        return slots.batches.withLock { $0.map { $0! } }
    }

    /// Batches that threads compute side by side.
    private final class BatchSlots: Sendable {
        let batches: Mutex<[ColumnBatch?]>

        init(count: Int) { batches = Mutex([ColumnBatch?](repeating: nil, count: count)) }
    }

    private func batch(_ piece: Piece) throws(FirnError) -> ColumnBatch {
        let link = links[piece.link]
        let first = link.firstGlobal
        var columns = keys?.columns(first + piece.own.lowerBound..<first + piece.own.upperBound) ?? []
        columns += try results(link, piece.own)
        return ColumnBatch(columns, rowCount: piece.own.count)
    }

    /// The aggregates of some own groups of a link.
    private func results(_ link: MergedAggregation.Link, _ own: Range<Int>) throws(FirnError) -> [Column] {
        var groups = own
        var rows: [Int32]?
        if let ownGroups = link.ownGroups {
            let first = ownGroups[own.lowerBound]
            groups = Int(first)..<Int(ownGroups[own.upperBound - 1]) + 1
            if groups.count > own.count { rows = ownGroups[own].map { Int32($0 - first) } }
        }
        var columns: [Column] = []
        for output in program.outputs {
            let column = try link.states[output.state].finish(output.output, type: output.type, groups: groups)
            columns.append(rows.map { column.gather($0) } ?? column)
        }
        return columns
    }
}
