// SPDX-License-Identifier: Apache-2.0
//
// time_bucket in SQL: TimescaleDB's documented results, named arguments, nanoseconds; and the loops that remember
// the stretch of the row before, against a bucket asked for every row alone.

import FirnIO
import FirnSyntax
import Testing

@testable import Firn

struct TimeBucketFunctionTests {
    static func evaluate(_ text: String, zone: String = "UTC") -> String {
        outcome {
            let context = EvaluationContext.test(zone: zone)
            let expression = try SQLParser.parseExpression("(\(text))::text")
            let bound = try Binder(catalogue: FakeCatalogue(), context: context).bindScalar(expression)
            let value = try ExpressionEvaluator(context).evaluateConstant(bound)
            if case .text(let text) = value { return text }
            return "\\N"
        }
    }

    @Test(arguments: [
        ("time_bucket('5 minutes', timestamptz '2024-01-15 10:17:33+00')", "2024-01-15 10:15:00+00"),
        ("time_bucket('1 hour', timestamp '2024-01-15 10:17:33')", "2024-01-15 10:00:00"),
        ("time_bucket('1 day', timestamptz '2024-01-15 10:17:33+00')", "2024-01-15 00:00:00+00"),
        ("time_bucket('1 week', timestamptz '2024-01-17 10:00+00')", "2024-01-15 00:00:00+00"),
        ("time_bucket('1 month', timestamptz '2024-01-17 10:00+00')", "2024-01-01 00:00:00+00"),
        ("time_bucket('1 year', timestamp '2024-07-17 10:00')", "2024-01-01 00:00:00"),
        ("time_bucket('7 days', date '2024-01-17')", "2024-01-15"),
        ("pg_typeof(time_bucket('7 days', date '2024-01-17'))", "date"),
        ("time_bucket('5 minutes', timestamptz '1969-12-31 23:58+00')", "1969-12-31 23:55:00+00"),
        ("time_bucket('1 day', timestamptz '2024-07-15 23:30+00', 'Europe/Berlin')", "2024-07-15 22:00:00+00"),
        (
            "time_bucket('1 day', timestamptz '2024-07-15 23:30+00', timezone => 'Europe/Berlin')",
            "2024-07-15 22:00:00+00"
        ),
        ("time_bucket('1 hour', timestamp '2024-01-15 10:17', origin => '2024-01-01 00:30')", "2024-01-15 09:30:00"),
        ("time_bucket('1 hour', timestamp '2024-01-15 10:17', \"offset\" => interval '15 min')", "2024-01-15 10:15:00"),
        ("time_bucket('1 hour', timestamp '2024-01-15 10:17', interval '20 min')", "2024-01-15 09:20:00"),
        ("time_bucket(10, 57)", "50"), ("time_bucket(10, -1)", "-10"), ("time_bucket(10, 57, 3)", "53"),
        ("time_bucket('5 minutes', timestamptz 'infinity')", "infinity"),
        ("time_bucket('5 minutes', NULL::timestamptz)", "\\N"),
        ("time_bucket('0 minutes', now())", "!22023 period must be greater than 0"),
        ("time_bucket(0, 5)", "!22023 period must be greater than 0"),
        (
            "time_bucket('1 month 1 day', now())",
            "!22023 month intervals cannot have day or time component"
        ),
        ("time_bucket('5 minutes', 5)", "!22P02 invalid input syntax for type integer: \"5 minutes\""),
    ])
    func timeBucketAnswersAsTimescaleDB(expression: String, answer: String) {
        #expect(Self.evaluate(expression) == answer)
    }

    @Test(arguments: [
        ("timestamptz(9) '2024-01-15 10:17:33.123456789+00'", "2024-01-15 10:17:33.123456789+00"),
        ("timestamptz(9) '2024-01-15 10:17:33.123456789+00' + interval '1 hour'", "2024-01-15 11:17:33.123456789+00"),
        ("time_bucket('1 minute', timestamptz(9) '2024-01-15 10:17:33.123456789+00')", "2024-01-15 10:17:00+00"),
        ("date_trunc('second', timestamptz(9) '2024-01-15 10:17:33.123456789+00')", "2024-01-15 10:17:33+00"),
        ("'2024-01-15 10:17:33.123456789+00'::timestamptz(9)::timestamptz", "2024-01-15 10:17:33.123456+00"),
        ("timestamptz(9) '2024-01-15 00:00:00.000000001+00' > timestamptz '2024-01-15 00:00:00+00'", "true"),
        ("'9999-01-01'::timestamptz::timestamptz(9)", "!22008 timestamp out of range"),
    ])
    func nanosecondsAreKept(expression: String, answer: String) {
        #expect(Self.evaluate(expression) == answer)
    }

    /// Random times, in runs and jumps, NULLs among them: every function over the block is what it is row by row.
    @Test func blocksAnswerAsSingleRows() throws {
        let seed = QuerySeed.current
        let random = SeededRandomSource(seed: seed)
        var values: [Value] = []
        var time: Int64 = 1_700_000_000_000_000
        for _ in 0..<2_000 {
            switch random.next(in: 0..<20) {
            case 0: time = Int64(bitPattern: random.next()) / 4
            case 1: values.append(.null)
            case 2: values.append(.integer(random.next(in: 0..<2) == 0 ? .min : .max))
            default: time += Int64(random.next(in: UInt64(0)..<90_000_000))
            }
            values.append(.integer(min(max(time, Timestamp.earliest.microseconds + 1), 200_000_000_000_000_000)))
        }
        let column = Column(values, type: .timestamptz)
        let batch = ColumnBatch([column])
        for zone in ["UTC", "Europe/Berlin", "America/St_Johns"] {
            let context = EvaluationContext.test(zone: zone)
            let evaluator = ExpressionEvaluator(context)
            let binder = Binder(catalogue: FakeCatalogue(), context: context)
            for text in [
                "time_bucket('5 minutes', t)", "time_bucket('1 day', t)", "time_bucket('1 month', t)",
                "time_bucket('1 day', t, 'Europe/Berlin')", "time_bucket('6 hours', t, 'Europe/Berlin')",
                "time_bucket('1 month', t, 'America/St_Johns')", "date_trunc('minute', t)", "date_trunc('day', t)",
                "date_trunc('week', t)", "date_trunc('month', t)", "date_trunc('year', t)", "t + interval '1 hour'",
                "t - interval '1 day'", "extract(hour from t)", "t > '2024-01-01'", "t::date",
            ] {
                let bound = try binder.bindScalar(
                    try SQLParser.parseExpression(text), inputColumns: [OutputColumn(name: "t", type: .timestamptz)])
                let whole = Result { try evaluator.evaluate(bound, over: batch).materialized(rowCount: values.count) }
                let single = Result {
                    try (0..<values.count).map { try evaluator.evaluate(bound, over: batch.slice($0..<$0 + 1)).row(0) }
                }
                switch (whole, single) {
                case (.success(let whole), .success(let single)):
                    let mismatch = single.indices.first { whole[$0] != single[$0] }
                    #expect(mismatch == nil, "\(text) in \(zone), row \(mismatch ?? 0), FIRN_SEED=\(seed)")
                case (.failure, .failure): break
                default: Issue.record("\(text) in \(zone) fails for the block or the rows alone, FIRN_SEED=\(seed)")
                }
            }
        }
    }
}
