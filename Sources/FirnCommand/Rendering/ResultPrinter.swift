// SPDX-License-Identifier: Apache-2.0
//
// Prints the rows of one result in the chosen format. Formats that need no widths print as rows come. Tables gather a
// window of rows first, to know how wide their columns are: all of a result that fits into it. What comes behind the
// window is printed as it comes, and a wider value makes its column wider from there on: memory is bounded, whatever
// the result.

import Firn

/// Prints one result: columns first, then batches, then the end. Not thread-safe.
final class ResultPrinter {
    private let columns: [ResultColumn]
    private let settings: DisplaySettings
    private let screen: Screen?
    private let plan: Screen.Plan
    private let paged: PagedOutput
    private let texts: [ValueText]
    private let zone: TimeZoneRules
    private let table: AlignedTable
    private let expanded: ExpandedTable
    private var window: CellWindow
    private var rowCount = 0
    /// Rows that were printed, or are about to be.
    private var begunCount = 0
    private var hasBegun = false
    private var isExpanded = false
    /// The last batches of a result that is cut.
    private var recent: [ColumnBatch] = []
    private static let windowBytesMax = 32 << 20

    /// - Parameter screen: the terminal on which it is printed; nil where it is none.
    init(
        columns: [ResultColumn], settings: DisplaySettings, zone: TimeZoneRules, output: ResultOutput, screen: Screen?
    ) {
        self.columns = columns
        self.settings = settings
        self.screen = screen
        self.zone = zone
        plan = screen?.plan(settings.pager) ?? .whole
        texts = columns.map { ValueText(type: $0.type, zone: zone) }
        table = AlignedTable(columns, border: settings.border)
        expanded = ExpandedTable(columns, border: settings.border)
        window = CellWindow(columns, nullText: settings.nullText, zone: zone)
        if case .paged(let pager) = plan {
            let linesMax = settings.pager == .always ? 0 : screen?.rows ?? 0
            paged = PagedOutput(output, pager: pager, linesMax: linesMax)
        } else {
            paged = PagedOutput(output, pager: nil, linesMax: 0)
        }
    }

    /// False once nobody reads the result any more.
    var isWanted: Bool { paged.isWanted }

    /// Prints, or gathers, the rows of a batch.
    func append(_ batch: ColumnBatch) throws(FirnError) {
        switch settings.format {
        case .csv, .json, .ndjson, .markdown:
            var lines = beginning()
            switch settings.format {
            case .csv: appendCSV(batch, to: &lines)
            case .markdown: appendMarkdown(batch, to: &lines)
            default: appendJSON(batch, to: &lines)
            }
            try paged.write(lines)
        case .aligned: try gather(batch)
        }
        rowCount += batch.rowCount
    }

    /// Prints what is left.
    func finish() throws(FirnError) {
        switch settings.format {
        case .csv, .ndjson, .markdown: try paged.write(beginning())
        case .json: try paged.write(beginning() + Array("]\n".utf8))
        case .aligned:
            if plan == .cut, !hasBegun, try printCut() { break }
            try printWindow()
            if isExpanded {
                try paged.write(Array(expanded.end(window).utf8))
                if rowCount == 0, !settings.tuplesOnly { try paged.write(Array("(0 rows)\n".utf8)) }
            } else {
                if settings.border == 2 { try paged.write(Array(table.rule(table.widths(window)).utf8)) }
                if !settings.tuplesOnly {
                    let note = TableNote.text(
                        rows: rowCount, rowsShown: rowCount, columns: columns.count, columnsShown: columns.count)
                    try paged.write(Array(note.utf8))
                }
            }
        }
        try paged.finish()
    }

    // MARK: Tables

    private func gather(_ batch: ColumnBatch) throws(FirnError) {
        if plan == .cut, let screen {
            let room = max(0, screen.tableRowsMax - window.rowCount)
            window.append(batch, rows: 0..<min(room, batch.rowCount))
            recent.append(batch)
            var count = recent.reduce(0) { $0 + $1.rowCount }
            while let first = recent.first, count - first.rowCount >= screen.tableRowsMax {
                count -= first.rowCount
                recent.removeFirst()
            }
            return
        }
        // A part at a time, so that a batch of many rows, or of long ones, is bounded too.
        var row = 0
        let rowsMax = 8_192
        while row < batch.rowCount {
            let end = min(row + rowsMax, batch.rowCount)
            window.append(batch, rows: row..<end)
            row = end
            if hasBegun || window.byteCount > ResultPrinter.windowBytesMax { try printWindow() }
        }
    }

    /// Prints the rows that were gathered, behind the headings.
    private func printWindow() throws(FirnError) {
        var output: [UInt8] = []
        let widths = table.widths(window)
        let tableWidth = AlignedTable.width(widths, border: settings.border)
        let isTooWide = screen.map { tableWidth > $0.columns } ?? false
        if !hasBegun {
            isExpanded = settings.expanded == .on || (settings.expanded == .auto && isTooWide)
            output += titleLine(isExpanded ? 0 : tableWidth).utf8
            if !isExpanded, !settings.tuplesOnly { output += table.heading(widths).utf8 }
            if !isExpanded, settings.tuplesOnly, settings.border == 2 { output += table.rule(widths).utf8 }
            hasBegun = true
        }
        if isExpanded {
            expanded.append(
                window, rows: 0..<window.rowCount, first: begunCount + 1, showsRecords: !settings.tuplesOnly,
                to: &output)
        } else {
            table.append(window, rows: 0..<window.rowCount, widths, to: &output)
        }
        begunCount += window.rowCount
        window.removeAll()
        try paged.write(output, isWide: isTooWide && !isExpanded)
    }

    private func titleLine(_ width: Int) -> String {
        guard let title = settings.title, !settings.tuplesOnly else { return "" }
        return String(repeating: " ", count: max(0, (width - DisplayWidth.of(title)) / 2)) + title + "\n"
    }

    /// Prints the part of a table that the screen holds; false where it holds all of it.
    private func printCut() throws(FirnError) -> Bool {
        guard let screen else { return false }
        let widths = table.widths(window)
        let isTooWide = AlignedTable.width(widths, border: settings.border) > screen.columns
        if settings.expanded == .on || (settings.expanded == .auto && isTooWide) {
            return try printCutRecords(screen)
        }
        // The last rows as a window of their own.
        var last = CellWindow(columns, nullText: settings.nullText, zone: zone)
        var skipped = max(0, recent.reduce(0) { $0 + $1.rowCount } - screen.tableRowsMax)
        for batch in recent {
            let first = min(skipped, batch.rowCount)
            skipped -= first
            last.append(batch, rows: first..<batch.rowCount)
        }
        let rows = RowCut(
            frontHeights: (0..<window.rowCount).map(window.height),
            backHeights: (0..<last.rowCount).reversed().map(last.height), rowCount: rowCount,
            lines: screen.tableRowsMax)
        if rows.front + rows.back == rowCount, !isTooWide { return false }
        let names = table.names
        let allWidths = zip(names, zip(window.columnWidths, last.columnWidths)).map { name, widths in
            max(DisplayWidth.of(name), widths.0, widths.1)
        }
        let cut = ColumnCut(
            widths: allWidths, separator: settings.border == 0 ? 1 : 3,
            columns: screen.columns - (settings.border == 2 ? 2 : 0))
        var shownColumns = cut.shown.map { index in
            ResultColumn(name: TerminalText.cut(names[index], to: max(cut.valueWidthMax, 1)), type: columns[index].type)
        }
        if let gap = cut.gap { shownColumns.insert(ResultColumn(name: "…", type: .text), at: gap) }
        func texts(_ window: CellWindow, _ row: Int) -> [String?] {
            var cells: [String?] = cut.shown.map { index in
                let text = String(decoding: window.cell(row, index), as: UTF8.self)
                return text.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { TerminalText.cut(String($0), to: max(cut.valueWidthMax, 1)) }.joined(separator: "\n")
            }
            if let gap = cut.gap { cells.insert("…", at: gap) }
            return cells
        }
        var shown = CellWindow(shownColumns, nullText: nil, zone: zone)
        for row in 0..<rows.front { shown.append(texts: texts(window, row)) }
        if rows.front + rows.back < rowCount { shown.append(texts: shownColumns.map { _ in "…" }) }
        for row in (last.rowCount - rows.back)..<last.rowCount { shown.append(texts: texts(last, row)) }
        let cutTable = AlignedTable(shownColumns, border: settings.border)
        let shownWidths = cutTable.widths(shown)
        var output: [UInt8] = []
        output += titleLine(AlignedTable.width(shownWidths, border: settings.border)).utf8
        if !settings.tuplesOnly { output += cutTable.heading(shownWidths).utf8 }
        cutTable.append(shown, rows: 0..<shown.rowCount, shownWidths, to: &output)
        if settings.border == 2 { output += cutTable.rule(shownWidths).utf8 }
        output +=
            TableNote.text(
                rows: rowCount, rowsShown: rows.front + rows.back, columns: columns.count,
                columnsShown: cut.shown.count
            ).utf8
        try paged.write(output)
        return true
    }

    /// Prints the first records, as many as the screen holds; false where it holds all of them.
    private func printCutRecords(_ screen: Screen) throws(FirnError) -> Bool {
        let count = max(1, (screen.rows - 3) / (columns.count + 1))
        guard count < rowCount else { return false }
        var output = Array(titleLine(0).utf8)
        expanded.append(
            window, rows: 0..<min(count, window.rowCount), first: 1, showsRecords: !settings.tuplesOnly, to: &output)
        output +=
            TableNote.text(
                rows: rowCount, rowsShown: min(count, window.rowCount), columns: columns.count,
                columnsShown: columns.count
            ).utf8
        try paged.write(output)
        return true
    }

    // MARK: Other formats

    /// What stands in front of the first row; nothing the second time.
    private func beginning() -> [UInt8] {
        if hasBegun { return [] }
        hasBegun = true
        var line: [UInt8] = []
        switch settings.format {
        case .csv where !settings.tuplesOnly:
            for (index, column) in columns.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                CSVField.append(Array(column.name.utf8), to: &line)
            }
            line.append(10)
        case .json: line = Array("[".utf8)
        case .markdown:
            if let title = settings.title { line += (MarkdownField.text(title) + "\n\n").utf8 }
            line += ("| " + columns.map { MarkdownField.text($0.name) }.joined(separator: " | ") + " |\n").utf8
            line += ("|" + columns.map { $0.type.isNumber ? " ---: |" : " --- |" }.joined() + "\n").utf8
        case .csv, .ndjson, .aligned: break
        }
        return line
    }

    private func appendCSV(_ batch: ColumnBatch, to lines: inout [UInt8]) {
        let null = settings.nullText.map { Array($0.utf8) } ?? []
        var field: [UInt8] = []
        for row in 0..<batch.rowCount {
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { lines.append(UInt8(ascii: ",")) }
                if column.isNull(row) {
                    lines.append(contentsOf: null)
                    continue
                }
                field.removeAll(keepingCapacity: true)
                texts[index].append(column, row: row, to: &field)
                CSVField.append(field, null: null, to: &lines)
            }
            lines.append(10)
        }
    }

    private func appendMarkdown(_ batch: ColumnBatch, to lines: inout [UInt8]) {
        for row in 0..<batch.rowCount {
            let cells = batch.columns.enumerated().map { index, column in
                MarkdownField.text(column.isNull(row) ? settings.nullText ?? "" : texts[index].text(column, row: row))
            }
            lines.append(contentsOf: ("| " + cells.joined(separator: " | ") + " |\n").utf8)
        }
    }

    private func appendJSON(_ batch: ColumnBatch, to lines: inout [UInt8]) {
        for row in 0..<batch.rowCount {
            if settings.format == .json, rowCount + row > 0 { lines.append(contentsOf: ",\n".utf8) }
            lines.append(UInt8(ascii: "{"))
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { lines.append(UInt8(ascii: ",")) }
                JSONField.append(string: Array(columns[index].name.utf8), to: &lines)
                lines.append(UInt8(ascii: ":"))
                JSONField.append(column, row: row, texts[index], to: &lines)
            }
            lines.append(UInt8(ascii: "}"))
            if settings.format == .ndjson { lines.append(10) }
        }
    }
}

/// A cell of a Markdown table.
enum MarkdownField {
    static func text(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "<br>")
    }
}

/// A field as PostgreSQL's COPY writes CSV.
enum CSVField {
    /// - Parameter null: what stands for NULL.
    static func append(_ field: [UInt8], null: [UInt8] = [], to line: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        // What stands for NULL would read as NULL, and \. alone as the end of data.
        let needsQuotes =
            field.isEmpty || field == null || field.elementsEqual("\\.".utf8)
            || field.contains { $0 == quote || $0 == UInt8(ascii: ",") || $0 == 10 || $0 == 13 }
        if !needsQuotes {
            line.append(contentsOf: field)
            return
        }
        line.append(quote)
        for byte in field {
            if byte == quote { line.append(quote) }
            line.append(byte)
        }
        line.append(quote)
    }
}

/// A field as JSON: numbers are numbers; NUMERIC, times, UUIDs and doubles that are not finite are strings.
enum JSONField {
    static func append(_ column: Column, row: Int, _ text: ValueText, to line: inout [UInt8]) {
        if column.isNull(row) {
            line.append(contentsOf: "null".utf8)
            return
        }
        var field: [UInt8] = []
        switch column.type {
        case .boolean:
            line.append(contentsOf: (column[row] == .boolean(true) ? "true" : "false").utf8)
        case .smallint, .integer, .bigint, .jsonb:
            text.append(column, row: row, to: &line)
        case .real, .double:
            text.append(column, row: row, to: &field)
            // Infinity and NaN are no JSON numbers.
            if field.contains(UInt8(ascii: "y")) || field.contains(UInt8(ascii: "N")) {
                append(string: field, to: &line)
            } else {
                line.append(contentsOf: field)
            }
        default:
            text.append(column, row: row, to: &field)
            append(string: field, to: &line)
        }
    }

    /// A JSON string of UTF-8 bytes.
    static func append(string bytes: [UInt8], to line: inout [UInt8]) {
        line.append(UInt8(ascii: "\""))
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): line.append(contentsOf: "\\\"".utf8)
            case UInt8(ascii: "\\"): line.append(contentsOf: "\\\\".utf8)
            case 8: line.append(contentsOf: "\\b".utf8)
            case 9: line.append(contentsOf: "\\t".utf8)
            case 10: line.append(contentsOf: "\\n".utf8)
            case 12: line.append(contentsOf: "\\f".utf8)
            case 13: line.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                line.append(contentsOf: "\\u00".utf8)
                line.append(contentsOf: (byte < 16 ? "0" : "").utf8)
                line.append(contentsOf: String(byte, radix: 16).utf8)
            default: line.append(byte)
            }
        }
        line.append(UInt8(ascii: "\""))
    }
}
