// SPDX-License-Identifier: Apache-2.0
//
// One thread of our own, with a name and a stack size: for work that blocks for as long as the database is open.

import Synchronization
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// @unchecked Sendable: `thread` is written once, in init, before anyone else has the object, and a pthread_t may be
// joined from any thread; `isJoined` sees to it that this happens once.

/// A thread that runs one closure and can be waited for.
public final class DedicatedThread: @unchecked Sendable {
    /// The stack of a thread that does not ask for another: 8 MiB, as the main thread has.
    public static let stackBytesDefault = 8 << 20

    /// What debuggers and `top` show; Linux cuts it after 15 bytes.
    public let name: String
    private let thread: pthread_t
    private let isJoined = Atomic<Bool>(false)

    /// Starts the thread. Throws the system's reason when it has no more threads or memory to give.
    public init(
        name: String, stackByteCount: Int = stackBytesDefault, _ body: @escaping @Sendable () -> Void
    ) throws(Errno) {
        self.name = name
        var attributes = pthread_attr_t()
        checkThreadCall(pthread_attr_init(&attributes))
        defer { checkThreadCall(pthread_attr_destroy(&attributes)) }
        checkThreadCall(pthread_attr_setstacksize(&attributes, stackByteCount))
        // The new thread takes the reference that is handed over here.
        let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
        #if canImport(Darwin)
            var created: pthread_t?
            let result = pthread_create(&created, &attributes, runThread, start.toOpaque())
        #else
            var created = pthread_t()
            let result = pthread_create(&created, &attributes, runThread, start.toOpaque())
        #endif
        guard result == 0 else {
            start.release()
            throw Errno(rawValue: result)
        }
        #if canImport(Darwin)
            thread = created!
        #else
            thread = created
        #endif
    }

    deinit {
        // Nobody can wait for it any more: its remains may go when it ends.
        if !isJoined.load(ordering: .relaxed) { checkThreadCall(pthread_detach(thread)) }
    }

    /// Waits until the closure has returned; a second call returns at once. Not to be called by the thread itself.
    public func join() {
        precondition(pthread_equal(thread, pthread_self()) == 0, "a thread cannot wait for its own end")
        guard !isJoined.exchange(true, ordering: .acquiringAndReleasing) else { return }
        checkThreadCall(pthread_join(thread, nil))
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

#if canImport(Darwin)
    private func runThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? { run(argument) }
#else
    private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        // init always hands over a ThreadStart.
        run(argument!)
    }
#endif

private func run(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    #if canImport(Darwin)
        pthread_setname_np(start.name)
    #else
        setNameOfThisThread(start.name)
    #endif
    start.body()
    return nil
}

#if !canImport(Darwin)
    /// Names the thread through /proc, since glibc hides pthread_setname_np behind _GNU_SOURCE. The kernel keeps 15 bytes.
    /// A thread without a name works as well, so failures (no /proc in a container) are of no consequence.
    private func setNameOfThisThread(_ name: String) {
        guard let descriptor = try? SystemCalls.open("/proc/thread-self/comm", O_WRONLY) else { return }
        var name = name
        name.withUTF8 { bytes in _ = pwrite(descriptor, bytes.baseAddress, bytes.count, 0) }
        try? SystemCalls.close(descriptor)
    }
#endif
