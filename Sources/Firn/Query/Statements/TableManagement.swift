// SPDX-License-Identifier: Apache-2.0
//
// TimescaleDB's functions that change tables: SELECT create_hypertable(…), set_chunk_time_interval(…).
//
// They look like queries but are statements: only alone in a SELECT (or CALL), with constant arguments.

import FirnSyntax

/// The names of the functions that change tables.
enum TableManagement {
    static func isProcedure(_ name: String) -> Bool {
        name == "create_hypertable" || name == "set_chunk_time_interval"
    }
}

extension StatementRunner {
    func runProcedure(_ call: FunctionCall) throws(FirnError) -> StatementOutcome {
        guard TableManagement.isProcedure(call.name.name) else {
            let position = call.name.range.start.byteOffset
            if let missing = KnownNames.missingFunction(call.name.name, position: position) { throw missing }
            throw FirnError(
                .undefinedFunction, "procedure \(call.name.name) does not exist",
                position: call.name.range.start.byteOffset)
        }
        _ = try runTableManagement(call)
        return .command(tag: "CALL")
    }

    func runTableManagement(_ call: FunctionCall) throws(FirnError) -> StatementOutcome {
        if call.name.name == "create_hypertable" { return try createHypertable(call) }
        return try setChunkInterval(call)
    }

    /// create_hypertable(relation, time_column | by_range(column, interval), chunk_time_interval =>, if_not_exists =>,
    /// migrate_data =>): names the time column and the length of new chunks.
    private func createHypertable(_ call: FunctionCall) throws(FirnError) -> StatementOutcome {
        var arguments = try ProcedureArguments(
            call, names: ["relation", "time_column_name", "partitioning_column", "number_partitions"],
            aliases: ["dimension": "time_column_name", "main_table": "relation"],
            named: [
                "chunk_time_interval", "if_not_exists", "migrate_data", "create_default_indexes",
                "associated_schema_name", "associated_table_prefix", "chunk_target_size",
            ])
        for unsupported in [
            "partitioning_column", "number_partitions", "associated_schema_name", "associated_table_prefix",
            "chunk_target_size",
        ] {
            if let value = arguments[unsupported] {
                throw notSupported("argument \"\(unsupported)\" of create_hypertable", at: value.range)
            }
        }
        let snapshot = try store.snapshot()
        let relation = try arguments.required("relation")
        let table = try self.table(relation, in: snapshot)
        let dimension = try arguments.required("time_column_name")
        var columnName = dimension
        if case .functionCall(let range) = dimension.kind, range.name.name == "by_range" {
            let inner = try ProcedureArguments(
                range, names: ["column_name", "partition_interval"], aliases: [:], named: ["partition_func"])
            columnName = try inner.required("column_name")
            if let interval = inner["partition_interval"] { arguments.set("chunk_time_interval", interval) }
        }
        let name = try text(columnName, "a column name")
        guard let index = table.index(named: name) else {
            throw FirnError(
                .undefinedColumn, "column \"\(name)\" does not exist",
                hint: Suggestion.hint(for: name, among: table.columns.map(\.name)),
                position: columnName.range.start.byteOffset)
        }
        let column = table.columns[index]
        guard column.type.isTimestamp else {
            throw FirnError(
                .wrongObjectType, "invalid type for dimension \"\(name)\": \(column.type)",
                hint: "Use a column of type TIMESTAMPTZ or TIMESTAMP.", position: columnName.range.start.byteOffset)
        }
        if table.chunking?.isHypertable ?? false {
            guard try flag(arguments["if_not_exists"]) else {
                throw FirnError(
                    "TS110", "table \"\(table.name)\" is already a hypertable",
                    hint: "Pass if_not_exists => true, or change it by set_chunk_time_interval().",
                    position: relation.range.start.byteOffset)
            }
            environment.notice(Notice("table \"\(table.name)\" is already a hypertable, skipping"))
            return hypertableRow(table, isCreated: false)
        }
        if table.chunking?.column != column.id || column.isNullable {
            let isEmpty = try snapshot.rows(of: table.id).rowCount == 0
            guard isEmpty else {
                throw FirnError(
                    .featureNotSupported,
                    "table \"\(table.name)\" is not empty and not cut by column \"\(name)\"",
                    hint: "Create the hypertable before the first row, and copy the rows into it.",
                    position: relation.range.start.byteOffset)
            }
        }
        let interval =
            if let length = arguments["chunk_time_interval"] { try chunkInterval(length, for: column.type) } else {
                ChunkingPolicy.interval(seconds: store.defaultChunkIntervalSeconds, of: column.type)
            }
        try store.setChunking(
            of: table.id, ChunkingPolicy(column: column.id, interval: interval, isHypertable: true))
        return hypertableRow(table, isCreated: true)
    }

    /// TimescaleDB's answer: (hypertable_id, schema_name, table_name, created).
    private func hypertableRow(_ table: TableSchema, isCreated: Bool) -> StatementOutcome {
        .rows(
            .stored(
                ["create_hypertable"],
                text: [["(\(table.id),public,\(table.name),\(isCreated ? "t" : "f"))"]]))
    }

    /// set_chunk_time_interval(hypertable, interval): the length of chunks that are made from now on.
    private func setChunkInterval(_ call: FunctionCall) throws(FirnError) -> StatementOutcome {
        let arguments = try ProcedureArguments(
            call, names: ["hypertable", "chunk_time_interval"], aliases: [:], named: ["dimension_name"])
        let snapshot = try store.snapshot()
        let relation = try arguments.required("hypertable")
        let table = try self.table(relation, in: snapshot)
        guard var chunking = table.chunking, let index = table.timeColumnIndex else {
            throw FirnError(
                "TS001", "table \"\(table.name)\" is not a hypertable",
                hint: "SELECT create_hypertable('\(table.name)', 'time column') makes it one.",
                position: relation.range.start.byteOffset)
        }
        chunking.interval = try chunkInterval(
            try arguments.required("chunk_time_interval"), for: table.columns[index].type)
        try store.setChunking(of: table.id, chunking)
        return .rows(.stored(["set_chunk_time_interval"], text: [[""]]))
    }

    // MARK: Arguments

    /// The length of a chunk in the unit of a time column: an INTERVAL, or a number of microseconds.
    private func chunkInterval(_ expression: Expression, for type: DataType) throws(FirnError) -> Int64 {
        let unitsPerMicrosecond: Int64 =
            switch type {
            case .timestamptz(.nanoseconds), .timestamp(.nanoseconds): 1_000
            default: 1
            }
        let position = expression.range.start.byteOffset
        var value = try constant(expression)
        if case .text(let text) = value {
            do {
                value = .interval(try Interval.parse(text))
            } catch {
                throw FirnError(error).at(position)
            }
        }
        let microseconds: Int64
        switch value {
        case .interval(let interval):
            // A month counts 30 days, as in TimescaleDB.
            guard let total = Int64(exactly: interval.comparisonMicroseconds) else {
                throw FirnError(.datetimeFieldOverflow, "interval out of range").at(position)
            }
            microseconds = total
        case .integer(let count): microseconds = count
        default:
            throw FirnError(
                .invalidParameterValue, "chunk_time_interval is an INTERVAL or a number of microseconds",
                position: position)
        }
        if microseconds < 1_000_000 {
            throw FirnError(
                .invalidParameterValue, "a chunk spans at least one second", position: position)
        }
        let (units, overflow) = microseconds.multipliedReportingOverflow(by: unitsPerMicrosecond)
        guard !overflow else { throw FirnError(.datetimeFieldOverflow, "interval out of range") }
        return units
    }

    /// A table that an argument names as a string.
    private func table(_ expression: Expression, in snapshot: any DatabaseSnapshot) throws(FirnError) -> TableSchema {
        let name = try text(expression, "a table name")
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map { part in
            Identifier(String(part), isQuoted: true, range: expression.range)
        }
        return try table(QualifiedName(parts), in: snapshot)
    }

    private func text(_ expression: Expression, _ what: String) throws(FirnError) -> String {
        if case .string(let text) = expression.kind { return text }
        if case .text(let text) = try constant(expression) { return text }
        throw FirnError(
            .invalidParameterValue, "\(what) is expected here, as a string", position: expression.range.start.byteOffset
        )
    }

    private func flag(_ expression: Expression?) throws(FirnError) -> Bool {
        guard let expression else { return false }
        return try constant(expression) == .boolean(true)
    }

    /// The value of an expression without columns.
    private func constant(_ expression: Expression) throws(FirnError) -> Value {
        let bound = try binder(try store.snapshot()).bindScalar(expression)
        return try ExpressionEvaluator(context).evaluateConstant(bound)
    }
}

/// The arguments of a procedure, by name, whether they were given by position or by name.
private struct ProcedureArguments {
    private var values: [String: Expression] = [:]
    private let call: FunctionCall

    init(_ call: FunctionCall, names: [String], aliases: [String: String], named: [String]) throws(FirnError) {
        self.call = call
        for (index, argument) in call.arguments.enumerated() {
            if let given = argument.name {
                let name = aliases[given.name] ?? given.name
                guard names.contains(name) || named.contains(name) else {
                    throw FirnError(
                        .undefinedFunction, "\(call.name.name) has no argument \"\(given.name)\"",
                        hint: "Its arguments are: " + (names + named).joined(separator: ", ") + ".",
                        position: given.range.start.byteOffset)
                }
                values[name] = argument.value
            } else {
                guard index < names.count else {
                    throw FirnError(
                        .undefinedFunction, "too many arguments for \(call.name.name)",
                        position: argument.value.range.start.byteOffset)
                }
                values[names[index]] = argument.value
            }
        }
    }

    subscript(name: String) -> Expression? { values[name] }

    mutating func set(_ name: String, _ value: Expression) { values[name] = value }

    func required(_ name: String) throws(FirnError) -> Expression {
        if let value = values[name] { return value }
        throw FirnError(
            .undefinedFunction, "\(call.name.name) needs the argument \"\(name)\"",
            position: call.name.range.start.byteOffset)
    }
}
