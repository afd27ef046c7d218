// SPDX-License-Identifier: Apache-2.0
//
// Tables and rows that the storage tests share.

import FirnIO

@testable import Firn

enum StorageSamples {
    /// A table with a column of each type, named c1, c2 and so on; all may be NULL.
    static func schema(_ types: [DataType], id: TableID = TableID(1), name: String = "t") -> TableSchema {
        TableSchema(
            id: id, name: name,
            columns: types.enumerated().map { index, type in
                ColumnDefinition(id: ColumnID(UInt64(index + 1)), name: "c\(index + 1)", type: type)
            },
            nextColumnID: ColumnID(UInt64(types.count + 1)))
    }

    static func randomBatch(_ schema: TableSchema, rowCount: Int, using generator: inout Xoshiro256) -> ColumnBatch {
        ColumnBatch(
            schema.columns.map { column in
                Column(
                    (0..<rowCount).map { _ in randomValue(column.type, isNullable: column.isNullable, using: &generator)
                    },
                    type: column.type)
            }, rowCount: rowCount)
    }

    static func randomValue(_ type: DataType, isNullable: Bool, using generator: inout Xoshiro256) -> Value {
        if isNullable, generator.next() % 8 == 0 { return .null }
        let bits = generator.next()
        switch type {
        case .boolean: return .boolean(bits & 1 == 1)
        case .smallint: return .integer(Int64(Int16(truncatingIfNeeded: bits)))
        case .integer, .date: return .integer(Int64(Int32(truncatingIfNeeded: bits)))
        case .bigint, .timestamp, .timestamptz: return .integer(Int64(bitPattern: bits))
        case .real: return .float(Float(Int16(truncatingIfNeeded: bits)) / 8)
        case .double: return .double(Double(Int32(truncatingIfNeeded: bits)) / 64)
        case .numeric(let precision, let scale):
            let scale = precision == nil ? UInt8(bits % 5) : UInt8(scale ?? 0)
            return .decimal(Decimal(unchecked: Int128(Int32(truncatingIfNeeded: bits)), scale: Int(scale)))
        case .text, .character, .unknown: return .text("text-\(bits % 100)")
        case .jsonb: return .text("{\"a\": \(bits % 100)}")
        case .bytea: return .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: bits), count: Int(bits >> 8 % 20)))
        case .uuid: return .uuid(UInt128(bits) << 64 | UInt128(generator.next()))
        case .interval:
            return .interval(
                Interval(
                    months: Int32(truncatingIfNeeded: bits % 100), days: Int32(truncatingIfNeeded: bits >> 8 % 100),
                    microseconds: Int64(bits >> 16 % 1_000_000)))
        case .vector(let dimensions): return .vector((0..<dimensions).map { Float($0) + Float(bits % 100) })
        }
    }
}

extension ColumnBatch {
    /// The rows one by one, for comparisons.
    var rows: [[Value]] { (0..<rowCount).map { row in columns.map { $0[row] } } }
}
