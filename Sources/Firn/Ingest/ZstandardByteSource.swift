// SPDX-License-Identifier: Apache-2.0
//
// Unpacks a Zstandard stream (RFC 8878) with libzstd while it is read; frames that follow each other are one stream.

import CZstd

/// The unpacked bytes of a Zstandard stream; libzstd checks a frame's checksum where it has one.
final class ZstandardByteSource: ByteSource {
    private let source: any ByteSource
    private let name: String
    private let context: OpaquePointer
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
    private var pending: ZSTD_inBuffer
    /// True where the last frame was complete.
    private var isBetweenFrames = true

    init(_ source: any ByteSource, name: String) throws(FirnError) {
        self.source = source
        self.name = name
        guard let context = ZSTD_createDStream() else {
            throw FirnError(.outOfMemory, "cannot start unpacking \(name)")
        }
        self.context = context
        pending = ZSTD_inBuffer(src: UnsafeRawPointer(input.baseAddress!), size: 0, pos: 0)
    }

    deinit {
        ZSTD_freeDStream(context)
        input.deallocate()
    }

    var consumedBytes: Int64 { source.consumedBytes }
    var totalBytes: Int64? { source.totalBytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FirnError) -> Int {
        guard buffer.count > 0 else { return 0 }
        var output = ZSTD_outBuffer(dst: buffer.baseAddress!, size: buffer.count, pos: 0)
        var mayHoldOutput = true
        while output.pos == 0 {
            if pending.pos == pending.size, !mayHoldOutput {
                let count = try source.read(into: input)
                if count == 0 {
                    if isBetweenFrames { return 0 }
                    throw FirnError(.badCopyFileFormat, "\(name): the Zstandard stream ends in the middle")
                }
                pending.size = count
                pending.pos = 0
            }
            let positionBefore = pending.pos
            let status = ZSTD_decompressStream(context, &output, &pending)
            if ZSTD_isError(status) != 0 {
                let reason = String(cString: ZSTD_getErrorName(status))
                throw FirnError(.badCopyFileFormat, "\(name): the Zstandard stream is damaged: \(reason)")
            }
            if output.pos > 0 || pending.pos > positionBefore { isBetweenFrames = status == 0 }
            mayHoldOutput = false
        }
        return output.pos
    }
}
