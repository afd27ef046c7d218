// SPDX-License-Identifier: Apache-2.0
//
// Plots in the terminal: they fit, they go up where values do, and they say what cannot be drawn.

import Firn
import Testing

@testable import FirnCommand

@Suite struct ChartTests {
    private let columns = [
        ResultColumn(name: "time", type: .timestamptz(.microseconds)), ResultColumn(name: "value", type: .double),
    ]

    private func chart(_ values: [Double?]) throws -> [String] {
        let times = Column.timestamps(microseconds: values.indices.map { Int64($0) * 60_000_000 })
        let column = try Column(values.map { $0.map { .double($0) } ?? .null }, type: .double)
        let chart = try Chart(columns, [try ColumnBatch([times, column])], zone: .utc)
        return chart.text(columns: 60, rows: 8).split(separator: "\n").map(String.init)
    }

    private func isDrawn(_ character: Character) -> Bool {
        character.unicodeScalars.first.map { $0.value > 0x2800 && $0.value <= 0x28FF } ?? false
    }

    @Test func itFitsTheTerminal() throws {
        let lines = try chart((0..<500).map { Double($0 % 37) * 1000 })
        #expect(lines.count == 10)
        for line in lines { #expect(DisplayWidth.of(line) <= 60, "\(line)") }
    }

    @Test func numbersAtTheEndsOfDoubleAreDrawn() throws {
        let largest = Double.greatestFiniteMagnitude
        for values in [
            [-largest, largest], [largest, -largest, 0], [.leastNonzeroMagnitude, 0], [.nan, .infinity, 1], [0, 0],
        ] {
            #expect(try chart(values).count == 10)
        }
        let names = try Column(["a", "b"].map { .text($0) }, type: .text)
        let bars = try BarChart(
            [ResultColumn(name: "name", type: .text), ResultColumn(name: "value", type: .double)],
            [try ColumnBatch([names, .doubles([-largest, largest])])], zone: .utc)
        let lines = bars.text(columns: 100, usesColour: false).split(separator: "\n")
        // As long to the left as to the right.
        #expect(abs(lines[0].filter { $0 == "█" }.count - lines[1].filter { $0 == "█" }.count) <= 1)
    }

    @Test func aRisingLineBeginsAtTheBottomAndEndsAtTheTop() throws {
        let lines = try chart((0..<100).map(Double.init))
        let top = lines[0].drop { $0 != "┤" }.dropFirst()
        let bottom = lines[7].drop { $0 != "┤" }.dropFirst()
        #expect(isDrawn(top.last!) && !isDrawn(top.first!))
        #expect(isDrawn(bottom.first!) && !isDrawn(bottom.last!))
        #expect(lines[0].contains("99.00") && lines[7].contains("0.00"))
        #expect(lines[8].contains("1970-01-01 00:00:00+00") && lines[8].hasSuffix("1970-01-01 01:39:00+00"))
        #expect(lines[9].contains("━ value"))
    }

    @Test func nullsLeaveAGap() throws {
        let lines = try chart((0..<100).map { (40..<60).contains($0) ? nil : 1 })
        let drawn = lines[0...7].first { $0.contains(where: isDrawn) }!.drop { $0 != "┤" }.dropFirst().map(isDrawn)
        #expect(drawn.first == true && drawn.last == true && drawn[drawn.count / 2] == false)
    }

    @Test func oneValueIsOneDot() throws {
        let dots = try chart([3.5]).joined().filter(isDrawn)
        #expect(dots.count == 1)
    }

    @Test func nothingButNullsIsSaidSo() throws {
        #expect(try chart([nil, nil]) == ["every value is NULL"])
    }

    @Test func aResultWithoutNumbersOrRowsIsRefused() {
        #expect(throws: FirnError.self) {
            try Chart([ResultColumn(name: "a", type: .text)], [try ColumnBatch([.text(["x"])])], zone: .utc)
        }
        #expect(throws: FirnError.self) { try Chart(columns, [], zone: .utc) }
    }

    @Test func categoriesAreBars() throws {
        let columns = [ResultColumn(name: "sensor", type: .text), ResultColumn(name: "n", type: .bigint)]
        let batch = try ColumnBatch([
            .text(["a", "long", "none"]), Column([.integer(10), .integer(40), .null], type: .bigint),
        ])
        #expect(BarChart.suits(columns))
        let lines = try BarChart(columns, [batch], zone: .utc).text(columns: 51, usesColour: false)
            .split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "   a │██████████▎ 10", "long │█████████████████████████████████████████ 40", "none │", "     █ n",
            ])
    }

    @Test func barsBelowZeroGoToTheLeft() throws {
        let columns = [ResultColumn(name: "sensor", type: .text), ResultColumn(name: "n", type: .double)]
        let batch = try ColumnBatch([.text(["a", "b"]), .doubles([-1, 1])])
        let lines = try BarChart(columns, [batch], zone: .utc).text(columns: 29, usesColour: false)
            .split(separator: "\n").map(String.init)
        #expect(lines[0] == "a ███████████│-1" && lines[1] == "b            │███████████ 1", "\(lines)")
    }

    @Test func timesAndNumbersAreNoCategories() {
        #expect(!BarChart.suits(columns))
        #expect(!BarChart.suits([ResultColumn(name: "a", type: .text)]))
        #expect(!BarChart.suits([ResultColumn(name: "a", type: .text), ResultColumn(name: "b", type: .text)]))
    }

    @Test func severalColumnsAreSeveralLines() throws {
        let names = [
            ResultColumn(name: "n", type: .bigint), ResultColumn(name: "a", type: .double),
            ResultColumn(name: "b", type: .numeric(precision: nil, scale: nil)),
        ]
        let batch = try ColumnBatch([
            .integers([1, 2, 3]), .doubles([1, 2, 3]), .decimals([Decimal(3), Decimal(2), Decimal(1)]),
        ])
        let lines = try Chart(names, [batch], zone: .utc).text(columns: 40, rows: 6).split(separator: "\n")
        #expect(lines.last!.contains("━ a  ━ b"))
        #expect(lines[0].filter(isDrawn).count >= 2, "both corners at the top: \(lines[0])")
    }
}
