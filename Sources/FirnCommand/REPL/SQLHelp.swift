// SPDX-License-Identifier: Apache-2.0
//
// The syntax of the SQL commands: what \h prints.

import Firn

enum SQLHelp {
    struct Topic {
        let name: String
        let summary: String
        let syntax: String
    }

    /// - Parameter name: of a command, or its beginning; empty lists them. A trailing `*` gives all that begin so.
    static func text(_ name: String) throws(FirnError) -> String {
        let wanted = name.split(separator: " ").joined(separator: " ").uppercased()
        if wanted.isEmpty { return list }
        if let topic = topics.first(where: { $0.name == wanted }) { return text(topic) }
        let prefix = wanted.hasSuffix("*") ? String(wanted.dropLast()) : wanted
        var found = topics.filter { $0.name.hasPrefix(prefix) }
        // More words than the name has, as in `\h select count`.
        if found.isEmpty { found = topics.filter { wanted.hasPrefix($0.name + " ") } }
        guard !found.isEmpty else {
            let near = Suggestion.nearest(to: wanted, among: topics.map(\.name)).map { "did you mean \($0)? " } ?? ""
            throw FirnError(
                .undefinedObject, "there is no help for \"\(name)\"", hint: near + "\\h alone lists the commands.")
        }
        return found.map { text($0) }.joined(separator: "\n")
    }

    private static func text(_ topic: Topic) -> String {
        "Command:     \(topic.name)\nDescription: \(topic.summary)\nSyntax:\n\(topic.syntax)\n"
    }

    private static var list: String {
        let width = topics.map(\.name.count).max() ?? 0
        return "\\h COMMAND shows the syntax of one of these:\n"
            + topics.map { topic in
                "  " + topic.name + String(repeating: " ", count: width + 2 - topic.name.count) + topic.summary + "\n"
            }.joined()
    }

    static let topics = [
        Topic(
            name: "ALTER TABLE", summary: "change the sort key of a table's new segments",
            syntax: """
                ALTER TABLE table_name SET (timescaledb.segmentby = 'column, ...')
                """),
        Topic(
            name: "CHECKPOINT", summary: "write all rows that are in memory to segments",
            syntax: """
                CHECKPOINT
                """),
        Topic(
            name: "COPY", summary: "rows between a table and a file or stream",
            syntax: """
                COPY table_name [ ( column, ... ) ] FROM { 'file' | STDIN } [ [ WITH ] ( option, ... ) ]
                COPY { table_name [ ( column, ... ) ] | ( query ) } TO { 'file' | STDOUT } [ [ WITH ] ( option, ... ) ]

                option is one of:
                    FORMAT csv | text
                    HEADER [ true | false | match ]
                    DELIMITER 'character'
                    NULL 'text'
                    QUOTE 'character'
                    ESCAPE 'character'
                    ENCODING 'UTF8'
                """),
        Topic(
            name: "CREATE TABLE", summary: "make a table",
            syntax: """
                CREATE TABLE [ IF NOT EXISTS ] table_name (
                    column type [ NOT NULL ] [ DEFAULT expression ] [ PRIMARY KEY ], ...
                    [, PRIMARY KEY ( column, ... ) ]
                ) [ WITH ( timescaledb.segmentby = 'column, ...' ) ]

                SELECT create_hypertable('table_name', 'time_column'
                    [, chunk_time_interval => INTERVAL '1 day' ] [, if_not_exists => true ])
                """),
        Topic(
            name: "DESCRIBE", summary: "the columns of a table",
            syntax: """
                DESCRIBE table_name
                """),
        Topic(
            name: "DROP TABLE", summary: "remove tables and their rows",
            syntax: """
                DROP TABLE [ IF EXISTS ] table_name, ...
                """),
        Topic(
            name: "EXPLAIN", summary: "the plan of a query",
            syntax: """
                EXPLAIN [ ANALYZE ] query
                """),
        Topic(
            name: "INSERT", summary: "append rows to a table",
            syntax: """
                INSERT INTO table_name [ ( column, ... ) ]
                    { VALUES ( { expression | DEFAULT }, ... ), ... | query | DEFAULT VALUES }
                """),
        Topic(
            name: "RESET", summary: "give a parameter of the session its default",
            syntax: """
                RESET { parameter | ALL }
                """),
        Topic(
            name: "SELECT", summary: "rows of tables, views and functions",
            syntax: """
                [ WITH name AS ( query ), ... ]
                SELECT [ DISTINCT ] { * | expression [ [ AS ] name ] }, ...
                    [ FROM { table_name | ( query ) | function ( ... ) } [ [ AS ] alias ] ]
                    [ WHERE condition ]
                    [ GROUP BY expression, ... ]
                    [ HAVING condition ]
                    [ UNION ALL query ]
                    [ ORDER BY expression [ ASC | DESC ] [ NULLS FIRST | LAST ], ... ]
                    [ LIMIT count ] [ OFFSET start ]
                """),
        Topic(
            name: "SET", summary: "change a parameter of the session",
            syntax: """
                SET parameter { = | TO } { value | DEFAULT }
                SET TIME ZONE 'Europe/Berlin'
                """),
        Topic(
            name: "SHOW", summary: "a parameter, or what there is",
            syntax: """
                SHOW { parameter | ALL }
                SHOW TABLES
                SHOW COLUMNS FROM table_name
                SHOW FUNCTIONS
                """),
        Topic(
            name: "VALUES", summary: "rows as they stand",
            syntax: """
                VALUES ( expression, ... ), ...
                """),
        Topic(
            name: "WITH", summary: "queries with names, for the one behind them",
            syntax: """
                WITH name [ ( column, ... ) ] AS ( query ), ... query
                """),
    ]
}
