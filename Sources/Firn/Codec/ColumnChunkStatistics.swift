// SPDX-License-Identifier: Apache-2.0
//
// What is known about each vector of a column chunk without reading it.
//
// Count and nulls always; the smallest and largest value where order is cheap; the exact sum of
// integers. Nulls take no part. For doubles and floats the order is PostgreSQL's: NaN equals NaN and is
// larger than everything else, so a vector with any NaN has NaN for its maximum, and only a vector of
// nothing but NaN has it for its minimum; -0.0 equals 0.0. A vector of nulls only has zeros here.

struct ColumnChunkStatistics: Sendable, Equatable {
    enum Bounds: Sendable, Equatable {
        case none
        /// int64 and codes, with the exact sum of each vector.
        case integers(min: [Int64], max: [Int64], sum: [Int128])
        case wideIntegers(min: [Int128], max: [Int128])
        case doubles(min: [Double], max: [Double])
    }

    /// Values in all vectors together, nulls included.
    var valueCount: Int
    /// Nulls in each vector.
    var nullCounts: [Int]
    var bounds: Bounds

    var vectorCount: Int { nullCounts.count }

    /// Values in vector `index`, nulls included.
    func valueCount(ofVector index: Int) -> Int {
        min(VectorLayout.valueCount, valueCount - index * VectorLayout.valueCount)
    }

    // MARK: Gathering

    static func nullCounts(valueCount: Int, validity: BitmapView?) -> [Int] {
        (0..<VectorLayout.vectorCount(forValues: valueCount)).map { vector in
            guard let validity else { return 0 }
            let start = vector * VectorLayout.valueCount
            let end = min(start + VectorLayout.valueCount, valueCount)
            return end - start - validity.onesCount(in: start..<end)
        }
    }

    static func integers(_ values: UnsafeBufferPointer<Int64>, validity: BitmapView?) -> ColumnChunkStatistics {
        let nulls = nullCounts(valueCount: values.count, validity: validity)
        var least = [Int64](repeating: 0, count: nulls.count)
        var greatest = least
        var sums = [Int128](repeating: 0, count: nulls.count)
        for vector in nulls.indices {
            let start = vector * VectorLayout.valueCount
            let count = min(VectorLayout.valueCount, values.count - start)
            if nulls[vector] == count { continue }
            let aggregate = Kernels.aggregate(
                values.baseAddress! + start, count: count,
                validity: nulls[vector] == 0 ? nil : validity!.words + start / 64)
            least[vector] = aggregate.min
            greatest[vector] = aggregate.max
            sums[vector] = aggregate.sum
        }
        return ColumnChunkStatistics(
            valueCount: values.count, nullCounts: nulls, bounds: .integers(min: least, max: greatest, sum: sums))
    }

    static func doubles(_ values: UnsafeBufferPointer<Double>, validity: BitmapView?) -> ColumnChunkStatistics {
        let nulls = nullCounts(valueCount: values.count, validity: validity)
        var least = [Double](repeating: 0, count: nulls.count)
        var greatest = least
        for vector in nulls.indices {
            let start = vector * VectorLayout.valueCount
            let count = min(VectorLayout.valueCount, values.count - start)
            if nulls[vector] == count { continue }
            let aggregate = Kernels.aggregate(
                values.baseAddress! + start, count: count,
                validity: nulls[vector] == 0 ? nil : validity!.words + start / 64)
            least[vector] = aggregate.least ?? 0
            greatest[vector] = aggregate.greatest ?? 0
        }
        return ColumnChunkStatistics(
            valueCount: values.count, nullCounts: nulls, bounds: .doubles(min: least, max: greatest))
    }

    static func wideIntegers(_ values: UnsafeBufferPointer<Int128>, validity: BitmapView?) -> ColumnChunkStatistics {
        let nulls = nullCounts(valueCount: values.count, validity: validity)
        var least = [Int128](repeating: 0, count: nulls.count)
        var greatest = least
        for vector in nulls.indices {
            let start = vector * VectorLayout.valueCount
            let count = min(VectorLayout.valueCount, values.count - start)
            if nulls[vector] == count { continue }
            least[vector] = .max
            greatest[vector] = .min
            for index in start..<start + count where validity.map({ $0[index] }) ?? true {
                least[vector] = min(least[vector], values[index])
                greatest[vector] = max(greatest[vector], values[index])
            }
        }
        return ColumnChunkStatistics(
            valueCount: values.count, nullCounts: nulls, bounds: .wideIntegers(min: least, max: greatest))
    }

    static func countsOnly(valueCount: Int, validity: BitmapView?) -> ColumnChunkStatistics {
        ColumnChunkStatistics(
            valueCount: valueCount, nullCounts: nullCounts(valueCount: valueCount, validity: validity), bounds: .none)
    }

    // MARK: Bytes
    //
    //     [value count: varint][form: u8][null counts][by form: its columns]
    //     0 none    1 integers: min, max - min, sum low half, sum high half    2 wide: min, max as halves
    //     3 doubles: min, max as bit patterns             each column an integer sequence, one entry a vector

    func encode(into output: inout ByteWriter) {
        let statistics = IntegerStatistics()
        func append(_ column: [Int64]) {
            column.withUnsafeBufferPointer { IntegerCodec.encodeSequence($0, statistics, into: &output) }
        }
        output.appendVarint(valueCount)
        switch bounds {
        case .none: output.append(0)
        case .integers: output.append(1)
        case .wideIntegers: output.append(2)
        case .doubles: output.append(3)
        }
        append(nullCounts.map(Int64.init))
        switch bounds {
        case .none: break
        case .integers(let least, let greatest, let sums):
            append(least)
            append(zip(greatest, least).map { $0 &- $1 })
            append(sums.map { Int64(truncatingIfNeeded: $0) })
            append(sums.map { Int64(truncatingIfNeeded: $0 >> 64) })
        case .wideIntegers(let least, let greatest):
            append(least.map { Int64(truncatingIfNeeded: $0) })
            append(least.map { Int64(truncatingIfNeeded: $0 >> 64) })
            append(greatest.map { Int64(truncatingIfNeeded: $0) })
            append(greatest.map { Int64(truncatingIfNeeded: $0 >> 64) })
        case .doubles(let least, let greatest):
            for column in [least, greatest] {
                let bits = column.map { Int64(bitPattern: $0.bitPattern) }
                let doubles = DoubleStatistics()
                bits.withUnsafeBufferPointer { DoubleCodec.encodeSequence($0, .double, doubles, into: &output) }
            }
        }
    }

    static func decode(_ reader: inout ByteReader) throws(FormatError) -> ColumnChunkStatistics {
        let start = reader.offset
        let valueCount = try reader.readCount(atMost: VectorLayout.columnChunkValueCountMax)
        let vectorCount = VectorLayout.vectorCount(forValues: valueCount)
        let form = try reader.readByte()
        let nulls = try IntegerCodec.decodeSequence(&reader, count: vectorCount)
        var statistics = ColumnChunkStatistics(valueCount: valueCount, nullCounts: [], bounds: .none)
        for (vector, count) in nulls.enumerated() {
            guard count >= 0, count <= Int64(statistics.valueCount(ofVector: vector)) else {
                throw FormatError("\(count) nulls in vector \(vector)", at: start)
            }
        }
        statistics.nullCounts = nulls.map(Int.init)
        switch form {
        case 0: break
        case 1:
            let least = try IntegerCodec.decodeSequence(&reader, count: vectorCount)
            let ranges = try IntegerCodec.decodeSequence(&reader, count: vectorCount)
            let sums = try decodeWide(&reader, count: vectorCount)
            statistics.bounds = .integers(min: least, max: zip(least, ranges).map { $0 &+ $1 }, sum: sums)
        case 2:
            let least = try decodeWide(&reader, count: vectorCount)
            let greatest = try decodeWide(&reader, count: vectorCount)
            statistics.bounds = .wideIntegers(min: least, max: greatest)
        case 3:
            let least = try DoubleCodec.decodeSequence(&reader, count: vectorCount, .double)
            let greatest = try DoubleCodec.decodeSequence(&reader, count: vectorCount, .double)
            statistics.bounds = .doubles(
                min: least.map { Double(bitPattern: UInt64(bitPattern: $0)) },
                max: greatest.map { Double(bitPattern: UInt64(bitPattern: $0)) })
        default: throw FormatError("unknown form of statistics \(form)", at: start)
        }
        return statistics
    }

    private static func decodeWide(_ reader: inout ByteReader, count: Int) throws(FormatError) -> [Int128] {
        let low = try IntegerCodec.decodeSequence(&reader, count: count)
        let high = try IntegerCodec.decodeSequence(&reader, count: count)
        return zip(low, high).map { Int128($1) << 64 | Int128(UInt64(bitPattern: $0)) }
    }
}
