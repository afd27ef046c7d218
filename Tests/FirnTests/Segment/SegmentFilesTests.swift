// SPDX-License-Identifier: Apache-2.0
//
// Many files behind few handles, each opened once while it stays.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct SegmentFilesTests {
    private static let schema = TableSchema(
        id: TableID(1), name: "t", columns: [ColumnDefinition(id: ColumnID(1), name: "n", type: .bigint)],
        nextColumnID: ColumnID(2))

    private static func path(_ file: FileID) -> FilePath { FilePath("/data/\(file).seg") }

    /// Files 1 to `count`, each with one row, its own number.
    private static func written(_ count: UInt64, openFilesMax: Int) throws -> (SegmentFiles, [SegmentDescriptor]) {
        let files = SegmentFiles(
            fileSystem: try WrittenSegments.folder(), database: WrittenSegments.database, openFilesMax: openFilesMax)
        let segments = try (1...count).map { number in
            let batch = ColumnBatch([Column.integers([Int64(number)])])
            let input = FlushInput(schema: schema, batches: [batch], lsnRange: LSN(1)...LSN(1))
            let output = try files.write([input], to: path(FileID(number)), file: FileID(number)) {
                _, _ throws(FirnError) in ChunkBounds(id: ChunkID(1), start: .min, end: .max)
            }
            return output.tables[0].segments[0]
        }
        return (files, segments)
    }

    private static func number(_ files: SegmentFiles, _ segment: SegmentDescriptor) throws -> Value? {
        let morsels = try files.morsels(of: segment, at: path(segment.file), schema: schema, pruning: [])
        return try morsels.first?.reader(of: [ColumnID(1)], pruning: []).next()?.columns[0][0]
    }

    @Test func manyFilesAreReadWithFewOpen() throws {
        let (files, segments) = try Self.written(20, openFilesMax: 3)
        for _ in 0..<3 {
            for segment in segments {
                #expect(try Self.number(files, segment) == .integer(Int64(segment.file.rawValue)))
                #expect(files.openFileCount <= 3)
            }
        }
    }

    @Test func aForgottenFileIsOpenedAnewAndAMorselOutlivesIt() throws {
        let (files, segments) = try Self.written(2, openFilesMax: 8)
        let morsel = try #require(
            try files.morsels(of: segments[0], at: Self.path(segments[0].file), schema: Self.schema, pruning: []).first)
        #expect(files.openFileCount == 1)
        files.forget(segments[0].file)
        #expect(files.openFileCount == 0)
        #expect(try morsel.reader(of: [ColumnID(1)], pruning: []).next()?.rowCount == 1)
        #expect(try Self.number(files, segments[0]) == .integer(1))
    }

    @Test func verificationOfOneSegmentThrowsItsDamage() throws {
        let fileSystem = try WrittenSegments.folder()
        let files = SegmentFiles(fileSystem: fileSystem, database: WrittenSegments.database)
        let batch = ColumnBatch([Column.integers((0..<3_000).map { Int64($0 * $0) })])
        let input = FlushInput(schema: Self.schema, batches: [batch], lsnRange: LSN(1)...LSN(1))
        let segment = try files.write([input], to: Self.path(FileID(1)), file: FileID(1)) {
            _, _ throws(FirnError) in ChunkBounds(id: ChunkID(1), start: .min, end: .max)
        }.tables[0].segments[0]
        try files.verify(segment, at: Self.path(FileID(1)), schema: Self.schema)
        let file = try fileSystem.open(Self.path(FileID(1)), .readWrite)
        let byte = try file.read(byteCount: 1, at: segment.byteOffset + 40)
        try file.write([byte[0] ^ 1], at: segment.byteOffset + 40)
        let error = #expect(throws: FirnError.self) {
            try files.verify(segment, at: Self.path(FileID(1)), schema: Self.schema)
        }
        #expect(error?.code == .dataCorrupted)
        #expect(error?.message.contains("row group 0, column \"n\"") == true)
    }
}
