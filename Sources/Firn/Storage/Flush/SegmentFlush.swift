// SPDX-License-Identifier: Apache-2.0
//
// Batches in commit order become sorted segments, all in one file.
//
//     for each table: choose the sort key where none is known
//                     split the rows by chunk
//                     for each chunk: sort by (sort key, time), encode, write a segment
//     write the file's tail, make the file durable
//
// The folder is not synced and the manifest not touched: that is the engine's business, and comes after.

import FirnIO
import SystemPackage

enum SegmentFlush {
    /// Writes the rows of all inputs to a new file at `path`, one segment for each input and chunk.
    ///
    /// When it throws, the file has been removed, or the error says that it remains.
    ///
    /// - Parameter windowRowCount: rows of which one column is held at a time; smaller ones are for tests.
    static func write(
        _ inputs: [FlushInput], to path: FilePath, fileSystem: any FileSystem, database: DatabaseID, file: FileID,
        chunks: ChunkLocator, profile: SegmentProfile, windowRowCount: Int = RowWindows.defaultRowCount
    ) throws(FirnError) -> FlushOutput {
        var rest = inputs[...]
        return try write(
            to: path, fileSystem: fileSystem, database: database, file: file, chunks: chunks, profile: profile,
            windowRowCount: windowRowCount
        ) { () throws(FirnError) in rest.popFirst() }
    }

    /// The same for inputs that are made one after another: each is let go before the next is asked for.
    static func write(
        to path: FilePath, fileSystem: any FileSystem, database: DatabaseID, file: FileID, epoch: UInt64 = 0,
        chunks: ChunkLocator, profile: SegmentProfile, windowRowCount: Int = RowWindows.defaultRowCount,
        keyHasher: KeyHasher? = nil,
        memory: FlushMemory = FlushMemory(), next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput {
        let writer = try SegmentFileWriter(
            path: path, fileSystem: fileSystem, database: database, file: file, epoch: epoch)
        do {
            var tables: [FlushOutput.Table] = []
            while let input = try next() {
                tables.append(
                    try write(input, writer, chunks, profile, windowRowCount, keyHasher ?? KeyHasher(database), memory))
            }
            let byteCount = try writer.finish(tables.flatMap(\.segments))
            return FlushOutput(tables: tables, fileByteCount: byteCount)
        } catch {
            throw writer.abandon(after: error)
        }
    }

    private static func write(
        _ input: FlushInput, _ writer: SegmentFileWriter, _ chunks: ChunkLocator, _ profile: SegmentProfile,
        _ windowRowCount: Int, _ keyHasher: KeyHasher, _ memory: FlushMemory
    ) throws(FirnError) -> FlushOutput.Table {
        let schema = input.schema
        let batches = input.batches.filter { $0.rowCount > 0 }
        guard !batches.isEmpty else {
            return FlushOutput.Table(table: schema.id, segments: [], pickedSortKey: nil)
        }
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        guard rowCount <= RowLocator.rowCountMax else {
            throw FirnError(
                .programLimitExceeded, "a flush of \(rowCount) rows exceeds its limit of \(RowLocator.rowCountMax)")
        }
        let locator = RowLocator(rowCounts: batches.map(\.rowCount))
        let sources = schema.columns.enumerated().map { index, column in
            ColumnSource(batches.map { $0.columns[index] }, type: column.type)
        }
        var coded: [Int: CodedColumn] = [:]
        var picked: [ColumnID]?
        if schema.sortKey == nil {
            let picker = SortKeyPicker(schema: schema, sources: sources, rowCount: rowCount, locator: locator)
            picked = picker.pick(coded: &coded)
        }
        let timeIndex = schema.timeColumnIndex
        let keyIndices = (schema.sortKey ?? picked ?? []).compactMap { schema.index(of: $0) }.filter { $0 != timeIndex }
        for index in schema.columns.indices where coded[index] == nil {
            if keyIndices.contains(index) {
                coded[index] = CodedColumn(sources[index], rowCount: rowCount, limit: .unlimited)
            } else if sources[index].physical == .bytes {
                coded[index] = CodedColumn(sources[index], rowCount: rowCount, limit: .dictionary)
            }
        }
        let columns = FlushColumns(schema: schema, sources: sources, locator: locator, coded: coded)
        let sorter = RowSorter(
            keys: keyIndices.map { coded[$0]! }, time: timeIndex.map { sources[$0] }, locator: locator)
        let order = keyIndices.map { schema.columns[$0].id } + (timeIndex.map { [schema.columns[$0].id] } ?? [])
        let encoder = SegmentEncoder(
            columns, writer: writer, profile: profile, windowRowCount: windowRowCount, memory: memory)
        let keyHashes =
            schema.primaryKey.isEmpty
            ? nil : batches.map { KeyedBatch($0, schema: schema, hasher: keyHasher).hashes }
        var segments: [SegmentDescriptor] = []
        // By row number: each chunk's rows have their places in the chunk.
        let places = memory.places(rowCount)
        for part in try ChunkSplitter(schema, sources, locator).split(chunks) {
            let placement = sorter.place(part.rows, into: places)
            segments.append(
                try encoder.write(
                    part.rows, places: places, placement: placement, chunk: part.chunk.id, order: order,
                    lsnRange: input.lsnRange, keyHashes: keyHashes))
        }
        return FlushOutput.Table(table: schema.id, segments: segments, pickedSortKey: picked)
    }
}
