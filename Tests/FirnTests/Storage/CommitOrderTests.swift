// SPDX-License-Identifier: Apache-2.0
//
// Rows of one series with one time are told apart by the order of their commits, wherever they lie.

import FirnIO
import Testing

@testable import Firn

@Suite struct CommitOrderTests {
    /// A commit of a history: rows of few series and few times, so that nearly all are tied.
    private static func batch(_ first: Int, count: Int, _ generator: inout Xoshiro256) -> ColumnBatch {
        ColumnBatch([
            .timestamps(microseconds: (0..<count).map { _ in Int64(generator.next() % 3) * 8 * Readings.day }),
            .text((0..<count).map { _ in "tag-\(generator.next() % 3)" }),
            .doubles((first..<first + count).map(Double.init)),
        ])
    }

    /// first and last of each series, computed by hand over all rows in the order of their commits.
    private struct Model {
        private struct End {
            var time: Int64
            var value: Double
        }
        private var ends: [String: (first: End, last: End)] = [:]

        mutating func add(_ batch: ColumnBatch) {
            for row in batch.rows {
                guard case .integer(let time) = row[0], case .text(let tag) = row[1], case .double(let value) = row[2]
                else { preconditionFailure("rows of batch(_:count:)") }
                let end = End(time: time, value: value)
                guard let known = ends[tag] else {
                    ends[tag] = (end, end)
                    continue
                }
                if time < known.first.time { ends[tag]!.first = end }
                if time >= known.last.time { ends[tag]!.last = end }
            }
        }

        var rows: [[String]] {
            ends.sorted { $0.key < $1.key }.map {
                [$0.key, "\(Int($0.value.first.value))", "\(Int($0.value.last.value))"]
            }
        }
    }

    private static let query =
        "SELECT tag, first(value, time)::bigint, last(value, time)::bigint FROM readings GROUP BY tag ORDER BY tag"

    private func rows(_ database: Database) async throws -> [[String]] {
        try await RealDataTests.table(try await database.query(Self.query)).rows
    }

    /// Segments of a chunk that may hold the same keys: those of one load, or else such whose commits do not mix.
    private func checkRanges(_ engine: StorageEngine, _ table: TableID, _ comment: Comment) throws {
        let segments = try engine.snapshot().rows(of: table).segments
        for (index, segment) in segments.enumerated() {
            for other in segments[..<index] where other.chunk == segment.chunk {
                let isApart = other.lsnRange.upperBound < segment.lsnRange.lowerBound
                let isOneLoad =
                    other.lsnRange == segment.lsnRange && other.lsnRange.lowerBound == other.lsnRange.upperBound
                #expect(isApart || isOneLoad, comment)
            }
        }
    }

    @Test func firstAndLastAreTheSameBeforeAFlushAfterItAndAfterCompression() async throws {
        let seed = TestSeed.current ?? UInt64.random(in: 0..<1_000_000)
        for history in 0..<8 as Range<UInt64> { try await run(seed: seed &+ history) }
    }

    private func run(seed: UInt64) async throws {
        var generator = Xoshiro256(seed: seed)
        let files = MemoryFileSystem()
        var options = DatabaseOptions()
        options.fileSystem = files
        options.storage.flushAgeSeconds = nil
        // Some loads write several files.
        options.storage.memtableBytesMax = 3_000
        options.storage.memoryBytesMax = 64 << 20
        var database = try await Database.open(at: "/db", options: options)
        var engine = try database.openStore()
        let table = try engine.createReadings()
        try engine.setSortKey(of: table.id, [ColumnID(2)])
        var model = Model()
        var nextRow = 0
        for step in 0..<30 {
            let comment: Comment = "seed \(seed), step \(step)"
            switch generator.next() % 12 {
            case 0: try engine.checkpoint()
            case 1:
                let chunks = try engine.snapshot().rows(of: table.id).chunks
                for chunk in chunks where generator.next() % 2 == 0 {
                    let profile: SegmentProfile = generator.next() % 2 == 0 ? .cold : .warm
                    _ = try engine.rewriteChunk(chunk.id, of: table.id, to: profile, partBytesMax: 2_000)
                }
            case 2:
                try await database.close()
                database = try await Database.open(at: "/db", options: options)
                engine = try database.openStore()
            case 3:
                // Killed: the log is replayed.
                try engine.sync()
                try engine.abandon()
                database = try await Database.open(at: "/db", options: options)
                engine = try database.openStore()
            case 4:
                try engine.sync()
                try engine.abandon()
                var reading = options
                reading.storage.access = .readOnly
                let reader = try await Database.open(at: "/db", options: reading)
                #expect(try await rows(reader) == model.rows, comment)
                try await reader.close()
                database = try await Database.open(at: "/db", options: options)
                engine = try database.openStore()
            case 5, 6, 7:
                let load = try engine.beginLoad(into: table.id)
                for _ in 0...generator.next() % 4 {
                    let batch = Self.batch(nextRow, count: Int(generator.next() % 40) + 1, &generator)
                    nextRow += batch.rowCount
                    try load.append(batch)
                    model.add(batch)
                }
                _ = try load.commit(.asSegments)
            default:
                let batch = Self.batch(nextRow, count: Int(generator.next() % 20) + 1, &generator)
                nextRow += batch.rowCount
                try engine.append(batch, to: table.id, durability: .memory)
                model.add(batch)
            }
            #expect(try await rows(database) == model.rows, comment)
            try checkRanges(engine, table.id, comment)
        }
        try engine.checkpoint()
        #expect(try await rows(database) == model.rows, "seed \(seed), flushed")
        for chunk in try engine.snapshot().rows(of: table.id).chunks {
            _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold, partBytesMax: ChunkRewrite.partBytesMax)
        }
        #expect(try await rows(database) == model.rows, "seed \(seed), compressed")
        try await database.close()
        #expect(try await Database.check(at: "/db", options: options).damages == [])
    }

    /// The smallest input: a row, and a load of one with the same time and series.
    @Test func aLoadIsReadBehindTheRowsThatWereCommittedBeforeIt() throws {
        let world = EngineWorld()
        let engine = try world.open()
        let table = try engine.createReadings()
        func row(_ value: Double) -> ColumnBatch {
            ColumnBatch([.timestamps(microseconds: [0]), .text(["a"]), .doubles([value])])
        }
        func values(_ engine: StorageEngine) throws -> [Value] { try engine.rows("readings").map { $0[2] } }
        try engine.append(row(1), to: table.id)
        let load = try engine.beginLoad(into: table.id)
        try load.append(row(2))
        _ = try load.commit(.asSegments)
        try engine.append(row(3), to: table.id)
        let expected: [Value] = [.double(1), .double(2), .double(3)]
        #expect(try values(engine) == expected)
        try world.kill(engine)
        let again = try world.open()
        #expect(try values(again) == expected)
        try again.append(row(4), to: table.id)
        try again.checkpoint()
        #expect(try values(again) == expected + [.double(4)])
        let chunk = try #require(try again.snapshot().rows(of: table.id).chunks.first)
        _ = try again.rewriteChunk(chunk.id, of: table.id, to: .cold, partBytesMax: ChunkRewrite.partBytesMax)
        #expect(try values(again) == expected + [.double(4)])
        try again.close()
    }

    /// Bytes that loads push out of the active memtable still count towards the next flush.
    @Test func rowsBehindALoadAreFlushedBySizeToo() throws {
        let world = EngineWorld()
        world.options.memtableBytesMax = 6_000
        let engine = try world.open()
        let table = try engine.createReadings()
        var steps = 0
        while world.executor.waitingNames.isEmpty, steps < 100 {
            steps += 1
            try engine.append(Readings.batch(steps, count: 10), to: table.id)
            let load = try engine.beginLoad(into: table.id)
            try load.append(Readings.batch(1_000 + steps, count: 1))
            _ = try load.commit(.asSegments)
        }
        #expect(world.executor.waitingNames == ["flush"])
        world.executor.runAll()
        #expect(engine.memoryByteCount == 0)
        #expect(try engine.rows("readings").count == steps * 11)
        try engine.close()
    }
}
