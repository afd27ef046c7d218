// SPDX-License-Identifier: Apache-2.0
//
// Text to DOUBLE PRECISION and REAL, and back.
//
// Reading: blanks, sign, digits with point and exponent, or NaN, Infinity, inf, or C's hexadecimal form. A text of at most 19 digits whose
// mantissa stays below 2^53 and whose power of ten is at most 22 is exact by one operation; all others go through
// the standard library's correctly rounding conversion.
//
// Writing: the shortest digits that read back as the same value, laid out as PostgreSQL does: plain from 1e-4
// up to 15 digits before the point (6 for REAL), else `1.5e+20`. Values of few decimals, which is what
// measurements are, take a path of integers only.
//
// Source: William D. Clinger, "How to Read Floating Point Numbers Accurately", PLDI 1990; PostgreSQL's
// double_to_shortest_decimal_buf for the layout.

extension NumberText {
    /// Reads a DOUBLE PRECISION. Errors 22P02 for other text, 22003 where the value over- or underflows.
    static func parseDouble(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> Double {
        if let plain = plainDouble(text) { return plain }
        return try parseGeneral(text, "double precision") { Double($0) }
    }

    /// Reads a REAL. Errors 22P02 for other text, 22003 where the value over- or underflows.
    static func parseFloat(_ text: UnsafeBufferPointer<UInt8>) throws(ValueError) -> Float {
        try parseGeneral(text, "real") { Float($0) }
    }

    /// Reads a DOUBLE PRECISION from a string.
    static func parseDouble(_ text: String) throws(ValueError) -> Double {
        try text.withBytes { bytes throws(ValueError) in try parseDouble(bytes) }
    }

    /// Reads a REAL from a string.
    static func parseFloat(_ text: String) throws(ValueError) -> Float {
        try text.withBytes { bytes throws(ValueError) in try parseFloat(bytes) }
    }

    /// `-123.456e7` exactly, or nil when it takes more than one rounding or is no such text.
    @inline(__always)
    static func plainDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        let count = text.count
        var position = 0
        guard count > 0, count <= 32 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        if isNegative || text[0] == UInt8(ascii: "+") { position = 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        while position < count {
            let digit = text[position] &- 48
            guard digit < 10 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            digits &+= 1
            position &+= 1
        }
        var exponent = 0
        if position < count, text[position] == UInt8(ascii: ".") {
            position &+= 1
            let start = position
            while position < count {
                let digit = text[position] &- 48
                guard digit < 10 else { break }
                mantissa = mantissa &* 10 &+ UInt64(digit)
                position &+= 1
            }
            exponent = start &- position
            digits &+= position &- start
        }
        guard digits > 0, digits <= 19 else { return nil }
        if position < count {
            guard text[position] | 0x20 == UInt8(ascii: "e") else { return nil }
            position &+= 1
            var isSmall = false
            if position < count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
                isSmall = text[position] == UInt8(ascii: "-")
                position &+= 1
            }
            guard position < count, count &- position <= 3 else { return nil }
            var power = 0
            while position < count {
                let digit = text[position] &- 48
                guard digit < 10 else { return nil }
                power = power &* 10 &+ Int(digit)
                position &+= 1
            }
            exponent &+= isSmall ? -power : power
        }
        // Both operands are exact doubles, so that the one operation rounds once.
        guard mantissa <= 1 << 53, exponent >= -22, exponent <= 22 else {
            guard exponent <= 0, exponent >= -27 else { return nil }
            let magnitude = quotient(mantissa, dividedByPowerOfTen: -exponent)
            return isNegative ? -magnitude : magnitude
        }
        let value = Double(mantissa)
        let scaled = exponent < 0 ? value / exactPowersOfTen[-exponent] : value * exactPowersOfTen[exponent]
        return isNegative ? -scaled : scaled
    }

    /// mantissa / 10^power, correctly rounded: one 128 by 64-bit division whose remainder only breaks ties.
    ///
    /// `power` is 0 to 27, so that 5^power fits 64 bits and the result is a normal double.
    private static func quotient(_ mantissa: UInt64, dividedByPowerOfTen power: Int) -> Double {
        guard mantissa != 0, power > 0 else { return Double(mantissa) }
        let divisor = powersOfFive[power]
        let mantissaShift = mantissa.leadingZeroBitCount
        let divisorShift = divisor.leadingZeroBitCount
        let numerator = mantissa << UInt64(mantissaShift)
        let denominator = divisor << UInt64(divisorShift)
        // One of the two shapes has a quotient with its top bit set.
        let isLarger = numerator >= denominator
        let (quotient, remainder) =
            isLarger
            ? denominator.dividingFullWidth((numerator >> 1, numerator << 63))
            : denominator.dividingFullWidth((numerator, 0))
        let exponent = divisorShift - mantissaShift - power - (isLarger ? 63 : 64)
        var significand = quotient >> 11
        let rest = quotient & 0x7FF
        if rest > 0x400 || (rest == 0x400 && (remainder != 0 || significand & 1 == 1)) { significand += 1 }
        // 53 bits or exactly 2^53: both exact, and the scale is a power of two.
        return Double(sign: .plus, exponent: exponent + 11, significand: Double(significand))
    }

    private static let powersOfFive: [UInt64] = {
        var powers: [UInt64] = [1]
        while powers.count <= 27 { powers.append(powers[powers.count - 1] * 5) }
        return powers
    }()

    /// Powers of ten that a double holds exactly.
    static let exactPowersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    @inline(never)
    private static func parseGeneral<Value: BinaryFloatingPoint>(
        _ text: UnsafeBufferPointer<UInt8>, _ typeName: String, _ convert: (String) -> Value?
    ) throws(ValueError) -> Value {
        var word = ASCII.trimmed(text)
        let isNegative = word.first == UInt8(ascii: "-")
        if isNegative || word.first == UInt8(ascii: "+") { word = UnsafeBufferPointer(rebasing: word[1...]) }
        if ASCII.matches(word, "infinity") || ASCII.matches(word, "inf") {
            return isNegative ? -.infinity : .infinity
        }
        if ASCII.matches(word, "nan") { return .nan }
        guard let shape = NumberShape(word), let value = convert(String(bytes: word)) else {
            throw .invalidSyntax(typeName, text)
        }
        if value.isInfinite || (value == 0 && shape.hasNonzeroDigit) {
            throw ValueError(
                code: "22003", message: "\"\(String(bytes: ASCII.trimmed(text)))\" is out of range for type \(typeName)"
            )
        }
        return isNegative ? -value : value
    }

    /// Checks `digits[.digits][e[sign]digits]`, or `0x` and the same with hexadecimal digits and `p`, with at least one
    /// digit before the exponent.
    private struct NumberShape {
        var hasNonzeroDigit = false

        init?(_ text: UnsafeBufferPointer<UInt8>) {
            var position = 0
            var digits = 0
            func peek() -> UInt8 { position < text.count ? text[position] : 0 }
            let isHexadecimal = text.count > 2 && text[0] == 48 && text[1] | 0x20 == UInt8(ascii: "x")
            if isHexadecimal { position = 2 }
            func isDigit(_ byte: UInt8) -> Bool {
                ASCII.isDigit(byte) || (isHexadecimal && (0x61...0x66).contains(byte | 0x20))
            }
            while isDigit(peek()) || peek() == UInt8(ascii: ".") {
                if peek() == UInt8(ascii: ".") {
                    guard !text[..<position].contains(UInt8(ascii: ".")) else { return nil }
                } else {
                    digits += 1
                    if peek() != 48 { hasNonzeroDigit = true }
                }
                position += 1
            }
            guard digits > 0 else { return nil }
            if peek() | 0x20 == (isHexadecimal ? UInt8(ascii: "p") : UInt8(ascii: "e")) {
                position += 1
                if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") { position += 1 }
                guard ASCII.isDigit(peek()) else { return nil }
                while ASCII.isDigit(peek()) { position += 1 }
            }
            guard position == text.count else { return nil }
        }
    }
}

extension NumberText {
    /// Appends a DOUBLE PRECISION: the shortest text that reads back as the same value.
    static func append(_ value: Double, to output: inout [UInt8]) {
        if let (mantissa, scale) = fewDecimals(value) {
            output.appendText(capacity: 32) { cursor in
                if value.sign == .minus { cursor.put(UInt8(ascii: "-")) }
                let power = UInt64.powersOfTen[scale]
                cursor.putNumber(mantissa / power)
                cursor.putFraction(mantissa % power, digits: scale)
            }
            return
        }
        appendGeneral(
            value, value.description, mantissaBits: 53, digitsBeforePointMax: 15, to: &output)
    }

    /// Appends a REAL: the shortest text that reads back as the same value.
    static func append(_ value: Float, to output: inout [UInt8]) {
        appendGeneral(
            Double(value), value.description, mantissaBits: 24, digitsBeforePointMax: 6, to: &output)
    }

    /// The text of a DOUBLE PRECISION.
    static func text(_ value: Double) -> String {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of a REAL.
    static func text(_ value: Float) -> String {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// |value| = mantissa / 10^scale with a mantissa of at most 15 digits and at most four decimals, or nil.
    ///
    /// No two decimals of at most 15 digits are the same double, so that one that reads back is the shortest.
    @inline(__always)
    private static func fewDecimals(_ value: Double) -> (mantissa: UInt64, scale: Int)? {
        let magnitude = value.magnitude
        guard magnitude < 1e11, magnitude >= 1e-4 || magnitude == 0 else { return nil }
        for scale in [0, 2, 4] {
            let power = exactPowersOfTen[scale]
            let scaled = (magnitude * power).rounded(.toNearestOrEven)
            if scaled / power == magnitude { return (UInt64(scaled), scale) }
        }
        return nil
    }

    /// Lays out the digits of the standard library's shortest text.
    @inline(never)
    private static func appendGeneral(
        _ value: Double, _ shortest: String, mantissaBits: Int, digitsBeforePointMax: Int, to output: inout [UInt8]
    ) {
        if value.isNaN { return output.append(contentsOf: "NaN".utf8) }
        if value.isInfinite { return output.append(contentsOf: (value < 0 ? "-Infinity" : "Infinity").utf8) }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
            // 17 significant digits at most, and the text of the standard library is below 32 bytes.
            var count = 0
            var pointAfter: Int?
            var exponent = 0
            var position = 0
            var text = shortest
            text.withUTF8 { bytes in
                var index = 0
                while index < bytes.count {
                    let byte = bytes[index]
                    index += 1
                    if byte &- 48 < 10 {
                        digits[count] = byte
                        count += 1
                        position += 1
                    } else if byte == UInt8(ascii: ".") {
                        pointAfter = position
                    } else if byte == UInt8(ascii: "e") {
                        let isNegative = bytes[index] == UInt8(ascii: "-")
                        for digit in bytes[index...] where digit &- 48 < 10 {
                            exponent = exponent * 10 + Int(digit - 48)
                        }
                        if isNegative { exponent = -exponent }
                        return
                    }
                }
            }
            // value = 0.d1d2d3... x 10^(point)
            var point = (pointAfter ?? position) + exponent
            var first = 0
            while first < count - 1, digits[first] == 48 {
                first += 1
                point -= 1
            }
            while count > first + 1, digits[count - 1] == 48 { count -= 1 }
            let isZero = digits[first] == 48
            if isZero { point = 1 }
            if value.exponent >= mantissaBits {
                var mantissa: UInt64 = 0
                for index in first..<count { mantissa = mantissa * 10 + UInt64(digits[index] - 48) }
                let spacing = FloatSpacing(value, mantissaBits: mantissaBits)
                if let (better, power) = spacing.insteadOfMidpoint(mantissa, powerOfTen: point - (count - first)) {
                    first = 0
                    count = better.decimalDigitCount
                    var cursor = TextCursor(digits.baseAddress!)
                    cursor.putNumber(better)
                    point = count + power
                }
            }
            let significant = count - first
            let scientific = point - 1
            output.appendText(capacity: 48) { cursor in
                if value.sign == .minus { cursor.put(UInt8(ascii: "-")) }
                if scientific < -4 || scientific >= digitsBeforePointMax {
                    cursor.put(digits[first])
                    if significant > 1 {
                        cursor.put(UInt8(ascii: "."))
                        for index in (first + 1)..<count { cursor.put(digits[index]) }
                    }
                    cursor.put(UInt8(ascii: "e"))
                    cursor.put(scientific < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
                    cursor.putNumber(UInt64(scientific.magnitude), widthMin: 2)
                } else if point <= 0 {
                    cursor.put("0.")
                    for _ in point..<0 { cursor.put(48) }
                    for index in first..<count { cursor.put(digits[index]) }
                } else {
                    for index in first..<(first + max(point, significant)) {
                        if index == first + point { cursor.put(UInt8(ascii: ".")) }
                        cursor.put(index < count ? digits[index] : 48)
                    }
                }
            }
        }
    }
}

/// The neighbourhood of a large floating-point value, for one question: is its shortest text a midpoint?
///
/// The standard library may print a decimal that lies exactly between two values, since reading rounds ties to
/// even and finds the value again. PostgreSQL prints only decimals strictly inside: 9.999999999999999e+22 where
/// Swift has 1e+23. Midpoints of so few digits exist only among values without fractional bits.
struct FloatSpacing {
    private let mantissa: UInt64
    /// value = mantissa x 2^exponent, and one unit of the mantissa is the distance to the next value.
    private let exponent: Int
    /// At a power of two the value below is only half as far.
    private let isPowerOfTwo: Bool

    init(_ value: Double, mantissaBits: Int) {
        let full = value.significandBitPattern | 1 << 52
        mantissa = full >> UInt64(53 - mantissaBits)
        exponent = Int(value.exponent) - mantissaBits + 1
        isPowerOfTwo = value.significandBitPattern == 0
    }

    /// Shortest digits strictly inside the rounding interval, when the given ones are on its edge; else nil.
    func insteadOfMidpoint(_ digits: UInt64, powerOfTen: Int) -> (digits: UInt64, powerOfTen: Int)? {
        guard powerOfTen >= 0, powerOfTen <= 23, exponent >= 1 else { return nil }
        let exact = BigMagnitude(UInt128(mantissa)) * .powerOfTwo(UInt(exponent))
        guard !isInside(BigMagnitude(UInt128(digits)) * .powerOfTen(powerOfTen), exact) else { return nil }
        let exactDigits = exact.decimalDigitCount
        for count in digits.decimalDigitCount..<18 where count <= exactDigits {
            let power = exactDigits - count
            let rounded = exact.dividingRoundedHalfEven(by: .powerOfTen(power))
            if isInside(rounded * .powerOfTen(power), exact), let narrow = rounded.narrow {
                var (digits, power) = (UInt64(narrow), power)
                while digits % 10 == 0 {
                    digits /= 10
                    power += 1
                }
                return (digits, power)
            }
        }
        return nil
    }

    private func isInside(_ decimal: BigMagnitude, _ exact: BigMagnitude) -> Bool {
        let unit = BigMagnitude.powerOfTwo(UInt(exponent))
        if exact < decimal {
            let distance = decimal - exact
            return distance + distance < unit
        }
        let distance = exact - decimal
        let twice = distance + distance
        return isPowerOfTwo ? twice + twice < unit : twice < unit
    }
}
