// SPDX-License-Identifier: Apache-2.0
//
// Segments as plain as can be, for tests of the engine alone: rows as the log has them, with a checksum, unsorted.

import FirnIO
import SystemPackage

@testable import Firn

struct PlainSegments: SegmentAccess {
    let fileSystem: any FileSystem

    func write(
        to path: FilePath, file: FileID, profile: SegmentProfile, chunks: ChunkLocator,
        next: () throws(FirnError) -> FlushInput?
    ) throws(FirnError) -> FlushOutput {
        var bytes = ByteWriter()
        bytes.appendZeros(64)
        var tables: [FlushOutput.Table] = []
        while let input = try next() {
            var parts: [(chunk: ChunkBounds, batches: [ColumnBatch], times: [Int64])] = []
            for batch in input.batches {
                let times =
                    input.schema.timeColumnIndex.map { batch.columns[$0].integerValues! }
                    ?? [Int64](repeating: 0, count: batch.rowCount)
                var rows: [ChunkID: [Int32]] = [:]
                for (row, time) in times.enumerated() {
                    let chunk = try chunks(input.schema.id, time)
                    precondition(chunk.contains(time))
                    if !parts.contains(where: { $0.chunk == chunk }) { parts.append((chunk, [], [])) }
                    rows[chunk.id, default: []].append(Int32(row))
                }
                for index in parts.indices {
                    guard let picked = rows[parts[index].chunk.id] else { continue }
                    parts[index].batches.append(batch.gather(picked))
                    parts[index].times += picked.map { times[Int($0)] }
                }
            }
            var segments: [SegmentDescriptor] = []
            for part in parts.sorted(by: { $0.chunk.start < $1.chunk.start }) {
                let joined = ColumnBatch(
                    input.schema.columns.indices.map { index in
                        Column.concatenate(
                            part.batches.map { $0.columns[index] }, type: input.schema.columns[index].type)
                    })
                var payload = ByteWriter()
                RowsCodec.encode(joined, columns: input.schema.columns, table: input.schema.id, into: &payload)
                let start = bytes.count
                payload.withUnsafeBytes { raw in
                    bytes.appendLittleEndian(BlockChecksum.of(raw, file: file, byteOffset: Int64(start)))
                    bytes.append(raw)
                }
                let hasTime = input.schema.timeColumnIndex != nil
                segments.append(
                    SegmentDescriptor(
                        table: input.schema.id, file: file, byteOffset: Int64(start),
                        byteCount: Int64(bytes.count - start), rowCount: joined.rowCount, chunk: part.chunk.id,
                        timeRange: hasTime ? part.times.min()!...part.times.max()! : nil, order: [],
                        lsnRange: input.lsnRange, rawByteCount: Int64(joined.byteCount), profile: profile))
            }
            tables.append(FlushOutput.Table(table: input.schema.id, segments: segments, pickedSortKey: nil))
        }
        let content = bytes.bytes
        try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .createNew)
            try file.write(content, at: 0)
            try file.syncAll()
            try file.close()
        }
        return FlushOutput(tables: tables, fileByteCount: Int64(content.count))
    }

    func morsels(
        of segment: SegmentDescriptor, at path: FilePath, schema: TableSchema, pruning ranges: [ColumnRange]
    ) throws(FirnError) -> [any Morsel] {
        let bytes = try FirnError.mapping { () throws(IOError) in
            try fileSystem.open(path, .readOnly).read(byteCount: Int(segment.byteCount), at: segment.byteOffset)
        }
        guard bytes.count == Int(segment.byteCount), bytes.count > 4 else {
            throw FirnError.damaged(path, segment.byteOffset, "the segment is cut short")
        }
        let payload = Array(bytes.dropFirst(4))
        let stored = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        let expected = payload.withUnsafeBytes {
            BlockChecksum.of($0, file: segment.file, byteOffset: segment.byteOffset)
        }
        guard stored == expected else {
            throw FirnError.damaged(path, segment.byteOffset, "checksum mismatch")
        }
        do {
            let batch = try RowsCodec.decode(payload).batch
            return [MemtableMorsel(schema: schema, batches: [batch], rowCount: batch.rowCount)]
        } catch {
            throw FirnError.damaged(path, segment.byteOffset, "\(error)")
        }
    }

    func description(of segment: SegmentDescriptor, at path: FilePath) throws(FirnError) -> SegmentFile.Segment {
        throw FirnError(.featureNotSupported, "plain segments have nothing to describe")
    }

    func forget(_ file: FileID) {}

    func verify(_ segment: SegmentDescriptor, at path: FilePath, schema: TableSchema) throws(FirnError) {
        _ = try morsels(of: segment, at: path, schema: schema, pruning: [])
    }
}
