// SPDX-License-Identifier: Apache-2.0
//
// How many files a process may have open.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The limit of this process.
public enum OpenFileLimit {
    /// The soft limit of descriptors (RLIMIT_NOFILE), as it stands now.
    public static var current: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let result = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            let result = getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        precondition(result == 0, "POSIX guarantees that every process has this limit")
        return Int(clamping: limit.rlim_cur)
    }
}
