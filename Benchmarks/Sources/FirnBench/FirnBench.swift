// SPDX-License-Identifier: Apache-2.0
//
// firn-bench: makes the benchmark tables and measures Firn through its public Swift API.
//
// Each measurement is a command and a process of its own, so that its peak memory is its own. With --json the last line
// of standard output is one JSON object; progress goes to standard error. compare.py runs it beside the peers.

import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@main
struct FirnBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "firn-bench",
        abstract: "Measure Firn on seeded tables.",
        subcommands: [Generate.self, Load.self, Flush.self, Query.self, Append.self, Limits.self])
}

/// Which rows.
struct TableOptions: ParsableArguments {
    @Option(help: "Share of the published size: 1 is a day of sensor_readings, 8.64 million rows.")
    var scale = 1.0
    @Option(help: "Seed of the generators.")
    var seed = defaultSeed

    func validate() throws {
        guard scale > 0, scale.isFinite else { throw ValidationError("--scale is a positive number") }
    }
}

/// How results are shown.
struct ReportOptions: ParsableArguments {
    @Flag(help: "Print one JSON object instead of lines of text.")
    var json = false

    func report(_ members: KeyValuePairs<String, JSON>) {
        if json {
            printLine(JSON.object(members).text)
        } else {
            for (name, value) in members { printLine("\(name): \(value.text)") }
        }
    }
}

/// Prints a line at once: a program may be waiting for it behind a pipe.
func printLine(_ line: String) {
    print(line)
    fflush(nil)
}

/// Says on standard error what goes on.
func progress(_ message: String) {
    let line = Array("firn-bench: \(message)\n".utf8)
    _ = write(2, line, line.count)
}
