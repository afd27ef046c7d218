// SPDX-License-Identifier: Apache-2.0
//
// The packed block inside every integer encoding: a base, a width, and patches for outliers.
//
// A value is base + residual; the residual's low `width` bits are bit-packed. Values whose residual
// needs more are exceptions: their positions and high bits follow, and decoding adds the high bits
// back. All sums wrap, so a base above the smallest value is allowed (values below it are exceptions).
//
//     [width: u8, bit 7 set when patched][base: signed varint][packed: BitPacking.byteCount]
//     patched: [count: varint][high width: u8][positions: 10 bits each][high bits: high width each]
//
// Source: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression" (PFOR), ICDE 2006.

import CKernels

/// How a block of integers will be packed, and what that costs.
struct PackPlan: Equatable {
    var base: Int64
    var width: Int
    var exceptionCount: Int
    var highWidth: Int
    var byteCount: Int
}

enum PackedIntegers {
    private static let patchedFlag: UInt8 = 0x80
    private static let positionWidth = 10
    /// More exceptions than this share make a wider packing the better choice.
    private static let exceptionShareMax = 4
    /// Widths that are tried above and below that of the bulk.
    private static let widthsAboveCore = 3
    private static let widthsBelowCore = 3

    // MARK: Planning

    private static func byteCount(
        valueCount: Int, base: Int64, width: Int, exceptionCount: Int, highWidth: Int
    ) -> Int {
        var bytes =
            1 + varintByteCount(ZigZag.encode(base)) + BitPacking.byteCount(valueCount: valueCount, width: width)
        if exceptionCount > 0 {
            bytes += varintByteCount(UInt64(exceptionCount)) + 1
            bytes += BitStream.byteCount(valueCount: exceptionCount, width: positionWidth)
            bytes += BitStream.byteCount(valueCount: exceptionCount, width: highWidth)
        }
        return bytes
    }

    @inline(__always)
    static func varintByteCount(_ value: UInt64) -> Int { max(1, (BitPacking.width(of: value) + 6) / 7) }

    /// The packing without exceptions.
    static func plainPlan(count: Int, extremes: (min: Int64, max: Int64)) -> PackPlan {
        let width = BitPacking.width(of: UInt64(bitPattern: extremes.max &- extremes.min))
        return PackPlan(
            base: extremes.min, width: width, exceptionCount: 0, highWidth: 0,
            byteCount: byteCount(
                valueCount: count, base: extremes.min, width: width, exceptionCount: 0, highWidth: 0))
    }

    /// The cheapest packing that a sample suggests, exact in its byte count.
    static func plan(
        _ values: UnsafePointer<Int64>, count: Int, extremes: (min: Int64, max: Int64), sample: BulkSample
    ) -> PackPlan {
        var best = plainPlan(count: count, extremes: extremes)
        if count < 64 || best.width <= sample.coreWidth { return best }
        // From the smallest value up the core is as wide as to the sample's upper end.
        let upperWidth = BitPacking.width(of: UInt64(bitPattern: sample.high &- extremes.min))
        improve(&best, values, count: count, base: extremes.min, extremes: extremes, coreWidth: upperWidth)
        let spread = UInt64(bitPattern: sample.high &- sample.low)
        let floor = sample.low &- Int64(bitPattern: spread / 4)
        let start = floor > sample.low ? Int64.min : floor
        if start > extremes.min {
            // Outliers below: begin at the smallest value that is not one of them.
            let base = Kernels.least(values, count: count, from: start)
            improve(&best, values, count: count, base: base, extremes: extremes, coreWidth: sample.coreWidth)
        }
        return best
    }

    /// Replaces `best` when some width with this base is cheaper.
    private static func improve(
        _ best: inout PackPlan, _ values: UnsafePointer<Int64>, count: Int, base: Int64,
        extremes: (min: Int64, max: Int64),
        coreWidth: Int
    ) {
        // Below the base residuals wrap, so any value there makes the widest residual 64 bits.
        let widest =
            base == extremes.min ? BitPacking.width(of: UInt64(bitPattern: extremes.max &- base)) : 64
        // The sample says where the bulk lies; far below its width most values would be exceptions.
        var width = min(widest - 1, coreWidth + widthsAboveCore)
        let narrowest = max(0, coreWidth - widthsBelowCore)
        while width >= narrowest {
            let limit: UInt64 = (1 &<< UInt64(width)) &- 1
            let exceptionCount = Kernels.countAbove(values, count: count, base: base, limit: limit)
            if exceptionCount * exceptionShareMax > count { return }
            let highWidth = exceptionCount == 0 ? 0 : widest - width
            let bytes = byteCount(
                valueCount: count, base: base, width: width, exceptionCount: exceptionCount, highWidth: highWidth)
            if bytes < best.byteCount {
                best = PackPlan(
                    base: base, width: width, exceptionCount: exceptionCount, highWidth: highWidth, byteCount: bytes)
            }
            width -= 1
        }
    }

    // MARK: Encoding

    static func encode(_ values: UnsafePointer<Int64>, count: Int, plan: PackPlan, into output: inout ByteWriter) {
        output.append(UInt8(plan.width) | (plan.exceptionCount > 0 ? patchedFlag : 0))
        output.appendSignedVarint(plan.base)
        output.appendUninitialized(BitPacking.byteCount(valueCount: count, width: plan.width)) { packed in
            Kernels.pack(values, count: count, base: plan.base, width: plan.width, into: packed)
        }
        if plan.exceptionCount > 0 { encodePatches(values, count: count, plan: plan, into: &output) }
    }

    private static func encodePatches(
        _ values: UnsafePointer<Int64>, count: Int, plan: PackPlan, into output: inout ByteWriter
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: plan.exceptionCount) { positions in
            var found = 0
            let limit: UInt64 = (1 &<< UInt64(plan.width)) &- 1
            for index in 0..<count where UInt64(bitPattern: values[index] &- plan.base) > limit {
                precondition(found < plan.exceptionCount, "a plan belongs to the values that it was made for")
                positions[found] = index
                found += 1
            }
            precondition(found == plan.exceptionCount, "a plan belongs to the values that it was made for")
            output.appendVarint(found)
            output.append(UInt8(plan.highWidth))
            BitStream.append(count: found, width: positionWidth, to: &output) { UInt64(positions[$0]) }
            BitStream.append(count: found, width: plan.highWidth, to: &output) {
                UInt64(bitPattern: values[positions[$0]] &- plan.base) >> UInt64(plan.width)
            }
        }
    }

    // MARK: Verifying and decoding

    /// Checks the block at the reader and moves past it; after it `decode` cannot fail.
    static func verify(_ reader: inout ByteReader, count: Int) throws(FormatError) {
        let start = reader.offset
        let tag = try reader.readByte()
        let width = Int(tag & ~patchedFlag)
        guard width <= 64 else { throw FormatError("a packed width of \(width) exceeds 64", at: start) }
        _ = try reader.readSignedVarint()
        try reader.skip(BitPacking.byteCount(valueCount: count, width: width))
        guard tag & patchedFlag != 0 else { return }
        let exceptionCount = try reader.readCount(atMost: count)
        let highWidth = Int(try reader.readByte())
        guard exceptionCount > 0, width < 64, highWidth >= 1, highWidth <= 64 - width else {
            throw FormatError("patches of \(highWidth) bits do not fit a width of \(width)", at: start)
        }
        let positions = try reader.readBytes(BitStream.byteCount(valueCount: exceptionCount, width: positionWidth))
        try reader.skip(BitStream.byteCount(valueCount: exceptionCount, width: highWidth))
        var previous = -1
        var stream = BitStreamReader(positions.pointer(), count: exceptionCount, width: positionWidth)
        for _ in 0..<exceptionCount {
            let position = Int(stream.next())
            guard position > previous, position < count else {
                throw FormatError("a patch at \(position) is out of order or past \(count) values", at: start)
            }
            previous = position
        }
    }

    /// Decodes the verified block at `bytes` and returns its byte count.
    ///
    /// Writes whole rows: room for `count` rounded up to 16 values is needed.
    @discardableResult
    static func decode(_ bytes: UnsafeRawPointer, count: Int, into values: UnsafeMutablePointer<Int64>) -> Int {
        var cursor = VerifiedCursor(bytes)
        VerifiedBlock(&cursor, count: count).decode(into: values)
        return cursor.pointer - bytes
    }

    /// Decodes the verified block at the cursor, of differences to add up, and moves past it: running sums that go on
    /// from `carry`, scaled to bit patterns of doubles where there is a scaling.
    ///
    /// Decimals take one pass where there are no patches: to find those in it costs more than passes of their own.
    /// Writes whole rows: room for `count` rounded up to 16 values is needed.
    static func decodeSums(
        _ cursor: inout VerifiedCursor, count: Int, carry: Int64, _ scaling: ALPScaling? = nil,
        into values: UnsafeMutablePointer<Int64>
    ) {
        let block = VerifiedBlock(&cursor, count: count)
        if let scaling, block.patchCount == 0 {
            Kernels.unpackSumsALP(
                block.packed, width: block.width, rowCount: block.rowCount, base: block.base, carry: carry, scaling,
                into: values)
            return
        }
        block.decode(into: values)
        Kernels.prefixSum(values, count: count, carry: carry)
        if let scaling { Kernels.decodeALP(values, count: count, scaling) }
    }

    /// The parts of a verified block.
    private struct VerifiedBlock {
        let width: Int
        let base: Int64
        let packed: UnsafeRawPointer
        let rowCount: Int
        let patchCount: Int
        private let positions: BitStreamReader
        private let highs: BitStreamReader

        /// Reads the block at the cursor, and moves it past the block.
        @inline(__always)
        init(_ cursor: inout VerifiedCursor, count: Int) {
            // Precondition: verify succeeded on these bytes with this count.
            let tag = cursor.byte()
            width = Int(tag & ~patchedFlag)
            base = cursor.signedVarint()
            packed = cursor.pointer
            rowCount = BitPacking.rowCount(forValues: count)
            cursor.skip(BitPacking.byteCount(valueCount: count, width: width))
            let isPatched = tag & patchedFlag != 0
            patchCount = isPatched ? Int(cursor.varint()) : 0
            let highWidth = isPatched ? Int(cursor.byte()) : 0
            positions = cursor.bitStream(count: patchCount, width: positionWidth)
            highs = cursor.bitStream(count: patchCount, width: highWidth)
        }

        /// Unpacks and patches the values.
        @inline(__always)
        func decode(into values: UnsafeMutablePointer<Int64>) {
            values.withMemoryRebound(to: UInt64.self, capacity: rowCount * BitPacking.laneCount) {
                Kernels.unpack(packed, width: width, rowCount: rowCount, base: UInt64(bitPattern: base), into: $0)
            }
            var (positions, highs) = (positions, highs)
            for _ in 0..<patchCount {
                values[Int(positions.next())] &+= Int64(bitPattern: highs.next() &<< UInt64(width))
            }
        }
    }
}

/// A few values from all over a vector: what the bulk of it looks like.
struct BulkSample {
    private static let count = 32
    /// The second smallest and second largest of the sample.
    let low: Int64
    let high: Int64
    /// Bits that the bulk of the values spans.
    var coreWidth: Int { BitPacking.width(of: UInt64(bitPattern: high &- low)) }

    init(_ values: UnsafePointer<Int64>, count valueCount: Int) {
        if valueCount < Self.count * 2 {
            low = .min
            high = .max
            return
        }
        var (least, secondLeast) = (Int64.max, Int64.max)
        var (greatest, secondGreatest) = (Int64.min, Int64.min)
        let distance = valueCount / Self.count
        for index in 0..<Self.count {
            // Uneven distances, so that a period in the data does not fool the sample.
            let shift = index & 7
            let value = values[index * valueCount / Self.count + (shift < distance ? shift : shift % distance)]
            secondLeast = min(secondLeast, max(least, value))
            least = min(least, value)
            secondGreatest = max(secondGreatest, min(greatest, value))
            greatest = max(greatest, value)
        }
        (low, high) = (secondLeast, secondGreatest)
    }
}

/// A cursor over bytes that verify has already walked: no checks, so never over anything else.
struct VerifiedCursor {
    private(set) var pointer: UnsafeRawPointer

    @inline(__always)
    init(_ pointer: UnsafeRawPointer) { self.pointer = pointer }

    @inline(__always)
    mutating func byte() -> UInt8 {
        let value = pointer.load(as: UInt8.self)
        pointer += 1
        return value
    }

    @inline(__always)
    mutating func varint() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = byte()
            value |= UInt64(next & 0x7F) &<< shift
            if next < 0x80 { return value }
            shift &+= 7
        }
    }

    @inline(__always)
    mutating func signedVarint() -> Int64 { ZigZag.decode(varint()) }

    @inline(__always)
    mutating func skip(_ byteCount: Int) { pointer += byteCount }

    /// A bit stream that begins here; moves past it.
    @inline(__always)
    mutating func bitStream(count: Int, width: Int) -> BitStreamReader {
        let reader = BitStreamReader(pointer, count: count, width: width)
        skip(BitStream.byteCount(valueCount: count, width: width))
        return reader
    }
}
