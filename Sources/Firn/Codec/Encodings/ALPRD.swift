// SPDX-License-Identifier: Apache-2.0
//
// ALP for real doubles: what is not decimal still shares sign, exponent and leading digits.
//
// A page cuts every bit pattern at one place. The left parts, of 16 bits at most, take few values: the
// eight most frequent go into a dictionary of the page, and a vector stores codes. The right parts are
// bit-packed as they are. Left parts outside the dictionary are exceptions.
//
//     page:   [right width: u8][left count: u8][left parts: u16 each]
//     vector: [packed block of codes][packed block of right parts]
//             [exception count: varint][positions: 10 bits each][left parts: 16 bits each]
//
// Source: Afroozeh, Kuffo, Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2024, section 3.4.

/// Where the bit patterns of a page are cut, and its frequent left parts.
struct ALPRDCut: Equatable, Sendable {
    static let leftWidthMax = 16
    static let leftCountMax = 8

    let rightWidth: Int
    let lefts: [UInt16]
    /// Expected bits a value, from the sample.
    let bitsPerValue: Double
    /// The code of every possible left part; `noCode` for those outside the dictionary. Empty when decoding.
    private(set) var codes: [UInt8] = []
    static let noCode: UInt8 = 0xFF

    init(rightWidth: Int, lefts: [UInt16], bitsPerValue: Double) {
        self.rightWidth = rightWidth
        self.lefts = lefts
        self.bitsPerValue = bitsPerValue
    }

    mutating func prepareForEncoding() {
        codes = [UInt8](repeating: Self.noCode, count: 1 << 16)
        for (code, left) in lefts.enumerated() { codes[Int(left)] = UInt8(code) }
    }
}

enum ALPRD {
    static let id = EncodingID.alpRD
    private static let positionWidth = 10
    private static let sampleCount = 512

    /// Whether decimals take so many bits that a cut may take fewer.
    static func mayPay(_ bits: UnsafeBufferPointer<Int64>, _ scaling: ALPScaling) -> Bool {
        // A decimal of fewer than 12 digits needs at most 40 bits, and a cut never fewer than 48.
        scaling.exponent - scaling.factor >= 9
    }

    /// The best cut for a sample of the page.
    static func cut(_ bits: UnsafeBufferPointer<Int64>) -> ALPRDCut? {
        let sampled = min(sampleCount, bits.count)
        guard sampled > 0 else { return nil }
        let sample = (0..<sampled).map { UInt64(bitPattern: bits[$0 * bits.count / sampled]) }
        var best: ALPRDCut?
        var frequency = [Int](repeating: 0, count: 1 << 16)
        for leftWidth in 1...ALPRDCut.leftWidthMax {
            let rightWidth = 64 - leftWidth
            var seen: [UInt16] = []
            for pattern in sample {
                let left = UInt16(pattern >> UInt64(rightWidth))
                if frequency[Int(left)] == 0 { seen.append(left) }
                frequency[Int(left)] += 1
            }
            // Ties go to the smaller left part, so that the choice does not depend on the sample's order.
            seen.sort { (frequency[Int($0)], $1) > (frequency[Int($1)], $0) }
            let frequent = Array(seen.prefix(ALPRDCut.leftCountMax))
            let covered = frequent.reduce(0) { $0 + frequency[Int($1)] }
            for left in seen { frequency[Int(left)] = 0 }
            let codeWidth = BitPacking.width(of: UInt64(frequent.count - 1))
            let exceptionBits = Double((sampled - covered) * (positionWidth + 16)) / Double(sampled)
            let bitsPerValue = Double(rightWidth + codeWidth) + exceptionBits
            if bitsPerValue < best?.bitsPerValue ?? 64 {
                best = ALPRDCut(rightWidth: rightWidth, lefts: frequent, bitsPerValue: bitsPerValue)
            }
        }
        best?.prepareForEncoding()
        return best
    }

    // MARK: The page's part

    static func encode(_ cut: ALPRDCut, into output: inout ByteWriter) {
        output.append(UInt8(cut.rightWidth))
        output.append(UInt8(cut.lefts.count))
        for left in cut.lefts { output.appendLittleEndian(left) }
    }

    static func decodeCut(_ reader: inout ByteReader) throws(FormatError) -> ALPRDCut {
        let start = reader.offset
        let rightWidth = Int(try reader.readByte())
        let leftCount = Int(try reader.readByte())
        guard (64 - ALPRDCut.leftWidthMax...63).contains(rightWidth), (1...ALPRDCut.leftCountMax).contains(leftCount)
        else { throw FormatError("a cut at bit \(rightWidth) with \(leftCount) left parts", at: start) }
        var lefts: [UInt16] = []
        for _ in 0..<leftCount { lefts.append(try reader.readLittleEndian(UInt16.self)) }
        return ALPRDCut(rightWidth: rightWidth, lefts: lefts, bitsPerValue: 0)
    }

    // MARK: A vector

    static func estimate(_ bits: VectorView<Int64>, _ cut: ALPRDCut) -> Int {
        let codeWidth = BitPacking.width(of: UInt64(cut.lefts.count - 1))
        var exceptionCount = 0
        let shift = UInt64(cut.rightWidth)
        cut.codes.withUnsafeBufferPointer { codes in
            for index in 0..<bits.count {
                let code = codes[Int(truncatingIfNeeded: UInt64(bitPattern: bits[index]) &>> shift)]
                exceptionCount &+= code == ALPRDCut.noCode ? 1 : 0
            }
        }
        return 5 + BitPacking.byteCount(valueCount: bits.count, width: codeWidth)
            + BitPacking.byteCount(valueCount: bits.count, width: cut.rightWidth)
            + (exceptionCount * (positionWidth + 16) + 15) / 8
    }

    static func encode(_ bits: VectorView<Int64>, _ cut: ALPRDCut, into output: inout ByteWriter) {
        let codes = VectorBuffer<Int64>()
        let rights = VectorBuffer<Int64>()
        let rightMask: UInt64 = (1 << UInt64(cut.rightWidth)) - 1
        var exceptions: [Int] = []
        for index in 0..<bits.count {
            let code = cut.codes[Int(truncatingIfNeeded: UInt64(bitPattern: bits[index]) >> UInt64(cut.rightWidth))]
            codes.pointer[index] = code == ALPRDCut.noCode ? 0 : Int64(code)
            if code == ALPRDCut.noCode { exceptions.append(index) }
            rights.pointer[index] = Int64(bitPattern: UInt64(bitPattern: bits[index]) & rightMask)
        }
        for block in [codes, rights] {
            let extremes = Kernels.extremes(block.pointer, count: bits.count)
            let plan = PackedIntegers.plainPlan(count: bits.count, extremes: extremes)
            PackedIntegers.encode(block.pointer, count: bits.count, plan: plan, into: &output)
        }
        output.appendVarint(exceptions.count)
        BitStream.append(count: exceptions.count, width: positionWidth, to: &output) { UInt64(exceptions[$0]) }
        BitStream.append(count: exceptions.count, width: 16, to: &output) {
            UInt64(bitPattern: bits[exceptions[$0]]) >> UInt64(cut.rightWidth)
        }
    }

    static func verify(_ reader: inout ByteReader, count: Int) throws(FormatError) {
        let start = reader.offset
        try PackedIntegers.verify(&reader, count: count)
        try PackedIntegers.verify(&reader, count: count)
        let exceptionCount = try reader.readCount(atMost: count)
        let positions = try reader.readBytes(BitStream.byteCount(valueCount: exceptionCount, width: positionWidth))
        var stream = BitStreamReader(positions.pointer(), count: exceptionCount, width: positionWidth)
        for _ in 0..<exceptionCount {
            guard stream.next() < UInt64(count) else {
                throw FormatError("an exception lies past \(count) values", at: start)
            }
        }
        try reader.skip(BitStream.byteCount(valueCount: exceptionCount, width: 16))
    }

    static func decode(
        _ cursor: inout VerifiedCursor, count: Int, _ cut: ALPRDCut, into output: UnsafeMutablePointer<Int64>
    ) {
        let shift = UInt64(cut.rightWidth)
        // A right part may be all bits but the sign: in signed numbers that mask overflows.
        let rightMask = Int64(bitPattern: (1 << shift) - 1)
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: VectorLayout.valueCount + 8) { scratch in
            let codes = scratch.baseAddress.unsafelyUnwrapped
            let lefts = codes + VectorLayout.valueCount
            // Codes are masked to 0...7, so all eight slots must hold something.
            for slot in 0..<8 {
                lefts[slot] = slot < cut.lefts.count ? Int64(bitPattern: UInt64(cut.lefts[slot]) &<< shift) : 0
            }
            cursor.skip(PackedIntegers.decode(cursor.pointer, count: count, into: codes))
            cursor.skip(PackedIntegers.decode(cursor.pointer, count: count, into: output))
            for index in 0..<count {
                output[index] = (output[index] & rightMask) | lefts[Int(codes[index] & 7)]
            }
        }
        let exceptionCount = Int(cursor.varint())
        var positions = cursor.bitStream(count: exceptionCount, width: positionWidth)
        var lefts = cursor.bitStream(count: exceptionCount, width: 16)
        for _ in 0..<exceptionCount {
            let position = Int(positions.next())
            output[position] = (output[position] & rightMask) | Int64(bitPattern: lefts.next() &<< shift)
        }
    }
}
