// SPDX-License-Identifier: Apache-2.0
//
// A change to the catalog, as log frames and manifest edits both carry it.
//
//     put table    [1: u8][schema]          drop table   [2: u8][table id: varint]
//
//     schema:  [table id][name][next column id][column count], then for each column
//              [column id][name][type][modifier, from version 2 on][nullable: u8][has default: u8][default: text]
//              [primary key count][ids] [has chunking: u8][column][interval: varint][hypertable: u8]
//              [has sort key: u8][count][ids]                        (numbers without a width are varints)
//
// A table that is altered is put again under its id, whole: replay needs no knowledge of what the statement was.

enum CatalogChange: Sendable, Hashable {
    case putTable(TableSchema)
    case dropTable(TableID)

    static let putTableTag: UInt8 = 1
    static let dropTableTag: UInt8 = 2

    func encode(into output: inout ByteWriter) {
        switch self {
        case .putTable(let schema):
            output.append(Self.putTableTag)
            schema.encode(into: &output)
        case .dropTable(let table):
            output.append(Self.dropTableTag)
            output.appendVarint(table.rawValue)
        }
    }

    /// All changes of a log frame's payload.
    static func decodeAll(_ payload: [UInt8], _ version: FormatVersion) throws(FormatError) -> [CatalogChange] {
        try payload.reading { (reader) throws(FormatError) in
            var changes: [CatalogChange] = []
            while !reader.isAtEnd { changes.append(try decode(from: &reader, version)) }
            return changes
        }
    }

    static func decode(from reader: inout ByteReader, _ version: FormatVersion) throws(FormatError) -> CatalogChange {
        let start = reader.offset
        switch try reader.readByte() {
        case putTableTag: return .putTable(try TableSchema.decode(from: &reader, version))
        case dropTableTag: return .dropTable(try reader.readIdentifier(TableID.self))
        case let tag: throw FormatError("catalog change \(tag) is not known", at: start)
        }
    }
}

extension TableSchema {
    func encode(into output: inout ByteWriter) {
        output.appendVarint(id.rawValue)
        output.appendLengthPrefixed(name)
        output.appendVarint(nextColumnID.rawValue)
        output.appendVarint(columns.count)
        for column in columns {
            output.appendVarint(column.id.rawValue)
            output.appendLengthPrefixed(column.name)
            column.type.encode(into: &output)
            column.modifier.encode(into: &output)
            output.append(column.isNullable ? 1 : 0 as UInt8)
            output.append(column.defaultExpression == nil ? 0 : 1 as UInt8)
            if let expression = column.defaultExpression { output.appendLengthPrefixed(expression) }
        }
        primaryKey.encode(into: &output)
        output.append(chunking == nil ? 0 : 1 as UInt8)
        if let chunking {
            output.appendVarint(chunking.column.rawValue)
            output.appendVarint(UInt64(chunking.interval))
            output.append(chunking.isHypertable ? 1 : 0 as UInt8)
        }
        output.append(sortKey == nil ? 0 : 1 as UInt8)
        sortKey?.encode(into: &output)
    }

    static func decode(from reader: inout ByteReader, _ version: FormatVersion) throws(FormatError) -> TableSchema {
        let start = reader.offset
        let id = try reader.readIdentifier(TableID.self)
        let name = try reader.readText()
        let nextColumnID = try reader.readIdentifier(ColumnID.self)
        var columns: [ColumnDefinition] = []
        for _ in 0..<(try reader.readCount(atMost: columnCountMax)) {
            let id = try reader.readIdentifier(ColumnID.self)
            let name = try reader.readText()
            let type = try DataType.decode(from: &reader, version)
            let modifier = version >= .two ? try TypeModifier?.decode(from: &reader, of: type) : nil
            columns.append(
                ColumnDefinition(
                    id: id, name: name, type: type, modifier: modifier, isNullable: try reader.readFlag(),
                    defaultExpression: try reader.readFlag() ? try reader.readText() : nil))
        }
        let primaryKey = try [ColumnID].decode(from: &reader)
        var chunking: ChunkingPolicy?
        if try reader.readFlag() {
            let column = try reader.readIdentifier(ColumnID.self)
            let interval = Int64(try reader.readCount())
            chunking = ChunkingPolicy(column: column, interval: interval, isHypertable: try reader.readFlag())
        }
        let sortKey = try reader.readFlag() ? try [ColumnID].decode(from: &reader) : nil
        let ids = Set(columns.map(\.id))
        guard ids.count == columns.count, ids.isSuperset(of: primaryKey), ids.isSuperset(of: sortKey ?? []),
            chunking.map({ ids.contains($0.column) && $0.interval > 0 }) ?? true
        else { throw FormatError("the schema of table \"\(name)\" contradicts itself", at: start) }
        return TableSchema(
            id: id, name: name, columns: columns, primaryKey: primaryKey, chunking: chunking, sortKey: sortKey,
            nextColumnID: nextColumnID)
    }
}

extension [ColumnID] {
    func encode(into output: inout ByteWriter) {
        output.appendVarint(count)
        for id in self { output.appendVarint(id.rawValue) }
    }

    static func decode(from reader: inout ByteReader) throws(FormatError) -> [ColumnID] {
        var ids: [ColumnID] = []
        for _ in 0..<(try reader.readCount(atMost: TableSchema.columnCountMax)) {
            ids.append(try reader.readIdentifier(ColumnID.self))
        }
        return ids
    }
}

extension ByteReader {
    /// A byte that is 0 or 1.
    mutating func readFlag() throws(FormatError) -> Bool {
        switch try readByte() {
        case 0: return false
        case 1: return true
        case let byte: throw FormatError("a flag is \(byte), neither 0 nor 1", at: offset - 1)
        }
    }
}
