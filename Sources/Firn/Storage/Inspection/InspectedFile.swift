// SPDX-License-Identifier: Apache-2.0
//
// Any file of the format looked at by itself, without its database: what `firn inspect` prints.
//
// The kind is told from the first bytes alone, never from the name.

import FirnIO
import SystemPackage

/// A file of the format, described by what stands in it.
package enum InspectedFile: Sendable {
    case segments(SegmentFile.Description)
    case log(LogDescription)
    case manifest(ManifestDescription)
    case current(CurrentDescription)
    case lock(LockDescription)
    /// Zeros from the first byte on: a log file that was made in advance and not begun.
    case prepared(byteCount: Int64)

    /// What the header of a file says.
    package struct Header: Sendable {
        package var formatVersion: Int
        package var database: String
        package var fileNumber: UInt64
        package var byteCount: Int64

        init(_ header: FileHeader, byteCount: Int64) {
            formatVersion = Int(header.version.rawValue)
            database = header.database.description
            fileNumber = header.file.rawValue
            self.byteCount = byteCount
        }
    }

    /// How far CURRENT or a log file vouches for the manifest.
    package struct Proof: Sendable {
        package var manifestNumber: UInt64
        package var byteCount: Int64
        package var checksum: UInt32

        init(_ proof: ManifestProof) {
            manifestNumber = proof.number
            byteCount = proof.byteCount
            checksum = proof.checksum
        }
    }

    /// CURRENT.
    package struct CurrentDescription: Sendable {
        package var formatVersion: Int
        package var database: String
        package var manifest: Proof
    }

    /// LOCK.
    package struct LockDescription: Sendable {
        /// The process that wrote it last; it may be long gone.
        package var processID: Int32?
    }

    /// Tells the kind of a file and describes it.
    ///
    /// - Throws: 42809 for a file that is none of ours, XX002 for a format version that this build does not read,
    ///   XX001 where it is damaged.
    package static func describe(
        _ path: FilePath, fileSystem: any FileSystem
    ) throws(FirnError) -> InspectedFile {
        let (start, byteCount) = try FirnError.mapping { () throws(IOError) in
            let file = try fileSystem.open(path, .readOnly)
            let byteCount = try file.byteCount()
            let start = try file.read(byteCount: Int(min(byteCount, Int64(WALFileHeader.byteCount))), at: 0)
            try file.close()
            return (start, byteCount)
        }
        if start.starts(with: LockFile.heading.utf8) {
            return .lock(LockDescription(processID: LockFile.processID(start)))
        }
        if start.starts(with: "FIRNCURR".utf8) {
            return try reading(path, start: start) { (bytes) throws(FormatError) in
                let current = try CurrentFile.decode(bytes)
                return .current(
                    CurrentDescription(
                        formatVersion: Int(current.version.rawValue), database: current.database.description,
                        manifest: Proof(current.manifest)))
            }
        }
        guard start.starts(with: FileHeader.magic) else {
            if !start.isEmpty, start.allSatisfy({ $0 == 0 }) { return .prepared(byteCount: byteCount) }
            throw FirnError(
                .wrongObjectType, "\"\(path.string)\" is not a file of Firn",
                hint: "the files of a database are CURRENT, LOCK, manifest-<n>, wal/<n>.wal and data/<n>.seg")
        }
        let header = try reading(path, start: start) { (bytes) throws(FormatError) in
            try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
        }
        switch header.kind {
        case .segments: return .segments(try SegmentFile.describe(path, fileSystem: fileSystem))
        case .writeAheadLog: return .log(try LogDescription(path, fileSystem))
        case .manifest: return .manifest(try ManifestDescription(path, fileSystem))
        }
    }

    private static func reading<Result>(
        _ path: FilePath, start: [UInt8], _ body: ([UInt8]) throws(FormatError) -> Result
    ) throws(FirnError) -> Result {
        do throws(FormatError) { return try body(start) } catch { throw FirnError(error, in: path) }
    }
}

extension FirnError {
    /// What makes a file unreadable: a version that this build does not know, or damage.
    init(_ error: FormatError, in path: FilePath) {
        if error.isUnknownVersion {
            self.init(
                .unsupportedFormat, "\(path.string): \(error.message)",
                hint: "open it with the version of Firn that wrote it")
        } else {
            self = .damaged(path, Int64(error.byteOffset), error.message)
        }
    }
}
