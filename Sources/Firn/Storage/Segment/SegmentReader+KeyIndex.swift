// SPDX-License-Identifier: Apache-2.0
//
// Looks keys up in a segment: by its key index where it has one, by reading its key columns otherwise.
//
// Two ask: a commit, whether any of its many keys is there, and a query that wants the row of one key.
//
// Keys come sorted by their hashes, so that each block of the index is read once for all of them. A hash that is found
// is a suspicion; the key itself is read from its row and compared.

/// Keys that are looked up, in the order of their hashes.
struct KeyProbe: Sendable {
    private struct Entry: BitwiseCopyable {
        let hash: UInt64
        let batch: Int32
        let row: Int32
    }

    /// The hash of each key, ascending, and where it is.
    private let entries: [Entry]
    let batches: [KeyedBatch]
    /// What the batches were hashed by.
    let hasher: KeyHasher

    init(_ batches: [KeyedBatch], hasher: KeyHasher) {
        self.batches = batches
        self.hasher = hasher
        var entries: [Entry] = []
        entries.reserveCapacity(batches.reduce(0) { $0 + $1.rowCount })
        for (number, batch) in batches.enumerated() {
            for (row, hash) in batch.hashes.enumerated() {
                entries.append(Entry(hash: hash, batch: Int32(number), row: Int32(row)))
            }
        }
        RadixSort.sort(&entries, bits: 0..<64) { $0.hash }
        self.entries = entries
    }

    var count: Int { entries.count }

    func hash(_ index: Int) -> UInt64 { entries[index].hash }

    /// The batch and row of a key.
    func place(_ index: Int) -> (batch: KeyedBatch, row: Int) {
        (batches[Int(entries[index].batch)], Int(entries[index].row))
    }

    /// The keys of one hash.
    func range(of hash: UInt64) -> Range<Int> {
        let start = entries.partitionPoint { $0.hash >= hash }
        var end = start
        while end < entries.count, entries[end].hash == hash { end += 1 }
        return start..<end
    }

    /// The first of the keys that some stored rows have; nil where none does.
    func firstMatch(in stored: KeyedBatch) -> Int? {
        for (row, hash) in stored.hashes.enumerated() {
            for index in range(of: hash) where isSame(index, stored.columns, row) { return index }
        }
        return nil
    }

    func isSame(_ index: Int, _ columns: [Column], _ row: Int) -> Bool {
        let place = place(index)
        return place.batch.canonicalBytes(place.row) == KeyHash.canonicalBytes(columns, row)
    }
}

extension Array {
    /// In a list whose first elements fail a test and whose others pass it, the first that passes.
    func partitionPoint(where passes: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if passes(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension SegmentReader {
    /// The directory of the key index; nil where the segment has none.
    func keyIndex() throws(FirnError) -> KeyIndexDirectory? {
        guard let section = footer.sections.first(where: { $0.kind == .keyIndex }) else { return nil }
        if let known = keyIndexDirectory.withLock({ $0 }) { return known }
        let bytes = try blocks.payload(section.block, covering: "key index")
        let directory: KeyIndexDirectory
        do throws(FormatError) {
            let start = descriptor.byteOffset
            directory = try KeyIndexDirectory.decode(
                bytes.view, segment: start..<section.block.byteOffset, rowCount: footer.rowCount)
            guard directory.columns.allSatisfy({ footer.index(of: $0) != nil }) else {
                throw FormatError("the key has a column that is not there")
            }
        } catch {
            throw blocks.damage(error.description, at: section.block.byteOffset, covering: "key index")
        }
        keyIndexDirectory.withLock { $0 = directory }
        return directory
    }

    /// Bytes of the key index, 0 where there is none.
    func keyIndexByteCount() throws(FirnError) -> Int {
        guard let index = try keyIndex(), let section = footer.sections.first(where: { $0.kind == .keyIndex }) else {
            return 0
        }
        return index.pageByteCount + section.block.byteCount
    }

    /// The first of the keys that a row of the segment has; nil where none does.
    func firstMatch(of keys: KeyProbe, schema: TableSchema) throws(FirnError) -> Int? {
        guard let index = try keyIndex(), index.columns == schema.primaryKey, findsEqualKeys(of: schema) else {
            return try firstMatchReadingAll(keys, schema: schema)
        }
        var match: Int?
        try findSuspects(of: keys, index) { (suspects) throws(FirnError) in
            match = try firstMatch(of: keys, among: suspects, schema)
            return match == nil
        }
        return match
    }

    /// Whether equal keys have one hash in the index: of version 1, those with JSONB do not.
    private func findsEqualKeys(of schema: TableSchema) -> Bool {
        blocks.header.version >= .two
            || !schema.primaryKey.contains { id in schema.columns[schema.index(of: id)!].type == .jsonb }
    }

    /// Finds the keys whose hashes are in the index, block by block, until `body` has enough and returns false.
    private func findSuspects(
        of keys: KeyProbe, _ index: KeyIndexDirectory,
        _ body: (_ suspects: [(key: Int, row: Int)]) throws(FirnError) -> Bool
    ) throws(FirnError) {
        guard keys.count > 0 else { return }
        var next = 0
        // The entries of the first hash may begin in the last block that begins below it.
        let first = index.stored(keys.hash(0))
        let start = max(0, index.blocks.partitionPoint { $0.firstHash >= first } - 1)
        for number in start..<index.blocks.count {
            let block = index.blocks[number]
            // Keys before the block are in no block. One hash may go on from the block before.
            let last = number + 1 < index.blocks.count ? index.blocks[number + 1].firstHash : UInt64.max
            while next < keys.count, index.stored(keys.hash(next)) < block.firstHash { next += 1 }
            guard next < keys.count else { return }
            guard index.stored(keys.hash(next)) <= last else { continue }
            guard try body(try entries(of: block, index).suspects(among: keys, from: next, index)) else { return }
        }
    }

    /// The row groups that may hold rows within all of the ranges, and of each the vectors where the ranges leave few
    /// primary keys.
    func morsels(
        schema: TableSchema, pruning ranges: [ColumnRange], keyHasher: KeyHasher
    ) throws(FirnError) -> [any Morsel] {
        guard let wanted = ranges.primaryKeys(of: schema), let index = try keyIndex(),
            index.columns == schema.primaryKey, findsEqualKeys(of: schema)
        else { return morsels(schema: schema, pruning: ranges) }
        let columns = zip(schema.primaryKey, wanted.columns).map { id, values in
            Column(values, type: schema.columns[schema.index(of: id)!].type)
        }
        let keys = KeyProbe([KeyedBatch(columns, rowCount: wanted.count, hasher: keyHasher)], hasher: keyHasher)
        var rows: Set<Int> = []
        try findSuspects(of: keys, index) { (suspects) throws(FirnError) in
            rows.formUnion(suspects.lazy.map(\.row))
            return true
        }
        var rest = rows.sorted()[...]
        var morsels: [any Morsel] = []
        var start = 0
        for (number, group) in footer.rowGroups.enumerated() {
            let own = rest.prefix { $0 < start + group.rowCount }
            rest = rest.dropFirst(own.count)
            let morsel = RowGroupMorsel(
                segment: self, index: number, schema: schema,
                vectors: own.map { ($0 - start) / VectorLayout.valueCount })
            if !own.isEmpty, morsel.mayHoldRows(within: ranges) { morsels.append(morsel) }
            start += group.rowCount
        }
        return morsels
    }

    /// The decoded entries of one block.
    func entries(of block: KeyIndexDirectory.Block, _ index: KeyIndexDirectory) throws(FirnError) -> KeyIndexBlock {
        let hashes = try keyPage(block.hashes)
        let rows = try keyPage(block.rows)
        let entries = KeyIndexBlock(hashes: Self.values(hashes), rows: Self.values(rows))
        guard entries.isWellFormed(block, index) else {
            throw blocks.damage("keys are out of order", at: block.hashes.block.byteOffset, covering: "key index")
        }
        return entries
    }

    private func keyPage(_ location: PageLocation) throws(FirnError) -> PageDecoder {
        let key = PageCache.Key(file: blocks.file, byteOffset: location.block.byteOffset)
        let block = try cache.block(key) { () throws(FirnError) in
            let page = try blocks.page(location, kind: .int64, covering: "key index")
            return (.page(page), page.residentByteCount)
        }
        // What is in the cache may have been read as a column's.
        guard case .page(let page) = block, page.kind == .int64, page.valueCount == location.valueCount else {
            throw blocks.damage("two blocks share a place", at: location.block.byteOffset, covering: "key index")
        }
        return page
    }

    private static func values(_ page: PageDecoder) -> [Int64] {
        let room = page.vectorCount * VectorLayout.valueCount + VectorLayout.paddingValueCount
        return [Int64](unsafeUninitializedCapacity: room) { target, count in
            for vector in 0..<page.vectorCount {
                page.decodeVector(vector, into: target.baseAddress! + vector * VectorLayout.valueCount)
            }
            count = page.valueCount
        }
    }

    /// The first of some suspects that is true; reads each vector of theirs once.
    private func firstMatch(
        of keys: KeyProbe, among suspects: [(key: Int, row: Int)], _ schema: TableSchema
    ) throws(FirnError) -> Int? {
        var rest = suspects.sorted { $0.row < $1.row }[...]
        var group = 0
        var groupStart = 0
        while let suspect = rest.first {
            while suspect.row >= groupStart + footer.rowGroups[group].rowCount {
                groupStart += footer.rowGroups[group].rowCount
                group += 1
            }
            let start = (suspect.row - groupStart) / VectorLayout.valueCount * VectorLayout.valueCount
            let end = min(start + VectorLayout.valueCount, footer.rowGroups[group].rowCount)
            let morsel = RowGroupMorsel(segment: self, index: group, schema: schema)
            let reader = RowGroupReader(morsel, columns: schema.primaryKey, rows: [start..<end])
            guard let batch = try reader.next() else { preconditionFailure("a vector that is there has rows") }
            while let suspect = rest.first, suspect.row < groupStart + end {
                if keys.isSame(suspect.key, batch.columns, suspect.row - groupStart - start) { return suspect.key }
                rest.removeFirst()
            }
        }
        return nil
    }

    private func firstMatchReadingAll(_ keys: KeyProbe, schema: TableSchema) throws(FirnError) -> Int? {
        for morsel in morsels(schema: schema, pruning: []) {
            let reader = try morsel.reader(of: schema.primaryKey, pruning: [])
            while let batch = try reader.next() {
                let stored = KeyedBatch(batch.columns, rowCount: batch.rowCount, hasher: keys.hasher)
                if let match = keys.firstMatch(in: stored) { return match }
            }
        }
        return nil
    }
}

/// Entries of a key index in memory.
struct KeyIndexBlock {
    let hashes: [Int64]
    let rows: [Int64]

    /// Whether the entries are those of a block: in order, and about rows that there are.
    func isWellFormed(_ block: KeyIndexDirectory.Block, _ index: KeyIndexDirectory) -> Bool {
        guard hashes.count == rows.count, let first = hashes.first, let last = hashes.last,
            UInt64(bitPattern: first) == block.firstHash, last >= 0, last >> Int64(index.hashBits) == 0
        else { return false }
        var isOrdered = true
        for entry in 1..<hashes.count where hashes[entry] < hashes[entry - 1] { isOrdered = false }
        for row in rows where row < 0 || row >= index.rowCount { isOrdered = false }
        return isOrdered
    }

    /// The keys, from one on, whose hashes are there, each with the row that it may have.
    func suspects(among keys: KeyProbe, from start: Int, _ index: KeyIndexDirectory) -> [(key: Int, row: Int)] {
        var suspects: [(key: Int, row: Int)] = []
        guard start < keys.count else { return [] }
        var key = start
        let first = index.stored(keys.hash(start))
        var entry = hashes.partitionPoint { UInt64(bitPattern: $0) >= first }
        while key < keys.count, entry < hashes.count {
            let hash = index.stored(keys.hash(key))
            let found = UInt64(bitPattern: hashes[entry])
            if found < hash {
                entry += 1
            } else if found > hash {
                key += 1
            } else {
                var same = entry
                while same < hashes.count, UInt64(bitPattern: hashes[same]) == hash {
                    suspects.append((key, Int(rows[same])))
                    same += 1
                }
                key += 1
            }
        }
        return suspects
    }
}
