// SPDX-License-Identifier: Apache-2.0
//
// What fits on the terminal, and what happens to a result that does not.

/// The size of a terminal, and the pager for what is larger.
struct Screen: Equatable {
    var rows: Int
    var columns: Int
    /// The command of $PAGER.
    var pager: String?

    /// What to do with a result on this screen.
    enum Plan: Equatable {
        /// Print it.
        case whole
        /// Print it through the pager once it outgrows the screen.
        case paged(String)
        /// Cut it to the screen.
        case cut
    }

    /// - Parameter mode: \pset pager.
    func plan(_ mode: PagerMode) -> Plan {
        switch (mode, pager) {
        case (.off, _): .whole
        case (_, let pager?): .paged(pager)
        case (_, nil): .cut
        }
    }

    /// Rows of a table that a cut leaves: all but those for headings, the gap, the note and the prompt.
    var tableRowsMax: Int { max(rows - 6, 4) }

    /// The pager that the environment names: as psql, PSQL_PAGER is looked at before PAGER; an empty one is none.
    static func pager(_ environment: (String) -> String?) -> String? {
        for name in ["PSQL_PAGER", "PAGER"] {
            if let value = environment(name) { return value.allSatisfy { $0 == " " } ? nil : value }
        }
        return nil
    }
}

/// Which columns of a table a screen shows: all of them with long values cut, or the first and the last ones that fit and
/// a gap between.
struct ColumnCut: Equatable {
    /// Indices of the columns that are shown.
    var shown: [Int]
    /// The place among them in front of which columns are missing.
    var gap: Int?
    /// Most columns of the terminal that a value takes.
    var valueWidthMax: Int
    /// Values are cut to this width before columns are left out.
    static let valueWidthMin = 20

    /// - Parameters:
    ///   - widths: what the columns of the table would take.
    ///   - separator: columns of the terminal between two columns of the table.
    ///   - columns: the terminal's.
    init(widths: [Int], separator: Int, columns: Int) {
        func fits(_ count: Int, _ sum: Int) -> Bool { sum + max(count - 1, 0) * separator + 2 <= columns }
        func sum(_ cap: Int) -> Int { widths.reduce(0) { $0 + min($1, cap) } }
        shown = Array(widths.indices)
        gap = nil
        valueWidthMax = widths.max() ?? 0
        if fits(widths.count, sum(valueWidthMax)) { return }
        let smallest = widths.count == 1 ? max(columns - 2, 1) : ColumnCut.valueWidthMin
        while valueWidthMax > smallest, !fits(widths.count, sum(valueWidthMax)) { valueWidthMax -= 1 }
        if widths.count == 1 || fits(widths.count, sum(valueWidthMax)) { return }
        let capped = widths.map { min($0, valueWidthMax) }
        var front = [0]
        var back: [Int] = []
        // The gap is a column of width 1.
        var taken = capped[0] + 1
        while front.count + back.count < widths.count - 1 {
            let takesFront = front.count <= back.count
            let next = takesFront ? front.count : widths.count - 1 - back.count
            guard fits(front.count + back.count + 2, taken + capped[next]) else { break }
            taken += capped[next]
            if takesFront { front.append(next) } else { back.insert(next, at: 0) }
        }
        shown = front + back
        gap = front.count
    }
}

/// How many rows of a result a screen shows from its front and from its end.
struct RowCut: Equatable {
    var front = 0
    var back = 0

    /// - Parameters:
    ///   - frontHeights: lines of the first rows, from the first on.
    ///   - backHeights: lines of the last rows, from the last on.
    ///   - rowCount: rows of the result.
    ///   - lines: lines that there are.
    init(frontHeights: [Int], backHeights: [Int], rowCount: Int, lines: Int) {
        var left = lines
        while front + back < rowCount {
            let takesFront = front <= back
            let heights = takesFront ? frontHeights : backHeights
            let index = takesFront ? front : back
            guard index < heights.count, heights[index] <= left || front + back == 0 else { break }
            left -= heights[index]
            if takesFront { front += 1 } else { back += 1 }
        }
    }
}

/// The words under a table: how many rows there are, and how many of them are to be seen.
enum TableNote {
    static func text(rows: Int, rowsShown: Int, columns: Int, columnsShown: Int) -> String {
        var text = rows == 1 ? "1 row" : "\(rows) rows"
        if rowsShown < rows { text += ", \(rowsShown) shown" }
        if columnsShown < columns { text += "; \(columns) columns, \(columnsShown) shown" }
        if rowsShown < rows || columnsShown < columns { text += "; \\pset pager off shows all" }
        return "(\(text))\n"
    }
}
