// SPDX-License-Identifier: Apache-2.0
//
// An engine with everything around it in the test's hands, and the rows that it shows.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

/// A file system, clocks and an executor that outlive the engines opened on them.
final class EngineWorld {
    let fileSystem: any FileSystem
    let path: FilePath
    var options = StorageOptions()
    var executor = ManualExecutor()
    let random: SeededRandomSource
    let time = ManualTimeSource()

    /// Chance that goes on from world to world: two databases never have the same id, whichever world made them.
    private static let chance = SeededRandomSource(seed: TestSeed.current ?? 7)

    init(
        _ fileSystem: any FileSystem = MemoryFileSystem(), path: FilePath = "/db", random: SeededRandomSource? = nil
    ) {
        self.fileSystem = fileSystem
        self.random = random ?? (fileSystem as? SimulatedFileSystem)?.random ?? Self.chance
        self.path = path
        options.startsThreads = false
        options.flushAgeSeconds = nil
    }

    func open() throws(FirnError) -> StorageEngine {
        try StorageEngine.open(
            path, options: options, fileSystem: fileSystem, timeSource: time, random: random, executor: executor
        ) { segments(of: $0) }
    }

    /// The product's own segments. The cache is small, so that readers meet the disk.
    func segments(of database: DatabaseID) -> SegmentFiles {
        SegmentFiles(fileSystem: fileSystem, database: database, cacheBytesMax: 1 << 20)
    }

    /// Lets an engine go as a killed process does: nothing that waits is run.
    func kill(_ engine: StorageEngine) throws {
        try engine.abandon()
        executor.discardAll()
        executor = ManualExecutor()
    }
}

extension StorageEngine {
    /// All rows of a table at the latest commit.
    func rows(_ table: TableID) throws -> [[Value]] {
        try snapshot().rows(of: table).all()
    }

    func rows(_ name: String) throws -> [[Value]] {
        let snapshot = try snapshot()
        let schema = try #require(snapshot.table(named: name))
        return try snapshot.rows(of: schema.id).all()
    }

    /// A table of (time TIMESTAMPTZ NOT NULL, tag TEXT, value DOUBLE PRECISION).
    func createReadings(_ name: String = "readings", key: [String] = []) throws -> TableSchema {
        try createTable(
            TableDefinition(
                name: name,
                columns: [
                    .init(name: "time", type: .timestamptz(.microseconds), isNullable: false),
                    .init(name: "tag", type: .text, isNullable: true),
                    .init(name: "value", type: .double, isNullable: true),
                ], primaryKey: key))
    }

    @discardableResult
    func append(_ batch: ColumnBatch, to table: TableID) throws(FirnError) -> AppendResult {
        try append(batch, to: table, durability: nil)
    }
}

extension TableSnapshot {
    func all() throws -> [[Value]] {
        var rows: [[Value]] = []
        for morsel in try morsels(pruning: []) {
            let reader = try morsel.reader(of: schema.columns.map(\.id), pruning: [])
            while let batch = try reader.next() { rows += batch.rows }
        }
        return rows
    }
}

enum Readings {
    static let day: Int64 = 86_400_000_000

    /// Rows numbered from `first` on, a second apart.
    static func batch(_ first: Int, count: Int, start: Int64 = 0) -> ColumnBatch {
        ColumnBatch([
            .timestamps(microseconds: (first..<first + count).map { start + Int64($0) * 1_000_000 }),
            .text((first..<first + count).map { "tag-\($0 % 5)" }),
            .doubles((first..<first + count).map { Double($0) / 4 }),
        ])
    }
}

/// Runs `body` and returns the error that it throws.
func failure(_ body: () throws -> Void) -> FirnError? {
    do {
        try body()
        return nil
    } catch {
        return error as? FirnError
    }
}
