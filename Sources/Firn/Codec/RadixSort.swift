// SPDX-License-Identifier: Apache-2.0
//
// A stable radix sort by some bits of a number in each element: 8 bits a pass, the lowest first.
//
// What bins are fitted to is sorted so, and the hashes of keys for every commit and every index: a pass costs some 2 ns an
// element, where comparisons cost 60 to 100 for all.

enum RadixSort {
    /// Below this many elements comparisons cost less than passes.
    private static let elementCountMin = 256

    static func sort(_ values: inout [UInt64]) { sort(&values, bits: 0..<64) { $0 } }

    /// - Parameters:
    ///   - bits: the bits of the number by which elements ascend; all others must be 0 or in order already. Eight of them
    ///     that are alike in all elements cost one look.
    ///   - number: the number of an element.
    @inline(__always)
    static func sort<Element: BitwiseCopyable>(
        _ elements: inout [Element], bits: Range<UInt64>, number: (Element) -> UInt64
    ) {
        guard elements.count >= elementCountMin else {
            let mask = (bits.upperBound < 64 ? 1 << bits.upperBound - 1 : UInt64.max) & ~(1 << bits.lowerBound - 1)
            // The standard library's sort is stable.
            elements.sort { number($0) & mask < number($1) & mask }
            return
        }
        let first = number(elements[0])
        var varying: UInt64 = 0
        for element in elements { varying |= number(element) ^ first }
        var scratch = elements
        for shift in stride(from: bits.lowerBound, to: bits.upperBound, by: 8) where varying &>> shift & 255 != 0 {
            elements.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in scatter(source, shift, into: target, number) }
            }
            swap(&elements, &scratch)
        }
    }

    /// One pass: by the 8 bits from `shift` on.
    @inline(__always)
    private static func scatter<Element: BitwiseCopyable>(
        _ source: UnsafeBufferPointer<Element>, _ shift: UInt64, into target: UnsafeMutableBufferPointer<Element>,
        _ number: (Element) -> UInt64
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { starts in
            starts.initialize(repeating: 0)
            for element in source { starts[Int(truncatingIfNeeded: number(element) &>> shift & 255)] &+= 1 }
            var start = 0
            for digit in 0..<256 {
                let count = starts[digit]
                starts[digit] = start
                start += count
            }
            for element in source {
                let digit = Int(truncatingIfNeeded: number(element) &>> shift & 255)
                // Precondition: the places of a digit are as many as its elements.
                target[starts[digit]] = element
                starts[digit] &+= 1
            }
        }
    }
}
