// SPDX-License-Identifier: Apache-2.0
//
// Type names: every spelling ends in one canonical name.

import FirnSyntax
import Testing

struct TypeNameTests {
    private static let spellingsFoldIntoOneCases: [(String, String)] = [
        ("int", "integer"), ("INT4", "integer"), ("integer", "integer"), ("int2", "smallint"), ("smallint", "smallint"),
        ("int8", "bigint"), ("bigint", "bigint"), ("bool", "boolean"), ("boolean", "boolean"), ("real", "real"),
        ("float4", "real"), ("float8", "double precision"), ("float", "double precision"), ("float(24)", "real"),
        ("float(25)", "double precision"), ("double precision", "double precision"), ("double", "double precision"),
        ("numeric", "numeric"), ("numeric(10, 2)", "numeric(10, 2)"), ("decimal(5)", "numeric(5)"), ("dec", "numeric"),
        ("numeric(3,-2)", "numeric(3, -2)"), ("text", "text"), ("string", "text"), ("varchar(5)", "varchar(5)"),
        ("character varying(5)", "varchar(5)"), ("char varying", "varchar"),
        ("national character varying(2)", "varchar(2)"),
        ("char(3)", "character(3)"), ("character", "character"), ("nchar(2)", "character(2)"), ("uuid", "uuid"),
        ("jsonb", "jsonb"), ("json", "json"), ("bytea", "bytea"), ("date", "date"), ("timestamptz", "timestamptz"),
        ("timestamptz(9)", "timestamptz(9)"), ("timestamp", "timestamp"),
        ("timestamp(6) with time zone", "timestamptz(6)"),
        ("timestamp without time zone", "timestamp"), ("timestamp with time zone", "timestamptz"),
        ("time with time zone", "timetz"), ("time(3)", "time(3)"), ("interval", "interval"),
        ("interval(3)", "interval(3)"),
        ("interval day to second(3)", "interval day to second(3)"),
        ("interval year to month", "interval year to month"),
        ("vector(3)", "vector(3)"), ("bit(3)", "bit(3)"), ("bit varying(3)", "bit varying(3)"), ("int[]", "integer[]"),
        ("text[][]", "text[][]"), ("int ARRAY", "integer[]"), ("int[3]", "integer[]"), ("pg_catalog.int4", "integer"),
        ("my.type(1)", "my.type(1)"), ("\"My Type\"", "\"My Type\""), ("\"int4\"", "\"int4\""),
    ]

    @Test(arguments: spellingsFoldIntoOneCases)
    func spellingsFoldIntoOne(written: String, canonical: String) throws {
        let type = try SQLParser.parseTypeName(written)
        #expect(type.sqlText == canonical)
        #expect(try SQLParser.parseTypeName(type.sqlText) == type)
    }

    @Test
    func theDesignsTypesHaveTheirCanonicalNames() throws {
        let type = try SQLParser.parseTypeName("TIMESTAMP(6) WITH TIME ZONE")
        #expect(type.canonicalName == "timestamptz")
        #expect(type.modifiers == [6])
        #expect(!type.isArray)
        #expect(type.range == SourceRange(start: .init(byteOffset: 0), end: .init(byteOffset: 27)))
    }

    @Test(arguments: [
        "numeric(a)", "numeric(99999999999)", "int(", "select", "interval day to year", "timestamp with zone", "",
    ])
    func otherTextIsAnError(written: String) {
        #expect(throws: SyntaxError.self) { try SQLParser.parseTypeName(written) }
    }
}
