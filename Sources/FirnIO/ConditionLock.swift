// SPDX-License-Identifier: Apache-2.0
//
// Locks that threads wait on: state behind a mutex with a condition variable, a semaphore, a reader-writer lock.
//
// The standard library's Mutex cannot wait for a condition; these can, so they are for dedicated threads that may
// block (the WAL writer, the pool's workers), never for the cooperative pool.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// @unchecked Sendable: `value` is read and written only between pthread_mutex_lock and _unlock of `mutex`, it came in
// as `sending`, and the pointers never change between init and deinit.

/// A value behind a mutex, and a way to sleep until it has changed.
///
/// `withLock` changes the value; whoever makes a condition true that others may wait for calls ``signal()`` or
/// ``broadcast()`` afterwards. Not recursive.
public final class ConditionLock<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    /// A lock around `value`.
    public init(_ value: sending Value) {
        self.value = value
        // Neither may move in memory while in use, hence an allocation of their own.
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        checkThreadCall(pthread_mutex_init(mutex, nil))
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
            checkThreadCall(pthread_cond_init(condition, nil))
        #else
            // Timed waits must not jump when somebody sets the wall clock.
            var attributes = pthread_condattr_t()
            checkThreadCall(pthread_condattr_init(&attributes))
            checkThreadCall(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
            checkThreadCall(pthread_cond_init(condition, &attributes))
            checkThreadCall(pthread_condattr_destroy(&attributes))
        #endif
    }

    deinit {
        checkThreadCall(pthread_cond_destroy(condition))
        condition.deallocate()
        checkThreadCall(pthread_mutex_destroy(mutex))
        mutex.deallocate()
    }

    /// Runs `body` with the value, alone.
    public func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        checkThreadCall(pthread_mutex_lock(mutex))
        defer { checkThreadCall(pthread_mutex_unlock(mutex)) }
        return try body(&value)
    }

    /// Sleeps until `isTrue` holds, then runs `body` before anyone else can change the value.
    public func wait<Result>(
        until isTrue: (Value) -> Bool, then body: (inout sending Value) -> sending Result
    ) -> sending Result {
        checkThreadCall(pthread_mutex_lock(mutex))
        defer { checkThreadCall(pthread_mutex_unlock(mutex)) }
        while !isTrue(value) { checkThreadCall(pthread_cond_wait(condition, mutex)) }
        return body(&value)
    }

    /// As ``wait(until:then:)``, for at most `timeoutNanoseconds`; nil, `body` not run, when the time passed first.
    public func wait<Result>(
        until isTrue: (Value) -> Bool, timeoutNanoseconds: UInt64, then body: (inout sending Value) -> sending Result
    ) -> sending Result? {
        checkThreadCall(pthread_mutex_lock(mutex))
        defer { checkThreadCall(pthread_mutex_unlock(mutex)) }
        let clock = SystemTimeSource()
        let (sum, overflow) = clock.monotonicNanoseconds().addingReportingOverflow(timeoutNanoseconds)
        let deadline = overflow ? UInt64(Int64.max) : min(sum, UInt64(Int64.max))
        while !isTrue(value) {
            let now = clock.monotonicNanoseconds()
            if now >= deadline { return nil }
            #if canImport(Darwin)
                var limit = timespec(nanoseconds: deadline - now)
                let result = pthread_cond_timedwait_relative_np(condition, mutex, &limit)
            #else
                var limit = timespec(nanoseconds: deadline)
                let result = pthread_cond_timedwait(condition, mutex, &limit)
            #endif
            if result != ETIMEDOUT { checkThreadCall(result) }
        }
        return body(&value)
    }

    /// Wakes one waiter, to look at its condition again.
    public func signal() { checkThreadCall(pthread_cond_signal(condition)) }

    /// Wakes all waiters, to look at their conditions again.
    public func broadcast() { checkThreadCall(pthread_cond_broadcast(condition)) }
}

/// A counting semaphore: `wait` takes one and sleeps while there is none, `signal` gives one.
public final class CountingSemaphore: Sendable {
    private let available: ConditionLock<Int>

    /// A semaphore that `count` waits may pass at once.
    public init(count: Int = 0) {
        precondition(count >= 0, "a semaphore starts with no debt")
        available = ConditionLock(count)
    }

    /// Takes one, after sleeping until there is one.
    public func wait() {
        available.wait(until: { $0 > 0 }, then: { $0 -= 1 })
    }

    /// Takes one, or returns false when there was none for so long.
    public func wait(timeoutNanoseconds: UInt64) -> Bool {
        available.wait(until: { $0 > 0 }, timeoutNanoseconds: timeoutNanoseconds, then: { $0 -= 1 }) != nil
    }

    /// Gives one, and wakes who waits for it.
    public func signal() {
        available.withLock { $0 += 1 }
        available.signal()
    }
}

// @unchecked Sendable: all state is the pthread_rwlock_t, which is made for many threads, behind a constant pointer.

/// Many readers or one writer.
final class ReadWriteLock: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_rwlock_t>

    init() {
        lock = .allocate(capacity: 1)
        lock.initialize(to: pthread_rwlock_t())
        checkThreadCall(pthread_rwlock_init(lock, nil))
    }

    deinit {
        checkThreadCall(pthread_rwlock_destroy(lock))
        lock.deallocate()
    }

    func withReadLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        checkThreadCall(pthread_rwlock_rdlock(lock))
        defer { checkThreadCall(pthread_rwlock_unlock(lock)) }
        return try body()
    }

    func withWriteLock<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        checkThreadCall(pthread_rwlock_wrlock(lock))
        defer { checkThreadCall(pthread_rwlock_unlock(lock)) }
        return try body()
    }
}

/// The pthread calls above fail only when they are misused, which is a bug here and no condition to handle.
@inline(__always)
func checkThreadCall(_ result: Int32) {
    precondition(result == 0, "a lock was used against the rules of pthreads")
}

extension timespec {
    init(nanoseconds: UInt64) {
        self.init(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
