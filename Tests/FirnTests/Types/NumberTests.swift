// SPDX-License-Identifier: Apache-2.0
//
// Numbers, booleans, UUIDs and bytes against PostgreSQL.

import Testing

@testable import Firn

@Suite struct NumberTextTests {
    @Test func floatingPointReadsAndPrintsAsPostgres() throws {
        try expectAll("float8") { NumberText.text(try NumberText.parseDouble($0[0])) }
        try expectAll("float4") { NumberText.text(try NumberText.parseFloat($0[0])) }
    }

    @Test func integersReadAsInPostgres() throws {
        try expectAll("int2") { "\(try NumberText.parseInteger($0[0], as: Int16.self))" }
        try expectAll("int4") { "\(try NumberText.parseInteger($0[0], as: Int32.self))" }
        try expectAll("int8") { "\(try NumberText.parseInteger($0[0], as: Int64.self))" }
    }

    @Test func booleansReadAsInPostgres() throws {
        try expectAll("bool") { try NumberText.parseBoolean($0[0]) ? "true" : "false" }
    }

    @Test func uuidsReadAndPrintAsPostgres() throws {
        try expectAll("uuid") { try UUIDValue.parse($0[0]).text }
    }

    @Test func bytesReadAndPrintAsPostgres() throws {
        try expectAll("bytea") { ByteText.text(try ByteText.parse($0[0])) }
    }
}

@Suite struct DecimalTests {
    private func decimal(_ text: String) throws -> Decimal { try Decimal.parse(text) }

    @Test func numericReadsAndPrintsAsPostgres() throws {
        try expectAll("numeric") { try decimal($0[0]).text }
        try expectAll("numericRescale") { arguments in
            try arguments[0].withBytes { bytes throws(ValueError) in
                try Decimal.parse(bytes, precision: Int(arguments[1])!, scale: Int(arguments[2])!).text
            }
        }
    }

    @Test func numericArithmeticHasTheDigitsOfPostgres() throws {
        try expectAll("numeric +") { try decimal($0[0]).adding(decimal($0[1])).text }
        try expectAll("numeric -") { try decimal($0[0]).subtracting(decimal($0[1])).text }
        try expectAll("numeric *", beyondDigits: true) { try decimal($0[0]).multiplied(by: decimal($0[1])).text }
        try expectAll("numeric /", beyondDigits: true) { try decimal($0[0]).divided(by: decimal($0[1])).text }
        try expectAll("numeric %") { try decimal($0[0]).remainder(dividingBy: decimal($0[1])).text }
        try expectAll("numeric <") { try decimal($0[0]) < decimal($0[1]) ? "true" : "false" }
        try expectAll("numeric sqrt") { try decimal($0[0]).squareRoot().text }
    }

    @Test func numericFunctionsHaveTheDigitsOfPostgres() throws {
        try expectAll("numeric exp", beyondDigits: true) { try decimal($0[0]).exponential().text }
        try expectAll("numeric ln") { try decimal($0[0]).naturalLogarithm().text }
        try expectAll("numeric log") { try decimal($0[0]).logarithm().text }
        try expectAll("numeric logBase") { try decimal($0[1]).logarithm(base: decimal($0[0])).text }
        try expectAll("numeric power", beyondDigits: true) { try decimal($0[0]).power(decimal($0[1])).text }
    }

    @Test func numericRoundingIsThatOfPostgres() throws {
        try expectAll("numeric abs") { try decimal($0[0]).absolute.text }
        try expectAll("numeric sign") { "\(try decimal($0[0]).sign)" }
        try expectAll("numeric ceil") { try decimal($0[0]).ceiling.text }
        try expectAll("numeric floor") { try decimal($0[0]).floor.text }
        try expectAll("numeric round") { try decimal($0[0]).rounded(toScale: 0).text }
        try expectAll("numeric trunc") { try decimal($0[0]).truncated(toScale: 0).text }
        try expectAll("numeric roundTo") { try decimal($0[0]).rounded(toScale: Int($0[1])!).text }
        try expectAll("numeric truncTo") { try decimal($0[0]).truncated(toScale: Int($0[1])!).text }
    }

    @Test func castsOfNumericAreThoseOfPostgres() throws {
        try expectAll("numeric to int2") { "\(try decimal($0[0]).integer(as: Int16.self))" }
        try expectAll("numeric to int4") { "\(try decimal($0[0]).integer(as: Int32.self))" }
        try expectAll("numeric to int8") { "\(try decimal($0[0]).integer(as: Int64.self))" }
        try expectAll("numeric to float8") { NumberText.text(try decimal($0[0]).double) }
        try expectAll("numeric to float4") { NumberText.text(try decimal($0[0]).float) }
        try expectAll("float8 to numeric", beyondDigits: true) { try Decimal(NumberText.parseDouble($0[0])).text }
    }

    @Test func aggregatesHaveTheDigitsOfPostgres() throws {
        func sum(_ text: String) throws -> DecimalSum {
            var sum = DecimalSum()
            for part in text.split(separator: " ") { try sum.add(decimal(String(part))) }
            return sum
        }
        func moments(_ text: String) throws -> DecimalMoments {
            var moments = DecimalMoments()
            for part in text.split(separator: " ") { try moments.add(decimal(String(part))) }
            return moments
        }
        try expectAll("aggregate sum") { try sum($0[0]).sum()?.text ?? "<null>" }
        try expectAll("aggregate avg") { try sum($0[0]).average()?.text ?? "<null>" }
        try expectAll("aggregate var_samp", beyondDigits: true) {
            try moments($0[0]).variance(.sample)?.text ?? "<null>"
        }
        try expectAll("aggregate var_pop", beyondDigits: true) { try moments($0[0]).variance(.whole)?.text ?? "<null>" }
        try expectAll("aggregate stddev_samp", beyondDigits: true) {
            try moments($0[0]).standardDeviation(.sample)?.text ?? "<null>"
        }
        try expectAll("aggregate stddev_pop", beyondDigits: true) {
            try moments($0[0]).standardDeviation(.whole)?.text ?? "<null>"
        }
    }
}

@Suite struct JSONTests {
    @Test func documentsReadAndPrintAsPostgres() throws {
        try expectAll("jsonb") { try JSONText.canonical($0[0]) }
    }
}
