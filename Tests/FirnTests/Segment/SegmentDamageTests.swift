// SPDX-License-Identifier: Apache-2.0
//
// Damage of any byte is named, and a disk that refuses leaves nothing behind.

import FirnIO
import FirnSimulator
import SystemPackage
import Testing

@testable import Firn

@Suite struct SegmentDamageTests {
    /// A small file with every type, a dictionary, statistics and two segments.
    static func small(profile: SegmentProfile = .warm) throws -> (WrittenSegments, SampleTable) {
        var random = CodecRandom(seed: 11)
        var columns = [
            ColumnDefinition(id: ColumnID(1), name: "time", type: .timestamptz(.microseconds), isNullable: false)
        ]
        for (number, type) in CodecRandom.columnTypes.enumerated() {
            columns.append(
                ColumnDefinition(id: ColumnID(UInt64(number + 2)), name: "c\(number)", type: type, isNullable: true))
        }
        let schema = TableSchema(
            id: TableID(3), name: "all", columns: columns,
            chunking: ChunkingPolicy(column: ColumnID(1), interval: 8, isHypertable: false), sortKey: [ColumnID(4)],
            nextColumnID: ColumnID(90))
        let rows = (0..<12).map { row in
            [Value.integer(Int64(row))]
                + CodecRandom.columnTypes.map { random.chance(4) ? .null : random.value($0, variety: 9) }
        }
        let table = SampleTable(schema: schema, rows: rows, chunkLength: 8)
        return (try WrittenSegments([table], &random, profile: profile), table)
    }

    private static func allRows(_ written: WrittenSegments, _ table: SampleTable) throws(FirnError) -> [[Value]] {
        var rows: [[Value]] = []
        for segment in written.output.tables[0].segments { rows += try written.rows(segment, table.schema) }
        return rows
    }

    @Test func everyDamagedByteIsNamedOrHarmless() throws {
        var (written, table) = try Self.small()
        let intact = try Self.allRows(written, table)
        let file = try written.fileSystem.open(WrittenSegments.path, .readWrite)
        let bytes = try file.readAll()
        let tailStart = try #require(
            written.output.tables[0].segments.map { $0.byteOffset + $0.byteCount }.max())
        for offset in bytes.indices {
            try file.write([bytes[offset] ^ [0x01, 0x80, 0xFF][offset % 3]], at: Int64(offset))
            written.cache = PageCache(bytesMax: 0)
            do throws(FirnError) {
                let rows = try Self.allRows(written, table)
                // Only the tail is not read on the way: the manifest says what it says.
                #expect(offset >= tailStart, "a change of byte \(offset) went unseen")
                expectSameRows(rows, intact, "byte \(offset)")
            } catch {
                // The version is looked at before the checksum: another one may be a later build's.
                let isVersion = (8..<10).contains(offset)
                #expect(error.code == (isVersion ? .unsupportedFormat : .dataCorrupted), "\(error)")
                #expect(error.message.contains(isVersion ? "data/12.seg" : "data/12.seg at offset"), "\(error)")
            }
            if offset % 5 == 0 || offset >= tailStart { #expect(!(try verify(written)).isEmpty, "byte \(offset)") }
            try file.write([bytes[offset]], at: Int64(offset))
        }
        #expect(try verify(written).isEmpty)
    }

    private func verify(_ written: WrittenSegments) throws -> [SegmentFile.Damage] {
        try SegmentFile.verify(WrittenSegments.path, fileSystem: written.fileSystem, database: WrittenSegments.database)
    }

    @Test func aTruncatedFileIsNamed() throws {
        let (written, table) = try Self.small()
        let file = try written.fileSystem.open(WrittenSegments.path, .readWrite)
        let byteCount = try file.byteCount()
        for cut in stride(from: byteCount - 1, through: 0, by: -97) {
            try file.truncate(to: cut)
            #expect(!(try verify(written)).isEmpty)
            if cut < written.output.tables[0].segments.map({ $0.byteOffset + $0.byteCount }).max()! {
                #expect(throws: FirnError.self) { try Self.allRows(written, table) }
            }
        }
    }

    @Test func aFileOfAnotherDatabaseOrAMisplacedBlockIsRecognised() throws {
        let (written, table) = try Self.small()
        let descriptor = written.output.tables[0].segments[0]
        #expect(throws: FirnError.self) {
            try SegmentReader(
                path: WrittenSegments.path, fileSystem: written.fileSystem, database: DatabaseID(1),
                descriptor: descriptor, cache: written.cache)
        }
        // The same bytes 64 bytes later are whole, and still wrong.
        let file = try written.fileSystem.open(WrittenSegments.path, .readWrite)
        let bytes = try file.readAll()
        try file.write(bytes, at: 64)
        try file.write(Array(bytes[..<64]), at: 0)
        var moved = descriptor
        moved.byteOffset += 64
        let error = #expect(throws: FirnError.self) {
            try SegmentReader(
                path: WrittenSegments.path, fileSystem: written.fileSystem, database: WrittenSegments.database,
                descriptor: moved, cache: PageCache(bytesMax: 0))
        }
        #expect(error?.message.contains("checksum mismatch") == true)
        _ = table
    }

    @Test(arguments: [Errno.noSpace, .ioError])
    func aRefusingDiskLeavesNoFileBehind(errno: Errno) throws {
        var random = CodecRandom(seed: 5)
        let table = random.table(rowCount: 2_000)
        for number in 1..<40 {
            let memory = try WrittenSegments.folder()
            let fileSystem = FaultInjectingFileSystem(
                memory, injector: FaultInjector([.operation(number, errno)]))
            let input = FlushInput(
                schema: table.schema, batches: table.batches(&random, rowsMax: 500), lsnRange: LSN(1)...LSN(2))
            do throws(FirnError) {
                let output = try SegmentFlush.write(
                    [input], to: WrittenSegments.path, fileSystem: fileSystem, database: WrittenSegments.database,
                    file: WrittenSegments.file,
                    chunks: { _, time throws(FirnError) in table.chunk(of: time) }, profile: .warm)
                #expect(output.tables[0].segments.reduce(0) { $0 + $1.rowCount } == 2_000)
                // The fault came too late to matter.
                return
            } catch {
                #expect(error.code == (errno == .noSpace ? .diskFull : .ioError), "\(error)")
                let remains = try FirnError.mapping { () throws(IOError) in
                    try memory.status(WrittenSegments.path) != nil
                }
                #expect(!remains || error.detail?.contains("remains") == true, "operation \(number): \(error)")
            }
        }
    }
}
