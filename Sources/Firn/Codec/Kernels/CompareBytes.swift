// SPDX-License-Identifier: Apache-2.0
//
// memcmp under a name that says what it does.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Negative, zero or positive as the first `count` bytes at `a` sort before, with or after those at `b`.
@inline(__always)
func compareBytes(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ count: Int) -> Int { Int(memcmp(a, b, count)) }
