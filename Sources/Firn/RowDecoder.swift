// SPDX-License-Identifier: Apache-2.0
//
// A Decoder over the rows of a result. One object serves all rows.
//
// Codable asks for a field by its key at every row. Types ask in the same order each time, so the decoder keeps what it
// was asked for in that order, each with the place of its column and, for a batch, a reader of the column: a field then
// costs a comparison of its name with the one that is expected next.

final class RowDecoder: Decoder {
    let columns: [ResultColumn]
    private var batch = ColumnBatch([], rowCount: 0)
    private var row = 0
    /// The fields in the order in which they were first asked for.
    private var fields: [Field] = []
    /// The field that is expected next.
    private var cursor = 0

    private struct Field {
        let name: String
        let position: Int
        /// A `FieldReader` of the type that was asked for last, over the current batch.
        var reader: AnyObject?
    }

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ columns: [ResultColumn]) { self.columns = columns }

    func turn(to batch: ColumnBatch) {
        self.batch = batch
        for index in fields.indices { fields[index].reader = nil }
    }

    func begin(row: Int) {
        self.row = row
        cursor = 0
    }

    // MARK: Fields

    /// The index in `fields` of the one with this name.
    private func field(_ name: String) throws(FirnError) -> Int {
        if cursor < fields.count, fields[cursor].name == name {
            cursor += 1
            return cursor - 1
        }
        if let known = fields.firstIndex(where: { $0.name == name }) {
            cursor = known + 1
            return known
        }
        fields.append(Field(name: name, position: try columns.position(named: name)))
        cursor = fields.count
        return fields.count - 1
    }

    func isNull(_ name: String) throws(FirnError) -> Bool {
        batch.columns[fields[try field(name)].position].isNull(row)
    }

    /// A field of a type that reads columns itself.
    func value<T: RowValue>(_ type: T.Type, _ name: String) throws -> T {
        let index = try field(name)
        if let reader = fields[index].reader as? FieldReader<T> { return try reader.read(row) }
        let position = fields[index].position
        let reader = ValueFieldReader<T>(ColumnReader(batch.columns[position], columns[position]))
        fields[index].reader = reader
        return try reader.read(row)
    }

    /// A field of any type.
    func decoded<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
        let index = try field(name)
        if let reader = fields[index].reader as? FieldReader<T> { return try reader.read(row) }
        let position = fields[index].position
        let reader = reader(type, at: position)
        fields[index].reader = reader
        return try reader.read(row)
    }

    /// The only column, for types that decode from a single value.
    func onlyValue<T: Decodable>(_ type: T.Type) throws -> T {
        guard columns.count == 1 else {
            throw FirnError(
                .datatypeMismatch, "rows of \(columns.count) columns cannot be read as a single \(T.self)")
        }
        return try reader(type, at: 0).read(row)
    }

    private func reader<T: Decodable>(_ type: T.Type, at position: Int) -> FieldReader<T> {
        let column = batch.columns[position]
        let description = columns[position]
        func reading<V: RowValue>(_ type: V.Type) -> FieldReader<T>? {
            // V is T: the same class under two names.
            ValueFieldReader<V>(ColumnReader(column, description)) as AnyObject as? FieldReader<T>
        }
        if let readable = T.self as? any RowValue.Type, let reader = reading(readable) { return reader }
        return NestedFieldReader<T>(column, description)
    }

    // MARK: Decoder

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer<Key>(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw FirnError(.featureNotSupported, "a row is decoded by the names of its columns, not as a list")
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { OnlyColumn(decoder: self) }
}

/// Reads one field of each row as `T`.
private class FieldReader<T> {
    func read(_ row: Int) throws -> T { preconditionFailure("a reader overrides read") }
}

/// A field of a type that reads columns itself.
private final class ValueFieldReader<T: RowValue>: FieldReader<T> {
    private let reader: ColumnReader<T>

    init(_ reader: ColumnReader<T>) { self.reader = reader }

    override func read(_ row: Int) throws -> T { try reader.read(row) }
}

/// A field of a type that decodes from a single value.
private final class NestedFieldReader<T: Decodable>: FieldReader<T> {
    private let column: Column
    private let description: ResultColumn

    init(_ column: Column, _ description: ResultColumn) {
        self.column = column
        self.description = description
    }

    override func read(_ row: Int) throws -> T {
        do {
            return try T(from: FieldDecoder(column: column, description: description, row: row))
        } catch let error as DecodingError {
            throw FirnError(decoding: error, of: description)
        }
    }
}

/// A row as the keyed container of a type.
private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let decoder: RowDecoder

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { decoder.columns.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { decoder.columns.contains { $0.name == key.stringValue } }
    func decodeNil(forKey key: Key) throws -> Bool { try decoder.isNull(key.stringValue) }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try decoder.value(type, key.stringValue) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try decoder.value(type, key.stringValue) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try decoder.value(type, key.stringValue) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try decoder.value(type, key.stringValue) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try decoder.value(type, key.stringValue) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try decoder.value(type, key.stringValue) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try decoder.value(type, key.stringValue) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try decoder.value(type, key.stringValue) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try decoder.value(type, key.stringValue) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try decoder.decoded(type, key.stringValue) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try decoder.value(type, key.stringValue) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try decoder.decoded(type, key.stringValue)
    }

    // A property without a column is a mistake, not a nil: the columns of a result are known when it is asked for.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        try decoder.value(Bool?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        try decoder.value(String?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        try decoder.value(Double?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
        try decoder.value(Float?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        try decoder.value(Int?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
        try decoder.value(Int8?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
        try decoder.value(Int16?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
        try decoder.value(Int32?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
        try decoder.value(Int64?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
        try decoder.value(UInt?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
        try decoder.value(UInt8?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
        try decoder.value(UInt16?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
        try decoder.value(UInt32?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
        try decoder.value(UInt64?.self, key.stringValue)
    }
    func decodeIfPresent(_ type: Int128.Type, forKey key: Key) throws -> Int128? {
        try decoder.isNull(key.stringValue) ? nil : try decoder.decoded(type, key.stringValue)
    }
    func decodeIfPresent(_ type: UInt128.Type, forKey key: Key) throws -> UInt128? {
        try decoder.value(UInt128?.self, key.stringValue)
    }
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        try decoder.isNull(key.stringValue) ? nil : try decoder.decoded(type, key.stringValue)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> { throw nested(key) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw nested(key) }
    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw nested(key) }

    private func nested(_ key: Key) -> FirnError {
        FirnError(.featureNotSupported, "a column holds a single value: \"\(key.stringValue)\" cannot be a container")
    }
}

/// A row of one column as a single value.
private struct OnlyColumn: SingleValueDecodingContainer {
    let decoder: RowDecoder
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { decoder.columns.count == 1 && (try? decoder.isNull(decoder.columns[0].name)) == true }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoder.onlyValue(type) }
}

/// One field as the decoder of a type that reads a single value.
private struct FieldDecoder: Decoder, SingleValueDecodingContainer {
    let column: Column
    let description: ResultColumn
    let row: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw nested() }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw nested() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { column.isNull(row) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        func reading<V: RowValue>(_ type: V.Type) throws -> Any { try ColumnReader<V>(column, description).read(row) }
        if let readable = T.self as? any RowValue.Type, let value = try reading(readable) as? T { return value }
        return try T(from: self)
    }

    // The one number of the standard library that is no value of SQL: it would decode itself for ever.
    func decode(_ type: Int128.Type) throws -> Int128 {
        guard !column.isNull(row) else { throw description.isNull(Int128.self) }
        switch column[row] {
        case .integer(let value): return Int128(value)
        case .decimal(let value) where value.normalized.scale == 0: return value.normalized.coefficient
        default: throw description.mismatch(Int128.self)
        }
    }

    private func nested() -> FirnError {
        FirnError(
            .featureNotSupported, "a column holds a single value: \"\(description.name)\" cannot be a container",
            hint: "Give the type an init(from:) that decodes a single value.")
    }
}

extension FirnError {
    /// What a type's `init(from:)` threw.
    fileprivate init(decoding error: any Error, of column: ResultColumn? = nil) {
        if let error = error as? FirnError {
            self = error
            return
        }
        let place = column.map { "column \"\($0.name)\": " } ?? ""
        guard let error = error as? DecodingError else {
            self.init(.datatypeMismatch, "\(place)the row cannot be decoded", detail: "\(error)")
            return
        }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            self.init(.datatypeMismatch, "\(place)the row cannot be decoded", detail: context.debugDescription)
        @unknown default: self.init(.datatypeMismatch, "\(place)the row cannot be decoded", detail: "\(error)")
        }
    }

    init(decoding error: any Error) { self.init(decoding: error, of: nil) }
}
