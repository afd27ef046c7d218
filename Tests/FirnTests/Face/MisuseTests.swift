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
}
