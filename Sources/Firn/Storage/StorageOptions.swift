// SPDX-License-Identifier: Apache-2.0
//
// What a person may choose about a database's storage, with the defaults and their units.

/// How a database keeps its rows. Every value has a default that suits most uses.
public struct StorageOptions: Sendable {
    /// How a database is opened.
    public enum Access: Sendable, Hashable {
        /// For reading and writing, by one process at a time.
        case readWrite
        /// For reading alone, by any number of processes while none writes. Nothing on disk is changed.
        case readOnly
    }

    /// What an append does when memory for unflushed rows is used up.
    public enum Backpressure: Sendable, Hashable {
        /// It waits until a flush has made room.
        case wait
        /// It throws ``SQLState/busy`` at once.
        case fail
    }

    /// How the database is opened. Default: for reading and writing.
    public var access = Access.readWrite
    /// Whether a database is made where there is none. Default: yes.
    public var createIfMissing = true
    /// The durability of appends that do not ask for another. Default: `.synced`.
    public var durability = Durability.synced
    /// Bytes of unflushed rows, over all tables, at which a flush to segments begins. Default: 64 MiB.
    public var memtableBytesMax = 64 << 20
    /// Bytes of unflushed rows, those that are being flushed included, beyond which appends wait. Default: 256 MiB.
    public var memoryBytesMax = 256 << 20
    /// What appends do beyond `memoryBytesMax`. Default: wait.
    public var backpressure = Backpressure.wait
    /// Seconds after which unflushed rows are flushed however few they are; nil: never on account of age.
    /// Default: 300.
    public var flushAgeSeconds: UInt64? = 300
    /// Bytes of a file of the write-ahead log; a larger commit has a file of its own. Default: 32 MiB.
    public var logFileBytes = 32 << 20
    /// Bytes of verified pages that are kept in memory for readers. Default: 128 MiB.
    public var cacheBytesMax = 128 << 20
    /// Bytes of segments' footers and dictionaries that are kept in memory for readers. Default: 64 MiB.
    public var footerCacheBytesMax = 64 << 20
    /// Data files that are kept open for readers; nil: half of what the process may open (RLIMIT_NOFILE when the
    /// database is opened), from 16 to 16,384. Default: nil.
    public var openFilesMax: Int?
    /// Length of a new chunk of tables that were not given one, in seconds. Default: 604,800 (7 days).
    public var chunkIntervalSeconds: Int64 = 7 * 86_400
    /// False for a database whose rows need to survive nothing: it has no log, and every commit is visible at once.
    var keepsLog = true
    /// The bits of key hashes that are kept; tests keep few, so that keys collide.
    var keyHashMask = UInt64.max
    /// False where a test drives the engine by hand: no thread of its own is started.
    var startsThreads = true
    /// Hears of what the engine does on its own.
    var observer: any StorageObserver = NoStorageObserver()

    /// The defaults.
    public init() {}

    /// The options of a database in memory: no log, everything else as it is.
    static var inMemory: StorageOptions {
        var options = StorageOptions()
        options.keepsLog = false
        options.durability = .memory
        return options
    }
}
