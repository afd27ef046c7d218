// SPDX-License-Identifier: Apache-2.0
//
// How many threads can run at once.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The processors that this process may use.
public enum Processors {
    /// How many: those that the scheduler may give us (taskset, cpusets of containers) on Linux, those that are on
    /// elsewhere. At least 1; does not look at CPU-time quotas.
    public static var usableCount: Int {
        #if os(Linux)
            // sched_getaffinity hides behind _GNU_SOURCE; /proc shows the same mask. Without /proc, sysconf must do.
            if let file = try? POSIXFileSystem().open("/proc/self/status", .readOnly),
                let status = try? file.read(byteCount: 16_384, at: 0),
                let count = allowedProcessorCount(status: String(decoding: status, as: UTF8.self))
            {
                return count
            }
        #endif
        return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }

    /// The bits set in the line `Cpus_allowed: ff,ffffffff` of /proc/self/status; nil where it is missing or empty.
    static func allowedProcessorCount(status: String) -> Int? {
        let title = "Cpus_allowed:"
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(title) }) else { return nil }
        let count = line.dropFirst(title.count).reduce(0) { $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount }
        return count > 0 ? count : nil
    }
}
