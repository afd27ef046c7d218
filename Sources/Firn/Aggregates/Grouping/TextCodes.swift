// SPDX-License-Identifier: Apache-2.0
//
// Query-wide codes for text: equal byte strings have equal codes, wherever they came from.
//
// The first dictionary that a query meets lends its own codes, so that a table with one dictionary is grouped
// without touching a byte of text. Other dictionaries are translated once a code, plain text once a value, by an
// open-addressing table over the bytes. Codes may differ from run to run (threads race for the next one); nothing
// that a query returns depends on their order.

import Synchronization

/// Gives out codes for byte strings. Thread-safe.
final class TextCodes: Sendable {
    /// The code of NULL.
    static let null = UInt32.max

    private let state: Mutex<State>
    /// What the codes hold, a lent dictionary left out.
    private let held: HeldMemory

    init(memory: MemoryBudget) {
        held = HeldMemory(memory)
        state = Mutex(State(held: held))
    }

    private struct State {
        let held: HeldMemory
        /// The dictionary whose codes are also ours; absent when plain text came first.
        var base: BytesDictionary?
        /// All values by code; empty as long as the codes are those of `base` alone.
        var values = BytesValues()
        /// Bytes for which `values` has room.
        var byteRoom = 0
        var hashes: [UInt64] = []
        /// Code + 1, or 0 where free. A power of two, at least twice the values.
        var slots: [UInt32] = []
        /// Our codes for those of other dictionaries, filled as they are met. The dictionary is held so that its
        /// identity stays its own.
        var translations: [ObjectIdentifier: (dictionary: BytesDictionary, codes: [UInt32])] = [:]

        init(held: HeldMemory) { self.held = held }

        var usesTable: Bool { !slots.isEmpty }

        mutating func buildTable() throws(FirnError) {
            slots = [UInt32](repeating: 0, count: 1_024)
            guard let base else { return }
            // The values of a dictionary are distinct: value i gets code i.
            try base.values.withUnsafeValues { bytes, offsets throws(FirnError) in
                for index in 0..<base.count {
                    let start = offsets[index]
                    _ = try code(
                        of: UnsafeBufferPointer(start: bytes + start, count: offsets[index + 1] - start))
                }
            }
        }

        mutating func code(of value: UnsafeBufferPointer<UInt8>) throws(FirnError) -> UInt32 {
            let hash = TextCodes.hash(value)
            var mask = slots.count - 1
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 {
                let code = Int(slots[slot]) - 1
                if hashes[code] == hash, holds(value, at: code) { return UInt32(code) }
                slot = (slot + 1) & mask
            }
            try makeRoom(for: value.count)
            values.append(contentsOf: value)
            hashes.append(hash)
            if values.count * 2 > slots.count {
                slots = [UInt32](repeating: 0, count: slots.count * 2)
                mask = slots.count - 1
                for (code, hash) in hashes.enumerated() {
                    var slot = Int(truncatingIfNeeded: hash) & mask
                    while slots[slot] != 0 { slot = (slot + 1) & mask }
                    slots[slot] = UInt32(code + 1)
                }
            } else {
                slots[slot] = UInt32(values.count)
            }
            return UInt32(values.count - 1)
        }

        private func holds(_ value: UnsafeBufferPointer<UInt8>, at code: Int) -> Bool {
            values.withUnsafeValues { bytes, offsets in
                let start = offsets[code]
                let count = offsets[code + 1] - start
                return count == value.count && compareBytes(bytes + start, count, value.baseAddress, count) == 0
            }
        }

        /// Bytes beside those of a value that each one takes: its offset, its hash, and its slots, new and old.
        private static let bytesPerValue = 8 + 8 + 24

        /// Counts a value that is about to be added, and what growing takes.
        private mutating func makeRoom(for byteCount: Int) throws(FirnError) {
            let byteCountAfter = values.bytes.count + byteCount
            let needed = byteCountAfter + (values.count + 1) * Self.bytesPerValue
            // In steps, as counting is not free.
            if needed > held.byteCount { try held.raise(to: needed + min(needed / 8, 65_536)) }
            guard byteCountAfter > byteRoom else { return }
            // The bytes are there twice while they move.
            let moved = values.bytes.count
            try held.reserve(moved)
            byteRoom = max(byteCountAfter, 2 * byteRoom, 4_096)
            values.reserveCapacity(values.count + 1, byteCount: byteRoom)
            held.release(moved)
        }
    }

    /// What one thread knows of the dictionary that it met last, so that it need not ask again for each batch.
    struct Known {
        fileprivate var dictionary: BytesDictionary?
        /// Our code for each of the dictionary's; nil where they are the same.
        fileprivate var codes: [UInt32]?
    }

    /// Dictionaries of more entries are not translated as a whole: few of these may occur.
    private static let wholeTranslationMax = 65_536

    /// The code of each row of a column of text (or of other bytes); NULL rows have `null`.
    func codes(of column: Column, _ known: inout Known) throws(FirnError) -> [UInt32] {
        var codes: [UInt32]
        switch column.values {
        case .dictionary(let own, let dictionary) where dictionary.count <= Self.wholeTranslationMax:
            if known.dictionary !== dictionary {
                known = Known(dictionary: dictionary, codes: try translation(of: dictionary))
            }
            codes = known.codes.map { known in own.map { known[Int($0)] } } ?? own
        case .dictionary(let own, let dictionary): codes = try translated(own, dictionary, validity: column.validity)
        case .bytes(let values): codes = try interned(values, validity: column.validity)
        default: preconditionFailure("codes are for text")
        }
        if let validity = column.validity {
            for row in codes.indices where !validity[row] { codes[row] = Self.null }
        }
        return codes
    }

    /// Our codes for all those of a dictionary; nil where they are the same.
    private func translation(of dictionary: BytesDictionary) throws(FirnError) -> [UInt32]? {
        let all = (0..<UInt32(truncatingIfNeeded: dictionary.count)).map { $0 }
        let codes = try translated(all, dictionary, validity: nil)
        return codes == all ? nil : codes
    }

    private func translated(
        _ own: [UInt32], _ dictionary: BytesDictionary, validity: Bitmap?
    ) throws(FirnError) -> [UInt32] {
        try state.withLock { state throws(FirnError) in
            if state.base == nil, !state.usesTable { state.base = dictionary }
            if state.base === dictionary { return own }
            if !state.usesTable { try state.buildTable() }
            let key = ObjectIdentifier(dictionary)
            var translation =
                state.translations.removeValue(forKey: key)?.codes
                ?? [UInt32](repeating: Self.null, count: dictionary.count)
            var codes = own
            try dictionary.values.withUnsafeValues { bytes, offsets throws(FirnError) in
                for row in codes.indices {
                    if let validity, !validity[row] { continue }
                    let code = Int(own[row])
                    if translation[code] == Self.null {
                        let start = offsets[code]
                        translation[code] = try state.code(
                            of: UnsafeBufferPointer(start: bytes + start, count: offsets[code + 1] - start))
                    }
                    codes[row] = translation[code]
                }
            }
            state.translations[key] = (dictionary, translation)
            return codes
        }
    }

    private func interned(_ values: BytesValues, validity: Bitmap?) throws(FirnError) -> [UInt32] {
        try state.withLock { state throws(FirnError) in
            if !state.usesTable { try state.buildTable() }
            var codes = [UInt32](repeating: Self.null, count: values.count)
            try values.withUnsafeValues { bytes, offsets throws(FirnError) in
                for row in 0..<values.count {
                    if let validity, !validity[row] { continue }
                    let start = offsets[row]
                    codes[row] = try state.code(
                        of: UnsafeBufferPointer(start: bytes + start, count: offsets[row + 1] - start))
                }
            }
            return codes
        }
    }

    /// All values by code, as they stand now. What they hold stays counted as long as the dictionary is there.
    func dictionary() -> BytesDictionary {
        state.withLock { state in
            if !state.usesTable, let base = state.base { return base }
            return BytesDictionary(distinct: state.values, keeping: held)
        }
    }

    /// Bytes that the codes hold, a lent dictionary left out. The statement's budget knows of them.
    var byteCount: Int { held.byteCount }

    /// FNV-1a over 8 bytes at a time, with a folded product to mix.
    private static func hash(_ value: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(value.count)
        guard let start = value.baseAddress else { return hash }
        let raw = UnsafeRawPointer(start)
        var offset = 0
        while offset + 8 <= value.count {
            // Precondition: the 8 bytes lie inside the value.
            let product = (hash ^ raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                .multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low
            offset += 8
        }
        while offset < value.count {
            hash = (hash ^ UInt64(value[offset])) &* 0x0000_0100_0000_01B3
            offset += 1
        }
        let product = hash.multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return product.high ^ product.low
    }
}
