// SPDX-License-Identifier: Apache-2.0
//
// Every integer encoding gives back what it was given, and damaged vectors are refused or harmless.

import Testing

@testable import Firn

@Suite struct IntegerEncodingTests {
    private func roundTrip<Encoding: IntegerEncoding>(
        _ encoding: Encoding.Type, _ values: [Int64], _ name: String, _ seed: UInt64
    ) throws {
        let statistics = IntegerStatistics()
        try values.withUnsafeBufferPointer { buffer in
            let view = VectorView(buffer)
            statistics.analyze(view)
            guard let estimate = encoding.estimate(view, statistics) else { return }
            var writer = ByteWriter()
            encoding.encode(view, statistics, into: &writer)
            #expect(writer.count == estimate, "\(encoding.id) of \(name) x \(values.count), seed \(seed)")
            let output = VectorBuffer<Int64>()
            try writer.withUnsafeBytes { bytes in
                var reader = ByteReader(bytes)
                try encoding.verify(&reader, count: values.count, nesting: 0)
                try reader.expectEnd()
                var cursor = VerifiedCursor(bytes.baseAddress!)
                encoding.decode(&cursor, count: values.count, into: output.pointer)
                #expect(cursor.pointer - bytes.baseAddress! == bytes.count)
            }
            let decoded = Array(UnsafeBufferPointer(start: output.pointer, count: values.count))
            #expect(decoded == values, "\(encoding.id) of \(name) x \(values.count), seed \(seed)")
        }
    }

    @Test func everyEncodingGivesBackWhatItWasGivenInTheBytesItEstimated() throws {
        var random = CodecRandom()
        for count in SampleColumns.edgeCounts where count <= 1_024 {
            for (name, values) in SampleColumns.integers(count: count, &random) {
                try roundTrip(Constant.self, values, name, random.seed)
                try roundTrip(Raw.self, values, name, random.seed)
                try roundTrip(FrameOfReference.self, values, name, random.seed)
                try roundTrip(Delta.self, values, name, random.seed)
                try roundTrip(DeltaOfDelta.self, values, name, random.seed)
                try roundTrip(Scaled.self, values, name, random.seed)
                try roundTrip(RunLength.self, values, name, random.seed)
            }
        }
    }

    @Test(arguments: 0...64) func packingRoundTripsAtEveryWidth(_ width: Int) {
        var random = CodecRandom()
        for rowCount in [1, 3, 63, 64] {
            let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
            let values = (0..<rowCount * 16).map { _ in random.next() & mask }
            let base = random.next()
            // Exactly the bytes that are promised, so that a sanitizer sees any read past them.
            let byteCount = BitPacking.byteCount(valueCount: rowCount * 16, width: width)
            let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: max(byteCount, 1), alignment: 1)
            defer { packed.deallocate() }
            BitPacking.pack(values, width: width, rowCount: rowCount, into: packed.baseAddress!)
            var output = [UInt64](repeating: 0, count: rowCount * 16)
            BitPacking.unpack(packed.baseAddress!, width: width, rowCount: rowCount, base: base, into: &output)
            #expect(output == values.map { $0 &+ base }, "rows \(rowCount), seed \(random.seed)")
        }
    }

    @Test func exactDivisorsDivide() {
        var random = CodecRandom()
        for _ in 0..<2_000 {
            let divisor = max(1, random.next() >> UInt64(random.below(64)))
            let quotient = random.next() % (UInt64.max / divisor &+ (divisor == 1 ? 0 : 1))
            let exact = ExactDivisor(divisor)
            #expect(exact.divides(quotient &* divisor) && exact.quotient(of: quotient &* divisor) == quotient)
            let other = random.next()
            #expect(exact.divides(other) == (other % divisor == 0), "\(other) / \(divisor), seed \(random.seed)")
        }
    }

    @Test func damagedVectorsAreRefusedOrHarmless() throws {
        var random = CodecRandom()
        let statistics = IntegerStatistics()
        let output = VectorBuffer<Int64>()
        for count in [1, 17, 300, 1_024] {
            for (_, values) in SampleColumns.integers(count: count, &random) {
                var writer = ByteWriter()
                values.withUnsafeBufferPointer { _ = IntegerCodec.encode(VectorView($0), statistics, into: &writer) }
                let original = writer.bytes
                for _ in 0..<20 {
                    var bytes = original
                    for _ in 0...random.below(3) {
                        // Heads carry the structure, so they are hit more often.
                        let bound = random.below(2) == 0 ? min(12, bytes.count) : bytes.count
                        bytes[random.below(bound)] = UInt8(random.below(256))
                    }
                    if random.below(3) == 0 { bytes.removeLast(random.below(bytes.count)) }
                    bytes.withUnsafeBytes { bytes in
                        guard bytes.count > 0 else { return }
                        var reader = ByteReader(bytes)
                        guard (try? IntegerCodec.verify(&reader, count: count)) != nil else { return }
                        var cursor = VerifiedCursor(bytes.baseAddress!)
                        IntegerCodec.decode(&cursor, count: count, into: output.pointer)
                        #expect(cursor.pointer - bytes.baseAddress! == reader.offset, "seed \(random.seed)")
                    }
                }
            }
        }
    }

    @Test func regularStepsCostAlmostNothing() throws {
        let values = (0..<1_024).map { 1_700_000_000_000_000 + Int64($0) * 10_000_000 }
        var writer = ByteWriter()
        values.withUnsafeBufferPointer { _ = IntegerCodec.encode(VectorView($0), IntegerStatistics(), into: &writer) }
        #expect(writer.count <= 20)
    }
}
