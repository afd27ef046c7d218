// SPDX-License-Identifier: Apache-2.0
//
// Foundation's Date as TIMESTAMPTZ. A Date is a Double of seconds: around now it holds a microsecond exactly, and its
// nearest microsecond is what is stored.

public import Firn
public import Foundation

/// Microseconds from 1970-01-01 to 2001-01-01, from which Foundation counts.
private let referenceMicroseconds: Int64 = 978_307_200_000_000

extension Timestamp {
    /// The microsecond nearest to a date; a date beyond the range of timestamps is infinity or -infinity, and so is one that
    /// is not a number, which as a parameter or in a row is an error.
    public init(_ date: Date) {
        let microseconds = (date.timeIntervalSinceReferenceDate * 1_000_000).rounded(.toNearestOrEven)
        let limits = (
            Double(Timestamp.earliest.microseconds - referenceMicroseconds),
            Double(Timestamp.limit.microseconds - referenceMicroseconds)
        )
        if microseconds < limits.0 {
            self = .negativeInfinity
        } else if microseconds < limits.1 {
            self.init(microseconds: Int64(microseconds) + referenceMicroseconds)
        } else {
            self = .infinity
        }
    }
}

extension Date {
    /// The date of a timestamp; nil for infinity and -infinity.
    public init?(_ timestamp: Timestamp) {
        guard timestamp.isFinite else { return nil }
        let (count, isTooFar) = timestamp.microseconds.subtractingReportingOverflow(referenceMicroseconds)
        guard !isTooFar else { return nil }
        self.init(timeIntervalSinceReferenceDate: Double(count) / 1_000_000)
    }
}

extension Date: ValueConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z; see ``Firn/Timestamp``. The text of a date that is not a number, so that the
    /// statement refuses it by name.
    public var sqlValue: Value {
        let seconds = timeIntervalSinceReferenceDate
        return seconds.isNaN ? .text("\(seconds)") : Timestamp(self).sqlValue
    }
    /// TIMESTAMPTZ.
    public static var sqlType: DataType? { Timestamp.sqlType }
}

extension Date: RowValue {
    /// TIMESTAMPTZ and TIMESTAMP, the latter read as UTC. Nil for infinity and -infinity.
    public static func read(_ value: Value, type: DataType) -> Date? {
        Timestamp.read(value, type: type).flatMap { Date($0) }
    }

    /// TIMESTAMPTZ and TIMESTAMP, the latter read as UTC. Nil for infinity and -infinity.
    public static func reader(of column: Column) -> (@Sendable (_ row: Int) -> Date?)? {
        guard let timestamp = Timestamp.reader(of: column) else { return nil }
        return { row in timestamp(row).flatMap { Date($0) } }
    }
}
