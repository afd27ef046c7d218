// SPDX-License-Identifier: Apache-2.0
//
// firn-bench load: a table into a new database through the batch API, with the peak memory of doing so.
//
// The rows are made while they are loaded, so the memory is the engine's and a few batches. The time of making them is
// reported beside the whole and is part of it.

import ArgumentParser
import Firn

struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Load a table in batches at the default settings.")

    @Argument(help: "cpu, real_time_features, labels or sensor_readings.")
    var table: BenchmarkTable
    @OptionGroup var rows: TableOptions
    @Option(help: "The folder of the database; it must not exist.")
    var database: String
    @Option(help: "Rows in a batch.")
    var batchRows = 10_000
    @OptionGroup var output: ReportOptions

    func run() async throws {
        guard Machine.fileBytes(in: database).isEmpty else {
            throw ValidationError("\(database) is not empty; loads are measured into a new database")
        }
        let clock = ContinuousClock()
        let database = try await Database.open(at: self.database)
        try await database.execute(table.definition)
        var source = rows.source(table)
        var rowCount = 0
        var generating = Duration.zero
        let began = clock.now
        while true {
            let asked = clock.now
            guard let batch = try source.nextBatch(rowCountMax: batchRows) else { break }
            generating += clock.now - asked
            try await database.append(batch, to: table.rawValue)
            rowCount += batch.rowCount
            if rowCount / 1_000_000 > (rowCount - batch.rowCount) / 1_000_000 {
                progress("\(rowCount / 1_000_000) million rows after \((clock.now - began).seconds) s")
            }
        }
        let appended = clock.now
        let appendPeak = Machine.peakResidentBytes()
        try await database.checkpoint()
        let checkpointed = clock.now
        let peak = Machine.peakResidentBytes()
        try await database.close()
        let bytes = Machine.fileBytes(in: self.database)
        output.report([
            "table": .text(table.rawValue), "rows": .integer(rowCount), "batch_rows": .integer(batchRows),
            "append_seconds": .number((appended - began).seconds),
            "of_which_generating_seconds": .number(generating.seconds),
            "checkpoint_seconds": .number((checkpointed - appended).seconds),
            "peak_resident_bytes_of_appends": .integer(appendPeak), "peak_resident_bytes": .integer(peak),
            "disk_bytes": .integer(bytes.reduce(0) { $0 + $1.bytes }),
            "disk_bytes_of_data": .integer(bytes.first { $0.name == "data" }?.bytes ?? 0),
        ])
    }
}
