// SPDX-License-Identifier: Apache-2.0
//
// A manifest on disk: a log of edits, each synced before the next is written.
//
//     0     64  file header (FileHeader.swift); its file id is the number in the file's name
//     64        edits, back to back, each aligned to 8:
//          0    4  CRC32C of the edit's other bytes (header and payload), seeded with (file id, offset)
//          4    4  payload byte count
//          8    8  number of the edit, 1 for the first of the file
//          16   8  the LSN up to which every change is contained after this edit
//          24      payload: records (ManifestRecord.swift), then zeros up to a multiple of 8
//
// A bad edit is a torn tail when nothing proves that it was ever durable: neither CURRENT, nor a log file's header, nor
// a valid edit after it (edits are synced one at a time). Otherwise it is damage, and named.
//
// Source of the idea: LevelDB's MANIFEST (db/version_set.cc).

import FirnIO
import SystemPackage

enum ManifestEdit {
    static let headerByteCount = 24
    static let alignment = 8
    static let payloadBytesMax = 64 << 20
    /// Records of an edit with which a manifest is begun: the state of a large database takes several.
    static let recordsPerEditMax = 10_000

    static func encode(
        _ records: [ManifestRecord], number: UInt64, lsn: LSN, file: UInt64, byteOffset: Int64,
        into output: inout ByteWriter
    ) {
        let start = output.count
        output.appendZeros(4)
        output.appendLittleEndian(0 as UInt32)
        output.appendLittleEndian(number)
        output.appendLittleEndian(lsn.rawValue)
        for record in records { record.encode(into: &output) }
        let end = output.count
        output.overwriteLittleEndian(UInt32(end - start - headerByteCount), at: start + 4)
        let seed = BlockChecksum.seed(file: FileID(file), byteOffset: byteOffset)
        let checksum = output.withUnsafeBytes {
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[(start + 4)..<end]), seed: seed)
        }
        output.overwriteLittleEndian(checksum, at: start)
        while (output.count - start) % alignment != 0 { output.append(0 as UInt8) }
    }
}

/// A manifest as read.
struct ManifestContent: Sendable {
    var header: FileHeader
    var state: ManifestState
    /// Where the valid edits end.
    var byteCount: Int64
    /// CRC32C of the bytes up to there.
    var checksum: UInt32
    var editCount: UInt64
    /// An edit follows those that the manifest was begun with: it was the live one.
    var wasAppendedTo: Bool
    /// Bytes behind the end that belong to an edit which never became durable.
    var tornByteCount: Int64

    /// Reads the edits in `bytes`, for as long as they are valid.
    ///
    /// - Parameter proofs: how far the file is known to reach; damage before that is an error.
    static func read(_ bytes: [UInt8], number: UInt64, database: DatabaseID, proofs: [ManifestProof])
        throws(FormatError) -> ManifestContent
    {
        try bytes.span.withUnsafeBytes { (raw) throws(FormatError) in
            let view = ByteView(raw)
            let header = try FileHeader.decode(view)
            guard header.kind == .manifest else { throw FormatError("the file is no manifest", at: 10) }
            guard header.file == FileID(number) else {
                throw FormatError("the file is manifest \(header.file), not \(number)", at: 32)
            }
            guard header.database == database else {
                throw FormatError("the file belongs to database \(header.database)", at: 16)
            }
            var state = ManifestState()
            var offset = FileHeader.byteCount
            var editCount: UInt64 = 0
            var wasAppendedTo = false
            var isBegun = false
            while let edit = edit(in: view, at: offset, number: editCount + 1, file: number) {
                var reader = ByteReader(edit.payload)
                let payloadOffset = offset + ManifestEdit.headerByteCount
                do throws(FormatError) {
                    var recordCount = 0
                    while !reader.isAtEnd {
                        try state.apply(try ManifestRecord.decode(from: &reader, header.version))
                        recordCount += 1
                    }
                    // All edits of the first state but the last are full.
                    wasAppendedTo = wasAppendedTo || isBegun
                    isBegun = isBegun || recordCount < ManifestEdit.recordsPerEditMax
                } catch {
                    throw FormatError(error.message, at: payloadOffset + error.byteOffset)
                }
                offset += edit.byteCount
                editCount += 1
            }
            for proof in proofs where proof.number == number && !Mutant.isPlanted(.ignoreManifestProof) {
                guard proof.byteCount <= offset else {
                    throw FormatError(
                        "an edit is damaged: the file is proven to reach byte \(proof.byteCount)", at: offset)
                }
                guard CRC32C.checksum(view[0..<Int(proof.byteCount)]) == proof.checksum else {
                    throw FormatError("the bytes are not those that CURRENT or the log vouches for", at: 0)
                }
            }
            let rest = view[offset...]
            let hasTail = rest.bytes.contains { $0 != 0 }
            if hasTail, let later = laterEdit(in: view, after: offset, number: editCount + 1, file: number) {
                throw FormatError("an edit is damaged: edit \(later) follows it", at: offset)
            }
            return ManifestContent(
                header: header, state: state, byteCount: Int64(offset), checksum: CRC32C.checksum(view[0..<offset]),
                editCount: editCount, wasAppendedTo: wasAppendedTo, tornByteCount: hasTail ? Int64(rest.count) : 0)
        }
    }

    /// The edit at an offset, if a valid one with this number stands there.
    static func edit(
        in view: ByteView, at offset: Int, number: UInt64, file: UInt64
    ) -> (payload: ByteView, byteCount: Int)? {
        guard view.count - offset >= ManifestEdit.headerByteCount else { return nil }
        let payloadByteCount = Int(view.loadUnchecked(UInt32.self, at: offset + 4))
        guard payloadByteCount <= ManifestEdit.payloadBytesMax,
            payloadByteCount <= view.count - offset - ManifestEdit.headerByteCount,
            view.loadUnchecked(UInt64.self, at: offset + 8) == number
        else { return nil }
        let end = offset + ManifestEdit.headerByteCount + payloadByteCount
        let paddedEnd = min((end + ManifestEdit.alignment - 1) & ~(ManifestEdit.alignment - 1), view.count)
        let seed = BlockChecksum.seed(file: FileID(file), byteOffset: Int64(offset))
        guard
            CRC32C.checksum(view[offset + 4..<end], seed: seed) == view.loadUnchecked(UInt32.self, at: offset)
                || Mutant.isPlanted(.ignoreManifestChecksum)
        else { return nil }
        return (view[offset + ManifestEdit.headerByteCount..<end], paddedEnd - offset)
    }

    /// The number of a valid edit behind a bad one.
    private static func laterEdit(in view: ByteView, after offset: Int, number: UInt64, file: UInt64) -> UInt64? {
        var position = offset + ManifestEdit.alignment
        while view.count - position >= ManifestEdit.headerByteCount {
            let found = view.loadUnchecked(UInt64.self, at: position + 8)
            if found > number, found - number < 1 << 32, edit(in: view, at: position, number: found, file: file) != nil
            {
                return found
            }
            position += ManifestEdit.alignment
        }
        return nil
    }
}

// @unchecked Sendable: used by one flush at a time, under the engine's flusher lock; `init` hands it over.

/// Appends edits to a manifest. Not thread-safe: one flush at a time.
final class ManifestWriter: @unchecked Sendable {
    private let file: any File
    private(set) var proof: ManifestProof
    private var editCount: UInt64
    /// Set when an edit may or may not have reached the disk: only a new manifest helps.
    private(set) var isBroken = false

    /// Creates the file with everything in `records`, and syncs it; the folder is the caller's to sync.
    init(
        at path: FilePath, number: UInt64, database: DatabaseID, records: [ManifestRecord], lsn: LSN,
        fileSystem: any FileSystem
    ) throws(FirnError) {
        var output = ByteWriter(reservingBytes: 4_096)
        FileHeader(kind: .manifest, database: database, file: FileID(number)).encode(into: &output)
        editCount = 0
        var first = 0
        repeat {
            // Snapshots of large databases are cut, so that no edit exceeds its limit.
            let end = min(first + ManifestEdit.recordsPerEditMax, records.count)
            editCount += 1
            ManifestEdit.encode(
                Array(records[first..<end]), number: editCount, lsn: lsn, file: number, byteOffset: Int64(output.count),
                into: &output)
            first = end
        } while first < records.count
        do {
            let created = try fileSystem.open(path, .createNew)
            try output.withUnsafeBytes { (bytes) throws(IOError) in try created.write(bytes, at: 0) }
            if !Mutant.isPlanted(.skipSyncOfNewManifest) { try created.syncAll() }
            file = created
        } catch {
            throw FirnError(error)
        }
        proof = output.withUnsafeBytes {
            ManifestProof(number: number, byteCount: Int64($0.count), checksum: CRC32C.checksum($0))
        }
    }

    /// Appends one edit and makes it durable. After an error nobody knows whether it is, and the writer is broken.
    func append(_ records: [ManifestRecord], lsn: LSN) throws(FirnError) {
        precondition(!isBroken, "a manifest that failed once is replaced, not appended to")
        var output = ByteWriter()
        ManifestEdit.encode(
            records, number: editCount + 1, lsn: lsn, file: proof.number, byteOffset: proof.byteCount, into: &output)
        do {
            try output.withUnsafeBytes { (bytes) throws(IOError) in try file.write(bytes, at: proof.byteCount) }
            if !Mutant.isPlanted(.skipSyncOfEdit) { try file.sync() }
        } catch {
            isBroken = true
            throw FirnError(error)
        }
        editCount += 1
        output.withUnsafeBytes { bytes in
            proof.checksum = CRC32C.checksum(bytes, seed: proof.checksum)
            proof.byteCount += Int64(bytes.count)
        }
    }

    func close() throws(FirnError) {
        do { try file.close() } catch { throw FirnError(error) }
    }
}
