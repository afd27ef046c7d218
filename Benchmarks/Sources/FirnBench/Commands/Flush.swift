// SPDX-License-Identifier: Apache-2.0
//
// firn-bench flush: what it costs to make segments of rows that lie in memory, on the one thread that flushes.
//
// The database lives in memory, so that nothing but sorting, encoding, checksums and copying is measured.

import ArgumentParser
import Firn

struct Flush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Append a table to memory, then time its flush to warm segments.")

    @Argument(help: "cpu, real_time_features, labels or sensor_readings.")
    var table: BenchmarkTable
    @OptionGroup var rows: TableOptions
    @Option(help: "Rows in a batch.")
    var batchRows = 10_000
    @Option(help: "Rows that are flushed at once: what a memtable of the default size holds of sensor_readings.")
    var flushRows = 3_300_000
    @Option(help: "Measurements; each flushes all rows anew.")
    var runs = 3
    @OptionGroup var output: ReportOptions

    func validate() throws {
        guard batchRows > 0, flushRows > 0, runs > 0 else { throw ValidationError("counts are above 0") }
    }

    func run() async throws {
        var best = (seconds: Double.infinity, processorSeconds: Double.infinity)
        var rowCount = 0
        for _ in 0..<runs {
            let measured = try await measure()
            rowCount = measured.rowCount
            best.seconds = min(best.seconds, measured.seconds)
            best.processorSeconds = min(best.processorSeconds, measured.processorSeconds)
        }
        output.report([
            "table": .text(table.rawValue), "rows": .integer(rowCount), "flush_seconds": .number(best.seconds),
            "flush_processor_seconds": .number(best.processorSeconds),
            "nanoseconds_per_row": .number(best.seconds * 1e9 / Double(rowCount)),
        ])
    }

    /// Appends until a memtable is full, flushes it, and so on.
    private func measure() async throws -> (rowCount: Int, seconds: Double, processorSeconds: Double) {
        var options = DatabaseOptions()
        // No flush but those that are asked for here.
        options.storage.memtableBytesMax = .max
        options.storage.memoryBytesMax = .max
        options.storage.flushAgeSeconds = nil
        let database = try Database.inMemory(options: options)
        try await database.execute(table.definition)
        let clock = ContinuousClock()
        var source = rows.source(table)
        var (rowCount, pendingCount) = (0, 0)
        var (seconds, processorSeconds) = (0.0, 0.0)
        func flush() async throws {
            let (began, used) = (clock.now, Machine.processorSeconds())
            try await database.checkpoint()
            seconds += (clock.now - began).seconds
            processorSeconds += Machine.processorSeconds() - used
            pendingCount = 0
        }
        while let batch = try source.nextBatch(rowCountMax: batchRows) {
            try await database.append(batch, to: table.rawValue)
            rowCount += batch.rowCount
            pendingCount += batch.rowCount
            if pendingCount >= flushRows { try await flush() }
        }
        try await flush()
        try await database.close()
        return (rowCount, seconds, processorSeconds)
    }
}
