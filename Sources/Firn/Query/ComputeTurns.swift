// SPDX-License-Identifier: Apache-2.0
//
// Who computes now: short statements always, long ones in turns, as many at once as there are processors.
//
// Each statement has a thread of its own, and the system shares the processors among threads without knowing which of
// them will be done in a moment. So a statement that has computed for more than a slice needs a turn from then on. It
// asks at each block: with its slice used up and another one waiting, it goes to the end of the queue and sleeps.
// Statements that compute for less than a slice never come here; they find at most as many busy threads beside them
// as there are processors.
//
// A statement that waits for something else (a lock, room for rows, the disk) cannot hand its turn over. A turn of
// which nothing was heard for a while is therefore lent to the next in the queue, and its owner asks for another one
// when it comes back: nobody ever waits for a turn whose owner waits for him.
//
// Source: round robin with a first slice for free, as in multi-level feedback queues (Corbató et al., "An Experimental
// Time-Sharing System", 1962).

import FirnIO
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Hands out turns to compute. Thread-safe.
final class ComputeTurns: Sendable {
    /// The turns of all databases of the process, since they share its processors.
    static let shared = ComputeTurns(turnCount: Processors.usableCount)

    private struct State {
        var holders: [ObjectIdentifier: ComputeTurn] = [:]
        /// Those that wait, the longest first.
        var queue: [ComputeTurn] = []
    }

    let turnCount: Int
    let sliceNanoseconds: UInt64
    /// After so long without a sign its turn is lent: 50 ms, more than the computation of any usual block.
    private let silenceNanoseconds: UInt64
    let clock: any TimeSource
    private let state = Mutex(State())
    private let waitingCount = Atomic<Int>(0)
    private let handoverCount = Atomic<Int>(0)

    /// - Parameter sliceNanoseconds: how long a statement computes before it needs a turn, and before it gives one up.
    init(
        turnCount: Int, sliceNanoseconds: UInt64 = 10_000_000, silenceNanoseconds: UInt64 = 50_000_000,
        clock: any TimeSource = SystemTimeSource()
    ) {
        precondition(turnCount > 0, "with no turn nobody would ever compute")
        self.turnCount = turnCount
        self.sliceNanoseconds = sliceNanoseconds
        self.silenceNanoseconds = silenceNanoseconds
        self.clock = clock
    }

    var isAnyoneWaiting: Bool { waitingCount.load(ordering: .relaxed) > 0 }
    /// Statements that wait for a turn now.
    var waitingStatements: Int { waitingCount.load(ordering: .relaxed) }
    /// How often a statement gave its turn to another one.
    var handovers: Int { handoverCount.load(ordering: .relaxed) }

    /// Waits for a turn; returns without one where the statement was cancelled.
    fileprivate func acquire(_ turn: ComputeTurn, isCancelled: () -> Bool) -> Bool {
        let isAtOnce = state.withLock { state in
            if state.queue.isEmpty, state.holders.count < turnCount {
                state.holders[ObjectIdentifier(turn)] = turn
                return true
            }
            state.queue.append(turn)
            waitingCount.store(state.queue.count, ordering: .relaxed)
            return false
        }
        if isAtOnce { return true }
        while true {
            let isMine = state.withLock { state in
                lendSilentTurns(&state)
                if state.holders[ObjectIdentifier(turn)] != nil { return true }
                // Where this thread was so slow to wake that the turn it got was lent on, it waits for another.
                if !state.queue.contains(where: { $0 === turn }) { state.queue.insert(turn, at: 0) }
                admit(&state)
                return state.holders[ObjectIdentifier(turn)] != nil
            }
            if isMine { return true }
            if isCancelled() {
                leave(turn)
                return false
            }
            _ = turn.alarm.wait(timeoutNanoseconds: silenceNanoseconds)
        }
    }

    /// Whether the turn was not lent to another meanwhile.
    fileprivate func holds(_ turn: ComputeTurn) -> Bool {
        state.withLock { $0.holders[ObjectIdentifier(turn)] != nil }
    }

    /// Gives the turn to the next in the queue.
    fileprivate func release(_ turn: ComputeTurn) {
        state.withLock { state in
            if state.holders.removeValue(forKey: ObjectIdentifier(turn)) != nil, !state.queue.isEmpty {
                handoverCount.wrappingAdd(1, ordering: .relaxed)
            }
            admit(&state)
        }
    }

    private func leave(_ turn: ComputeTurn) {
        state.withLock { state in
            state.queue.removeAll { $0 === turn }
            state.holders[ObjectIdentifier(turn)] = nil
            admit(&state)
        }
    }

    private func admit(_ state: inout State) {
        while state.holders.count < turnCount, !state.queue.isEmpty {
            let next = state.queue.removeFirst()
            next.seen(clock.monotonicNanoseconds())
            state.holders[ObjectIdentifier(next)] = next
            next.alarm.signal()
        }
        waitingCount.store(state.queue.count, ordering: .relaxed)
    }

    private func lendSilentTurns(_ state: inout State) {
        let now = clock.monotonicNanoseconds()
        let silent = state.holders.filter { now > $0.value.lastSeen &+ silenceNanoseconds }
        for holder in silent { state.holders[holder.key] = nil }
        if !silent.isEmpty { admit(&state) }
    }
}

// @unchecked Sendable: what is not atomic is touched by the thread alone that has entered, and `enter` lets one in at a
// time, with acquire and release on `owner`.

/// One statement's use of the processors.
final class ComputeTurn: @unchecked Sendable {
    private let turns: ComputeTurns
    /// The thread that is inside; 0: none.
    private let owner = Atomic<UInt>(0)
    private let lastSign = Atomic<UInt64>(0)
    fileprivate let alarm = CountingSemaphore()
    /// What earlier calls have computed.
    private var usedNanoseconds: UInt64 = 0
    private var enteredAt: UInt64 = 0
    private var turnBegan: UInt64?

    init(_ turns: ComputeTurns) { self.turns = turns }

    fileprivate var lastSeen: UInt64 { lastSign.load(ordering: .relaxed) }
    fileprivate func seen(_ now: UInt64) { lastSign.store(now, ordering: .relaxed) }

    /// Looks again whether the statement was cancelled.
    func wake() { alarm.signal() }

    /// Runs a part of the statement on the calling thread.
    func during<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        // Another thread may be inside, where a result is read by several: it is the one that takes turns.
        guard owner.compareExchange(expected: 0, desired: Self.thisThread, ordering: .acquiringAndReleasing).exchanged
        else { return try body() }
        enteredAt = turns.clock.monotonicNanoseconds()
        defer {
            usedNanoseconds += turns.clock.monotonicNanoseconds() - enteredAt
            if turnBegan != nil { turns.release(self) }
            turnBegan = nil
            owner.store(0, ordering: .releasing)
        }
        return try body()
    }

    /// Called once a block, by the statement's own thread and by those that help it, which never wait here.
    func checkpoint(isCancelled: () -> Bool) {
        guard owner.load(ordering: .relaxed) == Self.thisThread else { return }
        let now = turns.clock.monotonicNanoseconds()
        if let began = turnBegan {
            let wasSilent = now > lastSeen &+ turns.sliceNanoseconds
            seen(now)
            if now - began < turns.sliceNanoseconds { return }
            if !turns.isAnyoneWaiting, !wasSilent || turns.holds(self) {
                turnBegan = now
                return
            }
            turns.release(self)
            turnBegan = nil
        } else if usedNanoseconds + (now - enteredAt) < turns.sliceNanoseconds {
            return
        }
        seen(now)
        if turns.acquire(self, isCancelled: isCancelled) {
            let now = turns.clock.monotonicNanoseconds()
            seen(now)
            turnBegan = now
        }
    }

    /// Waiting for a turn is no computation, but the first slice is over by then in any case.
    private static var thisThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }
}
