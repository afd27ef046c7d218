// SPDX-License-Identifier: Apache-2.0
//
// show_chunks('table', older_than => …, newer_than => …), as TimescaleDB has it: the names of a table's chunks, those
// that end before one time and begin after another.
//
// A row for each chunk: in FROM as any function that gives rows, and in a select list without FROM, whether alone or as
// an argument, as in SELECT compress_chunk(show_chunks('t')).

import FirnSyntax

/// Which chunks of a table are asked for.
struct ShownChunks: Sendable {
    static let functionName = "show_chunks"

    var table: TableSchema
    /// In the unit of the table's time column: only chunks that end here or before.
    var olderThan: Int64?
    /// Only chunks that begin here or later.
    var newerThan: Int64?

    func contains(_ chunk: ChunkBounds) -> Bool {
        if let olderThan, chunk.end > olderThan { return false }
        if let newerThan, chunk.start < newerThan { return false }
        return true
    }
}

extension Binder {
    func bindShowChunks(
        _ call: FunctionCall, columnName: String, position: Int
    ) throws(FirnError) -> LogicalPlan.CatalogueScan {
        let names = ["relation", "older_than", "newer_than"]
        var arguments: [String: Expression] = [:]
        for (index, argument) in call.arguments.enumerated() {
            let name = argument.name?.name ?? (index < names.count ? names[index] : nil)
            guard let name, names.contains(name), arguments.updateValue(argument.value, forKey: name) == nil else {
                throw FirnError(
                    .undefinedFunction, "show_chunks has no such argument",
                    hint: "Its arguments are: \(names.joined(separator: ", ")).",
                    position: argument.value.range.start.byteOffset)
            }
        }
        guard let relation = arguments["relation"] else {
            throw FirnError(
                .undefinedFunction, "show_chunks needs the argument \"relation\"", position: position)
        }
        var shown = ShownChunks(table: try shownTable(relation))
        if let limit = arguments["older_than"] { shown.olderThan = try chunkTime(limit, shown.table) }
        if let limit = arguments["newer_than"] { shown.newerThan = try chunkTime(limit, shown.table) }
        return LogicalPlan.CatalogueScan(
            relation: .chunks(shown), columns: [OutputColumn(name: columnName, type: .text)])
    }

    private func shownTable(_ expression: Expression) throws(FirnError) -> TableSchema {
        let position = expression.range.start.byteOffset
        guard case .text(let text) = try constantValue(expression, type: .text, clause: .from) else {
            throw FirnError(.invalidParameterValue, "show_chunks takes the name of a table", position: position)
        }
        let name = text.hasPrefix("public.") ? String(text.dropFirst("public.".count)) : text
        guard let table = catalogue.table(named: name) else {
            throw FirnError(
                .undefinedTable, "relation \"\(text)\" does not exist",
                hint: Suggestion.hint(for: name, among: catalogue.tables.map(\.name)), position: position)
        }
        return table
    }

    /// A limit in the unit of the table's times: a time, or an interval before now.
    private func chunkTime(_ expression: Expression, _ table: TableSchema) throws(FirnError) -> Int64? {
        let position = expression.range.start.byteOffset
        guard let index = table.timeColumnIndex else {
            throw FirnError(
                "TS001", "table \"\(table.name)\" has no time column", hint: "All of its rows are one chunk.",
                position: position)
        }
        let type = table.columns[index].type
        let bound = try bind(expression, in: ExpressionScope(.empty, clause: .from))
        let time: BoundExpression
        if bound.type == .interval {
            let now = BoundExpression(
                .constant(.integer(context.statementMicroseconds)), .timestamptz, position: position)
            time = try convert(try bindOperator("-", now, bound, position: position), to: type)
        } else {
            time = try coerce(bound, to: type, .assignment, clause: .from)
        }
        let value = try ExpressionEvaluator(context).evaluateConstant(time)
        if case .integer(let time) = value { return time }
        return nil
    }

    // MARK: In the select list

    /// The block with a show_chunks of its select list as a column, and the rows in which that is; nil without one.
    func movingSetFunctions(_ select: Select) throws(FirnError) -> (Select, BoundSource?) {
        var moved: FunctionCall?
        var copy = select
        for index in copy.items.indices {
            let name = copy.items[index].outputName
            let expression = try moving(copy.items[index].expression, &moved)
            guard expression != copy.items[index].expression else { continue }
            copy.items[index].expression = expression
            if copy.items[index].alias == nil { copy.items[index].alias = Identifier(name) }
        }
        guard let moved else { return (select, nil) }
        let position = moved.name.range.start.byteOffset
        guard select.from.isEmpty else {
            throw Binder.unsupported(
                "show_chunks in the select list beside FROM", position: position, hint: "Write it in FROM.")
        }
        let scan = try bindShowChunks(moved, columnName: ShownChunks.functionName, position: position)
        return (copy, try source(.catalogue(scan), relation: ShownChunks.functionName, columns: []))
    }

    private func moving(_ expression: Expression, _ moved: inout FunctionCall?) throws(FirnError) -> Expression {
        guard case .functionCall(var call) = expression.kind else { return expression }
        if call.name.name == ShownChunks.functionName {
            if moved != nil {
                throw Binder.unsupported(
                    "show_chunks twice in a select list", position: expression.range.start.byteOffset)
            }
            moved = call
            return Expression(.column(QualifiedName([call.name.last])), range: expression.range)
        }
        for index in call.arguments.indices {
            call.arguments[index].value = try moving(call.arguments[index].value, &moved)
        }
        return Expression(.functionCall(call), range: expression.range)
    }
}
