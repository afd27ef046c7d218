// SPDX-License-Identifier: Apache-2.0
//
// The groups of one partial aggregation: packed keys in a table, and the values that the packing does not keep.

/// Groups by key, numbered by first appearance. Not thread-safe.
final class GroupKeys {
    let layout: KeyLayout
    private let table: GroupTable
    /// Of each key that needs it: the value of each group as it first appeared, in pieces.
    private var representatives: [[Column]]
    private var representativeBytes = 0
    private var packed: [UInt64] = []
    private var known: [TextCodes.Known]

    init(_ layout: KeyLayout) {
        self.layout = layout
        table = GroupTable(wordsPerKey: max(1, layout.wordCount))
        known = layout.fields.map { _ in TextCodes.Known() }
        representatives = [[Column]](repeating: [], count: layout.fields.count)
    }

    /// Number of groups.
    var count: Int { table.count }

    /// Bytes that the keys hold.
    var byteCount: Int { table.byteCount + representativeBytes + packed.count * 8 }

    /// The group of each row of key values; new keys become new groups.
    func groups(of columns: [Column], rowCount: Int, into groups: inout [UInt32]) throws(FirnError) {
        let wordCount = rowCount * layout.wordCount
        if packed.count < wordCount { packed = [UInt64](repeating: 0, count: wordCount) }
        if groups.count < rowCount { groups = [UInt32](repeating: 0, count: rowCount) }
        let before = table.count
        let layout = layout
        let table = table
        try packed.withUnsafeMutableBufferPointer { packed throws(FirnError) in
            try groups.withUnsafeMutableBufferPointer { groups throws(FirnError) in
                try layout.pack(columns, rowCount: rowCount, &known, into: packed.baseAddress!)
                try table.findOrInsert(
                    UnsafePointer(packed.baseAddress!), keyCount: rowCount, into: groups.baseAddress!)
            }
        }
        keepRepresentatives(columns, groups: groups, rowCount: rowCount, newFrom: before)
    }

    /// The group of each group of another partial; its keys that are new here become new groups.
    func groups(of other: GroupKeys) throws(FirnError) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: other.count)
        if other.count == 0 { return groups }
        let before = table.count
        let table = table
        try groups.withUnsafeMutableBufferPointer { groups throws(FirnError) in
            try table.findOrInsert(other.table.allKeys, keyCount: other.count, into: groups.baseAddress!)
        }
        keepRepresentatives(of: other, rows: nil, groups: groups, newFrom: before)
        return groups
    }

    /// Groups of another partial whose first key, a whole number, becomes another one; those for which `newFirst` has a
    /// negative number are left out.
    func insert(_ other: GroupKeys, replacingFirstBy newFirst: (_ first: Int64) -> Int64) throws(FirnError) {
        let words = layout.wordCount
        let word = layout.word(ofInteger: 0)
        var groups: [UInt32] = []
        for block in stride(from: 0, to: other.count, by: batchRowsMax) {
            let count = min(batchRowsMax, other.count - block)
            let keys = other.table.allKeys + block * words
            if packed.count < count * words { packed = [UInt64](repeating: 0, count: count * words) }
            var rows: [Int] = []
            for row in 0..<count {
                let first = newFirst(KeyLayout.integer(keys[row * words + word]))
                if first < 0 { continue }
                let target = rows.count * words
                for index in 0..<words { packed[target + index] = keys[row * words + index] }
                packed[target + word] = KeyLayout.word(first)
                rows.append(block + row)
            }
            if rows.isEmpty { continue }
            if groups.count < rows.count { groups = [UInt32](repeating: 0, count: rows.count) }
            let before = table.count
            let table = table
            try packed.withUnsafeBufferPointer { packed throws(FirnError) in
                try groups.withUnsafeMutableBufferPointer { groups throws(FirnError) in
                    try table.findOrInsert(packed.baseAddress!, keyCount: rows.count, into: groups.baseAddress!)
                }
            }
            keepRepresentatives(of: other, rows: rows, groups: groups, newFrom: before)
        }
    }

    /// Keeps the representatives of groups that are new here, piece by piece as the other has them.
    ///
    /// - Parameter rows: the other's groups in question, ascending; nil for all. `groups` has one of ours for each.
    private func keepRepresentatives(of other: GroupKeys, rows: [Int]?, groups: [UInt32], newFrom: Int) {
        guard table.count > newFrom, let kept = layout.fields.indices.first(where: layout.needsRepresentative) else {
            return
        }
        var expected = UInt32(newFrom)
        var index = 0
        var start = 0
        let rowCount = rows?.count ?? other.count
        for (piece, column) in other.representatives[kept].enumerated() {
            let end = start + column.count
            var picked: [Int32] = []
            while index < rowCount, (rows?[index] ?? index) < end {
                if groups[index] == expected {
                    picked.append(Int32((rows?[index] ?? index) - start))
                    expected += 1
                }
                index += 1
            }
            start = end
            if picked.isEmpty { continue }
            for key in layout.fields.indices where layout.needsRepresentative(key) {
                keep(other.representatives[key][piece].gather(picked), key)
            }
        }
    }

    private func keep(_ values: Column, _ key: Int) {
        representatives[key].append(values)
        representativeBytes += values.byteCount
    }

    /// New groups have ascending numbers in the order of their first rows: one pass finds those rows.
    private func keepRepresentatives(_ columns: [Column], groups: [UInt32], rowCount: Int, newFrom: Int) {
        guard table.count > newFrom, layout.fields.indices.contains(where: layout.needsRepresentative) else { return }
        var rows: [Int32] = []
        var expected = UInt32(newFrom)
        for row in 0..<rowCount where groups[row] == expected {
            rows.append(Int32(row))
            expected += 1
        }
        for key in layout.fields.indices where layout.needsRepresentative(key) {
            keep(columns[key].gather(rows), key)
        }
    }

    /// Bytes that `finish` takes beside those held, as values that came in pieces are joined.
    var joiningByteCount: Int { representatives.contains { $0.count > 1 } ? representativeBytes : 0 }

    /// Makes the keys ready to be read: joins what came in pieces. Call once, after the last group.
    func finish() -> FinishedKeys {
        let columns = layout.fields.indices.map { key -> Column? in
            guard layout.needsRepresentative(key) else { return nil }
            let type = layout.fields[key].type
            let pieces = representatives[key]
            representatives[key] = []
            return pieces.isEmpty ? Column([], type: type) : Column.concatenate(pieces, type: type)
        }
        return FinishedKeys(
            layout: layout, table: table, representatives: columns,
            dictionaries: layout.textCodes.map { $0?.dictionary() })
    }
}

/// The keys of all groups, to be cut into columns.
struct FinishedKeys {
    fileprivate let layout: KeyLayout
    fileprivate let table: GroupTable
    fileprivate let representatives: [Column?]
    fileprivate let dictionaries: [BytesDictionary?]

    var count: Int { table.count }

    /// Bytes of the values that are not of a fixed size, about.
    var valueByteCount: Int {
        dictionaries.reduce(0) { $0 + ($1?.values.bytes.count ?? 0) }
            + representatives.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    }

    /// The key values of a range of groups.
    func columns(_ groups: Range<Int>) -> [Column] { layout.fields.indices.map { column($0, groups) } }

    /// The values of one key for a range of groups.
    func column(_ key: Int, _ groups: Range<Int>) -> Column {
        if let column = representatives[key] { return column.slice(groups) }
        return layout.unpack(key, table.allKeys, groups: groups, dictionary: dictionaries[key])
    }
}
