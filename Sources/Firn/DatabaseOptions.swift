// SPDX-License-Identifier: Apache-2.0
//
// What a program may choose when it opens a database, with the defaults that docs/configuration.md lists.

public import CoreMetrics
import FirnIO
public import Logging

/// How a database is opened. The defaults suit one busy table on a machine with a few GiB of memory.
public struct DatabaseOptions: Sendable {
    /// Durability, memtables, log, cache, chunks, read-only opening.
    public var storage = StorageOptions()
    /// Bytes that one statement may hold in memory before it fails with 53200. Default: 1 GiB.
    public var queryMemoryBytesMax = 1 << 30
    /// Threads that work on one statement. Default: one for each processor that the process may use.
    public var queryThreadCount = Processors.usableCount
    /// Threads on which statements run that tasks have begun, one for each; further statements wait for one of them.
    /// Long ones take turns at the processors, so that short ones are done at once. Default: 256.
    public var statementThreadCountMax = 256
    /// Milliseconds after which a statement fails with 57014; 0: never. Default: 0.
    public var statementTimeoutMilliseconds = 0
    /// A statement that took as long is reported to `logger`; nil: none is. Default: 1 s.
    public var slowStatementNanoseconds: UInt64? = 1_000_000_000
    /// Where the database lies. Default: the operating system's files.
    package var fileSystem: any FileSystem = POSIXFileSystem(.filesAlone)
    /// Where COPY reads and writes. Default: the operating system's files.
    package var externalFileSystem: any FileSystem = POSIXFileSystem()
    /// The clock. Default: the system's.
    package var timeSource: any TimeSource = SystemTimeSource()
    /// Where random UUIDs and the database's id come from. Default: the system's entropy.
    package var random: any RandomSource = SystemRandomSource()
    /// Where the engine reports recovery, flushes, rewrites, damage and slow statements. Default: nowhere.
    public var logger = Logger(label: "firn") { _ in SwiftLogNoOpLogHandler() }
    /// Where the engine counts; nil: where the program's own metrics go (`MetricsSystem.factory`). Default: nil.
    public var metricsFactory: (any MetricsFactory)?

    /// The defaults.
    public init() {}
}
