// SPDX-License-Identifier: Apache-2.0
//
// What the rooms above ask of storage: tables as one snapshot sees them, and changes that commit as one.
//
// `StorageEngine` is the one implementation in the product; tests of the query engine may bring their own.
// All calls block: they run on the engine's threads or on a caller's own thread, never on the cooperative pool.

/// When an append may return.
public enum Durability: Sendable, Hashable {
    /// After the log was synced: the rows survive kill -9 and power loss.
    case synced
    /// After the log was handed to the operating system: the rows survive kill -9; power loss costs at most
    /// this many nanoseconds of appends.
    case buffered(flushIntervalNanoseconds: UInt64)
    /// At once: the rows survive nothing until the next flush or `sync()`.
    case memory
}

/// Tables and their rows, as every commit up to one LSN left them.
protocol DatabaseSnapshot: Sendable {
    /// The last commit that is seen.
    var lsn: LSN { get }
    /// Every table, by name in ascending order.
    var tables: [TableSchema] { get }
    /// The table with this name; nil where there is none.
    func table(named name: String) -> TableSchema?
    /// The rows of one table of `tables`.
    func rows(of table: TableID) throws(FirnError) -> any TableSnapshot
}

/// The rows of one table at one snapshot.
protocol TableSnapshot: Sendable {
    var schema: TableSchema { get }
    /// Number of rows, exact: from the manifest and the memtables, without reading any row.
    var rowCount: Int { get }
    /// What is left to read when rows outside the given ranges are not wanted, in commit order: segments, and the
    /// batches of memtables where they belong, most of them behind. Pruning is by chunk and row-group statistics, and by the key
    /// indexes of segments where the ranges leave one primary key; rows outside the ranges may still come.
    func morsels(pruning ranges: [ColumnRange]) throws(FirnError) -> [any Morsel]
    /// The same; `onDamage` decides whether a segment that cannot be read is left out, or throws its error.
    func morsels(
        pruning ranges: [ColumnRange], onDamage: (FirnError) throws(FirnError) -> Void
    ) throws(FirnError) -> [any Morsel]

    /// The chunks in which rows lie, in ascending order.
    var chunks: [ChunkBounds] { get }
    /// The range of time of a chunk in which segments lie.
    func bounds(of chunk: ChunkID) -> ChunkBounds?
    /// The segments, in commit order.
    var segments: [SegmentDescriptor] { get }
    /// Bytes of a segment's key index; reads the segment's footer.
    func keyIndexByteCount(of segment: SegmentDescriptor) throws(FirnError) -> Int
    /// All that is known about a segment and its columns; reads its pages.
    func description(of segment: SegmentDescriptor) throws(FirnError) -> SegmentFile.Segment
}

extension TableSnapshot {
    func morsels(
        pruning ranges: [ColumnRange], onDamage: (FirnError) throws(FirnError) -> Void
    ) throws(FirnError) -> [any Morsel] {
        do throws(FirnError) {
            return try morsels(pruning: ranges)
        } catch {
            try onDamage(error)
            return []
        }
    }
}

/// Values of a column that a predicate can accept, for pruning. NULL is never inside.
struct ColumnRange: Sendable {
    var column: ColumnID
    /// Nil: no lower bound. Inclusive. A value of the column's physical form.
    var lower: Value?
    /// Nil: no upper bound. Inclusive.
    var upper: Value?
    /// Where only few values within the bounds can be accepted: those, ascending; others that SQL holds equal to one of
    /// them are inside too.
    var choices: [Value]?
    /// Whether statistics have the order of SQL. Those of JSONB are of its text: of it only keys are looked up.
    var hasStatistics: Bool

    init(
        column: ColumnID, lower: Value?, upper: Value?, choices: [Value]? = nil, hasStatistics: Bool = true
    ) {
        self.column = column
        self.hasStatistics = hasStatistics
        self.lower = lower
        self.upper = upper
        self.choices = choices?.sorted(by: KeyOrder.isLess)
    }

    /// Whether a value between two that are inclusive can be inside.
    func mayAccept(between minimum: Value, and maximum: Value) -> Bool {
        guard hasStatistics else { return true }
        if let lower, KeyOrder.isLess(maximum, lower) { return false }
        if let upper, KeyOrder.isLess(upper, minimum) { return false }
        guard let choices else { return true }
        let first = choices.partitionPoint { !KeyOrder.isLess($0, minimum) }
        return first < choices.count && !KeyOrder.isLess(maximum, choices[first])
    }
}

extension [ColumnRange] {
    /// More primary keys than this are not looked up one by one.
    static let primaryKeyCountMax = 1_024

    /// The primary keys that the ranges leave, for each key column the values of all of them; nil where the ranges leave
    /// more than `primaryKeyCountMax`, or do not say.
    func primaryKeys(of schema: TableSchema) -> (columns: [[Value]], count: Int)? {
        guard !schema.primaryKey.isEmpty else { return nil }
        var columns: [[Value]] = []
        var count = 1
        for id in schema.primaryKey {
            guard let choices = first(where: { $0.column == id })?.choices else { return nil }
            // Each key so far with each of the choices.
            let (product, overflow) = count.multipliedReportingOverflow(by: choices.count)
            guard !overflow, product <= Self.primaryKeyCountMax else { return nil }
            columns = columns.map { column in column.flatMap { [Value](repeating: $0, count: choices.count) } }
            columns.append((0..<product).map { choices[$0 % choices.count] })
            count = product
        }
        return (columns, count)
    }
}

/// What is known about the values of one column in a range of rows without reading them.
struct ColumnStatistics: Sendable {
    var valueCount: Int
    var nullCount: Int
    /// Smallest and largest value that is not NULL; nil where unknown or where all rows are NULL.
    /// For REAL and DOUBLE PRECISION NaN is larger than all others.
    var minimum: Value?
    var maximum: Value?
}

/// A piece of a table that one thread reads at a time: a row group of a segment, or a memtable's batch.
protocol Morsel: Sendable {
    var rowCount: Int { get }
    /// The columns by which the rows ascend; empty where they lie in commit order.
    var order: [ColumnID] { get }
    /// Statistics over the whole morsel; nil where there are none (memtables).
    func statistics(of column: ColumnID) -> ColumnStatistics?
    /// Opens the morsel for the given columns. Vectors that lie wholly outside the ranges are skipped.
    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader
}

/// Reads one morsel front to back. Not thread-safe.
protocol MorselReader: AnyObject {
    /// The next rows (at most `batchRowsMax`), with the columns in the order asked for; nil at the end. After an error
    /// the rows behind those that it is about can still be read.
    func next() throws(FirnError) -> ColumnBatch?
}

/// Most rows in a batch that moves through the query engine: 16 vectors of 1,024 values.
let batchRowsMax = 16_384

/// What an append did.
public struct AppendResult: Sendable, Hashable {
    /// The commit's place in the log.
    public var lsn: LSN
    /// Rows that were appended.
    public var rowCount: Int
    init(lsn: LSN, rowCount: Int) {
        self.lsn = lsn
        self.rowCount = rowCount
    }
}

/// A table to be made: the ids are allocated by the store.
struct TableDefinition: Sendable {
    struct Column: Sendable {
        var name: String
        var type: DataType
        var modifier: TypeModifier?
        var isNullable: Bool
        var defaultExpression: String?
    }
    var name: String
    var columns: [Column]
    /// Names of the PRIMARY KEY's columns.
    var primaryKey: [String] = []
    /// Names of the declared sort key's columns; nil lets the engine pick.
    var sortKey: [String]?
}

/// Tables that can be read at a snapshot and changed by commits.
protocol TableStore: Sendable {
    /// Length of a new chunk of tables that were not given one, in seconds.
    var defaultChunkIntervalSeconds: Int64 { get }
    /// The latest commit's state. O(1).
    func snapshot() throws(FirnError) -> any DatabaseSnapshot
    /// Throws 42P07 where the name is taken.
    @discardableResult
    func createTable(_ definition: TableDefinition) throws(FirnError) -> TableSchema
    /// Drops the tables in one commit.
    func dropTables(_ tables: [TableID]) throws(FirnError)
    /// Names the time column and the length of new chunks, and makes the table a hypertable.
    func setChunking(of table: TableID, _ chunking: ChunkingPolicy) throws(FirnError)
    /// Declares the sort key of segments written from now on.
    func setSortKey(of table: TableID, _ columns: [ColumnID]) throws(FirnError)
    /// Appends a positional batch (all columns of the table in order, already checked against the schema by
    /// `RowValidation`) as one commit; blocks as the durability asks, nil meaning the database's own.
    @discardableResult
    func append(_ batch: ColumnBatch, to table: TableID, durability: Durability?) throws(FirnError) -> AppendResult
    /// Starts a load whose rows become visible all at once, at `commit`, whatever their number; that waits as the
    /// durability asks, nil meaning the database's own.
    func beginBulkLoad(into table: TableID, durability: Durability?) throws(FirnError) -> any BulkLoad
    /// Writes all memtables to segments and makes the manifest durable.
    func checkpoint() throws(FirnError)
    /// Writes all rows of a chunk that are committed now anew, for few bytes or for speed.
    ///
    /// Throws 42P01 where the table has no such chunk. `checkCancellation` is called now and then.
    func rewriteChunk(
        _ chunk: ChunkID, of table: TableID, to profile: SegmentProfile,
        checkCancellation: () throws(FirnError) -> Void
    ) throws(FirnError) -> ChunkRewriteOutcome
}

/// What became of a chunk that was to be written anew.
enum ChunkRewriteOutcome: Sendable, Hashable {
    case rewritten
    /// All of its segments had the profile already.
    case unchanged
}

/// One large commit in the making. Not thread-safe. Dropping it without `commit` leaves no trace.
protocol BulkLoad: AnyObject {
    /// Takes a positional batch of all columns.
    func append(_ batch: ColumnBatch) throws(FirnError)
    /// Makes all rows visible in one commit, as durable as was asked.
    func commit() throws(FirnError) -> AppendResult
    /// Removes what was written.
    func abandon()
}
