// SPDX-License-Identifier: Apache-2.0
//
// The files of a database as text: CURRENT, LOCK, manifests and logs here, segments in SegmentText.swift.

import Firn

/// Text of an inspected file.
enum InspectedFileText {
    static func of(_ file: InspectedFile, named name: String) -> String {
        switch file {
        case .segments(let description): SegmentText.of(description, named: name)
        case .log(let description): text(description, name)
        case .manifest(let description): text(description, name)
        case .current(let description): text(description, name)
        case .lock(let description):
            "\(name): lock file\n"
                + (description.processID.map { "  last writer  process \($0), which may be long gone\n" }
                    ?? "  last writer  not named\n")
        case .prepared(let byteCount):
            "\(name): a log file that was prepared and not begun: \(byteCount) bytes of zeros at its start\n"
        }
    }

    /// The first lines of every file with a header.
    static func heading(_ header: InspectedFile.Header, _ kind: String, _ name: String) -> String {
        """
        \(name): \(kind), \(header.byteCount) bytes
          format       version \(header.formatVersion)
          database     \(header.database)
          file         \(header.fileNumber)

        """
    }

    private static func text(_ proof: InspectedFile.Proof) -> String {
        "manifest-\(proof.manifestNumber), durable up to byte \(proof.byteCount), CRC32C "
            + hexadecimal(proof.checksum)
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }

    private static func text(_ current: InspectedFile.CurrentDescription, _ name: String) -> String {
        """
        \(name): the name of the live manifest
          format       version \(current.formatVersion)
          database     \(current.database)
          manifest     \(text(current.manifest))

        """
    }

    private static func text(_ log: LogDescription, _ name: String) -> String {
        var text = heading(log.header, "write-ahead log", name)
        text += """
              epoch        \(log.epoch)
              first LSN    \(log.firstLSN)
              durable      LSN \(log.durableLSN) when the file was begun
              manifest     \(Self.text(log.manifest))
              frames       \(log.frames.count), up to byte \(log.endOffset)
              behind them  \(log.hasBytesBehindEnd ? "bytes of an earlier use, or of a write that was cut short" : "zeros")

            """
        guard !log.frames.isEmpty else { return text }
        let columns = TextTable(
            [
                ("byte", .bigint), ("LSN", .bigint), ("durable", .bigint), ("kind", .text), ("bytes", .bigint),
                ("plain", .bigint), ("change", .text),
            ],
            rows: log.frames.map { frame in
                [
                    "\(frame.byteOffset)", "\(frame.lsn)", "\(frame.durableLSN)", frame.kind, "\(frame.byteCount)",
                    frame.isCompressed ? "\(frame.payloadByteCount)" : nil, frame.summary,
                ]
            })
        return text + "\n" + columns.text
    }

    private static func text(_ manifest: ManifestDescription, _ name: String) -> String {
        var text = heading(manifest.header, "manifest", name)
        text += """
              edits        \(manifest.edits.count), up to byte \(manifest.endOffset)
              adds up to   \(manifest.tableCount) tables, \(manifest.segmentCount) segments, \(manifest.rowCount) rows

            """
        if manifest.tornByteCount > 0 {
            text += "  behind them  \(manifest.tornByteCount) bytes of an edit that never became durable\n"
        }
        for edit in manifest.edits {
            text += "\nedit \(edit.number) at byte \(edit.byteOffset), \(edit.byteCount) bytes, up to LSN \(edit.lsn)\n"
            for record in edit.records { text += "  \(record)\n" }
        }
        return text
    }
}

/// A table of texts, aligned by the types that its columns stand for.
struct TextTable {
    let text: String

    init(_ columns: [(name: String, type: DataType)], rows: [[String?]]) {
        text = AlignedTable.text(columns.map { ResultColumn(name: $0.name, type: $0.type) }, rows)
    }
}
