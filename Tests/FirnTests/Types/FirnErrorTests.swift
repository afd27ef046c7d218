// SPDX-License-Identifier: Apache-2.0
//
// Errors as text: the first line is one line and ends with the code, whatever a value holds.

import Testing

@testable import Firn

@Suite struct FirnErrorTests {
    @Test(arguments: [
        ("a\nb", "a\\nb"), ("a\r\nb", "a\\r\\nb"), ("a\tb", "a\\tb"), ("\u{1B}[31mred", "\\u001B[31mred"),
        ("nul\u{0}", "nul\\u0000"), ("\u{7F}\u{85}", "\\u007F\\u0085"), ("a\u{2028}b", "a\\u2028b"),
        ("plain é東 🙂", "plain é東 🙂"), ("back\\slash", "back\\slash"),
    ])
    func theFirstLineIsOneLineThatEndsWithTheCode(value: String, shown: String) {
        let error = FirnError(
            .invalidTextRepresentation, "invalid input syntax for type integer: \"\(value)\"",
            location: FirnError.FileLocation(file: "a\(value).csv", line: 3, column: value))
        let expected =
            "a\(shown).csv:3: column \"\(shown)\": invalid input syntax for type integer: \"\(shown)\" (22P02)"
        #expect(error.headline == expected)
        #expect(error.description == expected)
        #expect(error.rendered(in: "SELECT 1") == "error: " + expected)
    }

    @Test func detailAndHintAreALineEach() {
        let error = FirnError(.uniqueViolation, "duplicate key", detail: "Key (a)=(x\ny) exists.", hint: "not\rthis")
        #expect(
            error.description
                == "duplicate key (23505)\n  detail: Key (a)=(x\\ny) exists.\n  hint: not\\rthis")
    }
}
