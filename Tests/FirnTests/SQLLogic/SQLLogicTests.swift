// SPDX-License-Identifier: Apache-2.0
//
// Every file of Tests/SQL does what it says, however its rows lie; and the runner sees what is wrong.

import FirnIO
import SystemPackage
import Testing

@Suite("SQLLogic")
struct SQLLogicTests {
    static let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("SQL")
    static let names: [String] = {
        let entries = try! POSIXFileSystem().list(folder)
        return entries.map(\.name).filter { $0.hasSuffix(".slt") }.sorted()
    }()

    @Test("A script does what it says", arguments: names, SQLLogicLayout.allCases)
    func scriptDoesWhatItSays(name: String, layout: SQLLogicLayout) async throws {
        let file = try POSIXFileSystem().open(Self.folder.appending(name), .readOnly)
        let script = try SQLLogicScript(String(decoding: try file.readAll(), as: UTF8.self))
        if script.hasOneLayout, layout != .written { return }
        #expect(!script.records.isEmpty)
        var runner = try await SQLLogicRunner(layout: layout)
        for failure in try await runner.failures(of: script) {
            Issue.record("Tests/SQL/\(name), \(layout), \(failure)")
        }
    }

    @Test(
        "What is not as a script says is a failure",
        arguments: [
            "statement error 22012\nSELECT 1", "statement error 22003\nSELECT 1/0", "statement ok\nSELECT 1/0",
            "statement error 22012 by one\nSELECT 1/0", "statement count 2\nSELECT 1", "query I\nSELECT 1\n----\n2",
            "query I\nSELECT 1\n----", "query I\nSELECT NULL\n----\n(empty)", "query T\nSELECT ''\n----\nNULL",
            "query II\nSELECT 1\n----\n1\t1", "query I\nSELECT 1/0\n----\n1",
            "query I\nSELECT * FROM (VALUES (2), (1)) v(x)\n----\n1\n2", "query R\nSELECT 1.5::float8\n----\n1.6",
            "loop i 0 2\nquery I\nSELECT ${i}\n----\n0\n\nendloop",
            "statement ok\nCREATE TABLE t (x integer)\n\nrestart\n\nstatement error 42P01\nSELECT * FROM t",
        ])
    func differencesAreFailures(text: String) async throws {
        var runner = try await SQLLogicRunner(layout: .written)
        #expect(try await runner.failures(of: SQLLogicScript(text)).count == 1)
    }

    @Test(
        "A script that is not well formed is refused with its line",
        arguments: [
            "statement", "statement maybe\nSELECT 1", "statement error\nSELECT 1", "query\nSELECT 1\n----\n1",
            "query I\nSELECT 1", "query I upwards\nSELECT 1\n----\n1", "query I\nSELECT 1\n----\n1\t2",
            "statement ok\nSELECT 1\n----\n1", "loop i 0 2\nstatement ok\nSELECT 1", "loop i 2 0\nendloop", "select 1",
            "skipif", "connection",
        ])
    func malformedScriptsAreRefused(text: String) {
        #expect(throws: SQLLogicSyntaxError.self) { try SQLLogicScript(text) }
    }

    @Test("Records of other engines are skipped, connections have settings of their own")
    func directives() async throws {
        let script = try SQLLogicScript(
            """
            # a comment
            skipif firn
            query I
            SELECT 1
            ----
            2

            onlyif postgresql
            statement ok
            SELECT nosuch

            connection other
            statement ok
            SET timezone = 'Europe/Berlin'

            connection other
            query T
            SELECT timestamptz '2024-01-01 00:00+00'
            ----
            2024-01-01 01:00:00+01

            query TI valuesort
            SELECT * FROM (VALUES ('b', 2), ('a', 1)) v
            ----
            2	1
            b	a

            query TR rowsort
            SELECT * FROM (VALUES ('', 0.1::float8 + 0.2), (NULL, 1)) v
            ----
            NULL	1
            (empty)	0.3

            query T
            SELECT timestamptz '2024-01-01 00:00+00'
            ----
            2024-01-01 00:00:00+00

            foreach word a b
            loop i 1 3
            query TI
            SELECT '${word}', ${i}
            ----
            ${word}	${i}

            endloop
            endloop

            halt
            this is not read
            """)
        #expect(script.records.count == 9)
        var runner = try await SQLLogicRunner(layout: .written)
        #expect(try await runner.failures(of: script).map(\.description) == [])
    }
}
