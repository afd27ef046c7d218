// SPDX-License-Identifier: Apache-2.0
//
// What the machine itself can do, measured beside every run: no figure means much without it.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum PhysicalLimits {
    /// Microseconds of each durable write of `bytes` bytes to a file that was filled before: what a log can do at best.
    static func durableWrites(in folder: String, bytes: Int, seconds: Double) throws -> Sample {
        let path = folder + "/durable-write-probe"
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw OutputError("create", path) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let fileBytes = 16 << 20
        let zeros = [UInt8](repeating: 0, count: fileBytes)
        guard pwrite(descriptor, zeros, fileBytes, 0) == fileBytes, synchronise(descriptor) else {
            throw OutputError("write", path)
        }
        let block = [UInt8](repeating: 7, count: bytes)
        var measured: [Double] = []
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var offset = 0
        while clock.now < end {
            let began = clock.now
            guard pwrite(descriptor, block, bytes, off_t(offset)) == bytes, synchronise(descriptor) else {
                throw OutputError("write", path)
            }
            measured.append((clock.now - began).microseconds)
            offset += bytes
            if offset + bytes > fileBytes { offset = 0 }
        }
        return Sample(measured)
    }

    /// Bytes a second of one sequential, durable write.
    static func sequentialWrite(in folder: String, bytes: Int) throws -> Double {
        let path = folder + "/sequential-write-probe"
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw OutputError("create", path) }
        defer {
            close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 7, count: 1 << 20)
        let clock = ContinuousClock()
        let began = clock.now
        for _ in 0..<bytes / block.count where write(descriptor, block, block.count) != block.count {
            throw OutputError("write", path)
        }
        if !synchronise(descriptor) { throw OutputError("sync", path) }
        return Double(bytes) / (clock.now - began).seconds
    }

    /// Bytes a second that one thread reads from memory, the best of five.
    static func memoryRead() -> Double {
        let lanes = 8
        let words = [Int64](repeating: 3, count: (256 << 20) / 8)
        let clock = ContinuousClock()
        var best = 0.0
        var total: Int64 = 0
        for _ in 0..<5 {
            let began = clock.now
            words.withUnsafeBytes { bytes in
                var sums = (SIMD8<Int64>(), SIMD8<Int64>())
                // The count of words is a multiple of 16, so both loads lie within the array.
                for offset in stride(from: 0, to: bytes.count, by: 16 * lanes) {
                    sums.0 &+= bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Int64>.self)
                    sums.1 &+= bytes.loadUnaligned(fromByteOffset: offset + 8 * lanes, as: SIMD8<Int64>.self)
                }
                total &+= (sums.0 &+ sums.1).wrappedSum()
            }
            best = max(best, Double(words.count * 8) / (clock.now - began).seconds)
        }
        // Looking at the sum keeps the loop from being optimised away.
        precondition(total != 0, "the sum of positive numbers is not zero")
        return best
    }

    private static func synchronise(_ descriptor: Int32) -> Bool {
        #if canImport(Darwin)
            fcntl(descriptor, F_FULLFSYNC) == 0
        #else
            fdatasync(descriptor) == 0
        #endif
    }
}
