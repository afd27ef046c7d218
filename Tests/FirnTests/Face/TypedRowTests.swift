// SPDX-License-Identifier: Apache-2.0
//
// Rows as tuples and as Codable values, from any actor. Public face alone.

import Firn
import Testing

@Suite struct TypedRowTests {
    private enum Kind: String, Codable { case indoor, outdoor }

    private struct Reading: Codable, Equatable {
        var time: Timestamp
        var sensor: String
        var kind: Kind
        var value: Double?
        var count: Int32
        var price: Decimal?
    }

    private struct Pair: Decodable {
        var a: Int
        var b: String?
    }

    private func database(rowCount: Int = 5_000) async throws -> Database {
        let database = try Database.inMemory()
        try await database.execute(
            """
            CREATE TABLE readings (time timestamptz NOT NULL, sensor text NOT NULL, kind text NOT NULL,
                value double precision, count integer NOT NULL, price numeric);
            INSERT INTO readings SELECT timestamptz '2026-01-01' + n * interval '1 second', 's' || n % 7,
                CASE WHEN n % 2 = 0 THEN 'indoor' ELSE 'outdoor' END, nullif(n, 3) / 2.0::float8, n::int, n / 8.0
                FROM generate_series(0, \(rowCount - 1)) n
            """)
        return database
    }

    @Test @MainActor func tuplesHoldWhatRowsHold() async throws {
        let database = try await database()
        let sql = "SELECT sensor, value, count, time FROM readings ORDER BY time"
        var rows: [(Value, Value, Value, Value)] = []
        for try await row in try await database.query(sql).rows {
            rows.append((try row[0], try row[1], try row[2], try row[3]))
        }
        var index = 0
        for try await (sensor, value, count, time) in try await database.query(sql).rows(
            as: String.self, Double?.self, Int.self, Timestamp.self)
        {
            #expect(.text(sensor) == rows[index].0)
            #expect(value.map { .double($0) } ?? .null == rows[index].1)
            #expect(.integer(Int64(count)) == rows[index].2 && .integer(time.microseconds) == rows[index].3)
            index += 1
        }
        #expect(index == 5_000)
    }

    @Test func structsAreDecodedByTheNamesOfColumns() async throws {
        let database = try await database()
        var index = 0
        for try await reading in try await database.query(
            "SELECT price, count, 7 AS unused, value, kind, sensor, time FROM readings ORDER BY time"
        ).rows(as: Reading.self) {
            let expected = Reading(
                time: Timestamp(microseconds: 1_767_225_600_000_000 + Int64(index) * 1_000_000),
                sensor: "s\(index % 7)",
                kind: index % 2 == 0 ? .indoor : .outdoor, value: index == 3 ? nil : Double(index) / 2,
                count: Int32(index),
                price: try Decimal(coefficient: Int128(index) * 125, scale: 3))
            #expect(reading == expected)
            index += 1
        }
        #expect(index == 5_000)
        for try await kind in try await database.query("SELECT 'outdoor'").rows(as: Kind.self) {
            #expect(kind == .outdoor)
        }
    }

    @Test func structsThatDoNotFitAreErrors() async throws {
        func code(_ sql: String) async throws -> SQLState? {
            let database = try Database.inMemory()
            return await asyncFailure {
                for try await _ in try await database.query(sql).rows(as: Pair.self) {}
            }?.code
        }
        #expect(try await code("SELECT 1 AS a, 'x' AS b") == nil)
        #expect(try await code("SELECT 1 AS a") == .undefinedColumn)
        #expect(try await code("SELECT 1 AS a, 'x' AS b, 'y' AS b") == .ambiguousColumn)
        #expect(try await code("SELECT NULL::int AS a, 'x' AS b") == .notNullViolation)
        #expect(try await code("SELECT 'one' AS a, 'x' AS b") == .datatypeMismatch)
        #expect(try await code("SELECT 1 AS a, 2 AS b") == .datatypeMismatch)
    }

    @Test func everyTypeIsReadAsItsSwiftTypes() async throws {
        let database = try Database.inMemory()
        let result = try await database.query(
            """
            SELECT true, 1::smallint, 2::int, 3::bigint, 1.5::real, 2.5::float8, 1.50::numeric, 'x'::text,
                '00000000-0000-0000-0000-000000000001'::uuid, timestamp '1970-01-01 00:00:01', date '1970-01-02',
                interval '1 day', '{"a": 1}'::jsonb, '\\x01ff'::bytea, NULL::text, timestamptz(9) '1970-01-01 00:00:00.000001001+00'
            """)
        for try await row in result.rows(
            as: Bool.self, Int16.self, Int32.self, UInt8.self, Float.self, Double.self, Decimal.self, String.self,
            UUIDValue.self, Timestamp.self, DayNumber.self, Interval.self, String.self, [UInt8].self, Int?.self,
            NanosecondTimestamp.self)
        {
            #expect(row.0 && row.1 == 1 && row.2 == 2 && row.3 == 3 && row.4 == 1.5 && row.5 == 2.5)
            #expect(row.6.description == "1.50" && row.7 == "x" && row.8.value == 1 && row.9.microseconds == 1_000_000)
            #expect(row.10.days == 1 && row.11.days == 1 && row.12 == "{\"a\": 1}" && row.13 == [1, 255])
            #expect(row.14 == nil && row.15.nanoseconds == 1_001)
        }
        let error = await asyncFailure {
            for try await _ in try await database.query("SELECT 70000").rows(as: Int16.self) {}
        }
        #expect(error?.code == .datatypeMismatch)
        let null = await asyncFailure {
            for try await _ in try await database.query("SELECT NULL::int").rows(as: Int.self) {}
        }
        #expect(null?.code == .notNullViolation)
    }

    /// A row that is there costs no change of threads, from the main actor as from anywhere.
    @Test @MainActor func rowsComeWithoutLeavingTheActor() async throws {
        let database = try await database()
        var iterator = try await database.query("SELECT count FROM readings ORDER BY time").rows.makeAsyncIterator()
        var count = 0
        while let row = try await iterator.next(isolation: MainActor.shared) {
            MainActor.assertIsolated()
            #expect(try row[0] == .integer(Int64(count)))
            count += 1
        }
        #expect(count == 5_000)
    }
}
