// SPDX-License-Identifier: Apache-2.0
//
// Statements that nest deep or chain long run as in PostgreSQL; far beyond is error 54001, never the end of the process.

import Firn
import FirnSimulator
import Testing

struct DeepStatementTests {
    private static let shapes: [(name: String, make: @Sendable (Int) -> String, answer: @Sendable (Int) -> Value)] = [
        ("parentheses", { "SELECT " + rep("(", $0) + "1" + rep(")", $0) }, { _ in .integer(1) }),
        ("sums", { "SELECT 1" + rep(" + 1", $0) }, { .integer(Int64($0 + 1)) }),
        (
            "sums of a column", { "SELECT max(x" + rep(" + 1", $0) + ") FROM generate_series(1, 2) x" },
            { .integer(Int64($0 + 2)) }
        ),
        ("texts", { "SELECT length('a'" + rep(" || 'b'", $0) + ")" }, { .integer(Int64($0 + 1)) }),
        (
            "texts of a column",
            { "SELECT max(length(x::text" + rep(" || 'b'", $0) + ")) FROM generate_series(1, 2) x" },
            { .integer(Int64($0 + 1)) }
        ),
        (
            "terms of AND", { "SELECT count(*) FROM generate_series(1, 2) x WHERE x > 0" + rep(" AND x > 1", $0) },
            { _ in .integer(1) }
        ),
        (
            "terms of OR", { "SELECT count(*) FROM generate_series(1, 2) x WHERE x > 2" + rep(" OR x > 1", $0) },
            { _ in .integer(1) }
        ),
        (
            "arms of UNION ALL", { "SELECT count(*) FROM (SELECT 1" + rep(" UNION ALL SELECT 1", $0) + ") u" },
            { .integer(Int64($0 + 1)) }
        ),
        (
            "arms of UNION", { "SELECT count(*) FROM (SELECT 1" + rep(" UNION SELECT 1", $0) + ") u" },
            { _ in .integer(1) }
        ),
        (
            "subqueries",
            { "SELECT * FROM " + rep("(SELECT x + 1 AS x FROM ", $0) + "(SELECT 1 AS x) s" + rep(") s", $0) },
            { .integer(Int64($0 + 1)) }
        ),
        (
            "WITH queries",
            { count in
                "WITH c0 AS (SELECT 1 AS x)"
                    + (1...max(count, 1)).map { ", c\($0) AS (SELECT x + 1 AS x FROM c\($0 - 1))" }.joined()
                    + " SELECT * FROM c\(max(count, 1))"
            }, { .integer(Int64(max($0, 1) + 1)) }
        ),
        (
            "filters of WITH queries",
            { count in
                "WITH c0 AS (SELECT x FROM generate_series(1, 3) x)"
                    + (1...max(count, 1)).map { ", c\($0) AS (SELECT x FROM c\($0 - 1) WHERE x <> \($0 + 3) LIMIT 3)" }
                    .joined()
                    + " SELECT count(*) FROM c\(max(count, 1))"
            }, { _ in .integer(3) }
        ),
        ("calls", { "SELECT " + rep("abs(", $0) + "1" + rep(")", $0) }, { _ in .integer(1) }),
        ("signs", { "SELECT " + rep("- ", 2 * $0) + "1" }, { _ in .integer(1) }),
        ("negations", { "SELECT " + rep("NOT ", 2 * $0) + "true" }, { _ in .boolean(true) }),
        ("branches", { "SELECT " + rep("CASE WHEN true THEN ", $0) + "1" + rep(" END", $0) }, { _ in .integer(1) }),
        ("casts", { "SELECT 1" + rep("::integer", $0) }, { _ in .integer(1) }),
    ]

    private static func rep(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    @Test(arguments: shapes.indices)
    func deepStatementsRun(shape: Int) async throws {
        let database = try Database.inMemory()
        let (name, make, answer) = Self.shapes[shape]
        for count in name.contains("WITH") ? [1_500] : [200, 800] {
            let batches = try await database.query(make(count)).collect()
            #expect(batches.first?.columns[0][0] == answer(count))
        }
    }

    @Test(arguments: shapes.indices)
    func veryDeepStatementsAreErrors(shape: Int) async throws {
        let database = try Database.inMemory()
        let (name, make, _) = Self.shapes[shape]
        do {
            let result = try await database.query(make(name.hasPrefix("terms of") ? 10_000 : 100_000))
            _ = try await result.collect()
            #expect(name.hasPrefix("terms of"))
        } catch let error as FirnError {
            #expect(error.code == SQLState("54001"))
        }
        #expect(try await database.query("SELECT 1").collect().first?.rowCount == 1)
    }
}
