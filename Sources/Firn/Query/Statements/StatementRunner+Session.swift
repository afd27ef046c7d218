// SPDX-License-Identifier: Apache-2.0
//
// SET, RESET and SHOW of parameters; SHOW TABLES, DESCRIBE and EXPLAIN: what a session asks about itself, the
// tables and its plans.

import FirnSyntax

extension StatementRunner {
    mutating func runSet(_ assignment: SetParameter) throws(FirnError) -> StatementOutcome {
        if assignment.scope == .local {
            throw notSupported(
                "SET LOCAL", at: assignment.name.range,
                hint: "There are no transactions of several statements: use SET.")
        }
        do throws(FirnError) {
            let parameter = try SessionParameter.named(assignment.name.name.lowercased())
            guard let values = assignment.values else {
                settings.reset(parameter, to: defaults)
                return .command(tag: "SET")
            }
            guard values.count == 1, let text = try settingText(values[0], of: parameter) else {
                throw FirnError(.invalidParameterValue, "SET \(parameter.rawValue) takes one value")
            }
            try settings.set(parameter, to: text, zones: zones)
        } catch {
            throw error.at(assignment.name.range.start.byteOffset)
        }
        return .command(tag: "SET")
    }

    private func settingText(_ value: OptionValue, of parameter: SessionParameter) throws(FirnError) -> String? {
        if case .word("local") = value, parameter == .timezone { return defaults.timeZone.name }
        return value.text
    }

    mutating func runReset(_ reset: ResetParameter) throws(FirnError) -> StatementOutcome {
        switch reset {
        case .all: settings = defaults
        case .parameter(let name):
            do throws(FirnError) {
                settings.reset(try SessionParameter.named(name.name.lowercased()), to: defaults)
            } catch {
                throw error.at(name.range.start.byteOffset)
            }
        }
        return .command(tag: "RESET")
    }

    func runShow(_ show: Show) throws(FirnError) -> StatementOutcome {
        switch show {
        case .parameter(let name):
            do throws(FirnError) {
                let parameter = try SessionParameter.named(name.name.lowercased())
                return .rows(.stored([parameter.columnName], text: [[settings.text(of: parameter)]]))
            } catch {
                throw error.at(name.range.start.byteOffset)
            }
        case .all:
            let rows = SessionParameter.allCases.map { parameter -> [String?] in
                [parameter.columnName, settings.text(of: parameter), parameter.summary]
            }
            return .rows(.stored(["name", "setting", "description"], text: rows))
        case .tables: return .rows(try tableList())
        case .columns(let name): return try runDescribe(name)
        case .views: return .rows(.stored(["name"], text: []))
        case .functions:
            return .rows(.stored(FunctionList.columns, text: FunctionList.rows))
        }
    }

    /// Every table with its kind and size: what \d and \dt print.
    private func tableList() throws(FirnError) -> ResultStream {
        let snapshot = try store.snapshot()
        var names = ColumnBuilder(type: .text)
        var kinds = ColumnBuilder(type: .text)
        var rowCounts = ColumnBuilder(type: .bigint)
        for table in snapshot.tables {
            names.append(.text(table.name))
            kinds.append(.text(table.chunking?.isHypertable ?? false ? "hypertable" : "table"))
            rowCounts.append(.integer(Int64(try snapshot.rows(of: table.id).rowCount)))
        }
        return .stored(
            [
                OutputColumn(name: "name", type: .text), OutputColumn(name: "kind", type: .text),
                OutputColumn(name: "rows", type: .bigint),
            ], ColumnBatch([names.finish(), kinds.finish(), rowCounts.finish()]))
    }

    /// The columns of a table with type, nullability, default and role.
    func runDescribe(_ name: QualifiedName) throws(FirnError) -> StatementOutcome {
        let snapshot = try store.snapshot()
        let table = try self.table(name, in: snapshot)
        let rows = table.columns.map { column -> [String?] in
            [
                column.name, column.typeName, column.isNullable ? "" : "not null", column.defaultExpression ?? "",
                table.role(of: column),
            ]
        }
        return .rows(.stored(["column", "type", "nullable", "default", "role"], text: rows))
    }

    /// Options that would change what EXPLAIN prints and are not there are errors; those that say what it does anyway are
    /// taken.
    private func checkOptions(of explain: Explain) throws(FirnError) {
        for option in explain.options {
            let position = option.range.start.byteOffset
            let text = option.value?.text?.lowercased()
            switch option.name {
            case "analyze", "verbose", "costs", "timing", "summary", "buffers", "settings", "wal":
                guard [nil, "true", "false", "on", "off", "1", "0"].contains(text) else {
                    throw FirnError(
                        .syntaxError, "\(option.name) requires a Boolean value",
                        position: option.valueRange.start.byteOffset)
                }
                let isOn = text == nil || ["true", "on", "1"].contains(text)
                if isOn, ["buffers", "settings", "wal"].contains(option.name) {
                    throw FirnError(
                        .featureNotSupported, "EXPLAIN's option \(option.name) is not supported yet",
                        hint: "ANALYZE tells rows, time, threads and row groups.", position: position)
                }
            case "format":
                guard text == "text" else {
                    throw FirnError(
                        ["json", "xml", "yaml"].contains(text) ? .featureNotSupported : .invalidParameterValue,
                        "EXPLAIN format \"\(text ?? "")\" is not supported: there is text alone", position: position)
                }
            default:
                throw FirnError(
                    .syntaxError, "unrecognized EXPLAIN option \"\(option.name)\"", position: position)
            }
        }
    }

    func runExplain(_ explain: Explain) throws(FirnError) -> StatementOutcome {
        try checkOptions(of: explain)
        guard case .query(let query) = explain.statement.kind else {
            throw FirnError(
                .featureNotSupported, "EXPLAIN shows the plan of a query only",
                position: explain.statement.range.start.byteOffset)
        }
        let snapshot = try store.snapshot()
        let plan = try plan(query, snapshot)
        let lines: [String]
        if explain.runsStatement {
            lines = try PlanText.analyzedLines(of: plan, executor: queryExecutor(snapshot), timeSource: timeSource)
        } else {
            lines = PlanText.lines(of: plan)
        }
        return .rows(.stored(["QUERY PLAN"], text: lines.map { [$0] }))
    }
}

extension SessionSettings {
    mutating func reset(_ parameter: SessionParameter, to defaults: SessionSettings) {
        switch parameter {
        case .timezone: timeZone = defaults.timeZone
        case .durability: durability = defaults.durability
        case .threads: threadCount = defaults.threadCount
        case .memoryLimit: memoryBytesMax = defaults.memoryBytesMax
        case .statementTimeout: timeoutMilliseconds = defaults.timeoutMilliseconds
        case .skipDamaged: skipsDamaged = defaults.skipsDamaged
        case .serverVersion: break
        }
    }
}

extension SessionParameter {
    /// PostgreSQL spells this one so.
    fileprivate var columnName: String { self == .timezone ? "TimeZone" : rawValue }
}

extension TableSchema {
    /// What a column is to its table, for DESCRIBE.
    fileprivate func role(of column: ColumnDefinition) -> String {
        var roles: [String] = []
        if primaryKey.contains(column.id) { roles.append("primary key") }
        if chunking?.column == column.id { roles.append("time") }
        if sortKey?.contains(column.id) ?? false { roles.append("sort key") }
        return roles.joined(separator: ", ")
    }
}

extension ResultStream {
    /// Rows that are already there: what SHOW, DESCRIBE and EXPLAIN answer.
    static func stored(_ columns: [OutputColumn], _ batch: ColumnBatch) -> ResultStream {
        ResultStream(columns: columns) { StoredRows(batch) }
    }

    /// Text columns, row by row; nil is NULL.
    static func stored(_ names: [String], text rows: [[String?]]) -> ResultStream {
        let columns = names.indices.map { index in
            Column(rows.map { row in row[index].map { .text($0) } ?? .null }, type: .text)
        }
        return stored(
            names.map { OutputColumn(name: $0, type: .text) }, ColumnBatch(columns, rowCount: rows.count))
    }
}

/// Hands out one batch.
private final class StoredRows: BatchReader {
    private var batch: ColumnBatch?

    init(_ batch: ColumnBatch) { self.batch = batch.rowCount > 0 ? batch : nil }

    func next() throws(FirnError) -> ColumnBatch? {
        defer { batch = nil }
        return batch
    }
}
