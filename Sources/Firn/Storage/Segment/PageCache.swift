// SPDX-License-Identifier: Apache-2.0
//
// A bounded cache of blocks that were read, checked and verified, still encoded.
//
// A checksum is computed once per load, not per query. The cache is split by block into shards, each behind its own
// lock, so that readers seldom meet; within a shard the clock algorithm picks the victim: a hit only sets a bit.
// No lock is held while a block is read: two threads that miss together both load, and one copy stays.
//
// Source: Corbató, "A Paging Experiment with the Multics System", 1968 (clock).

import Synchronization

/// What a cache holds: never changed after it was made, so that threads share it.
enum CachedBlock: Sendable {
    case page(PageDecoder)
    case zoneMap(ColumnChunkStatistics)
    /// A segment's footer and what was read to understand it.
    case segment(SegmentReader)
}

/// Verified blocks of segment files by file and offset. Thread-safe.
final class PageCache: Sendable {
    /// Limit where none is given: 256 MiB.
    static let defaultBytesMax = 256 << 20

    struct Key: Hashable, Sendable {
        let file: FileID
        let byteOffset: Int64
    }

    private struct Entry {
        let key: Key
        let block: CachedBlock
        var byteCount: Int
        var wasUsed: Bool
    }

    private struct Shard {
        var slots: [Key: Int] = [:]
        var entries: [Entry?] = []
        var free: [Int] = []
        var hand = 0
        var byteCount = 0
        var hitCount = 0
        var missCount = 0
    }

    /// A mutex in an array needs an object around it.
    private final class Locked: Sendable {
        let shard = Mutex(Shard())
    }

    /// Most bytes that the blocks may take together.
    let bytesMax: Int
    private let shards: [Locked]
    private let shardBytesMax: Int

    init(bytesMax: Int = defaultBytesMax) {
        precondition(bytesMax >= 0, "a cache has no negative limit")
        self.bytesMax = bytesMax
        // A shard must hold several of the largest pages to be worth having.
        let shardCount = min(16, max(1, bytesMax / (8 << 20)))
        shards = (0..<shardCount).map { _ in Locked() }
        shardBytesMax = bytesMax / shardCount
    }

    /// What the cache has done so far, and holds now.
    struct Usage: Sendable, Hashable {
        var byteCount = 0
        var blockCount = 0
        var hitCount = 0
        var missCount = 0
    }

    var usage: Usage {
        shards.reduce(into: Usage()) { usage, locked in
            locked.shard.withLock { shard in
                usage.byteCount += shard.byteCount
                usage.blockCount += shard.slots.count
                usage.hitCount += shard.hitCount
                usage.missCount += shard.missCount
            }
        }
    }

    /// The block, from the cache or from `load`, which says how many bytes of memory it takes.
    func block(
        _ key: Key, load: () throws(FirnError) -> (block: CachedBlock, byteCount: Int)
    ) throws(FirnError) -> CachedBlock {
        let locked = shards[abs(key.hashValue % shards.count)]
        let found: CachedBlock? = locked.shard.withLock { shard in
            guard let slot = shard.slots[key] else {
                shard.missCount += 1
                return nil
            }
            shard.hitCount += 1
            shard.entries[slot]!.wasUsed = true
            return shard.entries[slot]!.block
        }
        if let found { return found }
        let (block, byteCount) = try load()
        guard byteCount <= shardBytesMax else { return block }
        locked.shard.withLock { shard in
            guard shard.slots[key] == nil else { return }
            while shard.byteCount + byteCount > shardBytesMax { Self.evictOne(&shard) }
            let entry = Entry(key: key, block: block, byteCount: byteCount, wasUsed: false)
            if let slot = shard.free.popLast() {
                shard.entries[slot] = entry
                shard.slots[key] = slot
            } else {
                shard.slots[key] = shard.entries.count
                shard.entries.append(entry)
            }
            shard.byteCount += byteCount
        }
        return block
    }

    /// Counts bytes that a block has taken since it was loaded; others make room for them.
    func add(byteCount: Int, to key: Key) {
        let locked = shards[abs(key.hashValue % shards.count)]
        locked.shard.withLock { shard in
            guard let slot = shard.slots[key] else { return }
            shard.entries[slot]!.byteCount += byteCount
            shard.byteCount += byteCount
            while shard.byteCount > shardBytesMax, shard.slots.count > 1 {
                shard.entries[slot]!.wasUsed = true
                Self.evictOne(&shard)
                if shard.slots[key] == nil { return }
            }
        }
    }

    /// Forgets all blocks of a file, for when it is deleted.
    func forget(_ file: FileID) {
        for locked in shards {
            locked.shard.withLock { shard in
                for slot in shard.entries.indices where shard.entries[slot]?.key.file == file {
                    Self.remove(slot, &shard)
                }
            }
        }
    }

    private static func evictOne(_ shard: inout Shard) {
        // Terminates: a full turn clears every bit, and a shard over its limit has an entry.
        while true {
            if shard.hand >= shard.entries.count { shard.hand = 0 }
            let slot = shard.hand
            shard.hand += 1
            guard let entry = shard.entries[slot] else { continue }
            if entry.wasUsed {
                shard.entries[slot]!.wasUsed = false
            } else {
                remove(slot, &shard)
                return
            }
        }
    }

    private static func remove(_ slot: Int, _ shard: inout Shard) {
        guard let entry = shard.entries[slot] else { return }
        shard.slots[entry.key] = nil
        shard.entries[slot] = nil
        shard.free.append(slot)
        shard.byteCount -= entry.byteCount
    }
}
