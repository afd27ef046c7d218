// SPDX-License-Identifier: Apache-2.0
//
// A table with aligned columns, as psql prints it: headings centred, numbers to the right, text to the left.

import Firn

/// Prints the heading, rows and end of a table whose widths are known.
struct AlignedTable {
    let names: [String]
    private let isRight: [Bool]
    private let border: Int
    private static let blanks = [UInt8](repeating: 0x20, count: 1_024)

    init(_ columns: [ResultColumn], border: Int = 1) {
        names = columns.map { TerminalText.visible($0.name).split(separator: "\n").joined(separator: "\\n") }
        isRight = columns.map(\.isRightAligned)
        self.border = border
    }

    /// Columns of the terminal that a row takes.
    static func width(_ widths: [Int], border: Int) -> Int {
        let inner = widths.reduce(0, +)
        switch border {
        case 0: return inner + max(widths.count - 1, 0)
        case 1: return inner + max(widths.count * 3 - 1, 0)
        default: return inner + widths.count * 3 + 1
        }
    }

    /// The headings and the line under them.
    func heading(_ widths: [Int]) -> String {
        let fields = zip(names, widths).map { name, width in
            let space = width - DisplayWidth.of(name)
            let left = space / 2
            return String(repeating: " ", count: left) + name + String(repeating: " ", count: space - left)
        }
        let line: String
        switch border {
        case 0: line = fields.joined(separator: " ").trimmingEnd
        case 1: line = (" " + fields.joined(separator: " | ")).trimmingEnd
        default: line = "| " + fields.joined(separator: " | ") + " |"
        }
        return (border == 2 ? rule(widths) : "") + line + "\n" + rule(widths)
    }

    /// The line under the headings, and around a framed table.
    func rule(_ widths: [Int]) -> String {
        switch border {
        case 0: widths.map { String(repeating: "-", count: $0) }.joined(separator: " ") + "\n"
        case 1: widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n"
        default: "+" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "+\n"
        }
    }

    /// The widths of the columns, headings included.
    func widths(_ window: CellWindow) -> [Int] {
        zip(names, window.columnWidths).map { max(DisplayWidth.of($0), $1) }
    }

    /// A whole small table of texts, nil for NULL.
    static func text(_ columns: [ResultColumn], _ rows: [[String?]], border: Int = 1) -> String {
        let table = AlignedTable(columns, border: border)
        var window = CellWindow(columns, nullText: nil, zone: .utc)
        for row in rows { window.append(texts: row) }
        let widths = table.widths(window)
        var output = Array(table.heading(widths).utf8)
        table.append(window, rows: 0..<window.rowCount, widths, to: &output)
        if border == 2 { output += table.rule(widths).utf8 }
        return String(decoding: output, as: UTF8.self)
    }

    /// Some rows of a window.
    func append(_ window: CellWindow, rows: Range<Int>, _ widths: [Int], to output: inout [UInt8]) {
        for row in rows {
            if window.hasSeveralLines(row) {
                appendLines(window, row, widths, to: &output)
                continue
            }
            begin(&output)
            for column in 0..<window.columnCount {
                if column > 0 { separate(&output) }
                let cell = window.cell(row, column)
                let padding = widths[column] - (window.width(row, column) ?? 0)
                if isRight[column] { pad(padding, &output) }
                output.append(contentsOf: cell)
                if !isRight[column], border == 2 || column + 1 < window.columnCount { pad(padding, &output) }
            }
            end(&output)
        }
    }

    /// A row of which a value has several lines: `+` behind each says that it goes on.
    private func appendLines(_ window: CellWindow, _ row: Int, _ widths: [Int], to output: inout [UInt8]) {
        let cells = (0..<window.columnCount).map {
            window.cell(row, $0).split(separator: 10, omittingEmptySubsequences: false)
        }
        for line in 0..<cells.reduce(1, { max($0, $1.count) }) {
            if border == 2 { output.append(contentsOf: "| ".utf8) }
            if border == 1 { output.append(0x20) }
            for (column, lines) in cells.enumerated() {
                let text = line < lines.count ? lines[line] : []
                let padding = widths[column] - DisplayWidth.of(String(decoding: text, as: UTF8.self))
                if isRight[column] { pad(padding, &output) }
                output.append(contentsOf: text)
                if !isRight[column] { pad(padding, &output) }
                output.append(line + 1 < lines.count ? UInt8(ascii: "+") : 0x20)
                if border == 2 || (border == 1 && column + 1 < cells.count) {
                    output.append(contentsOf: column + 1 < cells.count ? "| ".utf8 : "|".utf8)
                }
            }
            trimEnd(&output)
            output.append(10)
        }
    }

    private func begin(_ output: inout [UInt8]) {
        switch border {
        case 0: break
        case 1: output.append(0x20)
        default:
            output.append(UInt8(ascii: "|"))
            output.append(0x20)
        }
    }

    private func separate(_ output: inout [UInt8]) {
        output.append(0x20)
        if border == 0 { return }
        output.append(UInt8(ascii: "|"))
        output.append(0x20)
    }

    private func end(_ output: inout [UInt8]) {
        if border == 2 {
            output.append(0x20)
            output.append(UInt8(ascii: "|"))
        } else {
            trimEnd(&output)
        }
        output.append(10)
    }

    private func trimEnd(_ output: inout [UInt8]) {
        while output.last == 0x20 { output.removeLast() }
    }

    private func pad(_ count: Int, _ output: inout [UInt8]) {
        var left = count
        while left > 0 {
            let part = min(left, AlignedTable.blanks.count)
            output.append(contentsOf: AlignedTable.blanks[..<part])
            left -= part
        }
    }
}

/// Rows with a column a line, under a line that numbers the row.
struct ExpandedTable {
    private let names: [String]
    private let border: Int
    private let nameWidth: Int

    init(_ columns: [ResultColumn], border: Int = 1) {
        names = AlignedTable(columns).names
        self.border = border
        nameWidth = names.map { DisplayWidth.of($0) }.max() ?? 0
    }

    /// Some rows of a window; `first` is the number of the first of them.
    func append(
        _ window: CellWindow, rows: Range<Int>, first: Int, showsRecords: Bool, to output: inout [UInt8]
    ) {
        let valueWidth = window.columnWidths.max() ?? 0
        for row in rows {
            if showsRecords {
                output.append(contentsOf: record(first + row - rows.lowerBound, valueWidth: valueWidth).utf8)
            }
            for (column, name) in names.enumerated() {
                let lines = window.cell(row, column).split(separator: 10, omittingEmptySubsequences: false)
                for (index, line) in lines.enumerated() {
                    let shown = index == 0 ? name : ""
                    let padding = String(repeating: " ", count: nameWidth - DisplayWidth.of(shown))
                    let text = String(decoding: line, as: UTF8.self)
                    let goesOn = index + 1 < lines.count
                    let fill =
                        border == 2 || goesOn
                        ? String(repeating: " ", count: max(0, valueWidth - DisplayWidth.of(text))) : ""
                    var printed: String
                    switch border {
                    case 0: printed = shown + padding + " " + text + (goesOn ? fill + "+" : "")
                    case 1: printed = shown + padding + " | " + text + (goesOn ? fill + "+" : "")
                    default: printed = "| " + shown + padding + " | " + text + fill + (goesOn ? "+|" : " |")
                    }
                    printed += "\n"
                    output.append(contentsOf: printed.utf8)
                }
            }
            if !showsRecords { output.append(10) }
        }
    }

    private func record(_ number: Int, valueWidth: Int) -> String {
        switch border {
        case 0: return "* Record \(number)\n"
        case 1:
            var line = "-[ RECORD \(number) ]"
            if line.count < nameWidth + 1 { line += String(repeating: "-", count: nameWidth + 1 - line.count) }
            if line.count == nameWidth + 1 { line += "+" }
            let whole = nameWidth + 3 + valueWidth
            if line.count < whole { line += String(repeating: "-", count: whole - line.count) }
            return line + "\n"
        default:
            var line = "+-[ RECORD \(number) ]"
            if line.count < nameWidth + 3 { line += String(repeating: "-", count: nameWidth + 3 - line.count) + "+" }
            let whole = nameWidth + valueWidth + 6
            if line.count < whole { line += String(repeating: "-", count: whole - line.count) }
            return line + "+\n"
        }
    }

    /// The last line of a frame.
    func end(_ window: CellWindow) -> String {
        guard border == 2 else { return "" }
        let valueWidth = window.columnWidths.max() ?? 0
        return "+" + String(repeating: "-", count: nameWidth + 2) + "+" + String(repeating: "-", count: valueWidth + 2)
            + "+\n"
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
