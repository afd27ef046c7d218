// SPDX-License-Identifier: Apache-2.0
//
// What is not SQL: PostgreSQL's words, the place, and a hint where a slip of the finger is likely.

import FirnSyntax
import Testing

struct SyntaxErrorTests {
    private static let saysWhatIsWrongAndWhereCases: [(String, String, Int, String?)] = [
        ("SELECT * FORM t", "syntax error at or near \"FORM\"", 9, "Did you mean \"FROM\"?"),
        ("SELECT a FORM t", "syntax error at or near \"t\"", 14, "Did you mean \"FROM\"?"),
        ("SELEC * FROM t", "syntax error at or near \"SELEC\"", 0, "Did you mean \"SELECT\"?"),
        ("SELECT * FROM t WEHRE a = 1", "syntax error at or near \"a\"", 22, "Did you mean \"WHERE\"?"),
        ("SELECT * FROM t WHERE a = 1 GRUOP BY a", "syntax error at or near \"GRUOP\"", 28, "Did you mean \"GROUP\"?"),
        ("SELECT a FROM t ORDERBY a", "syntax error at or near \"a\"", 24, nil),
        ("CRAETE TABLE t (a int)", "syntax error at or near \"CRAETE\"", 0, "Did you mean \"CREATE\"?"),
        ("CREATE TABEL t (a int)", "syntax error at or near \"TABEL\"", 7, "Did you mean \"TABLE\"?"),
        ("INSERT INTO t VALEUS (1)", "syntax error at or near \"VALEUS\"", 14, "Did you mean \"VALUES\"?"),
        ("INSERT INOT t VALUES (1)", "syntax error at or near \"INOT\"", 7, "Did you mean \"INTO\"?"),
        ("COPY t FRM 'x'", "syntax error at or near \"FRM\"", 7, "Did you mean \"FROM\"?"),
        ("DROP TABLE IF EXIST t", "syntax error at or near \"EXIST\"", 14, nil),
        ("SELECT", "syntax error at end of input", 6, nil), ("SELECT 1 +", "syntax error at end of input", 10, nil),
        ("SELECT 1,", "syntax error at end of input", 9, nil), ("SELECT (1", "syntax error at end of input", 9, nil),
        ("SELECT 1)", "syntax error at or near \")\"", 8, nil),
        ("SELECT a b c", "syntax error at or near \"c\"", 11, nil),
        ("SELECT a < b < c", "syntax error at or near \"<\"", 13, nil),
        ("SELECT 1 FROM", "syntax error at end of input", 13, nil),
        ("SELECT FROM WHERE", "syntax error at or near \"WHERE\"", 12, nil),
        (", SELECT 1", "syntax error at or near \",\"", 0, nil),
        ("SELECT 'abc", "unterminated quoted string at or near \"'abc\"", 7, nil),
        ("SELECT \"abc", "unterminated quoted identifier at or near \"\"abc\"", 7, nil),
        ("SELECT 1 /* abc", "unterminated /* comment at or near \"/* abc\"", 9, nil),
        ("SELECT /* /* */ 1", "unterminated /* comment at or near \"/* /* */ 1\"", 7, nil),
        ("SELECT $a$ abc $b$", "unterminated dollar-quoted string at or near \"$a$ abc $b$\"", 7, nil),
        ("SELECT X'12", "unterminated hexadecimal string literal at or near \"X'12\"", 7, nil),
        ("SELECT \"\"", "zero-length delimited identifier at or near \"\"\"\"", 7, nil),
        ("SELECT 12ab", "trailing junk after numeric literal at or near \"12ab\"", 7, nil),
        ("SELECT 0x", "invalid hexadecimal integer at or near \"0x\"", 7, nil),
        ("SELECT $1a", "trailing junk after parameter at or near \"$1a\"", 7, nil),
        ("SELECT \\d", "syntax error at or near \"\\\"", 7, nil),
        ("SELECT 'é', 'ü' x y", "syntax error at or near \"y\"", 20, nil),
        ("SELECT 1;\n\nSELECT , 2", "syntax error at or near \",\"", 18, nil),
        ("SELEC 'abc", "syntax error at or near \"SELEC\"", 0, "Did you mean \"SELECT\"?"),
        (
            "SELECT a FROM t LIMIT 1, 2", "LIMIT #,# syntax is not supported", 23,
            "Use separate LIMIT and OFFSET clauses."
        ),
        ("SELECT a IN ()", "syntax error at or near \")\"", 13, nil),
        ("SELECT CASE END", "syntax error at or near \"END\"", 12, nil),
        ("SELECT * FROM a JOIN b", "syntax error at end of input", 22, nil),
        ("SELECT f(,)", "syntax error at or near \",\"", 9, nil),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1",
            "ON CONFLICT DO UPDATE requires inference specification or constraint name", 25,
            "For example, ON CONFLICT (column_name)."
        ),
        ("CREATE TABLE t (a int, )", "syntax error at or near \")\"", 23, "There is a comma too many before it."),
        ("SELECT a, FROM t", "syntax error at or near \"FROM\"", 10, "There is a comma too many before it."),
        (
            "CREATE TABLE t (a int, order int)", "syntax error at or near \"order\"", 23,
            "\"order\" is a reserved word; in double quotes it can be a name."
        ), ("COPY t FROM 'x' (HEADER DELIMITER ',')", "syntax error at or near \"','\"", 34, nil),
        ("CREATE TABLE t (a int) WITH (x 1)", "syntax error at or near \"1\"", 31, nil),
        ("CREATE TABLE t (a)x", "syntax error at or near \"x\"", 18, nil),
    ]

    @Test(arguments: saysWhatIsWrongAndWhereCases)
    func saysWhatIsWrongAndWhere(sql: String, message: String, offset: Int, hint: String?) throws {
        let error = try #require(syntaxError(sql))
        #expect(error.message == message)
        #expect(error.code == "42601")
        #expect(error.range.start.byteOffset == offset)
        #expect(error.hint == hint)
    }

    private static let otherErrorsHaveTheirOwnCodesCases: [(String, String, String)] = [
        ("SELECT a == 1", "42883", "operator does not exist: =="),
        ("SELECT a ** 2", "42883", "operator does not exist: **"),
        ("SELECT $0", "42P02", "there is no parameter $0"),
        ("SELECT $99999999999", "42P02", "there is no parameter $99999999999"),
        ("SELECT x'1G'", "22P02", "\"G\" is not a valid hexadecimal digit"),
        ("SELECT b'2'", "22P02", "\"2\" is not a valid binary digit"),
        ("SELECT E'\\xff'", "22021", "invalid byte sequence for encoding \"UTF8\""),
        ("SELECT E'\\u12'", "22025", "invalid Unicode escape"),
        ("SELECT E'\\ud800'", "42601", "invalid Unicode surrogate pair"),
        ("SELECT E'a\\0b'", "22021", "invalid byte sequence for encoding \"UTF8\""),
        ("GRANT SELECT ON t TO x", "0A000", "GRANT is not supported"),
        ("MERGE INTO t USING u ON a", "0A000", "MERGE is not supported"),
        ("SELECT a INTO b FROM t", "0A000", "SELECT INTO is not supported"),
        ("CREATE TABLE t (a int) PARTITION BY RANGE (a)", "0A000", "PARTITION BY is not supported"),
        ("WITH x AS (DELETE FROM t) SELECT 1", "0A000", "DELETE in WITH is not supported"),
        ("ALTER ROLE x SET a = 1", "0A000", "ALTER ROLE is not supported"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql", "42P13", "no function body specified"),
        ("SELECT sum(a) OVER (ROWS UNBOUNDED FOLLOWING)", "42P20", "frame start cannot be UNBOUNDED FOLLOWING"),
        (
            "SELECT sum(a) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)", "42P20",
            "frame starting from current row cannot have preceding rows"
        ),
        ("SELECT 1::numeric(99999999999)", "22003", "value \"99999999999\" is out of range for type integer"),
    ]

    @Test(arguments: otherErrorsHaveTheirOwnCodesCases)
    func otherErrorsHaveTheirOwnCodes(sql: String, code: String, message: String) throws {
        let error = try #require(syntaxError(sql))
        #expect(error.code == code)
        #expect(error.message == message)
    }

    @Test
    func aLocationIsLineColumnAndLine() throws {
        let sql = "SELECT 1;\r\nSELECT 'é' AS x,\r\n  avg(temp) FORM t"
        let error = try #require(syntaxError(sql))
        let location = SourceLocation(of: error.range.start, in: sql)
        #expect(location.line == 3)
        #expect(location.column == 18)
        #expect(location.lineText == "  avg(temp) FORM t")
        let second = SourceLocation(of: SourcePosition(byteOffset: sql.utf8.count - 30), in: sql)
        #expect(second.line == 2)
        #expect(SourceLocation(of: SourcePosition(byteOffset: 10_000), in: "ab\ncd").column == 3)
    }

    @Test
    func aLongTextIsCutInTheMessage() throws {
        let error = try #require(syntaxError("SELECT '" + String(repeating: "x", count: 100_000)))
        #expect(error.message.count < 300)
    }
}
