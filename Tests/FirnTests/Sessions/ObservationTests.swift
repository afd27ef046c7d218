// SPDX-License-Identifier: Apache-2.0
//
// What the logger and the metrics hear of a database; and the page that lists every option lists every option.

import CoreMetrics
import FirnIO
import Logging
import Synchronization
import SystemPackage
import Testing

@testable import Firn

/// Keeps what is logged.
private final class KeptLog: Sendable {
    struct Line {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    let lines = Mutex<[Line]>([])

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    func line(_ message: String) -> Line? { lines.withLock { $0.first { $0.message == message } } }

    struct Handler: LogHandler {
        let log: KeptLog
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).mapValues { "\($0)" }
            log.lines.withLock {
                $0.append(Line(level: event.level, message: "\(event.message)", metadata: fields))
            }
        }
    }
}

/// Adds up what is counted.
private final class KeptMetrics: MetricsFactory {
    let totals = Mutex<[String: Int64]>([:])

    func total(_ label: String) -> Int64 { totals.withLock { $0[label] ?? 0 } }

    private final class Kept: CounterHandler, TimerHandler, RecorderHandler, MeterHandler, Sendable {
        let label: String
        let metrics: KeptMetrics

        init(_ label: String, _ metrics: KeptMetrics) {
            self.label = label
            self.metrics = metrics
        }

        private func add(_ value: Int64) { metrics.totals.withLock { $0[label, default: 0] += value } }
        func increment(by amount: Int64) { add(amount) }
        func reset() {}
        func recordNanoseconds(_ duration: Int64) { metrics.totals.withLock { $0[label + "#", default: 0] += 1 } }
        func record(_ value: Int64) { add(value) }
        func record(_ value: Double) { add(Int64(value)) }
        func set(_ value: Int64) { metrics.totals.withLock { $0[label] = value } }
        func set(_ value: Double) { metrics.totals.withLock { $0[label] = Int64(value) } }
        func increment(by amount: Double) { add(Int64(amount)) }
        func decrement(by amount: Double) { add(-Int64(amount)) }
    }

    private func made(_ label: String, _ dimensions: [(String, String)]) -> Kept {
        Kept(label + dimensions.map { "{\($0.0)=\($0.1)}" }.joined(), self)
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> CounterHandler { made(label, dimensions) }
    func makeTimer(label: String, dimensions: [(String, String)]) -> TimerHandler { made(label, dimensions) }
    func makeMeter(label: String, dimensions: [(String, String)]) -> MeterHandler { made(label, dimensions) }
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> RecorderHandler {
        made(label, dimensions)
    }
    func destroyCounter(_ handler: CounterHandler) {}
    func destroyTimer(_ handler: TimerHandler) {}
    func destroyMeter(_ handler: MeterHandler) {}
    func destroyRecorder(_ handler: RecorderHandler) {}
}

@Suite("Observation")
struct ObservationTests {
    private static func page() throws -> String {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .removingLastComponent()
        let file = try POSIXFileSystem().open(root.appending("docs").appending("configuration.md"), .readOnly)
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    @Test func theLoggerHearsOfWhatTheEngineDoes() async throws {
        let log = KeptLog()
        var options = DatabaseOptions()
        options.fileSystem = MemoryFileSystem()
        options.logger = log.logger
        options.slowStatementNanoseconds = 0
        let database = try await Database.open(at: "/db", options: options)
        #expect(log.line("database opened")?.level == .info)
        try await database.execute("CREATE TABLE t (time timestamptz NOT NULL, x integer)")
        try await database.execute("SELECT 1; INSERT INTO t VALUES ('2024-01-01', 1), ('2024-01-02', 2)")
        try await database.checkpoint()
        let flush = try #require(log.line("rows flushed"))
        #expect(flush.level == .debug)
        #expect(flush.metadata["rows"] == "2")
        #expect(flush.metadata["segments"] == "1")
        try await database.execute("SELECT compress_chunk(c) FROM show_chunks('t') c")
        let rewrite = try #require(log.line("chunk rewritten"))
        #expect(rewrite.level == .info)
        #expect(rewrite.metadata["table"] == "t")
        #expect(rewrite.metadata["profile"] == "cold")
        let slow = log.lines.withLock { $0.filter { $0.message == "slow statement" } }
        #expect(slow.allSatisfy { $0.level == .notice && $0.metadata["duration_ns"] != nil })
        // The statement of a script, not the script.
        #expect(slow.contains { $0.metadata["statement"] == "SELECT 1" && $0.metadata["rows"] == "1" })
        try await database.close()
        #expect(log.line("database closed")?.level == .info)
    }

    @Test func aNoticeOfRecoveryIsAWarning() {
        let log = KeptLog()
        let observer = DatabaseObserver(logger: log.logger, slowStatementNanoseconds: nil, metrics: nil)
        observer.opened("/db", notices: ["3 commits are missing"], nanoseconds: 5)
        #expect(log.line("3 commits are missing")?.level == .warning)
        #expect(log.line("database opened")?.metadata["notices"] == "1")
        observer.storageDid(.flushFailed(FirnError(.diskFull, "no space")))
        #expect(log.line("flush failed")?.level == .error)
        #expect(log.line("flush failed")?.metadata["code"] == "53100")
        observer.statementEnded("SELECT 2", nanoseconds: 1, rowCount: 0, error: FirnError(.dataCorrupted, "checksum"))
        #expect(log.line("damage found")?.level == .error)
        #expect(log.line("damage found")?.metadata["statement"] == "SELECT 2")
        #expect(log.line("slow statement") == nil)
    }

    @Test func metricsCountWhatHappens() async throws {
        let metrics = KeptMetrics()
        var options = DatabaseOptions()
        options.fileSystem = MemoryFileSystem()
        options.metricsFactory = metrics
        let database = try await Database.open(at: "/db", options: options)
        try await database.execute("CREATE TABLE t (x integer)")
        try await database.execute("INSERT INTO t VALUES (1), (2), (3)")
        await #expect(throws: FirnError.self) { try await database.execute("SELECT 1/0") }
        try await database.checkpoint()
        for _ in 0..<2 { try await database.execute("SELECT x FROM t") }
        #expect(metrics.total("firn.statements") == 5)
        #expect(metrics.total("firn.statements.duration#") == 5)
        #expect(metrics.total("firn.statements.errors{code=22012}") == 1)
        #expect(metrics.total("firn.rows.appended") == 3)
        #expect(metrics.total("firn.rows.returned") == 6)
        #expect(metrics.total("firn.flushes") == 1)
        #expect(metrics.total("firn.flushes.duration#") == 1)
        #expect(metrics.total("firn.segments.bytes_written") > 0)
        #expect(metrics.total("firn.cache.misses") > 0)
        #expect(metrics.total("firn.cache.hits") > 0)
        try await database.close()
        let page = try Self.page()
        for label in metrics.totals.withLock({ $0.keys.map { $0 } }) {
            let name = label.prefix { $0 != "{" && $0 != "#" }
            #expect(page.contains("`\(name)`"), "docs/configuration.md does not list \(name)")
        }
    }

    /// What only tests use.
    private static let internalOptions: Set = ["keyHashMask", "startsThreads", "observer"]

    @Test func everyOptionIsInThePage() async throws {
        let page = try Self.page()
        let database = try Database.inMemory()
        for child in Mirror(reflecting: DatabaseOptions()).children where child.label != "storage" {
            #expect(page.contains("`\(child.label!)`"), "docs/configuration.md does not list \(child.label!)")
        }
        for child in Mirror(reflecting: StorageOptions()).children where !Self.internalOptions.contains(child.label!) {
            #expect(page.contains("`storage.\(child.label!)`"), "docs/configuration.md does not list \(child.label!)")
        }
        for batch in try await database.query("SHOW ALL").collect() {
            for row in 0..<batch.rowCount {
                guard case .text(let name) = batch.columns[0][row] else { continue }
                #expect(page.contains("`\(name.lowercased())`"), "docs/configuration.md does not list \(name)")
            }
        }
    }
}
