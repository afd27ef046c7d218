// SPDX-License-Identifier: Apache-2.0
//
// What goes into a flush comes out of its segments: every row, bit for bit, sorted, in its chunk.

import FirnIO
import Testing

@testable import Firn

@Suite struct SegmentRoundTripTests {
    @Test(arguments: 0..<24)
    func everyRowComesBackSortedByChunkSeriesAndTime(round: Int) throws {
        var random = CodecRandom()
        let note = "FIRN_SEED=\(random.seed)"
        let tables = (0..<1 + random.below(3)).map { number in
            random.table(id: UInt64(7 + number), rowCount: random.pick([0, 1, 40, 1_024, 3_000]))
        }
        let profile: SegmentProfile = random.chance(4) ? .cold : .warm
        let written = try WrittenSegments(
            tables, &random, profile: profile, windowRowCount: random.pick([1_024, 2_048, RowWindows.defaultRowCount]))
        #expect(written.output.tables.count == tables.count)
        for (table, output) in zip(tables, written.output.tables) {
            #expect(output.table == table.schema.id)
            let key = table.schema.sortKey ?? output.pickedSortKey ?? []
            let expected = table.rows.isEmpty ? [] : table.expected(sortedBy: key)
            #expect(output.segments.count == expected.count, "\(note)")
            for (descriptor, rows) in zip(output.segments, expected) {
                #expect(descriptor.rowCount == rows.count, "\(note)")
                #expect(descriptor.profile == profile)
                #expect(descriptor.lsnRange == LSN(5)...LSN(9))
                expectSameRows(try written.rows(descriptor, table.schema), rows, note)
                if let timeIndex = table.timeIndex {
                    let times = rows.map { row -> Int64 in
                        guard case .integer(let time) = row[timeIndex] else { return 0 }
                        return time
                    }
                    #expect(descriptor.timeRange == times.min()!...times.max()!, "\(note)")
                    #expect(descriptor.chunk == table.chunk(of: times[0]).id, "\(note)")
                }
            }
        }
    }

    @Test func rowsBeyondOneRowGroupKeepTheirOrder() throws {
        var random = CodecRandom()
        let schema = TableSchema(
            id: TableID(1), name: "readings",
            columns: [
                ColumnDefinition(id: ColumnID(1), name: "time", type: .timestamptz(.microseconds), isNullable: false),
                ColumnDefinition(id: ColumnID(2), name: "sensor", type: .text, isNullable: false),
                ColumnDefinition(id: ColumnID(3), name: "value", type: .double),
            ], chunking: ChunkingPolicy(column: ColumnID(1), interval: 1 << 40, isHypertable: true),
            sortKey: [ColumnID(2)], nextColumnID: ColumnID(4))
        let rows = (0..<70_000).map { row -> [Value] in
            let value: Value = row % 100 == 0 ? .null : .double(Double(row % 1_000) / 10)
            return [.integer(Int64(row / 7) * 1_000), .text("sensor \(row % 7)"), value]
        }
        let table = SampleTable(schema: schema, rows: rows)
        let written = try WrittenSegments([table], &random, rowsMax: 10_000)
        let descriptor = try #require(written.output.tables[0].segments.first)
        #expect(try written.reader(descriptor).footer.rowGroups.map { $0.rowCount } == [65_536, 4_464])
        expectSameRows(
            try written.rows(descriptor, schema), table.expected(sortedBy: [ColumnID(2)])[0], "FIRN_SEED=\(random.seed)"
        )
        // A tenth of the raw bytes: constant steps, few texts, short decimals.
        #expect(descriptor.byteCount * 10 < descriptor.rawByteCount * 3)
    }

    /// Windows that hold parts of runs of the first key, NULL's run among them, in batches that are cut elsewhere.
    @Test(arguments: [[2], [2, 3], [3, 2]], [true, false])
    func windowsOfFewSeriesKeepTheirOrder(key: [UInt64], timesAscend: Bool) throws {
        var random = CodecRandom()
        let sortKey = key.map { ColumnID($0) }
        let schema = TableSchema(
            id: TableID(1), name: "readings",
            columns: [
                ColumnDefinition(id: ColumnID(1), name: "time", type: .timestamptz(.microseconds), isNullable: false),
                ColumnDefinition(id: ColumnID(2), name: "sensor", type: .text),
                ColumnDefinition(id: ColumnID(3), name: "site", type: .text),
                ColumnDefinition(id: ColumnID(4), name: "value", type: .double),
            ], chunking: ChunkingPolicy(column: ColumnID(1), interval: 1 << 40, isHypertable: true),
            sortKey: sortKey, nextColumnID: ColumnID(5))
        let rows = (0..<20_000).map { row -> [Value] in
            let sensor = random.below(6)
            let site = random.below(40)
            return [
                .integer(Int64(timesAscend ? row : random.below(20_000))), sensor == 5 ? .null : .text("\(sensor)"),
                site == 0 ? .null : .text("site \(site)"), row % 100 == 0 ? .null : .double(Double(row)),
            ]
        }
        let table = SampleTable(schema: schema, rows: rows)
        let written = try WrittenSegments([table], &random, rowsMax: 3_000, windowRowCount: 1_024)
        let descriptor = try #require(written.output.tables[0].segments.first)
        let groups = try written.reader(descriptor).footer.rowGroups
        // Rows in order go to few places at a time, so their windows are larger.
        #expect(groups.map(\.rowCount).max() == (timesAscend ? 4_096 : 1_024))
        expectSameRows(
            try written.rows(descriptor, schema), table.expected(sortedBy: sortKey)[0], "FIRN_SEED=\(random.seed)")
    }

    @Test func wideValuesCutRowGroupsByTheirBytes() throws {
        var random = CodecRandom()
        let schema = TableSchema(
            id: TableID(1), name: "documents",
            columns: [
                ColumnDefinition(id: ColumnID(1), name: "number", type: .bigint, isNullable: false),
                ColumnDefinition(id: ColumnID(2), name: "body", type: .bytea),
            ], sortKey: [], nextColumnID: ColumnID(3))
        let body = random.bytes(1_000_000)
        let rows = (0..<40).map { row -> [Value] in
            [.integer(Int64(row)), .bytes(Array(body[(row * 7)...]) + [UInt8(row)])]
        }
        let table = SampleTable(schema: schema, rows: rows)
        let written = try WrittenSegments([table], &random, rowsMax: 10)
        let descriptor = try #require(written.output.tables[0].segments.first)
        let groups = try written.reader(descriptor).footer.rowGroups
        #expect(groups.count == 3)
        #expect(groups.allSatisfy { $0.rowCount <= 17 })
        expectSameRows(try written.rows(descriptor, schema), table.rows, "in commit order")
    }

    @Test func columnsAddedLaterAreNull() throws {
        var random = CodecRandom(seed: 1)
        var schema = TableSchema(
            id: TableID(1), name: "t",
            columns: [ColumnDefinition(id: ColumnID(1), name: "a", type: .bigint)], nextColumnID: ColumnID(2))
        let written = try WrittenSegments(
            [SampleTable(schema: schema, rows: [[.integer(1)], [.integer(2)]])], &random)
        schema.columns.append(ColumnDefinition(id: ColumnID(2), name: "b", type: .text))
        let descriptor = written.output.tables[0].segments[0]
        expectSameRows(try written.rows(descriptor, schema), [[.integer(1), .null], [.integer(2), .null]], "")
        let range = ColumnRange(column: ColumnID(2), lower: .text("a"), upper: nil)
        #expect(try written.reader(descriptor).morsels(schema: schema, pruning: [range]).isEmpty)
    }

    @Test func oneDictionaryObjectServesAllBatchesOfAColumn() throws {
        var random = CodecRandom(seed: 2)
        let schema = TableSchema(
            id: TableID(1), name: "t",
            columns: [ColumnDefinition(id: ColumnID(1), name: "tag", type: .text)], nextColumnID: ColumnID(2))
        let rows: [[Value]] = (0..<70_000).map { [.text("tag \($0 % 300)")] }
        let written = try WrittenSegments([SampleTable(schema: schema, rows: rows)], &random, rowsMax: 9_000)
        let segment = try written.reader(written.output.tables[0].segments[0])
        var dictionaries: Set<ObjectIdentifier> = []
        for morsel in segment.morsels(schema: schema, pruning: []) {
            let reader = try morsel.reader(of: [ColumnID(1)], pruning: [])
            while let batch = try reader.next() {
                let coded = try #require(batch.columns[0].dictionaryValues)
                #expect(coded.dictionary.isSorted)
                dictionaries.insert(ObjectIdentifier(coded.dictionary))
            }
        }
        #expect(dictionaries.count == 1)
    }

    @Test func mostlyDistinctTextIsNotADictionary() throws {
        var random = CodecRandom(seed: 3)
        let schema = TableSchema(
            id: TableID(1), name: "t",
            columns: [ColumnDefinition(id: ColumnID(1), name: "message", type: .text)], nextColumnID: ColumnID(2))
        let rows: [[Value]] = (0..<2_000).map { [.text("request \($0) took \($0 * 7) ms")] }
        let written = try WrittenSegments([SampleTable(schema: schema, rows: rows)], &random)
        let segment = try written.reader(written.output.tables[0].segments[0])
        #expect(segment.footer.columns[0].storage == .plain)
        expectSameRows(try written.rows(segment.descriptor, schema), rows, "")
    }

    @Test func manyKeysOutOfTimeOrderAreSortedStably() throws {
        var random = CodecRandom()
        let schema = TableSchema(
            id: TableID(1), name: "t",
            columns: [
                ColumnDefinition(id: ColumnID(1), name: "time", type: .timestamptz(.microseconds), isNullable: false),
                ColumnDefinition(id: ColumnID(2), name: "a", type: .bigint),
                ColumnDefinition(id: ColumnID(3), name: "b", type: .uuid),
                ColumnDefinition(id: ColumnID(4), name: "number", type: .bigint, isNullable: false),
            ], chunking: ChunkingPolicy(column: ColumnID(1), interval: 1 << 40, isHypertable: false),
            sortKey: [ColumnID(2), ColumnID(3)], nextColumnID: ColumnID(5))
        // 2,500 x 2,500 combinations exceed what one counting sort places by.
        for variety in [3, 2_500] {
            let rows = (0..<9_000).map { row -> [Value] in
                let first: Value = random.chance(40) ? .null : .integer(Int64(random.below(variety)) - 5)
                let second: Value = random.chance(40) ? .null : .uuid(UInt128(random.below(variety)) << 60)
                return [.integer(Int64(random.below(50))), first, second, .integer(Int64(row))]
            }
            let table = SampleTable(schema: schema, rows: rows)
            let written = try WrittenSegments([table], &random, windowRowCount: 4_096)
            expectSameRows(
                try written.rows(written.output.tables[0].segments[0], schema),
                table.expected(sortedBy: [ColumnID(2), ColumnID(3)])[0], "FIRN_SEED=\(random.seed)")
        }
    }

    @Test func descriptorsSurviveTheirBytes() throws {
        var random = CodecRandom()
        for _ in 0..<200 {
            let start = Int64(random.below(1 << 40))
            let descriptor = SegmentDescriptor(
                table: TableID(random.next() >> 1), file: FileID(random.next() >> 1), byteOffset: start,
                byteCount: Int64(random.below(1 << 40)), rowCount: random.below(1 << 40),
                chunk: ChunkID(random.next() >> 1),
                timeRange: random.chance(3) ? nil : (random.chance(5) ? .min : -start)...start,
                order: (0..<random.below(4)).map { _ in ColumnID(random.next() >> 1) },
                lsnRange: LSN(UInt64(start))...LSN(UInt64(start) + 9), rawByteCount: start,
                profile: random.chance(2) ? .warm : .cold)
            var bytes = ByteWriter()
            descriptor.encode(into: &bytes)
            let decoded = try bytes.withUnsafeBytes { view in
                var reader = ByteReader(view)
                let decoded = try SegmentDescriptor.decode(from: &reader)
                try reader.expectEnd()
                return decoded
            }
            #expect(decoded == descriptor, "FIRN_SEED=\(random.seed)")
        }
    }
}
