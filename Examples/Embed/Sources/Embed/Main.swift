// SPDX-License-Identifier: Apache-2.0
//
// A program that embeds Firn: it opens a database, makes a table, appends from many tasks at once, queries with
// parameters, and cancels a query with its task.

import Firn
import FirnFoundation
import Foundation

/// A row of the table; its properties are the names of columns.
struct Reading: Codable {
    var time: Timestamp
    var sensor: String
    var value: Double?
}

@main
struct Embed {
    static func main() async throws {
        let database = try await Database.open(at: CommandLine.arguments.dropFirst().first ?? "embed-example.firn")
        try await database.execute(
            """
            DROP TABLE IF EXISTS readings;
            CREATE TABLE readings (time TIMESTAMPTZ NOT NULL, sensor TEXT NOT NULL, value DOUBLE PRECISION);
            SELECT create_hypertable('readings', 'time', chunk_time_interval => INTERVAL '1 day')
            """)

        // Eight tasks append batches of columns at once; each returns when its rows are durable. Their commits share syncs.
        let start = try Timestamp(text: "2026-01-01T00:00:00Z").microseconds
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sensor in 0..<8 {
                group.addTask {
                    for minute in 0..<60 {
                        let times = (0..<60).map { start + Int64(minute * 60 + $0) * 1_000_000 }
                        let batch = try ColumnBatch([
                            "time": .timestamps(microseconds: times),
                            "sensor": .text(Array(repeating: "sensor \(sensor)", count: 60)),
                            "value": .doubles(times.indices.map { Double(sensor) + Double($0) / 100 }),
                        ])
                        try await database.append(batch, to: "readings")
                    }
                }
            }
            try await group.waitForAll()
        }

        // Rows one at a time; a flush appends all that wait as one commit.
        let appender = try database.appender(for: "readings")
        for second in 0..<60 {
            try appender.append(Timestamp(microseconds: start + Int64(second) * 1_000_000), "sensor 8", 21.5)
        }
        try appender.append(encoding: Reading(time: Timestamp(Date()), sensor: "sensor 9", value: nil))
        try await appender.flush()

        // Typed rows, with parameters by place …
        let answer = try await database.query(
            """
            SELECT sensor, time_bucket('10 minutes', time) AS bucket, count(*), avg(value)
            FROM readings WHERE sensor = $1 AND time < $2 GROUP BY sensor, bucket ORDER BY bucket
            """, "sensor 3", Timestamp(microseconds: start + 3_600_000_000))
        for try await (sensor, bucket, count, average) in answer.rows(
            as: String.self, Timestamp.self, Int.self, Double.self)
        {
            print(sensor, bucket, count, average)
        }

        // … or by name, and rows as structs.
        let latest = try await database.query(
            "SELECT * FROM readings WHERE sensor = $sensor ORDER BY time DESC LIMIT 3", ["sensor": "sensor 9"])
        for try await reading in latest.rows(as: Reading.self) {
            print(reading.sensor, Date(reading.time) ?? .distantFuture, reading.value.map { "\($0)" } ?? "no value")
        }

        // Column batches, for those who compute on.
        var sum = 0.0
        for try await batch in try await database.query("SELECT value FROM readings WHERE value IS NOT NULL") {
            sum += batch.columns[0].doubleValues!.reduce(0, +)
        }
        print("sum of all values:", sum)

        // A query stops with the task that waits for it.
        let endless = Task {
            try await database.query("SELECT count(*) FROM generate_series(1, 1000000000000)").collect()
        }
        endless.cancel()
        if case .failure(let error) = await endless.result { print("stopped:", error.localizedDescription) }

        try await database.close()
    }
}
