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

    /// The numbers are those of Tests/Format/reader/key_index.py, which was written from FORMAT.md alone.
    @Test func hashesAreThoseOfTheFormat() {
        let hasher = KeyHasher(DatabaseID(0x0123_4567_89AB_CDEF_0011_2233_4455_6677))
        func hashes(_ columns: Column...) -> [UInt64] { hasher.hashes(of: columns, rowCount: columns[0].count) }
        #expect(hasher.seed == 0xab74_2c30_1c6c_341a)
        #expect(
            hashes(.integers([0, -1, 1 << 62]))
                == [0xd8b0_c8e7_aa95_dd49, 0x87be_e396_aa6d_a0e9, 0x4d84_1afc_36d4_f85c])
        #expect(hashes(.booleans([false, true])) == [0xd8b0_c8e7_aa95_dd49, 0xab3d_4ffb_5dc1_169d])
        let double: [UInt64] = [
            0xd8b0_c8e7_aa95_dd49, 0xd8b0_c8e7_aa95_dd49, 0xe908_e940_502f_06db, 0x25d0_16ca_2544_c497,
        ]
        #expect(hashes(.doubles([0, -0.0, 0.1, -.nan])) == double)
        #expect(hashes(.floats([0, -0.0, .nan])) == [double[0], double[0], double[3]])
        #expect(
            hashes(.decimals([(150, 2), (15, 1)].map { Decimal(unchecked: $0, scale: $1) }))
                == [0x9cd8_80ab_0fa7_0e09, 0x9cd8_80ab_0fa7_0e09])
        #expect(
            hashes(.text(["", "a", "12345678", "a rather long name"]))
                == [0xa820_9817_9465_dc0e, 0xbda0_9e72_3145_c4af, 0x92b1_7b27_9c2b_5cf2, 0xf69c_fc40_3612_5d55])
        #expect(hashes(.uuids([0, .max])) == [0xdd9e_f687_ad8c_31a2, 0xb786_49e9_b8b6_558c])
        #expect(
            hashes(.intervals([Interval(months: 1), Interval(days: 30), Interval(microseconds: -1)]))
                == [0xed17_0135_7d3a_44ae, 0xed17_0135_7d3a_44ae, 0xb786_49e9_b8b6_558c])
        #expect(hashes(.integers([7]), .text(["host-1"])) == [0x4607_cafe_4dad_76ca])
        #expect(KeyHasher(DatabaseID(1)).seed != KeyHasher(DatabaseID(2)).seed)
        // Of JSONB the text without the zeros behind its numbers; in version 1 as it is written.
        let texts = [#"{"a": 1.50, "b.00": [10, 2.0]}"#, #"{"a": 1.5, "b.00": [10, 2]}"#]
        let json = Column(type: .jsonb, values: .bytes(BytesValues(texts)))
        #expect(hashes(json) == hashes(.text([texts[1], texts[1]])))
        let first = KeyHasher(DatabaseID(0x0123_4567_89AB_CDEF_0011_2233_4455_6677), version: .one)
        #expect(first.hashes(of: [json], rowCount: 2) == hashes(.text(texts)))
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

    /// With checksums that are right again: what the bytes say is refused or read, and never trusted.
    @Test func mutatedIndexesNeverTrap() throws {
        let seed = TestSeed.current ?? 17
        var generator = Xoshiro256(seed: seed)
        var outcomes: [Bool: Int] = [:]
        for (name, bytes) in try FuzzSeeds.inputs(of: "segment") where name.hasPrefix("keyed") {
            for _ in 0..<400 {
                var mutated = bytes
                for _ in 0...(generator.next() % 3) {
                    mutated[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
                }
                outcomes[FuzzTarget.segment.run(mutated) == .accepted, default: 0] += 1
            }
        }
        #expect(outcomes[false] ?? 0 > 300)
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
