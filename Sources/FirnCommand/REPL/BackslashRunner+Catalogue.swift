// SPDX-License-Identifier: Apache-2.0
//
// \d and its kin: what there is in the database. They ask by SQL, as anyone could.

import Firn
import FirnSyntax

extension BackslashRunner {
    /// What a query of the shell's own answers, as values.
    private func rows(_ sql: String) throws(FirnError) -> [[Value]] {
        guard case .rows(let result) = try shell.session.runBlocking(sql) else { return [] }
        var rows: [[Value]] = []
        while let batch = try result.nextBlocking() {
            for row in 0..<batch.rowCount { rows.append(batch.columns.map { $0[row] }) }
        }
        return rows
    }

    private func text(_ value: Value) -> String { if case .text(let text) = value { text } else { "" } }

    private func number(_ value: Value) -> Int64 {
        switch value {
        case .integer(let value): value
        case .decimal(let value): Int64(exactly: value.double) ?? 0
        default: 0
        }
    }

    /// Prints rows in the shell's format, under a title.
    private func show(
        _ title: String, _ columns: [(name: String, type: DataType)], _ rows: [[Value]]
    ) throws(FirnError) {
        var settings = shell.settings
        settings.title = title
        let result = columns.map { ResultColumn(name: $0.name, type: $0.type) }
        let printer = ResultPrinter(
            columns: result, settings: settings, zone: shell.session.timeZone, output: shell.output,
            screen: shell.output.isTerminal ? StatementShell.screen : nil)
        if !rows.isEmpty {
            let batch = try columns.indices.map { index throws(FirnError) in
                try Column(rows.map { $0[index] }, type: columns[index].type)
            }
            try printer.append(ColumnBatch(batch))
        }
        try printer.finish()
    }

    private var pattern: NamePattern? {
        words.first.map { NamePattern(BackslashLine.Word(text: first ?? "", isQuoted: $0.isQuoted)) }
    }
    private var isLong: Bool { line.name.hasSuffix("+") }

    private func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    private func quotedName(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    /// A number of bytes for people, as pg_size_pretty says it.
    private func size(_ bytes: Int64) -> String {
        var value = bytes
        for unit in ["bytes", "kB", "MB", "GB"] {
            if value < 10_240 { return "\(value) \(unit)" }
            value = (value + 512) / 1_024
        }
        return "\(value) TB"
    }

    // MARK: Tables

    /// Segments, stored bytes and chunks of each table.
    private func storage() throws(FirnError) -> [String: (
        segments: Int64, bytes: Int64, indexBytes: Int64, chunks: Int64
    )] {
        var found: [String: (segments: Int64, bytes: Int64, indexBytes: Int64, chunks: Int64)] = [:]
        for row in try rows(
            """
            SELECT table_name, count(*), sum(bytes_stored), sum(key_index_bytes), count(DISTINCT chunk_name)
            FROM firn_segments GROUP BY table_name
            """)
        {
            found[text(row[0])] = (number(row[1]), number(row[2]), number(row[3]), number(row[4]))
        }
        return found
    }

    func listTables() throws(FirnError) {
        let tables = try rows("SHOW TABLES").filter { pattern?.matches(text($0[0])) ?? true }
        var columns: [(name: String, type: DataType)] = [("name", .text), ("kind", .text), ("rows", .bigint)]
        guard isLong else { return try show("List of tables", columns, tables.map { Array($0.prefix(3)) }) }
        let stored = try storage()
        columns += [("chunks", .bigint), ("segments", .bigint), ("size", .text)]
        try show(
            "List of tables", columns,
            tables.map { row in
                let table = stored[text(row[0])] ?? (0, 0, 0, 0)
                return row.prefix(3)
                    + [.integer(table.chunks), .integer(table.segments), .text(size(table.bytes))]
            })
    }

    func listIndexes() throws(FirnError) {
        let stored = isLong ? try storage() : [:]
        var listed: [[Value]] = []
        for table in try shell.database.tables() where !table.primaryKey.isEmpty {
            let name = table.name + "_pkey"
            guard pattern.map({ $0.matches(name) || $0.matches(table.name) }) ?? true else { continue }
            let key = table.primaryKey.compactMap { id in table.index(of: id).map { table.columns[$0].name } }
            var row: [Value] = [
                .text(name), .text("primary key"), .text(table.name), .text(key.joined(separator: ", ")),
            ]
            if isLong { row.append(.text(size(stored[table.name]?.indexBytes ?? 0))) }
            listed.append(row)
        }
        var columns: [(name: String, type: DataType)] = [
            ("name", .text), ("kind", .text), ("table", .text), ("columns", .text),
        ]
        if isLong { columns.append(("size", .text)) }
        try show("List of indexes", columns, listed)
    }

    func describe() throws(FirnError) {
        guard let pattern else { return try listTables() }
        guard pattern.hasWildcards else { return try describe(pattern.name) }
        let names = try shell.database.tables().map(\.name).filter(pattern.matches)
        guard !names.isEmpty else {
            throw FirnError(.undefinedTable, "no table matches \"\(pattern.name)\"", hint: "\\dt lists the tables.")
        }
        for name in names { try describe(name) }
    }

    private func describe(_ name: String) throws(FirnError) {
        let described = try rows("DESCRIBE \(quotedName(name))")
        var columns: [(name: String, type: DataType)] = [
            ("column", .text), ("type", .text), ("nullable", .text), ("default", .text), ("role", .text),
        ]
        guard isLong, let table = try shell.database.table(named: name) else {
            return try show("Table \"\(name)\"", columns, described)
        }
        var stored: [String: [Value]] = [:]
        for row in try rows(
            """
            SELECT column_name, sum(null_count)::bigint, sum(bytes_stored)::bigint, sum(row_count)::bigint,
                last(encodings, file_id)
            FROM firn_columns WHERE table_name = \(quoted(name)) GROUP BY column_name
            """)
        {
            stored[text(row[0])] = row
        }
        columns += [("nulls", .bigint), ("size", .text), ("bits/value", .text), ("encodings", .text)]
        try show(
            "Table \"\(name)\"", columns,
            described.map { row in
                guard let column = stored[text(row[0])], number(column[3]) > 0 else {
                    return row + [.null, .null, .null, .null]
                }
                let bits = Double(number(column[2])) * 8 / Double(number(column[3]))
                return row
                    + [column[1], .text(size(number(column[2]))), .text(Rounded.text(bits, decimals: 2)), column[4]]
            })
        try shell.output.write(try footer(table))
    }

    /// What \d+ says under the columns of a table.
    private func footer(_ table: TableSchema) throws(FirnError) -> String {
        func names(_ ids: [ColumnID]) -> String {
            ids.compactMap { id in table.index(of: id).map { table.columns[$0].name } }.joined(separator: ", ")
        }
        var text = ""
        if !table.primaryKey.isEmpty {
            text += "Indexes:\n    \"\(table.name)_pkey\" PRIMARY KEY (\(names(table.primaryKey)))\n"
        }
        if let key = table.sortKey { text += "Sort key: \(names(key).isEmpty ? "none" : names(key))\n" }
        if let chunking = table.chunking {
            text += "Chunks: by \(names([chunking.column])), \(interval(chunking, of: table)) each\n"
        }
        let counts = try storage()[table.name] ?? (0, 0, 0, 0)
        let kinds = try rows(
            "SELECT profile, count(*) FROM firn_segments WHERE table_name = \(quoted(table.name)) GROUP BY 1 ORDER BY 1"
        )
        let profiles = kinds.map { "\(number($0[1])) \(self.text($0[0]))" }.joined(separator: ", ")
        let rowCount = try rows("SELECT count(*) FROM \(quotedName(table.name))").first.map { number($0[0]) } ?? 0
        text += "Rows: \(rowCount)\n"
        text += "Stored: \(size(counts.bytes)) in \(counts.segments) segments"
        return text + (profiles.isEmpty ? "" : " (\(profiles))") + ", \(counts.chunks) chunks\n"
    }

    private func interval(_ chunking: ChunkingPolicy, of table: TableSchema) -> String {
        guard let index = table.index(of: chunking.column) else { return "" }
        let isNanoseconds =
            table.columns[index].type == .timestamptz(.nanoseconds)
            || table.columns[index].type == .timestamp(.nanoseconds)
        let microseconds = isNanoseconds ? chunking.interval / 1_000 : chunking.interval
        let day: Int64 = 86_400_000_000
        if microseconds % day == 0 { return microseconds == day ? "1 day" : "\(microseconds / day) days" }
        return ValueText(type: .interval, zone: .utc).text(of: .interval(Interval(microseconds: microseconds)))
    }

    // MARK: Functions, the database

    func listFunctions() throws(FirnError) {
        let found = try rows("SHOW FUNCTIONS").filter { pattern?.matches(text($0[0])) ?? true }
        try show(
            "List of functions",
            [("name", .text), ("result", .text), ("arguments", .text), ("kind", .text)], found)
    }

    private var databaseName: String {
        guard let path = shell.databasePath else { return "memory" }
        return path.split(separator: "/").last.map(String.init) ?? "/"
    }

    private var access: String { shell.database.options.storage.access == .readOnly ? "read only" : "read and write" }

    func listDatabases() throws(FirnError) {
        let bytes = try storage().values.reduce(0) { $0 + $1.bytes }
        try show(
            "List of databases",
            [("name", .text), ("folder", .text), ("access", .text), ("tables", .bigint), ("size", .text)],
            [
                [
                    .text(databaseName), shell.databasePath.map { .text($0) } ?? .null, .text(access),
                    .integer(Int64(try shell.database.tables().count)), .text(size(bytes)),
                ]
            ])
    }

    func connectionInfo() throws(FirnError) {
        let place = shell.databasePath.map { "in folder \"\($0)\"" } ?? "in memory; it goes with the process"
        let durability = try rows("SHOW durability").first.map { text($0[0]) } ?? ""
        let level = durability == "default" ? shell.database.options.storage.durability.name : durability
        shell.write(
            """
            Database "\(databaseName)" \(place).
            Firn \(Database.version), \(access), durability \(level), time zone \(shell.session.timeZone.name), process \(getpid()).

            """)
    }
}
