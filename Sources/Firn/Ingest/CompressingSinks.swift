// SPDX-License-Identifier: Apache-2.0
//
// Packs what is written, as gzip (RFC 1952) with zlib or as Zstandard (RFC 8878) with libzstd, on its way to another
// sink. COPY … TO takes them for names that end in .gz and .zst.

import CZlib
import CZstd

/// The sink that a file's name asks for: packing for `.gz` and `.zst`, plain for all others.
func compressing(_ sink: any ByteSink, path: String) throws(FirnError) -> any ByteSink {
    let name = path.lowercased()
    if name.hasSuffix(".gz") { return try GzipByteSink(sink) }
    if name.hasSuffix(".zst") { return try ZstandardByteSink(sink) }
    return sink
}

/// Writes one gzip member.
final class GzipByteSink: ByteSink {
    private let sink: any ByteSink
    private var stream = z_stream()
    private let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256 * 1_024)

    init(_ sink: any ByteSink) throws(FirnError) {
        self.sink = sink
        // 15 window bits, + 16: a gzip wrapper; 8 is zlib's usual memory.
        let status = deflateInit2_(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw FirnError(.outOfMemory, "cannot start packing") }
    }

    deinit {
        deflateEnd(&stream)
        output.deallocate()
    }

    /// Packed bytes.
    var writtenBytes: Int64 { sink.writtenBytes }

    func write(_ bytes: [UInt8]) throws(FirnError) {
        // zlib counts in 32 bits.
        var rest = bytes[...]
        while !rest.isEmpty {
            try pack(Array(rest.prefix(1 << 30)), Z_NO_FLUSH)
            rest = rest.dropFirst(1 << 30)
        }
    }

    func finish() throws(FirnError) {
        try pack([], Z_FINISH)
        try sink.finish()
    }

    func abandon() { sink.abandon() }

    private func pack(_ bytes: [UInt8], _ flush: Int32) throws(FirnError) {
        var input = bytes
        var failure: FirnError?
        input.withUnsafeMutableBufferPointer { input in
            // Both buffers outlive the loop, and zlib stays within the counts that it is given.
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            var isDone = false
            while !isDone {
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(output.count)
                let status = deflate(&stream, flush)
                let made = output.count - Int(stream.avail_out)
                do throws(FirnError) {
                    guard status != Z_STREAM_ERROR else { throw FirnError(.ioError, "packing failed") }
                    try sink.write(Array(output[..<made]))
                } catch {
                    failure = error
                    return
                }
                isDone = flush == Z_FINISH ? status == Z_STREAM_END : stream.avail_out > 0
            }
        }
        if let failure { throw failure }
    }
}

/// Writes one Zstandard frame with a checksum.
final class ZstandardByteSink: ByteSink {
    private let sink: any ByteSink
    private let context: OpaquePointer
    private let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 256 * 1_024)

    init(_ sink: any ByteSink) throws(FirnError) {
        self.sink = sink
        guard let context = ZSTD_createCCtx() else { throw FirnError(.outOfMemory, "cannot start packing") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(context)
        output.deallocate()
    }

    /// Packed bytes.
    var writtenBytes: Int64 { sink.writtenBytes }

    func write(_ bytes: [UInt8]) throws(FirnError) { try pack(bytes, ZSTD_e_continue) }

    func finish() throws(FirnError) {
        try pack([], ZSTD_e_end)
        try sink.finish()
    }

    func abandon() { sink.abandon() }

    private func pack(_ bytes: [UInt8], _ directive: ZSTD_EndDirective) throws(FirnError) {
        var failure: FirnError?
        bytes.withUnsafeBytes { bytes in
            // Both buffers outlive the loop, and libzstd stays within the sizes that it is given.
            var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var isDone = false
            while !isDone {
                var made = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
                let status = ZSTD_compressStream2(context, &made, &input, directive)
                do throws(FirnError) {
                    guard ZSTD_isError(status) == 0 else {
                        throw FirnError(.ioError, "packing failed: \(String(cString: ZSTD_getErrorName(status)))")
                    }
                    try sink.write(Array(output[..<made.pos]))
                } catch {
                    failure = error
                    return
                }
                isDone = directive == ZSTD_e_end ? status == 0 : input.pos == input.size
            }
        }
        if let failure { throw failure }
    }
}
