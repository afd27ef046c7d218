// SPDX-License-Identifier: Apache-2.0
//
// Gives each distinct byte string a number, in order of appearance: an open-addressing hash table over bytes.
//
// Code 0 stands for NULL; the first string has code 1. The strings lie end to end in one arena. A slot holds half of
// the hash, the code, and where the string lies, so that a probe touches one line of the table and the string itself.
//
// Source of the hash: wyhash (Wang Yi, public domain), its 64 x 64 -> 128 bit multiply-and-fold over words of 8 bytes.

final class TextDictionaryBuilder {
    /// Code of NULL.
    static let nullCode: UInt32 = 0

    private struct Slot {
        var tag: UInt32
        /// 0 where the slot is free.
        var code: UInt32
        var start: UInt32
        var byteCount: UInt32

        static let free = Slot(tag: 0, code: 0, start: 0, byteCount: 0)
    }

    private var arena: UnsafeMutablePointer<UInt8>
    private var arenaCapacity = 64 * 1_024
    private(set) var byteCount = 0
    /// `starts[code - 1] ..< starts[code]` are the bytes of a code.
    private(set) var starts: [Int] = [0]
    private var slots: UnsafeMutablePointer<Slot>
    private var slotMask = 2_047

    init() {
        arena = .allocate(capacity: arenaCapacity)
        slots = .allocate(capacity: slotMask + 1)
        slots.initialize(repeating: .free, count: slotMask + 1)
    }

    deinit {
        arena.deallocate()
        slots.deallocate()
    }

    /// Number of distinct strings.
    var count: Int { starts.count - 1 }

    /// The bytes of a code other than 0. Good until the next string is added.
    func bytes(of code: UInt32) -> UnsafeBufferPointer<UInt8> {
        precondition(code > 0 && code <= count, "a code that was given out")
        let start = starts[Int(code) - 1]
        return UnsafeBufferPointer(start: arena + start, count: starts[Int(code)] - start)
    }

    /// The code of a string, given now where it is new.
    func code(of bytes: UnsafePointer<UInt8>, count byteCount: Int) -> UInt32 {
        let hash = Self.hash(bytes, byteCount)
        var slot = Int(truncatingIfNeeded: hash) & slotMask
        while slots[slot].code != 0 {
            if Self.holds(slots[slot], hash, bytes, byteCount, arena) { return slots[slot].code }
            slot = (slot + 1) & slotMask
        }
        return insert(bytes, byteCount, hash: hash, slot: slot)
    }

    /// The codes of many strings: string i is `bytes[offsets[i] ..< offsets[i + 1]]`, and NULL where its bit is 0.
    func code(
        _ bytes: UnsafePointer<UInt8>, _ offsets: UnsafePointer<Int>, count: Int, validity: UnsafePointer<UInt64>?,
        into codes: UnsafeMutablePointer<UInt32>
    ) {
        var row = 0
        while row < count {
            // The table in locals: they hold until a string is inserted.
            let slots = self.slots
            let mask = slotMask
            let arena = self.arena
            var hash: UInt64 = 0
            var slot = 0
            var isNew = false
            while row < count {
                if let validity, validity[row &>> 6] &>> UInt64(row & 63) & 1 == 0 {
                    codes[row] = Self.nullCode
                    row &+= 1
                    continue
                }
                let start = offsets[row]
                let byteCount = offsets[row &+ 1] &- start
                hash = Self.hash(bytes + start, byteCount)
                slot = Int(truncatingIfNeeded: hash) & mask
                while slots[slot].code != 0 && !Self.holds(slots[slot], hash, bytes + start, byteCount, arena) {
                    slot = (slot &+ 1) & mask
                }
                if slots[slot].code == 0 {
                    isNew = true
                    break
                }
                codes[row] = slots[slot].code
                row &+= 1
            }
            guard isNew else { return }
            let start = offsets[row]
            codes[row] = insert(bytes + start, offsets[row + 1] - start, hash: hash, slot: slot)
            row += 1
        }
    }

    @inline(__always)
    private static func holds(
        _ slot: Slot, _ hash: UInt64, _ bytes: UnsafePointer<UInt8>, _ byteCount: Int,
        _ arena: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        slot.tag == UInt32(truncatingIfNeeded: hash &>> 32) && Int(slot.byteCount) == byteCount
            && isEqual(arena + Int(slot.start), bytes, byteCount)
    }

    @inline(never)
    private func insert(_ bytes: UnsafePointer<UInt8>, _ byteCount: Int, hash: UInt64, slot: Int) -> UInt32 {
        precondition(self.byteCount + byteCount <= Int(UInt32.max), "distinct texts of a flush take less than 4 GiB")
        if self.byteCount + byteCount > arenaCapacity {
            arenaCapacity = max(arenaCapacity * 2, self.byteCount + byteCount)
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: arenaCapacity)
            grown.update(from: arena, count: self.byteCount)
            arena.deallocate()
            arena = grown
        }
        (arena + self.byteCount).update(from: bytes, count: byteCount)
        let start = UInt32(self.byteCount)
        self.byteCount += byteCount
        starts.append(self.byteCount)
        slots[slot] = Slot(
            tag: UInt32(truncatingIfNeeded: hash >> 32), code: UInt32(count), start: start,
            byteCount: UInt32(byteCount))
        let code = UInt32(count)
        if count * 2 > slotMask { growTable() }
        return code
    }

    private func growTable() {
        let mask = (slotMask + 1) * 4 - 1
        slots.deallocate()
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: .free, count: mask + 1)
        slotMask = mask
        for code in 1...count {
            let start = starts[code - 1]
            let byteCount = starts[code] - start
            let hash = Self.hash(arena + start, byteCount)
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot].code != 0 { slot = (slot + 1) & mask }
            slots[slot] = Slot(
                tag: UInt32(truncatingIfNeeded: hash >> 32), code: UInt32(code), start: UInt32(start),
                byteCount: UInt32(byteCount))
        }
    }

    /// All codes from 1 on, ordered by the bytes of their strings.
    func sortedCodes() -> [UInt32] {
        guard count > 0 else { return [] }
        var codes = (1...UInt32(count)).map { $0 }
        // The first 8 bytes, big-endian, decide most comparisons.
        let prefixes: [UInt64] = codes.map { code in
            let bytes = self.bytes(of: code)
            var prefix: UInt64 = 0
            for index in 0..<8 { prefix = prefix << 8 | (index < bytes.count ? UInt64(bytes[index]) : 0) }
            return prefix
        }
        codes.sort { left, right in
            let leftPrefix = prefixes[Int(left) - 1]
            let rightPrefix = prefixes[Int(right) - 1]
            if leftPrefix != rightPrefix { return leftPrefix < rightPrefix }
            return ByteOrder.isLess(bytes(of: left), bytes(of: right))
        }
        return codes
    }

    // MARK: Hashing and comparing

    @inline(__always)
    private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        var state = UInt64(truncatingIfNeeded: count) ^ 0xA076_1D64_78BD_642F
        if count >= 8 {
            var offset = 0
            while offset &+ 8 < count {
                state = fold(state ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self), 0xE703_7ED1_A0B4_28DB)
                offset &+= 8
            }
            let last = raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            return fold(state ^ last, 0x8EBC_6AF0_9C88_C6E3)
        }
        var word: UInt64 = 0
        if count >= 4 {
            word = UInt64(raw.loadUnaligned(as: UInt32.self)) &<< 32
            word |= UInt64(raw.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else if count > 0 {
            word = UInt64(bytes[0]) &<< 16 | UInt64(bytes[count &>> 1]) &<< 8 | UInt64(bytes[count &- 1])
        }
        return fold(state ^ word, 0x8EBC_6AF0_9C88_C6E3)
    }

    @inline(__always)
    private static func isEqual(_ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        let leftRaw = UnsafeRawPointer(left)
        let rightRaw = UnsafeRawPointer(right)
        if count < 8 {
            for index in 0..<count where left[index] != right[index] { return false }
            return true
        }
        var offset = 0
        while offset &+ 8 < count {
            let same =
                leftRaw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                == rightRaw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if !same { return false }
            offset &+= 8
        }
        return leftRaw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == rightRaw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }
}

/// The order of text: by its bytes, as unsigned numbers; a prefix comes first.
enum ByteOrder {
    static func isLess(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let shared = min(left.count, right.count)
        for index in 0..<shared where left[index] != right[index] { return left[index] < right[index] }
        return left.count < right.count
    }
}
