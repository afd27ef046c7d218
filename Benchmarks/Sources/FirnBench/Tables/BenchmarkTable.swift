// SPDX-License-Identifier: Apache-2.0
//
// The tables that benchmarks run on, by name, each a source of batches made while they are read.
//
// The shapes and distributions are those of the reference generator in numpy (TSBS devops cpu-only, a feature store,
// a sensor network); the rows come from `SeededRandom` and are not numpy's. Each table has a stream of its own,
// seed + its number, so that one can be made without the others.

import ArgumentParser
import Firn

/// Rows of one table, batch by batch, in the order in which they arrive.
protocol RowSource {
    /// Names of the columns, in the order of the table.
    static var columnNames: [String] { get }
    /// The next rows, at most `rowCountMax`; nil after the last.
    mutating func nextBatch(rowCountMax: Int) throws -> ColumnBatch?
}

/// 2016-01-01T00:00:00Z, where all tables begin, in microseconds since 1970.
let firstMicrosecond: Int64 = 1_451_606_400_000_000
/// Microseconds in a second.
let microsecondsPerSecond: Int64 = 1_000_000
/// The seed of all published figures.
let defaultSeed: UInt64 = 20_260_101

enum BenchmarkTable: String, CaseIterable, ExpressibleByArgument {
    case cpu
    case realTimeFeatures = "real_time_features"
    case labels
    case sensorReadings = "sensor_readings"

    /// The rows at a scale: 1 is the published size, smaller scales cover less time with the same series.
    func rows(seed: UInt64, scale: Double) -> any RowSource {
        func scaled(_ count: Int) -> Int { max(Int((Double(count) * scale).rounded()), 1) }
        switch self {
        case .cpu: return CPUUsage(seed: seed, stepCount: scaled(25_920))
        case .realTimeFeatures: return RealTimeFeatures(seed: seed + 1, rowCount: scaled(5_000_000))
        case .labels: return FeatureLabels(seed: seed + 3, rowCount: scaled(100_000))
        case .sensorReadings: return SensorReadings(seed: seed + 2, stepCount: scaled(8_640))
        }
    }

    /// The statement that makes the table in Firn.
    var definition: String {
        switch self {
        case .cpu:
            let tags = CPUUsage.tagNames.map { $0 + ($0 == "hostname" ? " TEXT NOT NULL" : " TEXT") }
            let metrics = CPUUsage.metricNames.map { $0 + " BIGINT" }
            return "CREATE TABLE cpu (time TIMESTAMPTZ NOT NULL, \((tags + metrics).joined(separator: ", ")))"
        case .realTimeFeatures:
            return """
                CREATE TABLE real_time_features (feature_id UUID PRIMARY KEY, entity_id TEXT NOT NULL, \
                feature_name TEXT NOT NULL, feature_value DOUBLE PRECISION, timestamp TIMESTAMPTZ NOT NULL, \
                source_system TEXT)
                """
        case .labels:
            return "CREATE TABLE labels (label_id BIGINT, entity_id TEXT NOT NULL, t TIMESTAMPTZ NOT NULL)"
        case .sensorReadings:
            return """
                CREATE TABLE sensor_readings (time TIMESTAMPTZ NOT NULL, sensor_id TEXT NOT NULL, \
                value DOUBLE PRECISION)
                """
        }
    }
}

/// Decimal digits of a number with zeros in front, as names of series carry them.
func padded(_ number: Int, width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.count, 0)) + digits
}
