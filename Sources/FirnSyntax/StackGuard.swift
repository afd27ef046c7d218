// SPDX-License-Identifier: Apache-2.0
//
// How much of this thread's stack is left.
//
// Recursion over text and trees that a stranger wrote must end in an error, not in a crash, and a
// thread's stack is anything from 512 KiB (a task on macOS) to 8 MiB (Linux). A count of levels cannot
// serve both, so the parser has a count for the common answer and this guard for the small stacks. The
// idea is PostgreSQL's check_stack_depth.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// Tells whether a recursion on the thread that made it may go one level deeper.
public struct StackGuard {
    /// Bytes that are kept free for the frames of one level and for the release of what was built.
    public static let reserveBytes = 96 * 1_024

    /// Bytes that a walk over a tree may take for each of its levels: comparing, rendering, binding, evaluating,
    /// releasing, in a build without optimisation too.
    public static let bytesPerLevel = 16 * 1_024

    /// The lowest address that a frame may reach.
    private let floor: UInt

    /// Asks the system for the bounds of this thread's stack. Costs about a microsecond, up to a hundred
    /// on a process's first thread; make one per statement, not per level.
    public init() {
        let lowest: UInt
        #if canImport(Darwin)
            let thread = pthread_self()
            lowest = UInt(bitPattern: pthread_get_stackaddr_np(thread)) - UInt(pthread_get_stacksize_np(thread))
        #else
            var attributes = pthread_attr_t()
            var address: UnsafeMutableRawPointer?
            var byteCount = 0
            if let readAttributes = Self.readAttributes, readAttributes(pthread_self(), &attributes) == 0 {
                if pthread_attr_getstack(&attributes, &address, &byteCount) != 0 { address = nil }
                pthread_attr_destroy(&attributes)
            }
            // Without an answer, half of the smallest usual stack from here.
            let assumedBytes: UInt = 256 * 1_024
            lowest = address.map { UInt(bitPattern: $0) } ?? (Self.currentAddress() - assumedBytes)
        #endif
        floor = lowest + UInt(Self.reserveBytes)
    }

    /// Bytes above the reserve; 0 or fewer where none are left. Costs a subtraction.
    public var room: Int { Int(bitPattern: Self.currentAddress() &- floor) }

    #if !canImport(Darwin)
        private typealias ReadAttributes = @convention(c) (pthread_t, UnsafeMutablePointer<pthread_attr_t>) -> CInt

        /// `pthread_getattr_np`, which the C headers show only to those who ask for GNU extensions.
        private static let readAttributes: ReadAttributes? = dlsym(nil, "pthread_getattr_np").map {
            unsafeBitCast($0, to: ReadAttributes.self)
        }
    #endif

    /// An address in the current frame.
    @inline(never)
    private static func currentAddress() -> UInt {
        var marker: UInt8 = 0
        return withUnsafeMutablePointer(to: &marker) { UInt(bitPattern: $0) }
    }
}
