// SPDX-License-Identifier: Apache-2.0
//
// Foundation's UUID as UUID.

public import Firn
public import Foundation

extension UUIDValue {
    /// The same 16 bytes.
    public init(_ uuid: UUID) {
        self.init(withUnsafeBytes(of: uuid.uuid) { $0.reduce(into: UInt128(0)) { $0 = $0 << 8 | UInt128($1) } })
    }
}

extension UUID {
    /// The same 16 bytes.
    public init(_ value: UUIDValue) {
        let bigEndian = value.value.bigEndian
        self.init(uuid: withUnsafeBytes(of: bigEndian) { $0.loadUnaligned(as: uuid_t.self) })
    }
}

extension UUID: ValueConvertible {
    /// UUID.
    public var sqlValue: Value { .uuid(UUIDValue(self).value) }
    /// UUID.
    public static var sqlType: DataType? { .uuid }
}

extension UUID: RowValue {
    /// UUID.
    public static func read(_ value: Value, type: DataType) -> UUID? {
        UUIDValue.read(value, type: type).map { UUID($0) }
    }
}
