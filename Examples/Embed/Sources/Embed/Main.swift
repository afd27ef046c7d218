// SPDX-License-Identifier: Apache-2.0
//
// A program that embeds Firn: it opens a database, makes a table, appends batches from many tasks at once, queries
// with parameters, and cancels a query with its task.

import Firn

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

        // Eight tasks append at once; each returns when its rows are durable. Their commits share syncs.
        let start: Int64 = 1_767_225_600_000_000  // 2026-01-01T00:00:00Z in microseconds since 1970
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sensor in 0..<8 {
                group.addTask {
                    for minute in 0..<60 {
                        let times = (0..<60).map { start + Int64(minute * 60 + $0) * 1_000_000 }
                        let batch = ColumnBatch([
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

        // Typed rows, with a parameter.
        let answer = try await database.query(
            """
            SELECT sensor, time_bucket('10 minutes', time) AS bucket, count(*), avg(value)
            FROM readings WHERE sensor = $1 GROUP BY sensor, bucket ORDER BY bucket
            """, .text("sensor 3"))
        for try await (sensor, bucket, count, average) in answer.rows(
            as: String.self, Timestamp.self, Int.self, Double.self)
        {
            print(sensor, bucket, count, average)
        }

        // Column batches, for those who compute on.
        var sum = 0.0
        for try await batch in try await database.query("SELECT value FROM readings") {
            sum += batch.columns[0].doubleValues!.reduce(0, +)
        }
        print("sum of all values:", sum)

        // A query stops with the task that waits for it.
        let endless = Task {
            try await database.query("SELECT count(*) FROM generate_series(1, 1000000000000)").collect()
        }
        endless.cancel()
        if case .failure(let error) = await endless.result { print("stopped:", error) }

        try await database.close()
    }
}
