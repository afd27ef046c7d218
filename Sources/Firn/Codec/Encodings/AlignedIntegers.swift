// SPDX-License-Identifier: Apache-2.0
//
// A whole page of integers in whole bytes, for cold pages that Zstandard compresses.
//
// Repetition, as of coordinates that come again or of prices that bounce, is what Zstandard finds and bins do
// not, and it finds it only where equal values have equal bytes: one width and one base for the page. Values or
// their first or second differences, divided by their common divisor.
//
//     [difference order: u8, 0...2][divisor: varint][base: signed varint][carries: signed varint x order]
//     [minimum: signed varint][byte width: u8, 1...8][count x byte width, little-endian]
//     value = base + divisor x (running sums of (minimum + stored))

enum AlignedIntegers {
    static func encode(_ values: UnsafeBufferPointer<Int64>, order: Int, into output: inout ByteWriter) {
        let least = values.min()!
        let divisor = max(1, IntegerKernels.commonDivisor(values.baseAddress!, count: values.count, least: least))
        let exact = ExactDivisor(divisor)
        var integers = values.map { Int64(bitPattern: exact.quotient(of: UInt64(bitPattern: $0 &- least))) }
        output.append(UInt8(order))
        output.appendVarint(divisor)
        output.appendSignedVarint(least)
        for _ in 0..<order {
            var differences = integers
            integers.withUnsafeBufferPointer { source in
                Kernels.differences(source.baseAddress!, count: source.count, into: &differences)
            }
            output.appendSignedVarint(integers[0] &- differences[0])
            integers = differences
        }
        let extremes = integers.withUnsafeBufferPointer { Kernels.extremes($0.baseAddress!, count: $0.count) }
        let range = UInt64(bitPattern: extremes.max &- extremes.min)
        let byteWidth = max(1, (BitPacking.width(of: range) + 7) / 8)
        output.appendSignedVarint(extremes.min)
        output.append(UInt8(byteWidth))
        for value in integers {
            var rest = UInt64(bitPattern: value &- extremes.min)
            for _ in 0..<byteWidth {
                output.append(UInt8(truncatingIfNeeded: rest))
                rest >>= 8
            }
        }
    }

    /// Integers that were read and checked, to be expanded from first to last, a vector at a time.
    struct Decoder {
        private let least: Int64
        private let byteWidth: Int
        private var sums: RunningSums
        private var rest: ByteView

        init(_ reader: inout ByteReader, count: Int) throws(FormatError) {
            let start = reader.offset
            sums = try RunningSums(&reader)
            least = try reader.readSignedVarint() &+ sums.latentBase
            byteWidth = Int(try reader.readByte())
            guard (1...8).contains(byteWidth) else {
                throw FormatError("integers of \(byteWidth) bytes", at: start)
            }
            rest = try reader.readBytes(count * byteWidth)
        }

        /// Expands the next `count` integers, at most a vector and no more than are left.
        mutating func expandNext(_ count: Int, into vector: UnsafeMutablePointer<Int64>) {
            precondition(count * byteWidth <= rest.count, "no more integers are expanded than were announced")
            Raw.widen(rest.pointer(), byteWidth: byteWidth, count: count, base: least, into: vector)
            rest = rest[(count * byteWidth)...]
            sums.apply(to: vector, count: count)
        }
    }
}
