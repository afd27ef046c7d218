// SPDX-License-Identifier: Apache-2.0
//
// real_time_features, a feature store's day, and the labels that are joined to it as of their time.
//
// 5 million rows arrive at uniform random moments of a day: random 128-bit ids, 10,000 entities of weight 1/rank, five
// features, values N(50, 15) at full precision. One row in a hundred is late: its timestamp lies up to an hour before
// its arrival. Timestamps are unique to the microsecond, so that "the last before t" has one answer; for that the times
// (8 bytes a row), and only they, are made before the first row.

import Firn

/// Entities of Zipf weight, shared by both tables.
private struct Entities {
    let dictionary: BytesDictionary
    /// The weight of all entities up to each, the last being 1.
    private let cumulative: [Double]

    init(count: Int) {
        // The names are distinct.
        dictionary = try! BytesDictionary(BytesValues((0..<count).map { "user_" + padded($0, width: 5) }))
        var sums: [Double] = []
        var sum = 0.0
        for rank in 1...count {
            sum += 1 / Double(rank)
            sums.append(sum)
        }
        cumulative = sums.map { $0 / sum }
    }

    func pick(_ random: inout SeededRandom) -> UInt32 {
        let point = random.uniform()
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > point { high = middle } else { low = middle + 1 }
        }
        return UInt32(low)
    }
}

struct RealTimeFeatures: RowSource {
    static let columnNames = [
        "feature_id", "entity_id", "feature_name", "feature_value", "timestamp", "source_system",
    ]
    static let dayMicroseconds = 86_400 * microsecondsPerSecond

    private var random: SeededRandom
    private let entities: Entities
    private let features = try! BytesDictionary(BytesValues(["f0", "f1", "f2", "f3", "f4"]))
    private let systems = try! BytesDictionary(BytesValues(["web", "mobile", "batch"]))
    /// Microseconds into the day, in order of arrival.
    private let stamps: [Int64]
    private var row = 0

    init(seed: UInt64, rowCount: Int, entityCount: Int = 10_000) {
        var random = SeededRandom(seed: seed)
        stamps = Self.stamps(rowCount, &random)
        entities = Entities(count: entityCount)
        self.random = random
    }

    private static func stamps(_ rowCount: Int, _ random: inout SeededRandom) -> [Int64] {
        var stamps: [Int64] = []
        stamps.reserveCapacity(rowCount)
        for _ in 0..<rowCount { stamps.append(Int64(random.below(Int(dayMicroseconds)))) }
        stamps.sort()
        for row in 0..<rowCount where random.uniform() < 0.01 {
            stamps[row] = max(stamps[row] - Int64(random.below(3_600 * Int(microsecondsPerSecond))), 0)
        }
        var order = (0..<Int32(rowCount)).map { $0 }
        while true {
            // Ties by row, so that the order, and with it the result, depends on the seed alone.
            order.sort { (stamps[Int($0)], $0) < (stamps[Int($1)], $1) }
            var same: [Int] = []
            for place in order.indices.dropFirst()
            where stamps[Int(order[place])] == stamps[Int(order[place - 1])] {
                same.append(Int(order[place]))
            }
            if same.isEmpty { return stamps }
            for row in same { stamps[row] += Int64(1 + random.below(49)) }
        }
    }

    mutating func nextBatch(rowCountMax: Int) throws -> ColumnBatch? {
        let count = min(rowCountMax, stamps.count - row)
        guard count > 0 else { return nil }
        var ids: [UInt128] = []
        var entity: [UInt32] = []
        var feature: [UInt32] = []
        var values: [Double] = []
        var system: [UInt32] = []
        for _ in 0..<count {
            ids.append(UInt128(random.next()) << 64 | UInt128(random.next()))
            entity.append(entities.pick(&random))
            feature.append(UInt32(random.below(5)))
            values.append(50 + 15 * random.normal())
            system.append(UInt32(random.below(3)))
        }
        let times = stamps[row..<row + count].map { firstMicrosecond + $0 }
        row += count
        return try ColumnBatch([
            .uuids(ids), .text(codes: entity, dictionary: entities.dictionary),
            .text(codes: feature, dictionary: features), .doubles(values), .timestamps(microseconds: times),
            .text(codes: system, dictionary: systems),
        ])
    }
}

struct FeatureLabels: RowSource {
    static let columnNames = ["label_id", "entity_id", "t"]

    private var random: SeededRandom
    private let entities: Entities
    private let rowCount: Int
    private var row = 0

    init(seed: UInt64, rowCount: Int, entityCount: Int = 10_000) {
        random = SeededRandom(seed: seed)
        entities = Entities(count: entityCount)
        self.rowCount = rowCount
    }

    mutating func nextBatch(rowCountMax: Int) throws -> ColumnBatch? {
        let count = min(rowCountMax, rowCount - row)
        guard count > 0 else { return nil }
        let hour = 3_600 * microsecondsPerSecond
        var entity: [UInt32] = []
        var times: [Int64] = []
        for _ in 0..<count {
            entity.append(entities.pick(&random))
            times.append(firstMicrosecond + hour + Int64(random.below(23 * Int(hour))))
        }
        defer { row += count }
        return try ColumnBatch([
            .integers((row..<row + count).map(Int64.init)), .text(codes: entity, dictionary: entities.dictionary),
            .timestamps(microseconds: times),
        ])
    }
}
