// SPDX-License-Identifier: Apache-2.0
//
// Row by row the one or the other of two vectors: how CASE, COALESCE, GREATEST and LEAST put their answers together
// when both sides are known for all rows.

extension Vector {
    /// The rows of `taken` where the mask is 1, else those of `other`. Both have one type.
    static func merge(_ taken: Vector, where mask: Bitmap, otherwise other: Vector, rowCount: Int) -> Vector {
        if mask.isAllClear { return other }
        if mask.isAllSet { return taken }
        let type = taken.type
        if case .constant(.null, _) = taken {
            let column = other.materialized(rowCount: rowCount)
            return .column(column.with(validity: combinedValidity(column.validity, ~mask)))
        }
        if case .constant(.null, _) = other {
            let column = taken.materialized(rowCount: rowCount)
            return .column(column.with(validity: combinedValidity(column.validity, mask)))
        }
        let values: Column.Values
        switch type.physical {
        case .integer: values = .integer(merge(taken.integers, other.integers, mask))
        case .double: values = .double(merge(taken.doubles, other.doubles, mask))
        case .float: values = .float(merge(taken.floats, other.floats, mask))
        case .boolean: values = .boolean(merge(taken.booleans, other.booleans, mask))
        default:
            let columns = [taken.materialized(rowCount: rowCount), other.materialized(rowCount: rowCount)]
            let rows = (0..<rowCount).map { Int32(mask[$0] ? $0 : rowCount + $0) }
            return .column(Column.concatenate(columns, type: type).gather(rows))
        }
        let validity: Bitmap?
        switch (taken.validity, other.validity) {
        case (nil, nil): validity = nil
        case (let one, let two):
            let one = one.map { $0 & mask } ?? mask
            validity = one | (two.map { $0 & ~mask } ?? ~mask)
        }
        return .column(Column(type: type, values: values, validity: validity))
    }

    private var validity: Bitmap? { if case .column(let column) = self { column.validity } else { nil } }

    private static func merge<Element>(_ taken: Lane<Element>, _ other: Lane<Element>, _ mask: Bitmap) -> [Element] {
        let count = mask.count
        return mask.words.withUnsafeBufferPointer { words in
            [Element](unsafeUninitializedCapacity: count) { target, initialized in
                // In bounds: bit `row` lies in word row / 64.
                switch (taken, other) {
                case (.column(let taken), .column(let other)):
                    precondition(taken.count == count && other.count == count, "a value a row")
                    for row in 0..<count {
                        let isTaken = words[row >> 6] &>> UInt64(row & 63) & 1 != 0
                        (target.baseAddress! + row).initialize(to: isTaken ? taken[row] : other[row])
                    }
                default:
                    for row in 0..<count {
                        let isTaken = words[row >> 6] &>> UInt64(row & 63) & 1 != 0
                        (target.baseAddress! + row).initialize(to: isTaken ? taken[row] : other[row])
                    }
                }
                initialized = count
            }
        }
    }
}
