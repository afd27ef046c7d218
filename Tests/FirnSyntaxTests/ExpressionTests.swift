// SPDX-License-Identifier: Apache-2.0
//
// Expressions: what binds tighter than what, and each form's tree.

import FirnSyntax
import Testing

struct ExpressionTests {
    /// Left is written without parentheses, right says what PostgreSQL 15 makes of it.
    private static let bindsAsPostgresCases: [(String, String)] = [
        ("a + b * c", "a + (b * c)"), ("a * b + c", "(a * b) + c"), ("a - b - c", "(a - b) - c"),
        ("a ^ b ^ c", "(a ^ b) ^ c"), ("-a ^ b", "(-a) ^ b"), ("a ^ -b", "a ^ (-b)"), ("a * -b", "a * (-b)"),
        ("-a * b", "(-a) * b"), ("- - a", "-(-a)"), ("-a::int", "-(a::int)"), ("-a[1]", "-(a[1])"),
        ("a % b / c", "(a % b) / c"), ("a // b * c", "(a // b) * c"), ("a + b || c + d", "(a + b) || (c + d)"),
        ("a || b || c", "(a || b) || c"), ("a -> b ->> c", "(a -> b) ->> c"), ("a -> 'b' = 'c'", "(a -> 'b') = 'c'"),
        ("a <-> b < c", "(a <-> b) < c"), ("a <-> b + c", "a <-> (b + c)"), ("a = b AND c = d", "(a = b) AND (c = d)"),
        ("a OR b AND c", "a OR (b AND c)"), ("a AND b OR c AND d", "(a AND b) OR (c AND d)"),
        ("NOT a = b", "NOT (a = b)"), ("NOT a AND b", "(NOT a) AND b"), ("NOT NOT a", "NOT (NOT a)"),
        ("a = b IS NULL", "(a = b) IS NULL"), ("a IS NULL = b", "(a IS NULL) = b"),
        ("a + b IS NULL", "(a + b) IS NULL"),
        ("NOT a IS NULL", "NOT (a IS NULL)"), ("a ISNULL AND b NOTNULL", "(a IS NULL) AND (b IS NOT NULL)"),
        ("a BETWEEN 1 AND 2 AND b", "(a BETWEEN 1 AND 2) AND b"),
        ("a BETWEEN 1 + 1 AND 2 * 2", "a BETWEEN (1 + 1) AND (2 * 2)"),
        ("NOT a BETWEEN 1 AND 2", "NOT (a BETWEEN 1 AND 2)"), ("a IN (1) = b", "(a IN (1)) = b"),
        ("a LIKE b || c", "a LIKE (b || c)"), ("a || b LIKE c", "(a || b) LIKE c"), ("a = b LIKE c", "a = (b LIKE c)"),
        ("a LIKE b AND c", "(a LIKE b) AND c"), ("a < b IS DISTINCT FROM c", "(a < b) IS DISTINCT FROM c"),
        ("a IS DISTINCT FROM b + c", "a IS DISTINCT FROM (b + c)"),
        ("a AT TIME ZONE 'x' + b", "(a AT TIME ZONE 'x') + b"),
        ("a + b AT TIME ZONE 'x'", "a + (b AT TIME ZONE 'x')"), ("a::text || b::text", "(a::text) || (b::text)"),
        ("a::int::text", "(a::int)::text"), ("~ a || b", "(~ a) || b"), ("~ a + b", "~ (a + b)"),
        ("@ a * b", "@ (a * b)"),
        ("a COLLATE \"C\" < b", "(a COLLATE \"C\") < b"), ("a = ANY (b) AND c", "(a = ANY (b)) AND c"),
        ("a <@ b @> c", "(a <@ b) @> c"), ("a = NOT b", "a = (NOT b)"), ("a ~ b || c", "(a ~ b) || c"),
        ("date '2020-01-01' + interval '1 day' * 2", "(date '2020-01-01') + ((interval '1 day') * 2)"),
        ("a <-1", "a < (-1)"), ("a-1", "a - 1"), ("a--1\n+2", "a + 2"), ("a/*x*/+/*y/*z*/*/b", "a + b"),
        ("CAST(a AS int)", "a::int"), ("a != b", "a <> b"), ("SOME_FUNCTION(A)", "some_function(a)"),
        ("a BETWEEN ASYMMETRIC 1 AND 2", "a BETWEEN 1 AND 2"), ("ROW(1, 2)", "(1, 2)"), ("((a))", "a"),
        ("INTERVAL 5 MINUTES", "INTERVAL '5' MINUTE"), ("[1, 2]", "ARRAY[1, 2]"), ("x = SOME (y)", "x = ANY (y)"),
        ("position('a' IN b)", "position(b, 'a')"), ("trim(b)", "btrim(b)"),
        ("trim(LEADING 'x' FROM b)", "ltrim(b, 'x')"),
        ("trim(TRAILING FROM b)", "rtrim(b)"), ("trim('x' FROM b)", "btrim(b, 'x')"),
        ("substring(a FROM 2 FOR 3)", "substring(a, 2, 3)"), ("substring(a FOR 3)", "substring(a, 1, 3)"),
        ("substring(a FOR 3 FROM 2)", "substring(a, 2, 3)"), ("extract('Epoch' FROM a)", "extract(epoch FROM a)"),
        ("overlay(a PLACING b FROM 1 FOR 2)", "overlay(a, b, 1, 2)"), ("f(a := 1)", "f(a => 1)"),
        ("timestamp with time zone 'x'", "timestamptz 'x'"), ("double precision '1'", "float8 '1'"),
        ("(a AND b) AND (c AND d)", "a AND b AND c AND d"), ("pg_catalog.int4 '1'", "int '1'"),
        ("$$it's$$", "'it''s'"), ("E'it\\'s'", "'it''s'"), ("'a'\n  'b'", "'ab'"), ("U&'\\0061'", "'a'"),
        ("0x1F", "31"), ("0o17", "15"), ("0b101", "5"), ("1_000", "1000"), ("007", "7"), ("1_0.5_0", "10.50"),
    ]

    @Test(arguments: bindsAsPostgresCases)
    func bindsAsPostgres(plain: String, explicit: String) throws {
        #expect(try expression(plain) == expression(explicit))
    }

    private static let parenthesesMatterCases: [(String, String)] = [
        ("(a + b) * c", "a + b * c"), ("-(a ^ b)", "-a ^ b"), ("(a OR b) AND c", "a OR b AND c"),
        ("a - (b - c)", "a - b - c"), ("NOT (a AND b)", "NOT a AND b"), ("(-a)::int", "-a::int"),
        ("(a::int)[1]", "a::int[]"), ("'1'", "1"), ("1.0", "1.00"), ("a", "\"A\""), ("f(a)", "f(DISTINCT a)"),
    ]

    @Test(arguments: parenthesesMatterCases)
    func parenthesesMatter(one: String, other: String) throws {
        #expect(try expression(one) != expression(other))
    }

    @Test
    func equalityIgnoresPlacesAndQuoting() throws {
        let one = try SQLParser.parseExpression("a + 1")
        let other = try SQLParser.parseExpression("  \"a\"  +  1")
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        #expect(one.range != other.range)
    }

    private static let rangesCoverTheTextCases: [(String, Int, Int)] = [
        ("a + bc * 2", 0, 10), ("  f(x, y) ", 2, 9), ("(a + b)", 1, 6), ("x::int", 0, 6),
        ("  count(*) FILTER (WHERE a)", 2, 27),
        ("CASE WHEN a THEN b END  ", 0, 22), ("'é' || b", 0, 9),
    ]

    @Test(arguments: rangesCoverTheTextCases)
    func rangesCoverTheText(sql: String, start: Int, end: Int) throws {
        let range = try SQLParser.parseExpression(sql).range
        #expect(range.start.byteOffset == start)
        #expect(range.end.byteOffset == end)
    }

    @Test(arguments: [
        "second", "min", "max", "value", "time", "timestamp", "date", "interval", "first", "last", "avg", "count",
        "name", "user_id", "type", "data", "year", "month", "day", "hour", "minute", "key", "source", "partition",
        "range", "rows", "text", "uuid", "asof", "qualify", "filter", "over", "double", "values", "position", "row",
        "bucket", "window_start", "status", "version", "zone", "language", "class", "level", "index", "sum",
    ])
    func wordsThatAreNotReservedAreNames(word: String) throws {
        #expect(try expression(word) == .column(QualifiedName([Identifier(word)])))
        #expect(try expression("max(\(word)) + t.\(word)").precedesNothing)
        let block = try select(
            "SELECT a AS \(word), \(word) FROM t WHERE \(word) > 1 GROUP BY \(word) ORDER BY \(word)")
        #expect(block.items.map(\.outputName) == [word, word])
        guard case .createTable(let table) = try statement("CREATE TABLE \(word) (\(word) TIMESTAMPTZ NOT NULL)") else {
            Issue.record("not a table")
            return
        }
        #expect(table.name.name == word)
        #expect(table.columns[0].name.name == word)
        guard case .insert(let insert) = try statement("INSERT INTO t (\(word), b) VALUES (1, 2)") else { return }
        #expect(insert.columns.map(\.name) == [word, "b"])
    }

    @Test(arguments: [
        "second", "min", "avg", "value", "name", "type", "year", "hour", "day", "time", "select2", "état",
    ])
    func bareLabelsMayBeAnyWordThatIsNotReserved(word: String) throws {
        #expect(try select("SELECT a + 1 \(word) FROM t").items[0].alias?.name == word)
        #expect(try select("SELECT x.a FROM t \(word)").from[0].alias?.name.name == word)
    }

    @Test
    func anyWordMayFollowAs() throws {
        for (word, _) in KeywordList.all {
            #expect(try select("SELECT 1 AS \(word)").items[0].alias?.name == word)
        }
    }

    @Test
    func functionCallsKeepAllTheirParts() throws {
        guard
            case .functionCall(let call) = try expression(
                "s.f(DISTINCT a, b => 2 ORDER BY c DESC NULLS FIRST) FILTER (WHERE d) OVER (w PARTITION BY e ORDER BY g "
                    + "RANGE BETWEEN INTERVAL '5 minutes' PRECEDING AND CURRENT ROW EXCLUDE TIES)")
        else {
            Issue.record("not a call")
            return
        }
        #expect(call.name.parts.map(\.name) == ["s", "f"])
        #expect(call.isDistinct)
        #expect(call.arguments.map(\.name) == [nil, Identifier("b")])
        #expect(
            call.orderBy == [
                OrderItem(expression: try SQLParser.parseExpression("c"), direction: .descending, nulls: .first)
            ])
        #expect(call.filter?.kind == (try expression("d")))
        guard case .specification(let window)? = call.over else {
            Issue.record("no window")
            return
        }
        #expect(window.base?.name == "w")
        #expect(window.partitionBy.map(\.kind) == [try expression("e")])
        #expect(window.frame?.unit == .range)
        #expect(window.frame?.start == .preceding(try SQLParser.parseExpression("INTERVAL '5 minutes'")))
        #expect(window.frame?.end == .currentRow)
        #expect(window.frame?.exclusion == .ties)
    }

    @Test
    func callClausesAreUnderstood() throws {
        guard case .functionCall(let star) = try expression("count(*)") else { return }
        #expect(star.hasStar && star.arguments.isEmpty)
        guard case .functionCall(let ordered) = try expression("percentile_cont(0.5) WITHIN GROUP (ORDER BY x)") else {
            return
        }
        #expect(ordered.withinGroup.count == 1)
        guard case .functionCall(let named) = try expression("lag(x, 1) IGNORE NULLS OVER w") else { return }
        #expect(named.nullTreatment == .ignoreNulls)
        #expect(named.over == .name(Identifier("w")))
        guard case .functionCall(let variadic) = try expression("f(1, VARIADIC a)") else { return }
        #expect(variadic.isVariadic)
    }

    private static let outputColumnsAreNamedAsInPostgresCases: [(String, String)] = [
        ("a", "a"), ("t.a", "a"), ("count(*)", "count"), ("s.f(x)", "f"), ("1 + 1", "?column?"), ("'x'", "?column?"),
        ("a + b", "?column?"), ("-a", "?column?"), ("a::int", "a"), ("1::int", "int4"),
        ("'1'::double precision", "float8"),
        ("CAST(1 + 1 AS bigint)", "int8"), ("CAST(f(x) AS text)", "f"), ("CASE WHEN a THEN b END", "case"),
        ("CASE WHEN a THEN b ELSE c END", "c"), ("CASE WHEN a THEN 1 ELSE 2 END", "case"),
        ("coalesce(a, b)", "coalesce"),
        ("nullif(a, b)", "nullif"), ("greatest(a)", "greatest"), ("extract(hour FROM ts)", "extract"), ("now()", "now"),
        ("current_timestamp", "current_timestamp"), ("a AT TIME ZONE 'x'", "timezone"), ("ARRAY[1]", "array"),
        ("ROW(1, 2)", "row"), ("EXISTS (SELECT 1)", "exists"), ("(SELECT max(x) FROM t)", "max"),
        ("(SELECT 1 AS z)", "z"), ("true", "?column?"), ("true::text", "text"), ("date '2020-01-01'", "date"),
        ("interval '1 day'", "interval"),
        ("a[1]", "a"), ("(a).b", "b"), ("trim(x)", "btrim"), ("position('a' IN b)", "position"), ("$1", "?column?"),
        ("a COLLATE \"C\"", "a"), ("NOT a", "?column?"), ("a IS NULL", "?column?"), ("$1::text", "text"),
        ("time_bucket('5 minutes', time)", "time_bucket"), ("count(*) OVER w", "count"), ("NULL", "?column?"),
    ]

    @Test(arguments: outputColumnsAreNamedAsInPostgresCases)
    func outputColumnsAreNamedAsInPostgres(sql: String, name: String) throws {
        #expect(try SQLParser.parseExpression(sql).impliedName == name)
    }
}

extension Expression.Kind {
    /// Whether a sum came out, so that no word was taken for an operator or a type.
    fileprivate var precedesNothing: Bool {
        if case .binary(.add, _, _) = self { return true }
        return false
    }
}
