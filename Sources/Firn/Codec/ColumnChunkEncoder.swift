// SPDX-License-Identifier: Apache-2.0
//
// One column chunk (up to 65,536 values of one physical kind) into pages.
//
// A page stands for itself: it is decompressed, verified and decoded without any other. It holds whole
// vectors of 1,024 values and aims at no more than 1 MiB; one vector that is larger alone is a page
// alone. Nulls keep their place: under a null the previous value is stored, which costs next to nothing,
// and a bitmap says where it is not meant.
//
//     page:    [kind: u8][compression: u8][value count: varint]
//              [plain byte count: varint, only when compressed][payload, perhaps compressed]
//     payload: [validity bitmap, see BitmapEncoding.swift][scheme: u8][body as the scheme draws it]
//     scheme vectors: [directory][vectors]
//     directory:      [byte count of each vector: varint]
//
// The page carries no checksum; the file that holds it does.

/// A page as it goes to disk.
struct EncodedPage: Sendable {
    let bytes: [UInt8]
    /// Index in the chunk of the page's first value, a multiple of 1,024.
    let firstValue: Int
    let valueCount: Int
    let scheme: PageScheme
    let compression: PageCompression
}

struct EncodedColumnChunk: Sendable {
    let kind: PhysicalKind
    let valueCount: Int
    let pages: [EncodedPage]
    let statistics: ColumnChunkStatistics
    /// How many vectors each encoding holds, for people to look at.
    let encodingCounts: [EncodingID: Int]

    var byteCount: Int { pages.reduce(0) { $0 + $1.bytes.count } }
}

/// Turns column chunks into pages, one after another. Holds scratch memory: not for two threads at once.
final class ColumnChunkEncoder {
    /// Bytes that a page aims to stay below.
    static let pageByteCountMax = 1 << 20
    /// Values of a progression, on average, from which vectors are not tried: encoding them would take most of a flush.
    private static let runValueCountSure = 512

    let profile: StorageProfile
    let doubles: DoubleStatistics = DoubleStatistics()
    var statistics: IntegerStatistics { doubles.integers }
    private(set) var encodingCounts: [EncodingID: Int] = [:]
    private lazy var compressor: ZstandardCompressor = ZstandardCompressor()

    init(profile: StorageProfile) { self.profile = profile }

    func count(_ id: EncodingID) { encodingCounts[id, default: 0] += 1 }

    // MARK: Kinds

    func encode(int64 values: UnsafeBufferPointer<Int64>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        withFilled(values, validity) { filled in
            chunk(.int64, filled.count, validity, .integers(values, validity: validity)) { range, output in
                numberPage(part(filled, range), .integer, into: &output)
            }
        }
    }

    /// Lends the values with something cheap under each null: without nulls, the values themselves.
    private func withFilled(
        _ values: UnsafeBufferPointer<Int64>, _ validity: BitmapView?,
        _ body: (UnsafeBufferPointer<Int64>) -> EncodedColumnChunk
    ) -> EncodedColumnChunk {
        if validity == nil { return body(values) }
        return NullFilling.fill(values, validity: validity).withUnsafeBufferPointer(body)
    }

    func encode(codes values: UnsafeBufferPointer<UInt32>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let wide = [Int64](unsafeUninitializedCapacity: values.count) { wide, count in
            for index in 0..<values.count { wide[index] = Int64(values[index]) }
            count = values.count
        }
        return wide.withUnsafeBufferPointer { wide in
            withFilled(wide, validity) { filled in
                chunk(.codes, filled.count, validity, .integers(wide, validity: validity)) { range, output in
                    integerPage(part(filled, range), into: &output)
                }
            }
        }
    }

    func encode(double values: UnsafeBufferPointer<Double>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        values.withMemoryRebound(to: Int64.self) { bits in
            withFilled(bits, validity) { bits in
                chunk(.double, bits.count, validity, .doubles(values, validity: validity)) { range, output in
                    numberPage(part(bits, range), .double, into: &output)
                }
            }
        }
    }

    func encode(float values: UnsafeBufferPointer<Float>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let wide = values.map(Double.init)
        let gathered = wide.withUnsafeBufferPointer { ColumnChunkStatistics.doubles($0, validity: validity) }
        let bits = NullFilling.fill(values, validity: validity) { Int64($0.bitPattern) }
        return bits.withUnsafeBufferPointer { bits in
            chunk(.float, bits.count, validity, gathered) { range, output in
                numberPage(part(bits, range), .float, into: &output)
            }
        }
    }

    /// `values` has one bit a value, 1 for true.
    func encode(bool values: BitmapView, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let filled = NullFilling.fill(values, validity: validity)
        return filled.withUnsafeBufferPointer { words in
            chunk(
                .bool, values.count, validity, .countsOnly(valueCount: values.count, validity: validity)
            ) { range, output in
                output.append(PageScheme.bitmap.rawValue)
                let page = BitmapView(words: words.baseAddress! + range.lowerBound / 64, count: range.count)
                BitmapEncoding.encode(page, statistics, into: &output)
                return .bitmap
            }
        }
    }

    func encode(int128 values: UnsafeBufferPointer<Int128>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let low = NullFilling.fill(values, validity: validity) { Int64(truncatingIfNeeded: $0) }
        let high = NullFilling.fill(values, validity: validity) { Int64(truncatingIfNeeded: $0 &>> 64) }
        if zip(low, high).allSatisfy({ $0 >> 63 == $1 }) {
            return low.withUnsafeBufferPointer { low in
                chunk(.int128, low.count, validity, .wideIntegers(values, validity: validity)) { range, output in
                    numberPage(part(low, range), .integer, into: &output)
                }
            }
        }
        return parts(.int128, [high, low], validity, .wideIntegers(values, validity: validity))
    }

    /// A UUID's value is the number that its 16 bytes spell, the first byte highest.
    func encode(uuid values: UnsafeBufferPointer<UInt128>, validity: BitmapView? = nil) -> EncodedColumnChunk {
        let high = NullFilling.fill(values, validity: validity) { Int64(truncatingIfNeeded: $0 >> 64) }
        let low = NullFilling.fill(values, validity: validity) { Int64(truncatingIfNeeded: $0) }
        return chunk(
            .uuid, values.count, validity, .countsOnly(valueCount: values.count, validity: validity),
            pageValueCount: Self.partsPageValueCount(2)
        ) { range, output in
            let halves = [high, low].map { half in half.withUnsafeBufferPointer { Array(part($0, range)) } }
            let constant = halves[0].withUnsafeBufferPointer { high in
                halves[1].withUnsafeBufferPointer { low in ConstantBits(high: high, low: low) }
            }
            guard let constant else { return partsPage(halves, 0..<range.count, into: &output) }
            let packed = [constant.packedHigh(halves[0]), constant.packedLow(halves[1])]
            output.append(PageScheme.constantBits.rawValue)
            constant.encode(into: &output)
            directoryAndVectors(0..<range.count, into: &output) { partsVector(packed, $0, into: &$1) }
            return .constantBits
        }
    }

    func encode(
        intervalMonths months: UnsafeBufferPointer<Int32>, days: UnsafeBufferPointer<Int32>,
        microseconds: UnsafeBufferPointer<Int64>, validity: BitmapView? = nil
    ) -> EncodedColumnChunk {
        precondition(
            months.count == days.count && days.count == microseconds.count, "an interval has all of its three parts")
        let columns = [
            NullFilling.fill(months, validity: validity) { Int64($0) },
            NullFilling.fill(days, validity: validity) { Int64($0) },
            NullFilling.fill(microseconds, validity: validity),
        ]
        return parts(.interval, columns, validity, .countsOnly(valueCount: months.count, validity: validity))
    }

    private func parts(
        _ kind: PhysicalKind, _ columns: [[Int64]], _ validity: BitmapView?, _ gathered: ColumnChunkStatistics
    ) -> EncodedColumnChunk {
        let valueCount = columns[0].count
        return chunk(
            kind, valueCount, validity, gathered, pageValueCount: Self.partsPageValueCount(columns.count)
        ) { range, output in partsPage(columns, range, into: &output) }
    }

    private static func partsPageValueCount(_ partCount: Int) -> Int {
        VectorLayout.columnChunkValueCountMax / partCount / VectorLayout.valueCount * VectorLayout.valueCount
    }

    private func partsPage(_ columns: [[Int64]], _ range: Range<Int>, into output: inout ByteWriter) -> PageScheme {
        vectorsPage(range, into: &output) { partsVector(columns, $0, into: &$1) }
    }

    private func partsVector(_ columns: [[Int64]], _ vector: Range<Int>, into output: inout ByteWriter) {
        output.append(EncodingID.parts.rawValue)
        for column in columns {
            column.withUnsafeBufferPointer { column in
                count(IntegerCodec.encode(VectorView(part(column, vector)), statistics, into: &output))
            }
        }
    }

    // MARK: Pages

    func part<T>(_ values: UnsafeBufferPointer<T>, _ range: Range<Int>) -> UnsafeBufferPointer<T> {
        UnsafeBufferPointer(rebasing: values[range])
    }

    /// Cuts the chunk into pages of `pageValueCount` values and frames what `body` writes for each.
    func chunk(
        _ kind: PhysicalKind, _ valueCount: Int, _ validity: BitmapView?, _ gathered: ColumnChunkStatistics,
        pageValueCount: Int = VectorLayout.columnChunkValueCountMax,
        _ body: (_ range: Range<Int>, _ output: inout ByteWriter) -> PageScheme
    ) -> EncodedColumnChunk {
        let ranges = stride(from: 0, to: valueCount, by: max(pageValueCount, 1)).map {
            $0..<min($0 + pageValueCount, valueCount)
        }
        return chunk(kind, valueCount, validity, gathered, ranges: ranges, body)
    }

    func chunk(
        _ kind: PhysicalKind, _ valueCount: Int, _ validity: BitmapView?, _ gathered: ColumnChunkStatistics,
        ranges: [Range<Int>], _ body: (_ range: Range<Int>, _ output: inout ByteWriter) -> PageScheme
    ) -> EncodedColumnChunk {
        precondition(
            valueCount <= VectorLayout.columnChunkValueCountMax, "a column chunk holds at most 65,536 values")
        precondition(validity.map { $0.count == valueCount } ?? true, "validity covers every value")
        encodingCounts = [:]
        var payload = ByteWriter(reservingBytes: 1 << 16)
        var pages: [EncodedPage] = []
        for range in ranges {
            payload.removeAll()
            if let validity {
                let words = validity.words + range.lowerBound / 64
                BitmapEncoding.encode(BitmapView(words: words, count: range.count), statistics, into: &payload)
            } else {
                payload.append(0)
            }
            let scheme = body(range, &payload)
            pages.append(frame(payload, kind, range, scheme))
        }
        return EncodedColumnChunk(
            kind: kind, valueCount: valueCount, pages: pages, statistics: gathered, encodingCounts: encodingCounts)
    }

    private func frame(
        _ payload: borrowing ByteWriter, _ kind: PhysicalKind, _ range: Range<Int>, _ scheme: PageScheme
    ) -> EncodedPage {
        var page = ByteWriter(reservingBytes: payload.count + 32)
        let compression = Chooser.compress(payload, kind, scheme, profile, compressor) { compression, bytes in
            page.append(kind.rawValue)
            page.append(compression.rawValue)
            page.appendVarint(range.count)
            if compression != .none { page.appendVarint(payload.count) }
            page.append(bytes)
        }
        return EncodedPage(
            bytes: page.bytes, firstValue: range.lowerBound, valueCount: range.count, scheme: scheme,
            compression: compression)
    }

    /// Writes the vectors of `range` one after another behind their directory.
    func vectorsPage(
        _ range: Range<Int>, into output: inout ByteWriter,
        _ encodeVector: (_ vector: Range<Int>, _ output: inout ByteWriter) -> Void
    ) -> PageScheme {
        output.append(PageScheme.vectors.rawValue)
        directoryAndVectors(range, into: &output, encodeVector)
        return .vectors
    }

    func directoryAndVectors(
        _ range: Range<Int>, into output: inout ByteWriter,
        _ encodeVector: (_ vector: Range<Int>, _ output: inout ByteWriter) -> Void
    ) {
        var vectors = ByteWriter(reservingBytes: range.count * 2)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(start + VectorLayout.valueCount, range.upperBound)
            let before = vectors.count
            encodeVector(start..<end, &vectors)
            output.appendVarint(vectors.count - before)
            start = end
        }
        output.append(contentsOf: vectors)
    }

    func integerPage(_ values: UnsafeBufferPointer<Int64>, into output: inout ByteWriter) -> PageScheme {
        numberPage(values, .integer, canUseDictionary: false, into: &output)
    }

    /// A page of numbers by the cheapest scheme.
    func numberPage(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, canUseDictionary: Bool = true,
        into output: inout ByteWriter
    ) -> PageScheme {
        let start = output.count
        doubles.prepare(values, domain)
        let runs = SteppedRuns.split(values)
        if let runs {
            output.append(PageScheme.steppedRuns.rawValue)
            SteppedRuns.encode(runs, statistics, into: &output)
            // Few runs cannot be beaten by much, a handful not at all; more of them are compared with the vectors.
            let valueCountMin = profile == .warm ? Self.runValueCountSure : 8 * Self.runValueCountSure
            if runs.count <= max(1, values.count / valueCountMin) { return .steppedRuns }
        }
        let runByteCount = runs == nil ? Int.max : output.count - start
        var best = ByteWriter(reservingBytes: values.count * 4)
        var scheme = PageScheme.vectors
        let savedCounts = encodingCounts
        if canUseDictionary, let distinct = Chooser.dictionary(values, domain, profile, doubles) {
            scheme = .dictionary
            dictionaryPage(distinct, domain, into: &best)
        } else {
            if let cut = doubles.cut {
                scheme = .alpRD
                best.append(scheme.rawValue)
                ALPRD.encode(cut, into: &best)
            } else {
                best.append(scheme.rawValue)
            }
            directoryAndVectors(0..<values.count, into: &best) { vector, output in
                count(NumberCodec.encode(VectorView(part(values, vector)), domain, doubles, into: &output))
            }
        }
        if profile == .cold {
            var whole = ByteWriter(reservingBytes: 1 << 12)
            let byteCountMax = min(best.count, runByteCount)
            if let chosen = WholePage.encode(values, domain, doubles, compressor, below: byteCountMax, into: &whole) {
                encodingCounts = savedCounts
                output.truncate(to: start)
                output.append(contentsOf: whole)
                return chosen
            }
        }
        if runByteCount <= best.count {
            encodingCounts = savedCounts
            return .steppedRuns
        }
        output.truncate(to: start)
        output.append(contentsOf: best)
        return scheme
    }

    private func dictionaryPage(_ distinct: DistinctValues, _ domain: NumberDomain, into output: inout ByteWriter) {
        output.append(PageScheme.dictionary.rawValue)
        output.appendVarint(distinct.values.count)
        distinct.values.withUnsafeBufferPointer {
            NumberCodec.encodeSequence($0, domain, doubles.nested, into: &output)
        }
        distinct.codes.withUnsafeBufferPointer { codes in
            directoryAndVectors(0..<codes.count, into: &output) { vector, output in
                count(IntegerCodec.encode(VectorView(part(codes, vector)), statistics, into: &output))
            }
        }
    }
}

/// One face for vectors of integers, doubles and floats.
enum NumberCodec {
    @discardableResult
    static func encode(
        _ values: VectorView<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics,
        into output: inout ByteWriter
    ) -> EncodingID {
        switch domain {
        case .integer: IntegerCodec.encode(values, statistics.integers, into: &output)
        case .double, .float: DoubleCodec.encode(values, statistics, into: &output)
        }
    }

    static func encodeSequence(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics,
        into output: inout ByteWriter
    ) {
        switch domain {
        case .integer: IntegerCodec.encodeSequence(values, statistics.integers, into: &output)
        case .double, .float: DoubleCodec.encodeSequence(values, domain, statistics, into: &output)
        }
    }

    static func decodeSequence(
        _ reader: inout ByteReader, count: Int, _ domain: NumberDomain
    ) throws(FormatError) -> [Int64] {
        switch domain {
        case .integer: try IntegerCodec.decodeSequence(&reader, count: count)
        case .double, .float: try DoubleCodec.decodeSequence(&reader, count: count, domain)
        }
    }
}

/// Puts the previous valid value under every null; under leading nulls the first valid one.
enum NullFilling {
    static func fill<T: BitwiseCopyable, U: BitwiseCopyable>(
        _ values: UnsafeBufferPointer<T>, validity: BitmapView?, _ transform: (T) -> U
    ) -> [U] {
        guard let validity, !values.isEmpty else { return values.map(transform) }
        // Where nothing is valid any value will do, and the first makes the page constant.
        var previous = transform(values[values.indices.first { validity[$0] } ?? 0])
        return values.indices.map { index in
            if validity[index] { previous = transform(values[index]) }
            return previous
        }
    }

    static func fill(_ values: UnsafeBufferPointer<Int64>, validity: BitmapView?) -> [Int64] {
        if validity == nil { return Array(values) }
        return fill(values, validity: validity) { $0 }
    }

    /// Under a null bit the previous bit.
    static func fill(_ bits: BitmapView, validity: BitmapView?) -> [UInt64] {
        let wordCount = BitmapView.wordCount(forBits: bits.count)
        var words = (0..<wordCount).map { bits.word($0) }
        guard let validity, bits.count > 0 else { return words }
        var previous = bits[(0..<bits.count).first { validity[$0] } ?? 0]
        for index in 0..<bits.count {
            if validity[index] {
                previous = bits[index]
            } else {
                let mask: UInt64 = 1 << UInt64(index & 63)
                if previous { words[index >> 6] |= mask } else { words[index >> 6] &= ~mask }
            }
        }
        return words
    }
}
