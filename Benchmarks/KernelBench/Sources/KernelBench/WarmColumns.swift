// SPDX-License-Identifier: Apache-2.0
//
// Column chunks of sorted rows on their way into warm segments: what encoding costs a row.
//
// The three columns are those of a table of measurements: a sensor's code, a time each ten seconds, and a value that
// walks at random and has two decimals. Sorting and writing are not part of it: `firn-bench flush` measures all.

@testable import Firn

enum WarmColumns {
    private static let count = VectorLayout.columnChunkValueCountMax
    /// Rows of a sensor one after another, as a memtable of a thousand sensors holds them.
    private static let rowsOfSensor = 3_300

    static func report(_ machine: Machine) {
        print("\n## Warm column chunks\n")
        print(
            "Chunks of \(count) values as a flush encodes them, choice of encoding and statistics included, on one",
            "thread. Asked for: at most 40 ns for all three, \(decimals(40 / machine.share, 0)) with this machine's speed of copying.\n"
        )
        print("| column | bits a value | ns a value |")
        print("| --- | ---: | ---: |")
        let encoder = ColumnChunkEncoder(profile: .warm)
        let codes = (0..<count).map { UInt32($0 / rowsOfSensor) }
        let times = (0..<count).map { 1_700_000_000_000_000 + Int64($0 % rowsOfSensor) * 10_000_000 }
        let values = walk()
        let sum =
            measure("code of a sensor, sorted") { codes.withUnsafeBufferPointer { encoder.encode(codes: $0) } }
            + measure("time, each 10 s") { times.withUnsafeBufferPointer { encoder.encode(int64: $0) } }
            + measure("random walk, 2 digits, double") { values.withUnsafeBufferPointer { encoder.encode(double: $0) } }
        print("| all three | | \(decimals(sum, 2)) |")
    }

    private static func measure(_ name: String, _ encode: () -> EncodedColumnChunk) -> Double {
        var byteCount = 0
        let nanoseconds = Timing.bestNanoseconds { byteCount = encode().pages.reduce(0) { $0 + $1.bytes.count } }
        let best = nanoseconds / Double(count)
        print("| \(name) | \(decimals(Double(byteCount * 8) / Double(count), 2)) | \(decimals(best, 2)) |")
        return best
    }

    private static func walk() -> [Double] {
        var random = SplitMix()
        var hundredths = 5_000
        return (0..<count).map { _ in
            // A sum of twelve is close to normal; steps of N(0, 0.1).
            hundredths += ((0..<12).reduce(0) { sum, _ in sum + random.below(1_000) } - 6_000) / 100
            return Double(hundredths) / 100
        }
    }
}
