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
}

/// Which end of the order is kept.
enum Extreme: Sendable {
    case smallest, largest
}

/// Chooses the state for a type.
enum ExtremeStates {
    static func make(_ type: DataType, _ extreme: Extreme) -> any AggregateState {
        switch type.physical {
        case .boolean: ExtremeState<Bool>(extreme)
        case .integer: ExtremeState<Int64>(extreme)
        case .float: ExtremeState<Float>(extreme)
        case .double: ExtremeState<Double>(extreme)
        case .decimal: ExtremeState<Decimal>(extreme)
        case .uuid: ExtremeState<UInt128>(extreme)
        case .interval: ExtremeState<Interval>(extreme)
        case .bytes: ExtremeState<ByteString>(extreme)
        case .vector: preconditionFailure("vectors have no order")
        }
    }
}

/// The smallest or largest value of each group.
final class ExtremeState<Value: ExtremeValue>: AggregateState {
    private let extreme: Extreme
    private var values: [Value] = []
    private var isKnown: [Bool] = []

    init(_ extreme: Extreme) { self.extreme = extreme }

    func addGroups(_ count: Int) {
        values.append(contentsOf: repeatElement(Value.placeholder, count: count))
        isKnown.append(contentsOf: repeatElement(false, count: count))
    }

    func update(runs: UnsafeBufferPointer<RowRun>, _ arguments: [Column]) {
        Value.values(of: arguments[0]).withUnsafeBufferPointer { rows in
            switch extreme {
            case .smallest: update(runs, rows) { Value.isBelow($0, $1) }
            case .largest: update(runs, rows) { Value.isBelow($1, $0) }
            }
        }
    }

    @inline(__always)
    private func update(
        _ runs: UnsafeBufferPointer<RowRun>, _ rows: UnsafeBufferPointer<Value>,
        isBetter: (Value, Value) -> Bool
    ) {
        values.withUnsafeMutableBufferPointer { values in
            isKnown.withUnsafeMutableBufferPointer { isKnown in
                for run in runs {
                    var best = rows[Int(run.start)]
                    for row in Int(run.start) + 1..<max(Int(run.end), Int(run.start) + 1)
                    where isBetter(rows[row], best) { best = rows[row] }
                    let group = Int(run.group)
                    if !isKnown[group] || isBetter(best, values[group]) {
                        values[group] = best
                        isKnown[group] = true
                    }
                }
            }
        }
    }

    func update(groups: UnsafeBufferPointer<UInt32>, _ arguments: [Column]) {
        Value.values(of: arguments[0]).withUnsafeBufferPointer { rows in
            switch extreme {
            case .smallest: update(groups, rows) { Value.isBelow($0, $1) }
            case .largest: update(groups, rows) { Value.isBelow($1, $0) }
            }
        }
    }

    @inline(__always)
    private func update(
        _ groups: UnsafeBufferPointer<UInt32>, _ rows: UnsafeBufferPointer<Value>, isBetter: (Value, Value) -> Bool
    ) {
        values.withUnsafeMutableBufferPointer { values in
            isKnown.withUnsafeMutableBufferPointer { isKnown in
                for row in 0..<groups.count {
                    let group = Int(groups[row])
                    if !isKnown[group] || isBetter(rows[row], values[group]) {
                        values[group] = rows[row]
                        isKnown[group] = true
                    }
                }
            }
        }
    }

    func merge(_ other: any AggregateState, _ range: Range<Int>, into groups: UnsafeBufferPointer<UInt32>) {
        let other = sameKind(other)
        for index in range where other.isKnown[index] {
            let group = Int(groups[index])
            let value = other.values[index]
            let isBetter =
                switch extreme {
                case .smallest: Value.isBelow(value, values[group])
                case .largest: Value.isBelow(values[group], value)
                }
            if !isKnown[group] || isBetter {
                values[group] = value
                isKnown[group] = true
            }
        }
    }

    func finish(_ output: AggregateOutput, type: DataType, groups: Range<Int>) -> Column {
        let known = isKnown[groups]
        let validity = known.allSatisfy { $0 } ? nil : Bitmap(known)
        return Value.column(Array(values[groups]), type: type, validity: validity)
    }

    var byteCount: Int { values.count * (MemoryLayout<Value>.stride + 1) }
}

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
}

extension Double: ExtremeValue {
    @inline(__always)
    static func isBelow(_ left: Double, _ right: Double) -> Bool { left < right || (right.isNaN && !left.isNaN) }
    static func values(of column: Column) -> [Double] { column.doubleValues! }
    static func column(_ values: [Double], type: DataType, validity: Bitmap?) -> Column {
        Column(type: type, values: .double(values), validity: validity)
    }
    static var placeholder: Double { 0 }
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

/// The bytes of a text, ordered as the C collation has it.
struct ByteString: ExtremeValue {
    let bytes: ArraySlice<UInt8>

    static func isBelow(_ left: ByteString, _ right: ByteString) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
    static func values(of column: Column) -> [ByteString] {
        switch column.values {
        case .bytes(let values): return (0..<values.count).map { ByteString(bytes: values[$0]) }
        case .dictionary(let codes, let dictionary):
            let distinct = (0..<dictionary.count).map { ByteString(bytes: dictionary.values[$0]) }
            return codes.map { distinct[Int($0)] }
        default: preconditionFailure("byte strings lie in columns of bytes")
        }
    }
    static func column(_ values: [ByteString], type: DataType, validity: Bitmap?) -> Column {
        var bytes = BytesValues()
        for value in values { bytes.append(contentsOf: value.bytes) }
        return Column(type: type, values: .bytes(bytes), validity: validity)
    }
    static var placeholder: ByteString { ByteString(bytes: []) }
}
