// SPDX-License-Identifier: Apache-2.0
//
// The numbers of the segment format that are choices rather than bytes, and the frame around every block.
//
//     segment file:  [file header, 64 bytes][segment] … [segment][file tail]
//     segment:       [blocks: pages, zone maps, dictionary pages][segment footer]
//     block:         [payload][CRC32C of the payload, seeded with file id and the block's offset: u32]
//     footer, tail:  [payload][CRC32C as above: u32][byte count of the payload: u32][magic: 4 bytes]
//
// FORMAT.md, "Segment files", draws every byte.

enum SegmentLayout {
    /// Most rows in a row group.
    static let rowGroupRowsMax = 65_536
    /// Most bytes that the values of one column may take in memory within a row group, one value excepted.
    static let rowGroupColumnBytesMax = 16 << 20
    /// Rows for which statistics are kept together, and the unit of skipping: one vector.
    static let zoneRowCount = VectorLayout.valueCount
    /// Bytes of the checksum after each payload.
    static let checksumByteCount = 4
    /// Bytes after the payload of a footer or tail.
    static let trailerByteCount = 12
    static let footerMagic: [UInt8] = [0x46, 0x53, 0x45, 0x47]  // FSEG
    static let tailMagic: [UInt8] = [0x46, 0x54, 0x41, 0x4C]  // FTAL
    /// Texts longer than this are left out of the statistics in footers.
    static let statisticsTextBytesMax = 64
    /// A payload with more bytes than this is taken for damage: pages hold 16 MiB and one value more.
    static let payloadBytesMax = 1 << 30
}

/// Where a block lies in its file.
struct BlockLocation: Sendable, Hashable {
    /// Of the payload's first byte.
    var byteOffset: Int64
    /// Of the payload and its checksum.
    var byteCount: Int

    var end: Int64 { byteOffset + Int64(byteCount) }
}

/// Where a page lies, and how many values of its column chunk it holds.
struct PageLocation: Sendable, Hashable {
    var block: BlockLocation
    var valueCount: Int
}
