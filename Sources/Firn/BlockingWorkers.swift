// SPDX-License-Identifier: Apache-2.0
//
// Threads on which work that blocks runs on behalf of Swift tasks, so that the cooperative pool never waits.

import FirnIO
import SystemPackage

/// Runs blocking closures on threads of its own and hands their outcome to the task that waits.
final class BlockingWorkers: Sendable {
    private let threads: ThreadPool

    init(threadCount: Int) throws(Errno) {
        threads = try ThreadPool(name: "firn-calls", threadCount: threadCount)
    }

    /// Runs `body` on one of the threads. Waits, without blocking, where all are busy.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws(FirnError) -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let submission = threads.submit("statement") {
                do {
                    continuation.resume(returning: try body())
                } catch {
                    continuation.resume(throwing: error)
                }
            }
            if submission == .refused {
                continuation.resume(throwing: FirnError(.databaseClosed, "the database is closed"))
            }
        }
    }

    func shutDown() { threads.shutDown() }
}
