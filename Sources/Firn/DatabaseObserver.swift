// SPDX-License-Identifier: Apache-2.0
//
// What the logger and the metrics hear of a database. docs/configuration.md lists levels, fields and names.

import CoreMetrics
import Logging
import Synchronization

/// Turns what happens into log lines and metrics. Thread-safe.
final class DatabaseObserver: StorageObserver {
    private let logger: Logger
    private let slowStatementNanoseconds: UInt64?
    private let metrics: DatabaseMetrics?
    private let cache = Mutex<PageCache?>(nil)

    init(logger: Logger, slowStatementNanoseconds: UInt64?, metrics factory: (any MetricsFactory)?) {
        self.logger = logger
        self.slowStatementNanoseconds = slowStatementNanoseconds
        let chosen = factory ?? MetricsSystem.factory
        // Without a back-end nothing is counted.
        metrics = chosen is NOOPMetricsHandler ? nil : DatabaseMetrics(chosen)
    }

    // MARK: Opening and closing

    func opened(_ path: String, notices: [String], nanoseconds: UInt64) {
        for notice in notices { logger.warning("\(notice)", metadata: ["path": "\(path)"]) }
        logger.info(
            "database opened",
            metadata: [
                "path": "\(path)", "notices": "\(notices.count)", "duration_ns": "\(nanoseconds)",
            ])
    }

    func closed(_ path: String, _ error: FirnError?) {
        guard let error else { return logger.info("database closed", metadata: ["path": "\(path)"]) }
        logger.error(
            "closing failed", metadata: ["path": "\(path)", "code": "\(error.code)", "error": "\(error.message)"])
    }

    // MARK: Statements

    func statementEnded(_ sql: @autoclosure () -> Substring, nanoseconds: UInt64, rowCount: Int, error: FirnError?) {
        if let metrics {
            metrics.statements.increment()
            metrics.statementDuration.recordNanoseconds(Int64(clamping: nanoseconds))
            metrics.rowsReturned.increment(by: Int64(rowCount))
            if let error { metrics.countError(error.code) }
            if let cache = cache.withLock({ $0 }) { metrics.count(cache.usage) }
        }
        if let error, error.code == .dataCorrupted {
            var metadata: Logger.Metadata = ["code": "\(error.code)", "error": "\(error.message)"]
            metadata["statement"] = "\(Self.shortened(sql()))"
            logger.error("damage found", metadata: metadata)
        }
        if let slowStatementNanoseconds, nanoseconds >= slowStatementNanoseconds {
            metrics?.slowStatements.increment()
            var metadata: Logger.Metadata = [
                "statement": "\(Self.shortened(sql()))", "duration_ns": "\(nanoseconds)", "rows": "\(rowCount)",
            ]
            if let error { metadata["code"] = "\(error.code)" }
            logger.notice("slow statement", metadata: metadata)
        }
    }

    /// Characters of a statement that a log line shows at most.
    private static let shownCharactersMax = 1_000

    private static func shortened(_ sql: Substring) -> String {
        let kept = sql.prefix(shownCharactersMax)
        return kept.endIndex == sql.endIndex ? String(sql) : kept + "…"
    }

    /// The cache of which hits and misses are counted.
    func watch(_ cache: PageCache) {
        if metrics != nil { self.cache.withLock { $0 = cache } }
    }

    // MARK: Storage

    func storageDid(_ event: StorageEvent) {
        switch event {
        case .appended(let rowCount): metrics?.rowsAppended.increment(by: Int64(rowCount))
        case .flushed(let rowCount, let segmentCount, let byteCount, let nanoseconds):
            if let metrics {
                metrics.flushes.increment()
                metrics.bytesWritten.increment(by: byteCount)
                metrics.flushDuration.recordNanoseconds(Int64(clamping: nanoseconds))
            }
            logger.debug(
                "rows flushed",
                metadata: [
                    "rows": "\(rowCount)", "segments": "\(segmentCount)", "bytes": "\(byteCount)",
                    "duration_ns": "\(nanoseconds)",
                ])
        case .flushFailed(let error):
            metrics?.flushFailures.increment()
            logger.error("flush failed", metadata: ["code": "\(error.code)", "error": "\(error.message)"])
        case .rewrote(let table, let profile, let rowCount, let bytesBefore, let bytesAfter, let nanoseconds):
            if let metrics {
                metrics.rewrites.increment()
                metrics.bytesWritten.increment(by: bytesAfter)
            }
            logger.info(
                "chunk rewritten",
                metadata: [
                    "table": "\(table)", "profile": "\(profile.name)", "rows": "\(rowCount)",
                    "bytes_before": "\(bytesBefore)", "bytes": "\(bytesAfter)", "duration_ns": "\(nanoseconds)",
                ])
        }
    }
}

/// The metrics of a database, by their names.
private final class DatabaseMetrics: Sendable {
    let statements: Counter
    let slowStatements: Counter
    let statementDuration: CoreMetrics.Timer
    let rowsReturned: Counter
    let rowsAppended: Counter
    let flushes: Counter
    let flushFailures: Counter
    let flushDuration: CoreMetrics.Timer
    let rewrites: Counter
    let bytesWritten: Counter
    private let cacheHits: Counter
    private let cacheMisses: Counter
    private let cacheBytes: Meter
    private let factory: any MetricsFactory
    private let errors = Mutex<[SQLState: Counter]>([:])
    private let counted = Mutex(PageCache.Usage())

    init(_ factory: any MetricsFactory) {
        self.factory = factory
        statements = Counter(label: "firn.statements", factory: factory)
        slowStatements = Counter(label: "firn.statements.slow", factory: factory)
        statementDuration = Timer(label: "firn.statements.duration", factory: factory)
        rowsReturned = Counter(label: "firn.rows.returned", factory: factory)
        rowsAppended = Counter(label: "firn.rows.appended", factory: factory)
        flushes = Counter(label: "firn.flushes", factory: factory)
        flushFailures = Counter(label: "firn.flushes.failed", factory: factory)
        flushDuration = Timer(label: "firn.flushes.duration", factory: factory)
        rewrites = Counter(label: "firn.rewrites", factory: factory)
        bytesWritten = Counter(label: "firn.segments.bytes_written", factory: factory)
        cacheHits = Counter(label: "firn.cache.hits", factory: factory)
        cacheMisses = Counter(label: "firn.cache.misses", factory: factory)
        cacheBytes = Meter(label: "firn.cache.bytes", factory: factory)
    }

    func countError(_ code: SQLState) {
        let counter = errors.withLock { errors in
            if let known = errors[code] { return known }
            let made = Counter(
                label: "firn.statements.errors", dimensions: [("code", code.description)], factory: factory)
            errors[code] = made
            return made
        }
        counter.increment()
    }

    func count(_ usage: PageCache.Usage) {
        let before = counted.withLock { counted in
            // Totals may come out of order from several threads.
            let before = counted
            counted.hitCount = max(counted.hitCount, usage.hitCount)
            counted.missCount = max(counted.missCount, usage.missCount)
            return before
        }
        cacheHits.increment(by: Int64(max(0, usage.hitCount - before.hitCount)))
        cacheMisses.increment(by: Int64(max(0, usage.missCount - before.missCount)))
        cacheBytes.set(usage.byteCount)
    }
}
