// SPDX-License-Identifier: Apache-2.0
//
// What a statement left out under SET skip_damaged = on.

import Synchronization

/// A range of a file that a query could not read and answered without.
public struct SkippedRange: Sendable, Hashable {
    /// The table whose rows are missing.
    public var table: String
    /// What is wrong: the file, the offset in it, and what it covers.
    public var damage: String
}

/// Gathers what is skipped. Thread-safe.
final class DamageReport: Sendable {
    private let found = Mutex<[SkippedRange]>([])

    /// Every range once, in the order in which they were met.
    var ranges: [SkippedRange] { found.withLock { $0 } }

    /// Notes damage; throws what is not damage.
    func skip(_ error: FirnError, of table: String) throws(FirnError) {
        guard error.code == .dataCorrupted || error.code == .undefinedFile else { throw error }
        let range = SkippedRange(table: table, damage: error.message)
        found.withLock { if !$0.contains(range) { $0.append(range) } }
    }

    /// What a person is told when the statement has ended.
    var notices: [Notice] {
        ranges.map { Notice("rows of table \"\($0.table)\" are missing from the answer: \($0.damage)") }
    }
}
