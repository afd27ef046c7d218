// SPDX-License-Identifier: Apache-2.0
//
// Has the allocator keep what batches of columns need again and again.
//
// glibc gives the end of its heap back once 128 KiB of it are free, and maps and unmaps every array of 128 KiB or more.
// The arrays of a batch are as large, so that a query may write to new pages with each batch, of which the kernel clears
// every one: twice the time of the query itself. Both limits rise with what a program frees (mallopt(3), "dynamic mmap
// threshold"), unless it or its environment has set them. So one large block is freed before the first query: 8 MiB, after
// which arrays up to that size come from the heap, and up to 16 MiB of it stay.

#if canImport(Glibc)
    import Glibc
#endif

/// What the process's allocator does with memory that queries free.
public enum HeapRetention {
    private static let blockByteCount = 8 << 20

    private static let limitsWereRaised: Void = {
        #if canImport(Glibc)
            let block = malloc(blockByteCount)
            guard let block else { return }
            // A call of which the compiler knows nothing: it leaves out memory that nobody sees.
            explicit_bzero(block, 1)
            free(block)
        #endif
    }()

    /// Raises the limits, once a process; they stay as they are where the program or MALLOC_TRIM_THRESHOLD_ set them, and
    /// with other allocators. Thread-safe.
    public static func begin() { _ = limitsWereRaised }
}
