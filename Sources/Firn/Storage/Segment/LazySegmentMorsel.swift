// SPDX-License-Identifier: Apache-2.0
//
// A small segment as one morsel that is opened when it is read, not when the query is planned.
//
// A table of very many segments has more footers than should lie in memory at once. What planning asks for is in
// the manifest: how many rows, in which order, from when to when. The footer comes with the read, through the cache
// of footers, and prunes then.

import SystemPackage

struct LazySegmentMorsel: Morsel {
    /// From so many segments of a table on they are opened late; below it pruning by all statistics comes first.
    static let segmentCountMin = 512
    /// Larger segments are cut into row groups, for which the footer is needed.
    static let rowCountMax = 65_536

    let segment: StoredSegment
    let access: any SegmentAccess
    let schema: TableSchema

    var rowCount: Int { segment.descriptor.rowCount }
    var order: [ColumnID] { segment.descriptor.order }

    func statistics(of column: ColumnID) -> ColumnStatistics? {
        guard column == schema.chunking?.column, let range = segment.descriptor.timeRange else { return nil }
        return ColumnStatistics(
            valueCount: rowCount, nullCount: 0, minimum: .integer(range.lowerBound),
            maximum: .integer(range.upperBound))
    }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        let parts = try access.morsels(
            of: segment.descriptor, at: segment.file.path, schema: schema, pruning: ranges)
        if parts.count == 1 { return try parts[0].reader(of: columns, pruning: ranges) }
        return PartsReader(parts[...], columns, ranges)
    }

    private final class PartsReader: MorselReader {
        private var parts: ArraySlice<any Morsel>
        private let columns: [ColumnID]
        private let ranges: [ColumnRange]
        private var current: (any MorselReader)?

        init(_ parts: ArraySlice<any Morsel>, _ columns: [ColumnID], _ ranges: [ColumnRange]) {
            self.parts = parts
            self.columns = columns
            self.ranges = ranges
        }

        func next() throws(FirnError) -> ColumnBatch? {
            while true {
                if let batch = try current?.next() { return batch }
                guard let part = parts.popFirst() else { return nil }
                current = try part.reader(of: columns, pruning: ranges)
            }
        }
    }
}
