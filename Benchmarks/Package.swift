// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// A package of its own, so that programs which embed Firn never resolve what only its benchmarks need.
let package = Package(
    name: "firn-benchmarks",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "firn-bench", targets: ["FirnBench"]),
        // Reaches into the engine: -Xswiftc -enable-testing.
        .executable(name: "firn-encodings", targets: ["FirnEncodings"]),
    ],
    dependencies: [
        .package(name: "firn", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .executableTarget(
            name: "FirnBench",
            dependencies: [
                .product(name: "Firn", package: "firn"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "FirnEncodings",
            dependencies: [
                .product(name: "Firn", package: "firn"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
