// SPDX-License-Identifier: Apache-2.0
//
// Distinct keys of a fixed number of 64-bit words, numbered by first appearance.
//
// Sorted segments deliver keys in ascending order, and each segment begins anew. So the table is at first a list of
// keys in a few ascending runs: the next key is compared with the last one and appended, and nothing is hashed. A run
// knows the least and the greatest value of each word of its keys; only a key that lies within all of these bounds of
// an earlier run can be in it, and is searched there by bisection. Segments of different times thus meet only in the
// bucket that they share. Where too many runs begin or too many keys have to be searched, an open-addressing hash table
// is built over what is there; from then on every look-up probes it linearly, at a load of at most one half. Order is
// that of the words as unsigned numbers, the first word first; it only matters for speed.
//
//     keys:  [word 0 … word W-1] of group 0, of group 1, …      slots: group + 1, or 0 where free
//     runs:  groups 0 ..< 5    | 5 ..< 9 | 9 ..< count          bounds of a run: [least, greatest] of word 0, of word 1, …

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// A set of packed keys. Not thread-safe.
final class GroupTable {
    let wordsPerKey: Int
    private(set) var count = 0
    /// `capacity` keys of `wordsPerKey` words, of which `count` are initialised.
    private var keys: UnsafeMutablePointer<UInt64>
    private var capacity: Int
    /// Absent while the keys come in few ascending runs.
    private var slots: UnsafeMutablePointer<UInt32>?
    /// A power of two, at least twice `count`.
    private var slotCount = 0

    /// The first group of each ascending run, of which `runCount` are in use; without meaning once there are slots.
    private let runStarts: UnsafeMutablePointer<Int>
    /// The bounds of each run's keys: the least and the greatest value of each word in turn.
    private let runBounds: UnsafeMutablePointer<UInt64>
    private var runCount = 0
    /// Keys that were searched in earlier runs.
    private var searchedCount = 0

    /// More runs than this, and the bounds of all of them would cost more than a hash.
    private static let runsMax = 32
    /// Keys that may be searched in any case, and one more for so many that were not.
    private static let searchedMin = 1_024
    private static let keysPerSearch = 16

    /// More groups than this do not fit the 32-bit group numbers.
    static let groupsMax = Int(UInt32.max) - 1

    init(wordsPerKey: Int) {
        precondition(wordsPerKey > 0, "a key has at least one word")
        self.wordsPerKey = wordsPerKey
        capacity = 1_024
        guard let keys = malloc(capacity * wordsPerKey * 8) else { fatalError("no memory for groups") }
        self.keys = keys.assumingMemoryBound(to: UInt64.self)
        runStarts = .allocate(capacity: Self.runsMax)
        runBounds = .allocate(capacity: Self.runsMax * 2 * wordsPerKey)
    }

    deinit {
        free(keys)
        runStarts.deallocate()
        runBounds.deallocate()
        slots?.deallocate()
    }

    /// Bytes that the table holds.
    var byteCount: Int { (capacity + 2 * Self.runsMax) * wordsPerKey * 8 + slotCount * 4 }

    /// True once the keys came in no order that saves hashing.
    var isHashed: Bool { slots != nil }

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
        if slots == nil {
            done =
                wordsPerKey == 2
                ? appendPairsToRuns(wanted, keyCount: keyCount, into: groups)
                : appendToRuns(wanted, keyCount: keyCount, into: groups)
        }
        if done == keyCount { return }
        if slots == nil { rehash(slotCountMin: 2 * (count + keyCount)) }
        if slotCount < 2 * (count + keyCount) { rehash(slotCountMin: 2 * (count + keyCount)) }
        switch wordsPerKey {
        case 1: probeOneWord(wanted, done..<keyCount, into: groups)
        case 2: probeTwoWords(wanted, done..<keyCount, into: groups)
        default: probeManyWords(wanted, done..<keyCount, into: groups)
        }
    }

    /// Takes keys as long as they lie in few ascending runs; returns how many were taken.
    private func appendToRuns(
        _ wanted: UnsafePointer<UInt64>, keyCount: Int, into groups: UnsafeMutablePointer<UInt32>
    ) -> Int {
        let words = wordsPerKey
        var index = 0
        while index < keyCount {
            let key = wanted + index * words
            switch place(of: key) {
            case .known(let group):
                groups[index] = UInt32(truncatingIfNeeded: group)
            case .inLastRun:
                let bounds = runBounds + (runCount - 1) * 2 * words
                for word in 0..<words {
                    bounds[2 * word] = min(bounds[2 * word], key[word])
                    bounds[2 * word + 1] = max(bounds[2 * word + 1], key[word])
                }
                append(key)
                groups[index] = UInt32(truncatingIfNeeded: count - 1)
            case .inNewRun:
                guard runCount < Self.runsMax else { return index }
                runStarts[runCount] = count
                let bounds = runBounds + runCount * 2 * words
                for word in 0..<words {
                    bounds[2 * word] = key[word]
                    bounds[2 * word + 1] = key[word]
                }
                runCount += 1
                append(key)
                groups[index] = UInt32(truncatingIfNeeded: count - 1)
            case .unknown:
                return index
            }
            index += 1
        }
        return index
    }

    /// The same for keys of two words, as of a series and a time: ascending keys stay in registers, and only others go
    /// the long way. The first word's bounds are those of a run's first and last key.
    private func appendPairsToRuns(
        _ wanted: UnsafePointer<UInt64>, keyCount: Int, into groups: UnsafeMutablePointer<UInt32>
    ) -> Int {
        var index = 0
        while index < keyCount {
            let done = index + appendToRuns(wanted + 2 * index, keyCount: 1, into: groups + index)
            if done == index { return index }
            index = done
            // Here there is a last run, and its last key is the last of all.
            let bounds = runBounds + (runCount - 1) * 4
            let lastKey = keys + 2 * (count - 1)
            var (lastFirst, lastSecond) = (lastKey[0], lastKey[1])
            var (least, greatest) = (bounds[2], bounds[3])
            var count = count
            ascending: while index < keyCount {
                let first = wanted[2 * index]
                let second = wanted[2 * index + 1]
                guard first > lastFirst || (first == lastFirst && second > lastSecond) else {
                    guard first == lastFirst, second == lastSecond else { break }
                    groups[index] = UInt32(truncatingIfNeeded: count - 1)
                    index += 1
                    continue
                }
                for run in 0..<runCount - 1 {
                    let bounds = runBounds + run * 4
                    if first >= bounds[0], first <= bounds[1], second >= bounds[2], second <= bounds[3] {
                        break ascending
                    }
                }
                keys[2 * count] = first
                keys[2 * count + 1] = second
                groups[index] = UInt32(truncatingIfNeeded: count)
                count += 1
                index += 1
                (lastFirst, lastSecond) = (first, second)
                least = min(least, second)
                greatest = max(greatest, second)
            }
            bounds[1] = lastFirst
            (bounds[2], bounds[3]) = (least, greatest)
            self.count = count
        }
        return index
    }

    private enum Place {
        case known(Int)
        /// Not there yet: behind the last key, or in a run that it begins.
        case inLastRun, inNewRun
        /// Too many keys had to be searched.
        case unknown
    }

    /// Where a key is or belongs among the runs.
    @inline(__always)
    private func place(of key: UnsafePointer<UInt64>) -> Place {
        guard runCount > 0 else { return .inNewRun }
        let last = keys + (count - 1) * wordsPerKey
        var word = 0
        while word < wordsPerKey, key[word] == last[word] { word += 1 }
        if word == wordsPerKey { return .known(count - 1) }
        let isAscending = key[word] > last[word]
        // A key behind the last one cannot be in the last run.
        for run in 0..<(isAscending ? runCount - 1 : runCount) where isWithinBounds(key, ofRun: run) {
            guard searchedCount <= Self.searchedMin + count / Self.keysPerSearch else { return .unknown }
            searchedCount += 1
            if let group = search(key, inRun: run) { return .known(group) }
        }
        return isAscending ? .inLastRun : .inNewRun
    }

    @inline(__always)
    private func isWithinBounds(_ key: UnsafePointer<UInt64>, ofRun run: Int) -> Bool {
        let bounds = runBounds + run * 2 * wordsPerKey
        for word in 0..<wordsPerKey where key[word] < bounds[2 * word] || key[word] > bounds[2 * word + 1] {
            return false
        }
        return true
    }

    /// The group of a key in a run, by bisection.
    private func search(_ key: UnsafePointer<UInt64>, inRun run: Int) -> Int? {
        var low = runStarts[run]
        var high = run + 1 < runCount ? runStarts[run + 1] : count
        // Invariant: the key, if it is there, is in low..<high.
        while low < high {
            let middle = low + (high - low) / 2
            let held = keys + middle * wordsPerKey
            var word = 0
            while word < wordsPerKey, key[word] == held[word] { word += 1 }
            if word == wordsPerKey { return middle }
            if key[word] < held[word] { high = middle } else { low = middle + 1 }
        }
        return nil
    }

    /// Precondition: there is capacity for one more key.
    @inline(__always)
    private func append(_ key: UnsafePointer<UInt64>) {
        let place = keys + count * wordsPerKey
        for word in 0..<wordsPerKey { place[word] = key[word] }
        count += 1
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

    /// Grows by `realloc`, which moves the pages of a large table and not its bytes.
    private func reserve(_ keyCount: Int) {
        guard keyCount > capacity else { return }
        capacity = max(keyCount, capacity * 2)
        guard let moved = realloc(keys, capacity * wordsPerKey * 8) else {
            fatalError("no memory for \(capacity) groups")
        }
        keys = moved.assumingMemoryBound(to: UInt64.self)
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
