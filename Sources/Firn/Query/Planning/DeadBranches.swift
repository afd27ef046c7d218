// SPDX-License-Identifier: Apache-2.0
//
// Leaves out the parts of expressions that constants make unreachable: the rest of `false AND …`, branches of CASE
// whose condition is false, what stands behind the first value of COALESCE.
//
// The binder keeps them, since names, types and groups are checked whether a part is reached or not.

extension BoundExpression {
    /// The same expression without parts that are never evaluated, all the way down.
    func prunedOfDeadBranches() throws(FirnError) -> BoundExpression {
        let mapped = try mapParts { part throws(FirnError) in try part.prunedOfDeadBranches() }
        return mapped.withoutDeadBranches
    }

    /// The same expression without direct parts that are never evaluated.
    var withoutDeadBranches: BoundExpression {
        switch kind {
        case .and(let terms): return Binder.junction(terms, isAnd: true, mayDrop: true, position: position)
        case .or(let terms): return Binder.junction(terms, isAnd: false, mayDrop: true, position: position)
        case .coalesce(let arguments):
            if let value = arguments[0].constantValue, !value.isNull { return arguments[0] }
            return self
        case .case(let branches, let otherwise):
            var alive: [(condition: BoundExpression, result: BoundExpression)] = []
            for branch in branches {
                if let value = branch.condition.constantValue {
                    guard value == .boolean(true) else { continue }
                    // The branch is always taken; what follows never is.
                    if alive.isEmpty { return branch.result }
                    return BoundExpression(.case(branches: alive, otherwise: branch.result), type, position: position)
                }
                alive.append(branch)
            }
            if alive.isEmpty { return otherwise ?? BoundExpression(.constant(.null), type, position: position) }
            return BoundExpression(.case(branches: alive, otherwise: otherwise), type, position: position)
        default: return self
        }
    }
}

/// Prunes the expressions of a whole plan.
enum DeadBranches {
    static func apply(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        let plan = try plan.mapInputs { input throws(FirnError) in try apply(input) }
        switch plan {
        case .filter(let input, let predicate): return .filter(input, try predicate.prunedOfDeadBranches())
        case .project(let input, let expressions, let columns):
            return .project(input, try pruned(expressions), columns: columns)
        case .aggregate(let input, let keys, var aggregates, let columns):
            for index in aggregates.indices {
                aggregates[index].arguments = try pruned(aggregates[index].arguments)
                if let filter = aggregates[index].filter {
                    aggregates[index].filter = try filter.prunedOfDeadBranches()
                }
            }
            return .aggregate(input, keys: try pruned(keys), aggregates: aggregates, columns: columns)
        default: return plan
        }
    }

    private static func pruned(_ expressions: [BoundExpression]) throws(FirnError) -> [BoundExpression] {
        var pruned: [BoundExpression] = []
        pruned.reserveCapacity(expressions.count)
        for expression in expressions { pruned.append(try expression.prunedOfDeadBranches()) }
        return pruned
    }
}
