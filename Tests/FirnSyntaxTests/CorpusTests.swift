// SPDX-License-Identifier: Apache-2.0
//
// Whole scripts: they parse, they render back to the same trees, and the splitter cuts them alike.

import FirnSyntax
import Testing

struct CorpusTests {
    static let scripts = MissionCorpus.scripts + AnalyticsCorpus.scripts

    @Test(arguments: scripts.map(\.name))
    func parsesAndRendersBackToTheSameTree(name: String) throws {
        for script in Self.scripts where script.name == name {
            let statements = try SQLParser.parse(script.sql)
            #expect(!statements.isEmpty)
            for statement in statements {
                guard case .query(let query) = statement.kind else { continue }
                #expect(try SQLParser.parseQuery(query.sqlText) == query)
            }
        }
    }

    @Test(arguments: scripts.map(\.name))
    func isSplitWhereItIsParsed(name: String) throws {
        for script in Self.scripts where script.name == name {
            let statements = try SQLParser.parse(script.sql)
            var splitter = StatementSplitter()
            splitter.append(script.sql)
            var pieces: [ScriptStatement] = []
            while let piece = splitter.next() ?? splitter.finish() { pieces.append(piece) }
            #expect(pieces.map(\.text) == statements.map { $0.range.text(in: script.sql) })
            #expect(pieces.map(\.byteOffset) == statements.map { $0.range.start.byteOffset })
        }
    }

    @Test
    func theMissionsTablesAndViewsAreUnderstood() throws {
        let statements = try MissionCorpus.scripts.flatMap { try SQLParser.parse($0.sql) }
        let kinds = statements.map { statement in
            switch statement.kind {
            case .createTable(let table): "table \(table.name.sqlText)"
            case .createView(let view): "view \(view.name.sqlText)"
            case .createFunction(let function): "function \(function.name.sqlText) \(function.language?.name ?? "")"
            case .query(let query): "query \(query.sqlText)"
            default: "other"
            }
        }
        #expect(
            kinds == [
                "table real_time_features", "view feature_aggregates", "function refresh_feature_aggregates plpgsql",
                "function kafka_to_features plpgsql", "function calculate_real_time_features plpgsql",
                "table sensor_readings",
                "query SELECT create_hypertable('sensor_readings', 'time', "
                    + "chunk_time_interval => interval '1 hour')",
                "view sensor_stats_5min",
            ])
        guard case .createTable(let features) = statements[0].kind else { return }
        #expect(
            features.columns.map { "\($0.name.name) \($0.type.sqlText)" } == [
                "feature_id uuid", "entity_id text", "feature_name text", "feature_value numeric",
                "timestamp timestamptz", "source_system text", "processing_window interval",
            ])
        #expect(features.columns[0].constraints.map(\.kind) == [.primaryKey])
        #expect(features.columns[4].constraints.map(\.kind) == [.notNull])
        #expect(features.columns[6].constraints.map(\.kind) == [.default(Expression(.string("5 minutes")))])
        guard case .createView(let view) = statements[7].kind else { return }
        #expect(view.isMaterialized)
        #expect(view.options.map(\.name) == ["timescaledb.continuous"])
        #expect(view.queryText.hasPrefix("SELECT\n    time_bucket('5 minutes', time) as bucket"))
    }
}
