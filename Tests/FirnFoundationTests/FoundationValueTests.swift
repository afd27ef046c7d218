// SPDX-License-Identifier: Apache-2.0

import Firn
import FirnFoundation
import Foundation
import Testing

// Both modules have a Decimal.
private typealias FoundationDecimal = Foundation.Decimal

@Suite struct FoundationValueTests {
    private struct Reading: Codable, Equatable {
        var time: Date
        var id: UUID
        var price: FoundationDecimal?
    }

    @Test func datesIdentifiersDecimalsAndDataGoInAndComeOut() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, id uuid, price numeric, raw bytea)")
        let date = Date(timeIntervalSince1970: 1_767_225_600.123456)
        let id = try #require(UUID(uuidString: "0C7A1A3E-3F6B-4D0E-9A55-1C5D7F0B2E11"))
        let price = try #require(FoundationDecimal(string: "-12345678901234567890.125"))
        let raw = Data([0, 255, 7])
        try await database.execute("INSERT INTO t VALUES ($1, $2, $3, $4)", date, id, price, raw)
        let found = try await database.query("SELECT time, id, price, raw, time::text, id::text, price::text FROM t")
        for try await row in found.rows(
            as: Date.self, UUID.self, FoundationDecimal.self, Data.self, String.self, String.self, String.self)
        {
            #expect(abs(row.0.timeIntervalSince(date)) < 1e-6)
            #expect(row.1 == id && row.2 == price && row.3 == raw)
            #expect(row.4 == "2026-01-01 00:00:00.123456+00")
            #expect(row.5 == id.uuidString.lowercased() && row.6 == "-12345678901234567890.125")
        }
        let decoded = try await database.query("SELECT time, id, NULL::numeric AS price FROM t").rows(as: Reading.self)
        for try await reading in decoded { #expect(reading.id == id && reading.price == nil) }
    }

    @Test func datesCompareWithColumnsOfEitherUnit() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz(9) NOT NULL)")
        let appender = try database.appender(for: "t")
        try appender.append(Date(timeIntervalSince1970: 1))
        try appender.append(Date(timeIntervalSince1970: 3))
        try await appender.flush()
        let found = try await database.query(
            "SELECT time FROM t WHERE time > $since", ["since": Date(timeIntervalSince1970: 2)])
        for try await time in found.rows(as: Date.self) { #expect(time == Date(timeIntervalSince1970: 3)) }
    }

    @Test func datesAtTheEndsAreInfinite() {
        #expect(Timestamp(Date(timeIntervalSince1970: .infinity)) == .infinity)
        #expect(Timestamp(Date(timeIntervalSince1970: -1e300)) == .negativeInfinity)
        #expect(Timestamp(Date(timeIntervalSince1970: .nan)) == .infinity)
        #expect(Timestamp(Date.distantFuture).isFinite && Timestamp(Date.distantPast).isFinite)
        #expect(Date(Timestamp.infinity) == nil)
        #expect(Date(Timestamp(microseconds: .min + 1)) == nil)
    }

    @Test func aDateThatIsNoNumberIsNoValue() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz)")
        let nothing = Date(timeIntervalSince1970: .nan)
        await #expect(throws: FirnError.self) { try await database.execute("INSERT INTO t VALUES ($1)", nothing) }
        let appender = try database.appender(for: "t")
        #expect(throws: FirnError.self) { try appender.append(nothing) }
        #expect(appender.rowCount == 0)
    }

    @Test func decimalsBeyondNumericAreRefused() throws {
        #expect(throws: FirnError.self) { try Firn.Decimal(FoundationDecimal.nan) }
        #expect(throws: FirnError.self) { try Firn.Decimal(FoundationDecimal.greatestFiniteMagnitude) }
        #expect(try Firn.Decimal(#require(FoundationDecimal(string: "1e10"))).text == "10000000000")
        #expect(FoundationDecimal(try Firn.Decimal(coefficient: 150, scale: 2)) == FoundationDecimal(string: "1.5"))
    }

    @Test func errorsSayWhatWasWrongInFoundationsWords() async throws {
        let database = try Database.inMemory()
        do {
            _ = try await database.query("SELECT nosuch")
            Issue.record("the column does not exist")
        } catch {
            #expect(error.localizedDescription == "column \"nosuch\" does not exist (42703)")
        }
    }
}
