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
//     108    4  flags: bit 0, bytes of an earlier use may lie behind the frames
//     112    8  bytes that the file had when it was begun; 0 in format version 1
//     120    4  reserved, 0
//     124    4  CRC32C of bytes 64 to 123, seeded with (file id, offset 64)
//     128       frames, back to back, each aligned to 8; after the last one zeros or stale frames of smaller LSNs
//
// A file is created and its header synced before it takes a frame; a recycled file is renamed first. It has its full
// byte count from the beginning, be it as a hole, so that a file which was cut is told from one that ends there.

/// How far a manifest is proven to reach.
struct ManifestProof: Sendable, Hashable {
    var number: UInt64
    /// Durable bytes.
    var byteCount: Int64
    /// CRC32C of them.
    var checksum: UInt32

    func encode(into output: inout ByteWriter) {
        output.appendLittleEndian(number)
        output.appendLittleEndian(byteCount)
        output.appendLittleEndian(checksum)
    }

    static func decode(from reader: inout ByteReader) throws(FormatError) -> ManifestProof {
        ManifestProof(
            number: try reader.readLittleEndian(), byteCount: try reader.readLittleEndian(),
            checksum: try reader.readLittleEndian())
    }

    /// Refuses numbers that no engine wrote, so that others may count with them.
    func check(at byteOffset: Int) throws(FormatError) {
        guard number < DatabaseFolder.fileNumberMax else {
            throw FormatError("manifest \(number) was never begun", at: byteOffset)
        }
        guard (0...Int64.max / 2).contains(byteCount) else {
            throw FormatError("a manifest cannot have \(byteCount) bytes", at: byteOffset + 8)
        }
    }
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
    /// The file was used before: what stands behind its frames means nothing.
    var isRecycled = false
    /// Bytes that the file had when it was begun: it never has fewer. 0 where nobody recorded it.
    var fileByteCount: Int64 = 0

    private static let isRecycledFlag: UInt32 = 1

    func encode(into output: inout ByteWriter) {
        let start = output.count
        var common = FileHeader(kind: .writeAheadLog, database: database, file: FileID(number))
        common.version = version
        common.encode(into: &output)
        output.appendLittleEndian(epoch)
        output.appendLittleEndian(firstLSN.rawValue)
        output.appendLittleEndian(durableLSN.rawValue)
        manifest.encode(into: &output)
        output.appendLittleEndian(isRecycled ? Self.isRecycledFlag : 0)
        output.appendLittleEndian(fileByteCount)
        output.appendZeros(4)
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
        var header = WALFileHeader(
            version: common.version, database: common.database, number: common.file.rawValue,
            epoch: try reader.readLittleEndian(), firstLSN: LSN(try reader.readLittleEndian()),
            durableLSN: LSN(try reader.readLittleEndian()), manifest: try ManifestProof.decode(from: &reader))
        header.isRecycled = try reader.readLittleEndian(UInt32.self) & Self.isRecycledFlag != 0
        header.fileByteCount = try reader.readLittleEndian()
        try reader.skip(4)
        let expected = BlockChecksum.of(
            bytes[FileHeader.byteCount..<byteCount - 4].bytes, file: common.file,
            byteOffset: Int64(FileHeader.byteCount))
        guard try reader.readLittleEndian(UInt32.self) == expected || Mutant.isPlanted(.ignoreLogHeaderChecksum) else {
            throw FormatError("checksum mismatch in the log's header", at: FileHeader.byteCount)
        }
        guard max(header.number, header.epoch, header.firstLSN.rawValue, header.durableLSN.rawValue) <= Int64.max else {
            throw FormatError("a number in the log's header was never given out", at: FileHeader.byteCount)
        }
        try header.manifest.check(at: 88)
        guard header.fileByteCount >= 0 else {
            throw FormatError("a log file cannot have \(header.fileByteCount) bytes", at: 112)
        }
        return header
    }
}

extension WALFileHeader {
    /// The header as that of the file with this number, unless it was begun as another.
    func ofFile(_ number: UInt64) -> Result<WALFileHeader, FormatError> {
        if self.number == number { return .success(self) }
        return .failure(FormatError("the file was begun as log file \(self.number)", at: 32))
    }
}
