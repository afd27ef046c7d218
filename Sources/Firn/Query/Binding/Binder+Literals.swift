// SPDX-License-Identifier: Apache-2.0
//
// Constants as they are written: numbers, typed literals, parameters, and the words that stand for a value.

import FirnSyntax

extension Binder {
    func integerLiteral(_ digits: String, position: Int) throws(FirnError) -> BoundExpression {
        guard let value = Int64(digits) else { return try numericLiteral(digits, position: position) }
        let type: DataType = Int32(exactly: value) != nil ? .integer : .bigint
        return BoundExpression(.constant(.integer(value)), type, position: position)
    }

    func numericLiteral(_ digits: String, position: Int) throws(FirnError) -> BoundExpression {
        let literal = BoundExpression(.constant(.text(digits)), .unknown, position: position)
        do throws(FirnError) {
            return try convert(literal, to: .numeric)
        } catch {
            // Beyond the 38 digits that NUMERIC has here, a number is meant as floating point.
            return try convert(literal, to: .double)
        }
    }

    /// `DATE '2024-01-01'`; INTERVAL may name the fields that it keeps.
    func typedLiteral(_ name: TypeName, _ text: String, position: Int) throws(FirnError) -> BoundExpression {
        let declared = try DeclaredType(name)
        let literal = BoundExpression(.constant(.text(text)), .unknown, position: position)
        let interval = try intervalLiteral(literal, declared.modifier)
        let value = if let interval { interval } else { try convert(literal, to: declared.type) }
        return limit(value, by: declared.modifier, position: position)
    }

    func parameter(_ number: Int, position: Int) throws(FirnError) -> BoundExpression {
        guard number >= 1, number <= parameters.count else {
            throw FirnError(
                .undefinedParameter, "there is no parameter $\(number)",
                detail: "\(parameters.count) parameters were given", position: position)
        }
        let parameter = parameters[number - 1]
        let type = parameter.type ?? parameter.value.ownType
        do throws(FirnError) {
            return try given(parameter.value, type, position: position)
        } catch {
            var error = error
            error.position = position
            error.detail = (error.detail.map { $0 + " " } ?? "") + "It is the value of parameter $\(number)."
            throw error
        }
    }

    /// A parameter's value. Programs have types of their own as parameters: what such a type says of itself is checked.
    private func given(_ value: Value, _ type: DataType, position: Int) throws(FirnError) -> BoundExpression {
        switch value {
        case .null: break
        case .text(let text):
            guard !text.utf8.contains(0) else {
                throw FirnError(.characterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x00")
            }
            // Text of a type that is none is read as a literal is.
            if type != .text, type != .unknown {
                return try convert(BoundExpression(.constant(value), .unknown, position: position), to: type)
            }
        case .integer(let count):
            let range: ClosedRange<Int64> =
                type == .date ? Int64(Int32.min)...Int64(Int32.max) : type.integerRange ?? .all
            guard range.contains(count) else {
                throw FirnError(
                    type == .date ? .datetimeFieldOverflow : .numericValueOutOfRange,
                    "value \(count) is out of range for type \(type)")
            }
        case .vector(let values):
            guard (1...DataType.vectorDimensionsMax).contains(values.count) else {
                throw FirnError(
                    .invalidParameterValue,
                    "dimensions for type vector must be between 1 and \(DataType.vectorDimensionsMax)")
            }
            guard values.allSatisfy(\.isFinite) else {
                throw FirnError(.numericValueOutOfRange, "NaN and infinity are not allowed in vector")
            }
        default: break
        }
        guard type.holds(value) else {
            throw FirnError(.datatypeMismatch, "a parameter of type \(type) cannot hold \(value.kindText)")
        }
        if case .numeric = type { return BoundExpression(.constant(value), .numeric, position: position) }
        return BoundExpression(.constant(value), type, position: position)
    }

    func currentValue(_ value: CurrentValue, precision: Int?, position: Int) throws(FirnError) -> BoundExpression {
        switch value {
        case .currentTimestamp, .localTimestamp:
            if let precision, precision < 0 {
                throw FirnError(
                    .invalidParameterValue,
                    "\(value.rawValue.uppercased())(\(precision)) precision must not be negative",
                    position: position)
            }
            let now = try call(value.rawValue, [], position: position)
            // The clock has six digits; more than that leave it as it is, as in PostgreSQL.
            return limit(now, by: precision.map { .fractionalDigits(min($0, 6)) }, position: position)
        case .currentDate: return try call(value.rawValue, [], position: position)
        case .currentTime, .localTime: throw Binder.unsupported(value.rawValue.uppercased(), position: position)
        case .currentUser, .sessionUser, .user, .currentRole, .currentCatalog:
            return BoundExpression(.constant(.text("firn")), .text, position: position)
        case .currentSchema: return BoundExpression(.constant(.text("public")), .text, position: position)
        }
    }
}

extension Value {
    /// The type of a parameter of which nothing else says one.
    fileprivate var ownType: DataType {
        switch self {
        case .null, .text: .unknown
        case .boolean: .boolean
        case .integer: .bigint
        case .float: .real
        case .double: .double
        case .decimal: .numeric
        case .bytes: .bytea
        case .uuid: .uuid
        case .interval: .interval
        case .vector(let values): .vector(values.count)
        }
    }
}

extension ClosedRange<Int64> {
    fileprivate static var all: ClosedRange<Int64> { Int64.min...Int64.max }
}
