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
            ColumnRange(column: scan.columns[column], lower: bounds.lower, upper: bounds.upper)
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
            // Only what every branch says about a column holds.
            var all = bounds(of: terms[0])
            for term in terms.dropFirst() {
                let others = bounds(of: term)
                all = all.reduce(into: [:]) { kept, entry in
                    guard let other = others[entry.key] else { return }
                    let hull = entry.value.hull(other)
                    if hull.lower != nil || hull.upper != nil { kept[entry.key] = hull }
                }
            }
            return all
        case .compare(let comparison, let left, let right):
            if let value = right.constantValue { return bounds(of: left, comparison, value) }
            if let value = left.constantValue { return bounds(of: right, comparison.swapped, value) }
            return [:]
        case .inConstants(let operand, let values, _, false):
            let known = values.filter { !$0.isNull }
            guard let column = operand.scannedColumn, let first = known.first else { return [:] }
            return [
                column: known.dropFirst().reduce(ValueBounds(first, first)) { $0.hull(ValueBounds($1, $1)) }
            ]
        default: return [:]
        }
    }

    private static func bounds(
        of operand: BoundExpression, _ comparison: Comparison, _ value: Value
    ) -> [Int: ValueBounds] {
        // A comparison with NULL is true for no row; that is for the filter to find.
        guard ValueBounds.canHold(value) else { return [:] }
        if let column = operand.scannedColumn {
            switch comparison {
            case .equal: return [column: ValueBounds(value, value)]
            case .notEqual: return [:]
            case .less: return [column: ValueBounds(nil, value.steppedDown)]
            case .lessOrEqual: return [column: ValueBounds(nil, value)]
            case .greater: return [column: ValueBounds(value.steppedUp, nil)]
            case .greaterOrEqual: return [column: ValueBounds(value, nil)]
            }
        }
        // bucket <= time < bucket + width.
        if let bucket = BucketKey(operand), let column = bucket.time.scannedColumn, case .integer(let start) = value {
            let (end, overflow) = start.addingReportingOverflow(bucket.width - 1)
            let lower: Value? = .integer(start)
            let upper: Value? = overflow ? nil : .integer(end)
            switch comparison {
            case .equal: return [column: ValueBounds(lower, upper)]
            case .notEqual: return [:]
            case .less, .lessOrEqual: return upper == nil ? [:] : [column: ValueBounds(nil, upper)]
            case .greater, .greaterOrEqual: return [column: ValueBounds(lower, nil)]
            }
        }
        return [:]
    }
}

/// Inclusive bounds on the values of a column; nil is unbounded.
struct ValueBounds {
    var lower: Value?
    var upper: Value?

    init(_ lower: Value?, _ upper: Value?) {
        self.lower = lower
        self.upper = upper
    }

    /// Values whose order is known here.
    static func canHold(_ value: Value) -> Bool {
        switch value {
        case .null, .interval, .vector, .bytes: false
        case .boolean, .integer, .float, .double, .decimal, .text, .uuid: true
        }
    }

    func intersection(_ other: ValueBounds) -> ValueBounds {
        ValueBounds(
            Self.pick(lower, other.lower, missing: .other) { Self.isBelow($0, $1) ? $1 : $0 },
            Self.pick(upper, other.upper, missing: .other) { Self.isBelow($0, $1) ? $0 : $1 })
    }

    /// The smallest bounds around both.
    func hull(_ other: ValueBounds) -> ValueBounds {
        ValueBounds(
            Self.pick(lower, other.lower, missing: .unbounded) { Self.isBelow($0, $1) ? $0 : $1 },
            Self.pick(upper, other.upper, missing: .unbounded) { Self.isBelow($0, $1) ? $1 : $0 })
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

    /// The order of two values of one type.
    private static func isBelow(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): !left && right
        case (.integer(let left), .integer(let right)): left < right
        case (.float(let left), .float(let right)): left < right || (right.isNaN && !left.isNaN)
        case (.double(let left), .double(let right)): left < right || (right.isNaN && !left.isNaN)
        case (.decimal(let left), .decimal(let right)): left < right
        case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.uuid(let left), .uuid(let right)): left < right
        default: preconditionFailure("bounds of one column have one type")
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

extension BoundExpression {
    /// The column that this is, also under a cast between integer types, which keeps every value.
    fileprivate var scannedColumn: Int? {
        switch kind {
        case .column(let index): return index
        case .cast(let operand) where type.isInteger && operand.type.isInteger:
            guard let from = operand.type.integerRange, let to = type.integerRange else { return nil }
            return from.lowerBound >= to.lowerBound && from.upperBound <= to.upperBound ? operand.scannedColumn : nil
        default: return nil
        }
    }
}
