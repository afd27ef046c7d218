// SPDX-License-Identifier: Apache-2.0
//
// What a page is stored as: dictionary or not, compressed or not.
//
// Vectors choose their encoding by exact estimates (IntegerCodec.choose). Decisions that concern a
// whole page are made here, from samples, by size; a page whose gain is small stays with the scheme
// that decodes faster.

enum Chooser {
    /// A dictionary is only tried where no more than this share of a sample is distinct: of 1,024 draws from
    /// 16,384 equally likely values, 3 % repeat.
    static let distinctShareMax = 0.97
    /// How many times smaller a dictionary must be: it takes a look-up a value to decode.
    private static let dictionaryGainWarm = 1.06
    private static let dictionaryGainCold = 1.01
    /// Vectors of a page that estimates look at.
    private static let sampledVectorCount = 4
    /// Compression must save at least one part in this many.
    private static let compressionGainWarm = 8
    private static let compressionGainCold = 32
    /// Packed bits hardly repeat, so more effort would gain nothing.
    private static let numberLevel: Int32 = 3
    /// Text of a page that is coded to judge its symbols: what LZ4 can look back.
    private static let sampledTextByteCount = 64 << 10
    /// Page bytes below which compression is not tried.
    private static let compressionByteCountMin = 64

    /// The distinct values of the page when a dictionary makes it smaller.
    static func dictionary(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ profile: StorageProfile,
        _ statistics: DoubleStatistics
    ) -> DistinctValues? {
        guard values.count >= 256, DistinctValues.sampledShare(values) <= distinctShareMax else { return nil }
        let plainBits = sampledBits(values, domain, statistics)
        if plainBits <= 1 { return nil }
        // Codes of more distinct values than this could not be smaller, however well they follow each other.
        let codeWidthMax = min(20, Int(plainBits * 1.25) + 1)
        let distinctCountMax = min(DistinctValues.distinctCountMax, values.count / 2, 1 << codeWidthMax)
        let distinct = DistinctValues(values, distinctCountMax: distinctCountMax, domain) { distinctCount in
            // Packed codes and packed entries; that codes follow each other better than values is rare.
            let entryShare = Double(distinctCount) / Double(values.count)
            return Double(BitPacking.width(of: UInt64(distinctCount - 1))) + entryShare * plainBits < plainBits * 1.25
        }
        guard let distinct else { return nil }
        let codeBits = distinct.codes.withUnsafeBufferPointer { sampledBits($0, .integer, statistics) }
        let entryBits = distinct.values.withUnsafeBufferPointer { entries in
            statistics.nested.prepare(entries, domain)
            return sampledBits(entries, domain, statistics.nested) * Double(entries.count) / Double(values.count)
        }
        let gain = profile == .warm ? dictionaryGainWarm : dictionaryGainCold
        return (codeBits + entryBits) * gain < plainBits ? distinct : nil
    }

    /// Bits a value that the page's vectors would take, judged by a few of them.
    static func sampledBits(
        _ values: UnsafeBufferPointer<Int64>, _ domain: NumberDomain, _ statistics: DoubleStatistics
    ) -> Double {
        let vectorCount = VectorLayout.vectorCount(forValues: values.count)
        var output = ByteWriter(reservingBytes: 1 << 14)
        var valueCount = 0
        for sample in 0..<min(sampledVectorCount, vectorCount) {
            let vector = sample * vectorCount / min(sampledVectorCount, vectorCount)
            let start = vector * VectorLayout.valueCount
            let end = min(start + VectorLayout.valueCount, values.count)
            let view = VectorView(UnsafeBufferPointer(rebasing: values[start..<end]))
            NumberCodec.encode(view, domain, statistics, into: &output)
            valueCount += end - start
        }
        return valueCount == 0 ? 0 : Double(output.count * 8) / Double(valueCount)
    }

    /// The symbols for the text of a page where they make it smaller than LZ4 alone would.
    ///
    /// Cold pages leave text to Zstandard, whose own entropy coder finds more in plain bytes.
    static func symbolTable(_ text: UnsafeRawBufferPointer, _ profile: StorageProfile) -> SymbolTable? {
        guard profile == .warm, let table = SymbolTable.build(for: text) else { return nil }
        let sampleByteCount = min(text.count, sampledTextByteCount)
        let start = (text.count - sampleByteCount) / 2
        let sample = UnsafeRawBufferPointer(rebasing: text[start..<start + sampleByteCount])
        var coded = ByteWriter(reservingBytes: sampleByteCount * 2)
        table.matcher().encode(sample, into: &coded)
        let codedByteCount = coded.withUnsafeBytes { min($0.count, compressedByteCount($0)) }
        let plainByteCount = min(sampleByteCount, compressedByteCount(sample))
        var header = ByteWriter(reservingBytes: 2_048)
        table.encode(into: &header)
        let headerByteCount = header.count * sampleByteCount / text.count
        return codedByteCount + headerByteCount < plainByteCount ? table : nil
    }

    /// Bytes of LZ4, or of the plain bytes where it saves too little to be used.
    private static func compressedByteCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var compressed = ByteWriter(reservingBytes: bytes.count)
        LZ4.compress(bytes, level: .fast, into: &compressed)
        return compressed.count < bytes.count - bytes.count / compressionGainWarm ? compressed.count : bytes.count
    }

    /// Hands `use` the bytes to store, compressed where that pays, and says which.
    static func compress(
        _ payload: borrowing ByteWriter, _ kind: PhysicalKind, _ scheme: PageScheme, _ profile: StorageProfile,
        _ compressor: @autoclosure () -> ZstandardCompressor,
        _ use: (PageCompression, UnsafeRawBufferPointer) -> Void
    ) -> PageCompression {
        let plain = payload.count
        let canCompress = plain >= compressionByteCountMin && plain <= Zstandard.plainByteCountMax
        let isBytes = kind == .bytes || kind == .floatVector
        var compressed = ByteWriter()
        if canCompress && profile == .cold {
            payload.withUnsafeBytes {
                let level = isBytes || scheme == .alignedIntegers ? WholePage.storedLevel : numberLevel
                _ = compressor().compress($0, level: level, into: &compressed)
            }
            if compressed.count < plain - plain / compressionGainCold {
                compressed.withUnsafeBytes { use(.zstandard, $0) }
                return .zstandard
            }
        } else if canCompress && kind == .bytes {
            payload.withUnsafeBytes { _ = LZ4.compress($0, level: .fast, into: &compressed) }
            if compressed.count < plain - plain / compressionGainWarm {
                compressed.withUnsafeBytes { use(.lz4, $0) }
                return .lz4
            }
        }
        payload.withUnsafeBytes { use(.none, $0) }
        return .none
    }
}
