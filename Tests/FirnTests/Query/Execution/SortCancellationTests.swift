// SPDX-License-Identifier: Apache-2.0
//
// A sort that is cancelled ends at its next question whether it still shall: counted, not timed.

import FirnIO
import Synchronization
import Testing

@testable import Firn

/// A clock that goes on by a millisecond whenever it is read, so that a statement's time is a number of questions.
private final class CountingClock: TimeSource {
    private let readings = Atomic<Int>(0)

    var readingCount: Int { readings.load(ordering: .relaxed) }

    func now() -> Int64 { 0 }
    func monotonicNanoseconds() -> UInt64 {
        UInt64(readings.wrappingAdd(1, ordering: .relaxed).newValue) * 1_000_000
    }
    func sleep(nanoseconds: UInt64) {}
}

@Suite struct SortCancellationTests {
    private static let rowCount = 40_000

    /// Numbers in no order, and texts of 300 bytes that begin alike, so that all of them are compared.
    private static let table: MemoryTable = {
        var generator = ValueGenerator()
        let batches = (0..<4).map { _ in
            let numbers = (0..<rowCount / 4).map { _ in Int64(generator.random.below(1_000_000_000)) }
            let start = String(repeating: "x", count: 300)
            return ColumnBatch([
                .integers(numbers), Column(numbers.map { .text(start + "\($0)") }, type: .text),
            ])
        }
        return MemoryTable("t", [("number", .bigint), ("text", .text)], batches)
    }()

    private static func plan(_ index: Int) -> LogicalPlan {
        let key = LogicalPlan.SortKey(
            expression: column(index, table.schema.columns[index].type), isDescending: false, nullsFirst: false)
        return .sort(table.scan(), [key])
    }

    /// Questions of a whole run, or of one that is over after so many.
    private static func questions(_ plan: LogicalPlan, endingAfter limit: Int?) throws -> (count: Int, FirnError?) {
        let clock = CountingClock()
        let cancellation = CancellationFlag()
        cancellation.setDeadline(CancellationFlag.Deadline(after: limit ?? 1_000_000_000, on: clock))
        do {
            try executor(table, cancellation: cancellation).run(plan) { _ in }
            return (clock.readingCount, nil)
        } catch let error as FirnError {
            return (clock.readingCount, error)
        }
    }

    @Test(arguments: [0, 1])
    func aStatementWhoseTimeIsOverDoesNoMore(index: Int) throws {
        let plan = Self.plan(index)
        let (all, none) = try Self.questions(plan, endingAfter: nil)
        #expect(none == nil)
        for limit in stride(from: 1, to: all - 2, by: max(1, all / 12)) {
            let (count, error) = try Self.questions(plan, endingAfter: limit)
            #expect(error?.code == .queryCanceled)
            #expect(error?.message == "canceling statement due to statement timeout")
            // The clock is read once for the deadline itself.
            #expect(count == limit + 1)
        }
    }

    /// Both ways of sorting ask all along, and none goes on after the answer.
    @Test(arguments: [0, 1])
    func sortingAsksAllAlong(index: Int) throws {
        let all = ColumnBatch.concatenate(Self.table.parts.map(\.batch), types: [.bigint, .text])
        let key = LogicalPlan.SortKey(
            expression: column(index, all.columns[index].type), isDescending: false, nullsFirst: false)
        let keys = try SortKeys([all.columns[index]], [key], rowCount: all.rowCount) {}
        var count = 0
        _ = try RowSorting.sortedRows(keys, rowCount: all.rowCount) { count += 1 }
        // Numbers of 30 bits take three passes, each of which counts and moves. 40,000 texts of 300 bytes take some
        // 600,000 comparisons, each as long as five of numbers.
        #expect(count >= (index == 0 ? 6 : 8))
        let total = count
        for stop in 1...total {
            count = 0
            let error = #expect(throws: FirnError.self) {
                _ = try RowSorting.sortedRows(keys, rowCount: all.rowCount) { () throws(FirnError) in
                    count += 1
                    if count == stop { throw FirnError(.queryCanceled, "over") }
                }
            }
            #expect(error?.code == .queryCanceled)
            #expect(count == stop)
        }
    }
}
