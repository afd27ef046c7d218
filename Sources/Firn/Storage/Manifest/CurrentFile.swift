// SPDX-License-Identifier: Apache-2.0
//
// CURRENT: which manifest is live, and how far it is proven to reach.
//
//     0     8  magic "FIRNCURR"
//     8     2  format version
//     10    6  reserved, 0
//     16   16  database id
//     32    8  number of the live manifest
//     40    8  bytes of it that were durable when this file was written
//     48    4  CRC32C of those bytes
//     52    8  reserved, 0
//     60    4  CRC32C of bytes 0 to 59
//
// Replaced as a whole: written beside as CURRENT.new, synced, renamed, and the folder synced.

struct CurrentFile: Sendable, Hashable {
    static let byteCount = 64
    static let magic: StaticString = "FIRNCURR"

    var version = FormatVersion.current
    var database: DatabaseID
    var manifest: ManifestProof

    var bytes: [UInt8] {
        var output = ByteWriter(reservingBytes: Self.byteCount)
        output.append(Self.magic)
        output.appendLittleEndian(version.rawValue)
        output.appendZeros(6)
        output.appendLittleEndian(database.rawValue)
        manifest.encode(into: &output)
        output.appendZeros(8)
        let checksum = output.withUnsafeBytes { CRC32C.checksum($0) }
        output.appendLittleEndian(checksum)
        return output.bytes
    }

    static func decode(_ bytes: [UInt8]) throws(FormatError) -> CurrentFile {
        guard bytes.count == byteCount else {
            throw FormatError("it has \(bytes.count) bytes instead of \(byteCount)")
        }
        return try bytes.reading { (reader) throws(FormatError) in
            let magic = try reader.readBytes(8)
            guard magic.bytes.elementsEqual("FIRNCURR".utf8) else {
                throw FormatError("it does not begin with FIRNCURR")
            }
            let version = try FormatVersion.decode(try reader.readLittleEndian())
            try reader.skip(6)
            let current = CurrentFile(
                version: version, database: DatabaseID(try reader.readLittleEndian()),
                manifest: try ManifestProof.decode(from: &reader))
            try reader.skip(8)
            guard
                try reader.readLittleEndian(UInt32.self) == CRC32C.checksum(reader.view[0..<60])
                    || Mutant.isPlanted(.ignoreCurrentChecksum)
            else {
                throw FormatError("checksum mismatch", at: 60)
            }
            try current.manifest.check(at: 32)
            return current
        }
    }
}
