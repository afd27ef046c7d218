// SPDX-License-Identifier: Apache-2.0
//
// A chunk that is written anew has the same rows in fewer segments, whoever reads or appends meanwhile.

import FirnIO
import Synchronization
import SystemPackage
import Testing

@testable import Firn

@Suite struct ChunkRewriteTests {
    /// An engine whose segments are the product's own.
    private func open(_ fileSystem: MemoryFileSystem, _ executor: ManualExecutor) throws(FirnError) -> StorageEngine {
        var options = StorageOptions()
        options.startsThreads = false
        options.flushAgeSeconds = nil
        return try StorageEngine.open(
            "/db", options: options, fileSystem: fileSystem, timeSource: ManualTimeSource(),
            random: SeededRandomSource(seed: 7), executor: executor
        ) { database in SegmentFiles(fileSystem: fileSystem, database: database) }
    }

    private func fileCount(_ fileSystem: MemoryFileSystem) throws -> Int {
        try fileSystem.list("/db/data").count
    }

    /// (time, tag, value): `count` rows of `tags` series, in commits of a few rows, flushed now and then.
    private func fill(_ engine: StorageEngine, _ table: TableID, count: Int, tags: Int) throws {
        for first in stride(from: 0, to: count, by: 500) {
            let numbers = Array(first..<min(first + 500, count))
            try engine.append(
                ColumnBatch([
                    // Many rows share a time and a tag: their order is that of the commits.
                    .timestamps(microseconds: numbers.map { Int64($0 / 40) * 1_000_000 }),
                    .text(numbers.map { "tag-\($0 % tags)" }), .doubles(numbers.map { Double($0) }),
                ]), to: table)
            if first % 1_500 == 0 { try engine.checkpoint() }
        }
    }

    @Test(arguments: [ChunkRewrite.partBytesMax, 40_000])
    func theRowsAreTheSameAndTiesKeepTheOrderOfCommits(partBytesMax: Int) throws {
        let fileSystem = MemoryFileSystem()
        let executor = ManualExecutor()
        let engine = try open(fileSystem, executor)
        let table = try engine.createReadings()
        try engine.setSortKey(of: table.id, [ColumnID(2)])
        try fill(engine, table.id, count: 12_000, tags: 3)
        let before = try engine.snapshot().rows(of: table.id)
        let chunk = try #require(before.chunks.first)
        #expect(before.chunks.count == 1)
        #expect(before.segments.count > 4)
        let outcome = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold, partBytesMax: partBytesMax)
        #expect(outcome == .rewritten)
        let after = try engine.snapshot().rows(of: table.id)
        #expect(after.segments.allSatisfy { $0.profile == .cold })
        #expect(partBytesMax < 1 << 20 ? after.segments.count > 3 : after.segments.count == 1)
        #expect(after.rowCount == 12_000)
        // By key, time and commit: what a stable sort of the commits gives.
        let expected = try before.all().sorted { left, right in
            guard case .text(let tag) = left[1], case .text(let other) = right[1],
                case .double(let number) = left[2], case .double(let otherNumber) = right[2]
            else { return false }
            return (tag, number) < (other, otherNumber)
        }
        let found = try after.all()
        if after.segments.count == 1 { #expect(found == expected) }
        for tag in 0..<3 {
            let own = found.filter { $0[1] == .text("tag-\(tag)") }
            #expect(own == expected.filter { $0[1] == .text("tag-\(tag)") }, "tag \(tag)")
        }
        #expect(try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in } == .unchanged)

        // A reader holds the old files; they go with it. The new ones survive a restart.
        executor.runAll()
        let oldCount = try fileCount(fileSystem)
        #expect(try before.all().count == 12_000)
        #expect(oldCount > 4)
        try engine.close()
        let again = try open(fileSystem, ManualExecutor())
        #expect(try again.snapshot().rows(of: table.id).all() == found)
        try again.close()
    }

    @Test func filesGoWithTheirLastReader() throws {
        let fileSystem = MemoryFileSystem()
        let executor = ManualExecutor()
        let engine = try open(fileSystem, executor)
        let table = try engine.createReadings()
        try fill(engine, table.id, count: 6_000, tags: 3)
        var reader: (any TableSnapshot)? = try engine.snapshot().rows(of: table.id)
        let chunk = try #require(reader?.chunks.first)
        _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in }
        executor.runAll()
        #expect(try fileCount(fileSystem) > 2)
        #expect(try reader?.all().count == 6_000)
        reader = nil
        executor.runAll()
        #expect(try fileCount(fileSystem) == 1)
        try engine.close()
    }

    @Test func appendsGoOnMeanwhile() throws {
        let fileSystem = MemoryFileSystem()
        let engine = try open(fileSystem, ManualExecutor())
        let table = try engine.createReadings()
        try fill(engine, table.id, count: 3_000, tags: 3)
        let chunk = try #require(try engine.snapshot().rows(of: table.id).chunks.first)
        // Commits and a flush in the middle of the rewrite, once the old segments are being read.
        let rounds = Mutex(0)
        let outcome = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in
            let round = rounds.withLock { rounds in
                rounds += 1
                return rounds
            }
            if round == 2 {
                try engine.append(Readings.batch(50_000, count: 30), to: table.id)
                try engine.checkpoint()
                try engine.append(Readings.batch(60_000, count: 7), to: table.id)
            }
        }
        #expect(outcome == .rewritten)
        #expect(rounds.withLock { $0 } > 2)
        let rows = try engine.snapshot().rows(of: table.id)
        #expect(rows.rowCount == 3_037)
        #expect(try rows.all().count == 3_037)
        #expect(rows.segments.map(\.profile) == [.cold, .warm])
        // The next time all become one.
        #expect(try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in } == .rewritten)
        #expect(try engine.snapshot().rows(of: table.id).segments.map(\.rowCount) == [3_037])
        try engine.close()
    }

    @Test func whoWaitsForAnotherRewriteCanBeCancelled() throws {
        let engine = try open(MemoryFileSystem(), ManualExecutor())
        let table = try engine.createReadings()
        try fill(engine, table.id, count: 10, tags: 2)
        let chunk = try #require(try engine.snapshot().rows(of: table.id).chunks.first).id
        var askedCount = 0
        // This thread writes another chunk anew.
        try engine.rewrites.withLock({}) {
            let error = failure {
                _ = try engine.rewriteChunk(chunk, of: table.id, to: .cold) { () throws(FirnError) in
                    askedCount += 1
                    if askedCount == 2 { throw FirnError(.queryCanceled, "canceling statement due to user request") }
                }
            }
            #expect(error?.code == .queryCanceled)
        }
        #expect(askedCount == 2)
        #expect(try engine.rewriteChunk(chunk, of: table.id, to: .cold) {} == .rewritten)
        try engine.close()
    }

    @Test func aCancelledRewriteLeavesNothing() throws {
        let fileSystem = MemoryFileSystem()
        let executor = ManualExecutor()
        let engine = try open(fileSystem, executor)
        let table = try engine.createReadings()
        try fill(engine, table.id, count: 3_000, tags: 3)
        let chunk = try #require(try engine.snapshot().rows(of: table.id).chunks.first)
        let rows = try engine.rows(table.id)
        let filesBefore = try fileCount(fileSystem)
        let error = failure {
            _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in
                throw FirnError(.queryCanceled, "enough")
            }
        }
        executor.runAll()
        #expect(error?.code == .queryCanceled)
        #expect(try engine.rows(table.id) == rows)
        #expect(try fileCount(fileSystem) <= filesBefore + 1)
        try engine.close()
        let again = try open(fileSystem, ManualExecutor())
        #expect(again.notices == [])
        #expect(try again.rows(table.id) == rows)
        try again.close()
    }

    @Test func aTableThatGoesMeanwhileIsAnError() throws {
        let engine = try open(MemoryFileSystem(), ManualExecutor())
        let table = try engine.createReadings()
        try fill(engine, table.id, count: 1_000, tags: 3)
        let chunk = try #require(try engine.snapshot().rows(of: table.id).chunks.first)
        let error = failure {
            _ = try engine.rewriteChunk(chunk.id, of: table.id, to: .cold) { () throws(FirnError) in
                if (try engine.snapshot()).table(named: "readings") != nil {
                    try engine.dropTables([table.id])
                    try engine.checkpoint()
                }
            }
        }
        #expect(error?.code == .undefinedTable)
        try engine.close()
    }
}
