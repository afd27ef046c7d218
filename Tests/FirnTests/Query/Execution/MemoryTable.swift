// SPDX-License-Identifier: Apache-2.0
//
// A table in memory behind the snapshot protocols: what the executor's tests scan. It counts what was read.

import FirnIO
import Synchronization
import Testing

@testable import Firn

/// A snapshot of one table whose morsels are given batches.
struct MemoryTable: DatabaseSnapshot, TableSnapshot {
    let schema: TableSchema
    let parts: [MemoryMorsel]
    let reads: ReadCounter

    /// Counts across all readers of a table.
    final class ReadCounter: Sendable {
        let openedMorsels = Atomic<Int>(0)
        let rows = Atomic<Int>(0)
        let columns = Mutex<Set<ColumnID>>([])
    }

    /// - Parameters:
    ///   - batches: a morsel each, all columns in the order of `columns`.
    ///   - order: positions of columns by which each morsel's rows ascend.
    init(
        _ name: String = "t", _ columns: [(name: String, type: DataType)], _ batches: [ColumnBatch],
        order: [Int] = [], rowsPerRead: Int = batchRowsMax
    ) {
        let definitions = columns.enumerated().map {
            ColumnDefinition(id: ColumnID(UInt64($0 + 1)), name: $1.name, type: $1.type)
        }
        schema = TableSchema(
            id: TableID(7), name: name, columns: definitions, nextColumnID: ColumnID(UInt64(columns.count + 1)))
        let reads = ReadCounter()
        self.reads = reads
        let schema = schema
        parts = batches.map {
            MemoryMorsel(
                schema: schema, batch: $0, order: order.map { ColumnID(UInt64($0 + 1)) }, rowsPerRead: rowsPerRead,
                reads: reads)
        }
    }

    var lsn: LSN { LSN(1) }
    var tables: [TableSchema] { [schema] }
    func table(named name: String) -> TableSchema? { name == schema.name ? schema : nil }
    func rows(of table: TableID) throws(FirnError) -> any TableSnapshot { self }
    var rowCount: Int { parts.reduce(0) { $0 + $1.rowCount } }

    var chunks: [ChunkBounds] { [] }
    func bounds(of chunk: ChunkID) -> ChunkBounds? { nil }
    var segments: [SegmentDescriptor] { [] }
    func keyIndexByteCount(of segment: SegmentDescriptor) throws(FirnError) -> Int { 0 }
    func description(of segment: SegmentDescriptor) throws(FirnError) -> SegmentFile.Segment {
        preconditionFailure("a table in memory has no segments")
    }

    func morsels(pruning ranges: [ColumnRange]) throws(FirnError) -> [any Morsel] {
        parts.filter { part in ranges.allSatisfy { part.mayHold($0) } }
    }

    /// A scan of some columns, by position; all by default.
    func scan(_ columns: [Int]? = nil, filter: BoundExpression? = nil) -> LogicalPlan {
        .scan(
            LogicalPlan.TableScan(
                table: schema, columns: (columns ?? Array(schema.columns.indices)).map { schema.columns[$0].id },
                ranges: [], filter: filter, alias: schema.name))
    }

    /// All rows in order.
    var allRows: [[Value]] { parts.flatMap { $0.batch.valueRows } }
}

/// One batch as a morsel. Statistics know the integer columns.
struct MemoryMorsel: Morsel {
    let schema: TableSchema
    let batch: ColumnBatch
    let order: [ColumnID]
    let rowsPerRead: Int
    let reads: MemoryTable.ReadCounter

    var rowCount: Int { batch.rowCount }

    func statistics(of column: ColumnID) -> ColumnStatistics? {
        let values = batch.columns[schema.index(of: column)!]
        guard let integers = values.integerValues else { return nil }
        let known = integers.indices.filter { !values.isNull($0) }.map { integers[$0] }
        return ColumnStatistics(
            valueCount: values.count, nullCount: values.nullCount, minimum: known.min().map { .integer($0) },
            maximum: known.max().map { .integer($0) })
    }

    func mayHold(_ range: ColumnRange) -> Bool {
        guard let statistics = statistics(of: range.column) else { return true }
        guard case .integer(let minimum) = statistics.minimum, case .integer(let maximum) = statistics.maximum else {
            return false
        }
        if case .integer(let lower) = range.lower, maximum < lower { return false }
        if case .integer(let upper) = range.upper, minimum > upper { return false }
        return true
    }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        reads.openedMorsels.wrappingAdd(1, ordering: .relaxed)
        reads.columns.withLock { $0.formUnion(columns) }
        return Reader(morsel: self, columns: columns.map { schema.index(of: $0)! })
    }

    private final class Reader: MorselReader {
        let morsel: MemoryMorsel
        let columns: [Int]
        var row = 0

        init(morsel: MemoryMorsel, columns: [Int]) {
            self.morsel = morsel
            self.columns = columns
        }

        func next() throws(FirnError) -> ColumnBatch? {
            guard row < morsel.rowCount else { return nil }
            let range = row..<min(row + morsel.rowsPerRead, morsel.rowCount)
            row = range.upperBound
            morsel.reads.rows.wrappingAdd(range.count, ordering: .relaxed)
            return ColumnBatch(columns.map { morsel.batch.columns[$0].slice(range) }, rowCount: range.count)
        }
    }
}

extension ColumnBatch {
    /// Row by row.
    var valueRows: [[Value]] { (0..<rowCount).map { row in columns.map { $0[row] } } }
}

/// An executor for tests: `threads` at once, each morsel a task of its own.
func executor(
    _ snapshot: any DatabaseSnapshot, threads: Int = 1, cancellation: CancellationFlag = CancellationFlag(),
    memoryBytesMax: Int = MemoryBudget.bytesMaxDefault, profile: ExecutionProfile? = nil, taskRowsMin: Int = 1
) throws -> QueryExecutor {
    QueryExecutor(
        snapshot: snapshot,
        context: EvaluationContext(
            timeZone: .utc, statementMicroseconds: 0, random: SeededRandomSource(seed: 1), cancellation: cancellation),
        workers: Workers(executor: try sharedPool.get(), threadCount: threads),
        memory: MemoryBudget(bytesMax: memoryBytesMax), profile: profile, scanTaskRowsMin: taskRowsMin)
}

/// One pool for all tests of execution.
private let sharedPool: Result<ThreadPool, any Error> = Result { try ThreadPool(name: "test", threadCount: 4) }

/// The rows of a plan.
func rows(
    _ plan: LogicalPlan, _ snapshot: any DatabaseSnapshot, threads: Int = 1
) throws -> [[Value]] {
    var rows: [[Value]] = []
    try executor(snapshot, threads: threads).run(plan) { batch throws(FirnError) in
        #expect(batch.rowCount > 0 && batch.rowCount <= batchRowsMax)
        rows += batch.valueRows
    }
    return rows
}

// MARK: Expressions

func column(_ index: Int, _ type: DataType) -> BoundExpression { BoundExpression(.column(index), type) }

func constant(_ value: Value, _ type: DataType) -> BoundExpression { BoundExpression(.constant(value), type) }

func integer(_ value: Int64) -> BoundExpression { constant(.integer(value), .bigint) }

func compare(_ left: BoundExpression, _ comparison: Comparison, _ right: BoundExpression) -> BoundExpression {
    BoundExpression(.compare(comparison, left, right), .boolean)
}

/// An integer function of one argument.
func function(
    _ name: String, _ argument: BoundExpression, _ body: @escaping @Sendable (Int64) -> Int64
) -> BoundExpression {
    let function = ScalarFunction(
        name: name, argumentTypes: [argument.type], resultType: .bigint, volatility: .immutable, nulls: .ignored,
        mayFail: false
    ) { arguments, rowCount, _ throws(FirnError) in
        let values = arguments[0].materialized(rowCount: rowCount)
        return .column(
            Column(type: .bigint, values: .integer(values.integerValues!.map(body)), validity: values.validity))
    }
    return BoundExpression(.call(function, [argument]), .bigint)
}

/// time_bucket(width, time) in microseconds, as TimescaleDB defines it: the origin is Monday 2000-01-03.
func timeBucket(_ width: Int64, _ time: BoundExpression) -> BoundExpression {
    let origin: Int64 = 946_857_600_000_000
    let function = ScalarFunction(
        name: "time_bucket", argumentTypes: [.interval, time.type], resultType: time.type, volatility: .immutable,
        nulls: .ignored, mayFail: false
    ) { arguments, rowCount, _ throws(FirnError) in
        let times = arguments[1].materialized(rowCount: rowCount)
        let starts = times.integerValues!.map { time in
            let (quotient, remainder) = (time - origin).quotientAndRemainder(dividingBy: width)
            return origin + (remainder < 0 ? quotient - 1 : quotient) * width
        }
        return .column(Column(type: time.type, values: .integer(starts), validity: times.validity))
    }
    let interval = constant(.interval(Interval(months: 0, days: 0, microseconds: width)), .interval)
    return BoundExpression(.call(function, [interval, time]), time.type)
}

func aggregate(
    _ function: AggregateKind, _ arguments: [BoundExpression], _ type: DataType, isDistinct: Bool = false,
    filter: BoundExpression? = nil
) -> BoundAggregate {
    BoundAggregate(
        function: function, arguments: arguments, isDistinct: isDistinct, filter: filter, type: type,
        text: "\(function)", position: 0)
}

/// An aggregation whose output columns are named by position.
func grouping(
    _ input: LogicalPlan, by keys: [BoundExpression], _ aggregates: [BoundAggregate]
) -> LogicalPlan {
    let types = keys.map(\.type) + aggregates.map(\.type)
    return .aggregate(
        input, keys: keys, aggregates: aggregates,
        columns: types.enumerated().map { OutputColumn(name: "c\($0)", type: $1) })
}

// MARK: Random data

/// Random values for property tests; `FIRN_SEED` replays.
struct ValueGenerator {
    var random: CodecRandom

    init() { random = CodecRandom() }
    init(seed: UInt64) { random = CodecRandom(seed: seed) }

    var seed: UInt64 { random.seed }

    mutating func chance(oneIn count: Int) -> Bool { random.below(count) == 0 }

    mutating func double() -> Double { Double(random.below(2_000_001) - 1_000_000) / 1_000 }

    /// A value of a type out of a small domain, so that groups and ties occur; NULL one time in ten.
    mutating func value(_ type: DataType, nullable: Bool = true) -> Value {
        if nullable, chance(oneIn: 10) { return .null }
        switch type {
        case .boolean: return .boolean(chance(oneIn: 2))
        case .smallint, .integer: return .integer(Int64(random.below(20) - 10))
        case .bigint: return .integer(Int64(random.below(1_000)) * 1_000_000_007 - 500)
        case .timestamptz, .timestamp, .date: return .integer(Int64(random.below(50)) * 60_000_000)
        case .real: return .float([0, -0.0, .nan, 1.5, -2.25, .infinity][random.below(6)])
        case .double: return .double([0, -0.0, .nan, 1.5, -2.25, 1e300, -.infinity][random.below(7)])
        case .numeric:
            let scale = random.below(4)
            return .decimal(Decimal(unchecked: Int128(random.below(5)) * [1, 10, 100, 1_000][scale], scale: scale))
        case .text, .character, .jsonb, .unknown:
            return .text(["", "a", "b", "ab", "abcdefgh", "abcdefghi", "ä", "zzz"][random.below(8)])
        case .bytea: return .bytes([[], [0], [0, 0], [255]][random.below(4)])
        case .uuid: return .uuid([0, 1, .max, 1 << 64][random.below(4)])
        case .interval:
            return .interval(
                [
                    Interval(months: 1, days: 0, microseconds: 0), Interval(months: 0, days: 30, microseconds: 0),
                    Interval(months: 0, days: 0, microseconds: -5),
                ][random.below(3)])
        case .vector(let dimensions): return .vector((0..<dimensions).map { _ in Float(random.below(2)) })
        }
    }

    /// A column of such values; text is dictionary-coded half of the time.
    mutating func column(_ type: DataType, count: Int, nullable: Bool = true) -> Column {
        let plain = Column((0..<count).map { _ in value(type, nullable: nullable) }, type: type)
        guard type == .text, chance(oneIn: 2) else { return plain }
        return plain.codedByDictionary()
    }
}

extension Column {
    /// The same text by code, in a dictionary of its own in order of appearance.
    func codedByDictionary() -> Column {
        var codes: [String: UInt32] = [:]
        var values: [String] = []
        let coded = (0..<count).map { row -> UInt32 in
            guard case .text(let text) = self[row] else { return 0 }
            if let code = codes[text] { return code }
            codes[text] = UInt32(values.count)
            values.append(text)
            return UInt32(values.count - 1)
        }
        if values.isEmpty { values = [""] }
        return Column(
            type: .text, values: .dictionary(coded, BytesDictionary(distinct: BytesValues(values))), validity: validity)
    }
}
