// SPDX-License-Identifier: Apache-2.0
//
// Memory that ends where no memory is: a read or write past its last byte traps at once, without a sanitizer.
//
//     [ … | capacity bytes ][ one page that may not be touched ]
//                  ^ what is lent lies here, its end at the page
//
// The address sanitizer leaves the fuzzer blind with this toolchain, and would miss what C kernels do to Swift's memory.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lends room that ends at an untouchable page.
final class GuardedBytes {
    private let start: UnsafeMutableRawPointer
    private let capacity: Int
    private static let pageByteCount = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// - Parameter capacity: bytes, rounded up to whole pages.
    init(capacity wanted: Int) {
        let page = Self.pageByteCount
        capacity = (wanted + page - 1) / page * page
        let mapped = mmap(nil, capacity + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED, mprotect(mapped + capacity, page, PROT_NONE) == 0 else {
            fatalError("fuzz: no guarded memory")
        }
        start = mapped
    }

    deinit { munmap(start, capacity + Self.pageByteCount) }

    /// The last `byteCount` bytes before the page; nil where there are not so many.
    func room(_ byteCount: Int) -> UnsafeMutableRawBufferPointer? {
        guard byteCount <= capacity else { return nil }
        return UnsafeMutableRawBufferPointer(start: start + (capacity - byteCount), count: byteCount)
    }
}
