// SPDX-License-Identifier: Apache-2.0
//
// Runs the records of a .slt file against a database of its own, through the public face alone.

import Firn
import FirnIO

/// How the rows of a script lie when they are queried: the answers are the same.
enum SQLLogicLayout: CaseIterable, Sendable {
    /// As the script leaves them: mostly in memtables.
    case written
    /// In a warm segment for each INSERT or COPY.
    case flushed
    /// In one cold segment a chunk.
    case compressed
}

/// A record that did not do what it says.
struct SQLLogicFailure: Error, CustomStringConvertible {
    let line: Int
    let message: String
    var description: String { "line \(line): \(message)" }
}

struct SQLLogicRunner {
    let layout: SQLLogicLayout
    private var database: Database
    private var sessions: [String: Session] = [:]
    private let options: DatabaseOptions

    init(layout: SQLLogicLayout) async throws {
        self.layout = layout
        var options = DatabaseOptions()
        options.fileSystem = MemoryFileSystem()
        options.externalFileSystem = MemoryFileSystem()
        self.options = options
        database = try await Database.open(at: "/slt", options: options)
    }

    /// Every record that failed; a script goes on behind one.
    mutating func failures(of script: SQLLogicScript) async throws -> [SQLLogicFailure] {
        var failures: [SQLLogicFailure] = []
        for record in script.records {
            if let message = try await run(record) {
                failures.append(SQLLogicFailure(line: record.line, message: "\(message)\n\(record.sql)"))
            }
        }
        try await database.close()
        return failures
    }

    private mutating func run(_ record: SQLLogicRecord) async throws -> String? {
        if case .restart = record.kind {
            sessions = [:]
            try await database.close()
            database = try await Database.open(at: "/slt", options: options)
            return nil
        }
        let session = sessions[record.connection] ?? database.session()
        sessions[record.connection] = session
        do {
            switch record.kind {
            case .restart: return nil
            case .statement(let rowCount):
                let tag = try await session.execute(record.sql)
                try await moveRows(behind: record.sql)
                if let rowCount, tag.split(separator: " ").last.map(String.init) != String(rowCount) {
                    return "\(tag), not \(rowCount) rows"
                }
                return nil
            case .failure(let code, _):
                let tag = try await session.execute(record.sql)
                return "\(tag), not an error \(code)"
            case .query(let types, let order, let rows):
                return Self.difference(
                    try await Self.texts(of: session.query(record.sql), zone: session.timeZone), rows, types, order)
            }
        } catch let error as FirnError {
            guard case .failure(let code, let message) = record.kind else { return error.description }
            if error.code.code != code { return "\(error.headline), not \(code)" }
            if !message.isEmpty, !error.description.contains(message) {
                return "\(error.description), not \"\(message)\""
            }
            return nil
        }
    }

    /// Brings the rows that a statement wrote into the layout that is tested.
    private func moveRows(behind sql: String) async throws {
        let verb = sql.prefix(6).uppercased()
        guard layout != .written, verb == "INSERT" || verb.hasPrefix("COPY") else { return }
        try await database.checkpoint()
        guard layout == .compressed else { return }
        for table in try database.tables() {
            let name = table.name.replacing("'", with: "''")
            let quoted = "\"\(table.name.replacing("\"", with: "\"\""))\"".replacing("'", with: "''")
            let chunks = name == name.lowercased() ? name : quoted
            try await database.execute("SELECT compress_chunk(c) FROM show_chunks('\(chunks)') c")
        }
    }

    /// A result as text, with its types.
    private static func texts(
        of result: QueryResult, zone: TimeZoneRules
    ) async throws -> (types: [DataType], rows: [[String]]) {
        let writers = result.columns.map { ValueText(type: $0.type, zone: zone) }
        var rows: [[String]] = []
        for try await batch in result {
            for row in 0..<batch.rowCount {
                rows.append(
                    zip(batch.columns, writers).map { column, writer in
                        if column.isNull(row) { return "NULL" }
                        let text = writer.text(of: column[row])
                        return text.isEmpty ? "(empty)" : text
                    })
            }
        }
        return (result.columns.map(\.type), rows)
    }

    private static func difference(
        _ found: (types: [DataType], rows: [[String]]), _ expected: [[String]], _ types: [Character],
        _ order: SQLLogicRecord.RowOrder
    ) -> String? {
        guard found.types.count == types.count else {
            return "\(found.types.count) columns, not \(types.count)"
        }
        func sorted(_ rows: [[String]]) -> [[String]] {
            switch order {
            case .nosort: rows
            case .rowsort: rows.sorted { $0.lexicographicallyPrecedes($1) }
            case .valuesort: rows.flatMap { $0 }.sorted().map { [$0] }
            }
        }
        let left = sorted(found.rows)
        let right = sorted(expected)
        let isEqual =
            left.count == right.count
            && zip(left, right).allSatisfy { found, expected in
                zip(found, expected).enumerated().allSatisfy { column, pair in
                    pair.0 == pair.1 || (types[column] == "R" && order != .valuesort && areClose(pair.0, pair.1))
                }
            }
        if isEqual { return nil }
        func text(_ rows: [[String]]) -> String {
            rows.map { "  " + $0.joined(separator: "\t") }.joined(separator: "\n")
        }
        return "found\n\(text(left))\nnot\n\(text(right))"
    }

    /// Doubles agree to 1e-14 relative: engines add in different orders.
    private static func areClose(_ found: String, _ expected: String) -> Bool {
        guard let left = Double(found), let right = Double(expected) else { return false }
        return (left - right).magnitude <= 1e-14 * max(left.magnitude, right.magnitude)
    }
}
