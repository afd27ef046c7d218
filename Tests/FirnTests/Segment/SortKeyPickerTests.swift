// SPDX-License-Identifier: Apache-2.0
//
// Where nobody declared a sort key, the engine finds the columns that identify a series.

import Testing

@testable import Firn

@Suite struct SortKeyPickerTests {
    private static func pick(
        _ columns: [(String, DataType, nullable: Bool)], primaryKey: [Int] = [], rowCount: Int,
        _ row: (Int) -> [Value]
    ) throws -> [String]? {
        var random = CodecRandom(seed: 6)
        let definitions = columns.enumerated().map { index, column in
            ColumnDefinition(
                id: ColumnID(UInt64(index + 1)), name: column.0, type: column.1, isNullable: column.nullable)
        }
        let schema = TableSchema(
            id: TableID(1), name: "t", columns: definitions,
            primaryKey: primaryKey.map { definitions[$0].id },
            chunking: ChunkingPolicy(column: definitions[0].id, interval: 1 << 50, isHypertable: false),
            nextColumnID: ColumnID(100))
        let table = SampleTable(schema: schema, rows: (0..<rowCount).map(row))
        let picked = try WrittenSegments([table], &random, rowsMax: 1_000).output.tables[0].pickedSortKey
        return picked?.map { id in definitions.first { $0.id == id }!.name }
    }

    private static let time = ("time", DataType.timestamptz(.microseconds), nullable: false)

    @Test func sensorsAreFoundByTheirName() throws {
        let picked = try Self.pick(
            [Self.time, ("sensor", .text, false), ("value", .double, true)], rowCount: 6_000
        ) { row in [.integer(Int64(row / 60)), .text("s\(row % 60)"), .double(Double(row))] }
        #expect(picked == ["sensor"])
    }

    @Test func randomIdentifiersAreNotPicked() throws {
        var random = CodecRandom(seed: 8)
        let picked = try Self.pick(
            [Self.time, ("id", .uuid, false), ("amount", .bigint, false)], rowCount: 3_000
        ) { row in
            [
                .integer(Int64(row) * 1_000), .uuid(UInt128(random.next()) << 64 | UInt128(random.next())),
                .integer(Int64(random.below(1_000))),
            ]
        }
        #expect(picked == [])
    }

    @Test func columnsThatFollowFromTheKeyAreLeftOut() throws {
        let picked = try Self.pick(
            [Self.time, ("region", .text, false), ("host", .text, false), ("usage", .bigint, false)], rowCount: 6_000
        ) { row in
            [.integer(Int64(row / 40)), .text("r\(row % 40 % 3)"), .text("h\(row % 40)"), .integer(Int64(row % 101))]
        }
        #expect(picked == ["host"])
    }

    @Test func twoColumnsTogetherMayNameTheSeries() throws {
        let picked = try Self.pick(
            [Self.time, ("sensor", .text, false), ("host", .text, false), ("value", .double, false)], rowCount: 9_000
        ) { row in
            [.integer(Int64(row / 60)), .text("m\(row % 5)"), .text("h\(row % 60 / 5)"), .double(Double(row))]
        }
        #expect(picked == ["sensor", "host"])
    }

    @Test func integersNameASeriesWhereTimesRepeat() throws {
        let picked = try Self.pick(
            [Self.time, ("device", .integer, false), ("reading", .smallint, false)], rowCount: 6_000
        ) { row in [.integer(Int64(row / 30)), .integer(Int64(row % 30)), .integer(Int64(row * 7 % 50))] }
        #expect(picked == ["device"])
    }

    @Test func aPrimaryKeySaysIt() throws {
        let picked = try Self.pick(
            [Self.time, ("kind", .text, false), ("station", .integer, false)], primaryKey: [2, 0], rowCount: 3_000
        ) { row in [.integer(Int64(row)), .text("k\(row % 9)"), .integer(Int64(row % 20))] }
        #expect(picked == ["station"])
    }

    @Test func aFewRowsDecideNothing() throws {
        let picked = try Self.pick([Self.time, ("sensor", .text, false)], rowCount: 100) { row in
            [.integer(Int64(row)), .text("s\(row % 2)")]
        }
        #expect(picked == nil)
    }

    @Test func aKeyThatMayBeNullIsNotPicked() throws {
        let picked = try Self.pick([Self.time, ("sensor", .text, nullable: true)], rowCount: 3_000) { row in
            [.integer(Int64(row / 3)), .text("s\(row % 3)")]
        }
        #expect(picked == [])
    }
}
