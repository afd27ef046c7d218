// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY, with or without LIMIT: reads its input by parts, in parallel, and gives the rows in order.
//
// Rows with equal keys keep the order of the input. With a limit each part keeps no more rows than could be wanted:
// whenever it has gathered twice as many (and some blocks), it sorts and drops the rest.

import Synchronization

/// The rows of an input in order: one part.
struct SortSource: BatchSource {
    let input: any BatchSource
    let keys: [LogicalPlan.SortKey]
    let types: [DataType]
    /// Most rows wanted, after `offset` were skipped; nil for all.
    let rowsMax: Int?
    let offset: Int
    let evaluator: BlockEvaluator
    let workers: Workers
    let memory: MemoryBudget

    var partCount: Int { 1 }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        let keptMax: Int? = rowsMax.map { rowsMax in
            let (sum, overflow) = rowsMax.addingReportingOverflow(offset)
            return overflow ? Int.max : max(0, sum)
        }
        if keptMax == 0 { return BufferedReader([]) }
        let gathered = GatheredRows()
        let source = self
        let threshold = keptMax == nil ? nil : TopRowsThreshold(keys)
        let order = threshold?.readingOrder(input) ?? Array(0..<input.partCount)
        try workers.perform(taskCount: input.partCount) { task throws(FirnError) in
            let part = order[task]
            if let threshold, let bounds = source.input.bounds(ofPart: part, column: threshold.column),
                threshold.excludes(bounds)
            {
                return
            }
            var buffer = RowBuffer(source, keptMax: keptMax, threshold)
            let reader = try source.input.reader(ofPart: part)
            while let batch = try reader.next() {
                try source.evaluator.checkCancellation()
                try buffer.add(batch)
            }
            gathered.parts.withLock { $0[part] = buffer }
        }
        var all = RowBuffer(source, keptMax: nil, nil)
        let parts = gathered.parts.withLock { $0 }
        for part in 0..<input.partCount { if let buffer = parts[part] { all.take(buffer) } }
        return try all.sorted(skipping: offset, rowsMax: rowsMax)
    }
}

/// What the parts have gathered, by part.
private final class GatheredRows: Sendable {
    let parts = Mutex<[Int: RowBuffer]>([:])
}

/// Rows that wait to be sorted: the input's columns and the sort keys beside them.
private struct RowBuffer: Sendable {
    private let source: SortSource
    /// Rows beyond this many are not wanted.
    private let keptMax: Int?
    private let threshold: TopRowsThreshold?
    private var batches: [ColumnBatch] = []
    private var rowCount = 0
    private let held: HeldMemory

    init(_ source: SortSource, keptMax: Int?, _ threshold: TopRowsThreshold?) {
        self.source = source
        self.keptMax = keptMax
        self.threshold = threshold
        held = HeldMemory(source.memory)
    }

    /// Fewer rows are not worth a sort on the way.
    private static let compactedRowsMin = 1_024

    /// Up to so many rows are sorted on the way without their sort being counted: its few MiB are soon gone.
    private static let uncountedRowsMax = 4 * batchRowsMax

    /// Adds a batch of the input, in pieces where its keys are large.
    mutating func add(_ batch: ColumnBatch) throws(FirnError) {
        do throws(FirnError) {
            try addWhole(batch)
        } catch {
            guard error.isBlockTooLarge, batch.rowCount > 1 else { throw error }
            try add(batch.slice(0..<batch.rowCount / 2))
            try add(batch.slice(batch.rowCount / 2..<batch.rowCount))
        }
    }

    private mutating func addWhole(_ batch: ColumnBatch) throws(FirnError) {
        var batch = batch
        if let wanted = threshold?.wantedRows(batch) {
            if wanted.isEmpty { return }
            batch = batch.gather(wanted)
        }
        var columns = batch.columns
        for key in source.keys {
            // A key that is a column of the input need not be held twice.
            if case .column = key.expression.kind { continue }
            columns.append(try source.evaluator.column(key.expression, over: batch))
        }
        let extended = ColumnBatch(columns, rowCount: batch.rowCount)
        try held.reserve(extended.byteCount)
        batches.append(extended)
        rowCount += batch.rowCount
        let isLarge = rowCount >= Self.compactedRowsMin || held.byteCount >= BatchRows.bytesMax
        if let keptMax, isLarge, rowCount / 2 >= keptMax { try compact(keptMax) }
    }

    /// Takes over the rows of the next part.
    mutating func take(_ other: RowBuffer) {
        batches += other.batches
        rowCount += other.rowCount
        held.take(other.held)
    }

    private var types: [DataType] {
        source.types
            + source.keys.compactMap { key in
                if case .column = key.expression.kind { nil } else { key.expression.type }
            }
    }

    /// The columns of the keys in an extended batch.
    private func keyColumns(_ batch: ColumnBatch) -> [Column] {
        var extra = source.types.count
        return source.keys.map { key in
            if case .column(let index) = key.expression.kind { return batch.columns[index] }
            defer { extra += 1 }
            return batch.columns[extra]
        }
    }

    private mutating func compact(_ keptMax: Int) throws(FirnError) {
        let evaluator = source.evaluator
        // Rows, keys and the sort are there at once; of a few batches that is not worth counting.
        if rowCount > Self.uncountedRowsMax || held.byteCount > 2 * BatchRows.bytesMax {
            try held.reserve(held.byteCount + rowCount * (SortKeys.bytesPerRow + RowSorting.bytesPerRow))
        }
        let all = ColumnBatch.concatenate(batches, types: types)
        let keys = try SortKeys(keyColumns(all), source.keys, rowCount: all.rowCount) { () throws(FirnError) in
            try evaluator.checkCancellation()
        }
        var rows = try RowSorting.sortedRows(keys, rowCount: all.rowCount, rowsMax: keptMax) {
            () throws(FirnError) in try evaluator.checkCancellation()
        }
        if let threshold, let last = rows.last, case .integer(let value) = all.columns[threshold.column][Int(last)] {
            threshold.lower(to: value)
        }
        // Back into the order of the input, so that ties stay as they were.
        rows.sort()
        let kept = all.gather(rows.map { Int32(bitPattern: $0) })
        batches = [kept]
        rowCount = kept.rowCount
        held.releaseAll()
        try held.reserve(kept.byteCount)
    }

    /// All rows in order, batch by batch. They are handed over: nothing is left here.
    mutating func sorted(skipping offset: Int, rowsMax: Int?) throws(FirnError) -> any BatchReader {
        if rowCount == 0 { return BufferedReader([]) }
        guard rowCount < Int(Int32.max) else {
            throw FirnError(.programLimitExceeded, "a sort holds at most \(Int32.max) rows")
        }
        let evaluator = source.evaluator
        let types = types
        // The concatenation is a second copy until the first is let go.
        let rowBytes = held.byteCount
        try held.reserve(rowBytes)
        var all = ColumnBatch.concatenate(batches, types: types)
        batches = []
        held.release(rowBytes)
        let sortBytes = rowCount * (SortKeys.bytesPerRow + RowSorting.bytesPerRow)
        try held.reserve(sortBytes)
        let keys = try SortKeys(keyColumns(all), source.keys, rowCount: all.rowCount) { () throws(FirnError) in
            try evaluator.checkCancellation()
        }
        let wanted: Int? = rowsMax.map { rowsMax in
            let (sum, overflow) = rowsMax.addingReportingOverflow(offset)
            return overflow ? Int.max : sum
        }
        let rows = try RowSorting.sortedRows(keys, rowCount: all.rowCount, rowsMax: wanted) { () throws(FirnError) in
            try evaluator.checkCancellation()
        }
        held.release(max(0, sortBytes - rows.count * 4))
        let columnCount = source.types.count
        // What only served as a key goes.
        all = ColumnBatch(Array(all.columns[..<columnCount]), rowCount: all.rowCount)
        let held = held
        let batchRows = BatchRows.count(forBytes: all.byteCount, rowCount: all.rowCount)
        var next = max(0, offset)
        return GeneratingReader { () throws(FirnError) -> ColumnBatch? in
            try evaluator.checkCancellation()
            guard next < rows.count else {
                held.releaseAll()
                return nil
            }
            let end = min(next + batchRows, rows.count)
            let picked = rows[next..<end].map { Int32(bitPattern: $0) }
            next = end
            return ColumnBatch(all.columns.map { $0.gather(picked) }, rowCount: picked.count)
        }
    }
}
