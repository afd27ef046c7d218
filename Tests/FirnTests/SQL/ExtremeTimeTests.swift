// SPDX-License-Identifier: Apache-2.0
//
// The ends of time, thrown at everything that takes a time: a value, or an error that says why there is none, and never
// the end of the process. A constant and a row of a column say the same.

import FirnIO
import FirnSyntax
import Testing

@testable import Firn

@Suite("Extreme times")
struct ExtremeTimeTests {
    /// Texts of each type by the letter that stands for it in `templates`.
    private static let texts: [Character: (type: DataType, texts: [String])] = [
        "z": (
            .timestamptz,
            [
                "-infinity", "infinity", "4714-11-24 00:00+00 BC", "4714-11-24 15:00+00 BC", "0001-01-01 00:00+00",
                "1677-09-21 00:12:43.145224+00", "1969-12-31 23:59:59.999999+00", "1970-01-01 00:00+00",
                "2021-03-28 01:30+00", "2262-04-11 23:47:16.854776+00", "9999-12-31 23:59:59+00",
                "294246-12-15 00:00+00", "294246-12-31 23:59:59.999999+00",
            ]
        ),
        "t": (
            .timestamp,
            [
                "-infinity", "infinity", "4714-11-24 00:00 BC", "4714-12-31 23:59:59.999999 BC", "0001-01-01 00:00 BC",
                "1677-09-21 00:12:43.145225", "1999-12-31 23:59:59.5", "2262-04-11 23:47:16.854775",
                "294246-12-31 23:59:59.999999", "294246-01-01 00:00",
            ]
        ),
        "n": (
            .timestamptz(.nanoseconds),
            [
                "-infinity", "infinity", "1677-09-21 00:12:43.145224193+00", "1677-09-21 00:12:43.145225+00",
                "1969-12-31 23:59:59.999999999+00", "2020-12-31 23:59:59.9999997+00",
                "2262-04-11 23:47:16.854775806+00", "2262-04-11 00:00+00",
            ]
        ),
        "m": (
            .timestamp(.nanoseconds),
            [
                "-infinity", "infinity", "1677-09-21 00:12:43.145224193", "1677-09-22 00:00", "1970-01-01 00:00",
                "2262-04-11 23:47:16.854775806",
            ]
        ),
        "d": (
            .date,
            [
                "-infinity", "infinity", "4714-11-24 BC", "0001-12-31 BC", "1677-09-21", "1970-01-01", "2262-04-12",
                "294246-12-31", "300000-01-01", "5874897-12-31",
            ]
        ),
        "i": (
            .interval,
            [
                "0", "1 microsecond", "-1 microsecond", "1 month", "-1 day", "7 days", "1 year", "2147483647 months",
                "-2147483648 months", "2147483647 days", "-2147483648 days", "9223372036854775807 microseconds",
                "-9223372036854775807 microseconds", "2147483647 months 2147483647 days 2562047788:00:54.775807",
                "-178000000 years -2147483648 days", "106751991 days", "1 month -40 days", "25:00:00",
            ]
        ),
        "I": (.bigint, ["0", "1", "-1", "9223372036854775807", "-9223372036854775808"]),
        "J": (.integer, ["0", "1", "-1", "2147483647", "-2147483648", "2020", "12"]),
        "F": (
            .double,
            ["0", "-0", "1", "-1.5", "1e-300", "1e300", "NaN", "Infinity", "-Infinity", "9223372036854.775807"]
        ),
        "f": (
            .text,
            [
                "microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year",
                "decade", "century", "millennium", "epoch", "julian", "isoyear", "dow", "isodow", "doy", "timezone",
                "timezone_hour",
            ]
        ),
        "Z": (
            .text,
            [
                "UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia", "MSK", "EST5EDT", "+14:59",
                "-167", "FOO-3BAR",
            ]
        ),
        "P": (
            .text, ["YYYY-MM-DD HH24:MI:SS.US", "IYYY-IW-ID IDDD", "J CC Q WW W D DDD RM BC", "FMMonth TMDay TZ OF"]
        ),
    ]

    /// Expressions in which `{letter}` is a value of its type.
    private static let templates: [String] = {
        var templates = [
            "{d} + {J}", "{J} + {d}", "{d} - {J}", "{d} - {d}", "{i} + {i}", "{i} - {i}", "- {i}", "{i} * {F}",
            "{F} * {i}", "{i} / {F}", "justify_hours({i})", "justify_days({i})", "justify_interval({i})",
            "extract({f} FROM {i})", "date_part({f}, {i})", "date_trunc({f}, {i})", "{i}::text",
            "make_interval({J}, {J}, {J}, {J}, {J}, {J}, {F})", "make_date({J}, {J}, {J})",
            "make_timestamp({J}, {J}, {J}, {J}, {J}, {F})", "make_timestamptz({J}, {J}, {J}, {J}, {J}, {F}, {Z})",
            "to_timestamp({F})", "{i}::interval(2)", "{i}::interval day to minute", "{i}::interval year",
            "time_bucket({i}, {z}, {Z})", "time_bucket({i}, {z}, {Z}, {z})", "time_bucket({i}, {z}, {Z}, {z}, {i})",
            "time_bucket({i}, {n}, {Z})", "time_bucket({i}, {z}, {Z}, \"offset\" => {i})", "time_bucket({I}, {I})",
            "time_bucket({I}, {I}, {I})", "time_bucket({J}, {J}, \"offset\" => {J})", "date_trunc({f}, {z}, {Z})",
            "date_trunc({f}, {n}, {Z})", "{i} < {i}", "{i} = {i}", "greatest({i}, {i})", "{i}::text::interval",
            "timezone({i}, {z})", "timezone({i}, {t})",
        ]
        for time in ["{z}", "{t}", "{n}", "{m}", "{d}"] {
            templates += [
                "\(time) + {i}", "{i} + \(time)", "\(time) - {i}", "\(time) - \(time)", "extract({f} FROM \(time))",
                "date_part({f}, \(time))", "date_trunc({f}, \(time))", "time_bucket({i}, \(time))",
                "time_bucket({i}, \(time), \(time))", "time_bucket({i}, \(time), {i})",
                "time_bucket({i}, \(time), \(time), {i})", "date_bin({i}, \(time), \(time))", "age(\(time))",
                "age(\(time), \(time))", "to_char(\(time), {P})", "isfinite(\(time))", "\(time)::text",
                "timezone({Z}, \(time))", "\(time) AT TIME ZONE {Z}", "\(time) IN (\(time), {z}, {d})",
                "coalesce(\(time), {z})", "greatest(\(time), {t})", "least(\(time), {d})", "\(time)::timestamp(0)",
                "\(time)::timestamptz(3)", "\(time)::timestamp(8)",
            ]
            for type in ["timestamp", "timestamptz", "timestamp(9)", "timestamptz(9)", "date"] {
                templates.append("\(time)::\(type)")
            }
            for other in ["{z}", "{t}", "{n}", "{m}", "{d}"] {
                for symbol in ["<", "<=", "=", "<>", ">=", ">", "IS DISTINCT FROM"] {
                    templates.append("\(time) \(symbol) \(other)")
                }
                templates.append("\(time) BETWEEN \(other) AND \(time)")
            }
        }
        return templates
    }()

    /// Errors that a value may be: out of range, no such part, no such operation for the types.
    private static let expectedCodes: Set<String> = [
        "22003", "22007", "22008", "22012", "22015", "22023", "0A000", "42883", "42725", "42804", "42846",
    ]

    @Test(arguments: ["UTC", "America/New_York", "Asia/Tokyo"])
    func everyTimeFunctionGivesAValueOrAnErrorThatSaysWhy(zone: String) throws {
        let seed = QuerySeed.current
        var generator = Xoshiro256(seed: seed)
        let context = EvaluationContext.test(zone: zone)
        let binder = Binder(catalogue: FakeCatalogue(), context: context)
        for template in Self.templates {
            for _ in 0..<4 {
                var constants = ""
                var columns = ""
                var inputs: [(OutputColumn, Column)] = []
                var rest = template[...]
                while let open = rest.firstIndex(of: "{") {
                    let letter = rest[rest.index(after: open)]
                    let (type, texts) = Self.texts[letter]!
                    let text = texts[Int(generator.next() % UInt64(texts.count))]
                    // A field and a pattern are constants in earnest, too.
                    let isWord = letter == "f" || letter == "P"
                    constants += rest[..<open] + (isWord ? "'\(text)'" : "'\(text)'::\(type)")
                    columns += rest[..<open] + (isWord ? "'\(text)'" : "c\(inputs.count)")
                    let value = try ValueParser(type: type, context: context.dateTime).parse(text)
                    inputs.append(
                        (
                            OutputColumn(name: "c\(inputs.count)", type: type),
                            Column(repeating: value, type: type, count: 2)
                        ))
                    rest = rest[rest.index(open, offsetBy: 3)...]
                }
                constants += rest
                columns += rest
                let comment: Testing.Comment = "\(constants) in \(zone); FIRN_SEED=\(seed)"
                let folded = outcome { try Self.text(constants, [], binder, context) }
                let computed = outcome { try Self.text(columns, inputs, binder, context) }
                for found in [folded, computed] where found.hasPrefix("!") {
                    let code = String(found.dropFirst().prefix(5))
                    #expect(Self.expectedCodes.contains(code), "\(found): \(comment)")
                }
                // A constant infinity has an infinite year; a column's is an error, since NUMERIC has none.
                if computed.hasPrefix("!22003 the ") { continue }
                #expect(folded == computed, comment)
            }
        }
    }

    private static func text(
        _ expression: String, _ inputs: [(OutputColumn, Column)], _ binder: Binder, _ context: EvaluationContext
    ) throws -> String {
        let bound = try binder.bindScalar(
            try SQLParser.parseExpression(expression), inputColumns: inputs.map(\.0))
        let batch = ColumnBatch(inputs.map(\.1), rowCount: 2)
        let column = try ExpressionEvaluator(context).evaluate(bound, over: batch).materialized(rowCount: 2)
        let texts = ColumnBatch([column], rowCount: 2).texts(zone: context.timeZone)
        #expect(texts[0] == texts[1])
        return texts[0][0]
    }

    /// Rows with the ends of time in a table that is cut by time: grouped, sorted, cut into buckets, in memory, in
    /// segments and compressed.
    @Test func everyQueryOverTheEndsOfTimeEnds() async throws {
        let database = try Database.inMemory()
        try await database.execute(
            "CREATE TABLE e (z timestamptz NOT NULL, t timestamp, n timestamptz(9), m timestamp(9), d date, i interval)"
        )
        let letters: [Character] = ["z", "t", "n", "m", "d", "i"]
        let count = letters.map { Self.texts[$0]!.texts.count }.max()!
        for row in 0..<count {
            let values = letters.map { letter in
                let texts = Self.texts[letter]!.texts
                return "'\(texts[row % texts.count])'"
            }
            try await database.execute("INSERT INTO e VALUES (\(values.joined(separator: ", ")))")
        }
        var queries: [String] = []
        for column in ["z", "t", "n", "m", "d"] {
            queries += [
                "SELECT min(\(column)), max(\(column)), count(DISTINCT \(column)), first(i, \(column)), last(i, \(column)) FROM e",
                "SELECT \(column), count(*) FROM e GROUP BY \(column) ORDER BY \(column) DESC",
                "SELECT \(column) FROM e ORDER BY \(column) LIMIT 3",
                "SELECT time_bucket('1 day', \(column)) b, count(*) FROM e GROUP BY b ORDER BY b",
                "SELECT time_bucket('1 month', \(column)) b, count(*) FROM e WHERE isfinite(\(column)) GROUP BY b",
                "SELECT time_bucket('100000 days', \(column)) b, count(*) FROM e GROUP BY b",
                "SELECT date_trunc('millennium', \(column)) b, count(*) FROM e GROUP BY b",
                "SELECT count(*) FROM e WHERE \(column) > '2020-01-01'",
                "SELECT count(*) FROM e WHERE \(column) < 'infinity'",
                "SELECT count(*) FROM e WHERE \(column) BETWEEN '-infinity' AND 'infinity'",
                "SELECT count(*) FROM e WHERE \(column) <= '-infinity'",
                "SELECT count(*) FROM e WHERE \(column) > 'infinity'",
                "SELECT count(*) FROM e WHERE time_bucket('7 days', \(column)) > '2020-01-01'",
                "SELECT count(*) FROM e WHERE time_bucket('7 days', \(column)) = 'infinity'",
            ]
        }
        queries += [
            "SELECT sum(i), avg(i) FROM e",
            "SELECT sum(i), min(i), max(i), count(DISTINCT i) FROM e WHERE i > '-100 years'",
            "SELECT i, count(*) FROM e GROUP BY i ORDER BY i",
            "SELECT count(*) FROM generate_series(timestamp '294246-12-30', 'infinity', '1 day') g",
            "SELECT count(*) FROM generate_series(timestamp '4714-11-25 BC', '-infinity', '-1 day') g",
            "SELECT count(*) FROM generate_series(timestamp '2020-01-01', '2020-01-03', '2147483647 months') g",
            "SELECT show_chunks('e', older_than => INTERVAL '178000000 years')", "SELECT show_chunks('e')",
            "SELECT show_chunks('e', newer_than => timestamptz '-infinity')", "SELECT * FROM firn_segments",
        ]
        func run(_ layout: String) async {
            for query in queries {
                do {
                    let result = try await database.query(query)
                    for try await _ in result {}
                } catch let error as FirnError {
                    #expect(Self.expectedCodes.contains("\(error.code)"), "\(query), \(layout): \(error)")
                } catch {
                    Issue.record("\(query), \(layout): \(error)")
                }
            }
        }
        await run("in memory")
        try await database.execute("CHECKPOINT")
        await run("in segments")
        try await database.execute("SELECT compress_chunk(c) FROM show_chunks('e') c")
        await run("compressed")
    }
}
