// SPDX-License-Identifier: Apache-2.0
//
// The value types in other formats than ours: as their text, so that JSON keeps every digit. Rows of a result and of an
// appender do not come by here; they hold the values themselves.

extension Decoder {
    fileprivate func text() throws -> String { try singleValueContainer().decode(String.self) }
}

extension Encoder {
    fileprivate func encode(text: String) throws {
        var container = singleValueContainer()
        try container.encode(text)
    }
}

extension Timestamp: Codable {
    /// From text such as `2026-01-01 00:00:00+00`; without a zone it is read as UTC.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As text in UTC.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}

extension NanosecondTimestamp: Codable {
    /// From text such as `2026-01-01 00:00:00.123456789+00`; without a zone it is read as UTC.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As text in UTC.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}

extension DayNumber: Codable {
    /// From text such as `2026-01-01`.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As text.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}

extension Decimal: Codable {
    /// From text such as `1.50`.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As text, every digit kept.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}

extension Interval: Codable {
    /// From text such as `1 mon 02:03:04`.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As text.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}

extension UUIDValue: Codable {
    /// From the usual text.
    public init(from decoder: any Decoder) throws {
        try self.init(text: decoder.text())
    }
    /// As the usual text.
    public func encode(to encoder: any Encoder) throws { try encoder.encode(text: text) }
}
