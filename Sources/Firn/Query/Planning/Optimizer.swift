// SPDX-License-Identifier: Apache-2.0
//
// Rewrites a plan into one that gives the same rows for less work.
//
// A few passes in a fixed order, each of which is right on its own:
//
//     0. common      WITH queries go to their place
//     1. simplify    DISTINCT becomes a grouping, constant conditions go, projections melt together
//     2. filters     conditions move down, into the scan at last, which derives ranges for pruning from them
//     3. limits      LIMIT moves below projections; over a sort it becomes topRows
//     4. columns     every operator produces only the columns that somebody above reads
//
// A condition may be evaluated for fewer rows than before, never for more: an error that a plan could raise on a row
// that a condition elsewhere removes may therefore disappear, as in PostgreSQL.

enum Optimizer {
    /// A plan with the same columns and rows, the order of unordered rows excepted.
    static func optimize(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        var inlining = CommonInlining()
        return try optimize(plan, &inlining)
    }

    private static func optimize(
        _ plan: LogicalPlan, _ inlining: inout CommonInlining
    ) throws(FirnError) -> LogicalPlan {
        let columns = plan.columns
        var plan = try inlining.apply(plan, optimize: optimize)
        plan = try simplify(try DeadBranches.apply(plan))
        plan = try FilterPushdown.apply(plan)
        plan = try LimitPushdown.apply(plan)
        plan = try ColumnPruning.apply(plan)
        return try named(plan, columns)
    }

    private static func simplify(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        let plan = try plan.mapInputs { input throws(FirnError) in try simplify(input) }
        switch plan {
        case .distinct(let input):
            let columns = input.columns
            let keys = columns.indices.map { BoundExpression(.column($0), columns[$0].type) }
            return .aggregate(input, keys: keys, aggregates: [], columns: columns)
        case .filter(let input, let predicate):
            guard let value = predicate.constantValue else { return plan }
            return value == .boolean(true) ? input : .values(rows: [], columns: plan.columns)
        case .project(.project(let inner, let expressions, _), let outer, let columns):
            guard let merged = try substitute(expressions, into: outer) else { return plan }
            return .project(inner, merged, columns: columns)
        case .aggregate(.project(let inner, let expressions, _), let keys, let aggregates, let columns):
            guard let mergedKeys = try substitute(expressions, into: keys) else { return plan }
            var merged: [BoundAggregate] = []
            for aggregate in aggregates {
                let parts = aggregate.arguments + (aggregate.filter.map { [$0] } ?? [])
                guard let substituted = try substitute(expressions, into: parts) else { return plan }
                var copy = aggregate
                copy.arguments = Array(substituted[..<aggregate.arguments.count])
                if aggregate.filter != nil { copy.filter = substituted[aggregate.arguments.count] }
                merged.append(copy)
            }
            return .aggregate(inner, keys: mergedKeys, aggregates: merged, columns: columns)
        default: return plan
        }
    }

    /// `outer` over the input of a projection instead of its output; nil where an expression would be computed twice
    /// that costs something, or a volatile one at all.
    private static func substitute(
        _ expressions: [BoundExpression], into outer: [BoundExpression]
    ) throws(FirnError) -> [BoundExpression]? {
        var uses = [Int](repeating: 0, count: expressions.count)
        for expression in outer { expression.countColumns(into: &uses) }
        for (index, expression) in expressions.enumerated() {
            // A volatile call runs for each row, whether somebody reads what it gives or not.
            if expression.isVolatile || (uses[index] > 1 && !expression.isTrivial) { return nil }
        }
        var merged: [BoundExpression] = []
        for expression in outer { merged.append(try expression.replacingColumns { expressions[$0] }) }
        return merged
    }

    /// The plan with the given names for its columns.
    private static func named(_ plan: LogicalPlan, _ columns: [OutputColumn]) throws(FirnError) -> LogicalPlan {
        if plan.columns == columns { return plan }
        switch plan {
        case .project(let input, let expressions, _): return .project(input, expressions, columns: columns)
        case .aggregate(let input, let keys, let aggregates, _):
            return .aggregate(input, keys: keys, aggregates: aggregates, columns: columns)
        case .limit(let input, let limit, let offset):
            return .limit(try named(input, columns), limit: limit, offset: offset)
        case .sort(let input, let keys): return .sort(try named(input, columns), keys)
        case .topRows(let input, let keys, let limit, let offset):
            return .topRows(try named(input, columns), keys, limit: limit, offset: offset)
        default:
            let references = columns.enumerated().map { BoundExpression(.column($0), $1.type) }
            return .project(plan, references, columns: columns)
        }
    }
}

extension LogicalPlan {
    /// The same operator over inputs that `transform` changed.
    func mapInputs(
        _ transform: (LogicalPlan) throws(FirnError) -> LogicalPlan
    ) throws(FirnError) -> LogicalPlan {
        switch self {
        case .scan, .values, .series, .catalogue, .common: return self
        case .filter(let input, let predicate): return .filter(try transform(input), predicate)
        case .project(let input, let expressions, let columns):
            return .project(try transform(input), expressions, columns: columns)
        case .aggregate(let input, let keys, let aggregates, let columns):
            return .aggregate(try transform(input), keys: keys, aggregates: aggregates, columns: columns)
        case .sort(let input, let keys): return .sort(try transform(input), keys)
        case .topRows(let input, let keys, let limit, let offset):
            return .topRows(try transform(input), keys, limit: limit, offset: offset)
        case .limit(let input, let limit, let offset):
            return .limit(try transform(input), limit: limit, offset: offset)
        case .distinct(let input): return .distinct(try transform(input))
        case .append(let inputs, let columns):
            var changed: [LogicalPlan] = []
            for input in inputs { changed.append(try transform(input)) }
            return .append(changed, columns: columns)
        }
    }
}

extension BoundExpression {
    /// A column or a constant: free to compute again.
    var isTrivial: Bool {
        switch kind {
        case .column, .constant: true
        default: false
        }
    }

    /// True where two evaluations of one row may differ.
    var isVolatile: Bool {
        contains { part in
            if case .call(let function, _) = part.kind { function.volatility == .volatile } else { false }
        }
    }

    /// Adds 1 at each column's position for every time it is read.
    func countColumns(into uses: inout [Int]) {
        // `contains` visits all parts when the test never holds.
        _ = contains { part in
            if case .column(let index) = part.kind { uses[index] += 1 }
            return false
        }
    }

    /// Whether any column is read.
    var hasColumns: Bool {
        contains { part in if case .column = part.kind { true } else { false } }
    }

    /// The columns that are read.
    var columnsRead: Set<Int> {
        var columns: Set<Int> = []
        _ = contains { part in
            if case .column(let index) = part.kind { columns.insert(index) }
            return false
        }
        return columns
    }

    /// The expression with every column replaced.
    func replacingColumns(
        _ replacement: (Int) throws(FirnError) -> BoundExpression
    ) throws(FirnError) -> BoundExpression {
        if case .column(let index) = kind { return try replacement(index) }
        return try mapParts { part throws(FirnError) in try part.replacingColumns(replacement) }
    }

    /// The conditions that all hold where this one does.
    var conjuncts: [BoundExpression] {
        if case .and(let terms) = kind { terms.flatMap(\.conjuncts) } else { [self] }
    }

    /// The condition that holds where all of these do; nil for none.
    static func conjunction(of terms: [BoundExpression]) -> BoundExpression? {
        switch terms.count {
        case 0: nil
        case 1: terms[0]
        default: BoundExpression(.and(terms), .boolean, position: terms[0].position)
        }
    }
}
