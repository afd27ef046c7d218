// SPDX-License-Identifier: Apache-2.0
//
// Ctrl-C stops the running statement, not the process. In scripts it keeps its usual meaning between statements; the
// shell outlives it there, and at its prompt it is an editing key (LineEditor).

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

    /// Whether the statement that runs was interrupted.
    static var isCancelled: Bool { current.withLock { $0?.isCancelled ?? false } }

    /// From now on SIGINT never ends the process: without a statement to cancel it does nothing.
    static func outliveSignals() {
        signal(SIGINT) { _ in Interruption.received() }
    }

    /// Runs in the signal handler, where nothing may wait: a lock held by the interrupted thread would never be
    /// released. It is held for a moment as a statement begins and ends; a signal just then is lost.
    private static func received() {
        current.withLockIfAvailable { $0?.cancel() }
    }
}
