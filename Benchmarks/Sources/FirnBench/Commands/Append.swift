// SPDX-License-Identifier: Apache-2.0
//
// firn-bench append: durable appends of small batches by one or many tasks into a new database.
//
// A batch is one step of all sensors: 1,000 rows that share one time. Values come from a pool of 1,000 steps that is
// made before the clock starts and is used again and again with times that go on, so that the engine is measured and
// not the generator. Every append waits for its own acknowledgement before its task sends the next.

import ArgumentParser
import Firn
import Synchronization

struct Append: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Time durable appends of small batches.")

    @Option(help: "The folder of the database; it must not exist.")
    var database: String
    @Option(help: "Tasks that append at once.")
    var producers = 1
    @Option(help: "Stop after this many seconds.")
    var seconds: Double?
    @Option(help: "Stop after this many rows.")
    var rows: Int?
    @Option(help: "Rows in a batch.")
    var batchRows = 1_000
    @Option(help: "Seed of the generators.")
    var seed = defaultSeed
    @OptionGroup var output: ReportOptions

    func validate() throws {
        guard (seconds == nil) != (rows == nil) else { throw ValidationError("give either --seconds or --rows") }
        guard producers > 0, batchRows > 0 else { throw ValidationError("producers and rows of a batch are positive") }
    }

    func run() async throws {
        guard Machine.fileBytes(in: self.database).isEmpty else {
            throw ValidationError("\(self.database) is not empty; appends are measured into a new database")
        }
        let clock = ContinuousClock()
        let database = try await Database.open(at: self.database)
        let table = BenchmarkTable.sensorReadings
        try await database.execute(table.definition)
        let pool = try StepPool(seed: seed + 2, rowsPerStep: batchRows)
        let before = try PhysicalLimits.durableWrites(in: self.database, bytes: batchRows * 20, seconds: 1)

        let stepCountMax = rows.map { ($0 + batchRows - 1) / batchRows } ?? Int.max
        let nextStep = Counter()
        let began = clock.now
        let end = seconds.map { began + .seconds($0) }
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<producers {
                group.addTask {
                    var latencies: [Double] = []
                    while true {
                        if let end, clock.now >= end { return latencies }
                        let step = nextStep.take()
                        if step >= stepCountMax { return latencies }
                        let batch = try pool.batch(step)
                        let sent = clock.now
                        try await database.append(batch, to: table.rawValue, durability: .synced)
                        latencies.append((clock.now - sent).microseconds)
                    }
                }
            }
            return try await group.reduce(into: [Double]()) { $0 += $1 }
        }
        let elapsed = (clock.now - began).seconds

        let after = try PhysicalLimits.durableWrites(in: self.database, bytes: batchRows * 20, seconds: 1)
        let acknowledged = latencies.count * batchRows
        let found = try await rowCount(database, table)
        guard found == acknowledged else {
            throw CountMismatch(description: "\(acknowledged) rows were acknowledged, \(found) are there")
        }
        let peak = Machine.peakResidentBytes()
        let closing = clock.now
        try await database.close()
        output.report([
            "producers": .integer(producers), "batch_rows": .integer(batchRows), "rows": .integer(acknowledged),
            "seconds": .number(elapsed), "rows_per_second": .number(Double(acknowledged) / elapsed),
            "append": Sample(latencies).summary("microseconds"),
            "durable_write_before": before.summary("microseconds"),
            "durable_write_after": after.summary("microseconds"),
            "close_seconds": .number((clock.now - closing).seconds), "peak_resident_bytes": .integer(peak),
            "disk_bytes": .integer(Machine.fileBytes(in: self.database).reduce(0) { $0 + $1.bytes }),
        ])
    }

    private func rowCount(_ database: Database, _ table: BenchmarkTable) async throws -> Int {
        for try await batch in try await database.query("SELECT count(*) FROM \(table.rawValue)") {
            if let counts = batch.columns[0].integerValues, let count = counts.first { return Int(count) }
        }
        throw CountMismatch(description: "count(*) gave no row")
    }
}

/// The database does not hold what it acknowledged.
struct CountMismatch: Error, CustomStringConvertible { let description: String }

/// Hands each step to one task.
private final class Counter: Sendable {
    private let value = Atomic(0)
    func take() -> Int { value.add(1, ordering: .relaxed).oldValue }
}

/// Steps of all sensors without end: pooled values under times that go on.
struct StepPool: Sendable {
    private let names: Column
    private let values: [Column]
    private let rowsPerStep: Int

    init(seed: UInt64, rowsPerStep: Int, stepCount: Int = 1_000) throws {
        self.rowsPerStep = rowsPerStep
        var source = SensorReadings(seed: seed, sensorCount: rowsPerStep, stepCount: stepCount)
        var values: [Column] = []
        while let batch = try source.nextBatch(rowCountMax: rowsPerStep) { values.append(batch.columns[2]) }
        self.values = values
        names = try .text(codes: (0..<UInt32(rowsPerStep)).map { $0 }, dictionary: source.dictionary)
    }

    func batch(_ step: Int) throws -> ColumnBatch {
        let time = firstMicrosecond + Int64(step) * SensorReadings.stepMicroseconds
        return try ColumnBatch([
            .timestamps(microseconds: Array(repeating: time, count: rowsPerStep)), names, values[step % values.count],
        ])
    }
}
