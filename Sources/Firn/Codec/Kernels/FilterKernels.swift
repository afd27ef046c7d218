// SPDX-License-Identifier: Apache-2.0
//
// Reference of the filters: comparisons to bitmaps, bitmaps to indexes.

enum FilterKernels {
    static func compare(
        _ values: UnsafePointer<Int64>, count: Int, _ comparison: KernelComparison, _ constant: Int64
    ) -> [UInt64] {
        bitmap(count: count) { index in
            switch comparison {
            case .less: values[index] < constant
            case .lessOrEqual: values[index] <= constant
            case .equal: values[index] == constant
            case .notEqual: values[index] != constant
            case .greaterOrEqual: values[index] >= constant
            case .greater: values[index] > constant
            }
        }
    }

    /// NaN is larger than every other value.
    static func compare(
        _ values: UnsafePointer<Double>, count: Int, _ comparison: KernelComparison, _ constant: Double
    ) -> [UInt64] {
        bitmap(count: count) { index in
            let value = values[index]
            return switch comparison {
            case .less: value < constant
            case .lessOrEqual: value <= constant
            case .equal: value == constant
            case .notEqual: value != constant
            case .greaterOrEqual: value.isNaN || value >= constant
            case .greater: value.isNaN || value > constant
            }
        }
    }

    static func contained(_ values: UnsafePointer<Int64>, count: Int, in range: ClosedRange<Int64>) -> [UInt64] {
        bitmap(count: count) { range.contains(values[$0]) }
    }

    private static func bitmap(count: Int, _ predicate: (Int) -> Bool) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
        for index in 0..<count where predicate(index) { words[index / 64] |= 1 << UInt64(index % 64) }
        return words
    }

    static func select(_ bitmap: UnsafePointer<UInt64>, count: Int, first: UInt32) -> [UInt32] {
        let view = BitmapView(words: bitmap, count: count)
        return (0..<count).filter { view[$0] }.map { first + UInt32($0) }
    }
}
