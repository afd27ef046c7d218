// swift-tools-version: 6.1
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

// The engine is one module on purpose: whole-module optimisation specialises its hot loops.
let package = Package(
    name: "firn",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Firn", targets: ["Firn"]),
        .library(name: "FirnFoundation", targets: ["FirnFoundation"]),
        .executable(name: "firn", targets: ["FirnCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    ],
    targets: [
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
        .target(name: "CKernels"),
        .target(
            name: "FirnIO",
            dependencies: [.product(name: "SystemPackage", package: "swift-system")]),
        .target(name: "FirnSyntax"),
        .target(
            name: "Firn",
            dependencies: [
                "FirnIO", "FirnSyntax", "CKernels", "CLZ4", "CZstd", "CZlib",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .target(name: "FirnFoundation", dependencies: ["Firn"]),
        .target(name: "FirnSimulator", dependencies: ["FirnIO"]),
        .executableTarget(
            name: "FirnCommand",
            dependencies: [
                "Firn", "CEdit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "FirnIOTests", dependencies: ["FirnIO", "FirnSimulator"]),
        .testTarget(name: "FirnSyntaxTests", dependencies: ["FirnSyntax"]),
        .testTarget(name: "FirnTests", dependencies: ["Firn", "FirnSimulator"], exclude: ["Samples"]),
        .testTarget(name: "FirnFoundationTests", dependencies: ["FirnFoundation"]),
        .testTarget(name: "FirnCommandTests", dependencies: ["FirnCommand"]),
    ],
    swiftLanguageModes: [.v6]
)
