// SPDX-License-Identifier: Apache-2.0
//
// A column of a flush as codes: every distinct value has a number, and the numbers have a known order.
//
// It serves both the sort (rows are distributed by rank) and the segment's dictionaries of text. Code 0 is NULL,
// which ranks last.

import FirnIO

/// Codes of one column for all rows of a flush.
struct CodedColumn {
    /// The code of each row, by row number.
    let codes: [UInt32]
    /// The rank of each code: 0 ..< distinctCount for values in ascending order, distinctCount for NULL (code 0).
    let ranks: [UInt32]
    /// Codes other than NULL in ascending order of their values.
    let ascendingCodes: [UInt32]
    /// The bytes of text codes; nil for other types.
    let text: TextDictionaryBuilder?

    /// All codes in the order of their ranks: NULL comes last.
    var codesByRank: [UInt32] { ascendingCodes + [TextDictionaryBuilder.nullCode] }

    /// Number of distinct values other than NULL.
    var distinctCount: Int { ascendingCodes.count }

    private init(codes: [UInt32], ascendingCodes: [UInt32], text: TextDictionaryBuilder?) {
        self.codes = codes
        self.ascendingCodes = ascendingCodes
        self.text = text
        var ranks = [UInt32](repeating: UInt32(ascendingCodes.count), count: ascendingCodes.count + 1)
        for (rank, code) in ascendingCodes.enumerated() { ranks[Int(code)] = UInt32(rank) }
        self.ranks = ranks
    }

    /// How many distinct values are too many to go on.
    struct Limit {
        /// Distinct values that are always allowed.
        var distinctCountMin: Int
        /// Beyond those, rows that must come for each distinct value.
        var rowsPerValueMin: Double
        /// Never more distinct values than this.
        var distinctCountMax: Int
        /// Never more bytes of distinct text than this.
        var byteCountMax: Int

        /// For keys that must be sorted by, however many values they have.
        static let unlimited = Limit(
            distinctCountMin: .max, rowsPerValueMin: 0, distinctCountMax: .max, byteCountMax: .max)
        /// For dictionaries of text: more than half distinct is stored plainly.
        static let dictionary = Limit(
            distinctCountMin: 65_536, rowsPerValueMin: 2, distinctCountMax: 1 << 20, byteCountMax: 16 << 20)

        func allows(distinctCount: Int, byteCount: Int, rowCount: Int) -> Bool {
            if distinctCount > distinctCountMax || byteCount > byteCountMax { return false }
            return distinctCount <= distinctCountMin
                || Double(rowCount) >= Double(distinctCount) * rowsPerValueMin
        }
    }

    /// Codes the column, or gives up (nil) once it has more distinct values than the limit allows.
    init?(_ source: ColumnSource, rowCount: Int, limit: Limit) {
        switch source.physical {
        case .bytes: self.init(text: source, rowCount: rowCount, limit: limit)
        case .boolean:
            self.init(numbers: source, rowCount: rowCount, limit: limit, of: UInt8(0)) { left, right in left < right }
        case .integer:
            self.init(numbers: source, rowCount: rowCount, limit: limit, of: Int64(0)) { left, right in left < right }
        case .uuid:
            self.init(numbers: source, rowCount: rowCount, limit: limit, of: UInt128(0)) { left, right in
                left < right
            }
        case .float, .double, .decimal, .interval, .vector:
            self.init(rare: source, rowCount: rowCount, limit: limit)
        }
    }

    /// The codes of all batches, coded one after another; nil once there is more than the limit allows.
    ///
    /// - Parameter code: codes the rows of a batch, and says how many distinct values there are, of how many bytes.
    private static func codes(
        of source: ColumnSource, rowCount: Int, limit: Limit,
        _ code: (_ batch: Int, _ target: UnsafeMutablePointer<UInt32>) -> (distinctCount: Int, byteCount: Int)
    ) -> [UInt32]? {
        var gaveUp = false
        let codes = [UInt32](unsafeUninitializedCapacity: rowCount) { codes, initializedCount in
            LargeMemory.useHugePages(for: UnsafeMutableRawBufferPointer(codes))
            var start = 0
            for (batch, column) in source.columns.enumerated() {
                let (distinctCount, byteCount) = code(batch, codes.baseAddress! + start)
                start += column.count
                gaveUp = !limit.allows(distinctCount: distinctCount, byteCount: byteCount, rowCount: start)
                if gaveUp { return }
            }
            initializedCount = rowCount
        }
        return gaveUp ? nil : codes
    }

    // MARK: Text

    private init?(text source: ColumnSource, rowCount: Int, limit: Limit) {
        let builder = TextDictionaryBuilder()
        var codedDictionary: BytesDictionary?
        var translation: [UInt32] = []
        let codes = Self.codes(of: source, rowCount: rowCount, limit: limit) { batch, target in
            switch source.columns[batch].values {
            case .bytes(let values):
                values.withUnsafeValues { bytes, offsets in
                    builder.code(bytes, offsets, count: values.count, validity: source.validity[batch], into: target)
                }
            case .dictionary(let batchCodes, let dictionary):
                if codedDictionary !== dictionary {
                    codedDictionary = dictionary
                    translation = [UInt32](repeating: 0, count: dictionary.count)
                }
                Self.code(batchCodes, dictionary, source.validity[batch], builder, &translation, into: target)
            default: preconditionFailure("text is held as bytes or by dictionary")
            }
            return (builder.count, builder.byteCount)
        }
        guard let codes else { return nil }
        self.init(codes: codes, ascendingCodes: builder.sortedCodes(), text: builder)
    }

    private static func code(
        _ codes: [UInt32], _ dictionary: BytesDictionary, _ validity: UnsafePointer<UInt64>?,
        _ builder: TextDictionaryBuilder, _ translation: inout [UInt32], into target: UnsafeMutablePointer<UInt32>
    ) {
        dictionary.values.withUnsafeValues { bytes, offsets in
            translation.withUnsafeMutableBufferPointer { translation in
                let translation = translation
                @inline(__always) func translated(_ code: UInt32) -> UInt32 {
                    precondition(code < translation.count, "codes are within the dictionary")
                    let known = translation[Int(code)]
                    if known != 0 { return known }
                    let start = offsets[Int(code)]
                    let new = builder.code(of: bytes + start, count: offsets[Int(code) + 1] - start)
                    translation[Int(code)] = new
                    return new
                }
                codes.withUnsafeBufferPointer { codes in
                    guard let validity else {
                        for row in 0..<codes.count { target[row] = translated(codes[row]) }
                        return
                    }
                    for row in 0..<codes.count {
                        let isValid = validity[row &>> 6] &>> UInt64(row & 63) & 1 == 1
                        target[row] = isValid ? translated(codes[row]) : TextDictionaryBuilder.nullCode
                    }
                }
            }
        }
    }

    // MARK: Booleans, integers, UUIDs

    private init?<Number: BitwiseCopyable & Hashable>(
        numbers source: ColumnSource, rowCount: Int, limit: Limit, of zero: Number,
        isLess: (Number, Number) -> Bool
    ) {
        let table = NumberTable(zero)
        let codes = Self.codes(of: source, rowCount: rowCount, limit: limit) { batch, target in
            let values = source.values[batch].assumingMemoryBound(to: Number.self)
            let validity = source.validity[batch]
            for row in 0..<source.columns[batch].count {
                if let validity, validity[row &>> 6] &>> UInt64(row & 63) & 1 == 0 {
                    target[row] = TextDictionaryBuilder.nullCode
                } else {
                    target[row] = table.code(of: values[row])
                }
            }
            return (table.values.count, 0)
        }
        guard let codes else { return nil }
        let values = table.values
        let ascending = values.indices.sorted { isLess(values[$0], values[$1]) }.map { UInt32($0 + 1) }
        self.init(codes: codes, ascendingCodes: ascending, text: nil)
    }

    // MARK: Types that are hardly ever keys

    /// By comparing single values: declared keys of REAL, NUMERIC and the like.
    private init?(rare source: ColumnSource, rowCount: Int, limit: Limit) {
        var table: [Value: UInt32] = [:]
        var codeOfNaN: UInt32?
        var values: [Value] = []
        var codes: [UInt32] = []
        codes.reserveCapacity(rowCount)
        for column in source.columns {
            for row in 0..<column.count {
                let value = column[row]
                if value.isNull {
                    codes.append(TextDictionaryBuilder.nullCode)
                    continue
                }
                let isNaN = KeyOrder.isNaN(value)
                if let code = isNaN ? codeOfNaN : table[value] {
                    codes.append(code)
                    continue
                }
                values.append(value)
                let code = UInt32(values.count)
                if isNaN { codeOfNaN = code } else { table[value] = code }
                codes.append(code)
            }
            if !limit.allows(distinctCount: values.count, byteCount: 0, rowCount: codes.count) { return nil }
        }
        let ascending = values.indices.sorted { KeyOrder.isLess(values[$0], values[$1]) }.map { UInt32($0 + 1) }
        self.init(codes: codes, ascendingCodes: ascending, text: nil)
    }
}

/// Gives each distinct number a code from 1 on: open addressing.
private final class NumberTable<Number: BitwiseCopyable & Hashable> {
    private(set) var values: [Number] = []
    private var slots: UnsafeMutablePointer<Slot>
    private var mask = 2_047

    private struct Slot {
        var number: Number
        /// 0 where the slot is free.
        var code: UInt32
    }

    init(_ anyNumber: Number) {
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Slot(number: anyNumber, code: 0), count: mask + 1)
    }

    deinit { slots.deallocate() }

    @inline(__always)
    private static func hash(_ number: Number) -> Int {
        var folded: UInt64 = 0
        withUnsafeBytes(of: number) { bytes in
            var offset = 0
            while offset + 8 <= bytes.count {
                folded =
                    (folded ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
                folded ^= folded &>> 32
                offset += 8
            }
            while offset < bytes.count {
                folded = (folded ^ UInt64(bytes[offset])) &* 0x9E37_79B9_7F4A_7C15
                offset += 1
            }
        }
        return Int(truncatingIfNeeded: folded ^ folded &>> 29)
    }

    @inline(__always)
    func code(of number: Number) -> UInt32 {
        let slots = self.slots
        let mask = self.mask
        var slot = Self.hash(number) & mask
        while slots[slot].code != 0 {
            if slots[slot].number == number { return slots[slot].code }
            slot = (slot &+ 1) & mask
        }
        return insert(number, slot: slot)
    }

    @inline(never)
    private func insert(_ number: Number, slot: Int) -> UInt32 {
        values.append(number)
        let code = UInt32(values.count)
        slots[slot] = Slot(number: number, code: code)
        if values.count * 2 > mask { grow() }
        return code
    }

    private func grow() {
        mask = (mask + 1) * 4 - 1
        slots.deallocate()
        slots = .allocate(capacity: mask + 1)
        slots.initialize(repeating: Slot(number: values[0], code: 0), count: mask + 1)
        for (index, value) in values.enumerated() {
            var slot = Self.hash(value) & mask
            while slots[slot].code != 0 { slot = (slot + 1) & mask }
            slots[slot] = Slot(number: value, code: UInt32(index + 1))
        }
    }
}
