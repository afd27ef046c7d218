// SPDX-License-Identifier: Apache-2.0
//
// Statistics of a whole column chunk, folded from those of its vectors, as values of the column's type.

struct StatisticsSummary {
    private(set) var nullCount: Int
    private(set) var minimum: Value?
    private(set) var maximum: Value?
    /// For integer types alone.
    private(set) var sum: Int128?

    init(_ statistics: ColumnChunkStatistics, type: DataType, scale: UInt8?, dictionary: SegmentDictionary?) {
        nullCount = statistics.nullCounts.reduce(0, +)
        let known = (0..<statistics.vectorCount).filter { vector in
            statistics.nullCounts[vector] < statistics.valueCount(ofVector: vector)
        }
        switch statistics.bounds {
        case .none: break
        case .integers(let minima, let maxima, let sums):
            if type.isInteger { sum = known.reduce(0) { $0 + sums[$1] } }
            guard let lowest = known.map({ minima[$0] }).min(), let highest = known.map({ maxima[$0] }).max() else {
                return
            }
            if let dictionary {
                set(Self.text(Int(lowest), dictionary, type), Self.text(Int(highest), dictionary, type))
            } else {
                set(.integer(lowest), .integer(highest))
            }
        case .wideIntegers(let minima, let maxima):
            guard let scale, let lowest = known.map({ minima[$0] }).min(), let highest = known.map({ maxima[$0] }).max()
            else { return }
            set(
                .decimal(Decimal(unchecked: lowest, scale: Int(scale))),
                .decimal(Decimal(unchecked: highest, scale: Int(scale))))
        case .doubles(let minima, let maxima):
            guard let first = known.first else { return }
            var lowest = minima[first]
            var highest = maxima[first]
            for vector in known {
                if Self.isLess(minima[vector], lowest) { lowest = minima[vector] }
                if Self.isLess(highest, maxima[vector]) { highest = maxima[vector] }
            }
            if type == .real {
                set(.float(Float(lowest)), .float(Float(highest)))
            } else {
                set(.double(lowest), .double(highest))
            }
        }
    }

    private mutating func set(_ minimum: Value?, _ maximum: Value?) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// NaN is larger than all others.
    private static func isLess(_ left: Double, _ right: Double) -> Bool {
        left < right || (right.isNaN && !left.isNaN)
    }

    /// The text of a code; nil where it is too long for a footer.
    private static func text(_ code: Int, _ dictionary: SegmentDictionary, _ type: DataType) -> Value? {
        let bytes = dictionary.text.bytes(of: dictionary.entries[code])
        guard bytes.count <= SegmentLayout.statisticsTextBytesMax else { return nil }
        if type == .bytea { return .bytes(Array(bytes)) }
        return .text(String(decoding: bytes, as: UTF8.self))
    }
}
