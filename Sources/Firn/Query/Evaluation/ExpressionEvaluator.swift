// SPDX-License-Identifier: Apache-2.0
//
// Evaluates bound expressions over batches, block by block.
//
// What a row does not reach is not evaluated for it: the later terms of AND and OR, the branches of CASE, the
// later arguments of COALESCE see the subset of rows that need them, so that `x <> 0 AND 1 / x > 2` never
// divides by zero. Constants stay constants; dictionary-coded text stays coded. Errors carry the place of the
// expression in the statement.

/// Evaluates expressions in one context. Thread-safe; costs nothing to make.
struct ExpressionEvaluator: Sendable {
    let context: EvaluationContext

    init(_ context: EvaluationContext) { self.context = context }

    /// The value of an expression for each row of a batch.
    func evaluate(_ expression: BoundExpression, over batch: ColumnBatch) throws(FirnError) -> Vector {
        try context.cancellation.check()
        return try evaluate(expression, over: EvaluationRows(batch: batch))
    }

    /// The value of an expression without columns.
    func evaluateConstant(_ expression: BoundExpression) throws(FirnError) -> Value {
        try evaluate(expression, over: ColumnBatch([], rowCount: 1)).row(0)
    }

    /// The rows of a batch for which a boolean expression is true (neither false nor NULL).
    func evaluatePredicate(_ predicate: BoundExpression, over batch: ColumnBatch) throws(FirnError) -> Bitmap {
        try context.cancellation.check()
        return try truth(of: predicate, over: EvaluationRows(batch: batch)).isTrue
    }
}

/// The rows that an expression is evaluated for: all of a batch or some.
struct EvaluationRows {
    let batch: ColumnBatch
    /// Rows of the batch; nil for all.
    let selection: [Int32]?

    init(batch: ColumnBatch, selection: [Int32]? = nil) {
        self.batch = batch
        self.selection = selection
    }

    var count: Int { selection?.count ?? batch.rowCount }

    func column(_ index: Int) -> Column {
        selection.map { batch.columns[index].gather($0) } ?? batch.columns[index]
    }

    /// Some of these rows, by their index among them.
    func subset(_ rows: [Int32]) -> EvaluationRows {
        guard let selection else { return EvaluationRows(batch: batch, selection: rows) }
        return EvaluationRows(batch: batch, selection: rows.map { selection[Int($0)] })
    }
}

extension ExpressionEvaluator {
    func evaluate(_ expression: BoundExpression, over rows: EvaluationRows) throws(FirnError) -> Vector {
        switch expression.kind {
        case .constant(let value): return .constant(value, expression.type)
        case .column(let index): return .column(rows.column(index))
        case .call(let function, let arguments):
            var values: [Vector] = []
            values.reserveCapacity(arguments.count)
            for argument in arguments { values.append(try evaluate(argument, over: rows)) }
            do throws(FirnError) {
                return try function.apply(values, rowCount: rows.count, context)
            } catch {
                throw error.at(expression.position)
            }
        case .cast(let operand):
            let value = try evaluate(operand, over: rows)
            do throws(FirnError) {
                return try CastEvaluator.cast(value, to: expression.type, rowCount: rows.count, context)
            } catch {
                throw error.at(expression.position)
            }
        case .case(let branches, let otherwise):
            return try evaluateCase(branches, otherwise: otherwise, type: expression.type, over: rows)
        case .coalesce(let arguments):
            return try evaluateCoalesce(arguments, type: expression.type, over: rows)
        case .and, .or, .not, .isNull, .isDistinct, .isBoolean, .inConstants, .compare:
            return .column(try truth(of: expression, over: rows).column)
        }
    }

    /// The outcome of a boolean expression.
    func truth(of expression: BoundExpression, over rows: EvaluationRows) throws(FirnError) -> Truth {
        switch expression.kind {
        case .and(let terms): return try conjunction(of: terms, over: rows)
        case .or(let terms): return try disjunction(of: terms, over: rows)
        case .not(let operand): return !(try truth(of: operand, over: rows))
        case .compare(let comparison, let left, let right):
            let left = try evaluate(left, over: rows)
            let right = try evaluate(right, over: rows)
            return comparison.evaluate(left, right, count: rows.count, context)
        case .isNull(let operand, let negated):
            return try isNull(operand, negated: negated, over: rows)
        case .isDistinct(let left, let right, let negated):
            return try isDistinct(left, right, negated: negated, over: rows)
        case .isBoolean(let operand, let wanted, let negated):
            let outcome = try truth(of: operand, over: rows)
            let holds = wanted ? outcome.isTrue : ~outcome.isNotFalse
            return Truth(isTrue: negated ? ~holds : holds)
        case .inConstants(let operand, let values, let hasNull, let negated):
            let operand = try evaluate(operand, over: rows)
            let found = Membership.evaluate(operand, in: values, hasNull: hasNull, count: rows.count, context)
            return negated ? !found : found
        default:
            return Truth(try evaluate(expression, over: rows), count: rows.count)
        }
    }

    private func conjunction(of terms: [BoundExpression], over rows: EvaluationRows) throws(FirnError) -> Truth {
        var outcome = try truth(of: terms[0], over: rows)
        for term in terms.dropFirst() {
            let open = outcome.isNotFalse
            outcome = outcome && (try truth(of: term, over: rows, where: open, otherwise: true))
        }
        return outcome
    }

    private func disjunction(of terms: [BoundExpression], over rows: EvaluationRows) throws(FirnError) -> Truth {
        var outcome = try truth(of: terms[0], over: rows)
        for term in terms.dropFirst() {
            let open = ~outcome.isTrue
            outcome = outcome || (try truth(of: term, over: rows, where: open, otherwise: false))
        }
        return outcome
    }

    /// The outcome of a term that is asked only of the open rows; the others get any outcome that does not
    /// change AND (`otherwise` true) or OR (false).
    ///
    /// A term that cannot fail is evaluated for all rows where that is cheaper than gathering the open ones.
    private func truth(
        of term: BoundExpression, over rows: EvaluationRows, where open: Bitmap, otherwise: Bool
    ) throws(FirnError) -> Truth {
        let openCount = open.setCount
        if openCount == 0 { return Truth(otherwise, count: rows.count) }
        let isWhole = openCount == rows.count || (openCount > rows.count / 8 && !term.mayFail)
        if isWhole { return try truth(of: term, over: rows) }
        let indices = open.setIndices
        return try truth(of: term, over: rows.subset(indices)).scattered(to: indices, count: rows.count)
    }

    private func isNull(
        _ operand: BoundExpression, negated: Bool, over rows: EvaluationRows
    ) throws(FirnError) -> Truth {
        switch try evaluate(operand, over: rows) {
        case .constant(let value, _): return Truth(value.isNull != negated, count: rows.count)
        case .column(let column):
            guard let validity = column.validity else { return Truth(negated, count: rows.count) }
            return Truth(isTrue: negated ? validity : ~validity)
        }
    }

    private func isDistinct(
        _ left: BoundExpression, _ right: BoundExpression, negated: Bool, over rows: EvaluationRows
    ) throws(FirnError) -> Truth {
        let left = try evaluate(left, over: rows)
        let right = try evaluate(right, over: rows)
        let equal = Comparison.equal.evaluate(left, right, count: rows.count, context)
        let bothNull = left.nullRows(count: rows.count) & right.nullRows(count: rows.count)
        let same = equal.isTrue | bothNull
        return Truth(isTrue: negated ? same : ~same)
    }
}

extension Vector {
    /// Bit i is 1 where row i is NULL.
    func nullRows(count: Int) -> Bitmap {
        switch self {
        case .constant(let value, _): Bitmap(repeating: value.isNull, count: count)
        case .column(let column): column.validity.map { ~$0 } ?? Bitmap(repeating: false, count: count)
        }
    }
}

extension BoundExpression {
    /// Whether evaluation can throw for some value of its columns.
    var mayFail: Bool {
        switch kind {
        case .constant, .column: false
        case .call(let function, let arguments):
            function.mayFail || arguments.contains(where: \.mayFail)
        case .cast(let operand): operand.mayFail || CastEvaluator.mayFail(operand.type, to: type)
        case .compare(_, let left, let right), .isDistinct(let left, let right, _): left.mayFail || right.mayFail
        case .and(let terms), .or(let terms), .coalesce(let terms): terms.contains(where: \.mayFail)
        case .not(let operand), .isNull(let operand, _), .isBoolean(let operand, _, _),
            .inConstants(let operand, _, _, _):
            operand.mayFail
        case .case(let branches, let otherwise):
            branches.contains { $0.condition.mayFail || $0.result.mayFail } || otherwise?.mayFail == true
        }
    }
}
