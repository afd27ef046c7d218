// SPDX-License-Identifier: Apache-2.0
//
// A .slt file as a list of records: sqllogictest's form, as DuckDB and sqllogictest-rs write it (Tests/SQL/README.md).

/// One record of a script, and the line on which it begins.
struct SQLLogicRecord: Sendable {
    enum Kind: Sendable {
        /// A statement that succeeds; with a count, its command tag ends with that number.
        case statement(rowCount: Int?)
        /// A statement that fails with this SQLSTATE, and a message that contains the text.
        case failure(code: String, message: String)
        /// A query and its rows. A letter a column: I, T, or R (doubles that may differ in the last digits).
        case query(types: [Character], order: RowOrder, rows: [[String]])
        /// Closes the database and opens it again.
        case restart
    }

    enum RowOrder: String, Sendable { case nosort, rowsort, valuesort }

    var kind: Kind
    var sql = ""
    /// The session that runs it; the empty name is the default one.
    var connection = ""
    var line: Int
}

/// What was wrong with the text of a script.
struct SQLLogicSyntaxError: Error, CustomStringConvertible {
    let line: Int
    let message: String
    var description: String { "line \(line): \(message)" }
}

struct SQLLogicScript: Sendable {
    var records: [SQLLogicRecord] = []
    /// Whether the file is run in one layout alone.
    var hasOneLayout = false

    init(_ text: String) throws(SQLLogicSyntaxError) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
            Line(number: $0.offset + 1, text: String($0.element))
        }
        var reader = Reader(try Self.withoutLoops(lines[...]))
        while let record = try reader.next() { records.append(record) }
        hasOneLayout = reader.hasOneLayout
    }

    struct Line {
        let number: Int
        var text: String
        /// The words of a line that is a directive.
        var words: [Substring] { text.split(separator: " ") }
    }

    /// The lines with `loop NAME FROM BELOW … endloop` and `foreach NAME a b c … endloop` written out.
    private static func withoutLoops(_ lines: ArraySlice<Line>) throws(SQLLogicSyntaxError) -> [Line] {
        var output: [Line] = []
        var index = lines.startIndex
        while index < lines.endIndex {
            let line = lines[index]
            index += 1
            guard let head = line.words.first, head == "loop" || head == "foreach", line.words.count > 2 else {
                output.append(line)
                continue
            }
            var depth = 1
            let first = index
            while index < lines.endIndex {
                switch lines[index].words.first {
                case "loop", "foreach": depth += 1
                case "endloop": depth -= 1
                default: break
                }
                if depth == 0 { break }
                index += 1
            }
            guard index < lines.endIndex else {
                throw SQLLogicSyntaxError(line: line.number, message: "\(head) without endloop")
            }
            var values = line.words.dropFirst(2).map(String.init)
            if head == "loop" {
                guard values.count == 2, let from = Int(values[0]), let below = Int(values[1]), from <= below else {
                    throw SQLLogicSyntaxError(line: line.number, message: "expected: loop NAME FROM BELOW")
                }
                values = (from..<below).map(String.init)
            }
            let pattern = "${\(line.words[1])}"
            for value in values {
                let body = lines[first..<index].map { inner in
                    Line(number: inner.number, text: inner.text.replacing(pattern, with: value))
                }
                output += try withoutLoops(body[...])
            }
            index += 1
        }
        return output
    }

    private struct Reader {
        let lines: [Line]
        var index = 0
        var connection = ""
        var hasOneLayout = false

        init(_ lines: [Line]) { self.lines = lines }

        mutating func next() throws(SQLLogicSyntaxError) -> SQLLogicRecord? {
            var isSkipped = false
            var connection = ""
            while index < lines.count {
                let line = lines[index]
                let words = line.words
                index += 1
                guard let head = words.first, !head.hasPrefix("#") else { continue }
                func fail(_ message: String) -> SQLLogicSyntaxError {
                    SQLLogicSyntaxError(line: line.number, message: message)
                }
                switch head {
                case "skip-layouts": hasOneLayout = true
                case "connection":
                    guard words.count == 2 else { throw fail("expected: connection NAME") }
                    connection = String(words[1])
                case "skipif", "onlyif":
                    guard words.count == 2 else { throw fail("expected: \(head) ENGINE") }
                    if (words[1] == "firn") == (head == "skipif") { isSkipped = true }
                case "restart":
                    return SQLLogicRecord(kind: .restart, line: line.number)
                case "halt":
                    index = lines.count
                case "statement", "query":
                    let isFailure = words.count > 1 && words[1] == "error"
                    let kind: SQLLogicRecord.Kind
                    if isFailure {
                        guard words.count > 2, words[2].utf8.count == 5 else {
                            throw fail("an error names its SQLSTATE")
                        }
                        kind = .failure(
                            code: String(words[2]), message: words.dropFirst(3).joined(separator: " "))
                    } else if head == "query" {
                        let order = words.count > 2 ? SQLLogicRecord.RowOrder(rawValue: String(words[2])) : .nosort
                        guard words.count > 1, words[1].allSatisfy({ "ITR".contains($0) }), let order else {
                            throw fail("expected: query TYPES [nosort | rowsort | valuesort]")
                        }
                        kind = .query(types: Array(words[1]), order: order, rows: [])
                    } else if words.count == 3, words[1] == "count", let count = Int(words[2]) {
                        kind = .statement(rowCount: count)
                    } else if words.count == 2, words[1] == "ok" {
                        kind = .statement(rowCount: nil)
                    } else {
                        throw fail("expected: statement ok | count N | error CODE [MESSAGE]")
                    }
                    var record = SQLLogicRecord(kind: kind, connection: connection, line: line.number)
                    try readBody(of: &record)
                    if !isSkipped { return record }
                    isSkipped = false
                    connection = ""
                default: throw fail("unknown directive \(head)")
                }
            }
            return nil
        }

        /// The SQL up to `----` or an empty line, and the rows behind it up to an empty line.
        private mutating func readBody(of record: inout SQLLogicRecord) throws(SQLLogicSyntaxError) {
            var sql: [String] = []
            while index < lines.count, !lines[index].text.isEmpty, lines[index].text != "----" {
                sql.append(lines[index].text)
                index += 1
            }
            record.sql = sql.joined(separator: "\n")
            let hasRows = index < lines.count && lines[index].text == "----"
            guard case .query(let types, let order, _) = record.kind else {
                if hasRows {
                    throw SQLLogicSyntaxError(line: lines[index].number, message: "rows behind a statement")
                }
                return
            }
            guard hasRows else {
                throw SQLLogicSyntaxError(line: record.line, message: "a query without ----")
            }
            index += 1
            var rows: [[String]] = []
            while index < lines.count, !lines[index].text.isEmpty {
                let row = lines[index].text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
                if row.count != types.count {
                    throw SQLLogicSyntaxError(
                        line: lines[index].number, message: "\(row.count) values for \(types.count) columns")
                }
                rows.append(row)
                index += 1
            }
            record.kind = .query(types: types, order: order, rows: rows)
        }
    }
}
