// SPDX-License-Identifier: Apache-2.0
//
// A page that was loaded: checked once, then decoded vector by vector without further checks.
//
// `load` decompresses the page where it is compressed, walks every byte of it with `verify`, and expands
// what is small and shared (validity, dictionary, runs, directory). After that decoding is total: no
// throw, no read outside the page. A page is immutable, so threads may decode from it together.
//
// Decoding writes whole rows: an output needs room for the vector's values rounded up to 64.

final class PageDecoder: @unchecked Sendable {
    // Sendable: nothing is written after `load` returns, and the bytes are kept alive by `owner`.

    let kind: PhysicalKind
    let valueCount: Int
    let scheme: PageScheme
    let compression: PageCompression
    let validity: Validity
    /// The page as arithmetic progressions, where it is stored as such; else empty.
    let steppedRuns: [SteppedRun]
    /// Index of the first value of each stepped run.
    private let runStarts: [Int]
    /// Dictionary scheme of numbers: the distinct values in order, as bit patterns.
    private let entries: [Int64]
    /// Dictionary scheme of bytes: offsets of the distinct strings in `entryBytes`.
    private let entryOffsets: [UInt32]
    private let entryBytes: ByteView
    /// ALP-RD pages: the cut.
    private let cut: ALPRDCut?
    /// UUID pages whose values share bits: which, and what they are.
    private let constantBits: ConstantBits?
    /// Byte pages of symbols: the table.
    private let symbols: SymbolTable?
    /// Whole-page schemes: every value of the page, as bit patterns.
    private let expanded: PageBuffer?
    /// Boolean pages: the values, one bit each.
    private let bits: Validity
    /// Floats a value of a float vector page.
    let dimensionCount: Int
    /// Wider vectors take so long to decode that the processor's own prefetching keeps up.
    private static let prefetchBytesMax = 2_048
    /// Offset of each vector in `plain`, and the end of the last.
    private let vectorOffsets: [Int]
    private let plain: ByteView
    private let owner: AnyObject?

    var vectorCount: Int { VectorLayout.vectorCount(forValues: valueCount) }

    /// Values in vector `index`: 1,024, or fewer in the last.
    @inline(__always)
    func valueCount(ofVector index: Int) -> Int {
        min(VectorLayout.valueCount, valueCount - index * VectorLayout.valueCount)
    }

    /// Memory that this page holds on to, for a cache's book-keeping.
    var residentByteCount: Int {
        plain.count + entries.count * 8 + entryOffsets.count * 4 + steppedRuns.count * 32 + vectorOffsets.count * 8
            + (expanded?.capacity ?? 0) * 8
    }

    // MARK: Loading

    /// Checks `bytes` and makes them decodable; `owner` keeps them alive and unchanged.
    convenience init(_ bytes: ByteView, keepingAlive owner: AnyObject?) throws(FormatError) {
        var reader = ByteReader(bytes)
        let tag = try reader.readByte()
        guard let kind = PhysicalKind(rawValue: tag) else { throw FormatError("unknown physical kind \(tag)") }
        let compressionTag = try reader.readByte()
        guard let compression = PageCompression(rawValue: compressionTag) else {
            throw FormatError("unknown page compression \(compressionTag)", at: 1)
        }
        let valueCount = try reader.readCount(atMost: VectorLayout.columnChunkValueCountMax)
        guard valueCount > 0 else { throw FormatError("a page without values", at: 2) }
        if compression == .none {
            try self.init(kind, compression, valueCount, bytes[reader.offset...], owner)
            return
        }
        let plainByteCount = try reader.readCount(atMost: Zstandard.plainByteCountMax)
        let plain = try PlainBytes(bytes[reader.offset...], compression, plainByteCount)
        try self.init(kind, compression, valueCount, plain.view, plain)
    }

    /// Copies `bytes` first, for callers that cannot keep them alive.
    convenience init(copying bytes: [UInt8]) throws(FormatError) {
        let copy = PlainBytes(bytes)
        try self.init(copy.view, keepingAlive: copy)
    }

    private init(
        _ kind: PhysicalKind, _ compression: PageCompression, _ valueCount: Int, _ plain: ByteView,
        _ owner: AnyObject?
    ) throws(FormatError) {
        self.kind = kind
        self.compression = compression
        self.valueCount = valueCount
        self.plain = plain
        self.owner = owner
        var reader = ByteReader(plain)
        validity = try BitmapEncoding.decode(&reader, count: valueCount)
        let schemeOffset = reader.offset
        let tag = try reader.readByte()
        guard let scheme = PageScheme(rawValue: tag), Self.permits(scheme, kind) else {
            throw FormatError("scheme \(tag) does not hold \(kind) values", at: schemeOffset)
        }
        self.scheme = scheme

        var runs: [SteppedRun] = []
        var entries: [Int64] = []
        var entryOffsets: [UInt32] = []
        var entryBytes = ByteView.empty
        var bits = Validity.allNull
        var dimensionCount = 0
        var cut: ALPRDCut?
        var constantBits: ConstantBits?
        var symbols: SymbolTable?
        var expanded: PageBuffer?
        var vectorOffsets: [Int] = []
        switch scheme {
        case .steppedRuns: runs = try SteppedRuns.decode(&reader, count: valueCount)
        case .binnedEntropy, .alignedIntegers:
            expanded = try WholePage.decode(&reader, scheme, count: valueCount, Self.domain(kind))
        case .bitmap: bits = try BitmapEncoding.decode(&reader, count: valueCount)
        case .dictionary where kind == .bytes:
            let entryCount = try reader.readCount(atMost: DistinctValues.distinctCountMax)
            (entryOffsets, entryBytes) = try Self.readByteStrings(&reader, count: entryCount)
            vectorOffsets = try Self.readDirectory(&reader, valueCount)
        case .dictionary:
            let entryCount = try reader.readCount(atMost: DistinctValues.distinctCountMax)
            entries = try NumberCodec.decodeSequence(&reader, count: entryCount, Self.domain(kind))
            vectorOffsets = try Self.readDirectory(&reader, valueCount)
        default:
            if scheme == .alpRD { cut = try ALPRD.decodeCut(&reader) }
            if scheme == .constantBits { constantBits = try ConstantBits.decode(&reader) }
            if scheme == .symbols { symbols = try SymbolTable.decode(&reader) }
            if kind == .floatVector {
                dimensionCount = try reader.readCount(atMost: 1 << 20)
                guard dimensionCount > 0 else { throw FormatError("vectors of no dimensions", at: reader.offset) }
            }
            vectorOffsets = try Self.readDirectory(&reader, valueCount)
        }
        self.entries = entries
        self.entryOffsets = entryOffsets
        self.entryBytes = entryBytes
        self.bits = bits
        self.cut = cut
        self.constantBits = constantBits
        self.symbols = symbols
        self.expanded = expanded
        self.dimensionCount = dimensionCount
        self.vectorOffsets = vectorOffsets
        steppedRuns = runs
        var starts: [Int] = []
        var start = 0
        for run in runs {
            starts.append(start)
            start += run.valueCount
        }
        runStarts = starts
        if vectorOffsets.isEmpty {
            try reader.expectEnd()
        } else {
            try verifyVectors()
        }
    }

    private static func permits(_ scheme: PageScheme, _ kind: PhysicalKind) -> Bool {
        switch scheme {
        case .vectors: kind != .bool
        case .bitmap: kind == .bool
        case .steppedRuns: [.int64, .int128, .codes, .double, .float].contains(kind)
        case .dictionary: [.int64, .int128, .double, .float, .bytes].contains(kind)
        case .alpRD: kind == .double
        case .constantBits: kind == .uuid
        case .symbols: kind == .bytes
        case .binnedEntropy, .alignedIntegers: [.int64, .int128, .codes, .double, .float].contains(kind)
        }
    }

    private static func domain(_ kind: PhysicalKind) -> NumberDomain {
        switch kind {
        case .double: .double
        case .float: .float
        default: .integer
        }
    }

    private static func readDirectory(_ reader: inout ByteReader, _ valueCount: Int) throws(FormatError) -> [Int] {
        let vectorCount = VectorLayout.vectorCount(forValues: valueCount)
        var byteCounts: [Int] = []
        for _ in 0..<vectorCount { byteCounts.append(try reader.readCount(atMost: reader.view.count)) }
        var offsets = [reader.offset]
        for byteCount in byteCounts {
            let end = offsets[offsets.count - 1] + byteCount
            guard end <= reader.view.count else {
                throw FormatError("a vector ends past its page", at: reader.offset)
            }
            offsets.append(end)
        }
        guard offsets[vectorCount] == reader.view.count else {
            throw FormatError("bytes follow the last vector", at: offsets[vectorCount])
        }
        return offsets
    }

    /// `count` strings as offsets into their bytes.
    private static func readByteStrings(
        _ reader: inout ByteReader, count: Int
    ) throws(FormatError) -> ([UInt32], ByteView) {
        let start = reader.offset
        let lengths = try IntegerCodec.decodeSequence(&reader, count: count)
        var offsets: [UInt32] = [0]
        var total: Int64 = 0
        for length in lengths {
            guard length >= 0, length <= Int64(reader.remaining), total + length <= Int64(reader.remaining) else {
                throw FormatError("string lengths exceed their bytes", at: start)
            }
            total += length
            offsets.append(UInt32(total))
        }
        return (offsets, try reader.readBytes(Int(total)))
    }

    private func verifyVectors() throws(FormatError) {
        let scratch = VectorBuffer<Int64>()
        var stringByteCount = 0
        for vector in 0..<vectorCount {
            let start = vectorOffsets[vector]
            var reader = ByteReader(plain[start..<vectorOffsets[vector + 1]])
            let count = valueCount(ofVector: vector)
            do throws(FormatError) {
                if scheme == .dictionary {
                    try IntegerCodec.verify(&reader, count: count)
                    try verifyCodes(reader.view, count: count, scratch)
                    if kind == .bytes { stringByteCount += distinctByteCount(ofCodes: scratch, count: count) }
                } else {
                    stringByteCount += try verifyVector(&reader, count: count, scratch)
                }
                guard stringByteCount <= VectorLayout.pageStringByteCountMax else {
                    throw FormatError("strings of more than \(VectorLayout.pageStringByteCountMax) bytes in a page")
                }
                try reader.expectEnd()
            } catch {
                throw error.shifted(by: start)
            }
        }
    }

    private func verifyCodes(
        _ bytes: ByteView, count: Int, _ scratch: VectorBuffer<Int64>
    ) throws(FormatError) {
        let entryCount = kind == .bytes ? entryOffsets.count - 1 : entries.count
        var cursor = VerifiedCursor(bytes.pointer())
        IntegerCodec.decode(&cursor, count: count, into: scratch.pointer)
        let extremes = Kernels.extremes(scratch.pointer, count: count)
        guard extremes.min >= 0, extremes.max < Int64(entryCount) else {
            throw FormatError("a code lies outside a dictionary of \(entryCount)")
        }
    }

    /// Bytes of the distinct strings that verified codes name, each as often as it is named.
    private func distinctByteCount(ofCodes codes: VectorBuffer<Int64>, count: Int) -> Int {
        var byteCount = 0
        for index in 0..<count {
            let code = Int(codes[index])
            byteCount += Int(entryOffsets[code + 1] - entryOffsets[code])
        }
        return byteCount
    }

    /// - Returns: bytes of the vector's strings; 0 for other kinds.
    private func verifyVector(
        _ reader: inout ByteReader, count: Int, _ scratch: VectorBuffer<Int64>
    ) throws(FormatError) -> Int {
        switch kind {
        case .int64, .codes: try IntegerCodec.verify(&reader, count: count)
        case .double, .float: try DoubleCodec.verify(&reader, count: count, Self.domain(kind), cut: cut)
        case .int128, .uuid, .interval: try verifyParts(&reader, count: count)
        case .bytes:
            let id: EncodingID = symbols == nil ? .plainBytes : .symbolBytes
            guard try reader.readByte() == id.rawValue else { throw FormatError("an unknown encoding of bytes") }
            let total = try verifyLengths(&reader, count: count, scratch)
            if let symbols {
                try symbols.verify(&reader, plainByteCount: total)
            } else {
                try reader.skip(total)
            }
            return total
        case .floatVector:
            let tag = try reader.readByte()
            guard tag == EncodingID.rawFloats.rawValue || tag == EncodingID.shuffledFloats.rawValue else {
                throw FormatError("encoding \(tag) does not hold float vectors")
            }
            try reader.skip(count * dimensionCount * MemoryLayout<Float>.size)
        case .bool: throw FormatError("boolean pages have no vectors")
        }
        return 0
    }

    /// The byte counts of strings; returns their sum, which the bytes behind them can hold.
    private func verifyLengths(
        _ reader: inout ByteReader, count: Int, _ scratch: VectorBuffer<Int64>
    ) throws(FormatError) -> Int {
        let offset = reader.offset
        try IntegerCodec.verify(&reader, count: count)
        var cursor = VerifiedCursor(reader.view.pointer(at: offset))
        IntegerCodec.decode(&cursor, count: count, into: scratch.pointer)
        // A code is a byte and spells eight at most.
        let byteCountMax = symbols == nil ? reader.remaining : reader.remaining * 8
        var total = 0
        for index in 0..<count {
            let length = scratch.pointer[index]
            guard length >= 0, length <= Int64(byteCountMax - total) else {
                throw FormatError("string lengths exceed their bytes", at: offset)
            }
            total += Int(length)
        }
        return total
    }

    /// A vector of wide values: its parts, or for int128 a single integer vector.
    private func verifyParts(_ reader: inout ByteReader, count: Int) throws(FormatError) {
        if kind == .int128 && !reader.isAtEnd && reader.view[0] != EncodingID.parts.rawValue {
            try IntegerCodec.verify(&reader, count: count)
            return
        }
        guard try reader.readByte() == EncodingID.parts.rawValue else {
            throw FormatError("wide values are stored in parts")
        }
        for _ in 0..<(kind == .interval ? 3 : 2) { try IntegerCodec.verify(&reader, count: count) }
    }

    // MARK: Nulls

    /// Copies the validity of vector `index` (16 words) and returns its null count; 0 leaves `words` alone.
    func decodeValidity(_ index: Int, into words: UnsafeMutablePointer<UInt64>) -> Int {
        let count = valueCount(ofVector: index)
        switch validity {
        case .allValid: return 0
        case .allNull:
            words.update(repeating: 0, count: BitmapView.wordCount(forBits: count))
            return count
        case .bitmap(let all):
            let start = index * VectorLayout.valueCount / 64
            var ones = 0
            for word in 0..<BitmapView.wordCount(forBits: count) {
                words[word] = all[start + word]
                ones += all[start + word].nonzeroBitCount
            }
            return count - ones
        }
    }

    // MARK: Numbers

    @inline(__always)
    private func cursor(_ index: Int) -> VerifiedCursor {
        precondition(index >= 0 && index < vectorCount, "a vector is one of its page's")
        return VerifiedCursor(plain.pointer(at: vectorOffsets[index]))
    }

    /// Begins to bring the vector after `index` into the cache: its head and its patches are far apart, and would each be
    /// waited for.
    @inline(__always)
    private func prefetch(after index: Int) {
        guard index + 2 < vectorOffsets.count else { return }
        let end = min(vectorOffsets[index + 2], vectorOffsets[index + 1] + Self.prefetchBytesMax)
        for offset in stride(from: vectorOffsets[index + 1], to: end, by: 64) {
            Kernels.prefetch(plain.pointer(at: offset))
        }
    }

    /// int64 pages. Also the bit patterns of double pages and of float pages (low 32 bits).
    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Int64>) {
        let count = valueCount(ofVector: index)
        switch scheme {
        case .steppedRuns: fillFromRuns(index, count: count, into: output)
        case .binnedEntropy, .alignedIntegers:
            precondition(index >= 0 && index < vectorCount, "a vector is one of its page's")
            guard let expanded else { preconditionFailure("such a page is expanded when it is loaded") }
            output.update(from: expanded.pointer + index * VectorLayout.valueCount, count: count)
        case .dictionary:
            var cursor = cursor(index)
            IntegerCodec.decode(&cursor, count: count, into: output)
            // Precondition: every code is below entries.count, checked by verifyCodes.
            Kernels.replaceCodes(output, count: count, entries)
        default:
            var cursor = cursor(index)
            prefetch(after: index)
            switch kind {
            case .double, .float:
                DoubleCodec.decode(&cursor, count: count, Self.domain(kind), cut: cut, into: output)
            default: IntegerCodec.decode(&cursor, count: count, into: output)
            }
        }
    }

    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Double>) {
        precondition(kind == .double, "doubles are decoded from double pages")
        let room = VectorLayout.valueCount
        output.withMemoryRebound(to: Int64.self, capacity: room) { decodeVector(index, into: $0) }
    }

    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Float>) {
        precondition(kind == .float, "floats are decoded from float pages")
        withScratch(index) { bits, count in
            for position in 0..<count {
                output[position] = Float(bitPattern: UInt32(truncatingIfNeeded: bits[position]))
            }
        }
    }

    /// Codes pages.
    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<UInt32>) {
        precondition(kind == .codes, "codes are decoded from code pages")
        withScratch(index) { values, count in
            for position in 0..<count { output[position] = UInt32(truncatingIfNeeded: values[position]) }
        }
    }

    private func withScratch(_ index: Int, _ body: (UnsafeMutablePointer<Int64>, Int) -> Void) {
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) { scratch in
            let pointer = scratch.baseAddress.unsafelyUnwrapped
            decodeVector(index, into: pointer)
            body(pointer, valueCount(ofVector: index))
        }
    }

    private func fillFromRuns(_ index: Int, count: Int, into output: UnsafeMutablePointer<Int64>) {
        let start = index * VectorLayout.valueCount
        var run = self.run(containing: start)
        var filled = 0
        while filled < count {
            let skipped = start + filled - runStarts[run]
            let taken = min(steppedRuns[run].valueCount - skipped, count - filled)
            let step = steppedRuns[run].step
            IntegerKernels.fillProgression(
                output + filled, count: taken, first: steppedRuns[run].first &+ step &* Int64(skipped), step: step)
            filled += taken
            run += 1
        }
    }

    /// Index of the stepped run that holds value `value`.
    private func run(containing value: Int) -> Int {
        var low = 0
        var high = runStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if runStarts[middle] <= value { low = middle } else { high = middle }
        }
        return low
    }

    // MARK: Knowing without decoding

    /// Appends the progressions of values `range` of a page that is stored as such.
    func appendSteppedRuns(_ range: Range<Int>, to runs: inout [SteppedRun]) {
        precondition(scheme == .steppedRuns && range.upperBound <= valueCount, "values of a page of progressions")
        var index = range.lowerBound
        var run = self.run(containing: index)
        while index < range.upperBound {
            let skipped = index - runStarts[run]
            let taken = min(steppedRuns[run].valueCount - skipped, range.upperBound - index)
            runs.append(
                SteppedRun(
                    first: steppedRuns[run].value(at: skipped), step: steppedRuns[run].step, valueCount: taken))
            index += taken
            run += 1
        }
    }

    /// The vector as one arithmetic progression, where the page says so: its first value and step.
    func progression(_ index: Int) -> (first: Int64, step: Int64)? {
        if scheme == .steppedRuns {
            let start = index * VectorLayout.valueCount
            let run = run(containing: start)
            let skipped = start - runStarts[run]
            guard steppedRuns[run].valueCount - skipped >= valueCount(ofVector: index) else { return nil }
            return (steppedRuns[run].first &+ steppedRuns[run].step &* Int64(skipped), steppedRuns[run].step)
        }
        guard scheme == .vectors, kind == .int64 || kind == .codes else { return nil }
        var cursor = cursor(index)
        guard cursor.byte() == EncodingID.constant.rawValue else { return nil }
        return (cursor.signedVarint(), 0)
    }

    /// The vector as runs of equal values, where it is stored so; `body` gets them in order.
    ///
    /// Returns false, without calling `body`, where the vector is stored otherwise.
    func withConstantRuns(
        _ index: Int, _ body: (_ value: Int64, _ valueCount: Int) -> Void
    ) -> Bool {
        let count = valueCount(ofVector: index)
        if scheme == .steppedRuns { return withConstantSteppedRuns(index, count: count, body) }
        guard scheme == .vectors, kind == .int64 || kind == .codes else { return false }
        var cursor = cursor(index)
        switch EncodingID(rawValue: cursor.byte()) {
        case .constant:
            body(cursor.signedVarint(), count)
            return true
        case .runLength:
            RunLength.withRuns(&cursor) { values, lengths, runCount in
                for run in 0..<runCount { body(values[run], Int(lengths[run])) }
            }
            return true
        default: return false
        }
    }

    private func withConstantSteppedRuns(_ index: Int, count: Int, _ body: (Int64, Int) -> Void) -> Bool {
        let start = index * VectorLayout.valueCount
        let first = run(containing: start)
        var last = first
        while last + 1 < runStarts.count && runStarts[last + 1] < start + count { last += 1 }
        guard steppedRuns[first...last].allSatisfy({ $0.step == 0 || $0.valueCount == 1 }) else { return false }
        for run in first...last {
            let from = max(runStarts[run], start)
            let to = min(runStarts[run] + steppedRuns[run].valueCount, start + count)
            body(steppedRuns[run].first, to - from)
        }
        return true
    }

    // MARK: Wide values

    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<Int128>) {
        precondition(kind == .int128, "wide integers are decoded from their own pages")
        let isNarrow = scheme != .vectors || plain[vectorOffsets[index]] != EncodingID.parts.rawValue
        if isNarrow {
            withScratch(index) { values, count in
                for position in 0..<count { output[position] = Int128(values[position]) }
            }
        } else {
            withParts(index, partCount: 2) { parts, count in
                for position in 0..<count {
                    let low = UInt64(bitPattern: parts[VectorLayout.valueCount + position])
                    output[position] = Int128(parts[position]) << 64 | Int128(low)
                }
            }
        }
    }

    /// UUID pages: the number that the 16 bytes spell, the first byte highest.
    func decodeVector(_ index: Int, into output: UnsafeMutablePointer<UInt128>) {
        precondition(kind == .uuid, "UUIDs are decoded from UUID pages")
        withParts(index, partCount: 2) { parts, count in
            constantBits?.expand(high: parts, low: parts + VectorLayout.valueCount, count: count)
            for position in 0..<count {
                let high = UInt64(bitPattern: parts[position])
                let low = UInt64(bitPattern: parts[VectorLayout.valueCount + position])
                output[position] = UInt128(high) << 64 | UInt128(low)
            }
        }
    }

    func decodeIntervals(
        _ index: Int, months: UnsafeMutablePointer<Int32>, days: UnsafeMutablePointer<Int32>,
        microseconds: UnsafeMutablePointer<Int64>
    ) {
        precondition(kind == .interval, "intervals are decoded from interval pages")
        withParts(index, partCount: 3) { parts, count in
            for position in 0..<count {
                months[position] = Int32(truncatingIfNeeded: parts[position])
                days[position] = Int32(truncatingIfNeeded: parts[VectorLayout.valueCount + position])
                microseconds[position] = parts[2 * VectorLayout.valueCount + position]
            }
        }
    }

    /// Lends the parts of a wide vector, each 1,024 values after the one before.
    private func withParts(
        _ index: Int, partCount: Int, _ body: (UnsafeMutablePointer<Int64>, Int) -> Void
    ) {
        let count = valueCount(ofVector: index)
        var cursor = cursor(index)
        _ = cursor.byte()
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: partCount * VectorLayout.valueCount) { scratch in
            let pointer = scratch.baseAddress.unsafelyUnwrapped
            for part in 0..<partCount {
                IntegerCodec.decode(&cursor, count: count, into: pointer + part * VectorLayout.valueCount)
            }
            body(pointer, count)
        }
    }

    // MARK: Booleans, bytes, float vectors

    /// Boolean pages: one bit a value into 16 words.
    func decodeBits(_ index: Int, into words: UnsafeMutablePointer<UInt64>) {
        precondition(kind == .bool, "bits are decoded from boolean pages")
        let count = valueCount(ofVector: index)
        let wordCount = BitmapView.wordCount(forBits: count)
        switch bits {
        case .allValid:
            words.update(repeating: .max, count: wordCount)
            if count % 64 != 0 { words[wordCount - 1] = (1 << UInt64(count % 64)) - 1 }
        case .allNull: words.update(repeating: 0, count: wordCount)
        case .bitmap(let all):
            for word in 0..<wordCount { words[word] = all[index * VectorLayout.valueCount / 64 + word] }
        }
    }

    /// Byte pages: appends each value's bytes to `bytes` and writes its byte count to `lengths`.
    func decodeBytes(_ index: Int, lengths: UnsafeMutablePointer<UInt32>, bytes: inout ByteWriter) {
        precondition(kind == .bytes, "byte strings are decoded from byte pages")
        if scheme == .dictionary {
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: VectorLayout.valueCount) { codes in
                let pointer = codes.baseAddress.unsafelyUnwrapped
                decodeByteCodes(index, into: pointer)
                for position in 0..<valueCount(ofVector: index) {
                    let entry = distinctBytes(Int(pointer[position]))
                    lengths[position] = UInt32(entry.count)
                    bytes.append(entry)
                }
            }
            return
        }
        var cursor = cursor(index)
        _ = cursor.byte()
        let count = valueCount(ofVector: index)
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) { scratch in
            let pointer = scratch.baseAddress.unsafelyUnwrapped
            IntegerCodec.decode(&cursor, count: count, into: pointer)
            for position in 0..<count { lengths[position] = UInt32(truncatingIfNeeded: pointer[position]) }
        }
        let end = plain.pointer(at: vectorOffsets[index + 1])
        let stored = UnsafeRawBufferPointer(start: cursor.pointer, count: end - cursor.pointer)
        if let symbols {
            let byteCount = (0..<count).reduce(0) { $0 + Int(lengths[$1]) }
            symbols.decode(stored, plainByteCount: byteCount, into: &bytes)
        } else {
            bytes.append(stored)
        }
    }

    /// Distinct strings of a byte page that has a dictionary, sorted by their bytes; else 0.
    var distinctBytesCount: Int { max(entryOffsets.count - 1, 0) }

    /// Distinct string `code`; the view is good while the page is.
    func distinctBytes(_ code: Int) -> ByteView {
        entryBytes[Int(entryOffsets[code])..<Int(entryOffsets[code + 1])]
    }

    /// Codes of a byte page that has a dictionary.
    func decodeByteCodes(_ index: Int, into output: UnsafeMutablePointer<UInt32>) {
        precondition(kind == .bytes && scheme == .dictionary, "codes exist where a dictionary does")
        let count = valueCount(ofVector: index)
        var cursor = cursor(index)
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount) { scratch in
            let pointer = scratch.baseAddress.unsafelyUnwrapped
            IntegerCodec.decode(&cursor, count: count, into: pointer)
            for position in 0..<count { output[position] = UInt32(truncatingIfNeeded: pointer[position]) }
        }
    }

    /// Float vector pages: `dimensionCount` floats a value, exactly, without padding.
    func decodeFloatVectors(_ index: Int, into output: UnsafeMutablePointer<Float>) {
        precondition(kind == .floatVector, "float vectors are decoded from their own pages")
        let floatCount = valueCount(ofVector: index) * dimensionCount
        var cursor = cursor(index)
        if cursor.byte() == EncodingID.rawFloats.rawValue {
            UnsafeMutableRawPointer(output).copyMemory(
                from: cursor.pointer, byteCount: floatCount * MemoryLayout<Float>.size)
        } else {
            FloatShuffle.decode(cursor.pointer, floatCount: floatCount, into: output)
        }
    }

    /// How vector `index` is stored, for people to look at.
    func encoding(ofVector index: Int) -> EncodingID? {
        vectorOffsets.isEmpty ? nil : EncodingID(rawValue: plain[vectorOffsets[index]])
    }

    /// Bytes that vector `index` takes in the plain page.
    func byteCount(ofVector index: Int) -> Int {
        vectorOffsets.isEmpty ? 0 : vectorOffsets[index + 1] - vectorOffsets[index]
    }
}

/// Bytes that a page owns itself.
private final class PlainBytes {
    private let storage: UnsafeMutableRawBufferPointer

    var view: ByteView { ByteView(UnsafeRawBufferPointer(storage)) }

    init(_ bytes: [UInt8]) {
        storage = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        storage.copyBytes(from: bytes)
    }

    init(_ compressed: ByteView, _ compression: PageCompression, _ byteCount: Int) throws(FormatError) {
        // LZ4 grows a byte to 255 at most; Zstandard states its size, which is compared before allocating.
        if compression == .lz4 && byteCount / 255 > compressed.count {
            throw FormatError("\(compressed.count) bytes of LZ4 cannot hold \(byteCount)")
        }
        if compression == .zstandard { try Zstandard.expect(byteCount, in: compressed) }
        storage = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        switch compression {
        case .lz4: try LZ4.decompress(compressed, into: storage)
        case .zstandard: try Zstandard.decompress(compressed, into: storage)
        case .none: storage.copyBytes(from: compressed.bytes)
        }
    }

    deinit { storage.deallocate() }
}
