// SPDX-License-Identifier: Apache-2.0
//
// + - * / % and signs of integers and floating-point numbers. Integers overflow into error 22003, never wrap;
// division truncates towards zero; a zero divisor is error 22012, for floating point too.
//
// The loops compute every row, NULL ones included, and gather whether any row failed; only then are the rows
// gone through one by one to see whether one of them counts.

/// An operation on integers that may leave their range.
protocol IntegerOperation: SendableMetatype {
    /// The result, and whether it is none.
    static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool)
}

/// An operation on floating-point numbers.
protocol FloatOperation: SendableMetatype {
    static func apply<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number
    /// Whether a result of zero may be an error.
    static var mayUnderflow: Bool { get }
    /// Whether a finite result is none, beside those that became infinite.
    static func failed<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number, _ result: Number) -> Bool
}

extension FunctionCatalogue {
    mutating func addArithmetic() {
        for family in [TypeFamily.smallint, .integer, .bigint] {
            addIntegers("+", family, IntegerAddition.self)
            addIntegers("-", family, IntegerSubtraction.self)
            addIntegers("*", family, IntegerMultiplication.self)
            addIntegers("/", family, IntegerDivision.self)
            addIntegers("//", family, IntegerDivision.self)
            addIntegers("%", family, IntegerRemainder.self)
            addFunction(
                "mod", overload: FunctionOverload.integers(IntegerRemainder.self, family))
            addOperator("-", overload: FunctionOverload.integer(IntegerNegation.self, family))
            addOperator("@", overload: FunctionOverload.integer(IntegerMagnitude.self, family))
            addFunction("abs", overload: FunctionOverload.integer(IntegerMagnitude.self, family))
            addIntegers("&", family, BitwiseAnd.self)
            addIntegers("|", family, BitwiseOr.self)
            addIntegers("#", family, BitwiseExclusiveOr.self)
            // As in PostgreSQL, SMALLINT has none of its own.
            if family != .smallint {
                addFunction("gcd", overload: FunctionOverload.integers(GreatestCommonDivisor.self, family))
                addFunction("lcm", overload: FunctionOverload.integers(LeastCommonMultiple.self, family))
            }
            addOperator(
                "+",
                overload: FunctionOverload(
                    [family], family.type, nulls: .ignored, mayFail: false, body: FunctionOverload.same))
        }
        for family in [TypeFamily.real, .double] {
            addOperator(
                "+",
                overload: FunctionOverload(
                    [family], family.type, nulls: .ignored, mayFail: false, body: FunctionOverload.same))
        }
        addFloats("+", FloatAddition.self)
        addFloats("-", FloatSubtraction.self)
        addFloats("*", FloatMultiplication.self)
        addFloats("/", FloatDivision.self)
        let negation: FunctionOverload.Body = { arguments, count, _ throws(FirnError) in
            .doubles(arguments[0].doubles.map(count: count) { -$0 })
        }
        addOperator(
            "-", overload: FunctionOverload([.double], .double, nulls: .ignored, mayFail: false, body: negation))
        let realNegation: FunctionOverload.Body = { arguments, count, _ throws(FirnError) in
            .floats(arguments[0].floats.map(count: count) { -$0 })
        }
        addOperator(
            "-", overload: FunctionOverload([.real], .real, nulls: .ignored, mayFail: false, body: realNegation))
        let realMagnitude: FunctionOverload.Body = { arguments, count, _ throws(FirnError) in
            .floats(arguments[0].floats.map(count: count) { $0.magnitude })
        }
        let magnitude = FunctionOverload([.real], .real, nulls: .ignored, mayFail: false, body: realMagnitude)
        addOperator("@", overload: magnitude)
        addFunction("abs", overload: magnitude)
    }

    private mutating func addIntegers<Operation: IntegerOperation>(
        _ symbol: String, _ family: TypeFamily, _ operation: Operation.Type
    ) {
        addOperator(symbol, overload: FunctionOverload.integers(operation, family))
    }

    private mutating func addFloats<Operation: FloatOperation>(_ symbol: String, _ operation: Operation.Type) {
        addOperator(
            symbol,
            overload: FunctionOverload([.double, .double], .double, nulls: .ignored) {
                arguments, count, _ throws(FirnError) in
                let values = try floatResults(
                    operation, arguments[0].doubles, arguments[1].doubles, count: count, validity: arguments.validity)
                return .doubles(values)
            })
        addOperator(
            symbol,
            overload: FunctionOverload([.real, .real], .real, nulls: .ignored) {
                arguments, count, _ throws(FirnError) in
                let values = try floatResults(
                    operation, arguments[0].floats, arguments[1].floats, count: count, validity: arguments.validity)
                return .floats(values)
            })
        // As in PostgreSQL, REAL with any other number is computed in double precision.
        for parameters in [[TypeFamily.real, .double], [.double, .real]] {
            addOperator(
                symbol,
                overload: FunctionOverload(parameters, .double, nulls: .ignored) {
                    arguments, count, context throws(FirnError) in
                    let left = try CastEvaluator.cast(arguments[0], to: .double, rowCount: count, context)
                    let right = try CastEvaluator.cast(arguments[1], to: .double, rowCount: count, context)
                    let values = try floatResults(
                        operation, left.doubles, right.doubles, count: count, validity: arguments.validity)
                    return .doubles(values)
                })
        }
    }
}

extension FunctionOverload {
    /// Gives its argument.
    static let same: Body = { arguments, _, _ throws(FirnError) in arguments[0] }

    /// An operation on two integers of one type.
    static func integers<Operation: IntegerOperation>(
        _ operation: Operation.Type, _ family: TypeFamily
    ) -> FunctionOverload {
        let type = family.type
        return FunctionOverload([family, family], type, nulls: .ignored) { arguments, count, _ throws(FirnError) in
            try integerResults(
                operation, arguments[0].integers, arguments[1].integers, count: count, type: type,
                validity: arguments.validity)
        }
    }

    /// An operation on one integer, as one on zero and the integer.
    static func integer<Operation: IntegerOperation>(
        _ operation: Operation.Type, _ family: TypeFamily
    ) -> FunctionOverload {
        let type = family.type
        return FunctionOverload([family], type, nulls: .ignored) { arguments, count, _ throws(FirnError) in
            try integerResults(
                operation, .constant(0), arguments[0].integers, count: count, type: type, validity: arguments.validity)
        }
    }
}

extension [Vector] {
    /// Rows in which no argument is NULL; nil for all rows.
    var validity: Bitmap? {
        reduce(nil) { validity, argument in
            if case .column(let column) = argument { combinedValidity(validity, column.validity) } else { validity }
        }
    }
}

extension Vector {
    static func doubles(_ values: [Double]) -> Vector { .column(Column(type: .double, values: .double(values))) }
    static func floats(_ values: [Float]) -> Vector { .column(Column(type: .real, values: .float(values))) }
    static func booleans(_ values: [Bool]) -> Vector { .column(Column(type: .boolean, values: .boolean(values))) }
    static func integers(_ values: [Int64], _ type: DataType) -> Vector {
        .column(Column(type: type, values: .integer(values)))
    }
    static func intervals(_ values: [Interval]) -> Vector {
        .column(Column(type: .interval, values: .interval(values)))
    }
    static func decimals(_ values: [Decimal]) -> Vector {
        .column(Column(type: .numeric, values: .decimal(DecimalValues(values))))
    }
    static func texts(_ values: BytesValues, _ type: DataType = .text) -> Vector {
        .column(Column(type: type, values: .bytes(values)))
    }
}

// MARK: Loops

private func integerResults<Operation: IntegerOperation>(
    _ operation: Operation.Type, _ left: Lane<Int64>, _ right: Lane<Int64>, count: Int, type: DataType,
    validity: Bitmap?
) throws(FirnError) -> Vector {
    let range = type.integerRange!
    let lower = range.lowerBound
    let width = UInt64(bitPattern: range.upperBound &- lower)
    // Added up without a branch, so that the loop does not wait for it.
    var failures: UInt8 = 0
    let results = combine(left, right, count: count) { left, right in
        let (result, failed) = Operation.apply(left, right)
        failures |= failed.asByte | (UInt64(bitPattern: result &- lower) > width).asByte
        return result
    }
    if failures != 0 {
        for row in 0..<count where validity?[row] != false {
            let (result, failed) = Operation.apply(left[row], right[row])
            guard !failed, range.contains(result) else {
                if Operation.self is any IntegerDividing.Type, right[row] == 0 { throw .divisionByZero }
                throw FirnError(.numericValueOutOfRange, "\(type.name) out of range")
            }
        }
    }
    return .integers(results, type)
}

private func floatResults<Operation: FloatOperation, Number: BinaryFloatingPoint & Sendable>(
    _ operation: Operation.Type, _ left: Lane<Number>, _ right: Lane<Number>, count: Int, validity: Bitmap?
) throws(FirnError) -> [Number] {
    let results = combine(left, right, count: count) { left, right in Operation.apply(left, right) }
    if areOrdinary(results, zeroIsOrdinary: !Operation.mayUnderflow) { return results }
    let failures = combine(left, right, count: count) { left, right in
        let result = Operation.apply(left, right)
        return (!result.isFinite).asByte | Operation.failed(left, right, result).asByte
    }
    if failures.contains(where: { $0 != 0 }) {
        for row in 0..<count where validity?[row] != false {
            let (left, right) = (left[row], right[row])
            if Operation.self is FloatDivision.Type, right == 0, !left.isNaN { throw .divisionByZero }
            let result = Operation.apply(left, right)
            if result.isInfinite, !left.isInfinite, !right.isInfinite {
                throw .floatOverflow
            }
            if Operation.failed(left, right, result), result == 0 {
                throw .floatUnderflow
            }
        }
    }
    return results
}

/// True where a look at all results at once says that none can be an error: all are finite, and none is zero where that
/// may be one.
private func areOrdinary<Number: BinaryFloatingPoint>(_ results: [Number], zeroIsOrdinary: Bool) -> Bool {
    // REAL is rare, and has no such kernel.
    guard let results = results as? [Double] else { return false }
    return results.withUnsafeBufferPointer { results in
        guard let base = results.baseAddress else { return true }
        let found = Kernels.aggregate(base, count: results.count)
        let areFinite = found.nanCount == 0 && found.min > -.infinity && found.max < .infinity
        return areFinite && (zeroIsOrdinary || found.min > 0 || found.max < 0)
    }
}

extension Bool {
    /// 1 for true.
    @inline(__always) fileprivate var asByte: UInt8 { unsafeBitCast(self, to: UInt8.self) }
}

extension FirnError {
    static var divisionByZero: FirnError { FirnError(.divisionByZero, "division by zero") }
    /// A finite result that is too large for its floating-point type.
    static var floatOverflow: FirnError { FirnError(.numericValueOutOfRange, "value out of range: overflow") }
    /// A result that is not zero, but too small for its floating-point type.
    static var floatUnderflow: FirnError { FirnError(.numericValueOutOfRange, "value out of range: underflow") }
}

// MARK: Operations

private enum IntegerAddition: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return (sum, overflow)
    }
}

private enum IntegerSubtraction: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        let (difference, overflow) = left.subtractingReportingOverflow(right)
        return (difference, overflow)
    }
}

private enum IntegerMultiplication: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return (product, overflow)
    }
}

/// An operation that has no result for the divisor zero.
private protocol IntegerDividing: IntegerOperation {}

private enum IntegerDivision: IntegerDividing {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        if right == 0 { return (0, true) }
        if right == -1 { return IntegerSubtraction.apply(0, left) }
        return (left / right, false)
    }
}

private enum IntegerRemainder: IntegerDividing {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        if right == 0 { return (0, true) }
        return (right == -1 ? 0 : left % right, false)
    }
}

private enum IntegerNegation: IntegerOperation {
    @inline(__always) static func apply(_ zero: Int64, _ value: Int64) -> (result: Int64, failed: Bool) {
        IntegerSubtraction.apply(0, value)
    }
}

private enum IntegerMagnitude: IntegerOperation {
    @inline(__always) static func apply(_ zero: Int64, _ value: Int64) -> (result: Int64, failed: Bool) {
        value < 0 ? IntegerSubtraction.apply(0, value) : (value, false)
    }
}

/// Never negative; 0 of two zeros. That of the smallest integer may be none.
private enum GreatestCommonDivisor: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        var (divisor, rest) = (left.magnitude, right.magnitude)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        return (Int64(truncatingIfNeeded: divisor), divisor > UInt64(Int64.max))
    }
}

/// Never negative; 0 where either is.
private enum LeastCommonMultiple: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        if left == 0 || right == 0 { return (0, false) }
        var (divisor, rest) = (left.magnitude, right.magnitude)
        while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        let (multiple, overflow) = (left.magnitude / divisor).multipliedReportingOverflow(by: right.magnitude)
        return (Int64(truncatingIfNeeded: multiple), overflow || multiple > UInt64(Int64.max))
    }
}

private enum BitwiseAnd: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        (left & right, false)
    }
}

private enum BitwiseOr: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        (left | right, false)
    }
}

private enum BitwiseExclusiveOr: IntegerOperation {
    @inline(__always) static func apply(_ left: Int64, _ right: Int64) -> (result: Int64, failed: Bool) {
        (left ^ right, false)
    }
}

private enum FloatAddition: FloatOperation {
    static let mayUnderflow = false
    @inline(__always) static func apply<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number {
        left + right
    }
    @inline(__always)
    static func failed<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number, _ result: Number) -> Bool {
        false
    }
}

private enum FloatSubtraction: FloatOperation {
    static let mayUnderflow = false
    @inline(__always) static func apply<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number {
        left - right
    }
    @inline(__always)
    static func failed<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number, _ result: Number) -> Bool {
        false
    }
}

private enum FloatMultiplication: FloatOperation {
    static let mayUnderflow = true
    @inline(__always) static func apply<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number {
        left * right
    }
    /// Two numbers that are not zero made zero.
    @inline(__always)
    static func failed<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number, _ result: Number) -> Bool {
        result == 0 && left != 0 && right != 0
    }
}

private enum FloatDivision: FloatOperation {
    static let mayUnderflow = true
    @inline(__always) static func apply<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number) -> Number {
        left / right
    }
    @inline(__always)
    static func failed<Number: BinaryFloatingPoint>(_ left: Number, _ right: Number, _ result: Number) -> Bool {
        right == 0 || (result == 0 && left != 0 && !right.isInfinite)
    }
}
