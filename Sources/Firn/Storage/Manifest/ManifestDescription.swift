// SPDX-License-Identifier: Apache-2.0
//
// A manifest looked at by itself: its edits with their records in words, and what they add up to.

import FirnIO
import SystemPackage

/// What stands in a manifest.
package struct ManifestDescription: Sendable {
    /// One durable step.
    package struct Edit: Sendable {
        package var number: UInt64
        package var byteOffset: Int64
        package var byteCount: Int
        /// Every change up to this LSN is contained after the edit.
        package var lsn: UInt64
        /// The records, each in a few words.
        package var records: [String]
    }

    package var header: InspectedFile.Header
    package var edits: [Edit]
    /// Where the edits end.
    package var endOffset: Int64
    /// Bytes behind the end that belong to an edit which never became durable.
    package var tornByteCount: Int64
    package var tableCount: Int
    package var segmentCount: Int
    package var rowCount: Int

    init(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) {
        let bytes = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        }
        do throws(FormatError) {
            let (header, edits) = try bytes.reading { (reader) throws(FormatError) in
                try Self.walk(reader.view)
            }
            let content = try ManifestContent.read(
                bytes, number: header.file.rawValue, database: header.database, proofs: [])
            self.header = InspectedFile.Header(header, byteCount: Int64(bytes.count))
            self.edits = edits
            endOffset = content.byteCount
            tornByteCount = content.tornByteCount
            tableCount = content.state.tables.count
            let segments = content.state.tables.values.flatMap(\.segments)
            segmentCount = segments.count
            rowCount = segments.reduce(0) { $0 + $1.rowCount }
        } catch {
            throw FirnError(error, in: path)
        }
    }

    private static func walk(_ view: ByteView) throws(FormatError) -> (FileHeader, [Edit]) {
        let header = try FileHeader.decode(view)
        var edits: [Edit] = []
        var offset = FileHeader.byteCount
        while let edit = ManifestContent.edit(
            in: view, at: offset, number: UInt64(edits.count + 1), file: header.file.rawValue)
        {
            var reader = ByteReader(edit.payload)
            var records: [String] = []
            while !reader.isAtEnd { records.append(try ManifestRecord.decode(from: &reader, header.version).summary) }
            edits.append(
                Edit(
                    number: UInt64(edits.count + 1), byteOffset: Int64(offset), byteCount: edit.byteCount,
                    lsn: view.loadUnchecked(UInt64.self, at: offset + 16), records: records))
            offset += edit.byteCount
        }
        return (header, edits)
    }
}

extension ManifestRecord {
    /// The record in a few words.
    var summary: String {
        switch self {
        case .catalog(let change): change.summary
        case .addChunk(let table, let bounds):
            "chunk \(bounds.id) of table \(table): [\(bounds.start), \(bounds.end))"
        case .addSegment(let segment):
            "add segment data/\(segment.file).seg at byte \(segment.byteOffset): table \(segment.table), chunk "
                + "\(segment.chunk), \(segment.rowCount) rows, \(segment.byteCount) bytes, commits "
                + "\(segment.lsnRange.lowerBound) to \(segment.lsnRange.upperBound)"
        case .removeSegment(let table, let file, let byteOffset):
            "remove segment data/\(file).seg at byte \(byteOffset) of table \(table)"
        case .flushed(let lsn): "flushed up to LSN \(lsn)"
        case .tableFlushed(let table, let lsn): "table \(table) flushed up to LSN \(lsn)"
        case .identifiers(let table, let chunk, let file): "next table \(table), chunk \(chunk), file \(file)"
        case .epoch(let epoch):
            "epoch \(epoch.number) begins with LSN \(epoch.firstLSN) in wal/\(epoch.firstLogFile).wal"
        case .firstLogFile(let number): "the log is needed from wal/\(number).wal on"
        case .retireFile(let file): "data/\(file).seg is not needed any more"
        case .unfinishedFiles(let files):
            files.isEmpty
                ? "no data file is being written"
                : "being written: " + files.map { "data/\($0).seg" }.joined(separator: ", ")
        case .closed(let lsn): "closed in order at LSN \(lsn)"
        }
    }
}
