// SPDX-License-Identifier: Apache-2.0
//
// Bit packing of 64-bit values, interleaved over 16 lanes.
//
// Value i lies in row i/16 of lane i%16. A lane packs its rows one after another, `width` bits
// each, into 64-bit words; word w of lane l is at index w*16 + l. One SIMD operation thus unpacks
// a row of neighbours, and the output is in natural order:
//
//     word row 0:  lane 0 | lane 1 | ... | lane 15      16 x 8 bytes
//     word row 1:  lane 0 | lane 1 | ... | lane 15
//
// Only the word rows that the values reach are stored: ceil(rows x width / 64) x 128 bytes.
//
// Source: Afroozeh and Boncz, "The FastLanes Compression Layout", VLDB 2023; lanes as wide as the
// values, without their transposed order.

enum BitPacking {
    static let laneCount = 16
    private static let wordRowByteCount = 128

    @inline(__always)
    static func rowCount(forValues valueCount: Int) -> Int { (valueCount + laneCount - 1) / laneCount }

    /// Bytes that `valueCount` values of `width` bits occupy.
    @inline(__always)
    static func byteCount(valueCount: Int, width: Int) -> Int {
        (rowCount(forValues: valueCount) * width + 63) / 64 * wordRowByteCount
    }

    /// Bits that `value` needs: 0 for zero, up to 64.
    @inline(__always)
    static func width(of value: UInt64) -> Int { 64 - value.leadingZeroBitCount }

    /// Packs the low `width` bits of each value; `values` holds whole rows (16 x rowCount values).
    static func pack(
        _ values: UnsafePointer<UInt64>, width: Int, rowCount: Int, into packed: UnsafeMutableRawPointer
    ) {
        // Precondition: packed has room for byteCount(valueCount: rowCount * 16, width), 0 <= width <= 64.
        if width == 0 { return }
        let mask: UInt64 = width == 64 ? .max : (1 &<< UInt64(width)) &- 1
        let source = UnsafeRawPointer(values)
        for half in 0..<2 {
            let laneBytes = half * 64
            var word = SIMD8<UInt64>(repeating: 0)
            var shift = 0
            var output = packed + laneBytes
            for row in 0..<rowCount {
                let value = source.loadUnaligned(fromByteOffset: row * 128 + laneBytes, as: SIMD8<UInt64>.self) & mask
                word |= value &<< SIMD8(repeating: UInt64(shift))
                shift += width
                if shift >= 64 {
                    output.storeBytes(of: word, as: SIMD8<UInt64>.self)
                    output += wordRowByteCount
                    shift -= 64
                    // Bits of this value that the word had no room for; a shift by 64 must yield 0.
                    word = shift == 0 ? SIMD8(repeating: 0) : value &>> SIMD8(repeating: UInt64(width - shift))
                }
            }
            if shift > 0 { output.storeBytes(of: word, as: SIMD8<UInt64>.self) }
        }
    }

    /// Unpacks `rowCount` rows and adds `base` to every value; writes 16 x rowCount values.
    static func unpack(
        _ packed: UnsafeRawPointer, width: Int, rowCount: Int, base: UInt64, into values: UnsafeMutablePointer<UInt64>
    ) {
        // Precondition: packed holds byteCount(valueCount: rowCount * 16, width), values has room for 16 x rowCount.
        let output = UnsafeMutableRawPointer(values)
        let bases = SIMD8<UInt64>(repeating: base)
        forEachHalfRow(of: packed, width: width, rowCount: rowCount) { byteOffset, values in
            output.storeBytes(of: values &+ bases, toByteOffset: byteOffset, as: SIMD8<UInt64>.self)
        }
    }

    /// Calls `body` with eight values at a time and with the offset of the first among values of 64 bits.
    @inline(__always)
    static func forEachHalfRow(
        of packed: UnsafeRawPointer, width: Int, rowCount: Int, _ body: (_ byteOffset: Int, SIMD8<UInt64>) -> Void
    ) {
        // Precondition: packed holds byteCount(valueCount: rowCount * 16, width).
        if width == 0 {
            for half in 0..<rowCount * 2 { body(half &* 64, SIMD8(repeating: 0)) }
            return
        }
        let mask = SIMD8<UInt64>(repeating: width == 64 ? .max : (1 &<< UInt64(width)) &- 1)
        var bitOffset = 0
        for row in 0..<rowCount {
            let word = packed + (bitOffset &>> 6) &* wordRowByteCount
            let shift = bitOffset & 63
            let right = SIMD8<UInt64>(repeating: UInt64(truncatingIfNeeded: shift))
            var low = word.loadUnaligned(as: SIMD8<UInt64>.self) &>> right
            var high = word.loadUnaligned(fromByteOffset: 64, as: SIMD8<UInt64>.self) &>> right
            if shift &+ width > 64 {
                let left = SIMD8<UInt64>(repeating: UInt64(truncatingIfNeeded: 64 &- shift))
                low |= word.loadUnaligned(fromByteOffset: 128, as: SIMD8<UInt64>.self) &<< left
                high |= word.loadUnaligned(fromByteOffset: 192, as: SIMD8<UInt64>.self) &<< left
            }
            body(row &* 128, low & mask)
            body(row &* 128 &+ 64, high & mask)
            bitOffset &+= width
        }
    }
}

/// A plain little-endian bit stream, for the few side values of a vector (patches, small tables).
enum BitStream {
    @inline(__always)
    static func byteCount(valueCount: Int, width: Int) -> Int { (valueCount * width + 7) / 8 }

    /// Appends `count` values of `width` bits (0...64).
    static func append(count: Int, width: Int, to output: inout ByteWriter, _ value: (Int) -> UInt64) {
        if width == 0 { return }
        var pending: UInt64 = 0
        var pendingBits = 0
        for index in 0..<count {
            var rest = width == 64 ? value(index) : value(index) & ((1 << UInt64(width)) - 1)
            var restBits = width
            while restBits > 0 {
                let taken = min(8 - pendingBits, restBits)
                pending |= (rest & ((1 << UInt64(taken)) - 1)) << UInt64(pendingBits)
                rest >>= UInt64(taken)
                restBits -= taken
                pendingBits += taken
                if pendingBits == 8 {
                    output.append(UInt8(truncatingIfNeeded: pending))
                    pending = 0
                    pendingBits = 0
                }
            }
        }
        if pendingBits > 0 { output.append(UInt8(truncatingIfNeeded: pending)) }
    }
}

/// Reads the values of a bit stream in order. No checks: for streams whose bytes were verified to be there.
struct BitStreamReader {
    private var pointer: UnsafeRawPointer
    private let end: UnsafeRawPointer
    private let width: UInt64
    private let mask: UInt64
    /// Bits that were loaded and not yet handed out, low ones first; `pendingCount` of them.
    private var pending: UInt64 = 0
    private var pendingCount: UInt64 = 0

    @inline(__always)
    init(_ bytes: UnsafeRawPointer, count: Int, width: Int) {
        pointer = bytes
        end = bytes + BitStream.byteCount(valueCount: count, width: width)
        self.width = UInt64(width)
        mask = width >= 64 ? .max : (1 &<< UInt64(width)) &- 1
    }

    @inline(__always)
    mutating func next() -> UInt64 {
        // Precondition: fewer values than the stream holds were read so far.
        if pendingCount >= width {
            let value = pending & mask
            // A width of 64 only comes here when all bits are pending; a shift by 64 must yield 0.
            pending = width == 64 ? 0 : pending &>> width
            pendingCount &-= width
            return value
        }
        let (loaded, loadedCount) = load()
        let missing = width &- pendingCount
        let value = (pending | (pendingCount == 64 ? 0 : loaded &<< pendingCount)) & mask
        pending = missing == 64 ? 0 : loaded &>> missing
        pendingCount = loadedCount &- missing
        return value
    }

    /// Up to eight more bytes; the stream ends inside the last load.
    @inline(__always)
    private mutating func load() -> (bits: UInt64, count: UInt64) {
        if end - pointer >= 8 {
            let bits = UInt64(littleEndian: pointer.loadUnaligned(as: UInt64.self))
            pointer += 8
            return (bits, 64)
        }
        var bits: UInt64 = 0
        var count: UInt64 = 0
        while pointer < end {
            bits |= UInt64(pointer.load(as: UInt8.self)) &<< count
            count &+= 8
            pointer += 1
        }
        return (bits, count)
    }
}
