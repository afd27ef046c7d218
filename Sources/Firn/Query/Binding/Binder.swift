// SPDX-License-Identifier: Apache-2.0
//
// From syntax tree to typed plan: resolves names against one snapshot of the catalogue, chooses overloads,
// makes every cast explicit and folds what is constant. What is wrong with a statement apart from its values
// is found here, and named with its place.

import FirnSyntax

/// The value of `$1` and its fellows.
struct BoundParameter: Sendable {
    var value: Value
    /// Nil lets the value and the place of use decide.
    var type: DataType?

    init(_ value: Value, type: DataType? = nil) {
        self.value = value
        self.type = type
    }
}

/// Binds the queries and expressions of one statement.
struct Binder {
    /// The tables that names may mean.
    let catalogue: any DatabaseSnapshot
    let context: EvaluationContext
    let parameters: [BoundParameter]
    let functions = FunctionCatalogue.standard
    /// For statements so tall that they could exhaust the stack.
    private let stack: StackGuard?

    init(
        catalogue: any DatabaseSnapshot, context: EvaluationContext, parameters: [BoundParameter] = [],
        stack: StackGuard? = nil
    ) {
        self.stack = stack
        self.catalogue = catalogue
        self.context = context
        self.parameters = parameters
    }

    /// The plan of a query.
    func bindQuery(_ query: Query) throws(FirnError) -> LogicalPlan {
        let plan = try bindQuery(query, in: .outermost)
        return resolvingUnknowns(plan)
    }

    /// Error 54001 where what is left of the stack must do for the phases behind the binder.
    func checkStack(position: Int) throws(FirnError) {
        guard let stack, stack.room < DeepStack.binderReserveBytes else { return }
        throw FirnError(
            .statementTooComplex, "stack depth limit exceeded", hint: "The statement nests too many levels deep.",
            position: position)
    }

    /// The plan of a query whose rows go into columns: its output has their types, by assignment casts.
    ///
    /// Error 42601 where the query gives more or fewer columns than there are targets. In plain VALUES every
    /// value goes to its column by itself, so that `VALUES (1), ('2')` is what it looks like.
    func bindQuery(_ query: Query, into targets: [OutputColumn]) throws(FirnError) -> LogicalPlan {
        let position = query.range.start.byteOffset
        if case .values(let rows) = query.body, query.with == nil, query.orderBy.isEmpty, query.limit == nil,
            query.offset == nil
        {
            var assigned: [[BoundExpression]] = []
            for row in rows {
                try checkCount(row.values.count, targets, position: row.range.start.byteOffset)
                var values: [BoundExpression] = []
                for (value, target) in zip(row.values, targets) {
                    let bound = try bind(value, in: ExpressionScope(.empty, clause: .values))
                    values.append(try assign(bound, to: target))
                }
                assigned.append(values)
            }
            return .values(rows: assigned, columns: targets)
        }
        let plan = try bindQuery(query, in: .outermost)
        let columns = plan.columns
        try checkCount(columns.count, targets, position: position)
        var expressions: [BoundExpression] = []
        if case .project(let input, let projected, _) = plan {
            // Literals take the type of their column at once.
            for (expression, target) in zip(projected, targets) {
                expressions.append(try assign(expression, to: target))
            }
            return .project(input, expressions, columns: targets)
        }
        for (index, target) in targets.enumerated() {
            let column = BoundExpression(.column(index), columns[index].type, position: position)
            expressions.append(try assign(column, to: target))
        }
        return .project(plan, expressions, columns: targets)
    }

    private func checkCount(_ count: Int, _ targets: [OutputColumn], position: Int) throws(FirnError) {
        if count > targets.count {
            throw FirnError(
                .syntaxError, "INSERT has more expressions than target columns", position: position)
        }
        if count < targets.count {
            throw FirnError(
                .syntaxError, "INSERT has more target columns than expressions", position: position)
        }
    }

    /// An expression over the columns of one table or of none: DEFAULT, VALUES of INSERT, CHECK.
    ///
    /// - Parameters:
    ///   - inputColumns: what column references may mean; empty where there are none.
    ///   - relation: the table's name, for `t.x` and for messages.
    ///   - target: where the value goes; nil leaves the expression's own type.
    func bindScalar(
        _ expression: Expression, inputColumns: [OutputColumn] = [], relation: String? = nil,
        target: OutputColumn? = nil
    ) throws(FirnError) -> BoundExpression {
        let scope = Scope(inputColumns, relation: relation)
        let bound = try bind(expression, in: ExpressionScope(scope, clause: .values))
        guard let target else { return try resolvingUnknown(bound) }
        return try assign(bound, to: target)
    }

    /// The value of a constant expression, such as the argument of LIMIT or of a function in FROM.
    func constantValue(_ expression: Expression, type: DataType, clause: Clause) throws(FirnError) -> Value {
        let bound = try bind(expression, in: ExpressionScope(.empty, clause: clause))
        let typed = try coerce(bound, to: type, .implicit, clause: clause)
        return try ExpressionEvaluator(context).evaluateConstant(typed)
    }

    /// A value on its way into a column. Error 42804 where its type does not go there by itself.
    func assign(_ expression: BoundExpression, to target: OutputColumn) throws(FirnError) -> BoundExpression {
        guard CoercionRules.allows(expression.type.family, to: target.type.family, .assignment) else {
            throw FirnError(
                .datatypeMismatch,
                "column \"\(target.name)\" is of type \(target.type.familyName)"
                    + " but expression is of type \(expression.type.familyName)",
                hint: "You will need to rewrite or cast the expression.", position: expression.position)
        }
        if let interval = try intervalLiteral(expression, target.modifier) { return interval }
        return try convert(expression, to: target.type)
    }
}

/// What a query may refer to beside its own FROM.
struct QueryEnvironment: Sendable {
    /// WITH queries by name.
    var commonTables: [String: CommonTable] = [:]

    static let outermost = QueryEnvironment()

    struct CommonTable: Sendable {
        let rows: CommonRows
        /// The names of its columns.
        let names: [String]
    }
}

/// The part of a statement in which an expression stands, as messages name it.
enum Clause: String {
    case select = "SELECT"
    case filter = "WHERE"
    case groupBy = "GROUP BY"
    case having = "HAVING"
    case orderBy = "ORDER BY"
    case limit = "LIMIT"
    case offset = "OFFSET"
    case values = "VALUES"
    case aggregateFilter = "FILTER"
    case from = "functions in FROM"
}

/// Where an expression stands: what its names mean, and whether it may call aggregates.
struct ExpressionScope {
    var scope: Scope
    var clause: Clause
    /// Collects the aggregates of the SELECT; nil where there may be none.
    var aggregates: AggregateCollector?

    init(_ scope: Scope, clause: Clause, aggregates: AggregateCollector? = nil) {
        self.scope = scope
        self.clause = clause
        self.aggregates = aggregates
    }
}

/// The aggregates that the expressions of one SELECT call.
///
/// While expressions are bound an aggregate stands as a column beyond those of the input; `GroupedExpressions`
/// then moves everything behind the aggregation.
final class AggregateCollector {
    let inputColumnCount: Int
    private(set) var aggregates: [BoundAggregate] = []

    init(inputColumnCount: Int) { self.inputColumnCount = inputColumnCount }

    /// The column that stands for the aggregate; two equal calls share one.
    func add(_ aggregate: BoundAggregate) -> BoundExpression {
        let known = aggregates.firstIndex { $0.isSame(as: aggregate) }
        if known == nil { aggregates.append(aggregate) }
        let index = inputColumnCount + (known ?? aggregates.count - 1)
        return BoundExpression(.column(index), aggregate.type, position: aggregate.position)
    }
}
