// SPDX-License-Identifier: Apache-2.0
//
// Every query of Samples/Query/queries.txt, from text to rows through the binder, the optimiser and the executor,
// against PostgreSQL's answer in queries.tsv; and the places and hints of errors.

import FirnSyntax
import Testing

@testable import Firn

struct BoundQueryTests {
    /// A query with PostgreSQL's answer.
    struct Expectation: Sendable, CustomTestStringConvertible {
        var query: String
        var answer: String
        var testDescription: String { query }
    }

    static let expectations: [Expectation] = TestFiles.sampleLines("queries.tsv").dropFirst().map { line in
        let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        return Expectation(query: String(parts[0]), answer: String(parts[1]))
    }

    static let table: MemoryTable = {
        let columns = BoundExpressionTests.columns.map { (name: $0.name, type: $0.type) }
        let rows = BoundExpressionTests.codedRows
        return MemoryTable("samples", columns, [rows.slice(0..<3), rows.slice(3..<7)])
    }()

    static func run(_ text: String, parameters: [BoundParameter] = []) throws -> (names: [String], rows: [[String]]) {
        let query = try SQLParser.parseQuery(text)
        let context = EvaluationContext.test()
        let binder = Binder(catalogue: table, context: context, parameters: parameters)
        let plan = try Optimizer.optimize(try binder.bindQuery(query))
        let executor = QueryExecutor(snapshot: table, context: context, workers: .callerOnly)
        var rows: [[String]] = []
        try executor.run(plan) { batch in rows.append(contentsOf: batch.texts()) }
        return (plan.columns.map(\.name), rows)
    }

    static func answer(_ text: String) -> String {
        outcome {
            let (names, rows) = try run(text)
            return ([names] + rows).map { $0.joined(separator: "|") }.joined(separator: "\t")
        }
    }

    @Test func expectationsAreThere() {
        #expect(Self.expectations.count > 150)
    }

    @Test(arguments: expectations)
    func queriesAnswerAsPostgreSQL(_ expectation: Expectation) {
        let wanted = Self.explained[expectation.query] ?? expectation.answer
        #expect(Self.answer(expectation.query) == wanted)
    }

    /// Where Firn answers otherwise on purpose.
    static let explained: [String: String] = [:]

    /// Errors name the place and what may have been meant.
    @Test(arguments: [
        ("SELECT temprature FROM samples", "42703", 7, nil),
        ("SELECT samples.idd FROM samples", "42703", 7, "did you mean \"id\"?"),
        ("SELECT 1 FROM sampels", "42P01", 14, "did you mean \"samples\"?"),
        ("SELECT lenght(t) FROM samples", "42883", 7, "did you mean \"length\"?"),
        ("SELECT id FROM samples WHERE tz > 'soon'", "22007", 34, nil),
        ("SELECT id FROM samples WHERE 1 / (id - 1) > 0", "22012", 29, nil),
        ("SELECT id FROM samples a JOIN samples b ON a.id = b.id", "0A000", 30, nil),
        ("SELECT lag(id) OVER (ORDER BY id) FROM samples", "0A000", 7, nil),
        ("SELECT id FROM samples WHERE id IN (SELECT 1)", "0A000", 29, nil),
        ("SELECT t FROM samples GROUP BY id", "42803", 7, nil),
        ("SELECT 1 INTERSECT SELECT 1", "0A000", 0, nil),
        ("SELECT '[1,2]'::vector(2) = '[1,2,3]'::vector(3)", "42883", 7, nil),
        ("SELECT '[1,2]'::vector(2) UNION ALL SELECT '[1,2,3]'::vector(3)", "42804", 0, nil),
        ("SELECT id FROM samples WHERE t ~ 'x'", "0A000", 29, "use LIKE or ILIKE"),
    ])
    func errorsNameTheirPlace(query: String, code: String, position: Int, hint: String?) {
        do {
            _ = try Self.run(query)
            Issue.record("the query is refused")
        } catch let error as FirnError {
            #expect(error.code.code == code)
            #expect(error.position == position)
            if let hint { #expect(error.hint == hint) }
        } catch {
            Issue.record("a FirnError, not \(error)")
        }
    }

    @Test func parametersTakeTheirTypeFromValueAndPlace() throws {
        let rows = try Self.run(
            "SELECT id, $2::text FROM samples WHERE i = $1 OR tz = $3 ORDER BY id",
            parameters: [
                BoundParameter(.integer(42)), BoundParameter(.double(1.5)),
                BoundParameter(.text("1970-01-01 00:00:00+00")),
            ]
        ).rows
        #expect(rows == [["4", "1.5"], ["7", "1.5"]])
        #expect(outcome { try Self.run("SELECT $1").rows.description } == "!42P02 there is no parameter $1")
    }

    @Test func valuesOfInsertGoToTheirColumnsOneByOne() throws {
        let targets = [OutputColumn(name: "a", type: .integer), OutputColumn(name: "b", type: .timestamptz)]
        func rows(_ text: String) -> String {
            outcome {
                let query = try SQLParser.parseQuery(text)
                let binder = Binder(catalogue: FakeCatalogue(), context: .test())
                let plan = try binder.bindQuery(query, into: targets)
                var rows: [[String]] = []
                try QueryExecutor(snapshot: Self.table, context: .test(), workers: .callerOnly).run(plan) { batch in
                    rows.append(contentsOf: batch.texts())
                }
                return rows.map { $0.joined(separator: "|") }.joined(separator: "\t")
            }
        }
        #expect(rows("VALUES (1, '2024-01-01'), ('2', NULL)") == "1|2024-01-01 00:00:00+00\t2|\\N")
        #expect(rows("SELECT 2.5, '2024-01-01'") == "3|2024-01-01 00:00:00+00")
        #expect(
            rows("VALUES (true, NULL)") == "!42804 column \"a\" is of type integer but expression is of type boolean")
        #expect(rows("VALUES (1)") == "!42601 INSERT has more target columns than expressions")
        #expect(rows("SELECT 1, NULL, 3") == "!42601 INSERT has more expressions than target columns")
        #expect(rows("VALUES (3000000000, NULL)") == "!22003 integer out of range")
    }

    @Test func groupByAllTakesWhatIsNoAggregate() {
        #expect(
            Self.answer("SELECT bo, id % 2 AS odd, count(*) FROM samples GROUP BY ALL ORDER BY 1, 2 LIMIT 2")
                == "bo|odd|count\tf|0|1\tf|1|1")
    }

    @Test func firstAndLastTakeTheValueAtTheExtremeTime() {
        #expect(Self.answer("SELECT first(t, tz), last(id, tz) FROM samples") == "first|last\tHello World|6")
    }
}
