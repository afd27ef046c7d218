// SPDX-License-Identifier: Apache-2.0
//
// What IN finds, and OR of equalities: the rows whose values are in the list, for every type, for lists that are
// compared value by value and for those that are looked up in a set, in memory and in segments.

import FirnIO
import Testing

@testable import Firn

@Suite("Lists of values")
struct ListTests {
    /// A type, and how the number n is written as one of its values: as it is stored, and as it is listed.
    struct ListedType: Sendable, CustomTestStringConvertible {
        let name: String
        let stored: @Sendable (Int) -> String
        let listed: @Sendable (Int) -> String

        init(_ name: String, _ stored: @escaping @Sendable (Int) -> String, listed: (@Sendable (Int) -> String)? = nil)
        {
            self.name = name
            self.stored = stored
            self.listed = listed ?? stored
        }

        var testDescription: String { name }
    }

    static let types = [
        ListedType("bigint") { "\($0 &* 1_000_003 - 5_000_015)" },
        ListedType("smallint") { "\($0 - 100)" },
        ListedType("double precision", { n in n == 0 ? "-0.0" : n == 1 ? "'NaN'" : "\(n).1" }) { n in
            n == 0 ? "0.0" : n == 1 ? "'NaN'" : "\(n).1"
        },
        ListedType("real", { n in n == 0 ? "-0.0" : n == 1 ? "'NaN'" : "\(n).25" }) { n in
            n == 0 ? "0.0" : n == 1 ? "'NaN'" : "\(n).25"
        },
        ListedType("numeric", { "\($0).5" }) { "\($0).5000" },
        // Two in turns that Unicode holds equivalent, of which the bytes differ.
        ListedType("text") { n in n % 2 == 0 ? "U&'\\00e9 \(n / 2)'" : "U&'e\\0301 \(n / 2)'" },
        ListedType("bytea") { n in "'\\x\(String(n + 4_096, radix: 16))'::bytea" },
        ListedType("uuid") { n in "'\(String(repeating: "0", count: 28))\(n + 1_000)'::uuid" },
        ListedType("timestamptz") { n in "'2024-01-\(10 + n / 24) \(n % 24):00:00+00'" },
        ListedType("interval", { "interval '\($0) months'" }) { "interval '\($0 * 30) days'" },
        ListedType("vector(2)") { "'[\($0), 0.5]'::vector(2)" },
        ListedType("jsonb") { "'{\"a\": [\($0)]}'::jsonb" },
    ]

    @Test(arguments: types)
    func aListFindsItsValuesAndNoOthers(type: ListedType) async throws {
        let seed = QuerySeed.current
        var generator = Xoshiro256(seed: seed)
        func random(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, id bigint, x \(type.name))")
        // Every second number is stored, some twice, and NULL among them.
        let numbers = (0..<60).map { index in index * 2 % 80 } + [0, 1]
        var rows = numbers.enumerated().map { "('2024-01-01', \($0.offset), \(type.stored($0.element)))" }
        rows.append("('2024-01-01', \(numbers.count), NULL)")
        try await database.execute("INSERT INTO t VALUES " + rows.joined(separator: ", "))
        func ids(_ condition: String) async throws -> [Int] {
            let sql = "SELECT id FROM t WHERE \(condition) ORDER BY id"
            return try await RealDataTests.table(try await database.query(sql)).rows.map { Int($0[0])! }
        }
        for isStored in [false, true] {
            if isStored { try await database.execute("CHECKPOINT") }
            for length in [1, 2, 5, 15, 16, 17, 40, 79] {
                let wanted = (0..<length).map { _ in random(80) }
                let expected = numbers.indices.filter { wanted.contains(numbers[$0]) }
                let others = numbers.indices.filter { !wanted.contains(numbers[$0]) }
                let list = wanted.map(type.listed).joined(separator: ", ")
                let equalities = wanted.map { "x = \(type.listed($0))" }.joined(separator: " OR ")
                let comment = Comment(rawValue: "seed \(seed), \(length) values, stored \(isStored): \(list)")
                #expect(try await ids("x IN (\(list))") == expected, comment)
                #expect(try await ids("x IN (\(list), NULL)") == expected, comment)
                #expect(try await ids("x NOT IN (\(list))") == others, comment)
                #expect(try await ids("x NOT IN (\(list), NULL)") == [], comment)
                #expect(try await ids(equalities) == expected, comment)
                #expect(try await ids("id < 0 OR \(equalities) OR id < 0") == expected, comment)
                #expect(try await ids("NOT (\(equalities))") == others, comment)
                // Computed, so that nothing is known of it before it is read.
                #expect(try await ids("coalesce(x, x) IN (\(list))") == expected, comment)
            }
        }
    }

    /// Zero is what empty places of a set hold.
    @Test func zeroIsAValueLikeOthers() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, n bigint)")
        try await database.execute("INSERT INTO t SELECT '2024-01-01', n FROM generate_series(-3, 100) n")
        let list = (1...40).map(String.init).joined(separator: ", ")
        for (values, count) in [(list, "40"), ("0, " + list, "41")] {
            let result = try await database.query("SELECT count(*) FROM t WHERE n IN (\(values))")
            #expect(try await RealDataTests.table(result).rows == [[count]])
        }
    }

    @Test func equalitiesOfOneOperandBecomeAList() async throws {
        let database = try Database.inMemory()
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, a bigint, b bigint)")
        func filter(_ condition: String) async throws -> String? {
            let plan = try await database.query("EXPLAIN SELECT * FROM t WHERE \(condition)")
            return try await RealDataTests.table(plan).rows.map { $0[0].trimmingSpaces }.first {
                $0.hasPrefix("Filter")
            }
        }
        #expect(try await filter("a = 1 OR 2 = a OR a IN (1, 3)") == (try await filter("a IN (1, 2, 3)")))
        #expect(try await filter("a = 1 OR b = 2 OR a = 3") == (try await filter("a IN (1, 3) OR b = 2")))
        #expect(try await filter("a + 1 = 1 OR a + 1 = 5") == (try await filter("a + 1 IN (1, 5)")))
        #expect(try await filter("random() = 0.5 OR random() = 0.25")?.contains("OR") == true)
        #expect(try await filter("a = 1 OR b = 1") != (try await filter("a IN (1)")))
    }
}

extension String {
    fileprivate var trimmingSpaces: String { String(drop { $0 == " " }) }
}
