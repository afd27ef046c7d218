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
