// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// Apart from the other benchmarks, because it reaches internals: it needs -Xswiftc -enable-testing.
let package = Package(
    name: "firn-kernel-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "firn-kernels", targets: ["KernelBench"])],
    dependencies: [.package(name: "firn", path: "../..")],
    targets: [
        .executableTarget(name: "KernelBench", dependencies: [.product(name: "Firn", package: "firn")])
    ],
    swiftLanguageModes: [.v6]
)
