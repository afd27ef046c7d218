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

    private static let keys: [[KeyColumn]] = [
        [bigint], [smallint], [text], [longText], [uuid], [numeric], [price], [double], [moment], [date], [blob],
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
            let expected = model[wanted].map { isLarge && $0 <= 50 ? [] : [["\($0)"]] } ?? []
            #expect(try await rows(database, sql) == expected, "seed \(seed), \(comment): \(sql)")
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
        // Part of a condition, or of a key, is no look-up.
        for condition in ["id > 7919", "id IN (7919, 1)", "id = 7919 OR name = 'x'", "name = 'name 1'"] {
            let plan = try await rows(database, "EXPLAIN SELECT name FROM t WHERE " + condition).map { $0[0] }
            #expect(plan.contains { $0.contains("Seq Scan on t") }, "\(condition): \(plan)")
        }
    }
}
