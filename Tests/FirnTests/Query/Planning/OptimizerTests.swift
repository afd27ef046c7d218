// SPDX-License-Identifier: Apache-2.0
//
// What the optimiser makes of plans: fewer columns, pruning ranges, pushed conditions and limits; and that random
// plans give the same rows before and after.

import FirnIO
import Synchronization
import Testing

@testable import Firn

@Suite struct OptimizerTests {
    static let time = DataType.timestamptz(.microseconds)

    private static let table = MemoryTable(
        "t", [("a", .bigint), ("b", .bigint), ("time", time), ("name", .text)],
        (0..<10).map { part in
            let numbers = (0..<100).map { Int64($0 + part * 100) }
            return ColumnBatch([
                .integers(numbers), .integers(numbers.map { $0 % 7 }),
                .timestamps(microseconds: numbers.map { $0 * 60_000_000 }), .text(numbers.map { "n\($0 % 5)" }),
            ])
        })

    private var table: MemoryTable { Self.table }
    private var a: BoundExpression { column(0, .bigint) }
    private var b: BoundExpression { column(1, .bigint) }
    private var time: BoundExpression { column(2, Self.time) }
    private var name: BoundExpression { column(3, .text) }

    private func and(_ terms: BoundExpression...) -> BoundExpression { BoundExpression(.and(terms), .boolean) }
    private func or(_ terms: BoundExpression...) -> BoundExpression { BoundExpression(.or(terms), .boolean) }

    /// The only scan of an optimised plan.
    private func scan(_ plan: LogicalPlan) throws -> LogicalPlan.TableScan {
        var found: LogicalPlan.TableScan?
        func visit(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
            if case .scan(let scan) = plan { found = scan }
            return try plan.mapInputs { input throws(FirnError) in try visit(input) }
        }
        _ = try visit(try Optimizer.optimize(plan))
        return try #require(found)
    }

    private func ranges(_ predicate: BoundExpression) throws -> [ColumnRange] {
        try scan(.filter(table.scan(), predicate)).ranges
    }

    /// The bounds of one column as text; nil where it has no range.
    private func bounds(_ predicate: BoundExpression, of id: UInt64 = 1) throws -> String? {
        try ranges(predicate).first { $0.column == ColumnID(id) }.map { range in
            func text(_ value: Value?) -> String {
                switch value {
                case nil: "…"
                case .integer(let value): "\(value)"
                case .text(let value): value
                case .some(let other): "\(other)"
                }
            }
            return "\(text(range.lower))…\(text(range.upper))".replacing("……", with: "…")
        }
    }

    @Test func comparisonsImplyRanges() throws {
        #expect(try bounds(compare(a, .greater, integer(5))) == "6…")
        #expect(try bounds(compare(a, .lessOrEqual, integer(5))) == "…5")
        #expect(try bounds(compare(a, .less, integer(5))) == "…4")
        #expect(try bounds(compare(integer(5), .less, a)) == "6…")
        #expect(try bounds(compare(a, .equal, integer(5))) == "5…5")
        #expect(try bounds(compare(a, .notEqual, integer(5))) == nil)
        #expect(try bounds(and(compare(a, .greaterOrEqual, integer(5)), compare(a, .less, integer(9)))) == "5…8")
        #expect(try bounds(or(compare(a, .equal, integer(5)), compare(a, .equal, integer(9)))) == "5…9")
        #expect(try bounds(or(compare(a, .equal, integer(5)), compare(b, .equal, integer(9)))) == nil)
        #expect(try bounds(or(compare(a, .equal, integer(5)), compare(a, .greater, integer(9)))) == "5…")
        let list = BoundExpression(
            .inConstants(name, [.text("x"), .text("b"), .text("q")], hasNull: false, negated: false), .boolean)
        #expect(try bounds(list, of: 4) == "b…x")
        let negated = BoundExpression(.inConstants(a, [.integer(1)], hasNull: false, negated: true), .boolean)
        #expect(try bounds(negated) == nil)
    }

    @Test func bucketsImplyRangesOfTheirTimes() throws {
        let bucket = timeBucket(300_000_000, time)
        func constant(_ value: Int64) -> BoundExpression { Firn_constant(value) }
        #expect(
            try bounds(compare(bucket, .equal, constant(600_000_000)), of: 3) == "600000000…899999999")
        #expect(try bounds(compare(bucket, .greaterOrEqual, constant(600_000_000)), of: 3) == "600000000…")
        #expect(try bounds(compare(bucket, .less, constant(600_000_000)), of: 3) == "…899999999")
    }

    private func Firn_constant(_ value: Int64) -> BoundExpression {
        BoundExpression(.constant(.integer(value)), Self.time)
    }

    @Test func rangesLeaveMorselsUnread() throws {
        let table = MemoryTable(
            "t", [("a", .bigint)], (0..<10).map { part in ColumnBatch([.integers([Int64(part), Int64(part)])]) })
        let plan = try Optimizer.optimize(.filter(table.scan(), compare(column(0, .bigint), .equal, integer(3))))
        #expect(try rows(plan, table) == [[.integer(3)], [.integer(3)]])
        #expect(table.reads.openedMorsels.load(ordering: .relaxed) == 1)
    }

    @Test func scansReadOnlyWhatIsNeeded() throws {
        let all = table.scan()
        let project = LogicalPlan.project(all, [b], columns: [OutputColumn(name: "b", type: .bigint)])
        #expect(try scan(project).columns == [ColumnID(2)])
        #expect(try scan(grouping(all, by: [], [aggregate(.countRows, [], .bigint)])).columns.isEmpty)
        let filtered = LogicalPlan.filter(all, compare(a, .greater, integer(5)))
        let counted = grouping(filtered, by: [], [aggregate(.countRows, [], .bigint)])
        #expect(try scan(counted).columns.isEmpty)
        #expect(try scan(counted).filterColumns == [ColumnID(1)])
        let grouped = grouping(filtered, by: [name], [aggregate(.sum, [a], .bigint)])
        #expect(try scan(grouped).columns == [ColumnID(1), ColumnID(4)])
        #expect(try scan(grouped).filterColumns.isEmpty)
        let unused = LogicalPlan.project(
            grouping(all, by: [name], [aggregate(.sum, [a], .bigint), aggregate(.maximum, [b], .bigint)]),
            [column(2, .bigint)], columns: [OutputColumn(name: "max", type: .bigint)])
        #expect(try scan(unused).columns == [ColumnID(2), ColumnID(4)])
    }

    @Test func conditionsMoveThroughProjectionsAndGroupingsByTheirKeys() throws {
        let grouped = grouping(table.scan(), by: [name, b], [aggregate(.countRows, [], .bigint)])
        let having = LogicalPlan.filter(
            grouped,
            and(compare(column(1, .bigint), .equal, integer(3)), compare(column(2, .bigint), .greater, integer(1))))
        let scan = try scan(having)
        #expect(scan.ranges.map(\.column) == [ColumnID(2)])
        guard case .filter(.aggregate, let rest) = try Optimizer.optimize(having) else {
            Issue.record("the condition on the count stays above")
            return
        }
        #expect(rest.columnsRead == [2])
        let project = LogicalPlan.project(
            table.scan(), [function("same", a) { $0 }, b],
            columns: ["x", "y"].map { OutputColumn(name: $0, type: .bigint) })
        let filtered = LogicalPlan.filter(project, compare(column(1, .bigint), .equal, integer(3)))
        #expect(try self.scan(filtered).filter != nil)
    }

    @Test func conditionsStayAboveLimits() throws {
        let limited = LogicalPlan.limit(table.scan(), limit: 5, offset: 0)
        let plan = LogicalPlan.filter(limited, compare(a, .greater, integer(2)))
        #expect(try scan(plan).filter == nil)
        #expect(try rows(try Optimizer.optimize(plan), table) == (try rows(plan, table)))
    }

    @Test func sortWithLimitBecomesTopRowsAlsoUnderAProjection() throws {
        let sorted = LogicalPlan.sort(
            table.scan(), [LogicalPlan.SortKey(expression: b, isDescending: true, nullsFirst: false)])
        let project = LogicalPlan.project(sorted, [a], columns: [OutputColumn(name: "a", type: .bigint)])
        guard case .project(.topRows(_, _, 3, 1), _, _) = try Optimizer.optimize(.limit(project, limit: 3, offset: 1))
        else {
            Issue.record("a limit over a sort keeps the top rows only")
            return
        }
    }

    @Test func aConditionThatNeverHoldsReadsNothing() throws {
        let never = BoundExpression(.constant(.null), .boolean)
        let plan = try Optimizer.optimize(.filter(table.scan(), never))
        #expect(plan.columns == table.scan().columns)
        guard case .values(let rows, _) = plan else {
            Issue.record("no scan is left")
            return
        }
        #expect(rows.isEmpty)
    }

    @Test func randomPlansGiveTheSameRowsAfterwards() throws {
        var generator = ValueGenerator()
        for _ in 0..<150 {
            let plan = randomPlan(&generator, depth: generator.random.below(5))
            let optimized = try Optimizer.optimize(plan)
            #expect(optimized.columns == plan.columns, "seed \(generator.seed)")
            let expected = try rows(plan, table)
            let actual = try rows(optimized, table, threads: 2)
            #expect(actual == expected, "seed \(generator.seed)\n\(PlanText.lines(of: plan).joined(separator: "\n"))")
        }
    }

    private func randomPlan(_ generator: inout ValueGenerator, depth: Int) -> LogicalPlan {
        if depth == 0 { return table.scan() }
        let input = randomPlan(&generator, depth: depth - 1)
        let columns = input.columns
        func any(_ type: DataType) -> BoundExpression? {
            let fitting = columns.indices.filter { columns[$0].type == type }
            return fitting.isEmpty ? nil : column(fitting[generator.random.below(fitting.count)], type)
        }
        let number = any(.bigint) ?? integer(3)
        switch generator.random.below(8) {
        case 0, 1:
            let operators: [Comparison] = [.less, .equal, .greaterOrEqual, .notEqual]
            let first = compare(
                number, operators[generator.random.below(4)], integer(Int64(generator.random.below(900))))
            if generator.chance(oneIn: 2) { return .filter(input, first) }
            return .filter(
                input, or(and(first, compare(number, .less, integer(500))), compare(number, .equal, integer(3))))
        case 2:
            let expressions =
                columns.indices.filter { _ in !generator.chance(oneIn: 3) }.map { column($0, columns[$0].type) }
                + [function("plus", number) { $0 + 1 }]
            return .project(
                input, expressions,
                columns: expressions.enumerated().map { OutputColumn(name: "p\($0)", type: $1.type) })
        case 3:
            let keys = (columns.indices.filter { _ in generator.chance(oneIn: 3) }).map { column($0, columns[$0].type) }
            return grouping(
                input, by: keys,
                [aggregate(.countRows, [], .bigint), aggregate(.maximum, [number], .bigint)])
        case 4:
            return .sort(
                input,
                [LogicalPlan.SortKey(expression: number, isDescending: generator.chance(oneIn: 2), nullsFirst: true)])
        case 5:
            return .limit(input, limit: generator.random.below(300), offset: generator.random.below(20))
        case 6: return .distinct(input)
        default: return .append([input, .limit(input, limit: 3, offset: 0)], columns: columns)
        }
    }
}
