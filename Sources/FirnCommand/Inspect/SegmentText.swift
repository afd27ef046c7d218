// SPDX-License-Identifier: Apache-2.0
//
// A file of segments as text: what each column costs and how it is encoded, and the statistics of each row group.

import Firn

/// Text of an inspected segment file.
enum SegmentText {
    static func of(_ file: SegmentFile.Description, named name: String) -> String {
        var text = """
            \(name): segments, \(file.byteCount) bytes
              format       version \(file.formatVersion)
              database     \(file.database)
              file         \(file.fileNumber)
              segments     \(file.segments.count)

            """
        for segment in file.segments { text += "\n" + self.text(segment) }
        return text
    }

    private static func text(_ segment: SegmentFile.Segment) -> String {
        let rowCount = max(segment.rowCount, 1)
        let perRow = Rounded.text(Double(segment.byteCount) / Double(rowCount), decimals: 2)
        let ratio = Rounded.text(Double(segment.rawByteCount) / Double(max(segment.byteCount, 1)), decimals: 1)
        var text = """
            segment of table \(segment.table), chunk \(segment.chunk), at byte \(segment.byteOffset)
              rows         \(segment.rowCount)
              bytes        \(segment.byteCount), \(perRow) a row; \(ratio) times fewer than in memory
              footer       \(segment.footerByteCount) bytes
              commits      LSN \(segment.firstLSN) to \(segment.lastLSN)
              ordered by   \(segment.order.isEmpty ? "nothing" : segment.order.joined(separator: ", "))
              profile      \(segment.profile)

            """
        if let times = segment.timeRange {
            let writer = timeText(segment)
            text += "  times        \(writer(times.lowerBound)) to \(writer(times.upperBound))\n"
        }
        if segment.keyIndexByteCount > 0 {
            let bytesPerRow = Rounded.text(Double(segment.keyIndexByteCount) / Double(rowCount), decimals: 2)
            text += "  key index    \(segment.keyIndexByteCount) bytes, \(bytesPerRow) a row\n"
        }
        for section in segment.sections where section.kind != SegmentFile.keyIndexSectionKind {
            text += "  section \(section.kind)    \(section.byteCount) bytes\n"
        }
        return text + "\n" + columns(segment) + "\n" + rowGroups(segment)
    }

    /// Shows times as the segment's last ordering column does, which is its time column.
    private static func timeText(_ segment: SegmentFile.Segment) -> (Int64) -> String {
        let column = segment.columns.last { column in column.type.isTimestamp && segment.order.last == column.name }
        guard let column else { return { "\($0)" } }
        let text = ValueText(type: column.type, zone: .utc)
        return { text.text(of: .integer($0)) }
    }

    private static func columns(_ segment: SegmentFile.Segment) -> String {
        let table = TextTable(
            [
                ("column", .text), ("type", .text), ("bytes", .bigint), ("bits/value", .double), ("nulls", .bigint),
                ("pages", .bigint), ("dictionary", .text), ("encodings of vectors", .text), ("compressed pages", .text),
            ],
            rows: segment.columns.map { column in
                [
                    column.name, column.type.name, "\(column.storedByteCount)",
                    Rounded.text(column.bitsPerValue, decimals: 2),
                    "\(column.nullCount)", "\(column.pageCount)",
                    column.dictionaryEntryCount.map { "\($0) texts, \(column.dictionaryByteCount) bytes" },
                    column.encodingText, column.compressionText,
                ]
            })
        return table.text
    }

    private static func rowGroups(_ segment: SegmentFile.Segment) -> String {
        var rows: [[String?]] = []
        for (number, group) in segment.rowGroups.enumerated() {
            for (column, chunk) in zip(segment.columns, group.columns) {
                let writer = ValueText(type: column.type, zone: .utc)
                rows.append([
                    "\(number)", "\(group.rowCount)", column.name, "\(chunk.byteOffset)", "\(chunk.byteCount)",
                    "\(chunk.nullCount)", chunk.minimum.map { shortened(writer.text(of: $0)) },
                    chunk.maximum.map { shortened(writer.text(of: $0)) }, chunk.sum.map { "\($0)" },
                ])
            }
        }
        return TextTable(
            [
                ("row group", .bigint), ("rows", .bigint), ("column", .text), ("at byte", .bigint), ("bytes", .bigint),
                ("nulls", .bigint), ("minimum", .text), ("maximum", .text), ("sum", .text),
            ], rows: rows
        ).text
    }

    /// Long texts are cut; statistics are there to be looked over.
    private static func shortened(_ text: String) -> String {
        text.count > 40 ? text.prefix(39) + "…" : text
    }
}
