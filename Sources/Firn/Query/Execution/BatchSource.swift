// SPDX-License-Identifier: Apache-2.0
//
// What flows between operators: batches of at most 8,192 rows, in parts that threads may read apart.
//
// A physical operator is a `BatchSource`: an immutable recipe whose rows are those of part 0, then part 1, and so
// on. Every part can be read by any thread on its own, so that an operator above may take the parts in parallel
// (aggregation, sorting) or in order (a result that is sent to the client). How rows are cut into parts depends on
// the stored layout alone, never on the number of threads: that is what makes sums of doubles repeatable.
//
// Idea: morsel-driven parallelism (Leis et al., SIGMOD 2014), with a fixed assignment of partial results to parts.

/// Rows that can be read, in parts. Thread-safe.
protocol BatchSource: Sendable {
    /// Number of parts; the rows of the source are those of its parts in ascending order.
    var partCount: Int { get }
    /// Opens one part. An operator that must see all of its input first does that here, and may use other threads.
    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader
    /// Bounds on the values of a column in a part, known without reading it; nil where nothing is known.
    func bounds(ofPart part: Int, column: Int) -> IntegerBounds?
}

extension BatchSource {
    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? { nil }
}

/// What is known about a column of integers or times in a part. Some rows may be gone.
struct IntegerBounds: Sendable {
    /// No value is smaller or larger.
    var minimum: Int64
    var maximum: Int64
    var mayHoldNull: Bool

    func union(_ other: IntegerBounds) -> IntegerBounds {
        IntegerBounds(
            minimum: min(minimum, other.minimum), maximum: max(maximum, other.maximum),
            mayHoldNull: mayHoldNull || other.mayHoldNull)
    }
}

/// Reads one part front to back. Not thread-safe; dropping it releases what it holds.
protocol BatchReader: AnyObject {
    /// The next rows: at least one, at most `batchRowsMax`; nil at the end.
    func next() throws(FirnError) -> ColumnBatch?
    /// Leaves out up to so many of the next rows without computing them, and says how many: 0 where that cannot be done,
    /// or only by reading them.
    func skip(_ rowCount: Int) throws(FirnError) -> Int
    /// Columns of the last batch by which its rows ascend (NULL anywhere breaks the promise for that column);
    /// empty where nothing is known.
    var order: [Int] { get }
}

extension BatchReader {
    var order: [Int] { [] }
    func skip(_ rowCount: Int) throws(FirnError) -> Int { 0 }
}

/// How many rows a batch should have where values may be large.
enum BatchRows {
    /// Bytes of a batch that an operator makes, about: 8 MiB.
    static let bytesMax = 8 << 20

    /// `batchRowsMax`, or fewer where so many rows take more than `bytesMax` on the average.
    static func count(forBytes byteCount: Int, rowCount: Int) -> Int {
        let rowBytes = max(1, byteCount / max(1, rowCount))
        return min(batchRowsMax, max(1, bytesMax / rowBytes))
    }
}

/// A reader over batches that are already there.
final class BufferedReader: BatchReader {
    private var batches: [ColumnBatch]
    private var index = 0
    private let held: HeldMemory?

    /// - Parameter held: what counts the batches, kept as long as the reader.
    init(_ batches: [ColumnBatch], keeping held: HeldMemory? = nil) {
        self.batches = batches
        self.held = held
    }

    func next() throws(FirnError) -> ColumnBatch? {
        guard index < batches.count else { return nil }
        defer { index += 1 }
        return batches[index]
    }
}

/// A reader that makes each batch when it is asked for.
final class GeneratingReader: BatchReader {
    private let generate: () throws(FirnError) -> ColumnBatch?
    private let leaveOut: (_ rowCount: Int) throws(FirnError) -> Int

    init(
        skip: @escaping (_ rowCount: Int) throws(FirnError) -> Int = { _ in 0 },
        _ generate: @escaping () throws(FirnError) -> ColumnBatch?
    ) {
        self.generate = generate
        leaveOut = skip
    }

    func next() throws(FirnError) -> ColumnBatch? { try generate() }

    func skip(_ rowCount: Int) throws(FirnError) -> Int { try leaveOut(rowCount) }
}

/// A source of one part.
struct SinglePartSource: BatchSource {
    private let open: @Sendable () throws(FirnError) -> any BatchReader

    init(_ open: @escaping @Sendable () throws(FirnError) -> any BatchReader) { self.open = open }

    var partCount: Int { 1 }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader { try open() }
}

/// The parts of several sources, one source after the other (UNION ALL).
struct AppendedSource: BatchSource {
    private let sources: [any BatchSource]
    /// Number of the first part of each source, and the number of all parts at the end.
    private let starts: [Int]

    init(_ sources: [any BatchSource]) {
        self.sources = sources
        starts = sources.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.partCount) }
    }

    var partCount: Int { starts[starts.count - 1] }

    func reader(ofPart part: Int) throws(FirnError) -> any BatchReader {
        let index = index(ofPart: part)
        return try sources[index].reader(ofPart: part - starts[index])
    }

    func bounds(ofPart part: Int, column: Int) -> IntegerBounds? {
        let index = index(ofPart: part)
        return sources[index].bounds(ofPart: part - starts[index], column: column)
    }

    /// Sources without parts share their start with the next one: the last of them holds the part.
    private func index(ofPart part: Int) -> Int {
        precondition(part >= 0 && part < partCount, "a part of the source")
        return starts.lastIndex { $0 <= part }!
    }
}

extension ColumnBatch {
    /// The batch in pieces that operators may pass on.
    func pieces() -> [ColumnBatch] {
        if rowCount == 0 { return [] }
        if rowCount <= batchRowsMax { return [self] }
        return stride(from: 0, to: rowCount, by: batchRowsMax).map { slice($0..<min($0 + batchRowsMax, rowCount)) }
    }

    /// Batches of the same columns, end to end.
    static func concatenate(_ batches: [ColumnBatch], types: [DataType]) -> ColumnBatch {
        if batches.count == 1 { return batches[0] }
        let rowCount = batches.reduce(0) { $0 + $1.rowCount }
        let columns = types.indices.map { index in
            Column.concatenate(batches.map { $0.columns[index] }, type: types[index])
        }
        return ColumnBatch(columns, rowCount: rowCount)
    }
}
