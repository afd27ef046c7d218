// SPDX-License-Identifier: Apache-2.0
//
// Promises of the byte vocabulary: writer, reader, checksum, LZ4, Zstandard.

import Testing

@testable import Firn

@Suite struct VocabularyTests {
    @Test func whatIsWrittenIsReadBack() throws {
        var random = CodecRandom()
        var writer = ByteWriter(reservingBytes: 1)
        var varints: [UInt64] = [0, 1, 127, 128, 16_383, 16_384, .max, .max - 1, 1 << 63]
        for _ in 0..<500 { varints.append(random.next() >> UInt64(random.below(64))) }
        for value in varints {
            writer.appendVarint(value)
            writer.appendSignedVarint(Int64(bitPattern: value))
            writer.appendLittleEndian(value)
            writer.appendLittleEndian(UInt16(truncatingIfNeeded: value))
            writer.append(UInt8(truncatingIfNeeded: value))
        }
        writer.appendLengthPrefixed("Grüße")
        writer.align(to: 64)
        #expect(writer.count % 64 == 0)
        try writer.bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            for value in varints {
                #expect(try reader.readVarint() == value, "seed \(random.seed)")
                #expect(try reader.readSignedVarint() == Int64(bitPattern: value))
                #expect(try reader.readLittleEndian(UInt64.self) == value)
                #expect(try reader.readLittleEndian(UInt16.self) == UInt16(truncatingIfNeeded: value))
                #expect(try reader.readByte() == UInt8(truncatingIfNeeded: value))
            }
            #expect(try reader.readText() == "Grüße")
            try reader.align(to: 64)
            try reader.expectEnd()
        }
    }

    @Test func aReaderThrowsAtTheEndInsteadOfReadingOn() {
        let bytes: [UInt8] = [0xFF, 0xFF, 0xFF]
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            #expect(throws: FormatError.self) { try reader.readVarint() }
            var second = ByteReader(bytes)
            #expect(throws: FormatError.self) { try second.readLittleEndian(UInt32.self) }
            #expect(throws: FormatError.self) { try second.readBytes(-1) }
            #expect(throws: FormatError.self) { try second.readLengthPrefixed() }
        }
    }

    @Test func aVarintBeyond64BitsIsRefused() {
        let bytes = [UInt8](repeating: 0xFF, count: 9) + [0x02]
        bytes.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            #expect(throws: FormatError("a varint exceeds 64 bits", at: 0)) { try reader.readVarint() }
        }
    }

    @Test func zigZagKeepsSmallMagnitudesSmall() {
        #expect([0, -1, 1, -2, 2].map(ZigZag.encode) == [0, 1, 2, 3, 4])
        for value in [Int64.min, .max, -1, 0, 1] { #expect(ZigZag.decode(ZigZag.encode(value)) == value) }
    }

    @Test func crc32cMatchesItsPublishedCheckValues() {
        // RFC 3720, appendix B.4.
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.checksum([]) == 0)
    }

    @Test func crc32cChains() {
        var random = CodecRandom()
        let bytes = random.bytes(5_000)
        let whole = CRC32C.checksum(bytes)
        for _ in 0..<50 {
            let cut = random.below(bytes.count)
            let chained = CRC32C.checksum(Array(bytes[cut...]), seed: CRC32C.checksum(Array(bytes[..<cut])))
            #expect(chained == whole, "seed \(random.seed)")
        }
    }

    enum Compression: CaseIterable { case lz4, lz4High, zstandard1, zstandard19 }

    private func compressed(_ plain: [UInt8], _ compression: Compression) -> [UInt8] {
        var writer = ByteWriter()
        plain.withUnsafeBytes { bytes in
            switch compression {
            case .lz4: _ = LZ4.compress(bytes, level: .fast, into: &writer)
            case .lz4High: _ = LZ4.compress(bytes, level: .high(9), into: &writer)
            case .zstandard1: _ = Zstandard.compress(bytes, level: 1, into: &writer)
            case .zstandard19: _ = Zstandard.compress(bytes, level: 19, into: &writer)
            }
        }
        return writer.bytes
    }

    private func plain(_ bytes: [UInt8], count: Int, _ compression: Compression) throws -> [UInt8] {
        try bytes.withUnsafeBytes { bytes in
            switch compression {
            case .lz4, .lz4High: try LZ4.decompress(ByteView(bytes), expectedByteCount: count)
            case .zstandard1, .zstandard19: try Zstandard.decompress(ByteView(bytes), expectedByteCount: count)
            }
        }
    }

    @Test(arguments: Compression.allCases)
    func compressionRoundTripsAndInsistsOnTheSize(_ compression: Compression) throws {
        var random = CodecRandom()
        for count in [0, 1, 2, 100, 65_537] {
            let plainBytes = (0..<count).map { _ in UInt8(random.below(4)) }
            let bytes = compressed(plainBytes, compression)
            #expect(try plain(bytes, count: count, compression) == plainBytes)
            #expect(throws: FormatError.self) { try plain(bytes, count: count + 1, compression) }
            if count > 0 { #expect(throws: FormatError.self) { try plain(bytes, count: count - 1, compression) } }
        }
    }

    @Test(arguments: Compression.allCases)
    func damagedCompressionNeverCrashes(_ compression: Compression) throws {
        var random = CodecRandom()
        let plainBytes = (0..<2_000).map { _ in UInt8(random.below(7)) }
        let bytes = compressed(plainBytes, compression)
        for _ in 0..<300 {
            var damaged = bytes
            damaged[random.below(damaged.count)] = UInt8(random.below(256))
            if random.below(4) == 0 { damaged.removeLast(random.below(damaged.count)) }
            let answer = try? plain(damaged, count: plainBytes.count, compression)
            #expect(answer == nil || answer?.count == plainBytes.count, "seed \(random.seed)")
        }
    }

    @Test func zstandardStreamsAcrossFramesAndSmallBuffers() throws {
        var random = CodecRandom()
        let plainBytes = (0..<100_000).map { _ in UInt8(random.below(9)) }
        let bytes =
            compressed(Array(plainBytes[..<40_000]), .zstandard1)
            + compressed(Array(plainBytes[40_000...]), .zstandard1)
        let stream = ZstandardStreamDecompressor()
        var answer: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 777)
        var offset = 0
        while true {
            let end = min(offset + 333, bytes.count)
            let progress = try bytes.withUnsafeBytes { source in
                try room.withUnsafeMutableBytes { target in
                    try stream.decompress(UnsafeRawBufferPointer(rebasing: source[offset..<end]), into: target)
                }
            }
            offset += progress.consumedByteCount
            answer += room[..<progress.producedByteCount]
            if offset == bytes.count && stream.isAtFrameBoundary && progress.producedByteCount == 0 { break }
            if offset == bytes.count && stream.isAtFrameBoundary { break }
        }
        #expect(answer == plainBytes)
    }
}
