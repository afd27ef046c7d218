// SPDX-License-Identifier: Apache-2.0
//
// Numbers, decimals, intervals, JSON and the other values against naive models, over random input.

import Testing

@testable import Firn

@Suite struct ValuePropertyTests {
    /// Collects what differed, so that a long run reports once.
    struct Failures {
        var texts: [String] = []
        mutating func unless(_ isRight: Bool, _ text: @autoclosure () -> String) {
            if !isRight { texts.append(text()) }
        }
    }

    private func anyDecimal(_ generator: inout TypesGenerator, digitsMax: Int = 38) -> Decimal {
        let digits = Int.random(in: 1...digitsMax, using: &generator)
        let magnitude =
            Int128(UInt128(generator.next()) << 63 | UInt128(generator.next() >> 1))
            % Int128(Decimal.powersOfTen[digits])
        let scale = Int.random(in: 0...min(digits, 38), using: &generator)
        return Decimal(unchecked: Bool.random(using: &generator) ? -magnitude : magnitude, scale: scale)
    }

    @Test func bigMagnitudesDivideAndMultiplyConsistently() {
        var generator = TypesGenerator()
        var failures = Failures()
        func any(_ limbs: Int) -> BigMagnitude {
            // Runs of ones and zeros are where the estimate of a quotient digit goes wrong.
            var value = BigMagnitude.zero
            for _ in 0..<limbs {
                let part: UInt128 = [0, 0xFFFF_FFFF, 0x8000_0000, 1, UInt128(generator.next() & 0xFFFF_FFFF)]
                    .randomElement(using: &generator)!
                value = value * BigMagnitude(1 << 32) + BigMagnitude(part)
            }
            return value
        }
        for _ in 0..<4_000 {
            let dividend = any(Int.random(in: 1...12, using: &generator))
            let divisor = any(Int.random(in: 1...8, using: &generator)) + BigMagnitude(1)
            let (quotient, remainder) = dividend.dividing(by: divisor)
            failures.unless(
                remainder < divisor && quotient * divisor + remainder == dividend, "\(dividend) / \(divisor)")
            let root = dividend.squareRoot
            let next = root + BigMagnitude(1)
            failures.unless(!(dividend < root * root) && dividend < next * next, "root of \(dividend)")
            failures.unless(
                !(dividend < .powerOfTen(dividend.decimalDigitCount - 1))
                    && dividend < .powerOfTen(dividend.decimalDigitCount)
                    || dividend.isZero, "digits of \(dividend)")
            if dividend.limbs.count <= 7 {
                let narrow = Magnitude256(
                    high: dividend.dividing(by: .powerOfTwo(128)).quotient.narrow!,
                    low: dividend.dividing(by: .powerOfTwo(128)).remainder.narrow!)
                failures.unless(BigMagnitude(narrow.squareRoot) == root, "256-bit root of \(dividend)")
                failures.unless(narrow.decimalDigitCount == dividend.decimalDigitCount, "256-bit digits of \(dividend)")
                if let small = divisor.narrow {
                    let divided = narrow.divided(by: small)
                    failures.unless(
                        BigMagnitude(high: divided.quotient.high, low: divided.quotient.low) == quotient
                            && BigMagnitude(divided.remainder) == remainder, "256-bit \(dividend) / \(divisor)")
                }
            }
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    @Test func wideIntegersAddAndMultiplyAsBigOnes() {
        var generator = TypesGenerator()
        var failures = Failures()
        func any() -> Int256 {
            let high =
                Int128(truncatingIfNeeded: Int64(bitPattern: generator.anyMagnitude(bitsMax: 64)))
                << Int128.random(in: 0...64, using: &generator)
            return Int256(
                high: Bool.random(using: &generator) ? high : ~high,
                low: UInt128(generator.next()) << 64 | UInt128(generator.next()))
        }
        for _ in 0..<10_000 {
            let (a, b) = (any(), any())
            let sum = a.addingReportingOverflow(b)
            if !sum.overflow {
                let back = sum.partialValue.subtractingReportingOverflow(b)
                failures.unless(!back.overflow && back.partialValue == a, "\(a) + \(b)")
            }
            failures.unless(a < b || b < a || a == b, "order of \(a), \(b)")
            let factor = UInt128(generator.anyMagnitude(bitsMax: 40))
            let product = a.multipliedReportingOverflow(by: factor)
            let (high, low) = a.magnitude
            let exact = BigMagnitude(high: high, low: low) * BigMagnitude(factor)
            failures.unless(product.overflow == (exact.bitWidth > 255), "\(a) * \(factor) overflow")
            if !product.overflow {
                let (productHigh, productLow) = product.partialValue.magnitude
                failures.unless(BigMagnitude(high: productHigh, low: productLow) == exact, "\(a) * \(factor)")
            }
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    @Test func decimalsReadBackAndAgreeWithBigArithmetic() throws {
        var generator = TypesGenerator()
        var failures = Failures()
        func big(_ value: Decimal, scale: Int) -> BigMagnitude {
            BigMagnitude(value.coefficient.magnitude) * .powerOfTen(scale - Int(value.scale))
        }
        for _ in 0..<5_000 {
            let (a, b) = (anyDecimal(&generator), anyDecimal(&generator))
            failures.unless(try Decimal.parse(a.text).isIdentical(to: a), a.text)
            let (x, y) = (big(a, scale: 40), big(b, scale: 40))
            let isLess =
                a.isNegative != b.isNegative ? a.isNegative && (!x.isZero || !y.isZero) : (a.isNegative ? y < x : x < y)
            failures.unless((a < b) == isLess, "\(a) < \(b)")
            failures.unless((a == b) == (x == y && (a.sign == b.sign)), "\(a) == \(b)")
            if let wider = try? a.rounded(toScale: min(Int(a.scale) + 3, 38)) {
                failures.unless(wider == a && wider.hashValue == a.hashValue, "hash of \(a) and \(wider)")
            }
            let (c, d) = (anyDecimal(&generator, digitsMax: 15), anyDecimal(&generator, digitsMax: 15))
            let sum = try c.adding(d)
            failures.unless(try sum.subtracting(d) == c, "\(c) + \(d)")
            let product = try c.multiplied(by: d)
            failures.unless(big(product, scale: 60) == big(c, scale: 30) * big(d, scale: 30), "\(c) * \(d)")
            if d.coefficient != 0 {
                let rest = try c.remainder(dividingBy: d)
                let whole = try c.subtracting(rest).divided(by: d)
                failures.unless(whole == (try whole.truncated(toScale: 0)) && rest.absolute < d.absolute, "\(c) % \(d)")
                // Half a unit in the last place at most.
                let quotient = try c.divided(by: d)
                let scale = Int(quotient.scale)
                let exact = big(c, scale: 40) * .powerOfTen(scale + 1)
                let shown = BigMagnitude(quotient.coefficient.magnitude) * big(d, scale: 40) * BigMagnitude(10)
                let distance = exact < shown ? shown - exact : exact - shown
                failures.unless(!(BigMagnitude(5) * big(d, scale: 40) < distance), "\(c) / \(d) = \(quotient)")
            }
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    @Test func decimalMomentsAreTheSameInAnyOrderAndGrouping() throws {
        var generator = TypesGenerator()
        for _ in 0..<200 {
            let values = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                anyDecimal(&generator, digitsMax: 12)
            }
            var forward = DecimalMoments()
            for value in values { try forward.add(value) }
            var halves = [DecimalMoments(), DecimalMoments(), DecimalMoments()]
            for value in values.shuffled(using: &generator) {
                try halves[Int.random(in: 0...2, using: &generator)].add(value)
            }
            try halves[2].merge(halves[0])
            try halves[1].merge(halves[2])
            #expect(halves[1] == forward, "FIRN_SEED=\(generator.seed)")
            #expect(try halves[1].standardDeviation(.sample) == forward.standardDeviation(.sample))
        }
    }

    @Test func floatingPointReadsBackAndIsTheShortest() throws {
        var generator = TypesGenerator()
        var failures = Failures()
        for round in 0..<20_000 {
            let value: Double
            switch round % 4 {
            case 0: value = Double(bitPattern: generator.next())
            case 1: value = Double(Int64(bitPattern: generator.anyMagnitude(bitsMax: 63)))
            case 2:
                value =
                    Double(generator.anyMagnitude(bitsMax: 50))
                    / NumberText.exactPowersOfTen[Int.random(in: 0...12, using: &generator)]
            default: value = Double(generator.next() >> 11) * 0x1p-53
            }
            let text = NumberText.text(value)
            let back = try NumberText.parseDouble(text)
            failures.unless(back == value || (back.isNaN && value.isNaN), text)
            if value.isFinite {
                // The standard library's correctly rounded reading of a text with digits to spare.
                let longer =
                    "\(generator.anyMagnitude(bitsMax: 63)).\(generator.anyMagnitude(bitsMax: 30))e\(Int.random(in: -40...30, using: &generator))"
                failures.unless(try NumberText.parseDouble(longer) == Double(longer)!, longer)
                let short = "\(generator.anyMagnitude(bitsMax: 63))e-\(Int.random(in: 0...27, using: &generator))"
                failures.unless(try NumberText.parseDouble(short) == Double(short)!, short)
            }
            let single = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            let singleBack = try NumberText.parseFloat(NumberText.text(single))
            failures.unless(singleBack == single || single.isNaN, NumberText.text(single))
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    @Test func intervalsUUIDsBytesAndIntegersReadBack() throws {
        var generator = TypesGenerator()
        var failures = Failures()
        for _ in 0..<5_000 {
            let span = Interval(
                months: Int32(
                    truncatingIfNeeded: Int64(bitPattern: generator.next())
                        >> Int64.random(in: 32...62, using: &generator)),
                days: Int32(
                    truncatingIfNeeded: Int64(bitPattern: generator.next())
                        >> Int64.random(in: 32...62, using: &generator)),
                microseconds: Int64(bitPattern: generator.next()) >> Int64.random(in: 1...62, using: &generator))
            failures.unless(try Interval.parse(span.text).isIdentical(to: span), span.text)
            let identifier = UUIDValue(random: UInt128(generator.next()) << 64 | UInt128(generator.next()))
            failures.unless(try UUIDValue.parse(identifier.text) == identifier, identifier.text)
            failures.unless(try UUIDValue.parse(identifier.text.uppercased()) == identifier, identifier.text)
            failures.unless(Array(identifier.text.utf8)[14] == UInt8(ascii: "4"), "version of \(identifier.text)")
            failures.unless("89ab".contains(Array(identifier.text)[19]), "variant of \(identifier.text)")
            var damaged = Array(identifier.text.utf8)
            let place = Int.random(in: 0..<36, using: &generator)
            let byte = UInt8(truncatingIfNeeded: generator.next())
            if ASCII.hexadecimalValue(byte) == nil, byte != damaged[place], byte < 128, damaged[place] != 45 {
                damaged[place] = byte
                let outcome = try? UUIDValue.parse(String(decoding: damaged, as: UTF8.self))
                // A hyphen between groups of four is allowed, in place of a digit it is not.
                failures.unless(outcome == nil, "\(String(decoding: damaged, as: UTF8.self))")
            }
            let bytes = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                UInt8(truncatingIfNeeded: generator.next())
            }
            failures.unless(try ByteText.parse(ByteText.text(bytes)) == bytes, "\(bytes)")
            let integer = Int64(bitPattern: generator.next()) >> Int64.random(in: 0...63, using: &generator)
            var text: [UInt8] = []
            NumberText.append(integer, to: &text)
            failures.unless(String(decoding: text, as: UTF8.self) == "\(integer)", "\(integer)")
            failures.unless(try NumberText.parseInteger("\(integer)", as: Int64.self) == integer, "\(integer)")
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    /// A value of JSON with its naive canonical text.
    private func anyJSON(_ generator: inout TypesGenerator, depth: Int) -> (text: String, canonical: String) {
        let strings: [(String, String)] = [
            ("\"a\"", "\"a\""), ("\"\"", "\"\""), ("\"b\\u0041\"", "\"bA\""), ("\"\\n\"", "\"\\n\""),
            ("\"é\\/\"", "\"é/\""),
            ("\"\\ud83d\\ude00\"", "\"😀\""), ("\"aa\"", "\"aa\""), ("\"\\\\\\\"\"", "\"\\\\\\\"\""),
        ]
        let blanks = ["", " ", "\n", "\t ", ""]
        func blank() -> String { blanks.randomElement(using: &generator)! }
        switch depth == 0 ? Int.random(in: 0...3, using: &generator) : Int.random(in: 0...7, using: &generator) {
        case 0: return ("null", "null")
        case 1: return Bool.random(using: &generator) ? ("true", "true") : ("false", "false")
        case 2:
            let number = [
                ("1", "1"), ("-0", "0"), ("1.50", "1.50"), ("1e3", "1000"), ("12.5E-2", "0.125"), ("-7", "-7"),
                ("0.0e5", "0"),
            ]
            return number.randomElement(using: &generator)!
        case 3: return strings.randomElement(using: &generator)!
        case 4, 5:
            let items = (0..<Int.random(in: 0...4, using: &generator)).map { _ in anyJSON(&generator, depth: depth - 1)
            }
            let text = items.map { blank() + $0.text + blank() }.joined(separator: ",")
            return ("[\(text)]", "[\(items.map(\.canonical).joined(separator: ", "))]")
        default:
            let items = (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                (strings.randomElement(using: &generator)!, anyJSON(&generator, depth: depth - 1))
            }
            let text = items.map { blank() + $0.0 + blank() + ":" + blank() + $1.text + blank() }.joined(separator: ",")
            // The last value of each key, in order of the key's bytes without escapes.
            let bare = ["\"\\n\"": "\n", "\"\\\\\\\"\"": "\\\""]
            var last: [String: String] = [:]
            for item in items { last[item.0.1] = item.1.canonical }
            let keys = last.keys.sorted { left, right in
                let (a, b) = (
                    Array((bare[left] ?? String(left.dropFirst().dropLast())).utf8),
                    Array((bare[right] ?? String(right.dropFirst().dropLast())).utf8)
                )
                return a.count != b.count ? a.count < b.count : a.lexicographicallyPrecedes(b)
            }
            return ("{\(text)}", "{\(keys.map { "\($0): \(last[$0]!)" }.joined(separator: ", "))}")
        }
    }

    @Test func documentsBecomeCanonicalOnceAndForAll() throws {
        var generator = TypesGenerator()
        var failures = Failures()
        var canonicalizer = JSONCanonicalizer()
        for _ in 0..<1_500 {
            let (text, expected) = anyJSON(&generator, depth: 4)
            let canonical = try JSONText.canonical(text)
            failures.unless(canonical == expected, "\(text) is \(canonical), not \(expected)")
            failures.unless(try JSONText.canonical(canonical) == canonical, "\(canonical) again")
            // Damaged documents are refused or read, and never leave anything behind.
            var bytes = Array(text.utf8)
            for _ in 0..<2 where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = Array("{}[]\",:\\u0 é1e.-tf\u{1}".utf8)
                    .randomElement(using: &generator)!
            }
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator) / 3)
            var output = Array("kept".utf8)
            bytes.withUnsafeBufferPointer { buffer in
                do throws(ValueError) {
                    try canonicalizer.append(buffer, to: &output)
                    let fresh = try JSONText.canonical(String(decoding: bytes, as: UTF8.self))
                    failures.unless(String(decoding: output, as: UTF8.self) == "kept" + fresh, "\(bytes)")
                } catch {
                    failures.unless(output == Array("kept".utf8), "left behind by \(bytes): \(error)")
                    failures.unless(["22P02", "22P05", "22021", "22003"].contains(error.code), "\(error)")
                }
            }
        }
        #expect(failures.texts.isEmpty, "FIRN_SEED=\(generator.seed) \(failures.texts.prefix(5))")
    }

    @Test func hostileDocumentsMeetLimits() {
        func code(_ text: String) -> String {
            do throws(ValueError) { return try JSONText.canonical(text) } catch { return error.code }
        }
        let deep = String(repeating: "[", count: 1_000) + String(repeating: "]", count: 1_000)
        #expect(code(deep) == deep)
        #expect(code("[" + deep + "]") == "54001")
        #expect(code(String(repeating: "[", count: 1_000_000)) == "54001")
        #expect(code(String(repeating: "{\"a\":", count: 1_000_000)) == "54001")
        #expect(code("1e100000") == "22003")
        #expect(code("1e-100000") == "22003")
        #expect(code("1e99999999999999999999") == "22003")
        #expect(code("0e99999999999999999999") == "0")
        #expect(code("\"\u{FFFD}\"") == "\"\u{FFFD}\"")
        let illFormed: [UInt8] = [34, 0xC3, 0x28, 34]
        var output: [UInt8] = []
        #expect(throws: ValueError.self) {
            try illFormed.withUnsafeBufferPointer { try JSONText.appendCanonical($0, to: &output) }
        }
    }
}
