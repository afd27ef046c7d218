// SPDX-License-Identifier: Apache-2.0
//
// NUMERIC to text and back, and casts to and from the other number types.
//
// Text keeps its scale: `1.50` has two digits behind the point, `1.5e3` none, `1e-5` five.

extension Decimal {
    /// Reads a NUMERIC exactly. Error 22P02 for other text, 22003 beyond 38 digits.
    static func parse(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> Decimal {
        try parse(text, roundingTo: nil)
    }

    /// Reads a NUMERIC from a string; see `parse(_:)` over bytes.
    static func parse(_ text: String) throws(ValueError) -> Decimal {
        try text.withBytes { bytes throws(ValueError) in try parse(bytes) }
    }

    /// Reads a value for a column of NUMERIC(precision, scale): any number of digits, rounded half away from zero.
    static func parse(
        _ text: UnsafeBufferPointer<UInt8>, precision: Int, scale: Int
    ) throws(ValueError) -> Decimal {
        try parse(text, roundingTo: (precision, scale)).rescaled(precision: precision, scale: scale)
    }

    private static func parse(
        _ text: UnsafeBufferPointer<UInt8>, roundingTo target: (precision: Int, scale: Int)?
    ) throws(ValueError) -> Decimal {
        let count = text.count
        var position = 0
        while position < count, ASCII.isSpace(text[position]) { position &+= 1 }
        var isNegative = false
        if position < count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
            isNegative = text[position] == UInt8(ascii: "-")
            position &+= 1
        }
        // Up to 18 significant digits in 64 bits, the next 20 in 128, the rest only counted.
        var small: UInt64 = 0
        var wide: UInt128 = 0
        var significant = 0
        var dropped = 0
        var droppedFirst: UInt8 = 0
        var droppedNonzero = false
        var digits = 0
        var fractionDigits = 0
        var hasPoint = false
        while position < count {
            let digit = text[position] &- 48
            if digit < 10 {
                digits &+= 1
                if hasPoint { fractionDigits &+= 1 }
                if significant > 0 || digit != 0 {
                    if significant < 18 {
                        small = small &* 10 &+ UInt64(digit)
                        significant &+= 1
                    } else if significant < digitsMax {
                        if significant == 18 { wide = UInt128(small) }
                        wide = wide &* 10 &+ UInt128(digit)
                        significant &+= 1
                    } else {
                        if dropped == 0 { droppedFirst = digit }
                        if digit != 0 { droppedNonzero = true }
                        dropped &+= 1
                    }
                }
            } else if text[position] == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else {
                break
            }
            position &+= 1
        }
        guard digits > 0 else { throw notANumber(text) }
        var exponent = 0
        if position < count, text[position] | 0x20 == UInt8(ascii: "e") {
            position &+= 1
            var isSmall = false
            if position < count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
                isSmall = text[position] == UInt8(ascii: "-")
                position &+= 1
            }
            let start = position
            while position < count, ASCII.isDigit(text[position]) {
                exponent = min(exponent * 10 + Int(text[position] - 48), 1_000_000)
                position &+= 1
            }
            guard position > start else { throw notANumber(text) }
            if isSmall { exponent = -exponent }
        }
        while position < count, ASCII.isSpace(text[position]) { position &+= 1 }
        guard position == count else { throw notANumber(text) }

        var magnitude = significant > 18 ? wide : UInt128(small)
        var scale = fractionDigits - exponent
        if dropped > 0 {
            // The kept digits end `dropped` places before the scale of the text.
            if droppedNonzero {
                guard let target, scale - dropped >= target.scale else { throw .numericOverflow }
                if scale - dropped == target.scale, droppedFirst >= 5 { magnitude += 1 }
            }
            scale -= dropped
        }
        if scale < 0 {
            if magnitude == 0 { return .zero }
            guard -scale <= digitsMax else { throw .numericOverflow }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: powersOfTen[-scale])
            guard !overflow, product < coefficientLimit else { throw .numericOverflow }
            return Decimal(unchecked: isNegative ? -Int128(product) : Int128(product), scale: 0)
        }
        if scale > scaleMax {
            let excess = scale - scaleMax
            let divisor = excess <= digitsMax ? powersOfTen[excess] : 0
            let isExact = magnitude == 0 || (divisor != 0 && magnitude % divisor == 0)
            guard isExact || target != nil else { throw .numericOverflow }
            // Cut, not rounded: the caller rounds to at most 38 digits, and those below decide nothing there
            // unless the target itself has 38, where the cut digit is rounded here.
            if divisor == 0 {
                magnitude = 0
            } else {
                magnitude = target?.scale == scaleMax ? dividedRounded(magnitude, excess) : magnitude / divisor
            }
            scale = scaleMax
        }
        guard magnitude < coefficientLimit else { throw .numericOverflow }
        return Decimal(unchecked: isNegative ? -Int128(magnitude) : Int128(magnitude), scale: scale)
    }

    @inline(never)
    private static func notANumber(_ text: UnsafeBufferPointer<UInt8>) -> ValueError {
        let trimmed = ASCII.trimmed(text)
        var word = trimmed
        if word.first == UInt8(ascii: "-") || word.first == UInt8(ascii: "+") {
            word = UnsafeBufferPointer(rebasing: word[1...])
        }
        // NaN has no sign in PostgreSQL's NUMERIC.
        if ASCII.matches(trimmed, "nan") || ASCII.matches(word, "infinity") || ASCII.matches(word, "inf") {
            return ValueError(
                code: "22003", message: "type numeric does not hold \"\(String(bytes: ASCII.trimmed(text)))\"",
                hint: "DOUBLE PRECISION holds NaN and infinities.")
        }
        return .invalidSyntax("numeric", text)
    }

    /// Appends the digits with a point before the last `scale` of them.
    func append(to output: inout [UInt8]) {
        // Longest: sign, 38 digits, zero and point.
        output.appendText(capacity: 48) { cursor in
            if isNegative { cursor.put(UInt8(ascii: "-")) }
            let scale = Int(scale)
            let magnitude = coefficient.magnitude
            if let small = UInt64(exactly: magnitude), scale < 19 {
                let power = UInt64.powersOfTen[scale]
                let whole = small / power
                cursor.putNumber(whole)
                guard scale > 0 else { return }
                cursor.put(UInt8(ascii: "."))
                cursor.putPadded(small - whole * power, width: scale)
                return
            }
            let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: Decimal.powersOfTen[scale])
            Decimal.put(whole, widthMin: 1, &cursor)
            guard scale > 0 else { return }
            cursor.put(UInt8(ascii: "."))
            Decimal.put(fraction, widthMin: scale, &cursor)
        }
    }

    private static func put(_ value: UInt128, widthMin width: Int, _ cursor: inout TextCursor) {
        // Two halves of 19 digits: a value below 10^38 has no more.
        let (upper, lower) = value.quotientAndRemainder(dividingBy: 10_000_000_000_000_000_000)
        if upper == 0, width <= 19 {
            cursor.putNumber(UInt64(lower), widthMin: width)
        } else {
            cursor.putNumber(UInt64(upper), widthMin: max(width - 19, 1))
            cursor.putPadded(UInt64(lower), width: 19)
        }
    }

    /// The text, such as `-1.50`.
    public var text: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Decimal: CustomStringConvertible {
    /// The text, such as `-1.50`.
    public var description: String { text }
}

extension Decimal {
    /// The value rounded half away from zero; error 22003 beyond the type.
    func integer<Value: FixedWidthInteger & SignedInteger>(
        as type: Value.Type = Value.self
    ) throws(ValueError) -> Value {
        let magnitude = Decimal.dividedRounded(coefficient.magnitude, Int(scale))
        let whole = isNegative ? -Int128(magnitude) : Int128(magnitude)
        guard let value = Value(exactly: whole) else {
            let name = Value.bitWidth == 16 ? "smallint" : (Value.bitWidth == 32 ? "integer" : "bigint")
            throw ValueError(code: "22003", message: "\(name) out of range")
        }
        return value
    }

    /// The nearest double.
    public var double: Double {
        if coefficient.magnitude <= 1 << 53, scale <= 22 {
            let magnitude = Double(UInt64(coefficient.magnitude)) / NumberText.exactPowersOfTen[Int(scale)]
            return isNegative ? -magnitude : magnitude
        }
        // The text of a decimal is always a number.
        return Double(text) ?? .nan
    }

    /// The nearest float.
    var float: Float { Float(text) ?? .nan }

    /// A double as PostgreSQL casts it: 15 significant digits. Error 22003 for NaN, infinities and 38 digits or more.
    public init(_ value: Double) throws(ValueError) {
        self = try Decimal.fromFloating(value.isFinite ? value : .nan, significantDigits: 15)
    }

    /// A float as PostgreSQL casts it: 6 significant digits.
    init(_ value: Float) throws(ValueError) {
        self = try Decimal.fromFloating(value.isFinite ? Double(value) : .nan, significantDigits: 6)
    }

    private static func fromFloating(_ value: Double, significantDigits: Int) throws(ValueError) -> Decimal {
        guard !value.isNaN else {
            throw ValueError(
                code: "22003", message: "cannot convert NaN or infinity to numeric",
                hint: "DOUBLE PRECISION holds NaN and infinities.")
        }
        if value == 0 { return .zero }
        // value = m x 2^e exactly; scaled by a power of ten so that the quotient has the digits asked for.
        let exponent = Int(value.exponent) - 52
        let significand = BigMagnitude(UInt128(value.magnitude.significandBitPattern | 1 << 52))
        let isNormal = value.isNormal
        let digits = (isNormal ? significand : BigMagnitude(UInt128(value.significandBitPattern)))
        let binary = isNormal ? exponent : -1_074
        var numerator = digits
        var denominator = BigMagnitude(1)
        let power = BigMagnitude.powerOfTwo(binary.magnitude)
        if binary >= 0 { numerator = numerator * power } else { denominator = power }
        // The decimal exponent of the leading digit, by estimate and correction.
        var leading =
            Int((Double(numerator.bitWidth - denominator.bitWidth) * 0.301_029_995_663_981).rounded(.down)) - 1
        func reaches(_ exponent: Int) -> Bool {
            exponent >= 0
                ? !(numerator < denominator * BigMagnitude.powerOfTen(exponent))
                : !(numerator * BigMagnitude.powerOfTen(-exponent) < denominator)
        }
        while reaches(leading + 1) { leading += 1 }
        var places = significantDigits - 1 - leading
        var rounded =
            places >= 0
            ? (numerator * BigMagnitude.powerOfTen(places)).dividingRoundedHalfEven(by: denominator)
            : numerator.dividingRoundedHalfEven(by: denominator * BigMagnitude.powerOfTen(-places))
        // At most 10^15: 128 bits hold it.
        var coefficient = rounded.narrow ?? 0
        while coefficient != 0, coefficient % 10 == 0, places > 0 {
            coefficient /= 10
            places -= 1
        }
        rounded = BigMagnitude(coefficient)
        if places > scaleMax {
            let excess = places - scaleMax
            coefficient = excess > digitsMax ? 0 : dividedRounded(coefficient, excess)
            places = scaleMax
        }
        if places < 0 {
            guard -places <= digitsMax else { throw .numericOverflow }
            let (product, overflow) = coefficient.multipliedReportingOverflow(by: powersOfTen[-places])
            guard !overflow, product < coefficientLimit else { throw .numericOverflow }
            return Decimal(unchecked: value < 0 ? -Int128(product) : Int128(product), scale: 0)
        }
        return Decimal(unchecked: value < 0 ? -Int128(coefficient) : Int128(coefficient), scale: places)
    }
}

extension BigMagnitude {
    static func powerOfTwo(_ exponent: UInt) -> BigMagnitude {
        var result = BigMagnitude(1)
        var rest = Int(exponent)
        while rest > 0 {
            let step = min(rest, 127)
            result = result * BigMagnitude(UInt128(1) << step)
            rest -= step
        }
        return result
    }

    /// The quotient rounded to nearest, ties to even, as printf rounds.
    func dividingRoundedHalfEven(by divisor: BigMagnitude) -> BigMagnitude {
        let (quotient, remainder) = dividing(by: divisor)
        let twice = remainder + remainder
        if twice < divisor { return quotient }
        if twice == divisor, quotient.limbs.first.map({ $0 & 1 == 0 }) ?? true { return quotient }
        return quotient + BigMagnitude(1)
    }
}
