// SPDX-License-Identifier: Apache-2.0
//
// Which operations fail, how, and for how long; and the trace of all that were asked.

public import FirnIO
import Synchronization
public import SystemPackage

/// A planned misfortune.
public struct Fault: Sendable {
    /// Which operation meets it.
    public enum Trigger: Sendable {
        /// The operation of this number, from 1.
        case operation(Int)
        /// The change of this number, from 1.
        case change(Int)
        /// The operations that the predicate accepts, after it has let `skipping` of them pass.
        case matching(skipping: Int, @Sendable (FileOperation) -> Bool)
        /// The first write that would bring the bytes written in all beyond this count: a disk of that size.
        case writtenBytesExceed(Int)
    }

    /// What happens to the operation.
    public enum Effect: Sendable {
        /// It fails; of a write, the first `afterBytes` bytes were written nevertheless.
        case fail(Errno, afterBytes: Int)
        /// A read succeeds, with bit 0 of the byte at `position` (modulo the bytes read) turned over; others are spared.
        case flipBit(position: Int)
    }

    /// How long it lasts.
    public enum Duration: Sendable, Hashable {
        /// For one operation.
        case once
        /// For every operation that the trigger accepts.
        case everyMatch
        /// From the first on, for every operation whatsoever: the disk is gone.
        case everythingAfter
        /// From the first on, for every change; looking still works: the disk went read-only.
        case everyChangeAfter
    }

    /// Which operation meets it.
    public var trigger: Trigger
    /// What happens.
    public var effect: Effect
    /// How long.
    public var duration: Duration

    /// A fault in full.
    public init(_ trigger: Trigger, _ effect: Effect, _ duration: Duration = .once) {
        self.trigger = trigger
        self.effect = effect
        self.duration = duration
    }

    /// The operation of this number fails.
    public static func operation(_ number: Int, _ errno: Errno, _ duration: Duration = .once) -> Fault {
        Fault(.operation(number), .fail(errno, afterBytes: 0), duration)
    }

    /// The change of this number fails; of a write, the first `afterBytes` bytes were written nevertheless.
    public static func change(
        _ number: Int, _ errno: Errno, afterBytes: Int = 0, _ duration: Duration = .once
    ) -> Fault {
        Fault(.change(number), .fail(errno, afterBytes: afterBytes), duration)
    }

    /// Operations of these kinds on paths that end so fail, after the first `skipping` of them.
    public static func on(
        _ operations: Set<IOError.Operation>, pathSuffix: String = "", skipping: Int = 0, _ errno: Errno,
        afterBytes: Int = 0, _ duration: Duration = .once
    ) -> Fault {
        Fault(
            .matching(skipping: skipping) {
                operations.contains($0.operation) && $0.path.string.hasSuffix(pathSuffix)
            }, .fail(errno, afterBytes: afterBytes), duration)
    }

    /// The disk holds this many bytes more, then every write fails with ENOSPC after what still fitted.
    public static func diskFull(afterBytes byteCount: Int) -> Fault {
        Fault(.writtenBytesExceed(byteCount), .fail(.noSpace, afterBytes: 0), .everyMatch)
    }
}

/// Numbers operations, remembers them, and says which of them fail. Any thread may use it.
public final class FaultInjector: Sendable {
    /// What becomes of an operation.
    enum Verdict: Sendable {
        case proceed
        case fail(Errno, afterBytes: Int)
        case flipBit(position: Int)
    }

    fileprivate struct Plan {
        var fault: Fault
        /// Matches that are still let through.
        var skipping: Int
        var hasFired = false
    }

    /// Which operations the trace remembers.
    public enum TraceKeeping: Sendable, Hashable {
        /// All of them: about 100 bytes each.
        case everything
        /// None, for long runs.
        case nothing
    }

    private struct State {
        var plans: [Plan] = []
        var trace: [FileOperation] = []
        var operationCount = 0
        var changeCount = 0
        var writtenByteCount = 0
        var injectedCount = 0
    }

    let traceKeeping: TraceKeeping
    private let state = Mutex(State())

    /// An injector of these faults; the first that meets an operation decides it.
    public init(_ faults: [Fault] = [], trace: TraceKeeping = .everything) {
        traceKeeping = trace
        for fault in faults { add(fault) }
    }

    /// Plans one fault more.
    public func add(_ fault: Fault) {
        var skipping = 0
        if case .matching(let count, _) = fault.trigger { skipping = count }
        let plan = Plan(fault: fault, skipping: skipping)
        state.withLock { $0.plans.append(plan) }
    }

    /// Forgets all planned faults: the disk is well again.
    public func removeFaults() { state.withLock { $0.plans = [] } }

    /// All operations so far.
    public var operationCount: Int { state.withLock { $0.operationCount } }

    /// Operations so far that changed or synced something.
    public var changeCount: Int { state.withLock { $0.changeCount } }

    /// Faults that operations have met so far.
    public var injectedCount: Int { state.withLock { $0.injectedCount } }

    /// The operations since the beginning, or since the trace was last taken away.
    public var trace: [FileOperation] { state.withLock { $0.trace } }

    /// Empties the trace; the numbers go on.
    public func removeTrace() { state.withLock { $0.trace = [] } }

    /// Numbers the operation and decides it.
    func admit(_ request: FileRequest) -> (FileOperation, Verdict) {
        state.withLock { state in
            state.operationCount += 1
            if request.isChange { state.changeCount += 1 }
            let operation = FileOperation(
                number: state.operationCount, changeNumber: request.isChange ? state.changeCount : nil,
                operation: request.operation, path: request.path, destination: request.destination,
                byteOffset: request.byteOffset, byteCount: request.byteCount)
            if traceKeeping == .everything { state.trace.append(operation) }
            let verdict = Self.decide(operation, &state)
            switch verdict {
            case .proceed:
                if operation.operation == .write { state.writtenByteCount += operation.byteCount }
            case .fail(_, let afterBytes):
                state.injectedCount += 1
                if operation.operation == .write { state.writtenByteCount += afterBytes }
            case .flipBit:
                state.injectedCount += 1
            }
            return (operation, verdict)
        }
    }

    private static func decide(_ operation: FileOperation, _ state: inout State) -> Verdict {
        for index in state.plans.indices {
            var plan = state.plans[index]
            let isDue = plan.isMet(operation, writtenByteCount: state.writtenByteCount)
            state.plans[index].skipping = plan.skipping
            guard isDue else { continue }
            plan.hasFired = true
            state.plans[index] = plan
            switch plan.fault.effect {
            case .flipBit(let position):
                guard operation.operation == .read else { continue }
                return .flipBit(position: position)
            case .fail(let errno, var afterBytes):
                if case .writtenBytesExceed(let limit) = plan.fault.trigger {
                    afterBytes = max(0, limit - state.writtenByteCount)
                }
                return .fail(errno, afterBytes: min(afterBytes, operation.byteCount))
            }
        }
        return .proceed
    }
}

extension FaultInjector.Plan {
    /// Whether the fault meets this operation; counts the matches that it lets through.
    fileprivate mutating func isMet(_ operation: FileOperation, writtenByteCount: Int) -> Bool {
        if hasFired {
            switch fault.duration {
            case .once: return false
            case .everythingAfter: return true
            case .everyChangeAfter: return operation.changeNumber != nil
            case .everyMatch: break
            }
        }
        switch fault.trigger {
        case .operation(let number): return operation.number == number
        case .change(let number): return operation.changeNumber == number
        case .writtenBytesExceed(let limit):
            return operation.operation == .write && writtenByteCount + operation.byteCount > limit
        case .matching(_, let accepts):
            guard accepts(operation) else { return false }
            if skipping > 0 {
                skipping -= 1
                return false
            }
            return true
        }
    }
}
