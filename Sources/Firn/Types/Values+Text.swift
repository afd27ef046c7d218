// SPDX-License-Identifier: Apache-2.0
//
// Reading the value types from text and writing them, for programs: in UTC, with PostgreSQL's rules. What statements
// read and write goes by the session's zone and is in DateTimeText.swift and DateTimeFormat.swift.

extension Timestamp {
    /// Reads text such as `2026-01-01T00:00:00Z` or `2026-01-01 01:30:00.25+01`; without a zone it is UTC.
    ///
    /// - Throws: 22007 for other text, 22008 outside the range of timestamps.
    public init(text: String) throws(FirnError) {
        do { self = try Timestamp.parse(text) } catch { throw FirnError(error) }
    }

    /// The text in UTC as PostgreSQL prints it, such as `2026-01-01 00:00:00+00`.
    public var text: String { text(in: .utc) }
}

extension NanosecondTimestamp {
    /// Reads text such as `2026-01-01T00:00:00.123456789Z`; without a zone it is UTC.
    ///
    /// - Throws: 22007 for other text, 22008 outside 1677-09-21 to 2262-04-11.
    public init(text: String) throws(FirnError) {
        do { self = try NanosecondTimestamp.parse(text) } catch { throw FirnError(error) }
    }

    /// The text in UTC, such as `2026-01-01 00:00:00.123456789+00`.
    public var text: String { text(in: .utc) }
}

extension DayNumber {
    /// Reads text such as `2026-01-31`.
    ///
    /// - Throws: 22007 for other text, 22008 outside the range of dates.
    public init(text: String) throws(FirnError) {
        do { self = try DayNumber.parse(text) } catch { throw FirnError(error) }
    }
}

extension Interval {
    /// Reads text such as `1 day 02:03:04` or `P1DT2H`.
    ///
    /// - Throws: 22007 for other text, 22008 where a part is too large.
    public init(text: String) throws(FirnError) {
        do { self = try Interval.parse(text) } catch { throw FirnError(error) }
    }
}

extension Decimal {
    /// Reads text such as `-1.50` exactly.
    ///
    /// - Throws: 22P02 for other text, 22003 beyond 38 digits.
    public init(text: String) throws(FirnError) {
        do { self = try Decimal.parse(text) } catch { throw FirnError(error) }
    }
}

extension UUIDValue {
    /// Reads 32 hexadecimal digits, with or without hyphens and braces.
    ///
    /// - Throws: 22P02 for other text.
    public init(text: String) throws(FirnError) {
        do { self = try UUIDValue.parse(text) } catch { throw FirnError(error) }
    }
}
