// SPDX-License-Identifier: Apache-2.0
//
// The forms in which results are printed.

/// How rows are printed on standard output.
enum OutputFormat: String, CaseIterable, Sendable {
    /// A table with aligned columns and a count of rows, for people.
    case aligned
    /// A header row; NULL is an empty field, the empty string is "".
    case csv
    /// One JSON array of objects a result.
    case json
    /// One JSON object a line.
    case ndjson
    case markdown

    static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
