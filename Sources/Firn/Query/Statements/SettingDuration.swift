// SPDX-License-Identifier: Apache-2.0
//
// Times as PostgreSQL's settings read and show them: a number, of milliseconds where it has no unit, and a unit.

enum SettingDuration {
    /// PostgreSQL keeps them in 32 bits.
    private static let millisecondsMax = Int(Int32.max)

    /// Units and their milliseconds, the largest first, since text takes the largest that divides.
    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// `0`, `1500ms`, `2s`.
    static func text(milliseconds: Int) -> String {
        if milliseconds == 0 { return "0" }
        let unit = units.first { milliseconds % $0.milliseconds == 0 }!
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }

    /// Reads a value; fractions are rounded to whole milliseconds, halves to the even one.
    static func milliseconds(_ text: String, of parameter: SessionParameter) throws(FirnError) -> Int {
        func invalid(_ hint: String? = nil) -> FirnError {
            FirnError(
                .invalidParameterValue, "invalid value for parameter \"\(parameter.rawValue)\": \"\(text)\"", hint: hint
            )
        }
        let trimmed = text.drop { $0.isWhitespace }
        var digits = trimmed.prefix { $0.isNumber || $0 == "." || $0 == "-" || $0 == "+" }
        var rest = trimmed.dropFirst(digits.count)
        if let mark = rest.first, mark == "e" || mark == "E" {
            let exponent = rest.dropFirst().prefix { $0.isNumber || $0 == "-" || $0 == "+" }
            if !exponent.isEmpty {
                digits = trimmed[..<exponent.endIndex]
                rest = trimmed[exponent.endIndex...]
            }
        }
        guard let number = Double(String(digits)), number.isFinite else { throw invalid() }
        while rest.first?.isWhitespace ?? false { rest = rest.dropFirst() }
        while rest.last?.isWhitespace ?? false { rest = rest.dropLast() }
        let milliseconds: Double
        if rest.isEmpty {
            milliseconds = number
        } else if rest == "us" {
            milliseconds = number / 1_000
        } else if let unit = units.first(where: { $0.name == rest }) {
            milliseconds = number * Double(unit.milliseconds)
        } else {
            throw invalid("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".")
        }
        let rounded = milliseconds.rounded(.toNearestOrEven)
        guard rounded <= Double(millisecondsMax) else { throw invalid("Value exceeds integer range.") }
        guard rounded >= 0 else {
            throw FirnError(
                .invalidParameterValue,
                "\(Int(max(rounded, Double(Int32.min)))) ms is outside the valid range for parameter "
                    + "\"\(parameter.rawValue)\" (0 .. \(millisecondsMax))")
        }
        return Int(rounded)
    }
}
