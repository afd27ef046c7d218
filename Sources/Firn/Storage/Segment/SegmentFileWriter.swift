// SPDX-License-Identifier: Apache-2.0
//
// Writes a segment file front to back: header, blocks with their checksums, footers, tail.
//
// Bytes are collected and written in pieces of a MiB, and made durable every few MiB on the way, so that the last
// sync does not stall the log behind a long queue. The folder is not synced here: that is the manifest's business.

import FirnIO
import SystemPackage

/// One file in the making. Not thread-safe.
final class SegmentFileWriter {
    private static let pieceBytes = 1 << 20
    private static let syncBytes = 8 << 20

    let path: FilePath
    let file: FileID
    private let fileSystem: any FileSystem
    private let handle: any File
    private var pending = ByteWriter(reservingBytes: pieceBytes + 65_536)
    /// Bytes handed to the file.
    private var writtenByteCount: Int64 = 0
    private var syncedByteCount: Int64 = 0

    /// Creates the file, which must not exist, and writes its header.
    init(
        path: FilePath, fileSystem: any FileSystem, database: DatabaseID, file: FileID, epoch: UInt64
    ) throws(FirnError) {
        self.path = path
        self.file = file
        self.fileSystem = fileSystem
        handle = try FirnError.mapping { () throws(IOError) in try fileSystem.open(path, .createNew) }
        FileHeader(kind: .segments, database: database, file: file, epoch: epoch).encode(into: &pending)
    }

    /// Offset of the next byte.
    var byteOffset: Int64 { writtenByteCount + Int64(pending.count) }

    /// Writes a block and its checksum.
    func append(_ payload: UnsafeRawBufferPointer) throws(FirnError) -> BlockLocation {
        let start = byteOffset
        pending.append(payload)
        pending.appendLittleEndian(BlockChecksum.of(payload, file: file, byteOffset: start))
        if pending.count >= Self.pieceBytes { try writePending() }
        return BlockLocation(byteOffset: start, byteCount: payload.count + SegmentLayout.checksumByteCount)
    }

    /// Writes a block and its checksum.
    func append(_ payload: [UInt8]) throws(FirnError) -> BlockLocation {
        let span = payload.span
        return try span.withUnsafeBytes { (view) throws(FirnError) in try append(view) }
    }

    /// Writes a footer or tail: payload, checksum, byte count, magic.
    func appendTrailed(_ payload: borrowing ByteWriter, magic: [UInt8]) throws(FirnError) {
        let start = byteOffset
        let checksum = payload.withUnsafeBytes { BlockChecksum.of($0, file: file, byteOffset: start) }
        pending.append(contentsOf: payload)
        pending.appendLittleEndian(checksum)
        pending.appendLittleEndian(UInt32(payload.count))
        pending.append(magic)
        if pending.count >= Self.pieceBytes { try writePending() }
    }

    private func writePending() throws(FirnError) {
        do {
            try pending.withUnsafeBytes { (view) throws(IOError) in
                try handle.write(view, at: writtenByteCount)
            }
            writtenByteCount += Int64(pending.count)
            pending.removeAll()
            if writtenByteCount - syncedByteCount >= Self.syncBytes {
                try handle.sync()
                syncedByteCount = writtenByteCount
            }
        } catch {
            throw FirnError(error)
        }
    }

    /// Writes the tail, makes the file durable and closes it; returns its bytes.
    func finish(_ segments: [SegmentDescriptor]) throws(FirnError) -> Int64 {
        var tail = ByteWriter()
        tail.appendVarint(segments.count)
        for segment in segments { segment.encode(into: &tail) }
        try appendTrailed(tail, magic: SegmentLayout.tailMagic)
        try writePending()
        try FirnError.mapping { () throws(IOError) in
            if !Mutant.isPlanted(.skipSyncOfData) { try handle.syncAll() }
            try handle.close()
        }
        return writtenByteCount
    }

    /// Removes the unfinished file after `error`, and returns that error; what cannot be removed is named in it, and
    /// goes at the next open, which knows that no manifest speaks of the file.
    func abandon(after error: FirnError) -> FirnError {
        do {
            try handle.close()
            try fileSystem.remove(path)
            return error
        } catch let removal {
            var error = error
            let remains = "the unfinished file remains until the next open: \(removal.message)"
            error.detail = error.detail.map { "\($0); \(remains)" } ?? remains
            return error
        }
    }
}
