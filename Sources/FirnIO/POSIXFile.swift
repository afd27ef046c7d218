// SPDX-License-Identifier: Apache-2.0
//
// An open file of the machine, and the lock on one.
//
// Invariants: `descriptor` is ours from init until `isClosed` turns true, once; a failed sync sets `isPoisoned`
// for good, because Linux marks the pages that it could not write as clean: a second fsync would report success
// for bytes that are nowhere (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).

import Synchronization
package import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

final class POSIXFile: File {
    let path: FilePath
    let descriptor: Int32
    private let isClosed = Atomic<Bool>(false)
    private let isPoisoned = Atomic<Bool>(false)
    /// How far a file that cannot seek (a pipe, a terminal) was read.
    private let streamPosition = Mutex<Int64>(0)

    init(_ path: FilePath, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Nobody is left who could hear of an error; what must be durable was synced before, or is not promised.
        if !isClosed.load(ordering: .relaxed) { _ = Result { () throws(Errno) in try SystemCalls.close(descriptor) } }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64) throws(IOError) -> Int {
        try checkOpen(.read)
        guard let start = buffer.baseAddress else { return 0 }
        var readCount = 0
        while readCount < buffer.count {
            let requested = min(buffer.count - readCount, SystemCalls.transferBytesMax)
            let received: Int
            do {
                // [start + readCount, + requested) lies inside `buffer`.
                received = try SystemCalls.retry {
                    pread(descriptor, start + readCount, requested, off_t(byteOffset) + off_t(readCount))
                }
            } catch .illegalSeek {
                return try readStream(into: buffer, at: byteOffset)
            } catch {
                throw IOError(.read, path, error, detail: "at byte \(byteOffset + Int64(readCount))")
            }
            if received == 0 { break }
            readCount += received
        }
        return readCount
    }

    func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int64) throws(IOError) {
        try checkWritable(.write)
        guard let start = bytes.baseAddress else { return }
        var writtenCount = 0
        while writtenCount < bytes.count {
            let requested = min(bytes.count - writtenCount, SystemCalls.transferBytesMax)
            let position = byteOffset + Int64(writtenCount)
            // [start + writtenCount, + requested) lies inside `bytes`.
            writtenCount += try transferred(at: position) {
                let count = pwrite(descriptor, start + writtenCount, requested, off_t(position))
                // What cannot seek (a pipe, a terminal) takes bytes in the order in which they come.
                guard count == -1, SystemCalls.lastError == .illegalSeek else { return count }
                return SystemCalls.write(descriptor, start + writtenCount, requested)
            }
        }
    }

    func write(_ pieces: [UnsafeRawBufferPointer], at byteOffset: Int64) throws(IOError) {
        try checkWritable(.write)
        var vectors: [iovec] = []
        vectors.reserveCapacity(pieces.count)
        for piece in pieces where !piece.isEmpty {
            var rest = piece
            while !rest.isEmpty {
                let byteCount = min(rest.count, SystemCalls.transferBytesMax)
                // pwritev only reads through iov_base, whatever its C type says.
                vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: rest.baseAddress), iov_len: byteCount))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(byteCount))
            }
        }
        var position = byteOffset
        var first = 0
        while first < vectors.count {
            // As many pieces as the count and byte limits of one call allow; always one at least.
            var end = first
            var requested = 0
            while end < vectors.count, end - first < SystemCalls.piecesMax,
                end == first || requested + vectors[end].iov_len <= SystemCalls.transferBytesMax
            {
                requested += vectors[end].iov_len
                end += 1
            }
            var writtenCount = try transferred(at: position) {
                vectors[first..<end].withUnsafeBufferPointer {
                    pwritev(descriptor, $0.baseAddress, Int32($0.count), off_t(position))
                }
            }
            position += Int64(writtenCount)
            while first < end, writtenCount >= vectors[first].iov_len {
                writtenCount -= vectors[first].iov_len
                first += 1
            }
            if writtenCount > 0 {
                vectors[first].iov_base += writtenCount
                vectors[first].iov_len -= writtenCount
            }
        }
    }

    func byteCount() throws(IOError) -> Int64 {
        try checkOpen(.status)
        var status = stat()
        do {
            _ = try SystemCalls.retry { fstat(descriptor, &status) }
        } catch {
            throw IOError(.status, path, error)
        }
        return Int64(status.st_size)
    }

    func truncate(to byteCount: Int64) throws(IOError) {
        try checkWritable(.truncate)
        do {
            _ = try SystemCalls.retry { ftruncate(descriptor, off_t(byteCount)) }
        } catch {
            throw IOError(.truncate, path, error, detail: "to \(byteCount) bytes")
        }
    }

    func sync() throws(IOError) { try sync(.contents) }

    func syncAll() throws(IOError) { try sync(.contentsAndMetadata) }

    func close() throws(IOError) {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        do {
            try SystemCalls.close(descriptor)
        } catch {
            throw IOError(.close, path, error)
        }
    }

    private func sync(_ scope: SystemCalls.SyncScope) throws(IOError) {
        try checkWritable(.sync)
        do {
            try SystemCalls.sync(descriptor, scope)
        } catch {
            isPoisoned.store(true, ordering: .releasing)
            throw IOError(.sync, path, error)
        }
    }

    /// Reads what cannot seek, as long as each read begins where the one before it ended.
    private func readStream(
        into buffer: UnsafeMutableRawBufferPointer, at byteOffset: Int64
    ) throws(IOError) -> Int {
        do {
            return try streamPosition.withLock { position throws(Errno) in
                guard byteOffset == position else { throw .illegalSeek }
                var readCount = 0
                while readCount < buffer.count {
                    let requested = min(buffer.count - readCount, SystemCalls.transferBytesMax)
                    // [readCount, + requested) lies inside `buffer`, which is not empty here.
                    let target = buffer.baseAddress! + readCount
                    let received = try SystemCalls.retry { SystemCalls.read(descriptor, target, requested) }
                    if received == 0 { break }
                    readCount += received
                    position += Int64(received)
                }
                return readCount
            }
        } catch {
            throw IOError(.read, path, error, detail: "at byte \(byteOffset)")
        }
    }

    /// What `call` wrote; a call that writes nothing, and says neither why, would be made for ever.
    private func transferred(at position: Int64, _ call: () -> Int) throws(IOError) -> Int {
        do throws(Errno) {
            let writtenCount = try SystemCalls.retry(call)
            guard writtenCount > 0 else { throw Errno.ioError }
            return writtenCount
        } catch {
            throw IOError(.write, path, error, detail: "at byte \(position)")
        }
    }

    private func checkOpen(_ operation: IOError.Operation) throws(IOError) {
        guard !isClosed.load(ordering: .acquiring) else {
            throw IOError(operation, path, .badFileDescriptor, detail: "the file is closed")
        }
    }

    private func checkWritable(_ operation: IOError.Operation) throws(IOError) {
        try checkOpen(operation)
        guard !isPoisoned.load(ordering: .acquiring) else { throw IOError.poisoned(operation, path) }
    }
}

extension IOError {
    /// The error of every change to a file after one of its syncs failed.
    package static func poisoned(_ operation: Operation, _ path: FilePath) -> IOError {
        IOError(operation, path, .ioError, detail: "an earlier sync of this file failed")
    }
}

final class POSIXFileLock: FileLock {
    private let lockedFile: POSIXFile

    var file: any File { lockedFile }

    init(_ file: POSIXFile) { lockedFile = file }

    /// Closing the only descriptor of the open file releases its flock.
    func release() throws(IOError) { try lockedFile.close() }
}
