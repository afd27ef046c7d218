// SPDX-License-Identifier: Apache-2.0
//
// What conditions say about single columns: the ranges by which chunks, row groups and vectors are left unread.
//
// A range may hold more than the condition accepts, never less. Rows that are read are still tested.

enum ImpliedRanges {
    /// One range a column at most, for conditions that all hold.
    static func ranges(of conditions: [BoundExpression], _ scan: LogicalPlan.TableScan) -> [ColumnRange] {
        var bounds: [Int: ValueBounds] = [:]
        for condition in conditions {
            for (column, implied) in self.bounds(of: condition) {
                bounds[column] = bounds[column].map { $0.intersection(implied) } ?? implied
            }
        }
        return bounds.sorted { $0.key < $1.key }.map { column, bounds in
            ColumnRange(
                column: scan.columns[column], lower: bounds.lower, upper: bounds.upper, choices: bounds.choices,
                hasStatistics: !bounds.isJSON)
        }
    }

    /// The bounds that one condition implies, by column.
    private static func bounds(of condition: BoundExpression) -> [Int: ValueBounds] {
        switch condition.kind {
        case .and(let terms):
            return terms.reduce(into: [:]) { all, term in
                all.merge(bounds(of: term)) { $0.intersection($1) }
            }
        case .or(let terms):
            return hull(of: terms.map { bounds(of: $0) })
        case .compare(let comparison, let left, let right):
            if let value = right.constantValue { return bounds(of: left, comparison, value) }
            if let value = left.constantValue { return bounds(of: right, comparison.swapped, value) }
            return [:]
        case .inConstants(let operand, let values, _, false):
            let known = values.filter { !$0.isNull }
            guard !known.isEmpty else { return [:] }
            if let column = operand.scannedColumn { return column.saying(ValueBounds(oneOf: known)) }
            return hull(of: known.map { bounds(of: operand, .equal, $0) })
        default: return [:]
        }
    }

    /// Only what every branch says about a column holds.
    private static func hull(of branches: [[Int: ValueBounds]]) -> [Int: ValueBounds] {
        branches.dropFirst().reduce(branches[0]) { all, others in
            all.reduce(into: [:]) { kept, entry in
                guard let other = others[entry.key] else { return }
                let hull = entry.value.hull(other)
                if hull.saysAnything { kept[entry.key] = hull }
            }
        }
    }

    private static func bounds(
        of operand: BoundExpression, _ comparison: Comparison, _ value: Value
    ) -> [Int: ValueBounds] {
        // A comparison with NULL is true for no row; that is for the filter to find.
        guard !value.isNull else { return [:] }
        if let column = operand.scannedColumn {
            if comparison == .equal { return column.saying(ValueBounds(oneOf: [value])) }
            guard ValueBounds.canHold(value) else { return [:] }
            switch comparison {
            case .equal, .notEqual: return [:]
            case .less: return column.saying(ValueBounds(nil, value.steppedDown))
            case .lessOrEqual: return column.saying(ValueBounds(nil, value))
            case .greater: return column.saying(ValueBounds(value.steppedUp, nil))
            case .greaterOrEqual: return column.saying(ValueBounds(value, nil))
            }
        }
        // bucket <= time < bucket + width.
        if let bucket = BucketKey(operand), let column = bucket.time.scannedColumn, case .integer(let start) = value {
            let (end, overflow) = start.addingReportingOverflow(bucket.width - 1)
            let lower: Value? = .integer(start)
            let upper: Value? = overflow ? nil : .integer(end)
            switch comparison {
            case .equal: return column.saying(ValueBounds(lower, upper))
            case .notEqual: return [:]
            case .less, .lessOrEqual: return column.saying(ValueBounds(nil, upper))
            case .greater, .greaterOrEqual: return column.saying(ValueBounds(lower, nil))
            }
        }
        return [:]
    }
}

/// Inclusive bounds on the values of a column; nil is unbounded.
struct ValueBounds {
    /// More choices than this are bounds alone.
    private static let choiceCountMax = [ColumnRange].primaryKeyCountMax

    var lower: Value?
    var upper: Value?
    /// The only values that are possible; nil where there are more.
    var choices: [Value]?
    /// The values are JSONB, which has another order than its text: there are choices alone.
    var isJSON = false

    init(_ lower: Value?, _ upper: Value?) {
        self.lower = lower
        self.upper = upper
    }

    init(oneOf values: [Value]) {
        if values.count <= Self.choiceCountMax { choices = values }
        guard let first = values.first, Self.canHold(first) else { return }
        lower = values.dropFirst().reduce(first) { KeyOrder.isLess($1, $0) ? $1 : $0 }
        upper = values.dropFirst().reduce(first) { KeyOrder.isLess($0, $1) ? $1 : $0 }
    }

    var saysAnything: Bool { lower != nil || upper != nil || choices != nil }

    private func contains(_ value: Value) -> Bool {
        if let lower, KeyOrder.isLess(value, lower) { return false }
        if let upper, KeyOrder.isLess(upper, value) { return false }
        return true
    }

    /// Values that bounds are kept of; others are known as choices alone.
    static func canHold(_ value: Value) -> Bool {
        switch value {
        case .null, .interval, .vector, .bytes: false
        case .boolean, .integer, .float, .double, .decimal, .text, .uuid: true
        }
    }

    func intersection(_ other: ValueBounds) -> ValueBounds {
        var both = ValueBounds(
            Self.pick(lower, other.lower, missing: .other) { KeyOrder.isLess($0, $1) ? $1 : $0 },
            Self.pick(upper, other.upper, missing: .other) { KeyOrder.isLess($0, $1) ? $0 : $1 })
        both.isJSON = isJSON
        let fewer = [choices, other.choices].compactMap(\.self).min { $0.count < $1.count }
        both.choices = fewer?.filter(both.contains)
        if both.choices == nil, let only = both.lower, only == both.upper { both.choices = [only] }
        return both
    }

    /// The smallest bounds around both.
    func hull(_ other: ValueBounds) -> ValueBounds {
        var both = ValueBounds(
            Self.pick(lower, other.lower, missing: .unbounded) { KeyOrder.isLess($0, $1) ? $0 : $1 },
            Self.pick(upper, other.upper, missing: .unbounded) { KeyOrder.isLess($0, $1) ? $1 : $0 })
        both.isJSON = isJSON
        if let choices, let others = other.choices, choices.count + others.count <= Self.choiceCountMax {
            both.choices = choices + others.filter { !choices.contains($0) }
        }
        return both
    }

    private enum Missing {
        /// The other bound holds alone.
        case other
        case unbounded
    }

    private static func pick(
        _ left: Value?, _ right: Value?, missing: Missing, _ both: (Value, Value) -> Value
    ) -> Value? {
        switch (left, right) {
        case (let left?, let right?): both(left, right)
        case (let only?, nil), (nil, let only?): missing == .other ? only : nil
        case (nil, nil): nil
        }
    }
}

extension Value {
    /// The next larger integer; other values, and the largest, as they are.
    fileprivate var steppedUp: Value {
        if case .integer(let value) = self, value < .max { .integer(value + 1) } else { self }
    }

    /// The next smaller integer; other values, and the smallest, as they are.
    fileprivate var steppedDown: Value {
        if case .integer(let value) = self, value > .min { .integer(value - 1) } else { self }
    }
}

/// A column of a scan that is compared, as it is or under a cast that keeps every value.
private struct ScannedColumn {
    let index: Int
    /// The column is REAL, what it is compared with is DOUBLE PRECISION.
    var isWidenedReal = false
    var isJSON = false

    /// What bounds on the compared values say about the column.
    func saying(_ bounds: ValueBounds) -> [Int: ValueBounds] {
        var own = isWidenedReal ? bounds.narrowedToReal : bounds
        if isJSON {
            own = ValueBounds(nil, nil)
            own.choices = bounds.choices
            own.isJSON = true
        }
        return own.saysAnything ? [index: own] : [:]
    }
}

extension ValueBounds {
    /// The same for values that are REAL: the nearest that are no narrower.
    fileprivate var narrowedToReal: ValueBounds {
        func real(_ bound: Value?, _ isTooFar: (Double, Double) -> Bool, _ step: (Float) -> Float) -> Value? {
            guard case .double(let value) = bound else { return nil }
            let nearest = Float(value)
            return .float(isTooFar(Double(nearest), value) ? step(nearest) : nearest)
        }
        var narrowed = ValueBounds(real(lower, >) { $0.nextDown }, real(upper, <) { $0.nextUp })
        narrowed.choices = choices?.compactMap { choice in
            guard case .double(let value) = choice else { return nil }
            let nearest = Float(value)
            return Double(nearest) == value || value.isNaN ? .float(nearest) : nil
        }
        return narrowed
    }
}

extension BoundExpression {
    /// The column that this is, also under a cast that keeps every value.
    fileprivate var scannedColumn: ScannedColumn? {
        switch kind {
        case .column(let index): return ScannedColumn(index: index, isJSON: type == .jsonb)
        case .cast(let operand):
            switch (operand.type, type) {
            case (.real, .double):
                guard case .column(let index) = operand.kind else { return nil }
                return ScannedColumn(index: index, isWidenedReal: true)
            case (.numeric, .numeric(precision: nil, scale: nil)): return operand.scannedColumn
            default:
                guard let from = operand.type.integerRange, let to = type.integerRange,
                    type.isInteger, operand.type.isInteger
                else { return nil }
                let keepsAll = from.lowerBound >= to.lowerBound && from.upperBound <= to.upperBound
                return keepsAll ? operand.scannedColumn : nil
            }
        default: return nil
        }
    }
}
