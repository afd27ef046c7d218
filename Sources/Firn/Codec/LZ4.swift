// SPDX-License-Identifier: Apache-2.0
//
// LZ4 blocks: the light general-purpose compression of warm chunks.
//
// A block carries neither its compressed nor its plain size; the enclosing format stores both.
// Decompression writes at most the expected count and insists on exactly that.
//
// Source: LZ4 block format, https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.

import CLZ4

enum LZ4 {
    /// Plain bytes that one block may hold.
    static let plainByteCountMax = 64 << 20

    enum Level: Sendable, Equatable {
        /// About 700 MB/s.
        case fast
        /// The high-compression search, 1 to 12: slower to write, the same to read.
        case high(Int32)
    }

    /// Appends the compressed form of `plain` and returns its byte count.
    @discardableResult
    static func compress(_ plain: UnsafeRawBufferPointer, level: Level, into output: inout ByteWriter) -> Int {
        precondition(plain.count <= plainByteCountMax, "one LZ4 block holds at most \(plainByteCountMax) bytes")
        guard let base = plain.baseAddress, plain.count > 0 else { return 0 }
        let before = output.count
        let bound = Int(LZ4_compressBound(Int32(plain.count)))
        output.append(upTo: bound) { room in
            // Precondition: the room is LZ4_compressBound bytes, so compression cannot fail.
            let source = base.assumingMemoryBound(to: CChar.self)
            let target = room.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: CChar.self)
            let written =
                switch level {
                case .fast: LZ4_compress_default(source, target, Int32(plain.count), Int32(bound))
                case .high(let effort): LZ4_compress_HC(source, target, Int32(plain.count), Int32(bound), effort)
                }
            precondition(written > 0, "LZ4 compresses into its own bound")
            return Int(written)
        }
        return output.count - before
    }

    /// Decompresses into `plain`, whose count must be exactly what the block holds.
    static func decompress(_ compressed: ByteView, into plain: UnsafeMutableRawBufferPointer) throws(FormatError) {
        guard plain.count <= plainByteCountMax, compressed.count <= Int(Int32.max) else {
            throw FormatError("an LZ4 block of \(plain.count) bytes exceeds its limit of \(plainByteCountMax)")
        }
        guard let target = plain.baseAddress, plain.count > 0 else {
            if compressed.isEmpty { return }
            throw FormatError("an LZ4 block holds bytes where none are expected")
        }
        guard let source = compressed.bytes.baseAddress, compressed.count > 0 else {
            throw FormatError("an LZ4 block is empty where \(plain.count) bytes are expected")
        }
        let written = LZ4_decompress_safe(
            source.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self),
            Int32(compressed.count), Int32(plain.count))
        guard Int(written) == plain.count else {
            throw FormatError("an LZ4 block is damaged: \(plain.count) bytes were expected")
        }
    }

    /// Decompresses into a new array; `expectedByteCount` is checked against `byteCountMax` before allocating.
    static func decompress(
        _ compressed: ByteView, expectedByteCount: Int, byteCountMax: Int = plainByteCountMax
    ) throws(FormatError) -> [UInt8] {
        guard expectedByteCount >= 0, expectedByteCount <= byteCountMax else {
            throw FormatError("a plain size of \(expectedByteCount) bytes exceeds its limit of \(byteCountMax)")
        }
        // One compressed byte yields at most 255 plain ones.
        guard expectedByteCount / 255 <= compressed.count else {
            throw FormatError("\(compressed.count) bytes of LZ4 cannot hold \(expectedByteCount)")
        }
        var plain = [UInt8](repeating: 0, count: expectedByteCount)
        var failure: FormatError?
        plain.withUnsafeMutableBytes { room in
            do throws(FormatError) { try decompress(compressed, into: room) } catch { failure = error }
        }
        if let failure { throw failure }
        return plain
    }
}
