// SPDX-License-Identifier: Apache-2.0
//
// firn-kernels: how fast the hot loops are at each CPU level, as a table in Markdown on standard output.
//
// Blocks of 1,024 values in the first cache, the best of many short rounds. Beside each speed stand its ratio to the Swift
// reference and to the speed at which this machine reads memory, measured in the same run: those two survive a
// change of machine, the speed itself does not. It reaches internals, so it is built with -enable-testing.

import CKernels

@testable import Firn

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

@main
enum KernelBench {
    static let levels: [(name: String, level: FirnCPULevel)] = [
        ("baseline", FirnLevelBaseline), ("avx2", FirnLevelAVX2), ("avx512", FirnLevelAVX512),
    ]

    static func main() throws {
        let bytesPerNanosecond = memoryRead()
        let roof = bytesPerNanosecond / 8
        print("# Kernel speeds\n")
        print(
            "Written by `make bench-kernels`. Values/ns, for checksums GB/s; blocks of 1,024 values in the first cache,",
            "the best of \(Timing.roundCount) rounds of 0.1 ms. *Goals* are for a machine that reads 5.2 values/ns from memory on one",
            "thread; this one reads \(decimals(roof, 2)) (\(decimals(bytesPerNanosecond, 1)) GB/s) and copies",
            "\(decimals(copy(), 1)) values/ns within the first cache. *Swift* is the reference that tests compare with: its",
            "aggregates and filters are written to be read, not to be fast. The last columns are multiples of the Swift reference and of",
            "the memory speed.\n")
        print("| kernel | level | speed | goal | x Swift | x memory |")
        print("| --- | --- | ---: | ---: | ---: | ---: |")
        let data = BenchmarkData()
        defer { data.deallocate() }
        for kernel in data.kernels() {
            let swift = kernel.reference.map { Timing.speed(kernel.unitCount, $0) }
            if let swift { row(kernel, "swift", swift, kernel.goal, swift, roof) }
            for (name, level) in levels {
                guard let kernels = firn_kernels_at(level) else { continue }
                let speed = Timing.speed(kernel.unitCount) { kernel.run(kernels) }
                row(kernel, name, speed, level == FirnLevelBaseline ? kernel.goal : kernel.vectorGoal, swift, roof)
            }
        }
        try ColdPages.report()
    }

    private static func row(
        _ kernel: BenchmarkedKernel, _ level: String, _ speed: Double, _ goal: Double?, _ swift: Double?, _ roof: Double
    ) {
        let multiple = swift.map { decimals(speed / $0, 1) } ?? ""
        let ofMemory = kernel.isOfBytes ? speed / 8 / roof : speed / roof
        print(
            "| \(kernel.name) | \(level) | \(decimals(speed, 2)) | \(goal.map { decimals($0, 1) } ?? "") | \(multiple) |",
            "\(decimals(ofMemory, 2)) |")
    }

    /// Bytes a nanosecond that one thread reads from memory, the best of forty.
    private static func memoryRead() -> Double {
        let words = [Int64](repeating: 3, count: (128 << 20) / 8)
        var best = 0.0
        var total: Int64 = 0
        for _ in 0..<40 {
            let nanoseconds = Timing.nanoseconds {
                words.withUnsafeBytes { bytes in
                    var sums = (SIMD8<Int64>(), SIMD8<Int64>())
                    // The count of words is a multiple of 16, so both loads lie within the array.
                    for offset in stride(from: 0, to: bytes.count, by: 128) {
                        sums.0 &+= bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<Int64>.self)
                        sums.1 &+= bytes.loadUnaligned(fromByteOffset: offset + 64, as: SIMD8<Int64>.self)
                    }
                    total &+= (sums.0 &+ sums.1).wrappedSum()
                }
            }
            best = max(best, Double(words.count * 8) / nanoseconds)
        }
        // Looking at the sum keeps the loop from being optimised away.
        precondition(total != 0, "the sum of positive numbers is not zero")
        return best
    }

    /// Values a nanosecond that are copied within the first cache.
    private static func copy() -> Double {
        let source = VectorBuffer<Int64>()
        let target = VectorBuffer<Int64>()
        return Timing.speed(VectorLayout.valueCount) {
            target.pointer.update(from: source.pointer, count: VectorLayout.valueCount)
        }
    }
}

enum Timing {
    /// Short and many: on a machine that others use, some rounds are not interrupted.
    static let roundCount = 300
    private static let roundNanoseconds = 100_000.0

    static func nanoseconds(_ body: () -> Void) -> Double {
        let duration = ContinuousClock().measure(body)
        return Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) * 1e-9
    }

    /// Units a nanosecond at which `body`, which does `unitCount` of them, runs at best.
    static func speed(_ unitCount: Int, _ body: () -> Void) -> Double {
        body()
        let callCount = max(1, Int(roundNanoseconds / max(1, nanoseconds(body))))
        var best = Double.infinity
        for _ in 0..<roundCount {
            best = min(best, nanoseconds { for _ in 0..<callCount { body() } })
        }
        return Double(unitCount * callCount) / best
    }
}

/// A number with so many digits behind the point.
func decimals(_ number: Double, _ count: Int) -> String {
    let scale = [1.0, 10, 100][count]
    let scaled = Int((number * scale).rounded())
    let digits = String(scaled % Int(scale))
    return "\(scaled / Int(scale))"
        + (count == 0 ? "" : "." + String(repeating: "0", count: count - digits.count) + digits)
}
