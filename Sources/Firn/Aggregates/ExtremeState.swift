// SPDX-License-Identifier: Apache-2.0
//
// min and max: the smallest or largest value of each group, by the order of ORDER BY.

/// A value that lies in a column as it is and has an order.
protocol ExtremeValue: Sendable {
    /// The order of SQL; for floats NaN is above all.
    static func isBelow(_ left: Self, _ right: Self) -> Bool
    /// The column's values, NULL rows as they lie.
    static func values(of column: Column) -> [Self]
    static func column(_ values: [Self], type: DataType, validity: Bitmap?) -> Column
    /// Any value, for groups without rows.
    static var placeholder: Self { get }
    /// The smallest or largest of at least one value, the first of equal ones.
    static func best(_ values: UnsafeBufferPointer<Self>, _ extreme: Extreme) -> Self
}

/// Which end of the order is kept.
enum Extreme: Sendable {
    case smallest, largest
}

/// The smallest or largest value of each group, by type.
struct Extremes<Value: ExtremeValue> {
    private let extreme: Extreme
    private var values: [Value] = []
    private var isKnown: [Bool] = []

    init(_ extreme: Extreme) { self.extreme = extreme }

    mutating func addGroups(_ count: Int) {
        values.append(contentsOf: repeatElement(Value.placeholder, count: count))
        isKnown.append(contentsOf: repeatElement(false, count: count))
    }

    @inline(__always)
    private mutating func offer(_ value: Value, _ group: Int) {
        if !isKnown[group] || extreme.prefers(value, to: values[group]) {
            values[group] = value
            isKnown[group] = true
        }
    }

    mutating func update(runs: UnsafeBufferPointer<RowRun>, _ column: Column) {
        Value.values(of: column).withUnsafeBufferPointer { rows in
            precondition(runs.last.map { Int($0.end) <= rows.count } ?? true, "runs lie within the batch")
            for run in runs {
                offer(Value.best(UnsafeBufferPointer(rebasing: rows[run.rows]), extreme), Int(run.group))
            }
        }
    }

    mutating func update(groups: UnsafeBufferPointer<UInt32>, _ column: Column) {
        Value.values(of: column).withUnsafeBufferPointer { rows in
            for row in 0..<groups.count { offer(rows[row], Int(groups[row])) }
        }
    }

    mutating func merge(_ other: Extremes, _ pairs: UnsafeBufferPointer<MergePair>) {
        for pair in pairs where other.isKnown[Int(pair.from)] { offer(other.values[Int(pair.from)], Int(pair.to)) }
    }

    func finish(type: DataType, groups: Range<Int>) -> Column {
        let known = isKnown[groups]
        let validity = known.allSatisfy { $0 } ? nil : Bitmap(known)
        return Value.column(Array(values[groups]), type: type, validity: validity)
    }

    var byteCount: Int { values.count * (MemoryLayout<Value>.stride + 1) }
}

extension Extreme {
    /// True where `value` takes the place of `held`; of equal ones the first stays.
    @inline(__always)
    fileprivate func prefers<Value: ExtremeValue>(_ value: Value, to held: Value) -> Bool {
        switch self {
        case .smallest: Value.isBelow(value, held)
        case .largest: Value.isBelow(held, value)
        }
    }
}

/// A state that is nothing but `Extremes` of one type.
///
/// A class of its own for each type, and not a generic class: the methods of a generic class that are reached through
/// a protocol are never specialised, which costs ten times the work itself.
private protocol ExtremeState: AggregateState {
    associatedtype Value: ExtremeValue
    var extremes: Extremes<Value> { get set }
}

extension ExtremeState {
    func addGroups(_ count: Int) { extremes.addGroups(count) }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        extremes.update(runs: runs, arguments[0])
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        extremes.update(groups: groups, arguments[0])
    }

    func merge(_ other: any AggregateState, _ pairs: UnsafeBufferPointer<MergePair>) {
        extremes.merge(sameKind(other).extremes, pairs)
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        extremes.finish(type: type, groups: groups)
    }

    var byteCount: Int { extremes.byteCount }
}

private final class BooleanExtremeState: ExtremeState {
    var extremes: Extremes<Bool>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class IntegerExtremeState: ExtremeState {
    var extremes: Extremes<Int64>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class FloatExtremeState: ExtremeState {
    var extremes: Extremes<Float>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class DoubleExtremeState: ExtremeState {
    var extremes: Extremes<Double>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class DecimalExtremeState: ExtremeState {
    var extremes: Extremes<Decimal>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class UUIDExtremeState: ExtremeState {
    var extremes: Extremes<UInt128>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

private final class IntervalExtremeState: ExtremeState {
    var extremes: Extremes<Interval>
    init(_ extreme: Extreme) { extremes = Extremes(extreme) }
}

/// Chooses the state for a type.
enum ExtremeStates {
    static func make(_ type: DataType, _ extreme: Extreme) -> any AggregateState {
        switch type.physical {
        case .boolean: BooleanExtremeState(extreme)
        case .integer: IntegerExtremeState(extreme)
        case .float: FloatExtremeState(extreme)
        case .double: DoubleExtremeState(extreme)
        case .decimal: DecimalExtremeState(extreme)
        case .uuid: UUIDExtremeState(extreme)
        case .interval: IntervalExtremeState(extreme)
        case .bytes: TextExtremeState(extreme)
        case .vector: preconditionFailure("vectors have no order")
        }
    }
}

extension ExtremeValue {
    /// The smallest or largest of some values, the first of equal ones.
    @inline(__always)
    static func best(_ values: UnsafeBufferPointer<Self>, _ extreme: Extreme) -> Self { scan(values, extreme) }

    @inline(__always)
    fileprivate static func scan(_ values: UnsafeBufferPointer<Self>, _ extreme: Extreme) -> Self {
        var best = values[0]
        for value in values.dropFirst() where extreme.prefers(value, to: best) { best = value }
        return best
    }
}

/// Fewer values than this are not worth a kernel.
private let kernelValuesMin = 16

extension Bool: ExtremeValue {
    static func isBelow(_ left: Bool, _ right: Bool) -> Bool { !left && right }
    static func values(of column: Column) -> [Bool] { column.booleanValues! }
    static func column(_ values: [Bool], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .boolean(values), validity: validity)
    }
    static var placeholder: Bool { false }
}

extension Int64: ExtremeValue {
    @inline(__always)
    static func isBelow(_ left: Int64, _ right: Int64) -> Bool { left < right }
    static func values(of column: Column) -> [Int64] { column.integerValues! }
    static func column(_ values: [Int64], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .integer(values), validity: validity)
    }
    static var placeholder: Int64 { 0 }

    @inline(__always)
    static func best(_ values: UnsafeBufferPointer<Int64>, _ extreme: Extreme) -> Int64 {
        guard values.count >= kernelValuesMin else { return scan(values, extreme) }
        let extremes = Kernels.extremes(values.baseAddress!, count: values.count)
        return extreme == .smallest ? extremes.min : extremes.max
    }
}

extension Double: ExtremeValue {
    @inline(__always)
    static func isBelow(_ left: Double, _ right: Double) -> Bool { left < right || (right.isNaN && !left.isNaN) }
    static func values(of column: Column) -> [Double] { column.doubleValues! }
    static func column(_ values: [Double], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .double(values), validity: validity)
    }
    static var placeholder: Double { 0 }

    @inline(__always)
    static func best(_ values: UnsafeBufferPointer<Double>, _ extreme: Extreme) -> Double {
        guard values.count >= kernelValuesMin else { return scan(values, extreme) }
        let extremes = Kernels.aggregate(values.baseAddress!, count: values.count)
        let best = extreme == .smallest ? extremes.min : extremes.max
        // The kernel leaves NaN out and does not keep the sign of a zero.
        if best == 0 || extremes.nanCount == values.count { return scan(values, extreme) }
        return extreme == .largest && extremes.nanCount > 0 ? .nan : best
    }
}

extension Float: ExtremeValue {
    @inline(__always)
    static func isBelow(_ left: Float, _ right: Float) -> Bool { left < right || (right.isNaN && !left.isNaN) }
    static func values(of column: Column) -> [Float] { column.floatValues! }
    static func column(_ values: [Float], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .float(values), validity: validity)
    }
    static var placeholder: Float { 0 }
}

extension UInt128: ExtremeValue {
    static func isBelow(_ left: UInt128, _ right: UInt128) -> Bool { left < right }
    static func values(of column: Column) -> [UInt128] { column.uuidValues! }
    static func column(_ values: [UInt128], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .uuid(values), validity: validity)
    }
    static var placeholder: UInt128 { 0 }
}

extension Interval: ExtremeValue {
    static func isBelow(_ left: Interval, _ right: Interval) -> Bool {
        left.comparisonMicroseconds < right.comparisonMicroseconds
    }
    static func values(of column: Column) -> [Interval] { column.intervalValues! }
    static func column(_ values: [Interval], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .interval(values), validity: validity)
    }
    static var placeholder: Interval { Interval(months: 0, days: 0, microseconds: 0) }
}

extension Decimal: ExtremeValue {
    static func isBelow(_ left: Decimal, _ right: Decimal) -> Bool { left < right }
    static func values(of column: Column) -> [Decimal] { column.decimalValues! }
    static func column(_ values: [Decimal], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .decimal(DecimalValues(values)), validity: validity)
    }
    static var placeholder: Decimal { .zero }
}
