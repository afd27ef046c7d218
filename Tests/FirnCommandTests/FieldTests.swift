// SPDX-License-Identifier: Apache-2.0
//
// Single fields of results: CSV as COPY writes it, JSON, rounded numbers.

import Firn
import Testing

@testable import FirnCommand

@Suite struct FieldTests {
    private func csv(_ field: String) -> String {
        var line: [UInt8] = []
        CSVField.append(Array(field.utf8), to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    private func json(_ column: Column, row: Int = 0) -> String {
        var line: [UInt8] = []
        JSONField.append(column, row: row, ValueText(type: column.type, zone: .utc), to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", "\"\""), (" x ", " x "), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""),
        ("a\nb", "\"a\nb\""), ("a\rb", "\"a\rb\""), ("\\.", "\"\\.\""), ("\\N", "\\N"), ("ünï", "ünï"),
    ])
    func csvQuotesWhatWouldReadAsSomethingElse(field: String, expected: String) {
        #expect(csv(field) == expected)
    }

    @Test func jsonNumbersAreNumbers() throws {
        #expect(json(.integers([-42])) == "-42")
        #expect(try json(.integers([7], type: .smallint)) == "7")
        #expect(json(.doubles([1.5])) == "1.5")
        #expect(json(.doubles([1e300])) == "1e+300")
        #expect(json(.floats([0.25])) == "0.25")
        #expect(json(.booleans([true])) == "true")
    }

    @Test func jsonHasStringsForWhatItsNumbersCannotHold() throws {
        #expect(json(.doubles([.nan])) == "\"NaN\"")
        #expect(json(.doubles([.infinity])) == "\"Infinity\"")
        #expect(json(.doubles([-.infinity])) == "\"-Infinity\"")
        #expect(json(.floats([-.infinity])) == "\"-Infinity\"")
        #expect(json(.decimals([try Decimal(coefficient: 150, scale: 2)])) == "\"1.50\"")
        #expect(json(.timestamps(microseconds: [0])) == "\"1970-01-01 00:00:00+00\"")
        #expect(json(.uuids([1])) == "\"00000000-0000-0000-0000-000000000001\"")
    }

    @Test func jsonTextIsEscaped() {
        #expect(json(.text(["a\"b\\c\n\t\r\u{8}\u{C}\u{1}\u{1F}é🙂"])) == #""a\"b\\c\n\t\r\b\f\u0001\u001fé🙂""#)
    }

    @Test func jsonNullIsNull() throws {
        #expect(try json(Column([.integer(1), .null], type: .bigint), row: 1) == "null")
        #expect(try json(Column([.text("x"), .null], type: .text), row: 1) == "null")
    }

    @Test func jsonbStandsAsItIs() throws {
        #expect(try json(Column([.text("{\"a\": [1]}")], type: .jsonb)) == "{\"a\": [1]}")
    }

    @Test(arguments: [
        (0.0, 2, "0.00"), (1.005, 1, "1.0"), (-0.001, 2, "0.00"), (-1.25, 1, "-1.3"), (12.0, 0, "12"),
        (0.5, 3, "0.500"),
        (123456.789, 2, "123456.79"), (-0.05, 1, "-0.1"), (1e20, 2, "1e+20"),
    ])
    func roundedNumbersHaveTheirDecimals(value: Double, decimals: Int, expected: String) {
        #expect(Rounded.text(value, decimals: decimals) == expected)
    }
}
