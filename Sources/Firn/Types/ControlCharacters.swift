// SPDX-License-Identifier: Apache-2.0
//
// Values in messages: a line break would end the line of which scripts rely on the end, and an escape sequence would
// steer the reader's terminal.

/// Makes the characters visible that do not stand for themselves on a line.
package enum ControlCharacters {
    /// The text on one line: control characters and the separators of lines and paragraphs as `\n`, `\t`, `\u001B`.
    package static func escaped(_ text: String) -> String {
        if !text.unicodeScalars.contains(where: isControl) { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// C0, DEL and C1, and U+2028 and U+2029, which some readers take for line ends.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029: true
        default: false
        }
    }
}
