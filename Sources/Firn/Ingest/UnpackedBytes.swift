// SPDX-License-Identifier: Apache-2.0
//
// Pieces of a stream as they come, unpacked where gzip or Zstandard packed them. A pipe that somebody types into is handed on
// byte by byte: only a stream that begins as a packed one is waited for.

/// A stream of bytes, unpacked. Not thread-safe.
package final class UnpackedBytes {
    private let name: String
    private let nextPiece: () throws(FirnError) -> [UInt8]?
    private var kind = Kind.unknown

    private enum Kind {
        case unknown, plain
        case packed(any ByteSource)
    }

    /// Most bytes of an unpacked piece.
    private static let pieceBytesMax = 1 << 16

    /// - Parameters:
    ///   - name: the stream's name in errors.
    ///   - nextPiece: bytes cut anywhere; nil at the end.
    package init(name: String, _ nextPiece: @escaping () throws(FirnError) -> [UInt8]?) {
        self.name = name
        self.nextPiece = nextPiece
    }

    /// The next bytes; nil at the end.
    ///
    /// - Throws: what the stream throws; an error for a packed one that is damaged or cut off.
    package func next() throws(FirnError) -> [UInt8]? {
        switch kind {
        case .plain: return try nextPiece()
        case .packed(let source): return try UnpackedBytes.piece(of: source)
        case .unknown:
            var piece: [UInt8] = []
            while piece.count < 4,
                Magic.allCases.contains(where: { $0.bytes.starts(with: piece.prefix($0.bytes.count)) })
            {
                guard let more = try nextPiece() else { break }
                piece += more
            }
            guard Magic.allCases.contains(where: { piece.starts(with: $0.bytes) }) else {
                kind = .plain
                return piece.isEmpty ? nil : piece
            }
            var first: [UInt8]? = piece
            let nextPiece = nextPiece
            let stream = ClosureByteSource { () throws(FirnError) in
                guard let bytes = first else { return try nextPiece() }
                first = nil
                return bytes
            }
            let source = try decompressing(stream, name: name)
            kind = .packed(source)
            return try UnpackedBytes.piece(of: source)
        }
    }

    private static func piece(of source: any ByteSource) throws(FirnError) -> [UInt8]? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytesMax, alignment: 1)
        defer { buffer.deallocate() }
        let count = try source.read(into: buffer)
        return count == 0 ? nil : [UInt8](buffer[..<count])
    }

    /// How packed streams begin.
    private enum Magic: CaseIterable {
        case gzip, zstandard

        var bytes: [UInt8] {
            switch self {
            case .gzip: [0x1f, 0x8b]
            case .zstandard: [0x28, 0xb5, 0x2f, 0xfd]
            }
        }
    }
}
