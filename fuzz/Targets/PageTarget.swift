// SPDX-License-Identifier: Apache-2.0
//
// Pages of every kind, scheme and encoding: what passes the verification is decoded wholly, without a check.
//
// The input is one page as it stands in a segment, without its checksum. It ends at an untouchable page, and so does
// the room that is decoded into, which is what the decoder asks for and not a byte more.

import FirnIO
import Synchronization

@testable import Firn

extension FuzzTarget {
    static let page = FuzzTarget(name: "page") { input in
        PageMemory.shared.withLock { memory in
            guard let room = memory.input.room(input.count) else { return .refused }
            room.copyBytes(from: input)
            do throws(FormatError) {
                memory.decode(try PageDecoder(ByteView(UnsafeRawBufferPointer(room)), keepingAlive: nil))
                return .accepted
            } catch {
                return .refused
            }
        }
    }
}

/// Input and output of one page.
private final class PageMemory {
    static let shared = Mutex(PageMemory())
    let input = GuardedBytes(capacity: 1 << 20)
    private let output = GuardedBytes(capacity: 1 << 16)
    /// Bytes of strings that are decoded at most: a few bytes may stand for many GiB, by codes of one long entry.
    private static let stringBytesMax = 1 << 26

    func decode(_ page: PageDecoder) {
        var nullCount = 0
        var stringByteCount = 0
        for vector in 0..<page.vectorCount {
            let count = page.valueCount(ofVector: vector)
            nullCount += decodeValidity(page, vector, count)
            switch page.kind {
            case .int64:
                values(Int64.self, count) { page.decodeVector(vector, into: $0) }
                checkKnown(page, vector, count)
            case .codes: values(UInt32.self, count) { page.decodeVector(vector, into: $0) }
            case .double: values(Double.self, count) { page.decodeVector(vector, into: $0) }
            case .float: values(Float.self, count) { page.decodeVector(vector, into: $0) }
            case .int128: values(Int128.self, count) { page.decodeVector(vector, into: $0) }
            case .uuid: values(UInt128.self, count) { page.decodeVector(vector, into: $0) }
            case .bool:
                withRoom(UInt64.self, (count + 63) / 64) { words in page.decodeBits(vector, into: words) }
            case .interval: decodeIntervals(page, vector, count)
            case .bytes:
                guard stringByteCount < Self.stringBytesMax else { return }
                stringByteCount += decodeStrings(page, vector, count)
            case .floatVector:
                withRoom(Float.self, count * page.dimensionCount) { page.decodeFloatVectors(vector, into: $0) }
            }
            _ = page.encoding(ofVector: vector)
            _ = page.byteCount(ofVector: vector)
        }
        FuzzTarget.require(nullCount <= page.valueCount, "more NULLs than values")
    }

    /// Lends room for values as a decoder asks for it: rounded up to 64.
    private func values<T: BitwiseCopyable>(_ type: T.Type, _ count: Int, _ body: (UnsafeMutablePointer<T>) -> Void) {
        withRoom(type, (count + 63) / 64 * 64, body)
    }

    private func withRoom<T>(_ type: T.Type, _ count: Int, _ body: (UnsafeMutablePointer<T>) -> Void) {
        let byteCount = count * MemoryLayout<T>.stride
        guard let room = output.room(byteCount) else {
            withUnsafeTemporaryAllocation(of: T.self, capacity: count) { body($0.baseAddress!) }
            return
        }
        room.initializeMemory(as: UInt8.self, repeating: 0)
        body(room.baseAddress!.bindMemory(to: T.self, capacity: count))
    }

    private func decodeValidity(_ page: PageDecoder, _ vector: Int, _ count: Int) -> Int {
        var nullCount = 0
        withRoom(UInt64.self, (count + 63) / 64) { words in
            for word in 0..<(count + 63) / 64 { words[word] = ~0 }
            nullCount = page.decodeValidity(vector, into: words)
            let valid = (0..<count).count { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
            FuzzTarget.require(nullCount == count - valid, "\(nullCount) NULLs, where \(count - valid) bits say so")
        }
        return nullCount
    }

    private func decodeIntervals(_ page: PageDecoder, _ vector: Int, _ count: Int) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: VectorLayout.valueCount * 2) { parts in
            values(Int64.self, count) { microseconds in
                page.decodeIntervals(
                    vector, months: parts.baseAddress!, days: parts.baseAddress! + VectorLayout.valueCount,
                    microseconds: microseconds)
            }
        }
    }

    private func decodeStrings(_ page: PageDecoder, _ vector: Int, _ count: Int) -> Int {
        var bytes = ByteWriter()
        values(UInt32.self, count) { lengths in
            page.decodeBytes(vector, lengths: lengths, bytes: &bytes)
            let sum = (0..<count).reduce(0) { $0 + Int(lengths[$1]) }
            FuzzTarget.require(sum == bytes.count, "strings of \(sum) bytes in \(bytes.count)")
            FuzzTarget.plantedBug(bytes.bytes)
        }
        if page.distinctBytesCount > 0, page.scheme == .dictionary {
            values(UInt32.self, count) { codes in
                page.decodeByteCodes(vector, into: codes)
                for index in 0..<count {
                    FuzzTarget.require(Int(codes[index]) < page.distinctBytesCount, "a code without an entry")
                }
            }
        }
        return bytes.count
    }

    /// What a page says without being decoded is what decoding gives.
    private func checkKnown(_ page: PageDecoder, _ vector: Int, _ count: Int) {
        values(Int64.self, count) { decoded in
            page.decodeVector(vector, into: decoded)
            if let (first, step) = page.progression(vector) {
                for index in 0..<count {
                    FuzzTarget.require(decoded[index] == first &+ step &* Int64(index), "no progression")
                }
            }
            var position = 0
            let hasRuns = page.withConstantRuns(vector) { value, valueCount in
                for _ in 0..<valueCount {
                    FuzzTarget.require(position < count && decoded[position] == value, "no run of equal values")
                    position += 1
                }
            }
            FuzzTarget.require(!hasRuns || position == count, "runs of \(position) values in a vector of \(count)")
        }
    }
}
