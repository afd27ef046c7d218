// SPDX-License-Identifier: Apache-2.0
//
// What the person who runs the tests asks for.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum EnvironmentVariable {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// How much of an exhaustive test is run. `FIRN_EFFORT=full` runs all of it (use a release build); otherwise a sample.
enum TestEffort {
    static let isFull = EnvironmentVariable.value("FIRN_EFFORT") == "full"

    /// 1 for all, else every so many.
    static func step(_ sampled: Int) -> Int { isFull ? 1 : sampled }
}
