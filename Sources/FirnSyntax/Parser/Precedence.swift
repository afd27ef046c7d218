// SPDX-License-Identifier: Apache-2.0
//
// How tightly operators bind, as PostgreSQL's gram.y declares it. Parser and renderer share it.

/// A level of precedence; a higher one binds tighter.
enum Precedence: Int, Comparable {
    case or = 1
    case and
    case not
    /// IS, ISNULL, NOTNULL.
    case `is`
    /// < > = <= >= <>, which do not associate.
    case comparison
    /// BETWEEN, IN, LIKE, ILIKE, SIMILAR TO.
    case like
    /// All other operators.
    case other
    case additive
    case multiplicative
    case power
    case atTimeZone
    case collate
    /// A sign before its operand.
    case sign
    case element
    case cast
    /// What needs no parentheses anywhere.
    case primary

    static func < (left: Precedence, right: Precedence) -> Bool { left.rawValue < right.rawValue }

    /// The next tighter level.
    var tighter: Precedence { Precedence(rawValue: rawValue + 1) ?? .primary }
}

extension BinaryOperator {
    var precedence: Precedence {
        switch self {
        case .add, .subtract: .additive
        case .multiply, .divide, .integerDivide, .remainder: .multiplicative
        case .power: .power
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: .comparison
        default: .other
        }
    }

    /// All operators by spelling.
    static let bySpelling: [String: BinaryOperator] = Dictionary(
        uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}
