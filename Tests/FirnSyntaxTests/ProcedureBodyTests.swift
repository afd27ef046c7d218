// SPDX-License-Identifier: Apache-2.0
//
// PL/pgSQL bodies: the plain ones are understood, procedural ones refused by the construct's name.

import FirnSyntax
import Testing

struct ProcedureBodyTests {
    private static func missionBody(_ name: String) throws -> String {
        for script in MissionCorpus.scripts {
            for statement in try SQLParser.parse(script.sql) {
                if case .createFunction(let function) = statement.kind, function.name.name == name {
                    return function.body
                }
            }
        }
        throw UnexpectedStatementCount(count: 0)
    }

    @Test
    func theMissionsPlainBodiesAreUnderstood() throws {
        let refresh = try SQLParser.parseProcedureBody(try Self.missionBody("refresh_feature_aggregates"))
        guard case .sql(let statement)? = refresh.statements.first,
            case .refreshMaterializedView(let view) = statement.kind
        else { throw UnexpectedStatementCount(count: refresh.statements.count) }
        #expect(view.name.name == "feature_aggregates" && view.isConcurrent)
        let features = try SQLParser.parseProcedureBody(try Self.missionBody("calculate_real_time_features"))
        guard case .returnQuery(let query)? = features.statements.first, case .select(let select) = query.body else {
            throw UnexpectedStatementCount(count: features.statements.count)
        }
        #expect(
            select.items.map(\.outputName) == [
                "entity_id", "feature_name", "feature_value", "window_start", "window_end",
            ])
    }

    @Test
    func everyPlainStatementIsUnderstood() throws {
        let body = try SQLParser.parseProcedureBody(
            "BEGIN INSERT INTO t VALUES (1); PERFORM f(a) FROM t WHERE b; NULL; ; RETURN QUERY SELECT 1; RETURN 1 + 1; RETURN; END f;"
        )
        #expect(body.statements.count == 6)
        #expect(body.statements[1] == .perform(try SQLParser.parseQuery("SELECT f(a) FROM t WHERE b")))
        #expect(body.statements[2] == .nothing)
        #expect(body.statements[3] == .returnQuery(try SQLParser.parseQuery("SELECT 1")))
        #expect(body.statements[4] == .returnValue(try SQLParser.parseExpression("1 + 1")))
        #expect(body.statements[5] == .returnNothing)
    }

    private static let refused: [(String, String)] = [
        ("DECLARE a int; BEGIN END", "PL/pgSQL's DECLARE is not supported"),
        ("BEGIN IF a THEN b; END IF; END", "PL/pgSQL's IF is not supported"),
        ("BEGIN FOR x IN SELECT 1 LOOP END LOOP; END", "PL/pgSQL's FOR is not supported"),
        ("BEGIN a := 1; END", "an assignment in PL/pgSQL is not supported"),
        ("BEGIN RAISE NOTICE 'x'; END", "PL/pgSQL's RAISE is not supported"),
        ("BEGIN EXECUTE 'x'; END", "PL/pgSQL's EXECUTE is not supported"),
        ("BEGIN RETURN NEXT; END", "PL/pgSQL's RETURN NEXT is not supported"),
        ("BEGIN RETURN QUERY EXECUTE 'x'; END", "PL/pgSQL's RETURN QUERY EXECUTE is not supported"),
        ("BEGIN SELECT a INTO b FROM t; END", "SELECT INTO is not supported"),
        ("BEGIN NULL; EXCEPTION WHEN others THEN END", "PL/pgSQL's EXCEPTION is not supported"),
    ]

    @Test(arguments: refused)
    func whatIsProceduralIsRefusedByName(body: String, message: String) {
        let error = #expect(throws: SyntaxError.self) { try SQLParser.parseProcedureBody(body) }
        #expect(error?.message == message)
        #expect(error?.code == "0A000")
        #expect(error?.hint != nil)
    }

    @Test(arguments: ["", "BEGIN", "BEGIN SELECT 1 END", "SELECT 1", "BEGIN END x y", "BEGIN RETURN QUERY; END"])
    func otherTextIsASyntaxError(body: String) {
        let error = #expect(throws: SyntaxError.self) { try SQLParser.parseProcedureBody(body) }
        #expect(error?.code == "42601")
    }
}
