// SPDX-License-Identifier: Apache-2.0
//
// Zstandard frames: the strong general-purpose compression of cold chunks, and of imported files.
//
// A frame that Firn writes carries its plain size; the enclosing format stores it as well, and
// decompression insists on exactly that. Contexts are costly, so each thread's work should hold on
// to a compressor or decompressor; the static functions make one for a single call.
//
// Source: RFC 8878.

import CZstd

enum Zstandard {
    /// Plain bytes that one frame of ours may hold.
    static let plainByteCountMax = 64 << 20
    static let levelRange: ClosedRange<Int32> = 1...22

    @discardableResult
    static func compress(_ plain: UnsafeRawBufferPointer, level: Int32, into output: inout ByteWriter) -> Int {
        ZstandardCompressor().compress(plain, level: level, into: &output)
    }

    static func decompress(_ compressed: ByteView, into plain: UnsafeMutableRawBufferPointer) throws(FormatError) {
        guard plain.count <= plainByteCountMax else {
            throw FormatError("a Zstandard frame of \(plain.count) bytes exceeds its limit of \(plainByteCountMax)")
        }
        guard plain.count > 0 else {
            if compressed.isEmpty { return }
            throw FormatError("a Zstandard frame holds bytes where none are expected")
        }
        let written = ZSTD_decompress(
            plain.baseAddress, plain.count, compressed.bytes.baseAddress, compressed.count)
        try check(written, expectedByteCount: plain.count)
    }

    /// Decompresses into a new array; `expectedByteCount` is checked before allocating.
    static func decompress(
        _ compressed: ByteView, expectedByteCount: Int, byteCountMax: Int = plainByteCountMax
    ) throws(FormatError) -> [UInt8] {
        guard expectedByteCount >= 0, expectedByteCount <= byteCountMax else {
            throw FormatError("a plain size of \(expectedByteCount) bytes exceeds its limit of \(byteCountMax)")
        }
        if expectedByteCount == 0 {
            try decompress(compressed, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            return []
        }
        try expect(expectedByteCount, in: compressed)
        var plain = [UInt8](repeating: 0, count: expectedByteCount)
        var failure: FormatError?
        plain.withUnsafeMutableBytes { room in
            do throws(FormatError) { try decompress(compressed, into: room) } catch { failure = error }
        }
        if let failure { throw failure }
        return plain
    }

    /// Compares the size that a frame states with the size that is expected, before anything is allocated.
    static func expect(_ expectedByteCount: Int, in compressed: ByteView) throws(FormatError) {
        let stated = ZSTD_getFrameContentSize(compressed.bytes.baseAddress, compressed.count)
        guard stated == UInt64(expectedByteCount) else {
            throw FormatError("a Zstandard frame does not hold the \(expectedByteCount) bytes expected of it")
        }
    }

    fileprivate static func check(_ written: Int, expectedByteCount: Int) throws(FormatError) {
        if ZSTD_isError(written) != 0 {
            throw FormatError("a Zstandard frame is damaged: \(String(cString: ZSTD_getErrorName(written)))")
        }
        guard written == expectedByteCount else {
            throw FormatError("a Zstandard frame holds \(written) bytes, \(expectedByteCount) were expected")
        }
    }
}

/// A compression context, for many frames in turn. Not for two threads at once.
final class ZstandardCompressor {
    private let context: OpaquePointer

    init() {
        guard let context = ZSTD_createCCtx() else { preconditionFailure("out of memory for a Zstandard context") }
        self.context = context
    }

    deinit { ZSTD_freeCCtx(context) }

    /// Appends one frame and returns its byte count; an empty input appends nothing.
    @discardableResult
    func compress(_ plain: UnsafeRawBufferPointer, level: Int32, into output: inout ByteWriter) -> Int {
        precondition(Zstandard.levelRange.contains(level), "Zstandard levels go from 1 to 22")
        precondition(plain.count <= Zstandard.plainByteCountMax, "one frame holds at most 64 MiB")
        guard plain.count > 0 else { return 0 }
        let before = output.count
        output.append(upTo: ZSTD_compressBound(plain.count)) { room in
            // Precondition: the room is ZSTD_compressBound bytes, so only a lack of memory can fail.
            let written = ZSTD_compressCCtx(
                context, room.baseAddress, room.count, plain.baseAddress, plain.count, level)
            precondition(ZSTD_isError(written) == 0, "Zstandard compresses into its own bound")
            return written
        }
        return output.count - before
    }
}

/// Frames that arrive in pieces, as in an imported file: several frames may follow each other.
final class ZstandardStreamDecompressor {
    private let context: OpaquePointer
    /// True between frames: here the input may end.
    private(set) var isAtFrameBoundary = true

    /// What one step used up and gave.
    struct Progress: Equatable {
        let consumedByteCount: Int
        let producedByteCount: Int
    }

    /// `windowLog` bounds the memory a frame may ask for: 2^windowLog bytes.
    init(windowLogMax: Int32 = 27) {
        guard let context = ZSTD_createDCtx() else { preconditionFailure("out of memory for a Zstandard context") }
        self.context = context
        let result = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLogMax)
        precondition(ZSTD_isError(result) == 0, "the window limit lies inside Zstandard's range")
    }

    deinit { ZSTD_freeDCtx(context) }

    /// Decompresses some of `input` into `output`; call again with what was not consumed.
    func decompress(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(FormatError) -> Progress {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &target, &source)
        if ZSTD_isError(result) != 0 {
            throw FormatError(
                "Zstandard input is damaged: \(String(cString: ZSTD_getErrorName(result)))", at: source.pos)
        }
        isAtFrameBoundary = result == 0
        return Progress(consumedByteCount: source.pos, producedByteCount: target.pos)
    }
}
