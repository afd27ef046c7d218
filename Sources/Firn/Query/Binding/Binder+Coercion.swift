// SPDX-License-Identifier: Apache-2.0
//
// Bringing expressions to types, and folding what is constant.

extension Binder {
    /// The expression under another type, if the context allows the cast. Error 42804, in words for the clause.
    func coerce(
        _ expression: BoundExpression, to type: DataType, _ coercion: CoercionContext, clause: Clause
    ) throws(FirnError) -> BoundExpression {
        guard CoercionRules.allows(expression.type.family, to: type.family, coercion) else {
            throw FirnError(
                .datatypeMismatch,
                "argument of \(clause.rawValue) must be type \(type.familyName), not type \(expression.type.familyName)",
                position: expression.position)
        }
        return try convert(expression, to: type)
    }

    /// `CAST(e AS type)`. Error 42846 where there is no such cast.
    func cast(_ expression: BoundExpression, to type: DataType, position: Int) throws(FirnError) -> BoundExpression {
        guard CoercionRules.allows(expression.type.family, to: type.family, .explicit) else {
            throw FirnError(
                .cannotCoerce, "cannot cast type \(expression.type.familyName) to \(type.familyName)",
                position: position)
        }
        return try convert(expression, to: type)
    }

    /// The expression under another type. A literal of unknown type is read at once, and what is wrong with it is
    /// an error here, as in PostgreSQL.
    func convert(_ expression: BoundExpression, to type: DataType) throws(FirnError) -> BoundExpression {
        if expression.type == type { return expression }
        let position = expression.position
        if case .constant(let value) = expression.kind {
            if value.isNull { return BoundExpression(.constant(.null), type, position: position) }
            if expression.type == .unknown {
                do throws(FirnError) {
                    let read = try CastEvaluator.cast(.constant(value, .text), to: type, rowCount: 1, context)
                    return BoundExpression(.constant(read.row(0)), type, position: position)
                } catch {
                    throw error.at(position)
                }
            }
        }
        var operand = expression
        if operand.type == .unknown {
            operand.type = .text
            if type == .text { return operand }
        }
        return fold(BoundExpression(.cast(operand), type, position: position))
    }

    /// TEXT in place of an undecided type.
    func resolvingUnknown(_ expression: BoundExpression) throws(FirnError) -> BoundExpression {
        expression.type == .unknown ? try convert(expression, to: .text) : expression
    }

    /// The plan with TEXT in place of undecided output types.
    func resolvingUnknowns(_ plan: LogicalPlan) -> LogicalPlan {
        let columns = plan.columns
        guard columns.contains(where: { $0.type == .unknown }) else { return plan }
        let expressions = columns.enumerated().map { index, column in
            let reference = BoundExpression(.column(index), column.type == .unknown ? .text : column.type)
            return reference
        }
        let named = columns.map { OutputColumn(name: $0.name, type: $0.type == .unknown ? .text : $0.type) }
        return .project(plan, expressions, columns: named)
    }

    /// The constant that the expression amounts to, or the expression itself.
    ///
    /// What is an error on these values stays as it is: it may stand where no row reaches it.
    func fold(_ expression: BoundExpression) -> BoundExpression {
        guard expression.isFoldable else { return expression }
        do throws(FirnError) {
            let value = try ExpressionEvaluator(context).evaluateConstant(expression)
            return BoundExpression(.constant(value), expression.type, position: expression.position)
        } catch {
            return expression
        }
    }
}

extension BoundExpression {
    /// Whether it is a constant.
    var isConstant: Bool { if case .constant = kind { true } else { false } }

    /// Whether it is a cast.
    var isCast: Bool { if case .cast = kind { true } else { false } }

    /// The constant's value; nil for everything else.
    var constantValue: Value? { if case .constant(let value) = kind { value } else { nil } }

    /// Whether its direct parts are all constant, and its value the same throughout the statement.
    fileprivate var isFoldable: Bool {
        switch kind {
        case .constant, .column: false
        case .call(let function, let arguments):
            function.volatility != .volatile && arguments.allSatisfy(\.isConstant)
        case .compare(_, let left, let right), .isDistinct(let left, let right, _): left.isConstant && right.isConstant
        case .cast(let operand), .not(let operand), .isNull(let operand, _), .isBoolean(let operand, _, _),
            .inConstants(let operand, _, _, _):
            operand.isConstant
        case .and(let terms), .or(let terms), .coalesce(let terms): terms.allSatisfy(\.isConstant)
        case .case(let branches, let otherwise):
            branches.allSatisfy { $0.condition.isConstant && $0.result.isConstant } && otherwise?.isConstant != false
        }
    }
}
