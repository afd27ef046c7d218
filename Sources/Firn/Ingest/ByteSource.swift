// SPDX-License-Identifier: Apache-2.0
//
// Where foreign bytes come from: a file read through the FileSystem seam, standard input, or memory;
// compressed ones are unpacked on the way. What a file is, its first bytes say, not its name.

import FirnIO
import SystemPackage

/// A stream of bytes that is read front to back. Not thread-safe.
protocol ByteSource: AnyObject {
    /// Fills the start of `buffer` and returns the number of bytes; 0 at the end of the stream, and only there.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int
    /// Bytes of the underlying file that were taken so far, for progress.
    var consumedBytes: Int64 { get }
    /// Bytes of the underlying file in all; nil where nobody knows.
    var totalBytes: Int64? { get }
}

/// Reads a file front to back.
final class FileByteSource: ByteSource {
    private let file: any File
    private(set) var consumedBytes: Int64 = 0
    let totalBytes: Int64?

    init(_ path: FilePath, _ fileSystem: any FileSystem) throws(FirnError) {
        do {
            file = try fileSystem.open(path, .readOnly)
            // A pipe says 0, and so does what the kernel makes up as it is read.
            let byteCount = try file.byteCount()
            totalBytes = byteCount > 0 ? byteCount : nil
        } catch {
            throw FirnError(reading: error)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int {
        do {
            let count = try file.read(into: buffer, at: consumedBytes)
            consumedBytes += Int64(count)
            return count
        } catch {
            throw FirnError(reading: error)
        }
    }
}

/// Takes bytes from a closure, a piece at a time: standard input, or what a program hands over.
final class ClosureByteSource: ByteSource {
    private let nextPiece: () throws(FirnError) -> [UInt8]?
    private var piece: [UInt8] = []
    private var position = 0
    private(set) var consumedBytes: Int64 = 0
    let totalBytes: Int64? = nil

    /// - Parameter nextPiece: nil at the end; empty pieces are allowed.
    init(_ nextPiece: @escaping () throws(FirnError) -> [UInt8]?) {
        self.nextPiece = nextPiece
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int {
        while position == piece.count {
            guard let next = try nextPiece() else { return 0 }
            piece = next
            position = 0
        }
        let count = min(buffer.count, piece.count - position)
        // `count` bytes lie in both: it is the smaller of what each has left.
        piece.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        }
        position += count
        consumedBytes += Int64(count)
        return count
    }
}

/// Gives back bytes that were read ahead, then the rest of the stream.
final class PrefixedByteSource: ByteSource {
    private let prefix: [UInt8]
    private var position = 0
    private let rest: any ByteSource

    init(_ prefix: [UInt8], _ rest: any ByteSource) {
        self.prefix = prefix
        self.rest = rest
    }

    var consumedBytes: Int64 { rest.consumedBytes }
    var totalBytes: Int64? { rest.totalBytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int {
        guard position < prefix.count else { return try rest.read(into: buffer) }
        let count = min(buffer.count, prefix.count - position)
        prefix.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        }
        position += count
        return count
    }
}

/// Recognises gzip and Zstandard by their first bytes and unpacks them.
///
/// - Parameter name: the stream's name in error messages.
func decompressing(_ source: any ByteSource, name: String) throws(FirnError) -> any ByteSource {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
    defer { buffer.deallocate() }
    var count = 0
    while count < 4 {
        let added = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        if added == 0 { break }
        count += added
    }
    let magic = [UInt8](buffer[..<count])
    let whole = PrefixedByteSource(magic, source)
    if magic.starts(with: [0x1f, 0x8b]) { return try GzipByteSource(whole, name: name) }
    if magic == [0x28, 0xb5, 0x2f, 0xfd] { return try ZstandardByteSource(whole, name: name) }
    return whole
}

extension FirnError {
    /// What a person should read when a file that they named cannot be read.
    init(reading error: IOError) {
        let code: SQLState =
            switch error.errno {
            case .noSuchFileOrDirectory: .undefinedFile
            case .permissionDenied, .notPermitted: .insufficientPrivilege
            default: .ioError
            }
        self.init(code, error.message)
    }
}
