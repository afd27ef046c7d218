// SPDX-License-Identifier: Apache-2.0
//
// Makes the checksums of a mutated file right again, so that the fuzzer gets behind them.
//
// Each function walks its file as far as the structure holds and leaves the rest alone: what is not a block keeps its
// bytes, and the reader refuses it.

import FirnIO

@testable import Firn

enum Resealing {
    static func segmentFile(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        guard let file = header(&bytes) else { return bytes }
        var blocks: [BlockLocation] = []
        guard let tail = trailed(&bytes, file, endingAt: bytes.count, from: FileHeader.byteCount) else { return bytes }
        for segment in segments(Array(bytes[tail])) {
            guard segment.byteOffset >= Int64(FileHeader.byteCount), segment.byteOffset <= Int64(tail.lowerBound),
                segment.byteCount >= 0, segment.byteCount <= Int64(tail.lowerBound) - segment.byteOffset
            else { continue }
            let start = Int(segment.byteOffset)
            let end = start + Int(segment.byteCount)
            guard let footer = trailed(&bytes, file, endingAt: end, from: start) else { continue }
            let decoded = bytes[footer].withUnsafeBytes {
                try? SegmentFooter.decode(
                    ByteView($0), segment: Int64(start)..<Int64(footer.lowerBound), version: version(bytes))
            }
            blocks += decoded?.allBlocks ?? []
            if let decoded { blocks += keyIndexBlocks(decoded, segmentStart: Int64(start), bytes) }
        }
        for block in blocks where block.byteCount >= SegmentLayout.checksumByteCount && block.end <= bytes.count {
            let payload = Int(block.byteOffset)..<Int(block.end) - SegmentLayout.checksumByteCount
            store(checksum(bytes, payload, file), at: payload.upperBound, &bytes)
        }
        return bytes
    }

    /// The pages that a segment's key index names.
    private static func keyIndexBlocks(
        _ footer: SegmentFooter, segmentStart: Int64, _ bytes: [UInt8]
    ) -> [BlockLocation] {
        guard let directory = footer.sections.first(where: { $0.kind == .keyIndex })?.block else { return [] }
        let payload = Int(directory.byteOffset)..<Int(directory.end) - SegmentLayout.checksumByteCount
        let decoded = bytes[payload].withUnsafeBytes {
            try? KeyIndexDirectory.decode(
                ByteView($0), segment: segmentStart..<directory.byteOffset, rowCount: footer.rowCount)
        }
        return decoded?.blocks.flatMap { [$0.hashes.block, $0.rows.block] } ?? []
    }

    /// The version that the file's header names.
    private static func version(_ bytes: [UInt8]) -> FormatVersion {
        FormatVersion(rawValue: load(UInt16.self, at: 8, bytes)) ?? .current
    }

    static func manifest(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        guard let file = header(&bytes) else { return bytes }
        var offset = FileHeader.byteCount
        while offset + ManifestEdit.headerByteCount <= bytes.count {
            let payloadByteCount = Int(load(UInt32.self, at: offset + 4, bytes))
            let end = offset + ManifestEdit.headerByteCount + payloadByteCount
            guard end <= bytes.count else { break }
            let seed = BlockChecksum.seed(file: file, byteOffset: Int64(offset))
            store(checksum(bytes, offset + 4..<end, seed: seed), at: offset, &bytes)
            offset = aligned(end, to: ManifestEdit.alignment)
        }
        return bytes
    }

    static func log(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        guard let file = header(&bytes), bytes.count >= WALFileHeader.byteCount else { return bytes }
        let place = FileHeader.byteCount..<WALFileHeader.byteCount - 4
        store(checksum(bytes, place, file), at: place.upperBound, &bytes)
        var offset = WALFileHeader.byteCount
        while offset + WALFrameHeader.byteCount <= bytes.count {
            let payloadByteCount = Int(load(UInt32.self, at: offset + 4, bytes))
            let start = offset + WALFrameHeader.byteCount
            guard start + payloadByteCount <= bytes.count else { break }
            store(checksum(bytes, start..<start + payloadByteCount, seed: 0), at: offset + 32, &bytes)
            let seed = WALFrameHeader.seed(
                epoch: load(UInt64.self, at: offset + 16, bytes), lsn: LSN(load(UInt64.self, at: offset + 8, bytes)))
            store(checksum(bytes, offset + 4..<start, seed: seed), at: offset, &bytes)
            offset += WALFrameHeader.frameByteCount(payload: payloadByteCount)
        }
        return bytes
    }

    static func current(_ input: [UInt8]) -> [UInt8] {
        var bytes = input
        guard bytes.count == CurrentFile.byteCount else { return bytes }
        store(checksum(bytes, 0..<CurrentFile.byteCount - 4, seed: 0), at: CurrentFile.byteCount - 4, &bytes)
        return bytes
    }

    /// The number that a file's header says.
    static func fileNumber(_ bytes: [UInt8]) -> UInt64 {
        bytes.count >= 40 ? load(UInt64.self, at: 32, bytes) : 0
    }

    /// The file with the proof at `offset` made true, as far as the manifest reaches.
    static func provingManifest(_ manifest: [UInt8], _ input: [UInt8], at offset: Int) -> [UInt8] {
        var bytes = input
        guard bytes.count >= offset + 20 else { return bytes }
        let byteCount = load(Int64.self, at: offset + 8, bytes)
        guard byteCount >= 0, byteCount <= manifest.count else { return bytes }
        store(checksum(manifest, 0..<Int(byteCount), seed: 0), at: offset + 16, &bytes)
        return bytes
    }

    // MARK: Parts

    /// Seals the header that all files begin with; returns the file's number.
    private static func header(_ bytes: inout [UInt8]) -> FileID? {
        guard bytes.count >= FileHeader.byteCount else { return nil }
        let file = FileID(load(UInt64.self, at: 32, bytes))
        store(checksum(bytes, 0..<FileHeader.byteCount - 4, file), at: FileHeader.byteCount - 4, &bytes)
        return file
    }

    /// Seals a footer or tail; returns where its payload lies.
    private static func trailed(
        _ bytes: inout [UInt8], _ file: FileID, endingAt end: Int, from start: Int
    ) -> Range<Int>? {
        let trailer = end - SegmentLayout.trailerByteCount
        guard trailer >= start else { return nil }
        let byteCount = Int(load(UInt32.self, at: trailer + 4, bytes))
        guard byteCount <= trailer - start else { return nil }
        let payload = trailer - byteCount..<trailer
        store(checksum(bytes, payload, file), at: trailer, &bytes)
        return payload
    }

    private static func segments(_ tail: [UInt8]) -> [SegmentDescriptor] {
        tail.withUnsafeBytes { bytes in
            var reader = ByteReader(ByteView(bytes))
            var segments: [SegmentDescriptor] = []
            guard let count = try? reader.readCount(atMost: reader.remaining) else { return segments }
            for _ in 0..<count {
                guard let segment = try? SegmentDescriptor.decode(from: &reader) else { break }
                segments.append(segment)
            }
            return segments
        }
    }

    private static func aligned(_ offset: Int, to alignment: Int) -> Int {
        (offset + alignment - 1) / alignment * alignment
    }

    // MARK: Bytes

    /// The checksum of a block at its place.
    private static func checksum(_ bytes: [UInt8], _ range: Range<Int>, _ file: FileID) -> UInt32 {
        checksum(bytes, range, seed: BlockChecksum.seed(file: file, byteOffset: Int64(range.lowerBound)))
    }

    private static func checksum(_ bytes: [UInt8], _ range: Range<Int>, seed: UInt32) -> UInt32 {
        bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[range]), seed: seed) }
    }

    private static func load<T: FixedWidthInteger>(_ type: T.Type, at offset: Int, _ bytes: [UInt8]) -> T {
        bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }

    private static func store(_ value: UInt32, at offset: Int, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
    }
}
