// SPDX-License-Identifier: Apache-2.0
//
// Arrays as large as those of a batch come from the heap, which keeps them for the next batch.

#if canImport(Glibc)
    import FirnIO
    import Glibc
    import Testing

    @Suite("Heap retention")
    struct HeapRetentionTests {
        @Test func arraysOfABatchComeFromTheHeap() {
            HeapRetention.begin()
            for byteCount in [128 << 10, 1 << 20, 8 << 20] {
                let arrays = (0..<4).map { _ in malloc(byteCount) }
                // What is mapped begins with a page, of which 16 bytes are glibc's own.
                let areMapped = arrays.allSatisfy { UInt(bitPattern: $0) % UInt(getpagesize()) == 16 }
                for array in arrays { free(array) }
                #expect(!areMapped, "\(byteCount) bytes")
            }
        }
    }
#endif
