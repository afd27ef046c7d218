// SPDX-License-Identifier: Apache-2.0
//
// The operators' door to expression evaluation: one statement's context, and short cuts for plain columns.

/// Evaluates bound expressions over batches for one statement. Thread-safe.
struct BlockEvaluator: Sendable {
    let context: EvaluationContext

    /// The value of an expression for all rows: one value, or a column of `batch.rowCount` rows.
    func vector(_ expression: BoundExpression, over batch: ColumnBatch) throws(FirnError) -> Vector {
        switch expression.kind {
        case .column(let index): .column(batch.columns[index])
        case .constant(let value): .constant(value, expression.type)
        default: try ExpressionEvaluator(context).evaluate(expression, over: batch)
        }
    }

    /// The value of an expression as a column of `batch.rowCount` rows.
    func column(_ expression: BoundExpression, over batch: ColumnBatch) throws(FirnError) -> Column {
        try vector(expression, over: batch).materialized(rowCount: batch.rowCount)
    }

    /// The value of an expression for some rows of a batch, as a column of as many rows.
    func column(_ expression: BoundExpression, over rows: EvaluationRows) throws(FirnError) -> Column {
        try ExpressionEvaluator(context).evaluate(expression, over: rows).materialized(rowCount: rows.count)
    }

    /// The rows for which a predicate is true (neither false nor NULL).
    func selection(_ predicate: BoundExpression, over batch: ColumnBatch) throws(FirnError) -> Bitmap {
        do throws(FirnError) {
            return try ExpressionEvaluator(context).evaluatePredicate(predicate, over: batch)
        } catch {
            guard error.isBlockTooLarge, batch.rowCount > 1 else { throw error }
            let middle = batch.rowCount / 2
            var selected = try selection(predicate, over: batch.slice(0..<middle))
            selected.append(try selection(predicate, over: batch.slice(middle..<batch.rowCount)))
            return selected
        }
    }

    /// The value of an expression that reads no column.
    func value(_ expression: BoundExpression) throws(FirnError) -> Value {
        switch try vector(expression, over: ColumnBatch([], rowCount: 1)) {
        case .constant(let value, _): value
        case .column(let column): column[0]
        }
    }

    /// Throws 57014 once the statement was cancelled.
    func checkCancellation() throws(FirnError) { try context.cancellation.check() }
}
