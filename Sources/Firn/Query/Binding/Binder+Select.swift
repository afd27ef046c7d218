// SPDX-License-Identifier: Apache-2.0
//
// One SELECT block: FROM, WHERE, GROUP BY, HAVING, the select list, DISTINCT, ORDER BY.
//
// The plan is laid in the order in which SQL means it: source, filter, aggregate, filter, project, distinct,
// sort, limit. Sort keys that are not in the select list are computed by the projection as further columns, and
// a last projection leaves them out.

import FirnSyntax

/// An item of the select list once its stars are expanded.
private struct BoundItem {
    var name: String
    /// Over the input of the aggregation while the block is being bound, then over its output.
    var expression: BoundExpression
    /// What was written; nil for a column of a star.
    var syntax: Expression?
}

extension Binder {
    func bindSelect(
        _ select: Select, tail: QueryTail, in environment: QueryEnvironment, unknowns: UnknownOutputs
    ) throws(FirnError) -> LogicalPlan {
        try refuseUnbuilt(select)
        let (select, moved) = try movingSetFunctions(select)
        let source = if let moved { moved } else { try bindFrom(select.from, in: environment) }
        let scope = source.scope
        var plan = source.plan
        if let filter = select.filter {
            let condition = try condition(filter, of: "WHERE", in: ExpressionScope(scope, clause: .filter))
            if condition.constantValue != .boolean(true) { plan = .filter(plan, condition) }
        }

        let collector = AggregateCollector(inputColumnCount: scope.columns.count)
        var items = try bindItems(select.items, scope, collector, unknowns: unknowns)
        var keys = try bindGroupKeys(select.groupBy, items: select.items, boundItems: items, scope, collector)
        var having: BoundExpression?
        if let condition = select.having {
            having = try self.condition(
                condition, of: "HAVING", in: ExpressionScope(scope, clause: .having, aggregates: collector))
        }
        var orders = try bindOrder(tail.orderBy, items: items, scope, collector)

        if select.groupBy != nil || having != nil || !collector.aggregates.isEmpty {
            keys += dependentKeys(
                keys, source.plan, items.map(\.expression) + orders.compactMap(\.hidden) + (having.map { [$0] } ?? []))
            let grouped = GroupedExpressions(
                keys: keys, inputColumnCount: collector.inputColumnCount, scope: scope)
            for index in items.indices { items[index].expression = try grouped.rewrite(items[index].expression) }
            for index in orders.indices {
                if let hidden = orders[index].hidden { orders[index].hidden = try grouped.rewrite(hidden) }
            }
            let columns =
                keys.enumerated().map { OutputColumn(name: keyName($1, $0, scope), type: $1.type) }
                + collector.aggregates.map { OutputColumn(name: $0.text, type: $0.type) }
            plan = .aggregate(plan, keys: keys, aggregates: collector.aggregates, columns: columns)
            if let having { plan = .filter(plan, try grouped.rewrite(having)) }
        }
        return try finish(plan, select, items: items, orders: orders, tail: tail)
    }

    private func refuseUnbuilt(_ select: Select) throws(FirnError) {
        if let window = select.windows.first {
            throw Binder.unsupported("WINDOW", position: window.name.range.start.byteOffset)
        }
        if let qualify = select.qualify {
            throw Binder.unsupported("QUALIFY", position: qualify.range.start.byteOffset)
        }
        if case .on(let expressions) = select.distinct {
            throw Binder.unsupported(
                "DISTINCT ON", position: expressions.first?.range.start.byteOffset ?? select.range.start.byteOffset,
                hint: "use last(value, time) with GROUP BY")
        }
    }

    private func keyName(_ key: BoundExpression, _ index: Int, _ scope: Scope) -> String {
        if case .column(let column) = key.kind { scope.columns[column].name } else { "key\(index + 1)" }
    }

    // MARK: The select list

    private func bindItems(
        _ items: [SelectItem], _ scope: Scope, _ collector: AggregateCollector, unknowns: UnknownOutputs
    ) throws(FirnError) -> [BoundItem] {
        var bound: [BoundItem] = []
        for item in items {
            let position = item.expression.range.start.byteOffset
            if case .star(let qualifier) = item.expression.kind {
                for index in try scope.expand(star: qualifier, position: position) {
                    let column = scope.columns[index]
                    bound.append(
                        BoundItem(
                            name: column.name,
                            expression: BoundExpression(.column(index), column.type, position: position), syntax: nil))
                }
                continue
            }
            var expression = try bind(
                item.expression, in: ExpressionScope(scope, clause: .select, aggregates: collector))
            if unknowns == .becomeText { expression = try resolvingUnknown(expression) }
            bound.append(BoundItem(name: item.outputName, expression: expression, syntax: item.expression))
        }
        return bound
    }

    // MARK: GROUP BY

    /// The keys, each once. A name is first a column of FROM, then an output name; an integer is an ordinal.
    private func bindGroupKeys(
        _ clause: GroupByClause?, items: [SelectItem], boundItems: [BoundItem], _ scope: Scope,
        _ collector: AggregateCollector
    ) throws(FirnError) -> [BoundExpression] {
        guard let clause else { return [] }
        var keys: [BoundExpression] = []
        func add(_ key: BoundExpression) throws(FirnError) {
            let key = try resolvingUnknown(key)
            if case .vector = key.type {
                throw FirnError(
                    .undefinedFunction, "could not identify an equality operator for type vector",
                    position: key.position)
            }
            if !keys.contains(where: { $0.isSame(as: key) }) { keys.append(key) }
        }
        if clause.isAll {
            for item in boundItems where !refersToAggregates(item.expression, collector) { try add(item.expression) }
            return keys
        }
        for element in clause.elements {
            switch element {
            case .empty: continue
            case .rollup, .cube, .sets:
                throw Binder.unsupported(
                    "ROLLUP, CUBE or GROUPING SETS", position: clause.range.start.byteOffset)
            case .expression(let expression):
                try add(try bindGroupKey(expression, boundItems: boundItems, scope, collector))
            }
        }
        return keys
    }

    private func bindGroupKey(
        _ expression: Expression, boundItems: [BoundItem], _ scope: Scope, _ collector: AggregateCollector
    ) throws(FirnError) -> BoundExpression {
        let position = expression.range.start.byteOffset
        var isInputColumn = false
        if case .column(let name) = expression.kind, name.parts.count == 1 {
            isInputColumn = try scope.index(of: name.name, in: nil, position: position) != nil
        }
        if !isInputColumn,
            let index = try outputIndex(of: expression, names: boundItems.map(\.name), clause: .groupBy)
        {
            if refersToAggregates(boundItems[index].expression, collector) {
                throw FirnError(
                    .groupingError, "aggregate functions are not allowed in GROUP BY",
                    position: boundItems[index].expression.position)
            }
            return boundItems[index].expression
        }
        return try bind(expression, in: ExpressionScope(scope, clause: .groupBy))
    }

    /// Where the keys hold the whole primary key of the one table, its other columns have one value a group: those
    /// that are used come along as keys.
    private func dependentKeys(
        _ keys: [BoundExpression], _ source: LogicalPlan, _ users: [BoundExpression]
    ) -> [BoundExpression] {
        guard case .scan(let scan) = source, !scan.table.primaryKey.isEmpty else { return [] }
        let grouped = Set(keys.compactMap { if case .column(let index) = $0.kind { scan.columns[index] } else { nil } })
        guard grouped.isSuperset(of: scan.table.primaryKey) else { return [] }
        return scan.columns.indices.filter { index in
            !grouped.contains(scan.columns[index])
                && users.contains { $0.contains { if case .column(index) = $0.kind { true } else { false } } }
        }.map { index in
            let column = scan.table.columns[scan.table.index(of: scan.columns[index])!]
            return BoundExpression(.column(index), column.type)
        }
    }

    private func refersToAggregates(_ expression: BoundExpression, _ collector: AggregateCollector) -> Bool {
        expression.contains { part in
            if case .column(let index) = part.kind { index >= collector.inputColumnCount } else { false }
        }
    }

    // MARK: ORDER BY

    private struct BoundOrder {
        var item: OrderItem
        /// The item of the select list by which to sort; nil for a hidden expression.
        var output: Int?
        var hidden: BoundExpression?
    }

    /// A name is first an output name, then a column of FROM; an integer is an ordinal.
    private func bindOrder(
        _ orderBy: [OrderItem], items: [BoundItem], _ scope: Scope, _ collector: AggregateCollector
    ) throws(FirnError) -> [BoundOrder] {
        var orders: [BoundOrder] = []
        for item in orderBy {
            if case .column(let name) = item.expression.kind, name.parts.count == 1 {
                let matches = items.indices.filter { items[$0].name == name.name }
                if matches.contains(where: { !items[$0].expression.isSame(as: items[matches[0]].expression) }) {
                    throw FirnError(
                        .ambiguousColumn, "ORDER BY \"\(name.name)\" is ambiguous",
                        position: item.expression.range.start.byteOffset)
                }
            }
            if let index = try outputIndex(of: item.expression, names: items.map(\.name), clause: .orderBy) {
                orders.append(BoundOrder(item: item, output: index, hidden: nil))
                continue
            }
            let expression = try bind(
                item.expression, in: ExpressionScope(scope, clause: .orderBy, aggregates: collector))
            let output = items.firstIndex { $0.expression.isSame(as: expression) }
            orders.append(BoundOrder(item: item, output: output, hidden: output == nil ? expression : nil))
        }
        return orders
    }

    // MARK: Above the projection

    private func finish(
        _ input: LogicalPlan, _ select: Select, items: [BoundItem], orders: [BoundOrder], tail: QueryTail
    ) throws(FirnError) -> LogicalPlan {
        var expressions = items.map(\.expression)
        let visible = items.map { OutputColumn(name: $0.name, type: $0.expression.type) }
        var columns = visible
        var keys: [LogicalPlan.SortKey] = []
        for order in orders {
            let position = order.item.expression.range.start.byteOffset
            let index: Int
            if let output = order.output {
                index = output
            } else {
                let hidden = try resolvingUnknown(order.hidden!)
                if select.distinct != nil {
                    throw FirnError(
                        .invalidColumnReference,
                        "for SELECT DISTINCT, ORDER BY expressions must appear in select list", position: position)
                }
                index = expressions.count
                expressions.append(hidden)
                columns.append(OutputColumn(name: "sort\(index)", type: hidden.type))
            }
            let column = BoundExpression(.column(index), columns[index].type, position: position)
            // A constant sorts nothing.
            if expressions[index].isConstant { continue }
            keys.append(try sortKey(column, order.item))
        }
        var plan = LogicalPlan.project(input, expressions, columns: columns)
        if case .all = select.distinct {
            if let column = visible.first(where: { if case .vector = $0.type { true } else { false } }) {
                throw FirnError(
                    .undefinedFunction, "could not identify an equality operator for type vector",
                    detail: "column \"\(column.name)\"", position: select.range.start.byteOffset)
            }
            plan = .distinct(plan)
        }
        if !keys.isEmpty { plan = .sort(plan, keys) }
        plan = tail.limiting(plan)
        if columns.count > visible.count {
            let references = visible.enumerated().map { BoundExpression(.column($0), $1.type) }
            plan = .project(plan, references, columns: visible)
        }
        return plan
    }
}

extension BoundExpression {
    /// Whether it or one of its parts passes the test.
    func contains(_ test: (BoundExpression) -> Bool) -> Bool {
        if test(self) { return true }
        switch kind {
        case .constant, .column: return false
        case .call(_, let parts), .and(let parts), .or(let parts), .coalesce(let parts):
            return parts.contains { $0.contains(test) }
        case .compare(_, let left, let right), .isDistinct(let left, let right, _):
            return left.contains(test) || right.contains(test)
        case .cast(let part), .not(let part), .isNull(let part, _), .isBoolean(let part, _, _),
            .inConstants(let part, _, _, _):
            return part.contains(test)
        case .case(let branches, let otherwise):
            return branches.contains { $0.condition.contains(test) || $0.result.contains(test) }
                || otherwise?.contains(test) == true
        }
    }
}
