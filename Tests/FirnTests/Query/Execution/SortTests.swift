// SPDX-License-Identifier: Apache-2.0
//
// ORDER BY and ORDER BY … LIMIT against Swift's own stable sort over single values.

import FirnIO
import Testing

@testable import Firn

@Suite struct SortTests {
    static let columns: [(name: String, type: DataType)] = [
        ("text", .text), ("small", .smallint), ("big", .bigint), ("double", .double),
        ("numeric", .numeric(precision: nil, scale: nil)), ("interval", .interval), ("uuid", .uuid),
        ("bool", .boolean), ("real", .real), ("time", .timestamptz(.microseconds)), ("bytes", .bytea),
        ("row", .bigint),
    ]

    static func table(_ generator: inout ValueGenerator, morselRows: [Int]) -> MemoryTable {
        var row: Int64 = 0
        let batches = morselRows.map { count in
            ColumnBatch(
                columns.map { column in
                    guard column.name == "row" else { return generator.column(column.type, count: count) }
                    defer { row += Int64(count) }
                    return .integers((row..<row + Int64(count)).map { $0 })
                })
        }
        return MemoryTable("t", columns, batches)
    }

    private func key(_ index: Int, descending: Bool, nullsFirst: Bool) -> LogicalPlan.SortKey {
        LogicalPlan.SortKey(
            expression: column(index, Self.columns[index].type), isDescending: descending, nullsFirst: nullsFirst)
    }

    private func model(_ rows: [[Value]], _ keys: [LogicalPlan.SortKey]) -> [[Value]] {
        rows.enumerated().sorted { left, right in
            for key in keys {
                guard case .column(let index) = key.expression.kind else { preconditionFailure("a column") }
                let (a, b) = (left.element[index], right.element[index])
                if a.isNull || b.isNull {
                    if a.isNull != b.isNull { return a.isNull == key.nullsFirst }
                    continue
                }
                if SortModel.isBelow(a, b) { return !key.isDescending }
                if SortModel.isBelow(b, a) { return key.isDescending }
            }
            return left.offset < right.offset
        }.map(\.element)
    }

    /// The numbers of the rows, in order.
    private func numbers(_ rows: [[Value]]) -> [Value] { rows.map { $0[Self.columns.count - 1] } }

    @Test(arguments: 0..<11, [false, true])
    func sortsByAnyTypeStably(index: Int, descending: Bool) throws {
        var generator = ValueGenerator()
        for morselRows in [[500, 1, 300], [40]] {
            let table = Self.table(&generator, morselRows: morselRows)
            for nullsFirst in [false, true] {
                let keys = [key(index, descending: descending, nullsFirst: nullsFirst)]
                let result = try rows(.sort(table.scan(), keys), table, threads: 2)
                #expect(numbers(result) == numbers(model(table.allRows, keys)), "seed \(generator.seed)")
            }
        }
    }

    @Test func sortsBySeveralKeysOfWhateverWidth() throws {
        var generator = ValueGenerator()
        let table = Self.table(&generator, morselRows: [700, 500])
        let combinations = [[7, 1], [1, 9, 2], [0, 3], [2, 2, 7], [6, 5, 4], [4, 10, 0], [3, 8, 1]]
        for combination in combinations {
            let keys = combination.enumerated().map { key($1, descending: $0 % 2 == 1, nullsFirst: $0 % 3 == 0) }
            let result = try rows(.sort(table.scan(), keys), table, threads: 2)
            #expect(
                numbers(result) == numbers(model(table.allRows, keys)), "keys \(combination), seed \(generator.seed)")
        }
    }

    @Test func topRowsAreTheFirstOfTheSort() throws {
        var generator = ValueGenerator()
        let table = Self.table(&generator, morselRows: [4_000, 12_000, 2_536, 10])
        let keys = [key(2, descending: true, nullsFirst: false), key(0, descending: false, nullsFirst: true)]
        let all = model(table.allRows, keys)
        for (limit, offset) in [(1, 0), (10, 0), (7, 1_000), (9_000, 5), (200_000, 0), (5, 200_000), (0, 3)] {
            let plan = LogicalPlan.topRows(table.scan(), keys, limit: limit, offset: offset)
            let result = try rows(plan, table, threads: 2)
            #expect(numbers(result) == numbers(Array(all.dropFirst(offset).prefix(limit))), "seed \(generator.seed)")
        }
    }

    @Test func sortsByExpressionsThatAreNotColumns() throws {
        let table = MemoryTable("t", [("n", .bigint)], [ColumnBatch([.integers([3, 1, 2])])])
        let negated = LogicalPlan.SortKey(
            expression: function("negate", column(0, .bigint)) { -$0 }, isDescending: false, nullsFirst: false)
        #expect(try rows(.sort(table.scan(), [negated]), table) == [[.integer(3)], [.integer(2)], [.integer(1)]])
    }

    @Test func extremesOfTheRangeSortWithNulls() throws {
        let values: [Value] = [
            .integer(.max), .null, .integer(.min), .integer(0), .null, .integer(.max - 1), .integer(.min + 1),
        ]
        let table = MemoryTable("t", [("n", .bigint)], [ColumnBatch([Column(values, type: .bigint)])])
        let ascending = LogicalPlan.SortKey(expression: column(0, .bigint), isDescending: false, nullsFirst: true)
        #expect(
            try rows(.sort(table.scan(), [ascending]), table).map { $0[0] }
                == [.null, .null, .integer(.min), .integer(.min + 1), .integer(0), .integer(.max - 1), .integer(.max)])
    }

    @Test func emptyInputSortsToNothing() throws {
        let table = MemoryTable("t", [("n", .bigint)], [])
        let ascending = LogicalPlan.SortKey(expression: column(0, .bigint), isDescending: false, nullsFirst: true)
        #expect(try rows(.sort(table.scan(), [ascending]), table).isEmpty)
        #expect(try rows(.topRows(table.scan(), [ascending], limit: 5, offset: 0), table).isEmpty)
    }

    @Test func sortingIsBoundedByItsMemoryAndGivesItBack() throws {
        let table = MemoryTable(
            "t", [("n", .bigint)], (0..<8).map { _ in ColumnBatch([.integers((0..<65_536).map { -$0 })]) })
        let ascending = LogicalPlan.SortKey(expression: column(0, .bigint), isDescending: false, nullsFirst: true)
        let small = try executor(table, memoryBytesMax: 1 << 20)
        let error = #expect(throws: FirnError.self) { try small.run(.sort(table.scan(), [ascending])) { _ in } }
        #expect(error?.code == .outOfMemory)
        #expect(small.memory.heldBytes == 0)
        // With a limit the rows that cannot be wanted are dropped on the way.
        let limited = try executor(table, memoryBytesMax: 1 << 20)
        var count = 0
        try limited.run(.topRows(table.scan(), [ascending], limit: 10, offset: 0)) { batch throws(FirnError) in
            count += batch.rowCount
        }
        #expect(count == 10)
        #expect(limited.memory.heldBytes == 0)
    }
}

enum SortModel {
    static func isBelow(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): !left && right
        case (.uuid(let left), .uuid(let right)): left < right
        case (.interval(let left), .interval(let right)): left < right
        case (.float(let left), .float(let right)): left < right || (right.isNaN && !left.isNaN)
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        default: AggregateModel.isBelow(left, right)
        }
    }
}
