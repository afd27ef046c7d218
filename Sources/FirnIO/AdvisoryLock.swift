// SPDX-License-Identifier: Apache-2.0
//
// Who holds a lock on a file that lives in memory: one exclusively, or many together.

import Synchronization
package import SystemPackage

/// The lock state of one file, as flock(2) keeps it.
package final class AdvisoryLock: Sendable {
    private enum State {
        case free
        case shared(holderCount: Int)
        case exclusive
    }

    private let state = Mutex(State.free)

    package init() {}

    /// Takes the lock, or throws EWOULDBLOCK.
    package func acquire(_ kind: LockKind) throws(Errno) {
        try state.withLock { state throws(Errno) in
            switch (state, kind) {
            case (.free, .exclusive): state = .exclusive
            case (.free, .shared): state = .shared(holderCount: 1)
            case (.shared(let count), .shared): state = .shared(holderCount: count + 1)
            case (.shared, .exclusive), (.exclusive, _): throw .wouldBlock
            }
        }
    }

    /// Gives up what one `acquire` took.
    package func release() {
        state.withLock { state in
            switch state {
            case .shared(let count) where count > 1: state = .shared(holderCount: count - 1)
            case .shared, .exclusive: state = .free
            case .free: preconditionFailure("a lock is released once for each time it is taken")
            }
        }
    }
}

/// A held ``AdvisoryLock`` and the file it protects.
package final class AdvisoryFileLock: FileLock {
    package let file: any File
    private let lock: AdvisoryLock
    private let isReleased = Atomic<Bool>(false)

    /// Stands for a lock that was acquired.
    package init(_ file: any File, acquired lock: AdvisoryLock) {
        self.file = file
        self.lock = lock
    }

    deinit { releaseOnce() }

    package func release() throws(IOError) {
        releaseOnce()
        try file.close()
    }

    private func releaseOnce() {
        if !isReleased.exchange(true, ordering: .acquiringAndReleasing) { lock.release() }
    }
}
