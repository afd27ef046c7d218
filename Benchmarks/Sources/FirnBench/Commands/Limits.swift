// SPDX-License-Identifier: Apache-2.0
//
// firn-bench limits: what the machine can do.

import ArgumentParser

struct Limits: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure memory, sequential writes and durable writes.")

    @Option(help: "A folder on the disk to measure.")
    var folder: String
    @Option(help: "Seconds of durable writes.")
    var seconds = 2.0
    @Flag(help: "Leave out memory and sequential writes.")
    var onlyDurableWrites = false
    @OptionGroup var output: ReportOptions

    func run() throws {
        let durable = try PhysicalLimits.durableWrites(in: folder, bytes: 20_000, seconds: seconds)
        if onlyDurableWrites {
            output.report(["durable_write_20_kB": durable.summary("microseconds")])
            return
        }
        output.report([
            "memory_read_bytes_per_second": .number(PhysicalLimits.memoryRead()),
            "sequential_write_bytes_per_second": .number(
                try PhysicalLimits.sequentialWrite(in: folder, bytes: 512 << 20)),
            "durable_write_20_kB": durable.summary("microseconds"),
        ])
    }
}
