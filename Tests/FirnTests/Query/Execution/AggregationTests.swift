// SPDX-License-Identifier: Apache-2.0
//
// GROUP BY against a model that treats one row at a time, over random data of every key and argument type.

import FirnIO
import Testing

@testable import Firn

@Suite struct AggregationTests {
    static let numeric = DataType.numeric(precision: nil, scale: nil)
    static let columns: [(name: String, type: DataType)] = [
        ("k_text", .text), ("k_int", .integer), ("k_big", .bigint), ("k_double", .double), ("k_numeric", numeric),
        ("k_interval", .interval), ("k_uuid", .uuid), ("k_bool", .boolean), ("k_real", .real),
        ("time", .timestamptz(.microseconds)), ("v", .double), ("n", .bigint), ("d", numeric),
    ]
    static let timeIndex = 9
    static let valueIndex = 10
    static let integerIndex = 11
    static let decimalIndex = 12

    static func table(_ generator: inout ValueGenerator, morselRows: [Int], sorted: Bool = false) -> MemoryTable {
        let batches = morselRows.map { count -> ColumnBatch in
            var batch = ColumnBatch(
                columns.indices.map { index in
                    switch index {
                    case valueIndex:
                        let values = (0..<count).map { _ -> Value in
                            generator.chance(oneIn: 10) ? .null : .double(generator.double())
                        }
                        return Column(values, type: .double)
                    case timeIndex: return generator.column(columns[index].type, count: count, nullable: false)
                    default: return generator.column(columns[index].type, count: count)
                    }
                })
            if sorted {
                // By text (NULL first), then time: as a segment lies.
                let rows = (0..<count).map { Int32($0) }.sorted { (left: Int32, right: Int32) -> Bool in
                    let (a, b) = (sortText(batch, Int(left)), sortText(batch, Int(right)))
                    if a != b { return a.lexicographicallyPrecedes(b) }
                    let times = batch.columns[timeIndex].integerValues!
                    if times[Int(left)] != times[Int(right)] { return times[Int(left)] < times[Int(right)] }
                    return left < right
                }
                batch = batch.gather(rows)
            }
            return batch
        }
        return MemoryTable("t", columns, batches, order: sorted ? [0, timeIndex] : [], rowsPerRead: 1_000)
    }

    private static func sortText(_ batch: ColumnBatch, _ row: Int) -> [UInt8] {
        if case .text(let text) = batch.columns[0][row] { [1] + Array(text.utf8) } else { [0] }
    }

    static func key(_ index: Int) -> BoundExpression { column(index, columns[index].type) }

    /// Everything that can be asked of each argument type.
    static let aggregates: [BoundAggregate] = {
        let v = key(valueIndex)
        let n = key(integerIndex)
        let d = key(decimalIndex)
        let kinds: [(AggregateKind, DataType?)] = [
            (.sum, nil), (.average, nil), (.sampleDeviation, nil), (.populationVariance, nil), (.minimum, nil),
            (.maximum, nil), (.count, .bigint),
        ]
        var list = [aggregate(.countRows, [], .bigint)]
        for (kind, type) in kinds {
            list.append(aggregate(kind, [v], type ?? .double))
            let isExtreme = kind == .minimum || kind == .maximum
            list.append(aggregate(kind, [n], type ?? (isExtreme ? .bigint : numeric)))
            list.append(aggregate(kind, [d], type ?? numeric))
        }
        list.append(aggregate(.minimum, [key(0)], .text))
        list.append(aggregate(.maximum, [key(0)], .text))
        list.append(aggregate(.first, [v, key(timeIndex)], .double))
        list.append(aggregate(.last, [v, key(timeIndex)], .double))
        list.append(aggregate(.booleanAnd, [key(7)], .boolean))
        list.append(aggregate(.booleanOr, [key(7)], .boolean))
        list.append(aggregate(.count, [key(0)], .bigint, isDistinct: true))
        list.append(aggregate(.count, [d], .bigint, isDistinct: true))
        list.append(aggregate(.sum, [n], numeric, isDistinct: true))
        list.append(aggregate(.sum, [n], numeric, filter: compare(key(1), .greater, constant(.integer(0), .integer))))
        list.append(aggregate(.countRows, [], .bigint, filter: key(7)))
        return list
    }()

    @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [false, true])
    func groupsByOneKeyOfAnyTypeAsTheModelDoes(keyIndex: Int, sorted: Bool) throws {
        var generator = ValueGenerator()
        let table = Self.table(&generator, morselRows: [1, 300, 700, 33], sorted: sorted)
        let keys = [Self.key(keyIndex)]
        let result = try rows(grouping(table.scan(), by: keys, Self.aggregates), table, threads: 2)
        expectModel(result, table, keys: [{ $0[keyIndex] }], seed: generator.seed)
    }

    @Test(arguments: [false, true]) func groupsBySeveralKeysAndBucketsAsTheModelDoes(sorted: Bool) throws {
        var generator = ValueGenerator()
        let table = Self.table(&generator, morselRows: [700, 999, 1], sorted: sorted)
        let width: Int64 = 300_000_000
        let keys = [timeBucket(width, Self.key(Self.timeIndex)), Self.key(0)]
        let result = try rows(grouping(table.scan(), by: keys, Self.aggregates), table, threads: 2)
        let bucket: ([Value]) -> Value = { row in
            guard case .integer(let time) = row[Self.timeIndex] else { return .null }
            // 2000-01-03 is a whole number of five minutes from 1970.
            return .integer(time / width * width)
        }
        expectModel(result, table, keys: [bucket, { $0[0] }], seed: generator.seed)
        let many = [1, 3, 4, 6, 7].map(Self.key)
        expectModel(
            try rows(grouping(table.scan(), by: many, Self.aggregates), table), table,
            keys: [1, 3, 4, 6, 7].map { index in { $0[index] } }, seed: generator.seed)
    }

    @Test func withoutKeysThereIsOneRowEvenForNoInput() throws {
        var generator = ValueGenerator()
        let table = Self.table(&generator, morselRows: [200, 300])
        expectModel(
            try rows(grouping(table.scan(), by: [], Self.aggregates), table), table, keys: [], seed: generator.seed)
        let empty = MemoryTable("t", Self.columns, [])
        expectModel(
            try rows(grouping(empty.scan(), by: [], Self.aggregates), empty), empty, keys: [], seed: generator.seed)
        #expect(try rows(grouping(empty.scan(), by: [Self.key(0)], Self.aggregates), empty).isEmpty)
    }

    @Test func doublesAreTheSameBitsForAnyNumberOfThreads() throws {
        var generator = ValueGenerator()
        let table = Self.table(
            &generator, morselRows: (0..<9).map { _ in 800 } + [3_000, 3_000], sorted: true)
        let v = Self.key(Self.valueIndex)
        let plan = grouping(
            table.scan(), by: [Self.key(1)],
            [.sum, .average, .sampleDeviation, .populationVariance].map { aggregate($0, [v], .double) })
        let reference = try rows(plan, table, threads: 1)
        for threads in [2, 4] {
            let result = try rows(plan, table, threads: threads)
            let same = zip(reference, result).allSatisfy { left, right in
                zip(left, right).allSatisfy { $0.isSameBits(as: $1) }
            }
            #expect(same && reference.count == result.count, "seed \(generator.seed)")
        }
    }

    @Test func varianceSurvivesALargeMean() throws {
        let values = (0..<10_000).map { 1e9 + Double($0 % 10) }
        let batches = [
            ColumnBatch([.doubles(Array(values[..<5_000]))]), ColumnBatch([.doubles(Array(values[5_000...]))]),
        ]
        let table = MemoryTable("t", [("v", .double)], batches)
        let plan = grouping(
            table.scan(), by: [], [aggregate(.populationVariance, [column(0, .double)], .double)])
        guard case .double(let variance) = try rows(plan, table)[0][0] else { return #expect(Bool(false)) }
        #expect(abs(variance - 8.25) < 1e-6)
    }

    @Test func integersSumExactlyBeyondTheirRange() throws {
        let table = MemoryTable("t", [("n", .bigint)], [ColumnBatch([.integers([.max, .max, .max, .min])])])
        let n = column(0, .bigint)
        let plan = grouping(
            table.scan(), by: [], [aggregate(.sum, [n], Self.numeric), aggregate(.average, [n], Self.numeric)])
        let sum = 3 * Int128(Int64.max) + Int128(Int64.min)
        let result = try rows(plan, table)[0]
        #expect(result[0] == .decimal(Decimal(unchecked: sum, scale: 0)))
        // Tables whose sum must fit a bigint refuse what does not.
        let narrow = grouping(table.scan(), by: [], [aggregate(.sum, [n], .bigint)])
        let error = #expect(throws: FirnError.self) { try rows(narrow, table) }
        #expect(error?.code == .numericValueOutOfRange)
    }

    @Test func exactResultsHaveTheScalesOfPostgres() throws {
        // SELECT avg(n), stddev(n), var_pop(n), avg(d), stddev(d), var_pop(d), sum(d) FROM
        //   (VALUES (1, 1.5), (2, 1.50), (4, 2.25)) t(n, d);   -- PostgreSQL 15
        let batch = ColumnBatch([
            .integers([1, 2, 4]),
            Column(
                [
                    .decimal(Decimal(unchecked: 15, scale: 1)), .decimal(Decimal(unchecked: 150, scale: 2)),
                    .decimal(Decimal(unchecked: 225, scale: 2)),
                ], type: Self.numeric),
        ])
        let table = MemoryTable("t", [("n", .bigint), ("d", Self.numeric)], [batch])
        let n = column(0, .bigint)
        let d = column(1, Self.numeric)
        let kinds: [AggregateKind] = [.average, .sampleDeviation, .populationVariance]
        let plan = grouping(
            table.scan(), by: [],
            kinds.map { aggregate($0, [n], Self.numeric) } + kinds.map { aggregate($0, [d], Self.numeric) }
                + [aggregate(.sum, [d], Self.numeric)])
        let texts = try rows(plan, table)[0].map { value -> String in
            if case .decimal(let decimal) = value { decimal.description } else { "?" }
        }
        #expect(
            texts == [
                "2.3333333333333333", "1.5275252316519467", "1.5555555555555556", "1.7500000000000000",
                "0.43301270189221932338", "0.12500000000000000000", "5.25",
            ])
    }

    @Test func firstAndLastBreakTiesByCommitOrder() throws {
        let batches = [[1, 2], [3], [4, 5]].map { values in
            ColumnBatch([
                .integers(values.map { Int64($0) }),
                .timestamps(microseconds: values.map { _ in 100 }),
            ])
        }
        let table = MemoryTable("t", [("n", .bigint), ("time", .timestamptz(.microseconds))], batches)
        let arguments = [column(0, .bigint), column(1, .timestamptz(.microseconds))]
        let plan = grouping(
            table.scan(), by: [], [aggregate(.first, arguments, .bigint), aggregate(.last, arguments, .bigint)])
        #expect(try rows(plan, table, threads: 2) == [[.integer(1), .integer(5)]])
    }

    @Test func distinctGivesFirstAppearancesInOrder() throws {
        let texts = ["b", "a", "b", "c", "a"]
        let batches = [texts, ["d", "b"]].map { ColumnBatch([Column.text($0).codedByDictionary()]) }
        let table = MemoryTable("t", [("k", .text)], batches)
        #expect(
            try rows(.distinct(table.scan()), table, threads: 2)
                == [[.text("b")], [.text("a")], [.text("c")], [.text("d")]])
    }

    @Test func groupsKeepTheFirstWayAValueWasWritten() throws {
        let batch = ColumnBatch([
            Column(
                [
                    .decimal(Decimal(unchecked: 150, scale: 2)), .decimal(Decimal(unchecked: 15, scale: 1)),
                    .decimal(Decimal(unchecked: 2, scale: 0)),
                ], type: Self.numeric)
        ])
        let table = MemoryTable("t", [("d", Self.numeric)], [batch])
        let texts = try rows(.distinct(table.scan()), table).map { row -> String in
            if case .decimal(let decimal) = row[0] { decimal.description } else { "?" }
        }
        #expect(texts == ["1.50", "2"])
    }

    @Test func manyGroupsSpanMorselsAndBlocks() throws {
        // 200,000 groups of two rows each, far apart.
        let keys = (0..<400_000).map { Int64($0 % 200_000) &* 7_919 }
        let batches = stride(from: 0, to: keys.count, by: 50_000).map { start in
            ColumnBatch([.integers(Array(keys[start..<start + 50_000]))])
        }
        let table = MemoryTable("t", [("k", .bigint)], batches)
        let plan = grouping(table.scan(), by: [column(0, .bigint)], [aggregate(.countRows, [], .bigint)])
        let expected: [[Value]] = (0..<200_000).map { [.integer(Int64($0) &* 7_919), .integer(2)] }
        #expect(try rows(plan, table, threads: 2) == expected)
    }

    @Test func aGroupingBeyondItsMemoryFailsWithAHint() throws {
        let batches = (0..<4).map { part in ColumnBatch([.integers((0..<50_000).map { Int64($0 + part * 50_000) })]) }
        let table = MemoryTable("t", [("k", .bigint)], batches)
        let plan = grouping(table.scan(), by: [column(0, .bigint)], [aggregate(.countRows, [], .bigint)])
        let executor = try executor(table, memoryBytesMax: 1 << 20)
        let error = #expect(throws: FirnError.self) { try executor.run(plan) { _ in } }
        #expect(error?.code == .outOfMemory)
        #expect(error?.hint != nil)
        #expect(executor.memory.heldBytes == 0)
    }

    // MARK: The model

    private func expectModel(
        _ result: [[Value]], _ table: MemoryTable, keys: [([Value]) -> Value], seed: UInt64,
        location: SourceLocation = #_sourceLocation
    ) {
        var order: [[GroupValue]] = keys.isEmpty ? [[]] : []
        var members: [[GroupValue]: [[Value]]] = keys.isEmpty ? [[]: []] : [:]
        for row in table.allRows {
            let key = keys.map { GroupValue($0(row)) }
            if members[key] == nil { order.append(key) }
            members[key, default: []].append(row)
        }
        #expect(result.count == order.count, "seed \(seed)", sourceLocation: location)
        guard result.count == order.count else { return }
        for (key, row) in zip(order, result) {
            #expect(Array(row[..<keys.count]).map(GroupValue.init) == key, "seed \(seed)", sourceLocation: location)
            for (index, call) in Self.aggregates.enumerated() {
                let expected = AggregateModel.result(of: call, over: members[key]!)
                let actual = row[keys.count + index]
                #expect(
                    AggregateModel.agree(actual, expected),
                    "\(call.function) of \(call.arguments.map(\.type)): \(actual), not \(expected); seed \(seed)",
                    sourceLocation: location)
            }
        }
    }
}

/// A value under GROUP BY's equality.
struct GroupValue: Hashable, CustomStringConvertible {
    let description: String

    init(_ value: Value) {
        switch value {
        case .double(let value): description = value.isNaN ? "nan" : "d\(value == 0 ? 0 : value)"
        case .float(let value): description = value.isNaN ? "nan" : "f\(value == 0 ? 0 : value)"
        case .decimal(let value): description = value.normalized.description
        case .interval(let value): description = "i\(value.comparisonMicroseconds)"
        default: description = "\(value)"
        }
    }
}

/// Aggregates the obvious way.
enum AggregateModel {
    static func result(of call: BoundAggregate, over rows: [[Value]]) -> Value {
        var rows = rows
        if let filter = call.filter { rows = rows.filter { evaluate(filter, $0) == .boolean(true) } }
        if call.function == .countRows { return .integer(Int64(rows.count)) }
        guard case .column(let index) = call.arguments[0].kind else { preconditionFailure("a column") }
        if call.function == .first || call.function == .last {
            guard case .column(let time) = call.arguments[1].kind else { preconditionFailure("a column") }
            var best: (time: Int64, value: Value)?
            for row in rows {
                guard case .integer(let moment) = row[time] else { continue }
                let wins =
                    call.function == .first
                    ? moment < (best?.time ?? .max) || best == nil : moment >= (best?.time ?? .min)
                if wins { best = (moment, row[index]) }
            }
            return best?.value ?? .null
        }
        var values = rows.map { $0[index] }.filter { !$0.isNull }
        if call.isDistinct {
            var seen: Set<GroupValue> = []
            values = values.filter { seen.insert(GroupValue($0)).inserted }
        }
        if call.function == .count { return .integer(Int64(values.count)) }
        if values.isEmpty { return .null }
        switch call.function {
        case .minimum: return values.dropFirst().reduce(values[0]) { isBelow($1, $0) ? $1 : $0 }
        case .maximum: return values.dropFirst().reduce(values[0]) { isBelow($0, $1) ? $1 : $0 }
        case .booleanAnd: return .boolean(values.allSatisfy { $0 == .boolean(true) })
        case .booleanOr: return .boolean(values.contains(.boolean(true)))
        default: break
        }
        let numbers = values.map(double)
        let sum = numbers.reduce(0, +)
        let mean = sum / Double(numbers.count)
        let spread = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        switch call.function {
        case .sum: return .double(sum)
        case .average: return .double(mean)
        case .populationVariance: return .double(spread / Double(numbers.count))
        case .sampleDeviation:
            return numbers.count < 2 ? .null : .double((spread / Double(numbers.count - 1)).squareRoot())
        default: preconditionFailure("no model of \(call.function)")
        }
    }

    private static func evaluate(_ expression: BoundExpression, _ row: [Value]) -> Value {
        switch expression.kind {
        case .column(let index): return row[index]
        case .constant(let value): return value
        case .compare(.greater, let left, let right):
            guard case .integer(let left) = evaluate(left, row), case .integer(let right) = evaluate(right, row) else {
                return .null
            }
            return .boolean(left > right)
        default: preconditionFailure("no model of this expression")
        }
    }

    static func double(_ value: Value) -> Double {
        switch value {
        case .integer(let value): Double(value)
        case .double(let value): value
        case .float(let value): Double(value)
        case .decimal(let value): value.double
        default: .nan
        }
    }

    static func isBelow(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left < right
        case (.double(let left), .double(let right)): left < right || (right.isNaN && !left.isNaN)
        case (.decimal(let left), .decimal(let right)): left < right
        case (.text(let left), .text(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        default: false
        }
    }

    /// Equal, doubles and decimals within rounding.
    static func agree(_ actual: Value, _ expected: Value) -> Bool {
        guard case .double(let wanted) = expected else { return GroupValue(actual) == GroupValue(expected) }
        if actual.isNull { return false }
        let got = double(actual)
        return got == wanted || abs(got - wanted) <= 1e-9 * max(1, abs(wanted)) || (got.isNaN && wanted.isNaN)
    }
}

extension Value {
    /// Equal, doubles bit for bit.
    func isSameBits(as other: Value) -> Bool {
        if case .double(let left) = self, case .double(let right) = other { return left.bitPattern == right.bitPattern }
        return self == other
    }
}
