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
    /// What the sums of the latents have come to, and those of these sums.
    private var latentCarry: UInt64 = 0
    private var outerCarry: UInt64 = 0

    init(_ reader: inout ByteReader) throws(FormatError) {
        let start = reader.offset
        order = Int(try reader.readByte())
        guard order <= BinnedEntropy.orderMax else { throw FormatError("differences of order \(order)", at: start) }
        divisor = Int64(bitPattern: try reader.readVarint())
        base = try reader.readSignedVarint()
        // The carry of the values comes first; they are the outer sums where there are two.
        if order > 1 { outerCarry = UInt64(bitPattern: try reader.readSignedVarint()) }
        if order > 0 { latentCarry = UInt64(bitPattern: try reader.readSignedVarint()) }
        latentBase = divisor == 1 && order == 0 ? base : 0
        guard divisor == 1 else { return }
        if order == 1 { latentCarry &+= UInt64(bitPattern: base) }
        if order == 2 { outerCarry &+= UInt64(bitPattern: base) }
    }

    /// True where latents, with what is to be added to them, are integers already.
    var areIdentity: Bool { order == 0 && divisor == 1 }

    /// Puts integers in the place of the next `count` latents, of one at least and of a vector at most.
    mutating func apply(to vector: UnsafeMutablePointer<Int64>, count: Int) {
        if order > 0 { Self.sum(vector, count: count, &latentCarry) }
        applyOuter(to: vector, count: count)
    }

    /// As `apply` of latents whose first sums are made by `body`, which goes on from a carry and leaves the next there.
    mutating func apply(
        to vector: UnsafeMutablePointer<Int64>, count: Int, summedBy body: (inout UInt64) -> Void
    ) {
        body(&latentCarry)
        applyOuter(to: vector, count: count)
    }

    private static func sum(_ vector: UnsafeMutablePointer<Int64>, count: Int, _ carry: inout UInt64) {
        Kernels.prefixSum(vector, count: count, carry: Int64(bitPattern: carry))
        carry = UInt64(bitPattern: vector[count - 1])
    }

    private mutating func applyOuter(to vector: UnsafeMutablePointer<Int64>, count: Int) {
        if order > 1 { Self.sum(vector, count: count, &outerCarry) }
        if divisor != 1 { Kernels.scale(vector, count: count, factor: divisor, base: base) }
    }
}
