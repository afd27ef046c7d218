// SPDX-License-Identifier: Apache-2.0
//
// The first 64 bytes of a file that Firn wrote: what it is, of which version, and to whom it belongs.
//
//     0        8  magic "FIRN\r\n\x1A\n"
//     8        2  format version
//     10       1  file kind: 1 write-ahead log, 2 manifest, 3 segments
//     11       1  cipher id: 0, not encrypted
//     12       4  reserved, 0
//     16      16  database id
//     32       8  file id
//     40       8  key id: 0, not encrypted
//     48       8  of segments, the number of the opening that wrote them; 0 in format version 1, and in other kinds
//     56       4  reserved, 0
//     60       4  CRC32C of bytes 0 to 59, seeded with (file id, offset 0)
//
// All integers are little-endian. The magic holds both line ends, as PNG's does, so that a transfer as text shows.

/// What a file holds.
enum FileHeaderKind: UInt8, Sendable, CaseIterable {
    case writeAheadLog = 1
    case manifest = 2
    case segments = 3
}

/// A version of the format, as it stands at byte 8 of every file. What differs between them is in FORMAT.md.
enum FormatVersion: UInt16, Sendable, Hashable, Comparable, CaseIterable {
    case one = 1
    /// Columns have type modifiers, CHAR(n) is a type of its own.
    case two = 2

    /// The version that this build writes.
    static let current = FormatVersion.two

    static func < (left: FormatVersion, right: FormatVersion) -> Bool { left.rawValue < right.rawValue }

    /// The version with this number; throws for one that this build does not read, which stands at byte 8 of a file.
    static func decode(_ number: UInt16) throws(FormatError) -> FormatVersion {
        if let version = FormatVersion(rawValue: number) { return version }
        let known = "this build reads versions 1 to \(current.rawValue)"
        throw FormatError(
            number == 0
                ? "format version 0 is that of builds before the first release, \(known)"
                : "format version \(number) is not known, \(known)",
            at: 8, isUnknownVersion: true)
    }
}

struct FileHeader: Sendable, Hashable {
    static let byteCount = 64
    static let magic: [UInt8] = [0x46, 0x49, 0x52, 0x4E, 0x0D, 0x0A, 0x1A, 0x0A]

    var version = FormatVersion.current
    var kind: FileHeaderKind
    var database: DatabaseID
    var file: FileID
    /// The opening of the database that wrote a file of segments; 0 where nobody recorded it.
    var epoch: UInt64 = 0

    init(kind: FileHeaderKind, database: DatabaseID, file: FileID, epoch: UInt64 = 0) {
        self.kind = kind
        self.database = database
        self.file = file
        self.epoch = epoch
    }

    /// Appends the 64 bytes.
    func encode(into output: inout ByteWriter) {
        let start = output.count
        output.append(Self.magic)
        output.appendLittleEndian(version.rawValue)
        output.append(kind.rawValue)
        output.appendZeros(5)
        output.appendLittleEndian(database.rawValue)
        output.appendLittleEndian(file.rawValue)
        output.appendZeros(8)
        output.appendLittleEndian(epoch)
        output.appendZeros(4)
        let checksum = output.withUnsafeBytes {
            BlockChecksum.of(UnsafeRawBufferPointer(rebasing: $0[start...]), file: file, byteOffset: 0)
        }
        output.appendLittleEndian(checksum)
    }

    /// Reads and checks the header at the start of `bytes`.
    static func decode(_ bytes: ByteView) throws(FormatError) -> FileHeader {
        var reader = ByteReader(bytes)
        guard bytes.count >= byteCount else {
            throw FormatError("the file has \(bytes.count) bytes, its header alone needs \(byteCount)")
        }
        guard try reader.readBytes(magic.count).bytes.elementsEqual(magic) else {
            throw FormatError("the file does not begin as a file of Firn does")
        }
        let version = try FormatVersion.decode(try reader.readLittleEndian())
        let kindNumber = try reader.readByte()
        let cipher = try reader.readByte()
        try reader.skip(4)
        let database = DatabaseID(try reader.readLittleEndian(UInt128.self))
        let file = FileID(try reader.readLittleEndian(UInt64.self))
        try reader.skip(8)
        let epoch = try reader.readLittleEndian(UInt64.self)
        try reader.skip(4)
        let stored = try reader.readLittleEndian(UInt32.self)
        guard
            stored == BlockChecksum.of(bytes[0..<60].bytes, file: file, byteOffset: 0)
                || Mutant.isPlanted(.ignoreFileHeaderChecksum)
        else {
            throw FormatError("checksum mismatch in the file header")
        }
        guard let kind = FileHeaderKind(rawValue: kindNumber) else {
            throw FormatError("file kind \(kindNumber) is not known", at: 10)
        }
        guard file.rawValue <= Int64.max else { throw FormatError("file \(file) was never begun", at: 32) }
        guard cipher == 0 else { throw FormatError("cipher \(cipher) is not known", at: 11) }
        var header = FileHeader(kind: kind, database: database, file: file, epoch: epoch)
        header.version = version
        return header
    }
}
