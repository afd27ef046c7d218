// SPDX-License-Identifier: Apache-2.0
//
// The log's and the manifest's bytes: what is written is read back, and what is damaged is not.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

@Suite struct LogCodecTests {
    /// A table with a column of every type that a table may have.
    static let everyType = StorageSamples.schema(
        [
            .boolean, .smallint, .integer, .bigint, .real, .double, .numeric(precision: 10, scale: 2),
            .numeric(precision: nil, scale: nil), .text, .uuid, .timestamptz(.microseconds), .timestamp(.nanoseconds),
            .date, .interval, .jsonb, .bytea, .vector(3),
        ])

    @Test(arguments: [0, 1, 7, 64, 1_000])
    func rowsOfEveryTypeComeBackAsTheyWere(rowCount: Int) throws {
        var generator = Xoshiro256(seed: UInt64(rowCount) + 5)
        let batch = StorageSamples.randomBatch(Self.everyType, rowCount: rowCount, using: &generator)
        var output = ByteWriter()
        RowsCodec.encode(batch, columns: Self.everyType.columns, table: Self.everyType.id, into: &output)
        let decoded = try RowsCodec.decode(output.bytes, .current)
        #expect(decoded.table == Self.everyType.id)
        #expect(decoded.columns == Self.everyType.columns.map(\.id))
        #expect(decoded.batch.rows == batch.rows)
    }

    @Test func aDictionaryIsWrittenWithTheValuesThatOccurAlone() throws {
        let dictionary = BytesDictionary(distinct: BytesValues((0..<300).map { "host-\($0)" }))
        let codes: [UInt32] = (0..<200).map { 100 + $0 % 7 }
        let schema = StorageSamples.schema([.text])
        let batch = ColumnBatch([Column(type: .text, values: .dictionary(codes, dictionary))])
        var output = ByteWriter()
        RowsCodec.encode(batch, columns: schema.columns, table: schema.id, into: &output)
        #expect(output.count < 400)
        let decoded = try RowsCodec.decode(output.bytes, .current)
        #expect(decoded.batch.rows == batch.rows)
        #expect(decoded.batch.columns[0].dictionaryValues?.dictionary.count == 7)
    }

    @Test func noTruncatedOrFlippedPayloadCrashesTheReader() throws {
        var generator = Xoshiro256(seed: 11)
        let batch = StorageSamples.randomBatch(Self.everyType, rowCount: 20, using: &generator)
        var output = ByteWriter()
        RowsCodec.encode(batch, columns: Self.everyType.columns, table: Self.everyType.id, into: &output)
        let bytes = output.bytes
        for end in bytes.indices {
            #expect(throws: FormatError.self) { try RowsCodec.decode(Array(bytes[..<end]), .current) }
        }
        for _ in 0..<2_000 {
            var damaged = bytes
            damaged[Int(generator.next() % UInt64(bytes.count))] ^= UInt8(1 << (generator.next() % 8))
            // Either an error or rows of the claimed shape; checksums keep such bytes away in earnest.
            if let decoded = try? RowsCodec.decode(damaged, .current) { #expect(decoded.batch.columns.count <= 17) }
        }
    }

    @Test func aSealedFrameIsFoundAtItsPlaceAlone() throws {
        let frame = try #require(EncodedFrame(.rows) { $0.append([1, 2, 3]) })
        frame.seal(lsn: LSN(7), epoch: 3, durableLSN: LSN(5))
        let bytes = Array(frame.bytes)
        #expect(bytes.count == frame.byteCount)
        #expect(bytes.count % WALFrameHeader.alignment == 0)
        func header(_ bytes: [UInt8]) -> WALFrameHeader? {
            bytes.withUnsafeBytes { WALFrameHeader.decode(ByteView($0)) }
        }
        let found = try #require(header(bytes))
        #expect(found.lsn == LSN(7))
        #expect(found.epoch == 3)
        #expect(found.durableLSN == LSN(5))
        #expect(found.payloadByteCount == 3)
        for bit in 0..<WALFrameHeader.byteCount * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= UInt8(1 << (bit % 8))
            #expect(header(damaged) == nil, "bit \(bit)")
        }
    }

    @Test func aCompressiblePayloadIsCompressedAndComesBack() throws {
        let plain = [UInt8]((0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 1_000) })
        let frame = try #require(EncodedFrame(.rows, compression: .tried) { $0.append(plain) })
        #expect(frame.byteCount < 20_000)
        frame.seal(lsn: LSN(1), epoch: 1, durableLSN: .zero)
        let bytes = Array(frame.bytes)
        let payload = try bytes.withUnsafeBytes { raw in
            let header = try #require(WALFrameHeader.decode(ByteView(raw)))
            return try WALFrame.payload(ByteView(raw)[40..<40 + header.payloadByteCount], header)
        }
        #expect(payload == plain)
    }

    @Test func aPayloadBeyondTheLimitMakesNoFrame() {
        #expect(EncodedFrame(.rows) { $0.appendZeros(WALFrameHeader.payloadBytesMax + 1) } == nil)
    }
}

@Suite struct ManifestCodecTests {
    static let schema = LogCodecTests.everyType
    static let descriptor = SegmentDescriptor(
        table: schema.id, file: FileID(4), byteOffset: 64, byteCount: 4_096, rowCount: 10, chunk: ChunkID(2),
        timeRange: -5...5, order: [ColumnID(1)], lsnRange: LSN(1)...LSN(9), rawByteCount: 100, profile: .warm)
    static let records: [ManifestRecord] = [
        .epoch(LogEpoch(number: 2, firstLSN: LSN(1), firstLogFile: 3)), .catalog(.putTable(schema)),
        .addChunk(schema.id, ChunkBounds(id: ChunkID(2), start: .min, end: 100)), .addSegment(descriptor),
        .tableFlushed(schema.id, LSN(9)), .flushed(LSN(9)),
        .identifiers(nextTable: TableID(9), nextChunk: ChunkID(3), nextFile: FileID(5)),
        .unfinishedFiles([FileID(3)]), .retireFile(FileID(2)), .firstLogFile(4),
    ]
    static let database = DatabaseID(0x1234)

    static func manifest(edits: Int) throws -> (bytes: [UInt8], proof: ManifestProof, proofBefore: ManifestProof) {
        let files = MemoryFileSystem()
        let writer = try ManifestWriter(
            at: "/m", number: 7, database: database, records: records, lsn: LSN(9), fileSystem: files)
        var before = writer.proof
        for number in 0..<edits {
            before = writer.proof
            try writer.append([.flushed(LSN(UInt64(10 + number)))], lsn: LSN(UInt64(10 + number)))
        }
        return (try files.open("/m", .readOnly).readAll(), writer.proof, before)
    }

    @Test func everyRecordComesBack() throws {
        var records = Self.records
        records += [.removeSegment(Self.schema.id, file: FileID(4), byteOffset: 64), .closed(LSN(12))]
        records.append(.catalog(.dropTable(Self.schema.id)))
        for record in records {
            var output = ByteWriter()
            record.encode(into: &output)
            let decoded = try output.bytes.reading { (reader) throws(FormatError) in
                let record = try ManifestRecord.decode(from: &reader, .current)
                try reader.expectEnd()
                return record
            }
            #expect(decoded == record)
        }
    }

    @Test func anIdentifierThatHasNoNextIsRefused() {
        let records: [ManifestRecord] = [
            .catalog(.dropTable(TableID(.max))), .flushed(LSN(.max)), .retireFile(FileID(.max)),
            .addChunk(TableID(1), ChunkBounds(id: ChunkID(.max), start: 0, end: 1)), .firstLogFile(.max),
            .epoch(LogEpoch(number: .max, firstLSN: LSN(1), firstLogFile: 1)),
        ]
        for record in records {
            var output = ByteWriter()
            record.encode(into: &output)
            let bytes = output.bytes
            #expect(throws: FormatError.self, "\(record)") {
                try bytes.reading { (reader) throws(FormatError) in
                    _ = try ManifestRecord.decode(from: &reader, .current)
                }
            }
        }
    }

    @Test func theLeastOfAllScalesIsRefused() {
        var output = ByteWriter()
        output.append(7 as UInt8)
        output.appendVarint(5)
        output.appendSignedVarint(.min)
        let bytes = output.bytes
        #expect(throws: FormatError.self) {
            try bytes.reading { (reader) throws(FormatError) in _ = try DataType.decode(from: &reader, .current) }
        }
    }

    @Test func theStateIsRebuiltFromItsOwnRecords() throws {
        var state = ManifestState()
        try state.apply(Self.records)
        var copy = ManifestState()
        try copy.apply(state.records)
        #expect(copy.records == state.records)
        #expect(copy.nextTable == TableID(9))
        #expect(copy.retiredFiles == [FileID(2)])
        try copy.apply(.catalog(.dropTable(Self.schema.id)))
        #expect(copy.retiredFiles == [FileID(2), FileID(4)])
    }

    @Test func aManifestIsReadBackWithItsProof() throws {
        let (bytes, proof, _) = try Self.manifest(edits: 3)
        let content = try ManifestContent.read(bytes, number: 7, database: Self.database, proofs: [proof])
        #expect(content.editCount == 4)
        #expect(content.byteCount == proof.byteCount)
        #expect(content.checksum == proof.checksum)
        #expect(content.state.flushedLSN == LSN(12))
        #expect(content.tornByteCount == 0)
    }

    @Test func aTornLastEditIsDroppedAndAnyOtherDamageIsNamed() throws {
        let (bytes, proof, before) = try Self.manifest(edits: 3)
        for end in Int(before.byteCount)..<bytes.count - 7 {
            let content = try ManifestContent.read(
                Array(bytes[..<end]), number: 7, database: Self.database, proofs: [before])
            #expect(content.byteCount == before.byteCount)
            #expect(throws: FormatError.self) {
                try ManifestContent.read(Array(bytes[..<end]), number: 7, database: Self.database, proofs: [proof])
            }
        }
        for bit in 0..<Int(before.byteCount) * 8 where bit % 7 == 0 {
            var damaged = bytes
            damaged[bit / 8] ^= UInt8(1 << (bit % 8))
            #expect(throws: FormatError.self, "bit \(bit)") {
                try ManifestContent.read(damaged, number: 7, database: Self.database, proofs: [before])
            }
        }
    }

    @Test func currentComesBackAndEveryFlippedBitIsNoticed() throws {
        let current = CurrentFile(
            database: Self.database, manifest: ManifestProof(number: 9, byteCount: 1_000, checksum: 0xABCD))
        #expect(try CurrentFile.decode(current.bytes) == current)
        for bit in 0..<CurrentFile.byteCount * 8 {
            var damaged = current.bytes
            damaged[bit / 8] ^= UInt8(1 << (bit % 8))
            #expect(throws: FormatError.self) { try CurrentFile.decode(damaged) }
        }
    }
}
