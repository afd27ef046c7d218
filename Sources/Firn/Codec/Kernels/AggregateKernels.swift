// SPDX-License-Identifier: Apache-2.0
//
// Reference of the aggregates: what SUM(double) means, bit for bit.
//
// Value i of a run goes to lane i % 32. At the end lane k takes lane k + 16 for k below 16, then k + 8 below 8, k + 4
// below 4, k + 2 below 2, and lane 0 takes lane 1. A lane begins at 0.0. The order is fixed so that the sum does not
// depend on the CPU; each square is rounded before it is added. It is in no file: a state that was stored holds a sum,
// however that was added up.

import CKernels

enum AggregateKernels {
    private static let laneCount = 32

    static func aggregate(
        _ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>?
    ) -> FirnDoubleAggregate {
        var lanes = [Double](repeating: 0, count: laneCount)
        var result = FirnDoubleAggregate(sum: 0, min: .infinity, max: -.infinity, nanCount: 0, count: 0)
        for index in 0..<count where isValid(index, validity) {
            let value = values[index]
            lanes[index % laneCount] += value
            if value < result.min { result.min = value }
            if value > result.max { result.max = value }
            result.nanCount += value.isNaN ? 1 : 0
            result.count += 1
        }
        result.sum = total(lanes)
        // The sign of a zero among the extremes is not kept.
        result.min += 0.0
        result.max += 0.0
        return result
    }

    static func aggregate(
        _ values: UnsafePointer<Int64>, count: Int, validity: UnsafePointer<UInt64>?
    ) -> FirnIntegerAggregate {
        var result = FirnIntegerAggregate(sumHigh: 0, sumLow: 0, min: .max, max: .min, count: 0)
        for index in 0..<count where isValid(index, validity) {
            let biased = UInt64(bitPattern: values[index]) ^ (1 << 63)
            result.sumHigh += biased >> 32
            result.sumLow += biased & 0xFFFF_FFFF
            result.min = min(result.min, values[index])
            result.max = max(result.max, values[index])
            result.count += 1
        }
        return result
    }

    static func sum(_ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>?) -> Double {
        var lanes = [Double](repeating: 0, count: laneCount)
        for index in 0..<count where isValid(index, validity) { lanes[index % laneCount] += values[index] }
        return total(lanes)
    }

    static func squares(
        _ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>?, around center: Double
    ) -> Double {
        squares(count: count, validity: validity, around: center) { values[$0] }
    }

    static func squares(
        _ values: UnsafePointer<Int64>, count: Int, validity: UnsafePointer<UInt64>?, around center: Double
    ) -> Double {
        squares(count: count, validity: validity, around: center) { Double(values[$0]) }
    }

    private static func squares(
        count: Int, validity: UnsafePointer<UInt64>?, around center: Double, _ value: (Int) -> Double
    ) -> Double {
        var lanes = [Double](repeating: 0, count: laneCount)
        for index in 0..<count where isValid(index, validity) {
            let distance = value(index) - center
            lanes[index % laneCount] += distance * distance
        }
        return total(lanes)
    }

    private static func total(_ lanes: [Double]) -> Double {
        var lanes = lanes
        for half in [16, 8, 4, 2, 1] {
            for lane in 0..<half { lanes[lane] += lanes[lane + half] }
        }
        return lanes[0]
    }

    private static func isValid(_ index: Int, _ validity: UnsafePointer<UInt64>?) -> Bool {
        guard let validity else { return true }
        return (validity[index / 64] >> UInt64(index % 64)) & 1 == 1
    }
}
