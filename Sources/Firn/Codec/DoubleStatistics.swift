// SPDX-License-Identifier: Apache-2.0
//
// What the encodings of doubles and floats know of a page, and their scratch memory for one vector.
//
// `prepare` samples a page once; `ALP.estimate` then leaves its findings for `ALP.encode`. Not for two
// threads at once.

final class DoubleStatistics {
    let integers: IntegerStatistics = IntegerStatistics()
    private(set) var domain: NumberDomain = .double
    /// Decimal scalings that suit the page, best first.
    private(set) var scalings: [ALPScaling] = []
    /// The cut and the left parts that suit the page where decimals do not.
    private(set) var cut: ALPRDCut?

    /// ALP's findings for the vector that was estimated last.
    var chosenScaling = ALPScaling(exponent: 0, factor: 0)
    /// How the scaled integers will be stored.
    var chosenEncoding = EncodingID.raw
    let scaled = VectorBuffer<Int64>()
    let mismatches = VectorBuffer<UInt16>()
    var near: [(position: Int, distance: Int64)] = []
    var nearWidth = 0
    var far: [Int] = []

    /// Statistics for a sequence beside the page, such as the entries of its dictionary.
    lazy var nested: DoubleStatistics = DoubleStatistics()

    /// Sequences have no page to keep a cut in.
    func withoutCut() { cut = nil }

    func prepare(_ bits: UnsafeBufferPointer<Int64>, _ domain: NumberDomain) {
        self.domain = domain
        scalings = domain == .integer ? [] : ALP.candidates(bits, domain)
        cut = nil
        if domain == .double && (scalings.isEmpty || ALPRD.mayPay(bits, scalings[0])) {
            cut = ALPRD.cut(bits)
        }
    }
}
