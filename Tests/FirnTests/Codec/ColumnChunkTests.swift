// SPDX-License-Identifier: Apache-2.0
//
// Column chunks of every kind come back bit for bit from their pages; damaged pages are refused or harmless.

import Testing

@testable import Firn

@Suite struct ColumnChunkTests {
    static let counts = [1, 2, 17, 1_023, 1_024, 1_025, 5_000]

    private func pages(_ chunk: EncodedColumnChunk) throws -> ColumnChunkDecoder {
        let decoder = try ColumnChunkDecoder(
            chunk.kind, valueCount: chunk.valueCount, loaded: chunk.pages.map { try PageDecoder(copying: $0.bytes) })
        #expect(decoder.vectorCount == chunk.statistics.vectorCount)
        return decoder
    }

    /// Decodes each vector alone and joins them.
    private func values<T: BitwiseCopyable>(
        _ chunk: EncodedColumnChunk, _ type: T.Type = T.self,
        _ decode: (PageDecoder, Int, UnsafeMutablePointer<T>) -> Void
    ) throws -> [T] {
        let decoder = try pages(chunk)
        let buffer = VectorBuffer<T>()
        var result: [T] = []
        for vector in 0..<decoder.vectorCount {
            let (page, index) = decoder.locate(vector)
            decode(page, index, buffer.pointer)
            result += UnsafeBufferPointer(start: buffer.pointer, count: decoder.valueCount(ofVector: vector))
        }
        return result
    }

    @Test(arguments: StorageProfile.allCases) func integersComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for count in Self.counts {
            for (name, column) in SampleColumns.integers(count: count, &random) {
                let chunk = column.withUnsafeBufferPointer { encoder.encode(int64: $0) }
                let decoded: [Int64] = try values(chunk) { $0.decodeVector($1, into: $2) }
                #expect(decoded == column, "\(name) x \(count), seed \(random.seed)")
                guard case .integers(let least, let greatest, let sums) = chunk.statistics.bounds else {
                    Issue.record("integers have bounds")
                    continue
                }
                #expect(least.min() == column.min() && greatest.max() == column.max())
                #expect(
                    sums.reduce(0, +) == column.reduce(Int128(0)) { $0 + Int128($1) }, "\(name), seed \(random.seed)")
            }
        }
    }

    @Test(arguments: StorageProfile.allCases) func doublesComeBackBitForBit(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for count in Self.counts {
            for (name, column) in SampleColumns.doubles(count: count, &random) {
                let chunk = column.withUnsafeBufferPointer { encoder.encode(double: $0) }
                let decoded: [Double] = try values(chunk) { $0.decodeVector($1, into: $2) }
                #expect(
                    decoded.map(\.bitPattern) == column.map(\.bitPattern), "\(name) x \(count), seed \(random.seed)")
                let floats = column.map { Float($0) } + column.map { Float(bitPattern: UInt32($0.bitPattern >> 32)) }
                let floatChunk = floats.withUnsafeBufferPointer { encoder.encode(float: $0) }
                let decodedFloats: [Float] = try values(floatChunk) { $0.decodeVector($1, into: $2) }
                #expect(decodedFloats.map(\.bitPattern) == floats.map(\.bitPattern), "\(name), seed \(random.seed)")
            }
        }
    }

    @Test func doublesThatShareTheirSignAloneAreCutBehindIt() throws {
        var random = CodecRandom(seed: 5)
        let values = (0..<3_000).map { _ in Double(bitPattern: random.next() >> 1) }
        let chunk = values.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .warm).encode(double: $0) }
        #expect(chunk.pages[0].scheme == .alpRD)
        #expect(try Pages.integers(chunk) == values.map { Int64(bitPattern: $0.bitPattern) })
    }

    @Test(arguments: [0.0, 0.01, 0.5, 0.99, 1.0]) func nullsKeepTheirPlace(_ nullShare: Double) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: .warm)
        for count in Self.counts {
            let words = SampleColumns.validity(count: count, nullShare: nullShare, &random)
            let column = (0..<count).map { _ in Int64(random.below(1_000)) }
            try words.withUnsafeBufferPointer { words in
                let validity = BitmapView(words: words.baseAddress!, count: count)
                let chunk = column.withUnsafeBufferPointer { encoder.encode(int64: $0, validity: validity) }
                let decoded: [Int64] = try values(chunk) { $0.decodeVector($1, into: $2) }
                let decoder = try pages(chunk)
                let mask = VectorBuffer<UInt64>()
                for vector in 0..<decoder.vectorCount {
                    let nullCount = decoder.decodeValidity(vector, into: mask.pointer)
                    #expect(nullCount == chunk.statistics.nullCounts[vector])
                    var seen = 0
                    for index in 0..<decoder.valueCount(ofVector: vector) {
                        let isValid = nullCount == 0 || BitmapView(words: mask.pointer, count: 1_024)[index]
                        let row = vector * 1_024 + index
                        #expect(isValid == validity[row], "seed \(random.seed)")
                        if isValid { #expect(decoded[row] == column[row]) } else { seen += 1 }
                    }
                    #expect(seen == nullCount)
                }
                guard case .integers(_, _, let sums) = chunk.statistics.bounds else { return }
                let expected = column.indices.filter { validity[$0] }.reduce(Int128(0)) { $0 + Int128(column[$1]) }
                #expect(sums.reduce(0, +) == expected)
            }
        }
    }

    @Test(arguments: StorageProfile.allCases) func codesAndWideValuesComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for count in Self.counts {
            let codes = (0..<count).map { $0 % 3 == 0 ? UInt32.max : UInt32($0 / 100) }
            let codeChunk = codes.withUnsafeBufferPointer { encoder.encode(codes: $0) }
            #expect(try values(codeChunk) { $0.decodeVector($1, into: $2) } == codes)

            for shift in [0, 64, 100] {
                let wide = (0..<count).map { _ in
                    Int128(truncatingIfNeeded: UInt128(random.next()) << 64 | UInt128(random.next())) >> Int128(shift)
                }
                let chunk = wide.withUnsafeBufferPointer { encoder.encode(int128: $0) }
                #expect(try values(chunk) { $0.decodeVector($1, into: $2) } == wide, "seed \(random.seed)")
            }
            let uuids = (0..<count).map { _ in UInt128(random.next()) << 64 | UInt128(random.next()) }
            let uuidChunk = uuids.withUnsafeBufferPointer { encoder.encode(uuid: $0) }
            #expect(try values(uuidChunk) { $0.decodeVector($1, into: $2) } == uuids, "seed \(random.seed)")
        }
    }

    @Test func intervalsComeBack() throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: .warm)
        for count in Self.counts {
            let months = (0..<count).map { _ in Int32(truncatingIfNeeded: random.next()) }
            let days = (0..<count).map { Int32($0 % 31) }
            let micros = (0..<count).map { _ in Int64(bitPattern: random.next()) }
            let chunk = months.withUnsafeBufferPointer { months in
                days.withUnsafeBufferPointer { days in
                    micros.withUnsafeBufferPointer { micros in
                        encoder.encode(intervalMonths: months, days: days, microseconds: micros)
                    }
                }
            }
            let decoder = try pages(chunk)
            let decodedMonths = VectorBuffer<Int32>()
            let decodedDays = VectorBuffer<Int32>()
            let decodedMicros = VectorBuffer<Int64>()
            for vector in 0..<decoder.vectorCount {
                let (page, index) = decoder.locate(vector)
                page.decodeIntervals(
                    index, months: decodedMonths.pointer, days: decodedDays.pointer,
                    microseconds: decodedMicros.pointer)
                for position in 0..<decoder.valueCount(ofVector: vector) {
                    let row = vector * 1_024 + position
                    #expect(
                        decodedMonths[position] == months[row] && decodedDays[position] == days[row]
                            && decodedMicros[position] == micros[row], "seed \(random.seed)")
                }
            }
        }
    }

    @Test(arguments: StorageProfile.allCases) func booleansComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for count in Self.counts {
            for share in [0.0, 0.001, 0.5, 1.0] {
                let words = SampleColumns.validity(count: count, nullShare: share, &random)
                try words.withUnsafeBufferPointer { words in
                    let bits = BitmapView(words: words.baseAddress!, count: count)
                    let decoder = try pages(encoder.encode(bool: bits))
                    let mask = VectorBuffer<UInt64>()
                    for vector in 0..<decoder.vectorCount {
                        let (page, index) = decoder.locate(vector)
                        page.decodeBits(index, into: mask.pointer)
                        for position in 0..<decoder.valueCount(ofVector: vector) {
                            let bit = BitmapView(words: mask.pointer, count: 1_024)[position]
                            #expect(bit == bits[vector * 1_024 + position], "seed \(random.seed)")
                        }
                    }
                }
            }
        }
    }

    private func byteColumns(_ count: Int, _ random: inout CodecRandom) -> [[[UInt8]]] {
        let words = ["", "ok", "warning", "Grüße", "a much longer message that repeats"].map { Array($0.utf8) }
        var columns: [[[UInt8]]] = []
        columns.append((0..<count).map { _ in words[random.below(words.count)] })
        columns.append((0..<count).map { Array("{\"id\": \($0), \"state\": \"open\"}".utf8) })
        columns.append((0..<count).map { _ in random.bytes(random.below(40)) })
        columns.append((0..<count).map { _ in [] })
        return columns
    }

    private func encode(_ column: [[UInt8]], _ encoder: ColumnChunkEncoder) -> EncodedColumnChunk {
        var offsets: [UInt32] = [0]
        for value in column { offsets.append(offsets.last! + UInt32(value.count)) }
        let flat = column.flatMap { $0 }
        return offsets.withUnsafeBufferPointer { offsets in
            flat.withUnsafeBytes { encoder.encode(bytes: ByteStringsView(offsets: offsets, bytes: $0)) }
        }
    }

    @Test(arguments: StorageProfile.allCases) func byteStringsComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for count in Self.counts {
            for column in byteColumns(count, &random) {
                let decoder = try pages(encode(column, encoder))
                let lengths = VectorBuffer<UInt32>()
                for vector in 0..<decoder.vectorCount {
                    let (page, index) = decoder.locate(vector)
                    var writer = ByteWriter()
                    page.decodeBytes(index, lengths: lengths.pointer, bytes: &writer)
                    let bytes = writer.bytes
                    var offset = 0
                    for position in 0..<decoder.valueCount(ofVector: vector) {
                        let end = offset + Int(lengths[position])
                        #expect(Array(bytes[offset..<end]) == column[vector * 1_024 + position], "seed \(random.seed)")
                        offset = end
                    }
                    #expect(offset == bytes.count)
                }
            }
        }
    }

    @Test func uuidsOfOneVersionLeaveOutTheirConstantBits() throws {
        var random = CodecRandom(seed: 4)
        let column = (0..<20_000).map { _ -> UInt128 in
            let bits = UInt128(random.next()) << 64 | UInt128(random.next())
            return (bits & ~(0xF000 << 64 | 0xC000 << 48)) | 0x4000 << 64 | 0x8000 << 48
        }
        for profile in StorageProfile.allCases {
            let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: profile).encode(uuid: $0) }
            // 122 bits, and what short last vectors and headers take.
            #expect(Double(chunk.byteCount * 8) < 122.6 * Double(column.count))
            #expect(try Pages.uuids(chunk) == column)
        }
    }

    @Test func textOfManyDistinctValuesIsCodedBySymbols() throws {
        let column = (0..<5_000).map { Array("/api/v2/customers/\($0 &* 7_919 % 100_003)/orders?page=\($0 % 17)".utf8) }
        let chunk = encode(column, ColumnChunkEncoder(profile: .warm))
        #expect(chunk.pages[0].scheme == .symbols)
        #expect(chunk.byteCount * 3 < column.reduce(0) { $0 + $1.count })
        #expect(try Pages.texts(chunk) == column)
    }

    @Test func fewDistinctByteStringsGetASortedDictionary() throws {
        let column = (0..<3_000).map { Array(["beta", "alpha", "gamma"][$0 % 3].utf8) }
        let decoder = try pages(encode(column, ColumnChunkEncoder(profile: .warm)))
        let page = decoder.locate(0).page
        #expect(page.scheme == .dictionary)
        #expect(
            (0..<page.distinctBytesCount).map { String(decoding: page.distinctBytes($0).bytes, as: UTF8.self) }
                == ["alpha", "beta", "gamma"])
        let codes = VectorBuffer<UInt32>()
        page.decodeByteCodes(1, into: codes.pointer)
        #expect(codes[0] == [1, 0, 2][1_024 % 3])
    }

    @Test(arguments: StorageProfile.allCases) func floatVectorsComeBack(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        for (count, dimensionCount) in [(1, 1), (1_500, 3), (2_100, 384)] {
            let floats = (0..<count * dimensionCount).map { _ in Float.random(in: -1...1, using: &random) }
            let chunk = floats.withUnsafeBufferPointer {
                encoder.encode(floatVectors: $0, dimensionCount: dimensionCount)
            }
            let decoder = try pages(chunk)
            let buffer = VectorBuffer<Float>(valueCount: 1_024 * dimensionCount)
            for vector in 0..<decoder.vectorCount {
                let (page, index) = decoder.locate(vector)
                page.decodeFloatVectors(index, into: buffer.pointer)
                let start = vector * 1_024 * dimensionCount
                let floatCount = decoder.valueCount(ofVector: vector) * dimensionCount
                let decoded = Array(UnsafeBufferPointer(start: buffer.pointer, count: floatCount))
                #expect(decoded == Array(floats[start..<start + floatCount]), "seed \(random.seed)")
            }
        }
    }

    @Test func regularTimestampsTakeAFewBytesAChunk() throws {
        let column = (0..<65_536).map { 1_700_000_000_000_000 + Int64($0) * 10_000_000 }
        let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .warm).encode(int64: $0) }
        #expect(chunk.byteCount < 40)
        let page = try PageDecoder(copying: chunk.pages[0].bytes)
        let progression = try #require(page.progression(3))
        #expect(progression.first == column[3 * 1_024] && progression.step == 10_000_000)
    }

    @Test func sortedKeysAreKnownAsRunsWithoutDecoding() throws {
        let column = (0..<20_000).map { UInt32($0 / 1_500) }
        let chunk = column.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .warm).encode(codes: $0) }
        let page = try PageDecoder(copying: chunk.pages[0].bytes)
        var rebuilt: [UInt32] = []
        for vector in 0..<page.vectorCount {
            let known = page.withConstantRuns(vector) { value, count in
                rebuilt += [UInt32](repeating: UInt32(value), count: count)
            }
            #expect(known)
        }
        #expect(rebuilt == column)
    }

    @Test func statisticsComeBackFromTheirBytes() throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: .warm)
        var all: [ColumnChunkStatistics] = []
        for (_, column) in SampleColumns.integers(count: 3_000, &random) {
            all.append(column.withUnsafeBufferPointer { encoder.encode(int64: $0).statistics })
            all.append(
                column.map { Int128($0) << 60 }.withUnsafeBufferPointer { encoder.encode(int128: $0).statistics })
        }
        all.append((0..<2_000).map { Double($0) }.withUnsafeBufferPointer { encoder.encode(double: $0).statistics })
        for statistics in all {
            var writer = ByteWriter()
            statistics.encode(into: &writer)
            try writer.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                #expect(try ColumnChunkStatistics.decode(&reader) == statistics)
                try reader.expectEnd()
            }
        }
    }

    @Test func notANumberIsLargerThanEverything() {
        let column: [Double] = [3, .nan, -1, .infinity]
        let statistics = column.withUnsafeBufferPointer { ColumnChunkStatistics.doubles($0, validity: nil) }
        guard case .doubles(let least, let greatest) = statistics.bounds else { return }
        #expect(least[0] == -1 && greatest[0].isNaN)
        let nothing: [Double] = [.nan, .nan]
        let none = nothing.withUnsafeBufferPointer { ColumnChunkStatistics.doubles($0, validity: nil) }
        guard case .doubles(let low, let high) = none.bounds else { return }
        #expect(low[0].isNaN && high[0].isNaN)
    }

    @Test(arguments: StorageProfile.allCases) func damagedPagesAreRefusedOrHarmless(_ profile: StorageProfile) throws {
        var random = CodecRandom()
        let encoder = ColumnChunkEncoder(profile: profile)
        var originals: [[UInt8]] = []
        for (_, column) in SampleColumns.integers(count: 2_500, &random) {
            originals.append(column.withUnsafeBufferPointer { encoder.encode(int64: $0).pages[0].bytes })
            let wide = column.map { Int128($0) << 3 }
            originals.append(wide.withUnsafeBufferPointer { encoder.encode(int128: $0).pages[0].bytes })
        }
        for (_, column) in SampleColumns.doubles(count: 2_500, &random) {
            originals.append(column.withUnsafeBufferPointer { encoder.encode(double: $0).pages[0].bytes })
            let floats = column.map { Float($0) }
            originals.append(floats.withUnsafeBufferPointer { encoder.encode(float: $0).pages[0].bytes })
        }
        for column in byteColumns(2_500, &random) { originals.append(encode(column, encoder).pages[0].bytes) }
        let integers = VectorBuffer<Int64>()
        let wides = VectorBuffer<Int128>()
        let lengths = VectorBuffer<UInt32>()
        let floats = VectorBuffer<Float>()
        for original in originals {
            for _ in 0..<30 {
                var bytes = original
                for _ in 0...random.below(3) {
                    let bound = random.below(2) == 0 ? min(40, bytes.count) : bytes.count
                    bytes[random.below(bound)] = UInt8(random.below(256))
                }
                guard let page = try? PageDecoder(copying: bytes) else { continue }
                for vector in 0..<page.vectorCount {
                    switch page.kind {
                    case .int64, .double, .codes: page.decodeVector(vector, into: integers.pointer)
                    case .float: page.decodeVector(vector, into: floats.pointer)
                    case .int128: page.decodeVector(vector, into: wides.pointer)
                    case .bytes:
                        var writer = ByteWriter()
                        page.decodeBytes(vector, lengths: lengths.pointer, bytes: &writer)
                    default: break
                    }
                }
            }
        }
    }
}
