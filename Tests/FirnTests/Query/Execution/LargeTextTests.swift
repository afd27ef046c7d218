// SPDX-License-Identifier: Apache-2.0
//
// What groupings and sorts hold of large texts is counted, and only what can be wanted is held.

import Testing

@testable import Firn

@Suite struct LargeTextTests {
    private static let textBytes = 20_000
    private static let batchCount = 8
    private static let rowsPerBatch = 5
    /// All texts at once.
    private static let allBytes = textBytes * batchCount * rowsPerBatch

    /// Texts that differ in their last bytes alone, each in three columns: as TEXT, as JSONB, and its number.
    private static let table: MemoryTable = {
        let batches = (0..<batchCount).map { batch in
            let numbers = (0..<rowsPerBatch).map { batch * rowsPerBatch + $0 }
            let texts = numbers.map { Value.text(String(repeating: "x", count: textBytes) + "\(100 + $0)") }
            let documents = texts.map { text in
                if case .text(let text) = text { Value.text("\"\(text)\"") } else { Value.null }
            }
            return ColumnBatch([
                Column(texts, type: .text), Column(documents, type: .jsonb), .integers(numbers.map { Int64($0) }),
            ])
        }
        return MemoryTable("t", [("text", .text), ("document", .jsonb), ("number", .bigint)], batches)
    }()

    private static let text = column(0, .text)
    private static let document = column(1, .jsonb)
    private static let number = column(2, .bigint)

    /// Each must hold all texts.
    private static let holdsAll: [(name: String, plan: LogicalPlan)] = [
        ("GROUP BY", grouping(table.scan(), by: [text], [aggregate(.countRows, [], .bigint)])),
        ("GROUP BY of JSONB", grouping(table.scan(), by: [document], [aggregate(.countRows, [], .bigint)])),
        ("DISTINCT", .distinct(table.scan([0]))),
        (
            "UNION",
            .distinct(
                .append([table.scan([0]), table.scan([0])], columns: [OutputColumn(name: "text", type: .text)]))
        ),
        (
            "count(DISTINCT)",
            grouping(table.scan(), by: [], [aggregate(.count, [text], .bigint, isDistinct: true)])
        ),
        (
            "count(DISTINCT) of groups",
            grouping(table.scan(), by: [number], [aggregate(.count, [text], .bigint, isDistinct: true)])
        ),
        ("max of groups", grouping(table.scan(), by: [number], [aggregate(.maximum, [text], .text)])),
        ("first of groups", grouping(table.scan(), by: [number], [aggregate(.first, [text, number], .text)])),
        ("ORDER BY", .sort(table.scan(), [key(text)])),
        ("ORDER BY of groups", .sort(grouping(table.scan(), by: [text], []), [key(text)])),
    ]

    private static func key(_ expression: BoundExpression) -> LogicalPlan.SortKey {
        LogicalPlan.SortKey(expression: expression, isDescending: true, nullsFirst: false)
    }

    @Test(arguments: holdsAll.indices, [1, 3])
    func whatIsHeldIsCounted(index: Int, threads: Int) throws {
        let (name, plan) = Self.holdsAll[index]
        let roomy = try executor(Self.table, threads: threads)
        var rowCount = 0
        try roomy.run(plan) { batch throws(FirnError) in rowCount += batch.rowCount }
        #expect(rowCount == (plan.columns.count == 1 && name == "count(DISTINCT)" ? 1 : 40), "\(name)")
        #expect(roomy.memory.peakBytes >= Self.allBytes, "\(name)")
        #expect(roomy.memory.peakBytes <= 5 * Self.allBytes, "\(name)")
        // A helper may let go of its task a moment after the statement has ended.
        if threads == 1 { #expect(roomy.memory.heldBytes == 0, "\(name)") }

        let small = try executor(Self.table, threads: threads, memoryBytesMax: Self.allBytes / 2)
        let error = #expect(throws: FirnError.self, "\(name)") { try small.run(plan) { _ in } }
        #expect(error?.code == .outOfMemory, "\(name)")
        #expect(error?.hint != nil, "\(name)")
        if threads == 1 { #expect(small.memory.heldBytes == 0, "\(name)") }
    }

    /// What keeps one text, or a few, holds no more of the batches that they came from.
    @Test(arguments: [1, 3])
    func oneTextOfManyIsHeldAlone(threads: Int) throws {
        let last = Value.text(String(repeating: "x", count: Self.textBytes) + "139")
        let plans: [LogicalPlan] = [
            grouping(Self.table.scan(), by: [], [aggregate(.maximum, [Self.text], .text)]),
            grouping(Self.table.scan(), by: [], [aggregate(.last, [Self.text, Self.number], .text)]),
        ]
        for plan in plans {
            // A state for each part that waits, and the merged one.
            let small = try executor(Self.table, threads: threads, memoryBytesMax: Self.allBytes / 3)
            var found: [[Value]] = []
            try small.run(plan) { batch throws(FirnError) in found += batch.valueRows }
            #expect(found == [[last]])
            if threads == 1 { #expect(small.memory.heldBytes == 0) }
        }
    }

    /// Few rows of many bytes are sorted on the way as many rows of few bytes are.
    @Test func theFirstOfManyLargeRowsTakeLittle() throws {
        let text = Value.text(String(repeating: "x", count: 1 << 20))
        let batches = (0..<40).map { ColumnBatch([Column([text], type: .text), .integers([Int64($0)])]) }
        let table = MemoryTable("t", [("text", .text), ("number", .bigint)], batches)
        let plan = LogicalPlan.topRows(
            table.scan(),
            [LogicalPlan.SortKey(expression: column(1, .bigint), isDescending: true, nullsFirst: false)],
            limit: 2, offset: 0)
        let executor = try executor(table, memoryBytesMax: 24 << 20, taskRowsMin: 100)
        var found: [Value] = []
        try executor.run(plan) { batch throws(FirnError) in found += batch.valueRows.map { $0[1] } }
        #expect(found == [.integer(39), .integer(38)])
        #expect(executor.memory.peakBytes < 24 << 20)
    }

    /// Sets of parts merge by their keys: the values, JSONB among them, are those of the first part that has them.
    @Test func distinctValuesOfSeveralPartsMerge() throws {
        let batches = (0..<4).map { part in
            ColumnBatch([
                .integers((0..<50).map { Int64($0 % 3) }),
                Column((0..<50).map { .text("\($0 % (10 + part))") }, type: .jsonb),
            ])
        }
        let table = MemoryTable("t", [("k", .bigint), ("j", .jsonb)], batches)
        let plan = grouping(
            table.scan(), by: [column(0, .bigint)],
            [aggregate(.count, [column(1, .jsonb)], .bigint, isDistinct: true)])
        var expected: [Int64: Set<String>] = [:]
        for row in table.allRows {
            guard case .integer(let key) = row[0], case .text(let text) = row[1] else { continue }
            expected[key, default: []].insert(text)
        }
        let found = try rows(plan, table, threads: 3)
        #expect(found == (0..<3).map { [.integer(Int64($0)), .integer(Int64(expected[Int64($0)]!.count))] })
    }
}
