// SPDX-License-Identifier: Apache-2.0
//
// An Encoder that takes the properties of one value as the fields of a row, by the names of columns.

/// Collects the fields of a row.
final class RowEncoder: Encoder {
    typealias Field = (value: Value, type: DataType?)

    private let columns: [ColumnDefinition]
    private let row: Int
    private var fields: [Field?]

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private init(_ columns: [ColumnDefinition], row: Int) {
        self.columns = columns
        self.row = row
        fields = Array(repeating: nil, count: columns.count)
    }

    /// The properties of a value, a place for each column; nil for a column that it has no property for.
    ///
    /// Optional properties that are nil are not handed over by Codable: they are NULL.
    static func fields(
        of value: some Encodable, columns: [ColumnDefinition], row: Int
    ) throws(FirnError) -> [Field?] {
        let encoder = RowEncoder(columns, row: row)
        do {
            try value.encode(to: encoder)
        } catch let error as FirnError {
            throw error
        } catch {
            throw FirnError(.datatypeMismatch, "row \(row): the value cannot be encoded", detail: "\(error)")
        }
        return encoder.fields
    }

    /// Takes a property.
    fileprivate func put(_ field: Field, _ name: String) throws(FirnError) {
        guard let index = columns.firstIndex(where: { $0.name == name }) else {
            throw FirnError(
                .undefinedColumn, "row \(row): the appender has no column \"\(name)\"",
                hint: Suggestion.hint(for: name, among: columns.map(\.name)))
        }
        fields[index] = field
    }

    fileprivate func field(_ value: some Encodable, _ name: String) throws -> Field {
        if let value = value as? any ValueConvertible { return (value.sqlValue, type(of: value).sqlType) }
        let encoder = FieldEncoder(name: name, row: row)
        try value.encode(to: encoder)
        guard let field = encoder.field else { throw encoder.noSingleValue }
        return field
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RowEncodingContainer<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusedContainer(what: "row \(row)") }
    func singleValueContainer() -> any SingleValueEncodingContainer { RefusedContainer(what: "row \(row)") }
}

private struct RowEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: RowEncoder
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) throws { try encoder.put((.null, nil), key.stringValue) }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        try encoder.put(try encoder.field(value, key.stringValue), key.stringValue)
    }
    // The standard library takes these two for numbers of their own, apart from the rest.
    func encode(_ value: Int128, forKey key: Key) throws {
        try encoder.put(try encoder.field(value, key.stringValue), key.stringValue)
    }
    func encode(_ value: UInt128, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int128?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }
    func encodeIfPresent(_ value: UInt128?, forKey key: Key) throws { try convert(value, key) }
    // Codable leaves out what is nil unless it is told otherwise; a row has a place for it.
    func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
    }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try convert(value, key) }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try convert(value, key) }

    private func convert<T: ValueConvertible>(_ value: T?, _ key: Key) throws {
        try encoder.put((value.sqlValue, T.sqlType), key.stringValue)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(RefusedKeyedContainer<NestedKey>(what: "column \"\(key.stringValue)\""))
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        RefusedContainer(what: "column \"\(key.stringValue)\"")
    }
    func superEncoder() -> any Encoder { encoder }
    func superEncoder(forKey key: Key) -> any Encoder { encoder }
}

/// Takes the single value of a property of another type, such as an enum with raw values.
private final class FieldEncoder: Encoder, SingleValueEncodingContainer {
    let name: String
    let row: Int
    var field: RowEncoder.Field?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(name: String, row: Int) {
        self.name = name
        self.row = row
    }

    var noSingleValue: FirnError {
        FirnError(.datatypeMismatch, "row \(row), column \"\(name)\": a column holds a single value")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RefusedKeyedContainer<Key>(what: "column \"\(name)\""))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusedContainer(what: "column \"\(name)\"") }
    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() throws { field = (.null, nil) }
    func encode(_ value: some Encodable) throws {
        if let value = value as? any ValueConvertible {
            field = (value.sqlValue, type(of: value).sqlType)
        } else {
            try value.encode(to: self)
        }
    }
    // The one number of the standard library that is no value of SQL: it would encode itself for ever.
    func encode(_ value: UInt128) throws { field = (value.sqlValue, nil) }
    func encode(_ value: Int128) throws {
        guard let decimal = try? Decimal(coefficient: value, scale: 0) else {
            throw FirnError(
                .numericValueOutOfRange,
                "row \(row), column \"\(name)\": value \(value) is out of range for type numeric")
        }
        field = (Int64(exactly: value).map { .integer($0) } ?? .decimal(decimal), nil)
    }
}

/// Refuses whatever is put into it: rows have no lists and no containers within.
private struct RefusedContainer: UnkeyedEncodingContainer, SingleValueEncodingContainer {
    let what: String
    var codingPath: [any CodingKey] { [] }
    var count: Int { 0 }

    private var refusal: FirnError {
        FirnError(
            .featureNotSupported, "\(what): a row is encoded by the names of its columns, a column as a single value")
    }

    func encodeNil() throws { throw refusal }
    func encode(_ value: some Encodable) throws { throw refusal }
    func nestedContainer<NestedKey: CodingKey>(keyedBy keyType: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        KeyedEncodingContainer(RefusedKeyedContainer<NestedKey>(what: what))
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
    func superEncoder() -> any Encoder { FieldEncoder(name: what, row: 0) }
}

/// Refuses whatever is put into it.
private struct RefusedKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let what: String
    var codingPath: [any CodingKey] { [] }

    private var refusal: FirnError { FirnError(.featureNotSupported, "\(what): a column holds a single value") }

    func encodeNil(forKey key: Key) throws { throw refusal }
    func encode(_ value: some Encodable, forKey key: Key) throws { throw refusal }
    func nestedContainer<NestedKey: CodingKey>(
        keyedBy keyType: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> { KeyedEncodingContainer(RefusedKeyedContainer<NestedKey>(what: what)) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { RefusedContainer(what: what) }
    func superEncoder() -> any Encoder { FieldEncoder(name: what, row: 0) }
    func superEncoder(forKey key: Key) -> any Encoder { FieldEncoder(name: what, row: 0) }
}
