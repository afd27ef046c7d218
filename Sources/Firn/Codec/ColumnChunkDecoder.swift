// SPDX-License-Identifier: Apache-2.0
//
// All pages of one column chunk behind one face: vectors by their index in the chunk.
//
// A segment reader that caches pages one by one uses PageDecoder itself; this is for readers that have
// the whole chunk.

struct ColumnChunkDecoder: Sendable {
    let kind: PhysicalKind
    let valueCount: Int
    private let pages: [PageDecoder]
    /// Index in the chunk of each page's first vector.
    private let firstVectors: [Int]

    /// Loads and verifies every page; together they must hold `valueCount` values of `kind`.
    init(
        _ kind: PhysicalKind, valueCount: Int, pages bytes: [ByteView], keepingAlive owner: AnyObject?
    ) throws(FormatError) {
        var pages: [PageDecoder] = []
        for page in bytes { pages.append(try PageDecoder(page, keepingAlive: owner)) }
        try self.init(kind, valueCount: valueCount, loaded: pages)
    }

    /// Pages that were loaded before, in order.
    init(_ kind: PhysicalKind, valueCount: Int, loaded pages: [PageDecoder]) throws(FormatError) {
        var firstVectors: [Int] = []
        var total = 0
        for page in pages {
            guard page.kind == kind else { throw FormatError("a page of \(page.kind) in a chunk of \(kind)") }
            guard total % VectorLayout.valueCount == 0 else {
                throw FormatError("a page that is not the last ends inside a vector")
            }
            firstVectors.append(total / VectorLayout.valueCount)
            total += page.valueCount
        }
        guard total == valueCount else { throw FormatError("pages of \(total) values in a chunk of \(valueCount)") }
        self.kind = kind
        self.valueCount = valueCount
        self.pages = pages
        self.firstVectors = firstVectors
    }

    var vectorCount: Int { VectorLayout.vectorCount(forValues: valueCount) }

    func valueCount(ofVector index: Int) -> Int {
        min(VectorLayout.valueCount, valueCount - index * VectorLayout.valueCount)
    }

    /// The page that holds vector `index` of the chunk, and the vector's index in that page.
    @inline(__always)
    func locate(_ index: Int) -> (page: PageDecoder, vector: Int) {
        precondition(index >= 0 && index < vectorCount, "a vector is one of its chunk's")
        var page = pages.count - 1
        while firstVectors[page] > index { page -= 1 }
        return (pages[page], index - firstVectors[page])
    }

    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Int64>) {
        let (page, vector) = locate(index)
        page.decodeVector(vector, into: output)
    }

    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Double>) {
        let (page, vector) = locate(index)
        page.decodeVector(vector, into: output)
    }

    /// Decodes several vectors one after another: vector k of the range begins at output[k x 1,024].
    func decode(_ range: Range<Int>, into output: UnsafeMutablePointer<Int64>) {
        for (position, index) in range.enumerated() {
            decodeVector(index, into: output + position * VectorLayout.valueCount)
        }
    }

    func decode(_ range: Range<Int>, into output: UnsafeMutablePointer<Double>) {
        for (position, index) in range.enumerated() {
            decodeVector(index, into: output + position * VectorLayout.valueCount)
        }
    }

    /// Bit patterns that are valid, as `PageDecoder.decodeValidity` gives them.
    func decodeValidity(_ index: Int, into words: UnsafeMutablePointer<UInt64>) -> Int {
        let (page, vector) = locate(index)
        return page.decodeValidity(vector, into: words)
    }
}
