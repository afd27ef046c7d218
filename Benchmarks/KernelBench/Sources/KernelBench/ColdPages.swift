// SPDX-License-Identifier: Apache-2.0
//
// Whole cold pages, checked, expanded and handed out vector by vector, at the level that was chosen at start.

import CKernels

@testable import Firn

enum ColdPages {
    private static let count = VectorLayout.columnChunkValueCountMax

    static func report() throws {
        let level = KernelBench.levels.first { $0.level == firn_chosen_level() }?.name ?? "unknown"
        print("\n## Cold pages\n")
        print(
            "Pages of \(count) values as compressed chunks store them, from the page's bytes to values, with all checks",
            "and the page's table; level \(level). Asked for: 0.5 values/ns.\n")
        print("| column | bits a value | values/ns |")
        print("| --- | ---: | ---: |")
        for (name, values) in columns() {
            let page = values.withUnsafeBufferPointer {
                ColumnChunkEncoder(profile: .cold).encode(int64: $0).pages[0].bytes
            }
            try measure(name, page)
        }
        let decimals = prices()
        let page = decimals.withUnsafeBufferPointer { ColumnChunkEncoder(profile: .cold).encode(double: $0).pages[0] }
        try measure("random walk of prices, 2 digits, double", page.bytes)
    }

    private static func measure(_ name: String, _ page: [UInt8]) throws {
        let vector = VectorBuffer<Int64>()
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: page.count, alignment: 64)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: page)
        let view = ByteView(UnsafeRawBufferPointer(bytes))
        let best = try Timing.bestNanoseconds {
            let decoder = try PageDecoder(view, keepingAlive: nil)
            for index in 0..<decoder.vectorCount { decoder.decodeVector(index, into: vector.pointer) }
        }
        print(
            "| \(name) | \(decimals(Double(page.count * 8) / Double(count), 2)) | \(decimals(Double(count) / best, 2)) |"
        )
    }

    private static func columns() -> [(String, [Int64])] {
        var random = SplitMix()
        var time: Int64 = 1_700_000_000_000_000
        let times = (0..<count).map { _ in
            time += 10_000_000 + Int64(random.below(1_000)) + Int64(random.below(1_000)) - 1_000
            return time
        }
        let sizes = (0..<count).map { _ in Int64(100 << (random.next().trailingZeroBitCount % 12)) }
        return [("times, jittered by 1 ms", times), ("powers of two, geometric", sizes)]
    }

    private static func prices() -> [Double] {
        var random = SplitMix()
        var cents = 15_780
        return (0..<count).map { _ in
            cents += (0..<4).reduce(0) { sum, _ in sum + random.below(7) } - 12
            return Double(cents) / 100
        }
    }
}
