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
                layout.pack(columns, rowCount: rowCount, &known, into: packed.baseAddress!)
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
        if layout.fields.indices.contains(where: layout.needsRepresentative) {
            let columns = layout.fields.indices.map { key in
                layout.needsRepresentative(key)
                    ? Column.concatenate(other.representatives[key], type: layout.fields[key].type)
                    : Column.booleans([])
            }
            keepRepresentatives(columns, groups: groups, rowCount: other.count, newFrom: before)
        }
        return groups
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
            let values = columns[key].gather(rows)
            representatives[key].append(values)
            representativeBytes += values.byteCount
        }
    }

    /// Makes the keys ready to be read: joins what came in pieces. Call once, after the last group.
    func finish() -> FinishedKeys {
        let columns = layout.fields.indices.map { key -> Column? in
            guard layout.needsRepresentative(key) else { return nil }
            let type = layout.fields[key].type
            return representatives[key].isEmpty
                ? Column([], type: type) : Column.concatenate(representatives[key], type: type)
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

    /// The key values of a range of groups.
    func columns(_ groups: Range<Int>) -> [Column] {
        layout.fields.indices.map { key in
            if let column = representatives[key] { return column.slice(groups) }
            return layout.unpack(key, table.allKeys, groups: groups, dictionary: dictionaries[key])
        }
    }
}
