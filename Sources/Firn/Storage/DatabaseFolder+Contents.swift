// SPDX-License-Identifier: Apache-2.0
//
// What a folder holds, told by one rule: opening for writing, opening for reading and checking ask here.
//
//     CURRENT                                             a database
//     no CURRENT, and something that may hold a commit    a database that lost it: damage
//     no CURRENT, and only what creating makes before it  a creation that was cut short: begun anew
//     none of our names                                   nobody's, or somebody else's
//
// Creation makes CURRENT last. Before it there are LOCK, wal/ with a log of epoch 1 that has a header and nothing behind
// it, data/ without files, a first manifest without tables, and CURRENT.new. All of it may be torn. The random id of the
// database that was not made stands in those files; the creation that is begun anew draws another.

import FirnIO
import SystemPackage

extension DatabaseFolder {
    /// What a folder holds.
    enum Contents: Sendable, Hashable {
        /// No folder, or an empty one.
        case nothing
        /// Files, none of them ours.
        case foreign
        /// A creation that did not come to CURRENT. It holds no commit.
        case unfinishedCreation
        /// A database without CURRENT.
        case lostCurrent
        case database
    }

    /// Looks at the folder, and changes nothing.
    func contents(_ fileSystem: any FileSystem) throws(FirnError) -> Contents {
        let entries = try FirnError.mapping { () throws(IOError) -> [DirectoryEntry] in
            guard try fileSystem.status(root) != nil else { return [] }
            return try fileSystem.list(root)
        }
        guard !entries.isEmpty else { return .nothing }
        guard !entries.contains(where: { $0.name == "CURRENT" }) else { return .database }
        guard entries.contains(where: { Self.isOurs($0.name) }) else { return .foreign }
        return try holdsCommits(entries, fileSystem) ? .lostCurrent : .unfinishedCreation
    }

    /// A name that only a database's folder has.
    private static func isOurs(_ name: String) -> Bool {
        ["LOCK", "CURRENT", "CURRENT.new", "wal", "data", "quarantine"].contains(name) || manifestNumber(name) != nil
    }

    /// True where anything is there that creation does not make.
    private func holdsCommits(
        _ entries: [DirectoryEntry], _ fileSystem: any FileSystem
    ) throws(FirnError) -> Bool {
        for number in entries.compactMap({ Self.manifestNumber($0.name) }) {
            guard number == 1, try isFirstManifest(fileSystem) else { return true }
        }
        for entry in try list(dataFolder, fileSystem) where Self.dataFile(entry.name) != nil { return true }
        for entry in try list(logFolder, fileSystem) {
            guard let number = Self.logNumber(entry.name) else { continue }
            guard entry.kind == .file, try isEmptyLog(number, fileSystem) else { return true }
        }
        return false
    }

    private func list(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) -> [DirectoryEntry] {
        try FirnError.mapping { () throws(IOError) in
            guard try fileSystem.status(path)?.kind == .directory else { return [] }
            return try fileSystem.list(path)
        }
    }

    /// True for the manifest that creation writes, whole or torn: one edit, without tables.
    private func isFirstManifest(_ fileSystem: any FileSystem) throws(FirnError) -> Bool {
        let bytes = try FirnError.mapping { () throws(IOError) -> [UInt8] in
            guard try fileSystem.status(manifest(1))?.kind == .file else { return [] }
            let file = try fileSystem.open(manifest(1), .readOnly)
            let bytes = try file.read(byteCount: Self.firstManifestBytesMax + 1, at: 0)
            try file.close()
            return bytes
        }
        guard bytes.count <= Self.firstManifestBytesMax else { return false }
        let content = Result { () throws(FormatError) in
            let header = try bytes.reading { (reader) throws(FormatError) in try FileHeader.decode(reader.view) }
            return try ManifestContent.read(bytes, number: 1, database: header.database, proofs: [])
        }
        guard case .success(let found) = content else { return true }
        return found.editCount <= 1 && found.state.tables.isEmpty && found.state.epoch.number <= 1
    }

    /// A manifest without tables is a good deal smaller.
    private static let firstManifestBytesMax = 512

    /// True for a log of the first epoch that has no byte behind its header, whole or torn.
    private func isEmptyLog(_ number: UInt64, _ fileSystem: any FileSystem) throws(FirnError) -> Bool {
        let found = try WALReader.anyHeader(self, number, fileSystem)
        if let header = try WALReader.readable(found, log(number)), header.epoch > 1 { return false }
        let window = try FileWindow(log(number), fileSystem)
        return try window.isZero(from: Int64(WALFileHeader.byteCount))
    }

    /// The error of opening a folder whose creation was cut short, where nothing may be made.
    var unfinishedCreationError: FirnError {
        FirnError(
            .undefinedFile, "database \"\(root.string)\" does not exist: its creation was cut short",
            hint: "open it for writing, which begins the creation anew")
    }

    /// The error of a folder that lost CURRENT.
    var lostCurrentError: FirnError {
        FirnError(
            .dataCorrupted, "\(current.string) is missing, although the folder holds a database",
            hint: "restore CURRENT from a copy of the database")
    }
}
