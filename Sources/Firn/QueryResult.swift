// SPDX-License-Identifier: Apache-2.0
//
// The answer of a query as it streams out of the engine: an async sequence of column batches, or of rows.

import FirnIO
import Synchronization

/// A column of a result.
public struct ResultColumn: Sendable, Hashable {
    /// The name, as AS gave it or the expression suggests it. Columns of a result may share one.
    public let name: String
    /// The SQL type of the values.
    public let type: DataType

    package init(name: String, type: DataType) {
        self.name = name
        self.type = type
    }
}

/// The rows that a query answers, batch by batch, computed as they are asked for, or a few batches ahead.
///
/// The result holds its snapshot of the database until it has been read to its end or is let go. It can be read
/// once: a second iterator throws 55000, and so does whatever else asks for rows behind an iterator, which may hold some
/// that it has not handed out. Cancelling the task that waits for a batch stops the query; the sequence then throws
/// 57014.
///
/// Thread-safe. Each iterator serves one task at a time.
///
///     let result = try await database.query("SELECT time, value FROM readings WHERE sensor_id = $1", .text("s1"))
///     for try await batch in result { … batch.columns[1].doubleValues … }
public final class QueryResult: AsyncSequence, Sendable {
    /// What iterating gives: batches of at least one row.
    public typealias Element = ColumnBatch
    /// What iterating throws.
    public typealias Failure = FirnError

    /// Name and type of each column.
    public let columns: [ResultColumn]
    private let stream: ResultStream
    private let statement: RunningStatement
    private var cancellation: CancellationFlag { statement.cancellation }
    private let workers: BlockingWorkers
    /// True once there is an iterator.
    private let isIterated = Atomic(false)

    init(_ stream: ResultStream, _ statement: RunningStatement, _ workers: BlockingWorkers) {
        columns = stream.columns.map { ResultColumn(name: $0.name, type: $0.type) }
        self.stream = stream
        self.statement = statement
        self.workers = workers
    }

    /// What the rows read so far lack because files are damaged, under `SET skip_damaged = on`; complete once the result
    /// was read to its end. Always empty otherwise: damage is then an error.
    public var skippedRanges: [SkippedRange] { stream.damage?.ranges ?? [] }

    /// Stops the query: the batch that is being computed, and all further ones, throw 57014.
    public func cancel() { cancellation.cancel() }

    /// The next batch, computed on the calling thread; nil at the end. For threads outside of Swift concurrency.
    ///
    /// - Throws: what the query throws; 55000 where an iterator reads the rows.
    public func nextBlocking() throws(FirnError) -> ColumnBatch? {
        guard !isIterated.load(ordering: .relaxed) else { throw .isBeingRead }
        return try nextBatch()
    }

    private func nextBatch() throws(FirnError) -> ColumnBatch? {
        try statement.read { () throws(FirnError) in
            while let batch = try stream.next() {
                if batch.rowCount == 0 { continue }
                return ColumnBatch(
                    names: columns.map(\.name), columns: batch.columns.map(\.written), rowCount: batch.rowCount)
            }
            return nil
        }
    }

    /// Batches that come with one change of threads, at most.
    private static let batchesPerHopMax = 16
    /// Nothing more is computed with a change of threads once this has passed.
    private static let hopNanoseconds: UInt64 = 1_000_000

    /// Nor once the batches have so many bytes: 8 MiB.
    private static let hopBytesMax = 8 << 20

    /// Some batches of a result and what comes behind them.
    fileprivate struct Stretch: Sendable {
        var batches: ArraySlice<ColumnBatch> = []
        var end: End?

        enum End { case noMoreRows, error(FirnError) }
    }

    /// The next batch, and those after it that come at once.
    fileprivate func nextStretch() -> Stretch {
        var stretch = Stretch()
        let clock = SystemTimeSource()
        let start = clock.monotonicNanoseconds()
        var byteCount = 0
        repeat {
            do throws(FirnError) {
                if let batch = try nextBatch() {
                    byteCount += batch.byteCount
                    stretch.batches.append(batch)
                } else {
                    stretch.end = .noMoreRows
                }
            } catch {
                stretch.end = .error(error)
            }
        } while stretch.end == nil && stretch.batches.count < Self.batchesPerHopMax && byteCount < Self.hopBytesMax
            && clock.monotonicNanoseconds() - start < Self.hopNanoseconds
        return stretch
    }

    /// The next stretch, computed on a thread that may block; the task that waits stops the query when it is cancelled.
    fileprivate func followingStretch(isolation actor: isolated (any Actor)?) async -> Stretch {
        do {
            return try await withTaskCancellationHandler {
                try await workers.run(cancellation) { () throws(FirnError) in self.nextStretch() }
            } onCancel: {
                cancel()
            }
        } catch {
            return Stretch(end: .error(FirnError(thrown: error)))
        }
    }

    /// Reads all rows, or those that `nextBlocking()` has left.
    ///
    /// - Throws: what the query throws; 55000 where an iterator has read or reads the rows.
    public func collect() async throws(FirnError) -> [ColumnBatch] {
        var batches: [ColumnBatch] = []
        for try await batch in self { batches.append(batch) }
        return batches
    }

    /// The rows one by one.
    public var rows: Rows { Rows(result: self) }

    /// The iterator of the batches. A result can be read once: every further iterator, of batches or of rows, throws 55000.
    public func makeAsyncIterator() -> Iterator {
        Iterator(result: self, isFirst: !isIterated.exchange(true, ordering: .relaxed))
    }

    /// Hands out the batches.
    public struct Iterator: AsyncIteratorProtocol {
        let result: QueryResult
        /// What came with the last change of threads and was not handed out yet.
        private var ahead = Stretch()

        fileprivate init(result: QueryResult, isFirst: Bool) {
            self.result = result
            if !isFirst { ahead.end = .error(.isBeingRead) }
        }

        /// The next batch with at least one row; nil at the end.
        ///
        /// A batch that is there already costs no change of threads, whatever actor asks.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(FirnError) -> ColumnBatch? {
            if ahead.batches.isEmpty, ahead.end == nil { ahead = await result.followingStretch(isolation: actor) }
            if Task.isCancelled { result.cancel() }
            if let batch = ahead.batches.first {
                try result.cancellation.check()
                ahead.batches.removeFirst()
                return batch
            }
            if case .error(let error) = ahead.end { throw error }
            return nil
        }
    }

    /// The rows of a result as an async sequence.
    public struct Rows: AsyncSequence, Sendable {
        /// What iterating gives.
        public typealias Element = Row
        /// What iterating throws.
        public typealias Failure = FirnError
        let result: QueryResult

        /// The iterator. A result can be read once: every further iterator throws 55000.
        public func makeAsyncIterator() -> Iterator {
            Iterator(batches: result.makeAsyncIterator(), columns: result.columns)
        }

        /// Hands out the rows.
        public struct Iterator: AsyncIteratorProtocol {
            var batches: QueryResult.Iterator
            let columns: [ResultColumn]
            var batch: ColumnBatch?
            var index = 0

            /// The next row; nil at the end. No change of threads but at the end of a batch.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws(FirnError) -> Row? {
                while true {
                    if let batch, index < batch.rowCount {
                        index += 1
                        return Row(columns: columns, batch: batch, index: index - 1)
                    }
                    guard let following = try await batches.next(isolation: actor) else { return nil }
                    batch = following
                    index = 0
                }
            }
        }
    }
}

extension FirnError {
    /// An iterator has the rows already.
    fileprivate static var isBeingRead: FirnError {
        FirnError(
            .objectNotInPrerequisiteState, "the rows of a result can be read once",
            hint: "Keep what the first iterator gave, or run the query again.")
    }
}
