// SPDX-License-Identifier: Apache-2.0
//
// The first 128 bytes of a log file: the header that all files have, then where in the log it begins.
//
//     0     64  file header (FileHeader.swift); its file id is the number in the file's name
//     64     8  epoch of the frames
//     72     8  LSN of the first frame
//     80     8  the LSN known durable when the file was begun: all that came before the first frame
//     88     8  number of the live manifest
//     96     8  bytes of the manifest that were durable
//     104    4  CRC32C of those bytes
//     108   16  reserved, 0
//     124    4  CRC32C of bytes 64 to 123, seeded with (file id, offset 64)
//     128       frames, back to back, each aligned to 8; after the last one zeros or stale frames of smaller LSNs
//
// A file is created and its header synced before it takes a frame; a recycled file is renamed first.

/// How far a manifest is proven to reach.
struct ManifestProof: Sendable, Hashable {
    var number: UInt64
    /// Durable bytes.
    var byteCount: Int64
    /// CRC32C of them.
    var checksum: UInt32
}

struct WALFileHeader: Sendable, Hashable {
    static let byteCount = 128

    var version = FormatVersion.current
    var database: DatabaseID
    var number: UInt64
    var epoch: UInt64
    var firstLSN: LSN
    var durableLSN: LSN
    var manifest: ManifestProof

    func encode(into output: inout ByteWriter) {
        let start = output.count
        var common = FileHeader(kind: .writeAheadLog, database: database, file: FileID(number))
        common.version = version
        common.encode(into: &output)
        output.appendLittleEndian(epoch)
        output.appendLittleEndian(firstLSN.rawValue)
        output.appendLittleEndian(durableLSN.rawValue)
        output.appendLittleEndian(manifest.number)
        output.appendLittleEndian(manifest.byteCount)
        output.appendLittleEndian(manifest.checksum)
        output.appendZeros(16)
        let checksum = output.withUnsafeBytes {
            BlockChecksum.of(
                UnsafeRawBufferPointer(rebasing: $0[(start + FileHeader.byteCount)...]), file: FileID(number),
                byteOffset: Int64(FileHeader.byteCount))
        }
        output.appendLittleEndian(checksum)
    }

    static func decode(_ bytes: ByteView) throws(FormatError) -> WALFileHeader {
        let common = try FileHeader.decode(bytes)
        guard common.kind == .writeAheadLog else { throw FormatError("the file is no write-ahead log", at: 10) }
        guard bytes.count >= byteCount else { throw FormatError("the log's header is cut short", at: bytes.count) }
        var reader = ByteReader(bytes, at: FileHeader.byteCount)
        let header = WALFileHeader(
            version: common.version, database: common.database, number: common.file.rawValue,
            epoch: try reader.readLittleEndian(), firstLSN: LSN(try reader.readLittleEndian()),
            durableLSN: LSN(try reader.readLittleEndian()),
            manifest: ManifestProof(
                number: try reader.readLittleEndian(), byteCount: try reader.readLittleEndian(),
                checksum: try reader.readLittleEndian()))
        try reader.skip(16)
        let expected = BlockChecksum.of(
            bytes[FileHeader.byteCount..<byteCount - 4].bytes, file: common.file,
            byteOffset: Int64(FileHeader.byteCount))
        guard try reader.readLittleEndian(UInt32.self) == expected else {
            throw FormatError("checksum mismatch in the log's header", at: FileHeader.byteCount)
        }
        guard max(header.number, header.epoch, header.firstLSN.rawValue, header.durableLSN.rawValue) <= Int64.max else {
            throw FormatError("a number in the log's header was never given out", at: FileHeader.byteCount)
        }
        return header
    }
}
