// SPDX-License-Identifier: Apache-2.0
//
// Rows appended one at a time. Public face alone.

import Firn
import Testing

@Suite struct AppenderTests {
    private struct Reading: Codable, Equatable {
        var time: Timestamp
        var sensor: String?
        var value: Double
    }

    private struct Other: Codable { var tmie = 1 }
    private struct Partial: Codable { var value = 1.0 }

    private func database() async throws -> Database {
        let database = try Database.inMemory()
        try await database.execute(
            """
            CREATE TABLE readings (time timestamptz NOT NULL, sensor text DEFAULT 'none', value double precision, small smallint,
                price numeric(5, 2))
            """)
        return database
    }

    private func texts(_ database: Database, _ sql: String) async throws -> [[Value]] {
        var rows: [[Value]] = []
        for try await row in try await database.query(sql).rows { rows.append([try row[0], try row[1]]) }
        return rows
    }

    @Test @MainActor func rowsOfAFlushAreOneCommit() async throws {
        let database = try await database()
        let appender = try database.appender(for: "readings")
        #expect(try await appender.flush() == nil)
        for round in 0..<3 {
            for row in 0..<1_000 {
                try appender.append(
                    Timestamp(microseconds: Int64(round * 1_000 + row)), "s\(row % 3)", row, Value.null, 7)
            }
            #expect(appender.rowCount == 1_000)
            #expect(
                try await database.query("SELECT * FROM readings").collect().reduce(0) { $0 + $1.rowCount } == round
                    * 1_000)
            #expect(try await appender.flush()?.rowCount == 1_000)
            #expect(appender.rowCount == 0)
        }
        let sums = try await texts(database, "SELECT count(DISTINCT time), sum(value) FROM readings")
        #expect(sums == [[3_000, 1_498_500.0]])
    }

    @Test func columnsThatAreNotNamedTakeTheirDefault() async throws {
        let database = try await database()
        let appender = try database.appender(for: "readings", columns: ["value", "time"])
        try appender.append(1.5, Timestamp(microseconds: 0))
        try appender.append([2, 0])
        try appender.flushBlocking()
        #expect(
            try await texts(database, "SELECT sensor, value FROM readings ORDER BY value") == [
                ["none", 1.5], ["none", 2.0],
            ])
    }

    @Test func valuesOfAStructAreAppendedByName() async throws {
        let database = try await database()
        let appender = try database.appender(for: "readings", columns: ["sensor", "value", "time"])
        let readings = [
            Reading(time: Timestamp(microseconds: 1), sensor: "a", value: 1),
            Reading(time: Timestamp(microseconds: 2), sensor: nil, value: 2),
        ]
        for reading in readings { try appender.append(encoding: reading) }
        try await appender.flush()
        var found: [Reading] = []
        for try await reading in try await database.query("SELECT * FROM readings ORDER BY time").rows(as: Reading.self)
        {
            found.append(reading)
        }
        #expect(found == readings)
        #expect(await asyncFailure { try appender.append(encoding: Other()) }?.code == .undefinedColumn)
        #expect(
            await asyncFailure { try appender.append(encoding: Partial()) }?.message.contains("column \"sensor\"")
                == true)
    }

    @Test func errorsNameRowAndColumnAndLeaveTheRowOut() async throws {
        let database = try await database()
        let appender = try database.appender(for: "readings")
        let time = Timestamp(microseconds: 0)
        try appender.append(time, "a", 1.0, 1, Decimal(1))
        let wrong = await asyncFailure { try appender.append(time, "a", "text", 1, Decimal(1)) }
        #expect(wrong?.code == .datatypeMismatch)
        #expect(wrong?.message == "row 2, column \"value\": a column of type double precision cannot hold text")
        #expect(await asyncFailure { try appender.append(time, "a", 1.0, 40_000, 1) }?.code == .numericValueOutOfRange)
        #expect(await asyncFailure { try appender.append(Timestamp?.none, "a", 1.0, 1, 1) }?.code == .notNullViolation)
        #expect(await asyncFailure { try appender.append(time, "a") }?.message.contains("row 2 has 2 values") == true)
        #expect(await asyncFailure { try appender.append(time, "a", 1, 2, 3, 4) }?.message.contains("6 values") == true)
        #expect(await asyncFailure { try appender.append(7, time, 1, 2, 3) }?.code == .datatypeMismatch)
        #expect(appender.rowCount == 1)
        try appender.append(time, "b", 1.0, 1, try Decimal(coefficient: 99_999, scale: 1))
        let range = await asyncFailure { try await appender.flush() }
        #expect(
            range?.code == .numericValueOutOfRange
                && range?.detail?.contains("Row 2 of the batch, column \"price\"") == true)
        #expect(appender.rowCount == 2)
        appender.discard()
        #expect(try await appender.flush() == nil)
        #expect(await asyncFailure { _ = try database.appender(for: "reading") }?.code == .undefinedTable)
        #expect(
            await asyncFailure { _ = try database.appender(for: "readings", columns: ["tim"]) }?.code
                == .undefinedColumn)
        #expect(
            await asyncFailure { _ = try database.appender(for: "readings", columns: ["time", "time"]) }?.code
                == .duplicateColumn)
    }
}
