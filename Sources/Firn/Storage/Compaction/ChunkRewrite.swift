// SPDX-License-Identifier: Apache-2.0
//
// Writes a chunk anew: its segments become one, or a few with disjoint keys, of another profile.
//
//   1. flush, so that all rows committed until now are in segments
//   2. take the chunk's segments as the manifest names them, in commit order
//   3. read them and write new ones into a file of their own, part by part; sync the file, then its folder
//   4. one manifest edit takes the old segments out and the new ones in
//   5. publish the new ones; files that nothing refers to any more go with their last reader
//
// Nobody waits for it: appends and flushes go on, and what they add to the chunk stays beside the new segments. Rows
// with one key and time keep their commit order, since the parts are sorted stably from segments in commit order, and
// every commit up to the flush takes part. A crash before the edit leaves an unfinished file, which the next opening
// removes; one after it leaves retired files, which the next opening removes, too.

import FirnIO
import Synchronization
import SystemPackage

extension StorageEngine {
    func rewriteChunk(
        _ chunk: ChunkID, of table: TableID, to profile: SegmentProfile,
        checkCancellation: () throws(FirnError) -> Void
    ) throws(FirnError) -> ChunkRewriteOutcome {
        try rewriteChunk(
            chunk, of: table, to: profile, partBytesMax: ChunkRewrite.partBytesMax, checkCancellation: checkCancellation
        )
    }

    /// - Parameter partBytesMax: bytes of rows in memory that are held at a time; smaller ones are for tests.
    func rewriteChunk(
        _ chunk: ChunkID, of table: TableID, to profile: SegmentProfile, partBytesMax: Int,
        checkCancellation: () throws(FirnError) -> Void = { () throws(FirnError) in }
    ) throws(FirnError) -> ChunkRewriteOutcome {
        try prepareToWrite()
        // Another chunk may take minutes: who waits for its end can still be cancelled.
        func check() throws(FirnError) {
            try checkOpen()
            try checkCancellation()
        }
        return try rewrites.withLock(check) { () throws(FirnError) in
            let began = timeSource.monotonicNanoseconds()
            try checkOpen()
            try flush(.once)
            let found = try source(of: chunk, table)
            if found.segments.allSatisfy({ $0.descriptor.profile == profile }) { return .unchanged }
            let rewrite = ChunkRewrite(
                schema: found.schema, bounds: found.bounds, segments: found.segments, access: segmentAccess,
                partBytesMax: partBytesMax)
            let (output, file) = try write(rewrite, profile, check: check)
            let segments = output.tables.flatMap(\.segments)
            try flusher.withLock { (flusher) throws(FirnError) in try swap(rewrite, segments, file, &flusher) }
            options.observer.storageDid(
                .rewrote(
                    table: found.schema.name, profile: profile,
                    rowCount: segments.reduce(0) { $0 + $1.rowCount },
                    bytesBefore: found.segments.reduce(0) { $0 + $1.descriptor.byteCount },
                    bytesAfter: segments.reduce(0) { $0 + $1.byteCount },
                    nanoseconds: timeSource.monotonicNanoseconds() - began))
            return .rewritten
        }
    }

    /// Throws where the database is being closed, or can commit nothing more.
    func checkOpen() throws(FirnError) {
        let (isOpen, failure) = core.withLock { ($0.phase == .open, $0.failure) }
        guard isOpen else { throw Self.closedError }
        if let failure { throw Self.afterFailure(failure) }
    }

    /// The chunk as the manifest knows it, its segments in commit order.
    private func source(
        of chunk: ChunkID, _ table: TableID
    ) throws(FirnError) -> (schema: TableSchema, bounds: ChunkBounds, segments: [StoredSegment]) {
        let known = flusher.withLock { $0.state.tables[table] }
        guard let known else { throw Self.missingTable(table) }
        guard let bounds = known.chunks[chunk] else {
            throw FirnError(
                .undefinedTable, "relation \"\(ChunkName.bareText(table: table, chunk: chunk))\" does not exist",
                hint: "SELECT show_chunks('\(known.schema.name)') lists the chunks that there are")
        }
        var ordered = TableState(schema: known.schema, memtables: [], directory: ChunkDirectory())
        for segment in known.segments where segment.chunk == chunk {
            ordered.add(StoredSegment(segment, in: dataFiles.file(segment.file)))
        }
        return (known.schema, bounds, ordered.segments)
    }

    /// Writes the new segments into a file of their own.
    private func write(
        _ rewrite: ChunkRewrite, _ profile: SegmentProfile, check: () throws(FirnError) -> Void
    ) throws(FirnError) -> (FlushOutput, DataFile) {
        let file = try newDataFile()
        do throws(FirnError) {
            let parts = try rewrite.parts()
            var next = 0
            let output = try segmentAccess.write(
                to: folder.data(file), file: file, profile: profile,
                chunks: { _, _ throws(FirnError) in rewrite.bounds }
            ) { () throws(FirnError) in
                guard next < parts.count else { return nil }
                defer { next += 1 }
                return try rewrite.input(parts[next], check: check)
            }
            if !Mutant.isPlanted(.skipSyncOfRewriteFolder) {
                try FirnError.mapping { () throws(IOError) in try fileSystem.syncDirectory(folder.dataFolder) }
            }
            return (output, dataFiles.file(file))
        } catch {
            abandonFile(file)
            throw error
        }
    }

    /// Makes the new segments durable in the place of the old ones, and visible.
    private func swap(
        _ rewrite: ChunkRewrite, _ segments: [SegmentDescriptor], _ file: DataFile, _ flusher: inout Flusher
    ) throws(FirnError) {
        let table = rewrite.schema.id
        let old = rewrite.segments.map(\.descriptor)
        do throws(FirnError) {
            try checkOpen()
            if flusher.manifest?.isBroken == true || flusher.isCurrentDoubtful { try beginManifest(&flusher) }
            let known = Set(flusher.state.tables[table]?.segments ?? [])
            guard old.allSatisfy(known.contains) else { throw Self.missingTable(table) }
            guard segments.reduce(0, { $0 + $1.rowCount }) == old.reduce(0, { $0 + $1.rowCount }) else {
                preconditionFailure("a chunk that was written anew has the rows that it had")
            }
            var records = old.map { ManifestRecord.removeSegment(table, file: $0.file, byteOffset: $0.byteOffset) }
            records += segments.map { .addSegment($0) }
            records.append(identifiers.record)
            // After the numbers, as in a flush.
            let unfinished = core.withLock { $0.unfinishedFiles }.subtracting([file.id])
            if unfinished != flusher.state.unfinishedFiles { records.append(.unfinishedFiles(unfinished.sorted())) }
            try append(records, lsn: flusher.state.flushedLSN, &flusher)
        } catch {
            if flusher.manifest?.isBroken == true {
                flusher.doubtfulFiles.append(file.id)
            } else {
                abandonFile(file.id)
            }
            throw error
        }
        let stored = segments.map { StoredSegment($0, in: file) }
        core.withLock { core in
            core.published.tables[table]?.replace(old, by: stored)
            core.unfinishedFiles.remove(file.id)
        }
        try removeRetiredFiles(&flusher)
    }
}

/// The rows of a chunk on their way into new segments.
struct ChunkRewrite {
    /// Bytes of rows in memory that are held at a time, before they are sorted and encoded.
    static let partBytesMax = 256 << 20

    /// A range of the values of one column: a part has those with `lower <= value < upper`.
    struct Interval {
        var column: ColumnID
        var lower: Value?
        var upper: Value?

        func contains(_ value: Value) -> Bool {
            if let lower, KeyOrder.isLess(value, lower) { return false }
            if let upper, !KeyOrder.isLess(value, upper) { return false }
            return true
        }
    }

    let schema: TableSchema
    let bounds: ChunkBounds
    /// In commit order; they hold their files.
    let segments: [StoredSegment]
    let access: any SegmentAccess
    let partBytesMax: Int

    var lsnRange: ClosedRange<LSN> {
        let ranges = segments.map(\.descriptor.lsnRange)
        return ranges.map(\.lowerBound).min()!...ranges.map(\.upperBound).max()!
    }

    // MARK: Cutting

    /// The parts, each small enough to be held in memory: all rows that lie within its intervals.
    ///
    /// Keys are cut where row groups begin, by the first column of the order, by the next where one value is too
    /// much, by time at last. Rows with one key and time are never parted.
    func parts() throws(FirnError) -> [[Interval]] {
        var groups: [any Morsel] = []
        var rawByteCount: Int64 = 0
        for segment in segments {
            rawByteCount += segment.descriptor.rawByteCount
            groups += try access.morsels(of: segment.descriptor, at: segment.file.path, schema: schema, pruning: [])
        }
        let rowCount = groups.reduce(0) { $0 + $1.rowCount }
        guard rawByteCount > partBytesMax, rowCount > 0 else { return [[]] }
        let rowsMax = max(1, Int(Double(partBytesMax) / (Double(rawByteCount) / Double(rowCount))))
        let columns = ((schema.sortKey ?? []) + (schema.chunking.map { [$0.column] } ?? [])).filter { id in
            schema.index(of: id).map { !schema.columns[$0].isNullable } ?? false
        }
        return cut([], groups, by: columns[...], rowsMax: rowsMax)
    }

    private func cut(
        _ intervals: [Interval], _ groups: [any Morsel], by columns: ArraySlice<ColumnID>, rowsMax: Int
    ) -> [[Interval]] {
        guard groups.reduce(0, { $0 + $1.rowCount }) > rowsMax, let column = columns.first else { return [intervals] }
        guard let place = middle(of: groups, column, within: intervals) else {
            return cut(intervals, groups, by: columns.dropFirst(), rowsMax: rowsMax)
        }
        let below = groups.filter { $0.statistics(of: column)?.minimum.map { KeyOrder.isLess($0, place) } ?? true }
        let above = groups.filter { $0.statistics(of: column)?.maximum.map { !KeyOrder.isLess($0, place) } ?? true }
        return cut(Self.narrowed(intervals, column, upper: place), below, by: columns, rowsMax: rowsMax)
            + cut(Self.narrowed(intervals, column, lower: place), above, by: columns, rowsMax: rowsMax)
    }

    /// A value that leaves about half of the rows below it; nil where no row group begins between two values.
    private func middle(of groups: [any Morsel], _ column: ColumnID, within intervals: [Interval]) -> Value? {
        var starts: [(value: Value, rowCount: Int)] = []
        for group in groups {
            // Where nothing is known of a row group, there is no telling what a cut would do.
            guard let start = group.statistics(of: column)?.minimum, !KeyOrder.isNaN(start) else { return nil }
            starts.append((start, group.rowCount))
        }
        starts.sort { KeyOrder.isLess($0.value, $1.value) }
        guard var lowest = starts.first?.value else { return nil }
        let own = intervals.first { $0.column == column }
        if let lower = own?.lower, KeyOrder.isLess(lowest, lower) { lowest = lower }
        let half = starts.reduce(0) { $0 + $1.rowCount } / 2
        var rowCount = 0
        for start in starts {
            defer { rowCount += start.rowCount }
            guard KeyOrder.isLess(lowest, start.value) else { continue }
            if let upper = own?.upper, !KeyOrder.isLess(start.value, upper) { return nil }
            // The last chance is taken although it leaves more than half.
            if rowCount >= half || !starts.contains(where: { KeyOrder.isLess(start.value, $0.value) }) {
                return start.value
            }
        }
        return nil
    }

    private static func narrowed(
        _ intervals: [Interval], _ column: ColumnID, lower: Value? = nil, upper: Value? = nil
    ) -> [Interval] {
        var result = intervals
        let index = result.firstIndex { $0.column == column }
        if index == nil { result.append(Interval(column: column)) }
        let place = index ?? result.count - 1
        if let lower { result[place].lower = lower }
        if let upper { result[place].upper = upper }
        return result
    }

    // MARK: Reading

    /// The rows of one part, in commit order.
    func input(_ intervals: [Interval], check: () throws(FirnError) -> Void) throws(FirnError) -> FlushInput {
        let ranges = intervals.map { ColumnRange(column: $0.column, lower: $0.lower, upper: $0.upper) }
        let columns = schema.columns.map(\.id)
        var batches: [ColumnBatch] = []
        for segment in segments {
            let groups = try access.morsels(
                of: segment.descriptor, at: segment.file.path, schema: schema, pruning: ranges)
            for group in groups {
                try check()
                let reader = try group.reader(of: columns, pruning: ranges)
                while let batch = try reader.next() {
                    let rows = rows(of: batch, within: intervals)
                    if let rows {
                        if !rows.isEmpty { batches.append(batch.gather(rows)) }
                    } else {
                        batches.append(batch)
                    }
                }
            }
        }
        return FlushInput(schema: schema, batches: batches, lsnRange: lsnRange)
    }

    /// The rows that lie within all of the intervals; nil for all rows.
    private func rows(of batch: ColumnBatch, within intervals: [Interval]) -> [Int32]? {
        var isWithin: [Bool]?
        for interval in intervals {
            let column = batch.columns[schema.index(of: interval.column)!]
            let passes = Self.test(column, interval)
            if (0..<batch.rowCount).allSatisfy(passes) { continue }
            if isWithin == nil { isWithin = [Bool](repeating: true, count: batch.rowCount) }
            for row in 0..<batch.rowCount where !passes(row) { isWithin![row] = false }
        }
        guard let isWithin else { return nil }
        return isWithin.indices.compactMap { isWithin[$0] ? Int32($0) : nil }
    }

    /// Whether a row's value lies within an interval. The columns by which parts are cut have no NULL.
    private static func test(_ column: Column, _ interval: Interval) -> (Int) -> Bool {
        switch column.values {
        case .integer(let values):
            var lower = Int64.min
            var upper: Int64?
            if case .integer(let value) = interval.lower { lower = value }
            if case .integer(let value) = interval.upper { upper = value }
            return { row in values[row] >= lower && (upper.map { values[row] < $0 } ?? true) }
        case .dictionary(let codes, let dictionary):
            // Sorted rows come with one code for long.
            var last: (code: UInt32, isWithin: Bool)?
            return { row in
                if let last, last.code == codes[row] { return last.isWithin }
                let bytes = dictionary.values[Int(codes[row])]
                let isWithin = interval.contains(
                    column.type == .bytea ? .bytes(Array(bytes)) : .text(String(decoding: bytes, as: UTF8.self)))
                last = (codes[row], isWithin)
                return isWithin
            }
        default: return { row in interval.contains(column[row]) }
        }
    }
}
