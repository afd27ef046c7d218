// SPDX-License-Identifier: Apache-2.0
//
// Hashes and canonical bytes of the primary keys of a batch: equal keys have equal ones, whatever their form.
//
// Equal means equal to SQL: 1.50 and 1.5 are one NUMERIC, in JSONB too, -0.0 and 0.0 one double, every NaN the same, a
// month is 30 days. Hashes are 64 bits and mixed well (the finaliser of SplitMix64), so that a hash seen before nearly always means
// a key seen before; canonical bytes decide. They begin with the id of the database, so that whoever only sends rows
// cannot choose keys that share a hash. They are on disk (KeyIndexDirectory.swift): FORMAT.md says them for ever.

/// How the keys of one database are hashed.
struct KeyHasher: Sendable, Hashable {
    /// Where every hash begins.
    let seed: UInt64
    /// The bits of hashes that are kept; fewer than all are for tests, in which keys must collide.
    let mask: UInt64
    private let version: FormatVersion

    init(_ database: DatabaseID, mask: UInt64 = .max, version: FormatVersion = .current) {
        self.version = version
        seed = KeyHash.mix(0x9E37_79B9_7F4A_7C15, wide: Int128(bitPattern: database.rawValue))
        self.mask = mask
    }

    /// The hashes of keys, one a row.
    func hashes(of columns: [Column], rowCount: Int) -> [UInt64] {
        var hashes = [UInt64](repeating: seed, count: rowCount)
        for column in columns {
            // Version 1 hashed the text of JSONB as it was written, though equal documents have several.
            let isJSONAsWritten = column.type == .jsonb && version < .two
            KeyHash.mix(isJSONAsWritten ? column.retyped(.text) : column, into: &hashes, seed: seed)
        }
        if mask != .max { for row in hashes.indices { hashes[row] &= mask } }
        return hashes
    }
}

/// The keys of some rows. Key columns are never NULL.
struct KeyedBatch: Sendable {
    let columns: [Column]
    let rowCount: Int
    /// One a row.
    let hashes: [UInt64]

    /// The keys of a positional batch of all columns.
    init(_ batch: ColumnBatch, schema: TableSchema, hasher: KeyHasher) {
        self.init(
            schema.primaryKey.map { batch.columns[schema.index(of: $0)!] }, rowCount: batch.rowCount, hasher: hasher)
    }

    /// The keys themselves.
    init(_ columns: [Column], rowCount: Int, hasher: KeyHasher) {
        self.columns = columns
        self.rowCount = rowCount
        hashes = hasher.hashes(of: columns, rowCount: rowCount)
    }

    /// The canonical bytes of one key.
    func canonicalBytes(_ row: Int) -> [UInt8] { KeyHash.canonicalBytes(columns, row) }
}

enum KeyHash {
    /// The bytes of one key: the same for all that SQL holds equal, and for no others.
    static func canonicalBytes(_ columns: [Column], _ row: Int) -> [UInt8] {
        var output = ByteWriter(reservingBytes: 64)
        for column in columns {
            let value = column[row]
            if column.type == .jsonb, case .text(let text) = value {
                Value.bytes(JSONOrder.plainText(of: Array(text.utf8)[...])).encode(into: &output)
            } else {
                canonical(value).encode(into: &output)
            }
        }
        return output.bytes
    }

    @inline(__always)
    static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        var bits = (hash ^ value) &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// Mixes a column's values into the hashes of its rows.
    static func mix(_ column: Column, into hashes: inout [UInt64], seed: UInt64) {
        let isJSON = column.type == .jsonb
        switch column.values {
        case .boolean(let values): for row in values.indices { hashes[row] = mix(hashes[row], values[row] ? 1 : 0) }
        case .integer(let values):
            for row in values.indices { hashes[row] = mix(hashes[row], UInt64(bitPattern: values[row])) }
        case .float(let values):
            for row in values.indices { hashes[row] = mix(hashes[row], canonicalBits(Double(values[row]))) }
        case .double(let values):
            for row in values.indices { hashes[row] = mix(hashes[row], canonicalBits(values[row])) }
        case .decimal(let values):
            for row in 0..<values.count {
                let decimal = canonical(values[row])
                hashes[row] = mix(mix(hashes[row], wide: decimal.coefficient), UInt64(decimal.scale))
            }
        case .bytes(let values):
            for row in 0..<values.count { hashes[row] = mix(hashes[row], hash(values[row], isJSON, seed)) }
        case .dictionary(let codes, let dictionary):
            let entries = (0..<dictionary.count).map { hash(dictionary.values[$0], isJSON, seed) }
            for row in codes.indices { hashes[row] = mix(hashes[row], entries[Int(codes[row])]) }
        case .uuid(let values):
            for row in values.indices { hashes[row] = mix(hashes[row], wide: Int128(bitPattern: values[row])) }
        case .interval(let values):
            for row in values.indices { hashes[row] = mix(hashes[row], wide: values[row].comparisonMicroseconds) }
        case .vector(let values, let dimensions):
            for row in hashes.indices {
                for value in values[row * dimensions..<(row + 1) * dimensions] {
                    hashes[row] = mix(hashes[row], canonicalBits(Double(value)))
                }
            }
        }
    }

    static func mix(_ hash: UInt64, wide value: Int128) -> UInt64 {
        mix(mix(hash, UInt64(truncatingIfNeeded: value)), UInt64(truncatingIfNeeded: value >> 64))
    }

    private static func hash(_ bytes: ArraySlice<UInt8>, _ isJSON: Bool, _ seed: UInt64) -> UInt64 {
        isJSON ? hash(JSONOrder.plainText(of: bytes)[...], seed) : hash(bytes, seed)
    }

    private static func hash(_ bytes: ArraySlice<UInt8>, _ seed: UInt64) -> UInt64 {
        bytes.withUnsafeBytes { bytes in
            var hash = mix(seed, UInt64(bytes.count))
            var offset = 0
            while offset + 8 <= bytes.count {
                hash = mix(hash, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
                offset += 8
            }
            var rest: UInt64 = 0
            while offset < bytes.count {
                rest = rest << 8 | UInt64(bytes[offset])
                offset += 1
            }
            return mix(hash, rest)
        }
    }

    /// The one value that stands for all that SQL holds equal to this one.
    static func canonical(_ value: Value) -> Value {
        switch value {
        case .decimal(let decimal): .decimal(canonical(decimal))
        case .float(let value): .double(Double(bitPattern: canonicalBits(Double(value))))
        case .double(let value): .double(Double(bitPattern: canonicalBits(value)))
        case .interval(let value):
            .uuid(UInt128(bitPattern: value.comparisonMicroseconds))
        case .vector(let values): .vector(values.map { $0 == 0 ? 0 : $0.isNaN ? .nan : $0 })
        default: value
        }
    }

    /// The bits that stand for all that SQL holds equal to this double: one nought, one NaN.
    @inline(__always)
    static func canonicalBits(_ value: Double) -> UInt64 {
        value == 0 ? 0 : value.isNaN ? Double.nan.bitPattern : value.bitPattern
    }

    private static func canonical(_ decimal: Decimal) -> Decimal {
        var coefficient = decimal.coefficient
        var scale = Int(decimal.scale)
        while scale > 0, coefficient % 10 == 0 {
            coefficient /= 10
            scale -= 1
        }
        return Decimal(unchecked: coefficient, scale: scale)
    }
}

/// A set of 64-bit hashes: open addressing, linear probing, at most 2/3 full.
struct HashSet64: Sendable {
    /// 0 marks an empty slot; the hash 0 is kept as 1.
    private var slots: [UInt64]
    private(set) var count = 0

    init(capacity: Int = 0) {
        var slotCount = 64
        while slotCount * 2 < capacity * 3 { slotCount *= 2 }
        slots = [UInt64](repeating: 0, count: slotCount)
    }

    /// Memory that the set takes.
    var byteCount: Int { slots.count * 8 }

    private static func key(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }

    func contains(_ hash: UInt64) -> Bool {
        let key = Self.key(hash)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: key) & mask
        while slots[slot] != 0 {
            if slots[slot] == key { return true }
            slot = (slot + 1) & mask
        }
        return false
    }

    /// False where the hash was there already.
    @discardableResult
    mutating func insert(_ hash: UInt64) -> Bool {
        if (count + 1) * 3 > slots.count * 2 { grow() }
        let key = Self.key(hash)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: key) & mask
        while slots[slot] != 0 {
            if slots[slot] == key { return false }
            slot = (slot + 1) & mask
        }
        slots[slot] = key
        count += 1
        return true
    }

    private mutating func grow() {
        var larger = HashSet64(capacity: slots.count * 4 / 3)
        for key in slots where key != 0 { larger.insert(key) }
        self = larger
    }
}
