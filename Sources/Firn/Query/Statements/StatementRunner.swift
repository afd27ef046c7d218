// SPDX-License-Identifier: Apache-2.0
//
// Runs one statement of SQL: decides by its kind which room does the work, and says clearly what Firn does not
// run. Synchronous; the front door calls it on a thread that may block.

import FirnIO
import FirnSyntax

/// Runs statements on behalf of one session.
struct StatementRunner {
    let store: any TableStore
    let isReadOnly: Bool
    let executor: any WorkExecutor
    let externalFileSystem: any FileSystem
    let timeSource: any TimeSource
    let random: any RandomSource
    let zones: TimeZoneDatabase
    let defaults: SessionSettings
    let environment: StatementEnvironment
    /// Values of $1, $2, ….
    let parameters: [BoundParameter]
    let cancellation: CancellationFlag
    /// Whether the statement exceeds `DepthLimits.shallow` and therefore runs on a thread with a large stack.
    let isTall: Bool

    var settings: SessionSettings
    /// The text of which all positions are byte offsets.
    let source: String

    /// Runs one statement.
    ///
    /// Errors carry a position in `source` where they have one. A statement that fails changes nothing.
    mutating func run(_ statement: Statement) throws(FirnError) -> StatementOutcome {
        try refuseWritesIfReadOnly(statement)
        switch statement.kind {
        case .query(let query): return try runQuery(query)
        case .insert(let insert): return try runInsert(insert)
        case .copy(let copy): return try runCopy(copy)
        case .createTable(let definition): return try runCreateTable(definition)
        case .drop(let drop): return try runDrop(drop)
        case .alterTable(let alteration): return try runAlterTable(alteration)
        case .call(let call): return try runProcedure(call)
        case .explain(let explain): return try runExplain(explain)
        case .show(let show): return try runShow(show)
        case .describe(let name): return try runDescribe(name)
        case .set(let assignment): return try runSet(assignment)
        case .reset(let reset): return try runReset(reset)
        case .checkpoint(let checkpoint):
            if checkpoint.folder != nil { throw notSupported("CHECKPOINT TO", at: statement.range) }
            try store.checkpoint()
            return .command(tag: "CHECKPOINT")
        // Statistics are exact and space is reclaimed without being asked: there is nothing to do.
        case .analyze(let analyze):
            try check(analyze.tables, analyze.options, known: ["verbose", "skip_locked", "buffer_usage_limit"])
            return .command(tag: "ANALYZE")
        case .vacuum(let vacuum):
            try check(
                vacuum.tables, vacuum.options,
                known: [
                    "full", "freeze", "verbose", "analyze", "disable_page_skipping", "skip_locked", "index_cleanup",
                    "process_toast", "truncate", "parallel",
                ])
            return .command(tag: "VACUUM")
        case .update: throw notSupported("UPDATE", at: statement.range, hint: "Rows are appended, not changed.")
        case .delete: throw notSupported("DELETE", at: statement.range)
        case .truncate: throw notSupported("TRUNCATE", at: statement.range, hint: "DROP TABLE and make it anew.")
        case .createTableAs: throw notSupported("CREATE TABLE AS", at: statement.range)
        case .createView(let view):
            throw notSupported(view.isMaterialized ? "CREATE MATERIALIZED VIEW" : "CREATE VIEW", at: statement.range)
        case .refreshMaterializedView: throw notSupported("REFRESH MATERIALIZED VIEW", at: statement.range)
        case .createIndex:
            throw notSupported(
                "CREATE INDEX", at: statement.range,
                hint: "Segments are sorted and carry statistics: time and sort-key conditions need no index.")
        case .createSchema: throw notSupported("CREATE SCHEMA", at: statement.range)
        case .createFunction: throw notSupported("CREATE FUNCTION", at: statement.range)
        case .createUnsupported(let object): throw notSupported("CREATE \(object.object)", at: statement.range)
        case .comment: throw notSupported("COMMENT", at: statement.range)
        case .transaction(let transaction): throw notSupported(transaction.name, at: statement.range)
        case .prepare, .execute, .deallocate:
            throw notSupported("PREPARE", at: statement.range, hint: "Pass parameters through the Swift API.")
        case .discardAll:
            settings = defaults
            return .command(tag: "DISCARD ALL")
        }
    }

    // MARK: Queries

    private mutating func runQuery(_ query: Query) throws(FirnError) -> StatementOutcome {
        if let call = query.soleFunctionCall, TableManagement.isProcedure(call.name.name) {
            return try runTableManagement(call)
        }
        let snapshot = try store.snapshot()
        let plan = try plan(query, snapshot)
        return .rows(execute(plan, snapshot))
    }

    /// Binds and optimises a query.
    func plan(_ query: Query, _ snapshot: any DatabaseSnapshot) throws(FirnError) -> LogicalPlan {
        try Optimizer.optimize(try binder(snapshot).bindQuery(query))
    }

    func binder(_ snapshot: any DatabaseSnapshot) -> Binder {
        Binder(catalogue: snapshot, context: context, parameters: parameters, stack: isTall ? StackGuard() : nil)
    }

    /// Starts a plan; its rows are computed as they are pulled.
    func execute(_ plan: LogicalPlan, _ snapshot: any DatabaseSnapshot) -> ResultStream {
        queryExecutor(snapshot).stream(plan, isTall: isTall, notice: environment.notice)
    }

    func queryExecutor(_ snapshot: any DatabaseSnapshot) -> QueryExecutor {
        QueryExecutor(
            snapshot: snapshot, context: context,
            // Helpers have no large stack.
            workers: Workers(executor: executor, threadCount: isTall ? 1 : settings.threadCount),
            memory: MemoryBudget(bytesMax: settings.memoryBytesMax),
            damage: settings.skipsDamaged ? DamageReport() : nil)
    }

    /// What expressions of this statement know beside rows. The time stands still throughout a statement.
    var context: EvaluationContext {
        EvaluationContext(
            timeZone: settings.timeZone, timeZones: zones, statementMicroseconds: statementMicroseconds,
            random: random, cancellation: cancellation, memoryBytesMax: settings.memoryBytesMax,
            chunkRewriting: ChunkRewriting(store: store, notice: environment.notice))
    }

    let statementMicroseconds: Int64

    // MARK: Look-ups

    /// Errors for tables and options that do not exist, where a statement has nothing to do with those that do.
    private func check(
        _ tables: [QualifiedName], _ options: [Option], known: Set<String>
    ) throws(FirnError) {
        for option in options where !known.contains(option.name) {
            throw FirnError(
                .syntaxError, "unrecognized option \"\(option.name)\"", position: option.range.start.byteOffset)
        }
        if tables.isEmpty { return }
        let snapshot = try store.snapshot()
        for name in tables { _ = try table(name, in: snapshot) }
    }

    /// The table that a statement names.
    func table(_ name: QualifiedName, in snapshot: any DatabaseSnapshot) throws(FirnError) -> TableSchema {
        if let qualifier = name.qualifier, qualifier.name != "public" {
            throw FirnError(
                .undefinedTable, "schema \"\(qualifier.name)\" does not exist",
                hint: "All tables are in the schema public.", position: qualifier.range.start.byteOffset)
        }
        guard let table = snapshot.table(named: name.name) else {
            throw FirnError(
                .undefinedTable, "relation \"\(name.name)\" does not exist",
                hint: Suggestion.hint(for: name.name, among: snapshot.tables.map(\.name)),
                position: name.range.start.byteOffset)
        }
        return table
    }

    func notSupported(_ what: String, at range: SourceRange, hint: String? = nil) -> FirnError {
        FirnError(
            .featureNotSupported, "\(what) is not supported yet", hint: hint, position: range.start.byteOffset)
    }

    private func refuseWritesIfReadOnly(_ statement: Statement) throws(FirnError) {
        guard isReadOnly else { return }
        let name: String
        switch statement.kind {
        case .insert: name = "INSERT"
        case .copy(let copy) where copy.direction == .from: name = "COPY FROM"
        case .createTable: name = "CREATE TABLE"
        case .drop(let drop): name = "DROP \(drop.object.rawValue)"
        case .alterTable: name = "ALTER TABLE"
        case .call: name = "CALL"
        case .checkpoint: name = "CHECKPOINT"
        case .query(let query) where query.soleFunctionCall.map { TableManagement.isProcedure($0.name.name) } ?? false:
            name = query.soleFunctionCall!.name.name
        default: return
        }
        throw FirnError(
            .readOnlyTransaction, "cannot execute \(name) in a database that was opened read-only",
            position: statement.range.start.byteOffset)
    }
}

extension Query {
    /// The call in `SELECT f(…)` or `SELECT * FROM f(…)`, where that is the whole query.
    var soleFunctionCall: FunctionCall? {
        guard with == nil, limit == nil, offset == nil, case .select(let select) = body, select.filter == nil,
            select.groupBy == nil, select.having == nil, select.distinct == nil, select.items.count == 1
        else { return nil }
        switch (select.items[0].expression.kind, select.from.count) {
        case (.functionCall(let call), 0): return call
        case (.star(qualifier: nil), 1):
            if case .function(let function) = select.from[0].kind { return function.call }
            return nil
        default: return nil
        }
    }
}

extension TransactionStatement {
    fileprivate var name: String {
        switch self {
        case .begin: "BEGIN"
        case .commit: "COMMIT"
        case .rollback: "ROLLBACK"
        case .savepoint, .release, .rollbackTo: "SAVEPOINT"
        case .setModes: "SET TRANSACTION"
        }
    }
}
