// SPDX-License-Identifier: Apache-2.0
//
// Signs that CURRENT is an old one: somebody put files of a copy over a database that had gone on.
//
// A crash leaves files that CURRENT does not know of, too, and an opening removes those: a manifest that was begun and did
// not become the live one, and data files that were being written. What tells them from a newer database:
//
//     a manifest with a larger number that was appended to       it was live: appending begins after CURRENT moved
//     a data file of a later opening than the manifest's         an opening writes such files after CURRENT moved
//     a log of a later opening that has a frame                  likewise (WALReader.swift)
//
// Where one is found nothing is opened and nothing removed. Copies that were made while the database was open may be
// older within one opening; there a data file that holds later commits than the log is kept (Recovery.swift).

import FirnIO
import SystemPackage

struct NewerFiles {
    let folder: DatabaseFolder
    let database: DatabaseID
    let manifestNumber: UInt64
    let manifest: ManifestState
    let fileSystem: any FileSystem

    /// Throws XX001 where a file shows that the manifest is not the latest one.
    func refuse() throws(FirnError) {
        if Mutant.isPlanted(.forgetNewerFiles) { return }
        for number in try numbers(in: folder.root, DatabaseFolder.manifestNumber) where number > manifestNumber {
            guard try wasLive(number) else { continue }
            throw Self.error(
                folder.manifest(number), "the manifest is newer than manifest-\(manifestNumber), which CURRENT names")
        }
        for number in try numbers(in: folder.dataFolder, { DatabaseFolder.dataFile($0)?.rawValue }) {
            let file = FileID(number)
            guard file >= manifest.nextFile || manifest.unfinishedFiles.contains(file) else { continue }
            guard let epoch = try epoch(of: file), epoch > manifest.epoch.number else { continue }
            throw Self.error(
                folder.data(file),
                "the data file is of a later opening (\(epoch)) than the manifest (\(manifest.epoch.number))")
        }
    }

    private static func error(_ path: FilePath, _ what: String) -> FirnError {
        FirnError(
            .dataCorrupted, "\(path.string): \(what): CURRENT or the manifest is not the latest one",
            hint: "restore the whole folder from one copy, not a part of it")
    }

    /// True for a manifest of this database to which an edit was appended.
    private func wasLive(_ number: UInt64) throws(FirnError) -> Bool {
        let bytes = try FirnError.mapping { () throws(IOError) -> [UInt8] in
            guard try fileSystem.status(folder.manifest(number))?.kind == .file else { return [] }
            let file = try fileSystem.open(folder.manifest(number), .readOnly)
            let bytes = try file.readAll()
            try file.close()
            return bytes
        }
        do throws(FormatError) {
            return try ManifestContent.read(bytes, number: number, database: database, proofs: []).wasAppendedTo
        } catch {
            // Torn, or of another database.
            return false
        }
    }

    /// The opening that wrote a data file of this database; nil where its header does not say.
    private func epoch(of file: FileID) throws(FirnError) -> UInt64? {
        guard try FirnError.mapping({ () throws(IOError) in try fileSystem.status(folder.data(file))?.kind == .file })
        else { return nil }
        let bytes = try FileWindow(folder.data(file), fileSystem).bytes(at: 0, count: FileHeader.byteCount)
        let header = Result { () throws(FormatError) in
            try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
        }
        guard case .success(let found) = header, found.database == database, found.file == file else { return nil }
        return found.epoch
    }

    private func numbers(in path: FilePath, _ number: (String) -> UInt64?) throws(FirnError) -> [UInt64] {
        try FirnError.mapping { () throws(IOError) in
            guard try fileSystem.status(path)?.kind == .directory else { return [] }
            return try fileSystem.list(path).compactMap { number($0.name) }
        }
    }
}
