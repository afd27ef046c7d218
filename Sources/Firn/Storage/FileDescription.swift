// SPDX-License-Identifier: Apache-2.0
//
// Any file of a database in words: what `firn inspect FILE` prints of logs, manifests, CURRENT and LOCK.
//
// The file is taken by itself, whatever its name; what is damaged is said where it lies, and what follows still shown.

import FirnIO
import SystemPackage

/// Files of a database from the outside.
package enum DatabaseFile {
    /// What a file turned out to be.
    package enum Kind: String, Sendable, Hashable {
        case log = "write-ahead log"
        case manifest = "manifest"
        case segments = "segments"
        case current = "CURRENT"
        case lock = "LOCK"
    }

    /// A file in words.
    package struct Description: Sendable {
        package var kind: Kind
        /// Facts about the file as a whole, in the order in which they lie in it.
        package var facts: [(name: String, value: String)]
        /// What it holds, a line each: frames, edits and their records.
        package var entries: [String]
        /// What is damaged, a line each.
        package var damages: [String]
    }

    /// What the first bytes of a file say that it is; nil for files that are not ours.
    package static func kind(of path: FilePath, fileSystem: any FileSystem) throws(FirnError) -> Kind? {
        let start = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let bytes = try file.read(byteCount: FileHeader.byteCount, at: 0)
            try file.close()
            return bytes
        }
        if start.starts(with: "FIRNCURR".utf8) { return .current }
        if start.starts(with: "firn lock".utf8) { return .lock }
        guard start.starts(with: FileHeader.magic), start.count > 10 else { return nil }
        switch FileHeaderKind(rawValue: start[10]) {
        case .writeAheadLog: return .log
        case .manifest: return .manifest
        case .segments: return .segments
        case nil: return nil
        }
    }

    /// Describes a log, a manifest, CURRENT or LOCK; segments are `SegmentFile.describe`'s.
    package static func describe(_ path: FilePath, fileSystem: any FileSystem) throws(FirnError) -> Description {
        guard let kind = try kind(of: path, fileSystem: fileSystem) else {
            throw FirnError(
                .dataCorrupted, "\(path.string) is no file of Firn's: it does not begin as one",
                hint: "files of a database begin with FIRN")
        }
        let bytes = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        }
        var description = Description(
            kind: kind, facts: [("kind", kind.rawValue), ("bytes", "\(bytes.count)")], entries: [], damages: [])
        do throws(FormatError) {
            switch kind {
            case .lock: describeLock(bytes, &description)
            case .current: try describeCurrent(bytes, &description)
            case .manifest: try describeManifest(bytes, &description)
            case .log: try describeLog(bytes, &description)
            case .segments: break
            }
        } catch {
            description.damages.append("\(error)")
        }
        return description
    }

    private static func describeLock(_ bytes: [UInt8], _ description: inout Description) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("pid ") {
            description.facts.append(("last writer", "process \(line.dropFirst(4))"))
        }
    }

    private static func describeCurrent(_ bytes: [UInt8], _ description: inout Description) throws(FormatError) {
        let current = try CurrentFile.decode(bytes)
        description.facts += [
            ("format version", "\(FileHeader.currentVersion)"), ("database", "\(current.database)"),
        ]
        description.facts += facts(of: current.manifest)
    }

    private static func facts(of proof: ManifestProof) -> [(name: String, value: String)] {
        [
            ("manifest", "manifest-\(proof.number)"), ("manifest durable bytes", "\(proof.byteCount)"),
            ("manifest checksum", "\(hexadecimal(proof.checksum))"),
        ]
    }

    private static func facts(of header: FileHeader) -> [(name: String, value: String)] {
        [
            ("format version", "\(header.version)"), ("database", "\(header.database)"), ("number", "\(header.file)"),
        ]
    }

    private static func describeManifest(_ bytes: [UInt8], _ description: inout Description) throws(FormatError) {
        let header = try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
        description.facts += facts(of: header)
        try ManifestContent.walk(bytes, number: header.file.rawValue) { edit in
            description.entries.append(
                "edit \(edit.number) at byte \(edit.byteOffset): \(edit.byteCount) bytes, holds every change up to LSN "
                    + "\(edit.lsn)")
            for record in edit.records { description.entries.append("  \(record.summary)") }
        }
        let content = try ManifestContent.read(
            bytes, number: header.file.rawValue, database: header.database, proofs: [])
        description.facts += [
            ("edits", "\(content.editCount)"), ("bytes of edits", "\(content.byteCount)"),
            ("tables", "\(content.state.tables.count)"),
            ("segments", "\(content.state.tables.values.reduce(0) { $0 + $1.segments.count })"),
            ("flushed LSN", "\(content.state.flushedLSN)"),
            ("next ids", "table \(content.state.nextTable), chunk \(content.state.nextChunk), file \(content.state.nextFile)"),
        ]
        if content.tornByteCount > 0 {
            description.damages.append(
                "\(content.tornByteCount) bytes from byte \(content.byteCount) on are no edit: the end of a torn write")
        }
    }

    private static func describeLog(_ bytes: [UInt8], _ description: inout Description) throws(FormatError) {
        let header = try bytes.reading { (reader) throws(FormatError) in try WALFileHeader.decode(reader.view) }
        description.facts += [
            ("format version", "\(FileHeader.currentVersion)"), ("database", "\(header.database)"),
            ("number", "\(header.number)"), ("epoch", "\(header.epoch)"), ("first LSN", "\(header.firstLSN)"),
            ("durable LSN at its beginning", "\(header.durableLSN)"),
        ]
        description.facts += facts(of: header.manifest)
        try bytes.reading { (reader) throws(FormatError) in
            let view = reader.view
            var offset = WALFileHeader.byteCount
            var expected = header.firstLSN
            while let frame = WALFrameHeader.decode(view[min(offset, view.count)...]),
                frame.epoch == header.epoch, frame.lsn == expected
            {
                let start = offset + WALFrameHeader.byteCount
                guard start + frame.payloadByteCount <= view.count else {
                    throw FormatError("frame \(frame.lsn) is cut short", at: offset)
                }
                let stored = view[start..<start + frame.payloadByteCount]
                guard CRC32C.checksum(stored) == frame.payloadChecksum else {
                    throw FormatError("checksum mismatch in the payload of frame \(frame.lsn)", at: offset)
                }
                description.entries.append(
                    "frame \(frame.lsn) at byte \(offset): \(try summary(stored, frame)), \(frame.frameByteCount) bytes, "
                        + "durable then \(frame.durableLSN)")
                offset += frame.frameByteCount
                expected = expected.next
            }
            description.facts += [
                ("frames", "\(expected.rawValue - header.firstLSN.rawValue)"), ("bytes of frames", "\(offset)"),
            ]
        }
    }

    private static func summary(_ stored: ByteView, _ header: WALFrameHeader) throws(FormatError) -> String {
        let packed = header.flags & WALFrameHeader.isCompressedFlag != 0 ? " (LZ4)" : ""
        let payload = try WALFrame.payload(stored, header)
        switch WALFrameKind(rawValue: header.kindNumber) {
        case .rows:
            let rows = try RowsCodec.decode(payload)
            return "\(rows.batch.rowCount) rows of table \(rows.table)\(packed)"
        case .catalog:
            return try CatalogChange.decodeAll(payload).map { ManifestRecord.catalog($0).summary }.joined(separator: ", ")
        case .bulk:
            let commit = try BulkCommit.decode(payload)
            return "\(commit.rowCount) rows of table \(commit.table) in \(commit.segments.count) segments\(packed)"
        case let kind?: return "\(kind)"
        case nil: return "kind \(header.kindNumber)"
        }
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}

extension ManifestRecord {
    /// The record in a few words.
    var summary: String {
        switch self {
        case .catalog(.putTable(let schema)):
            "table \(schema.id) \"\(schema.name)\" (\(schema.columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")))"
        case .catalog(.dropTable(let table)): "table \(table) dropped"
        case .addChunk(let table, let bounds): "chunk \(bounds.id) of table \(table): [\(bounds.start), \(bounds.end))"
        case .addSegment(let segment):
            "segment of table \(segment.table), chunk \(segment.chunk): file \(segment.file) at byte "
                + "\(segment.byteOffset), \(segment.byteCount) bytes, \(segment.rowCount) rows, LSN "
                + "\(segment.lsnRange.lowerBound) to \(segment.lsnRange.upperBound)"
        case .removeSegment(let table, let file, let byteOffset):
            "segment of table \(table) removed: file \(file) at byte \(byteOffset)"
        case .flushed(let lsn): "flushed up to LSN \(lsn)"
        case .tableFlushed(let table, let lsn): "table \(table) flushed up to LSN \(lsn)"
        case .identifiers(let table, let chunk, let file): "next ids: table \(table), chunk \(chunk), file \(file)"
        case .epoch(let epoch):
            "epoch \(epoch.number) from LSN \(epoch.firstLSN) and log file \(epoch.firstLogFile) on"
        case .firstLogFile(let number): "log needed from file \(number) on"
        case .retireFile(let file): "data file \(file) retired"
        case .unfinishedFiles(let files): "unfinished data files: \(files.map(\.description).joined(separator: ", "))"
        case .closed(let lsn): "closed at LSN \(lsn)"
        }
    }
}
