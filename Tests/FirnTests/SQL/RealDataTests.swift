// SPDX-License-Identifier: Apache-2.0
//
// Queries over samples of real data give PostgreSQL's answers (Samples/README.md), through the public face: loaded
// with COPY, answered from memtables and again from segments.

import Firn
import FirnIO
import SystemPackage
import Testing

@Suite("Real data")
struct RealDataTests {
    static let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Samples")
    static let names: [String] = {
        let entries = try! POSIXFileSystem().list(folder.appending("cases"))
        return entries.map(\.name).filter { $0.hasSuffix(".sql") }.map { String($0.dropLast(4)) }
    }()

    static func text(_ path: String) throws -> String {
        let file = try POSIXFileSystem().open(folder.appending(path), .readOnly)
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    static func loaded() async throws -> Database {
        let database = try Database.inMemory()
        try await database.execute(try text("schema.sql"))
        for line in try text("load.txt").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let null = words.count > 2 ? ", NULL '\(words[2])'" : ""
            let path = folder.appending("data/\(words[1])").string
            try await database.execute("COPY \(words[0]) FROM '\(path)' WITH (FORMAT csv, HEADER true\(null))")
        }
        return database
    }

    @Test("Every case gives PostgreSQL's answer, from memory and from segments")
    func answersAreThoseOfPostgreSQL() async throws {
        #expect(Self.names.count >= 24)
        let database = try await Self.loaded()
        for state in ["memtables", "segments"] {
            for name in Self.names {
                let query = try Self.text("cases/\(name).sql")
                let expected = CSVTable(try Self.text("cases/\(name).csv"))
                do {
                    let result = try await database.query(query)
                    let found = try await Self.table(result)
                    #expect(found.header == expected.header, "\(name) from \(state)")
                    #expect(found.rows.count == expected.rows.count, "\(name) from \(state)")
                    for (row, pair) in zip(found.rows, expected.rows).enumerated() {
                        for (column, values) in zip(pair.0, pair.1).enumerated() where values.0 != values.1 {
                            if result.columns[column].type == .double, Self.areClose(values.0, values.1) { continue }
                            Issue.record(
                                "\(name) from \(state), row \(row), \(expected.header[column]): \(values.0), not \(values.1)"
                            )
                        }
                    }
                } catch {
                    Issue.record("\(name) from \(state): \(error)")
                }
            }
            try await database.checkpoint()
        }
        try await database.close()
    }

    /// Doubles agree to 1e-9 relative, since engines add in different orders.
    static func areClose(_ found: String, _ expected: String) -> Bool {
        guard let left = Double(found), let right = Double(expected) else { return false }
        return (left - right).magnitude <= 1e-9 * max(left.magnitude, right.magnitude)
    }

    static func table(_ result: QueryResult) async throws -> CSVTable {
        let texts = result.columns.map { ValueText(type: $0.type, zone: .utc) }
        var rows: [[String]] = []
        for try await batch in result {
            for row in 0..<batch.rowCount {
                rows.append(zip(batch.columns, texts).map { $0.isNull(row) ? "" : $1.text($0, row: row) })
            }
        }
        return CSVTable(header: result.columns.map(\.name), rows: rows)
    }
}

/// Rows of text, as PostgreSQL writes CSV; NULL and the empty string read alike.
struct CSVTable {
    let header: [String]
    let rows: [[String]]

    init(header: [String], rows: [[String]]) {
        self.header = header
        self.rows = rows
    }

    init(_ text: String) {
        var lines: [[String]] = [[]]
        var field = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                lines[lines.count - 1].append(field)
                field = ""
            case "\n" where !isQuoted:
                lines[lines.count - 1].append(field)
                field = ""
                lines.append([])
            default: field.append(character)
            }
        }
        lines.removeLast()
        header = lines[0]
        rows = Array(lines.dropFirst())
    }
}
