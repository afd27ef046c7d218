// SPDX-License-Identifier: Apache-2.0
//
// WITH queries: which of them become a part of the queries that name them, and which are computed once.
//
// PostgreSQL's rule: a WITH query that calls nothing volatile is planned with the query around it where that query
// names it once or it says NOT MATERIALIZED. All others are computed once, whoever reads them, and no condition moves
// into them.

import Synchronization

/// The rows of one WITH query. Its identity is the query's.
final class CommonRows: Sendable {
    let name: String
    let plan: LogicalPlan
    /// What MATERIALIZED and NOT MATERIALIZED say; nil where neither was written.
    let isMaterialized: Bool?
    private let references: Atomic<Int>

    init(name: String, plan: LogicalPlan, isMaterialized: Bool?, referenceCount: Int = 0) {
        self.name = name
        self.plan = plan
        self.isMaterialized = isMaterialized
        references = Atomic(referenceCount)
    }

    /// How often the statement names it.
    var referenceCount: Int { references.load(ordering: .relaxed) }

    func countReference() { references.wrappingAdd(1, ordering: .relaxed) }

    fileprivate var isInlined: Bool {
        switch isMaterialized {
        case true?: false
        case false?: !plan.isVolatile
        case nil: referenceCount <= 1 && !plan.isVolatile
        }
    }
}

/// Puts WITH queries in their place, each optimised once.
struct CommonInlining {
    private var optimized: [ObjectIdentifier: CommonRows] = [:]

    /// The plan in which `.common` stands for what is computed once alone.
    mutating func apply(
        _ plan: LogicalPlan, optimize: (LogicalPlan, inout CommonInlining) throws(FirnError) -> LogicalPlan
    ) throws(FirnError) -> LogicalPlan {
        guard case .common(let rows) = plan else {
            return try plan.mapInputs { input throws(FirnError) in try apply(input, optimize: optimize) }
        }
        if rows.isInlined { return try apply(rows.plan, optimize: optimize) }
        if let known = optimized[ObjectIdentifier(rows)] { return .common(known) }
        let made = CommonRows(
            name: rows.name, plan: try optimize(rows.plan, &self), isMaterialized: true,
            referenceCount: rows.referenceCount)
        optimized[ObjectIdentifier(rows)] = made
        return .common(made)
    }
}

extension LogicalPlan {
    /// Whether it calls something volatile, WITH queries that it names excepted.
    var isVolatile: Bool {
        switch self {
        case .scan(let scan): scan.filter?.isVolatile ?? false
        case .values(let rows, _): rows.contains { $0.contains(where: \.isVolatile) }
        case .series(let series): series.start.isVolatile || series.stop.isVolatile || series.step.isVolatile
        case .catalogue, .common: false
        case .filter(let input, let predicate): predicate.isVolatile || input.isVolatile
        case .project(let input, let expressions, _): expressions.contains(where: \.isVolatile) || input.isVolatile
        case .aggregate(let input, let keys, let aggregates, _):
            keys.contains(where: \.isVolatile) || aggregates.contains(where: \.isVolatile) || input.isVolatile
        case .sort(let input, let keys), .topRows(let input, let keys, _, _):
            keys.contains { $0.expression.isVolatile } || input.isVolatile
        case .limit(let input, _, _), .distinct(let input): input.isVolatile
        case .append(let inputs, _): inputs.contains(where: \.isVolatile)
        }
    }
}

extension BoundAggregate {
    /// Whether its arguments or its filter call something volatile.
    var isVolatile: Bool { arguments.contains(where: \.isVolatile) || filter?.isVolatile == true }
}
