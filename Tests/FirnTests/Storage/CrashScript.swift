// SPDX-License-Identifier: Apache-2.0
//
// A history of changes to a database, run until the world ends, and what may be left of it.
//
// After every commit the model keeps the whole state: for each table the numbers of its rows. What is found after a
// crash must be one of these states: not older than the last that was acknowledged as durable, not newer than the last
// that was attempted. So acknowledged commits are there, others wholly or not at all, and in their order.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

struct CrashScript {
    enum Step {
        case create(String, key: [String] = [])
        case drop(String)
        case append(String, count: Int, Durability)
        /// Rows in files of their own, whatever their number.
        case load(String, batches: Int)
        case abandonedLoad(String)
        case chunk(String, days: Int64)
        case sync
        case checkpoint
        /// Every chunk of the table is written anew, a few rows at a time.
        case rewrite(String, SegmentProfile)
        case background
        case reopen
        /// The process is killed; the machine lives on.
        case kill
    }

    typealias State = [String: [Int]]

    let steps: [Step]

    /// What a run has done so far.
    struct Progress {
        /// The state after each commit; the first is the empty database.
        var states: [State] = [[:]]
        /// Commits that were acknowledged as durable.
        var durableCount = 0
        /// True while a commit was attempted whose outcome is unknown: it is the last of `states` then.
        var nextRow = 0
    }

    /// A history that visits everything the engine does, on a database with small files and memtables.
    static let everything = CrashScript(steps: [
        .create("a"), .append("a", count: 3, .synced), .create("b"), .append("b", count: 2, .synced),
        .append("a", count: 20, .synced), .checkpoint, .append("a", count: 1, .memory),
        .append("b", count: 2, .buffered(flushIntervalNanoseconds: 1_000_000)), .append("a", count: 4, .synced),
        .load("b", batches: 2), .append("b", count: 3, .synced), .abandonedLoad("a"), .background,
        .append("b", count: 2, .memory), .rewrite("b", .cold), .background, .chunk("b", days: 1),
        .append("b", count: 5, .memory), .sync, .drop("a"), .checkpoint, .create("a"),
        .append("a", count: 12, .synced), .append("a", count: 12, .synced), .append("a", count: 12, .synced),
        .append("b", count: 12, .synced), .append("a", count: 12, .synced), .checkpoint, .background,
        .rewrite("a", .cold), .append("a", count: 3, .memory), .rewrite("a", .warm), .background,
        .append("a", count: 2, .synced), .reopen, .append("a", count: 2, .synced), .append("b", count: 2, .synced),
        .kill, .append("a", count: 2, .synced), .append("a", count: 2, .memory), .kill,
        .append("b", count: 2, .synced), .checkpoint, .append("b", count: 1, .synced), .reopen,
    ])

    /// A history of a table whose rows have a key, in every place where a row can be.
    static let keyed = CrashScript(steps: [
        .create("k", key: ["tag", "value"]), .append("k", count: 3, .synced), .append("k", count: 20, .synced),
        .append("k", count: 2, .memory), .checkpoint, .append("k", count: 4, .synced), .load("k", batches: 2),
        .append("k", count: 3, .buffered(flushIntervalNanoseconds: 1_000_000)), .background, .rewrite("k", .cold),
        .abandonedLoad("k"), .append("k", count: 2, .synced), .chunk("k", days: 1), .append("k", count: 5, .memory),
        .sync, .append("k", count: 12, .synced), .append("k", count: 12, .synced), .append("k", count: 12, .synced),
        .checkpoint, .reopen, .append("k", count: 2, .synced), .load("k", batches: 3), .kill,
        .append("k", count: 2, .memory), .rewrite("k", .warm), .append("k", count: 2, .memory), .kill,
        .append("k", count: 2, .synced), .background, .checkpoint, .append("k", count: 1, .synced), .reopen,
    ])

    static func options() -> StorageOptions {
        var options = StorageOptions()
        options.startsThreads = false
        options.flushAgeSeconds = nil
        options.memtableBytesMax = 4_000
        options.memoryBytesMax = 12_000
        options.logFileBytes = 1_500
        return options
    }

    static func world(_ fileSystem: any FileSystem) -> EngineWorld {
        let world = EngineWorld(fileSystem, path: "/parent/db")
        world.options = options()
        return world
    }

    /// Runs the steps in a world; throws what the world throws, with `progress` as far as it came.
    func run(_ fileSystem: SimulatedFileSystem, _ progress: inout Progress) throws {
        let world = Self.world(fileSystem)
        var engine = try world.open()
        for step in steps {
            switch step {
            case .create(let name, let key):
                try attempt(&progress, isDurable: true) {
                    $0[name] = []
                } body: {
                    _ = try engine.createReadings(name, key: key)
                }
            case .drop(let name):
                let table = try id(of: name, engine)
                try attempt(&progress, isDurable: true) {
                    $0[name] = nil
                } body: {
                    try engine.dropTables([table])
                }
            case .chunk(let name, let days):
                let table = try id(of: name, engine)
                try attempt(&progress, isDurable: true) { _ in
                } body: {
                    try engine.setChunking(
                        of: table,
                        ChunkingPolicy(column: ColumnID(1), interval: days * Readings.day, isHypertable: true))
                }
            case .append(let name, let count, let durability):
                let table = try id(of: name, engine)
                let first = progress.nextRow
                progress.nextRow += count
                try attempt(&progress, isDurable: durability == .synced) { state in
                    state[name]! += Array(first..<first + count)
                } body: {
                    _ = try engine.append(Numbered.batch(first, count: count), to: table, durability: durability)
                }
            case .load(let name, let batches):
                let table = try id(of: name, engine)
                let first = progress.nextRow
                progress.nextRow += batches * 5
                try attempt(&progress, isDurable: true) { state in
                    state[name]! += Array(first..<first + batches * 5)
                } body: {
                    let load = try engine.beginLoad(into: table)
                    for batch in 0..<batches { try load.append(Numbered.batch(first + batch * 5, count: 5)) }
                    _ = try load.commit(.asSegments)
                }
            case .abandonedLoad(let name):
                let load = try engine.beginLoad(into: try id(of: name, engine))
                try load.append(Numbered.batch(1_000_000, count: 40))
                load.abandon()
            case .sync:
                try engine.sync()
                progress.durableCount = progress.states.count - 1
            case .checkpoint:
                try engine.checkpoint()
                progress.durableCount = progress.states.count - 1
            case .rewrite(let name, let profile):
                let snapshot = try engine.snapshot()
                let table = try id(of: name, engine)
                for chunk in try snapshot.rows(of: table).chunks {
                    _ = try engine.rewriteChunk(chunk.id, of: table, to: profile, partBytesMax: 150)
                    progress.durableCount = progress.states.count - 1
                }
            case .background: world.executor.runAll()
            case .reopen:
                try engine.close()
                progress.durableCount = progress.states.count - 1
                engine = try world.open()
            case .kill:
                // Nothing that waited runs; what was handed to the operating system stays.
                try world.kill(engine)
                engine = try world.open()
                let state = try Numbered.state(of: engine)
                let survivor = progress.states[progress.durableCount...].lastIndex(of: state)
                let found = try #require(survivor, "after a kill a state that was reached is found")
                progress.states.removeSubrange((found + 1)...)
                progress.durableCount = found
            }
        }
        try engine.close()
        progress.durableCount = progress.states.count - 1
    }

    private func id(of name: String, _ engine: StorageEngine) throws -> TableID {
        try #require(try engine.snapshot().table(named: name)).id
    }

    private func attempt(
        _ progress: inout Progress, isDurable: Bool, _ change: (inout State) -> Void, body: () throws -> Void
    ) throws {
        var state = progress.states.last!
        change(&state)
        progress.states.append(state)
        do {
            try body()
        } catch let error as FirnError where error.code != .outcomeUnknown && !error.isSimulatedCrash {
            // A failed statement changes nothing, not even after the next opening.
            progress.states.removeLast()
            throw error
        }
        if isDurable { progress.durableCount = progress.states.count - 1 }
    }

    /// Opens what is left and compares it with what may be left; returns which state it was.
    @discardableResult
    static func check(
        _ fileSystem: any FileSystem, _ progress: Progress, _ comment: @autoclosure () -> String
    ) throws -> Int? {
        let world = world(fileSystem)
        let engine: StorageEngine
        do {
            engine = try world.open()
        } catch {
            Issue.record("\(comment()): the database does not open: \(error)")
            return nil
        }
        let state = try Numbered.state(of: engine)
        let found = progress.states.indices.last { $0 >= progress.durableCount && progress.states[$0] == state }
        if found == nil {
            Issue.record(
                "\(comment()): found \(state), expected one of \(progress.states[progress.durableCount...])")
        }
        for table in try engine.snapshot().tables where !table.primaryKey.isEmpty {
            try checkKeys(of: table, engine, found: state[table.name]!, progress, comment())
        }
        // Life goes on: a commit, a flush and a clean end leave exactly what was found and the commit.
        if state["a"] != nil, let table = try engine.snapshot().table(named: "a") {
            try engine.append(Numbered.batch(2_000_000, count: 3), to: table.id)
            try engine.checkpoint()
            try engine.close()
            var expected = state
            expected["a"]! += [2_000_000, 2_000_001, 2_000_002]
            let again = try world.open()
            #expect(try Numbered.state(of: again) == expected, "\(comment()): going on")
            try again.close()
        } else {
            try engine.close()
        }
        return found
    }
}

extension CrashScript {
    /// No row that is there can come again; every row that was lost can, once.
    private static func checkKeys(
        of table: TableSchema, _ engine: StorageEngine, found: [Int], _ progress: Progress, _ comment: String
    ) throws {
        func append(_ number: Int) -> FirnError? {
            failure { try engine.append(Numbered.batch(number, count: 1), to: table.id) }
        }
        func refuses(_ numbers: some Sequence<Int>) {
            for number in numbers where append(number)?.code != .uniqueViolation {
                Issue.record("\(comment): row \(number) is there twice")
            }
        }
        refuses(found)
        let lost = Set(progress.states.flatMap { $0[table.name] ?? [] }).subtracting(found).sorted()
        for (position, number) in lost.enumerated() {
            // Memory is small: nothing else flushes here.
            if position % 10 == 9 { try engine.checkpoint() }
            if let error = append(number) { Issue.record("\(comment): row \(number) was lost: \(error)") }
        }
        refuses(lost)
        try engine.checkpoint()
        refuses(found + lost)
        let rows = try Numbered.state(of: engine)[table.name]
        #expect(rows == (found + lost).sorted(), "\(comment): keys")
    }
}

extension FirnError {
    /// Whether the simulated world ended: then nobody knows what became of a statement.
    var isSimulatedCrash: Bool { message.contains("simulated crash") }
}

/// Rows that know their number, so that a row that was torn or mixed up is noticed.
enum Numbered {
    static func batch(_ first: Int, count: Int) -> ColumnBatch {
        ColumnBatch([
            .timestamps(microseconds: (first..<first + count).map(time)),
            .text((first..<first + count).map { "tag-\($0 % 5)" }),
            .doubles((first..<first + count).map { Double($0) / 4 }),
        ])
    }

    /// Spread over a few chunks.
    private static func time(_ number: Int) -> Int64 { Int64(number % 7) * 3 * Readings.day + Int64(number) }

    /// The numbers of all rows of all tables, ascending.
    static func state(of engine: StorageEngine) throws -> CrashScript.State {
        let snapshot = try engine.snapshot()
        var state: CrashScript.State = [:]
        for table in snapshot.tables {
            var numbers: [Int] = []
            let rows = try snapshot.rows(of: table.id)
            for morsel in try rows.morsels(pruning: []) {
                let reader = try morsel.reader(of: table.columns.map(\.id), pruning: [])
                while let batch = try reader.next() {
                    let times = try #require(batch.columns[0].integerValues)
                    for (row, value) in try #require(batch.columns[2].doubleValues).enumerated() {
                        let number = Int(value * 4)
                        guard times[row] == time(number), batch.columns[1][row] == .text("tag-\(number % 5)") else {
                            throw FirnError(.dataCorrupted, "row \(number) is mixed up")
                        }
                        numbers.append(number)
                    }
                }
            }
            guard numbers.count == rows.rowCount else {
                throw FirnError(.dataCorrupted, "\(numbers.count) rows, where the count says \(rows.rowCount)")
            }
            state[table.name] = numbers.sorted()
        }
        return state
    }
}
