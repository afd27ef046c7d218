// SPDX-License-Identifier: Apache-2.0
//
// UUIDs without the bits that all of a page share.
//
// A version-4 UUID has six of them, in two places; one of version 7 also shares the upper bits of its time. They
// stand once at the head of the page. What is left of each half moves together, low bits first, and is an integer
// vector; moving keeps order, so what those vectors know of integers still holds.
//
//     page:   [mask of the shared bits: u128][their values, other bits 0: u128][directory][vectors]
//     vector: [EncodingID parts: u8][integer vector: high halves][integer vector: low halves], moved together

struct ConstantBits: Equatable, Sendable {
    static let byteCount = 32
    /// Fewer values than this save less than the head of the page takes.
    private static let valueCountMin = 256

    /// Some neighbouring bits that are not shared: where they lie in the value, and in what is stored.
    private struct Stretch: Equatable, Sendable {
        let mask: UInt64
        let distance: UInt64
    }

    private let shared: UInt128
    private let bits: UInt128
    private let highStretches: [Stretch]
    private let lowStretches: [Stretch]

    private init(shared: UInt128, bits: UInt128) {
        self.shared = shared
        self.bits = bits
        highStretches = Self.stretches(~UInt64(truncatingIfNeeded: shared >> 64))
        lowStretches = Self.stretches(~UInt64(truncatingIfNeeded: shared))
    }

    /// The shared bits of a page where dropping them makes it smaller: below the highest bit that varies in a half,
    /// for those above it cost nothing in a frame of reference.
    init?(high: UnsafeBufferPointer<Int64>, low: UnsafeBufferPointer<Int64>) {
        guard high.count >= Self.valueCountMin else { return nil }
        let varyingHigh = Self.varying(high)
        let varyingLow = Self.varying(low)
        let gained = [varyingHigh, varyingLow].reduce(0) { $0 + BitPacking.width(of: $1) - $1.nonzeroBitCount }
        guard gained > 0, gained * high.count > 2 * 8 * Self.byteCount else { return nil }
        let shared = UInt128(~varyingHigh) << 64 | UInt128(~varyingLow)
        let first = UInt128(UInt64(bitPattern: high[0])) << 64 | UInt128(UInt64(bitPattern: low[0]))
        self.init(shared: shared, bits: first & shared)
    }

    private static func varying(_ values: UnsafeBufferPointer<Int64>) -> UInt64 {
        var varying: Int64 = 0
        for value in values { varying |= value ^ values[0] }
        return UInt64(bitPattern: varying)
    }

    private static func stretches(_ varying: UInt64) -> [Stretch] {
        var stretches: [Stretch] = []
        var rest = varying
        var stored: UInt64 = 0
        while rest != 0 {
            let first = UInt64(rest.trailingZeroBitCount)
            let length = UInt64((~(rest >> first)).trailingZeroBitCount)
            let mask: UInt64 = length == 64 ? .max : ((1 << length) - 1) << first
            stretches.append(Stretch(mask: mask, distance: first - stored))
            stored += length
            rest &= ~mask
        }
        return stretches
    }

    // MARK: Encoding

    func encode(into output: inout ByteWriter) {
        output.appendLittleEndian(shared)
        output.appendLittleEndian(bits)
    }

    /// The bits that vary, moved together.
    func packedHigh(_ values: [Int64]) -> [Int64] { Self.packed(values, highStretches) }
    func packedLow(_ values: [Int64]) -> [Int64] { Self.packed(values, lowStretches) }

    private static func packed(_ values: [Int64], _ stretches: [Stretch]) -> [Int64] {
        values.map { value in
            var packed: UInt64 = 0
            for stretch in stretches { packed |= (UInt64(bitPattern: value) & stretch.mask) >> stretch.distance }
            return Int64(bitPattern: packed)
        }
    }

    // MARK: Decoding

    static func decode(_ reader: inout ByteReader) throws(FormatError) -> ConstantBits {
        let start = reader.offset
        let shared = try reader.readLittleEndian(UInt128.self)
        let bits = try reader.readLittleEndian(UInt128.self)
        guard bits & ~shared == 0 else { throw FormatError("values of bits that are not shared", at: start) }
        return ConstantBits(shared: shared, bits: bits)
    }

    /// Puts stored halves back into their places, whatever they are.
    func expand(high: UnsafeMutablePointer<Int64>, low: UnsafeMutablePointer<Int64>, count: Int) {
        Self.expand(high, count: count, highStretches, bits: UInt64(truncatingIfNeeded: bits >> 64))
        Self.expand(low, count: count, lowStretches, bits: UInt64(truncatingIfNeeded: bits))
    }

    private static func expand(
        _ values: UnsafeMutablePointer<Int64>, count: Int, _ stretches: [Stretch], bits: UInt64
    ) {
        stretches.withUnsafeBufferPointer { stretches in
            for index in 0..<count {
                let stored = UInt64(bitPattern: values[index])
                var value = bits
                for stretch in stretches { value |= (stored &<< stretch.distance) & stretch.mask }
                values[index] = Int64(bitPattern: value)
            }
        }
    }
}
