// SPDX-License-Identifier: Apache-2.0
//
// Distinct keys of a fixed number of 64-bit words, numbered by first appearance.
//
// While keys come in ascending order (sorted segments deliver them so) the table is just the list of keys: the next
// key is compared with the last one and appended, and nothing is hashed. The first key that descends builds an
// open-addressing hash table over what is there; from then on every look-up probes it linearly, at a load of at most
// one half. Order is that of the words as unsigned numbers, the first word first; it only matters for speed.
//
//     keys:  [word 0 … word W-1] of group 0, of group 1, …      slots: group + 1, or 0 where free

/// A set of packed keys. Not thread-safe.
final class GroupTable {
    let wordsPerKey: Int
    private(set) var count = 0
    /// `capacity` keys of `wordsPerKey` words, of which `count` are initialised.
    private var keys: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    /// Absent while the keys ascend.
    private var slots: UnsafeMutablePointer<UInt32>?
    /// A power of two, at least twice `count`.
    private var slotCount = 0

    /// More groups than this do not fit the 32-bit group numbers.
    static let groupsMax = Int(UInt32.max) - 1

    init(wordsPerKey: Int) {
        precondition(wordsPerKey > 0, "a key has at least one word")
        self.wordsPerKey = wordsPerKey
        capacity = 1_024
        keys = .allocate(capacity: capacity * wordsPerKey)
    }

    deinit {
        keys.deallocate()
        slots?.deallocate()
    }

    /// Bytes that the table holds.
    var byteCount: Int { capacity * wordsPerKey * 8 + slotCount * 4 }

    /// True while no hash table was needed.
    var isAscending: Bool { slots == nil }

    /// The words of a group's key; valid until the next insertion.
    func key(of group: Int) -> UnsafePointer<UInt64> {
        precondition(group >= 0 && group < count, "a group of the table")
        return UnsafePointer(keys + group * wordsPerKey)
    }

    /// The words of all keys, group after group; valid until the next insertion.
    var allKeys: UnsafePointer<UInt64> { UnsafePointer(keys) }

    /// Numbers of the groups of `keyCount` keys laid end to end; new keys get the next numbers.
    func findOrInsert(
        _ wanted: UnsafePointer<UInt64>, keyCount: Int, into groups: UnsafeMutablePointer<UInt32>
    ) throws(FirnError) {
        guard count + keyCount <= Self.groupsMax else {
            throw FirnError(.programLimitExceeded, "a grouping holds at most \(Self.groupsMax) groups")
        }
        reserve(count + keyCount)
        var done = 0
        if slots == nil { done = appendAscending(wanted, keyCount: keyCount, into: groups) }
        if done == keyCount { return }
        if slots == nil { rehash(slotCountMin: 2 * (count + keyCount)) }
        if slotCount < 2 * (count + keyCount) { rehash(slotCountMin: 2 * (count + keyCount)) }
        switch wordsPerKey {
        case 1: probeOneWord(wanted, done..<keyCount, into: groups)
        case 2: probeTwoWords(wanted, done..<keyCount, into: groups)
        default: probeManyWords(wanted, done..<keyCount, into: groups)
        }
    }

    /// Appends keys as long as they do not descend; returns how many were taken.
    private func appendAscending(
        _ wanted: UnsafePointer<UInt64>, keyCount: Int, into groups: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let words = wordsPerKey
        var count = count
        defer { self.count = count }
        var index = 0
        if count == 0 {
            keys.update(from: wanted, count: words)
            groups[0] = 0
            count = 1
            index = 1
        }
        var last = keys + (count - 1) * words
        while index < keyCount {
            let key = wanted + index * words
            var word = 0
            while word < words, key[word] == last[word] { word += 1 }
            if word < words {
                if key[word] < last[word] { return index }
                last += words
                for word in 0..<words { last[word] = key[word] }
                count += 1
            }
            groups[index] = UInt32(truncatingIfNeeded: count - 1)
            index += 1
        }
        return index
    }

    private func probeOneWord(
        _ wanted: UnsafePointer<UInt64>, _ range: Range<Int>, into groups: UnsafeMutablePointer<UInt32>
    ) {
        // Precondition of all accesses: capacity holds count + range.count keys, slotCount is at least twice that.
        let slots = slots!
        let keys = keys
        let mask = slotCount - 1
        var count = count
        for index in range {
            let key = wanted[index]
            var slot = Int(truncatingIfNeeded: Self.hash(key)) & mask
            while true {
                let entry = slots[slot]
                if entry == 0 {
                    keys[count] = key
                    count += 1
                    slots[slot] = UInt32(truncatingIfNeeded: count)
                    groups[index] = UInt32(truncatingIfNeeded: count - 1)
                    break
                }
                if keys[Int(entry) - 1] == key {
                    groups[index] = entry - 1
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        self.count = count
    }

    private func probeTwoWords(
        _ wanted: UnsafePointer<UInt64>, _ range: Range<Int>, into groups: UnsafeMutablePointer<UInt32>
    ) {
        let slots = slots!
        let keys = keys
        let mask = slotCount - 1
        var count = count
        for index in range {
            let first = wanted[2 * index]
            let second = wanted[2 * index + 1]
            var slot = Int(truncatingIfNeeded: Self.hash(first, second)) & mask
            while true {
                let entry = slots[slot]
                if entry == 0 {
                    keys[2 * count] = first
                    keys[2 * count + 1] = second
                    count += 1
                    slots[slot] = UInt32(truncatingIfNeeded: count)
                    groups[index] = UInt32(truncatingIfNeeded: count - 1)
                    break
                }
                let held = keys + 2 * (Int(entry) - 1)
                if held[0] == first, held[1] == second {
                    groups[index] = entry - 1
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        self.count = count
    }

    private func probeManyWords(
        _ wanted: UnsafePointer<UInt64>, _ range: Range<Int>, into groups: UnsafeMutablePointer<UInt32>
    ) {
        let slots = slots!
        let keys = keys
        let words = wordsPerKey
        let mask = slotCount - 1
        var count = count
        for index in range {
            let key = wanted + index * words
            var slot = Int(truncatingIfNeeded: Self.hash(key, wordCount: words)) & mask
            probe: while true {
                let entry = slots[slot]
                if entry == 0 {
                    for word in 0..<words { keys[count * words + word] = key[word] }
                    count += 1
                    slots[slot] = UInt32(truncatingIfNeeded: count)
                    groups[index] = UInt32(truncatingIfNeeded: count - 1)
                    break probe
                }
                let held = keys + (Int(entry) - 1) * words
                var word = 0
                while word < words, held[word] == key[word] { word += 1 }
                if word == words {
                    groups[index] = entry - 1
                    break probe
                }
                slot = (slot + 1) & mask
            }
        }
        self.count = count
    }

    private func reserve(_ keyCount: Int) {
        guard keyCount > capacity else { return }
        let grown = max(keyCount, capacity * 2)
        let moved = UnsafeMutablePointer<UInt64>.allocate(capacity: grown * wordsPerKey)
        moved.update(from: keys, count: count * wordsPerKey)
        keys.deallocate()
        keys = moved
        capacity = grown
    }

    private func rehash(slotCountMin: Int) {
        var size = 4_096
        while size < slotCountMin { size *= 2 }
        slots?.deallocate()
        let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: size)
        slots.initialize(repeating: 0, count: size)
        let mask = size - 1
        for group in 0..<count {
            let key = keys + group * wordsPerKey
            let hash =
                switch wordsPerKey {
                case 1: Self.hash(key[0])
                case 2: Self.hash(key[0], key[1])
                default: Self.hash(key, wordCount: wordsPerKey)
                }
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(truncatingIfNeeded: group + 1)
        }
        self.slots = slots
        slotCount = size
    }

    /// The folded 128-bit product: one multiplication mixes all bits (wyhash, Wang Yi).
    @inline(__always)
    private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func hash(_ word: UInt64) -> UInt64 {
        mix(word ^ 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB)
    }

    @inline(__always)
    private static func hash(_ first: UInt64, _ second: UInt64) -> UInt64 {
        mix(mix(first ^ 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB) ^ second, 0x8EBC_6AF0_9C88_C6E3)
    }

    private static func hash(_ key: UnsafePointer<UInt64>, wordCount: Int) -> UInt64 {
        var hash: UInt64 = 0x5896_65F7_0D5D_7C7F
        for word in 0..<wordCount { hash = mix(hash ^ key[word] ^ 0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB) }
        return hash
    }
}
