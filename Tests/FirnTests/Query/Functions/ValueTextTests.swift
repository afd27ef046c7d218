// SPDX-License-Identifier: Apache-2.0
//
// Text of values through ValueText and ValueParser: what COPY and the command's rendering rely on.

import FirnIO
import Testing

@testable import Firn

struct ValueTextTests {
    private func parse(_ text: String, _ type: DataType) -> String {
        outcome {
            let value = try ValueParser(type: type, context: EvaluationContext.test().dateTime).parse(text)
            return ValueText(type: type, zone: .utc).text(of: value)
        }
    }

    @Test(arguments: [
        ("t", DataType.boolean, "t"), ("FALSE", .boolean, "f"), ("42", .smallint, "42"), ("-7", .integer, "-7"),
        ("9223372036854775807", .bigint, "9223372036854775807"), ("0.1", .real, "0.1"),
        ("1e10", .double, "10000000000"),
        ("1.50", .numeric, "1.50"), ("1.5", .numeric(precision: 10, scale: 2), "1.50"), ("grüße", .text, "grüße"),
        ("2024-01-15 10:00:00.5+02", .timestamptz, "2024-01-15 08:00:00.5+00"),
        ("2024-01-15 10:00:00", .timestamp, "2024-01-15 10:00:00"),
        ("2024-01-15 10:00:00.123456789Z", .timestamptz(.nanoseconds), "2024-01-15 10:00:00.123456789+00"),
        ("2024-02-29", .date, "2024-02-29"), ("5 minutes", .interval, "00:05:00"),
        ("{\"b\":1,\"a\":[]}", .jsonb, "{\"a\": [], \"b\": 1}"), ("\\xdeadBEEF", .bytea, "\\xdeadbeef"),
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", .uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("[1, 2.5,-3e2]", .vector(3), "[1,2.5,-300]"),
        ("40000", .smallint, "!22003 value \"40000\" is out of range for type smallint"),
        ("1.5x", .double, "!22P02 invalid input syntax for type double precision: \"1.5x\""),
        ("12345.6", .numeric(precision: 5, scale: 2), "!22003 numeric field overflow"),
        ("2024-13-01", .timestamptz, "!22008 date/time field value out of range: \"2024-13-01\""),
        ("[1,2]", .vector(3), "!22000 expected 3 dimensions, not 2"),
        ("1,2", .vector(2), "!22P02 invalid input syntax for type vector: \"1,2\""),
        ("[1,]", .vector(2), "!22P02 invalid input syntax for type vector: \"[1,]\""),
        ("[1,NaN]", .vector(2), "!22003 NaN and infinity are not allowed in vector"),
    ])
    func textIsReadAndPrintedAsPostgreSQLDoes(text: String, type: DataType, printed: String) {
        #expect(parse(text, type) == printed)
    }

    @Test func textThatIsNoUTF8IsRefused() {
        let parser = ValueParser(type: .text, context: EvaluationContext.test().dateTime)
        #expect(
            outcome {
                let bytes: [UInt8] = [0x61, 0xFF]
                return "\(try bytes.withBuffer { buffer throws(FirnError) in try parser.parse(buffer) })"
            } == "!22021 invalid byte sequence for encoding \"UTF8\"")
    }

    /// A column's row and the value taken from it print alike, and what is printed is read as the same value.
    @Test func printedValuesAreReadBack() throws {
        let seed = QuerySeed.current
        let random = SeededRandomSource(seed: seed)
        let context = EvaluationContext.test(zone: "Europe/Berlin")
        func int64() -> Int64 { Int64(bitPattern: random.next()) }
        for _ in 0..<300 {
            let samples: [(Value, DataType)] = [
                (.integer(Int64(Int16(truncatingIfNeeded: int64()))), .smallint), (.integer(int64()), .bigint),
                (.float(Float(bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0xBFFF_FFFF)), .real),
                (.double(Double(bitPattern: random.next() & 0xBFFF_FFFF_FFFF_FFFF)), .double),
                (.decimal(Decimal(unchecked: Int128(int64()), scale: Int(random.next() % 20))), .numeric),
                (.integer(int64() / 64), .timestamptz), (.integer(int64() / 64), .timestamp),
                (.integer(int64() / 2), .timestamptz(.nanoseconds)),
                (.integer(Int64(Int32(truncatingIfNeeded: int64())) / 1_000), .date),
                (.uuid(UInt128(random.next()) << 64 | UInt128(random.next())), .uuid),
                (.bytes((0..<random.next() % 9).map { _ in UInt8(truncatingIfNeeded: random.next()) }), .bytea),
                (.vector([Float(int64()), 0.5]), .vector(2)),
            ]
            for (value, type) in samples {
                let writer = ValueText(type: type, zone: context.timeZone)
                let text = writer.text(of: value)
                var row: [UInt8] = []
                writer.append(Column([value], type: type), row: 0, to: &row)
                #expect(row == Array(text.utf8), "\(type) \(text), FIRN_SEED=\(seed)")
                let read = try ValueParser(type: type, context: context.dateTime).parse(text)
                #expect(read == value, "\(type) \(text), FIRN_SEED=\(seed)")
            }
        }
    }
}
