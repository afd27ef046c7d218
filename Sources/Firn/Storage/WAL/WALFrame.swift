// SPDX-License-Identifier: Apache-2.0
//
// A frame of the write-ahead log: one commit, whole or not at all.
//
//     0     4  CRC32C of bytes 4 to 39, seeded with the CRC32C of (epoch, LSN), both u64
//     4     4  payload byte count, as stored
//     8     8  LSN
//     16    8  epoch: counts the openings of the database; a frame of another epoch is a stale one
//     24    8  the LSN known durable when the frame was written
//     32    4  CRC32C of the payload as stored
//     36    1  kind
//     37    1  flags: bit 0, the payload is [plain byte count: u32][LZ4 block]
//     38    2  reserved, 0
//     40       payload, then zeros up to a multiple of 8
//
// All integers are little-endian. The payload has a checksum of its own, inside the seeded one, so that a caller
// computes it before its LSN is known, outside every lock. LSNs of consecutive frames are consecutive, hence a reader
// knows which LSN comes next: what a recycled file still holds from an earlier use never passes for it.
//
// Idea: LevelDB's log format; the seed after TigerBeetle's headers.

/// What a commit changed. Written to disk; never reused.
enum WALFrameKind: UInt8, Sendable, CaseIterable {
    /// Rows of one table: a ``RowsCodec`` payload.
    case rows = 1
    /// Tables made, altered or dropped: ``CatalogChange`` after ``CatalogChange``.
    case catalog = 2
    /// Segments that were written before: a ``BulkCommit``.
    case bulk = 3
    /// No commit: the log goes on in the file whose number is the payload, a u64. Its LSN is that of the next commit.
    case continuation = 4
    // Reserved, not written yet: each has its number so that no other use takes it.
    case delete = 16
    case upsert = 17
    case truncate = 18
    case dropChunks = 19
    case rowsWithSources = 20
    case transaction = 21
}

/// The fixed part of a frame.
struct WALFrameHeader: Sendable, Hashable {
    static let byteCount = 40
    static let alignment = 8
    /// Most bytes of a frame, header and padding included.
    static let frameBytesMax = 16 << 20
    static let payloadBytesMax = frameBytesMax - byteCount - alignment
    static let isCompressedFlag: UInt8 = 1

    var payloadByteCount: Int
    var lsn: LSN
    var epoch: UInt64
    var durableLSN: LSN
    var payloadChecksum: UInt32
    var kindNumber: UInt8
    var flags: UInt8

    /// Bytes of the whole frame.
    var frameByteCount: Int { Self.frameByteCount(payload: payloadByteCount) }

    static func frameByteCount(payload: Int) -> Int {
        (byteCount + payload + alignment - 1) & ~(alignment - 1)
    }

    /// The checksum of the place in the log alone.
    static func seed(epoch: UInt64, lsn: LSN) -> UInt32 {
        let place = (epoch.littleEndian, lsn.rawValue.littleEndian)
        return withUnsafeBytes(of: place) { CRC32C.checksum($0) }
    }

    /// The header at the start of `view`, if there is one whose checksum holds.
    static func decode(_ view: ByteView) -> WALFrameHeader? {
        guard view.count >= byteCount else { return nil }
        let header = WALFrameHeader(
            payloadByteCount: Int(view.loadUnchecked(UInt32.self, at: 4)),
            lsn: LSN(view.loadUnchecked(UInt64.self, at: 8)),
            epoch: view.loadUnchecked(UInt64.self, at: 16),
            durableLSN: LSN(view.loadUnchecked(UInt64.self, at: 24)),
            payloadChecksum: view.loadUnchecked(UInt32.self, at: 32),
            kindNumber: view[36], flags: view[37])
        let checksum = CRC32C.checksum(view[4..<byteCount], seed: seed(epoch: header.epoch, lsn: header.lsn))
        guard checksum == view.loadUnchecked(UInt32.self, at: 0) || Mutant.isPlanted(.ignoreFrameChecksum),
            header.payloadByteCount <= payloadBytesMax,
            max(header.lsn, header.durableLSN).rawValue <= Int64.max
        else {
            return nil
        }
        return header
    }
}

// @unchecked Sendable: `writer` is filled in init and changed once more, in `seal`, which only the log's leader calls,
// after the lock that hands it the frame; nobody else touches the frame from then on.

/// A frame in the making: payload and its checksum are ready, LSN and epoch come with its place in the log.
final class EncodedFrame: @unchecked Sendable {
    let kind: WALFrameKind
    private var writer: ByteWriter
    private let payloadByteCount: Int
    private let payloadChecksum: UInt32
    private let flags: UInt8

    /// Bytes of the whole frame.
    let byteCount: Int

    /// Encodes the payload that `body` writes; nil where it exceeds ``WALFrameHeader/payloadBytesMax``.
    ///
    /// - Parameter compression: whether LZ4 is tried.
    init?(
        _ kind: WALFrameKind, reservingBytes: Int = 256, compression: WALCompression = .none,
        _ body: (inout ByteWriter) -> Void
    ) {
        var writer = ByteWriter(reservingBytes: reservingBytes + WALFrameHeader.byteCount + WALFrameHeader.alignment)
        writer.appendZeros(WALFrameHeader.byteCount)
        body(&writer)
        var flags: UInt8 = 0
        if compression == .tried, let compressed = WALCompression.compressed(writer) {
            writer = compressed
            flags = WALFrameHeader.isCompressedFlag
        }
        let payloadByteCount = writer.count - WALFrameHeader.byteCount
        guard payloadByteCount <= WALFrameHeader.payloadBytesMax else { return nil }
        payloadChecksum = writer.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[WALFrameHeader.byteCount...]))
        }
        writer.align(to: WALFrameHeader.alignment)
        byteCount = writer.count
        self.kind = kind
        self.payloadByteCount = payloadByteCount
        self.flags = flags
        self.writer = writer
    }

    /// Writes the header, once the place in the log is known.
    func seal(lsn: LSN, epoch: UInt64, durableLSN: LSN) {
        writer.overwriteLittleEndian(UInt32(payloadByteCount), at: 4)
        writer.overwriteLittleEndian(lsn.rawValue, at: 8)
        writer.overwriteLittleEndian(epoch, at: 16)
        writer.overwriteLittleEndian(durableLSN.rawValue, at: 24)
        writer.overwriteLittleEndian(payloadChecksum, at: 32)
        writer.overwriteLittleEndian(kind.rawValue, at: 36)
        writer.overwriteLittleEndian(flags, at: 37)
        let checksum = writer.withUnsafeBytes {
            CRC32C.checksum(
                UnsafeRawBufferPointer(rebasing: $0[4..<WALFrameHeader.byteCount]),
                seed: WALFrameHeader.seed(epoch: epoch, lsn: lsn))
        }
        writer.overwriteLittleEndian(checksum, at: 0)
    }

    /// The sealed bytes. The buffer is stable: it lives and stays as it is until the frame is released.
    var bytes: UnsafeRawBufferPointer { writer.withUnsafeBytes { $0 } }
}

/// Whether a payload is worth LZ4.
enum WALCompression: Sendable, Hashable {
    case none
    case tried

    /// A payload below this many bytes is never compressed: the sync costs more than its bytes.
    static let plainBytesMin = 16 << 10
    /// Bytes from the middle of the payload whose compression decides on the whole.
    static let sampleByteCount = 4 << 10

    /// The frame with its payload compressed; nil where a sample says that it does not become 2/3 or less.
    static func compressed(_ frame: borrowing ByteWriter) -> ByteWriter? {
        let plainByteCount = frame.count - WALFrameHeader.byteCount
        guard plainByteCount >= plainBytesMin, plainByteCount <= LZ4.plainByteCountMax else { return nil }
        var output = ByteWriter(reservingBytes: plainByteCount)
        let pays = frame.withUnsafeBytes { bytes in
            let middle = WALFrameHeader.byteCount + (plainByteCount - sampleByteCount) / 2
            let sample = UnsafeRawBufferPointer(rebasing: bytes[middle..<middle + sampleByteCount])
            return LZ4.compress(sample, level: .fast, into: &output) <= sampleByteCount * 2 / 3
        }
        guard pays else { return nil }
        output.removeAll()
        output.appendZeros(WALFrameHeader.byteCount)
        output.appendLittleEndian(UInt32(plainByteCount))
        frame.withUnsafeBytes { bytes in
            let plain = UnsafeRawBufferPointer(rebasing: bytes[WALFrameHeader.byteCount...])
            LZ4.compress(plain, level: .fast, into: &output)
        }
        return output
    }
}

/// A frame as read: its place, and its payload after decompression.
struct WALFrame: Sendable {
    /// The version of the file that it stands in.
    var version: FormatVersion
    var lsn: LSN
    var kind: WALFrameKind
    var payload: [UInt8]

    /// Undoes the compression that `header` names.
    static func payload(_ stored: ByteView, _ header: WALFrameHeader) throws(FormatError) -> [UInt8] {
        guard header.flags & ~WALFrameHeader.isCompressedFlag == 0 else {
            throw FormatError("frame flags \(header.flags) are not known", at: 37)
        }
        guard header.flags & WALFrameHeader.isCompressedFlag != 0 else { return Array(stored.bytes) }
        var reader = ByteReader(stored)
        let plainByteCount = Int(try reader.readLittleEndian(UInt32.self))
        return try LZ4.decompress(stored[reader.offset...], expectedByteCount: plainByteCount)
    }

    /// The log file that a frame of kind `continuation` names.
    static func successor(_ payload: [UInt8]) throws(FormatError) -> UInt64 {
        try payload.reading { (reader) throws(FormatError) in
            let number = try reader.readLittleEndian(UInt64.self)
            try reader.expectEnd()
            guard number <= DatabaseFolder.fileNumberMax else {
                throw FormatError("log file \(number) was never begun")
            }
            return number
        }
    }
}
