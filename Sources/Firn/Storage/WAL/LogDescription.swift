// SPDX-License-Identifier: Apache-2.0
//
// A file of the write-ahead log looked at by itself: its header, its frames in order, and what follows the last.

import FirnIO
import SystemPackage

/// What stands in a log file.
package struct LogDescription: Sendable {
    /// One commit.
    package struct Frame: Sendable {
        package var byteOffset: Int64
        /// Bytes in the file, header and padding included.
        package var byteCount: Int
        /// Bytes of the payload before compression.
        package var payloadByteCount: Int
        package var isCompressed: Bool
        package var lsn: UInt64
        /// The LSN known durable when the frame was written.
        package var durableLSN: UInt64
        package var kind: String
        /// What the commit changed, in a few words.
        package var summary: String
    }

    package var header: InspectedFile.Header
    package var epoch: UInt64
    package var firstLSN: UInt64
    package var durableLSN: UInt64
    package var manifest: InspectedFile.Proof
    package var frames: [Frame]
    /// Where the frames of this file end.
    package var endOffset: Int64
    /// True where bytes that are no zeros follow the end: an earlier use of the file, or a write that was cut short.
    package var hasBytesBehindEnd: Bool

    init(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) {
        let byteCount = try FirnError.mapping { () throws(IOError) in try fileSystem.status(path)?.byteCount ?? 0 }
        let window = try FileWindow(path, fileSystem)
        let start = try window.bytes(at: 0, count: WALFileHeader.byteCount)
        let version: FormatVersion
        do throws(FormatError) {
            let found = try start.reading { (reader) throws(FormatError) in
                (try FileHeader.decode(reader.view), try WALFileHeader.decode(reader.view))
            }
            header = InspectedFile.Header(found.0, byteCount: byteCount)
            version = found.0.version
            epoch = found.1.epoch
            firstLSN = found.1.firstLSN.rawValue
            durableLSN = found.1.durableLSN.rawValue
            manifest = InspectedFile.Proof(found.1.manifest)
        } catch {
            throw FirnError(error, in: path)
        }
        frames = []
        endOffset = Int64(WALFileHeader.byteCount)
        hasBytesBehindEnd = false
        while let (header, payload) = try WALReader.frame(window, at: endOffset),
            header.epoch == epoch, header.lsn.rawValue == firstLSN + UInt64(frames.count)
        {
            frames.append(Frame(header, payload, at: endOffset, version))
            endOffset += Int64(header.frameByteCount)
        }
        var position = endOffset
        while !hasBytesBehindEnd {
            let bytes = try window.bytes(at: position, count: 1 << 20)
            if bytes.isEmpty { break }
            hasBytesBehindEnd = bytes.contains { $0 != 0 }
            position += Int64(bytes.count)
        }
    }
}

extension LogDescription.Frame {
    fileprivate init(
        _ header: WALFrameHeader, _ stored: [UInt8], at byteOffset: Int64, _ version: FormatVersion
    ) {
        self.byteOffset = byteOffset
        byteCount = header.frameByteCount
        isCompressed = header.flags & WALFrameHeader.isCompressedFlag != 0
        lsn = header.lsn.rawValue
        durableLSN = header.durableLSN.rawValue
        payloadByteCount = header.payloadByteCount
        guard let known = WALFrameKind(rawValue: header.kindNumber) else {
            kind = "kind \(header.kindNumber)"
            summary = "not known to this build"
            return
        }
        kind = "\(known)"
        do throws(FormatError) {
            let plain = try stored.reading { (reader) throws(FormatError) in
                try WALFrame.payload(reader.view, header)
            }
            payloadByteCount = plain.count
            summary = try Self.summary(known, plain, version)
        } catch {
            summary = "damaged: \(error)"
        }
    }

    private static func summary(
        _ kind: WALFrameKind, _ payload: [UInt8], _ version: FormatVersion
    ) throws(FormatError) -> String {
        switch kind {
        case .rows:
            let rows = try RowsCodec.decode(payload, version)
            return "table \(rows.table): \(rows.batch.rowCount) rows of \(rows.columns.count) columns"
        case .catalog:
            return try CatalogChange.decodeAll(payload, version).map(\.summary).joined(separator: "; ")
        case .bulk:
            let commit = try BulkCommit.decode(payload)
            let files = Set(commit.segments.map(\.file)).sorted().map { "data/\($0).seg" }.joined(separator: ", ")
            return "table \(commit.table): \(commit.rowCount) rows in \(commit.segments.count) segments of \(files)"
        case .continuation:
            return "the log goes on in wal/\(try WALFrame.successor(payload)).wal"
        case .delete, .upsert, .truncate, .dropChunks, .rowsWithSources, .transaction:
            return "not known to this build"
        }
    }
}

extension CatalogChange {
    /// The change in a few words.
    var summary: String {
        switch self {
        case .putTable(let schema): return "table \(schema.id) \"\(schema.name)\": \(schema.summary)"
        case .dropTable(let table): return "drop table \(table)"
        }
    }
}

extension TableSchema {
    /// Columns, keys and chunks in a few words.
    fileprivate var summary: String {
        func names(_ ids: [ColumnID]) -> String {
            ids.map { id in index(of: id).map { columns[$0].name } ?? "column \(id)" }.joined(separator: ", ")
        }
        var text = columns.map { "\($0.name) \($0.typeName)" + ($0.isNullable ? "" : " not null") }.joined(
            separator: ", ")
        if !primaryKey.isEmpty { text += "; primary key (\(names(primaryKey)))" }
        if let chunking {
            let what = chunking.isHypertable ? "hypertable" : "chunks"
            text += "; \(what) by \(names([chunking.column])), \(chunking.interval) units each"
        }
        if let sortKey, !sortKey.isEmpty { text += "; sorted by \(names(sortKey))" }
        return text
    }
}
