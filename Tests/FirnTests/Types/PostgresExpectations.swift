// SPDX-License-Identifier: Apache-2.0
//
// PostgreSQL's answers, as generate_expectations.py wrote them, for the tests of the value types.

import Testing

@testable import Firn

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#endif

/// One question with PostgreSQL's answer; an answer with `!` is SQLSTATE, message and detail of an error.
struct Expectation: Sendable {
    var name: String
    var arguments: [String]
    var answer: String
}

enum PostgresExpectations {
    static let all: [Expectation] = {
        let path = "\(#filePath)".split(separator: "/").dropLast(2).joined(separator: "/")
        let bytes = readFile("/\(path)/Samples/Types/postgres-15.tsv")!
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(unescape)
            return Expectation(
                name: cells[0], arguments: Array(cells[1..<(cells.count - 1)]), answer: cells[cells.count - 1])
        }
    }()

    static func named(_ name: String) -> [Expectation] {
        all.filter { $0.name == name }
    }

    private static func unescape(_ text: Substring) -> String {
        var result = ""
        var escaped = false
        for scalar in text.unicodeScalars {
            if escaped {
                switch scalar {
                case "t": result += "\t"
                case "n": result += "\n"
                case "r": result += "\r"
                default: result.unicodeScalars.append(scalar)
                }
                escaped = false
            } else if scalar == "\\" {
                escaped = true
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The bytes of a file, or nil.
    static func readFile(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }
}

/// Zones from the system's files.
let testZones = TimeZoneDatabase { path in
    guard let bytes = PostgresExpectations.readFile(path) else { throw TimeZoneRules.FileError(reason: "no file") }
    return bytes
}

func testContext(_ zone: String) throws -> DateTimeContext {
    DateTimeContext(zone: try testZones.zone(named: zone), zones: testZones, now: Timestamp(microseconds: 0))
}

/// What a computation answers in the form of the expectations: text, or `!` and the error.
func answer(_ body: () throws -> String) rethrows -> String {
    do {
        return try body()
    } catch let error as ValueError {
        return "!\(error.code) \(error.message)" + (error.detail.map { " | \($0)" } ?? "")
    }
}

/// Checks every case of a name, and reports at most ten differences in full.
///
/// - Parameters:
///   - differences: our own answer where it differs from PostgreSQL's on purpose, by the case's arguments.
///   - beyondDigits: where PostgreSQL's number has more than 38 digits, ours is that number rounded to fewer places,
///     or error 22003 when its integer part alone has more.
func expectAll(
    _ name: String, differing differences: [[String]: String] = [:], beyondDigits: Bool = false,
    _ compute: ([String]) throws -> String
) throws {
    let cases = PostgresExpectations.named(name)
    try #require(!cases.isEmpty, "no cases of \(name)")
    var failures = 0
    for expectation in cases {
        let actual = try answer { try compute(expectation.arguments) }
        var expected = differences[expectation.arguments] ?? expectation.answer
        if beyondDigits { expected = withinDigits(expected, like: actual) }
        if actual != expected {
            failures += 1
            if failures <= 10 {
                Issue.record("\(name) \(expectation.arguments): expected \(expected), got \(actual)")
            }
        }
    }
    #expect(failures == 0, "\(failures) of \(cases.count) cases of \(name) differ")
}

/// A number of more than 38 digits as we are to answer it; every other text as it is.
private func withinDigits(_ text: String, like actual: String) -> String {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = text.first, first.isNumber || first == "-" else { return text }
    let digits = text.filter(\.isNumber)
    let significant = digits.drop { $0 == "0" }.count
    let scale = parts.count == 2 ? parts[1].count : 0
    guard significant > 38 || scale > 38 else { return text }
    if significant - scale > 38 { return "!22003 value overflows numeric format | A NUMERIC holds at most 38 digits." }
    // As many places as fit: 38 digits in all, 38 places at most.
    let places = min(38, 38 - max(significant - scale, 0))
    let kept = Array(digits.utf8.dropLast(scale - places))
    var result = kept.map { Int($0) - 48 }
    if Array(digits.utf8)[kept.count] >= 53 {
        var index = result.count - 1
        while index >= 0, result[index] == 9 {
            result[index] = 0
            index -= 1
        }
        result[index] += 1
    }
    let whole = result.dropLast(places).map(String.init).joined()
    let sign = first == "-" && result.contains { $0 != 0 } ? "-" : ""
    return sign + whole + (places > 0 ? "." + result.suffix(places).map(String.init).joined() : "")
}
