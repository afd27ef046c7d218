// SPDX-License-Identifier: Apache-2.0
//
// The key index of segments: it finds every key that is there and no other, in few bytes, and its damage is noticed.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct KeyIndexTests {
    /// Keeps 3 bits of each hash: keys collide all the time.
    private static let poorMask: UInt64 = 7 << 61

    private func open(_ fileSystem: MemoryFileSystem, mask: UInt64) throws(FirnError) -> StorageEngine {
        var options = StorageOptions()
        options.startsThreads = false
        options.flushAgeSeconds = nil
        options.keyHashMask = mask
        return try StorageEngine.open(
            "/db", options: options, fileSystem: fileSystem, timeSource: ManualTimeSource(),
            random: SeededRandomSource(seed: 7), executor: ManualExecutor()
        ) { database in SegmentFiles(fileSystem: fileSystem, database: database, keyHashMask: mask) }
    }

    /// Rows of (time, id) with the given ids.
    private func batch(_ ids: [UInt128]) -> ColumnBatch {
        ColumnBatch([.timestamps(microseconds: ids.map { Int64($0 % 1_000) }), .uuids(ids)])
    }

    private func makeTable(_ engine: StorageEngine) throws -> TableSchema {
        try engine.createTable(
            TableDefinition(
                name: "features",
                columns: [
                    .init(name: "time", type: .timestamptz(.microseconds), isNullable: false),
                    .init(name: "id", type: .uuid, isNullable: false),
                ], primaryKey: ["id"]))
    }

    @Test(arguments: [UInt64.max, poorMask])
    func everyKeyIsFoundAndNoOtherWhereverItsRowLies(mask: UInt64) throws {
        let fileSystem = MemoryFileSystem()
        var engine = try open(fileSystem, mask: mask)
        let table = try makeTable(engine)
        var generator = Xoshiro256(seed: 31)
        let count = mask == .max ? 3_000 : 240
        let ids = (0..<count).map { _ in UInt128(generator.next()) << 64 | UInt128(generator.next()) }
        var there: [UInt128] = []
        func expectAll(_ comment: String) throws {
            for _ in 0..<12 {
                let known = there[Int(generator.next() % UInt64(there.count))]
                let fresh = UInt128(generator.next())
                let error = failure { try engine.append(batch([fresh, known]), to: table.id) }
                #expect(error?.code == .uniqueViolation, "\(comment): \(known)")
            }
            let fresh = UInt128(generator.next())
            try engine.append(batch([fresh]), to: table.id)
            there.append(fresh)
            #expect(try engine.snapshot().rows(of: table.id).rowCount == there.count, "\(comment)")
        }
        for part in stride(from: 0, to: count, by: count / 4) {
            let own = Array(ids[part..<part + count / 4])
            if part == count / 4 {
                let load = try engine.beginLoad(into: table.id)
                try load.append(batch(own))
                // A commit between the load's rows and its own: its key is met only then.
                let late = UInt128(generator.next())
                try load.append(batch([late]))
                try engine.append(batch([late]), to: table.id)
                there.append(late)
                #expect(failure { _ = try load.commit(.asSegments) }?.code == .uniqueViolation)
                load.abandon()
                let second = try engine.beginLoad(into: table.id)
                try second.append(batch(own))
                _ = try second.commit(.asSegments)
            } else {
                try engine.append(batch(own), to: table.id)
            }
            there += own
            try expectAll("part \(part) in memory")
            try engine.checkpoint()
            try expectAll("part \(part) in segments")
        }
        let twice = [UInt128(5), 6, 5]
        #expect(failure { try engine.append(batch(twice), to: table.id) }?.code == .uniqueViolation)
        let chunk = try #require(try engine.snapshot().rows(of: table.id).chunks.first)
        _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold, partBytesMax: count * 8)
        try expectAll("compressed")
        try engine.close()
        engine = try open(fileSystem, mask: mask)
        try expectAll("opened again")
        // Nothing is kept in memory for rows in segments.
        try engine.checkpoint()
        try expectAll("flushed again")
        let rows = try engine.snapshot().rows(of: table.id)
        for segment in rows.segments { #expect(try rows.keyIndexByteCount(of: segment) > 0) }
        try engine.close()
        if mask == .max {
            for name in try fileSystem.list("/db/data").map(\.name) {
                let damages = try SegmentFile.verify(
                    FilePath("/db/data/\(name)"), fileSystem: fileSystem, database: nil)
                #expect(damages == [])
            }
        }
    }

    @Test func aKeyIndexCostsAtMostSixBytesARow() throws {
        let engine = try open(MemoryFileSystem(), mask: .max)
        let table = try makeTable(engine)
        var generator = Xoshiro256(seed: 5)
        for _ in 0..<4 {
            try engine.append(
                batch((0..<30_000).map { _ in UInt128(generator.next()) << 64 | UInt128(generator.next()) }),
                to: table.id)
        }
        try engine.checkpoint()
        let rows = try engine.snapshot().rows(of: table.id)
        let segment = try #require(rows.segments.first)
        let byteCount = try rows.keyIndexByteCount(of: segment)
        #expect(Double(byteCount) / 120_000 <= 6, "\(byteCount) bytes for 120,000 rows")
        #expect(Double(byteCount) / 120_000 > 4, "an index has an entry for each row")
        try engine.close()
    }

    @Test func entriesAscendByHashAndThenByRow() {
        var generator = Xoshiro256(seed: 8)
        for rowCount in [0, 1, 2, 3, 255, 256, 1_000, 70_000] {
            let hashes = (0..<rowCount).map { _ in generator.next() % 3 == 0 ? 1 << 63 : generator.next() }
            let hashBits = KeyIndexEntries.hashBits(rowCount: rowCount)
            let rowBits = UInt64(KeyIndexEntries.rowBits(rowCount))
            let sorted = KeyIndexEntries.sorted(hashes, hashBits: hashBits)
            let expected = hashes.enumerated().map { ($1 >> UInt64(64 - hashBits)) << rowBits | UInt64($0) }.sorted()
            #expect(sorted == expected, "\(rowCount) rows")
        }
    }

    @Test func aDirectoryComesBackAndDamageToItIsRefused() throws {
        var generator = Xoshiro256(seed: 12)
        func page(_ byteOffset: Int64, _ byteCount: Int, _ valueCount: Int) -> PageLocation {
            PageLocation(block: BlockLocation(byteOffset: byteOffset, byteCount: byteCount), valueCount: valueCount)
        }
        let directory = KeyIndexDirectory(
            hashBits: 40, columns: [ColumnID(2), ColumnID(9)], rowCount: 20_000,
            blocks: [
                KeyIndexDirectory.Block(firstHash: 17, hashes: page(100, 900, 16_384), rows: page(1_000, 50, 16_384)),
                KeyIndexDirectory.Block(
                    firstHash: 1 << 39, hashes: page(1_050, 90, 3_616), rows: page(1_140, 60, 3_616)),
            ])
        var output = ByteWriter()
        directory.encode(into: &output, segmentOffset: 64)
        let bytes = output.bytes
        func decode(_ bytes: [UInt8]) throws(FormatError) -> KeyIndexDirectory {
            try bytes.span.withUnsafeBytes { (view) throws(FormatError) in
                try KeyIndexDirectory.decode(ByteView(view), segment: 64..<1_200, rowCount: 20_000)
            }
        }
        #expect(try decode(bytes) == directory)
        for length in 0..<bytes.count { #expect(throws: FormatError.self) { try decode(Array(bytes[..<length])) } }
        // Whatever the bytes say, what is read stays inside the segment.
        for _ in 0..<5_000 {
            var damaged = bytes
            for _ in 0...(generator.next() % 3) {
                damaged[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            guard let found = try? decode(damaged) else { continue }
            #expect(found.blocks.reduce(0) { $0 + $1.entryCount } == 20_000)
            for block in found.blocks.flatMap({ [$0.hashes.block, $0.rows.block] }) {
                #expect(block.byteOffset >= 64 && block.end <= 1_200)
            }
        }
    }

    @Test func everyDamagedByteOfAnIndexIsFound() throws {
        let fileSystem = MemoryFileSystem()
        let engine = try open(fileSystem, mask: .max)
        let table = try makeTable(engine)
        try engine.append(batch((0..<40).map { UInt128($0) * 7_919 }), to: table.id)
        try engine.checkpoint()
        let rows = try engine.snapshot().rows(of: table.id)
        let segment = try #require(rows.segments.first)
        let byteCount = try rows.keyIndexByteCount(of: segment)
        try engine.close()
        let path = FilePath("/db/data/\(segment.file).seg")
        let bytes = try fileSystem.open(path, .readOnly).readAll()
        let footer = try SegmentFile.describe(path, fileSystem: fileSystem).segments[0].footerByteCount
        let end = Int(segment.byteOffset + segment.byteCount - footer)
        for offset in (end - byteCount)..<end {
            let file = try fileSystem.open(path, .readWrite)
            try file.write([bytes[offset] ^ 0x20], at: Int64(offset))
            let damages = try SegmentFile.verify(path, fileSystem: fileSystem, database: nil)
            #expect(damages.contains { $0.covers == "key index" || $0.covers == "section 1" }, "byte \(offset)")
            try file.write([bytes[offset]], at: Int64(offset))
        }
        #expect(try SegmentFile.verify(path, fileSystem: fileSystem, database: nil) == [])
    }
}
