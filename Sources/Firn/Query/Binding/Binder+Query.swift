// SPDX-License-Identifier: Apache-2.0
//
// Whole queries: WITH, VALUES, UNION, and what ORDER BY and LIMIT make of a body.

import FirnSyntax

/// What a query asks of its body's rows.
struct QueryTail {
    var orderBy: [OrderItem]
    var limit: Int?
    var offset: Int

    var isEmpty: Bool { orderBy.isEmpty && limit == nil && offset == 0 }

    /// The plan with the limit applied.
    func limiting(_ plan: LogicalPlan) -> LogicalPlan {
        limit == nil && offset == 0 ? plan : .limit(plan, limit: limit, offset: offset)
    }
}

/// Whether the outputs of a query may stay undecided because the query around it decides their types.
enum UnknownOutputs {
    case becomeText
    case stay
}

extension Binder {
    func bindQuery(
        _ query: Query, in environment: QueryEnvironment, unknowns: UnknownOutputs = .stay
    ) throws(FirnError) -> LogicalPlan {
        try checkStack(position: query.range.start.byteOffset)
        var environment = environment
        if let with = query.with { environment = try binding(with, in: environment) }
        if query.limitWithTies {
            throw Binder.unsupported("FETCH … WITH TIES", position: query.range.start.byteOffset)
        }
        let tail = QueryTail(
            orderBy: query.orderBy, limit: try rowCount(query.limit, clause: .limit),
            offset: try rowCount(query.offset, clause: .offset) ?? 0)
        switch query.body {
        case .select(let select): return try bindSelect(select, tail: tail, in: environment, unknowns: unknowns)
        case .values(let rows): return try ordered(try bindValues(rows, unknowns: unknowns), by: tail)
        case .setOperation:
            let plan = try bindSetOperations(of: query, in: environment)
            return try ordered(plan, by: tail, isSetOperation: true)
        case .query(let inner):
            return try ordered(try bindQuery(inner, in: environment, unknowns: unknowns), by: tail)
        case .table(let name):
            return try ordered(try bindTable(name, alias: nil, in: environment).plan, by: tail)
        }
    }

    private func binding(
        _ with: WithClause, in outer: QueryEnvironment
    ) throws(FirnError) -> QueryEnvironment {
        if with.isRecursive { throw Binder.unsupported("WITH RECURSIVE", position: with.range.start.byteOffset) }
        var environment = outer
        var names: Set<String> = []
        for expression in with.expressions {
            guard names.insert(expression.name.name).inserted else {
                throw FirnError(
                    SQLState("42712"), "WITH query name \"\(expression.name.name)\" specified more than once",
                    position: expression.name.range.start.byteOffset)
            }
            // Bound whether it is used or not: what is wrong with it is an error.
            let plan = try bindQuery(expression.query, in: environment, unknowns: .becomeText)
            let source = try source(plan, relation: expression.name.name, columns: expression.columns)
            let rows = CommonRows(
                name: expression.name.name, plan: source.plan, isMaterialized: expression.isMaterialized)
            environment.commonTables[expression.name.name] = .init(rows: rows, names: source.scope.columns.map(\.name))
        }
        return environment
    }

    /// The argument of LIMIT or OFFSET; nil for NULL and for none.
    private func rowCount(_ expression: Expression?, clause: Clause) throws(FirnError) -> Int? {
        guard let expression else { return nil }
        let value: Value
        if case .column = expression.kind {
            throw FirnError(
                .invalidColumnReference, "argument of \(clause.rawValue) must not contain variables",
                position: expression.range.start.byteOffset)
        }
        // PostgreSQL rounds a number with a fraction.
        let bound = try bind(expression, in: ExpressionScope(.empty, clause: clause))
        let typed =
            bound.type.isNumber || bound.type == .unknown
            ? try convert(bound, to: .bigint) : try coerce(bound, to: .bigint, .implicit, clause: clause)
        value = try ExpressionEvaluator(context).evaluateConstant(typed)
        guard case .integer(let count) = value else { return nil }
        guard count >= 0 else {
            throw FirnError(
                SQLState(clause == .limit ? "2201W" : "2201X"), "\(clause.rawValue) must not be negative",
                position: expression.range.start.byteOffset)
        }
        return Int(count)
    }

    // MARK: VALUES and UNION

    private func bindValues(_ rows: [ValuesRow], unknowns: UnknownOutputs) throws(FirnError) -> LogicalPlan {
        var bound: [[BoundExpression]] = []
        for row in rows {
            guard row.values.count == rows[0].values.count else {
                throw FirnError(
                    .syntaxError, "VALUES lists must all be the same length", position: row.range.start.byteOffset)
            }
            var values: [BoundExpression] = []
            for value in row.values {
                values.append(try bind(value, in: ExpressionScope(.empty, clause: .values)))
            }
            bound.append(values)
        }
        var columns: [OutputColumn] = []
        for index in rows[0].values.indices {
            let unified = try unifiedColumn(bound.map { $0[index] }, in: "VALUES", unknowns: unknowns)
            for row in bound.indices { bound[row][index] = unified[row] }
            columns.append(OutputColumn(name: "column\(index + 1)", type: unified[0].type))
        }
        return .values(rows: bound, columns: columns)
    }

    private func unifiedColumn(
        _ column: [BoundExpression], in construct: String, unknowns: UnknownOutputs
    ) throws(FirnError) -> [BoundExpression] {
        if unknowns == .stay, column.allSatisfy({ $0.type == .unknown }) { return column }
        return try unified(column, in: construct)
    }

    /// A chain of set operations, from left to right: UNION ALL is one list, and so are UNIONs in a row, since only
    /// the last one's DISTINCT counts.
    private func bindSetOperations(
        of query: Query, in environment: QueryEnvironment
    ) throws(FirnError) -> LogicalPlan {
        let position = query.range.start.byteOffset
        var arms: [(isAll: Bool, body: QueryBody)] = []
        var first = query.body
        while case .setOperation(let symbol, let isAll, let left, let right) = first {
            guard symbol == .union else { throw Binder.unsupported(symbol.rawValue, position: position) }
            arms.append((isAll, right))
            first = left
        }
        var inputs = [try bindOperand(first, of: query, in: environment)]
        var columns = inputs[0].columns
        var isDistinct = false
        for arm in arms.reversed() {
            let right = try bindOperand(arm.body, of: query, in: environment)
            let united = try unitedColumns(columns, right.columns, position: position)
            if inputs.count > 1, united.map(\.type) != columns.map(\.type) || (isDistinct && arm.isAll) {
                let appended = LogicalPlan.append(inputs, columns: columns)
                inputs = [isDistinct ? .distinct(appended) : appended]
            }
            columns = united
            if inputs.count == 1 { inputs[0] = try typed(inputs[0], as: columns) }
            let typedRight = try typed(right, as: columns)
            if case .append(let inner, let innerColumns) = typedRight, innerColumns.map(\.type) == columns.map(\.type) {
                inputs += inner
            } else {
                inputs.append(typedRight)
            }
            isDistinct = !arm.isAll
        }
        let appended = LogicalPlan.append(inputs, columns: columns)
        return isDistinct ? .distinct(appended) : appended
    }

    /// The columns of two queries in one: the names of the left, the types common to both.
    private func unitedColumns(
        _ left: [OutputColumn], _ right: [OutputColumn], position: Int
    ) throws(FirnError) -> [OutputColumn] {
        guard left.count == right.count else {
            throw FirnError(
                .syntaxError, "each UNION query must have the same number of columns", position: position)
        }
        var columns: [OutputColumn] = []
        for (one, other) in zip(left, right) {
            guard let type = CoercionRules.commonType(of: [one.type, other.type]) else {
                throw FirnError(
                    .datatypeMismatch,
                    "UNION types \(one.type.familyName) and \(other.type.familyName) cannot be matched",
                    position: position)
            }
            columns.append(OutputColumn(name: one.name, type: type))
        }
        return columns
    }

    private func bindOperand(
        _ body: QueryBody, of query: Query, in environment: QueryEnvironment
    ) throws(FirnError) -> LogicalPlan {
        var operand = query
        operand.with = nil
        operand.body = body
        operand.orderBy = []
        operand.limit = nil
        operand.offset = nil
        return try bindQuery(operand, in: environment, unknowns: .stay)
    }

    /// The plan with its columns brought to the given types.
    private func typed(_ plan: LogicalPlan, as columns: [OutputColumn]) throws(FirnError) -> LogicalPlan {
        let types = plan.columns.map(\.type)
        if types == columns.map(\.type) { return plan }
        switch plan {
        case .project(let input, let expressions, _):
            // Literals are read as the type that the other side has.
            var converted: [BoundExpression] = []
            for (expression, column) in zip(expressions, columns) {
                converted.append(try convert(expression, to: column.type))
            }
            return .project(input, converted, columns: columns)
        case .values(let rows, _):
            var converted: [[BoundExpression]] = []
            for row in rows {
                var values: [BoundExpression] = []
                for (value, column) in zip(row, columns) { values.append(try convert(value, to: column.type)) }
                converted.append(values)
            }
            return .values(rows: converted, columns: columns)
        default:
            var converted: [BoundExpression] = []
            for (index, column) in columns.enumerated() {
                let reference = BoundExpression(.column(index), types[index])
                converted.append(try convert(reference, to: column.type))
            }
            return .project(plan, converted, columns: columns)
        }
    }

    // MARK: ORDER BY over finished columns

    /// The plan sorted and limited; ORDER BY names its output columns.
    private func ordered(
        _ plan: LogicalPlan, by tail: QueryTail, isSetOperation: Bool = false
    ) throws(FirnError) -> LogicalPlan {
        if tail.orderBy.isEmpty { return tail.limiting(plan) }
        let columns = plan.columns
        let scope = Scope(columns, relation: nil)
        var keys: [LogicalPlan.SortKey] = []
        for item in tail.orderBy {
            let position = item.expression.range.start.byteOffset
            let expression: BoundExpression
            if let index = try outputIndex(of: item.expression, names: columns.map(\.name), clause: .orderBy) {
                expression = BoundExpression(.column(index), columns[index].type, position: position)
            } else if isSetOperation {
                throw FirnError(
                    .featureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                    detail: "Only result column names can be used, not expressions or functions.",
                    hint: "Add the expression/function to every SELECT, or move the UNION into a FROM clause.",
                    position: position)
            } else {
                expression = try bind(item.expression, in: ExpressionScope(scope, clause: .orderBy))
            }
            keys.append(try sortKey(expression, item))
        }
        return tail.limiting(.sort(plan, keys))
    }

    /// The output column that an ordinal or a bare name means in ORDER BY or GROUP BY; nil for an expression.
    func outputIndex(
        of expression: Expression, names: [String], clause: Clause
    ) throws(FirnError) -> Int? {
        let position = expression.range.start.byteOffset
        // A sign belongs to its literal.
        if case .unary(.minus, let operand) = expression.kind {
            switch operand.kind {
            case .integer(let digits):
                throw FirnError(
                    .invalidColumnReference, "\(clause.rawValue) position -\(digits) is not in select list",
                    position: position)
            case .decimal: return try outputIndex(of: operand, names: names, clause: clause)
            default: return nil
            }
        }
        switch expression.kind {
        case .integer(let digits):
            guard let ordinal = Int(digits), ordinal >= 1, ordinal <= names.count else {
                throw FirnError(
                    .invalidColumnReference, "\(clause.rawValue) position \(digits) is not in select list",
                    position: position)
            }
            return ordinal - 1
        case .decimal, .string, .boolean, .null:
            throw FirnError(
                .syntaxError, "non-integer constant in \(clause.rawValue)", position: position)
        case .column(let name) where name.parts.count == 1: return names.firstIndex(of: name.name)
        default: return nil
        }
    }

    /// A key of ORDER BY. Error 42883 for types without an order.
    func sortKey(_ expression: BoundExpression, _ item: OrderItem) throws(FirnError) -> LogicalPlan.SortKey {
        let expression = try resolvingUnknown(expression)
        guard AggregateCatalogue.hasOrder(expression.type) else {
            throw FirnError(
                .undefinedFunction, "could not identify an ordering operator for type \(expression.type.familyName)",
                position: item.expression.range.start.byteOffset)
        }
        return LogicalPlan.SortKey(
            expression: expression, isDescending: item.direction == .descending, nullsFirst: item.putsNullsFirst)
    }
}
