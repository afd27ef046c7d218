// SPDX-License-Identifier: Apache-2.0
//
// Every encoder's decoder gives back bit for bit what went in: random vectors and pages of every kind, and real data.
//
// FIRN_EFFORT=full takes a million vectors (in a release build), FIRN_SEED= replays a run.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct EncoderPropertyTests {
    private static let vectorCount = TestEffort.isFull ? 1_000_000 : 300
    private static let pageCount = TestEffort.isFull ? 2_000 : 6

    @Test func randomVectorsComeBack() throws {
        var random = CodecRandom()
        let statistics = IntegerStatistics()
        let doubles = DoubleStatistics()
        let output = VectorBuffer<Int64>()
        var writer = ByteWriter(reservingBytes: 1 << 15)
        for round in 0..<Self.vectorCount {
            let count = random.below(4) == 0 ? 1 + random.below(1_024) : 1_024
            let domain: NumberDomain = [.integer, .double, .float][random.below(3)]
            let values: [Int64] =
                switch domain {
                case .integer: RandomColumns.integers(count: count, &random)
                case .double: RandomColumns.doubles(count: count, &random).map { Int64(bitPattern: $0.bitPattern) }
                case .float: RandomColumns.doubles(count: count, &random).map { Int64(Float($0).bitPattern) }
                }
            writer.removeAll()
            values.withUnsafeBufferPointer { values in
                doubles.prepare(values, domain)
                switch domain {
                case .integer: IntegerCodec.encode(VectorView(values), statistics, into: &writer)
                case .double, .float: DoubleCodec.encode(VectorView(values), doubles, into: &writer)
                }
            }
            try writer.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                var cursor = VerifiedCursor(bytes.baseAddress!)
                if domain == .integer {
                    try IntegerCodec.verify(&reader, count: count)
                    IntegerCodec.decode(&cursor, count: count, into: output.pointer)
                } else {
                    try DoubleCodec.verify(&reader, count: count, domain, cut: doubles.cut)
                    DoubleCodec.decode(&cursor, count: count, domain, cut: doubles.cut, into: output.pointer)
                }
                try reader.expectEnd()
                #expect(cursor.pointer - bytes.baseAddress! == bytes.count, "round \(round), seed \(random.seed)")
            }
            let isSame = values.elementsEqual(UnsafeBufferPointer(start: output.pointer, count: count))
            #expect(isSame, "\(domain) x \(count), round \(round), seed \(random.seed)")
            if !isSame { return }
        }
    }

    @Test(arguments: StorageProfile.allCases) func randomPagesComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for round in 0..<Self.pageCount {
            let count = 1 + random.below(6_000)
            let note: Comment = "x \(count), round \(round), seed \(random.seed)"
            let integers = RandomColumns.integers(count: count, &random)
            #expect(
                try Pages.integers(integers.withUnsafeBufferPointer { encoder.encode(int64: $0) }) == integers, note)
            let doubles = RandomColumns.doubles(count: count, &random)
            let patterns = doubles.map { Int64(bitPattern: $0.bitPattern) }
            #expect(
                try Pages.integers(doubles.withUnsafeBufferPointer { encoder.encode(double: $0) }) == patterns, note)
            let uuids = Self.uuids(count: count, &random)
            #expect(try Pages.uuids(uuids.withUnsafeBufferPointer { encoder.encode(uuid: $0) }) == uuids, note)
            let texts = RandomColumns.texts(count: count, &random)
            #expect(try Pages.texts(Pages.encode(texts, encoder)) == texts, note)
        }
    }

    /// UUIDs that share any bits, those of version 4 among them.
    static func uuids(count: Int, _ random: inout CodecRandom) -> [UInt128] {
        func wide() -> UInt128 { UInt128(random.next()) << 64 | UInt128(random.next()) }
        let shared: UInt128 =
            switch random.below(4) {
            case 0: 0
            case 1: 0xF000 << 64 | 0xC000 << 48
            case 2: wide()
            default: wide() & wide()
            }
        let bits = wide()
        return (0..<count).map { _ in (wide() & ~shared) | (bits & shared) }
    }

    @Test(arguments: StorageProfile.allCases) func realColumnsComeBack(_ profile: StorageProfile) throws {
        let encoder = ColumnChunkEncoder(profile: profile)
        let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Samples/data")
        var columnCount = 0
        for name in ["beats", "ecg", "edits", "icu", "machine_temperature", "quakes", "weather"] {
            let file = try POSIXFileSystem().open(folder.appending("\(name).csv"), .readOnly)
            let bytes = try file.read(byteCount: 8 << 20, at: 0)
            try file.close()
            let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst()
                .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            for column in 0..<rows[1].count {
                let texts = rows.map { $0.count > column ? Array($0[column].utf8) : [] }
                #expect(try Pages.texts(Pages.encode(texts, encoder)) == texts, "\(name) \(column)")
                let doubles = rows.compactMap { $0.count > column ? Double($0[column]) : nil }
                let patterns = doubles.map { Int64(bitPattern: $0.bitPattern) }
                if doubles.isEmpty { continue }
                columnCount += 1
                let chunk = doubles.withUnsafeBufferPointer { encoder.encode(double: $0) }
                #expect(try Pages.integers(chunk) == patterns, "\(name) \(column)")
                let integers = rows.compactMap { $0.count > column ? Int64($0[column]) : nil }
                if integers.isEmpty { continue }
                let integerChunk = integers.withUnsafeBufferPointer { encoder.encode(int64: $0) }
                #expect(try Pages.integers(integerChunk) == integers, "\(name) \(column)")
            }
        }
        #expect(columnCount > 20)
    }

    @Test(arguments: StorageProfile.allCases) func damagedPagesAreRefusedOrHarmless(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for _ in 0..<Self.pageCount {
            let count = 600 + random.below(3_000)
            let doubles = RandomColumns.doubles(count: count, &random)
            let integers = RandomColumns.integers(count: count, &random)
            let uuids = Self.uuids(count: count, &random)
            let texts = RandomColumns.texts(count: count, &random)
            let pages = [
                doubles.withUnsafeBufferPointer { encoder.encode(double: $0) },
                integers.withUnsafeBufferPointer { encoder.encode(int64: $0) },
                uuids.withUnsafeBufferPointer { encoder.encode(uuid: $0) },
                Pages.encode(texts, encoder),
            ]
            for original in pages.map(\.pages[0].bytes) {
                for _ in 0..<(TestEffort.isFull ? 200 : 20) {
                    var bytes = original
                    for _ in 0...random.below(3) {
                        let bound = random.below(2) == 0 ? min(80, bytes.count) : bytes.count
                        bytes[random.below(bound)] = UInt8(random.below(256))
                    }
                    guard let page = try? PageDecoder(copying: bytes) else { continue }
                    Pages.decodeAll(page)
                }
            }
        }
    }
}

/// Whole columns to pages and back.
enum Pages {
    private static func decode<T: BitwiseCopyable>(
        _ chunk: EncodedColumnChunk, _ decode: (PageDecoder, Int, UnsafeMutablePointer<T>) -> Void
    ) throws -> [T] {
        let buffer = VectorBuffer<T>()
        var values: [T] = []
        for page in chunk.pages {
            let decoder = try PageDecoder(copying: page.bytes)
            for vector in 0..<decoder.vectorCount {
                decode(decoder, vector, buffer.pointer)
                values += UnsafeBufferPointer(start: buffer.pointer, count: decoder.valueCount(ofVector: vector))
            }
        }
        return values
    }

    /// Integers, or the bit patterns of doubles.
    static func integers(_ chunk: EncodedColumnChunk) throws -> [Int64] {
        try decode(chunk) { $0.decodeVector($1, into: $2) }
    }

    static func uuids(_ chunk: EncodedColumnChunk) throws -> [UInt128] {
        try decode(chunk) { $0.decodeVector($1, into: $2) }
    }

    static func encode(_ texts: [[UInt8]], _ encoder: ColumnChunkEncoder) -> EncodedColumnChunk {
        var offsets: [UInt32] = [0]
        for text in texts { offsets.append(offsets.last! + UInt32(text.count)) }
        let flat = texts.flatMap { $0 }
        return offsets.withUnsafeBufferPointer { offsets in
            flat.withUnsafeBytes { encoder.encode(bytes: ByteStringsView(offsets: offsets, bytes: $0)) }
        }
    }

    static func texts(_ chunk: EncodedColumnChunk) throws -> [[UInt8]] {
        var texts: [[UInt8]] = []
        let lengths = VectorBuffer<UInt32>()
        for page in chunk.pages {
            let decoder = try PageDecoder(copying: page.bytes)
            for vector in 0..<decoder.vectorCount {
                var writer = ByteWriter()
                decoder.decodeBytes(vector, lengths: lengths.pointer, bytes: &writer)
                let bytes = writer.bytes
                var offset = 0
                for position in 0..<decoder.valueCount(ofVector: vector) {
                    texts.append(Array(bytes[offset..<offset + Int(lengths[position])]))
                    offset += Int(lengths[position])
                }
                #expect(offset == bytes.count)
            }
        }
        return texts
    }

    /// Decodes what a page that passed its checks holds.
    static func decodeAll(_ page: PageDecoder) {
        // Room for the widest values of a vector.
        let room = VectorBuffer<UInt128>()
        withExtendedLifetime(room) {
            let raw = UnsafeMutableRawPointer(room.pointer)
            for vector in 0..<page.vectorCount {
                switch page.kind {
                case .int64, .double, .codes:
                    page.decodeVector(vector, into: raw.assumingMemoryBound(to: Int64.self))
                case .float: page.decodeVector(vector, into: raw.assumingMemoryBound(to: Float.self))
                case .int128: page.decodeVector(vector, into: raw.assumingMemoryBound(to: Int128.self))
                case .uuid: page.decodeVector(vector, into: room.pointer)
                case .bytes:
                    var writer = ByteWriter()
                    page.decodeBytes(vector, lengths: raw.assumingMemoryBound(to: UInt32.self), bytes: &writer)
                default: break
                }
            }
        }
    }
}
