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

/// As memcmp, with the shorter first where one is a prefix of the other.
@inline(__always)
func compareBytes(
    _ left: UnsafePointer<UInt8>?, _ leftCount: Int, _ right: UnsafePointer<UInt8>?, _ rightCount: Int
) -> Int {
    let shared = min(leftCount, rightCount)
    // In bounds: both hold `shared` bytes; memcmp is not called with absent pointers.
    if shared > 0 {
        let order = memcmp(left!, right!, shared)
        if order != 0 { return Int(order) }
    }
    return leftCount - rightCount
}
