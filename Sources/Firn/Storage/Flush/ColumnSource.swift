// SPDX-License-Identifier: Apache-2.0
//
// One column of a flush as its batches hold it, read by row number without copying it together first.
//
// A flush numbers its rows 0, 1, 2 … in commit order across all batches. `RowLocator` finds batch and row for a
// number; `ColumnSource` keeps the address of each batch's values.
//
// Invariant: the columns are kept alive by the source, and nobody writes to them, so that the arrays inside them
// neither move nor change while the addresses are in use.

import CKernels

/// Finds the batch in which a row lies.
struct RowLocator: Sendable {
    /// Number of the first row of each batch, and the row count at the end.
    let batchStarts: [Int]
    /// The batch of the first row of each block of 1,024 rows.
    private let batchOfBlock: [Int32]

    /// Most rows that one flush can number.
    static let rowCountMax = Int(Int32.max)

    init(rowCounts: [Int]) {
        var starts = [0]
        starts.reserveCapacity(rowCounts.count + 1)
        for count in rowCounts { starts.append(starts[starts.count - 1] + count) }
        batchStarts = starts
        let total = starts[starts.count - 1]
        precondition(total <= Self.rowCountMax, "a flush numbers its rows in 31 bits")
        var blocks: [Int32] = []
        blocks.reserveCapacity(total / 1_024 + 1)
        var batch = 0
        var row = 0
        while row < total {
            while starts[batch + 1] <= row { batch += 1 }
            blocks.append(Int32(batch))
            row += 1_024
        }
        batchOfBlock = blocks
    }

    var rowCount: Int { batchStarts[batchStarts.count - 1] }
    var batchCount: Int { batchStarts.count - 1 }

    func rowCount(of batch: Int) -> Int { batchStarts[batch + 1] - batchStarts[batch] }

    /// Calls `body` for each batch in which some of the ascending rows lie: the batch, its first row's number, and the
    /// indices of those rows.
    @inline(__always)
    func forEachBatch<Rows: RowSequence>(
        _ rows: Rows, _ body: (_ batch: Int, _ start: Int, _ indices: Range<Int>) -> Void
    ) {
        var index = 0
        while index < rows.count {
            let first = rows[index]
            var batch = Int(batchOfBlock[first &>> 10])
            while batchStarts[batch + 1] <= first { batch += 1 }
            let end = rows.firstIndex(notBelow: batchStarts[batch + 1])
            body(batch, batchStarts[batch], index..<end)
            index = end
        }
    }

    /// Turns row numbers into positions: the batch in the upper, the row within it in the lower 32 bits.
    func positions(of rows: UnsafeBufferPointer<UInt32>, into positions: UnsafeMutablePointer<UInt64>) {
        batchStarts.withUnsafeBufferPointer { starts in
            batchOfBlock.withUnsafeBufferPointer { blocks in
                for index in 0..<rows.count {
                    let row = Int(rows[index])
                    var batch = Int(blocks[row &>> 10])
                    while starts[batch &+ 1] <= row { batch &+= 1 }
                    positions[index] = UInt64(batch) &<< 32 | UInt64(row &- starts[batch])
                }
            }
        }
    }
}

/// The values of one column in all batches.
final class ColumnSource {
    let type: DataType
    let physical: DataType.Physical
    /// Keeps the arrays alive.
    let columns: [Column]
    /// Address of each batch's values (of the first float of a vector, of dictionary codes, of the bytes of text).
    let values: [UnsafeRawPointer]
    /// Address of each batch's text offsets, or of the scales of decimals where they differ; nil where there are none.
    let offsets: [UnsafeRawPointer?]
    /// Address of each batch's validity words; nil where the batch has no NULL.
    let validity: [UnsafePointer<UInt64>?]
    let hasNulls: Bool
    /// How many values further the next line is that rows of the same series are written to.
    private static let prefetchedCount = 8
    /// Floats a row of a VECTOR; 1 for other types.
    let dimensions: Int

    init(_ columns: [Column], type: DataType) {
        self.type = type
        physical = type.physical
        self.columns = columns
        if case .vector(let dimensions) = type { self.dimensions = dimensions } else { dimensions = 1 }
        var values: [UnsafeRawPointer] = []
        var offsets: [UnsafeRawPointer?] = []
        values.reserveCapacity(columns.count)
        for column in columns {
            precondition(column.type.physical == type.physical, "a batch has the columns of its table")
            var second: UnsafeRawPointer?
            switch column.values {
            case .boolean(let array): values.append(Self.address(of: array))
            case .integer(let array): values.append(Self.address(of: array))
            case .float(let array): values.append(Self.address(of: array))
            case .double(let array): values.append(Self.address(of: array))
            case .decimal(let decimals):
                values.append(Self.address(of: decimals.coefficients))
                if case .each(let scales) = decimals.scales { second = Self.address(of: scales) }
            case .bytes(let bytes):
                (values, second) = bytes.withUnsafeValues { bytes, offsets in
                    (values + [UnsafeRawPointer(bytes)], UnsafeRawPointer(offsets))
                }
            case .dictionary(let codes, _): values.append(Self.address(of: codes))
            case .uuid(let array): values.append(Self.address(of: array))
            case .interval(let array): values.append(Self.address(of: array))
            case .vector(let array, _): values.append(Self.address(of: array))
            }
            offsets.append(second)
        }
        self.values = values
        self.offsets = offsets
        validity = columns.map { column in
            column.validity.map { Self.address(of: $0.words).assumingMemoryBound(to: UInt64.self) }
        }
        hasNulls = columns.contains { $0.validity != nil }
    }

    /// Where a native array keeps its elements. Good for as long as somebody holds the array and nobody changes it:
    /// `columns` does the one, and a column is immutable.
    private static func address<Element>(of array: [Element]) -> UnsafeRawPointer {
        array.withUnsafeBytes { $0.baseAddress } ?? UnsafeRawPointer(bitPattern: 16)!
    }

    /// Copies the values of a window's rows to their places. `Element` is the physical form's element.
    @inline(never)
    @_specialize(where Element == UInt8)
    @_specialize(where Element == Int64)
    @_specialize(where Element == Float)
    @_specialize(where Element == Double)
    @_specialize(where Element == Int128)
    @_specialize(where Element == UInt128)
    func scatter<Element: BitwiseCopyable>(
        _ window: RowWindow, _ locator: RowLocator, into output: UnsafeMutablePointer<Element>
    ) {
        switch window.rows {
        case .all(let rows): scatter(rows, window.places, locator, into: output)
        case .listed(let rows): scatter(rows, window.places, locator, into: output)
        }
    }

    @inline(__always)
    private func scatter<Element: BitwiseCopyable, Rows: RowSequence>(
        _ rows: Rows, _ places: UnsafeBufferPointer<UInt32>, _ locator: RowLocator,
        into output: UnsafeMutablePointer<Element>
    ) {
        locator.forEachBatch(rows) { batch, start, indices in
            // Precondition: the rows at the indices lie in this batch, and places lie within the window.
            let base = values[batch].assumingMemoryBound(to: Element.self)
            for index in indices {
                let place = Int(places[index])
                firn_prefetch_for_writing(output + (place &+ Self.prefetchedCount))
                output[place] = base[rows[index] &- start]
            }
        }
    }

    /// The validity of a window's rows, a byte each at their places: 1 for not NULL.
    func scatterValidity(_ window: RowWindow, _ locator: RowLocator, into output: UnsafeMutablePointer<UInt8>) {
        switch window.rows {
        case .all(let rows): scatterValidity(rows, window.places, locator, into: output)
        case .listed(let rows): scatterValidity(rows, window.places, locator, into: output)
        }
    }

    private func scatterValidity<Rows: RowSequence>(
        _ rows: Rows, _ places: UnsafeBufferPointer<UInt32>, _ locator: RowLocator,
        into output: UnsafeMutablePointer<UInt8>
    ) {
        locator.forEachBatch(rows) { batch, start, indices in
            guard let bitmap = validity[batch] else {
                for index in indices { output[Int(places[index])] = 1 }
                return
            }
            for index in indices {
                let row = rows[index] &- start
                let bit = bitmap[row &>> 6] &>> UInt64(row & 63) & 1
                output[Int(places[index])] = UInt8(truncatingIfNeeded: bit)
            }
        }
    }
}

// MARK: Values that are not one element of one array

extension ColumnSource {
    /// The bytes of one text; good while the source is.
    @inline(__always)
    func text(at position: UInt64) -> UnsafeRawBufferPointer {
        let batch = Int(truncatingIfNeeded: position &>> 32)
        let row = Int(truncatingIfNeeded: position & 0xFFFF_FFFF)
        guard let offsets = offsets[batch]?.assumingMemoryBound(to: Int.self) else {
            return dictionaryText(batch, row)
        }
        let start = offsets[row]
        return UnsafeRawBufferPointer(start: values[batch] + start, count: offsets[row &+ 1] &- start)
    }

    @inline(__always)
    func textByteCount(at position: UInt64) -> Int { text(at: position).count }

    /// The text of a dictionary-coded batch; empty where the row is NULL, whose code means nothing.
    private func dictionaryText(_ batch: Int, _ row: Int) -> UnsafeRawBufferPointer {
        guard case .dictionary(let codes, let dictionary) = columns[batch].values else {
            preconditionFailure("a batch of text without offsets has a dictionary")
        }
        if columns[batch].isNull(row) { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let code = Int(codes[row])
        precondition(code < dictionary.count, "codes are within the dictionary")
        return dictionary.values.withUnsafeValues { bytes, offsets in
            let start = offsets[code]
            return UnsafeRawBufferPointer(start: bytes + start, count: offsets[code + 1] - start)
        }
    }

    /// Copies whole vectors.
    func gatherVectors(_ positions: UnsafeBufferPointer<UInt64>, into output: UnsafeMutablePointer<Float>) {
        for index in 0..<positions.count {
            let base = values[Int(truncatingIfNeeded: positions[index] &>> 32)].assumingMemoryBound(to: Float.self)
            let row = Int(truncatingIfNeeded: positions[index] & 0xFFFF_FFFF)
            (output + index * dimensions).update(from: base + row * dimensions, count: dimensions)
        }
    }

    /// The parts of intervals.
    func gatherIntervals(
        _ positions: UnsafeBufferPointer<UInt64>
    ) -> (months: [Int32], days: [Int32], microseconds: [Int64]) {
        var months: [Int32] = []
        var days: [Int32] = []
        var microseconds: [Int64] = []
        months.reserveCapacity(positions.count)
        days.reserveCapacity(positions.count)
        microseconds.reserveCapacity(positions.count)
        for position in positions {
            let base = values[Int(truncatingIfNeeded: position &>> 32)].assumingMemoryBound(to: Interval.self)
            let interval = base[Int(truncatingIfNeeded: position & 0xFFFF_FFFF)]
            months.append(interval.months)
            days.append(interval.days)
            microseconds.append(interval.microseconds)
        }
        return (months, days, microseconds)
    }

    /// The scales of decimals.
    func gatherScales(_ positions: UnsafeBufferPointer<UInt64>) -> [Int64] {
        let uniform: [Int64] = columns.map { column in
            guard case .decimal(let decimals) = column.values, case .uniform(let scale) = decimals.scales else {
                return 0
            }
            return Int64(scale)
        }
        return positions.map { position in
            let batch = Int(truncatingIfNeeded: position &>> 32)
            guard let scales = offsets[batch]?.assumingMemoryBound(to: UInt8.self) else { return uniform[batch] }
            return Int64(scales[Int(truncatingIfNeeded: position & 0xFFFF_FFFF)])
        }
    }
}
