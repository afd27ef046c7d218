// SPDX-License-Identifier: Apache-2.0
//
// The footer of a segment: everything that must be known before a page of it is read.
//
// It names columns by id, says where each page lies and what is known about each row group, and ends with typed
// optional sections (key index, vector index, sketches, series directory), which a reader that does not know them
// skips. Reader and writer of its bytes are in SegmentFooter+Coding.swift.

struct SegmentFooter: Sendable {
    /// How the values of a column are stored.
    enum Storage: UInt8, Sendable {
        /// Each value in its pages.
        case plain = 0
        /// Text as codes of the segment's dictionary, which is sorted by bytes.
        case dictionary = 1
    }

    /// The distinct texts of a column, in ascending order.
    struct Dictionary: Sendable {
        var entryCount: Int
        /// Bytes of all entries together.
        var byteCount: Int
        var pages: [PageLocation]
    }

    struct Column: Sendable {
        var id: ColumnID
        /// As it was called when the segment was written: for people who look at the file alone.
        var name: String
        var type: DataType
        var storage: Storage
        /// For `Storage.dictionary`.
        var dictionary: Dictionary?
    }

    /// One column of one row group.
    struct ColumnChunk: Sendable {
        var pages: [PageLocation]
        /// The scale of all decimals of the chunk; nil for other types and where scales differ.
        var uniformScale: UInt8?
        /// Scales of decimals that differ: pages of integers, a value a row.
        var scalePages: [PageLocation]
        /// Statistics of each vector; nil where they would say no more than these here.
        var zoneMap: BlockLocation?
        var nullCount: Int
        /// Nil where unknown, or where all rows are NULL.
        var minimum: Value?
        var maximum: Value?
        /// Exact sum of an integer column; nil for others.
        var sum: Int128?
    }

    struct RowGroup: Sendable {
        var rowCount: Int
        /// One for each of the segment's columns, in their order.
        var columns: [ColumnChunk]
    }

    /// What a typed section holds. Numbers are written to disk and never reused.
    struct SectionKind: Sendable, Hashable {
        let rawValue: UInt32
        /// Sorted key hashes to rows.
        static let keyIndex = SectionKind(rawValue: 1)
        static let vectorIndex = SectionKind(rawValue: 2)
        static let sketches = SectionKind(rawValue: 3)
        /// First row and time range of each sort-key value.
        static let seriesDirectory = SectionKind(rawValue: 4)
        /// Partial states of continuous aggregates.
        static let partials = SectionKind(rawValue: 5)
    }

    struct Section: Sendable {
        var kind: SectionKind
        var block: BlockLocation
    }

    var table: TableID
    var chunk: ChunkID
    var rowCount: Int
    var rawByteCount: Int64
    var profile: SegmentProfile
    /// As known when the segment was written; the manifest's word is the last one.
    var lsnRange: ClosedRange<LSN>
    var timeColumn: ColumnID?
    var timeRange: ClosedRange<Int64>?
    /// The columns by which rows ascend.
    var order: [ColumnID]
    var columns: [Column]
    var rowGroups: [RowGroup]
    var sections: [Section]

    /// Position of a column in `columns`; nil where the segment was written before the column was added.
    func index(of id: ColumnID) -> Int? { columns.firstIndex { $0.id == id } }
}
