// SPDX-License-Identifier: Apache-2.0
//
// firn-kernels: how fast the hot loops are at each CPU level, as a table in Markdown on standard output.
//
// Blocks of 1,024 values in the first cache, the best of many short rounds. Beside each speed stand its ratios to the
// Swift reference and to the speeds at which this machine copies and reads memory, measured in the same run: those
// survive a change of machine, the speed itself does not. It reaches internals, so it is built with -enable-testing.

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
        let machine = Machine()
        print("# Kernel speeds\n")
        print(
            "Written by `make bench-kernels`. Values/ns, for checksums GB/s; blocks of 1,024 values in the first cache,",
            "the best of \(Timing.roundCount) rounds of 0.1 ms. *Goals* are for a machine that copies",
            "\(decimals(Machine.goals.copy, 0)) values/ns within the first cache and reads \(decimals(Machine.goals.memory, 1))",
            "from memory on one thread; this one copies \(decimals(machine.copy, 1)) and reads \(decimals(machine.memory, 2)),",
            "so *goal here* is the goal times \(decimals(machine.share, 2)). *Swift* is the reference that tests",
            "compare with: its aggregates and filters are written to be read, not to be fast. The last columns are multiples of the",
            "Swift reference, of the speed of copying and of that of reading from memory.\n")
        print("| kernel | level | speed | goal | goal here | x Swift | x copy | x memory |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        let data = BenchmarkData()
        defer { withExtendedLifetime(data) { data.deallocate() } }
        var comparisons: [Comparison] = []
        for kernel in data.kernels() {
            let swift = kernel.reference.map { Timing.speed(kernel.unitCount, $0) }
            if let swift { row(kernel, "swift", swift, kernel.goal, swift, machine) }
            for (name, level) in levels {
                guard let kernels = firn_kernels_at(level) else { continue }
                let speed = Timing.speed(kernel.unitCount) { kernel.run(kernels) }
                row(
                    kernel, name, speed, level == FirnLevelBaseline ? kernel.goal : kernel.vectorGoal, swift, machine)
                if let swift, level == FirnLevelBaseline && kernel.isReferenceVectorised {
                    comparisons.append(Comparison(name: kernel.name, swift: swift, baseline: speed))
                }
            }
        }
        report(comparisons)
        try ColdPages.report()
        WarmColumns.report(machine)
    }

    private static func row(
        _ kernel: BenchmarkedKernel, _ level: String, _ speed: Double, _ goal: Double?, _ swift: Double?,
        _ machine: Machine
    ) {
        let values = kernel.isOfBytes ? speed / 8 : speed
        let goalHere = goal.map { $0 * machine.share }
        print(
            "| \(kernel.name) | \(level) | \(decimals(speed, 2)) | \(goal.map { decimals($0, 1) } ?? "") |",
            "\(goalHere.map { decimals($0, 1) } ?? "") | \(swift.map { decimals(speed / $0, 1) } ?? "") |",
            "\(decimals(values / machine.copy, 2)) | \(decimals(values / machine.memory, 2)) |")
    }

    /// What Swift reaches where it is written with SIMD types and compiled for any processor of its kind.
    private struct Comparison {
        let name: String
        let swift: Double
        let baseline: Double
    }

    private static func report(_ comparisons: [Comparison]) {
        print("\n## Swift beside C\n")
        print(
            "Where the reference is written with SIMD types; both for any processor of this kind.",
            "Asked for: at least 0.9 of C.\n")
        print("| kernel | Swift | C, baseline | Swift / C |")
        print("| --- | ---: | ---: | ---: |")
        for item in comparisons {
            print(
                "| \(item.name) | \(decimals(item.swift, 2)) | \(decimals(item.baseline, 2)) |",
                "\(decimals(item.swift / item.baseline, 2)) |")
        }
    }
}

/// What any kernel is held against: values a nanosecond that one thread copies within the first cache, and that it
/// reads from memory.
struct Machine {
    let copy: Double
    let memory: Double

    /// The machine that the goals were set on.
    static let goals = Machine(copy: 19, memory: 5.2)

    /// What this machine copies of what the other does.
    var share: Double { copy / Machine.goals.copy }

    private init(copy: Double, memory: Double) {
        self.copy = copy
        self.memory = memory
    }

    /// This machine, measured.
    init() {
        memory = Self.memoryRead() / 8
        copy = Self.copySpeed()
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
    private static func copySpeed() -> Double {
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

    static func nanoseconds(_ body: () throws -> Void) rethrows -> Double {
        let duration = try ContinuousClock().measure(body)
        return Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) * 1e-9
    }

    /// Nanoseconds that `body` takes at best.
    static func bestNanoseconds(_ body: () throws -> Void) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<roundCount { best = min(best, try nanoseconds(body)) }
        return best
    }

    /// Units a nanosecond at which `body`, which does `unitCount` of them, runs at best.
    static func speed(_ unitCount: Int, _ body: () -> Void) -> Double {
        body()
        let callCount = max(1, Int(roundNanoseconds / max(1, nanoseconds(body))))
        return Double(unitCount * callCount) / bestNanoseconds { for _ in 0..<callCount { body() } }
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
