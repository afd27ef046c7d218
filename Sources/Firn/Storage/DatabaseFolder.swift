// SPDX-License-Identifier: Apache-2.0
//
// The folder of a database: the names of its files, and how a name is read back.
//
//     LOCK  CURRENT  CURRENT.new  manifest-<n>  wal/<n>.wal  data/<file id>.seg  quarantine/
//
// Numbers are decimal without leading zeros. Names on disk are ids, never a user's text.

import FirnIO
import SystemPackage

struct DatabaseFolder: Sendable, Hashable {
    let root: FilePath

    var lock: FilePath { root.appending("LOCK") }
    var current: FilePath { root.appending("CURRENT") }
    /// The next CURRENT before it is renamed.
    var newCurrent: FilePath { root.appending("CURRENT.new") }
    var logFolder: FilePath { root.appending("wal") }
    var dataFolder: FilePath { root.appending("data") }
    var quarantine: FilePath { root.appending("quarantine") }

    /// Manifests and log files are counted up from 1: a larger number in a name or a header is none of ours.
    static let fileNumberMax: UInt64 = 1 << 62

    func manifest(_ number: UInt64) -> FilePath { root.appending("manifest-\(number)") }
    func log(_ number: UInt64) -> FilePath { logFolder.appending("\(number).wal") }
    func data(_ file: FileID) -> FilePath { dataFolder.appending("\(file).seg") }

    static func manifestNumber(_ name: String) -> UInt64? {
        number(name, prefix: "manifest-", suffix: "").flatMap { $0 <= fileNumberMax ? $0 : nil }
    }
    static func logNumber(_ name: String) -> UInt64? {
        number(name, prefix: "", suffix: ".wal").flatMap { $0 <= fileNumberMax ? $0 : nil }
    }
    static func dataFile(_ name: String) -> FileID? { number(name, prefix: "", suffix: ".seg").map(FileID.init) }

    /// The number between prefix and suffix; nil where the name is not exactly what we would have written.
    private static func number(_ name: String, prefix: String, suffix: String) -> UInt64? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.utf8.count > prefix.utf8.count + suffix.utf8.count
        else { return nil }
        let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            digits.first != UInt8(ascii: "0") || digits.count == 1
        else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// Replaces CURRENT in one step and makes that durable.
    func writeCurrent(_ content: CurrentFile, on fileSystem: any FileSystem) throws(IOError) {
        let file = try fileSystem.open(newCurrent, .createOrOpen)
        try file.truncate(to: 0)
        try file.write(content.bytes, at: 0)
        if !Mutant.isPlanted(.skipSyncOfCurrent) { try file.syncAll() }
        try file.close()
        try fileSystem.rename(newCurrent, to: current)
        if !Mutant.isPlanted(.skipSyncOfRename) { try fileSystem.syncDirectory(root) }
    }
}
