// SPDX-License-Identifier: Apache-2.0
//
// The door through which the engine calls its hot loops.
//
// Behind it are the C kernels of the level that this CPU has (see CKernels.h). Their references in Swift lie
// beside this file: IntegerKernels, BitPacking, ALPKernels, AggregateKernels, FilterKernels, CRC32C.reference;
// tests compare the two bit for bit at every level.

import CKernels

/// How a value must compare with a constant.
enum KernelComparison: UInt32, Sendable, CaseIterable {
    case less = 0
    case lessOrEqual = 1
    case equal = 2
    case notEqual = 3
    case greaterOrEqual = 4
    case greater = 5

    var forKernels: FirnComparison { FirnComparison(rawValue: rawValue) }
}

enum Kernels {
    /// Begins to bring a line of memory into the cache.
    @inline(__always)
    static func prefetch(_ place: UnsafeRawPointer) { firn_prefetch_for_reading(place) }

    // MARK: Unpacking

    /// Unpacks `rowCount` rows of 16 values and adds `base`; see BitPacking.
    @inline(__always)
    static func unpack(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: UInt64, into values: UnsafeMutablePointer<UInt64>
    ) {
        firn_unpack(packed, UInt32(truncatingIfNeeded: width), rowCount, base, values)
    }

    /// `unpack`, keeping the low 32 bits of each value.
    @inline(__always)
    static func unpackNarrow(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: UInt64, into values: UnsafeMutablePointer<UInt32>
    ) {
        firn_unpack_narrow(packed, UInt32(truncatingIfNeeded: width), rowCount, base, values)
    }

    /// `unpack` and `decodeALP` in one pass.
    @inline(__always)
    static func unpackALP(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: Int64, _ scaling: ALPScaling,
        into values: UnsafeMutablePointer<Int64>
    ) {
        values.withMemoryRebound(to: Double.self, capacity: rowCount * BitPacking.laneCount) {
            firn_unpack_alp(
                packed, UInt32(truncatingIfNeeded: width), rowCount, base, scaling.down, scaling.downFraction, $0)
        }
    }

    /// `unpack` of differences, `prefixSum` and `decodeALP` in one pass.
    @inline(__always)
    static func unpackSumsALP(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: Int64, carry: Int64, _ scaling: ALPScaling,
        into values: UnsafeMutablePointer<Int64>
    ) {
        values.withMemoryRebound(to: Double.self, capacity: rowCount * BitPacking.laneCount) {
            firn_unpack_sums_alp(
                packed, UInt32(truncatingIfNeeded: width), rowCount, UInt64(bitPattern: base), carry, scaling.down,
                scaling.downFraction, $0)
        }
    }

    /// In place: ALP's integers to bit patterns of doubles.
    @inline(__always)
    static func decodeALP(_ values: UnsafeMutablePointer<Int64>, count: Int, _ scaling: ALPScaling) {
        firn_decode_alp(values, count, scaling.down, scaling.downFraction)
    }

    /// In place: value[i] = carry + value[0] + ... + value[i].
    @inline(__always)
    static func prefixSum(_ values: UnsafeMutablePointer<Int64>, count: Int, carry: Int64) {
        firn_prefix_sum(values, count, carry)
    }

    /// In place: codes, all of which must be indexes of `entries`, to the entries that they stand for.
    @inline(__always)
    static func replaceCodes(_ codes: UnsafeMutablePointer<Int64>, count: Int, _ entries: [Int64]) {
        firn_replace_codes(codes, count, entries, entries.count)
    }

    /// In place: integers below 2^51, each of which lies in a class, to bit patterns of the decimals that they stand for.
    ///
    /// The classes ascend and the first begins at 0; see MixedDecimals.
    @inline(__always)
    static func decodeClasses(_ values: UnsafeMutablePointer<Int64>, count: Int, _ classes: [FirnDecimalClass]) {
        firn_decode_classes(values, count, classes, classes.count)
    }

    // MARK: Packing, and what an encoder wants to know

    /// Packs the low `width` bits of value - base; see BitPacking.
    @inline(__always)
    static func pack(
        _ values: UnsafePointer<Int64>, count: Int, base: Int64, width: Int, into packed: UnsafeMutableRawPointer
    ) {
        firn_pack(values, count, base, UInt32(truncatingIfNeeded: width), packed)
    }

    /// How many of value - base, unsigned, exceed `limit`.
    @inline(__always)
    static func countAbove(_ values: UnsafePointer<Int64>, count: Int, base: Int64, limit: UInt64) -> Int {
        firn_count_above(values, count, base, limit)
    }

    /// Number of maximal runs of equal neighbours among `count` > 0 values.
    @inline(__always)
    static func runCount(_ values: UnsafePointer<Int64>, count: Int) -> Int { firn_count_changes(values, count) + 1 }

    /// Smallest value that is `start` or more; Int64.max where there is none.
    @inline(__always)
    static func least(_ values: UnsafePointer<Int64>, count: Int, from start: Int64) -> Int64 {
        firn_least_from(values, count, start)
    }

    /// Differences to the value before; the first repeats the second, or is 0.
    @inline(__always)
    static func differences(
        _ values: UnsafePointer<Int64>, count: Int, into differences: UnsafeMutablePointer<Int64>
    ) {
        firn_differences(values, count, differences)
    }

    /// In place: base + value * factor.
    @inline(__always)
    static func scale(_ values: UnsafeMutablePointer<Int64>, count: Int, factor: Int64, base: Int64) {
        firn_scale(values, count, factor, base)
    }

    /// In place: value * factor + remainder.
    @inline(__always)
    static func join(
        _ values: UnsafeMutablePointer<Int64>, count: Int, factor: Int64, _ remainders: UnsafePointer<Int64>
    ) {
        firn_join(values, count, factor, remainders)
    }

    /// Expands the next `count` entropy-coded values; see CKernels.h and BinnedEntropy. With a factor, joins them with
    /// the values that are there: value * factor + what is expanded.
    @inline(__always)
    static func expandBins(
        _ model: BinModel, _ streams: inout FirnBinStreams, count: Int, factor: UInt64 = 0,
        into values: UnsafeMutablePointer<UInt64>
    ) {
        withUnsafePointer(to: model.tables) { firn_expand_bins($0, &streams, count, factor, nil, values) }
    }

    /// Expands the next `count` to running sums, which go on from `sum` and leave the last there.
    @inline(__always)
    static func expandSums(
        _ model: BinModel, _ streams: inout FirnBinStreams, count: Int, from sum: inout UInt64,
        into values: UnsafeMutablePointer<UInt64>
    ) {
        withUnsafePointer(to: model.tables) { firn_expand_bins($0, &streams, count, 0, &sum, values) }
    }

    // MARK: Filtering

    /// One bit a value: value `comparison` constant. Writes whole bytes, spare bits zero.
    @inline(__always)
    static func compare(
        _ values: UnsafePointer<Int64>, count: Int, _ comparison: KernelComparison, _ constant: Int64,
        into bitmap: UnsafeMutablePointer<UInt64>
    ) {
        bitmap.withMemoryRebound(to: UInt8.self, capacity: (count + 7) / 8) {
            firn_compare_int64(values, count, comparison.forKernels, constant, $0)
        }
        clearTail(bitmap, count: count)
    }

    /// As for integers; NaN is larger than every other value, and `constant` is not NaN.
    @inline(__always)
    static func compare(
        _ values: UnsafePointer<Double>, count: Int, _ comparison: KernelComparison, _ constant: Double,
        into bitmap: UnsafeMutablePointer<UInt64>
    ) {
        precondition(!constant.isNaN, "a comparison with NaN is decided before it comes to a kernel")
        bitmap.withMemoryRebound(to: UInt8.self, capacity: (count + 7) / 8) {
            firn_compare_double(values, count, comparison.forKernels, constant, $0)
        }
        clearTail(bitmap, count: count)
    }

    /// One bit a value: range.lowerBound <= value <= range.upperBound.
    @inline(__always)
    static func contained(
        _ values: UnsafePointer<Int64>, count: Int, in range: ClosedRange<Int64>,
        into bitmap: UnsafeMutablePointer<UInt64>
    ) {
        bitmap.withMemoryRebound(to: UInt8.self, capacity: (count + 7) / 8) {
            firn_between_int64(values, count, range.lowerBound, range.upperBound, $0)
        }
        clearTail(bitmap, count: count)
    }

    /// The kernels write whole bytes; the rest of the last word becomes zero here.
    @inline(__always)
    private static func clearTail(_ bitmap: UnsafeMutablePointer<UInt64>, count: Int) {
        let rest = count & 63
        if rest != 0 { bitmap[count >> 6] &= (1 &<< UInt64(rest)) &- 1 }
    }

    /// Indexes of the ones among the first `count` bits, plus `first`. Returns how many.
    ///
    /// `indexes` needs room for 16 more than there are ones.
    @inline(__always)
    static func select(
        _ bitmap: UnsafePointer<UInt64>, count: Int, first: UInt32 = 0, into indexes: UnsafeMutablePointer<UInt32>
    ) -> Int {
        firn_select(bitmap, count, first, indexes)
    }

    // MARK: Aggregating

    /// Sum in the fixed order of 32 lanes, extremes without NaN, counts; `validity` nil counts every value.
    @inline(__always)
    static func aggregate(
        _ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>? = nil
    ) -> FirnDoubleAggregate {
        var result = FirnDoubleAggregate()
        firn_aggregate_double(values, count, validity, &result)
        return result
    }

    @inline(__always)
    static func aggregate(
        _ values: UnsafePointer<Int64>, count: Int, validity: UnsafePointer<UInt64>? = nil
    ) -> FirnIntegerAggregate {
        var result = FirnIntegerAggregate()
        firn_aggregate_int64(values, count, validity, &result)
        return result
    }

    /// The sum alone, as `aggregate` has it.
    @inline(__always)
    static func sum(_ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>? = nil) -> Double {
        firn_sum_double(values, count, validity)
    }

    /// Sum of (value - center)^2 in the fixed order of 32 lanes.
    @inline(__always)
    static func squares(
        _ values: UnsafePointer<Double>, count: Int, validity: UnsafePointer<UInt64>? = nil, around center: Double
    ) -> Double {
        firn_squares_double(values, count, validity, center)
    }

    @inline(__always)
    static func squares(
        _ values: UnsafePointer<Int64>, count: Int, validity: UnsafePointer<UInt64>? = nil, around center: Double
    ) -> Double {
        firn_squares_int64(values, count, validity, center)
    }

    /// One aggregate a run; run k covers values ends[k - 1] ..< ends[k].
    @inline(__always)
    static func aggregateRuns(
        _ values: UnsafePointer<Double>, ends: UnsafeBufferPointer<UInt32>,
        into results: UnsafeMutablePointer<FirnDoubleAggregate>
    ) {
        firn_aggregate_runs_double(values, ends.baseAddress, ends.count, results)
    }

    @inline(__always)
    static func aggregateRuns(
        _ values: UnsafePointer<Int64>, ends: UnsafeBufferPointer<UInt32>,
        into results: UnsafeMutablePointer<FirnIntegerAggregate>
    ) {
        firn_aggregate_runs_int64(values, ends.baseAddress, ends.count, results)
    }

    /// Sum of (value - centers[k])^2 over each run k.
    @inline(__always)
    static func squaresOfRuns(
        _ values: UnsafePointer<Double>, ends: UnsafeBufferPointer<UInt32>, around centers: UnsafePointer<Double>,
        into results: UnsafeMutablePointer<Double>
    ) {
        firn_squares_runs_double(values, ends.baseAddress, ends.count, centers, results)
    }

    @inline(__always)
    static func squaresOfRuns(
        _ values: UnsafePointer<Int64>, ends: UnsafeBufferPointer<UInt32>, around centers: UnsafePointer<Double>,
        into results: UnsafeMutablePointer<Double>
    ) {
        firn_squares_runs_int64(values, ends.baseAddress, ends.count, centers, results)
    }

    /// Smallest and largest of `count` > 0 values.
    @inline(__always)
    static func extremes(_ values: UnsafePointer<Int64>, count: Int) -> (min: Int64, max: Int64) {
        var least: Int64 = 0
        var greatest: Int64 = 0
        firn_extremes(values, count, &least, &greatest)
        return (least, greatest)
    }
}

extension FirnIntegerAggregate {
    /// The exact sum: the kernels add halves of the values shifted up by 2^63.
    var sum: Int128 { Int128(sumHigh) << 32 + Int128(sumLow) - Int128(count) << 63 }
}

extension FirnDoubleAggregate {
    /// The smallest in PostgreSQL's order, where NaN is larger than everything; nil of nothing.
    var least: Double? { count == 0 ? nil : nanCount == count ? .nan : min }

    /// The largest in that order.
    var greatest: Double? { count == 0 ? nil : nanCount > 0 ? .nan : max }
}
