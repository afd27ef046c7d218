// SPDX-License-Identifier: Apache-2.0
//
// The front door: open a database, append batches, query, close. It owns the engine and its threads and injects
// the world outside; all work is done by the rooms below.

import FirnIO
import FirnSyntax
import Synchronization
import SystemPackage

/// An open database.
///
/// One process at a time has a database open for writing; within it any number of tasks and threads may share one
/// `Database`. Close it to flush and to release the lock; letting it go without closing loses nothing that was
/// acknowledged, but leaves the log to be replayed at the next open.
///
///     let database = try await Database.open(at: "/var/lib/app/metrics")
///     try await database.execute("CREATE TABLE readings (time TIMESTAMPTZ NOT NULL, sensor TEXT NOT NULL, value DOUBLE PRECISION)")
///     try await database.append(batch, to: "readings")
///     for try await row in try await database.query("SELECT sensor, avg(value) FROM readings GROUP BY sensor").rows { … }
///     try await database.close()
public final class Database: Sendable {
    /// The version of the library.
    public static let version = "0.1.0"

    /// The options with which the database was opened.
    public let options: DatabaseOptions
    /// What opening found and did that a person should know, a line each; empty after a clean close.
    public let notices: [String]
    /// Runs calls that block on behalf of tasks.
    let workers: BlockingWorkers
    /// Statements that run, for closing and for the logger.
    let statements: RunningStatements
    /// Threads that help a statement's own.
    let queryExecutor: any WorkExecutor
    let zones: TimeZoneDatabase
    let defaultSettings: SessionSettings
    private let backgroundExecutor: any WorkExecutor
    /// Looks up keys for appends of tasks.
    private let keyExecutor: any WorkExecutor
    private let engine: Mutex<StorageEngine?>
    /// True once the database is closed and its threads have ended.
    private let isClosed = ConditionLock(false)
    /// Of the session that the calls of the database itself share.
    private let sharedSettings: SharedSettings
    private let path: FilePath
    private let observer: DatabaseObserver

    private init(_ path: FilePath, _ options: DatabaseOptions) throws(FirnError) {
        try options.check()
        self.options = options
        self.path = path
        HeapRetention.begin()
        let observer = DatabaseObserver(
            logger: options.logger, slowStatementNanoseconds: options.slowStatementNanoseconds,
            metrics: options.metricsFactory)
        self.observer = observer
        workers = BlockingWorkers(name: "firn-calls", threadCountMax: max(options.statementThreadCountMax, 1))
        do {
            queryExecutor = try ThreadPool(name: "firn-query", threadCount: max(options.queryThreadCount, 1))
            backgroundExecutor = try ThreadPool(name: "firn-flush", threadCount: 1)
            keyExecutor = try ThreadPool(name: "firn-keys", threadCount: 2)
        } catch {
            throw FirnError(.outOfMemory, "cannot start threads: \(error)")
        }
        let files = POSIXFileSystem()
        zones = TimeZoneDatabase { path in
            try files.open(FilePath(path), .readOnly).readAll()
        }
        defaultSettings = SessionSettings(
            timeZone: .utc, durability: nil, threadCount: options.queryThreadCount,
            memoryBytesMax: options.queryMemoryBytesMax,
            timeoutMilliseconds: max(options.statementTimeoutMilliseconds, 0))
        sharedSettings = SharedSettings(defaultSettings)
        var storage = options.storage
        storage.observer = observer
        let began = options.timeSource.monotonicNanoseconds()
        let opened = try StorageEngine.open(
            path, options: storage, fileSystem: options.fileSystem, timeSource: options.timeSource,
            random: options.random, executor: backgroundExecutor, keyExecutor: keyExecutor
        ) { database in
            let files = SegmentFiles(
                fileSystem: options.fileSystem, database: database, cacheBytesMax: options.storage.cacheBytesMax,
                footerBytesMax: options.storage.footerCacheBytesMax,
                openFilesMax: options.storage.openFilesMax.map { max($0, 1) },
                keyHashMask: options.storage.keyHashMask)
            observer.watch(files.cache)
            return files
        }
        notices = opened.notices
        statements = RunningStatements(observer: observer, clock: options.timeSource)
        engine = Mutex(opened)
        observer.opened(
            path.string, notices: notices, nanoseconds: options.timeSource.monotonicNanoseconds() - began)
    }

    /// Opens the database in a folder, and makes it where there is none.
    ///
    /// Replays what the log holds beyond the segments. Cost: O(manifest + unflushed log).
    ///
    /// - Throws: 22023 for an option or a path that cannot be; 55P03 where another process has it open (the message names its pid); 42501 where the folder may
    ///   not be written; XX001 where it is damaged beyond opening; XX002 for a format this version does not read.
    public static func open(at path: String, options: DatabaseOptions = DatabaseOptions()) async throws -> Database {
        let path = try Database.folder(path)
        return try await BlockingWorkers.upkeep.run { () throws(FirnError) in try Database(path, options) }
    }

    /// Opens the database in a folder on the calling thread, which blocks. Like `open(at:options:)`.
    public static func openBlocking(
        at path: String, options: DatabaseOptions = DatabaseOptions()
    ) throws(FirnError) -> Database {
        try Database(folder(path), options)
    }

    /// The path of a database. One with a NUL would be cut there, by the system, and name another folder.
    private static func folder(_ path: String) throws(FirnError) -> FilePath {
        guard !path.isEmpty else { throw FirnError(.invalidParameterValue, "the path of a database is empty") }
        guard !path.utf8.contains(0) else {
            throw FirnError(.invalidParameterValue, "the path of a database contains a NUL")
        }
        return FilePath(path)
    }

    /// A database that lives in memory and goes with the process.
    public static func inMemory(options: DatabaseOptions = DatabaseOptions()) throws(FirnError) -> Database {
        var options = options
        options.fileSystem = MemoryFileSystem()
        options.storage.keepsLog = false
        options.storage.durability = .memory
        return try Database(FilePath("/memory"), options)
    }

    // MARK: SQL

    /// A session with settings of its own.
    public func session() -> Session { Session(self) }

    /// The session that the calls of the database itself share: made anew for each, since one that the database held
    /// would hold the database.
    var defaultSession: Session { Session(self, sharing: sharedSettings) }

    // `query` and `execute` are in Database+Queries.swift.

    // MARK: Tables

    /// Makes a table.
    ///
    /// - Parameters:
    ///   - name: the table's name, as SQL would fold it.
    ///   - columns: names, types and NOT NULL; ids are allocated here. `defaultExpression` is SQL.
    ///   - primaryKey: names of the key's columns, which become NOT NULL.
    ///   - sortKey: names of the columns that identify a series; nil lets the engine pick them at the first flush.
    /// - Throws: 42P07 where the name is taken, 42703 for a key column that is not there.
    @discardableResult
    public func createTable(
        _ name: String, columns: [ColumnDefinition], primaryKey: [String] = [], sortKey: [String]? = nil
    ) async throws -> TableSchema {
        var definition = TableDefinition(
            name: name,
            columns: columns.map { column in
                TableDefinition.Column(
                    name: column.name, type: column.type, modifier: column.modifier,
                    isNullable: column.isNullable && !primaryKey.contains(column.name),
                    defaultExpression: column.defaultExpression)
            })
        for key in primaryKey + (sortKey ?? []) where !columns.contains(where: { $0.name == key }) {
            throw FirnError(.undefinedColumn, "column \"\(key)\" named in key does not exist")
        }
        for column in columns { try checkDefault(of: column) }
        definition.primaryKey = primaryKey
        definition.sortKey = sortKey
        let made = definition
        return try await BlockingWorkers.upkeep.run { () throws(FirnError) in
            try self.openStore().createTable(made)
        }
    }

    /// Throws what is wrong with a column's DEFAULT; what it gives is computed anew at each append.
    private func checkDefault(of column: ColumnDefinition) throws(FirnError) {
        guard let text = column.defaultExpression else { return }
        do {
            let expression = try SQLParser.parseExpression(text)
            _ = try Binder(catalogue: openStore().snapshot(), context: defaultContext).bindScalar(
                expression, target: OutputColumn(name: column.name, type: column.type))
        } catch {
            var error = (error as? SyntaxError).map { FirnError($0) } ?? FirnError(thrown: error)
            error.detail = (error.detail.map { $0 + " " } ?? "") + "In the default of column \"\(column.name)\"."
            error.position = nil
            throw error
        }
    }

    /// The table with this name; nil where there is none.
    public func table(named name: String) throws(FirnError) -> TableSchema? {
        try openStore().snapshot().table(named: name)
    }

    /// All tables, by name.
    public func tables() throws(FirnError) -> [TableSchema] { try openStore().snapshot().tables }

    // MARK: Rows

    /// Appends rows as one commit: all of them or none, across all chunks.
    ///
    /// Many tasks may append at once; their commits share syncs. Returns once the rows are as durable as asked and
    /// visible to every query that begins afterwards.
    ///
    /// - Parameters:
    ///   - batch: positional with all columns of the table, or with names; columns that it does not name take
    ///     their DEFAULT.
    ///   - table: the table's name.
    ///   - durability: nil means the database's own.
    /// - Throws: 42P01, 42703, 42804, 23502, 23505, 22003, 22008 for rows that do not fit, 54000 for a value above
    ///   ``BytesValues/valueBytesMax``, and then nothing was appended; 53100 and 58030 where the disk fails.
    @discardableResult
    public func append(
        _ batch: ColumnBatch, to table: String, durability: Durability? = nil
    ) async throws -> AppendResult {
        let store = try openStore()
        let (complete, id) = try completed(batch, for: table, store)
        return try await withCheckedThrowingContinuation { continuation in
            store.appendAsynchronously(complete, to: id, durability: durability) { outcome in
                continuation.resume(with: outcome)
            }
        }
    }

    /// Appends rows as one commit on the calling thread, which blocks; like `append(_:to:durability:)`.
    @discardableResult
    public func appendBlocking(
        _ batch: ColumnBatch, to table: String, durability: Durability? = nil
    ) throws(FirnError) -> AppendResult {
        let store = try openStore()
        let (complete, id) = try completed(batch, for: table, store)
        return try store.append(complete, to: id, durability: durability)
    }

    /// The batch with every column of its table in order, checked against the schema.
    private func completed(
        _ batch: ColumnBatch, for name: String, _ store: StorageEngine
    ) throws(FirnError) -> (ColumnBatch, TableID) {
        if options.storage.access == .readOnly {
            throw FirnError(.readOnlyTransaction, "cannot append to a database that was opened read-only")
        }
        let snapshot = try store.snapshot()
        guard let table = snapshot.table(named: name) else {
            throw FirnError(
                .undefinedTable, "relation \"\(name)\" does not exist",
                hint: Suggestion.hint(for: name, among: snapshot.tables.map(\.name)))
        }
        var positional = batch
        if !batch.names.isEmpty {
            let targets = try batch.names.map { name throws(FirnError) -> Int in
                guard let index = table.index(named: name) else {
                    throw FirnError(
                        .undefinedColumn, "column \"\(name)\" of relation \"\(table.name)\" does not exist",
                        hint: Suggestion.hint(for: name, among: table.columns.map(\.name)))
                }
                return index
            }
            let filler = try DefaultFiller(table: table, given: targets, defaultContext, snapshot)
            positional = try filler.complete(batch, targets: targets)
        }
        return (try RowValidation(table).validated(positional), table.id)
    }

    /// What DEFAULT expressions know when a program appends.
    private var defaultContext: EvaluationContext {
        EvaluationContext(
            timeZone: defaultSettings.timeZone, timeZones: zones, statementMicroseconds: options.timeSource.now(),
            random: options.random, cancellation: CancellationFlag())
    }

    // MARK: Upkeep

    /// Makes everything durable that was appended before, whatever level it was appended at.
    public func sync() async throws {
        try await BlockingWorkers.upkeep.run { () throws(FirnError) in try self.openStore().sync() }
    }

    /// Writes all memtables to segments. Queries are fastest, and opening cheapest, after it.
    public func checkpoint() async throws {
        try await BlockingWorkers.upkeep.run { () throws(FirnError) in try self.openStore().checkpoint() }
    }

    /// Checks every checksum and invariant of the database in a folder, and changes nothing.
    ///
    /// Nobody may have it open for writing meanwhile; readers may. Cost: reads all files once.
    ///
    /// - Throws: 58P01 where there is no database, 55P03 where a process writes it. Damage is in the report.
    public static func check(
        at path: String, options: DatabaseOptions = DatabaseOptions()
    ) async throws -> CheckReport {
        try await BlockingWorkers.upkeep.run { () throws(FirnError) in
            try checkBlocking(at: path, options: options)
        }
    }

    /// Like `check(at:options:)`, on the calling thread, which blocks.
    public static func checkBlocking(
        at path: String, options: DatabaseOptions = DatabaseOptions()
    ) throws(FirnError) -> CheckReport {
        try DatabaseCheck.run(folder(path), fileSystem: options.fileSystem)
    }

    /// Cancels statements that run, flushes, records a clean end, and releases the lock.
    ///
    /// Later calls throw 57P01, and so do statements and results that were cut short; a second close
    /// waits for the first.
    public func close() async throws {
        try await BlockingWorkers.upkeep.run { () throws(FirnError) in try self.closeBlocking() }
    }

    /// Like `close()`, on the calling thread, which blocks.
    public func closeBlocking() throws(FirnError) {
        let open = engine.withLock { engine in
            let open = engine
            engine = nil
            return open
        }
        guard let open else { return isClosed.wait(until: { $0 }, then: { _ in }) }
        statements.close()
        defer {
            workers.shutDown()
            queryExecutor.shutDown()
            backgroundExecutor.shutDown()
            keyExecutor.shutDown()
            isClosed.withLock { $0 = true }
            isClosed.broadcast()
        }
        do throws(FirnError) {
            try open.close()
        } catch {
            observer.closed(path.string, error)
            throw error
        }
        observer.closed(path.string, nil)
    }

    func openStore() throws(FirnError) -> StorageEngine {
        guard let engine = engine.withLock({ $0 }) else {
            throw FirnError(.databaseClosed, "the database is closed")
        }
        return engine
    }
}
