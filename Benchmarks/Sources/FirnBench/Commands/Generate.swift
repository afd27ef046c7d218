// SPDX-License-Identifier: Apache-2.0
//
// firn-bench generate: a table's rows as files, for the peers.

import ArgumentParser

struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the rows of a table as CSV or raw columns.")

    enum Format: String, CaseIterable, ExpressibleByArgument { case csv, columns }

    @Argument(help: "cpu, real_time_features, labels or sensor_readings.")
    var table: BenchmarkTable
    @OptionGroup var rows: TableOptions
    @Option(help: "csv: one file with a header; columns: one raw little-endian file a column.")
    var format = Format.csv
    @Option(help: "The CSV file (- is standard output), or the folder of the column files.")
    var output: String

    func run() throws {
        var source = self.rows.source(table)
        let names = type(of: source).columnNames
        switch format {
        case .csv:
            let output = try CSVOutput(output, header: names)
            while let batch = try source.nextBatch(rowCountMax: 10_000) { try output.write(batch) }
            try output.finish()
        case .columns:
            let output = try ColumnFilesOutput(output, names: names)
            while let batch = try source.nextBatch(rowCountMax: 10_000) { try output.write(batch) }
            try output.finish()
        }
    }
}

extension TableOptions {
    func source(_ table: BenchmarkTable) -> any RowSource { table.rows(seed: seed, scale: scale) }
}
