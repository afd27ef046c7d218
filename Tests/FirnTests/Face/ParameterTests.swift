// SPDX-License-Identifier: Apache-2.0
//
// What a program gives for the parameters of its statements. Public face alone.

import Firn
import Testing

@Suite struct ParameterTests {
    /// The one value of a query of one row.
    private func value(_ result: QueryResult) async throws -> Value {
        for try await row in result.rows { return try row[0] }
        return .null
    }

    @Test func literalsAndSwiftValuesAreValues() async throws {
        let database = try Database.inMemory()
        #expect(try await value(database.query("SELECT $1 || 'b'", "a")) == "ab")
        #expect(try await value(database.query("SELECT $1 + 1", 2)) == 3)
        #expect(try await value(database.query("SELECT $1 * 2", 1.5)) == 3.0)
        #expect(try await value(database.query("SELECT NOT $1", true)) == false)
        #expect(try await value(database.query("SELECT $1 IS NULL", nil)) == true)
        let (name, count, missing) = ("x", 7, Int?.none)
        #expect(try await value(database.query("SELECT $1 || $2::text", name, count)) == "x7")
        #expect(try await value(database.query("SELECT coalesce($1, $2)", missing, count)) == 7)
        #expect(try await value(database.query("SELECT $1 || 'b'", parameters: [.text("a")])) == "ab")
        #expect(try await value(database.session().query("SELECT $1", .text("a"))) == "a")
    }

    @Test func timesAreGivenAsNumbers() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, x int)")
        let start = Timestamp(microseconds: 1_767_225_600_000_000)
        try await database.execute(
            "INSERT INTO t VALUES ($1, 1), ($2, 2)", start, Timestamp(microseconds: start.microseconds + 1))
        #expect(try await value(database.query("SELECT x FROM t WHERE time > $1", start)) == 2)
        #expect(try await value(database.query("SELECT count(*) FROM t WHERE time = $1", "2026-01-01")) == 1)
        #expect(
            try await value(database.query("SELECT $1::text", NanosecondTimestamp(nanoseconds: 1)))
                == "1970-01-01 00:00:00.000000001+00")
        #expect(try await value(database.query("SELECT $1 + 1", DayNumber(days: 1))) == 2)
    }

    @Test func namesStandForValues() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (name text, x float8)")
        try await database.execute("INSERT INTO t VALUES ($name, $x), ($name, $x + 1)", ["name": "a", "x": 1.5])
        let sum = try await database.query(
            "SELECT sum(x) FROM t WHERE name = $name AND x > $from", ["from": 2, "name": "a"])
        #expect(try await value(sum) == 2.5)
        #expect(try await value(database.query("SELECT $a || $b || $a", ["a": "1", "b": "2"])) == "121")
        #expect(try await value(database.query("SELECT $sensorID", ["sensorID": "case matters"])) == "case matters")
        #expect(try await value(database.query("SELECT $none IS NULL", ["none": nil])) == true)
        #expect(try await value(database.query("SELECT $$a$$ || $t$b$t$ || $x", ["x": "c"])) == "abc")
    }

    @Test func aSurplusOrMissingParameterIsAnError() async throws {
        let database = try Database.inMemory()
        let surplus = await asyncFailure { _ = try await database.query("SELECT $1", 1, 2) }
        #expect(surplus?.code == .protocolViolation)
        #expect(await asyncFailure { _ = try await database.query("SELECT 1", 1) }?.code == .protocolViolation)
        #expect(await asyncFailure { _ = try await database.query("SELECT '$1'", "x") }?.code == .protocolViolation)
        #expect(
            await asyncFailure { _ = try await database.execute("SELECT $1; SELECT 2", 1, 2) }?.code
                == .protocolViolation)
        #expect(await asyncFailure { _ = try await database.execute("SELECT $1; SELECT $2", 1, 2) } == nil)
        let missing = await asyncFailure { _ = try await database.query("SELECT $1, $2", 1) }
        #expect(missing?.code == .undefinedParameter && missing?.position == 11)
        #expect(await asyncFailure { _ = try await database.query("SELECT $2", 1, 2) }?.code == .indeterminateDatatype)
        let unnamed = await asyncFailure { _ = try await database.query("SELECT $sensor", ["sensro": 1]) }
        #expect(unnamed?.code == .protocolViolation && unnamed?.hint == "did you mean \"sensor\"?")
        let absent = await asyncFailure { _ = try await database.query("SELECT 1, $sensor") }
        #expect(absent?.code == .undefinedParameter && absent?.position == 10)
        #expect(await asyncFailure { _ = try await database.query("SELECT $1", ["a": 1]) }?.code == .undefinedParameter)
        #expect(await asyncFailure { _ = try await database.query("SELECT $1, $a", 1) }?.code == .syntaxError)
        #expect(throws: FirnError.self) { try database.session().runBlocking("SELECT $1", parameters: [1, 2]) }
    }
}
