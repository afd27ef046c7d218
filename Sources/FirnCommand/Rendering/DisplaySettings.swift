// SPDX-License-Identifier: Apache-2.0
//
// How results look: what \pset, \x, \t, \C and the options of the command set.

/// Whether results are shown with a column a line.
enum ExpandedMode: String, CaseIterable, Sendable {
    case off, on
    /// Where a table would be wider than the terminal.
    case auto
}

/// When a result goes through $PAGER.
enum PagerMode: String, CaseIterable, Sendable {
    /// Never, and nothing is cut either.
    case off
    /// When it outgrows the terminal; without $PAGER, tables are cut to it.
    case on
    /// Every result on a terminal.
    case always
}

/// The look of results. A value: `\gx` changes a copy.
struct DisplaySettings: Equatable, Sendable {
    var format = OutputFormat.aligned
    /// What stands for NULL; nil is nothing, as each format has it.
    var nullText: String?
    /// 0: blanks between the columns, 1: lines between them, 2: a frame too.
    var border = 1
    var expanded = ExpandedMode.off
    var pager = PagerMode.on
    /// Neither headings nor the number of rows.
    var tuplesOnly = false
    /// A line above each table.
    var title: String?
}
