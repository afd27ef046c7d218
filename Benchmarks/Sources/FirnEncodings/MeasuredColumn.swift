// SPDX-License-Identifier: Apache-2.0
//
// One column, encoded and decoded a few times, and flushed into a segment of its own.

import FirnIO
import Foundation
import SystemPackage

@testable import Firn

/// What was measured of a column in one profile.
struct ColumnMeasurement {
    /// Bits a value: pages with their headers, and all bytes of the segment.
    var pageBits = 0.0
    var allBits = 0.0
    var encodeNanoseconds = Double.infinity
    /// Values a nanosecond, checking included.
    var decodeRate = 0.0
    /// Scheme and compression of most pages.
    var scheme = ""

    var json: String {
        let numbers = [
            ("bits", pageBits), ("all", allBits), ("encode", encodeNanoseconds), ("decode", decodeRate),
        ].map { "\"\($0)\": \(($1 * 10_000).rounded() / 10_000)" }
        return "{\(numbers.joined(separator: ", ")), \"scheme\": \"\(scheme)\"}"
    }
}

struct MeasuredColumn {
    let values: [Int64]
    let isDouble: Bool

    /// Best of so many.
    private static func encodeCount(_ profile: StorageProfile) -> Int { profile == .warm ? 9 : 3 }
    private static let decodeCount = 15

    private struct Mismatch: Error {}

    func measure(_ profile: StorageProfile) throws -> ColumnMeasurement {
        var result = ColumnMeasurement()
        let encoder = ColumnChunkEncoder(profile: profile)
        var chunks: [EncodedColumnChunk] = []
        let clock = ContinuousClock()
        for _ in 0..<Self.encodeCount(profile) {
            let start = clock.now
            chunks = encode(encoder)
            result.encodeNanoseconds = min(result.encodeNanoseconds, nanoseconds(clock.now - start))
        }
        try decode(chunks) { position, count, decoded in
            let isSame = values.withUnsafeBytes { memcmp($0.baseAddress! + position * 8, decoded, count * 8) == 0 }
            guard isSame else { throw Mismatch() }
        }
        for _ in 0..<Self.decodeCount {
            let start = clock.now
            try decode(chunks) { _, _, _ in }
            result.decodeRate = max(result.decodeRate, 1 / nanoseconds(clock.now - start))
        }
        result.pageBits = Double(chunks.reduce(0) { $0 + $1.byteCount } * 8) / Double(values.count)
        result.allBits = Double(try segmentByteCount(profile) * 8) / Double(values.count)
        var schemes: [String: Int] = [:]
        for page in chunks.flatMap(\.pages) {
            let compression = page.compression == .none ? "" : "/\(page.compression)"
            schemes["\(page.scheme)\(compression)", default: 0] += page.valueCount
        }
        result.scheme = schemes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
        return result
    }

    private func nanoseconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return (Double(seconds) * 1e9 + Double(attoseconds) * 1e-9) / Double(values.count)
    }

    private func encode(_ encoder: ColumnChunkEncoder) -> [EncodedColumnChunk] {
        values.withUnsafeBufferPointer { values in
            stride(from: 0, to: values.count, by: SegmentLayout.rowGroupRowsMax).map { start in
                let end = min(start + SegmentLayout.rowGroupRowsMax, values.count)
                let part = UnsafeBufferPointer(rebasing: values[start..<end])
                return isDouble
                    ? part.withMemoryRebound(to: Double.self) { encoder.encode(double: $0) }
                    : encoder.encode(int64: part)
            }
        }
    }

    /// Checks and decodes every page, and shows each vector.
    private func decode(
        _ chunks: [EncodedColumnChunk],
        _ body: (_ position: Int, _ count: Int, _ decoded: UnsafePointer<Int64>) throws -> Void
    ) throws {
        let buffer = VectorBuffer<Int64>()
        var position = 0
        for page in chunks.flatMap(\.pages) {
            let decoder = try PageDecoder(copying: page.bytes)
            for vector in 0..<decoder.vectorCount {
                decoder.decodeVector(vector, into: buffer.pointer)
                let count = decoder.valueCount(ofVector: vector)
                try body(position, count, buffer.pointer)
                position += count
            }
        }
    }

    /// All bytes of the segment that a flush makes of the column alone: pages, checksums, zone maps, footer.
    private func segmentByteCount(_ profile: StorageProfile) throws -> Int {
        let fileSystem = MemoryFileSystem()
        try fileSystem.createDirectory("/data")
        let column: Column =
            isDouble
            ? Column(type: .double, values: .double(values.map { Double(bitPattern: UInt64(bitPattern: $0)) }))
            : Column(type: .bigint, values: .integer(values))
        let schema = TableSchema(
            id: TableID(1), name: "measured",
            columns: [ColumnDefinition(id: ColumnID(1), name: "value", type: column.type)], sortKey: [],
            nextColumnID: ColumnID(2))
        let input = FlushInput(schema: schema, batches: [ColumnBatch([column])], lsnRange: .zero ... .zero)
        let output = try SegmentFlush.write(
            [input], to: "/data/1.seg", fileSystem: fileSystem, database: DatabaseID(1), file: FileID(1),
            chunks: { (_, _) throws(FirnError) in ChunkBounds(id: ChunkID(1), start: .min, end: .max) },
            profile: profile == .warm ? .warm : .cold)
        return Int(output.tables.flatMap(\.segments).reduce(0) { $0 + $1.byteCount })
    }
}
