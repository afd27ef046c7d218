// SPDX-License-Identifier: Apache-2.0
//
// A whole segment file: header, tail, footers, dictionaries, statistics, and every row of every segment.
//
// The input is the file; its checksums are made right before it is read. Runs as `firn check` and `firn inspect` do,
// then as a statement does that prunes, and as commits and queries do that look keys up.

import FirnIO
import SystemPackage

@testable import Firn

extension FuzzTarget {
    static let segment = FuzzTarget(name: "segment") { input in
        let path: FilePath = "/db/data/1.seg"
        let files = fileSystem(holding: Resealing.segmentFile(input), at: path)
        do throws(FirnError) {
            let damages = try SegmentFile.verify(path, fileSystem: files, database: nil)
            for damage in damages { requireDamage(damage.error) }
            _ = try SegmentFile.describe(path, fileSystem: files)
            try scan(path, files, isWhole: damages.isEmpty)
            return damages.isEmpty ? .accepted : .refused
        } catch {
            requireDamage(error)
            return .refused
        }
    }

    /// Looks up the keys of the first rows: all are there where the file is whole.
    private static func lookUp(_ reader: SegmentReader, _ schema: TableSchema, isWhole: Bool) throws(FirnError) {
        guard let index = try reader.keyIndex(), let morsel = reader.morsels(schema: schema, pruning: []).first,
            let first = try morsel.reader(of: index.columns, pruning: []).next()
        else { return }
        var keyed = schema
        keyed.primaryKey = index.columns
        let hasher = KeyHasher(reader.blocks.header.database)
        let probe = KeyProbe([KeyedBatch(first.columns, rowCount: first.rowCount, hasher: hasher)], hasher: hasher)
        let match = try reader.firstMatch(of: probe, schema: keyed)
        require(!isWhole || match != nil, "no key of the first rows is found")
        for row in 0..<min(first.rowCount, 16) {
            let ranges = zip(index.columns, first.columns).map { id, column in
                ColumnRange(column: id, lower: column[row], upper: column[row])
            }
            // Comparing what has no order is for the planner to leave out.
            guard ranges.allSatisfy({ $0.lower.map(ValueBounds.canHold) ?? false }) else { continue }
            var rowCount = 0
            for morsel in try reader.morsels(schema: keyed, pruning: ranges, keyHasher: hasher) {
                let rows = try morsel.reader(of: index.columns, pruning: ranges)
                while let batch = try rows.next() { rowCount += batch.rowCount }
            }
            require(!isWhole || rowCount > 0, "the row of a key is not read")
        }
    }

    /// Reads all rows, and again those at a row group's least values.
    private static func scan(_ path: FilePath, _ files: MemoryFileSystem, isWhole: Bool) throws(FirnError) {
        let blocks = try SegmentBlocks(path: path, fileSystem: files, file: nil, database: nil)
        for descriptor in try SegmentFile.tail(blocks, byteCount: try blocks.byteCount()).segments {
            let reader = try SegmentReader(blocks: blocks, descriptor: descriptor, cache: PageCache(bytesMax: 1 << 20))
            let schema = reader.footer.writtenSchema
            plantedBug(lastName(of: schema))
            try lookUp(reader, schema, isWhole: isWhole)
            var ranges: [ColumnRange] = []
            for (column, chunk) in zip(reader.footer.columns, reader.footer.rowGroups.first?.columns ?? []) {
                guard let minimum = chunk.minimum else { continue }
                ranges.append(ColumnRange(column: column.id, lower: minimum, upper: minimum))
            }
            for pruning in [[], ranges] {
                for morsel in reader.morsels(schema: schema, pruning: pruning) {
                    let rows = try morsel.reader(of: schema.columns.map(\.id), pruning: pruning)
                    var rowCount = 0
                    while let batch = try rows.next() {
                        rowCount += batch.rowCount
                        for column in batch.columns {
                            require(column.count == batch.rowCount, "a column of another length")
                            for row in 0..<column.count { _ = column[row] }
                        }
                    }
                    require(!pruning.isEmpty || rowCount == morsel.rowCount, "\(rowCount) of \(morsel.rowCount) rows")
                }
            }
        }
    }
}
