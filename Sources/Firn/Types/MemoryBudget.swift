// SPDX-License-Identifier: Apache-2.0
//
// Counts the bytes that a statement's blocking operators hold, and stops the statement rather than the process.

import Synchronization

/// A statement's share of memory. Thread-safe.
final class MemoryBudget: Sendable {
    /// Bytes that may be held at once.
    let bytesMax: Int
    private let held = Atomic<Int>(0)
    private let peak = Atomic<Int>(0)

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Half of what a small machine has: sorts and groupings beyond it fail instead of swapping.
    static let bytesMaxDefault = 4 << 30

    /// Counts bytes that are about to be held. Throws 53200, and counts nothing, when the budget does not allow them.
    func reserve(_ byteCount: Int) throws(FirnError) {
        let after = held.wrappingAdd(byteCount, ordering: .relaxed).newValue
        guard after <= bytesMax else {
            held.wrappingSubtract(byteCount, ordering: .relaxed)
            throw FirnError(
                .outOfMemory, "the statement needs more memory than its limit of \(bytesMax) bytes",
                detail: "\(after) bytes would be held by sorts and groupings.",
                hint: "Raise the limit with SET memory_limit, or read fewer rows, columns or groups.")
        }
        _ = peak.max(after, ordering: .relaxed)
    }

    /// Gives back what was reserved.
    func release(_ byteCount: Int) { held.wrappingSubtract(byteCount, ordering: .relaxed) }

    /// Bytes held now.
    var heldBytes: Int { held.load(ordering: .relaxed) }
    /// Most bytes that were held at once.
    var peakBytes: Int { peak.load(ordering: .relaxed) }
}

/// Bytes that one operator has reserved, given back at the latest when it is dropped. Thread-safe.
final class HeldMemory: Sendable {
    private let budget: MemoryBudget
    private let bytes = Atomic<Int>(0)

    init(_ budget: MemoryBudget) { self.budget = budget }

    deinit { budget.release(byteCount) }

    var byteCount: Int { bytes.load(ordering: .relaxed) }

    /// Throws 53200 when the budget does not allow it.
    func reserve(_ byteCount: Int) throws(FirnError) {
        try budget.reserve(byteCount)
        bytes.wrappingAdd(byteCount, ordering: .relaxed)
    }

    /// Holds at least so much in all. Throws 53200 when the budget does not allow it.
    func raise(to byteCount: Int) throws(FirnError) {
        if byteCount > self.byteCount { try reserve(byteCount - self.byteCount) }
    }

    /// Takes over what another holds.
    func take(_ other: HeldMemory) {
        bytes.wrappingAdd(other.bytes.exchange(0, ordering: .relaxed), ordering: .relaxed)
    }

    /// Gives back a part of what was reserved.
    func release(_ byteCount: Int) {
        bytes.wrappingSubtract(byteCount, ordering: .relaxed)
        budget.release(byteCount)
    }

    func releaseAll() { budget.release(bytes.exchange(0, ordering: .relaxed)) }
}
