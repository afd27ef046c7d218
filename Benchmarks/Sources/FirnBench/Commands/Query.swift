// SPDX-License-Identifier: Apache-2.0
//
// firn-bench query: the time of one SELECT through the Swift API, from the call to the last result batch.
//
// With --interactive it answers commands on standard input, one JSON line each, so that runs can be interleaved with
// those of other engines: `run` runs the query once; `answer FILE` writes its rows as CSV, times as microseconds since
// 1970; end of input ends it.

import ArgumentParser
import Firn

struct Query: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Time a query on a loaded database.")

    @Option(help: "The folder of the database.")
    var database: String
    @Option(help: "The query.")
    var sql =
        "SELECT sensor_id, time_bucket('5 minutes', time), avg(value), stddev(value), count(*) FROM sensor_readings GROUP BY 1, 2"
    @Option(help: "Runs that are timed, after two that are not.")
    var runs = 9
    @Option(help: "Threads that work on the query; default one a core.")
    var threads: Int?
    @Flag(help: "Take commands from standard input.")
    var interactive = false
    @OptionGroup var output: ReportOptions

    func run() async throws {
        var options = DatabaseOptions()
        if let threads { options.queryThreadCount = threads }
        let database = try await Database.open(at: self.database, options: options)
        try await database.checkpoint()
        if interactive {
            try await answerCommands(database)
        } else {
            for _ in 0..<2 { _ = try await timeOnce(database) }
            var times: [Double] = []
            var rowCount = 0
            for _ in 0..<max(runs, 1) {
                let (milliseconds, rows) = try await timeOnce(database)
                times.append(milliseconds)
                rowCount = rows
            }
            let sample = Sample(times)
            output.report([
                "rows": .integer(rowCount), "median_milliseconds": .number(sample.median),
                "min_milliseconds": .number(sample.min), "max_milliseconds": .number(sample.max),
                "runs_milliseconds": .list(times.map { .number($0) }), "threads": .integer(options.queryThreadCount),
                "peak_resident_bytes": .integer(Machine.peakResidentBytes()),
            ])
        }
        try await database.close()
    }

    private func timeOnce(_ database: Database) async throws -> (milliseconds: Double, rowCount: Int) {
        let clock = ContinuousClock()
        let began = clock.now
        var rowCount = 0
        for try await batch in try await database.query(sql) { rowCount += batch.rowCount }
        return ((clock.now - began).milliseconds, rowCount)
    }

    private func answerCommands(_ database: Database) async throws {
        printLine(JSON.object(["version": .text(Database.version)]).text)
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            switch words.first {
            case "run":
                let (milliseconds, rows) = try await timeOnce(database)
                printLine(
                    JSON.object([
                        "milliseconds": .number(milliseconds), "rows": .integer(rows),
                        "peak_resident_bytes": .integer(Machine.peakResidentBytes()),
                    ]).text)
            case "answer" where words.count == 2:
                printLine(JSON.object(["rows": .integer(try await writeAnswer(database, words[1]))]).text)
            default:
                throw ValidationError("unknown command: \(line)")
            }
        }
    }

    private func writeAnswer(_ database: Database, _ path: String) async throws -> Int {
        let result = try await database.query(sql)
        let file = try CSVOutput(path, header: result.columns.map(\.name), times: .microseconds)
        var rowCount = 0
        for try await batch in result {
            try file.write(batch)
            rowCount += batch.rowCount
        }
        try file.finish()
        return rowCount
    }
}
