// SPDX-License-Identifier: Apache-2.0
//
// A row group as a morsel: what is known about it without reading, and which of its vectors a range can touch.
//
// Pruning is conservative: what is not known passes. A vector whose rows of a column are all NULL never passes a
// range on that column, since NULL is never inside one.

struct RowGroupMorsel: Morsel {
    let segment: SegmentReader
    let index: Int
    let schema: TableSchema
    /// The vectors in which an index finds wanted rows, ascending; nil where they may be in any.
    var vectors: [Int]?

    private var rowGroup: SegmentFooter.RowGroup { segment.footer.rowGroups[index] }

    var rowCount: Int { rowGroup.rowCount }
    var order: [ColumnID] { segment.footer.order }

    func statistics(of column: ColumnID) -> ColumnStatistics? {
        guard let position = segment.footer.index(of: column) else {
            return ColumnStatistics(valueCount: rowCount, nullCount: rowCount, minimum: nil, maximum: nil)
        }
        let chunk = rowGroup.columns[position]
        return ColumnStatistics(
            valueCount: rowCount, nullCount: chunk.nullCount, minimum: chunk.minimum, maximum: chunk.maximum)
    }

    func reader(of columns: [ColumnID], pruning ranges: [ColumnRange]) throws(FirnError) -> any MorselReader {
        RowGroupReader(self, columns: columns, rows: try rowRanges(within: ranges))
    }

    // MARK: Pruning

    /// By the statistics of the whole row group, which the footer holds.
    func mayHoldRows(within ranges: [ColumnRange]) -> Bool {
        ranges.allSatisfy { range in
            guard let position = segment.footer.index(of: range.column) else { return false }
            let chunk = rowGroup.columns[position]
            if chunk.nullCount == rowCount { return false }
            guard let minimum = chunk.minimum, let maximum = chunk.maximum else { return true }
            return range.mayAccept(between: minimum, and: maximum)
        }
    }

    /// The rows that are left: ranges of whole vectors, ascending, apart from each other.
    func rowRanges(within ranges: [ColumnRange]) throws(FirnError) -> [Range<Int>] {
        guard rowCount > 0, mayHoldRows(within: ranges) else { return [] }
        if ranges.isEmpty, vectors == nil { return [0..<rowCount] }
        var isWanted = [Bool](repeating: vectors == nil, count: VectorLayout.vectorCount(forValues: rowCount))
        for vector in vectors ?? [] { isWanted[vector] = true }
        for range in ranges {
            guard let position = segment.footer.index(of: range.column),
                let zoneMap = try segment.zoneMap(rowGroup: index, column: position)
            else { continue }
            try exclude(range, position, zoneMap, &isWanted)
        }
        var rows: [Range<Int>] = []
        for vector in isWanted.indices where isWanted[vector] {
            let start = vector * VectorLayout.valueCount
            let end = min(start + VectorLayout.valueCount, rowCount)
            if let last = rows.last, last.upperBound == start {
                rows[rows.count - 1] = last.lowerBound..<end
            } else {
                rows.append(start..<end)
            }
        }
        return rows
    }

    /// Clears the vectors that the range cannot touch.
    private func exclude(
        _ range: ColumnRange, _ position: Int, _ zoneMap: ColumnChunkStatistics, _ isWanted: inout [Bool]
    ) throws(FirnError) {
        for vector in isWanted.indices
        where zoneMap.nullCounts[vector] == zoneMap.valueCount(ofVector: vector) { isWanted[vector] = false }
        guard range.hasStatistics else { return }
        switch zoneMap.bounds {
        case .none: break
        case .integers(let minima, let maxima, _):
            let wanted = try integers(range, position)
            for vector in isWanted.indices where !wanted.mayLie(between: minima[vector], and: maxima[vector]) {
                isWanted[vector] = false
            }
        case .wideIntegers(let minima, let maxima):
            guard let scale = rowGroup.columns[position].uniformScale else { return }
            for vector in isWanted.indices {
                let minimum = Value.decimal(Decimal(unchecked: minima[vector], scale: Int(scale)))
                let maximum = Value.decimal(Decimal(unchecked: maxima[vector], scale: Int(scale)))
                if !range.mayAccept(between: minimum, and: maximum) { isWanted[vector] = false }
            }
        case .doubles(let minima, let maxima):
            let isReal = segment.footer.columns[position].type == .real
            for vector in isWanted.indices {
                let minimum: Value = isReal ? .float(Float(minima[vector])) : .double(minima[vector])
                let maximum: Value = isReal ? .float(Float(maxima[vector])) : .double(maxima[vector])
                if !range.mayAccept(between: minimum, and: maximum) { isWanted[vector] = false }
            }
        }
    }

    /// Integers that a range accepts.
    private struct WantedIntegers {
        var lower = Int64.min
        var upper = Int64.max
        /// Ascending; nil where all between the bounds are wanted.
        var choices: [Int64]?

        func mayLie(between minimum: Int64, and maximum: Int64) -> Bool {
            guard maximum >= lower, minimum <= upper else { return false }
            guard let choices else { return lower <= upper }
            let first = choices.partitionPoint { $0 >= minimum }
            return first < choices.count && choices[first] <= maximum
        }
    }

    /// The range in integers, or in codes of the dictionary.
    private func integers(_ range: ColumnRange, _ position: Int) throws(FirnError) -> WantedIntegers {
        var wanted = WantedIntegers()
        guard segment.footer.columns[position].storage == .dictionary else {
            if case .integer(let lower) = range.lower { wanted.lower = lower }
            if case .integer(let upper) = range.upper { wanted.upper = upper }
            // Values of other types are compared by the bounds of the whole row group alone.
            let integers = range.choices?.compactMap { if case .integer(let value) = $0 { value } else { nil } }
            if integers?.count == range.choices?.count { wanted.choices = integers }
            return wanted
        }
        let texts = try segment.dictionary(of: position).values
        if let lower = range.lower { wanted.lower = Int64(texts.firstIndex(notLessThan: lower)) }
        if let upper = range.upper { wanted.upper = Int64(texts.firstIndex(greaterThan: upper)) - 1 }
        wanted.choices = range.choices?.compactMap { choice in
            let code = texts.firstIndex(notLessThan: choice)
            return code < texts.firstIndex(greaterThan: choice) ? Int64(code) : nil
        }
        return wanted
    }
}

extension BytesValues {
    /// In ascending values, the first that is not below `value`; `count` where all are.
    fileprivate func firstIndex(notLessThan value: Value) -> Int {
        partition(by: value) { $0.lexicographicallyPrecedes($1) }
    }

    /// In ascending values, the first that is above `value`; `count` where none is.
    fileprivate func firstIndex(greaterThan value: Value) -> Int {
        partition(by: value) { !$1.lexicographicallyPrecedes($0) }
    }

    private func partition(by value: Value, isBefore: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Bool) -> Int {
        let bytes: [UInt8]
        switch value {
        case .text(let text): bytes = Array(text.utf8)
        case .bytes(let value): bytes = value
        default: preconditionFailure("text is compared with text")
        }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(self[middle], bytes[...]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
