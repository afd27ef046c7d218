// SPDX-License-Identifier: Apache-2.0
//
// What a program may choose when it opens a database, with the defaults that docs/configuration.md lists.

public import FirnIO
public import Logging

/// How a database is opened. The defaults suit one busy table on a machine with a few GiB of memory.
public struct DatabaseOptions: Sendable {
    /// Durability, memtables, log, cache, chunks, read-only opening.
    public var storage = StorageOptions()
    /// Bytes that one statement may hold in memory before it fails with 53200. Default: 1 GiB.
    public var queryMemoryBytesMax = 1 << 30
    /// Threads that work on one statement. Default: one for each processor that the process may use.
    public var queryThreadCount = Processors.usableCount
    /// Where the database lies. Default: the operating system's files.
    public var fileSystem: any FileSystem = POSIXFileSystem()
    /// Where COPY reads and writes. Default: the operating system's files.
    public var externalFileSystem: any FileSystem = POSIXFileSystem()
    /// The clock. Default: the system's.
    public var timeSource: any TimeSource = SystemTimeSource()
    /// Where random UUIDs and the database's id come from. Default: the system's entropy.
    public var random: any RandomSource = SystemRandomSource()
    /// Where the engine reports what it did on its own: recovery, flushes, damage. Default: nowhere.
    public var logger = Logger(label: "firn") { _ in SwiftLogNoOpLogHandler() }

    /// The defaults.
    public init() {}
}
