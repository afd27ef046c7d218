// SPDX-License-Identifier: Apache-2.0
//
// What happens to results that are larger than the terminal: the pager, or a cut of rows and columns with a note.

import Firn
import Testing

@testable import FirnCommand

@Suite struct ScreenTests {
    @Test func thePagerIsUsedWhereThereIsOneAndItIsWanted() {
        var screen = Screen(rows: 30, columns: 100, pager: "less")
        #expect(screen.plan(.on) == .paged("less"))
        #expect(screen.plan(.always) == .paged("less"))
        #expect(screen.plan(.off) == .whole)
        screen.pager = nil
        #expect(screen.plan(.on) == .cut)
        #expect(screen.plan(.off) == .whole)
    }

    @Test func theEnvironmentNamesThePager() {
        #expect(Screen.pager { ["PAGER": "less"][$0] } == "less")
        #expect(Screen.pager { ["PAGER": "less", "PSQL_PAGER": "more"][$0] } == "more")
        #expect(Screen.pager { ["PAGER": ""][$0] } == nil)
        #expect(Screen.pager { _ in nil } == nil)
    }

    @Test func columnsThatFitAreAllShown() {
        let cut = ColumnCut(widths: [10, 20, 30], separator: 3, columns: 80)
        #expect(cut == ColumnCut(widths: [10, 20, 30], separator: 3, columns: 68))
        #expect(cut.shown == [0, 1, 2] && cut.gap == nil && cut.valueWidthMax == 30)
    }

    @Test func longValuesAreCutBeforeColumnsGo() {
        let cut = ColumnCut(widths: [10, 500, 30], separator: 3, columns: 80)
        #expect(cut.shown == [0, 1, 2] && cut.gap == nil)
        #expect(cut.valueWidthMax == 32)
        #expect(ColumnCut(widths: [500], separator: 3, columns: 80).valueWidthMax == 78)
    }

    @Test(arguments: 20...200) func whatIsShownFits(columns: Int) {
        let widths = (0..<40).map { 3 + $0 % 7 }
        let cut = ColumnCut(widths: widths, separator: 3, columns: columns)
        let width = cut.shown.reduce(0) { $0 + min(widths[$1], cut.valueWidthMax) }
        let count = cut.shown.count + (cut.gap == nil ? 0 : 1)
        #expect(width + (cut.gap == nil ? 0 : 1) + (count - 1) * 3 + 2 <= columns)
        #expect(cut.shown.first == 0 && cut.shown == cut.shown.sorted())
    }

    @Test func rowsAreTakenFromBothEnds() {
        let ones = [Int](repeating: 1, count: 24)
        #expect(RowCut(frontHeights: ones, backHeights: ones, rowCount: 1_000, lines: 24) == cut(12, 12))
        #expect(RowCut(frontHeights: ones, backHeights: ones, rowCount: 5, lines: 24) == cut(3, 2))
        #expect(RowCut(frontHeights: [100], backHeights: [100], rowCount: 1, lines: 24) == cut(1, 0))
        #expect(RowCut(frontHeights: [10, 10], backHeights: [10, 10], rowCount: 9, lines: 24) == cut(1, 1))
    }

    private func cut(_ front: Int, _ back: Int) -> RowCut {
        var cut = RowCut(frontHeights: [], backHeights: [], rowCount: 0, lines: 0)
        (cut.front, cut.back) = (front, back)
        return cut
    }

    @Test func theNoteSaysWhatIsMissing() {
        #expect(TableNote.text(rows: 1, rowsShown: 1, columns: 2, columnsShown: 2) == "(1 row)\n")
        #expect(
            TableNote.text(rows: 1_000, rowsShown: 40, columns: 2, columnsShown: 2)
                == "(1000 rows, 40 shown; \\pset pager off shows all)\n")
        #expect(
            TableNote.text(rows: 3, rowsShown: 3, columns: 20, columnsShown: 8)
                == "(3 rows; 20 columns, 8 shown; \\pset pager off shows all)\n")
    }
}
