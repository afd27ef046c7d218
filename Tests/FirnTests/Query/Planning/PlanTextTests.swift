// SPDX-License-Identifier: Apache-2.0
//
// EXPLAIN's text, and what EXPLAIN ANALYZE counts.

import FirnIO
import Testing

@testable import Firn

@Suite struct PlanTextTests {
    private let time = DataType.timestamptz(.microseconds)

    private func plan(_ table: MemoryTable) throws -> LogicalPlan {
        let filtered = LogicalPlan.filter(
            table.scan(), compare(column(1, time), .greaterOrEqual, constant(.integer(86_400_000_000), time)))
        let grouped = grouping(
            filtered, by: [column(0, .text), timeBucket(3_600_000_000, column(1, time))],
            [aggregate(.countRows, [], .bigint)])
        return try Optimizer.optimize(
            .limit(
                .sort(
                    grouped, [LogicalPlan.SortKey(expression: column(2, .bigint), isDescending: true, nullsFirst: true)]
                ),
                limit: 2, offset: 0))
    }

    private var table: MemoryTable {
        MemoryTable(
            "readings", [("sensor", .text), ("time", time), ("value", .double)],
            (0..<3).map { day in
                ColumnBatch([
                    .text(["a", "b"]),
                    Column(type: time, values: .integer([0, 1].map { Int64(day) * 86_400_000_000 + $0 })),
                    .doubles([1, 2]),
                ])
            })
    }

    @Test func printsOperatorsWithTheirInputsBelow() throws {
        #expect(
            PlanText.lines(of: try plan(table)) == [
                "Top-N Sort",
                "  Sort Key: c2 DESC",
                "  Rows: 2",
                "  ->  HashAggregate",
                "        Group Key: sensor, time_bucket('01:00:00', time)",
                "        Aggregates: countRows",
                "        ->  Seq Scan on readings",
                "              Columns: sensor, time",
                "              Filter: (time >= '1970-01-02 00:00:00+00')",
                "              Prune: time in ['1970-01-02 00:00:00+00', ]",
            ])
    }

    @Test func analyzeCountsRowsAndRowGroups() throws {
        let table = table
        let lines = try PlanText.analyzedLines(
            of: try plan(table), executor: try executor(table), timeSource: ManualTimeSource())
        #expect(lines.contains { $0.contains("Seq Scan on readings") && $0.contains("rows=4") })
        #expect(lines.contains { $0.contains("HashAggregate") && $0.contains("rows=4") })
        #expect(lines[0].contains("rows=2"))
        #expect(lines.contains { $0.contains("Row Groups Read: 2  Skipped: 1") })
        #expect(lines.contains { $0.hasSuffix("Rows Removed by Filter: 0") })
        #expect(lines.last == "Execution Time: 0.000 ms")
    }
}
