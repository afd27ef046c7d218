// SPDX-License-Identifier: Apache-2.0
//
// A session: runs SQL against a database with settings of its own (zone, durability, threads).

import FirnIO
import FirnSyntax
import Synchronization

/// What a statement gave.
public enum StatementResult: Sendable {
    /// The rows of a query, computed as they are read.
    case rows(QueryResult)
    /// The command tag in PostgreSQL's form, such as `INSERT 0 40`. It acknowledges the change.
    case command(tag: String)
}

/// Runs statements one after another, with settings that SET changes.
///
/// Thread-safe. Statements of one session may overlap; each takes the settings that stand when it begins.
public final class Session: Sendable {
    let database: Database
    private let settings: SharedSettings

    /// - Parameter settings: those of another session, to be shared with it; nil: settings of its own.
    init(_ database: Database, sharing settings: SharedSettings? = nil) {
        self.database = database
        self.settings = settings ?? SharedSettings(database.defaultSettings)
    }

    /// The zone in which the session reads and shows TIMESTAMPTZ.
    public var timeZone: TimeZoneRules { settings.current.withLock { $0.timeZone } }

    // The public `query` and `execute` are in Session+Queries.swift.

    func query(_ sql: String, given parameters: GivenParameters) async throws -> QueryResult {
        let (statement, values) = try sole(sql, parameters)
        // Refused before it has changed anything.
        guard statement.givesRows, case .rows(let result) = try await run(statement, in: sql, parameters: values)
        else { throw FirnError(.syntaxError, "the statement gives no rows", hint: "Call execute(_:) for commands.") }
        return result
    }

    func execute(_ sql: String, given parameters: GivenParameters) async throws -> String {
        let (statements, values) = try parsed(sql, parameters)
        var tag = ""
        for statement in statements {
            switch try await run(statement, in: sql, parameters: values) {
            case .command(let given): tag = given
            case .rows(let result):
                var rowCount = 0
                for try await batch in result { rowCount += batch.rowCount }
                tag = "SELECT \(rowCount)"
            }
        }
        return tag
    }

    /// A statement of a parsed text. The text's trees may be too tall for the threads that hold this.
    private struct ParsedStatement: Sendable {
        let range: SourceRange
        let givesRows: Bool
        let index: Int
        let script: DeepValue<[Statement]>
    }

    /// The only statement of a text, and the values of the parameters that it uses.
    private func sole(
        _ sql: String, _ parameters: GivenParameters
    ) throws(FirnError) -> (statement: ParsedStatement, values: [BoundParameter]) {
        let (statements, values) = try parsed(sql, parameters)
        guard statements.count == 1 else {
            throw FirnError(
                .syntaxError, statements.isEmpty ? "there is no statement" : "one statement is expected here",
                position: statements.count > 1 ? statements[1].range.start.byteOffset : nil)
        }
        return (statements[0], values)
    }

    private func run(
        _ statement: ParsedStatement, in sql: String, parameters: [BoundParameter]
    ) async throws -> StatementResult {
        let cancellation = CancellationFlag()
        let running = try begin(statement, in: sql, cancellation)
        return try await withTaskCancellationHandler {
            do {
                return try await database.workers.run(cancellation) { () throws(FirnError) in
                    try self.run(
                        statement, in: sql, parameters: parameters, environment: StatementEnvironment(), running)
                }
            } catch let error as FirnError {
                running.finish(error)
                throw error
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    /// Counts a statement as running, and its time from now on.
    private func begin(
        _ statement: ParsedStatement, in sql: String, _ cancellation: CancellationFlag
    ) throws(FirnError) -> RunningStatement {
        let timeout = settings.current.withLock { $0.timeoutMilliseconds }
        return try database.statements.begin(
            sql, of: statement.range.start.byteOffset..<statement.range.end.byteOffset, cancellation,
            timeoutMilliseconds: timeout)
    }

    /// Runs one statement on the calling thread, which may block: for threads outside of Swift concurrency.
    ///
    /// `cancellation` stops the statement, and the reading of its rows, from another thread.
    public func runBlocking(
        _ sql: String, parameters: [Value] = [], environment: StatementEnvironment = StatementEnvironment(),
        cancellation: StatementCancellation = StatementCancellation()
    ) throws(FirnError) -> StatementResult {
        let (statement, values) = try sole(sql, GivenParameters(parameters))
        return try run(
            statement, in: sql, parameters: values, environment: environment,
            try begin(statement, in: sql, cancellation.flag))
    }

    /// The statements of a text, and the values of the parameters that they use.
    private func parsed(
        _ sql: String, _ parameters: GivenParameters
    ) throws(FirnError) -> (statements: [ParsedStatement], values: [BoundParameter]) {
        typealias Script = (statements: [ParsedStatement], parameters: StatementParameters)
        @Sendable func shared(_ statements: [Statement], isTall: Bool) -> [ParsedStatement] {
            let script = DeepValue(statements, isTall: isTall)
            return statements.enumerated().map { index, statement in
                ParsedStatement(range: statement.range, givesRows: statement.givesRows, index: index, script: script)
            }
        }
        let script: Script
        do throws(SyntaxError) {
            let parsed = try SQLParser.parseScript(sql, limits: .shallow)
            script = (shared(parsed.statements, isTall: false), parsed.parameters)
        } catch {
            guard error.code == "54001" else { throw FirnError(error) }
            script = try DeepStack.run { () throws(FirnError) -> Script in
                do throws(SyntaxError) {
                    let parsed = try SQLParser.parseScript(sql)
                    return (shared(parsed.statements, isTall: true), parsed.parameters)
                } catch {
                    throw FirnError(error)
                }
            }
        }
        return (script.statements, try parameters.matched(with: script.parameters))
    }

    private func run(
        _ statement: ParsedStatement, in sql: String, parameters: [BoundParameter], environment: StatementEnvironment,
        _ running: RunningStatement
    ) throws(FirnError) -> StatementResult {
        try running.run { () throws(FirnError) in
            try statement.script.use { (statements) throws(FirnError) in
                try self.run(
                    statements[statement.index], isTall: statement.script.isTall, in: sql, parameters: parameters,
                    environment: environment, running)
            }
        }
    }

    private func run(
        _ statement: Statement, isTall: Bool, in sql: String, parameters: [BoundParameter],
        environment: StatementEnvironment, _ running: RunningStatement
    ) throws(FirnError) -> StatementResult {
        var runner = StatementRunner(
            store: try database.openStore(), isReadOnly: database.options.storage.access == .readOnly,
            executor: database.queryExecutor, externalFileSystem: database.options.externalFileSystem,
            timeSource: database.options.timeSource, random: database.options.random, zones: database.zones,
            defaults: database.defaultSettings, environment: environment, parameters: parameters,
            cancellation: running.cancellation, isTall: isTall, settings: settings.current.withLock { $0 }, source: sql,
            statementMicroseconds: database.options.timeSource.now())
        let outcome = try runner.run(statement)
        switch statement.kind {
        case .set, .reset, .discardAll:
            let changed = runner.settings
            settings.current.withLock { $0 = changed }
        default: break
        }
        switch outcome {
        case .rows(let stream): return .rows(QueryResult(stream, running, database.workers))
        case .command(let tag):
            running.finish(nil)
            return .command(tag: tag)
        }
    }
}

/// Settings that several sessions may share: those of the database's own calls.
final class SharedSettings: Sendable {
    let current: Mutex<SessionSettings>

    init(_ settings: SessionSettings) { current = Mutex(settings) }
}

extension Statement {
    /// Whether it answers with rows.
    fileprivate var givesRows: Bool {
        switch kind {
        case .query, .explain, .show, .describe: true
        default: false
        }
    }
}

/// Stops a statement that runs on another thread.
public struct StatementCancellation: Sendable {
    let flag = CancellationFlag()
    /// A cancellation that nobody asked for yet.
    public init() {}

    /// The statement throws 57014 at its next block. Any thread, any number of times.
    public func cancel() { flag.cancel() }
    /// Whether `cancel` was called.
    public var isCancelled: Bool { flag.isCancelled }
}
