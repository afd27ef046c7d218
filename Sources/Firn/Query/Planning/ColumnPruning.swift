// SPDX-License-Identifier: Apache-2.0
//
// Leaves out the columns that nobody reads, from the root down to the scans: count(*) reads none at all.

enum ColumnPruning {
    static func apply(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        let count = plan.columns.count
        let pruned = try prune(plan, keeping: Set(0..<count))
        return try pruned.selecting(Array(0..<count))
    }

    /// A plan that produces some columns of another one, maybe more, maybe in another order.
    private struct Pruned {
        var plan: LogicalPlan
        /// Where each column of the original is now; nil for those that are gone.
        var positions: [Int?]

        /// An expression over the original, over the pruned plan.
        func moved(_ expression: BoundExpression) throws(FirnError) -> BoundExpression {
            try expression.replacingColumns { index in
                BoundExpression(.column(positions[index]!), plan.columns[positions[index]!].type)
            }
        }

        func moved(_ expressions: [BoundExpression]) throws(FirnError) -> [BoundExpression] {
            var moved: [BoundExpression] = []
            for expression in expressions { moved.append(try self.moved(expression)) }
            return moved
        }

        func moved(_ keys: [LogicalPlan.SortKey]) throws(FirnError) -> [LogicalPlan.SortKey] {
            var moved: [LogicalPlan.SortKey] = []
            for var key in keys {
                key.expression = try self.moved(key.expression)
                moved.append(key)
            }
            return moved
        }

        /// A plan of just these columns of the original, in this order.
        func selecting(_ columns: [Int]) throws(FirnError) -> LogicalPlan {
            let wanted = columns.map { positions[$0]! }
            let present = plan.columns
            if wanted == Array(present.indices) { return plan }
            let references = wanted.map { BoundExpression(.column($0), present[$0].type) }
            return .project(plan, references, columns: wanted.map { present[$0] })
        }
    }

    private static func positions(of kept: [Int], count: Int) -> [Int?] {
        var positions = [Int?](repeating: nil, count: count)
        for (position, column) in kept.enumerated() { positions[column] = position }
        return positions
    }

    private static func read(_ expressions: [BoundExpression]) -> Set<Int> {
        expressions.reduce(into: []) { $0.formUnion($1.columnsRead) }
    }

    private static func prune(_ plan: LogicalPlan, keeping wanted: Set<Int>) throws(FirnError) -> Pruned {
        let count = plan.columns.count
        switch plan {
        case .scan(var scan):
            let kept = wanted.sorted()
            let filtered = (scan.filter?.columnsRead ?? []).subtracting(wanted).sorted()
            let all = scan.columns
            scan.columns = kept.map { all[$0] }
            scan.filterColumns = filtered.map { all[$0] }
            if let filter = scan.filter {
                let read = positions(of: kept + filtered, count: count)
                scan.filter = try filter.replacingColumns { index in
                    BoundExpression(.column(read[index]!), filter.typeOfColumn(index))
                }
            }
            return Pruned(plan: .scan(scan), positions: positions(of: kept, count: count))
        case .values(let rows, let columns):
            let volatile = columns.indices.filter { index in rows.contains { $0[index].isVolatile } }
            let kept = wanted.union(volatile).sorted()
            return Pruned(
                plan: .values(rows: rows.map { row in kept.map { row[$0] } }, columns: kept.map { columns[$0] }),
                positions: positions(of: kept, count: count))
        case .series, .catalogue, .common:
            return Pruned(plan: plan, positions: Array(0..<count))
        case .filter(let input, let predicate):
            let pruned = try prune(input, keeping: wanted.union(predicate.columnsRead))
            return Pruned(
                plan: .filter(pruned.plan, try pruned.moved(predicate)), positions: pruned.positions)
        case .project(let input, let expressions, let columns):
            // A volatile call has an effect, or is counted on to have one, whether its value is read or not.
            let kept = wanted.union(expressions.indices.filter { expressions[$0].isVolatile }).sorted()
            let keptExpressions = kept.map { expressions[$0] }
            let pruned = try prune(input, keeping: read(keptExpressions))
            let moved = try pruned.moved(keptExpressions)
            let positions = positions(of: kept, count: count)
            if isIdentity(moved, over: pruned.plan) { return Pruned(plan: pruned.plan, positions: positions) }
            return Pruned(
                plan: .project(pruned.plan, moved, columns: kept.map { columns[$0] }), positions: positions)
        case .aggregate(let input, let keys, let aggregates, let columns):
            // Keys decide how many rows there are: all stay.
            let keptAggregates = aggregates.indices.filter {
                wanted.contains(keys.count + $0) || aggregates[$0].isVolatile
            }
            let kept = Array(keys.indices) + keptAggregates.map { keys.count + $0 }
            let parts = keptAggregates.flatMap {
                aggregates[$0].arguments + (aggregates[$0].filter.map { [$0] } ?? [])
            }
            let pruned = try prune(input, keeping: read(keys + parts))
            var moved: [BoundAggregate] = []
            for index in keptAggregates {
                var aggregate = aggregates[index]
                aggregate.arguments = try pruned.moved(aggregate.arguments)
                if let filter = aggregate.filter { aggregate.filter = try pruned.moved(filter) }
                moved.append(aggregate)
            }
            return Pruned(
                plan: .aggregate(
                    pruned.plan, keys: try pruned.moved(keys), aggregates: moved, columns: kept.map { columns[$0] }),
                positions: positions(of: kept, count: count))
        case .sort(let input, let keys):
            let pruned = try prune(input, keeping: wanted.union(read(keys.map(\.expression))))
            return Pruned(plan: .sort(pruned.plan, try pruned.moved(keys)), positions: pruned.positions)
        case .topRows(let input, let keys, let limit, let offset):
            let pruned = try prune(input, keeping: wanted.union(read(keys.map(\.expression))))
            return Pruned(
                plan: .topRows(pruned.plan, try pruned.moved(keys), limit: limit, offset: offset),
                positions: pruned.positions)
        case .limit(let input, let limit, let offset):
            let pruned = try prune(input, keeping: wanted)
            return Pruned(
                plan: .limit(pruned.plan, limit: limit, offset: offset), positions: pruned.positions)
        case .distinct(let input):
            let all = try prune(input, keeping: Set(0..<count)).selecting(Array(0..<count))
            return Pruned(plan: .distinct(all), positions: Array(0..<count))
        case .append(let inputs, let columns):
            let kept = wanted.sorted()
            var pruned: [LogicalPlan] = []
            for input in inputs { pruned.append(try prune(input, keeping: wanted).selecting(kept)) }
            return Pruned(
                plan: .append(pruned, columns: kept.map { columns[$0] }),
                positions: positions(of: kept, count: count))
        }
    }

    private static func isIdentity(_ expressions: [BoundExpression], over plan: LogicalPlan) -> Bool {
        let columns = plan.columns
        return expressions.count == columns.count
            && expressions.enumerated().allSatisfy { index, expression in
                if case .column(index) = expression.kind { expression.type == columns[index].type } else { false }
            }
    }
}

extension BoundExpression {
    /// The type under which a column is read here.
    fileprivate func typeOfColumn(_ index: Int) -> DataType {
        var type = DataType.unknown
        _ = contains { part in
            guard case .column(index) = part.kind else { return false }
            type = part.type
            return true
        }
        return type
    }
}
