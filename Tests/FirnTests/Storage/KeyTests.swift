// SPDX-License-Identifier: Apache-2.0
//
// Primary keys: no two rows have the same, however they come and whatever happened between.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct KeyTests {
    @Test func aDuplicateIsRefusedWithItsWholeBatch() throws {
        let world = EngineWorld()
        var engine = try world.open()
        let table = try engine.createReadings("features", key: ["tag", "value"])
        func batch(_ keys: [(String, Double)]) -> ColumnBatch {
            ColumnBatch([
                .timestamps(microseconds: keys.indices.map { Int64($0) }), .text(keys.map(\.0)),
                .doubles(keys.map(\.1)),
            ])
        }
        try engine.append(batch([("a", 1), ("b", 1), ("a", 2)]), to: table.id)
        let error = try #require(failure { try engine.append(batch([("c", 1), ("b", 1)]), to: table.id) })
        #expect(error.code == .uniqueViolation)
        #expect(error.message == "duplicate key value violates unique constraint \"features_pkey\"")
        #expect(error.detail == "Key (tag, value)=(b, 1) already exists.")
        #expect(failure { try engine.append(batch([("d", 1), ("d", 1)]), to: table.id) }?.code == .uniqueViolation)
        // -0 and 0 are one value.
        try engine.append(batch([("z", 0)]), to: table.id)
        #expect(failure { try engine.append(batch([("z", -0.0)]), to: table.id) }?.code == .uniqueViolation)
        #expect(try engine.rows("features").count == 4)
        #expect(engine.memoryByteCount == engine.core.withLock { $0.writers[table.id]!.active.byteCount })

        try engine.checkpoint()
        #expect(failure { try engine.append(batch([("a", 2)]), to: table.id) }?.code == .uniqueViolation)
        try engine.close()
        engine = try world.open()
        #expect(failure { try engine.append(batch([("a", 1)]), to: table.id) }?.code == .uniqueViolation)
        try engine.append(batch([("e", 1)]), to: table.id)
        try world.kill(engine)
        engine = try world.open()
        #expect(failure { try engine.append(batch([("e", 1)]), to: table.id) }?.code == .uniqueViolation)

        let load = try engine.beginLoad(into: table.id)
        try load.append(batch((0..<100).map { ("load", Double($0)) }))
        try load.append(batch([("e", 1)]))
        #expect(failure { _ = try load.commit(.asSegments) }?.code == .uniqueViolation)
        load.abandon()
        #expect(try engine.rows("features").count == 5)
        let second = try engine.beginLoad(into: table.id)
        try second.append(batch((0..<100).map { ("load", Double($0)) }))
        _ = try second.commit(.asSegments)
        #expect(failure { try engine.append(batch([("load", 50)]), to: table.id) }?.code == .uniqueViolation)
        #expect(try engine.rows("features").count == 105)
    }

    /// While a key is looked for in the segments that are there, another commit takes it and is flushed.
    @Test func aKeyThatComesToASegmentDuringTheSearchIsFound() throws {
        let world = EngineWorld()
        let (engine, segments) = try world.openHooked()
        let table = try engine.createReadings(key: ["value"])
        try engine.append(Readings.batch(0, count: 3), to: table.id)
        try engine.checkpoint()
        segments.beforeSearching { () throws(FirnError) in
            segments.beforeSearching(nil)
            try engine.append(Readings.batch(7, count: 1), to: table.id)
            try engine.checkpoint()
        }
        let error = failure { try engine.append(Readings.batch(7, count: 1), to: table.id) }
        #expect(error?.code == .uniqueViolation)
        #expect(try engine.rows("readings").count == 4)
        try engine.close()
    }

    /// A key with the time is searched for in segments of that time alone; one without it, in all.
    @Test(arguments: [["tag", "time"], ["value"]])
    func keysAreFoundInOldChunksToo(key: [String]) throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings(key: key)
        func batch(_ number: Int) -> ColumnBatch {
            Readings.batch(number, count: 3, start: Int64(number) * 10 * Readings.day)
        }
        for number in stride(from: 0, to: 60, by: 3) {
            try engine.append(batch(number), to: table.id)
            if number % 2 == 0 { try engine.checkpoint() }
        }
        let edge = ColumnBatch([
            .timestamps(microseconds: [.min, .max]), .text(["tag-0", "tag-0"]), .doubles([-1, -2]),
        ])
        try engine.append(edge, to: table.id)
        try engine.checkpoint()
        #expect(try engine.snapshot().rows(of: table.id).chunks.count > 10)
        for number in stride(from: 0, to: 60, by: 3) {
            #expect(failure { try engine.append(batch(number), to: table.id) }?.code == .uniqueViolation)
            // The last row of one and the first of another.
            let pair = ColumnBatch(
                zip(batch(number).slice(2..<3).columns, Readings.batch(900 + number, count: 1).columns).map {
                    Column.concatenate([$0, $1], type: $0.type)
                }, rowCount: 2)
            #expect(failure { try engine.append(pair, to: table.id) }?.code == .uniqueViolation)
        }
        for row in 0..<2 {
            #expect(failure { try engine.append(edge.slice(row..<row + 1), to: table.id) }?.code == .uniqueViolation)
        }
        try engine.append(Readings.batch(500, count: 3), to: table.id)
        try engine.close()
    }

    @Test func equalKeysHashAlikeInEveryForm() {
        let hasher = KeyHasher(DatabaseID(7))
        let dictionary = BytesDictionary(distinct: BytesValues(["b", "a"]))
        let coded = KeyedBatch(
            [Column(type: .text, values: .dictionary([1, 0], dictionary))], rowCount: 2, hasher: hasher)
        let plain = KeyedBatch([.text(["a", "b"])], rowCount: 2, hasher: hasher)
        #expect(coded.hashes == plain.hashes)
        let decimals = KeyedBatch(
            [.decimals([Decimal(unchecked: 150, scale: 2), Decimal(unchecked: 15, scale: 1)])], rowCount: 2,
            hasher: hasher)
        #expect(decimals.hashes[0] == decimals.hashes[1])
        #expect(decimals.canonicalBytes(0) == decimals.canonicalBytes(1))
        let intervals = KeyedBatch(
            [.intervals([Interval(months: 1), Interval(days: 30)])], rowCount: 2, hasher: hasher)
        #expect(intervals.hashes[0] == intervals.hashes[1])
        #expect(intervals.canonicalBytes(0) == intervals.canonicalBytes(1))
    }

    /// Hashes of version 1 differ for texts of JSONB that are equal: rows are found all the same.
    @Test(arguments: [FormatVersion.one, .two])
    func keysOfJSONInSegmentsOfVersion1AreFoundByReadingThem(version: FormatVersion) throws {
        let world = EngineWorld()
        var engine = try world.open()
        let table = try engine.createTable(
            TableDefinition(
                name: "documents", columns: [.init(name: "key", type: .jsonb, isNullable: false)],
                primaryKey: ["key"]))
        func document(_ text: String) -> ColumnBatch {
            ColumnBatch([Column(type: .jsonb, values: .bytes(BytesValues([text])))])
        }
        try engine.append(document(#"{"a": 1.0}"#), to: table.id)
        try engine.close()
        let name = try #require(try world.fileSystem.list("/db/data").first?.name)
        let file = try world.fileSystem.open(FilePath("/db/data/\(name)"), .readWrite)
        var header = FileHeader(kind: .segments, database: engine.databaseID, file: FileID(UInt64(name.dropLast(4))!))
        header.version = version
        var bytes = ByteWriter(reservingBytes: FileHeader.byteCount)
        header.encode(into: &bytes)
        try file.write(bytes.bytes, at: 0)
        // With another hash than it was stored under, a key is not found in the index.
        world.options.keyHashMask = 0
        engine = try world.open()
        let error = failure { try engine.append(document(#"{"a": 1}"#), to: table.id) }
        #expect(version == .one ? error?.code == .uniqueViolation : error == nil)
        try engine.close()
    }

    @Test func theHashSetHoldsWhatWasInserted() {
        var generator = Xoshiro256(seed: 9)
        var set = HashSet64()
        var model: Set<UInt64> = []
        for _ in 0..<20_000 {
            let hash = generator.next() % 30_000
            // 0 and 1 are kept as one: a hash may stand for several keys anyway.
            guard hash > 1 else { continue }
            #expect(set.insert(hash) == model.insert(hash).inserted)
        }
        for hash in 2..<UInt64(30_000) { #expect(set.contains(hash) == model.contains(hash)) }
    }
}
