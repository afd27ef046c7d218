// SPDX-License-Identifier: Apache-2.0
//
// The random number that every file of one database carries, so that a file of another is recognised.

/// Names a database for ever: 128 random bits, drawn when it is created.
package struct DatabaseID: Hashable, Sendable, CustomStringConvertible {
    /// The bits; a file holds them little-endian.
    package let rawValue: UInt128

    /// The identifier with bits that came from a file or a random source.
    package init(_ rawValue: UInt128) { self.rawValue = rawValue }

    /// The bits as 32 hexadecimal digits.
    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}
