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
//
// Which files must be there is known, too. A file has its name, its header and its full byte count durably before it takes
// a frame, and the file before it names it (WriteAheadLog.swift). So it is corruption, and no end, when the first file that
// the manifest needs or one that is named is missing, belongs to another database, has no valid header, or is shorter
// than its header says.

import FirnIO
import SystemPackage

/// What a reading of the log found beside its frames.
struct WALEnd: Sendable {
    /// The LSN after the last frame.
    var nextLSN: LSN
    /// Where frames follow that were not known to be durable; nil where the log simply ends.
    var dropped: Dropped?
    /// The largest number of a log file.
    var lastFileNumber: UInt64
    /// Every file in the folder that has a log's name.
    var fileNumbers: [UInt64]

    /// Commits that a crash cut off.
    struct Dropped: Sendable, Hashable {
        var firstLSN: LSN
        /// The largest LSN that was seen behind the end; more may have been there.
        var lastLSN: LSN
        /// File and offset.
        var place: String

        /// In words for a person.
        var description: String {
            let count = lastLSN.rawValue - firstLSN.rawValue + 1
            let commits = count == 1 ? "1 commit" : "\(count) commits"
            return
                "the log ended in the middle of a write (\(place)); what was not known to be durable was dropped, as "
                + "a crash may do: at least \(commits) may be missing, from LSN \(firstLSN) on"
        }
    }
}

struct WALReader {
    let folder: DatabaseFolder
    let database: DatabaseID
    let manifest: ManifestState
    /// The format version of the manifest.
    let version: FormatVersion
    let fileSystem: any FileSystem
    private var files: [LogFile] = []
    /// Numbers of files whose headers are whole and name another database: somebody put them here, and nothing in them
    /// says anything about this database.
    private(set) var foreignFiles: [UInt64] = []

    private struct LogFile {
        var number: UInt64
        /// Nil where the header is not valid for this number.
        var header: WALFileHeader?
        /// Why there is none; nil where the file was not begun, and where it waits to be used again.
        var defect: FormatError?
    }

    /// Numbers of the log files in a folder, ascending.
    static func fileNumbers(_ folder: DatabaseFolder, _ fileSystem: any FileSystem) throws(FirnError) -> [UInt64] {
        do {
            guard try fileSystem.status(folder.logFolder) != nil else { return [] }
            var numbers: [UInt64] = []
            for entry in try fileSystem.list(folder.logFolder) {
                guard let number = DatabaseFolder.logNumber(entry.name) else { continue }
                // A link to a file is as good as the file.
                let kind = entry.kind == .other ? try fileSystem.status(folder.log(number))?.kind : entry.kind
                if kind == .file { numbers.append(number) }
            }
            return numbers.sorted()
        } catch {
            throw FirnError(error)
        }
    }

    /// Reads the header of a log file; nil where the file is shorter than one, or all zeros there.
    static func header(
        _ folder: DatabaseFolder, _ number: UInt64, _ fileSystem: any FileSystem
    ) throws(FirnError) -> Result<WALFileHeader, FormatError>? {
        try anyHeader(folder, number, fileSystem).map { $0.flatMap { header in header.ofFile(number) } }
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
        folder: DatabaseFolder, database: DatabaseID, manifest: ManifestState, version: FormatVersion,
        fileSystem: any FileSystem
    ) throws(FirnError) {
        self.folder = folder
        self.database = database
        self.manifest = manifest
        self.version = version
        self.fileSystem = fileSystem
        for number in try Self.fileNumbers(folder, fileSystem) {
            let found = try Self.anyHeader(folder, number, fileSystem)
            _ = try Self.readable(found, folder.log(number))
            switch found {
            case .success(let header)? where header.database != database && !Mutant.isPlanted(.takeForeignLog):
                foreignFiles.append(number)
            case .success(let header)?:
                files.append(LogFile(number: number, header: header.number == number ? header : nil))
            case .failure(let defect)?: files.append(LogFile(number: number, defect: defect))
            case nil: files.append(LogFile(number: number))
            }
        }
    }

    /// Calls `body` with every frame, in LSN order, those that the manifest contains left out; tells where the log ends.
    mutating func read(_ body: (WALFrame) throws(FirnError) -> Void) throws(FirnError) -> WALEnd {
        let epoch = manifest.epoch
        try refuseLaterOpening()
        var expected = epoch.firstLSN
        var durable = max(manifest.flushedLSN, manifest.closedLSN ?? .zero)
        var position = files.firstIndex { $0.number >= manifest.firstLogFile } ?? files.count
        var endFile = folder.log(manifest.firstLogFile)
        var endOffset: Int64 = 0
        var endHeader: WALFileHeader?
        var next = try firstFile(durable)
        while let index = next, let header = files[index].header {
            expected = header.firstLSN
            durable = max(durable, header.durableLSN)
            position = index + 1
            endFile = folder.log(files[index].number)
            endHeader = header
            let successor: UInt64?
            (endOffset, successor) = try readFile(header, from: &expected, &durable, body)
            if let successor {
                next = try file(successor, beginningWith: expected)
            } else {
                // Files that were only prepared are passed over.
                next = files[position...].firstIndex { file in
                    file.header.map { $0.epoch == epoch.number && $0.firstLSN == expected } ?? false
                }
            }
        }
        let evidence = try evidence(after: expected, from: position, endFile: endFile, endOffset, endHeader)
        durable = max(durable, evidence.durable)
        if expected <= durable, manifest.closedLSN == nil, !Mutant.isPlanted(.cutDamagedLog) {
            throw damaged(
                endFile, endOffset,
                "the commit with LSN \(expected) is missing or damaged, although everything up to \(durable) was durable"
            )
        }
        let lastFileNumber = max(files.last?.number ?? 0, foreignFiles.last ?? 0, manifest.firstLogFile)
        guard max(expected, durable).rawValue <= Self.lsnMax, lastFileNumber < DatabaseFolder.fileNumberMax else {
            throw damaged(endFile, endOffset, "the log has come to numbers that no database reaches")
        }
        return WALEnd(
            nextLSN: max(expected, durable.next),
            dropped: evidence.droppedLSN.map {
                WALEnd.Dropped(
                    firstLSN: expected, lastLSN: max(expected, $0), place: "\(endFile.string) at byte \(endOffset)")
            },
            lastFileNumber: lastFileNumber,
            fileNumbers: files.map(\.number))
    }

    /// At a million commits a second it takes 146,000 years to come here; the next openings can count on.
    private static let lsnMax: UInt64 = 1 << 62

    /// A log of a later opening means that CURRENT is older than what was acknowledged since.
    private func refuseLaterOpening() throws(FirnError) {
        if Mutant.isPlanted(.forgetEpochOfLog) { return }
        for file in files {
            if let header = file.header, header.epoch > manifest.epoch.number, try hasFrames(file.number, header) {
                throw damaged(
                    folder.log(file.number), 64,
                    "the log is of a later opening (\(header.epoch)) than the manifest "
                        + "(\(manifest.epoch.number)): CURRENT or the manifest is not the latest one")
            }
        }
    }

    /// Where the file lies from which on the manifest needs the log; nil where there need not be one.
    private func firstFile(_ durable: LSN) throws(FirnError) -> Int? {
        let number = manifest.firstLogFile
        let index = files.firstIndex { $0.number == number }
        let isFirstOfEpoch = number == manifest.epoch.firstLogFile
        func continues(_ header: WALFileHeader) -> Bool {
            header.epoch == manifest.epoch.number && header.firstLSN <= max(durable.next, manifest.epoch.firstLSN)
        }
        // After a close in order the log is removed, all of it or, in a crash, a part. Before the first manifest there
        // is none.
        guard manifest.closedLSN == nil, manifest.epoch.number > 0 else {
            return index.flatMap { files[$0].header.map(continues) == true ? $0 : nil }
        }
        guard let index else { throw missing(number, from: max(durable.next, manifest.epoch.firstLSN)) }
        guard let header = files[index].header else {
            // Builds that wrote format version 1 did not sync the header of a later file of an epoch.
            guard isFirstOfEpoch || version > .one else { return nil }
            throw headerless(files[index])
        }
        guard continues(header) else {
            throw damaged(
                folder.log(number), 64,
                "the file begins with LSN \(header.firstLSN) of opening \(header.epoch), where the manifest needs LSN "
                    + "\(max(durable.next, manifest.epoch.firstLSN)) of opening \(manifest.epoch.number)")
        }
        return index
    }

    /// Where the file lies that another names as the one in which the log goes on.
    private func file(_ number: UInt64, beginningWith lsn: LSN) throws(FirnError) -> Int {
        guard let index = files.firstIndex(where: { $0.number == number }) else {
            throw missing(number, from: lsn)
        }
        guard let header = files[index].header else { throw headerless(files[index]) }
        guard header.epoch == manifest.epoch.number, header.firstLSN == lsn else {
            throw damaged(
                folder.log(number), 64,
                "the file begins with LSN \(header.firstLSN) of opening \(header.epoch), where the file before it "
                    + "leads to LSN \(lsn) of opening \(manifest.epoch.number)")
        }
        return index
    }

    private func missing(_ number: UInt64, from lsn: LSN) -> FirnError {
        if foreignFiles.contains(number) {
            return damaged(
                folder.log(number), 16,
                "the file belongs to another database, where the commits from LSN \(lsn) on should be")
        }
        return FirnError(
            .dataCorrupted,
            "\(folder.log(number).string) is missing, with the commits from LSN \(lsn) on that are not in segments",
            hint: "restore it from a copy of the database")
    }

    private func headerless(_ file: LogFile) -> FirnError {
        guard let defect = file.defect else {
            return damaged(folder.log(file.number), 0, "the file has no header of its own, although commits follow it")
        }
        return damaged(folder.log(file.number), Int64(defect.byteOffset), defect.message)
    }

    /// Reads frames for as long as they are the expected ones; returns where they end, and the file that the last names.
    private func readFile(
        _ file: WALFileHeader, from expected: inout LSN, _ durable: inout LSN,
        _ body: (WALFrame) throws(FirnError) -> Void
    ) throws(FirnError) -> (endOffset: Int64, successor: UInt64?) {
        let path = folder.log(file.number)
        let window = try FileWindow(path, fileSystem)
        guard window.byteCount >= file.fileByteCount || Mutant.isPlanted(.takeShortLog) else {
            throw damaged(
                path, window.byteCount, "the file was cut: it had \(file.fileByteCount) bytes when it was begun")
        }
        var offset = Int64(WALFileHeader.byteCount)
        while let (header, payload) = try Self.frame(window, at: offset) {
            guard header.lsn == expected, header.epoch == manifest.epoch.number else { break }
            let frameOffset = offset
            durable = max(durable, header.durableLSN)
            offset += Int64(header.frameByteCount)
            let isCommit = header.kindNumber != WALFrameKind.continuation.rawValue
            if isCommit { expected = expected.next }
            guard !isCommit || header.lsn > manifest.flushedLSN || Mutant.isPlanted(.replayFlushedCommits) else {
                continue
            }
            let plain: [UInt8]
            do throws(FormatError) {
                plain = try payload.span.withUnsafeBytes { (raw) throws(FormatError) in
                    try WALFrame.payload(ByteView(raw), header)
                }
                if !isCommit { return (offset, try WALFrame.successor(plain)) }
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
        return (offset, nil)
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
        guard payload.count == header.payloadByteCount,
            CRC32C.checksum(payload) == header.payloadChecksum || Mutant.isPlanted(.takeTornFrame)
        else { return nil }
        return (header, payload)
    }

    /// The largest LSN that anything behind the end says was durable, and the largest of the commits that lie there; nil
    /// where none does.
    private func evidence(
        after expected: LSN, from position: Int, endFile: FilePath, _ endOffset: Int64, _ endHeader: WALFileHeader?
    ) throws(FirnError) -> (durable: LSN, droppedLSN: LSN?) {
        var durable = LSN.zero
        var droppedLSN: LSN?
        func scan(_ path: FilePath, from start: Int64) throws(FirnError) {
            let window = try FileWindow(path, fileSystem)
            var offset = start
            // Bytes that are no zeros where the next frame should be: it was begun and never finished.
            let first = try window.bytes(at: offset, count: WALFrameHeader.byteCount)
            if path == endFile, first.contains(where: { $0 != 0 }),
                WALReader.isOfEpoch(first, manifest.epoch.number, expected)
            {
                droppedLSN = max(droppedLSN ?? expected, expected)
            }
            let step = Int64(WALFrameHeader.alignment)
            let piece = 1 << 16
            var isZero = true
            while true {
                // Pieces overlap by a header, so that none is missed between two.
                let bytes = try window.bytes(at: offset, count: piece + WALFrameHeader.byteCount)
                if bytes.isEmpty { break }
                // Most of a file that was filled in advance is zeros.
                if !FileWindow.isZero(bytes) {
                    isZero = false
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
                                if header.kindNumber != WALFrameKind.continuation.rawValue {
                                    droppedLSN = max(droppedLSN ?? expected, header.lsn)
                                }
                            }
                            inPiece += Int(step)
                        }
                    }
                }
                offset += Int64(piece)
            }
            // A file that was never used before has zeros behind its frames.
            if path == endFile, !isZero, let endHeader, endHeader.fileByteCount > 0, !endHeader.isRecycled {
                droppedLSN = droppedLSN ?? expected
            }
        }
        if try FirnError.mapping({ () throws(IOError) in try fileSystem.status(endFile)?.kind == .file }) {
            try scan(endFile, from: max(endOffset, Int64(WALFileHeader.byteCount)))
        }
        for file in files where folder.log(file.number) != endFile && file.number >= manifest.firstLogFile {
            if let header = file.header, header.epoch == manifest.epoch.number, header.firstLSN >= expected {
                durable = max(durable, header.durableLSN)
            }
            try scan(folder.log(file.number), from: Int64(WALFileHeader.byteCount))
        }
        return (durable, droppedLSN)
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
    let byteCount: Int64
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

    /// True where every byte is zero.
    static func isZero(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { raw in
            guard let start = raw.baseAddress else { return true }
            // Each byte equals the one before it, and the first is zero: [1, count) and [0, count - 1) are in bounds.
            return raw[0] == 0 && compareBytes(start, start + 1, raw.count - 1) == 0
        }
    }

    /// True where no byte from `offset` on is other than zero.
    func isZero(from offset: Int64) throws(FirnError) -> Bool {
        var offset = offset
        while true {
            let bytes = try bytes(at: offset, count: Self.bufferBytes)
            if bytes.isEmpty { return true }
            guard Self.isZero(bytes) else { return false }
            offset += Int64(bytes.count)
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
