// SPDX-License-Identifier: Apache-2.0
//
// Constants that are equal in SQL, or in Swift, but that something tells apart: 1.5 and 1.50, a month and 30 days, two
// texts that Unicode holds equivalent. What was computed with one is not the result for the other.

import Testing

@testable import Firn

@Suite("Constants that are equal")
struct EqualConstantsTests {
    private func rows(_ database: Database, _ sql: String) async throws -> [[String]] {
        try await RealDataTests.table(try await database.query(sql)).rows
    }

    /// A table of text that repeats, so that segments keep it as codes of a dictionary.
    private func database() async throws -> Database {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, s text)")
        try await database.execute(
            "INSERT INTO t SELECT '2024-01-01', U&'e\\0301-\\00e9' FROM generate_series(1, 3000) n")
        try await database.execute("CHECKPOINT")
        return database
    }

    @Test func eachHasItsOwnResult() async throws {
        let database = try await database()
        let pairs = [
            ("concat(s, 1.5)", "concat(s, 1.50)"),
            ("concat(s, interval '1 month')", "concat(s, interval '30 days')"),
            ("concat(s, 0.0::float8)", "concat(s, '-0'::float8)"),
            ("replace(s, U&'\\00e9', 'x')", "replace(s, U&'e\\0301', 'x')"),
            ("s LIKE U&'e\\0301-\\00e9'", "s LIKE U&'\\00e9-\\00e9'"),
            ("s = U&'e\\0301-\\00e9'", "s = U&'\\00e9-\\00e9'"),
            ("s IN (U&'e\\0301-\\00e9', 'a')", "s IN (U&'\\00e9-\\00e9', 'a')"),
        ]
        for (one, two) in pairs {
            let alone = (
                try await rows(database, "SELECT \(one) FROM t LIMIT 1"),
                try await rows(database, "SELECT \(two) FROM t LIMIT 1")
            )
            #expect(alone.0[0][0].utf8.elementsEqual(alone.1[0][0].utf8) == false, "\(one), \(two)")
            let expected = [alone.0[0][0], alone.1[0][0], "3000"].map { Array($0.utf8) }
            for sql in [
                "SELECT \(one), \(two), count(*) FROM t GROUP BY 1, 2", "SELECT \(one), \(two), 3000 FROM t LIMIT 1",
            ] {
                #expect(try await rows(database, sql)[0].map { Array($0.utf8) } == expected, "\(sql)")
            }
            await #expect(throws: FirnError.self, "\(one), \(two)") {
                _ = try await rows(database, "SELECT \(two), count(*) FROM t GROUP BY \(one)")
            }
        }
    }

    @Test func textsAreEqualByTheirBytes() {
        let composed = Value.text("\u{E9}")
        let decomposed = Value.text("e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, .text("\u{E9}")]).count == 2)
        #expect(Value.text("a") != .bytes([97]))
    }

    @Test func identicalIsStricterThanEqual() throws {
        let pairs: [[Value]] = [
            [.decimal(try Decimal.parse("1.5")), .decimal(try Decimal.parse("1.50"))],
            [.interval(Interval(months: 1)), .interval(Interval(days: 30))],
            [.double(0), .double(-0.0)], [.float(0), .float(-0.0)], [.vector([0]), .vector([-0.0])],
        ]
        for pair in pairs {
            #expect(Set(pair).count == 1)
            #expect(!pair[0].isIdentical(to: pair[1]) && pair[0].isIdentical(to: pair[0]))
        }
        #expect(Value.double(.nan) != .double(.nan) && Value.double(.nan).isIdentical(to: .double(.nan)))
    }
}
