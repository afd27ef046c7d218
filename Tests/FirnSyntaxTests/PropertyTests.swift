// SPDX-License-Identifier: Apache-2.0
//
// Random and mutated text never crashes the parser, and whatever parses renders back to the same tree.

import FirnSyntax
import Testing

struct PropertyTests {
    /// Checks one text; gives whether it parsed.
    @discardableResult
    private static func check(_ text: String, _ note: @autoclosure () -> String) -> Bool {
        do throws(SyntaxError) {
            for statement in try SQLParser.parse(text) {
                #expect(statement.range.end.byteOffset <= text.utf8.count)
                for query in queries(of: statement) {
                    let rendered = query.sqlText
                    do throws(SyntaxError) {
                        let again = try SQLParser.parseQuery(rendered)
                        #expect(again == query, "\(note())\n\(rendered)\n\(again.sqlText)")
                    } catch {
                        Issue.record("\(note())\nrendered: \(rendered)\n\(error)")
                    }
                }
            }
            return true
        } catch {
            #expect(!error.message.isEmpty && error.code.count == 5, "\(note())")
            #expect(error.range.start <= error.range.end, "\(note())")
            #expect(error.range.end.byteOffset <= text.utf8.count, "\(note()) \(error)")
            return false
        }
    }

    private static func queries(of statement: Statement) -> [Query] {
        switch statement.kind {
        case .query(let query): [query]
        case .createView(let view): [view.query]
        case .createTableAs(let table): [table.query]
        case .explain(let explain): queries(of: explain.statement)
        case .prepare(let prepare): queries(of: prepare.statement)
        case .insert(let insert): if case .query(let query) = insert.source { [query] } else { [] }
        case .copy(let copy): if case .query(let query) = copy.subject { [query] } else { [] }
        default: []
        }
    }

    /// Pieces of SQL to cut up and shuffle.
    private static let seeds: [String] =
        CorpusTests.scripts.map(\.sql).filter { $0.utf8.count < 1_000 } + [
            "SELECT -1::int, (-1)::int, - -1, -a ^ 2, NOT a = b, a::int[], (a::int)[1], a[1:2], a[:], f(a)[1], (x).y",
            "SELECT INTERVAL '5' MINUTE, interval '1' second(3), timestamp '2020-01-01', vector(3) '[1,2]', X'1F', $1",
            "SELECT a BETWEEN 1 AND 2, b NOT IN (1, 2), c LIKE 'x%' ESCAPE '!', d ILIKE ANY (ARRAY['a']), EXISTS (SELECT 1)",
            "SELECT a AT TIME ZONE 'UTC' COLLATE \"C\", array_agg(DISTINCT a ORDER BY b DESC NULLS LAST), ARRAY(SELECT 1), ROW()",
            "SELECT * FROM a ASOF LEFT JOIN b ON a.t >= b.t TOLERANCE INTERVAL '1 s', LATERAL (SELECT 1) c (d), f(1) AS (a int)",
            "SELECT DISTINCT ON (a, b) a FROM t GROUP BY ROLLUP (a, b), GROUPING SETS ((a, b), ()) HAVING count(*) > 1 LIMIT 1",
            "SELECT sum(x) FILTER (WHERE a) OVER (w PARTITION BY b ORDER BY c GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING EXCLUDE TIES)",
            "(SELECT 1 UNION ALL (SELECT 2 EXCEPT SELECT 3)) INTERSECT VALUES (1), (2) ORDER BY 1 FETCH FIRST 3 ROWS WITH TIES",
            "WITH RECURSIVE x (a) AS NOT MATERIALIZED (SELECT 1), y AS (TABLE t) SELECT CASE a WHEN 1 THEN 2 ELSE 3 END FROM x, y",
            "SELECT substring(a FROM 1 FOR 2), position('a' IN b), trim(both 'x' FROM y), extract(year FROM ts), current_timestamp(3)",
            "SELECT ((SELECT 1) UNION (SELECT 2)), ((SELECT 1)) + 1, (1,2) = (SELECT 1, 2), a IN ((SELECT 1), 2), x IS NOT DISTINCT FROM y",
            "SELECT 1 FROM ((SELECT 1) UNION (SELECT 2) ORDER BY 1) x, ((SELECT 1) a CROSS JOIN b), (a NATURAL JOIN (b JOIN c USING (d)))",
            "CREATE TABLE t (a int PRIMARY KEY, b timestamptz NOT NULL DEFAULT now(), CHECK (a > 1)) WITH (x.y = 1)",
            "INSERT INTO t (a, b) VALUES (1, DEFAULT) ON CONFLICT (a) DO UPDATE SET b = excluded.b RETURNING *",
            "COPY t (a) FROM STDIN CSV HEADER DELIMITER ',' NULL ''; ALTER TABLE t ADD COLUMN a int, DROP b, SET (c = 1)",
        ]

    @Test
    func theSeedsRenderBackToTheSameTrees() {
        for text in Self.seeds { #expect(Self.check(text, text), "\(text)") }
    }

    @Test
    func randomBytesNeverCrash() {
        let seed = testSeed(1)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<3_000 {
            let count = Int.random(in: 0...80, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = String(decoding: bytes, as: UTF8.self)
            Self.check(text, "FIRN_SEED=\(seed) round \(round)")
            Self.check("SELECT " + text, "FIRN_SEED=\(seed) round \(round)")
        }
    }

    @Test
    func mutatedStatementsNeverCrashAndRenderBack() {
        let seed = testSeed(2)
        var generator = SeededGenerator(seed: seed)
        var parsedCount = 0
        for round in 0..<4_000 {
            var bytes = Array((Self.seeds.randomElement(using: &generator) ?? "").utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 32...126, using: &generator)
                case 2: bytes.insert(Array("()'\"$-*,;.[]:=".utf8).randomElement(using: &generator) ?? 32, at: place)
                default:
                    let end = min(bytes.count, place + Int.random(in: 1...30, using: &generator))
                    bytes.removeSubrange(place..<end)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if Self.check(text, "FIRN_SEED=\(seed) round \(round): \(text)") { parsedCount += 1 }
        }
        #expect(parsedCount > 100)
    }

    @Test
    func shuffledTokensNeverCrashAndRenderBack() {
        let seed = testSeed(3)
        var generator = SeededGenerator(seed: seed)
        let words =
            "a b t.c 1 2.5 'x' $1 NULL TRUE ( ) ( ) [ ] , , + - * / % ^ || = < <> :: -> ~ AND OR NOT IS IN LIKE BETWEEN CASE WHEN THEN "
            + "ELSE END CAST AS int text ARRAY ROW SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT UNION ALL EXISTS ANY DISTINCT f( count(*) "
            + "interval '1' day OVER timestamp COLLATE AT TIME ZONE JOIN LEFT ON USING LATERAL VALUES WITH ESCAPE FILTER extract( row "
            + "DESC NULLS FIRST ROWS PRECEDING CURRENT ISNULL value second values"
        let atoms = words.split(separator: " ").map(String.init)
        var parsedCount = 0
        for round in 0..<10_000 {
            let count = Int.random(in: 1...9, using: &generator)
            let text =
                "SELECT "
                + (0..<count).map { _ in atoms.randomElement(using: &generator) ?? "a" }.joined(separator: " ")
            if Self.check(text, "FIRN_SEED=\(seed) round \(round): \(text)") { parsedCount += 1 }
        }
        #expect(parsedCount > 200)
    }

    @Test
    func randomExpressionsRenderBackToTheSameTree() throws {
        let seed = testSeed(4)
        var generator = SeededGenerator(seed: seed)
        for round in 0..<4_000 {
            let text = Self.randomExpression(4, &generator)
            let tree = try SQLParser.parseExpression(text)
            let again = try SQLParser.parseExpression(tree.sqlText)
            #expect(again == tree, "FIRN_SEED=\(seed) round \(round): \(text)\n\(tree.sqlText)")
        }
    }

    /// An expression in which every operand stands in parentheses, so that any tree can arise.
    private static func randomExpression(_ depth: Int, _ generator: inout SeededGenerator) -> String {
        if depth == 0 {
            return [
                "a", "\"B c\"", "1", "2.5e3", "'it''s'", "$1", "NULL", "t.timestamp", "date '2020-01-01'",
                "interval '1' hour",
            ]
            .randomElement(using: &generator) ?? "a"
        }
        let left = "(\(randomExpression(depth - 1, &generator)))"
        let right = "(\(randomExpression(Int.random(in: 0..<depth, using: &generator), &generator)))"
        let operators =
            BinaryOperator.allCases.map(\.rawValue) + [
                "AND", "OR", "IS DISTINCT FROM", "LIKE", "NOT ILIKE", "AT TIME ZONE",
            ]
        switch Int.random(in: 0..<16, using: &generator) {
        case 0: return "- \(left)"
        case 1: return "NOT \(left)"
        case 2: return "~ \(left)"
        case 3: return "\(left)::numeric(10, 2)"
        case 4: return "\(left) IS NOT NULL"
        case 5: return "\(left) NOT BETWEEN \(right) AND \(left)"
        case 6: return "\(left) IN (\(right), 2)"
        case 7: return "\(left)[\(right)]"
        case 8: return "\(left) COLLATE \"C\""
        case 9: return "CASE WHEN \(left) THEN \(right) END"
        case 10: return "\(left) = ANY (\(right))"
        case 11:
            return "f(DISTINCT \(left), \(right) ORDER BY \(left)) FILTER (WHERE \(right)) OVER (PARTITION BY \(left))"
        default: return "\(left) \(operators.randomElement(using: &generator) ?? "+") \(right)"
        }
    }
}
