// SPDX-License-Identifier: Apache-2.0
//
// Buffers in huge pages are ordinary memory: all of it can be written, whatever its size and place.

import FirnIO
import Testing

@Suite struct LargeMemoryTests {
    @Test(arguments: [0, 1, 1_000, (2 << 20) - 1, 2 << 20, (6 << 20) + 12_345])
    func everyByteCanBeWritten(_ byteCount: Int) {
        let memory = LargeMemory.allocate(byteCount: byteCount)
        defer { memory.deallocate() }
        #expect(memory.count == byteCount)
        #expect(UInt(bitPattern: memory.baseAddress) % 64 == 0)
        let bytes = memory.bindMemory(to: UInt8.self)
        for index in 0..<byteCount { bytes[index] = UInt8(truncatingIfNeeded: index) }
        #expect((0..<byteCount).allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: $0) })
    }

    @Test func elementsHaveTheirRoom() {
        let count = 1 << 20
        let numbers = LargeMemory.allocate(Int64.self, count: count)
        defer { numbers.deallocate() }
        for index in 0..<count { numbers[index] = Int64(index) }
        #expect((0..<count).allSatisfy { numbers[$0] == Int64($0) })
    }

    /// Advice covers whole huge pages within the memory and nothing beyond: what is there stays as it is.
    @Test func adviceForMemoryThatIsInUse() {
        var bytes = [UInt8](repeating: 7, count: 5 << 20)
        bytes.withUnsafeMutableBytes { all in
            for skipped in [0, 1, 4_096, 3 << 20, 5 << 20] {
                LargeMemory.useHugePages(for: UnsafeMutableRawBufferPointer(rebasing: all[skipped...]))
            }
        }
        #expect(bytes.allSatisfy { $0 == 7 })
    }

    /// What was forgotten can be written again, and nothing beside it changes.
    @Test(arguments: [0, 1, 4_095, 4_096, (2 << 20) + 1, 5 << 20])
    func forgottenMemoryCanBeWritten(_ byteCount: Int) {
        let around = 5_000
        let memory = LargeMemory.allocate(byteCount: byteCount + 2 * around)
        defer { memory.deallocate() }
        let bytes = memory.bindMemory(to: UInt8.self)
        bytes.update(repeating: 7)
        LargeMemory.forgetContents(
            of: UnsafeMutableRawBufferPointer(rebasing: memory[around..<around + byteCount]))
        for index in around..<around + byteCount { bytes[index] = 9 }
        #expect(bytes.indices.allSatisfy { bytes[$0] == (around..<around + byteCount ~= $0 ? 9 : 7) })
    }
}
