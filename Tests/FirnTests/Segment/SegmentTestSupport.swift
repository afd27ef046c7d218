// SPDX-License-Identifier: Apache-2.0
//
// Random tables and rows for the segment tests, written through a flush and read back, and the naive sort that
// says what must come out.

import FirnIO
import SystemPackage
import Testing

@testable import Firn

/// One table's rows as plain values, and the chunks that they fall into.
struct SampleTable {
    var schema: TableSchema
    /// In commit order.
    var rows: [[Value]]
    /// Length of a chunk in the unit of the time column.
    var chunkLength: Int64 = .max

    var timeIndex: Int? { schema.timeColumnIndex }

    func chunk(of time: Int64) -> ChunkBounds {
        if chunkLength == .max || timeIndex == nil { return ChunkBounds(id: ChunkID(1), start: .min, end: .max) }
        let number = Int64((Double(time) / Double(chunkLength)).rounded(.down))
        let start = number * chunkLength
        return ChunkBounds(id: ChunkID(UInt64(number + 1_000)), start: start, end: start + chunkLength)
    }

    /// The rows cut into batches of random lengths; some text columns by dictionary.
    func batches(_ random: inout CodecRandom, rowsMax: Int) -> [ColumnBatch] {
        var batches: [ColumnBatch] = []
        var start = 0
        while start < rows.count {
            let end = min(rows.count, start + 1 + random.below(rowsMax))
            let part = rows[start..<end]
            let columns = schema.columns.indices.map { index in
                let column = Column(part.map { $0[index] }, type: schema.columns[index].type)
                return random.below(3) == 0 ? Self.dictionaryCoded(column) : column
            }
            batches.append(ColumnBatch(columns, rowCount: part.count))
            start = end
        }
        return batches
    }

    private static func dictionaryCoded(_ column: Column) -> Column {
        guard case .bytes(let values) = column.values else { return column }
        var entries: [[UInt8]] = []
        let codes: [UInt32] = (0..<values.count).map { row in
            // The code of a NULL means nothing: let it be one that is not there.
            if column.isNull(row) { return 1_000_000 }
            let bytes = Array(values[row])
            if let code = entries.firstIndex(of: bytes) { return UInt32(code) }
            entries.append(bytes)
            return UInt32(entries.count - 1)
        }
        var dictionary = BytesValues()
        for entry in entries { dictionary.append(contentsOf: entry) }
        return Column(
            type: column.type, values: .dictionary(codes, BytesDictionary(distinct: dictionary)),
            validity: column.validity)
    }

    /// What a flush must write: for each chunk in order of time, its rows, sorted stably.
    func expected(sortedBy key: [ColumnID]) -> [[[Value]]] {
        let keyIndices = key.compactMap { schema.index(of: $0) }.filter { $0 != timeIndex }
        let columns = keyIndices + (timeIndex.map { [$0] } ?? [])
        var byChunk: [Int64: [(Int, [Value])]] = [:]
        for (number, row) in rows.enumerated() {
            var start: Int64 = 0
            if let timeIndex, case .integer(let time) = row[timeIndex] { start = chunk(of: time).start }
            byChunk[start, default: []].append((number, row))
        }
        return byChunk.sorted { $0.key < $1.key }.map { _, rows in
            rows.sorted { left, right in
                for column in columns {
                    let order = NaiveOrder.compare(left.1[column], right.1[column])
                    if order != 0 { return order < 0 }
                }
                return left.0 < right.0
            }.map(\.1)
        }
    }
}

/// Comparing values the slow, obvious way; NULL comes last.
enum NaiveOrder {
    static func compare(_ left: Value, _ right: Value) -> Int {
        if left.isNull || right.isNull { return left.isNull ? (right.isNull ? 0 : 1) : -1 }
        func sign<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        func bytes(_ left: [UInt8], _ right: [UInt8]) -> Int {
            for (left, right) in zip(left, right) where left != right { return sign(left, right) }
            return sign(left.count, right.count)
        }
        func number(_ left: Double, _ right: Double) -> Int {
            if left.isNaN || right.isNaN { return sign(left.isNaN ? 1 : 0, right.isNaN ? 1 : 0) }
            return sign(left, right)
        }
        switch (left, right) {
        case (.boolean(let left), .boolean(let right)): return sign(left ? 1 : 0, right ? 1 : 0)
        case (.integer(let left), .integer(let right)): return sign(left, right)
        case (.float(let left), .float(let right)): return number(Double(left), Double(right))
        case (.double(let left), .double(let right)): return number(left, right)
        case (.decimal(let left), .decimal(let right)): return sign(left, right)
        case (.text(let left), .text(let right)): return bytes(Array(left.utf8), Array(right.utf8))
        case (.bytes(let left), .bytes(let right)): return bytes(left, right)
        case (.uuid(let left), .uuid(let right)): return sign(left, right)
        case (.interval(let left), .interval(let right)): return sign(left, right)
        default: preconditionFailure("values of one type")
        }
    }
}

/// A flush into memory, and the way back.
struct WrittenSegments {
    static let database = DatabaseID(0x0123_4567_89AB_CDEF_0011_2233_4455_6677)
    static let file = FileID(12)
    static let path: FilePath = "/data/12.seg"

    let fileSystem: any FileSystem
    let output: FlushOutput
    var cache = PageCache(bytesMax: 64 << 20)

    static func folder() throws -> MemoryFileSystem {
        let fileSystem = MemoryFileSystem()
        try fileSystem.createDirectory("/data")
        return fileSystem
    }

    init(
        _ tables: [SampleTable], _ random: inout CodecRandom, rowsMax: Int = 700,
        profile: SegmentProfile = .warm, windowRowCount: Int = RowWindows.defaultRowCount
    ) throws {
        let fileSystem = try Self.folder()
        let inputs = tables.map { table in
            FlushInput(
                schema: table.schema, batches: table.batches(&random, rowsMax: rowsMax),
                lsnRange: LSN(5)...LSN(9))
        }
        let output = try SegmentFlush.write(
            inputs, to: Self.path, fileSystem: fileSystem, database: Self.database, file: Self.file,
            chunks: { table, time throws(FirnError) in tables.first { $0.schema.id == table }!.chunk(of: time) },
            profile: profile, windowRowCount: windowRowCount)
        self.fileSystem = fileSystem
        self.output = output
    }

    func reader(_ descriptor: SegmentDescriptor) throws(FirnError) -> SegmentReader {
        try SegmentReader(
            path: Self.path, fileSystem: fileSystem, database: Self.database, descriptor: descriptor, cache: cache)
    }

    /// All rows of one segment that pass the pruning, in its order.
    func rows(
        _ descriptor: SegmentDescriptor, _ schema: TableSchema, pruning ranges: [ColumnRange] = []
    ) throws(FirnError) -> [[Value]] {
        var rows: [[Value]] = []
        for morsel in try reader(descriptor).morsels(schema: schema, pruning: ranges) {
            let reader = try morsel.reader(of: schema.columns.map(\.id), pruning: ranges)
            while let batch = try reader.next() {
                #expect(batch.rowCount > 0 && batch.rowCount <= batchRowsMax)
                rows += (0..<batch.rowCount).map { row in batch.columns.map { $0[row] } }
            }
        }
        return rows
    }
}

/// Expects two lists of rows to be the same, bit for bit.
func expectSameRows(_ found: [[Value]], _ expected: [[Value]], _ note: String) {
    #expect(found.count == expected.count, "\(note)")
    for (index, (found, expected)) in zip(found, expected).enumerated() {
        let same = zip(found, expected).allSatisfy { $0.isIdentical(to: $1) }
        if !same || found.count != expected.count {
            Issue.record("row \(index): \(found) where \(expected) belongs; \(note)")
            return
        }
    }
}

// MARK: Random tables

extension CodecRandom {
    mutating func chance(_ oneIn: Int) -> Bool { below(oneIn) == 0 }

    mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    /// Every type that a column may have.
    static let columnTypes: [DataType] = [
        .boolean, .smallint, .integer, .bigint, .real, .double, .numeric(precision: nil, scale: nil),
        .numeric(precision: 10, scale: 2), .text, .uuid, .timestamptz(.microseconds), .timestamptz(.nanoseconds),
        .timestamp(.microseconds), .timestamp(.nanoseconds), .date, .interval, .jsonb, .bytea, .vector(3),
    ]

    /// A value of the type; `variety` bounds how many different ones there are, roughly.
    mutating func value(_ type: DataType, variety: Int) -> Value {
        let number = Int64(below(variety))
        switch type {
        case .boolean: return .boolean(number % 2 == 0)
        case .smallint: return .integer(number % 2_000 - 1_000)
        case .integer, .date: return .integer(number - Int64(variety / 2))
        case .bigint, .timestamptz, .timestamp:
            return .integer(chance(50) ? pick([.min, .max, 0, -1]) : number * 1_000_003)
        case .real:
            return .float(
                chance(20) ? pick([.nan, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude]) : Float(number) / 4)
        case .double:
            if chance(20) {
                return .double(
                    pick([
                        .nan, Double(bitPattern: 0x7FF8_0000_0000_1234), -0.0, .infinity, -.infinity,
                        .leastNonzeroMagnitude,
                    ]))
            }
            return .double(chance(10) ? Double(bitPattern: next()) : Double(number) / 100)
        case .numeric(nil, _):
            return .decimal(Decimal(unchecked: Int128(number) * (chance(9) ? 1 << 80 : 1), scale: below(4)))
        case .numeric: return .decimal(Decimal(unchecked: Int128(number) - 50, scale: 2))
        case .text, .character:
            return .text(chance(30) ? "" : "sensor-\(number)\(number % 7 == 0 ? "-ü-äöß-long-name" : "")")
        case .jsonb: return .text("{\"a\": \(number)}")
        case .bytea: return .bytes((0..<Int(number % 20)).map { UInt8(truncatingIfNeeded: Int64($0) &* number) })
        case .uuid: return .uuid(UInt128(number) << 64 | UInt128(number &* 77_777))
        case .interval:
            return .interval(
                Interval(months: Int32(number % 5), days: Int32(number % 40) - 10, microseconds: number * 1_000 - 500))
        case .vector(let dimensions):
            return .vector((0..<dimensions).map { Float(number) + Float($0) / 2 })
        case .unknown: preconditionFailure("never a column's")
        }
    }

    /// A table of random columns and rows, mostly with time, with a declared sort key or none.
    mutating func table(id: UInt64 = 7, rowCount: Int) -> SampleTable {
        var columns: [ColumnDefinition] = []
        let hasTime = !chance(4)
        if hasTime {
            columns.append(
                ColumnDefinition(
                    id: ColumnID(1), name: "time", type: pick([.timestamptz(.microseconds), .timestamp(.nanoseconds)]),
                    isNullable: false))
        }
        let extra = 1 + below(7)
        for number in 0..<extra {
            columns.append(
                ColumnDefinition(
                    id: ColumnID(UInt64(10 + number)), name: "c\(number)", type: pick(Self.columnTypes),
                    isNullable: chance(2)))
        }
        if chance(3) { columns.shuffle(using: &self) }
        var schema = TableSchema(
            id: TableID(id), name: "sample", columns: columns,
            chunking: hasTime ? ChunkingPolicy(column: ColumnID(1), interval: 1_000, isHypertable: false) : nil,
            nextColumnID: ColumnID(100))
        let keyable = columns.filter { column in
            if case .vector = column.type { return false }
            return column.id != ColumnID(1)
        }
        if !chance(3) {
            schema.sortKey = (0..<min(keyable.count, below(3))).map { _ in pick(keyable).id }
            schema.sortKey = Array(Set(schema.sortKey!)).sorted()
        }
        let varieties = columns.map { _ in pick([1, 3, 40, 1_000, 1_000_000]) }
        let nullChances = columns.map { _ in pick([2, 10, 1_000]) }
        var time: Int64 = Int64(below(1_000))
        let rows = (0..<rowCount).map { _ in
            columns.enumerated().map { index, column -> Value in
                if column.id == ColumnID(1), hasTime {
                    time += Int64(below(3))
                    return .integer(chance(20) ? time - Int64(below(2_000)) : time)
                }
                if column.isNullable, chance(nullChances[index]) { return .null }
                return value(column.type, variety: varieties[index])
            }
        }
        return SampleTable(schema: schema, rows: rows, chunkLength: hasTime ? pick([.max, 500, 3_000]) : .max)
    }
}
