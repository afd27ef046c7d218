// SPDX-License-Identifier: Apache-2.0
//
// How a text file of rows is laid out: PostgreSQL's COPY formats `csv` and `text` and their options.

/// The layout of a text file of rows.
struct CSVFormat: Sendable, Hashable {
    enum Style: Sendable {
        /// RFC 4180: quoted fields, quotes doubled.
        case csv
        /// PostgreSQL's own: backslash escapes, no quotes.
        case text
    }
    enum Header: Sendable {
        case none
        /// The first line is skipped.
        case skipped
        /// The first line must name the columns, in order.
        case matched
    }

    var style: Style = .csv
    var header: Header = .none
    var delimiter = UInt8(ascii: ",")
    var quote = UInt8(ascii: "\"")
    /// Stands before a quote inside a quoted field.
    var escape = UInt8(ascii: "\"")
    /// An unquoted field that reads so is NULL.
    var null: [UInt8] = []

    /// What COPY assumes without options.
    static let csv = CSVFormat()
    static let text = CSVFormat(style: .text, delimiter: UInt8(ascii: "\t"), null: Array("\\N".utf8))
}
