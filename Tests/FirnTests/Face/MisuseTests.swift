// SPDX-License-Identifier: Apache-2.0
//
// What a program may do wrongly with the public face, and numbers that it may hand over: an error with a code, or the right
// value, and never a trap, an endless loop or a row that is missing without a word.

import Firn
import Testing

@Suite struct MisuseTests {
    private struct Number<T: Codable & Sendable>: Codable, Sendable { var a: T }

    /// A property given to a column and read back from it.
    private func roundTrip<T: Codable & Sendable>(_ value: T, _ type: DataType) async throws -> T? {
        let database = try Database.inMemory()
        try await database.createTable("t", columns: [ColumnDefinition(name: "a", type: type)])
        let appender = try database.appender(for: "t")
        try appender.append(encoding: Number(a: value))
        try await appender.flush()
        for try await row in try await database.query("SELECT a FROM t").rows(as: Number<T>.self) { return row.a }
        return nil
    }

    @Test func numbersOfEveryWidthAreProperties() async throws {
        let numeric = DataType.numeric(precision: nil, scale: nil)
        #expect(try await roundTrip(Int8.min, .smallint) == .min)
        #expect(try await roundTrip(UInt8.max, .smallint) == .max)
        #expect(try await roundTrip(UInt16.max, .integer) == .max)
        #expect(try await roundTrip(UInt32.max, .bigint) == .max)
        #expect(try await roundTrip(UInt64(7), .bigint) == 7)
        #expect(try await roundTrip(UInt(7), .bigint) == 7)
        #expect(try await roundTrip(UInt64?.none, .bigint) == .some(nil))
        #expect(try await roundTrip(Int128(-7), .bigint) == -7)
        #expect(try await roundTrip(Int128(UInt64.max) * 10, numeric) == Int128(UInt64.max) * 10)
        #expect(try await roundTrip(Int128?.none, numeric) == .some(nil))
        #expect(try await roundTrip(UInt128.max, .uuid) == .max)
        #expect(try await roundTrip(UInt128?.none, .uuid) == .some(nil))
        #expect(try await roundTrip(Float16(1.5), .real) == 1.5)
    }

    @Test func numbersThatDoNotFitAreErrors() async throws {
        #expect(await asyncFailure { _ = try await roundTrip(UInt64.max, .bigint) }?.code == .numericValueOutOfRange)
        #expect(await asyncFailure { _ = try await roundTrip(Int128.max, .bigint) }?.code == .numericValueOutOfRange)
        #expect(
            await asyncFailure { _ = try await roundTrip(Int128(Int64.max) + 1, .integer) }?.code
                == .numericValueOutOfRange)
        let database = try Database.inMemory()
        for (sql, type) in [
            ("5.5", Int128.self as any (Codable & Sendable).Type), ("-5", UInt64.self), ("500", Int8.self),
        ] {
            func code<T: Codable & Sendable>(_ type: T.Type) async -> SQLState? {
                await asyncFailure {
                    for try await _ in try await database.query("SELECT \(sql) AS a").rows(as: Number<T>.self) {}
                }?.code
            }
            #expect(await code(type) == .datatypeMismatch, "\(sql) as \(type)")
        }
    }

    @Test func unsignedNumbersAreParameters() async throws {
        let database = try Database.inMemory()
        let found = try await database.query(
            "SELECT $1::text, $2::text, $3::text", UInt64.max as any ValueConvertible,
            UInt8(200) as any ValueConvertible,
            Int8(-8) as any ValueConvertible)
        for try await row in found.rows(as: String.self, String.self, String.self) {
            #expect(row == ("18446744073709551615", "200", "-8"))
        }
    }

    @Test func aResultIsReadOnce() async throws {
        let database = try Database.inMemory()
        let sql = "SELECT g FROM generate_series(1, 50000) AS s(g)"
        let whole = try await database.query(sql)
        var rowCount = 0
        for try await _ in whole.rows { rowCount += 1 }
        #expect(rowCount == 50_000)
        #expect(await asyncFailure { for try await _ in whole.rows {} }?.code == .objectNotInPrerequisiteState)
        #expect(
            await asyncFailure { for try await _ in whole.rows(as: Int.self) {} }?.code == .objectNotInPrerequisiteState
        )
        #expect(
            await asyncFailure { for try await _ in whole.rows(as: Number<Int>.self) {} }?.code
                == .objectNotInPrerequisiteState)
        // An iterator may hold rows that it has not handed out: nobody goes on behind it.
        let begun = try await database.query(sql)
        for try await _ in begun { break }
        #expect(await asyncFailure { _ = try await begun.collect() }?.code == .objectNotInPrerequisiteState)
        #expect(throws: FirnError.self) { try begun.nextBlocking() }
        // Batches that are asked for one by one may be followed by the rest.
        let parts = try await database.query(sql)
        let first = try #require(try parts.nextBlocking())
        let rest = try await parts.collect()
        #expect(first.rowCount + rest.reduce(0) { $0 + $1.rowCount } == 50_000)
    }

    @Test func bitmapsOfImpossibleCountsAreRefused() throws {
        #expect(throws: FirnError.self) { try Bitmap(repeating: true, count: -1 as Int8) }
        #expect(throws: FirnError.self) { try Bitmap(repeating: true, count: UInt64.max) }
        var bitmap = try Bitmap(repeating: true, count: 3 as UInt8)
        #expect(throws: FirnError.self) { try bitmap.append(repeating: true, count: -1 as Int64) }
        #expect(throws: FirnError.self) { try bitmap.append(repeating: true, count: Int64.max) }
        try bitmap.append(repeating: false, count: 2 as UInt8)
        #expect(bitmap.count == 5 && bitmap.setCount == 3)
    }

    /// A type of a program's own that says of itself what is not so.
    private struct Claim: ValueConvertible {
        var sqlValue: Value
        static var sqlType: DataType? { .date }
    }

    @Test func parametersThatCannotBeAreErrors() async throws {
        let database = try Database.inMemory()
        func code(_ value: any ValueConvertible) async -> SQLState? {
            await asyncFailure { _ = try await database.query("SELECT $1", value).collect() }?.code
        }
        #expect(await code([Float]()) == .invalidParameterValue)
        #expect(await code([Float.nan]) == .numericValueOutOfRange)
        #expect(await code("a\0b") == .characterNotInRepertoire)
        #expect(await code(Claim(sqlValue: .integer(1 << 40))) == .datetimeFieldOverflow)
        #expect(await code(Claim(sqlValue: .boolean(true))) == .datatypeMismatch)
        #expect(await code(Claim(sqlValue: .text("nonsense"))) == .invalidDatetimeFormat)
        #expect(await code(Claim(sqlValue: .text("2026-01-01"))) == nil)
        #expect(await code(Claim(sqlValue: .null)) == nil)
    }

    @Test func valuesThatTheirColumnCannotHoldAreErrors() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (d DATE, j JSONB, v VECTOR(2))")
        func appended(_ name: String, _ value: Value, _ type: DataType) async -> [SQLState?] {
            [
                await asyncFailure {
                    let column = try Column([value], type: type)
                    try await database.append(ColumnBatch(names: [name], columns: [column]), to: "t")
                }?.code,
                await asyncFailure {
                    let appender = try database.appender(for: "t", columns: [name])
                    try appender.append([value])
                    try await appender.flush()
                }?.code,
            ]
        }
        for days in [Int64.min, .max, 1 << 40, Int64(Int32.max) - 1] {
            #expect(await appended("d", .integer(days), .date) == [.datetimeFieldOverflow, .datetimeFieldOverflow])
        }
        #expect(await appended("d", .integer(Int64(Int32.max)), .date) == [nil, nil])
        #expect(await appended("j", .text("{bad"), .jsonb) == [.invalidTextRepresentation, .invalidTextRepresentation])
        #expect(await appended("j", .text("{\"b\":1,  \"a\":2}"), .jsonb) == [nil, nil])
        #expect(
            await appended("v", .vector([.nan, 1]), .vector(2)) == [.numericValueOutOfRange, .numericValueOutOfRange])
        #expect(await appended("v", .vector([2, 1]), .vector(2)) == [nil, nil])
        let invalid = try ColumnBatch(["j": .text(BytesValues(bytes: [34, 255, 34], offsets: [0, 3]))])
        #expect(await asyncFailure { try await database.append(invalid, to: "t") }?.code == .characterNotInRepertoire)
        for try await row in try await database.query("SELECT DISTINCT j::text FROM t WHERE j IS NOT NULL").rows(
            as: String.self)
        {
            #expect(row == #"{"a": 2, "b": 1}"#)
        }
        #expect(throws: FirnError.self) { try Column([.null], type: .vector(.max)) }
        #expect(throws: FirnError.self) { try Column.vectors([], dimensions: .max) }
    }

    @Test func pathsAndNamesThatCannotBeAreErrors() async throws {
        for path in ["", "a\0b"] {
            #expect(await asyncFailure { _ = try await Database.open(at: path) }?.code == .invalidParameterValue)
            #expect(throws: FirnError.self) { try Database.openBlocking(at: path) }
            #expect(throws: FirnError.self) { try Database.checkBlocking(at: path) }
        }
        let database = try Database.inMemory()
        let columns = [ColumnDefinition(name: "a", type: .bigint)]
        #expect(
            await asyncFailure { try await database.createTable("a\0b", columns: columns) }?.code
                == .characterNotInRepertoire)
    }
}
