// SPDX-License-Identifier: Apache-2.0
//
// Types as they are declared, with length, digits or fields: VARCHAR(10), TIMESTAMP(0), INTERVAL DAY TO SECOND; and
// CHAR(n), whose trailing blanks count for nothing once it is compared or becomes text.

import FirnSyntax

/// A type and what its declaration says beyond it.
struct DeclaredType {
    var type: DataType
    var modifier: TypeModifier?

    /// The type that a name means. Errors as for `DataType`; 22023 for lengths and digits out of range, 42601 for a
    /// modifier of a type that has none.
    init(_ name: TypeName) throws(FirnError) {
        type = try DataType(name)
        let position = name.range.start.byteOffset
        let numbers = name.modifiers
        func only() throws(FirnError) -> Int? {
            guard numbers.count <= 1 else {
                throw FirnError(.invalidParameterValue, "invalid type modifier", position: position)
            }
            return numbers.first
        }
        func length(_ given: Int?, of typeName: String) throws(FirnError) -> TypeModifier? {
            guard let given else { return nil }
            guard given >= 1 else {
                throw FirnError(
                    .invalidParameterValue, "length for type \(typeName) must be at least 1", position: position)
            }
            guard given <= TypeModifier.lengthMax else {
                throw FirnError(
                    .invalidParameterValue, "length for type \(typeName) cannot exceed \(TypeModifier.lengthMax)",
                    position: position)
            }
            return .length(given)
        }
        switch name.canonicalName {
        case "varchar": modifier = try length(try only(), of: "varchar")
        case "character", "char": modifier = try length(try only() ?? 1, of: "char")
        case "bpchar": modifier = try length(try only(), of: "char")
        case "timestamp", "timestamptz":
            // Nine digits are nanoseconds, as they are.
            if let digits = try only(), digits < 9 { modifier = .fractionalDigits(digits) }
        case "interval":
            let digits = try only()
            if let digits, !(0...6).contains(digits) {
                throw FirnError(
                    .invalidParameterValue, "INTERVAL(\(digits)) precision must be between 0 and 6",
                    hint: "an interval counts microseconds", position: position)
            }
            let fields = name.intervalFields.map { IntervalFields($0) } ?? .all
            if digits != nil || fields != .all { modifier = .interval(fields, fractionalDigits: digits) }
        case "numeric", "vector": break
        default:
            if !numbers.isEmpty {
                throw FirnError(
                    .syntaxError, "type modifier is not allowed for type \"\(name.canonicalName)\"",
                    position: position)
            }
        }
    }
}

extension Binder {
    /// The value under the length, digits or fields of an explicit cast.
    func limit(
        _ expression: BoundExpression, by modifier: TypeModifier?, position: Int
    ) -> BoundExpression {
        guard let modifier else { return expression }
        let type = expression.type
        let function = ScalarFunction(
            name: type.name(with: modifier), argumentTypes: [type], resultType: type, volatility: .immutable,
            nulls: .neverSeen
        ) { arguments, count, _ throws(FirnError) in
            let column = arguments[0].materialized(rowCount: count)
            do throws(ModifierFailure) {
                return .column(try modifier.applied(to: column, .explicitCast))
            } catch {
                throw FirnError(error.error)
            }
        }
        return fold(BoundExpression(.call(function, [expression]), type, position: position))
    }

    /// A text whose numbers without a unit mean the field that INTERVAL is limited to; nil for everything else.
    func intervalLiteral(
        _ expression: BoundExpression, _ modifier: TypeModifier?
    ) throws(FirnError) -> BoundExpression? {
        guard case .interval(let fields, _) = modifier, fields != .all, expression.type == .unknown,
            case .text(let text)? = expression.constantValue
        else { return nil }
        do throws(ValueError) {
            let value = try Interval.parse(text, fields: fields)
            return BoundExpression(.constant(.interval(value)), .interval, position: expression.position)
        } catch {
            throw FirnError(error).at(expression.position)
        }
    }

    /// Expressions as they are compared: where one is CHAR(n) all are text without trailing blanks, constants too.
    func withoutPadding(_ expressions: [BoundExpression]) throws(FirnError) -> [BoundExpression] {
        guard expressions.contains(where: { $0.type == .character }) else { return expressions }
        var results: [BoundExpression] = []
        for expression in expressions {
            switch expression.type {
            case .character, .unknown:
                results.append(try convert(try convert(expression, to: .character), to: .text))
            default: results.append(expression)
            }
        }
        return results
    }

    /// CHAR(n) as text with its blanks, for LIKE and octet_length.
    func keepingPadding(_ expression: BoundExpression) -> BoundExpression {
        guard expression.type == .character else { return expression }
        let function = ScalarFunction(
            name: "padded", argumentTypes: [.character], resultType: .text, volatility: .immutable, nulls: .ignored,
            mayFail: false
        ) { arguments, count, _ throws(FirnError) in
            .column(arguments[0].materialized(rowCount: count).retyped(.text))
        }
        return fold(BoundExpression(.call(function, [expression]), .text, position: expression.position))
    }
}
