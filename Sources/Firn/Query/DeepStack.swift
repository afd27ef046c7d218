// SPDX-License-Identifier: Apache-2.0
//
// Room for statements that nest deep or chain long.
//
// A thread's stack is anything from 512 KiB to 8 MiB, enough for every usual statement. What exceeds
// `DepthLimits.shallow` is worked on, from its parsing to the release of its last tree, by threads that are made for it
// and have a stack which `DepthLimits.standard` cannot exhaust. Its memory is only taken where it is used.

import FirnIO
import Synchronization

/// Where a thread leaves what its work gave.
private final class Outcome<Success: Sendable>: Sendable {
    let value = Mutex<Swift.Result<Success, FirnError>?>(nil)
}

/// Runs work on a thread with a very large stack.
enum DeepStack {
    static let bytes = 256 << 20
    /// What the binder leaves to the phases behind it.
    static let binderReserveBytes = 128 << 20

    /// The outcome of `body`, which runs on a thread of its own while the caller waits. Error 54001 where the system
    /// has no such thread to give.
    static func run<Result: Sendable>(
        _ body: @escaping @Sendable () throws(FirnError) -> Result
    ) throws(FirnError) -> Result {
        let outcome = Outcome<Result>()
        do {
            let thread = try DedicatedThread(name: "firn-deep", stackByteCount: bytes) {
                do throws(FirnError) {
                    let result = try body()
                    outcome.value.withLock { $0 = .success(result) }
                } catch {
                    outcome.value.withLock { $0 = .failure(error) }
                }
            }
            thread.join()
        } catch {
            throw FirnError(
                .statementTooComplex, "stack depth limit exceeded",
                hint: "The system gives no thread with a large stack: \(error).")
        }
        guard let result = outcome.value.withLock({ $0 }) else { preconditionFailure("a joined thread has ended") }
        return try result.get()
    }
}

/// A value that may be tall: it is used and released where there is room for it.
final class DeepValue<Value: Sendable>: Sendable {
    /// A box of its own, so that the value can be let go on another thread without passing through this one.
    private final class Box: Sendable {
        let value: Mutex<Value?>
        init(_ value: Value) { self.value = Mutex(value) }

        func use<Result: Sendable>(
            _ body: (inout Value) throws(FirnError) -> Result
        ) throws(FirnError) -> Result {
            try value.withLock { value throws(FirnError) -> Result in
                // Only the release takes the value away.
                guard value != nil else { preconditionFailure("a value in use is there") }
                return try body(&value!)
            }
        }
    }

    private let box: Box
    let isTall: Bool

    /// - Parameter isTall: whether the value is released by a thread with a large stack.
    init(_ value: Value, isTall: Bool) {
        box = Box(value)
        self.isTall = isTall
    }

    /// What `body` makes of the value; calls take turns. A tall value meets it on a thread with a large stack.
    func use<Result: Sendable>(
        _ body: @escaping @Sendable (inout Value) throws(FirnError) -> Result
    ) throws(FirnError) -> Result {
        let box = box
        guard isTall else { return try box.use(body) }
        return try DeepStack.run { () throws(FirnError) in try box.use(body) }
    }

    deinit {
        guard isTall else { return }
        let box = box
        do throws(FirnError) {
            try DeepStack.run { () throws(FirnError) in box.value.withLock { $0 = nil } }
        } catch {
            // Without a thread the value stays in memory: better than to end the process.
            _ = Unmanaged.passRetained(box)
        }
    }
}
