// SPDX-License-Identifier: Apache-2.0

import FirnSyntax
import Testing

@Suite struct ParameterTests {
    @Test(
        arguments: [
            ("SELECT 1", [], []), ("SELECT $2, $1, $2", [1, 2], []), ("SELECT $b, $a; SELECT $b", [], ["b", "a"]),
            ("SELECT $aB_1+$ab", [], ["aB_1", "ab"]), ("SELECT $$a$$, $x$b$x$, '$c', $d", [], ["d"]),
            ("SELECT a$b, $c::int", [], ["c"]),
        ] as [(String, Set<Int>, [String])])
    func aTextKnowsItsParameters(text: String, numbers: Set<Int>, names: [String]) throws {
        let parameters = try SQLParser.parseScript(text).parameters
        #expect(parameters.numbers == numbers && parameters.names == names)
    }

    @Test func numbersAndNamesDoNotMix() {
        #expect(syntaxError("SELECT $1, $a")?.message == "parameters are either all numbered or all named")
        #expect(syntaxError("SELECT $a, $1")?.range.start.byteOffset == 11)
        #expect(syntaxError("SELECT $")?.code == "42601")
        #expect(syntaxError("SELECT $ a")?.code == "42601")
    }
}
