// SPDX-License-Identifier: Apache-2.0
//
// A lock for work that may take minutes: who waits for it looks again and again whether he still wants it.

import FirnIO

/// Lets one in at a time. Not recursive.
final class PatientLock: Sendable {
    private let isTaken = ConditionLock(false)
    /// How often a waiter looks whether he shall go on waiting: 20 ms, at once for a person.
    private static let patienceNanoseconds: UInt64 = 20_000_000

    /// Runs `body` alone, after waiting for others; throws what `check` does meanwhile.
    func withLock<Result>(
        _ check: () throws(FirnError) -> Void, _ body: () throws(FirnError) -> Result
    ) throws(FirnError) -> Result {
        while isTaken.wait(
            until: { !$0 }, timeoutNanoseconds: Self.patienceNanoseconds,
            then: { isTaken in
                isTaken = true
                return true
            }) == nil
        { try check() }
        defer { release() }
        return try body()
    }

    /// Runs `body` alone, after waiting for others.
    func withLock(_ body: () -> Void) {
        isTaken.wait(until: { !$0 }, then: { $0 = true })
        defer { release() }
        body()
    }

    private func release() {
        isTaken.withLock { $0 = false }
        isTaken.broadcast()
    }
}
