// SPDX-License-Identifier: Apache-2.0
//
// The door through which the codec calls its hot loops.

enum Kernels {
    @inline(__always)
    static func unpack(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: UInt64, into values: UnsafeMutablePointer<UInt64>
    ) {
        BitPacking.unpack(packed, width: width, rowCount: rowCount, base: base, into: values)
    }

    @inline(__always)
    static func prefixSum(_ values: UnsafeMutablePointer<Int64>, count: Int, carry: Int64) {
        IntegerKernels.prefixSum(values, count: count, carry: carry)
    }

    /// In place: ALP's integers to bit patterns of doubles.
    @inline(__always)
    static func decodeALP(_ values: UnsafeMutablePointer<Int64>, count: Int, _ scaling: ALPScaling) {
        ALPKernels.decode(values, count: count, scaling)
    }

    /// `unpack` and `decodeALP` in one pass.
    @inline(__always)
    static func unpackALP(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: Int64, _ scaling: ALPScaling,
        into values: UnsafeMutablePointer<Int64>
    ) {
        ALPKernels.unpackAndDecode(
            packed, width: width, rowCount: rowCount, base: base, scaling, into: values)
    }

    /// Smallest and largest of `count` > 0 values.
    @inline(__always)
    static func extremes(_ values: UnsafePointer<Int64>, count: Int) -> (min: Int64, max: Int64) {
        IntegerKernels.extremes(values, count: count)
    }
}
