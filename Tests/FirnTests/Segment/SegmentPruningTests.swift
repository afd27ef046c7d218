// SPDX-License-Identifier: Apache-2.0
//
// Pruning leaves out nothing that a predicate accepts, and leaves out much that it does not.

import FirnIO
import Testing

@testable import Firn

@Suite struct SegmentPruningTests {
    private static func isInside(_ value: Value, _ range: ColumnRange) -> Bool {
        if value.isNull { return false }
        if let lower = range.lower, NaiveOrder.compare(value, lower) < 0 { return false }
        if let upper = range.upper, NaiveOrder.compare(value, upper) > 0 { return false }
        return range.choices?.contains { NaiveOrder.compare(value, $0) == 0 } ?? true
    }

    @Test(arguments: 0..<12)
    func noAcceptedRowIsPruned(round: Int) throws {
        var random = CodecRandom()
        let note = "FIRN_SEED=\(random.seed)"
        let table = random.table(rowCount: random.pick([50, 2_500, 5_000]))
        let written = try WrittenSegments([table], &random)
        for descriptor in written.output.tables[0].segments {
            let all = try written.rows(descriptor, table.schema)
            for _ in 0..<6 {
                let ranges = (0..<1 + random.below(2)).compactMap { _ -> ColumnRange? in
                    let index = random.below(table.schema.columns.count)
                    let column = table.schema.columns[index]
                    if case .vector = column.type { return nil }
                    let ends = [random.pick(all)[index], random.pick(all)[index]].filter { !$0.isNull }
                        .sorted { NaiveOrder.compare($0, $1) < 0 }
                    guard let first = ends.first, let last = ends.last else { return nil }
                    if random.chance(3) {
                        return ColumnRange(column: column.id, lower: first, upper: last, choices: ends)
                    }
                    return ColumnRange(
                        column: column.id, lower: random.chance(4) ? nil : first, upper: random.chance(4) ? nil : last)
                }
                let isWanted = { (row: [Value]) in
                    ranges.allSatisfy { Self.isInside(row[table.schema.index(of: $0.column)!], $0) }
                }
                let pruned = try written.rows(descriptor, table.schema, pruning: ranges)
                #expect(pruned.count <= all.count)
                expectSameRows(pruned.filter(isWanted), all.filter(isWanted), note)
            }
        }
    }

    @Test(arguments: 0..<12)
    func statisticsOfARowGroupAreExact(round: Int) throws {
        var random = CodecRandom()
        let note = "FIRN_SEED=\(random.seed)"
        let table = random.table(rowCount: random.pick([3, 1_500, 4_000]))
        let written = try WrittenSegments([table], &random)
        for descriptor in written.output.tables[0].segments {
            for morsel in try written.reader(descriptor).morsels(schema: table.schema, pruning: []) {
                for column in table.schema.columns {
                    var values: [Value] = []
                    let reader = try morsel.reader(of: [column.id], pruning: [])
                    while let batch = try reader.next() { values += (0..<batch.rowCount).map { batch.columns[0][$0] } }
                    let statistics = try #require(morsel.statistics(of: column.id))
                    #expect(statistics.valueCount == values.count, "\(note)")
                    #expect(statistics.nullCount == values.filter(\.isNull).count, "\(note)")
                    if case .vector = column.type { continue }
                    let present = values.filter { !$0.isNull }.sorted { NaiveOrder.compare($0, $1) < 0 }
                    if let minimum = statistics.minimum, let maximum = statistics.maximum {
                        #expect(NaiveOrder.compare(minimum, present[0]) == 0, "\(column.type) \(note)")
                        #expect(NaiveOrder.compare(maximum, present[present.count - 1]) == 0, "\(column.type) \(note)")
                    } else if column.type.isInteger || column.type == .double || column.type == .boolean {
                        #expect(present.isEmpty, "\(column.type) \(note)")
                    }
                }
            }
        }
    }

    /// 100,000 rows of 50 series, sorted by series.
    private static func readings() throws -> (WrittenSegments, TableSchema) {
        var random = CodecRandom(seed: 4)
        let schema = TableSchema(
            id: TableID(1), name: "readings",
            columns: [
                ColumnDefinition(id: ColumnID(1), name: "time", type: .timestamptz(.microseconds), isNullable: false),
                ColumnDefinition(id: ColumnID(2), name: "sensor", type: .text, isNullable: false),
            ], chunking: ChunkingPolicy(column: ColumnID(1), interval: 1 << 40, isHypertable: true),
            sortKey: [ColumnID(2)], nextColumnID: ColumnID(3))
        let rows: [[Value]] = (0..<100_000).map { row in
            [.integer(Int64(row / 50) * 1_000), .text("sensor \(10 + row % 50)")]
        }
        return (try WrittenSegments([SampleTable(schema: schema, rows: rows)], &random, rowsMax: 20_000), schema)
    }

    @Test func oneSeriesCostsAFewVectors() throws {
        let (written, schema) = try Self.readings()
        let descriptor = written.output.tables[0].segments[0]
        let one = ColumnRange(column: ColumnID(2), lower: .text("sensor 33"), upper: .text("sensor 33"))
        let rows = try written.rows(descriptor, schema, pruning: [one])
        #expect(rows.filter { $0[1] == .text("sensor 33") }.count == 2_000)
        #expect(rows.count <= 4_096)
        let moment = ColumnRange(column: ColumnID(1), lower: .integer(1_999_000), upper: nil)
        #expect(try written.rows(descriptor, schema, pruning: [one, moment]).count <= 2_048)
        let none = ColumnRange(column: ColumnID(2), lower: .text("sensor 330"), upper: .text("sensor 339"))
        #expect(try written.rows(descriptor, schema, pruning: [none]).isEmpty)
        let later = ColumnRange(column: ColumnID(1), lower: .integer(2_000_000), upper: nil)
        #expect(try written.reader(descriptor).morsels(schema: schema, pruning: [later]).isEmpty)
    }

    @Test func theCacheStaysWithinItsLimitAndServesHits() throws {
        var (written, schema) = try Self.readings()
        let descriptor = written.output.tables[0].segments[0]
        _ = try written.rows(descriptor, schema)
        let misses = written.cache.usage.missCount
        _ = try written.rows(descriptor, schema)
        #expect(written.cache.usage.missCount == misses)
        #expect(written.cache.usage.hitCount >= misses)
        written.cache = PageCache(bytesMax: 2_000)
        let rows = try written.rows(descriptor, schema)
        #expect(rows.count == 100_000)
        #expect(written.cache.usage.byteCount <= 2_000)
        written.cache = PageCache(bytesMax: 0)
        #expect(try written.rows(descriptor, schema).count == 100_000)
        #expect(written.cache.usage.blockCount == 0)
    }
}
