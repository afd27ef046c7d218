// SPDX-License-Identifier: Apache-2.0
//
// Whether two bound expressions say the same, wherever they stand: how `GROUP BY a + 1` finds `a + 1` again.

extension BoundExpression {
    /// Whether both compute the same from the same columns. Places do not count.
    func isSame(as other: BoundExpression) -> Bool {
        guard type == other.type else { return false }
        switch (kind, other.kind) {
        case (.constant(let left), .constant(let right)): return left.isIdentical(to: right)
        case (.column(let left), .column(let right)): return left == right
        case (.call(let left, let arguments), .call(let right, let others)):
            return left.name == right.name && left.argumentTypes == right.argumentTypes
                && BoundExpression.areSame(arguments, others)
        case (.compare(let left, let one, let two), .compare(let right, let three, let four)):
            return left == right && one.isSame(as: three) && two.isSame(as: four)
        case (.cast(let left), .cast(let right)), (.not(let left), .not(let right)): return left.isSame(as: right)
        case (.and(let left), .and(let right)), (.or(let left), .or(let right)),
            (.coalesce(let left), .coalesce(let right)):
            return BoundExpression.areSame(left, right)
        case (.isNull(let left, let negated), .isNull(let right, let otherNegated)):
            return negated == otherNegated && left.isSame(as: right)
        case (.isDistinct(let one, let two, let negated), .isDistinct(let three, let four, let otherNegated)):
            return negated == otherNegated && one.isSame(as: three) && two.isSame(as: four)
        case (.isBoolean(let left, let wanted, let negated), .isBoolean(let right, let otherWanted, let otherNegated)):
            return wanted == otherWanted && negated == otherNegated && left.isSame(as: right)
        case (
            .inConstants(let left, let values, let hasNull, let negated),
            .inConstants(let right, let otherValues, let otherHasNull, let otherNegated)
        ):
            return values.count == otherValues.count
                && zip(values, otherValues).allSatisfy { $0.isIdentical(to: $1) } && hasNull == otherHasNull
                && negated == otherNegated && left.isSame(as: right)
        case (.case(let left, let leftOtherwise), .case(let right, let rightOtherwise)):
            guard left.count == right.count,
                zip(left, right).allSatisfy({
                    $0.condition.isSame(as: $1.condition) && $0.result.isSame(as: $1.result)
                })
            else { return false }
            return BoundExpression.areSame(
                leftOtherwise.map { [$0] } ?? [], rightOtherwise.map { [$0] } ?? [])
        default: return false
        }
    }

    static func areSame(_ left: [BoundExpression], _ right: [BoundExpression]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
    }

    /// The same expression with every direct part replaced by what `transform` makes of it.
    func mapParts(
        _ transform: (BoundExpression) throws(FirnError) -> BoundExpression
    ) throws(FirnError) -> BoundExpression {
        func all(_ parts: [BoundExpression]) throws(FirnError) -> [BoundExpression] {
            var mapped: [BoundExpression] = []
            mapped.reserveCapacity(parts.count)
            for part in parts { mapped.append(try transform(part)) }
            return mapped
        }
        var copy = self
        switch kind {
        case .constant, .column: break
        case .call(let function, let arguments): copy.kind = .call(function, try all(arguments))
        case .compare(let comparison, let left, let right):
            copy.kind = .compare(comparison, try transform(left), try transform(right))
        case .cast(let operand): copy.kind = .cast(try transform(operand))
        case .and(let terms): copy.kind = .and(try all(terms))
        case .or(let terms): copy.kind = .or(try all(terms))
        case .not(let operand): copy.kind = .not(try transform(operand))
        case .isNull(let operand, let negated): copy.kind = .isNull(try transform(operand), negated: negated)
        case .isDistinct(let left, let right, let negated):
            copy.kind = .isDistinct(try transform(left), try transform(right), negated: negated)
        case .isBoolean(let operand, let wanted, let negated):
            copy.kind = .isBoolean(try transform(operand), wanted, negated: negated)
        case .case(let branches, let otherwise):
            var mapped: [(condition: BoundExpression, result: BoundExpression)] = []
            for branch in branches { mapped.append((try transform(branch.condition), try transform(branch.result))) }
            var rest: BoundExpression?
            if let otherwise { rest = try transform(otherwise) }
            copy.kind = .case(branches: mapped, otherwise: rest)
        case .coalesce(let arguments): copy.kind = .coalesce(try all(arguments))
        case .inConstants(let operand, let values, let hasNull, let negated):
            copy.kind = .inConstants(try transform(operand), values, hasNull: hasNull, negated: negated)
        }
        return copy
    }
}

extension BoundAggregate {
    /// Whether both compute the same from the same input.
    func isSame(as other: BoundAggregate) -> Bool {
        function == other.function && isDistinct == other.isDistinct && type == other.type
            && BoundExpression.areSame(arguments, other.arguments)
            && BoundExpression.areSame(filter.map { [$0] } ?? [], other.filter.map { [$0] } ?? [])
    }
}
