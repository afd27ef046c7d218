// SPDX-License-Identifier: Apache-2.0
//
// Prints the rows of one result in the chosen format. Formats that need no widths print as rows come; the others
// gather them first.

import Firn

/// Prints one result: columns first, then batches, then the end.
struct ResultPrinter {
    private let columns: [ResultColumn]
    private let format: OutputFormat
    private let isExpanded: Bool
    private let texts: [ValueText]
    private var table: [[String?]] = []
    private var rowCount = 0

    init(columns: [ResultColumn], format: OutputFormat, isExpanded: Bool, zone: TimeZoneRules) {
        self.columns = columns
        self.format = format
        self.isExpanded = isExpanded
        texts = columns.map { ValueText(type: $0.type, zone: zone) }
        switch format {
        case .csv:
            var line: [UInt8] = []
            for (index, column) in columns.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                CSVField.append(Array(column.name.utf8), to: &line)
            }
            line.append(UInt8(ascii: "\n"))
            StandardStreams.write(line)
        case .json: StandardStreams.write("[")
        case .aligned, .ndjson, .markdown: break
        }
    }

    /// Prints, or gathers, the rows of a batch.
    mutating func append(_ batch: ColumnBatch) {
        switch format {
        case .csv: StandardStreams.write(csvLines(batch))
        case .json, .ndjson: StandardStreams.write(jsonLines(batch))
        case .aligned, .markdown:
            for row in 0..<batch.rowCount {
                table.append(
                    zip(batch.columns, texts).map { column, text in
                        column.isNull(row) ? nil : text.text(column, row: row)
                    })
            }
        }
        rowCount += batch.rowCount
    }

    /// Prints what is left.
    func finish() {
        switch format {
        case .csv, .ndjson: break
        case .json: StandardStreams.write("]\n")
        case .aligned:
            let printed = isExpanded ? expandedText() : AlignedTable(columns: columns, rows: table).text()
            StandardStreams.write(printed + (rowCount == 1 ? "(1 row)\n" : "(\(rowCount) rows)\n"))
        case .markdown: StandardStreams.write(markdownText())
        }
    }

    private func csvLines(_ batch: ColumnBatch) -> [UInt8] {
        var lines: [UInt8] = []
        var field: [UInt8] = []
        for row in 0..<batch.rowCount {
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { lines.append(UInt8(ascii: ",")) }
                if column.isNull(row) { continue }
                field.removeAll(keepingCapacity: true)
                texts[index].append(column, row: row, to: &field)
                CSVField.append(field, to: &lines)
            }
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }

    private func jsonLines(_ batch: ColumnBatch) -> [UInt8] {
        var lines: [UInt8] = []
        for row in 0..<batch.rowCount {
            if format == .json, rowCount + row > 0 { lines.append(contentsOf: ",\n".utf8) }
            lines.append(UInt8(ascii: "{"))
            for (index, column) in batch.columns.enumerated() {
                if index > 0 { lines.append(UInt8(ascii: ",")) }
                JSONField.append(string: Array(columns[index].name.utf8), to: &lines)
                lines.append(UInt8(ascii: ":"))
                JSONField.append(column, row: row, texts[index], to: &lines)
            }
            lines.append(UInt8(ascii: "}"))
            if format == .ndjson { lines.append(UInt8(ascii: "\n")) }
        }
        return lines
    }

    private func expandedText() -> String {
        let width = columns.map { DisplayWidth.of($0.name) }.max() ?? 0
        var result = ""
        for (number, row) in table.enumerated() {
            result += "-[ RECORD \(number + 1) ]" + String(repeating: "-", count: max(1, width - 8)) + "\n"
            for (column, value) in zip(columns, row) {
                let padding = String(repeating: " ", count: width - DisplayWidth.of(column.name))
                result += column.name + padding + " | " + (value ?? "") + "\n"
            }
        }
        return result
    }

    private func markdownText() -> String {
        func cell(_ text: String) -> String {
            text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
                .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "<br>")
        }
        var result = "| " + columns.map { cell($0.name) }.joined(separator: " | ") + " |\n"
        result += "|" + columns.map { $0.type.isNumber ? " ---: |" : " --- |" }.joined() + "\n"
        for row in table { result += "| " + row.map { cell($0 ?? "") }.joined(separator: " | ") + " |\n" }
        return result
    }
}

/// A field as PostgreSQL's COPY writes CSV.
enum CSVField {
    static func append(_ field: [UInt8], to line: inout [UInt8]) {
        let quote = UInt8(ascii: "\"")
        // Empty would read as NULL, and \. alone as the end of data.
        let needsQuotes =
            field.isEmpty || field.elementsEqual("\\.".utf8)
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
