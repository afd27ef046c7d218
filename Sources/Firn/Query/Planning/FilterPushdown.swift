// SPDX-License-Identifier: Apache-2.0
//
// Moves conditions towards the rows that they are about: through projections, sorts, groupings (where they are about
// keys only) and UNION ALL, into the scan, which also gets the ranges that they imply.

enum FilterPushdown {
    static func apply(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        try push([], into: plan)
    }

    /// The plan with conditions on its output applied as far down as they can go.
    private static func push(
        _ conditions: [BoundExpression], into plan: LogicalPlan
    ) throws(FirnError) -> LogicalPlan {
        switch plan {
        case .filter(let input, let predicate):
            // The inner condition is evaluated first.
            return try push(predicate.conjuncts + conditions, into: input)
        case .scan(var scan):
            let terms = (scan.filter?.conjuncts ?? []) + conditions
            scan.filter = BoundExpression.conjunction(of: terms)
            scan.ranges = ImpliedRanges.ranges(of: terms, scan)
            return .scan(scan)
        case .project(let input, let expressions, let columns):
            var below: [BoundExpression] = []
            var above: [BoundExpression] = []
            for condition in conditions {
                let isVolatile =
                    condition.isVolatile || condition.columnsRead.contains { expressions[$0].isVolatile }
                if isVolatile {
                    above.append(condition)
                } else {
                    below.append(try condition.replacingColumns { expressions[$0] })
                }
            }
            return filtered(.project(try push(below, into: input), expressions, columns: columns), above)
        case .aggregate(let input, let keys, let aggregates, let columns):
            var below: [BoundExpression] = []
            var above: [BoundExpression] = []
            for condition in conditions {
                let read = condition.columnsRead
                let isAboutKeys = !read.isEmpty && read.allSatisfy { $0 < keys.count && !keys[$0].isVolatile }
                if isAboutKeys, !condition.isVolatile {
                    below.append(try condition.replacingColumns { keys[$0] })
                } else {
                    above.append(condition)
                }
            }
            let pushed = try push(below, into: input)
            return filtered(.aggregate(pushed, keys: keys, aggregates: aggregates, columns: columns), above)
        case .sort(let input, let keys):
            return .sort(try push(conditions, into: input), keys)
        case .distinct(let input):
            return .distinct(try push(conditions, into: input))
        case .append(let inputs, let columns):
            var pushed: [LogicalPlan] = []
            for input in inputs { pushed.append(try push(conditions, into: input)) }
            return .append(pushed, columns: columns)
        case .limit, .topRows, .values, .series, .catalogue, .common:
            // Which rows a limit keeps must not depend on conditions above it.
            let inner = try plan.mapInputs { input throws(FirnError) in try push([], into: input) }
            return filtered(inner, conditions)
        }
    }

    private static func filtered(_ plan: LogicalPlan, _ conditions: [BoundExpression]) -> LogicalPlan {
        guard let condition = BoundExpression.conjunction(of: conditions) else { return plan }
        return .filter(plan, condition)
    }
}

/// Moves LIMIT below what keeps every row, and into sorts.
enum LimitPushdown {
    static func apply(_ plan: LogicalPlan) throws(FirnError) -> LogicalPlan {
        switch plan {
        case .limit(let input, let limit, let offset):
            return try push(limit: limit, offset: offset, into: input)
        default:
            return try plan.mapInputs { input throws(FirnError) in try apply(input) }
        }
    }

    private static func push(
        limit: Int?, offset: Int, into plan: LogicalPlan
    ) throws(FirnError) -> LogicalPlan {
        switch plan {
        case .project(let input, let expressions, let columns) where !expressions.contains(where: \.isVolatile):
            return .project(try push(limit: limit, offset: offset, into: input), expressions, columns: columns)
        case .sort(let input, let keys):
            guard let limit else { break }
            return .topRows(try apply(input), keys, limit: limit, offset: offset)
        default: break
        }
        return .limit(try apply(plan), limit: limit, offset: offset)
    }
}
