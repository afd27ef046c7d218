// SPDX-License-Identifier: Apache-2.0
//
// A line plot of a result in a terminal: time or a number across, each number column as a line of dots.
//
// Every character cell holds 2 x 4 dots (Unicode's Braille patterns), so that 80 columns draw 160 points.

import Firn

/// A plot of the first column against the number columns behind it.
struct Chart {
    private let names: [String]
    private let axisLabels: (first: String, last: String)
    private let positions: [Double]
    private let lines: [[Double?]]
    static let colours = ["\u{1B}[36m", "\u{1B}[33m", "\u{1B}[35m", "\u{1B}[32m", "\u{1B}[34m", "\u{1B}[31m"]

    /// - Throws: 42804 where the result has no number to draw, 02000 where it has no rows.
    init(_ columns: [ResultColumn], _ batches: [ColumnBatch], zone: TimeZoneRules) throws(FirnError) {
        let isAxis =
            columns.count > 1 && (columns[0].type.isTimestamp || columns[0].type == .date || columns[0].type.isNumber)
        let drawn = columns.indices.filter { columns[$0].type.isNumber && !(isAxis && $0 == 0) }
        guard !drawn.isEmpty else {
            throw FirnError(
                .datatypeMismatch, "the result has no column of numbers to draw",
                hint: "Select a time and one or more numbers.")
        }
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        guard rowCount > 0 else { throw FirnError("02000", "the result has no rows to draw") }
        names = drawn.map { columns[$0].name }
        var positions: [Double] = []
        var lines: [[Double?]] = drawn.map { _ in [] }
        for batch in batches {
            for row in 0..<batch.rowCount {
                positions.append(isAxis ? Chart.number(batch.columns[0][row]) ?? .nan : Double(positions.count))
                for (index, column) in drawn.enumerated() {
                    lines[index].append(Chart.number(batch.columns[column][row]))
                }
            }
        }
        self.positions = positions
        self.lines = lines
        let text = ValueText(type: columns[0].type, zone: zone)
        let order = positions.indices.filter { positions[$0].isFinite }.sorted { positions[$0] < positions[$1] }
        func label(_ row: Int?) -> String {
            guard let row, isAxis else { return row.map { String($0 + 1) } ?? "" }
            var rest = row
            for batch in batches {
                if rest < batch.rowCount { return text.text(batch.columns[0], row: rest) }
                rest -= batch.rowCount
            }
            return ""
        }
        axisLabels = (label(order.first), label(order.last))
    }

    static func number(_ value: Value) -> Double? {
        switch value {
        case .integer(let value): Double(value)
        case .float(let value): value.isFinite ? Double(value) : nil
        case .double(let value): value.isFinite ? value : nil
        case .decimal(let value): value.double
        default: nil
        }
    }

    /// Where a number lies between two ends: 0 at the first, 1 at the last. Ends whose difference overflows are halved.
    static func fraction(_ value: Double, from low: Double, to high: Double) -> Double {
        let span = high - low
        guard span > 0 else { return 0 }
        let fraction = span.isFinite ? (value - low) / span : (value / 2 - low / 2) / (high / 2 - low / 2)
        return min(max(fraction, 0), 1)
    }

    /// The plot in so many columns and rows of characters.
    func text(columns: Int, rows: Int) -> String {
        let all = lines.flatMap { $0 }.compactMap { $0 }
        guard let low = all.min(), let high = all.max() else { return "every value is NULL\n" }
        let finite = positions.filter(\.isFinite)
        let left = finite.min() ?? 0
        let right = finite.max() ?? 1
        let labels = [Rounded.text(high, decimals: 2), Rounded.text(low, decimals: 2)]
        let margin = labels.map(\.count).max()! + 1
        let width = max(columns - margin - 2, 20)
        var dots = [UInt8](repeating: 0, count: width * rows)
        var owners = [Int](repeating: 0, count: width * rows)
        // Bits of the Braille pattern: columns of dots 1-2-3-7 and 4-5-6-8.
        let bits: [[UInt8]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
        func draw(_ x: Int, _ y: Int, _ owner: Int) {
            let cell = min(y / 4, rows - 1) * width + min(x / 2, width - 1)
            dots[cell] |= bits[x & 1][y & 3]
            owners[cell] = owner
        }
        for (owner, line) in lines.enumerated() {
            var before: (x: Int, y: Int)?
            for row in positions.indices.sorted(by: { positions[$0] < positions[$1] }) {
                guard let value = line[row], positions[row].isFinite else {
                    before = nil
                    continue
                }
                let x = Int(Chart.fraction(positions[row], from: left, to: right) * Double(width * 2 - 1))
                let y = Int(Chart.fraction(-value, from: -high, to: -low) * Double(rows * 4 - 1))
                if let start = before {
                    let steps = max(abs(x - start.x), abs(y - start.y), 1)
                    for step in 0...steps {
                        draw(start.x + (x - start.x) * step / steps, start.y + (y - start.y) * step / steps, owner)
                    }
                } else {
                    draw(x, y, owner)
                }
                before = (x, y)
            }
        }
        let usesColour = StandardStreams.isOutputTerminal && lines.count > 1
        var result = ""
        for row in 0..<rows {
            let label = row == 0 ? labels[0] : row == rows - 1 ? labels[1] : ""
            result += String(repeating: " ", count: margin - 1 - label.count) + label + " ┤"
            for column in 0..<width {
                let cell = row * width + column
                let character = String(Character(UnicodeScalar(0x2800 + UInt32(dots[cell]))!))
                let colour = Chart.colours[owners[cell] % Chart.colours.count]
                result += usesColour && dots[cell] != 0 ? colour + character + "\u{1B}[0m" : character
            }
            result += "\n"
        }
        let gap = max(1, width - axisLabels.first.count - axisLabels.last.count)
        result += String(repeating: " ", count: margin + 1) + axisLabels.first + String(repeating: " ", count: gap)
        result += axisLabels.last + "\n"
        let legend = names.enumerated().map { index, name in
            usesColour ? Chart.colours[index % Chart.colours.count] + "━ " + name + "\u{1B}[0m" : "━ " + name
        }
        return result + String(repeating: " ", count: margin + 1) + legend.joined(separator: "  ") + "\n"
    }
}
