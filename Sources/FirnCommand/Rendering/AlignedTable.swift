// SPDX-License-Identifier: Apache-2.0
//
// A table with aligned columns, as psql prints it: headings centred, numbers to the right, text to the left.

import Firn

/// Columns and rows of text that are printed together.
struct AlignedTable {
    let columns: [ResultColumn]
    let rows: [[String?]]

    func text() -> String {
        // A value of several lines takes as many lines of the table.
        let cells = rows.map { row in
            row.map { Array(($0 ?? "").split(separator: "\n", omittingEmptySubsequences: false)) }
        }
        let widths = columns.indices.map { index in
            cells.reduce(DisplayWidth.of(columns[index].name)) { width, row in
                row[index].reduce(width) { max($0, DisplayWidth.of($1)) }
            }
        }
        var result = ""
        let heading = zip(columns, widths).map { column, width in
            let space = width - DisplayWidth.of(column.name)
            let left = space / 2
            return " " + String(repeating: " ", count: left) + column.name + String(repeating: " ", count: space - left)
                + " "
        }
        result += heading.joined(separator: "|").trimmingEnd + "\n"
        result += widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n"
        for row in cells {
            let height = row.reduce(1) { max($0, $1.count) }
            for line in 0..<height {
                let fields = columns.indices.map { field(row[$0], line: line, width: widths[$0], columns[$0]) }
                result += fields.joined(separator: "|").trimmingEnd + "\n"
            }
        }
        return result
    }

    /// One line of a value, padded; `+` says that the value goes on in the next line.
    private func field(_ lines: [Substring], line: Int, width: Int, _ column: ResultColumn) -> String {
        let value = line < lines.count ? String(lines[line]) : ""
        let padding = String(repeating: " ", count: width - DisplayWidth.of(value))
        let end = line + 1 < lines.count ? "+" : " "
        return column.isRightAligned ? " " + padding + value + end : " " + value + padding + end
    }
}

extension ResultColumn {
    /// Numbers stand with their last digits under each other.
    var isRightAligned: Bool { type.isNumber }
}

extension String {
    /// Without blanks at the end.
    fileprivate var trimmingEnd: String {
        guard let last = lastIndex(where: { $0 != " " }) else { return "" }
        return String(self[...last])
    }
}

/// Columns of a terminal that text takes.
enum DisplayWidth {
    /// Wide characters (East Asian, emoji) take two columns, combining marks none.
    static func of(_ text: some StringProtocol) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if character.unicodeScalars.contains(where: \.properties.isEmojiPresentation) { return 2 }
        switch scalar.value {
        case 0x300...0x36F, 0x200B...0x200F, 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
