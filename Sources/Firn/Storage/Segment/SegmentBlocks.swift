// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a segment file on their way into memory: read, checked against their checksum and place, verified.
//
// Every failure says which file, which offset, and what lies there.

import FirnIO
import SystemPackage

/// A file of segments, opened for reading. Thread-safe.
final class SegmentBlocks: Sendable {
    /// Where the descriptor for a read comes from.
    private enum Source: Sendable {
        case own(any File)
        case shared(OpenFiles, FilePath)
    }

    let file: FileID
    private let source: Source

    /// Opens the file, for as long as the object lives, and checks its header.
    ///
    /// - Parameter database: the database to which the file must belong; nil takes any.
    convenience init(
        path: FilePath, fileSystem: any FileSystem, file: FileID?, database: DatabaseID?
    ) throws(FirnError) {
        let handle = try FirnError.mapping { () throws(IOError) in try fileSystem.open(path, .readOnly) }
        try self.init(.own(handle), handle, path: path, file: file, database: database)
    }

    /// Checks the file's header; its descriptor is borrowed for each read.
    convenience init(
        path: FilePath, openFiles: OpenFiles, file: FileID, database: DatabaseID
    ) throws(FirnError) {
        let handle = try openFiles.file(file, at: path)
        try self.init(.shared(openFiles, path), handle, path: path, file: file, database: database)
    }

    private init(
        _ source: Source, _ handle: any File, path: FilePath, file: FileID?, database: DatabaseID?
    ) throws(FirnError) {
        let bytes = try FirnError.mapping { () throws(IOError) in
            try handle.read(byteCount: FileHeader.byteCount, at: 0)
        }
        let name = Self.displayName(path)
        let header: FileHeader
        do throws(FormatError) {
            let span = bytes.span
            header = try span.withUnsafeBytes { (view) throws(FormatError) in try FileHeader.decode(ByteView(view)) }
        } catch {
            if error.isUnknownVersion { throw FirnError(error, in: path) }
            throw Self.damage(error.message, in: name, at: Int64(error.byteOffset), covering: "file header")
        }
        guard header.kind == .segments else {
            throw Self.damage("not a segment file", in: name, at: 10, covering: "file header")
        }
        if let file, header.file != file {
            throw Self.damage(
                "the file says that it is file \(header.file), not \(file)", in: name, at: 32, covering: "file header")
        }
        if let database, header.database != database, !Mutant.isPlanted(.takeForeignDataFile) {
            throw Self.damage(
                "the file belongs to database \(header.database), not \(database)", in: name, at: 16,
                covering: "file header")
        }
        self.source = source
        self.file = header.file
        displayName = name
        self.header = header
    }

    let header: FileHeader
    /// The file as errors name it: its folder and name.
    let displayName: String

    private static func displayName(_ path: FilePath) -> String {
        let components = path.components.suffix(2).map(\.string)
        return components.joined(separator: "/")
    }

    /// The descriptor, for one read.
    fileprivate func handle() throws(FirnError) -> any File {
        switch source {
        case .own(let handle): handle
        case .shared(let files, let path): try files.file(file, at: path)
        }
    }

    func byteCount() throws(FirnError) -> Int64 {
        let handle = try handle()
        return try FirnError.mapping { () throws(IOError) in try handle.byteCount() }
    }

    // MARK: Reading

    /// The bytes of a payload whose checksum is right.
    func payload(_ block: BlockLocation, covering what: @autoclosure () -> String) throws(FirnError) -> LoadedBytes {
        let loaded = try LoadedBytes(try handle(), block, self, what)
        let payload = loaded.view
        let stored = loaded.whole.loadUnchecked(UInt32.self, at: payload.count)
        guard
            stored == BlockChecksum.of(payload.bytes, file: file, byteOffset: block.byteOffset)
                || Mutant.ignoresChecksum(of: what())
        else {
            throw damage("checksum mismatch", at: block.byteOffset, covering: what())
        }
        return loaded
    }

    /// A page, checked and verified, of the kind that its place asks for.
    func page(
        _ location: PageLocation, kind: PhysicalKind, covering what: @autoclosure () -> String
    ) throws(FirnError) -> PageDecoder {
        let loaded = try payload(location.block, covering: what())
        let page: PageDecoder
        do throws(FormatError) {
            page = try PageDecoder(loaded.view, keepingAlive: loaded)
        } catch {
            throw damage(error.description, at: location.block.byteOffset, covering: what())
        }
        guard page.kind == kind, page.valueCount == location.valueCount else {
            let found = "a page of \(page.valueCount) \(page.kind) values where \(location.valueCount) \(kind) belong"
            throw damage(found, at: location.block.byteOffset, covering: what())
        }
        return page
    }

    /// Statistics of vectors.
    func zoneMap(
        _ block: BlockLocation, rowCount: Int, covering what: @autoclosure () -> String
    ) throws(FirnError) -> ColumnChunkStatistics {
        let loaded = try payload(block, covering: what())
        do throws(FormatError) {
            var reader = ByteReader(loaded.view)
            let statistics = try ColumnChunkStatistics.decode(&reader)
            try reader.expectEnd()
            guard statistics.valueCount == rowCount else {
                throw FormatError("statistics of \(statistics.valueCount) rows where \(rowCount) belong")
            }
            return statistics
        } catch {
            throw damage(error.description, at: block.byteOffset, covering: what())
        }
    }

    /// The payload of a footer or tail that ends at `end` and begins at `start` or later, and where it begins.
    func trailed(
        endingAt end: Int64, from start: Int64, magic: [UInt8], covering what: String
    ) throws(FirnError) -> (bytes: LoadedBytes, byteOffset: Int64) {
        let trailerOffset = end - Int64(SegmentLayout.trailerByteCount)
        guard trailerOffset >= start else { throw damage("the file is too short", at: start, covering: what) }
        let handle = try handle()
        let trailer = try FirnError.mapping { () throws(IOError) in
            try handle.read(byteCount: SegmentLayout.trailerByteCount, at: trailerOffset)
        }
        guard trailer.count == SegmentLayout.trailerByteCount, Array(trailer.suffix(4)) == magic else {
            throw damage("the end of the \(what) is missing", at: trailerOffset, covering: what)
        }
        let byteCount = trailer[4..<8].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
        let byteOffset = trailerOffset - byteCount
        guard byteOffset >= start, byteCount <= SegmentLayout.payloadBytesMax else {
            throw damage("checksum mismatch", at: trailerOffset, covering: what)
        }
        let block = BlockLocation(byteOffset: byteOffset, byteCount: Int(byteCount) + SegmentLayout.checksumByteCount)
        return (try payload(block, covering: what), byteOffset)
    }

    // MARK: Damage

    func damage(_ what: String, at byteOffset: Int64, covering region: String) -> FirnError {
        Self.damage(what, in: displayName, at: byteOffset, covering: region)
    }

    private static func damage(
        _ what: String, in name: String, at byteOffset: Int64, covering region: String
    ) -> FirnError {
        damage("\(what) in \(name) at offset \(byteOffset) (\(region))")
    }

    /// The error of damage that a message describes in full.
    static func damage(_ message: String) -> FirnError {
        FirnError(
            .dataCorrupted, message,
            hint: "run firn check to list all damage; SET skip_damaged = on answers without the damaged rows")
    }
}

/// Bytes of one block in memory of its own. Immutable after it was read.
final class LoadedBytes: @unchecked Sendable {
    // Sendable: the buffer is written in `init` alone, and freed when nobody holds the object any more.
    private let storage: UnsafeMutableRawBufferPointer

    /// Payload and checksum.
    var whole: ByteView { ByteView(UnsafeRawBufferPointer(storage)) }
    /// The payload.
    var view: ByteView { whole[0..<storage.count - SegmentLayout.checksumByteCount] }

    fileprivate init(
        _ handle: any File, _ block: BlockLocation, _ blocks: SegmentBlocks, _ what: () -> String
    ) throws(FirnError) {
        precondition(block.byteCount >= SegmentLayout.checksumByteCount, "a block has a checksum")
        storage = .allocate(byteCount: block.byteCount, alignment: 64)
        let readCount: Int
        do {
            readCount = try handle.read(into: storage, at: block.byteOffset)
        } catch {
            throw FirnError(error)
        }
        guard readCount == block.byteCount else {
            throw blocks.damage("the file ends within a block", at: block.byteOffset, covering: what())
        }
    }

    deinit { storage.deallocate() }
}
