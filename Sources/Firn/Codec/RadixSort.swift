// SPDX-License-Identifier: Apache-2.0
//
// Sorting of integers by which bins are fitted.

/// Sorts unsigned integers by their bytes, low ones first; bytes that are all alike cost one look.
enum RadixSort {
    static func sort(_ values: inout [UInt64]) {
        if values.count < 256 { return values.sort() }
        var scratch = [UInt64](repeating: 0, count: values.count)
        var varying: UInt64 = 0
        for value in values { varying |= value ^ values[0] }
        for shift in stride(from: UInt64(0), to: 64, by: 8) where (varying >> shift) & 0xFF != 0 {
            values.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in
                    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { starts in
                        starts.initialize(repeating: 0)
                        for value in source { starts[Int((value &>> shift) & 0xFF)] &+= 1 }
                        var total = 0
                        for byte in 0..<256 { (starts[byte], total) = (total, total &+ starts[byte]) }
                        for value in source {
                            let byte = Int((value &>> shift) & 0xFF)
                            target[starts[byte]] = value
                            starts[byte] &+= 1
                        }
                    }
                }
            }
            swap(&values, &scratch)
        }
    }
}
