// SPDX-License-Identifier: Apache-2.0
//
// Scan, filter, project, values, series, limit and append: what they give, and what they leave unread.

import FirnIO
import Synchronization
import Testing

@testable import Firn

@Suite struct OperatorTests {
    private static func numbers(_ count: Int, perMorsel: Int) -> MemoryTable {
        let batches = stride(from: 0, to: count, by: perMorsel).map { start in
            let values = (start..<min(start + perMorsel, count)).map { Int64($0) }
            return ColumnBatch([.integers(values), .doubles(values.map { Double($0) / 2 })])
        }
        return MemoryTable("t", [("n", .bigint), ("half", .double)], batches, order: [0])
    }

    @Test(arguments: [1, 2, 4]) func scanGivesRowsInStoredOrderForAnyNumberOfThreads(threads: Int) throws {
        let table = Self.numbers(500_000, perMorsel: 30_000)
        let result = try rows(table.scan([0]), table, threads: threads)
        #expect(result == (0..<500_000).map { [.integer(Int64($0))] })
    }

    @Test func scanReadsOnlyTheColumnsAskedFor() throws {
        let table = Self.numbers(100, perMorsel: 10)
        #expect(try rows(table.scan([1]), table).count == 100)
        #expect(table.reads.columns.withLock { $0 } == [ColumnID(2)])
    }

    @Test func countingRowsReadsNone() throws {
        let table = Self.numbers(100_000, perMorsel: 1_000)
        let plan = grouping(table.scan([]), by: [], [aggregate(.countRows, [], .bigint)])
        #expect(try rows(plan, table, threads: 2) == [[.integer(100_000)]])
        #expect(table.reads.rows.load(ordering: .relaxed) == 0)
    }

    @Test func filterKeepsRowsForWhichThePredicateIsTrueAndNotNull() throws {
        let batch = ColumnBatch([Column([.integer(1), .null, .integer(3), .integer(4)], type: .bigint)])
        let table = MemoryTable("t", [("n", .bigint)], [batch])
        let predicate = compare(column(0, .bigint), .greater, integer(2))
        #expect(try rows(.filter(table.scan(), predicate), table) == [[.integer(3)], [.integer(4)]])
        #expect(try rows(table.scan(filter: predicate), table) == [[.integer(3)], [.integer(4)]])
    }

    @Test func projectComputesEachColumn() throws {
        let table = Self.numbers(3, perMorsel: 2)
        let plan = LogicalPlan.project(
            table.scan(), [function("double", column(0, .bigint)) { $0 * 2 }, integer(7), column(0, .bigint)],
            columns: ["a", "b", "c"].map { OutputColumn(name: $0, type: .bigint) })
        let expected: [[Value]] = (0..<3).map { [.integer($0 * 2), .integer(7), .integer($0)] }
        #expect(try rows(plan, table) == expected)
    }

    @Test func valuesGivesItsRowsAndSelectWithoutFromGivesOne() throws {
        let table = Self.numbers(0, perMorsel: 1)
        let plan = LogicalPlan.values(
            rows: [[integer(1)], [constant(.null, .bigint)]], columns: [OutputColumn(name: "v", type: .bigint)])
        #expect(try rows(plan, table) == [[.integer(1)], [.null]])
        let one = LogicalPlan.project(
            .values(rows: [[]], columns: []), [integer(5)], columns: [OutputColumn(name: "v", type: .bigint)])
        #expect(try rows(one, table) == [[.integer(5)]])
    }

    @Test func seriesIncludesBothEndsAndKnowsItsErrors() throws {
        let table = Self.numbers(0, perMorsel: 1)
        func series(_ start: Int64, _ stop: Int64, _ step: Int64) -> LogicalPlan {
            .series(
                LogicalPlan.SeriesScan(
                    start: integer(start), stop: integer(stop), step: integer(step),
                    column: OutputColumn(name: "n", type: .bigint)))
        }
        #expect(try rows(series(1, 3, 1), table) == [[.integer(1)], [.integer(2)], [.integer(3)]])
        #expect(try rows(series(3, 0, -2), table) == [[.integer(3)], [.integer(1)]])
        #expect(try rows(series(3, 1, 1), table).isEmpty)
        #expect(try rows(series(1, 100_000, 1), table).count == 100_000)
        #expect(try rows(series(.max - 1, .max, 1), table).count == 2)
        let error = #expect(throws: FirnError.self) { try rows(series(1, 2, 0), table) }
        #expect(error?.code == .invalidParameterValue)
    }

    @Test func limitCutsAndStopsReading() throws {
        let table = Self.numbers(1_000_000, perMorsel: 10_000)
        let plan = LogicalPlan.limit(table.scan(), limit: 10, offset: 5)
        #expect(try rows(plan, table, threads: 4) == (5..<15).map { [.integer($0), .double(Double($0) / 2)] })
        // The consumer reads the first part by itself, and nothing is read ahead of it.
        #expect(table.reads.rows.load(ordering: .relaxed) <= batchRowsMax)
    }

    @Test func limitAcrossMorselsKeepsOrder() throws {
        let table = Self.numbers(1_000, perMorsel: 7)
        let plan = LogicalPlan.limit(table.scan([0]), limit: 500, offset: 300)
        #expect(try rows(plan, table) == (300..<800).map { [.integer($0)] })
        #expect(try rows(.limit(table.scan([0]), limit: nil, offset: 990), table).count == 10)
        #expect(try rows(.limit(table.scan([0]), limit: 0, offset: 0), table).isEmpty)
        #expect(try rows(.limit(table.scan([0]), limit: 10, offset: 5_000), table).isEmpty)
    }

    @Test func appendGivesOneInputAfterTheOther() throws {
        let table = Self.numbers(20, perMorsel: 7)
        let columns = [OutputColumn(name: "n", type: .bigint)]
        let empty = LogicalPlan.limit(table.scan([0]), limit: 0, offset: 0)
        let plan = LogicalPlan.append([table.scan([0]), empty, table.scan([0])], columns: columns)
        let once: [[Value]] = (0..<20).map { [.integer($0)] }
        #expect(try rows(plan, table, threads: 2) == once + once)
    }

    @Test func cancellationEndsAStatementBetweenBlocks() throws {
        let table = Self.numbers(1_000_000, perMorsel: 65_536)
        let cancellation = CancellationFlag()
        let result = try executor(table, threads: 2, cancellation: cancellation).stream(table.scan())
        #expect(try result.next() != nil)
        cancellation.cancel()
        let error = #expect(throws: FirnError.self) { while try result.next() != nil {} }
        #expect(error?.code == .queryCanceled)
        #expect(try result.next() == nil)
        #expect(table.reads.rows.load(ordering: .relaxed) < 1_000_000)
    }

    @Test func anErrorInAnyPartFailsTheStatement() throws {
        let table = Self.numbers(300_000, perMorsel: 65_536)
        let failing = ScalarFunction(
            name: "fail", argumentTypes: [.bigint], resultType: .bigint, volatility: .immutable, nulls: .ignored
        ) { arguments, _, _ throws(FirnError) in
            if case .column(let column) = arguments[0], column.integerValues!.contains(200_000) {
                throw FirnError(.divisionByZero, "division by zero")
            }
            return arguments[0]
        }
        let expression = BoundExpression(.call(failing, [column(0, .bigint)]), .bigint)
        for threads in [1, 4] {
            let plan = grouping(
                table.scan(), by: [], [aggregate(.sum, [expression], .numeric(precision: nil, scale: nil))])
            let error = #expect(throws: FirnError.self) { try rows(plan, table, threads: threads) }
            #expect(error?.code == .divisionByZero)
        }
    }

    @Test func closingAResultEndsIt() throws {
        let table = Self.numbers(100_000, perMorsel: 10_000)
        let result = try executor(table, threads: 2).stream(table.scan())
        #expect(result.columns.map(\.name) == ["n", "half"])
        #expect(try result.next() != nil)
        try result.close()
        #expect(try result.next() == nil)
    }
}
