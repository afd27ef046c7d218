// SPDX-License-Identifier: Apache-2.0
//
// Bars of a result in a terminal: a bar for each row and each column of numbers, its name in front.
//
// An eighth of a character is the smallest part of a bar (Unicode's block elements). Bars of numbers below zero go to
// the left of the line at zero, by whole characters.

import Firn

/// Bars for categories: the first column names them.
struct BarChart {
    private let names: [String]
    private let labels: [String]
    /// The numbers of each row, and their texts.
    private let rows: [[(value: Double, text: String)?]]
    private let rowCount: Int
    /// Rows that are drawn, at most.
    static let rowsMax = 200

    /// Whether a result is drawn as bars: its first column has neither times nor numbers, but another has.
    static func suits(_ columns: [ResultColumn]) -> Bool {
        guard let first = columns.first, columns.count > 1 else { return false }
        let isAxis = first.type.isTimestamp || first.type == .date || first.type.isNumber
        return !isAxis && columns.dropFirst().contains { $0.type.isNumber }
    }

    /// - Throws: 02000 where the result has no rows.
    init(_ columns: [ResultColumn], _ batches: [ColumnBatch], zone: TimeZoneRules) throws(FirnError) {
        let drawn = columns.indices.dropFirst().filter { columns[$0].type.isNumber }
        names = drawn.map { columns[$0].name }
        let texts = columns.map { ValueText(type: $0.type, zone: zone) }
        var labels: [String] = []
        var rows: [[(value: Double, text: String)?]] = []
        rowCount = batches.reduce(0) { $0 + $1.rowCount }
        guard rowCount > 0 else { throw FirnError("02000", "the result has no rows to draw") }
        for batch in batches {
            for row in 0..<batch.rowCount where rows.count < BarChart.rowsMax {
                let name = batch.columns[0]
                let label = name.isNull(row) ? "NULL" : texts[0].text(name, row: row)
                labels.append(ControlCharacters.escaped(label))
                rows.append(
                    drawn.map { index in
                        let column = batch.columns[index]
                        return Chart.number(column[row]).map { ($0, texts[index].text(column, row: row)) }
                    })
            }
        }
        self.labels = labels
        self.rows = rows
    }

    /// The bars in so many columns of characters.
    func text(columns: Int, usesColour: Bool) -> String {
        let values = rows.joined().compactMap { $0?.value }
        guard let largest = values.max(), let smallest = values.min() else { return "every value is NULL\n" }
        let high = max(largest, 0)
        let low = min(smallest, 0)
        let labelWidth = min(labels.map { DisplayWidth.of($0) }.max() ?? 0, max(columns / 3, 8))
        let textWidth = rows.joined().compactMap { $0 }.map { DisplayWidth.of($0.text) }.max() ?? 0
        let width = max(columns - labelWidth - textWidth - 4, 10)
        let left = low < 0 ? max(1, Int((Chart.fraction(0, from: low, to: high) * Double(width)).rounded())) : 0
        let right = max(width - left, 1)
        var result = ""
        for (label, row) in zip(labels, rows) {
            for (index, cell) in row.enumerated() {
                let shown = index == 0 ? TerminalText.cut(label, to: labelWidth) : ""
                result += String(repeating: " ", count: labelWidth - DisplayWidth.of(shown)) + shown + " "
                let bar = cell.map { BarChart.bar($0.value, left: left, right: right, low: low, high: high) }
                let colour = usesColour && names.count > 1 ? Chart.colours[index % Chart.colours.count] : ""
                let (below, above) = bar ?? (String(repeating: " ", count: left), "")
                result += colour + below + (colour.isEmpty ? "" : "\u{1B}[0m") + "│"
                result += colour + above + (colour.isEmpty ? "" : "\u{1B}[0m")
                if let cell { result += (above.isEmpty ? "" : " ") + cell.text }
                result += "\n"
            }
        }
        if rowCount > rows.count { result += "(\(rowCount) rows, \(rows.count) drawn)\n" }
        let legend = names.enumerated().map { index, name in
            let colour = usesColour && names.count > 1 ? Chart.colours[index % Chart.colours.count] : ""
            return colour + "█ " + name + (colour.isEmpty ? "" : "\u{1B}[0m")
        }
        return result + String(repeating: " ", count: labelWidth + 1) + legend.joined(separator: "  ") + "\n"
    }

    /// A bar on either side of zero.
    private static func bar(
        _ value: Double, left: Int, right: Int, low: Double, high: Double
    ) -> (below: String, above: String) {
        if value < 0 {
            let length = min(left, Int((value / low * Double(left)).rounded()))
            return (
                String(repeating: " ", count: left - length) + String(repeating: "█", count: length), ""
            )
        }
        let eighths = high > 0 ? Int((value / high * Double(right * 8)).rounded()) : 0
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        return (String(repeating: " ", count: left), String(repeating: "█", count: eighths / 8) + parts[eighths % 8])
    }
}

/// Draws a result as what suits it.
enum Plot {
    static func text(
        _ columns: [ResultColumn], _ batches: [ColumnBatch], zone: TimeZoneRules, columns width: Int, rows: Int
    ) throws(FirnError) -> String {
        if BarChart.suits(columns) {
            return try BarChart(columns, batches, zone: zone)
                .text(columns: width, usesColour: StandardStreams.isOutputTerminal)
        }
        return try Chart(columns, batches, zone: zone).text(columns: width, rows: rows)
    }
}
