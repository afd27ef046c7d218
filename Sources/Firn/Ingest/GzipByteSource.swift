// SPDX-License-Identifier: Apache-2.0
//
// Unpacks a gzip stream (RFC 1952) with zlib while it is read; members that follow each other are one stream. Zeros
// behind the last one, with which tapes and block devices fill up, are no data, as to gzip itself.

import CZlib

/// The unpacked bytes of a gzip stream. zlib checks each member's CRC-32 and length.
final class GzipByteSource: ByteSource {
    private let source: any ByteSource
    private let name: String
    private var stream = z_stream()
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    /// True between members: at the start, and after a member's trailer.
    private var isBetweenMembers = true
    private var hasMembers = false
    /// True once a zero was found behind a member: only zeros may follow.
    private var isInPadding = false

    init(_ source: any ByteSource, name: String) throws(FirnError) {
        self.source = source
        self.name = name
        // 15 window bits, + 16: a gzip wrapper, nothing else.
        let status = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw FirnError(.outOfMemory, "cannot start unpacking \(name)") }
    }

    deinit {
        inflateEnd(&stream)
        input.deallocate()
    }

    var consumedBytes: Int64 { source.consumedBytes }
    var totalBytes: Int64? { source.totalBytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int {
        guard buffer.count > 0 else { return 0 }
        // zlib writes at most `avail_out` bytes, which is the buffer's size, capped to what it can count.
        stream.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
        let capacity = min(buffer.count, Int(UInt32.max))
        stream.avail_out = UInt32(capacity)
        while stream.avail_out == UInt32(capacity) {
            if stream.avail_in == 0 {
                let count = try source.read(into: input)
                if count == 0 {
                    if isBetweenMembers, hasMembers { return 0 }
                    throw FirnError(.badCopyFileFormat, "\(name): the gzip stream ends in the middle")
                }
                // The input buffer outlives the stream, and `count` bytes of it were just filled.
                stream.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
                stream.avail_in = UInt32(count)
            }
            if isBetweenMembers, hasMembers {
                while stream.avail_in > 0, stream.next_in.pointee == 0 {
                    // `avail_in` bytes from `next_in` on are in the input buffer.
                    stream.next_in += 1
                    stream.avail_in -= 1
                    isInPadding = true
                }
                if stream.avail_in == 0 { continue }
                if isInPadding {
                    throw FirnError(.badCopyFileFormat, "\(name): something stands behind the gzip stream's padding")
                }
            }
            if isBetweenMembers {
                if hasMembers { inflateReset(&stream) }
                isBetweenMembers = false
            }
            let status = inflate(&stream, Z_NO_FLUSH)
            switch status {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END:
                isBetweenMembers = true
                hasMembers = true
            default:
                let reason = stream.msg.map { String(cString: $0) } ?? "error \(status)"
                throw FirnError(.badCopyFileFormat, "\(name): the gzip stream is damaged: \(reason)")
            }
        }
        return capacity - Int(stream.avail_out)
    }
}
