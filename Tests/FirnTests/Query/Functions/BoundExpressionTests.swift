// SPDX-License-Identifier: Apache-2.0
//
// Every expression of Samples/Query/expressions.txt against PostgreSQL's answer in expressions.tsv: over constants,
// and over the rows of samples.sql, which hold NULLs, extremes, NaN, infinities and text beyond ASCII.

import FirnSyntax
import Testing

@testable import Firn

struct BoundExpressionTests {
    static let samples = TableSchema.testTable(
        "samples",
        [
            "id": .integer, "i": .integer, "s": .smallint, "b": .bigint, "r": .real, "d": .double, "n": .numeric,
            "t": .text, "tz": .timestamptz, "ts": .timestamp, "dt": .date, "iv": .interval, "bo": .boolean, "u": .uuid,
        ])

    static let columns = samples.columns.map { OutputColumn(name: $0.name, type: $0.type) }

    static let rows: ColumnBatch = {
        let values = TestFiles.sampleLines("samples.sql").joined(separator: "\n")
        do {
            let query = try SQLParser.parseQuery("VALUES \(values)")
            let plan = try Binder(catalogue: FakeCatalogue(), context: .test()).bindQuery(query, into: columns)
            guard case .values(let rows, _) = plan else { preconditionFailure("VALUES bind to values") }
            let evaluator = ExpressionEvaluator(.test())
            let values = try rows.map { row in try row.map { try evaluator.evaluateConstant($0) } }
            return ColumnBatch(
                columns.enumerated().map { index, column in Column(values.map { $0[index] }, type: column.type) })
        } catch {
            preconditionFailure("the samples are valid: \(error)")
        }
    }()

    /// The same rows with text by code.
    static let codedRows = ColumnBatch(rows.columns.map(\.dictionaryCoded))

    /// An expression with PostgreSQL's answer.
    struct Expectation: Sendable, CustomTestStringConvertible {
        var line: String
        var answer: String
        var testDescription: String { line }
    }

    static let expectations: [Expectation] = TestFiles.sampleLines("expressions.tsv").dropFirst().map { line in
        let parts = line.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
        return Expectation(line: String(parts[0]), answer: String(parts[1]))
    }

    private func answer(to line: String, over rows: ColumnBatch, hasRows: Bool) -> String {
        var zone = "UTC"
        var text = line
        if line.hasPrefix("@"), line.dropFirst().first?.isLetter == true {
            let parts = line.dropFirst().split(separator: " ", maxSplits: 1)
            (zone, text) = (String(parts[0]), String(parts[1]))
        }
        return outcome {
            let context = EvaluationContext.test(zone: zone)
            let expression = try SQLParser.parseExpression("(\(text))::text")
            let binder = Binder(catalogue: FakeCatalogue(), context: context)
            let bound = try binder.bindScalar(expression, inputColumns: Self.columns)
            let batch = hasRows ? rows : ColumnBatch([], rowCount: 1)
            let column = try ExpressionEvaluator(context).evaluate(bound, over: batch)
                .materialized(rowCount: batch.rowCount)
            return ColumnBatch([column]).texts().map { $0[0] }.joined(separator: "\t")
        }
    }

    @Test func expectationsAreThere() {
        #expect(Self.expectations.count > 600)
        #expect(Self.rows.rowCount == 7)
    }

    @Test(arguments: expectations)
    func expressionsAnswerAsPostgreSQL(_ expectation: Expectation) {
        let hasRows = expectation.answer.contains("\t") || expectation.answer.hasPrefix("!")
        let wanted = ExplainedDifferences.answers[expectation.line] ?? expectation.answer
        #expect(answer(to: expectation.line, over: Self.rows, hasRows: hasRows) == wanted)
        if hasRows { #expect(answer(to: expectation.line, over: Self.codedRows, hasRows: true) == wanted) }
    }
}

/// Where Firn answers otherwise on purpose.
enum ExplainedDifferences {
    static let answers: [String: String] = [
        // NUMERIC is an integer coefficient and a scale: it holds neither NaN nor infinities.
        "d::numeric": "!22003 cannot convert NaN or infinity to numeric",
        "r::numeric": "!22003 cannot convert NaN or infinity to numeric",
    ]
}
