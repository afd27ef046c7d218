// SPDX-License-Identifier: Apache-2.0
//
// Moves expressions from the input of an aggregation to its output: what equals a group key becomes that key's
// column, an aggregate becomes its column, and any other column of the input is error 42803.

struct GroupedExpressions {
    let keys: [BoundExpression]
    /// Columns of the aggregation's input; aggregates were bound as the columns behind them.
    let inputColumnCount: Int
    let scope: Scope

    func rewrite(_ expression: BoundExpression) throws(FirnError) -> BoundExpression {
        if let key = keys.firstIndex(where: { $0.isSame(as: expression) }) {
            return BoundExpression(.column(key), expression.type, position: expression.position)
        }
        guard case .column(let index) = expression.kind else {
            return try expression.mapParts { part throws(FirnError) in try rewrite(part) }
        }
        guard index >= inputColumnCount else {
            throw FirnError(
                .groupingError,
                "column \"\(scope.columns[index].qualifiedName)\" must appear in the GROUP BY clause"
                    + " or be used in an aggregate function",
                position: expression.position)
        }
        return BoundExpression(
            .column(keys.count + index - inputColumnCount), expression.type, position: expression.position)
    }
}
