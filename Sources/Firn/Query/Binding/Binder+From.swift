// SPDX-License-Identifier: Apache-2.0
//
// FROM: tables, system views, WITH queries, queries in parentheses, generate_series, show_chunks.

import FirnSyntax

/// An item of FROM: its rows, and what its columns are called.
struct BoundSource {
    var plan: LogicalPlan
    var scope: Scope
}

extension Binder {
    /// The rows that a SELECT works on; without FROM one row without columns.
    func bindFrom(_ items: [FromItem], in environment: QueryEnvironment) throws(FirnError) -> BoundSource {
        guard let first = items.first else {
            return BoundSource(plan: .values(rows: [[]], columns: []), scope: .empty)
        }
        if items.count > 1 {
            throw Binder.unsupported("a join (several tables in FROM)", position: items[1].range.start.byteOffset)
        }
        return try bindItem(first, in: environment)
    }

    private func bindItem(_ item: FromItem, in environment: QueryEnvironment) throws(FirnError) -> BoundSource {
        switch item.kind {
        case .table(let name): return try bindTable(name, alias: item.alias, in: environment)
        case .query(let query, _):
            let plan = try bindQuery(query, in: environment, unknowns: .becomeText)
            return try source(plan, relation: item.alias?.name.name, columns: item.alias?.columns ?? [])
        case .function(let function):
            return try bindFunction(function, alias: item.alias, position: item.range.start.byteOffset)
        case .join(let join):
            let word = join.isAsOf ? "ASOF JOIN" : join.kind == .inner ? "JOIN" : "\(join.kind.rawValue) JOIN"
            throw Binder.unsupported(word, position: join.right.range.start.byteOffset)
        }
    }

    /// A table of the catalogue, or a WITH query of that name.
    func bindTable(
        _ name: QualifiedName, alias: TableAlias?, in environment: QueryEnvironment
    ) throws(FirnError) -> BoundSource {
        let position = name.range.start.byteOffset
        let relation = alias?.name.name ?? name.name
        if name.qualifier == nil, let common = environment.commonTables[name.name] {
            common.rows.countReference()
            return try source(
                .common(common.rows), relation: relation, columns: alias?.columns ?? [], names: common.names)
        }
        let shown = name.parts.map(\.name).joined(separator: ".")
        guard name.qualifier == nil || name.qualifier?.name == "public", let table = catalogue.table(named: name.name)
        else {
            if name.qualifier == nil, let view = SystemView(rawValue: name.name) {
                return try source(.catalogue(view.scan), relation: relation, columns: alias?.columns ?? [])
            }
            let known = catalogue.tables.map(\.name) + environment.commonTables.keys
            throw FirnError(
                .undefinedTable, "relation \"\(shown)\" does not exist",
                hint: Suggestion.hint(for: name.name, among: known),
                position: position)
        }
        let scan = LogicalPlan.TableScan(
            table: table, columns: table.columns.map(\.id), ranges: [], filter: nil, alias: relation)
        var bound = try source(.scan(scan), relation: relation, columns: alias?.columns ?? [])
        if relation != name.name { bound.scope.aliases[name.name] = relation }
        return bound
    }

    /// A plan under an alias, its first columns renamed.
    func source(
        _ plan: LogicalPlan, relation: String?, columns: [FirnSyntax.Identifier], names: [String]? = nil
    ) throws(FirnError) -> BoundSource {
        var outputs = plan.columns
        if let names { for index in outputs.indices { outputs[index].name = names[index] } }
        guard columns.count <= outputs.count else {
            throw FirnError(
                .invalidColumnReference,
                "table \"\(relation ?? "")\" has \(outputs.count) columns available but \(columns.count) columns specified",
                position: columns[0].range.start.byteOffset)
        }
        for (index, column) in columns.enumerated() { outputs[index].name = column.name }
        return BoundSource(plan: plan, scope: Scope(outputs, relation: relation))
    }

    // MARK: generate_series

    private func bindFunction(
        _ function: TableFunction, alias: TableAlias?, position: Int
    ) throws(FirnError) -> BoundSource {
        let call = function.call
        let name = call.name.name
        try checkSchema(of: call.name)
        if function.withOrdinality { throw Binder.unsupported("WITH ORDINALITY", position: position) }
        if name == ShownChunks.functionName {
            let columnName = alias?.columns.first?.name ?? alias?.name.name ?? name
            let scan = try bindShowChunks(call, columnName: columnName, position: position)
            return try source(.catalogue(scan), relation: alias?.name.name ?? name, columns: alias?.columns ?? [])
        }
        if functions.functions[name] == nil, let missing = KnownNames.missingFunction(name, position: position) {
            throw missing
        }
        var arguments: [BoundExpression] = []
        for argument in call.arguments {
            if let label = argument.name {
                throw Binder.unsupported("\(label.name) => … in FROM", position: position)
            }
            arguments.append(try bind(argument.value, in: ExpressionScope(.empty, clause: .from)))
        }
        guard name == "generate_series" else {
            if functions.functions[name] != nil {
                throw Binder.unsupported("a scalar function in FROM", position: position)
            }
            if let missing = KnownNames.missingFunction(name, position: position) { throw missing }
            throw FirnError(
                .undefinedFunction, "function \(signature(name, arguments.map(\.type))) does not exist",
                hint: Suggestion.hint(for: name, among: ["generate_series", ShownChunks.functionName]),
                position: position)
        }
        // A series takes its alias for its column's name, too.
        let columnName = alias?.columns.first?.name ?? alias?.name.name ?? name
        let series = try bindSeries(arguments, columnName: columnName, position: position)
        return try source(.series(series), relation: alias?.name.name ?? name, columns: alias?.columns ?? [])
    }

    private func bindSeries(
        _ arguments: [BoundExpression], columnName: String, position: Int
    ) throws(FirnError) -> LogicalPlan.SeriesScan {
        let types = arguments.map(\.type)
        guard case .found(let overload) = OverloadResolution.resolve(Binder.seriesOverloads, types, isOperator: false)
        else {
            throw FirnError(
                .undefinedFunction, "function \(signature("generate_series", types)) does not exist",
                hint:
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                position: position)
        }
        var bounds: [BoundExpression] = []
        for (index, argument) in arguments.enumerated() {
            bounds.append(try convert(argument, to: overload.family(at: index)!.type))
        }
        let type = bounds[0].type
        if bounds.count == 2 {
            let one = BoundExpression(.constant(.text("1")), .unknown, position: position)
            bounds.append(try convert(one, to: type))
        }
        return LogicalPlan.SeriesScan(
            start: bounds[0], stop: bounds[1], step: bounds[2],
            column: OutputColumn(name: columnName, type: type))
    }

    private static let seriesOverloads: [FunctionOverload] = {
        // Only resolved, never called.
        let body: FunctionOverload.Body = { arguments, _, _ throws(FirnError) in arguments[0] }
        var overloads: [FunctionOverload] = []
        for family in [TypeFamily.integer, .bigint, .numeric] {
            overloads.append(FunctionOverload([family, family], family.type, body: body))
            overloads.append(FunctionOverload([family, family, family], family.type, body: body))
        }
        for family in [TypeFamily.timestamp, .timestamptz] {
            overloads.append(FunctionOverload([family, family, .interval], family.type, body: body))
        }
        return overloads
    }()
}
