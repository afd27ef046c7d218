// SPDX-License-Identifier: Apache-2.0
//
// Look-ups by primary key find what a scan of all rows finds, wherever the row lies: in memory, in segments of several
// chunks, in compressed ones; for every type of key, and where all hashes collide.

import FirnIO
import Testing

@testable import Firn

@Suite("Look-ups by key")
struct KeyLookupTests {
    /// A way to write the number n as a value of a type; numbers that differ have values that differ.
    private struct KeyColumn: Sendable {
        let type: String
        /// As it is inserted, and as it is looked up.
        let literals: @Sendable (Int) -> (String, String)

        init(_ type: String, _ literals: @escaping @Sendable (Int) -> (String, String)) {
            self.type = type
            self.literals = literals
        }

        init(_ type: String, _ literal: @escaping @Sendable (Int) -> String) {
            self.init(type) { (literal($0), literal($0)) }
        }
    }

    private static let bigint = KeyColumn("bigint") { "\($0 &* 7_919 - 1_000)" }
    private static let smallint = KeyColumn("smallint") { "\($0 - 200)" }
    private static let text = KeyColumn("text") { "'é \($0)'" }
    private static let longText = KeyColumn("text") { n in "'a name that fills more than a word: \(n)'" }
    private static let uuid = KeyColumn("uuid") { n in
        let digits = String(UInt64(n + 1) &* 0x9E37_79B9_7F4A_7C15, radix: 16)
        return "'" + String(repeating: "0", count: 32 - digits.count) + digits + "'"
    }
    private static let numeric = KeyColumn("numeric") { n in ("\(n).50", "\(n).5000") }
    private static let price = KeyColumn("numeric(12,2)") { n in ("\(n).5", "\(n).50") }
    private static let double = KeyColumn("double precision") { n in n == 0 ? ("-0.0", "0.0") : ("\(n).125", "\(n).125")
    }
    private static let moment = KeyColumn("timestamptz") { n in "'2024-01-\(10 + n / 24) \(n % 24):00:00+00'" }
    private static let date = KeyColumn("date") { n in "'\(1900 + n)-02-03'" }
    private static let blob = KeyColumn("bytea") { n in "'\\x\(String(n + 4_096, radix: 16))'" }
    private static let real = KeyColumn("real") { n in "\(n).25" }
    private static let span = KeyColumn("interval") { n in ("interval '\(n) months'", "interval '\(30 * n) days'") }
    private static let vector = KeyColumn("vector(2)") { n in "'[\(n), 0.5]'::vector(2)" }
    private static let json = KeyColumn("jsonb") { n in
        ("'{\"a\": [\(n).50]}'::jsonb", "'{\"a\": [\(n).5]}'::jsonb")
    }

    private static let keys: [[KeyColumn]] = [
        [bigint], [smallint], [text], [longText], [uuid], [numeric], [price], [double], [moment], [date], [blob],
        [real], [span],
        [vector], [json],
        [text, bigint], [date, uuid, smallint], [price, longText],
    ]

    private func rows(_ database: Database, _ sql: String) async throws -> [[String]] {
        try await RealDataTests.table(try await database.query(sql)).rows
    }

    @Test(arguments: 0..<keys.count, [UInt64.max, 3 << 62])
    func aKeyFindsItsRowAndNoOther(number: Int, mask: UInt64) async throws {
        let key = Self.keys[number]
        let seed = QuerySeed.current
        var generator = Xoshiro256(seed: seed &+ UInt64(number))
        func random(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        var options = DatabaseOptions()
        options.storage.keyHashMask = mask
        let database = try Database.inMemory(options: options)
        let names = key.indices.map { "k\($0)" }
        let columns = zip(names, key).map { "\($0) \($1.type)" }.joined(separator: ", ")
        try await database.execute(
            "CREATE TABLE t (time timestamptz NOT NULL, \(columns), value bigint, PRIMARY KEY (\(names.joined(separator: ", "))))"
        )
        // Numbers of the key's columns, by the number that the row has.
        var model: [[Int]: Int] = [:]
        func someKey() -> [Int] { key.indices.map { _ in random(key.count == 1 ? 300 : 18) } }
        func lookUp(_ wanted: [Int], _ comment: String) async throws {
            var conditions = zip(names, key).enumerated().map { index, column in
                let literal = column.1.literals(wanted[index]).1
                return random(4) == 0 ? "\(literal) = \(column.0)" : "\(column.0) = \(literal)"
            }
            let isLarge = random(5) == 0
            if isLarge { conditions.append("value > 50") }
            conditions.shuffle(using: &generator)
            let sql = "SELECT value FROM t WHERE " + conditions.joined(separator: " AND ")
            let plan = try await rows(database, "EXPLAIN " + sql).map { $0[0] }
            #expect(plan.contains { $0.contains("Index Scan using t_pkey on t") }, "seed \(seed): \(sql)")
            let expected = model[wanted].map { isLarge && $0 <= 50 ? [] : [["\($0)"]] } ?? []
            #expect(try await rows(database, sql) == expected, "seed \(seed), \(comment): \(sql)")
        }
        /// Some values of each column, in a list or joined by OR; all their combinations are wanted.
        func lookUpSeveral(_ comment: String) async throws {
            var wanted: [[Int]] = [[]]
            var conditions: [String] = []
            for (name, column) in zip(names, key) {
                let numbers = (0..<1 + random(4)).map { _ in someKey()[0] }
                wanted = wanted.flatMap { start in Set(numbers).map { start + [$0] } }
                let literals = numbers.map { column.literals($0).1 }
                conditions.append(
                    random(2) == 0
                        ? "\(name) IN (\(literals.joined(separator: ", ")))"
                        : "(" + literals.map { "\(name) = \($0)" }.joined(separator: " OR ") + ")")
            }
            let sql = "SELECT value FROM t WHERE " + conditions.joined(separator: " AND ") + " ORDER BY value"
            let expected = Set(wanted.compactMap { model[$0] }).sorted().map { ["\($0)"] }
            #expect(try await rows(database, sql) == expected, "seed \(seed), \(comment): \(sql)")
            let plan = try await rows(database, "EXPLAIN " + sql).map { $0[0] }
            #expect(plan.contains { $0.contains("Index Scan using t_pkey on t") }, "seed \(seed): \(sql)")
        }
        for round in 0..<5 {
            var inserted: [String] = []
            for _ in 0..<random(40) {
                let wanted = someKey()
                guard model[wanted] == nil else { continue }
                model[wanted] = model.count
                let values = zip(key, wanted).map { $0.literals($1).0 }.joined(separator: ", ")
                inserted.append("('2024-03-\(10 + random(20))', \(values), \(model[wanted]!))")
            }
            if !inserted.isEmpty {
                try await database.execute("INSERT INTO t VALUES " + inserted.joined(separator: ", "))
            }
            switch random(5) {
            case 0, 1: try await database.execute("CHECKPOINT")
            case 2: _ = try await rows(database, "SELECT compress_chunk(c) FROM show_chunks('t') c")
            case 3: _ = try await rows(database, "SELECT decompress_chunk(c, true) FROM show_chunks('t') c")
            default: break
            }
            for wanted in model.keys.sorted(by: { model[$0]! < model[$1]! }).shuffled(using: &generator).prefix(8) {
                try await lookUp(wanted, "round \(round)")
            }
            for _ in 0..<8 { try await lookUp(someKey(), "round \(round)") }
            for _ in 0..<4 { try await lookUpSeveral("round \(round)") }
        }
        #expect(try await rows(database, "SELECT count(*) FROM t") == [["\(model.count)"]])
    }

    @Test func aLookUpReadsOneVectorOfOneRowGroup() async throws {
        let database = try Database.inMemory()
        try await database.execute(
            "CREATE TABLE t (time timestamptz NOT NULL, id bigint, name text, PRIMARY KEY (id))")
        try await database.execute(
            """
            INSERT INTO t SELECT timestamptz '2024-03-01' + n * interval '1 second', n * 7919 % 100003, 'name ' || n
            FROM generate_series(1, 100000) n
            """)
        try await database.execute("CHECKPOINT")
        let query = "SELECT name FROM t WHERE id = 7919"
        #expect(try await rows(database, query) == [["name 1"]])
        let plan = try await rows(database, "EXPLAIN ANALYZE " + query).map { $0[0] }
        #expect(plan.contains { $0.contains("Index Scan using t_pkey on t ") }, "\(plan)")
        #expect(plan.contains { $0.contains("Row Groups Read: 1  Skipped: 1") }, "\(plan)")
        #expect(plan.contains { $0.contains("Rows Removed by Filter: 1023") }, "\(plan)")
        let missing = try await rows(database, "EXPLAIN ANALYZE SELECT name FROM t WHERE id = 84165").map { $0[0] }
        #expect(missing.contains { $0.contains("Row Groups Read: 0  Skipped: 2") }, "\(missing)")
        let several = try await rows(
            database, "EXPLAIN ANALYZE SELECT name FROM t WHERE id IN (7919, 84165, 15838)"
        ).map { $0[0] }
        #expect(several.contains { $0.contains("Index Scan using t_pkey on t ") }, "\(several)")
        #expect(several.contains { $0.contains("Prune: id in {7919, 15838, 84165}") }, "\(several)")
        #expect(several.contains { $0.contains("Rows Removed by Filter: 1022") }, "\(several)")
        // Part of a condition, or of a key, is no look-up; nor are more keys than are worth it.
        let many = "id IN (" + (0..<1_025).map { "\($0)" }.joined(separator: ", ") + ")"
        for condition in ["id > 7919", many, "id = 7919 OR name = 'x'", "name = 'name 1'"] {
            let plan = try await rows(database, "EXPLAIN SELECT name FROM t WHERE " + condition).map { $0[0] }
            #expect(plan.contains { $0.contains("Seq Scan on t") }, "\(condition): \(plan)")
        }
        for (condition, names) in [
            ("id IN (7919, 84165, 15838)", ["name 1", "name 2"]), ("id BETWEEN 7919 AND 7919", ["name 1"]),
            ("id = 7919 AND id = 15838", []), ("id IN (7919, 15838) AND id > 7919", ["name 2"]),
            ("id IN (7919, NULL)", ["name 1"]), ("id IN (7919, 9223372036854775807)", ["name 1"]),
        ] {
            let query = "SELECT name FROM t WHERE \(condition) ORDER BY name"
            #expect(try await rows(database, query) == names.map { [$0] }, "\(condition)")
            let plan = try await rows(database, "EXPLAIN " + query).map { $0[0] }
            #expect(plan.contains { $0.contains("Index Scan using t_pkey on t") }, "\(condition): \(plan)")
        }
    }

    /// Lists of a column without an index leave out what holds none of their values.
    @Test func aListLeavesOutRowGroupsBetweenItsValues() async throws {
        let database = try Database.inMemory()
        try await database.execute(
            "CREATE TABLE t (time timestamptz NOT NULL, sensor text, n bigint, b bytea, p numeric(12,2), r real, f boolean)"
        )
        try await database.execute(
            """
            INSERT INTO t SELECT timestamptz '2024-03-01' + n * interval '1 second', 'sensor ' || 1000 + n / 2000, n,
                ('\\x' || lpad(to_hex(n), 6, '0'))::bytea, n / 100.0, n / 4.0,
                n < 100000
            FROM generate_series(0, 199999) n
            """)
        try await database.execute("CHECKPOINT")
        for (condition, count, read) in [
            ("n IN (5, 199999)", 2, 2), ("n = 70000 OR n = 70001", 2, 1), ("n IN (-1, 200000)", 0, 0),
            ("b IN ('\\x000005', '\\x030d3f')", 2, 4), ("b = '\\x011170' OR b = '\\x011171'", 2, 4),
            ("p IN (0.05, 1999.990)", 2, 2), ("p = 700.00 OR p = 700.01", 2, 1), ("p > 1999.97", 2, 1),
            ("r IN (1.25, 49999.75)", 2, 2), ("r = 17500 OR r = 17500.1", 1, 1), ("r > 49999.3", 2, 1),
            ("f IN (true)", 100_000, 2), ("f = true OR f = false", 200_000, 4),
            ("r <= 0.3", 2, 1), ("r < 'NaN'::float8", 200_000, 4), ("r >= 1e300", 0, 0), ("r <= -1e300", 0, 0),
            ("sensor IN ('sensor 1000', 'sensor 1099')", 4_000, 2), ("sensor IN ('sensor 1', 'sensor 999')", 0, 0),
        ] {
            let query = "SELECT count(*) FROM t WHERE \(condition)"
            #expect(try await rows(database, query) == [["\(count)"]], "\(condition)")
            let plan = try await rows(database, "EXPLAIN ANALYZE " + query).map { $0[0] }
            #expect(
                plan.contains { $0.contains("Row Groups Read: \(read)  Skipped: \(4 - read)") }, "\(condition): \(plan)"
            )
        }
    }

    @Test func listsOfEveryTypeFindTheirRows() async throws {
        let database = try Database.inMemory()
        for column in [
            Self.bigint, Self.smallint, Self.text, Self.uuid, Self.numeric, Self.price, Self.double, Self.moment,
            Self.date, Self.blob, Self.real, Self.span, Self.vector, Self.json,
        ] {
            try await database.execute("DROP TABLE IF EXISTS t")
            try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, k \(column.type), value bigint)")
            let values = (0..<50).map { "('2024-03-10', \(column.literals($0).0), \($0))" }
            try await database.execute(
                "INSERT INTO t VALUES \(values.joined(separator: ", ")), ('2024-03-10', NULL, 50)")
            for _ in 0..<2 {
                let literals = [41, 60, 7].map { column.literals($0).1 }
                for condition in [
                    "k IN (\(literals.joined(separator: ", ")))",
                    literals.map { "k = \($0)" }.joined(separator: " OR "),
                ] {
                    let found = try await rows(database, "SELECT value FROM t WHERE \(condition) ORDER BY value")
                    #expect(found == [["7"], ["41"]], "\(column.type): \(condition)")
                }
                let none = "SELECT value FROM t WHERE k = \(literals[0]) AND k = \(literals[2])"
                #expect(try await rows(database, none) == [], "\(none)")
                try await database.execute("CHECKPOINT")
            }
        }
    }
}
