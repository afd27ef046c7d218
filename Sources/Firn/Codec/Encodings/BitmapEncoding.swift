// SPDX-License-Identifier: Apache-2.0
//
// Bitmaps: validity of every page, and the values of boolean pages.
//
// A bitmap is expanded to words when its page is loaded, so that decoding never meets its form.
//
//     [form: u8]  0: all ones    1: all zeros
//                 2: [ceil(count / 8) bytes, bit i%8 of byte i/8]
//                 3: [first bit: u8][run count: varint][integer sequence of run lengths]

enum BitmapEncoding {
    private enum Form: UInt8 {
        case ones = 0
        case zeros = 1
        case bits = 2
        case runs = 3
    }

    static func encode(_ bitmap: BitmapView, _ statistics: IntegerStatistics, into output: inout ByteWriter) {
        let ones = bitmap.onesCount(in: 0..<bitmap.count)
        if ones == bitmap.count { return output.append(Form.ones.rawValue) }
        if ones == 0 { return output.append(Form.zeros.rawValue) }
        let byteCount = (bitmap.count + 7) / 8
        if let lengths = runLengths(bitmap, atMost: byteCount / 2) {
            let start = output.count
            output.append(Form.runs.rawValue)
            output.append(bitmap[0] ? 1 : 0)
            output.appendVarint(lengths.count)
            lengths.withUnsafeBufferPointer { IntegerCodec.encodeSequence($0, statistics, into: &output) }
            if output.count - start <= byteCount { return }
            output.truncate(to: start)
        }
        output.append(Form.bits.rawValue)
        for index in 0..<byteCount {
            output.append(UInt8(truncatingIfNeeded: bitmap.word(index / 8) >> UInt64(index % 8 * 8)))
        }
    }

    private static func runLengths(_ bitmap: BitmapView, atMost runCountMax: Int) -> [Int64]? {
        var lengths: [Int64] = []
        var start = 0
        var current = bitmap[0]
        while start < bitmap.count {
            if lengths.count == runCountMax { return nil }
            let end = firstDifference(bitmap, from: start, than: current)
            lengths.append(Int64(end - start))
            start = end
            current.toggle()
        }
        return lengths
    }

    private static func firstDifference(_ bitmap: BitmapView, from start: Int, than bit: Bool) -> Int {
        var index = start
        while index < bitmap.count {
            let word = bit ? ~bitmap.words[index >> 6] : bitmap.words[index >> 6]
            let rest = word >> UInt64(index & 63)
            if rest != 0 { return min(index + rest.trailingZeroBitCount, bitmap.count) }
            index = (index | 63) + 1
        }
        return bitmap.count
    }

    /// Verifies a bitmap of `count` bits and expands it.
    static func decode(_ reader: inout ByteReader, count: Int) throws(FormatError) -> Validity {
        let start = reader.offset
        let tag = try reader.readByte()
        switch Form(rawValue: tag) {
        case .ones: return .allValid
        case .zeros: return .allNull
        case .bits:
            let bytes = try reader.readBytes((count + 7) / 8)
            var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
            for index in 0..<bytes.count { words[index / 8] |= UInt64(bytes[index]) << UInt64(index % 8 * 8) }
            if count % 64 != 0 { words[words.count - 1] &= (1 << UInt64(count % 64)) - 1 }
            return .bitmap(words)
        case .runs:
            let first = try reader.readByte()
            let runCount = try reader.readCount(atMost: count)
            guard first <= 1, runCount > 0 else { throw FormatError("a bitmap of damaged runs", at: start) }
            let lengths = try IntegerCodec.decodeSequence(&reader, count: runCount)
            return .bitmap(try expand(lengths, first: first == 1, count: count, at: start))
        case nil: throw FormatError("unknown bitmap form \(tag)", at: start)
        }
    }

    private static func expand(
        _ lengths: [Int64], first: Bool, count: Int, at byteOffset: Int
    ) throws(FormatError) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: BitmapView.wordCount(forBits: count))
        var index = 0
        var bit = first
        for length in lengths {
            guard length > 0, length <= Int64(count - index) else {
                throw FormatError("bitmap runs do not add up to \(count)", at: byteOffset)
            }
            let end = index + Int(length)
            while bit && index < end {
                let taken = min(64 - index & 63, end - index)
                let mask: UInt64 = taken == 64 ? .max : (1 << UInt64(taken)) - 1
                words[index >> 6] |= mask << UInt64(index & 63)
                index += taken
            }
            index = end
            bit.toggle()
        }
        guard index == count else { throw FormatError("bitmap runs do not add up to \(count)", at: byteOffset) }
        return words
    }
}
