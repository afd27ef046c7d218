// SPDX-License-Identifier: Apache-2.0
//
// Memory of many megabytes that is written once and soon let go, in huge pages where the system has them.
//
// The first write to each page of 4 KiB is a fault, which costs as much as sorting the rows that the page holds. A huge
// page of 2 MiB is one fault, and a few entries of the processor's table of pages cover all of a buffer, so that
// scattered writes do not miss it. A buffer that will be wanted again is left to the system in the meantime: it takes the
// memory when it needs it, and only then is the next write a fault.
//
// Source: Linux, Documentation/admin-guide/mm/transhuge.rst; madvise(2), MADV_FREE.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Buffers in huge pages.
public enum LargeMemory {
    /// Bytes of a huge page; smaller buffers are ordinary ones.
    private static let hugePageByteCount = 2 << 20

    /// Room for `count` elements, not initialized; deallocate it as any other.
    public static func allocate<Element: BitwiseCopyable>(
        _ type: Element.Type, count: Int
    ) -> UnsafeMutablePointer<Element> {
        allocate(byteCount: max(count, 1) * MemoryLayout<Element>.stride)
            .baseAddress!.bindMemory(to: Element.self, capacity: max(count, 1))
    }

    /// The same for raw bytes; aligned to 64 bytes at least.
    public static func allocate(byteCount: Int) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: byteCount, alignment: byteCount >= hugePageByteCount ? hugePageByteCount : 64)
        useHugePages(for: memory)
        return memory
    }

    /// Asks for huge pages for as much of the memory as whole ones fit in. Does nothing where there are none.
    public static func useHugePages(for memory: UnsafeMutableRawBufferPointer) {
        #if os(Linux)
            guard memory.count >= hugePageByteCount, let base = memory.baseAddress else { return }
            let skipped = -Int(bitPattern: base) & (hugePageByteCount - 1)
            let byteCount = (memory.count - skipped) & ~(hugePageByteCount - 1)
            // Advice: a system that cannot follow it says so, and nothing is lost.
            if byteCount > 0 { _ = madvise(base + skipped, byteCount, Int32(MADV_HUGEPAGE)) }
        #endif
    }

    /// Lets the system have a buffer's memory where it runs short: the bytes are lost, their room stays the caller's.
    public static func forgetContents(of memory: UnsafeMutableRawBufferPointer) {
        guard let base = memory.baseAddress else { return }
        let pageByteCount = Int(getpagesize())
        let skipped = -Int(bitPattern: base) & (pageByteCount - 1)
        let byteCount = (memory.count - skipped) & ~(pageByteCount - 1)
        // Advice: a system that cannot follow it keeps the memory in use.
        if byteCount > 0 { _ = madvise(base + skipped, byteCount, Int32(MADV_FREE)) }
    }
}
