// SPDX-License-Identifier: Apache-2.0
//
// Everything that must be true of a segment file, checked: what `firn check` asks of each.
//
//     every byte belongs to header, a segment or the tail, and in a segment to one block or the footer
//     every checksum is right for its place, every page and statistic is well-formed
//     dictionaries ascend, codes lie within them
//     rows ascend by the segment's order
//     counts, NULL counts, extremes and sums are those of the values
//
// One damage does not hide another: what can still be read is checked.

import FirnIO
import SystemPackage

extension SegmentFile {
    /// Something that is not as it must be.
    package struct Damage: Sendable, Hashable {
        /// The file, as `data/12.seg`.
        package var file: String
        /// Where the damaged part begins.
        package var byteOffset: Int64
        /// What the part holds, as `row group 3, column "value"`.
        package var covers: String
        /// The whole story in one line.
        package var message: String

        /// The damage as a statement that meets it would report it.
        package var error: FirnError { SegmentBlocks.damage(message) }
    }

    /// Checks the whole file and returns what is damaged; throws only where the file cannot be read at all.
    ///
    /// - Parameter database: the database to which the file must belong; nil takes any.
    package static func verify(
        _ path: FilePath, fileSystem: any FileSystem, database: DatabaseID?
    ) throws(FirnError) -> [Damage] {
        try verify(path, fileSystem: fileSystem, database: database, segments: nil)
    }

    /// Checks one segment, of which the manifest says where it lies.
    static func verify(
        _ segment: SegmentDescriptor, at path: FilePath, fileSystem: any FileSystem, database: DatabaseID
    ) throws(FirnError) -> [Damage] {
        let blocks = try SegmentBlocks(path: path, fileSystem: fileSystem, file: segment.file, database: database)
        let check = FileCheck(blocks: blocks)
        try check.run(at: segment.byteOffset, "segment footer") { () throws(FirnError) in
            let reader = try SegmentReader(blocks: blocks, descriptor: segment, cache: PageCache(bytesMax: 0))
            try check.check(reader)
        }
        return check.damages
    }

    /// - Parameter segments: what the manifest says about the file, which may name fewer segments than its tail does;
    ///   nil takes the tail's word for it.
    static func verify(
        _ path: FilePath, fileSystem: any FileSystem, database: DatabaseID?, segments: [SegmentDescriptor]?
    ) throws(FirnError) -> [Damage] {
        let name = path.components.suffix(2).map(\.string).joined(separator: "/")
        let blocks: SegmentBlocks
        do {
            blocks = try SegmentBlocks(path: path, fileSystem: fileSystem, file: nil, database: database)
        } catch {
            guard error.code == .dataCorrupted else { throw error }
            return [Damage(file: name, byteOffset: 0, covers: "file header", message: error.message)]
        }
        let check = FileCheck(blocks: blocks)
        let byteCount = try blocks.byteCount()
        var found: [SegmentDescriptor] = []
        var tailOffset = byteCount
        try check.run(at: byteCount, "file tail") { () throws(FirnError) in
            (found, tailOffset) = try tail(blocks, byteCount: byteCount)
        }
        let hasTail = check.damages.isEmpty
        // The file's own list, in which segments stay that were dropped or written anew since.
        let checked = hasTail ? found : segments ?? []
        var end = Int64(FileHeader.byteCount)
        for segment in checked.sorted(by: { $0.byteOffset < $1.byteOffset }) {
            if hasTail, segment.byteOffset != end {
                check.report("bytes belong to no segment", at: min(end, segment.byteOffset), "space between segments")
            }
            end = segment.byteOffset + segment.byteCount
            let meant = segments?.first { $0.byteOffset == segment.byteOffset } ?? segment
            try check.run(at: segment.byteOffset, "segment footer") { () throws(FirnError) in
                let reader = try SegmentReader(blocks: blocks, descriptor: meant, cache: PageCache(bytesMax: 0))
                try check.check(reader)
            }
        }
        if hasTail {
            for segment in segments ?? [] where !found.contains(where: { $0.hasPlace(of: segment) }) {
                check.report("the file's list does not name the segment", at: segment.byteOffset, "file tail")
            }
        }
        if check.damages.isEmpty, end != tailOffset {
            check.report("bytes belong to no segment", at: end, "space before the tail")
        }
        return check.damages
    }
}

extension SegmentDescriptor {
    /// Whether both lie at the same place; what a commit learns later, as its LSN, may differ.
    fileprivate func hasPlace(of other: SegmentDescriptor) -> Bool {
        byteOffset == other.byteOffset && byteCount == other.byteCount
    }
}

/// A walk through one file that collects damage.
private final class FileCheck {
    let blocks: SegmentBlocks
    private(set) var damages: [SegmentFile.Damage] = []

    init(blocks: SegmentBlocks) { self.blocks = blocks }

    func report(_ what: String, at byteOffset: Int64, _ covers: String) {
        damages.append(
            SegmentFile.Damage(
                file: blocks.displayName, byteOffset: byteOffset, covers: covers,
                message: blocks.damage(what, at: byteOffset, covering: covers).message))
    }

    /// Runs a part of the check, and notes the damage that ends it.
    func run(at byteOffset: Int64, _ covers: String, _ body: () throws(FirnError) -> Void) throws(FirnError) {
        do {
            try body()
        } catch {
            guard error.code == .dataCorrupted else { throw error }
            damages.append(
                SegmentFile.Damage(
                    file: blocks.displayName, byteOffset: byteOffset, covers: covers, message: error.message))
        }
    }

    func check(_ reader: SegmentReader) throws(FirnError) {
        try checkTiling(reader)
        var hasDictionary: [Bool] = []
        for (index, column) in reader.footer.columns.enumerated() {
            let before = damages.count
            if let dictionary = column.dictionary {
                let start = dictionary.pages.first?.block.byteOffset ?? reader.descriptor.byteOffset
                try run(at: start, "dictionary of column \"\(column.name)\"") { () throws(FirnError) in
                    _ = try reader.dictionary(of: index)
                }
            }
            hasDictionary.append(damages.count == before)
        }
        for section in reader.footer.sections {
            try run(at: section.block.byteOffset, "section \(section.kind.rawValue)") { () throws(FirnError) in
                _ = try blocks.payload(section.block, covering: "section \(section.kind.rawValue)")
            }
        }
        for group in reader.footer.rowGroups.indices {
            for column in reader.footer.columns.indices where hasDictionary[column] {
                try check(reader, rowGroup: group, column: column)
            }
        }
        if damages.isEmpty { try checkOrder(reader) }
        if damages.isEmpty {
            try run(at: reader.descriptor.byteOffset, "key index") { () throws(FirnError) in
                try checkKeyIndex(reader)
            }
        }
    }

    /// Every row stands once in the key index, under the hash of its key.
    private func checkKeyIndex(_ reader: SegmentReader) throws(FirnError) {
        guard let index = try reader.keyIndex() else { return }
        let hasher = KeyHasher(blocks.header.database, version: blocks.header.version)
        var expected: [UInt64] = []
        for group in reader.footer.rowGroups.indices {
            let morsel = RowGroupMorsel(segment: reader, index: group, schema: reader.footer.writtenSchema)
            let rows = try morsel.reader(of: index.columns, pruning: [])
            while let batch = try rows.next() { expected += hasher.hashes(of: batch.columns, rowCount: batch.rowCount) }
        }
        var isIndexed = [Bool](repeating: false, count: expected.count)
        for block in index.blocks {
            let start = block.hashes.block.byteOffset
            try run(at: start, "key index") { () throws(FirnError) in
                let entries = try reader.entries(of: block, index)
                for (hash, row) in zip(entries.hashes, entries.rows) {
                    guard !isIndexed[Int(row)], index.stored(expected[Int(row)]) == UInt64(hash) else {
                        throw blocks.damage("row \(row) is not under its key", at: start, covering: "key index")
                    }
                    isIndexed[Int(row)] = true
                }
            }
        }
    }

    /// Blocks must lie end to end from the segment's start to its footer; where sections of unknown kinds are, which may
    /// have blocks of their own, they must not overlap.
    private func checkTiling(_ reader: SegmentReader) throws(FirnError) {
        var blocks = reader.footer.allBlocks
        var hasIndex = true
        try run(at: reader.descriptor.byteOffset, "key index") { () throws(FirnError) in
            hasIndex = false
            let index = try reader.keyIndex()
            blocks += index?.blocks.flatMap { [$0.hashes.block, $0.rows.block] } ?? []
            hasIndex = true
        }
        // Where the directory is damaged nobody knows which bytes are those of the index.
        guard hasIndex else { return }
        let hasUnknown = reader.footer.sections.contains { $0.kind != .keyIndex }
        var end = reader.descriptor.byteOffset
        for block in blocks.sorted(by: { $0.byteOffset < $1.byteOffset }) {
            if hasUnknown ? block.byteOffset < end : block.byteOffset != end {
                report("blocks overlap or leave bytes between them", at: min(end, block.byteOffset), "segment")
                return
            }
            end = block.end
        }
    }

    private func check(_ reader: SegmentReader, rowGroup: Int, column: Int) throws(FirnError) {
        let stored = reader.footer.columns[column]
        let chunk = reader.footer.rowGroups[rowGroup].columns[column]
        let name = reader.name(ofRowGroup: rowGroup, column: column)
        let start = chunk.pages.first?.block.byteOffset ?? reader.descriptor.byteOffset
        var observed = ObservedStatistics(type: stored.type)
        try run(at: start, name) { () throws(FirnError) in
            let morsel = RowGroupMorsel(segment: reader, index: rowGroup, schema: reader.footer.writtenSchema)
            let rows = try morsel.reader(of: [stored.id], pruning: [])
            while let batch = try rows.next() { observed.add(batch.columns[0]) }
            guard observed.rowCount == morsel.rowCount, observed.nullCount == chunk.nullCount else {
                throw blocks.damage("rows or NULLs are not as many as counted", at: start, covering: name)
            }
            guard observed.agrees(minimum: chunk.minimum, maximum: chunk.maximum) else {
                throw blocks.damage("extremes are not those of the values", at: start, covering: name)
            }
            guard chunk.sum == nil || chunk.sum == observed.sum else {
                throw blocks.damage("the sum is not that of the values", at: start, covering: name)
            }
        }
        guard let zoneMap = chunk.zoneMap else { return }
        try run(at: zoneMap.byteOffset, "statistics of " + name) { () throws(FirnError) in
            guard let statistics = try reader.zoneMap(rowGroup: rowGroup, column: column),
                statistics.nullCounts.reduce(0, +) == chunk.nullCount
            else {
                throw blocks.damage(
                    "NULLs are not as many as counted", at: zoneMap.byteOffset, covering: "statistics of " + name)
            }
        }
    }

    private func checkOrder(_ reader: SegmentReader) throws(FirnError) {
        let order = reader.footer.order
        if order.isEmpty { return }
        var previous: [Value]?
        for group in reader.footer.rowGroups.indices {
            let morsel = RowGroupMorsel(segment: reader, index: group, schema: reader.footer.writtenSchema)
            let rows = try morsel.reader(of: order, pruning: [])
            while let batch = try rows.next() {
                if let last = previous, !RowOrder.ascends(last, batch.columns.map { $0[0] }) || !RowOrder.ascends(batch)
                {
                    report("rows are out of order", at: reader.descriptor.byteOffset, "row group \(group)")
                    return
                }
                if previous == nil, !RowOrder.ascends(batch) {
                    report("rows are out of order", at: reader.descriptor.byteOffset, "row group \(group)")
                    return
                }
                previous = batch.columns.map { $0[batch.rowCount - 1] }
            }
        }
    }
}

/// Whether rows ascend by all of their columns, NULL last.
private enum RowOrder {
    static func ascends(_ left: [Value], _ right: [Value]) -> Bool {
        for (left, right) in zip(left, right) {
            if left.isNull || right.isNull {
                if left.isNull != right.isNull { return right.isNull }
            } else if KeyOrder.isLess(left, right) {
                return true
            } else if KeyOrder.isLess(right, left) {
                return false
            }
        }
        return true
    }

    static func ascends(_ batch: ColumnBatch) -> Bool {
        guard batch.rowCount > 1 else { return true }
        let compared = batch.columns.map(comparison)
        for row in 1..<batch.rowCount {
            for compare in compared {
                let order = compare(row - 1, row)
                if order < 0 { break }
                if order > 0 { return false }
            }
        }
        return true
    }

    /// Negative, zero or positive for two rows of one column.
    private static func comparison(_ column: Column) -> (Int, Int) -> Int {
        if column.validity == nil {
            if case .integer(let values) = column.values {
                return { values[$0] < values[$1] ? -1 : values[$0] > values[$1] ? 1 : 0 }
            }
            if case .dictionary(let codes, _) = column.values {
                return { codes[$0] < codes[$1] ? -1 : codes[$0] > codes[$1] ? 1 : 0 }
            }
        }
        return { left, right in
            let (left, right) = (column[left], column[right])
            if left.isNull || right.isNull { return (left.isNull ? 1 : 0) - (right.isNull ? 1 : 0) }
            return KeyOrder.isLess(left, right) ? -1 : KeyOrder.isLess(right, left) ? 1 : 0
        }
    }
}

/// What the values themselves say.
private struct ObservedStatistics {
    let type: DataType
    private(set) var rowCount = 0
    private(set) var nullCount = 0
    private(set) var minimum: Value?
    private(set) var maximum: Value?
    private(set) var sum: Int128 = 0

    init(type: DataType) { self.type = type }

    mutating func add(_ column: Column) {
        rowCount += column.count
        nullCount += column.nullCount
        if case .vector = type { return }
        if case .integer(let values) = column.values {
            add(values, column)
            return
        }
        for row in 0..<column.count where !column.isNull(row) { widen(column[row]) }
    }

    private mutating func add(_ values: [Int64], _ column: Column) {
        var lowest = Int64.max
        var highest = Int64.min
        for (row, value) in values.enumerated() where !column.isNull(row) {
            lowest = min(lowest, value)
            highest = max(highest, value)
            sum += Int128(value)
        }
        if lowest <= highest {
            widen(.integer(lowest))
            widen(.integer(highest))
        }
    }

    private mutating func widen(_ value: Value) {
        if minimum.map({ KeyOrder.isLess(value, $0) }) ?? true { minimum = value }
        if maximum.map({ KeyOrder.isLess($0, value) }) ?? true { maximum = value }
    }

    func agrees(minimum stored: Value?, maximum storedMaximum: Value?) -> Bool {
        guard let stored, let storedMaximum else { return true }
        guard let minimum, let maximum else { return false }
        func areEqual(_ left: Value, _ right: Value) -> Bool {
            !KeyOrder.isLess(left, right) && !KeyOrder.isLess(right, left)
        }
        return areEqual(stored, minimum) && areEqual(storedMaximum, maximum)
    }
}

extension SegmentFooter {
    /// The table as far as the segment knows it.
    var writtenSchema: TableSchema {
        TableSchema(
            id: table, name: "table \(table)",
            columns: columns.map { ColumnDefinition(id: $0.id, name: $0.name, type: $0.type) },
            nextColumnID: ColumnID((columns.map(\.id.rawValue).max() ?? 0) + 1))
    }
}
