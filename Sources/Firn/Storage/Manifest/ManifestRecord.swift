// SPDX-License-Identifier: Apache-2.0
//
// What a manifest edit consists of: small records, applied in their order.
//
//     [tag: u8][body]     1 and 2 are catalog changes (CatalogChange.swift); the others stand in `encode` below
//
// Tags are written to disk and never reused.

enum ManifestRecord: Sendable, Hashable {
    case catalog(CatalogChange)
    /// A chunk that has segments from this edit on.
    case addChunk(TableID, ChunkBounds)
    case addSegment(SegmentDescriptor)
    /// The segment at this place has been replaced or its rows dropped.
    case removeSegment(TableID, file: FileID, byteOffset: Int64)
    /// Every change with an LSN up to this one is in the manifest.
    case flushed(LSN)
    /// Every change of one table with an LSN up to this one is in the manifest.
    case tableFlushed(TableID, LSN)
    /// The smallest identifiers that were never given out.
    case identifiers(nextTable: TableID, nextChunk: ChunkID, nextFile: FileID)
    /// An opening of the database: its log begins here.
    case epoch(LogEpoch)
    /// The oldest log file that holds changes which are not in the manifest.
    case firstLogFile(UInt64)
    /// Data files that nothing refers to any more, to be removed.
    case retireFile(FileID)
    /// Data files that were being written: all of them, in place of those named before.
    case unfinishedFiles([FileID])
    /// The database was closed in order: no log remains, and this was the last LSN.
    case closed(LSN)
    // Reserved tags: 32 view, 33 coverage, 34 deleted rows, 35 source position, 36 setting.

    func encode(into output: inout ByteWriter) {
        switch self {
        case .catalog(let change): change.encode(into: &output)
        case .addChunk(let table, let bounds):
            output.append(3 as UInt8)
            output.appendVarint(table.rawValue)
            bounds.encode(into: &output)
        case .addSegment(let descriptor):
            output.append(4 as UInt8)
            descriptor.encode(into: &output)
        case .removeSegment(let table, let file, let byteOffset):
            output.append(5 as UInt8)
            output.appendVarint(table.rawValue)
            output.appendVarint(file.rawValue)
            output.appendVarint(UInt64(byteOffset))
        case .flushed(let lsn):
            output.append(6 as UInt8)
            output.appendVarint(lsn.rawValue)
        case .tableFlushed(let table, let lsn):
            output.append(7 as UInt8)
            output.appendVarint(table.rawValue)
            output.appendVarint(lsn.rawValue)
        case .identifiers(let nextTable, let nextChunk, let nextFile):
            output.append(8 as UInt8)
            output.appendVarint(nextTable.rawValue)
            output.appendVarint(nextChunk.rawValue)
            output.appendVarint(nextFile.rawValue)
        case .epoch(let epoch):
            output.append(9 as UInt8)
            output.appendVarint(epoch.number)
            output.appendVarint(epoch.firstLSN.rawValue)
            output.appendVarint(epoch.firstLogFile)
        case .firstLogFile(let number):
            output.append(10 as UInt8)
            output.appendVarint(number)
        case .retireFile(let file):
            output.append(11 as UInt8)
            output.appendVarint(file.rawValue)
        case .unfinishedFiles(let files):
            output.append(12 as UInt8)
            output.appendVarint(files.count)
            for file in files { output.appendVarint(file.rawValue) }
        case .closed(let lsn):
            output.append(13 as UInt8)
            output.appendVarint(lsn.rawValue)
        }
    }

    static func decode(
        from reader: inout ByteReader, _ version: FormatVersion
    ) throws(FormatError) -> ManifestRecord {
        let start = reader.offset
        let tag = try reader.readByte()
        switch tag {
        case CatalogChange.putTableTag: return .catalog(.putTable(try TableSchema.decode(from: &reader, version)))
        case CatalogChange.dropTableTag: return .catalog(.dropTable(try reader.readIdentifier(TableID.self)))
        case 3: return .addChunk(try reader.readIdentifier(TableID.self), try ChunkBounds.decode(from: &reader))
        case 4: return .addSegment(try SegmentDescriptor.decode(from: &reader))
        case 5:
            return .removeSegment(
                try reader.readIdentifier(TableID.self), file: try reader.readIdentifier(FileID.self),
                byteOffset: Int64(try reader.readCount()))
        case 6: return .flushed(try reader.readIdentifier(LSN.self))
        case 7: return .tableFlushed(try reader.readIdentifier(TableID.self), try reader.readIdentifier(LSN.self))
        case 8:
            return .identifiers(
                nextTable: try reader.readIdentifier(TableID.self), nextChunk: try reader.readIdentifier(ChunkID.self),
                nextFile: try reader.readIdentifier(FileID.self))
        case 9:
            return .epoch(
                LogEpoch(
                    number: try reader.readNumber(), firstLSN: try reader.readIdentifier(LSN.self),
                    firstLogFile: try reader.readLogFileNumber()))
        case 10: return .firstLogFile(try reader.readLogFileNumber())
        case 11: return .retireFile(try reader.readIdentifier(FileID.self))
        case 12:
            var files: [FileID] = []
            for _ in 0..<(try reader.readCount(atMost: reader.remaining)) {
                files.append(try reader.readIdentifier(FileID.self))
            }
            return .unfinishedFiles(files)
        case 13: return .closed(try reader.readIdentifier(LSN.self))
        default: throw FormatError("manifest record \(tag) is not known", at: start)
        }
    }
}

/// One opening of the database for writing: LSNs and log files count on from here.
struct LogEpoch: Sendable, Hashable {
    var number: UInt64
    /// The first LSN that it gives out.
    var firstLSN: LSN
    /// The file in which that LSN lies.
    var firstLogFile: UInt64
}

extension ByteReader {
    /// A number that is counted up by one at a time, such as that of an epoch: there is always a next one.
    mutating func readNumber() throws(FormatError) -> UInt64 {
        let start = offset
        let number = try readVarint()
        guard number <= UInt64(Int64.max) else { throw FormatError("\(number) was never given out", at: start) }
        return number
    }

    /// The number of a log file; a larger one in a file's name would not be read as one.
    mutating func readLogFileNumber() throws(FormatError) -> UInt64 {
        let start = offset
        let number = try readVarint()
        guard number <= DatabaseFolder.fileNumberMax else {
            throw FormatError("log file \(number) was never begun", at: start)
        }
        return number
    }

    /// An identifier that may have been given out: there is always a next one.
    mutating func readIdentifier<Identifier: StoredIdentifier>(
        _ type: Identifier.Type
    ) throws(FormatError) -> Identifier {
        Identifier(try readNumber())
    }
}

extension ChunkBounds {
    func encode(into output: inout ByteWriter) {
        output.appendVarint(id.rawValue)
        output.appendSignedVarint(start)
        output.appendSignedVarint(end)
    }

    static func decode(from reader: inout ByteReader) throws(FormatError) -> ChunkBounds {
        let offset = reader.offset
        let bounds = ChunkBounds(
            id: try reader.readIdentifier(ChunkID.self), start: try reader.readSignedVarint(),
            end: try reader.readSignedVarint())
        guard bounds.start < bounds.end else { throw FormatError("a chunk ends before it begins", at: offset) }
        return bounds
    }
}
