// SPDX-License-Identifier: Apache-2.0
//
// Reads the log of one epoch from its files, in LSN order, and decides where it ends.
//
// Frames of one epoch have consecutive LSNs, so the next one is known: it follows in the file, or begins the next file.
// Where it is neither, the log ends there or is damaged. It is damaged exactly when something proves that the missing
// frame was durable: the durable LSN that an earlier or a later frame or header carries, or the manifest. Valid frames
// may follow a torn one (a crash may tear any sector of the last write), so they prove only what they say was durable.
//
//     a bad frame above every LSN known durable:   a torn tail, dropped with all that follows
//     a bad frame at or below one:                 corruption, named with file, offset and LSN

import FirnIO
import SystemPackage

/// What a reading of the log found beside its frames.
struct WALEnd: Sendable {
    /// The LSN after the last frame.
    var nextLSN: LSN
    /// Frames of this epoch that follow a torn one, and bytes of what was dropped: not acknowledged, or not synced.
    var droppedBytes: Int64
    /// Where the dropped part begins.
    var place: String?
    /// The largest number of a log file.
    var lastFileNumber: UInt64
    /// Every file in the folder that has a log's name.
    var fileNumbers: [UInt64]
}

struct WALReader {
    let folder: DatabaseFolder
    let database: DatabaseID
    let manifest: ManifestState
    let fileSystem: any FileSystem
    private var files: [LogFile] = []
    /// Numbers of files whose headers are whole and name another database: somebody put them here, and nothing in them
    /// says anything about this database.
    private(set) var foreignFiles: [UInt64] = []

    private struct LogFile {
        var number: UInt64
        /// Nil where the header is not valid for this number.
        var header: WALFileHeader?
    }

    /// Numbers of the log files in a folder, ascending.
    static func fileNumbers(_ folder: DatabaseFolder, _ fileSystem: any FileSystem) throws(FirnError) -> [UInt64] {
        do {
            guard try fileSystem.status(folder.logFolder) != nil else { return [] }
            return try fileSystem.list(folder.logFolder).compactMap { entry in
                entry.kind == .file ? DatabaseFolder.logNumber(entry.name) : nil
            }.sorted()
        } catch {
            throw FirnError(error)
        }
    }

    /// Reads the header of a log file; nil where the file is shorter than one, or all zeros there.
    static func header(
        _ folder: DatabaseFolder, _ number: UInt64, _ fileSystem: any FileSystem
    ) throws(FirnError) -> Result<WALFileHeader, FormatError>? {
        guard let header = try anyHeader(folder, number, fileSystem) else { return nil }
        guard case .success(let found) = header, found.number != number else { return header }
        return .failure(FormatError("the file was begun as log file \(found.number)", at: 32))
    }

    /// The same, whichever number the header has: a file may have been recycled, or put there by somebody.
    static func anyHeader(
        _ folder: DatabaseFolder, _ number: UInt64, _ fileSystem: any FileSystem
    ) throws(FirnError) -> Result<WALFileHeader, FormatError>? {
        let bytes: [UInt8]
        do {
            let file = try fileSystem.open(folder.log(number), .readOnly)
            bytes = try file.read(byteCount: WALFileHeader.byteCount, at: 0)
            try file.close()
        } catch {
            throw FirnError(error)
        }
        guard bytes.contains(where: { $0 != 0 }) else { return nil }
        return Result { () throws(FormatError) in
            try bytes.reading { (reader) throws(FormatError) in try WALFileHeader.decode(reader.view) }
        }
    }

    /// The header where it is whole; nil for one that a crash tore or that waits to be begun. A file of a version that
    /// this build does not read may hold commits: it is never passed over, error XX002.
    static func readable(
        _ header: Result<WALFileHeader, FormatError>?, _ path: FilePath
    ) throws(FirnError) -> WALFileHeader? {
        switch header {
        case .success(let header)?: return header
        case .failure(let error)? where error.isUnknownVersion: throw FirnError(error, in: path)
        case .failure, nil: return nil
        }
    }

    init(
        folder: DatabaseFolder, database: DatabaseID, manifest: ManifestState, fileSystem: any FileSystem
    ) throws(FirnError) {
        self.folder = folder
        self.database = database
        self.manifest = manifest
        self.fileSystem = fileSystem
        for number in try Self.fileNumbers(folder, fileSystem) {
            let found = try Self.anyHeader(folder, number, fileSystem)
            guard let header = try Self.readable(found, folder.log(number)) else {
                files.append(LogFile(number: number))
                continue
            }
            if header.database == database {
                files.append(LogFile(number: number, header: header.number == number ? header : nil))
            } else {
                foreignFiles.append(number)
            }
        }
    }

    /// Calls `body` with every frame, in LSN order, those that the manifest contains left out; tells where the log ends.
    mutating func read(_ body: (WALFrame) throws(FirnError) -> Void) throws(FirnError) -> WALEnd {
        let epoch = manifest.epoch
        // A log of a later opening means that CURRENT is older than what was acknowledged since.
        for file in files {
            if let header = file.header, header.epoch > epoch.number, try hasFrames(file.number, header) {
                throw damaged(
                    folder.log(file.number), 64,
                    "the log is of a later opening (\(header.epoch)) than the manifest "
                        + "(\(epoch.number)): CURRENT or the manifest is not the latest one")
            }
        }
        var expected = epoch.firstLSN
        var durable = max(manifest.flushedLSN, manifest.closedLSN ?? .zero)
        var position = 0
        while position < files.count, files[position].number < manifest.firstLogFile { position += 1 }
        var isFirst = true
        var endFile = folder.log(manifest.firstLogFile)
        var endOffset: Int64 = 0
        reading: while true {
            // The next file that continues the log; files that were only prepared are passed over.
            var next = position
            while next < files.count {
                if let header = files[next].header, header.epoch == epoch.number,
                    isFirst ? header.firstLSN <= max(durable.next, epoch.firstLSN) : header.firstLSN == expected
                {
                    break
                }
                next += 1
            }
            guard next < files.count, let header = files[next].header else { break reading }
            if isFirst, files[next].number != manifest.firstLogFile { break reading }
            isFirst = false
            expected = header.firstLSN
            durable = max(durable, header.durableLSN)
            position = next + 1
            endFile = folder.log(files[next].number)
            endOffset = try readFile(header, from: &expected, &durable, body)
        }
        let (evidence, droppedBytes) = try evidence(after: expected, from: position, endFile: endFile, endOffset)
        durable = max(durable, evidence)
        if expected <= durable, manifest.closedLSN == nil {
            throw damaged(
                endFile, endOffset,
                "the commit with LSN \(expected) is missing or damaged, although everything up to \(durable) was durable"
            )
        }
        return WALEnd(
            nextLSN: max(expected, durable.next), droppedBytes: droppedBytes,
            place: droppedBytes > 0 ? "\(endFile.string) at byte \(endOffset)" : nil,
            lastFileNumber: max(files.last?.number ?? 0, foreignFiles.last ?? 0, manifest.firstLogFile),
            fileNumbers: files.map(\.number))
    }

    /// Reads frames for as long as they are the expected ones; returns where they end.
    private func readFile(
        _ file: WALFileHeader, from expected: inout LSN, _ durable: inout LSN,
        _ body: (WALFrame) throws(FirnError) -> Void
    ) throws(FirnError) -> Int64 {
        let path = folder.log(file.number)
        let window = try FileWindow(path, fileSystem)
        var offset = Int64(WALFileHeader.byteCount)
        while let (header, payload) = try Self.frame(window, at: offset) {
            guard header.lsn == expected, header.epoch == manifest.epoch.number else { break }
            let frameOffset = offset
            durable = max(durable, header.durableLSN)
            offset += Int64(header.frameByteCount)
            expected = expected.next
            guard header.lsn > manifest.flushedLSN else { continue }
            let plain: [UInt8]
            do throws(FormatError) {
                plain = try payload.span.withUnsafeBytes { (raw) throws(FormatError) in
                    try WALFrame.payload(ByteView(raw), header)
                }
            } catch {
                throw damaged(path, frameOffset, error.message)
            }
            guard let kind = WALFrameKind(rawValue: header.kindNumber) else {
                throw FirnError(
                    .unsupportedFormat,
                    "\(path.string): the log has a frame of kind \(header.kindNumber) at byte "
                        + "\(frameOffset), which this build does not know",
                    hint: "open the database with the version that wrote it")
            }
            try body(WALFrame(version: file.version, lsn: header.lsn, kind: kind, payload: plain))
        }
        return offset
    }

    /// The frame at an offset, if a valid one stands there; its payload is as stored.
    static func frame(
        _ window: FileWindow, at offset: Int64
    ) throws(FirnError) -> (header: WALFrameHeader, payload: [UInt8])? {
        let headerBytes = try window.bytes(at: offset, count: WALFrameHeader.byteCount)
        let header = headerBytes.withUnsafeBytes { WALFrameHeader.decode(ByteView($0)) }
        guard let header else { return nil }
        let payload = try window.bytes(
            at: offset + Int64(WALFrameHeader.byteCount), count: header.payloadByteCount)
        guard payload.count == header.payloadByteCount, CRC32C.checksum(payload) == header.payloadChecksum else {
            return nil
        }
        return (header, payload)
    }

    /// The largest LSN that anything behind the end says was durable, and the bytes of later frames that lie there.
    private func evidence(
        after expected: LSN, from position: Int, endFile: FilePath, _ endOffset: Int64
    ) throws(FirnError) -> (durable: LSN, droppedBytes: Int64) {
        var durable = LSN.zero
        var droppedBytes: Int64 = 0
        func scan(_ path: FilePath, from start: Int64) throws(FirnError) {
            let window = try FileWindow(path, fileSystem)
            var offset = start
            // Bytes that are no zeros where the next frame should be: it was begun and never finished.
            let first = try window.bytes(at: offset, count: WALFrameHeader.byteCount)
            if path == endFile, first.contains(where: { $0 != 0 }),
                WALReader.isOfEpoch(first, manifest.epoch.number, expected)
            {
                droppedBytes += 1
            }
            let step = Int64(WALFrameHeader.alignment)
            let piece = 1 << 16
            while true {
                // Pieces overlap by a header, so that none is missed between two.
                let bytes = try window.bytes(at: offset, count: piece + WALFrameHeader.byteCount)
                guard bytes.count >= WALFrameHeader.byteCount else { return }
                bytes.withUnsafeBytes { raw in
                    let view = ByteView(raw)
                    var inPiece = 0
                    while inPiece < piece, inPiece + WALFrameHeader.byteCount <= raw.count {
                        // Cheap tests first: nearly all positions fail them.
                        let lsn = view.loadUnchecked(UInt64.self, at: inPiece + 8)
                        if lsn >= expected.rawValue,
                            view.loadUnchecked(UInt64.self, at: inPiece + 16) == manifest.epoch.number,
                            let header = WALFrameHeader.decode(view[inPiece...])
                        {
                            durable = max(durable, header.durableLSN)
                            droppedBytes += Int64(header.frameByteCount)
                        }
                        inPiece += Int(step)
                    }
                }
                offset += Int64(piece)
            }
        }
        if try FirnError.mapping({ () throws(IOError) in try fileSystem.status(endFile) }) != nil {
            try scan(endFile, from: max(endOffset, Int64(WALFileHeader.byteCount)))
        }
        for file in files where folder.log(file.number) != endFile && file.number >= manifest.firstLogFile {
            if let header = file.header, header.epoch == manifest.epoch.number, header.firstLSN >= expected {
                durable = max(durable, header.durableLSN)
            }
            try scan(folder.log(file.number), from: Int64(WALFileHeader.byteCount))
        }
        return (durable, droppedBytes)
    }

    /// True where a header, valid or not, was meant for this epoch and a commit that is not read yet.
    private static func isOfEpoch(_ bytes: [UInt8], _ epoch: UInt64, _ expected: LSN) -> Bool {
        guard bytes.count >= WALFrameHeader.byteCount else { return true }
        return bytes.withUnsafeBytes { raw in
            let view = ByteView(raw)
            return view.loadUnchecked(UInt64.self, at: 16) == epoch
                && view.loadUnchecked(UInt64.self, at: 8) >= expected.rawValue
        }
    }

    private func hasFrames(_ number: UInt64, _ header: WALFileHeader) throws(FirnError) -> Bool {
        let window = try FileWindow(folder.log(number), fileSystem)
        guard let found = try Self.frame(window, at: Int64(WALFileHeader.byteCount)) else { return false }
        return found.header.epoch == header.epoch
    }

    private func damaged(_ path: FilePath, _ offset: Int64, _ what: String) -> FirnError {
        FirnError.damaged(path, offset, what)
    }
}

extension FirnError {
    /// Damage that was found in a file.
    static func damaged(_ path: FilePath, _ byteOffset: Int64, _ what: String) -> FirnError {
        FirnError(
            .dataCorrupted, "\(path.string) is damaged at byte \(byteOffset): \(what)",
            hint: "run `firn check` on the database, and restore what it names from a copy")
    }
}

/// Reads ranges of a file through a buffer, front to back.
final class FileWindow {
    private let file: any File
    private let byteCount: Int64
    private var buffer: [UInt8] = []
    private var bufferOffset: Int64 = 0
    private static let bufferBytes = 1 << 20

    init(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) {
        do {
            file = try fileSystem.open(path, .readOnly)
            byteCount = try file.byteCount()
        } catch {
            throw FirnError(error)
        }
    }

    /// The bytes at `offset`, fewer where the file ends.
    func bytes(at offset: Int64, count: Int) throws(FirnError) -> [UInt8] {
        let available = Int(max(0, min(Int64(count), byteCount - offset)))
        guard available > 0 else { return [] }
        if offset < bufferOffset || offset + Int64(available) > bufferOffset + Int64(buffer.count) {
            bufferOffset = offset
            let wanted = Int(min(Int64(max(Self.bufferBytes, available)), byteCount - offset))
            buffer = try FirnError.mapping { () throws(IOError) in try file.read(byteCount: wanted, at: offset) }
        }
        let start = Int(offset - bufferOffset)
        return Array(buffer[start..<min(start + available, buffer.count)])
    }
}
