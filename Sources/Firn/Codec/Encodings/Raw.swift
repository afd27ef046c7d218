// SPDX-License-Identifier: Apache-2.0
//
// Raw encoding: distances from the minimum in whole bytes, one value after another.
//
// For vectors too short to fill the rows of a packed block.
//
//     [byte width: u8, 1...8][minimum: signed varint][count x byte width, little-endian]

enum Raw: IntegerEncoding {
    static let id = EncodingID.raw

    private static func byteWidth(_ statistics: IntegerStatistics) -> Int {
        let range = UInt64(bitPattern: statistics.extremes.max &- statistics.extremes.min)
        return max(1, (BitPacking.width(of: range) + 7) / 8)
    }

    static func estimate(_ values: VectorView<Int64>, _ statistics: IntegerStatistics) -> Int? {
        1 + PackedIntegers.varintByteCount(ZigZag.encode(statistics.extremes.min))
            + values.count * byteWidth(statistics)
    }

    static func encode(_ values: VectorView<Int64>, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        let byteWidth = byteWidth(statistics)
        let base = statistics.extremes.min
        output.append(UInt8(byteWidth))
        output.appendSignedVarint(base)
        output.appendUninitialized(values.count * byteWidth) { bytes in
            var target = bytes
            for index in 0..<values.count {
                var rest = UInt64(bitPattern: values[index] &- base)
                for offset in 0..<byteWidth {
                    target.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: offset, as: UInt8.self)
                    rest &>>= 8
                }
                target += byteWidth
            }
        }
    }

    static func verify(_ reader: inout ByteReader, count: Int, nesting: Int) throws(FormatError) {
        let start = reader.offset
        let byteWidth = Int(try reader.readByte())
        guard byteWidth >= 1, byteWidth <= 8 else {
            throw FormatError("a raw width of \(byteWidth) bytes is not 1 to 8", at: start)
        }
        _ = try reader.readSignedVarint()
        try reader.skip(count * byteWidth)
    }

    static func decode(_ cursor: inout VerifiedCursor, count: Int, into output: UnsafeMutablePointer<Int64>) {
        let byteWidth = Int(cursor.byte())
        let base = cursor.signedVarint()
        widen(cursor.pointer, byteWidth: byteWidth, count: count, base: base, into: output)
        cursor.skip(count * byteWidth)
    }

    /// Integers of 1 to 8 bytes each, plus `base`.
    static func widen(
        _ bytes: UnsafeRawPointer, byteWidth: Int, count: Int, base: Int64, into output: UnsafeMutablePointer<Int64>
    ) {
        // Precondition: bytes holds count * byteWidth bytes.
        switch byteWidth {
        case 1: widen(bytes, UInt8.self, count: count, base: base, into: output)
        case 2: widen(bytes, UInt16.self, count: count, base: base, into: output)
        case 4: widen(bytes, UInt32.self, count: count, base: base, into: output)
        case 8: widen(bytes, UInt64.self, count: count, base: base, into: output)
        default:
            // Eight bytes at a time, as far as there are eight.
            let mask: UInt64 = .max &>> UInt64(64 &- 8 &* byteWidth)
            let byteCount = count * byteWidth
            let wholeCount = byteCount < 8 ? 0 : (byteCount - 8) / byteWidth + 1
            for index in 0..<wholeCount {
                let word = bytes.loadUnaligned(fromByteOffset: index &* byteWidth, as: UInt64.self)
                output[index] = Int64(bitPattern: UInt64(littleEndian: word) & mask) &+ base
            }
            for index in wholeCount..<count {
                var value: UInt64 = 0
                for offset in 0..<byteWidth {
                    let byte = bytes.load(fromByteOffset: index &* byteWidth &+ offset, as: UInt8.self)
                    value |= UInt64(byte) &<< UInt64(offset &* 8)
                }
                output[index] = Int64(bitPattern: value) &+ base
            }
        }
    }

    @inline(__always)
    private static func widen<T: FixedWidthInteger & UnsignedInteger>(
        _ bytes: UnsafeRawPointer, _ type: T.Type, count: Int, base: Int64, into output: UnsafeMutablePointer<Int64>
    ) {
        for index in 0..<count {
            let value = bytes.loadUnaligned(fromByteOffset: index &* MemoryLayout<T>.size, as: T.self)
            output[index] = Int64(truncatingIfNeeded: T(littleEndian: value)) &+ base
        }
    }
}
