// SPDX-License-Identifier: Apache-2.0
//
// The seam between the engine and time: the machine's clocks, and one that a test moves by hand.

import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What time it is. (Named so because the standard library has a `Clock`.)
public protocol TimeSource: Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted; may jump when the machine's clock is set.
    func now() -> Int64
    /// Nanoseconds since some fixed moment; never goes back.
    func monotonicNanoseconds() -> UInt64
    /// Blocks the calling thread for at least `nanoseconds`.
    func sleep(nanoseconds: UInt64)
}

/// The machine's clocks.
public struct SystemTimeSource: TimeSource {
    /// The clocks of this machine.
    public init() {}

    /// CLOCK_REALTIME in microseconds.
    public func now() -> Int64 {
        let time = read(CLOCK_REALTIME)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }

    /// CLOCK_MONOTONIC in nanoseconds.
    public func monotonicNanoseconds() -> UInt64 {
        let time = read(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// nanosleep, resumed after signals.
    public func sleep(nanoseconds: UInt64) {
        var remaining = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var requested = remaining
        while nanosleep(&requested, &remaining) == -1 && errno == EINTR { requested = remaining }
    }

    private func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        let result = clock_gettime(clock, &time)
        precondition(result == 0, "POSIX guarantees CLOCK_REALTIME and CLOCK_MONOTONIC here")
        return time
    }
}

/// A clock that stands still until a test moves it; `sleep` moves it too, and returns at once.
public final class ManualTimeSource: TimeSource {
    private struct State {
        var nowMicroseconds: Int64
        var elapsedNanoseconds: UInt64 = 0
        /// The part of a microsecond that `nowMicroseconds` does not show yet.
        var remainderNanoseconds: UInt64 = 0
    }

    private let state: Mutex<State>

    /// A clock that shows `nowMicroseconds` since 1970-01-01T00:00:00Z.
    public init(nowMicroseconds: Int64 = 0) {
        state = Mutex(State(nowMicroseconds: nowMicroseconds))
    }

    /// The time last set, in microseconds since 1970-01-01T00:00:00Z.
    public func now() -> Int64 { state.withLock { $0.nowMicroseconds } }

    /// Nanoseconds that the clock was moved forwards since it was made.
    public func monotonicNanoseconds() -> UInt64 { state.withLock { $0.elapsedNanoseconds } }

    /// Moves the clock forwards instead of waiting.
    public func sleep(nanoseconds: UInt64) { advance(nanoseconds: nanoseconds) }

    /// Moves both clocks forwards.
    public func advance(nanoseconds: UInt64) {
        state.withLock { state in
            state.elapsedNanoseconds += nanoseconds
            let total = state.remainderNanoseconds + nanoseconds
            state.nowMicroseconds += Int64(total / 1_000)
            state.remainderNanoseconds = total % 1_000
        }
    }

    /// Sets the wall clock alone, forwards or back, as an operator or NTP does.
    public func set(nowMicroseconds: Int64) {
        state.withLock { $0.nowMicroseconds = nowMicroseconds }
    }
}
