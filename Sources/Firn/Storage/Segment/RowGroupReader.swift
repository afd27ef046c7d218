// SPDX-License-Identifier: Apache-2.0
//
// Decodes the wanted rows of a row group, batch by batch, into columns.
//
// Rows come in ranges of whole vectors, so that a vector is decoded straight into its place in the batch's array.
// Pages are loaded (or found in the cache) when their first vector is reached and held while the reader lives.

/// Reads one row group front to back. Not thread-safe.
final class RowGroupReader: MorselReader {
    private let morsel: RowGroupMorsel
    private let columns: [ColumnCursor]
    private var ranges: ArraySlice<Range<Int>>

    init(_ morsel: RowGroupMorsel, columns: [ColumnID], rows: [Range<Int>]) {
        self.morsel = morsel
        ranges = rows[...]
        self.columns = columns.map { ColumnCursor(morsel, $0) }
    }

    func next() throws(FirnError) -> ColumnBatch? {
        guard let range = ranges.first else { return nil }
        let end = min(range.upperBound, range.lowerBound + batchRowsMax)
        let rows = range.lowerBound..<end
        // First of all, so that an error ends these rows alone.
        if end < range.upperBound {
            ranges[ranges.startIndex] = end..<range.upperBound
        } else {
            ranges = ranges.dropFirst()
        }
        var batch: [Column] = []
        batch.reserveCapacity(columns.count)
        for column in columns { batch.append(try column.read(rows)) }
        return ColumnBatch(batch, rowCount: rows.count)
    }
}

/// One column of a row group, and the page that was used last.
private final class ColumnCursor {
    private let morsel: RowGroupMorsel
    /// Position in the segment; nil where the column was added later.
    private let position: Int?
    private let type: DataType
    private let pages: PageSequence?
    private let scales: PageSequence?
    /// That of the column, once it was needed.
    private var dictionary: BytesDictionary?

    init(_ morsel: RowGroupMorsel, _ id: ColumnID) {
        self.morsel = morsel
        position = morsel.segment.footer.index(of: id)
        guard let position else {
            guard let index = morsel.schema.index(of: id) else {
                preconditionFailure("column \(id) is one of table \"\(morsel.schema.name)\"")
            }
            type = morsel.schema.columns[index].type
            pages = nil
            scales = nil
            return
        }
        let column = morsel.segment.footer.columns[position]
        let chunk = morsel.segment.footer.rowGroups[morsel.index].columns[position]
        type = column.type
        pages = PageSequence(morsel, position, chunk.pages, column.physicalKind)
        scales = chunk.scalePages.isEmpty ? nil : PageSequence(morsel, position, chunk.scalePages, .int64)
    }

    /// The rows of a range that begins with a vector and ends with one, or with the row group.
    func read(_ rows: Range<Int>) throws(FirnError) -> Column {
        guard let position, let pages else { return Column(repeating: .null, type: type, count: rows.count) }
        // Loads what is needed before arrays are filled, in which nothing can be thrown.
        try pages.load(rows)
        try scales?.load(rows)
        if let stepped = try steppedValues(pages, rows) { return Column(type: type, stepped: stepped) }
        let values: Column.Values
        if morsel.segment.footer.columns[position].storage == .dictionary {
            let dictionary = try loadedDictionary()
            let codes: [UInt32] = pages.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) }
            values = .dictionary(try checked(codes, dictionary, pages, rows), dictionary)
        } else {
            values = try decode(pages, rows)
        }
        return Column(type: type, values: values, validity: pages.validity(rows))
    }

    private func loadedDictionary() throws(FirnError) -> BytesDictionary {
        if let dictionary { return dictionary }
        let loaded = try morsel.segment.dictionary(of: position!)
        dictionary = loaded
        return loaded
    }

    /// The rows as progressions, where the column is one of integers or of codes, stored so, and has no NULLs there.
    private func steppedValues(_ pages: PageSequence, _ rows: Range<Int>) throws(FirnError) -> SteppedValues? {
        let isCoded = morsel.segment.footer.columns[position!].storage == .dictionary
        guard isCoded || type.physical == .integer, let runs = pages.steppedRuns(rows) else { return nil }
        guard isCoded else { return SteppedValues(runs) }
        let dictionary = try loadedDictionary()
        for run in runs {
            guard let last = run.lastWithoutWrapping, run.first >= 0, last >= 0, run.first < dictionary.count,
                last < dictionary.count
            else { throw pages.damage("a code lies outside a dictionary of \(dictionary.count)", rows) }
        }
        return SteppedValues(runs, dictionary: dictionary)
    }

    /// Codes come from a page that was verified, but the dictionary is another page's.
    private func checked(
        _ codes: [UInt32], _ dictionary: BytesDictionary, _ pages: PageSequence, _ rows: Range<Int>
    ) throws(FirnError) -> [UInt32] {
        var largest: UInt32 = 0
        for code in codes { largest = max(largest, code) }
        if Int(largest) < dictionary.count { return codes }
        // Only NULLs may have a code that means nothing, as where a column is NULL throughout.
        if dictionary.count == 0 { return codes.map { _ in 0 } }
        throw pages.damage("a code lies outside a dictionary of \(dictionary.count)", rows)
    }

    private func decode(_ pages: PageSequence, _ rows: Range<Int>) throws(FirnError) -> Column.Values {
        switch type.physical {
        case .boolean: return .boolean(booleans(pages, rows))
        case .integer:
            return .integer(pages.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) })
        case .float:
            return .float(pages.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) })
        case .double:
            return .double(pages.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) })
        case .decimal: return .decimal(try decimals(pages, rows))
        case .uuid:
            return .uuid(pages.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) })
        case .interval: return .interval(intervals(pages, rows))
        case .bytes: return .bytes(text(pages, rows))
        case .vector: return .vector(try vectors(pages, rows), dimensions: dimensions)
        }
    }

    private var dimensions: Int { if case .vector(let dimensions) = type { dimensions } else { 0 } }

    private func booleans(_ pages: PageSequence, _ rows: Range<Int>) -> [Bool] {
        [Bool](unsafeUninitializedCapacity: rows.count) { target, count in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: VectorLayout.valueCount / 64) { words in
                pages.forEachVector(rows) { page, vector, start in
                    page.decodeBits(vector, into: words.baseAddress!)
                    for index in 0..<page.valueCount(ofVector: vector) {
                        let bit = words[index >> 6] >> UInt64(index & 63) & 1
                        (target.baseAddress! + start + index).initialize(to: bit == 1)
                    }
                }
            }
            count = rows.count
        }
    }

    private func decimals(_ pages: PageSequence, _ rows: Range<Int>) throws(FirnError) -> DecimalValues {
        let coefficients: [Int128] = pages.decode(rows) { page, vector, target in
            page.decodeVector(vector, into: target)
        }
        guard coefficients.allSatisfy({ $0.magnitude < Decimal.coefficientLimit }) else {
            throw pages.damage("a decimal has more than 38 digits", rows)
        }
        guard let scales else {
            let scale = morsel.segment.footer.rowGroups[morsel.index].columns[position!].uniformScale ?? 0
            return DecimalValues(coefficients: coefficients, scales: .uniform(scale))
        }
        let wide: [Int64] = scales.decode(rows) { page, vector, target in page.decodeVector(vector, into: target) }
        guard wide.allSatisfy({ $0 >= 0 && $0 <= 38 }) else {
            throw scales.damage("a scale lies outside 0 to 38", rows)
        }
        return DecimalValues(coefficients: coefficients, scales: .each(wide.map { UInt8($0) }))
    }

    private func intervals(_ pages: PageSequence, _ rows: Range<Int>) -> [Interval] {
        var intervals: [Interval] = []
        intervals.reserveCapacity(rows.count)
        let months = VectorBuffer<Int32>()
        let days = VectorBuffer<Int32>()
        let microseconds = VectorBuffer<Int64>()
        pages.forEachVector(rows) { page, vector, _ in
            page.decodeIntervals(
                vector, months: months.pointer, days: days.pointer, microseconds: microseconds.pointer)
            for index in 0..<page.valueCount(ofVector: vector) {
                intervals.append(
                    Interval(months: months[index], days: days[index], microseconds: microseconds[index]))
            }
        }
        return intervals
    }

    private func text(_ pages: PageSequence, _ rows: Range<Int>) -> BytesValues {
        var bytes = ByteWriter(reservingBytes: rows.count * 16)
        let room = VectorLayout.vectorCount(forValues: rows.count) * VectorLayout.valueCount
        let lengths = [UInt32](unsafeUninitializedCapacity: room) { lengths, count in
            pages.forEachVector(rows) { page, vector, start in
                page.decodeBytes(vector, lengths: lengths.baseAddress! + start, bytes: &bytes)
            }
            count = rows.count
        }
        return TextPage.values(bytes, lengths)
    }

    private func vectors(_ pages: PageSequence, _ rows: Range<Int>) throws(FirnError) -> [Float] {
        guard pages.haveDimensions(dimensions, rows) else {
            throw pages.damage("vectors of other than \(dimensions) dimensions", rows)
        }
        return [Float](unsafeUninitializedCapacity: rows.count * dimensions) { target, count in
            pages.forEachVector(rows) { page, vector, start in
                page.decodeFloatVectors(vector, into: target.baseAddress! + start * dimensions)
            }
            count = rows.count * dimensions
        }
    }
}

/// The pages of a column chunk, loaded one after another.
private final class PageSequence {
    private let morsel: RowGroupMorsel
    private let column: Int
    private let kind: PhysicalKind
    private let locations: [PageLocation]
    /// Row of the row group at which each page begins, and the row count at the end.
    private let starts: [Int]
    private var loaded: [PageDecoder?]

    init(_ morsel: RowGroupMorsel, _ column: Int, _ locations: [PageLocation], _ kind: PhysicalKind) {
        self.morsel = morsel
        self.column = column
        self.kind = kind
        self.locations = locations
        starts = locations.reduce(into: [0]) { starts, page in starts.append(starts[starts.count - 1] + page.valueCount)
        }
        loaded = [PageDecoder?](repeating: nil, count: locations.count)
    }

    /// Brings the pages of the rows into memory, and lets those before them go.
    func load(_ rows: Range<Int>) throws(FirnError) {
        for index in locations.indices {
            if starts[index + 1] <= rows.lowerBound {
                loaded[index] = nil
            } else if starts[index] < rows.upperBound, loaded[index] == nil {
                loaded[index] = try morsel.segment.page(
                    locations[index], kind: kind, rowGroup: morsel.index, column: column)
            }
        }
    }

    /// Calls `body` for each vector of the rows: its page, its number there, and its first row's place in the batch.
    func forEachVector(_ rows: Range<Int>, _ body: (_ page: PageDecoder, _ vector: Int, _ start: Int) -> Void) {
        var row = rows.lowerBound
        var index = 0
        while row < rows.upperBound {
            while starts[index + 1] <= row { index += 1 }
            guard let page = loaded[index] else { preconditionFailure("pages are loaded before they are decoded") }
            let vector = (row - starts[index]) / VectorLayout.valueCount
            body(page, vector, row - rows.lowerBound)
            row += page.valueCount(ofVector: vector)
        }
    }

    /// The values of the rows in one array. `body` decodes one vector and may write up to 64 values past it.
    func decode<Element: BitwiseCopyable>(
        _ rows: Range<Int>, _ body: (PageDecoder, Int, UnsafeMutablePointer<Element>) -> Void
    ) -> [Element] {
        let room = VectorLayout.vectorCount(forValues: rows.count) * VectorLayout.valueCount
        return [Element](unsafeUninitializedCapacity: room + VectorLayout.paddingValueCount) { target, count in
            forEachVector(rows) { page, vector, start in body(page, vector, target.baseAddress! + start) }
            count = rows.count
        }
    }

    /// The rows as progressions; nil unless all of them are stored so and none is NULL.
    func steppedRuns(_ rows: Range<Int>) -> [SteppedRun]? {
        var runs: [SteppedRun] = []
        for (index, page) in loaded.enumerated() where starts[index] < rows.upperBound {
            guard let page, starts[index + 1] > rows.lowerBound else { continue }
            guard page.scheme == .steppedRuns, case .allValid = page.validity else { return nil }
            let from = max(rows.lowerBound, starts[index]) - starts[index]
            let to = min(rows.upperBound, starts[index + 1]) - starts[index]
            page.appendSteppedRuns(from..<to, to: &runs)
        }
        return runs
    }

    /// The validity of the rows; nil when none is NULL.
    func validity(_ rows: Range<Int>) -> Bitmap? {
        if areAllValid(rows) { return nil }
        var words = [UInt64](
            repeating: ~0, count: VectorLayout.vectorCount(forValues: rows.count) * VectorLayout.valueCount / 64)
        var nullCount = 0
        words.withUnsafeMutableBufferPointer { words in
            forEachVector(rows) { page, vector, start in
                nullCount += page.decodeValidity(vector, into: words.baseAddress! + start / 64)
            }
        }
        if nullCount == 0 { return nil }
        words.removeLast(words.count - (rows.count + 63) / 64)
        return Bitmap(words: words, count: rows.count)
    }

    /// True where the pages of the rows say as a whole that nothing is NULL.
    private func areAllValid(_ rows: Range<Int>) -> Bool {
        for (index, page) in loaded.enumerated()
        where starts[index] < rows.upperBound && starts[index + 1] > rows.lowerBound {
            guard let page, case .allValid = page.validity else { return false }
        }
        return true
    }

    func haveDimensions(_ dimensions: Int, _ rows: Range<Int>) -> Bool {
        var same = true
        forEachVector(rows) { page, _, _ in if page.dimensionCount != dimensions { same = false } }
        return same
    }

    func damage(_ what: String, _ rows: Range<Int>) -> FirnError {
        let page = locations.indices.first { starts[$0 + 1] > rows.lowerBound } ?? 0
        return morsel.segment.blocks.damage(
            what, at: locations[page].block.byteOffset,
            covering: morsel.segment.name(ofRowGroup: morsel.index, column: column))
    }
}
