// SPDX-License-Identifier: Apache-2.0
//
// Rows that lie as progressions in their segments (regular times, sorted series): what GROUP BY computes on the
// progressions is what a model finds that looks at each row.

import FirnIO
import Testing

@testable import Firn

@Suite struct RegularSeriesTests {
    /// 2000-01-03 00:00 UTC, from which time_bucket counts.
    static let origin: Int64 = 946_857_600_000_000

    struct Row {
        var series: String?
        var time: Int64
        var value: Int64
    }

    struct Key: Hashable {
        var series: String?
        var bucket: Int64?
    }

    struct Group: Equatable {
        var count: Int64 = 0
        var sum: Int64 = 0
        var firstTime = Int64.max
        var lastTime = Int64.min
    }

    /// Some series, each of a few stretches with a step of its own; every fourth table has irregular ones, too.
    static func rows(_ random: inout CodecRandom, isIrregular: Bool, hasNull: Bool) -> [Row] {
        let seriesCount = 1 + random.below(4)
        var rows: [Row] = []
        for series in 0..<seriesCount {
            var time = Int64(random.below(2_000_000_000)) * 1_000_000 - 1_000_000_000_000_000
            for _ in 0..<1 + random.below(3) {
                let step = [0, 1, 1_000_000, 7_000_000, 10_000_000, 86_400_000_000][random.below(6)]
                for _ in 0..<300 + random.below(900) {
                    rows.append(
                        Row(
                            series: hasNull && series == 0 ? nil : "series-\(series)", time: time,
                            value: Int64(random.below(2_000)) - 1_000))
                    time += Int64(isIrregular && random.below(50) == 0 ? random.below(1_000_000) : step)
                }
                time += Int64(random.below(3_600)) * 1_000_000
            }
        }
        return rows
    }

    static func floor(_ time: Int64, _ width: Int64) -> Int64 {
        let distance = time - origin
        let remainder = ((distance % width) + width) % width
        return time - remainder
    }

    static func model(_ rows: [Row], _ key: (Row) -> Key) -> [Key: Group] {
        var groups: [Key: Group] = [:]
        for row in rows {
            var group = groups[key(row), default: Group()]
            group.count += 1
            group.sum += row.value
            group.firstTime = min(group.firstTime, row.time)
            group.lastTime = max(group.lastTime, row.time)
            groups[key(row)] = group
        }
        return groups
    }

    static func answer(_ database: Database, _ keys: String, _ keyOf: (Row) -> Key) async throws -> [Key: Group] {
        let result = try await database.query(
            """
            SELECT \(keys), count(*), sum(value)::bigint, min(time), max(time) FROM readings
            GROUP BY 1, 2
            """)
        var groups: [Key: Group] = [:]
        for try await batch in result {
            for row in 0..<batch.rowCount {
                var key = Key()
                if case .text(let series) = batch.columns[0][row] { key.series = series }
                if case .integer(let bucket) = batch.columns[1][row] { key.bucket = bucket }
                #expect(groups[key] == nil, "a group comes once")
                groups[key] = Group(
                    count: batch.columns[2].integerValues![row], sum: batch.columns[3].integerValues![row],
                    firstTime: batch.columns[4].integerValues![row], lastTime: batch.columns[5].integerValues![row])
            }
        }
        return groups
    }

    @Test func groupsOfProgressionsAreThoseOfTheRows() async throws {
        var random = CodecRandom()
        for round in 0..<12 {
            let rows = Self.rows(&random, isIrregular: round % 4 == 3, hasNull: round % 3 == 2)
            let database = try Database.inMemory()
            try await database.execute("CREATE TABLE readings (time timestamptz NOT NULL, series text, value bigint)")
            try await database.execute(
                "SELECT create_hypertable('readings', 'time', chunk_time_interval => INTERVAL '10000 days')")
            // In the order of their times or of their series, in one commit or in several.
            let ordered = round % 2 == 0 ? rows : rows.sorted { $0.time < $1.time }
            let cut = random.below(ordered.count)
            for part in [ordered[..<cut], ordered[cut...]] where !part.isEmpty {
                let series = part.map { row in row.series.map { Value.text($0) } ?? .null }
                try await database.append(
                    ColumnBatch([
                        .timestamps(microseconds: part.map(\.time)), Column(series, type: .text),
                        .integers(part.map(\.value)),
                    ]), to: "readings")
                if random.below(3) > 0 { try await database.execute("CHECKPOINT") }
            }
            let seconds = [1, 7, 60, 300, 3_600, 86_400, 1_000_000][random.below(7)]
            let bucket = "time_bucket(INTERVAL '\(seconds) seconds', time)"
            let width = Int64(seconds) * 1_000_000
            for (keys, keyOf) in [
                ("series, \(bucket)", { Key(series: $0.series, bucket: Self.floor($0.time, width)) }),
                ("series, time", { Key(series: $0.series, bucket: $0.time) }),
                ("NULL, \(bucket)", { Key(series: nil, bucket: Self.floor($0.time, width)) }),
                ("series, NULL", { Key(series: $0.series, bucket: nil) }),
            ] as [(String, (Row) -> Key)] {
                let answer = try await Self.answer(database, keys, keyOf)
                #expect(
                    answer == Self.model(rows, keyOf), "FIRN_SEED=\(random.seed), round \(round), GROUP BY \(keys)")
            }
            // The rows themselves, written out.
            let total = try await database.query("SELECT time, series, value FROM readings").collect()
            let times = total.flatMap { $0.columns[0].integerValues! }
            #expect(times.sorted() == rows.map(\.time).sorted(), "FIRN_SEED=\(random.seed), round \(round)")
            try await database.close()
        }
    }
}
