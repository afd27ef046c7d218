// SPDX-License-Identifier: Apache-2.0
//
// Values of any kind through the encoders and back: bit for bit the same, whatever the values.
//
//     [kind: u8][profile: u8, bit 0; NULLs: bit 1][repeats: u8][validity byte, if NULLs][values, little-endian]
//
// The values are the input's bytes as they stand, repeated so that short inputs fill vectors and cross their borders.

import FirnIO

@testable import Firn

extension FuzzTarget {
    static let column = FuzzTarget(name: "column") { input in
        guard input.count >= 5 else { return .refused }
        let kind = PhysicalKind.allCases[Int(input[0]) % PhysicalKind.allCases.count]
        var trip = RoundTrip(
            profile: input[1] & 1 == 0 ? .warm : .cold, repeats: 1 + Int(input[2]),
            validityByte: input[1] & 2 == 0 ? nil : input[3], bytes: Array(input[4...]))
        return trip.run(kind) ? .accepted : .refused
    }
}

/// One column chunk on its way into pages and out again.
private struct RoundTrip {
    let profile: StorageProfile
    let repeats: Int
    let validityByte: UInt8?
    let bytes: [UInt8]
    private static let valueCountMax = 1_100

    /// False where the bytes hold no value.
    mutating func run(_ kind: PhysicalKind) -> Bool {
        switch kind {
        case .int64:
            return check(Int64.self, { $0.encode(int64: $1, validity: $2) }, { $0.decodeVector($1, into: $2) })
        case .codes:
            return check(UInt32.self, { $0.encode(codes: $1, validity: $2) }, { $0.decodeVector($1, into: $2) })
        case .double:
            return check(UInt64.self, as: Double.self) {
                $0.encode(double: $1, validity: $2)
            } _: {
                $0.decodeVector($1, into: $2)
            }
        case .float:
            return check(UInt32.self, as: Float.self) {
                $0.encode(float: $1, validity: $2)
            } _: {
                $0.decodeVector($1, into: $2)
            }
        case .int128:
            return check(Int128.self, { $0.encode(int128: $1, validity: $2) }, { $0.decodeVector($1, into: $2) })
        case .uuid:
            return check(UInt128.self, { $0.encode(uuid: $1, validity: $2) }, { $0.decodeVector($1, into: $2) })
        case .bool: return checkBooleans()
        case .interval: return checkIntervals()
        case .bytes: return checkStrings()
        case .floatVector: return checkFloatVectors()
        }
    }

    // MARK: Values from bytes

    private func values<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) -> [T] {
        let size = MemoryLayout<T>.size
        let once = (0..<bytes.count / size).map { index in
            bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: index * size, as: T.self)) }
        }
        return repeated(once)
    }

    private func repeated<T>(_ once: [T]) -> [T] {
        guard !once.isEmpty else { return [] }
        let count = min(once.count * repeats, Self.valueCountMax)
        return (0..<count).map { once[$0 % once.count] }
    }

    private func isValid(_ index: Int) -> Bool {
        validityByte.map { ($0 &+ UInt8(truncatingIfNeeded: index / 8)) >> UInt8(index % 8) & 1 == 1 } ?? true
    }

    private func withValidity<Result>(_ count: Int, _ body: (BitmapView?) -> Result) -> Result {
        guard validityByte != nil else { return body(nil) }
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
        for index in 0..<count where isValid(index) { words[index / 64] |= 1 << UInt64(index % 64) }
        return words.withUnsafeBufferPointer { body(BitmapView(words: $0.baseAddress!, count: count)) }
    }

    // MARK: There and back

    private func check<Bits: FixedWidthInteger & BitwiseCopyable>(
        _ bits: Bits.Type,
        _ encode: (ColumnChunkEncoder, UnsafeBufferPointer<Bits>, BitmapView?) -> EncodedColumnChunk,
        _ decode: (PageDecoder, Int, UnsafeMutablePointer<Bits>) -> Void
    ) -> Bool {
        check(bits, as: bits, encode, decode)
    }

    /// Compares bit patterns, so that every NaN and both zeros count.
    private func check<Bits: FixedWidthInteger & BitwiseCopyable, T: BitwiseCopyable>(
        _ bits: Bits.Type, as type: T.Type,
        _ encode: (ColumnChunkEncoder, UnsafeBufferPointer<T>, BitmapView?) -> EncodedColumnChunk,
        _ decode: (PageDecoder, Int, UnsafeMutablePointer<T>) -> Void
    ) -> Bool {
        let values = values(bits)
        guard !values.isEmpty else { return false }
        let chunk = values.withUnsafeBufferPointer { values in
            values.withMemoryRebound(to: T.self) { typed in
                withValidity(typed.count) { encode(ColumnChunkEncoder(profile: profile), typed, $0) }
            }
        }
        withUnsafeTemporaryAllocation(
            of: Bits.self, capacity: VectorLayout.valueCount + VectorLayout.paddingValueCount
        ) { room in
            room.initialize(repeating: 0)
            let pointer = UnsafeMutableRawPointer(room.baseAddress!).assumingMemoryBound(to: T.self)
            forEachVector(chunk, valueCount: values.count) { page, vector, start, count in
                decode(page, vector, pointer)
                for index in 0..<count where isValid(start + index) {
                    FuzzTarget.require(room[index] == values[start + index], "value \(start + index) came back changed")
                }
            }
        }
        return true
    }

    private func forEachVector(
        _ chunk: EncodedColumnChunk, valueCount: Int,
        _ body: (_ page: PageDecoder, _ vector: Int, _ start: Int, _ count: Int) -> Void
    ) {
        let decoder: ColumnChunkDecoder
        do throws(FormatError) {
            var pages: [PageDecoder] = []
            for page in chunk.pages { pages.append(try PageDecoder(copying: page.bytes)) }
            decoder = try ColumnChunkDecoder(chunk.kind, valueCount: valueCount, loaded: pages)
        } catch {
            fatalError("fuzz: the engine refuses its own pages: \(error)")
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: VectorLayout.valueCount / 64) { words in
            for vector in 0..<decoder.vectorCount {
                let (page, index) = decoder.locate(vector)
                let count = decoder.valueCount(ofVector: vector)
                let start = vector * VectorLayout.valueCount
                let nullCount = page.decodeValidity(index, into: words.baseAddress!)
                let expected = (start..<start + count).count { !isValid($0) }
                FuzzTarget.require(nullCount == expected, "\(nullCount) NULLs instead of \(expected)")
                body(page, index, start, count)
            }
        }
    }

    private func checkBooleans() -> Bool {
        let count = min(bytes.count * 8 * repeats, Self.valueCountMax)
        guard count > 0 else { return false }
        func bit(_ index: Int) -> Bool { bytes[index / 8 % bytes.count] >> UInt8(index % 8) & 1 == 1 }
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
        for index in 0..<count where bit(index) { words[index / 64] |= 1 << UInt64(index % 64) }
        let chunk = words.withUnsafeBufferPointer { words in
            withValidity(count) {
                ColumnChunkEncoder(profile: profile).encode(
                    bool: BitmapView(words: words.baseAddress!, count: count), validity: $0)
            }
        }
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: VectorLayout.valueCount / 64) { room in
            forEachVector(chunk, valueCount: count) { page, vector, start, count in
                page.decodeBits(vector, into: room.baseAddress!)
                for index in 0..<count where isValid(start + index) {
                    let decoded = room[index / 64] >> UInt64(index % 64) & 1 == 1
                    FuzzTarget.require(decoded == bit(start + index), "bit \(start + index) came back changed")
                }
            }
        }
        return true
    }

    private func checkIntervals() -> Bool {
        let microseconds = values(Int64.self)
        guard !microseconds.isEmpty else { return false }
        let months = microseconds.map { Int32(truncatingIfNeeded: $0) }
        let days = microseconds.map { Int32(truncatingIfNeeded: $0 >> 16) }
        let chunk = months.withUnsafeBufferPointer { months in
            days.withUnsafeBufferPointer { days in
                microseconds.withUnsafeBufferPointer { microseconds in
                    withValidity(months.count) {
                        ColumnChunkEncoder(profile: profile).encode(
                            intervalMonths: months, days: days, microseconds: microseconds, validity: $0)
                    }
                }
            }
        }
        let room = (VectorBuffer<Int32>(), VectorBuffer<Int32>(), VectorBuffer<Int64>())
        forEachVector(chunk, valueCount: months.count) { page, vector, start, count in
            page.decodeIntervals(
                vector, months: room.0.pointer, days: room.1.pointer, microseconds: room.2.pointer)
            for index in 0..<count where isValid(start + index) {
                FuzzTarget.require(
                    room.0[index] == months[start + index] && room.1[index] == days[start + index]
                        && room.2[index] == microseconds[start + index], "an interval came back changed")
            }
        }
        return true
    }

    /// Strings: each begins with the byte that says how long it is, at most 31.
    private func checkStrings() -> Bool {
        var once: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while let length = rest.popFirst() {
            let end = min(rest.startIndex + Int(length & 31), rest.endIndex)
            once.append(rest[rest.startIndex..<end])
            rest = rest[end...]
        }
        let strings = repeated(once)
        guard !strings.isEmpty else { return false }
        var joined: [UInt8] = []
        var offsets: [UInt32] = [0]
        for string in strings {
            joined += string
            offsets.append(UInt32(joined.count))
        }
        let chunk = joined.withUnsafeBytes { joined in
            offsets.withUnsafeBufferPointer { offsets in
                withValidity(strings.count) {
                    ColumnChunkEncoder(profile: profile).encode(
                        bytes: ByteStringsView(offsets: offsets, bytes: joined), validity: $0)
                }
            }
        }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: VectorLayout.valueCount) { lengths in
            forEachVector(chunk, valueCount: strings.count) { page, vector, start, count in
                var decoded = ByteWriter()
                page.decodeBytes(vector, lengths: lengths.baseAddress!, bytes: &decoded)
                let bytes = decoded.bytes
                FuzzTarget.plantedBug(bytes)
                var offset = 0
                for index in 0..<count {
                    let end = offset + Int(lengths[index])
                    if isValid(start + index) {
                        FuzzTarget.require(
                            bytes[offset..<end].elementsEqual(strings[start + index]),
                            "string \(start + index) came back changed")
                    }
                    offset = end
                }
            }
        }
        return true
    }

    private func checkFloatVectors() -> Bool {
        let dimensionCount = 3
        let bits = values(UInt32.self)
        let count = bits.count / dimensionCount
        guard count > 0 else { return false }
        let floats = bits[..<(count * dimensionCount)].map { Float(bitPattern: $0) }
        let chunk = floats.withUnsafeBufferPointer { floats in
            withValidity(count) {
                ColumnChunkEncoder(profile: profile).encode(
                    floatVectors: floats, dimensionCount: dimensionCount, validity: $0)
            }
        }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: VectorLayout.valueCount * dimensionCount) { room in
            let pointer = UnsafeMutableRawPointer(room.baseAddress!).assumingMemoryBound(to: Float.self)
            forEachVector(chunk, valueCount: count) { page, vector, start, count in
                page.decodeFloatVectors(vector, into: pointer)
                for index in 0..<count * dimensionCount where isValid(start + index / dimensionCount) {
                    FuzzTarget.require(
                        room[index] == bits[start * dimensionCount + index], "a float came back changed")
                }
            }
        }
        return true
    }
}
