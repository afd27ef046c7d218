// SPDX-License-Identifier: Apache-2.0
//
// Which type may become which, and where: PostgreSQL's pg_cast, and its rule for the common type of several
// expressions (UNION, CASE, COALESCE, IN, comparisons).

/// Where a value changes its type; each allows what those before it allow, and more.
enum CoercionContext: Int, Comparable, Sendable {
    /// Inside expressions, unasked.
    case implicit
    /// Into a column.
    case assignment
    /// By CAST or `::`.
    case explicit

    static func < (left: CoercionContext, right: CoercionContext) -> Bool { left.rawValue < right.rawValue }
}

enum CoercionRules {
    /// Whether a value of one family may become one of another.
    static func allows(_ source: TypeFamily, to target: TypeFamily, _ context: CoercionContext) -> Bool {
        if source == target || source == .unknown { return true }
        guard let needed = contextNeeded(source, target) else { return false }
        return context >= needed
    }

    /// The least context in which the cast exists; nil where it does not.
    private static func contextNeeded(_ source: TypeFamily, _ target: TypeFamily) -> CoercionContext? {
        switch (source, target) {
        case (.character, .text): return .implicit
        case (_, .text), (_, .character): return .assignment
        case (.text, _), (.character, _): return .explicit
        case (.boolean, .integer), (.integer, .boolean): return .explicit
        case (.date, .timestamp), (.date, .timestamptz), (.timestamp, .timestamptz): return .implicit
        case (.timestamp, .date), (.timestamptz, .date), (.timestamptz, .timestamp): return .assignment
        case (.jsonb, .boolean), (.jsonb, .smallint), (.jsonb, .integer), (.jsonb, .bigint), (.jsonb, .real),
            (.jsonb, .double), (.jsonb, .numeric):
            return .explicit
        default:
            guard let from = numberRank(source), let to = numberRank(target) else { return nil }
            // Upwards unasked, downwards into columns.
            return from < to ? .implicit : .assignment
        }
    }

    private static func numberRank(_ family: TypeFamily) -> Int? {
        switch family {
        case .smallint: 0
        case .integer: 1
        case .bigint: 2
        case .numeric: 3
        case .real: 4
        case .double: 5
        default: nil
        }
    }

    /// The type to which all can be brought; nil where there is none.
    ///
    /// Unknown literals do not count; when all are unknown it is TEXT. Then, as PostgreSQL's select_common_type: the
    /// first type, replaced by a later one of its category to which it can be brought unless it is preferred. Precision
    /// and scale stay only where all have the same: what else is there was not made for them.
    static func commonType(of types: [DataType]) -> DataType? {
        let known = types.filter { $0 != .unknown }
        guard let first = known.first else { return .text }
        if types.allSatisfy({ $0 == first }) { return first }
        var common = first.withoutModifiers
        for type in known.dropFirst().map(\.withoutModifiers) where type != common {
            guard type.family.category == common.family.category else { return nil }
            if type.family == common.family {
                guard let merged = merged(common, type) else { return nil }
                common = merged
            } else if !common.family.isPreferred, allows(common.family, to: type.family, .implicit),
                !allows(type.family, to: common.family, .implicit)
            {
                common = widened(type, toHold: common)
            } else if allows(type.family, to: common.family, .implicit) {
                common = widened(common, toHold: type)
            } else {
                return nil
            }
        }
        return common
    }

    /// The type in which two values are compared, without modifiers; nil where there is no operator for them.
    static func comparisonType(_ left: DataType, _ right: DataType) -> DataType? {
        // PostgreSQL compares REAL with other numbers in double precision.
        if left.isNumber, right.isNumber, left.family != right.family, left == .real || right == .real {
            return .double
        }
        // CHAR(n) is compared without its trailing blanks.
        let type = commonType(of: [left, right])?.withoutModifiers
        return type == .character ? .text : type
    }

    /// The type of `left` as an operand of `left = right`: its own where PostgreSQL has that operator for two types of
    /// their kind, else the type in which they are compared; nil where there is no operator.
    static func leftOperandType(_ left: DataType, _ right: DataType) -> DataType? {
        guard let compared = comparisonType(left, right) else { return nil }
        let isOwn =
            (left.family == right.family && left != .unknown) || (left == .character && right == .unknown)
            || (left.isInteger && right.isInteger)
            || (left.isFloatingPoint && right.isFloatingPoint)
            || (left.family.category == .dateTime && right.family.category == .dateTime)
        return isOwn ? left : compared
    }

    /// One type of a family that holds the values of both; nil where there is none.
    private static func merged(_ left: DataType, _ right: DataType) -> DataType? {
        switch (left, right) {
        case (.timestamptz, .timestamptz): .timestamptz(.nanoseconds)
        case (.timestamp, .timestamp): .timestamp(.nanoseconds)
        case (.vector, .vector): nil
        default: left.family.type
        }
    }

    /// The type with the finer unit where the other has it.
    private static func widened(_ type: DataType, toHold other: DataType) -> DataType {
        switch (type, other) {
        case (.timestamptz, .timestamp(.nanoseconds)): .timestamptz(.nanoseconds)
        default: type
        }
    }
}
