// SPDX-License-Identifier: Apache-2.0
//
// The way from libFuzzer, which brings `main`, to the target that FIRN_FUZZ_TARGET names.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

private let target: FuzzTarget = {
    let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
    guard let name = getenv("FIRN_FUZZ_TARGET").map({ String(cString: $0) }),
        let target = FuzzTarget.all.first(where: { $0.name == name })
    else {
        print("fuzz: FIRN_FUZZ_TARGET is one of \(names)")
        exit(2)
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // `start` points to `count` bytes that live as long as this call.
    _ = target.run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}
