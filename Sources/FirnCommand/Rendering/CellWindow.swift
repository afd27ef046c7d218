// SPDX-License-Identifier: Apache-2.0
//
// Cells of a table as text, side by side in one buffer, with the columns of the terminal that each takes: what a table
// must know of its rows before the first is printed.
//
// A cell costs its bytes and two integers, and no object of its own: tables of millions of rows go through here.

import Firn

/// The cells of some rows, in the order of the rows.
struct CellWindow {
    let columnCount: Int
    private(set) var rowCount = 0
    /// The texts, one behind the other.
    private(set) var bytes: [UInt8] = []
    /// Where each cell ends in `bytes`.
    private var ends: [Int] = []
    /// Columns of the terminal that each cell takes; -1 - that of its widest line where it has several.
    private var widths: [Int32] = []
    /// The widest cell of each column so far, headings apart. Grows only.
    private(set) var columnWidths: [Int]

    private let texts: [ValueText]
    /// Columns whose values may hold more than printable ASCII.
    private let isFreeText: [Bool]
    private let nullCell: [UInt8]
    private let nullWidth: Int32

    init(_ columns: [ResultColumn], nullText: String?, zone: TimeZoneRules) {
        columnCount = columns.count
        texts = columns.map { ValueText(type: $0.type, zone: zone) }
        isFreeText = columns.map { column in
            switch column.type {
            case .text, .jsonb, .unknown: true
            default: false
            }
        }
        nullCell = Array(TerminalText.visible(nullText ?? "").utf8)
        nullWidth = Int32(clamping: DisplayWidth.of(nullText ?? ""))
        columnWidths = columns.map { _ in 0 }
    }

    /// Adds rows of a batch.
    mutating func append(_ batch: ColumnBatch, rows: Range<Int>) {
        for row in rows {
            for column in 0..<columnCount { appendCell(batch.columns[column], row, column) }
        }
        rowCount += rows.count
    }

    /// Adds a row of texts, nil for NULL.
    mutating func append(texts row: [String?]) {
        for (index, text) in row.enumerated() {
            if let text {
                bytes.append(contentsOf: TerminalText.visible(text).utf8)
            } else {
                bytes.append(contentsOf: nullCell)
            }
            let start = ends.last ?? 0
            let lines = String(decoding: bytes[start...], as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false)
            let widest = Int32(clamping: lines.reduce(0) { max($0, DisplayWidth.of($1)) })
            end(lines.count > 1 ? -1 - widest : widest, index)
        }
        rowCount += 1
    }

    private mutating func end(_ width: Int32, _ index: Int) {
        ends.append(bytes.count)
        widths.append(width)
        let columns = Int(width < 0 ? -1 - width : width)
        if columns > columnWidths[index] { columnWidths[index] = columns }
    }

    private mutating func appendCell(_ column: Column, _ row: Int, _ index: Int) {
        let start = bytes.count
        var width: Int32
        if column.isNull(row) {
            bytes.append(contentsOf: nullCell)
            width = nullWidth
        } else {
            texts[index].append(column, row: row, to: &bytes)
            width = Int32(clamping: bytes.count - start)
            if isFreeText[index], bytes[start...].contains(where: { $0 < 0x20 || $0 >= 0x7f }) {
                let shown = TerminalText.visible(String(decoding: bytes[start...], as: UTF8.self))
                bytes.replaceSubrange(start..., with: shown.utf8)
                let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
                let widest = Int32(clamping: lines.reduce(0) { max($0, DisplayWidth.of($1)) })
                width = lines.count > 1 ? -1 - widest : widest
            }
        }
        end(width, index)
    }

    /// Forgets the rows and keeps the widths.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        widths.removeAll(keepingCapacity: true)
        rowCount = 0
    }

    /// Bytes that the window takes.
    var byteCount: Int { bytes.count + ends.count * (MemoryLayout<Int>.stride + MemoryLayout<Int32>.stride) }

    /// The text of a cell.
    func cell(_ row: Int, _ column: Int) -> ArraySlice<UInt8> {
        let index = row * columnCount + column
        return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Columns of the terminal that a cell takes; nil where it has several lines.
    func width(_ row: Int, _ column: Int) -> Int? {
        let width = widths[row * columnCount + column]
        return width < 0 ? nil : Int(width)
    }

    /// Whether a cell of the row has several lines.
    func hasSeveralLines(_ row: Int) -> Bool {
        widths[row * columnCount..<(row + 1) * columnCount].contains { $0 < 0 }
    }

    /// Lines of the terminal that a row takes.
    func height(_ row: Int) -> Int {
        guard hasSeveralLines(row) else { return 1 }
        return (0..<columnCount).reduce(1) { height, column in
            max(height, 1 + cell(row, column).reduce(0) { $1 == 10 ? $0 + 1 : $0 })
        }
    }
}

/// Text as a terminal shows it.
enum TerminalText {
    /// The text with its control characters made visible, line breaks kept, as psql shows them: an escape sequence in a
    /// value shall not steer the terminal.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 != "\n" && isControl($0) }) else { return text }
        var result = ""
        var column = 0
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n":
                result += "\n"
                column = -1
            case "\t":
                let blanks = 8 - column % 8
                result += String(repeating: " ", count: blanks)
                column += blanks - 1
            case "\r":
                result += "\\r"
                column += 1
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                let escape = scalar.value < 0x80 ? "\\x" : "\\u00"
                result += escape + (digits.count < 2 ? "0" : "") + digits
                column += escape.count + 1
            default: result.unicodeScalars.append(scalar)
            }
            column += 1
        }
        return result
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
    }

    /// The front of a line that takes at most so many columns; what is cut is told by `…`.
    static func cut(_ line: String, to columns: Int) -> String {
        if DisplayWidth.of(line) <= columns { return line }
        var result = ""
        var width = 0
        for character in line {
            let next = DisplayWidth.of(String(character))
            if width + next > columns - 1 { break }
            result.append(character)
            width += next
        }
        return result + "…"
    }
}
