// SPDX-License-Identifier: Apache-2.0
//
// What a whole page's latents (bins, or whole bytes) have to go through to become its integers.
//
//     [difference order: u8, 0...2][divisor: varint][base: signed varint][carries: signed varint x order]
//     integer = base + divisor x (the latent, summed up as often as the order says)
//
// A vector at a time, from first to last: the sums go on from where the vector before left them.

struct RunningSums {
    let order: Int
    /// What to add to every latent: the base, where that spares it a pass of its own.
    let latentBase: Int64
    private let divisor: Int64
    private let base: Int64
    /// What the sums of the values, and of their differences, have come to.
    private var valueCarry: Int64 = 0
    private var differenceCarry: Int64 = 0

    init(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.offset
        order = Int(try reader.readByte())
        guard order <= BinnedEntropy.orderMax else { throw FormatError("differences of order \(order)", at: start) }
        divisor = Int64(bitPattern: try reader.readVarint())
        base = try reader.readSignedVarint()
        if order > 0 { valueCarry = try reader.readSignedVarint() }
        if order > 1 { differenceCarry = try reader.readSignedVarint() }
        latentBase = divisor == 1 && order == 0 ? base : 0
        if divisor == 1 && order > 0 { valueCarry &+= base }
    }

    /// True where latents, with what is to be added to them, are integers already.
    var areIdentity: Bool { order == 0 && divisor == 1 }

    /// Puts integers in the place of the next `count` latents, of one at least and of a vector at most.
    mutating func apply(to vector: UnsafeMutablePointer<Int64>, count: Int) {
        if order > 1 {
            Kernels.prefixSum(vector, count: count, carry: differenceCarry)
            differenceCarry = vector[count - 1]
        }
        if order > 0 {
            Kernels.prefixSum(vector, count: count, carry: valueCarry)
            valueCarry = vector[count - 1]
        }
        if divisor != 1 { Kernels.scale(vector, count: count, factor: divisor, base: base) }
    }
}
