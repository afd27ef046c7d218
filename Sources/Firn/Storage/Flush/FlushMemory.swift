// SPDX-License-Identifier: Apache-2.0
//
// The large buffers that writing segments needs, kept from one file of segments to the next.
//
// While rows stream in, flush follows flush, and each would have the system map and zero the same megabytes again. What
// is kept is the system's to take: between two flushes its contents are forgotten.

import FirnIO
import Synchronization

/// Buffers for one writer of segments at a time. Not thread-safe.
final class FlushMemory {
    /// More than this is not kept: what flushes of memtables of the default size need.
    static let keptByteCountMax = 64 << 20

    private var places = Room()
    private var windowLists = Room()
    private var values = Room()
    private var validity = Room()

    var byteCount: Int { rooms.reduce(0) { $0 + $1.memory.count } }

    private var rooms: [Room] { [places, windowLists, values, validity] }

    /// Room for the place of each row; good until the next call.
    func places(_ rowCount: Int) -> UnsafeMutablePointer<UInt32> { places.reserve(UInt32.self, rowCount) }

    /// Room for two numbers for each of `count` rows; good until the next call.
    func windowLists(_ count: Int) -> (rows: UnsafeMutablePointer<UInt32>, places: UnsafeMutablePointer<UInt32>) {
        let lists = windowLists.reserve(UInt32.self, 2 * count)
        return (lists, lists + count)
    }

    /// Room for the values of one column of a window; good until the next call.
    func values<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> UnsafeMutablePointer<Element> {
        values.reserve(type, count)
    }

    /// Room for the validity of one column of a window, a byte a row; good until the next call.
    func validity(_ count: Int) -> UnsafeMutablePointer<UInt8> { validity.reserve(UInt8.self, count) }

    /// Lets the system take the memory until it is used again.
    func forgetContents() {
        for room in rooms { LargeMemory.forgetContents(of: room.memory) }
    }

    deinit {
        for room in rooms { room.memory.deallocate() }
    }

    /// A buffer that is grown as needed; what was in it is lost then.
    private struct Room {
        var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)

        mutating func reserve<Element: BitwiseCopyable>(
            _ type: Element.Type, _ count: Int
        ) -> UnsafeMutablePointer<Element> {
            let byteCount = max(count, 1) * MemoryLayout<Element>.stride
            if memory.count < byteCount {
                memory.deallocate()
                memory = LargeMemory.allocate(byteCount: byteCount)
            }
            return memory.baseAddress!.bindMemory(to: Element.self, capacity: max(count, 1))
        }
    }
}

/// Keeps the memory of the writer that was done last, for the next one. Thread-safe.
final class FlushMemoryKeeper: Sendable {
    // @unchecked: whoever takes the memory out has it alone.
    private struct Kept: @unchecked Sendable {
        var memory: FlushMemory?
    }

    private let kept = Mutex(Kept())

    /// Bytes that wait for the next writer.
    var byteCount: Int { kept.withLock { $0.memory?.byteCount ?? 0 } }

    /// Lends memory that nobody else has for as long as `body` runs.
    func withMemory<Result>(
        _ body: (FlushMemory) throws(FirnError) -> Result
    ) throws(FirnError) -> Result {
        let taken = kept.withLock { kept in
            defer { kept.memory = nil }
            return kept
        }
        let memory = taken.memory ?? FlushMemory()
        defer {
            if memory.byteCount <= FlushMemory.keptByteCountMax {
                memory.forgetContents()
                let returned = Kept(memory: memory)
                kept.withLock { $0 = returned }
            }
        }
        return try body(memory)
    }
}
