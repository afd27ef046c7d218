// SPDX-License-Identifier: Apache-2.0
//
// sensor_readings: 1,000 sensors that report every 10 seconds, walks with steps of N(0, 0.1), two decimals.
//
// A walk starts uniform in 0 ..< 100, and the rounding does not feed back into it. Rows come step after step, in each
// all sensors in order: 8,640 steps are a day and 8.64 million rows. Holds one number a sensor, never the rows.

import Firn

struct SensorReadings: RowSource {
    static let columnNames = ["time", "sensor_id", "value"]
    static let stepMicroseconds = 10 * microsecondsPerSecond

    let sensorCount: Int
    let stepCount: Int
    let dictionary: BytesDictionary
    private var random: SeededRandom
    private var walks: [Double]
    private var step = 0
    /// The sensor whose row is next.
    private var sensor = 0

    init(seed: UInt64, sensorCount: Int = 1_000, stepCount: Int = 8_640) {
        self.sensorCount = sensorCount
        self.stepCount = stepCount
        // The names are distinct.
        dictionary = try! BytesDictionary(
            BytesValues((0..<sensorCount).map { "sensor_" + padded($0, width: 4) }))
        random = SeededRandom(seed: seed)
        walks = []
        for _ in 0..<sensorCount { walks.append(random.uniform(0, 100)) }
    }

    mutating func nextBatch(rowCountMax: Int) throws -> ColumnBatch? {
        let count = min(rowCountMax, (stepCount - step) * sensorCount - sensor)
        guard count > 0 else { return nil }
        var times: [Int64] = []
        var codes: [UInt32] = []
        var values: [Double] = []
        times.reserveCapacity(count)
        codes.reserveCapacity(count)
        values.reserveCapacity(count)
        for _ in 0..<count {
            walks[sensor] += 0.1 * random.normal()
            times.append(firstMicrosecond + Int64(step) * Self.stepMicroseconds)
            codes.append(UInt32(sensor))
            values.append((walks[sensor] * 100).rounded(.toNearestOrEven) / 100)
            sensor += 1
            if sensor == sensorCount {
                sensor = 0
                step += 1
            }
        }
        return try ColumnBatch([
            .timestamps(microseconds: times), .text(codes: codes, dictionary: dictionary), .doubles(values),
        ])
    }
}
