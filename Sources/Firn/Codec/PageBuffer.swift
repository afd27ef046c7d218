// SPDX-License-Identifier: Apache-2.0
//
// The values of a whole page, in memory that goes from one page to the next.
//
// The allocator may return what a page lets go to the operating system, and then every 4 KiB of the next page cost a
// fault: together as much as decoding what is put there. Queries of cold data load page after page, so a few blocks
// are kept for the next ones. Blocks have three sizes, so that one is at most twice as large as what it holds, and
// those that wait take 3.5 MiB at most.

import Synchronization

final class PageBuffer {
    /// Valid for `capacity` values and `VectorLayout.paddingValueCount` beyond them.
    let pointer: UnsafeMutablePointer<Int64>
    let capacity: Int
    private let block: Block
    /// Which of the sizes the block has; nil where it is none of them.
    private let sizeClass: Int?

    private struct Block: @unchecked Sendable {
        // Sendable: nobody else has a block that waits, and one buffer has one that does not.
        let start: UnsafeMutableRawPointer
    }

    /// Values that blocks have room for.
    private static let capacities = [16_384, 32_768, VectorLayout.columnChunkValueCountMax]
    /// For less the allocator keeps what was freed.
    private static let smallCapacityMax = 8_192
    /// Blocks of each size that wait.
    private static let waitingCountMax = 4
    private static let waiting = Mutex([[Block]](repeating: [], count: capacities.count))

    /// What the buffer holds until it is written means nothing.
    init(valueCount: Int) {
        precondition(valueCount >= 0, "a value count is never negative")
        capacity = valueCount
        let sizeClass =
            valueCount > Self.smallCapacityMax ? Self.capacities.firstIndex { valueCount <= $0 } : nil
        self.sizeClass = sizeClass
        let room = sizeClass.map { Self.capacities[$0] } ?? valueCount
        block = sizeClass.flatMap(Self.takeWaiting) ?? Self.allocate(room)
        // Precondition: the block has room for so many values.
        pointer = block.start.bindMemory(to: Int64.self, capacity: valueCount + VectorLayout.paddingValueCount)
    }

    deinit {
        guard let sizeClass, Self.keep(block, sizeClass) else {
            block.start.deallocate()
            return
        }
    }

    private static func allocate(_ valueCount: Int) -> Block {
        let byteCount = (valueCount + VectorLayout.paddingValueCount) * MemoryLayout<Int64>.stride
        return Block(start: .allocate(byteCount: byteCount, alignment: 64))
    }

    private static func takeWaiting(_ sizeClass: Int) -> Block? {
        waiting.withLock { $0[sizeClass].popLast() }
    }

    /// False where enough blocks wait.
    private static func keep(_ block: Block, _ sizeClass: Int) -> Bool {
        waiting.withLock { waiting in
            if waiting[sizeClass].count >= waitingCountMax { return false }
            waiting[sizeClass].append(block)
            return true
        }
    }
}
