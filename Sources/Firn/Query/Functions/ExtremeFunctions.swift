// SPDX-License-Identifier: Apache-2.0
//
// GREATEST and LEAST: the extreme of several arguments of one type, NULL only where all are NULL.

extension ScalarFunction {
    /// `comparison` is `.greater` for GREATEST, `.less` for LEAST. On ties the earlier argument stays.
    static func extreme(
        _ comparison: Comparison, named name: String, type: DataType, argumentCount: Int
    ) -> ScalarFunction {
        ScalarFunction(
            name: name, argumentTypes: Array(repeating: type, count: argumentCount), resultType: type,
            volatility: .immutable, nulls: .handled, mayFail: false
        ) { arguments, rowCount, context throws(FirnError) in
            var best = arguments[0]
            for next in arguments.dropFirst() {
                let wins = comparison.evaluate(next, best, count: rowCount, context).isTrue
                let bestIsNull = best.nullRows(count: rowCount)
                let nextIsNull = next.nullRows(count: rowCount)
                best = Vector.merge(
                    next, where: wins | (bestIsNull & ~nextIsNull), otherwise: best, rowCount: rowCount)
            }
            return best
        }
    }
}
