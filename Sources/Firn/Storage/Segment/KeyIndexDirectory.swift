// SPDX-License-Identifier: Apache-2.0
//
// The key index of a segment: the hashes of its primary keys in ascending order, each with its row.
//
// Hashes are cut to 40 bits and lie in pages of integers, as deltas: 5.4 bytes a row with their rows, however many rows
// there are (a segment of 2^n rows spends about 43 - n bits on a delta and n on a row). The directory holds the first
// hash of each block, so that a key reads one block. A hash only says where a key may lie: whoever asks compares keys.
//
//     directory:  [hash bits: u8][key column count][column id]…[row count][block count][block]…
//     block:      [first hash: distance from the one before][entry count][hash page][row page]
//     page:       [distance: signed][byte count], as the blocks of a footer; the first from the segment's start
//
// Numbers without a width are varints. The pages lie before the directory, each with the checksum of a block; values are
// int64 pages. A hash is the upper bits of KeyHash's 64 (KeyHash.swift); entries of one hash ascend by their rows. There is
// no version: an index of another form is a section of another kind, which readers of this one skip.

/// Where the hashes and rows of a segment's keys lie.
struct KeyIndexDirectory: Sendable, Hashable {
    /// Bits of a hash where rows leave room for them beside it in 64 bits.
    static let hashBitsMax = 40
    /// Entries of a block that is written: some 22 kB, what a look-up of one key reads and decodes.
    static let blockEntryCount = 4_096
    /// Most entries of a block that is read.
    static let blockEntryCountMax = 16_384

    struct Block: Sendable, Hashable {
        var firstHash: UInt64
        var hashes: PageLocation
        var rows: PageLocation

        var entryCount: Int { hashes.valueCount }
    }

    /// Bits of each hash that are stored.
    var hashBits: Int
    /// The columns of the key, in its order.
    var columns: [ColumnID]
    var rowCount: Int
    var blocks: [Block]

    /// A hash as it is stored.
    func stored(_ hash: UInt64) -> UInt64 { hash >> UInt64(64 - hashBits) }

    /// Bytes of the pages, checksums included.
    var pageByteCount: Int { blocks.reduce(0) { $0 + $1.hashes.block.byteCount + $1.rows.block.byteCount } }

    /// - Parameter segmentOffset: where the segment begins in its file.
    func encode(into output: inout ByteWriter, segmentOffset: Int64) {
        output.append(UInt8(hashBits))
        output.appendVarint(columns.count)
        for column in columns { output.appendVarint(column.rawValue) }
        output.appendVarint(rowCount)
        output.appendVarint(blocks.count)
        var hash: UInt64 = 0
        var cursor = segmentOffset
        for block in blocks {
            output.appendVarint(block.firstHash - hash)
            hash = block.firstHash
            output.appendVarint(block.entryCount)
            for page in [block.hashes.block, block.rows.block] { page.encode(&cursor, into: &output) }
        }
    }

    /// Reads a directory and checks that all it points to lies inside the segment.
    ///
    /// - Parameter segment: first and last byte of the segment's blocks in the file, the footer left out.
    static func decode(_ payload: ByteView, segment: Range<Int64>, rowCount: Int) throws(FormatError)
        -> KeyIndexDirectory
    {
        var reader = ByteReader(payload)
        let hashBits = Int(try reader.readByte())
        guard hashBits >= 1, hashBits <= hashBitsMax else { throw FormatError("hashes of \(hashBits) bits", at: 0) }
        var directory = KeyIndexDirectory(hashBits: hashBits, columns: [], rowCount: rowCount, blocks: [])
        for _ in 0..<(try reader.readCount(atMost: min(TableSchema.columnCountMax, reader.remaining))) {
            directory.columns.append(ColumnID(try reader.readVarint()))
        }
        guard !directory.columns.isEmpty else { throw FormatError("a key without columns", at: reader.offset) }
        let storedRowCount = try reader.readCount()
        guard storedRowCount == rowCount else {
            throw FormatError("a key index of \(storedRowCount) rows in a segment of \(rowCount)", at: reader.offset)
        }
        var cursor = segment.lowerBound
        var hash: UInt64 = 0
        var entryCount = 0
        for _ in 0..<(try reader.readCount(atMost: reader.remaining)) {
            let start = reader.offset
            let (first, overflow) = hash.addingReportingOverflow(try reader.readVarint())
            let count = try reader.readCount(atMost: blockEntryCountMax)
            guard !overflow, first >> UInt64(hashBits) == 0, count > 0 else {
                throw FormatError("a block of \(count) keys that begins with hash \(first)", at: start)
            }
            let hashes = try BlockLocation.decode(&reader, &cursor, segment: segment)
            let rows = try BlockLocation.decode(&reader, &cursor, segment: segment)
            directory.blocks.append(
                Block(
                    firstHash: first, hashes: PageLocation(block: hashes, valueCount: count),
                    rows: PageLocation(block: rows, valueCount: count)))
            hash = first
            entryCount += count
        }
        guard entryCount == rowCount else {
            throw FormatError("a key index of \(entryCount) entries for \(rowCount) rows", at: reader.offset)
        }
        try reader.expectEnd()
        return directory
    }
}

/// Makes the entries of a key index: sorted, an entry a row.
enum KeyIndexEntries {
    /// Bits of a hash that fit beside the number of a row in 64.
    static func hashBits(rowCount: Int) -> Int {
        min(KeyIndexDirectory.hashBitsMax, 64 - rowBits(rowCount))
    }

    static func rowBits(_ rowCount: Int) -> Int { max(1, Int.bitWidth - max(rowCount - 1, 0).leadingZeroBitCount) }

    /// (hash << row bits | row), ascending, of the hashes of rows 0, 1, 2 ….
    static func sorted(_ hashes: [UInt64], hashBits: Int) -> [UInt64] {
        let rowBits = UInt64(rowBits(hashes.count))
        var entries = hashes.enumerated().map { row, hash in
            (hash >> UInt64(64 - hashBits)) << rowBits | UInt64(row)
        }
        // Stable, and rows ascend already: only the bits of the hash are sorted by.
        RadixSort.sort(&entries, bits: rowBits..<rowBits + UInt64(hashBits)) { $0 }
        return entries
    }
}
