// SPDX-License-Identifier: Apache-2.0
//
// How long the five-minute roll-up of sensor_readings takes through the executor, over a table in memory: 8.64 million
// rows, 1,000 sensors, 288,000 groups. Runs only where FIRN_BENCHMARK is set, in a release build; asserts no time.
//
//     FIRN_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --disable-xctest --filter GroupingBenchmark

import FirnIO
import Testing

@testable import Firn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@Suite(.enabled(if: getenv("FIRN_BENCHMARK") != nil)) struct GroupingBenchmark {
    private static let sensorCount = 1_000
    private static let pointsPerSensor = 8_640

    /// Sorted by (sensor, time), in row groups of 65,536 rows.
    private static func sensorReadings() -> MemoryTable {
        let names = (0..<sensorCount).map { "sensor_" + String($0 + 10_000) }
        let dictionary = BytesDictionary(distinct: BytesValues(names), isSorted: true)
        var random = CodecRandom(seed: 1)
        var batches: [ColumnBatch] = []
        var codes: [UInt32] = []
        var times: [Int64] = []
        var values: [Double] = []
        func cut() {
            batches.append(
                ColumnBatch([
                    Column(type: .text, values: .dictionary(codes, dictionary)), .timestamps(microseconds: times),
                    .doubles(values),
                ]))
            codes.removeAll(keepingCapacity: true)
            times.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
        }
        for sensor in 0..<sensorCount {
            var walk = 50.0
            for point in 0..<pointsPerSensor {
                codes.append(UInt32(sensor))
                times.append(1_704_067_200_000_000 + Int64(point) * 10_000_000)
                walk += Double(random.below(41) - 20) / 100
                values.append(walk)
                if codes.count == 65_536 { cut() }
            }
        }
        if !codes.isEmpty { cut() }
        return MemoryTable(
            "sensor_readings",
            [("sensor_id", .text), ("time", .timestamptz(.microseconds)), ("value", .double)], batches, order: [0, 1])
    }

    @Test func fiveMinuteRollUp() throws {
        let table = Self.sensorReadings()
        let time = column(1, .timestamptz(.microseconds))
        let value = column(2, .double)
        let plan = grouping(
            table.scan(), by: [column(0, .text), timeBucket(300_000_000, time)],
            [
                aggregate(.average, [value], .double), aggregate(.sampleDeviation, [value], .double),
                aggregate(.countRows, [], .bigint),
            ])
        let clock = SystemTimeSource()
        for threads in [1, 2] {
            var milliseconds: [Double] = []
            for _ in 0..<15 {
                let executor = try executor(table, threads: threads)
                var groupCount = 0
                let start = clock.monotonicNanoseconds()
                try executor.run(plan) { batch throws(FirnError) in groupCount += batch.rowCount }
                milliseconds.append(Double(clock.monotonicNanoseconds() - start) / 1e6)
                #expect(groupCount == 288_000)
            }
            milliseconds.sort()
            print("roll-up, \(threads) threads: best \(milliseconds[0]) ms, median \(milliseconds[7]) ms")
        }
        // What the stand-in for decoding costs: copies of the same columns.
        for threads in [1, 2] {
            var milliseconds: [Double] = []
            for _ in 0..<15 {
                let source = try ScanSource(
                    .init(
                        table: table.schema, columns: table.schema.columns.map(\.id), ranges: [], filter: nil,
                        alias: "t"),
                    rows: table, taskRowsMin: 1, evaluator: try executor(table).evaluator, counters: nil)
                let workers = try executor(table, threads: threads).workers
                let start = clock.monotonicNanoseconds()
                try workers.perform(taskCount: source.partCount) { part throws(FirnError) in
                    let reader = try source.reader(ofPart: part)
                    while try reader.next() != nil {}
                }
                milliseconds.append(Double(clock.monotonicNanoseconds() - start) / 1e6)
            }
            milliseconds.sort()
            print("scan alone, \(threads) threads: best \(milliseconds[0]) ms, median \(milliseconds[7]) ms")
        }
    }
}
