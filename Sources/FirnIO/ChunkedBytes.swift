// SPDX-License-Identifier: Apache-2.0
//
// A growable, sparse array of bytes that never recopies what it holds: the contents of a file in memory.
//
//     chunk i holds bytes [i MiB, (i + 1) MiB); it has memory for its first `capacity` bytes, the rest reads as zero
//
// Invariants: memory of a chunk that lies at or beyond `byteCount` is zero, so that growing needs no clearing;
// a chunk's capacity is 0, or a power of two from 4 KiB to 1 MiB. Reads and writes are memcpy, a chunk at a time.

package import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The bytes of one file. Not safe for concurrent use: its owner holds a lock.
package struct ChunkedBytes: ~Copyable {
    package static let chunkByteCount = 1 << 20
    private static let capacityMin = 4_096
    /// 16 TiB, so that a wrong offset is refused instead of filling memory with chunk descriptors.
    package static let byteCountMax: Int64 = 1 << 44

    private struct Chunk {
        var start: UnsafeMutableRawPointer?
        var capacity = 0
    }

    private var chunks: [Chunk] = []
    package private(set) var byteCount = 0

    package init() {}

    deinit {
        for chunk in chunks { free(chunk.start) }
    }

    /// Memory that the contents take, holes not counted.
    package var allocatedByteCount: Int { chunks.reduce(0) { $0 + $1.capacity } }

    /// Fills `buffer` from `byteOffset` on, as far as the contents go; returns the bytes read.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(Errno) -> Int {
        guard byteOffset >= 0 else { throw .invalidArgument }
        guard byteOffset < byteCount, let target = buffer.baseAddress else { return 0 }
        let begin = Int(byteOffset)
        let readCount = min(buffer.count, byteCount - begin)
        var done = 0
        while done < readCount {
            let (index, within) = (begin + done).quotientAndRemainder(dividingBy: Self.chunkByteCount)
            let wanted = min(readCount - done, Self.chunkByteCount - within)
            let chunk = index < chunks.count ? chunks[index] : Chunk()
            let held = max(0, min(wanted, chunk.capacity - within))
            // [done, done + wanted) lies in `buffer`; [within, within + held) lies in the chunk's memory.
            if held > 0, let source = chunk.start { memcpy(target + done, source + within, held) }
            if held < wanted { memset(target + done + held, 0, wanted - held) }
            done += wanted
        }
        return readCount
    }

    /// Writes all of `bytes`, growing as needed. EFBIG beyond 16 TiB, ENOMEM when memory is out: then nothing changed.
    package mutating func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(Errno) {
        guard byteOffset >= 0 else { throw .invalidArgument }
        guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
        guard byteOffset <= Self.byteCountMax - Int64(bytes.count) else { throw .fileTooLarge }
        let begin = Int(byteOffset)
        let end = begin + bytes.count
        try reserve(begin, end)
        var done = 0
        while done < bytes.count {
            let (index, within) = (begin + done).quotientAndRemainder(dividingBy: Self.chunkByteCount)
            let count = min(bytes.count - done, Self.chunkByteCount - within)
            // reserve gave this chunk memory for [0, within + count).
            memcpy(chunks[index].start! + within, source + done, count)
            done += count
        }
        byteCount = max(byteCount, end)
    }

    /// Cuts the contents, or grows them by a hole of zeros.
    package mutating func resize(to newByteCount: Int64) throws(Errno) {
        guard newByteCount >= 0 else { throw .invalidArgument }
        guard newByteCount <= Self.byteCountMax else { throw .fileTooLarge }
        let end = Int(newByteCount)
        if end < byteCount {
            let keptCount = (end + Self.chunkByteCount - 1) / Self.chunkByteCount
            while chunks.count > keptCount { free(chunks.removeLast().start) }
            let (index, within) = end.quotientAndRemainder(dividingBy: Self.chunkByteCount)
            if index < chunks.count, within < chunks[index].capacity, let start = chunks[index].start {
                memset(start + within, 0, chunks[index].capacity - within)
            }
        }
        byteCount = end
    }

    /// The same bytes in memory of their own.
    package func copy() throws(Errno) -> ChunkedBytes {
        var copy = ChunkedBytes()
        for (index, chunk) in chunks.enumerated() {
            let byteOffset = index * Self.chunkByteCount
            let count = min(chunk.capacity, byteCount - byteOffset)
            guard count > 0, let start = chunk.start else { continue }
            try copy.write(UnsafeRawBufferPointer(start: start, count: count), at: Int64(byteOffset))
        }
        try copy.resize(to: Int64(byteCount))
        return copy
    }

    /// Gives memory to every byte of [begin, end).
    private mutating func reserve(_ begin: Int, _ end: Int) throws(Errno) {
        let lastIndex = (end - 1) / Self.chunkByteCount
        while chunks.count <= lastIndex { chunks.append(Chunk()) }
        for index in begin / Self.chunkByteCount...lastIndex {
            let needed = min(end - index * Self.chunkByteCount, Self.chunkByteCount)
            let chunk = chunks[index]
            guard needed > chunk.capacity else { continue }
            var capacity = max(Self.capacityMin, chunk.capacity)
            while capacity < needed { capacity *= 2 }
            guard let grown = calloc(capacity, 1) else { throw .noMemory }
            if let start = chunk.start {
                memcpy(grown, start, chunk.capacity)
                free(start)
            }
            chunks[index] = Chunk(start: grown, capacity: capacity)
        }
    }
}
