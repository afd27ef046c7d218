// SPDX-License-Identifier: Apache-2.0
//
// Foundation's Data as BYTEA.

public import Firn
public import Foundation

extension Data: ValueConvertible {
    /// BYTEA.
    public var sqlValue: Value { .bytes(Array(self)) }
    /// BYTEA.
    public static var sqlType: DataType? { .bytea }
}

extension Data: RowValue {
    /// BYTEA.
    public static func read(_ value: Value, type: DataType) -> Data? {
        if case .bytes(let bytes) = value { Data(bytes) } else { nil }
    }
}
