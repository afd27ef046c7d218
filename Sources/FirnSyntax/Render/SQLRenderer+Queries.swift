// SPDX-License-Identifier: Apache-2.0
//
// Queries back to SQL text.

extension SQLRenderer {
    mutating func render(_ query: Query) {
        if let with = query.with {
            write(with.isRecursive ? "WITH RECURSIVE " : "WITH ")
            list(with.expressions) { $0.render($1) }
            write(" ")
        }
        render(query.body)
        if !query.orderBy.isEmpty {
            write(" ")
            render(orderBy: query.orderBy)
        }
        if let limit = query.limit, !query.limitWithTies {
            write(" LIMIT ")
            render(limit)
        }
        if let offset = query.offset {
            write(" OFFSET ")
            render(offset)
        }
        if let limit = query.limit, query.limitWithTies {
            write(" FETCH FIRST ")
            render(limit)
            write(" ROWS WITH TIES")
        }
    }

    private mutating func render(_ expression: CommonTableExpression) {
        render(expression.name)
        if !expression.columns.isEmpty {
            write(" ")
            render(expression.columns)
        }
        write(" AS ")
        if let isMaterialized = expression.isMaterialized {
            write(isMaterialized ? "MATERIALIZED " : "NOT MATERIALIZED ")
        }
        parenthesized { $0.render(expression.query) }
    }

    private mutating func render(_ body: QueryBody) {
        switch body {
        case .select(let select): render(select)
        case .values(let rows):
            write("VALUES ")
            list(rows) { renderer, row in renderer.parenthesized { $0.render(row.values) } }
        case .query(let query): parenthesized { $0.render(query) }
        case .table(let name):
            write("TABLE ")
            render(name)
        case .setOperation(let operation, let isAll, let left, let right):
            renderOperand(left, of: operation, isRight: false)
            write(" \(operation.rawValue) ")
            if isAll { write("ALL ") }
            renderOperand(right, of: operation, isRight: true)
        }
    }

    /// A side of a set operation, in parentheses where it would associate otherwise.
    private mutating func renderOperand(_ body: QueryBody, of operation: SetOperator, isRight: Bool) {
        guard case .setOperation(let inner, _, _, _) = body else { return render(body) }
        let bindsTighter = inner == .intersect && operation != .intersect
        let bindsAlike = (inner == .intersect) == (operation == .intersect)
        if bindsTighter || (bindsAlike && !isRight) {
            render(body)
        } else {
            parenthesized { $0.render(body) }
        }
    }

    private mutating func render(_ select: Select) {
        write("SELECT")
        switch select.distinct {
        case nil: break
        case .all?: write(" DISTINCT")
        case .on(let expressions)?:
            write(" DISTINCT ON ")
            parenthesized { $0.render(expressions) }
        }
        if !select.items.isEmpty { write(" ") }
        list(select.items) { renderer, item in
            renderer.render(item.expression)
            if let alias = item.alias {
                renderer.write(" AS ")
                renderer.render(alias)
            }
        }
        if !select.from.isEmpty {
            write(" FROM ")
            list(select.from) { $0.render($1) }
        }
        if let filter = select.filter {
            write(" WHERE ")
            render(filter)
        }
        if let groupBy = select.groupBy { render(groupBy) }
        if let having = select.having {
            write(" HAVING ")
            render(having)
        }
        if !select.windows.isEmpty {
            write(" WINDOW ")
            list(select.windows) { renderer, window in
                renderer.render(window.name)
                renderer.write(" AS ")
                renderer.render(window.specification)
            }
        }
        if let qualify = select.qualify {
            write(" QUALIFY ")
            render(qualify)
        }
    }

    // MARK: - GROUP BY

    private mutating func render(_ clause: GroupByClause) {
        write(" GROUP BY ")
        if clause.isAll { write("ALL") }
        if clause.isDistinct { write("DISTINCT ") }
        list(clause.elements) { $0.render($1) }
    }

    private mutating func render(_ element: GroupingElement) {
        switch element {
        case .expression(let expression): render(expression)
        case .empty: write("()")
        case .rollup(let expressions):
            write("ROLLUP ")
            parenthesized { $0.render(expressions) }
        case .cube(let expressions):
            write("CUBE ")
            parenthesized { $0.render(expressions) }
        case .sets(let elements):
            write("GROUPING SETS ")
            parenthesized { renderer in renderer.list(elements) { $0.render($1) } }
        }
    }

    // MARK: - FROM

    private mutating func render(_ item: FromItem) {
        switch item.kind {
        case .table(let name): render(name)
        case .query(let query, let isLateral):
            if isLateral { write("LATERAL ") }
            parenthesized { $0.render(query) }
        case .function(let function): return render(function, item.alias)
        case .join(let join): return render(join)
        }
        guard let alias = item.alias else { return }
        write(" AS ")
        render(alias.name)
        if !alias.columns.isEmpty { render(alias.columns) }
    }

    private mutating func render(_ function: TableFunction, _ alias: TableAlias?) {
        if function.isLateral { write("LATERAL ") }
        render(function.call)
        if function.withOrdinality { write(" WITH ORDINALITY") }
        if alias != nil || !function.columnDefinitions.isEmpty { write(" AS ") }
        if let alias {
            render(alias.name)
            if !alias.columns.isEmpty { render(alias.columns) }
        }
        if function.columnDefinitions.isEmpty { return }
        parenthesized { renderer in
            renderer.list(function.columnDefinitions) { renderer, column in
                if let name = column.name {
                    renderer.render(name)
                    renderer.write(" ")
                }
                renderer.render(column.type)
            }
        }
    }

    private mutating func render(_ join: Join) {
        render(join.left)
        write(" ")
        if case .natural? = join.condition { write("NATURAL ") }
        if join.isAsOf { write("ASOF ") }
        if join.kind != .inner { write("\(join.kind.rawValue) ") }
        write("JOIN ")
        if case .join = join.right.kind {
            parenthesized { $0.render(join.right) }
        } else {
            render(join.right)
        }
        switch join.condition {
        case nil, .natural?: break
        case .on(let condition)?:
            write(" ON ")
            render(condition)
        case .using(let names)?:
            write(" USING ")
            render(names)
        }
        if let tolerance = join.tolerance {
            write(" TOLERANCE ")
            render(tolerance)
        }
    }
}
