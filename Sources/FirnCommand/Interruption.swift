// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C stops the running statement, not the process. At the shell's prompt, and in scripts between statements,
// it keeps its usual meaning.

import Firn
import Synchronization

/// Routes SIGINT to the statement that runs.
enum Interruption {
    /// Whether a signal came since the last statement began. Atomic: the handler may run on any thread.
    private static let isPending = Atomic<Bool>(false)
    private static let watcherStop = Atomic<Bool>(false)

    /// Runs `body`; SIGINT meanwhile cancels the statement.
    static func during(
        _ cancellation: StatementCancellation, _ body: () throws(FirnError) -> Void
    ) throws(FirnError) {
        current.withLock { $0 = cancellation }
        isPending.store(false, ordering: .relaxed)
        let previous = signal(SIGINT) { _ in Interruption.received() }
        defer {
            signal(SIGINT, previous)
            current.withLock { $0 = nil }
        }
        try body()
    }

    private static let current = Mutex<StatementCancellation?>(nil)

    /// In the signal handler only one atomic flag may be touched; a mutex held by the interrupted thread would
    /// never be released. `withLockIfAvailable` never waits, and the flag is what statements look at.
    private static func received() {
        isPending.store(true, ordering: .relaxed)
        current.withLockIfAvailable { $0?.cancel() }
    }
}
