// SPDX-License-Identifier: Apache-2.0
//
// GREATEST and LEAST: the extreme of several arguments of one type, NULL only where all are NULL. NULLIF: the first
// of two arguments, or NULL where it equals the second.

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

    /// NULLIF of a first argument, which is compared under a type that may differ from its own, and a second one.
    static func nullIf(_ type: DataType, comparedAs compared: DataType, _ other: DataType) -> ScalarFunction {
        ScalarFunction(
            name: "nullif", argumentTypes: [type, other], resultType: type, volatility: .immutable, nulls: .handled,
            mayFail: type != compared && CastEvaluator.mayFail(type, to: compared)
        ) { arguments, rowCount, context throws(FirnError) in
            let first = try CastEvaluator.cast(arguments[0], to: compared, rowCount: rowCount, context)
            let equal = Comparison.equal.evaluate(first, arguments[1], count: rowCount, context).isTrue
            return Vector.merge(.constant(.null, type), where: equal, otherwise: arguments[0], rowCount: rowCount)
        }
    }
}
