// SPDX-License-Identifier: Apache-2.0
//
// The kernels that firn-kernels measures, what they work on, and the speeds that are asked of them.

import CKernels

@testable import Firn

struct BenchmarkedKernel {
    let name: String
    /// Values, or bytes, that a call works through.
    var unitCount = VectorLayout.valueCount
    var isOfBytes = false
    /// Asked of Swift and the baseline, and of AVX2.
    var goal: Double?
    var vectorGoal: Double?
    /// Whether the reference is written with SIMD types, so that it should keep up with C at the baseline.
    var isReferenceVectorised = false
    let reference: (() -> Void)?
    let run: (UnsafePointer<FirnKernels>) -> Void
}

/// Blocks of 1,024 values with random contents; what is computed goes to memory that nobody reads.
struct BenchmarkData {
    private static let count = VectorLayout.valueCount
    private static let byteCount = 65_536
    private static let runLengths = [5, 30, 120]
    private let bytes = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
    // Aligned as the engine's vectors are: a load that straddles two cache lines takes twice as long.
    private let integers = VectorBuffer<Int64>()
    private let doubles = VectorBuffer<Double>()
    private let output = VectorBuffer<UInt64>()
    private let bitmap = UnsafeMutablePointer<UInt64>.allocate(capacity: count / 64)
    private let results = UnsafeMutablePointer<FirnDoubleAggregate>.allocate(capacity: count)
    private let integerResults = UnsafeMutablePointer<FirnIntegerAggregate>.allocate(capacity: 1)
    private let numbers = UnsafeMutablePointer<Double>.allocate(capacity: count)
    /// What squares are around, run by run.
    private let centers = UnsafeMutablePointer<Double>.allocate(capacity: count)
    /// Where runs of some lengths end.
    private let runEnds: [Int: UnsafeMutableBufferPointer<UInt32>]
    private let bins = BenchmarkedBins()

    init() {
        var random = SplitMix()
        for index in 0..<Self.byteCount {
            bytes.storeBytes(of: UInt8(random.below(256)), toByteOffset: index, as: UInt8.self)
        }
        for index in 0..<Self.count {
            integers[index] = Int64(random.below(1_000_000))
            doubles[index] = Double(random.below(1_000_000)) * 0.01
        }
        for word in 0..<Self.count / 64 { (bitmap + word).initialize(to: random.next()) }
        centers.initialize(repeating: 1.5, count: Self.count)
        var runEnds: [Int: UnsafeMutableBufferPointer<UInt32>] = [:]
        for length in Self.runLengths {
            let ends = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: Self.count / length)
            for run in ends.indices { ends.initializeElement(at: run, to: UInt32((run + 1) * length)) }
            runEnds[length] = ends
        }
        self.runEnds = runEnds
    }

    func deallocate() {
        bytes.deallocate()
        bitmap.deallocate()
        results.deallocate()
        integerResults.deallocate()
        numbers.deallocate()
        centers.deallocate()
        for ends in runEnds.values { ends.deallocate() }
    }

    /// They work on this data, which must live on while they do.
    func kernels() -> [BenchmarkedKernel] {
        decoders() + aggregates() + runAggregates() + filters() + [checksum, bins.kernel(output.pointer)]
    }

    private func decoders() -> [BenchmarkedKernel] {
        let count = Self.count
        let rowCount = count / 16
        let (bytes, output) = (bytes, output.pointer)
        let signed = UnsafeMutableRawPointer(output).assumingMemoryBound(to: Int64.self)
        let real = UnsafeMutableRawPointer(output).assumingMemoryBound(to: Double.self)
        let scaling = ALPScaling(exponent: 7, factor: 3)
        let unpacks = [7, 17, 33].map { width in
            BenchmarkedKernel(
                name: "unpack, \(width) bits", goal: 6, vectorGoal: 12, isReferenceVectorised: true,
                reference: { BitPacking.unpack(bytes, width: width, rowCount: rowCount, base: 5, into: output) },
                run: { $0.pointee.unpack(bytes, UInt32(width), rowCount, 5, output) })
        }
        return unpacks + [
            BenchmarkedKernel(
                name: "ALP fused, 17 bits", goal: 4, vectorGoal: 6.5, isReferenceVectorised: true,
                reference: {
                    ALPKernels.unpackAndDecode(bytes, width: 17, rowCount: rowCount, base: 5, scaling, into: signed)
                },
                run: { $0.pointee.unpackALP(bytes, 17, rowCount, 5, scaling.down, scaling.downFraction, real) }),
            BenchmarkedKernel(
                name: "prefix sum", goal: 3.4, vectorGoal: 6,
                reference: { IntegerKernels.prefixSum(signed, count: count, carry: 7) },
                run: { $0.pointee.prefixSum(signed, count, 7) }),
            BenchmarkedKernel(
                name: "differences of 6 bits to decimals",
                reference: {
                    BitPacking.unpack(
                        bytes, width: 6, rowCount: rowCount, base: UInt64(bitPattern: -32), into: output)
                    IntegerKernels.prefixSum(signed, count: count, carry: 7)
                    ALPKernels.decode(signed, count: count, scaling)
                },
                run: { kernels in
                    kernels.pointee.unpackSumsALP(
                        bytes, 6, rowCount, UInt64(bitPattern: -32), 7, scaling.down, scaling.downFraction, real)
                }),
        ]
    }

    private func aggregates() -> [BenchmarkedKernel] {
        let count = Self.count
        let (integers, doubles) = (integers.pointer, doubles.pointer)
        let bitmap = bitmap
        let (results, integerResults, numbers) = (results, integerResults, numbers)
        return [
            BenchmarkedKernel(
                name: "sum, double", goal: 15, vectorGoal: 24,
                reference: {
                    numbers.initialize(to: AggregateKernels.sum(doubles, count: count, validity: nil))
                },
                run: { numbers.initialize(to: $0.pointee.sumDouble(doubles, count, nil)) }),
            BenchmarkedKernel(
                name: "sum of squares, double",
                reference: {
                    numbers.initialize(
                        to: AggregateKernels.squares(doubles, count: count, validity: nil, around: 1.5))
                },
                run: { numbers.initialize(to: $0.pointee.squaresDouble(doubles, count, nil, 1.5)) }),
            BenchmarkedKernel(
                name: "sum, min, max, double", goal: 4, vectorGoal: 9,
                reference: {
                    results.initialize(to: AggregateKernels.aggregate(doubles, count: count, validity: nil))
                },
                run: { $0.pointee.aggregateDouble(doubles, count, nil, results) }),
            BenchmarkedKernel(
                name: "sum, min, max, double, half valid",
                reference: {
                    results.initialize(to: AggregateKernels.aggregate(doubles, count: count, validity: bitmap))
                },
                run: { $0.pointee.aggregateDouble(doubles, count, bitmap, results) }),
            BenchmarkedKernel(
                name: "sum, min, max, Int64", goal: 4, vectorGoal: 9,
                reference: {
                    integerResults.initialize(to: AggregateKernels.aggregate(integers, count: count, validity: nil))
                },
                run: { $0.pointee.aggregateInt64(integers, count, nil, integerResults) }),
        ]
    }

    /// All moments of runs, as a roll-up of a series takes them. Asked for: 0.45 ns a row and 10 ns a run.
    private func runAggregates() -> [BenchmarkedKernel] {
        let doubles = doubles.pointer
        let (results, numbers, centers) = (results, numbers, centers)
        return Self.runLengths.map { length in
            let ends = runEnds[length]!
            return BenchmarkedKernel(
                name: "sum, squares, min, max of runs of \(length)", unitCount: ends.count * length,
                vectorGoal: 1 / (0.45 + 10 / Double(length)), reference: nil,
                run: {
                    $0.pointee.aggregateRunsDouble(doubles, ends.baseAddress!, ends.count, results)
                    $0.pointee.squaresRunsDouble(doubles, ends.baseAddress!, ends.count, centers, numbers)
                })
        }
    }

    private func filters() -> [BenchmarkedKernel] {
        let count = Self.count
        let (integers, doubles, output) = (integers.pointer, doubles.pointer, output.pointer)
        let bitmap = bitmap
        let bits = UnsafeMutableRawPointer(output).assumingMemoryBound(to: UInt8.self)
        let indexes = UnsafeMutableRawPointer(output).assumingMemoryBound(to: UInt32.self)
        return [
            BenchmarkedKernel(
                name: "double > constant to bitmap", goal: 8, vectorGoal: 16,
                reference: { _ = FilterKernels.compare(doubles, count: count, .greater, 5_000) },
                run: { $0.pointee.compareDouble(doubles, count, FirnGreater, 5_000, bits) }),
            BenchmarkedKernel(
                name: "Int64 > constant to bitmap",
                reference: { _ = FilterKernels.compare(integers, count: count, .greater, 500_000) },
                run: { $0.pointee.compareInt64(integers, count, FirnGreater, 500_000, bits) }),
            BenchmarkedKernel(
                name: "bitmap to indexes, half set",
                reference: { _ = FilterKernels.select(bitmap, count: count, first: 0) },
                run: { _ = $0.pointee.select(bitmap, count, 0, indexes) }),
        ]
    }

    private var checksum: BenchmarkedKernel {
        let bytes = bytes
        let numbers = numbers
        return BenchmarkedKernel(
            name: "CRC32C of 64 KiB, GB/s", unitCount: Self.byteCount, isOfBytes: true, vectorGoal: 25,
            reference: {
                let checksum = CRC32C.reference(UnsafeRawBufferPointer(start: bytes, count: Self.byteCount), seed: 0)
                numbers.initialize(to: Double(checksum))
            },
            run: { numbers.initialize(to: Double($0.pointee.crc32c(bytes, Self.byteCount, 0))) })
    }
}

/// The entropy decoder's loop: 256 states for 32 bins of equal weight, offsets of up to 12 bits, like most pages.
private struct BenchmarkedBins {
    private static let tableBits = 8
    private static let binCount = 32
    private static let widest = 12
    private let model: BinModel
    private let streams: [PaddedWords]

    init() {
        var random = SplitMix()
        model = BinModel(
            tableBits: Self.tableBits,
            weights: [Int](repeating: (1 << Self.tableBits) / Self.binCount, count: Self.binCount),
            offsetWidths: (0..<Self.binCount).map { _ in random.below(Self.widest + 1) },
            lowers: (0..<Self.binCount).map { UInt64($0) * 5_000 })
        streams = (0..<2).map { _ in
            let bytes = (0..<2 * VectorLayout.valueCount).map { _ in UInt8(random.below(256)) }
            return bytes.withUnsafeBytes { PaddedWords(ByteView($0)) }
        }
    }

    func kernel(_ output: UnsafeMutablePointer<UInt64>) -> BenchmarkedKernel {
        let start = EntropyKernels.start(
            streams[0].words, streams[1].words, tableBits: Self.tableBits, widest: Self.widest)
        return BenchmarkedKernel(
            name: "entropy-coded bins",
            reference: {
                var streams = start
                _ = EntropyKernels.expandBins(model.tables, &streams, count: VectorLayout.valueCount)
            },
            run: {
                var streams = start
                var tables = model.tables
                $0.pointee.expandBins(&tables, &streams, VectorLayout.valueCount, 0, nil, output)
            })
    }
}

/// SplitMix64: the same contents in every run.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64 = 1

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
