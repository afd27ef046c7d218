// SPDX-License-Identifier: Apache-2.0
//
// Tells a running statement, from any thread, that its answer is no longer wanted.

import Synchronization

/// Set once by whoever cancels; read by the statement once a block.
final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    /// Asks the statement to stop. Any thread, any number of times.
    func cancel() { flag.store(true, ordering: .relaxed) }

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Throws 57014 once `cancel` was called.
    func check() throws(FirnError) {
        if isCancelled { throw FirnError(.queryCanceled, "canceling statement due to user request") }
    }
}
