// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C stops the running statement, not the process. At the shell's prompt (LineEditor), and in scripts between
// statements, it keeps its usual meaning.

import Firn
import Synchronization

/// Routes SIGINT to the statement that runs.
enum Interruption {
    private static let current = Mutex<StatementCancellation?>(nil)

    /// Runs `body`; SIGINT meanwhile cancels the statement. Calls nest: the innermost is cancelled.
    static func during(
        _ cancellation: StatementCancellation, _ body: () throws(FirnError) -> Void
    ) throws(FirnError) {
        let outer = current.withLock { current in
            defer { current = cancellation }
            return current
        }
        let previous = signal(SIGINT) { _ in Interruption.received() }
        defer {
            signal(SIGINT, previous)
            current.withLock { $0 = outer }
        }
        try body()
    }

    /// Runs in the signal handler, where nothing may wait: a lock held by the interrupted thread would never be
    /// released. It is held for a moment as a statement begins and ends; a signal just then is lost.
    private static func received() {
        current.withLockIfAvailable { $0?.cancel() }
    }
}
